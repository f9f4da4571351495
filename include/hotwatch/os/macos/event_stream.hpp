// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// One stream of FSEvents, and the queue on which it calls. Floor 3.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "core_foundation.hpp"
#include "event_box.hpp"
#include "path_budget.hpp"
#include "types.hpp"

namespace hotwatch::inline v0::detail::macos {

/// A serial queue: on a concurrent one callbacks would overlap, and there would be nothing to wait for at the end.
template <class System>
class serial_queue {
 public:
  /// Throws std::system_error.
  explicit serial_queue(System& system) : system_(system), queue_(system_.dispatch_queue_create("hotwatch")) {
    if (queue_ == nullptr)
      throw std::system_error(std::make_error_code(std::errc::not_enough_memory), "hotwatch: dispatch_queue_create");
  }
  serial_queue(const serial_queue&) = delete;
  serial_queue& operator=(const serial_queue&) = delete;
  ~serial_queue() { system_.dispatch_release(queue_); }

  [[nodiscard]] queue_ref get() const noexcept { return queue_; }
  /// Returns when what runs on it has ended. Not to be called on it.
  void drain() noexcept {
    system_.dispatch_sync_f(queue_, nullptr, [](void*) {});
  }

 private:
  System& system_;
  queue_ref queue_;
};

/// What all streams of a backend share. `wake` is called on the queue, after the events are in the box.
template <class System, class Wake>
struct stream_target {
  System& system;
  serial_queue<System>& queue;
  event_box& box;
  Wake& wake;
};

/// Appends what it hears to the box, and wakes. Stays where it is: FSEvents has its address.
template <class System, class Wake>
class event_stream {
 public:
  using target = stream_target<System, Wake>;

  event_stream(const target& to, std::int32_t number, bool tree) noexcept : to_(to), number_(number), tree_(tree) {}
  event_stream(const event_stream&) = delete;
  event_stream& operator=(const event_stream&) = delete;
  ~event_stream() { close(); }

  /// Of a directory, by its canonical path. What happens after this has returned is told.
  [[nodiscard]] std::error_code open(std::string_view path) {
    directory_ = path;
    if (!ticket_.take(to_.system.open_files_limit())) return std::make_error_code(std::errc::too_many_files_open);
    const std::error_code ec = start(path);
    if (ec) ticket_ = {};
    return ec;
  }

  [[nodiscard]] std::int32_t number() const noexcept { return number_; }

  /// Whether all that is below the directory is heard, or only what becomes of the names in it.
  [[nodiscard]] bool is_tree() const noexcept { return tree_.load(std::memory_order_relaxed); }
  void set_tree(bool tree) noexcept { tree_.store(tree, std::memory_order_relaxed); }

 private:
  [[nodiscard]] std::error_code start(std::string_view path) {
    System& system = to_.system;
    const owned_cf<System> text = to_cf(system, path);
    if (text.get() == nullptr) return std::make_error_code(std::errc::illegal_byte_sequence);
    const owned_cf<System> paths(system, system.CFArrayCreate(text.get()));
    if (paths.get() == nullptr) return std::make_error_code(std::errc::not_enough_memory);
    // Whatever is younger than this moment; "since now" leaves it to the daemon which moment that is. Zero would be all
    // since the beginning of time.
    event_id since = system.FSEventsGetCurrentEventId();
    if (since == 0) since = since_now;
    // With a latency of 0.1 s git lost events of bursts, with this none (compat/fsmonitor/fsm-listen-darwin.c).
    constexpr double latency = 0.001;
    stream_ = system.FSEventStreamCreate(&event_stream::on_events, this, paths.get(), since, latency,
                                         use_cf_types | file_events | no_defer | watch_root);
    if (stream_ == nullptr) return std::make_error_code(std::errc::not_enough_memory);
    system.FSEventStreamSetDispatchQueue(stream_, to_.queue.get());
    is_started_ = system.FSEventStreamStart(stream_);
    if (is_started_) return {};
    // The header says that it ought to succeed; beyond some 400 streams a process, or 1024 a machine, it does not.
    close();
    return std::make_error_code(std::errc::resource_unavailable_try_again);
  }

  // Invalidating does not wait for a callback that is running: the queue does.
  void close() noexcept {
    if (stream_ == nullptr) return;
    if (std::exchange(is_started_, false)) to_.system.FSEventStreamStop(stream_);
    to_.system.FSEventStreamInvalidate(stream_);
    to_.queue.drain();
    to_.system.FSEventStreamRelease(std::exchange(stream_, nullptr));
  }

  static void on_events(const void*, void* info, std::size_t count, void* events, const std::uint32_t* flags,
                        const event_id*) {
    auto& self = *static_cast<event_stream*>(info);
    bool heard = false;
    for (std::size_t i = 0; i < count; ++i) heard |= self.append(events, i, flags[i]);
    if (heard) self.to_.wake.wake();
  }

  // FSEvents knows no stream that ends at the names of a directory. One at "/", where a symlink on the way to a root
  // stands (/tmp, /var), would else wake for each file of the machine.
  [[nodiscard]] bool is_too_deep(const fsevents::event& e) const noexcept {
    constexpr std::uint32_t of_more = fsevents::must_scan_subdirs | fsevents::user_dropped | fsevents::kernel_dropped |
                                      fsevents::root_changed | fsevents::mounted | fsevents::unmounted;
    std::string_view way;
    return !is_tree() && (e.flags & of_more) == 0 &&
           fsevents::stand_of(e.path, directory_, way) == fsevents::stand::below &&
           way.find('/') != std::string_view::npos;
  }

  // Returns whether anybody asks for it.
  bool append(cf_ref events, std::size_t i, std::uint32_t flags) noexcept {
    System& system = to_.system;
    fsevents::event e{flags, {}};
    const cf_ref path = system.CFArrayGetValueAtIndex(events, i);
    // Not as a file system representation, which would decompose it.
    if (system.CFStringGetCString(path, path_.data(), path_.size()))
      e.path = path_.data();
    else
      e.flags |= fsevents::must_scan_subdirs;  // of no path: everything
    if (is_too_deep(e)) return false;
    to_.box.add(number_, e);
    return true;
  }

  target to_;
  std::int32_t number_;
  std::atomic<bool> tree_;
  std::string directory_;
  path_ticket ticket_;
  stream_ref stream_ = nullptr;
  bool is_started_ = false;
  std::array<char, 4 * longest_path> path_{};  ///< the queue's
};

}  // namespace hotwatch::inline v0::detail::macos
