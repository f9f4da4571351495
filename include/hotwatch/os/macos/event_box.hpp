// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Where the dispatch queue leaves events, and the watcher finds them. Floor 3.

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../core/kept_memory.hpp"
#include "../../decode/fsevents.hpp"

namespace hotwatch::inline v0::detail::macos {

/// Events of several streams, in the order in which they came; their paths one behind the other.
class event_list {
 public:
  void add(std::int32_t stream, const fsevents::event& e) {
    entries_.push_back({stream, e.flags, paths_.size(), e.path.size()});
    paths_ += e.path;
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }
  [[nodiscard]] std::int32_t stream(std::size_t i) const noexcept { return entries_[i].stream; }
  [[nodiscard]] fsevents::event event(std::size_t i) const noexcept {
    const entry& e = entries_[i];
    return {e.flags, std::string_view(paths_).substr(e.path, e.length)};
  }
  /// What is kept, filled or not.
  [[nodiscard]] std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(entry) + paths_.capacity(); }
  [[nodiscard]] std::size_t path_bytes() const noexcept { return paths_.size(); }
  void clear() noexcept {
    clear_for_next_batch(entries_);
    if (entries_.capacity() == 0)
      std::string().swap(paths_);
    else
      paths_.clear();
  }

 private:
  struct entry {
    std::int32_t stream;
    std::uint32_t flags;
    std::size_t path;
    std::size_t length;
  };
  std::vector<entry> entries_;
  std::string paths_;
};

/// Thread-safe. The lock is held for as long as it takes to append an event, or to exchange two lists.
class event_box {
 public:
  /// A watcher that nobody asks must not fill the memory: beyond this events are dropped, and that is said.
  static constexpr std::size_t most_events = 100'000;
  static constexpr std::size_t most_path_bytes = 16 * 1024 * 1024;

  void add(std::int32_t stream, const fsevents::event& e) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      if (events_.size() < most_events && events_.path_bytes() + e.path.size() <= most_path_bytes)
        events_.add(stream, e);
      else
        dropped_ = true;
    } catch (...) {  // no memory
      dropped_ = true;
    }
    has_any_.store(true, std::memory_order_release);
  }

  /// `out` is empty before; returns whether events were dropped since the last call.
  [[nodiscard]] bool take(event_list& out) noexcept {
    const std::lock_guard lock(mutex_);
    std::swap(events_, out);
    has_any_.store(false, std::memory_order_release);
    return std::exchange(dropped_, false);
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    const std::lock_guard lock(mutex_);
    return events_.bytes();
  }

  [[nodiscard]] bool empty() const noexcept { return !has_any_.load(std::memory_order_acquire); }

 private:
  mutable std::mutex mutex_;
  event_list events_;
  bool dropped_ = false;
  std::atomic<bool> has_any_ = false;
};

}  // namespace hotwatch::inline v0::detail::macos
