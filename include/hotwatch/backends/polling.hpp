// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The backend without hints: every directory is looked at, every poll_interval. Floor 4.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../os/native.hpp"

namespace hotwatch::inline v0 {

/// Polling: right on every file system, network ones included. What comes and goes between two looks is not seen, a
/// rename is told by file identity, and a file whose times were set counts as modified.
template <class System = native_system>
class basic_polling_backend {
 public:
  using directory = detail::os::directory<System>;
  static constexpr bool ignores_case = detail::os::names_ignore_case;
  static constexpr bool gives_hints = false;

  explicit basic_polling_backend(System system = {}) : system_(std::move(system)), alarm_(system_) {}

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    return directory::open(system_, path, ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) { return directory::look(system_, path, out); }
  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const {
    return detail::os::is_same_name(system_, a, b);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::os::resolve(system_, path); }
  [[nodiscard]] watch_answer watch(const directory&, watch_scope) noexcept { return {detail::no_watch, true}; }
  void unwatch(std::int32_t) noexcept {}
  guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept { return alarm_.wait(timeout); }
  template <class Sink>
  std::size_t drain(Sink&&) noexcept {
    return 0;
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept { alarm_.wake(); }

  [[nodiscard]] auto native_handle() { return alarm_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { alarm_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::os::file_clock_now(system_); }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  System system_;
  detail::os::alarm<System> alarm_;
};

using polling_backend = basic_polling_backend<>;

}  // namespace hotwatch::inline v0
