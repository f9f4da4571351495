// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The calls of a BSD, macOS among them: those of POSIX, and kqueue(2). Floor 3.

#include <sys/event.h>
#include <sys/types.h>
#include <time.h>

#include <cstdint>

#include "../posix/system.hpp"

namespace hotwatch::inline v0 {

/// struct kevent has other members on each BSD, so what hotwatch asks of kevent(2) is put in words here; the rest of
/// the house, and the tests, do without it.
struct bsd_system : posix_system {
  int kqueue() const noexcept { return ::kqueue(); }
  /// The queue is readable when the descriptor becomes so. EV_CLEAR: what was taken is not said again, for FreeBSD's
  /// poll(2) of a queue counts what is queued, and does not ask whether it still holds.
  int kevent_read(int queue, int fd) const noexcept {
    return change(queue, static_cast<std::uintptr_t>(fd), EVFILT_READ, EV_ADD | EV_CLEAR, 0, 0);
  }
  /// The queue is readable, once, so many microseconds from now: less than 36 minutes, or 32 bits do not hold it.
  int kevent_timer(int queue, std::int32_t microseconds) const noexcept {
    return change(queue, 0, EVFILT_TIMER, EV_ADD | EV_ONESHOT, NOTE_USECONDS, microseconds);
  }
  /// ENOENT when there is none, or it was taken.
  int kevent_no_timer(int queue) const noexcept { return change(queue, 0, EVFILT_TIMER, EV_DELETE, 0, 0); }
  /// Waits until the queue is readable (nullptr: for ever), and takes all that it says. Returns how much that is.
  int kevent_take(int queue, const timespec* timeout) const noexcept {
    struct ::kevent taken[4];
    return ::kevent(queue, nullptr, 0, taken, 4, timeout);
  }

 private:
  // The members are assigned, because EV_SET is a macro of C casts, and their types differ.
  static int change(int queue, std::uintptr_t ident, int filter, int flags, unsigned filter_flags,
                    std::int32_t data) noexcept {
    struct ::kevent one {};
    one.ident = ident;
    one.filter = static_cast<decltype(one.filter)>(filter);
    one.flags = static_cast<decltype(one.flags)>(flags);
    one.fflags = filter_flags;
    one.data = data;
    return ::kevent(queue, &one, 1, nullptr, 0, nullptr);
  }
};

}  // namespace hotwatch::inline v0
