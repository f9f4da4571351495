// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The way to a root, over the directories of this platform. Floor 3.

#include <string>

#include "../posix/root_path.hpp"
#include "directory.hpp"

namespace hotwatch::inline v0::detail::bsd {

/// The absolute path that `path` leads to, free of symlinks; empty when it leads nowhere.
template <class System>
[[nodiscard]] std::string resolve(System& system, const char* path) {
  return resolved_by_steps<directory<System>>(system, path);
}

}  // namespace hotwatch::inline v0::detail::bsd
