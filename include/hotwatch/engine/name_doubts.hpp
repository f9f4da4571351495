// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Names of which the hints left open what is there: looked at once the queue has been read to its end. Floor 5.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/hash_index.hpp"
#include "lookup.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class name_doubts {
 public:
  name_doubts(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan) noexcept
      : s_(state), lookup_(lookup), scan_(scan) {}

  /// The name is to be looked at when the queue has been read to its end: until then a path may lead elsewhere.
  void doubt(node_id parent, std::string_view name) {
    if (!doubted_.empty()) {  // a file that is written to is hinted at again and again
      const doubted_name& last = doubted_.back();
      if (last.parent == parent && !last.only_identity && s_.known.names().view(last.name) == name) return;
    }
    if (!s_.root_of(parent).is_file) doubted_.push_back({parent, s_.known.names().store(name), false});
  }

  /// A rename left this name; one brought a file to this name.
  void note_left(node_id parent, std::string_view name) {
    renamed_.push_back({parent, s_.known.names().store(name), false});
  }
  void note_came(node_id parent, std::string_view name) {
    renamed_.push_back({parent, s_.known.names().store(name), true});
  }

  /// Another node stands for the directory from now on.
  void move(node_id from, node_id to) noexcept {
    for (std::vector<doubted_name>* list : {&doubted_, &renamed_, &looked_})
      for (doubted_name& n : *list)
        if (n.parent == from) n.parent = to;
  }

  /// Something moved; something was overwritten by that.
  void note_move() noexcept { ++moves_; }
  void note_overwriting() noexcept { overwrote_ = true; }

  /// A name that was looked at by its path.
  void note_look(node_id parent, std::string_view name) {
    looked_.push_back({parent, s_.known.names().store(name), false});
  }

  /// The queue has been read to its end, and all of it was settled. One rename by itself leaves no doubt, nor does that
  /// of the one name that was looked at just before: where it went its identity is looked at. But where several met, or
  /// one met a look at another name, a path may have led elsewhere when it was looked at.
  void end_of_backlog() {
    const bool looked_elsewhere = !looked_.empty() && !(looked_.size() == 1 && is_left(looked_.front()));
    const bool tangled = moves_ > 1 || (moves_ == 1 && (overwrote_before_ || looked_elsewhere));
    for (std::vector<doubted_name>* list : {&renamed_, &looked_}) {
      for (doubted_name n : *list) {
        n.only_identity &= !tangled;
        if ((tangled || n.only_identity) && !s_.root_of(n.parent).is_file)
          doubted_.push_back(n);
        else
          s_.known.names().release(n.name);
      }
      list->clear();
    }
    moves_ = 0;
    overwrote_before_ = std::exchange(overwrote_, false);
  }

  [[nodiscard]] bool empty() const noexcept { return doubted_.empty(); }

  /// Settles the doubts. The queue has been read to its end.
  void settle(moment m) {
    settling_.clear();
    settling_.swap(doubted_);
    drop_repeats();
    for (const doubted_name& n : settling_) {
      if (!s_.disk.drained()) {  // hints came meanwhile: they are first
        doubted_.push_back(n);
        continue;
      }
      const std::string name(s_.known.names().view(n.name));
      s_.known.names().release(n.name);
      const node& parent = s_.known[n.parent];  // its number may be another's by now
      if (!parent.in_tree || parent.type != entry_type::directory || s_.root_of(n.parent).is_file) continue;
      if (!s_.is_listed(n.parent)) continue;  // it was moved there
      if (n.only_identity && is_what_came(n.parent, name)) continue;
      if (!settle(n.parent, name, m)) doubt(n.parent, name);
    }
    s_.say_farewell();
  }

 private:
  struct doubted_name {
    node_id parent;
    name_ref name;
    bool only_identity;  ///< it is there, but it may be another file
  };

  // What cannot be told yet is doubted again by the hints that come meanwhile, and must not pile up.
  void drop_repeats() {
    if (settling_.size() < many) return;
    by_name_.rebuild(settling_.size());
    std::size_t kept = 0;
    for (const doubted_name& n : settling_) {
      const std::string_view name = s_.known.names().view(n.name);
      const std::size_t hash = s_.known.hash(n.parent, name);
      const std::uint32_t first = by_name_.find(hash, [&](std::uint32_t i) {
        return settling_[i].parent == n.parent && s_.known.names().view(settling_[i].name) == name;
      });
      if (first == hash_index::none) {
        by_name_.insert(hash, static_cast<std::uint32_t>(kept));
        settling_[kept++] = n;
      } else {
        settling_[first].only_identity &= n.only_identity;
        s_.known.names().release(n.name);
      }
    }
    settling_.resize(kept);
  }

  static constexpr std::size_t many = 64;

  // Returns false when it cannot be told yet.
  [[nodiscard]] bool settle(node_id parent, std::string_view name, moment m) {
    file_status status;
    std::error_code ec;
    const bool is_sure = lookup_.look_surely(parent, name, status, ec);
    if (ec && !is_absence(ec)) {  // no hint will say when it can be looked at
      scan_.could_not_look_in(parent, ec);
      return true;
    }
    if (!is_sure) return false;
    const node_id child = s_.known.find(parent, name);
    const bool missing = ec == std::errc::no_such_file_or_directory;
    if (missing ? child == no_node : ec || (child != no_node && is_that(child, status))) return true;
    if (!lookup_.nothing_came()) return false;  // the hints of it are in the queue
    if (!missing && child != no_node && !s_.known[child].link && can_be(s_.known[child], status.type)) {
      s_.settle.change_content(child, m);
      s_.known[child].file_id = status.file_id;
      return true;
    }
    if (child != no_node) s_.settle.vanish(child, m);
    if (!missing) (void)scan_.take_in(parent, name, status.type, m);
    return true;
  }

  [[nodiscard]] bool is_that(node_id id, const file_status& status) const noexcept {
    const node& n = s_.known[id];
    if (!can_be(n, status.type)) return false;
    return own_type(n) == entry_type::directory || n.file_id == 0 || n.file_id == status.file_id;
  }

  [[nodiscard]] bool is_what_came(node_id parent, std::string_view name) {
    const node_id child = s_.known.find(parent, name);
    file_status status;
    return child != no_node && !lookup_.look_by_path(parent, name, status) && is_that(child, status);
  }

  [[nodiscard]] bool is_left(const doubted_name& looked) const noexcept {
    for (const doubted_name& n : renamed_)
      if (!n.only_identity && n.parent == looked.parent &&
          s_.known.names().view(n.name) == s_.known.names().view(looked.name))
        return true;
    return false;
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  std::vector<doubted_name> doubted_;
  std::vector<doubted_name> settling_;
  hash_index by_name_;                 ///< the first in settling_ of each name in its directory
  std::vector<doubted_name> renamed_;  ///< names that were left or taken by renames in this backlog
  std::vector<doubted_name> looked_;   ///< names that were looked at after the backlog before
  unsigned moves_ = 0;
  bool overwrote_ = false;
  bool overwrote_before_ = false;
};

}  // namespace hotwatch::inline v0::detail
