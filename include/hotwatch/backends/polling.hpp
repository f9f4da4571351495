// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The backend without hints: every directory is looked at, every poll_interval. Floor 4.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "../backend.hpp"
#include "../os/linux/directory.hpp"
#include "../os/linux/ready_handle.hpp"
#include "../os/linux/root_path.hpp"
#include "../os/linux/system.hpp"

namespace hotwatch::inline v0 {

/// Polling: right on every file system, network ones included. What comes and goes between two looks is not seen, a
/// rename is told by file identity, and a file whose times were set counts as modified.
template <class System = linux_system>
class basic_polling_backend {
 public:
  using directory = detail::directory<System>;

  explicit basic_polling_backend(System system = {}) : system_(std::move(system)), ready_(system_) {
    event_ = system_.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_ < 0) throw std::system_error(detail::last_error(), "hotwatch: eventfd");
  }
  basic_polling_backend(const basic_polling_backend&) = delete;
  basic_polling_backend& operator=(const basic_polling_backend&) = delete;
  ~basic_polling_backend() { system_.close(event_); }

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
  std::error_code guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    pollfd fd{event_, POLLIN, 0};
    timespec time{};
    if (timeout && timeout->count() > 0) {
      time.tv_sec = static_cast<time_t>(timeout->count() / 1'000'000'000);
      time.tv_nsec = static_cast<long>(timeout->count() % 1'000'000'000);
    }
    if (system_.ppoll(&fd, 1, timeout ? &time : nullptr) <= 0) return false;
    std::uint64_t count;
    return system_.read(event_, &count, sizeof count) > 0;
  }
  template <class Sink>
  std::size_t drain(Sink&&) noexcept {
    return 0;
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept {
    const int saved = errno;
    const std::uint64_t one = 1;
    (void)!system_.write(event_, &one, sizeof one);
    errno = saved;
  }

  [[nodiscard]] int native_handle() { return ready_.open(event_, -1); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { ready_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept {
    timespec now{};
    system_.clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return static_cast<file_time>(now.tv_sec) * 1'000'000'000u + static_cast<file_time>(now.tv_nsec);
  }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  System system_;
  detail::ready_handle<System> ready_;
  int event_ = -1;
};

using polling_backend = basic_polling_backend<>;

}  // namespace hotwatch::inline v0
