// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Where all requests of one backend end, and a wait for that. Floor 3.

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <system_error>
#include <vector>

#include "error.hpp"
#include "ready_flag.hpp"
#include "types.hpp"

namespace hotwatch::inline v0::detail::windows {

/// The port is what is waited at when there is no deadline: one call. It can tell no time shorter than the system's
/// tick and is nothing for WaitForMultipleObjects; for both there is the flag, which every request raises too.
template <class System>
class completion_port {
 public:
  /// `key` as it was given to CreateIoCompletionPort().
  struct packet {
    std::uintptr_t key;
    status result;
    std::uint32_t bytes;
  };

  /// Throws std::system_error.
  explicit completion_port(System& system) : system_(system), ready_(system) {
    port_ = system_.CreateIoCompletionPort(invalid_handle(), nullptr, 0);
    if (port_ == nullptr) throw std::system_error(last_error(system_), "hotwatch: CreateIoCompletionPort");
  }
  completion_port(const completion_port&) = delete;
  completion_port& operator=(const completion_port&) = delete;
  ~completion_port() { system_.CloseHandle(port_); }

  [[nodiscard]] handle get() const noexcept { return port_; }
  [[nodiscard]] handle event() const noexcept { return ready_.event(); }
  [[nodiscard]] handle native_handle() { return ready_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

  /// From any thread.
  void wake() noexcept {
    // A packet takes memory of the kernel's. Where there is none, the next wake() tries again.
    if (!woken_.exchange(true) && !system_.PostQueuedCompletionStatus(port_, 0)) woken_ = false;
    ready_.raise();
  }

  /// A request lowers the flag when it is made, and with it the word of others that have ended.
  void raise() noexcept { ready_.raise(); }

  /// Appends what has ended, or ends within the time; returns whether wake() was called.
  bool wait(std::optional<std::chrono::nanoseconds> timeout, std::vector<packet>& out) {
    constexpr std::uint32_t for_ever = 0xFFFFFFFF;
    if (timeout && timeout->count() > 0) (void)ready_.wait(timeout);
    ready_.lower();
    take(timeout ? 0 : for_ever, out);
    return woken_.exchange(false);
  }

  /// The same, when a request was made since.
  void take_what_ended(std::vector<packet>& out) {
    const std::size_t before = out.size();
    take(0, out);
    if (out.size() != before) ready_.raise();
  }

 private:
  void take(std::uint32_t milliseconds, std::vector<packet>& out) {
    overlapped_entry entries[64];
    std::uint32_t count = 0;
    do {
      system_.GetQueuedCompletionStatusEx(port_, entries, 64, count, milliseconds);
      for (std::uint32_t i = 0; i < count; ++i)
        if (entries[i].key != 0)
          out.push_back({entries[i].key, static_cast<status>(entries[i].request->internal), entries[i].bytes});
      milliseconds = 0;
    } while (count == 64);
  }

  System& system_;
  ready_flag<System> ready_;
  handle port_;
  std::atomic<bool> woken_{false};
};

}  // namespace hotwatch::inline v0::detail::windows
