// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A wait for nothing but a time or wake(): what a backend without hints needs. Floor 3.

#include <chrono>
#include <optional>

#include "event_flag.hpp"
#include "ready_handle.hpp"

namespace hotwatch::inline v0::detail::bsd {

template <class System>
class alarm {
 public:
  /// Throws std::system_error.
  explicit alarm(System& system) : ready_(system), woken_(system) {
    woken_.open();
    ready_.open(woken_.fd());
  }

  /// Returns whether it was ended by wake().
  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept { return ready_.wait(timeout) && woken_.lower(); }
  void wake() noexcept { woken_.raise(); }

  [[nodiscard]] int native_handle() { return ready_.fd(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

 private:
  ready_handle<System> ready_;
  event_flag<System> woken_;
};

}  // namespace hotwatch::inline v0::detail::bsd
