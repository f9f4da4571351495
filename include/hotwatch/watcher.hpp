// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// basic_watcher: the engine, pulled by whoever waits. It has no thread and holds no lock. Floor 5.

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

#include "backend.hpp"
#include "backends/native.hpp"
#include "backends/polling.hpp"
#include "change.hpp"
#include "engine/acknowledgement.hpp"
#include "engine/listener.hpp"
#include "engine/name_doubts.hpp"
#include "engine/name_looks.hpp"
#include "engine/path_argument.hpp"
#include "engine/pump.hpp"
#include "engine/renames.hpp"
#include "engine/root_keeper.hpp"
#include "engine/scanner.hpp"
#include "engine/state.hpp"
#include "engine/teller.hpp"
#include "error.hpp"
#include "options.hpp"

namespace hotwatch::inline v0 {

namespace detail {
template <class Watcher>
class background;
}

/// Watches any number of roots and tells what changed below them.
///
/// Nothing runs but the caller: a change is read, settled and told inside wait(), wait_for(), poll() and flush(). The
/// batch they return, and all views in it, live until the next of these calls.
///
/// Thread-safety: one thread at a time, except stop() and stopped(), which may be called from any thread, and from
/// signal handlers. Distinct watchers are independent.
template <backend Backend, class Clock = std::chrono::steady_clock>
class basic_watcher {
 public:
  /// Opens the kernel object. Further arguments make the backend (tests give it a scripted system).
  /// Throws std::system_error: errc::malformed_glob (with the pattern and the column), errc::option_out_of_range,
  /// or what the kernel said (EMFILE: no descriptor left; a backend without fallback: or no inotify instance).
  template <class... BackendArguments>
  explicit basic_watcher(options chosen = {}, BackendArguments&&... arguments)
      : s_(detail::checked(std::move(chosen)), std::forward<BackendArguments>(arguments)...) {}

  basic_watcher(const basic_watcher&) = delete;
  basic_watcher& operator=(const basic_watcher&) = delete;

  /// Watches a directory, or one file, which may be replaced, removed and made again. When this returns, every later
  /// change below it is told. A directory below it that cannot be watched or read is told as a notice; an error of the
  /// root itself leaves nothing behind.
  ///
  /// `path` is a const char*, a std::string_view or anything with .native(), as std::filesystem::path; relative paths
  /// are meant from the directory that is current now. Symlinks in it are followed, and their change is noticed.
  ///
  /// Errors: ENOENT, EACCES, ENOTDIR, EMFILE ..., errc::root_exists, errc::empty_path, errc::path_has_nul,
  /// errc::not_a_file_or_directory. Throws std::system_error, whose what() names the path and the reason.
  template <detail::path_like Path>
  root_id add(const Path& path, root_options chosen = {}) {
    std::error_code ec;
    const root_id id = add(path, chosen, ec);
    if (ec) detail::throw_for_path(ec, "add", path);
    return id;
  }
  template <detail::path_like Path>
  root_id add(const Path& path, root_options chosen, std::error_code& ec) {
    std::string given;
    std::string absolute;
    if ((ec = detail::read_path(path, given, absolute))) return root_id{};
    const root_id id{next_root_};
    const std::size_t notices = s_.notices.size();
    if (s_.known.directories() == 0) s_.quiet_since = s_.disk.file_now();
    if ((ec = roots_.add(id, std::move(given), std::move(absolute), chosen, pump_.moment_now()))) {
      s_.notices.resize(notices);  // nothing of this root is told
      return root_id{};
    }
    ++next_root_;
    end_of_turn();
    return id;
  }

  /// Ends a root: nothing of it is told any more. Errors: errc::unknown_root; the throwing form names the path.
  template <detail::path_like Path>
  void remove(const Path& path) {
    std::error_code ec;
    remove(path, ec);
    if (ec) detail::throw_for_path(ec, "remove", path);
  }
  template <detail::path_like Path>
  void remove(const Path& path, std::error_code& ec) {
    std::string given;
    std::string absolute;
    if ((ec = detail::read_path(path, given, absolute))) return;
    ec = roots_.remove(given, absolute, pump_.moment_now());
    end_of_turn();
  }

  /// Blocks until a batch is due. Empty once stopped.
  const batch& wait() {
    while (!stopped()) {
      if (const batch* due = consume()) return *due;
      const std::optional<duration> longest = time_to_block();
      if (!stopped()) block(longest);  // what was read may have been the wake-up of stop()
    }
    return teller_.nothing();
  }

  /// The same, empty when the time is over.
  template <class Rep, class Period>
  const batch& wait_for(std::chrono::duration<Rep, Period> longest) {
    const time_point end = detail::later(now(), longest);
    pump_.read_what_came();
    while (!stopped()) {
      if (const batch* due = consume()) return *due;
      const duration left = end - now();
      if (left <= duration(0)) break;
      const std::optional<duration> next = time_to_block();
      if (!stopped()) block(next && *next < left ? *next : left);
    }
    return teller_.nothing();
  }

  /// Never blocks: the batch that is due now, or an empty one.
  const batch& poll() {
    if (stopped()) return teller_.nothing();
    pump_.read_what_came();
    const batch* due = consume();
    return due != nullptr ? *due : teller_.nothing();
  }

  /// A barrier: everything that happened before this call, whether it would be held or not. Polled roots and
  /// directories are looked at now.
  const batch& flush() {
    if (stopped()) return teller_.nothing();
    pump_.read_all();
    pump_.look_at_polled();
    if constexpr (detail::tells_late<Backend>) pump_.look_everywhere();
    // What settles a doubt may bring hints, be it of a watch that ended: they are first, and the doubt comes after
    // them.
    for (int rounds = 0; rounds < most_rounds && pump_.settle_doubts() && !s_.disk.drained(); ++rounds)
      pump_.read_all();
    const batch* all = teller_.tell(true, pump_.moment_now());
    end_of_turn();
    return all != nullptr ? *all : teller_.nothing();
  }

  /// "I wrote this myself": what is on disk at `path` and below it now is known to the user, so it is no change.
  /// `path` as changes spell it. Does nothing when it is below no root, or once stopped.
  template <detail::path_like Path>
  void acknowledge(const Path& path) {
    if (stopped()) return;
    pump_.read_all();
    const detail::moment m = pump_.moment_now();
    detail::acknowledgement<Backend>(s_, lookup_, scan_, roots_).take(detail::path_text_of(path), m);
    if (s_.told.empty()) s_.due.told(m.now, detail::debounce_clock::never);
    end_of_turn();
  }

  /// Calls fn(std::string_view path, entry_type) for every entry that the user knows of by now: right after add() what
  /// is there; later, what the changes told so far made of it. In no particular order; roots are not entries.
  template <class Fn>
  void for_each(Fn&& fn) {
    std::string path;
    for (detail::node_id id = 0; id < s_.known.size(); ++id) {
      const detail::node& n = s_.known[id];
      const detail::record* r = s_.told.find(id);
      if (n.hidden || (r != nullptr ? !r->told : !n.in_tree)) continue;
      if (s_.paths.place_of(id, detail::view::told).parent == detail::no_node) continue;
      path.clear();
      s_.paths.append(id, detail::view::told, path);
      fn(std::string_view(path), r != nullptr ? r->told_type : n.type);
    }
  }

  /// Ends the watcher: wait() returns an empty batch, now and ever after, and an add() that is under way reads no
  /// further directory. From any thread, callback or signal handler.
  void stop() noexcept {
    s_.stopped.store(true);
    s_.disk.wake();
  }
  [[nodiscard]] bool stopped() const noexcept { return s_.stopped.load(); }

  /// One descriptor, on Windows a HANDLE, that is readable (signalled) when poll() has something to do, deadlines
  /// included; level-triggered, owned by the watcher. Call poll() whenever it is. Throws std::system_error.
  [[nodiscard]] auto native_handle() {
    auto handle = s_.disk.native_handle();
    armed_ = true;
    end_of_turn();
    return handle;
  }

  [[nodiscard]] statistics stats() const {
    statistics counted = s_.counted;
    counted.directories = s_.known.directories();
    counted.files = s_.known.files();
    std::vector<detail::node_id> polled = s_.polled;
    std::erase_if(polled, [&](detail::node_id id) { return !s_.known[id].polled; });
    std::sort(polled.begin(), polled.end());  // one that was not polled for a moment stands there twice
    counted.polled_directories = static_cast<std::uint64_t>(std::unique(polled.begin(), polled.end()) - polled.begin());
    counted.name_bytes = s_.known.names().bytes();
    counted.bytes = s_.known.bytes() + s_.told.bytes() + s_.watches.bytes() + s_.differing.bytes();
    if constexpr (requires { s_.disk.bytes(); }) counted.bytes += s_.disk.bytes();
    return counted;
  }

  /// The changes as a range: each step is a wait(); the end is reached after stop().
  class iterator {
   public:
    using value_type = batch;
    using difference_type = std::ptrdiff_t;
    struct sentinel {};

    iterator() = default;
    explicit iterator(basic_watcher& owner) : owner_(&owner) { ++*this; }
    const batch& operator*() const noexcept { return *current_; }
    iterator& operator++() {
      current_ = &owner_->wait();
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& i, sentinel) noexcept { return i.current_->empty(); }

   private:
    basic_watcher* owner_ = nullptr;
    const batch* current_ = nullptr;
  };
  [[nodiscard]] iterator begin() { return iterator(*this); }
  [[nodiscard]] typename iterator::sentinel end() const noexcept { return {}; }

  /// The backend, for those who brought their own.
  [[nodiscard]] Backend& used_backend() noexcept { return s_.disk; }

 private:
  template <class Watcher>
  friend class detail::background;
  using time_point = clock::time_point;
  using duration = std::chrono::nanoseconds;
  // Of a barrier, while the tree is being moved about.
  static constexpr int most_rounds = 8;

  [[nodiscard]] static time_point now() { return detail::pump<Backend, Clock>::now(); }

  // The three steps of a wait, apart, so that a background thread can let go of its lock for the last one.

  /// Settles what was read, and returns the batch if it is due.
  [[nodiscard]] const batch* consume() {
    // The user may have been away since the last read: what came meanwhile belongs to what is pending.
    if (s_.due.pending() && s_.disk.drained()) pump_.read_what_came();
    const detail::moment m = pump_.moment_now();
    pump_.turn(m);
    const batch* due = teller_.tell(false, m);
    // What is in doubt is looked at behind the batch, not before it.
    if (due == nullptr && pump_.settle_doubts()) due = teller_.tell(false, m);
    end_of_turn();
    return due;
  }

  /// How long nothing can become due unless the kernel says something, after a last look at what came.
  [[nodiscard]] std::optional<duration> time_to_block() {
    pump_.read_what_came();
    return pump_.until_due();
  }

  void block(std::optional<duration> longest) {
    if (longest && longest->count() <= 0) return;
    if (s_.opts.spin.count() > 0) {
      const time_point end = now() + (longest && *longest < s_.opts.spin ? *longest : duration(s_.opts.spin));
      do
        if (s_.disk.wait(duration(0)) || stopped()) return;
      while (now() < end);
      if (longest) *longest -= *longest < s_.opts.spin ? *longest : duration(s_.opts.spin);
    }
    s_.disk.wait(longest);
  }

  void end_of_turn() {
    pump_.plan_poll();
    if (!armed_) return;
    const std::optional<duration> next = !s_.notices.empty() && !s_.due.pending() ? duration(0) : pump_.until_due();
    // Not by a timer that ends at once: that wakes the waiter by an interrupt (docs/performance.md).
    if (next && next->count() <= 0)
      s_.disk.wake();
    else
      s_.disk.arm(next);
  }

  detail::engine_state<Backend> s_;
  detail::lookup<Backend> lookup_{s_};
  detail::scanner<Backend> scan_{s_, lookup_};
  detail::root_keeper<Backend> roots_{s_, lookup_, scan_};
  detail::name_doubts<Backend> doubts_{s_, lookup_, scan_};
  detail::renames<Backend> renames_{s_, lookup_, scan_, doubts_};
  detail::name_looks<Backend> looks_{s_, lookup_, scan_};
  detail::listener<Backend> listener_{s_, lookup_, scan_, roots_, renames_, doubts_, looks_};
  detail::pump<Backend, Clock> pump_{s_, lookup_, scan_, roots_, doubts_, looks_, renames_, listener_};
  detail::teller<Backend> teller_{s_, lookup_, scan_, roots_, doubts_};
  std::uint32_t next_root_ = 0;
  bool armed_ = false;
};

/// The watcher to use: the platform's own backend, and polling where that does not hear of all changes.
using watcher = basic_watcher<native_backend>;
/// Looks at everything every poll_interval: for file systems whose changes the kernel does not tell.
using polling_watcher = basic_watcher<polling_backend>;

}  // namespace hotwatch::inline v0
