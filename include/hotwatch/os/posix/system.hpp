// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The calls of POSIX.1-2008, named and answered as in the manual: -1 and errno. Floor 3.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>

namespace hotwatch::inline v0 {

struct posix_system {
  int openat(int directory, const char* path, int flags) const noexcept { return ::openat(directory, path, flags); }
  int close(int fd) const noexcept { return ::close(fd); }
  int fcntl(int fd, int command, int value) const noexcept { return ::fcntl(fd, command, value); }
  DIR* fdopendir(int fd) const noexcept { return ::fdopendir(fd); }
  void rewinddir(DIR* listing) const noexcept { ::rewinddir(listing); }
  const dirent* readdir(DIR* listing) const noexcept { return ::readdir(listing); }
  int closedir(DIR* listing) const noexcept { return ::closedir(listing); }
  int fstat(int fd, struct ::stat* out) const noexcept { return ::fstat(fd, out); }
  int fstatat(int directory, const char* path, struct ::stat* out, int flags) const noexcept {
    return ::fstatat(directory, path, out, flags);
  }
  ssize_t readlink(const char* path, char* buffer, std::size_t size) const noexcept {
    return ::readlink(path, buffer, size);
  }
  int pipe(int* ends) const noexcept { return ::pipe(ends); }
  ssize_t read(int fd, void* buffer, std::size_t size) const noexcept { return ::read(fd, buffer, size); }
  ssize_t write(int fd, const void* buffer, std::size_t size) const noexcept { return ::write(fd, buffer, size); }
  int clock_gettime(clockid_t which, timespec* out) const noexcept { return ::clock_gettime(which, out); }
};

}  // namespace hotwatch::inline v0
