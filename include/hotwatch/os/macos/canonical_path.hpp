// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The one path by which FSEvents tells of a directory. Floor 3.

#include <array>
#include <cerrno>
#include <string>
#include <system_error>

#include "types.hpp"

namespace hotwatch::inline v0::detail::macos {

/// Free of symlinks, and in the letter case and the normal form of the disk, which realpath(3) does not see to. Of what
/// is open, so it is right wherever that was moved. Empty with an error.
template <class System>
[[nodiscard]] std::string canonical_path(System& system, int fd, std::error_code& ec) {
  std::array<char, longest_path> path{};
  if (system.fcntl_getpath(fd, path.data()) != 0) {
    ec = {errno, std::system_category()};
    return {};
  }
  return path.data();
}

}  // namespace hotwatch::inline v0::detail::macos
