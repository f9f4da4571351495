// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// First halves of renames that wait for the second, by cookie: the halves need not be adjacent, nor in one read.
// Floor 2.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tree.hpp"

namespace hotwatch::inline v0::detail {

class rename_pairs {
 public:
  struct half {
    std::uint32_t pair;
    node_id node;           ///< lifted out of the tree
    node_id from;           ///< the directory it left
    node_id way;            ///< and the root or the link above that
    bool finished = false;  ///< its second half would have come by now
  };

  void add(half h) { halves_.push_back(h); }

  /// Takes the node that left with this cookie; of several (one directory under two roots, or led to by two links) the
  /// one that was below the same root or link.
  [[nodiscard]] node_id take(std::uint32_t pair, node_id way) noexcept {
    std::size_t found = halves_.size();
    for (std::size_t i = 0; i < halves_.size(); ++i)
      if (halves_[i].pair == pair && (found == halves_.size() || halves_[i].way == way)) {
        found = i;
        if (halves_[i].way == way) break;
      }
    if (found == halves_.size()) return no_node;
    const node_id id = halves_[found].node;
    halves_[found] = halves_.back();
    halves_.pop_back();
    return id;
  }

  /// A node that left with this cookie, or no_node.
  [[nodiscard]] node_id find(std::uint32_t pair) const noexcept {
    for (const half& h : halves_)
      if (h.pair == pair) return h.node;
    return no_node;
  }

  [[nodiscard]] bool empty() const noexcept { return halves_.empty(); }
  [[nodiscard]] std::vector<half>& halves() noexcept { return halves_; }

 private:
  std::vector<half> halves_;
};

}  // namespace hotwatch::inline v0::detail
