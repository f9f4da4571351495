// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A wait for nothing but a time or wake(): what a backend without hints needs. Floor 3.

#include <chrono>
#include <optional>

#include "event_flag.hpp"
#include "ready_handle.hpp"
#include "system.hpp"
#include "time.hpp"

namespace hotwatch::inline v0::detail {

template <class System>
class alarm {
 public:
  /// Throws std::system_error.
  explicit alarm(System& system) : system_(system), ready_(system), woken_(system) { woken_.open(); }

  /// Returns whether it was ended by wake().
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    pollfd fd{woken_.fd(), POLLIN, 0};
    timespec time{};
    if (timeout && timeout->count() > 0) time = to_timespec(*timeout);
    return system_.ppoll(&fd, 1, timeout ? &time : nullptr) > 0 && woken_.lower();
  }
  void wake() noexcept { woken_.raise(); }

  [[nodiscard]] int native_handle() { return ready_.open(woken_.fd(), -1); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

 private:
  System& system_;
  ready_handle<System> ready_;
  event_flag<System> woken_;
};

}  // namespace hotwatch::inline v0::detail
