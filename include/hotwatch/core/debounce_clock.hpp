// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// When a batch is due. Time is an argument. Floor 2.

#include <chrono>

#include "../change.hpp"
#include "../options.hpp"

namespace hotwatch::inline v0::detail {

/// Knows when what is pending must be told, from nothing but the times at which something came.
///
/// With `settle` there are two answers: the *gap* moment, at which the batch is due if all in it is complete, and the
/// *quiet* moment, at which it is due anyhow. The gap is learned from the burst itself: four times the longest pause
/// so far between two hints, at least `shortest_gap`, at most `quiet`.
class debounce_clock {
 public:
  using time_point = clock::time_point;
  using duration = std::chrono::nanoseconds;

  static constexpr duration shortest_gap = std::chrono::milliseconds(1);
  static constexpr time_point never = time_point::max();

  explicit debounce_clock(const debounce& policy) noexcept : policy_(policy) {}

  /// Something came that is to be told, or that belongs to what is.
  void note(time_point now) noexcept {
    if (!pending_) {
      pending_ = true;
      first_ = now;
      longest_pause_ = duration(0);
      leading_ = policy_.leading && (!told_once_ || now - last_told_ >= policy_.quiet);
    } else if (now - last_ > longest_pause_) {
      longest_pause_ = now - last_;
    }
    last_ = now;
    unsettled_ = false;
  }

  [[nodiscard]] bool pending() const noexcept { return pending_; }

  /// The moment at which to ask again; `never` when nothing is pending.
  [[nodiscard]] time_point deadline() const noexcept {
    if (!pending_) return never;
    const time_point latest = first_ + policy_.max_wait;
    const time_point soonest = leading_ ? first_ : last_ + (policy_.settle && !unsettled_ ? gap() : policy_.quiet);
    return soonest < latest ? soonest : latest;
  }

  /// Whether the gap moment has come, but neither the quiet one nor the last one: the batch is due if it is complete.
  [[nodiscard]] bool asks_whether_complete(time_point now) const noexcept {
    return pending_ && policy_.settle && !unsettled_ && !leading_ && now < last_ + policy_.quiet &&
           now < first_ + policy_.max_wait;
  }

  [[nodiscard]] bool due(time_point now) const noexcept { return pending_ && now >= deadline(); }

  /// The batch is not complete: wait for the quiet moment, unless something more comes.
  void not_complete() noexcept { unsettled_ = true; }

  /// A file that its writer has open is held back until this moment.
  [[nodiscard]] time_point held_until(time_point seen) const noexcept {
    return policy_.settle ? seen + policy_.max_wait : time_point::min();
  }

  /// What was due was told; what was held back since `oldest` (or `never`) remains.
  void told(time_point now, time_point oldest) noexcept {
    told_once_ = true;
    last_told_ = now;
    pending_ = oldest != never;
    leading_ = false;
    unsettled_ = true;
    if (!pending_) return;
    // Only their closing, or max_wait, makes open files due; and what could not be told at all is tried again.
    const time_point latest = oldest + policy_.max_wait;
    const time_point again = now + shortest_gap;
    first_ = (latest > again ? latest : again) - policy_.max_wait;
    last_ = first_ + (policy_.max_wait - policy_.quiet);
  }

 private:
  [[nodiscard]] duration gap() const noexcept {
    const duration learned = 4 * longest_pause_;
    const duration gap = learned < shortest_gap ? shortest_gap : learned;
    return gap < policy_.quiet ? gap : policy_.quiet;
  }

  debounce policy_;
  bool pending_ = false;
  bool unsettled_ = false;
  bool leading_ = false;
  bool told_once_ = false;
  time_point first_{};
  time_point last_{};
  time_point last_told_{};
  duration longest_pause_{0};
};

}  // namespace hotwatch::inline v0::detail
