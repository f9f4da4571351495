// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// One descriptor that is readable when another is or when a deadline has come: a kqueue(2), for other people's event
// loops and for wait(). A child that is forked does not inherit it. Floor 3.

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>

#include "../posix/descriptor.hpp"
#include "../posix/error.hpp"
#include "../posix/time.hpp"

namespace hotwatch::inline v0::detail::bsd {

template <class System>
class ready_handle {
 public:
  explicit ready_handle(System& system) noexcept : system_(system) {}
  ready_handle(const ready_handle&) = delete;
  ready_handle& operator=(const ready_handle&) = delete;

  /// Throws std::system_error.
  void open(int source) {
    queue_ = {system_, system_.kqueue()};
    if (queue_.fd() < 0 || system_.fcntl(queue_.fd(), F_SETFD, FD_CLOEXEC) != 0 ||
        system_.kevent_read(queue_.fd(), source) != 0)
      throw std::system_error(last_error(), "hotwatch: kqueue");
  }

  [[nodiscard]] int fd() const noexcept { return queue_.fd(); }

  /// Until the source has become readable, the time is over (nullopt: never), the deadline has come, or a signal.
  /// Returns whether it was one of the others than the time and a signal, and takes what it was.
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    const timespec time =
        to_timespec(std::max(timeout.value_or(std::chrono::nanoseconds(0)), std::chrono::nanoseconds(0)));
    return system_.kevent_take(queue_.fd(), timeout ? &time : nullptr) > 0;
  }

  /// Readable after this time from now; never if there is none.
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept {
    // To set a timer anew by EV_ADD alone leaves the old time on some, and leaves what it said already on others.
    if (armed_) system_.kevent_no_timer(queue_.fd());
    armed_ = after.has_value();
    if (after) system_.kevent_timer(queue_.fd(), due_in(*after));
  }

 private:
  // Rounded up, and when it comes too early because it was too long, it is armed again.
  [[nodiscard]] static std::int32_t due_in(std::chrono::nanoseconds after) noexcept {
    constexpr std::chrono::microseconds longest = std::chrono::minutes(30);
    constexpr std::chrono::microseconds shortest(1);
    return static_cast<std::int32_t>(
        std::clamp(std::chrono::ceil<std::chrono::microseconds>(after), shortest, longest).count());
  }

  System& system_;
  descriptor<System> queue_;
  bool armed_ = false;
};

}  // namespace hotwatch::inline v0::detail::bsd
