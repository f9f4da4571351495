// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Operations on the disk: system calls, and nothing between.

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "hotwatch/change.hpp"

namespace hotwatch::test {

using listing = std::map<std::string, entry_type, std::less<>>;

/// Shell-like operations: true when it worked, else errno says why not.
namespace raw {

inline bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

inline bool put(const std::string& path, int flags, std::string_view text) {
  // A fifo that nobody reads is an error then, not a wait.
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK | flags, 0644);
  if (fd < 0) return false;
  const bool ok = write_all(fd, text);
  return ::close(fd) == 0 && ok;
}

/// What `echo text > path` does.
inline bool write(const std::string& path, std::string_view text) { return put(path, O_CREAT | O_TRUNC, text); }
inline bool append(const std::string& path, std::string_view text) { return put(path, O_CREAT | O_APPEND, text); }
inline bool make_file(const std::string& path) { return put(path, O_CREAT | O_EXCL, ""); }
inline bool truncate(const std::string& path, off_t size) { return ::truncate(path.c_str(), size) == 0; }
inline bool touch(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0644);
  if (fd >= 0) {
    const bool ok = ::futimens(fd, nullptr) == 0;
    return ::close(fd) == 0 && ok;
  }
  return errno == EISDIR && ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0;
}
inline bool rename(const std::string& from, const std::string& to) { return ::rename(from.c_str(), to.c_str()) == 0; }
inline bool exchange(const std::string& a, const std::string& b) {
  return ::syscall(SYS_renameat2, AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE) == 0;
}
inline bool link(const std::string& old_name, const std::string& name) {
  return ::link(old_name.c_str(), name.c_str()) == 0;
}
inline bool symlink(const std::string& target, const std::string& name) {
  return ::symlink(target.c_str(), name.c_str()) == 0;
}
inline bool mkdir(const std::string& path) { return ::mkdir(path.c_str(), 0755) == 0; }
inline bool mkdir_p(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    if (!mkdir(path.substr(0, slash)) && errno != EEXIST) return false;
  return mkdir(path) || errno == EEXIST;
}
inline bool rm(const std::string& path) { return ::unlink(path.c_str()) == 0; }
inline bool rmdir(const std::string& path) { return ::rmdir(path.c_str()) == 0; }
inline bool chmod(const std::string& path, mode_t mode) { return ::chmod(path.c_str(), mode) == 0; }

/// rm -rf by descriptors, so that neither PATH_MAX nor a directory without permissions is in its way.
inline bool rm_rf_at(int parent, const char* name) {
  if (::unlinkat(parent, name, 0) == 0) return true;
  if (errno == ENOENT) return true;
  int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0 && errno == EACCES && ::fchmodat(parent, name, 0700, 0) == 0)
    fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT;
  DIR* const dir = ::fdopendir(fd);
  if (dir == nullptr) return ::close(fd), false;
  bool ok = true;
  // A directory that is changed while it is read may skip entries, so it is read until nothing is left.
  for (bool any = true; any && ok;) {
    any = false;
    ::rewinddir(dir);
    while (const dirent* entry = ::readdir(dir)) {
      const std::string_view child = entry->d_name;
      if (child == "." || child == "..") continue;
      any = true;
      ok = rm_rf_at(::dirfd(dir), entry->d_name) && ok;
    }
  }
  ::closedir(dir);
  return (::unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT) && ok;
}
inline bool rm_rf(const std::string& path) { return rm_rf_at(AT_FDCWD, path.c_str()); }

inline bool exists(const std::string& path) {
  struct stat s {};
  return ::lstat(path.c_str(), &s) == 0;
}

inline std::string read(const std::string& path) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
  ::close(fd);
  return text;
}

inline constexpr bool has_symlinks = true;
/// Why something of the contract cannot be had of the native backend here; nullptr where it can.
namespace gap {
inline const char* root_removal() { return nullptr; }
inline const char* moves_between_roots() { return nullptr; }
inline const char* closing() { return nullptr; }
}  // namespace gap
/// What is wrong with a path through a file.
inline constexpr std::errc below_a_file = std::errc::not_a_directory;

/// Whether a native_handle() is ready within the time.
inline bool becomes_ready(int handle, std::chrono::milliseconds longest) {
  pollfd waiting{handle, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(longest.count())) == 1;
}

inline std::error_code last_error() { return {errno, std::system_category()}; }

/// A new directory below $TMPDIR or else the working directory, not /tmp: editors save otherwise there.
inline std::string make_directory() {
  std::string where;
  if (const char* tmpdir = std::getenv("TMPDIR"); tmpdir != nullptr && *tmpdir != '\0') {
    where = tmpdir;
  } else {
    char* const here = ::getcwd(nullptr, 0);
    where = here != nullptr ? here : ".";
    std::free(here);
  }
  where += "/hotwatch-test-XXXXXX";
  if (::mkdtemp(where.data()) == nullptr) throw std::system_error(errno, std::system_category(), where);
  return where;
}

}  // namespace raw

/// Returns when the clock of file times has moved on, so that what was written before is surely older than what comes.
/// Its ticks may lag behind, and a time that was given out in between is a precise one (Linux 6.13 on).
inline void outlive_the_tick() {
  timespec start{}, now{};
  ::clock_gettime(CLOCK_REALTIME, &start);
  do ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
  while (now.tv_sec < start.tv_sec || (now.tv_sec == start.tv_sec && now.tv_nsec <= start.tv_nsec));
}

inline entry_type type_of(mode_t mode) {
  if (S_ISREG(mode)) return entry_type::file;
  if (S_ISDIR(mode)) return entry_type::directory;
  if (S_ISLNK(mode)) return entry_type::symlink;
  return entry_type::other;
}

inline void list_into(listing& out, int parent, const char* name, const std::string& prefix, bool recursive,
                      int nofollow) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | nofollow);
  if (fd < 0) return;
  DIR* const dir = ::fdopendir(fd);
  if (dir == nullptr) {
    ::close(fd);
    return;
  }
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view child = entry->d_name;
    if (child == "." || child == "..") continue;
    struct stat s {};
    if (::fstatat(::dirfd(dir), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const std::string path = prefix + entry->d_name;
    out.emplace(path, type_of(s.st_mode));
    if (recursive && S_ISDIR(s.st_mode)) list_into(out, ::dirfd(dir), entry->d_name, path + '/', true, O_NOFOLLOW);
  }
  ::closedir(dir);
}

inline void list_into(listing& out, const std::string& directory, const std::string& prefix, bool recursive) {
  list_into(out, AT_FDCWD, directory.c_str(), prefix, recursive, 0);
}

}  // namespace hotwatch::test
