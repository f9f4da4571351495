// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A clock that stands still until it is moved: basic_watcher<Backend, simulated_clock>.

#include <chrono>

namespace trace {

struct simulated_clock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<simulated_clock>;
  static constexpr bool is_steady = true;

  /// Far from the epoch, which stands for "never" in places.
  static constexpr duration start = std::chrono::hours(1);

  static time_point now() noexcept { return time_point(at); }
  static duration since_start() noexcept { return at - start; }
  static void advance(duration by) noexcept { at += by; }
  static void reset() noexcept { at = start; }

  static inline thread_local duration at = start;
};

}  // namespace trace
