// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Directories by their number on a file system, and by the file handles under which a kernel speaks of them. Floor 2.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

#include "hash_index.hpp"
#include "name_store.hpp"
#include "stamp.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// What a handle stands for never changes: a directory keeps its handle wherever it is moved, and no later one gets it.
/// So what is remembered of a handle is which directory it is, not whether anybody watches that: nothing has to be
/// forgotten when directories are moved into the roots or out of them.
///
/// Directories that were made together have numbers beside one another and are met together. So they are kept by
/// neighbourhoods of 64 numbers, a bit for each: the watch of a directory is its place among all bits, and listing one
/// more is mostly a bit in what was looked at just before.
template <class Index>
class basic_directory_table {
 public:
  using number = std::uint32_t;  ///< of a file system, as the caller counts them

  /// The watch of a directory: the same one as long as it is watched.
  [[nodiscard]] std::int32_t watch(number file_system, std::uint64_t file_id) {
    const std::uint32_t at = place_of(file_system, file_id);
    around(at).watched |= bit(at);
    return static_cast<std::int32_t>(at);
  }
  void unwatch(std::int32_t watch) noexcept {
    const auto at = static_cast<std::uint32_t>(watch);
    around(at).watched &= ~bit(at);
  }

  /// What the handle stands for: a watch, or no_watch for what nobody watches. nullopt: it was never asked for.
  [[nodiscard]] std::optional<std::int32_t> find(number file_system, std::int32_t type, std::string_view bytes) const {
    const std::uint32_t at = by_handle_.find(hash(file_system, type, bytes), [&](std::uint32_t i) {
      const handle& h = handles_[i];
      return h.file_system == file_system && h.type == type && bytes_.view(h.bytes) == bytes;
    });
    if (at == none) return std::nullopt;
    const std::uint32_t is = handles_[at].directory;
    return is_watched(is) ? static_cast<std::int32_t>(is) : no_watch;
  }

  /// Whether a handle of it is known.
  [[nodiscard]] bool has_handle(std::int32_t watch) const noexcept {
    const auto at = static_cast<std::uint32_t>(watch);
    return (around(at).has_handle & bit(at)) != 0;
  }

  /// The handle stands for this directory.
  void bind(number file_system, std::int32_t type, std::string_view bytes, std::uint64_t file_id) {
    make_room();
    const std::uint32_t at = place_of(file_system, file_id);
    around(at).has_handle |= bit(at);
    add_handle({bytes_.store(bytes), file_system, type, at});
  }
  /// It stands for one that was removed.
  void bind_to_none(number file_system, std::int32_t type, std::string_view bytes) {
    make_room();
    add_handle({bytes_.store(bytes), file_system, type, none});
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return all_.capacity() * sizeof(neighbourhood) + handles_.capacity() * sizeof(handle) + free_.capacity() * 4 +
           by_number_.bytes() + by_handle_.bytes() + bytes_.bytes();
  }

 private:
  static constexpr std::uint32_t none = Index::none;
  static constexpr std::size_t some_room = 16 * 1024;  ///< beyond twice what is needed

  struct neighbourhood {
    std::uint64_t which;  ///< the numbers of its directories, divided by 64
    number file_system;
    std::uint64_t watched = 0;
    std::uint64_t has_handle = 0;
  };
  struct handle {
    name_ref bytes;
    number file_system;
    std::int32_t type;
    std::uint32_t directory;  ///< its place
  };

  [[nodiscard]] static std::uint64_t bit(std::uint32_t place) noexcept { return std::uint64_t{1} << place % 64; }
  [[nodiscard]] neighbourhood& around(std::uint32_t place) noexcept { return all_[place / 64]; }
  [[nodiscard]] const neighbourhood& around(std::uint32_t place) const noexcept { return all_[place / 64]; }
  [[nodiscard]] bool is_watched(std::uint32_t place) const noexcept {
    return place != none && (around(place).watched & bit(place)) != 0;
  }

  // Whoever made the image of a file system may have chosen its numbers, and handles are made of those.
  [[nodiscard]] std::size_t hash(number file_system, std::uint64_t which) const noexcept {
    return static_cast<std::size_t>(mix64(seed_ ^ which ^ std::uint64_t{file_system} << 48));
  }
  [[nodiscard]] std::size_t hash(number file_system, std::int32_t type, std::string_view bytes) const noexcept {
    std::uint64_t h = mix64(seed_ ^ std::uint64_t{file_system} << 32 ^ static_cast<std::uint32_t>(type));
    for (; !bytes.empty(); bytes.remove_prefix(bytes.size() < 8 ? bytes.size() : 8)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), bytes.size() < 8 ? bytes.size() : 8);
      h = mix64(h ^ word);
    }
    return static_cast<std::size_t>(h);
  }

  [[nodiscard]] std::uint32_t place_of(number file_system, std::uint64_t file_id) {
    const std::uint64_t which = file_id / 64;
    const auto is_it = [&](std::uint32_t i) { return all_[i].which == which && all_[i].file_system == file_system; };
    if (last_ == none || !is_it(last_)) {
      const std::size_t h = hash(file_system, which);
      last_ = by_number_.find(h, is_it);
      if (last_ == none) last_ = add({which, file_system}, h);
    }
    return last_ * 64 + static_cast<std::uint32_t>(file_id % 64);
  }

  [[nodiscard]] std::uint32_t add(neighbourhood n, std::size_t h) {
    make_room();
    if (free_.empty() && all_.size() == numbers_) {
      numbers_ = 2 * numbers_ + 8;
      index_numbers();
    }
    auto at = static_cast<std::uint32_t>(all_.size());
    if (free_.empty()) {
      all_.push_back(n);
    } else {
      at = free_.back();
      free_.pop_back();
      all_[at] = n;
    }
    by_number_.insert(h, at);
    return at;
  }

  void add_handle(handle h) {
    handles_.push_back(h);
    if (handles_.size() > bound_) {
      bound_ = 2 * handles_.size();
      index_handles();
    } else {
      by_handle_.insert(hash(h.file_system, h.type, bytes_.view(h.bytes)),
                        static_cast<std::uint32_t>(handles_.size() - 1));
    }
  }

  // All but those that are free.
  void index_numbers() {
    by_number_.rebuild(numbers_);
    for (std::uint32_t i = 0; i < all_.size(); ++i)
      if (all_[i].file_system != none) by_number_.insert(hash(all_[i].file_system, all_[i].which), i);
  }
  void index_handles() {
    by_handle_.rebuild(bound_);
    for (std::uint32_t i = 0; i < handles_.size(); ++i) {
      const handle& h = handles_[i];
      by_handle_.insert(hash(h.file_system, h.type, bytes_.view(h.bytes)), i);
    }
  }

  // Whatever else is busy on the file system is remembered too, and must not pile up.
  void make_room() {
    if (handles_.size() + all_.size() - free_.size() < room_) return;
    std::erase_if(handles_, [&](const handle& h) {
      const bool goes = !is_watched(h.directory);
      if (goes) bytes_.release(h.bytes);
      return goes;
    });
    free_.clear();
    for (std::uint32_t i = 0; i < all_.size(); ++i) {
      all_[i].has_handle &= all_[i].watched;
      if (all_[i].watched != 0) continue;
      all_[i].file_system = none;
      free_.push_back(i);
    }
    index_numbers();
    index_handles();
    room_ = some_room + 2 * (handles_.size() + all_.size() - free_.size());
  }

  std::vector<neighbourhood> all_;
  std::vector<std::uint32_t> free_;  ///< places in it
  std::vector<handle> handles_;
  name_store bytes_;
  Index by_number_;
  Index by_handle_;
  std::size_t numbers_ = 0;       ///< so many by_number_ has room for
  std::size_t bound_ = 0;         ///< so many by_handle_ has room for
  std::size_t room_ = some_room;  ///< for so many neighbourhoods and handles, until it is seen which are needed
  std::uint32_t last_ = none;     ///< the neighbourhood that was met last
  std::uint64_t seed_ = reinterpret_cast<std::uintptr_t>(this) * 0x9E3779B97F4A7C15u;
};

using directory_table = basic_directory_table<hash_index>;

}  // namespace hotwatch::inline v0::detail
