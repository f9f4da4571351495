// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any text that is taken for /proc/self/mountinfo.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hotwatch/decode/mountinfo.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_mountinfo(std::span<const std::uint8_t> data) {
  // A heap block of the very size: a sanitizer sees each byte read too far.
  const std::vector<char> bytes(data.begin(), data.end());
  const std::string_view all(bytes.data(), bytes.size());
  const auto is_inside = [](std::string_view part, std::string_view whole) {
    return part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size();
  };

  // Of each line that is a mount's, the device has a type, and it is that of the first such line.
  for (std::size_t at = 0; at < all.size();) {
    const std::string_view line = all.substr(at, all.find('\n', at) - at);
    at += line.size() + 1;
    detail::mount_line mount;
    if (!detail::read_mount_line(line, mount)) continue;
    require(!mount.type.empty() && is_inside(mount.type, line) && mount.type.find(' ') == std::string_view::npos);
    const std::string_view type = detail::mounted_type(all, mount.device);
    require(!type.empty() && is_inside(type, all) && type.data() <= mount.type.data());
  }
  require(detail::mounted_type(all, std::uint64_t{1} << 63).empty() || all.find(':') != std::string_view::npos);
}

}  // namespace hotwatch::test
