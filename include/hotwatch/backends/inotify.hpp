// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The Linux backend for everybody: inotify(7), one instance for all roots of a watcher. Floor 4.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../os/linux/descriptor_path.hpp"
#include "../os/linux/directory.hpp"
#include "../os/linux/inotify_queue.hpp"
#include "../os/linux/root_path.hpp"
#include "../os/linux/system.hpp"
#include "../os/linux/time.hpp"
#include "../os/linux/way_guard.hpp"

namespace hotwatch::inline v0 {

/// inotify. One watch a directory, told apart by handles (watch descriptors); nothing is polled unless the limit of
/// watches is reached. What inotify cannot see is seen by nobody here: changes made by other machines on network file
/// systems, stores through a mapping until the file is closed, and writes through a hard link from outside.
template <class System = linux_system>
class basic_inotify_backend {
 public:
  using directory = detail::directory<System>;
  static constexpr std::string_view overflow_advice = "raise sysctl fs.inotify.max_queued_events";

  explicit basic_inotify_backend(System system = {}) : system_(std::move(system)), queue_(system_), path_(system_) {}

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    path_.forget();
    return directory::open(system_, path, ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) noexcept {
    return directory::look(system_, path, out);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::resolve(system_, path); }

  /// By the descriptor, so that it is this directory which is watched whatever its path means by now.
  [[nodiscard]] watch_answer watch(const directory& d, watch_scope scope) {
    // IN_MASK_ADD: a directory that is reached twice has one watch. To add a live watch again without it makes the
    // kernel drop events while the mask is replaced (20 to 206 of 100,000, measured).
    const std::uint32_t mask =
        entries | (scope == watch_scope::inside ? 0u : detail::of_itself) | IN_ONLYDIR | IN_EXCL_UNLINK | IN_MASK_ADD;
    const int watch = system_.inotify_add_watch(queue_.fd(), path_.of(d.fd()), mask);
    if (watch >= 0) return {watch};
    const std::error_code why = detail::last_error();
    return {detail::no_watch, true, why, advice_about(why)};
  }

  /// What can be done when a watch, or the backend itself, cannot be had.
  [[nodiscard]] static std::string_view advice_about(std::error_code why) noexcept {
    if (why == std::errc::no_space_on_device)
      return "raise the limit of watches: sysctl fs.inotify.max_user_watches, in a user namespace "
             "user.max_inotify_watches";
    if (why == std::errc::too_many_files_open)
      return "raise the limit of instances: sysctl fs.inotify.max_user_instances, in a user namespace "
             "user.max_inotify_instances";
    if (why == std::errc::function_not_supported) return "this system has no inotify, as emulators have none";
    if (why == std::errc::not_enough_memory) return "the kernel is out of memory for watches";
    return {};
  }

  void unwatch(std::int32_t watch) noexcept { system_.inotify_rm_watch(queue_.fd(), watch); }

  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    return detail::guard_way(system_, queue_.fd(), path, guards);
  }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept { return queue_.wait(timeout); }
  [[nodiscard]] bool drained() const noexcept { return queue_.drained(); }
  [[nodiscard]] int reads_queued() const noexcept { return queue_.reads_queued(); }
  void wake() noexcept { queue_.wake(); }

  template <class Sink>
  std::size_t drain(Sink&& sink) {
    return queue_.drain(sink);
  }

  void finish_renames(const directory& d) { detail::outwait_renames(system_, d.fd()); }

  [[nodiscard]] int native_handle() { return queue_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { queue_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::file_clock_now(system_); }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  // No IN_OPEN, IN_ACCESS or IN_CLOSE_NOWRITE: looking at files would make events of its own.
  static constexpr std::uint32_t entries =
      IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB;

  System system_;
  detail::inotify_queue<System> queue_;
  detail::descriptor_path<System> path_;
};

using inotify_backend = basic_inotify_backend<>;

}  // namespace hotwatch::inline v0
