// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Two descriptors waited for as one. Floor 3.

#include <chrono>
#include <optional>

#include "ready_handle.hpp"
#include "system.hpp"
#include "time.hpp"

namespace hotwatch::inline v0::detail {

class joint_handle {
 public:
  void join(int one, int other) noexcept {
    one_ = one;
    other_ = other;
  }

  /// Until one of them is readable, the time is over (nullopt: never) or a signal came.
  void wait(std::optional<std::chrono::nanoseconds> timeout) const noexcept {
    pollfd fds[] = {{one_, POLLIN, 0}, {other_, POLLIN, 0}};
    const timespec time = to_timespec(timeout.value_or(std::chrono::nanoseconds(0)));
    system_.ppoll(fds, 2, timeout ? &time : nullptr);
  }

  /// Throws std::system_error.
  [[nodiscard]] int native_handle() { return ready_.open(one_, other_); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

 private:
  linux_system system_;
  ready_handle<linux_system> ready_{system_};
  int one_ = -1;
  int other_ = -1;
};

}  // namespace hotwatch::inline v0::detail
