// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// fanotify(7) events of a group with FAN_REPORT_DFID_NAME_TARGET -> hints. Bytes in, hints out: no system call, and the
// kernel's layout is mirrored here, so that this is tested and fuzzed on any system. Floor 2.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

#include "../core/hint.hpp"

namespace hotwatch::inline v0::detail::fanotify {

/// struct fanotify_event_metadata.
struct event_head {
  std::uint32_t length;
  std::uint8_t version;
  std::uint8_t reserved;
  std::uint16_t head_length;
  std::uint64_t mask;
  std::int32_t fd;
  std::int32_t process;
};
static_assert(sizeof(event_head) == 24);

/// struct fanotify_event_info_header, and what is in front of the handle in struct fanotify_event_info_fid.
struct info_head {
  std::uint8_t type;
  std::uint8_t pad;
  std::uint16_t length;
};
struct handle_head {
  std::uint32_t file_system[2];
  std::uint32_t length;
  std::int32_t type;
};
static_assert(sizeof(info_head) == 4 && sizeof(handle_head) == 16);

inline constexpr std::uint64_t fan_modify = 0x2, fan_attrib = 0x4, fan_close_write = 0x8, fan_create = 0x100,
                               fan_delete = 0x200, fan_q_overflow = 0x4000, fan_rename = 0x10000000,
                               fan_ondir = 0x40000000;
inline constexpr std::uint8_t info_fid = 1, info_dfid_name = 2, info_old_dfid_name = 10, info_new_dfid_name = 12;
inline constexpr std::uint8_t metadata_version = 3;

/// MAX_HANDLE_SZ of name_to_handle_at(2), and a name with its NUL.
inline constexpr std::size_t longest_handle = 128, longest_name = 256;
/// The longest that is asked for: a rename's two names, and what was renamed.
inline constexpr std::size_t longest_event =
    sizeof(event_head) + 3 * (sizeof(info_head) + sizeof(handle_head) + longest_handle) + 2 * longest_name;

/// A directory as the kernel names it: no path, but what open_by_handle_at(2) takes, and the file system it is on.
struct directory_handle {
  std::uint64_t file_system = 0;  ///< f_fsid of statfs(2)
  std::int32_t type = 0;
  std::string_view bytes = {};
};

/// An entry of a directory; without a handle: none was reported.
struct entry_place {
  directory_handle directory;
  std::string_view name;

  [[nodiscard]] bool is_reported() const noexcept { return !directory.bytes.empty(); }
};

/// One event, its info records sorted by what they are: their order is not promised (fanotify(7)).
struct event {
  std::uint64_t mask = 0;
  entry_place at;
  entry_place from;
  entry_place to;
};

/// The body of a FAN_EVENT_INFO_TYPE_*DFID_NAME record. The name is padded with NULs; what is cut is not reported.
[[nodiscard]] inline entry_place read_place(std::span<const char> body) noexcept {
  entry_place place;
  handle_head head;
  if (body.size() < sizeof head) return place;
  std::memcpy(&head, body.data(), sizeof head);
  body = body.subspan(sizeof head);
  if (head.length > body.size() || head.length > longest_handle) return place;
  std::memcpy(&place.directory.file_system, head.file_system, sizeof head.file_system);
  place.directory.type = head.type;
  place.directory.bytes = {body.data(), head.length};
  body = body.subspan(head.length);
  const std::string_view padded(body.data(), body.size());
  place.name = padded.substr(0, padded.find('\0'));
  return place;
}

[[nodiscard]] inline event read_event(std::uint64_t mask, std::span<const char> infos) noexcept {
  event e{mask, {}, {}, {}};
  for (info_head head; infos.size() >= sizeof head; infos = infos.subspan(head.length)) {
    std::memcpy(&head, infos.data(), sizeof head);
    if (head.length < sizeof head || head.length > infos.size()) break;
    entry_place* const place = head.type == info_dfid_name       ? &e.at
                               : head.type == info_old_dfid_name ? &e.from
                               : head.type == info_new_dfid_name ? &e.to
                                                                 : nullptr;
    if (place != nullptr) *place = read_place(infos.subspan(sizeof head, head.length - sizeof head));
  }
  return e;
}

/// The hints of what happened to one entry. The kernel ors events of one object under one name into the mask of the
/// first that is unread, whatever was queued in between (fanotify_merge()): the bits are a set. They are told in the
/// order of a file's life.
template <class Sink>
void tell_entry(std::uint64_t mask, hint h, Sink&& sink) {
  const auto has = [&](std::uint64_t bit) { return (mask & bit) != 0; };
  const bool is_file = h.type != entry_type::directory;
  const auto say = [&](hint_kind kind) {
    h.kind = kind;
    sink(h);
  };
  const bool came_and_went = has(fan_create) && has(fan_delete);
  const std::uint64_t events = mask & (fan_create | fan_modify | fan_close_write | fan_attrib | fan_delete);
  h.merged = (events & (events - 1)) != 0;
  if (has(fan_create) && !came_and_went) say(hint_kind::appeared);
  if (has(fan_modify) && is_file) say(hint_kind::written);
  if (has(fan_attrib)) say(hint_kind::attributes);
  if (has(fan_close_write) && is_file) say(hint_kind::completed);
  // A directory that was removed never gets a name again, a file may by link(2).
  if (came_and_went && is_file)
    say(hint_kind::came_or_went);
  else if (has(fan_delete))
    say(hint_kind::vanished);
}

/// The hints of one event. A rename is one event with both its places, of which either may be none of ours.
template <class WatchOf, class Sink>
void tell_event(const event& e, std::uint32_t& pair, WatchOf&& watch_of, Sink&& sink) {
  const auto watch = [&](const entry_place& p) { return p.is_reported() ? watch_of(p.directory) : no_watch; };
  const entry_type type = (e.mask & fan_ondir) != 0 ? entry_type::directory : entry_type::unknown;
  if ((e.mask & fan_rename) != 0) {
    const std::int32_t from = watch(e.from);
    const std::int32_t to = watch(e.to);
    ++pair;
    // A file may be back by link(2), which was ored into an event that is told already.
    const bool merged = type != entry_type::directory;
    // A first half without its second may have been exchanged for what is not ours, and that be here now.
    if (from != no_watch) sink(hint{hint_kind::moved_from, from, e.from.name, type, pair, true, merged});
    if (to != no_watch) sink(hint{hint_kind::moved_to, to, e.to.name, type, pair});
    return;
  }
  // Of an object that has no name any more only the object is reported.
  const std::int32_t at = watch(e.at);
  if (at == no_watch) return;
  if (e.at.name != ".")
    tell_entry(e.mask, hint{hint_kind::look_again, at, e.at.name, type}, sink);
  else if ((e.mask & fan_attrib) != 0)
    sink(hint{hint_kind::own_attributes, at, {}, entry_type::directory});
}

/// Gives the hints of the first event to `sink`. `watch_of` says which watch a directory_handle stands for; `pair`
/// numbers the renames. Returns how many bytes were taken: 0 when the event is cut.
template <class WatchOf, class Sink>
std::size_t decode_first(std::span<const char> bytes, std::uint32_t& pair, WatchOf&& watch_of, Sink&& sink) {
  event_head head;
  if (bytes.size() < sizeof head) return 0;
  std::memcpy(&head, bytes.data(), sizeof head);
  // Another layout than this one: where the next event begins is unknown, and so is what they say.
  if (head.version != metadata_version || head.length > longest_event || head.head_length < sizeof head ||
      head.head_length > head.length) {
    sink(hint{hint_kind::overflow});
    return bytes.size();
  }
  if (bytes.size() < head.length) return 0;
  if ((head.mask & fan_q_overflow) != 0)
    sink(hint{hint_kind::overflow});
  else
    tell_event(read_event(head.mask, bytes.subspan(head.head_length, head.length - head.head_length)), pair, watch_of,
               sink);
  return head.length;
}

/// Gives each event's hints to `sink`. Returns how many bytes were taken: less than all when the last event is cut.
template <class WatchOf, class Sink>
std::size_t decode(std::span<const char> bytes, std::uint32_t& pair, WatchOf&& watch_of, Sink&& sink) {
  std::size_t at = 0;
  while (const std::size_t taken = decode_first(bytes.subspan(at), pair, watch_of, sink)) at += taken;
  return at;
}

}  // namespace hotwatch::inline v0::detail::fanotify
