// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The clock of file times. Floor 3.

#include "../../core/stamp.hpp"
#include "../posix/time.hpp"

namespace hotwatch::inline v0::detail::bsd {

/// File systems take a file's times from the real-time clock, and FreeBSD (vfs_timestamp(9)) cuts them to microseconds,
/// which is also as fine as macOS tells the time. OpenBSD's may be up to a tick of 10 ms older.
template <class System>
[[nodiscard]] file_time file_clock_now(const System& system) noexcept {
  timespec now{};
  system.clock_gettime(CLOCK_REALTIME, &now);
  now.tv_nsec -= now.tv_nsec % 1000;
  return to_file_time(now);
}

}  // namespace hotwatch::inline v0::detail::bsd
