// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// basic_watcher: the engine, pulled by whoever waits. It has no thread and holds no lock. Floor 5.

#include <algorithm>
#include <atomic>
#include <chrono>
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
#include "engine/path_argument.hpp"
#include "engine/renames.hpp"
#include "engine/root_keeper.hpp"
#include "engine/scanner.hpp"
#include "engine/state.hpp"
#include "error.hpp"
#include "options.hpp"

namespace hotwatch::inline v0 {

namespace detail {
class background_access;
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
  /// or what the kernel said (EMFILE: no descriptor or no inotify instance left).
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
    if ((ec = roots_.add(id, std::move(given), std::move(absolute), chosen, moment_now()))) {
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
    ec = roots_.remove(given, absolute, moment_now());
    end_of_turn();
  }

  /// Blocks until a batch is due. Empty once stopped.
  const batch& wait() {
    while (!stopped()) {
      if (const batch* due = consume()) return *due;
      const std::optional<duration> longest = time_to_block();
      if (!stopped()) block(longest);  // what was read may have been the wake-up of stop()
    }
    return nothing();
  }

  /// The same, empty when the time is over.
  template <class Rep, class Period>
  const batch& wait_for(std::chrono::duration<Rep, Period> longest) {
    const time_point end = detail::later(now(), longest);
    read_what_came();
    while (!stopped()) {
      if (const batch* due = consume()) return *due;
      const duration left = end - now();
      if (left <= duration(0)) break;
      const std::optional<duration> next = time_to_block();
      if (!stopped()) block(next && *next < left ? *next : left);
    }
    return nothing();
  }

  /// Never blocks: the batch that is due now, or an empty one.
  const batch& poll() {
    if (stopped()) return nothing();
    read_what_came();
    const batch* due = consume();
    return due != nullptr ? *due : nothing();
  }

  /// A barrier: everything that happened before this call, whether it would be held or not. Polled roots and
  /// directories are looked at now.
  const batch& flush() {
    if (stopped()) return nothing();
    read_all();
    look_at_polled();
    settle_doubts();
    const batch* all = tell(true, moment_now());
    end_of_turn();
    return all != nullptr ? *all : nothing();
  }

  /// "I wrote this myself": what is on disk at `path` and below it now is known to the user, so it is no change.
  /// `path` as changes spell it. Does nothing when it is below no root.
  template <detail::path_like Path>
  void acknowledge(const Path& path) {
    read_all();
    const detail::moment m = moment_now();
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

  /// Ends the watcher: wait() returns an empty batch, now and ever after. From any thread, callback or signal handler.
  void stop() noexcept {
    stopped_.store(true);
    s_.disk.wake();
  }
  [[nodiscard]] bool stopped() const noexcept { return stopped_.load(); }

  /// One descriptor that is readable when poll() has something to do, deadlines included; level-triggered, owned by the
  /// watcher. Call poll() whenever it is readable. Throws std::system_error.
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
    for (const detail::node_id id : s_.polled) counted.polled_directories += s_.known[id].polled ? 1u : 0u;
    counted.name_bytes = s_.known.names().bytes();
    counted.bytes = s_.known.bytes() + s_.told.bytes() + s_.watches.bytes() + s_.differing.bytes();
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

  /// The backend, for tests.
  [[nodiscard]] Backend& used_backend() noexcept { return s_.disk; }

 private:
  friend class detail::background_access;
  using time_point = clock::time_point;
  using duration = std::chrono::nanoseconds;

  [[nodiscard]] static time_point now() { return time_point(Clock::now().time_since_epoch()); }
  [[nodiscard]] detail::moment moment_now() { return {now(), s_.disk.file_now()}; }

  [[nodiscard]] const batch& nothing() noexcept { return batch_ = batch(); }

  // The three steps of a wait, apart, so that a background thread can let go of its lock for the last one.

  /// Settles what was read, and returns the batch if it is due.
  [[nodiscard]] const batch* consume() {
    // The user may have been away since the last read: what came meanwhile belongs to what is pending.
    if (s_.due.pending() && s_.disk.drained()) read_what_came();
    const detail::moment m = moment_now();
    turn(m);
    const batch* due = tell(false, m);
    // What is in doubt is looked at behind the batch, not before it.
    if (due == nullptr && settle_doubts()) due = tell(false, m);
    end_of_turn();
    return due;
  }

  /// How long nothing can become due unless the kernel says something.
  [[nodiscard]] std::optional<duration> until_due() {
    if (backlog_ || (has_doubts() && !doubts_wait_) || roots_.has_suspects() || !s_.disk.drained()) return duration(0);
    time_point next = s_.due.deadline();
    if (!s_.polled.empty() && next_poll_ < next) next = next_poll_;
    if (next == detail::debounce_clock::never) return std::nullopt;
    const duration left = next - now();
    return left < duration(0) ? duration(0) : left;
  }

  /// The same, after a last look at what came.
  [[nodiscard]] std::optional<duration> time_to_block() {
    read_what_came();
    return until_due();
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

  void read_what_came() {
    read_since_ = s_.disk.file_now();
    if (!s_.disk.wait(duration(0))) s_.quiet_since = read_since_;
  }

  void read_all() {
    do {
      read_what_came();
      turn(moment_now());
    } while (!s_.disk.drained() && !stopped());
  }

  void turn(detail::moment m) {
    drain(m);
    // What belongs to what was read may be in the queue still.
    while (!s_.disk.drained() && !stopped() && (listener_.overflowed() || renames_.waits_for_halves())) {
      s_.disk.wait(duration(0));
      drain(m);
    }
    if (renames_.waits_for_halves()) {  // most often it is there by now
      s_.disk.wait(duration(0));
      drain(m);
    }
    while (!stopped() && renames_.waits_for_halves()) {
      renames_.finish_renames();
      do {
        s_.disk.wait(duration(0));
        drain(m);
      } while (!s_.disk.drained() && !stopped());
      renames_.give_up_halves(false, m);
    }
    renames_.give_up_halves(true, m);
    if (const bool dropped = listener_.take_overflow(); dropped || renames_.take_lost_track()) look_at_all(dropped, m);
    roots_.check_suspects(m);
    if (backlog_ && s_.disk.drained()) {
      backlog_ = false;
      doubts_.end_of_backlog();
    }
    // All that was queued when it was read is settled.
    if (s_.disk.drained() && read_since_ > s_.quiet_since) s_.quiet_since = read_since_;
    if (m.now >= next_poll_ && !s_.polled.empty()) look_at_polled();
    lookup_.close();
  }

  // A look may raise another doubt while the tree is being moved about. The hints that will settle it are on their way,
  // so what is left waits for the next of them, not for a time. Returns whether there was anything to settle.
  bool settle_doubts() {
    if (doubts_wait_ || !has_doubts() || !s_.disk.drained()) return false;
    const detail::moment m = moment_now();
    for (int rounds = 0; rounds < 4 && has_doubts() && s_.disk.drained(); ++rounds) {
      doubted_.clear();
      doubted_.swap(s_.doubts);
      for (const detail::doubtful& d : doubted_) roots_.verify(d, m);
      lookup_.close();
      doubts_.settle(m);
    }
    lookup_.close();
    doubts_wait_ = has_doubts() && s_.disk.drained();
    return true;
  }
  [[nodiscard]] bool has_doubts() const noexcept { return !(s_.doubts.empty() && doubts_.empty()); }

  void drain(detail::moment m) {
    const std::size_t records = s_.disk.drain([&](const hint& h) { listener_.take(h, m); });
    s_.counted.kernel_events += records;
    if (records == 0) return;
    doubts_wait_ = false;
    backlog_ = true;
  }

  // The kernel dropped events, or what it said does not fit: whatever it did not tell is found by looking.
  void look_at_all(bool overflowed, detail::moment m) {
    s_.counted.overflows += overflowed ? 1u : 0u;
    constexpr detail::scan_policy everything{true, true, true};
    scan_.begin_several();
    for (std::uint32_t i = 0; i < s_.roots.size(); ++i) {
      if (!s_.roots[i].alive) continue;
      roots_.rescan(i, everything, m);
      if (overflowed)
        s_.notices.push_back(
            {notice_kind::overflow, s_.labels[i].given, {}, "raise sysctl fs.inotify.max_queued_events"});
    }
    scan_.settle_several(everything, m);
  }

  void look_at_polled() {
    std::erase_if(s_.polled, [&](detail::node_id id) { return !s_.known[id].polled; });
    // A number that was given to another directory meanwhile may stand there twice.
    std::sort(s_.polled.begin(), s_.polled.end());
    s_.polled.erase(std::unique(s_.polled.begin(), s_.polled.end()), s_.polled.end());
    if (s_.polled.empty()) return;
    const detail::moment m = moment_now();
    scan_.try_watches_again();
    constexpr detail::scan_policy files{true, false, false};
    scan_.begin_several();
    for (std::size_t i = 0, count = s_.polled.size(); i < count; ++i) {
      const detail::node_id id = s_.polled[i];
      const detail::node& n = s_.known[id];
      if (!n.polled) continue;
      if (n.parent == detail::no_node)
        roots_.rescan(n.attributes, files, m);
      else if (!s_.known[n.parent].polled)
        (void)scan_.scan(id, files, m);
    }
    scan_.settle_several(files, m);
    next_poll_ = now() + s_.opts.poll_interval;
    lookup_.close();
  }

  [[nodiscard]] const batch* tell(bool all, detail::moment m) {
    const time_point at = m.now;
    if (!all) {
      if (s_.due.pending() ? !s_.due.due(at) : s_.notices.empty()) return nullptr;
      if (s_.due.pending()) {
        learn_types(m);
        if (s_.due.asks_whether_complete(at) && !s_.differing.is_complete()) {
          s_.due.not_complete();
          return nullptr;
        }
      }
    } else {
      learn_types(m);
    }
    const time_point oldest = s_.differing.tell(s_.due, at, all);
    if (s_.due.pending()) s_.due.told(at, oldest);
    told_notices_.clear();
    notice_texts_.clear();
    notice_texts_.swap(s_.notices);
    for (const detail::owned_notice& n : notice_texts_) told_notices_.push_back({n.kind, n.path, n.error, n.advice});
    batch_ = batch(s_.differing.changes(), told_notices_);
    if (batch_.empty()) return nullptr;
    ++s_.counted.batches;
    s_.counted.changes += batch_.size();
    return &batch_;
  }

  // The kernel only says "directory or not". What a new name really is, is looked at before it is told; most files
  // have been written to by then, which only files are.
  void learn_types(detail::moment m) {
    auto& records = s_.told.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
      const detail::node_id id = records[i].node;
      if (id == detail::no_node || s_.known[id].type != entry_type::unknown || !s_.known[id].in_tree) continue;
      file_status status;
      if (!lookup_.look_by_path(s_.known[id].parent, s_.known.name(id), status)) {
        if (status.type == entry_type::directory) continue;
        detail::node& n = s_.known[id];
        n.type = status.type;
        n.file_id = status.file_id;
        doubts_.note_look(n.parent, s_.known.name(id));
        // A symlink, a device, or a second link to a file: nobody is writing it because it was just made.
        if (status.type != entry_type::file || status.links > 1) n.open = false;
      } else if (m.now - records[i].seen > s_.opts.debounce.max_wait + given_up_after) {
        s_.settle.vanish(id, m);  // it went without a word
      }
    }
    lookup_.close();
  }
  static constexpr duration given_up_after = std::chrono::milliseconds(100);

  void end_of_turn() {
    if (!s_.polled.empty() && next_poll_ == detail::debounce_clock::never) next_poll_ = now() + s_.opts.poll_interval;
    if (s_.polled.empty()) next_poll_ = detail::debounce_clock::never;
    if (!armed_) return;
    const std::optional<duration> next = !s_.notices.empty() && !s_.due.pending() ? duration(0) : until_due();
    // A timer that ends at once costs 20 us on a virtual machine, a wake-up 1 us.
    if (next && next->count() <= 0)
      s_.disk.wake();
    else
      s_.disk.arm(next);
  }

  detail::engine_state<Backend> s_;
  detail::lookup<Backend> lookup_{s_};
  detail::scanner<Backend> scan_{s_, lookup_};
  detail::root_keeper<Backend> roots_{s_, scan_};
  detail::name_doubts<Backend> doubts_{s_, lookup_, scan_};
  detail::renames<Backend> renames_{s_, lookup_, scan_, doubts_};
  detail::listener<Backend> listener_{s_, lookup_, scan_, roots_, renames_, doubts_};
  std::uint32_t next_root_ = 0;
  file_time read_since_ = 0;  ///< when the queue was asked last
  time_point next_poll_ = detail::debounce_clock::never;
  bool armed_ = false;
  bool doubts_wait_ = false;
  bool backlog_ = false;  ///< something was read since the queue was last read to its end
  std::atomic<bool> stopped_{false};
  batch batch_;
  std::vector<detail::doubtful> doubted_;
  std::vector<notice> told_notices_;
  std::vector<detail::owned_notice> notice_texts_;
};

/// The watcher to use: the platform's own backend.
using watcher = basic_watcher<native_backend>;
/// Looks at everything every poll_interval: for file systems whose changes the kernel does not tell.
using polling_watcher = basic_watcher<polling_backend>;

}  // namespace hotwatch::inline v0
