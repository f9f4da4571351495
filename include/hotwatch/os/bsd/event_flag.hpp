// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A flag that any thread and any signal handler may raise, and that a kqueue can wait for: a pipe, because POSIX lets a
// signal handler call write(2), and says nothing of kevent(2). Floor 3.

#include <fcntl.h>

#include <cerrno>
#include <system_error>

#include "../posix/descriptor.hpp"
#include "../posix/error.hpp"

namespace hotwatch::inline v0::detail::bsd {

template <class System>
class event_flag {
 public:
  explicit event_flag(System& system) noexcept : system_(system) {}
  event_flag(const event_flag&) = delete;
  event_flag& operator=(const event_flag&) = delete;

  /// Throws std::system_error.
  void open() {
    int ends[2];
    if (system_.pipe(ends) != 0) throw std::system_error(last_error(), "hotwatch: pipe");
    out_ = {system_, ends[0]};
    in_ = {system_, ends[1]};
    // macOS has no pipe2(2).
    for (const int end : ends)
      if (system_.fcntl(end, F_SETFD, FD_CLOEXEC) != 0 || system_.fcntl(end, F_SETFL, O_NONBLOCK) != 0)
        throw std::system_error(last_error(), "hotwatch: fcntl");
  }

  /// -1 until it is opened.
  [[nodiscard]] int fd() const noexcept { return out_.fd(); }

  void raise() noexcept {
    const int saved = errno;                // a signal handler's caller may be about to read it
    (void)!system_.write(in_.fd(), "", 1);  // one that is full is raised
    errno = saved;
  }

  /// Returns whether it was raised. Nothing may be left: a kqueue says only once that it came.
  bool lower() noexcept {
    char bytes[64];
    for (bool raised = false;;) {
      const ssize_t size = system_.read(out_.fd(), bytes, sizeof bytes);
      if (size < 0 && errno == EINTR) continue;
      raised = raised || size > 0;
      if (size < static_cast<ssize_t>(sizeof bytes)) return raised;
    }
  }

 private:
  System& system_;
  descriptor<System> out_;
  descriptor<System> in_;
};

}  // namespace hotwatch::inline v0::detail::bsd
