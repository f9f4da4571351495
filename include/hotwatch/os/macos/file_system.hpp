// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// On which file systems does macOS hear of every change? Floor 3.

#include <algorithm>
#include <iterator>
#include <string_view>

#include "types.hpp"

namespace hotwatch::inline v0::detail::macos {

/// Of these other machines, a host, or a program may change the files without a word, though some call themselves
/// local.
inline constexpr std::string_view partly_told[] = {"nfs",     "smbfs",    "afpfs",  "webdav", "ftp",       "cifs",
                                                   "acfs",    "virtiofs", "vmhgfs", "prl_fs", "vboxfs",    "autofs",
                                                   "macfuse", "osxfuse",  "fusefs", "fuse-t", "macfuse_fs"};

/// When in doubt it does not.
template <class System>
[[nodiscard]] bool tells_all(System& system, int fd) {
  file_system of;
  if (system.file_system_of(fd, of) != 0 || !of.is_local) return false;
  return std::none_of(std::begin(partly_told), std::end(partly_told),
                      [&](std::string_view type) { return of.type.starts_with(type); });
}

}  // namespace hotwatch::inline v0::detail::macos
