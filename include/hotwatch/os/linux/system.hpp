// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The system calls, named and answered as in the manual: -1 and errno. Tests put a scripted system in its place.
// Floor 3.

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace hotwatch::inline v0 {

/// struct open_how of openat2(2), which glibc has no call for.
struct open_how {
  std::uint64_t flags;
  std::uint64_t mode;
  std::uint64_t resolve;
};

struct linux_system {
  int inotify_init1(int flags) const noexcept { return ::inotify_init1(flags); }
  int inotify_add_watch(int fd, const char* path, std::uint32_t mask) const noexcept {
    return ::inotify_add_watch(fd, path, mask);
  }
  int inotify_rm_watch(int fd, int wd) const noexcept { return ::inotify_rm_watch(fd, wd); }
  int fanotify_init(unsigned flags, unsigned event_flags) const noexcept { return ::fanotify_init(flags, event_flags); }
  /// Of what a descriptor stands for, whatever its path means by now.
  int fanotify_mark(int fd, unsigned flags, std::uint64_t mask, int of) const noexcept {
    return ::fanotify_mark(fd, flags, mask, of, nullptr);
  }
  int name_to_handle_at(int directory, const char* path, ::file_handle* handle, int* mount, int flags) const noexcept {
    return ::name_to_handle_at(directory, path, handle, mount, flags);
  }
  int open_by_handle_at(int mount, ::file_handle* handle, int flags) const noexcept {
    return ::open_by_handle_at(mount, handle, flags);
  }
  ssize_t read(int fd, void* buffer, std::size_t size) const noexcept { return ::read(fd, buffer, size); }
  ssize_t write(int fd, const void* buffer, std::size_t size) const noexcept { return ::write(fd, buffer, size); }
  int ppoll(pollfd* fds, nfds_t count, const timespec* timeout) const noexcept {
    return ::ppoll(fds, count, timeout, nullptr);
  }
  /// ioctl FIONREAD: the bytes that a read would give now.
  int bytes_queued(int fd, int* bytes) const noexcept { return ::ioctl(fd, FIONREAD, bytes); }

  int openat(int directory, const char* path, int flags) const noexcept { return ::openat(directory, path, flags); }
  int openat2(int directory, const char* path, const open_how& how) const noexcept {
    return static_cast<int>(::syscall(SYS_openat2, directory, path, &how, sizeof how));
  }
  int close(int fd) const noexcept { return ::close(fd); }
  off_t lseek(int fd, off_t offset, int from) const noexcept { return ::lseek(fd, offset, from); }
  ssize_t getdents64(int fd, void* buffer, std::size_t size) const noexcept {
    return ::syscall(SYS_getdents64, fd, buffer, size);
  }
  int statx(int directory, const char* path, int flags, unsigned mask, struct ::statx* out) const noexcept {
    return ::statx(directory, path, flags, mask, out);
  }
  int fstatfs(int fd, struct ::statfs* out) const noexcept { return ::fstatfs(fd, out); }
  ssize_t readlink(const char* path, char* buffer, std::size_t size) const noexcept {
    return ::readlink(path, buffer, size);
  }
  int memfd_create(const char* name, unsigned flags) const noexcept { return ::memfd_create(name, flags); }
  int fchmod(int fd, mode_t mode) const noexcept { return ::fchmod(fd, mode); }
  int eventfd(unsigned value, int flags) const noexcept { return ::eventfd(value, flags); }
  int epoll_create1(int flags) const noexcept { return ::epoll_create1(flags); }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) const noexcept {
    return ::epoll_ctl(epoll, operation, fd, event);
  }
  int timerfd_create(int which, int flags) const noexcept { return ::timerfd_create(which, flags); }
  int timerfd_settime(int fd, int flags, const itimerspec* value) const noexcept {
    return ::timerfd_settime(fd, flags, value, nullptr);
  }
  int clock_gettime(clockid_t which, timespec* out) const noexcept { return ::clock_gettime(which, out); }
};

}  // namespace hotwatch::inline v0
