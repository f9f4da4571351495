// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a symlink or a junction leads to, out of the bytes in which Windows keeps it. Pure. Floor 2.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "../core/wtf8.hpp"

namespace hotwatch::inline v0::detail::windows {

/// Where the first name of an absolute path begins: behind the drive, or the volume.
[[nodiscard]] constexpr std::size_t begin_of_way(std::string_view path) noexcept {
  const std::size_t drive = path.find(":/");
  const std::size_t slash = drive == std::string_view::npos ? path.find('/') : drive + 1;
  return slash == std::string_view::npos ? path.size() : slash + 1;
}

/// The path without "." and "..", which mean a name here and not what it leads to: so does the kernel with those in a
/// symlink.
[[nodiscard]] inline std::string without_dots(std::string_view path) {
  const std::size_t begin = begin_of_way(path);
  std::string out(path.substr(0, begin));
  for (std::size_t at = begin; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view name = path.substr(at, end - at);
    at = end + 1;
    if (name == "..") {
      const std::size_t slash = out.rfind('/');
      out.resize(out.size() == begin ? begin : std::max(slash, begin));
    } else if (!name.empty() && name != ".") {
      if (out.size() != begin) out += '/';
      out += name;
    }
  }
  return out;
}

/// The absolute path that the link at `link` leads to, if `bytes` are the REPARSE_DATA_BUFFER of one; empty if they are
/// of another kind of reparse point, or make no sense.
[[nodiscard]] inline std::string where_link_leads(std::string_view link, std::span<const char> bytes) {
  constexpr std::uint32_t mount_point = 0xA0000003, symlink = 0xA000000C;
  constexpr std::size_t longest_head = 20;
  if (bytes.size() < longest_head) return {};
  const auto read = [&](std::size_t at, auto value) {
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  };
  // ReparseTag, ReparseDataLength, Reserved; SubstituteNameOffset and -Length, the same of PrintName; a symlink's
  // Flags; PathBuffer.
  const std::uint32_t tag = read(0, std::uint32_t{});
  if (tag != mount_point && tag != symlink) return {};
  const std::size_t head = tag == symlink ? longest_head : 16;
  const std::size_t begin = head + read(8, std::uint16_t{}), size = read(10, std::uint16_t{});
  if (begin + size > bytes.size()) return {};
  std::u16string name(size / 2, u'\0');
  if (!name.empty()) std::memcpy(name.data(), bytes.data() + begin, 2 * name.size());

  constexpr std::uint32_t is_relative = 0x1;
  std::string out;
  std::u16string_view rest = name;
  if (tag == symlink && (read(16, std::uint32_t{}) & is_relative) != 0) {
    // With a slash in front it begins at the drive.
    const bool from_drive = rest.starts_with(u'\\');
    out = link.substr(0, from_drive ? begin_of_way(link) : link.rfind('/') + 1);
  } else {
    constexpr std::u16string_view prefix = u"\\??\\", share = u"UNC\\";
    if (!rest.starts_with(prefix)) return {};
    rest.remove_prefix(prefix.size());
    if (rest.starts_with(share)) {
      rest.remove_prefix(share.size());
      out = "//";
    }
  }
  append_wtf8(rest, out);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out.starts_with("//") ? out : without_dots(out);
}

}  // namespace hotwatch::inline v0::detail::windows
