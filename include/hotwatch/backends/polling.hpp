// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The backend without hints: every directory is looked at, every poll_interval. Floor 4.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../os/linux/directory.hpp"
#include "../os/linux/event_flag.hpp"
#include "../os/linux/ready_handle.hpp"
#include "../os/linux/root_path.hpp"
#include "../os/linux/system.hpp"
#include "../os/linux/time.hpp"

namespace hotwatch::inline v0 {

/// Polling: right on every file system, network ones included. What comes and goes between two looks is not seen, a
/// rename is told by file identity, and a file whose times were set counts as modified.
template <class System = linux_system>
class basic_polling_backend {
 public:
  using directory = detail::directory<System>;

  explicit basic_polling_backend(System system = {}) : system_(std::move(system)), ready_(system_), woken_(system_) {
    woken_.open();
  }

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    return directory::open(system_, path, ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) noexcept {
    return directory::look(system_, path, out);
  }
  [[nodiscard]] std::string resolve(const char* path) {
    return detail::walk_root_path(system_, path, [](detail::path_step, const std::string&) {});
  }
  [[nodiscard]] watch_answer watch(const directory&, bool) noexcept { return {detail::no_watch, true}; }
  void unwatch(std::int32_t) noexcept {}
  guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    pollfd fd{woken_.fd(), POLLIN, 0};
    timespec time{};
    if (timeout && timeout->count() > 0) time = detail::to_timespec(*timeout);
    return system_.ppoll(&fd, 1, timeout ? &time : nullptr) > 0 && woken_.lower();
  }
  template <class Sink>
  std::size_t drain(Sink&&) noexcept {
    return 0;
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept { woken_.raise(); }

  [[nodiscard]] int native_handle() { return ready_.open(woken_.fd(), -1); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::file_clock_now(system_); }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  System system_;
  detail::ready_handle<System> ready_;
  detail::event_flag<System> woken_;
};

using polling_backend = basic_polling_backend<>;

}  // namespace hotwatch::inline v0
