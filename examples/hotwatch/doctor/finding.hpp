// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a watcher makes of a path: found out by watching it, for a moment.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <hotwatch.hpp>
#include <hotwatch/decode/mountinfo.hpp>
#include <string>
#include <system_error>
#include <vector>

#include "machine.hpp"

namespace doctor {

struct complaint {
  hotwatch::notice_kind kind;
  std::string path;
  std::string error;
  std::string advice;
  bool partly_told;  ///< hints come, but not of all
};

struct finding {
  std::string path;
  std::string error;  ///< why it cannot be watched at all; then all below is nothing
  std::string file_system;
  std::uint64_t directories = 0;
  std::uint64_t files = 0;
  std::uint64_t polled = 0;  ///< directories
  std::error_code fanotify;  ///< why fanotify cannot be had there
  std::vector<complaint> complaints;

  /// Whether others than this kernel change it as well.
  [[nodiscard]] bool is_partly_told() const {
    return std::any_of(complaints.begin(), complaints.end(), [&](const complaint& c) { return c.partly_told; });
  }
  [[nodiscard]] bool is_fine() const { return error.empty() && complaints.empty(); }
  /// The backend, as it is called.
  [[nodiscard]] const char* uses() const {
    if (polled == 0) return "inotify";
    for (const complaint& c : complaints)
      if (c.kind == hotwatch::notice_kind::polling && !c.partly_told && c.path == path) return "polling";
    return "inotify and polling";
  }
};

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

/// Why fanotify would not do there: found out without what is below.
[[nodiscard]] inline std::error_code try_fanotify(const std::string& path) {
  try {
    hotwatch::basic_watcher<hotwatch::fanotify_backend> watcher;
    watcher.add(path, {.recursive = false});
    for (const hotwatch::notice& n : watcher.flush().notices())
      if (n.kind == hotwatch::notice_kind::polling) return n.error;
    return {};
  } catch (const std::system_error& e) {
    return e.code();
  }
}

[[nodiscard]] inline finding examine(const std::string& path) {
  finding f;
  f.path = path;
  try {
    hotwatch::watcher watcher;
    watcher.add(path);
    for (const hotwatch::notice& n : watcher.flush().notices())
      f.complaints.push_back({n.kind, std::string(n.path), n.error.message(), std::string(n.advice),
                              n.error == hotwatch::errc::partly_told});
    const hotwatch::statistics stats = watcher.stats();
    f.directories = stats.directories;
    f.files = stats.files;
    f.polled = stats.polled_directories;
  } catch (const std::system_error& e) {
    f.error = e.code().message();
    return f;
  }
  f.file_system = file_system_of(path.c_str());
  f.fanotify = try_fanotify(path);
  return f;
}

}  // namespace doctor
