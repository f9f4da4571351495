// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The clock of file times. Floor 3.

#include "../../core/stamp.hpp"
#include "../posix/time.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// The clock from which file systems take a file's times: current_time() in fs/inode.c. From Linux 6.13 on a file that
/// was looked at since its last change gets a finer time, up to a tick ahead of it.
template <class System>
[[nodiscard]] file_time file_clock_now(const System& system) noexcept {
  timespec now{};
  system.clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return to_file_time(now);
}

}  // namespace hotwatch::inline v0::detail
