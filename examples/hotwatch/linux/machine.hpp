// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What Linux has for a watcher: the kernel, the limits of inotify, what of them this user has taken, the file systems.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <hotwatch.hpp>
#include <hotwatch/decode/mountinfo.hpp>
#include <hotwatch/os/linux/file_system.hpp>
#include <hotwatch/os/linux/system.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../doctor/fact.hpp"

namespace doctor {

inline constexpr const char* about_machine =
    "What others have taken of the limits is counted as far as /proc shows it.\n";
inline constexpr const char* native_name = "inotify";
inline constexpr const char* native_name_and_polling = "inotify and polling";

/// A limit of the kernel's for each user, and how much of it is known to be taken.
struct limit {
  std::uint64_t most = 0;  ///< 0: there is none, because there is no inotify
  std::uint64_t used = 0;
  std::string sysctl = {};  ///< what it is called
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

inline std::uint64_t read_number(const std::string& path) {
  const std::string text = read_proc(path);
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

inline limit read_limit(const std::string& sysctl) {
  std::string path = "/proc/sys/" + sysctl;
  std::replace(path.begin(), path.end(), '.', '/');
  return {read_number(path), 0, sysctl};
}

/// A user namespace has a limit of its own, and what is taken there counts for the one of the whole machine, too
/// (namespaces(7), /proc/sys/user); outside of them both are one.
[[nodiscard]] inline limit the_lower(const limit& of_the_machine, const limit& of_the_namespace) {
  const bool is_lower = of_the_namespace.most != 0 && of_the_namespace.most < of_the_machine.most;
  return is_lower ? of_the_namespace : of_the_machine;
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
  m.watches = the_lower(read_limit("fs.inotify.max_user_watches"), read_limit("user.max_inotify_watches"));
  m.instances = the_lower(read_limit("fs.inotify.max_user_instances"), read_limit("user.max_inotify_instances"));
  m.queued_events = read_number("/proc/sys/fs/inotify/max_queued_events");
  std::error_code ec;
  for (std::filesystem::directory_iterator entry("/proc", ec), end; !ec && entry != end; entry.increment(ec)) {
    const std::string id = entry->path().filename();
    if (id.find_first_not_of("0123456789") == std::string::npos && is_mine(entry->path()))
      count_process(entry->path(), m);
  }
  return m;
}

/// Room for as many again: trees grow, and others watch too.
[[nodiscard]] inline std::uint64_t enough(std::uint64_t needed) { return std::bit_ceil(2 * needed); }

inline constexpr const char* how_to_keep =
    "  (and to keep it, the same without `sysctl -w` in a file of /etc/sysctl.d)\n";

/// The commands by which so many directories can be watched besides.
[[nodiscard]] inline std::vector<std::string> what_to_change(const machine& m, std::uint64_t directories) {
  std::vector<std::string> commands;
  const std::uint64_t needed = m.watches.used + directories;
  if (m.watches.most != 0 && needed > m.watches.most)
    commands.push_back("sysctl -w " + m.watches.sysctl + "=" + std::to_string(enough(needed)));
  if (m.instances.most != 0 && m.instances.used >= m.instances.most)
    commands.push_back("sysctl -w " + m.instances.sysctl + "=" + std::to_string(enough(m.instances.most)));
  return commands;
}

[[nodiscard]] inline std::vector<fact> facts_of(const machine& m) {
  const auto of = [](const limit& l) { return std::to_string(l.used) + " of " + std::to_string(l.most); };
  return {{"kernel", m.kernel},
          {"inotify", m.watches.most == 0 ? "none"
                                          : of(m.watches) + " watches and " + of(m.instances) +
                                                " instances are taken by this user; the queue has " +
                                                std::to_string(m.queued_events) + " places"}};
}
[[nodiscard]] inline std::vector<number> numbers_of(const machine& m) {
  return {{"watches", m.watches.used},
          {"max_user_watches", m.watches.most},
          {"instances", m.instances.used},
          {"max_user_instances", m.instances.most},
          {"max_queued_events", m.queued_events}};
}

/// As the mount is called, or by the number of statfs(2) where the mount has another device (btrfs).
[[nodiscard]] inline std::string file_system_of(const char* path) {
  struct ::statx s {};
  if (::statx(AT_FDCWD, path, 0, STATX_TYPE, &s) != 0) return {};
  const std::string mounts = read_proc("/proc/self/mountinfo");
  const std::string_view type =
      hotwatch::detail::mounted_type(mounts, std::uint64_t{s.stx_dev_major} << 32 | s.stx_dev_minor);
  if (!type.empty()) return std::string(type);
  struct ::statfs f {};
  if (::statfs(path, &f) != 0) return {};
  constexpr std::uint32_t btrfs = 0x9123683E;
  const auto magic = static_cast<std::uint32_t>(f.f_type);
  if (magic == btrfs) return "btrfs";
  char digits[8];
  return "0x" + std::string(digits, std::to_chars(digits, digits + sizeof digits, magic, 16).ptr);
}

/// Why fanotify would not do there, found out without what is below; empty: it would.
[[nodiscard]] inline std::string try_fanotify(const std::string& path) {
  try {
    hotwatch::basic_watcher<hotwatch::fanotify_backend> watcher;
    watcher.add(path, {.recursive = false});
    for (const hotwatch::notice& n : watcher.flush().notices())
      if (n.kind == hotwatch::notice_kind::polling)
        return n.error.message() + (n.advice.empty() ? "" : "; " + std::string(n.advice));
    return {};
  } catch (const std::system_error& e) {
    return e.code().message();
  }
}

[[nodiscard]] inline std::vector<fact> examine_further(const std::string& path) {
  const std::string why = try_fanotify(path);
  return {{"fanotify", why.empty() ? "possible" : "no: " + why}};
}

}  // namespace doctor
