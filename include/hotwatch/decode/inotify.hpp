// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// inotify(7) records -> hints. Bytes in, hints out: no system call, and the kernel's layout is mirrored here, so that
// this is tested and fuzzed on any system. Floor 2.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "../core/hint.hpp"

namespace hotwatch::inline v0::detail::inotify {

/// struct inotify_event without its name.
struct record_head {
  std::int32_t wd;
  std::uint32_t mask;
  std::uint32_t cookie;
  std::uint32_t len;
};
static_assert(sizeof(record_head) == 16);

inline constexpr std::uint32_t in_modify = 0x2, in_attrib = 0x4, in_close_write = 0x8, in_moved_from = 0x40,
                               in_moved_to = 0x80, in_create = 0x100, in_delete = 0x200, in_delete_self = 0x400,
                               in_move_self = 0x800, in_unmount = 0x2000, in_q_overflow = 0x4000, in_ignored = 0x8000,
                               in_isdir = 0x40000000;

/// A name is at most NAME_MAX bytes and a NUL, padded to a multiple of the head.
inline constexpr std::size_t longest_record = sizeof(record_head) + 256;

/// Gives each record's hint to `sink`. Returns how many bytes were taken: less than all when the last record is cut.
template <class Sink>
std::size_t decode(std::span<const char> bytes, Sink&& sink) {
  std::size_t at = 0;
  while (bytes.size() - at >= sizeof(record_head)) {
    record_head head;
    std::memcpy(&head, bytes.data() + at, sizeof head);
    if (bytes.size() - at - sizeof head < head.len) break;
    const char* text = bytes.data() + at + sizeof head;
    at += sizeof head + head.len;

    // Before anything else: an overflow has wd -1 (inotify(7)), which belongs to no directory.
    if ((head.mask & in_q_overflow) != 0) {
      sink(hint{hint_kind::overflow});
      continue;
    }
    // The padding is NULs. Records about the watched object itself have no name at all (len 0): what stands behind
    // them in the buffer belongs to the next record.
    const std::string_view name(text, head.len == 0 ? 0 : ::strnlen(text, head.len));
    const bool is_directory = (head.mask & in_isdir) != 0;
    hint h{hint_kind::look_again, head.wd, name, is_directory ? entry_type::directory : entry_type::unknown, 0};
    const auto say = [&](hint_kind kind) {
      h.kind = kind;
      sink(h);
    };
    if ((head.mask & in_ignored) != 0) {
      say(hint_kind::unwatched);
    } else if ((head.mask & (in_unmount | in_delete_self | in_move_self)) != 0) {
      say(hint_kind::gone);
    } else if (name.empty()) {
      // IN_MODIFY here is a directory whose times were set with one of them left as it is (tar): no content.
      if ((head.mask & in_attrib) != 0) say(hint_kind::attributes);
    } else {
      if ((head.mask & in_create) != 0) say(hint_kind::appeared);
      if ((head.mask & (in_moved_from | in_moved_to)) != 0) {
        h.pair = head.cookie;
        say((head.mask & in_moved_from) != 0 ? hint_kind::moved_from : hint_kind::moved_to);
      }
      if ((head.mask & in_modify) != 0 && !is_directory) say(hint_kind::written);
      if ((head.mask & in_close_write) != 0 && !is_directory) say(hint_kind::completed);
      if ((head.mask & in_attrib) != 0) say(hint_kind::attributes);
      if ((head.mask & in_delete) != 0) say(hint_kind::vanished);
    }
  }
  return at;
}

}  // namespace hotwatch::inline v0::detail::inotify
