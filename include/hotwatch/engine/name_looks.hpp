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
#include <vector>

#include "../core/hint.hpp"
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
    asked_.push_back({top, h.watch, ways_.size(), h.name.size(), h.kind == hint_kind::look_at_new,
                      h.kind == hint_kind::look_at_moved});
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
  struct asked {
    node_id top;  ///< the directory of the handle
    std::int32_t watch;
    std::size_t way;
    std::size_t length;
    bool made;
    bool moved;
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
        last->made |= a.made;
        last->moved |= a.moved;
      } else {
        asked_[kept++] = a;
      }
    }
    asked_.resize(kept);
  }

  // Leaves what is below a link that is missing.
  void look_once(moment m) {
    scan_.begin_several();
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
      const node_id below = s_.find(parent, step);
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
    if (may_count) look_in(parent, std::string(name), is_last && a.made, !is_last || a.moved, m);
  }

  void look_in(node_id parent, const std::string& name, bool made, bool moved, moment m) {
    file_status status;
    std::error_code ec;
    const bool surely = lookup_.look_surely(parent, name, status, ec);
    if (!surely || (ec && !is_absence(ec))) {
      // The path leads to another directory by now, which was hinted at or will be.
      s_.doubt(parent);
      return;
    }
    const node_id known = s_.known.find(parent, name);
    if constexpr (ignores_case<Backend>) {
      // Found or not, that may be what has another spelling in the directory: only its listing tells.
      const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) { return (c & 0x80) == 0; });
      const bool may_be_known = known == no_node && (ec || moved || !made || !is_plain);
      const node_id other = may_be_known ? s_.find_other_spelling(parent, name) : no_node;
      if (other != no_node || (known == no_node && !ec && !is_plain)) {
        to_list_.push_back(parent);
        if (other != no_node) look_in(parent, std::string(s_.known.name(other)), false, moved, m);
        return;
      }
      if (known != no_node && !ec) {
        const std::uint64_t number = s_.known[known].file_id;
        // Still the same file: its name may have been changed into another spelling of itself.
        if (moved && number == status.file_id) to_list_.push_back(parent);
        // Another one: it may have been made in another spelling.
        if (number != 0 && number != status.file_id) {
          to_list_.push_back(parent);
          return;
        }
      }
    }
    const bool still = scan_.take_look(parent, name, !ec ? &status : nullptr, !moved, m);
    if (still && s_.known[known].type == entry_type::directory && !s_.known[known].link &&
        (moved || s_.known[known].unreadable) && s_.is_listed(known))
      (void)scan_.scan(known, everything, m);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  std::vector<asked> asked_;
  std::string ways_;
  std::vector<node_id> to_list_;  ///< directories whose listing has to say how a name is spelled
};

}  // namespace hotwatch::inline v0::detail
