// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The order in which net effects can be told, and applied, one by one. Floor 2.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kept_memory.hpp"
#include "ledger.hpp"
#include "net_effects.hpp"
#include "path_text.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// The order of the batch is an order of needs: a child goes before its parent is removed, what moves out of a
/// directory before that directory is removed, a directory is created before what comes into it, a name is freed before
/// it is taken. These are *hard*. That a directory is renamed before what changed below it is told, so that the paths
/// told are those on disk, is *soft*: it yields where it must.
class batch_order {
 public:
  struct step {
    record_index record;
    effect what;
  };

  batch_order(const tree& known, const path_text& paths, const net_effects& effects) noexcept
      : tree_(known), paths_(paths), effects_(effects) {}

  /// Finds the steps. `must_wait(record)` says what is held back, and with it goes all that needs it. Returns
  /// no_record, or a directory that is in a ring with others, which no order can tell as renamed.
  template <class MustWait>
  [[nodiscard]] record_index find(MustWait&& must_wait) {
    find_needs();
    hold_back(must_wait);
    return find_steps();
  }

  [[nodiscard]] const std::vector<step>& steps() const noexcept { return steps_; }
  [[nodiscard]] bool is_held_back(record_index i) const noexcept { return turns_[i].held; }

  void give_back() noexcept {
    clear_for_next_batch(turns_);
    clear_for_next_batch(needs_);
    clear_for_next_batch(steps_);
    clear_for_next_batch(queue_);
    clear_for_next_batch(renamed_above_);
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return turns_.capacity() * sizeof(turn) + needs_.capacity() * sizeof(need) + steps_.capacity() * sizeof(step) +
           (queue_.capacity() + renamed_above_.capacity()) * sizeof(record_index);
  }

 private:
  using need_index = std::uint32_t;
  static constexpr need_index no_need = 0xffffffff;

  struct turn {
    bool held = false;
    bool done = false;
    bool removed_first = false;       ///< a rename that is told as removed and created, and the first is in the order
    std::uint32_t hard = 0;           ///< how many must come before
    std::uint32_t soft = 0;           ///< how many should
    need_index first_need = no_need;  ///< the list of those that wait for this one
  };
  struct need {
    record_index waits;
    need_index next;
    bool soft;
  };

  void require(record_index before, record_index after, bool soft = false) {
    needs_.push_back({after, turns_[before].first_need, soft});
    turns_[before].first_need = static_cast<need_index>(needs_.size() - 1);
    ++(soft ? turns_[after].soft : turns_[after].hard);
  }

  [[nodiscard]] bool is(record_index i, effect what) const noexcept {
    return i != no_record && effects_[i].what == what;
  }

  void find_needs() {
    turns_.assign(effects_.size(), turn{});
    needs_.clear();
    // Who was told to be there is told as new elsewhere, but only when the place is the newcomer's.
    for (record_index i = 0; i < effects_.size(); ++i)
      if (effects_[i].replaces != no_record && !effects_[i].exchanged) require(i, effects_[i].replaces);
    for (record_index i = 0; i < effects_.size(); ++i)
      if (effects_.is_change(i)) find_needs(i);
  }

  void find_needs(record_index i) {
    const record& r = effects_.record_at(i);
    const effect what = effects_[i].what;
    if (effects_.has_left(i)) {
      const record_index parent = effects_.record_of(r.told_parent);
      if (is(parent, effect::removed)) require(i, parent);
      // It must be empty before another directory is renamed onto it.
      if (is(parent, effect::absorbed) && is(effects_[parent].absorbed_by, effect::renamed))
        require(i, effects_[parent].absorbed_by);
    }
    if (what == effect::removed) return;
    if (const record_index parent = effects_.record_of(tree_[r.node].parent); is(parent, effect::created))
      require(parent, i);
    if (what == effect::created || what == effect::renamed)
      if (const record_index before = effects_.former_occupant(i); before != no_record && effects_.has_left(before))
        require(before, i);
    if (effects_.directory_renamed()) find_needs_of_renamed_directories(i);
  }

  void find_needs_of_renamed_directories(record_index i) {
    const node_id self = effects_.record_at(i).node;
    for (node_id id = tree_[self].parent; id != no_node; id = tree_[id].parent)
      if (const record_index above = effects_.record_of(id); is(above, effect::renamed)) {
        require(above, i, true);
        break;
      }
    if (!is(i, effect::renamed) || !effects_.is_directory(i)) return;
    // A directory that moves into what was below it: that must have left it before.
    renamed_above_.clear();
    for (node_id id = tree_[self].parent; id != no_node; id = paths_.place_of(id, view::told).parent) {
      if (id == self) {
        for (record_index above : renamed_above_) require(above, i);
        return;
      }
      if (const record_index above = effects_.record_of(id); is(above, effect::renamed))
        renamed_above_.push_back(above);
    }
  }

  template <class MustWait>
  void hold_back(MustWait& must_wait) {
    queue_.clear();
    const auto hold = [&](record_index i) {
      if (turns_[i].held) return;
      turns_[i].held = true;
      queue_.push_back(i);
    };
    for (record_index i = 0; i < effects_.size(); ++i)
      if (effects_.is_change(i) && must_wait(effects_.record_at(i))) hold(i);
    while (!queue_.empty()) {
      const record_index i = queue_.back();
      queue_.pop_back();
      if (effects_[i].absorbs != no_record) turns_[effects_[i].absorbs].held = true;
      if (effects_[i].replaces != no_record) hold(effects_[i].replaces);
      for (need_index n = turns_[i].first_need; n != no_need; n = needs_[n].next)
        if (!needs_[n].soft) hold(needs_[n].waits);
    }
  }

  [[nodiscard]] record_index find_steps() {
    steps_.clear();
    queue_.clear();
    std::size_t left = 0;
    for (record_index i = 0; i < effects_.size(); ++i) {
      if (turns_[i].held || !effects_.is_change(i)) continue;
      ++left;
      if (is_free(i)) queue_.push_back(i);
    }
    for (std::size_t head = 0; left != 0;) {
      if (head == queue_.size()) {
        const record_index i = next_of_stuck();
        turn& t = turns_[i];
        if (t.hard == 0) {
          t.soft = 0;  // the wish yields
        } else if (effects_.is_directory(i)) {
          return i;
        } else {  // a file in a ring with directories: first gone, then created
          steps_.push_back({i, effect::removed});
          t.removed_first = true;
          release(i);
        }
        if (is_free(i)) queue_.push_back(i);
        continue;
      }
      const record_index i = queue_[head++];
      if (turns_[i].done) continue;
      if (const record_index above = moves_into_itself_but_for(i); above != no_record) {
        require(above, i);
        continue;
      }
      turns_[i].done = true;
      steps_.push_back({i, turns_[i].removed_first ? effect::created : effects_[i].what});
      --left;
      release(i);
    }
    return no_record;
  }

  [[nodiscard]] bool is_free(record_index i) const noexcept { return turns_[i].hard == 0 && turns_[i].soft == 0; }

  // A directory whose new place is, at this point of the order, still below itself: the step that has to take that
  // place away from there before, or none.
  [[nodiscard]] record_index moves_into_itself_but_for(record_index i) const noexcept {
    if (!effects_.directory_renamed() || !is(i, effect::renamed) || !effects_.is_directory(i)) return no_record;
    const node_id self = effects_.record_at(i).node;
    record_index last = no_record;
    for (node_id id = tree_[self].parent; id != no_node;) {
      if (id == self) return last;
      const record_index above = effects_.record_of(id);
      if (above != no_record && !turns_[above].done && !is(above, effect::nothing) && !is(above, effect::created)) {
        if (is(above, effect::renamed)) last = above;
        id = paths_.place_of(id, view::told).parent;
      } else {
        id = tree_[id].parent;
      }
    }
    return no_record;
  }

  [[nodiscard]] record_index next_of_stuck() const noexcept {
    record_index file = no_record;
    record_index directory = no_record;
    for (record_index i = 0; i < effects_.size(); ++i) {
      const turn& t = turns_[i];
      if (t.held || t.done || !effects_.is_change(i)) continue;
      if (t.hard == 0) return i;
      if (!is(i, effect::renamed) || t.removed_first) continue;
      record_index& first = effects_.is_directory(i) ? directory : file;
      if (first == no_record) first = i;
    }
    return file != no_record ? file : directory;
  }

  void release(record_index i) {
    for (need_index n = turns_[i].first_need; n != no_need; n = needs_[n].next) {
      const record_index waits = needs_[n].waits;
      turn& t = turns_[waits];
      std::uint32_t& count = needs_[n].soft ? t.soft : t.hard;
      if (count > 0) --count;
      if (is_free(waits) && !t.held && !t.done) queue_.push_back(waits);
    }
    turns_[i].first_need = no_need;
  }

  const tree& tree_;
  const path_text& paths_;
  const net_effects& effects_;
  std::vector<turn> turns_;
  std::vector<need> needs_;
  std::vector<step> steps_;
  std::vector<record_index> queue_;
  std::vector<record_index> renamed_above_;
};

}  // namespace hotwatch::inline v0::detail
