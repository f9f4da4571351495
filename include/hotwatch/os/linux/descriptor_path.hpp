// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The path of an open descriptor, for calls that take nothing else: inotify_add_watch(2). Floor 3.

#include <charconv>
#include <cstddef>
#include <string_view>

#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// /proc/<pid>/fd/<descriptor>. What /proc/self leads to is asked for once a walk and not once a directory: a symlink
/// less to follow (docs/performance.md). It is asked of /proc, because getpid(2) may mean another PID namespace than
/// the one that is mounted there.
template <class System>
class descriptor_path {
 public:
  explicit descriptor_path(System& system) noexcept : system_(system) {}

  /// The next path is asked for anew: the process may have been forked.
  void forget() noexcept { prefix_ = 0; }

  /// Lives until the next call.
  [[nodiscard]] const char* of(int fd) noexcept {
    if (prefix_ == 0) find_prefix();
    *std::to_chars(path_ + prefix_, path_ + sizeof path_ - 1, fd).ptr = '\0';
    return path_;
  }

 private:
  static constexpr std::string_view proc = "/proc/";
  static constexpr std::string_view descriptors = "/fd/";

  void find_prefix() noexcept {
    char* at = path_ + proc.copy(path_, proc.size());
    const ssize_t size = system_.readlink("/proc/self", at, longest_pid);
    at += size > 0 ? static_cast<std::size_t>(size) : std::string_view("self").copy(at, 4);
    at += descriptors.copy(at, descriptors.size());
    prefix_ = static_cast<std::size_t>(at - path_);
  }

  static constexpr std::size_t longest_pid = 12;

  System& system_;
  char path_[48];
  std::size_t prefix_ = 0;
};

}  // namespace hotwatch::inline v0::detail
