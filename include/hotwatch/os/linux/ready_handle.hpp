// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// One descriptor that is readable when the kernel has something or when a deadline has come: for other people's
// event loops. Made when it is first asked for; those who block in wait() never pay for it. Floor 3.

#include <chrono>
#include <optional>
#include <system_error>

#include "../posix/error.hpp"
#include "system.hpp"
#include "time.hpp"

namespace hotwatch::inline v0::detail {

template <class System>
class ready_handle {
 public:
  explicit ready_handle(System& system) noexcept : system_(system) {}
  ready_handle(const ready_handle&) = delete;
  ready_handle& operator=(const ready_handle&) = delete;
  ~ready_handle() {
    if (timer_ >= 0) system_.close(timer_);
    if (epoll_ >= 0) system_.close(epoll_);
  }

  /// The descriptor; watches `source` and `other` (-1: none) besides the timer. Throws std::system_error.
  int open(int source, int other) {
    if (epoll_ >= 0) return epoll_;
    const int epoll = system_.epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) throw std::system_error(last_error(), "hotwatch: epoll_create1");
    timer_ = system_.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    bool good = timer_ >= 0;
    for (const int fd : {source, other, timer_}) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.fd = fd;
      if (good && fd >= 0) good = system_.epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
    }
    if (!good) {
      const std::error_code why = last_error();
      if (timer_ >= 0) system_.close(timer_);
      timer_ = -1;
      system_.close(epoll);
      throw std::system_error(why, "hotwatch: native_handle");
    }
    return epoll_ = epoll;
  }

  /// Readable after this time from now; never if there is none.
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept {
    if (timer_ < 0 || (!after && !armed_)) return;
    itimerspec value{};
    if (after) {
      // A time of zero would disarm it (timerfd_settime(2)).
      constexpr std::chrono::nanoseconds shortest(1);
      value.it_value = to_timespec(*after < shortest ? shortest : *after);
    }
    armed_ = after.has_value();
    system_.timerfd_settime(timer_, 0, &value);
  }

 private:
  System& system_;
  int epoll_ = -1;
  int timer_ = -1;
  bool armed_ = false;
};

}  // namespace hotwatch::inline v0::detail
