// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The turns of the engine: what came is read and settled, and what it left open is looked at. Floor 5.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "../backend.hpp"
#include "../core/debounce_clock.hpp"
#include "listener.hpp"
#include "look_outcome.hpp"
#include "lookup.hpp"
#include "name_doubts.hpp"
#include "name_looks.hpp"
#include "renames.hpp"
#include "root_keeper.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend, class Clock>
class pump {
 public:
  using time_point = clock::time_point;
  using duration = std::chrono::nanoseconds;

  pump(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan, root_keeper<Backend>& roots,
       name_doubts<Backend>& doubts, name_looks<Backend>& looks, renames<Backend>& renames,
       listener<Backend>& listener) noexcept
      : s_(state),
        lookup_(lookup),
        scan_(scan),
        roots_(roots),
        doubts_(doubts),
        looks_(looks),
        renames_(renames),
        listener_(listener) {}

  [[nodiscard]] static time_point now() { return time_point(Clock::now().time_since_epoch()); }
  [[nodiscard]] moment moment_now() { return {now(), s_.disk.file_now()}; }

  /// Asks the kernel once, without waiting. What it says is settled by the next turn.
  void read_what_came() {
    --reads_left_;
    read_since_ = s_.disk.file_now();
    if (!s_.disk.wait(duration(0))) s_.quiet_since = read_since_;
  }

  /// Reads and settles until the queue is empty, or all that it held at first was read.
  void read_all() {
    read_what_came();
    reads_left_ = most_reads + reads_queued(s_.disk);
    settle_read(moment_now());
    while (may_read_on()) {
      read_what_came();
      settle_read(moment_now());
    }
  }

  /// Settles what was read.
  void turn(moment m) {
    reads_left_ = most_reads;
    settle_read(m);
  }

  /// Looks at what the hints left in doubt, if the queue has been read to its end. A look may raise another doubt while
  /// the tree is being moved about. The hints that will settle it are on their way, so what is left after some rounds
  /// waits for them (or for a poll, or a barrier), not for a time. Returns whether there was anything to settle.
  bool settle_doubts() {
    if (doubts_wait_ || !has_doubts() || !s_.disk.drained()) return false;
    const moment m = moment_now();
    for (int rounds = 0; rounds < 4 && has_doubts() && s_.disk.drained(); ++rounds) {
      doubted_.clear();
      doubted_.swap(s_.doubts);
      forget_repetitions(doubted_);
      for (const doubtful& d : doubted_) {
        roots_.verify(d, m);
        // If it cannot be found it may be gone without a word.
        const node& n = s_.known[d.id];
        if (d.unread && n.in_tree && n.parent != no_node) doubt(n.parent, s_.known.name(d.id));
      }
      doubts_.settle(m);
      looks_.settle(m);
      lookup_.close();
    }
    doubts_wait_ = has_doubts() && s_.disk.drained();
    return true;
  }

  /// Looks at whatever no kernel watch stands for.
  void look_at_polled() {
    doubts_wait_ = false;
    std::erase_if(s_.polled, [&](node_id id) { return !s_.known[id].polled; });
    // A number that was given to another directory meanwhile may stand there twice.
    std::sort(s_.polled.begin(), s_.polled.end());
    s_.polled.erase(std::unique(s_.polled.begin(), s_.polled.end()), s_.polled.end());
    if (s_.polled.empty()) return;
    const moment m = moment_now();
    scan_.try_watches_again();
    constexpr scan_policy files{.files = true};
    scan_.begin_several();
    for (std::size_t i = 0, count = s_.polled.size(); i < count && !s_.stopped; ++i) {
      const node_id id = s_.polled[i];
      const node& n = s_.known[id];
      if (!n.polled) continue;
      // What could not be read may have been read after a loss.
      const scan_policy& policy = n.unreadable ? everything : files;
      if (has_own_way(n))
        roots_.rescan(n.attributes, policy, m);
      else if (n.unreadable || !s_.known[n.parent].polled)
        (void)scan_.scan(id, policy, m);
    }
    scan_.settle_several(files, m);
    next_poll_ = now() + s_.opts.poll_interval;
    plan_recent();
    lookup_.close();
  }

  /// Looks at all there is, where what has happened may be said late.
  void look_everywhere() {
    look_at_all(false, moment_now());
    roots_.check_suspects(moment_now());
    lookup_.close();
  }

  /// Directories may have come to be polled, or be polled no more.
  void plan_poll() {
    if (s_.polled.empty())
      next_poll_ = next_recent_ = debounce_clock::never;
    else if (next_poll_ == debounce_clock::never)
      next_poll_ = now() + s_.opts.poll_interval;
  }

  /// How long nothing can become due unless the kernel says something.
  [[nodiscard]] std::optional<duration> until_due() {
    if (backlog_ || (has_doubts() && !doubts_wait_) || roots_.has_suspects() || !s_.disk.drained()) return duration(0);
    time_point next = s_.due.deadline();
    if (!s_.polled.empty()) next = std::min({next, next_poll_, next_recent_});
    if (next == debounce_clock::never) return std::nullopt;
    const duration left = next - now();
    return left < duration(0) ? duration(0) : left;
  }

 private:
  // Whoever changes names faster than they are read keeps the queue from its end: a call reads so often at most,
  // besides what was there when it began.
  static constexpr int most_reads = 64;
  // A file that was seen to change is looked at so many times as often as the rest.
  static constexpr int looks_a_poll = 32;
  static constexpr duration shortest_interval = std::chrono::milliseconds(5);

  void doubt(node_id parent, std::string_view name) {
    if constexpr (only_says_where<Backend>)
      looks_.add(parent, {.kind = hint_kind::look_at_moved, .watch = s_.known[parent].watch, .name = name});
    else
      doubts_.doubt(parent, name);
  }

  void plan_recent() {
    const duration interval = duration(s_.opts.poll_interval) / looks_a_poll;
    next_recent_ = s_.recent.empty() ? debounce_clock::never : now() + std::max(interval, shortest_interval);
  }

  // Between two polls. Names that came or went are for the poll to tell.
  void look_at_recent(moment m) {
    const recent_nodes recent = s_.recent;  // what has changed moves to the front
    for (std::size_t i = 0; i < recent.size(); ++i) {
      const node_id id = recent[i];
      const node& n = s_.known[id];
      if (!n.in_tree || n.parent == no_node || n.type != entry_type::file || !s_.known[n.parent].polled) {
        s_.recent.forget(id);  // gone, and its number may be another's
        continue;
      }
      file_status status;
      if (!lookup_.look(n.parent, s_.known.name(id), status) && can_be(n, status.type))
        settle_content(s_, id, status, m);
    }
    plan_recent();
    lookup_.close();
  }

  // What cannot be settled yet is doubted once more by each poll. The unread one stands for both.
  static void forget_repetitions(std::vector<doubtful>& doubts) {
    std::sort(doubts.begin(), doubts.end(),
              [](const doubtful& a, const doubtful& b) { return a.id != b.id ? a.id < b.id : a.unread && !b.unread; });
    const auto is_same = [](const doubtful& a, const doubtful& b) { return a.id == b.id; };
    doubts.erase(std::unique(doubts.begin(), doubts.end(), is_same), doubts.end());
  }

  [[nodiscard]] bool has_doubts() const noexcept { return !(s_.doubts.empty() && doubts_.empty()); }

  void settle_read(moment m) {
    take_hints(m);
    // What belongs to what was read may be in the queue still.
    while (may_read_on() && (listener_.overflowed() || renames_.waits_for_halves())) read_on(m);
    if (renames_.waits_for_halves()) read_on(m);  // most often it is there by now
    while (!s_.stopped && reads_left_ > 0 && renames_.waits_for_halves()) {
      renames_.finish_renames();
      do read_on(m);
      while (may_read_on());
      renames_.give_up_halves(false, m);
    }
    renames_.give_up_halves(true, m);
    if (const bool dropped = listener_.take_overflow(); dropped || renames_.take_lost_track()) look_at_all(dropped, m);
    looks_.settle(m);
    roots_.check_suspects(m);
    if (backlog_ && s_.disk.drained()) {
      backlog_ = false;
      doubts_.end_of_backlog();
    }
    // All that was queued when it was read is settled.
    if (s_.disk.drained() && read_since_ > s_.quiet_since) s_.quiet_since = read_since_;
    if (!s_.polled.empty() && m.now >= next_poll_)
      look_at_polled();
    else if (m.now >= next_recent_)
      look_at_recent(m);
    lookup_.close();
  }

  [[nodiscard]] bool may_read_on() const { return !s_.disk.drained() && !s_.stopped && reads_left_ > 0; }

  void read_on(moment m) {
    --reads_left_;
    s_.disk.wait(duration(0));
    take_hints(m);
  }

  void take_hints(moment m) {
    bool news = false;
    const std::size_t records = s_.disk.drain([&](const hint& h) { news |= listener_.take(h, m); });
    s_.counted.kernel_events += records;
    if (records == 0) return;
    // The end of a watch that a look at a doubt has asked for (inotify(7): IN_IGNORED) is none: it would raise the
    // doubt again without end.
    if (news) doubts_wait_ = false;
    backlog_ = true;
  }

  // The kernel dropped events, or what it said does not fit: whatever it did not tell is found by looking.
  void look_at_all(bool overflowed, moment m) {
    s_.counted.overflows += overflowed ? 1u : 0u;
    scan_.begin_several();
    for (std::uint32_t i = 0; i < s_.roots.size(); ++i) {
      if (!s_.roots[i].alive) continue;
      roots_.rescan(i, everything, m);
      if (overflowed && !s_.roots[i].is_link)
        s_.notices.push_back({notice_kind::overflow, s_.labels[i].given, {}, overflow_advice<Backend>});
    }
    scan_.settle_several(everything, m);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  root_keeper<Backend>& roots_;
  name_doubts<Backend>& doubts_;
  name_looks<Backend>& looks_;
  renames<Backend>& renames_;
  listener<Backend>& listener_;
  int reads_left_ = 0;
  file_time read_since_ = 0;  ///< when the queue was asked last
  time_point next_poll_ = debounce_clock::never;
  time_point next_recent_ = debounce_clock::never;
  bool backlog_ = false;      ///< something was read since the queue was last read to its end
  bool doubts_wait_ = false;  ///< for hints
  std::vector<doubtful> doubted_;
};

}  // namespace hotwatch::inline v0::detail
