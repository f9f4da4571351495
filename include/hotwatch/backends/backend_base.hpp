// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a backend answers that has no kernel object: its hints are what its owner says. Floor 4.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../os/native.hpp"

namespace hotwatch::inline v0 {

/// To derive from: what is left to write are the directories, the ways to them, and watch(). Hints are handed to say(),
/// on the thread that uses the watcher. Throws std::system_error when what wake() needs cannot be had.
template <class System = native_system>
class basic_backend_base {
 public:
  explicit basic_backend_base(System system = {}) : system_(std::move(system)), alarm_(system_) {}

  /// The next wait() is over at once, and the handle readable.
  void say(const hint& h) {
    said_.push_back({h, std::string(h.name)});
    wake();
  }

  void unwatch(std::int32_t) noexcept {}
  guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    if (!said_.empty()) timeout = std::chrono::nanoseconds(0);
    return alarm_.wait(timeout) || !said_.empty();
  }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    std::vector<owned_hint> all;  // what is said meanwhile is for the next time
    all.swap(said_);
    for (owned_hint& one : all) {
      one.what.name = one.name;
      sink(std::as_const(one.what));
    }
    return all.size();
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  template <class Directory>
  void finish_renames(const Directory&) noexcept {}
  void wake() noexcept { alarm_.wake(); }

  [[nodiscard]] auto native_handle() { return alarm_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { alarm_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::os::file_clock_now(system_); }

  [[nodiscard]] System& system() noexcept { return system_; }
  [[nodiscard]] const System& system() const noexcept { return system_; }

 private:
  struct owned_hint {
    hint what;
    std::string name;
  };

  System system_;
  detail::os::alarm<System> alarm_;
  std::vector<owned_hint> said_;
};

using backend_base = basic_backend_base<>;

}  // namespace hotwatch::inline v0
