// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the user is told: change, notice and the batch that holds them. Floor 1.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace hotwatch::inline v0 {

/// The clock of every time point that hotwatch hands out (CLOCK_MONOTONIC on Linux).
using clock = std::chrono::steady_clock;

/// What became of a name, compared with what was told before.
enum class change_kind : std::uint8_t {
  created,   ///< it was not there in what you were told before
  modified,  ///< it was there, still is, and its content is another (never told of a directory)
  removed,   ///< it was there, and is no more
  renamed,   ///< it was at `old_path` and is at `path` now; a directory takes all below it along
  metadata,  ///< permissions, owner or times; told only with `options::metadata`
};

/// What a name stands for; a symlink is told as itself.
enum class entry_type : std::uint8_t { unknown, file, directory, symlink, other };

/// Which root a change belongs to, in the order of the calls of add(); never reused by one watcher.
enum class root_id : std::uint32_t {};

/// One change. A view: it lives until the next call on the watcher that gave it (see owned_change).
struct change {
  change_kind kind = change_kind::modified;
  entry_type type = entry_type::unknown;
  /// The root as it was given to add(), '/', and the way below it: "assets/logo.png". The kernel's own bytes; on
  /// Windows UTF-8, or WTF-8 where a name has unpaired surrogates.
  std::string_view path;
  /// Where it was before (renamed only, else empty): the path as it was at this point of the batch.
  std::string_view old_path;
  /// Renamed only: the content changed too.
  bool modified = false;
  root_id root{};
  /// When hotwatch first read of it from the kernel.
  clock::time_point seen{};
  /// Where relative() begins in `path`.
  std::uint32_t below = 0;

  /// The way below the root: "logo.png"; for a root that is a single file, the file's name.
  [[nodiscard]] constexpr std::string_view relative() const noexcept { return path.substr(below); }
};

/// What could not be watched, was repaired, or fell back: told in-band, beside the changes.
enum class notice_kind : std::uint8_t {
  overflow,       ///< the kernel dropped events; the tree was read again: nothing is lost
  polling,        ///< this directory is polled from now on; `error` and `advice` say why
  unreadable,     ///< this directory cannot be read; it is taken up when that changes
  root_lost,      ///< the root is gone; its contents are told as removed
  root_restored,  ///< the root is back; its contents are told as created
  failed,         ///< something else went wrong here; `error` says what
};

/// One notice. A view, like change.
struct notice {
  notice_kind kind = notice_kind::failed;
  std::string_view path;
  std::error_code error;
  /// What can be done about it, for a person to read ("raise fs.inotify.max_user_watches ..."); may be empty.
  std::string_view advice;
};

[[nodiscard]] constexpr std::string_view to_string(change_kind kind) noexcept {
  constexpr std::string_view names[] = {"created", "modified", "removed", "renamed", "metadata"};
  return names[static_cast<std::size_t>(kind)];
}

[[nodiscard]] constexpr std::string_view to_string(entry_type type) noexcept {
  constexpr std::string_view names[] = {"unknown", "file", "directory", "symlink", "other"};
  return names[static_cast<std::size_t>(type)];
}

[[nodiscard]] constexpr std::string_view to_string(notice_kind kind) noexcept {
  constexpr std::string_view names[] = {"overflow", "polling", "unreadable", "root_lost", "root_restored", "failed"};
  return names[static_cast<std::size_t>(kind)];
}

/// "modified assets/logo.png", "renamed a -> b". The bytes of the path as they are.
template <class Traits>
std::basic_ostream<char, Traits>& operator<<(std::basic_ostream<char, Traits>& out, const change& c) {
  out << to_string(c.kind) << ' ';
  if (c.kind == change_kind::renamed) out << c.old_path << " -> ";
  return out << c.path;
}

/// The changes that were told at once, in an order in which they can be applied one by one.
/// A view into the watcher's memory: it lives until the next call on the watcher.
class batch {
 public:
  using value_type = change;
  using const_iterator = const change*;

  constexpr batch() noexcept = default;
  constexpr batch(std::span<const change> changes, std::span<const notice> notices) noexcept
      : changes_(changes), notices_(notices) {}

  [[nodiscard]] constexpr const change* begin() const noexcept { return changes_.data(); }
  [[nodiscard]] constexpr const change* end() const noexcept { return changes_.data() + changes_.size(); }
  /// The number of changes.
  [[nodiscard]] constexpr std::size_t size() const noexcept { return changes_.size(); }
  /// True when there is neither a change nor a notice: the wait was ended by a time-out or by stop().
  [[nodiscard]] constexpr bool empty() const noexcept { return changes_.empty() && notices_.empty(); }
  [[nodiscard]] constexpr const change& operator[](std::size_t i) const noexcept { return changes_[i]; }
  [[nodiscard]] constexpr std::span<const notice> notices() const noexcept { return notices_; }
  /// When the first of these changes was read from the kernel; the epoch when there is none.
  [[nodiscard]] constexpr clock::time_point first_seen() const noexcept {
    clock::time_point first{};
    for (const change& c : changes_)
      if (first == clock::time_point{} || c.seen < first) first = c.seen;
    return first;
  }

 private:
  std::span<const change> changes_;
  std::span<const notice> notices_;
};

/// A change that owns its paths and may be kept.
struct owned_change {
  change_kind kind = change_kind::modified;
  entry_type type = entry_type::unknown;
  std::string path;
  std::string old_path;
  bool modified = false;
  root_id root{};
  clock::time_point seen{};
  std::uint32_t below = 0;

  owned_change() = default;
  explicit owned_change(const change& c)
      : kind(c.kind),
        type(c.type),
        path(c.path),
        old_path(c.old_path),
        modified(c.modified),
        root(c.root),
        seen(c.seen),
        below(c.below) {}

  /// The view again; it lives as long as this object is neither changed nor gone.
  [[nodiscard]] change view() const noexcept { return {kind, type, path, old_path, modified, root, seen, below}; }
  [[nodiscard]] std::string_view relative() const noexcept { return view().relative(); }
};

}  // namespace hotwatch::inline v0
