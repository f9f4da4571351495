// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Polling as it is on a BSD, run on Linux: os/bsd/ over the calls of POSIX, and over a kqueue that is an epoll.

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "hotwatch.hpp"
#include "hotwatch/os/bsd/alarm.hpp"
#include "hotwatch/os/bsd/directory.hpp"
#include "hotwatch/os/bsd/root_path.hpp"
#include "hotwatch/os/bsd/time.hpp"
#include "hotwatch/os/posix/system.hpp"

namespace hotwatch::test {

/// POSIX by the calls of Linux that a script knows: what it interrupts, cuts short or hides is met here as well.
template <class System>
class scripted_posix : public System {
 public:
  scripted_posix() = default;
  explicit scripted_posix(const System& system) : System(system) {}

  struct listing {
    int fd;
    std::size_t at, size;
    dirent entry;
    char bytes[8192];
  };

  int fcntl(int fd, int command, int value) const noexcept { return ::fcntl(fd, command, value); }
  int pipe(int* ends) const noexcept { return ::pipe(ends); }
  listing* fdopendir(int fd) const { return new listing{fd, 0, 0, {}, {}}; }
  void rewinddir(listing* l) const noexcept { this->lseek(l->fd, 0, SEEK_SET); }
  const dirent* readdir(listing* l) const {
    if (l->at == l->size) {
      const ssize_t size = this->getdents64(l->fd, l->bytes, sizeof l->bytes);
      if (size <= 0) return nullptr;
      l->at = 0;
      l->size = static_cast<std::size_t>(size);
    }
    std::uint16_t length;
    std::memcpy(&length, l->bytes + l->at + 16, sizeof length);
    std::memcpy(&l->entry, l->bytes + l->at, length);  // struct dirent of 64 bits is the kernel's
    l->at += length;
    return &l->entry;
  }
  int closedir(listing* l) const {
    const std::unique_ptr<listing> owned(l);
    return this->close(l->fd);
  }
  int fstat(int fd, struct ::stat* out) const { return by_statx(fd, "", AT_EMPTY_PATH, out); }
  int fstatat(int directory, const char* path, struct ::stat* out, int flags) const {
    return by_statx(directory, path, flags, out);
  }

 private:
  int by_statx(int directory, const char* path, int flags, struct ::stat* out) const {
    struct ::statx s;
    if (this->statx(directory, path, flags, STATX_BASIC_STATS, &s) != 0) return -1;
    const auto time = [](const statx_timestamp& t) { return timespec{t.tv_sec, static_cast<long>(t.tv_nsec)}; };
    *out = {};
    out->st_dev = makedev(s.stx_dev_major, s.stx_dev_minor);
    out->st_ino = s.stx_ino;
    out->st_mode = s.stx_mode;
    out->st_nlink = s.stx_nlink;
    out->st_uid = s.stx_uid;
    out->st_gid = s.stx_gid;
    out->st_size = static_cast<off_t>(s.stx_size);
    out->st_mtim = time(s.stx_mtime);
    out->st_ctim = time(s.stx_ctime);
    return 0;
  }
};

/// The kqueue of bsd_system, an epoll: EPOLLET for EV_CLEAR, and a timer that is gone when it was taken for EV_ONESHOT.
template <class Posix>
class with_kqueue : public Posix {
 public:
  with_kqueue() = default;
  template <class System>
  explicit with_kqueue(const System& system) : Posix(system) {}

  int kqueue() const noexcept { return ::epoll_create1(0); }
  int kevent_read(int queue, int fd) const noexcept { return add(queue, fd, EPOLLIN | EPOLLET); }
  int kevent_timer(int queue, std::int32_t microseconds) const {
    timer_.reset(new int(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)));
    const itimerspec due{{}, detail::to_timespec(std::chrono::microseconds(microseconds))};
    if (*timer_ < 0 || ::timerfd_settime(*timer_, 0, &due, nullptr) != 0) return -1;
    return add(queue, *timer_, EPOLLIN);
  }
  int kevent_no_timer(int) const {
    errno = ENOENT;
    return std::exchange(timer_, nullptr) != nullptr ? 0 : -1;
  }
  int kevent_take(int queue, const timespec* timeout) const {
    pollfd one{queue, POLLIN, 0};
    if (wait(&one, timeout) < 0) return -1;
    epoll_event taken[4];
    const int count = ::epoll_wait(queue, taken, 4, 0);
    for (int i = 0; i < count; ++i)
      if (timer_ && taken[i].data.fd == *timer_) timer_.reset();
    return count;
  }

 private:
  struct close_it {
    void operator()(const int* fd) const {
      ::close(*fd);
      delete fd;
    }
  };
  struct timer : std::unique_ptr<int, close_it> {
    using std::unique_ptr<int, close_it>::unique_ptr;
    timer() = default;
    timer(const timer&) {}  // it is the queue's, and a copy of a system has none
    timer(timer&&) noexcept = default;
    timer& operator=(timer&&) noexcept = default;
  };

  static int add(int queue, int fd, std::uint32_t events) noexcept {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    return ::epoll_ctl(queue, EPOLL_CTL_ADD, fd, &event);
  }
  int wait(pollfd* one, const timespec* timeout) const {
    if constexpr (requires { this->ppoll(one, 1, timeout); })
      return this->ppoll(one, 1, timeout);
    else
      return ::ppoll(one, 1, timeout, nullptr);
  }

  mutable timer timer_;
};

/// By the C library's own calls, unless a script is to know of them.
template <class System>
using bsd_calls =
    with_kqueue<std::conditional_t<std::is_same_v<System, linux_system>, posix_system, scripted_posix<System>>>;

/// basic_polling_backend, with all that it takes of Linux taken of os/bsd/.
template <class System = linux_system>
class bsd_polling_backend : public basic_polling_backend<System> {
 public:
  using calls = bsd_calls<System>;
  using directory = detail::bsd::directory<calls>;

  explicit bsd_polling_backend(const System& system = {})
      : basic_polling_backend<System>(system), calls_(made(system)) {}

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) { return directory::open(calls_, path, ec); }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) { return directory::look(calls_, path, out); }
  [[nodiscard]] std::string resolve(const char* path) { return detail::bsd::resolve(calls_, path); }
  [[nodiscard]] watch_answer watch(const directory&, watch_scope) noexcept { return {detail::no_watch, true}; }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) { return alarm_.wait(timeout); }
  void wake() noexcept { alarm_.wake(); }
  [[nodiscard]] int native_handle() { return alarm_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { alarm_.arm(after); }
  [[nodiscard]] file_time file_now() const noexcept { return detail::bsd::file_clock_now(calls_); }

 private:
  [[nodiscard]] static calls made(const System& system) {
    if constexpr (std::is_same_v<System, linux_system>)
      return calls();
    else
      return calls(system);
  }

  calls calls_;
  detail::bsd::alarm<calls> alarm_{calls_};
};

}  // namespace hotwatch::test
