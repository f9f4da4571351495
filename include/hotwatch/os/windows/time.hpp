// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Times as the system takes and gives them. Floor 3.

#include <chrono>
#include <cstdint>

#include "../../core/stamp.hpp"
#include "types.hpp"

namespace hotwatch::inline v0::detail::windows {

/// From 100 ns since 1601 to nanoseconds since 1970; what is older counts as 0.
[[nodiscard]] constexpr file_time to_file_time(std::int64_t time) noexcept {
  constexpr std::int64_t from_1601_to_1970 = 116'444'736'000'000'000;
  return time < from_1601_to_1970 ? 0 : static_cast<file_time>(time - from_1601_to_1970) * 100;
}
[[nodiscard]] constexpr file_time to_file_time(file_time_halves t) noexcept {
  return to_file_time(static_cast<std::int64_t>(std::uint64_t{t.high} << 32 | t.low));
}

/// A due time so far from now, rounded up: at least 100 ns, because 0 is never.
[[nodiscard]] constexpr std::int64_t due_in(std::chrono::nanoseconds time) noexcept {
  return time.count() <= 0 ? -1 : -((time.count() + 99) / 100);
}

/// The clock from which NTFS takes a file's times (KeQuerySystemTime): coarse, as they are.
template <class System>
[[nodiscard]] file_time file_clock_now(const System& system) noexcept {
  file_time_halves now{};
  system.GetSystemTimeAsFileTime(now);
  return to_file_time(now);
}

}  // namespace hotwatch::inline v0::detail::windows
