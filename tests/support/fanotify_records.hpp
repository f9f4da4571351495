// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The bytes of fanotify events, as the kernel lays them out.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "hotwatch/decode/fanotify.hpp"

namespace hotwatch::test {

/// An info record about an object: its handle, and with `name` its directory's handle and the name in it, padded with
/// NULs to a multiple of four.
inline std::string fanotify_info(std::uint8_t type, std::string_view handle, std::string_view name = {},
                                 std::uint64_t file_system = 7, std::int32_t handle_type = 1) {
  std::string body(sizeof(detail::fanotify::handle_head), '\0');
  detail::fanotify::handle_head head{{}, static_cast<std::uint32_t>(handle.size()), handle_type};
  std::memcpy(head.file_system, &file_system, sizeof file_system);
  std::memcpy(body.data(), &head, sizeof head);
  body += handle;
  if (!name.empty()) body.append(name).append(1, '\0');
  body.resize((body.size() + 3) / 4 * 4);
  const detail::fanotify::info_head info{type, 0,
                                         static_cast<std::uint16_t>(sizeof(detail::fanotify::info_head) + body.size())};
  std::string bytes(sizeof info, '\0');
  std::memcpy(bytes.data(), &info, sizeof info);
  return bytes + body;
}

inline std::string fanotify_event(std::uint64_t mask, std::string_view infos = {},
                                  std::uint8_t version = detail::fanotify::metadata_version) {
  using detail::fanotify::event_head;
  const event_head head{
      static_cast<std::uint32_t>(sizeof(event_head) + infos.size()), version, 0, sizeof(event_head), mask, -1, 42};
  std::string bytes(sizeof head, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  return bytes + std::string(infos);
}

/// What happened to a name in a directory.
inline std::string fanotify_event_at(std::uint64_t mask, std::string_view directory, std::string_view name) {
  return fanotify_event(mask, fanotify_info(detail::fanotify::info_dfid_name, directory, name) +
                                  fanotify_info(detail::fanotify::info_fid, "object"));
}
inline std::string fanotify_rename(std::string_view from, std::string_view old_name, std::string_view to,
                                   std::string_view new_name, std::uint64_t more = 0) {
  using namespace detail::fanotify;
  return fanotify_event(fan_rename | more, fanotify_info(info_old_dfid_name, from, old_name) +
                                               fanotify_info(info_new_dfid_name, to, new_name) +
                                               fanotify_info(info_fid, "object"));
}

}  // namespace hotwatch::test
