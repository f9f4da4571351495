// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The nodes that changed last: what changed is what changes next. Floor 2.

#include <algorithm>
#include <array>
#include <cstddef>

#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// The newest first, and so few that a look at all of them costs nothing to speak of. Whose node went away is for
/// whoever looks to forget.
class recent_nodes {
 public:
  static constexpr std::size_t most = 32;

  void note(node_id id) noexcept {
    const auto end = nodes_.begin() + static_cast<std::ptrdiff_t>(count_);
    auto at = std::find(nodes_.begin(), end, id);
    if (at == end && count_ < most) ++count_;
    if (at == nodes_.end()) --at;  // the oldest is forgotten
    *at = id;
    std::rotate(nodes_.begin(), at, at + 1);
  }

  void forget(node_id id) noexcept {
    const auto end = nodes_.begin() + static_cast<std::ptrdiff_t>(count_);
    const auto at = std::find(nodes_.begin(), end, id);
    if (at == end) return;
    std::rotate(at, at + 1, end);
    --count_;
  }

  [[nodiscard]] bool empty() const noexcept { return count_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] node_id operator[](std::size_t i) const noexcept { return nodes_[i]; }

 private:
  std::array<node_id, most> nodes_{};
  std::size_t count_ = 0;
};

}  // namespace hotwatch::inline v0::detail
