// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Numbers found by the hash of what they stand for, built anew for each use. Floor 2.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kept_memory.hpp"

namespace hotwatch::inline v0::detail {

/// Open addressing without removal. Only the numbers are kept: whether a candidate is the one, the caller knows.
class hash_index {
 public:
  static constexpr std::uint32_t none = 0xffffffff;  ///< as no_node

  void clear() noexcept { slots_.clear(); }
  void give_back() noexcept { clear_for_next_batch(slots_); }

  /// Forgets all, and makes room for `count` numbers.
  void rebuild(std::size_t count) {
    std::size_t size = 16;
    while (size < 2 * count) size *= 2;
    slots_.assign(size, none);
  }

  /// No more than rebuild() made room for: a search ends at a free slot.
  void insert(std::size_t hash, std::uint32_t number) noexcept {
    std::size_t i = hash & (slots_.size() - 1);
    while (slots_[i] != none) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = number;
  }

  /// The first that was inserted, of those with this hash, for which `is_it` holds, or none. It is asked about others
  /// too.
  template <class IsIt>
  [[nodiscard]] std::uint32_t find(std::size_t hash, IsIt&& is_it) const {
    if (slots_.empty()) return none;
    for (std::size_t i = hash & (slots_.size() - 1); slots_[i] != none; i = (i + 1) & (slots_.size() - 1))
      if (is_it(slots_[i])) return slots_[i];
    return none;
  }

  [[nodiscard]] bool empty() const noexcept { return slots_.empty(); }
  [[nodiscard]] std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(std::uint32_t); }

 private:
  std::vector<std::uint32_t> slots_;
};

}  // namespace hotwatch::inline v0::detail
