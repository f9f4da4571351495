// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Polling as it is on a BSD, whose every call fails on demand: os/bsd/ over POSIX and over a kqueue that is an epoll.

#include <dirent.h>
#include <fcntl.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "bsd.hpp"
#include "hotwatch/backend.hpp"
#include "support/fault_list.hpp"

namespace hotwatch::test {

enum class bsd_call : std::uint8_t {
  openat,
  fcntl,
  fdopendir,
  readdir,
  fstat,
  fstatat,
  readlink,
  pipe,
  read,
  write,
  kqueue,
  kevent_change,
  kevent_wait,
};

/// The members of bsd_system. Copies share one list.
class faulted_bsd_system : public bsd_calls<linux_system> {
 public:
  using real = bsd_calls<linux_system>;
  explicit faulted_bsd_system(std::shared_ptr<fault_list<bsd_call>> faults) : faults_(std::move(faults)) {}

  int openat(int directory, const char* path, int flags) const {
    return fails(bsd_call::openat) ? -1 : real::openat(directory, path, flags);
  }
  int fcntl(int fd, int command, int value) const {
    return fails(bsd_call::fcntl) ? -1 : real::fcntl(fd, command, value);
  }
  DIR* fdopendir(int fd) const { return fails(bsd_call::fdopendir) ? nullptr : real::fdopendir(fd); }
  const dirent* readdir(DIR* open) const { return fails(bsd_call::readdir) ? nullptr : real::readdir(open); }
  int fstat(int fd, struct ::stat* out) const { return fails(bsd_call::fstat) ? -1 : real::fstat(fd, out); }
  int fstatat(int directory, const char* path, struct ::stat* out, int flags) const {
    return fails(bsd_call::fstatat) ? -1 : real::fstatat(directory, path, out, flags);
  }
  ssize_t readlink(const char* path, char* buffer, std::size_t size) const {
    return fails(bsd_call::readlink) ? -1 : real::readlink(path, buffer, size);
  }
  int pipe(int* ends) const { return fails(bsd_call::pipe) ? -1 : real::pipe(ends); }
  ssize_t read(int fd, void* buffer, std::size_t size) const {
    return fails(bsd_call::read) ? -1 : real::read(fd, buffer, size);
  }
  ssize_t write(int fd, const void* buffer, std::size_t size) const {
    return fails(bsd_call::write) ? -1 : real::write(fd, buffer, size);
  }
  int kqueue() const { return fails(bsd_call::kqueue) ? -1 : real::kqueue(); }
  int kevent_read(int queue, int fd) const {
    return fails(bsd_call::kevent_change) ? -1 : real::kevent_read(queue, fd);
  }
  int kevent_timer(int queue, std::int32_t microseconds) const {
    return fails(bsd_call::kevent_change) ? -1 : real::kevent_timer(queue, microseconds);
  }
  int kevent_no_timer(int queue) const { return fails(bsd_call::kevent_change) ? -1 : real::kevent_no_timer(queue); }
  int kevent_take(int queue, const timespec* timeout) const {
    return fails(bsd_call::kevent_wait) ? -1 : real::kevent_take(queue, timeout);
  }

 private:
  [[nodiscard]] bool fails(bsd_call call) const {
    const int error = faults_->next(call);
    if (error != 0) errno = error;
    return error != 0;
  }

  std::shared_ptr<fault_list<bsd_call>> faults_;
};

/// basic_polling_backend as it is where os/bsd/ is the floor.
class faulted_bsd_backend {
 public:
  using directory = detail::bsd::directory<faulted_bsd_system>;
  static constexpr bool gives_hints = false;

  explicit faulted_bsd_backend(faulted_bsd_system system) : system_(std::move(system)) {}
  faulted_bsd_backend(const faulted_bsd_backend&) = delete;
  faulted_bsd_backend& operator=(const faulted_bsd_backend&) = delete;

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    return directory::open(system_, path, ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) { return directory::look(system_, path, out); }
  [[nodiscard]] std::string resolve(const char* path) { return detail::bsd::resolve(system_, path); }
  [[nodiscard]] watch_answer watch(const directory&, watch_scope) noexcept { return {detail::no_watch, true}; }
  void unwatch(std::int32_t) noexcept {}
  guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }
  bool wait(std::optional<std::chrono::nanoseconds> timeout) { return alarm_.wait(timeout); }
  template <class Sink>
  std::size_t drain(Sink&&) {
    return 0;
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept { alarm_.wake(); }
  [[nodiscard]] int native_handle() { return alarm_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { alarm_.arm(after); }
  [[nodiscard]] file_time file_now() const noexcept { return detail::bsd::file_clock_now(system_); }

 private:
  faulted_bsd_system system_;
  detail::bsd::alarm<faulted_bsd_system> alarm_{system_};
};
static_assert(backend<faulted_bsd_backend>);

}  // namespace hotwatch::test
