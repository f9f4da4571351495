// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Times as the kernel takes and gives them. Floor 3.

#include <chrono>

#include "../../core/stamp.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

[[nodiscard]] inline timespec to_timespec(std::chrono::nanoseconds time) noexcept {
  timespec out{};
  out.tv_sec = static_cast<time_t>(time.count() / 1'000'000'000);
  out.tv_nsec = static_cast<long>(time.count() % 1'000'000'000);
  return out;
}

/// The clock from which file systems take a file's times: current_time() in fs/inode.c. From Linux 6.13 on a file that
/// was looked at since its last change gets a finer time, up to a tick ahead of it.
template <class System>
[[nodiscard]] file_time file_clock_now(const System& system) noexcept {
  timespec now{};
  system.clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return static_cast<file_time>(now.tv_sec) * 1'000'000'000u + static_cast<file_time>(now.tv_nsec);
}

}  // namespace hotwatch::inline v0::detail
