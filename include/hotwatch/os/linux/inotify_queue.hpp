// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An inotify instance: its watches, a wait that costs one system call, and a wake-up from anywhere. Floor 3.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>
#include <vector>

#include "../../decode/inotify.hpp"
#include "directory.hpp"
#include "event_flag.hpp"
#include "ready_handle.hpp"
#include "system.hpp"
#include "time.hpp"

namespace hotwatch::inline v0::detail {

/// The waker is a private file without a name (memfd_create(2)) that is watched like any other: fchmod(2) of it queues
/// IN_ATTRIB, which ends a blocked read. So the reader blocks in read() itself, on one descriptor, and fchmod(2) may be
/// called from any thread and any signal handler. The watch stays as it is: there is nothing to put back that might
/// fail, and a record that is dropped because the queue is full is not missed, since a full queue wakes as well. Where
/// the file cannot be watched (no /proc, no watch left), an eventfd beside the queue does the same at the price of a
/// second system call a wait.
template <class System>
class inotify_queue {
 public:
  explicit inotify_queue(System& system) : system_(system), ready_(system), woken_(system), buffer_(buffer_size) {
    queue_ = system_.inotify_init1(IN_CLOEXEC);
    if (queue_ < 0) {
      const std::error_code why = last_error();
      throw std::system_error(
          why, why.value() == EMFILE
                   ? "hotwatch: inotify_init1: no descriptor left (ulimit -n) or too many instances "
                     "(sysctl fs.inotify.max_user_instances, in a user namespace user.max_inotify_instances)"
                   : "hotwatch: inotify_init1");
    }
    waker_ = system_.memfd_create("hotwatch-waker", MFD_CLOEXEC);
    // Once before it is watched: where a sandbox forbids it, that is known now.
    if (waker_ >= 0 && system_.fchmod(waker_, waker_mode) == 0) waker_watch_ = watch_waker();
    if (waker_watch_ != no_watch) return;
    try {
      woken_.open();
    } catch (...) {
      close_all();
      throw;
    }
  }
  inotify_queue(const inotify_queue&) = delete;
  inotify_queue& operator=(const inotify_queue&) = delete;
  ~inotify_queue() { close_all(); }

  [[nodiscard]] int fd() const noexcept { return queue_; }
  /// Where wake() is heard if it is not in the queue; else -1.
  [[nodiscard]] int wake_fd() const noexcept { return woken_.fd(); }
  [[nodiscard]] int native_handle() { return ready_.open(queue_, woken_.fd()); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

  /// From any thread and any signal handler: the wait that goes on, or the next one, ends.
  void wake() noexcept {
    if (waker_watch_ == no_watch) return woken_.raise();
    const int saved = errno;
    system_.fchmod(waker_, waker_mode);
    errno = saved;
  }

  /// Waits for records until the time-out (none: for ever), a signal or wake(), and reads what there is.
  /// Returns whether something was read, or wake() was called.
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    if (undecoded() != 0) {
      drained_ = false;  // what came since then was not read
      return true;
    }
    bool woken = false;
    if ((timeout || waker_watch_ == no_watch) && !poll(timeout, woken)) return woken;
    read();
    return undecoded() != 0;
  }

  /// Whether the last read left nothing in the queue, and all of it was decoded.
  [[nodiscard]] bool drained() const noexcept { return drained_ && undecoded() == 0; }

  /// How many reads take what was queued when wait() was last called with a time-out of zero.
  [[nodiscard]] int reads_queued() const noexcept {
    return bytes_queued_ / static_cast<int>(buffer_size - inotify::longest_record) + 1;
  }

  /// Gives the hints of what was read to `sink`; returns how many records there were.
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    std::size_t records = 0;
    const std::span<const char> bytes(buffer_.data(), filled_);
    const std::size_t taken = inotify::decode(bytes, [&](const hint& h) {
      if (h.watch == waker_watch_ && waker_watch_ != no_watch) return;
      ++records;
      sink(h);
    });
    // The kernel never cuts a record; if somebody else does, the rest comes with the next read.
    filled_ -= taken;
    if (filled_ != 0) std::memmove(buffer_.data(), buffer_.data() + taken, filled_);
    decoded_ = filled_;
    return records;
  }

 private:
  static constexpr std::size_t buffer_size = 64 * 1024;
  static constexpr mode_t waker_mode = 0600;

  [[nodiscard]] std::size_t undecoded() const noexcept { return filled_ - decoded_; }

  // Whether there is something to read.
  [[nodiscard]] bool poll(std::optional<std::chrono::nanoseconds> timeout, bool& woken) noexcept {
    drained_ = true;
    const bool in_queue = waker_watch_ != no_watch;
    if (in_queue && timeout && timeout->count() <= 0) {
      bytes_queued_ = 0;
      return system_.bytes_queued(queue_, &bytes_queued_) == 0 && bytes_queued_ > 0;
    }
    timespec time{};
    if (timeout && timeout->count() > 0) time = to_timespec(*timeout);
    pollfd fds[2] = {{queue_, POLLIN, 0}, {woken_.fd(), POLLIN, 0}};
    if (system_.ppoll(fds, in_queue ? 1 : 2, timeout ? &time : nullptr) <= 0) return false;
    woken = (fds[1].revents & POLLIN) != 0 && woken_.lower();
    return (fds[0].revents & POLLIN) != 0;
  }

  void read() noexcept {
    const std::size_t room = buffer_.size() - filled_;
    const ssize_t size = system_.read(queue_, buffer_.data() + filled_, room);
    const std::size_t got = size > 0 ? static_cast<std::size_t>(size) : 0;
    filled_ += got;
    drained_ = got + inotify::longest_record <= room;
  }

  [[nodiscard]] std::int32_t watch_waker() noexcept {
    char path[32];
    std::snprintf(path, sizeof path, "/proc/self/fd/%d", waker_);
    return system_.inotify_add_watch(queue_, path, IN_ATTRIB);
  }

  void close_all() noexcept {
    for (const int fd : {waker_, queue_})
      if (fd >= 0) system_.close(fd);
  }

  System& system_;
  ready_handle<System> ready_;
  event_flag<System> woken_;  ///< where the queue itself cannot wake
  int queue_ = -1;
  int waker_ = -1;
  std::int32_t waker_watch_ = no_watch;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::size_t decoded_ = 0;
  int bytes_queued_ = 0;
  bool drained_ = true;
};

}  // namespace hotwatch::inline v0::detail
