// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Where names live: an arena of small blocks that never move, reused by size. Floor 2.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace hotwatch::inline v0::detail {

/// A name in a name_store; 0 is the empty name.
using name_ref = std::uint32_t;

/// Holds names behind 4-byte references. A block is two bytes of length and the name, in units of eight bytes;
/// a released block serves the next name of its size, so that a storm of renames does not grow the store.
class name_store {
 public:
  /// Longer than any name of a supported system (255 bytes; 765 on Windows in WTF-8).
  static constexpr std::size_t max_length = 1000;

  [[nodiscard]] name_ref store(std::string_view name) {
    if (name.empty()) return 0;
    const std::size_t units = units_of(name.size());
    name_ref ref = free_[units];
    if (ref != 0) {
      std::memcpy(&free_[units], block(ref), sizeof(name_ref));
    } else {
      if (next_ + units > chunks_.size() * chunk_units) {
        next_ = static_cast<name_ref>(chunks_.size() * chunk_units);
        if (next_ == 0) next_ = 1;  // reference 0 is taken by the empty name
        chunks_.emplace_back(chunk_units * unit);
      }
      ref = next_;
      next_ += static_cast<name_ref>(units);
    }
    const auto length = static_cast<std::uint16_t>(name.size());
    std::memcpy(block(ref), &length, sizeof length);
    std::memcpy(block(ref) + sizeof length, name.data(), name.size());
    return ref;
  }

  void release(name_ref ref) noexcept {
    if (ref == 0) return;
    const std::size_t units = units_of(view(ref).size());
    std::memcpy(block(ref), &free_[units], sizeof(name_ref));
    free_[units] = ref;
  }

  [[nodiscard]] std::string_view view(name_ref ref) const noexcept {
    if (ref == 0) return {};
    const char* at = chunks_[ref / chunk_units].data() + ref % chunk_units * unit;
    std::uint16_t length;
    std::memcpy(&length, at, sizeof length);
    return {at + sizeof length, length};
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return chunks_.size() * chunk_units * unit; }

 private:
  static constexpr std::size_t unit = 8;
  static constexpr std::size_t chunk_units = 8192;

  [[nodiscard]] static constexpr std::size_t units_of(std::size_t length) noexcept {
    return (sizeof(std::uint16_t) + length + unit - 1) / unit;
  }
  [[nodiscard]] char* block(name_ref ref) noexcept {
    return chunks_[ref / chunk_units].data() + ref % chunk_units * unit;
  }

  std::vector<std::vector<char>> chunks_;
  std::array<name_ref, (max_length + sizeof(std::uint16_t)) / unit + 2> free_{};
  name_ref next_ = 0;
};

}  // namespace hotwatch::inline v0::detail
