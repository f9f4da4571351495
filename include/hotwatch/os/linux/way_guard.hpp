// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The guards on the way to a root: inotify watches of each directory and symlink above it. Floor 3.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../../backend.hpp"
#include "directory.hpp"
#include "root_path.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// What inotify tells of the watched object itself: that it was moved or removed.
inline constexpr std::uint32_t of_itself = IN_DELETE_SELF | IN_MOVE_SELF;

/// Appends the watches to `guards`. A guard tells only of the object itself, so it is silent about what goes on in the
/// directories above a root; but where the way ends, new names are told.
template <class System>
guard_answer guard_way(System& system, int queue, const char* path, std::vector<std::int32_t>& guards) {
  std::error_code refused;
  std::string awaited;  // where the way ends
  const std::string end = walk_root_path<directory<System>>(system, path, [&](path_step step, std::string at) {
    if (step == path_step::missing) {
      awaited = at.substr(at.rfind('/') + 1);
      at.resize(std::max(at.rfind('/'), std::size_t{1}));
    }
    const std::uint32_t mask = step == path_step::symlink   ? of_itself | IN_ATTRIB | IN_DONT_FOLLOW
                               : step == path_step::missing ? of_itself | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR
                                                            : of_itself | IN_ONLYDIR;
    const int watch = system.inotify_add_watch(queue, at.c_str(), mask | IN_MASK_ADD);
    if (watch >= 0) guards.push_back(watch);
    // Above a root there may be directories that one may pass but not read (EACCES): those stay unguarded. Where the
    // way ends that is told, because nothing else says when it leads on.
    else if (errno == ENOSPC || errno == ENOMEM || (!refused && step == path_step::missing))
      refused = last_error();
  });
  return {awaited.empty() && !end.empty(), refused,
          "that it was moved or replaced may go unnoticed; raise the limit of watches: sysctl "
          "fs.inotify.max_user_watches, in a user namespace user.max_inotify_watches",
          std::move(awaited)};
}

}  // namespace hotwatch::inline v0::detail
