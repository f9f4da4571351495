// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What this machine has for a watcher: the kernel, the limits of inotify, and what of them this user has taken.

#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <hotwatch/os/linux/file_system.hpp>
#include <hotwatch/os/linux/system.hpp>
#include <string>
#include <string_view>
#include <system_error>

namespace doctor {

/// A limit of the kernel's for each user, and how much of it is known to be taken.
struct limit {
  std::uint64_t most = 0;  ///< 0: there is none, because there is no inotify
  std::uint64_t used = 0;
};

struct machine {
  std::string kernel;
  limit watches;
  limit instances;
  std::uint64_t queued_events = 0;
};

inline std::string read_proc(const std::string& path) {
  const hotwatch::linux_system system;
  return hotwatch::detail::read_proc(system, path.c_str());
}

inline std::uint64_t read_number(const char* path) {
  const std::string text = read_proc(path);
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// How many watches a descriptor of inotify has: proc(5), /proc/PID/fdinfo.
inline std::uint64_t count_watches(std::string_view fdinfo) {
  constexpr std::string_view of_a_watch = "inotify wd:";
  std::uint64_t count = 0;
  for (std::size_t at = 0; (at = fdinfo.find(of_a_watch, at)) != std::string_view::npos; at += of_a_watch.size())
    ++count;
  return count;
}

/// Adds what a process has. One whose descriptors may not be read counts for nothing.
inline void count_process(const std::filesystem::path& process, machine& m) {
  std::error_code ec;
  for (std::filesystem::directory_iterator fd(process / "fd", ec), end; !ec && fd != end; fd.increment(ec)) {
    std::error_code gone;
    if (std::filesystem::read_symlink(fd->path(), gone) != "anon_inode:inotify") continue;
    ++m.instances.used;
    m.watches.used += count_watches(read_proc((process / "fdinfo" / fd->path().filename()).string()));
  }
}

[[nodiscard]] inline bool is_mine(const std::filesystem::path& process) {
  struct ::stat s {};
  return ::stat(process.c_str(), &s) == 0 && s.st_uid == ::getuid();
}

[[nodiscard]] inline machine examine_machine() {
  machine m;
  ::utsname name{};
  if (::uname(&name) == 0) m.kernel = std::string(name.sysname) + ' ' + name.release;
  m.watches.most = read_number("/proc/sys/fs/inotify/max_user_watches");
  m.instances.most = read_number("/proc/sys/fs/inotify/max_user_instances");
  m.queued_events = read_number("/proc/sys/fs/inotify/max_queued_events");
  std::error_code ec;
  for (std::filesystem::directory_iterator entry("/proc", ec), end; !ec && entry != end; entry.increment(ec)) {
    const std::string id = entry->path().filename();
    if (id.find_first_not_of("0123456789") == std::string::npos && is_mine(entry->path()))
      count_process(entry->path(), m);
  }
  return m;
}

}  // namespace doctor
