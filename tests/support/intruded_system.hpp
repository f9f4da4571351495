// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A system between whose calls something happens, on any thread: basic_inotify_backend<intruded_system>. What is to
// fail, or to come at a certain call of one thread, is for scripted_system.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <utility>

#include "hotwatch/decode/inotify.hpp"
#include "hotwatch/os/linux/system.hpp"

namespace hotwatch::test {

/// Linux, where something may happen before any system call of the watcher: every race there is, and the same ones
/// each time that a seed is run.
class intruded_system : public linux_system {
 public:
  using intrusion = std::function<void(const char* call)>;
  using loss = std::function<bool()>;
  /// `lose` is asked at each read of the queue whether it overflowed.
  explicit intruded_system(std::shared_ptr<intrusion> intrude = std::make_shared<intrusion>(), loss lose = {})
      : intrude_(std::move(intrude)), lose_(std::move(lose)) {}

  int inotify_add_watch(int fd, const char* path, std::uint32_t mask) const {
    return before("inotify_add_watch").linux_system::inotify_add_watch(fd, path, mask);
  }
  int inotify_rm_watch(int fd, int wd) const {
    return before("inotify_rm_watch").linux_system::inotify_rm_watch(fd, wd);
  }
  ssize_t read(int fd, void* buffer, std::size_t size) const {
    const ssize_t got = before("read").linux_system::read(fd, buffer, size);
    const bool of_queue = size > detail::inotify::longest_record;  // the waker reads eight bytes
    if (got <= 0 || !of_queue || !lose_ || !lose_()) return got;
    return overflow(static_cast<char*>(buffer), static_cast<std::size_t>(got));
  }
  int bytes_queued(int fd, int* bytes) const { return before("bytes_queued").linux_system::bytes_queued(fd, bytes); }
  int openat(int directory, const char* path, int flags) const {
    return before("openat").linux_system::openat(directory, path, flags);
  }
  int openat2(int directory, const char* path, const open_how& how) const {
    return before("openat2").linux_system::openat2(directory, path, how);
  }
  int open_by_handle_at(int mount, ::file_handle* handle, int flags) const {
    return before("open_by_handle_at").linux_system::open_by_handle_at(mount, handle, flags);
  }
  ssize_t getdents64(int fd, void* buffer, std::size_t size) const {
    return before("getdents64").linux_system::getdents64(fd, buffer, size);
  }
  int statx(int directory, const char* path, int flags, unsigned mask, struct ::statx* out) const {
    return before("statx").linux_system::statx(directory, path, flags, mask, out);
  }
  ssize_t readlink(const char* path, char* buffer, std::size_t size) const {
    return before("readlink").linux_system::readlink(path, buffer, size);
  }

 private:
  const intruded_system& before(const char* call) const {
    if (*intrude_) (*intrude_)(call);
    return *this;
  }
  // Some of the records, and then no more: a full queue drops what comes (inotify(7), IN_Q_OVERFLOW).
  static ssize_t overflow(char* records, std::size_t size) {
    detail::inotify::record_head head;
    std::size_t kept = 0;
    for (std::size_t at = 0, count = 0; at < size; at += sizeof head + head.len, ++count) {
      std::memcpy(&head, records + at, sizeof head);
      if (count % 3 == 2) kept = at;
    }
    head = {-1, detail::inotify::in_q_overflow, 0, 0};
    std::memcpy(records + kept, &head, sizeof head);
    return static_cast<ssize_t>(kept + sizeof head);
  }

  std::shared_ptr<intrusion> intrude_;
  loss lose_;
};

}  // namespace hotwatch::test
