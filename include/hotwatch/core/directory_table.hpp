// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Directories by their number on a file system, and by the file handles under which a kernel speaks of them. Floor 2.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "hash_index.hpp"
#include "name_store.hpp"
#include "stamp.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// What a handle stands for never changes: a directory keeps its handle wherever it is moved, and no later one gets it.
/// So what is remembered of a handle is which directory it is, not whether anybody watches that: nothing has to be
/// forgotten when directories are moved into the roots or out of them.
class directory_table {
 public:
  using number = std::uint32_t;  ///< of a file system, as the caller counts them

  /// The watch of a directory: the same one as long as it is watched.
  [[nodiscard]] std::int32_t watch(number file_system, std::uint64_t file_id) {
    const std::uint32_t at = make(file_system, file_id);
    if (!directories_[at].watched) --strangers_;
    directories_[at].watched = true;
    return static_cast<std::int32_t>(at);
  }
  void unwatch(std::int32_t watch) noexcept {
    directory& d = directories_[static_cast<std::size_t>(watch)];
    if (std::exchange(d.watched, false)) ++strangers_;
  }

  /// What the handle stands for: a watch, or no_watch for what nobody watches. nullopt: it was never asked for.
  [[nodiscard]] std::optional<std::int32_t> find(number file_system, std::int32_t type, std::string_view bytes) const {
    const std::uint32_t at = by_handle_.find(hash(file_system, type, bytes), [&](std::uint32_t i) {
      const handle& h = handles_[i];
      return h.file_system == file_system && h.type == type && bytes_.view(h.bytes) == bytes;
    });
    if (at == hash_index::none) return std::nullopt;
    const std::uint32_t is = handles_[at].directory;
    return is != none && directories_[is].watched ? static_cast<std::int32_t>(is) : no_watch;
  }

  /// Whether a handle of it is known.
  [[nodiscard]] bool has_handle(std::int32_t watch) const noexcept {
    return directories_[static_cast<std::size_t>(watch)].has_handle;
  }

  /// The handle stands for this directory.
  void bind(number file_system, std::int32_t type, std::string_view bytes, std::uint64_t file_id) {
    const std::uint32_t at = make(file_system, file_id);
    directories_[at].has_handle = true;
    add_handle({bytes_.store(bytes), file_system, type, at});
  }
  /// It stands for one that was removed.
  void bind_to_none(number file_system, std::int32_t type, std::string_view bytes) {
    make_room();
    ++strangers_;
    add_handle({bytes_.store(bytes), file_system, type, none});
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return directories_.capacity() * sizeof(directory) + handles_.capacity() * sizeof(handle) + free_.capacity() * 4 +
           by_number_.bytes() + by_handle_.bytes() + bytes_.bytes();
  }

 private:
  static constexpr std::uint32_t none = hash_index::none;
  /// So many that nobody watches are remembered, and as many as are watched besides.
  static constexpr std::size_t most_strangers = 16 * 1024;

  struct directory {
    std::uint64_t file_id = 0;
    number file_system = 0;
    bool watched = false;
    bool has_handle = false;
    bool used = false;
  };
  struct handle {
    name_ref bytes;
    number file_system;
    std::int32_t type;
    std::uint32_t directory;
  };

  // Directories that were made together have numbers beside one another, and are met together: those of sixteen stand
  // in one line of the processor's cache.
  [[nodiscard]] static std::size_t hash(number file_system, std::uint64_t file_id) noexcept {
    return static_cast<std::size_t>(mix64(file_id >> 4 ^ std::uint64_t{file_system} << 48) << 4 | (file_id & 15));
  }
  [[nodiscard]] static std::size_t hash(number file_system, std::int32_t type, std::string_view bytes) noexcept {
    std::uint64_t h = mix64(std::uint64_t{file_system} << 32 | static_cast<std::uint32_t>(type));
    for (; !bytes.empty(); bytes.remove_prefix(bytes.size() < 8 ? bytes.size() : 8)) {
      std::uint64_t word = 0;
      std::memcpy(&word, bytes.data(), bytes.size() < 8 ? bytes.size() : 8);
      h = mix64(h ^ word);
    }
    return static_cast<std::size_t>(h);
  }

  std::uint32_t make(number file_system, std::uint64_t file_id) {
    const std::size_t h = hash(file_system, file_id);
    const std::uint32_t known = by_number_.find(h, [&](std::uint32_t i) {
      return directories_[i].file_id == file_id && directories_[i].file_system == file_system;
    });
    if (known != hash_index::none) return known;
    make_room();
    std::uint32_t at = static_cast<std::uint32_t>(directories_.size());
    if (free_.empty()) {
      directories_.emplace_back();
    } else {
      at = free_.back();
      free_.pop_back();
    }
    directories_[at] = {file_id, file_system, false, false, true};
    ++strangers_;
    if (directories_.size() > numbers_) {
      numbers_ = 2 * directories_.size();
      index_numbers();
    } else {
      by_number_.insert(h, at);
    }
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

  void index_numbers() {
    by_number_.rebuild(numbers_);
    for (std::uint32_t i = 0; i < directories_.size(); ++i)
      if (directories_[i].used) by_number_.insert(hash(directories_[i].file_system, directories_[i].file_id), i);
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
    const std::size_t used = directories_.size() - free_.size();
    if (strangers_ < most_strangers || 2 * strangers_ < used) return;
    std::erase_if(handles_, [&](const handle& h) {
      const bool goes = h.directory == none || !directories_[h.directory].watched;
      if (goes) bytes_.release(h.bytes);
      return goes;
    });
    for (std::uint32_t i = 0; i < directories_.size(); ++i)
      if (directories_[i].used && !directories_[i].watched) {
        directories_[i].used = false;
        free_.push_back(i);
      }
    strangers_ = 0;
    index_numbers();
    index_handles();
  }

  std::vector<directory> directories_;  ///< a watch is a place in this list
  std::vector<std::uint32_t> free_;
  std::vector<handle> handles_;
  name_store bytes_;
  hash_index by_number_;
  hash_index by_handle_;
  std::size_t numbers_ = 0;    ///< so many by_number_ has room for
  std::size_t bound_ = 0;      ///< so many by_handle_ has room for
  std::size_t strangers_ = 0;  ///< directories that nobody watches, and handles of none
};

}  // namespace hotwatch::inline v0::detail
