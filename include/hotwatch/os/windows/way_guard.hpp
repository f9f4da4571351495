// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The names on which the way to a root or a followed link depends. Floor 3.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "../../backend.hpp"
#include "../../decode/windows_link.hpp"
#include "directory.hpp"
#include "path.hpp"

namespace hotwatch::inline v0::detail::windows {

/// Whether it is on another machine, which may not tell of others' changes. A volume that has no path is not.
template <class System>
[[nodiscard]] bool is_remote(const System& system, std::string_view path) {
  constexpr std::uint32_t drive_remote = 4;
  if (path.empty() || path.starts_with("//")) return !path.empty();
  return system.GetDriveTypeW(to_wide(std::string(path.substr(0, 2)) + '/').c_str()) == drive_remote;
}

/// The path that the link at this absolute path leads to; empty where that cannot be told.
template <class System>
[[nodiscard]] std::string read_link(System& system, const std::string& link) {
  std::error_code ec;
  const auto opened = open_handle(system, file_read_attributes, nullptr, to_whole_path(link),
                                  file_synchronous_io_nonalert | file_open_reparse_point, ec);
  std::array<char, 16 * 1024> bytes;  // MAXIMUM_REPARSE_DATA_BUFFER_SIZE
  std::uint32_t size = 0;
  if (!opened || !system.DeviceIoControl(opened.get(), fsctl_get_reparse_point, bytes.data(),
                                         static_cast<std::uint32_t>(bytes.size()), size))
    return {};
  return where_link_leads(link, std::span<const char>(bytes).first(size));
}

/// Calls place(above, name), which answers with an error_code, for each name in a directory that is to be guarded: the
/// links on the way, the end of the way, and where it stops the name that would lead on. The directories between them
/// need none: above an open handle nothing can be renamed or removed.
template <class System, class Place>
[[nodiscard]] guard_answer guard_way(System& system, std::string way, Place&& place) {
  constexpr int most_links = 63;  // the kernel follows no more
  constexpr int most_steps_back = 8;
  guard_answer answer;
  const auto leave_to_polling = [&](std::error_code why) {
    answer.polled = true;
    if (!answer.error) answer.error = why;
    answer.advice = "that the way to it leads elsewhere is found by looking, every poll_interval";
  };
  const auto is_missing = [](std::error_code ec) {
    return ec == std::errc::no_such_file_or_directory || ec == std::errc::not_a_directory;
  };
  int links = 0;
  int steps_back = 0;
  for (std::size_t at = begin_of_way(way); at < way.size();) {
    if (is_remote(system, way)) {
      leave_to_polling({});
      return answer;
    }
    const std::size_t end = std::min(way.find('/', at), way.size());
    const std::string here = way.substr(0, end);
    const bool is_last = end == way.size();
    file_status there;
    const auto look = [&] { return directory<System>::look(system, here.c_str(), there); };
    // Of what may not be looked at it is not known that it is a link.
    const std::error_code before = look();
    if (!is_last && (before ? !is_missing(before) : there.type == entry_type::directory)) {
      at = end + 1;
      continue;
    }
    if (const std::error_code refused = place(way.substr(0, at - 1), std::string_view(here).substr(at)); refused) {
      if (is_missing(refused) && steps_back++ < most_steps_back) {  // the directory above went meanwhile
        at = begin_of_way(way);
        continue;
      }
      leave_to_polling(refused);
    }
    // What counts is what is there after the guard stands.
    const std::error_code after = look();
    if (!after && there.type == entry_type::symlink) {
      if (links++ == most_links) return answer;
      const std::string target = read_link(system, here);
      if (target.empty()) {
        leave_to_polling(std::make_error_code(std::errc::not_supported));
        return answer;
      }
      way = target + way.substr(end);
      at = begin_of_way(way);
      continue;
    }
    if (is_last || after || there.type != entry_type::directory) return answer;
    at = end + 1;
  }
  return answer;
}

}  // namespace hotwatch::inline v0::detail::windows
