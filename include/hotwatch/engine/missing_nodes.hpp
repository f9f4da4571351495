// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a look did not find where it was. Until the look is over it may be found elsewhere, by its inode number.
// Floor 5.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../core/hash_index.hpp"
#include "lookup.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class missing_nodes {
 public:
  missing_nodes(engine_state<Backend>& state, const lookup<Backend>& lookup) noexcept : s_(state), lookup_(lookup) {}

  [[nodiscard]] bool empty() const noexcept { return tops_.empty(); }

  /// Takes a node out of its place, with all that is below it.
  void take_out(node_id id, moment m) {
    s_.settle.lift(id, m);
    tops_.push_back(id);
  }

  /// Which of them, and of those below them, has this inode number? no_node: none. Of several, as links to one
  /// directory show them, the one that was below the same link as what is in `parent`.
  [[nodiscard]] node_id find(std::uint64_t file_id, node_id parent) {
    if (tops_.empty() || file_id == 0) return no_node;
    if (indexed_ != tops_.size()) index();
    const auto is_it = [&](node_id id) { return s_.known[id].file_id == file_id && !lookup_.is_placed(id); };
    const node_id any = by_file_id_.find(mix64(file_id), is_it);
    if (any == no_node) return no_node;
    const node_id way = s_.known.own_way_of(parent);
    const node_id best =
        by_file_id_.find(mix64(file_id), [&](node_id id) { return is_it(id) && s_.known.own_way_of(id) == way; });
    if (best != no_node) return best;
    // What is in a missing directory is found with it; that a link shows it elsewhere is no rename.
    const bool alone = !s_.known[any].in_tree;
    return alone || s_.known.root_of(any) != s_.known.root_of(parent) ? any : no_node;
  }

  /// The look is over: what was not found elsewhere is gone.
  void vanish(moment m) {
    for (const node_id id : tops_)
      if (!s_.known[id].in_tree) s_.settle.vanish(id, m);
    tops_.clear();
    indexed_ = 0;
  }

 private:
  void index() {
    std::size_t count = 0;
    for_each([&](node_id) { ++count; });
    by_file_id_.rebuild(count);
    for_each([&](node_id id) {
      if (s_.known[id].file_id != 0) by_file_id_.insert(mix64(s_.known[id].file_id), id);
    });
    indexed_ = tops_.size();
  }

  template <class Visit>
  void for_each(Visit&& visit) const {
    for (const node_id top : tops_)
      if (!s_.known[top].in_tree)
        for (node_id id = top; id != no_node; id = s_.known.next(id, top)) visit(id);
  }

  engine_state<Backend>& s_;
  const lookup<Backend>& lookup_;
  std::vector<node_id> tops_;  ///< some may have found a place again
  hash_index by_file_id_;
  std::size_t indexed_ = 0;  ///< so many of tops_ were there when the index was made
};

}  // namespace hotwatch::inline v0::detail
