// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Times as the kernel takes and gives them. Floor 3.

#include <time.h>

#include <chrono>

#include "../../core/stamp.hpp"

namespace hotwatch::inline v0::detail {

[[nodiscard]] inline timespec to_timespec(std::chrono::nanoseconds time) noexcept {
  timespec out{};
  out.tv_sec = static_cast<time_t>(time.count() / 1'000'000'000);
  out.tv_nsec = static_cast<long>(time.count() % 1'000'000'000);
  return out;
}

[[nodiscard]] inline file_time to_file_time(const timespec& time) noexcept {
  return static_cast<file_time>(time.tv_sec) * 1'000'000'000u + static_cast<file_time>(time.tv_nsec);
}

}  // namespace hotwatch::inline v0::detail
