// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// FSEvents (CoreServices): events become hints. Its flags mirrored, so that this compiles on any system. Floor 2.

#include <cstdint>
#include <string_view>

#include "../core/hint.hpp"

namespace hotwatch::inline v0::detail::fsevents {

/// kFSEventStreamEventFlag... of FSEvents.h; only those of macOS 10.13 and older, others are ignored.
inline constexpr std::uint32_t must_scan_subdirs = 0x1, user_dropped = 0x2, kernel_dropped = 0x4, ids_wrapped = 0x8,
                               history_done = 0x10, root_changed = 0x20, mounted = 0x40, unmounted = 0x80,
                               item_created = 0x100, item_removed = 0x200, item_inode_meta = 0x400,
                               item_renamed = 0x800, item_modified = 0x1000, item_finder_info = 0x2000,
                               item_owner = 0x4000, item_xattr = 0x8000, item_is_file = 0x10000, item_is_dir = 0x20000,
                               item_is_symlink = 0x40000, own_event = 0x80000, item_is_hardlink = 0x100000,
                               item_is_last_hardlink = 0x200000, item_cloned = 0x400000;
inline constexpr std::uint32_t item_any = item_created | item_removed | item_inode_meta | item_renamed | item_modified |
                                          item_finder_info | item_owner | item_xattr | item_cloned;

/// One event, as the callback of a stream is given it.
struct event {
  std::uint32_t flags = 0;
  std::string_view path = {};
};

/// What a stream is for.
struct place {
  /// Free of symlinks, in the letter case of the disk, without a slash at its end.
  std::string_view path;
  /// Whether what is further below than the entries of this directory counts.
  bool tree = true;
};

/// Where a path stands to that of a stream.
enum class stand : std::uint8_t { elsewhere, above, itself, below };

/// From macOS 10.15 on what the user may write is on a volume of its own, and a path may be told as it is there
/// (firmlinks).
inline constexpr std::string_view data_volume = "/System/Volumes/Data";

[[nodiscard]] constexpr bool leads_to(std::string_view path, std::string_view below) noexcept {
  if (path == "/") return below.starts_with('/');
  return below.starts_with(path) && (below.size() == path.size() || below[path.size()] == '/');
}

/// Finds where `path` stands; `way` is what leads down to it if it is below.
[[nodiscard]] constexpr stand stand_of(std::string_view path, std::string_view root, std::string_view& way) noexcept {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  if (leads_to(data_volume, path) && !leads_to(data_volume, root)) {
    path.remove_prefix(data_volume.size());
    if (path.empty()) path = "/";
  } else if (leads_to(data_volume, root) && !leads_to(data_volume, path)) {
    root.remove_prefix(data_volume.size());
    if (root.empty()) root = "/";
  }
  if (path == root) return stand::itself;
  if (leads_to(root, path)) {
    way = path.substr(root == "/" ? 1 : root.size() + 1);
    while (way.starts_with('/')) way.remove_prefix(1);
    return stand::below;
  }
  return path.empty() || leads_to(path, root) ? stand::above : stand::elsewhere;
}

/// Gives the hints of one event to `sink`.
///
/// The flags of an item are ored over many seconds and sent again with each event, whatever became of the item
/// meanwhile, so they never say what happened last. What they are good for is how much is to be looked at.
template <class Sink>
void tell_event(const event& e, const place& where, std::int32_t watch, Sink&& sink) {
  const auto has = [&](std::uint32_t flag) { return (e.flags & flag) != 0; };
  const auto all_again = [&] { sink(hint{hint_kind::look_again, watch, {}, entry_type::directory}); };
  const auto gone = [&] { sink(hint{hint_kind::gone, watch, {}, entry_type::directory}); };
  if (has(history_done)) return;
  // Told with the path "/" or that of a stream, and of whatever stream.
  if (has(user_dropped | kernel_dropped)) return sink(hint{});
  // The path is what the stream was made with.
  if (has(root_changed)) {
    gone();
    return all_again();
  }
  std::string_view way;
  switch (stand_of(e.path, where.path, way)) {
    // A stream tells of nothing else: its own path may be told in another spelling (NFC and NFD, letter case).
    case stand::elsewhere: return all_again();
    case stand::above:
      if (has(must_scan_subdirs)) all_again();
      return;
    case stand::itself:
      if (has(item_removed | item_renamed | mounted | unmounted)) gone();
      if (has(must_scan_subdirs | mounted | unmounted) || (e.flags & item_any) == 0)
        all_again();
      else if (has(item_inode_meta | item_owner))
        sink(hint{hint_kind::own_attributes, watch, {}, entry_type::directory});
      return;
    case stand::below: break;
  }
  if (!where.tree && way.find('/') != std::string_view::npos) return;
  // What came to its place or left it may have been changed out of sight, or be another under the same number; so may
  // what is not told of at all.
  const bool was_away =
      has(must_scan_subdirs | mounted | unmounted | item_renamed | item_removed) || (e.flags & item_any) == 0;
  sink(hint{.kind = was_away            ? hint_kind::look_at_moved
                    : has(item_created) ? hint_kind::look_at_new
                                        : hint_kind::look_at_known,
            .watch = watch,
            .name = way,
            .wrote = has(item_created | item_modified)});
}

}  // namespace hotwatch::inline v0::detail::fsevents
