// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An event that any thread may raise, that a wait can end by, and that other people's loops can wait for. Floor 3.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>

#include "error.hpp"
#include "time.hpp"
#include "types.hpp"

namespace hotwatch::inline v0::detail::windows {

template <class System>
class ready_flag {
 public:
  /// Throws std::system_error.
  explicit ready_flag(System& system) : system_(system), event_(system_.CreateEventW()) {
    if (event_ == nullptr) throw std::system_error(last_error(system_), "hotwatch: CreateEventW");
    // Without this the timer is as coarse as the system's tick, 15.6 ms; it came with Windows 10, version 1803.
    constexpr std::uint32_t high_resolution = 2;
    wait_timer_ = system_.CreateWaitableTimerExW(high_resolution);
    if (wait_timer_ == nullptr) wait_timer_ = system_.CreateWaitableTimerExW(0);
    if (wait_timer_ != nullptr) return;
    const std::error_code why = last_error(system_);
    system_.CloseHandle(event_);
    throw std::system_error(why, "hotwatch: CreateWaitableTimerExW");
  }
  ready_flag(const ready_flag&) = delete;
  ready_flag& operator=(const ready_flag&) = delete;
  ~ready_flag() {
    if (deadline_ != nullptr) system_.CloseThreadpoolTimer(deadline_);
    system_.CloseHandle(wait_timer_);
    system_.CloseHandle(event_);
  }

  [[nodiscard]] handle event() const noexcept { return event_; }
  void raise() noexcept { system_.SetEvent(event_); }
  void lower() noexcept { system_.ResetEvent(event_); }

  /// Waits until it is raised or the time is over (none: for ever); returns whether it is raised.
  [[nodiscard]] bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    constexpr std::uint32_t for_ever = 0xFFFFFFFF;
    const handle both[] = {event_, wait_timer_};
    if (!timeout || timeout->count() <= 0) return system_.WaitForMultipleObjects(1, both, timeout ? 0 : for_ever) == 0;
    if (system_.SetWaitableTimer(wait_timer_, due_in(*timeout)))
      return system_.WaitForMultipleObjects(2, both, for_ever) == 0;
    // A timer that was not set never ends a wait. Without it the time is as coarse as the tick.
    constexpr std::chrono::milliseconds longest = std::chrono::hours(1);
    const auto rounded = std::min(std::chrono::ceil<std::chrono::milliseconds>(*timeout), longest);
    return system_.WaitForMultipleObjects(1, both, static_cast<std::uint32_t>(rounded.count())) == 0;
  }

  /// The event, which is raised by arm() too from now on. Throws std::system_error.
  [[nodiscard]] handle native_handle() {
    if (deadline_ == nullptr && (deadline_ = system_.CreateThreadpoolTimer(event_)) == nullptr)
      throw std::system_error(last_error(system_), "hotwatch: CreateThreadpoolTimer");
    return event_;
  }

  /// Raises it so much later; never if there is none.
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept {
    if (deadline_ != nullptr) system_.SetThreadpoolTimer(deadline_, after ? due_in(*after) : 0);
  }

 private:
  System& system_;
  handle event_;
  handle wait_timer_ = nullptr;
  handle deadline_ = nullptr;  ///< made when the handle is first asked for
};

}  // namespace hotwatch::inline v0::detail::windows
