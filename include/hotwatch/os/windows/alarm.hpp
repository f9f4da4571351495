// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A wait for nothing but a time or wake(): what a backend without hints needs. Floor 3.

#include <atomic>
#include <chrono>
#include <optional>

#include "ready_flag.hpp"

namespace hotwatch::inline v0::detail::windows {

template <class System>
class alarm {
 public:
  explicit alarm(System& system) : ready_(system) {}

  /// Returns whether it was ended by wake().
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    if (!ready_.wait(timeout)) return false;
    ready_.lower();
    return woken_.exchange(false);
  }
  void wake() noexcept {
    woken_ = true;
    ready_.raise();
  }

  [[nodiscard]] handle native_handle() { return ready_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

 private:
  ready_flag<System> ready_;
  std::atomic<bool> woken_{false};
};

}  // namespace hotwatch::inline v0::detail::windows
