// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Names of which the hints only say that they are to be looked at: what differs is found as a listing would find it, so
// that renames are known by their numbers. Floor 5.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "../core/hash_index.hpp"
#include "../core/hint.hpp"
#include "../core/stamp.hpp"
#include "lookup.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

/// A name is found by its way at the moment of the look, not of the hint: what was hinted at together is one look, and
/// a directory that came or moved is read with all that is below it, whatever the names were by which its content was
/// hinted at.
template <class Backend>
class name_looks {
 public:
  name_looks(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan) noexcept
      : s_(state), lookup_(lookup), scan_(scan) {}

  void add(node_id top, const hint& h) {
    asked_.push_back({top,
                      h.watch,
                      ways_.size(),
                      h.name.size(),
                      {h.kind == hint_kind::look_at_new, h.kind == hint_kind::look_at_moved, h.wrote}});
    ways_ += h.name;
  }

  /// Looks at all of them.
  void settle(moment m) {
    if (asked_.empty()) return;
    merge_repeats();
    // A link that is found to be renamed has no place before the end of that look: behind it is looked then.
    for (int looks = 0; looks < 2 && !asked_.empty(); ++looks) look_once(m);
    asked_.clear();
    ways_.clear();
  }

 private:
  struct manner {
    bool made;   ///< under this very name, and nothing was told of its removal
    bool moved;  ///< or removed: what is there may be another, or have been elsewhere
    bool wrote;
  };
  struct asked {
    node_id top;  ///< the directory of the handle
    std::int32_t watch;
    std::size_t way;
    std::size_t length;
    manner how;
  };

  [[nodiscard]] std::string_view way_of(const asked& a) const noexcept {
    return std::string_view(ways_).substr(a.way, a.length);
  }

  // A file that is written to is hinted at again and again. What stands further up is looked at first.
  void merge_repeats() {
    std::sort(asked_.begin(), asked_.end(), [&](const asked& a, const asked& b) {
      return std::tuple(a.top, way_of(a)) < std::tuple(b.top, way_of(b));
    });
    std::size_t kept = 0;
    for (const asked& a : asked_) {
      asked* const last = kept != 0 ? &asked_[kept - 1] : nullptr;
      if (last != nullptr && last->top == a.top && way_of(*last) == way_of(a)) {
        last->how.made |= a.how.made;
        last->how.moved |= a.how.moved;
        last->how.wrote |= a.how.wrote;
      } else {
        asked_[kept++] = a;
      }
    }
    asked_.resize(kept);
  }

  // Leaves what is below a link that is missing.
  void look_once(moment m) {
    scan_.begin_several();
    spellings_.clear();
    std::size_t kept = 0;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      const asked a = asked_[i];
      if (s_.known[a.top].watch != a.watch) continue;
      if (s_.known[a.top].in_tree)
        look(a, m);
      else
        asked_[kept++] = a;
    }
    asked_.resize(kept);
    std::sort(to_list_.begin(), to_list_.end());
    to_list_.erase(std::unique(to_list_.begin(), to_list_.end()), to_list_.end());
    for (const node_id id : to_list_)
      if (lookup_.is_placed(id)) (void)scan_.scan(id, {}, m);
    scan_.settle_several({.files = true}, m);
    to_list_.clear();
  }

  void look(const asked& a, moment m) {
    node_id parent = a.top;
    std::string_view name = way_of(a);
    const bool recursive = s_.root_of(parent).recursive;
    bool is_last = true;
    for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
      if (!recursive) return;
      const std::string_view step = name.substr(0, slash);
      if (step.empty()) {
        name.remove_prefix(1);
        continue;
      }
      const node_id below = find(parent, step);
      if (below == no_node || s_.known[below].type != entry_type::directory) {
        // It comes with all that is in it, or is gone.
        name = step;
        is_last = false;
        break;
      }
      parent = below;
      name.remove_prefix(slash + 1);
    }
    if (has_own_way(s_.known[parent]) && !s_.roots[s_.known[parent].attributes].is_entered()) return;
    const bool may_count = counts(s_.judge(parent, name, true), true) || s_.may_lead_on(parent, name) ||
                           (is_last && counts(s_.judge(parent, name, false), false));
    if (!may_count) return;
    look_in(parent, std::string(name), is_last ? a.how : manner{.made = false, .moved = true, .wrote = false}, m);
  }

  void look_in(node_id parent, std::string name, manner how, moment m) {
    file_status status;
    std::error_code ec;
    const bool surely = lookup_.look_surely(parent, name, status, ec);
    if (!surely || (ec && !is_absence(ec))) {
      // The path leads to another directory by now, which was hinted at or will be.
      s_.doubt(parent);
      return;
    }
    node_id known = s_.known.find(parent, name);
    if constexpr (ignores_case<Backend>) {
      const bool is_sure = known != no_node && !how.moved && s_.known[known].file_id == status.file_id;
      if (!ec && !is_sure && !respell(parent, name, known, m)) return;
      // What is known by another spelling of a name that is gone is what is gone; of one that came, what it was.
      if (known == no_node && (ec || how.moved || !how.made)) look_at_other_spelling(parent, name, m);
    }
    const bool still = scan_.take_look(parent, name, !ec ? &status : nullptr, how.wrote, m);
    if (still && s_.known[known].type == entry_type::directory && !s_.known[known].link &&
        (how.moved || s_.known[known].unreadable) && s_.is_listed(known))
      (void)scan_.scan(known, everything, m);
  }

  // The name of what was found as its directory lists it. Returns false where only the listing tells.
  bool respell(node_id parent, std::string& name, node_id& known, moment m) {
    std::string listed = lookup_.spelling_of(name);
    if (listed == name) return true;
    if (listed.empty() || !s_.is_same_name(listed, name)) {  // of several links one may be named for another
      to_list_.push_back(parent);
      return known != no_node;
    }
    if (known != no_node) (void)scan_.take_look(parent, name, nullptr, false, m);
    name = std::move(listed);
    known = s_.known.find(parent, name);
    return true;
  }

  void look_at_other_spelling(node_id parent, std::string_view name, moment m) {
    if (!is_plain(name)) return to_list_.push_back(parent);
    if (const node_id other = find_other_spelling(parent, name); other != no_node)
      look_in(parent, std::string(s_.known.name(other)), {.made = false, .moved = true, .wrote = false}, m);
  }

  // By the name that is known, or another spelling of it. What is hinted at below one directory is asked for in a row.
  [[nodiscard]] node_id find(node_id parent, std::string_view name) {
    node_id child = s_.known.find(parent, name);
    if constexpr (ignores_case<Backend>)
      if (child == no_node) child = find_other_spelling(parent, name);
    return child;
  }

  [[nodiscard]] node_id find_other_spelling(node_id parent, std::string_view name) {
    if (parent != spelled_in_ || spellings_.empty()) index_spellings(parent);
    return spellings_.find(hash_of_spellings(name), [&](node_id id) {
      const node& n = s_.known[id];
      return n.in_tree && n.parent == parent && s_.known.name(id) != name && s_.is_same_name(s_.known.name(id), name);
    });
  }

  void index_spellings(node_id parent) {
    spelled_in_ = parent;
    std::size_t count = 0;
    for (node_id c = s_.known[parent].first_child; c != no_node; c = s_.known[c].next_sibling) ++count;
    spellings_.rebuild(count);
    for (node_id c = s_.known[parent].first_child; c != no_node; c = s_.known[c].next_sibling)
      spellings_.insert(hash_of_spellings(s_.known.name(c)), c);
  }

  [[nodiscard]] static bool is_plain(std::string_view name) noexcept {
    return std::all_of(name.begin(), name.end(), [](char c) { return (c & 0x80) == 0; });
  }
  // The same for all spellings of a name: those that are not in ASCII are one to it.
  [[nodiscard]] static std::size_t hash_of_spellings(std::string_view name) noexcept {
    if (!is_plain(name)) return 0;
    std::uint64_t h = name.size();
    for (const char c : name) h = mix64(h ^ static_cast<std::uint64_t>('A' <= c && c <= 'Z' ? c | 0x20 : c));
    return static_cast<std::size_t>(h);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  std::vector<asked> asked_;
  std::string ways_;
  std::vector<node_id> to_list_;  ///< directories whose listing has to say how a name is spelled
  hash_index spellings_;          ///< of what is known in one directory
  node_id spelled_in_ = no_node;
};

}  // namespace hotwatch::inline v0::detail
