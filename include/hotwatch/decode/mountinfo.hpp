// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// proc_pid_mountinfo(5) -> which device is of which file system type. Text in, names out: no system call. Floor 2.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hotwatch::inline v0::detail {

/// One mount: "36 35 98:0 /in/it /at rw,noatime master:1 - ext3 /dev/root rw".
struct mount_line {
  std::uint64_t device = 0;  ///< as in file_status
  std::string_view type;     ///< "ext4", "fuse.sshfs"
};

/// Cuts off the first word. Several optional fields may stand before the hyphen, so all is found from the left.
[[nodiscard]] constexpr std::string_view take_word(std::string_view& text) noexcept {
  const std::size_t end = text.find(' ');
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

/// Returns whether the line is one of a mount.
[[nodiscard]] inline bool read_mount_line(std::string_view line, mount_line& out) noexcept {
  for (int i = 0; i < 2; ++i) (void)take_word(line);  // the mount's number, and its parent's
  const std::string_view device = take_word(line);
  const char* const end = device.data() + device.size();
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  const auto first = std::from_chars(device.data(), end, major);
  if (first.ec != std::errc() || first.ptr == end || *first.ptr != ':') return false;
  const auto second = std::from_chars(first.ptr + 1, end, minor);
  if (second.ec != std::errc() || second.ptr != end) return false;
  out.device = std::uint64_t{major} << 32 | minor;
  while (!line.empty())
    if (take_word(line) == "-") {
      out.type = take_word(line);
      return !out.type.empty();
    }
  return false;
}

/// The type of the file system on a device; empty when it is not mounted.
[[nodiscard]] inline std::string_view mounted_type(std::string_view mountinfo, std::uint64_t device) noexcept {
  while (!mountinfo.empty()) {
    const std::size_t end = mountinfo.find('\n');
    mount_line line;
    if (read_mount_line(mountinfo.substr(0, end), line) && line.device == device) return line.type;
    mountinfo.remove_prefix(end == std::string_view::npos ? mountinfo.size() : end + 1);
  }
  return {};
}

}  // namespace hotwatch::inline v0::detail
