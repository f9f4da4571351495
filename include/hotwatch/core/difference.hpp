// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What differs between told and known, as changes in an order in which they can be applied one by one. Floor 2.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../change.hpp"
#include "batch_order.hpp"
#include "change_list.hpp"
#include "debounce_clock.hpp"
#include "kept_memory.hpp"
#include "ledger.hpp"
#include "net_effects.hpp"
#include "path_text.hpp"
#include "save_pattern.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// Turns the ledger into a batch, and settles the records that are told.
class difference {
 public:
  difference(tree& known, ledger& told, const path_text& paths) noexcept
      : tree_(known), ledger_(told), effects_(known, told), order_(known, paths, effects_), list_(paths) {}
  difference(const difference&) = delete;
  difference& operator=(const difference&) = delete;

  /// Fills the batch. With `all`, files that their writers hold open are told too; otherwise they are held back.
  /// Returns since when the oldest of them waits, or debounce_clock::never.
  clock::time_point tell(const debounce_clock& due, clock::time_point now, bool all) {
    if (was_large_) give_back();
    list_.clear();
    ledger_.compact();
    const bool alone = ledger_.records().size() == 1;
    const clock::time_point oldest = alone ? tell_alone(due, now, all) : tell_together(due, now, all);
    list_.bind();
    return oldest;
  }

  /// Whether what is pending is something done, such as a save: nothing in it can be the first half of something.
  [[nodiscard]] bool is_complete() {
    ledger_.compact();
    if (ledger_.records().size() > names_of_a_save) return false;
    effects_.find();
    for (record_index i = 0; i < effects_.size(); ++i)
      if (may_go_on(i)) return false;
    return true;
  }

  [[nodiscard]] std::vector<change>& changes() noexcept { return list_.changes(); }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return effects_.bytes() + order_.bytes() + list_.bytes() + ghosts_.capacity() * sizeof(node_id);
  }

 private:
  // One change needs nothing of others. It is the usual case without debounce, and the shortest way counts there.
  [[nodiscard]] clock::time_point tell_alone(const debounce_clock& due, clock::time_point now, bool all) {
    record& r = ledger_.records().front();
    const effect what = effects_.of(r);
    if (what != effect::nothing) {
      if (must_wait(r, due, now, all)) return r.seen;
      emit(r, what);
    }
    ledger_.settle(r.node);
    return debounce_clock::never;
  }

  [[nodiscard]] clock::time_point tell_together(const debounce_clock& due, clock::time_point now, bool all) {
    for (;;) {
      effects_.find();
      const record_index ring = order_.find([&](const record& r) { return must_wait(r, due, now, all); });
      if (ring == no_record) break;
      be_born_again(effects_.record_at(ring).node);
    }
    for (const auto& [i, what] : order_.steps()) {
      emit(effects_.record_at(i), what);
      // What was replaced may be held back, but its old name is told as another file's by now.
      if (const record_index other = effects_[i].replaces; other != no_record)
        ledger_.release_told_name(effects_.record_at(other));
    }
    was_large_ = effects_.size() > most_kept_entries;
    return settle();
  }

  // An open file waits for its writer; one that could not be looked at waits for the hint that says where it is.
  [[nodiscard]] bool must_wait(const record& r, const debounce_clock& due, clock::time_point now,
                               bool all) const noexcept {
    const node& n = tree_[r.node];
    if (n.in_tree && n.type == entry_type::unknown) return true;
    return !all && n.open && due.held_until(r.seen) > now;
  }

  // Two directories that changed places cannot both be renamed one after the other. One of them is told as removed and
  // created with all that is in it: what was told goes to ghosts, and the nodes themselves count as never told.
  void be_born_again(node_id top) {
    const clock::time_point seen = ledger_.find(top)->seen;
    ghosts_.clear();
    for (node_id id = top; id != no_node; id = tree_.next(id, top)) {
      if (!ledger_.remember(id, seen).told) continue;
      const node_id ghost = ledger_.leave_ghost(id);
      ghosts_.resize(ledger_.records().size(), no_node);
      ghosts_[tree_[id].record - 1] = ghost;
    }
    for (record& r : ledger_.records()) {
      if (!r.told || r.told_parent == no_node) continue;
      const std::uint32_t parent = tree_[r.told_parent].record;
      if (parent != 0 && parent <= ghosts_.size() && ghosts_[parent - 1] != no_node)
        r.told_parent = ghosts_[parent - 1];
    }
  }

  void emit(record& r, effect what) {
    const bool hidden = tree_[r.node].hidden;
    const bool was_renamed = what == effect::renamed;
    change_list::written_path old_path;
    if (was_renamed && !hidden) old_path = list_.write_path(r.node);
    if (what != effect::removed) ledger_.take_place(r);
    if (!hidden) {
      change& c = list_.add(list_.write_path(r.node), old_path);
      c.kind = change_of(what);
      c.type = r.told_type;
      c.modified = was_renamed && r.content && r.told_type != entry_type::directory;
      c.seen = r.seen;
    }
    if (what == effect::removed) ledger_.release_told_name(r);
    r.content = r.metadata = false;
  }

  [[nodiscard]] static change_kind change_of(effect what) noexcept {
    switch (what) {
      case effect::created: return change_kind::created;
      case effect::removed: return change_kind::removed;
      case effect::renamed: return change_kind::renamed;
      case effect::metadata: return change_kind::metadata;
      default: return change_kind::modified;
    }
  }

  // The views of a batch live until the next one is made, so the memory of a large one is given back only then.
  void give_back() noexcept {
    effects_.give_back();
    order_.give_back();
    list_.give_back();
    clear_for_next_batch(ghosts_);
    was_large_ = false;
  }

  // Told = known for all that was told, or need not be.
  [[nodiscard]] clock::time_point settle() {
    clock::time_point oldest = debounce_clock::never;
    for (record_index i = 0; i < effects_.size(); ++i)
      if (order_.is_held_back(i)) stand_in_for_parent(effects_.record_at(i));
    for (record_index i = 0; i < effects_.size(); ++i) {
      const record& r = effects_.record_at(i);
      if (r.node == no_node) continue;
      if (order_.is_held_back(i)) {
        if (r.seen < oldest) oldest = r.seen;
        continue;
      }
      ledger_.settle(r.node);
      if (ledger_.records().empty()) break;
    }
    return oldest;
  }

  // Whoever touches more names than this is no editor but a checkout, a build or an archiver, and pauses now and then.
  // (docs/performance.md has what became of recorded ones with other numbers.)
  static constexpr std::size_t names_of_a_save = 8;

  [[nodiscard]] bool may_go_on(record_index i) const noexcept {
    const record& r = effects_.record_at(i);
    const node& n = tree_[r.node];
    if (effects_.is_change(i) && n.open) return true;
    // A save may be about to put back what is missing from a directory that is still there,
    if (effects_.has_left(i) && r.told_type != entry_type::directory && tree_[r.told_parent].in_tree) return true;
    // to fill a new directory, or to rename a new file that is named after another.
    return effects_[i].what == effect::created && (n.type == entry_type::directory || awaits_its_rename(tree_, r.node));
  }

  // What is held back in a directory that was replaced is told to be in the one that stands there now.
  void stand_in_for_parent(record& r) noexcept {
    if (!r.told || r.told_parent == no_node) return;
    const record_index parent = effects_.record_of(r.told_parent);
    if (parent == no_record || effects_[parent].what != effect::absorbed) return;
    if (const record_index heir = effects_[parent].absorbed_by; effects_[heir].what == effect::nothing)
      r.told_parent = effects_.record_at(heir).node;
  }

  tree& tree_;
  ledger& ledger_;
  net_effects effects_;
  batch_order order_;
  change_list list_;
  std::vector<node_id> ghosts_;
  bool was_large_ = false;
};

}  // namespace hotwatch::inline v0::detail
