// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A flag that any thread and any signal handler may raise, and that a poll can wait for: eventfd(2). Floor 3.

#include <cstdint>
#include <system_error>

#include "../posix/error.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

template <class System>
class event_flag {
 public:
  explicit event_flag(System& system) noexcept : system_(system) {}
  event_flag(const event_flag&) = delete;
  event_flag& operator=(const event_flag&) = delete;
  ~event_flag() {
    if (fd_ >= 0) system_.close(fd_);
  }

  /// Throws std::system_error.
  void open() {
    fd_ = system_.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd_ < 0) throw std::system_error(last_error(), "hotwatch: eventfd");
  }

  /// -1 until it is opened.
  [[nodiscard]] int fd() const noexcept { return fd_; }

  void raise() noexcept {
    const int saved = errno;  // a signal handler's caller may be about to read it
    const std::uint64_t one = 1;
    (void)!system_.write(fd_, &one, sizeof one);
    errno = saved;
  }

  /// Returns whether it was raised.
  bool lower() noexcept {
    std::uint64_t count;
    return system_.read(fd_, &count, sizeof count) > 0;
  }

 private:
  System& system_;
  int fd_ = -1;
};

}  // namespace hotwatch::inline v0::detail
