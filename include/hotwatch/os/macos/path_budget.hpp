// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// How many paths the streams of this process may watch. Floor 3.

#include <atomic>
#include <cstdint>
#include <utility>

namespace hotwatch::inline v0::detail::macos {

/// With more than about a tenth as many paths as a process may have files open, over all its streams, FSEvents closes
/// descriptors that are not its own, beginning with 0 (macOS 14 to 26). So what is beyond a twelfth is not watched.
/// The count is the process's, as the limit is.
class path_ticket {
 public:
  static constexpr std::uint64_t files_a_path = 12;

  path_ticket() noexcept = default;
  path_ticket(path_ticket&& other) noexcept : has_(std::exchange(other.has_, false)) {}
  path_ticket& operator=(path_ticket&& other) noexcept {
    give_back();
    has_ = std::exchange(other.has_, false);
    return *this;
  }
  ~path_ticket() { give_back(); }

  /// `open_files`: the soft limit, RLIMIT_NOFILE. False when there is none left.
  [[nodiscard]] bool take(std::uint64_t open_files) noexcept {
    if (taken().fetch_add(1) < open_files / files_a_path) return has_ = true;
    taken().fetch_sub(1);
    return false;
  }

 private:
  [[nodiscard]] static std::atomic<std::uint64_t>& taken() noexcept {
    static std::atomic<std::uint64_t> count{0};
    return count;
  }
  void give_back() noexcept {
    if (std::exchange(has_, false)) taken().fetch_sub(1);
  }

  bool has_ = false;
};

}  // namespace hotwatch::inline v0::detail::macos
