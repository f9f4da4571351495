// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A fanotify group, and beside it the inotify instance that guards the roots: one wait for both. Floor 3.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "../../decode/fanotify.hpp"
#include "directory.hpp"
#include "inotify_queue.hpp"
#include "ready_handle.hpp"
#include "system.hpp"
#include "time.hpp"

namespace hotwatch::inline v0::detail {

/// What happens to names is told by the group; that a root or a directory above it was moved, removed or unmounted by
/// inotify, because a group hears neither of unmounting nor of other file systems than those it has marked. Its waker
/// wakes both.
template <class System>
class fanotify_queue {
 public:
  explicit fanotify_queue(System& system) : system_(system), ready_(system), guards_(system), buffer_(buffer_size) {
    // linux/fanotify.h: FAN_CLOEXEC, FAN_NONBLOCK, FAN_REPORT_FID, ..._DIR_FID, ..._NAME, ..._TARGET_FID. No
    // FAN_UNLIMITED_QUEUE: the whole file system fills the queue, and an overflow is repaired.
    constexpr unsigned flags = 0x1 | 0x2 | 0x200 | 0x400 | 0x800 | 0x1000;
    group_ = system_.fanotify_init(flags, O_RDONLY);
    if (group_ >= 0) return;
    const std::error_code why = last_error();
    throw std::system_error(why, what(why.value()));
  }
  fanotify_queue(const fanotify_queue&) = delete;
  fanotify_queue& operator=(const fanotify_queue&) = delete;
  ~fanotify_queue() { system_.close(group_); }

  [[nodiscard]] int group() const noexcept { return group_; }
  [[nodiscard]] inotify_queue<System>& guards() noexcept { return guards_; }
  [[nodiscard]] int native_handle() { return ready_.open(group_, guards_.native_handle()); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }
  void wake() noexcept { guards_.wake(); }

  /// How many reads the events that are queued now take.
  [[nodiscard]] int reads_queued() const noexcept {
    int bytes = 0;
    (void)system_.bytes_queued(group_, &bytes);
    return 2 * (bytes / static_cast<int>(buffer_size)) + 1;  // an event that does not fit any more is for the next read
  }

  /// Waits for events until the time-out (none: for ever), a signal or wake(), and reads what there is.
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    if (filled_ != cut_) {
      drained_ = false;  // what came since then was not read
      return true;
    }
    bool is_guard_heard = true;
    if (!timeout || timeout->count() > 0) {
      timespec time{};
      if (timeout) time = to_timespec(*timeout);
      pollfd fds[3] = {{group_, POLLIN, 0}, {guards_.fd(), POLLIN, 0}, {guards_.wake_fd(), POLLIN, 0}};
      if (system_.ppoll(fds, 3, timeout ? &time : nullptr) <= 0) {
        drained_ = true;
        return false;
      }
      is_guard_heard = (fds[1].revents | fds[2].revents) != 0 || !guards_.drained();
    }
    const bool guarded = is_guard_heard && guards_.wait(std::chrono::nanoseconds(0));
    read();
    return filled_ != cut_ || guarded;
  }

  /// Lets go of the events at the front that no hint comes of: what others do elsewhere on the file system.
  template <class WatchOf>
  void drop_strangers(WatchOf&& watch_of) {
    if (filled_ == cut_) return;
    bool is_ours = false;
    std::size_t at = 0, taken = 0;
    const std::span<const char> bytes(buffer_.data(), filled_);
    std::uint32_t unused = 0;
    do {
      at += taken;
      taken = fanotify::decode_first(bytes.subspan(at), unused, watch_of, [&](const hint&) { is_ours = true; });
    } while (taken != 0 && !is_ours);
    take(at);
    if (!is_ours) cut_ = filled_;
  }

  /// Whether the last read left nothing in the queue, and all of it was decoded or dropped.
  [[nodiscard]] bool drained() const noexcept { return drained_ && filled_ == cut_ && guards_.drained(); }

  /// Gives the hints of the events that were read to `sink`; returns how many hints there were.
  template <class WatchOf, class Sink>
  std::size_t drain(WatchOf&& watch_of, Sink&& sink) {
    std::size_t hints = 0;
    const std::span<const char> bytes(buffer_.data(), filled_);
    const std::size_t taken = fanotify::decode(bytes, pair_, watch_of, [&](const hint& h) {
      ++hints;
      sink(h);
    });
    // The kernel never cuts an event; if somebody else does, the rest comes with the next read.
    take(taken);
    cut_ = filled_;
    return hints;
  }

 private:
  static constexpr std::size_t buffer_size = 64 * 1024;

  [[nodiscard]] static const char* what(int error) noexcept {
    switch (error) {
      case EPERM: return "hotwatch: fanotify_init: not permitted (CAP_SYS_ADMIN)";
      case EINVAL:
      case ENOSYS: return "hotwatch: fanotify_init: it needs Linux 5.17, built with CONFIG_FANOTIFY";
      case EMFILE:
        return "hotwatch: fanotify_init: no descriptor left (ulimit -n) or too many groups (sysctl "
               "fs.fanotify.max_user_groups)";
      default: return "hotwatch: fanotify_init";
    }
  }

  void take(std::size_t bytes) noexcept {
    filled_ -= bytes;
    if (filled_ != 0 && bytes != 0) std::memmove(buffer_.data(), buffer_.data() + bytes, filled_);
  }

  void read() noexcept {
    const std::size_t room = buffer_.size() - filled_;
    const ssize_t size = system_.read(group_, buffer_.data() + filled_, room);
    const std::size_t got = size > 0 ? static_cast<std::size_t>(size) : 0;
    filled_ += got;
    drained_ = got + fanotify::longest_event <= room;
  }

  System& system_;
  ready_handle<System> ready_;
  inotify_queue<System> guards_;
  int group_ = -1;
  std::uint32_t pair_ = 0;
  std::vector<char> buffer_;
  std::size_t filled_ = 0;
  std::size_t cut_ = 0;  ///< of an event whose rest is still to come
  bool drained_ = true;
};

}  // namespace hotwatch::inline v0::detail
