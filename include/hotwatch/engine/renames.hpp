// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Renames: halves paired by cookie, exchanges told from overwriting, moves in and out of the tree. Floor 5.

#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/hint.hpp"
#include "../core/rename_pairs.hpp"
#include "lookup.hpp"
#include "name_doubts.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class renames {
 public:
  using directory = typename Backend::directory;

  renames(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan,
          name_doubts<Backend>& doubts) noexcept
      : s_(state), lookup_(lookup), scan_(scan), doubts_(doubts) {}

  /// The first half: a name left.
  void moved_from(node_id parent, node_id child, const hint& h, moment m) {
    s_.settle.lift(child, m);
    pairs_.add({h.pair, child, parent, s_.known.own_way_of(parent)});
  }

  /// The second half, which may have no first: a name came, perhaps onto one that is known.
  void moved_to(node_id parent, std::string_view name, node_id replaced, const hint& h, moment m) {
    doubts_.note_move();
    const node_id moved = pairs_.take(h.pair, s_.known.own_way_of(parent));
    if (moved != no_node && is_exchange(moved, parent, name, h.type, m)) return;
    if (moved != no_node && leads_into_itself(moved, parent)) return lose_track(moved, m);
    if (moved == no_node) return moved_in(parent, name, replaced, h.type, m);
    const node_id origin = s_.known[moved].parent;
    if (replaced != no_node) {  // it may be the other half of an exchange, that is still to move
      s_.settle.lift(replaced, m);
      overwritings_.push_back({replaced, moved, origin, s_.known.names().store(s_.known.name(moved))});
    }
    const bool is_directory = h.type == entry_type::directory;
    const verdict v = s_.judge(parent, name, is_directory);
    // Of a hidden link the user never heard, only of what is below it: that comes anew, if it comes.
    if (!counts(v, is_directory) || (!is_directory && s_.known[moved].hidden)) {
      doubts_.doubt(origin, s_.known.name(moved));
      s_.settle.vanish(moved, m);
      (void)scan_.take_in(parent, name, h.type, m);
      return;
    }
    // Free now, unless this was the second half of an exchange.
    doubts_.note_left(origin, s_.known.name(moved));
    if (is_directory && (s_.known[moved].hidden || v == verdict::hidden)) {
      move_one_by_one(moved, parent, name, v == verdict::hidden, m);
      return;
    }
    if (replaced != no_node && s_.known[replaced].type != s_.known[moved].type)
      doubts_.doubt(parent, name);  // a listing may have been ahead of the queue, and what was replaced be what came
    s_.place(moved, parent, name, m);
    if (is_directory)
      settle_moved_directory(moved, m);
    else
      // Its type was looked at under its old name, which may have been another's by then. And when another file was
      // moved onto this one, from outside and before this was read, the kernel took the two records for one: it
      // compares handle and name, not the cookie (inotify_merge()).
      doubts_.note_came(parent, name);
  }

  /// What left with this cookie and waits for its second half, or no_node.
  [[nodiscard]] node_id on_its_way(std::uint32_t pair) const noexcept { return pairs_.find(pair); }

  /// Whether a rename was read in part: a first half without its second, or what may be half of an exchange.
  [[nodiscard]] bool waits_for_halves() {
    if (!pairs_.empty()) return true;
    // A plain rename onto a name leaves its own old name free; an exchange does not.
    for (const overwriting& o : overwritings_)
      if (exists(o.origin, s_.known.names().view(o.origin_name))) return true;
    return false;
  }

  /// After this every second half of those that wait now, if it will ever come, is in the kernel's queue.
  void finish_renames() {
    for (rename_pairs::half& h : pairs_.halves()) {
      finish_renames(h.from);
      h.finished = true;
    }
    for (overwriting& o : overwritings_) {
      finish_renames(o.origin);
      o.finished = true;
    }
  }

  /// What was finished and came nowhere is gone; what was overwritten and did not leave is gone. With `all`,
  /// everything: what is overwritten without any doubt, and whose second half is too far back in the queue, which is
  /// then new.
  void give_up_halves(bool all, moment m) {
    std::size_t kept = 0;
    for (const overwriting& o : overwritings_) {
      if (!o.finished && !all) {
        overwritings_[kept++] = o;
        continue;
      }
      doubts_.note_overwriting();
      s_.settle.vanish(o.replaced, m);
      s_.known.names().release(o.origin_name);
    }
    overwritings_.resize(kept);
    kept = 0;
    auto& halves = pairs_.halves();
    for (const rename_pairs::half& h : halves) {
      if (!h.finished && !all) {
        halves[kept++] = h;
        continue;
      }
      // If it was an exchange with a name that does not count, that is there now.
      doubts_.doubt(h.from, s_.known.name(h.node));
      if (!found_by_identity(h.node, m)) s_.settle.vanish(h.node, m);
    }
    halves.resize(kept);
    s_.say_farewell();
  }

  /// Whether the hints and the tree contradict each other.
  [[nodiscard]] bool take_lost_track() noexcept { return std::exchange(lost_track_, false); }

 private:
  struct overwriting {
    node_id replaced;  ///< lifted from the place that was overwritten
    node_id by;        ///< the node that is there now
    node_id origin;    ///< where that came from
    name_ref origin_name;
    bool finished = false;
  };

  // From outside of the roots, or out of sight.
  void moved_in(node_id parent, std::string_view name, node_id replaced, entry_type type, moment m) {
    if (replaced != no_node) {
      if (is_seen_there(replaced)) return;  // a listing ahead of the queue has seen this very file in its new place
      s_.settle.vanish(replaced, m);
    }
    (void)scan_.take_in(parent, name, type, m);
  }

  void settle_moved_directory(node_id id, moment m) {
    if (!s_.is_listed(id)) {
      scan_.disregard_content(id, m);
    } else if (s_.is_blind(id) || s_.names.needs_path()) {
      (void)scan_.scan(id, {false, s_.names.needs_path(), false}, m);
    }
    s_.doubts.push_back({id});
  }

  // The user never heard of a hidden directory, so what is in it moves name by name. What was told to be in it needs it
  // to remember where that was: it stays behind as a ghost, and another node takes its watch.
  void move_one_by_one(node_id from, node_id parent, std::string_view name, bool hidden, moment m) {
    const node_id to = s_.settle.appear(parent, name, entry_type::directory, hidden, m);
    s_.known[to].file_id = s_.known[from].file_id;
    doubts_.move(from, to);
    for (doubtful& d : s_.doubts)
      if (d.id == from) d.id = to;
    if (const std::int32_t watch = std::exchange(s_.known[from].watch, no_watch); watch != no_watch) {
      s_.watches.add(watch, {to, false});
      s_.watches.remove(watch, {from, false});
      s_.known[to].watch = watch;
    }
    // With the time of no listing: a poll that did not reach it while it moved left names to be read again.
    if (s_.known[from].polled) s_.poll(to);
    while (s_.known[from].first_child != no_node) {
      const node_id child = s_.known[from].first_child;
      s_.settle.lift(child, m);
      const std::string child_name(s_.known.name(child));
      if (s_.known[child].link && s_.known[child].hidden) {
        s_.settle.vanish(child, m);
        s_.doubts.push_back({to, true});  // it comes anew
      } else if (s_.known[child].type == entry_type::directory && s_.known[child].hidden)
        move_one_by_one(child, to, child_name, true, m);
      else
        s_.place(child, to, child_name, m);
    }
    s_.settle.vanish(from, m);
    settle_moved_directory(to, m);
  }

  // RENAME_EXCHANGE of a and b is queued as a to b, then b to a: just as two renames one after the other, the first of
  // which overwrites b. Whether there is something at b now tells which it was.
  [[nodiscard]] bool is_exchange(node_id moved, node_id to, std::string_view name, entry_type type, moment m) {
    for (std::size_t i = 0; i < overwritings_.size(); ++i) {
      const overwriting o = overwritings_[i];
      if (o.by != moved || o.origin != to || s_.known.names().view(o.origin_name) != name) continue;
      overwritings_.erase(overwritings_.begin() + static_cast<std::ptrdiff_t>(i));
      s_.known.names().release(o.origin_name);
      const node_id there = s_.known[moved].parent;
      const std::string there_name(s_.known.name(moved));
      const bool other_type = (own_type(s_.known[moved]) == entry_type::directory) != (type == entry_type::directory);
      const bool exchanged = other_type || exists(there, there_name);
      if (leads_into_itself(moved, to) || leads_into_itself(o.replaced, to)) {
        s_.settle.vanish(o.replaced, m);
        lose_track(moved, m);
        return true;
      }
      if (!exchanged) s_.settle.vanish(o.replaced, m);
      if (const node_id other = s_.known.find(to, name); other != no_node) s_.settle.vanish(other, m);
      s_.place(exchanged ? o.replaced : moved, to, name, m);
      if (exchanged) s_.place(moved, there, there_name, m);
      doubts_.doubt(there, there_name);
      doubts_.doubt(to, name);
      for (const node_id id : {moved, exchanged ? o.replaced : moved})
        if (own_type(s_.known[id]) == entry_type::directory)
          settle_moved_directory(id, m);
        else
          s_.settle.change_content(id, m);  // if the look came too late to tell, both are told as modified
      return true;
    }
    return false;
  }

  [[nodiscard]] bool leads_into_itself(node_id moved, node_id to) const noexcept {
    return s_.known[moved].type == entry_type::directory && s_.known.is_within(to, moved);
  }

  // No directory moves into itself: what is known of the directories above is out of date, and all is looked at again.
  void lose_track(node_id moved, moment m) {
    s_.settle.vanish(moved, m);
    lost_track_ = true;
  }

  // A directory was listed before the rename into it was read, and what came is known there by its inode number.
  [[nodiscard]] bool found_by_identity(node_id left, moment m) {
    if (s_.known[left].file_id == 0 || s_.known[left].hidden) return false;
    for (const record& r : s_.told.records()) {
      if (r.node == no_node || r.told || s_.known[r.node].file_id != s_.known[left].file_id) continue;
      const node_id there = r.node;
      if (!s_.known[there].in_tree || s_.known[there].hidden) continue;
      const node_id parent = s_.known[there].parent;
      const std::string name(s_.known.name(there));
      file_status status;
      if (s_.known.is_within(parent, left)) continue;
      if (lookup_.look(parent, name, status) || !is_same_file(s_.known[left], status)) continue;
      const bool is_directory = status.type == entry_type::directory;
      const bool wrote = !is_directory && content_differs_after_rename(s_.known[left], status, s_.quiet_since);
      const bool open = s_.known[there].open;
      s_.settle.vanish(there, m);
      s_.place(left, parent, name, m);
      if (wrote) s_.settle.change_content(left, m);
      s_.known[left].open = open;
      if (is_directory) (void)scan_.scan(left, {false, true, true}, m);
      return true;
    }
    return false;
  }

  [[nodiscard]] bool exists(node_id parent, std::string_view name) {
    file_status status;
    return s_.known[parent].in_tree && !lookup_.look_by_path(parent, name, status);
  }

  void finish_renames(node_id id) {
    std::error_code ec;
    // A directory that cannot be opened is gone, and the renames out of it came before that.
    if (const directory d = lookup_.open(id, ec); d) s_.disk.finish_renames(d);
  }

  [[nodiscard]] bool is_seen_there(node_id id) {
    file_status status;
    return s_.known[id].file_id != 0 && !lookup_.look(s_.known[id].parent, s_.known.name(id), status) &&
           is_same_file(s_.known[id], status);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  name_doubts<Backend>& doubts_;
  rename_pairs pairs_;
  std::vector<overwriting> overwritings_;
  bool lost_track_ = false;
};

}  // namespace hotwatch::inline v0::detail
