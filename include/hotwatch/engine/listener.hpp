// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Takes hints, finds the nodes they mean, and settles them. Floor 5.

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/hint.hpp"
#include "../core/rename_pairs.hpp"
#include "root_keeper.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class listener {
 public:
  using directory = typename Backend::directory;

  listener(engine_state<Backend>& state, scanner<Backend>& scan, root_keeper<Backend>& roots) noexcept
      : s_(state), scan_(scan), roots_(roots) {}

  void take(const hint& h, moment m) {
    if (h.kind == hint_kind::overflow) {
      overflowed_ = true;
      return;
    }
    const std::size_t first = targets_.size();
    s_.watches.find(h.watch, targets_);
    for (std::size_t i = first; i < targets_.size(); ++i) {
      const watch_table::target t = targets_[i];
      if (h.kind == hint_kind::unwatched) s_.watches.remove(h.watch, t);
      if (!t.guard)
        take_for(t.index, h, m);
      else if (h.name.empty() || s_.roots[t.index].lost)
        roots_.suspect(t.index);
    }
    targets_.resize(first);
    s_.say_farewell();
  }

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

  /// What was finished and came nowhere is gone; what was overwritten and did not leave is gone. With `all`, what is
  /// overwritten without any doubt too.
  void give_up_halves(bool all, moment m) {
    std::size_t kept = 0;
    for (const overwriting& o : overwritings_) {
      if (!o.finished && !all) {
        overwritings_[kept++] = o;
        continue;
      }
      overwrote_ = true;
      s_.settle.vanish(o.replaced, m);
      s_.known.names().release(o.origin_name);
    }
    overwritings_.resize(kept);
    kept = 0;
    auto& halves = pairs_.halves();
    for (const rename_pairs::half& h : halves) {
      if (!h.finished) {
        halves[kept++] = h;
        continue;
      }
      doubt(h.from, s_.known.name(h.node));  // if it was an exchange with a name that does not count, that is there now
      if (!found_by_identity(h.node, m)) s_.settle.vanish(h.node, m);
    }
    halves.resize(kept);
    s_.say_farewell();
  }

  /// Settles the doubts about names. The queue has been read to its end.
  void settle_names(moment m) {
    names_.clear();
    names_.swap(s_.doubted_names);
    for (const doubted_name& n : names_) {
      if (!s_.disk.drained()) {  // hints came meanwhile: they are first
        s_.doubted_names.push_back(n);
        continue;
      }
      const std::string name(s_.known.names().view(n.name));
      s_.known.names().release(n.name);
      if (!s_.known[n.parent].in_tree || (n.only_identity && is_what_came(n.parent, name))) continue;
      if (!settle_name(n.parent, name, m)) doubt(n.parent, name);
    }
    s_.say_farewell();
  }

  /// The name is to be looked at when the queue has been read to its end: until then a path may lead elsewhere.
  void doubt(node_id parent, std::string_view name) {
    if (!s_.doubted_names.empty()) {  // a file that is written to is hinted at again and again
      const doubted_name& last = s_.doubted_names.back();
      if (last.parent == parent && !last.only_identity && s_.known.names().view(last.name) == name) return;
    }
    if (!s_.root_of(parent).is_file) s_.doubted_names.push_back({parent, s_.known.names().store(name)});
  }

  /// A name that was looked at by its path.
  void note_look(node_id parent, std::string_view name) { looked_.push_back({parent, s_.known.names().store(name)}); }

  /// The queue has been read to its end, and all of it was settled. One rename by itself leaves no doubt, nor does that
  /// of the one name that was looked at just before: where it went its identity is looked at. But where several met, or
  /// one met a look at another name, a path may have led elsewhere when it was looked at.
  void end_of_backlog() {
    const bool looked_elsewhere = !looked_.empty() && !(looked_.size() == 1 && is_noted(looked_.front()));
    const bool tangled = moves_ > 1 || (moves_ == 1 && (overwrote_before_ || looked_elsewhere));
    for (std::vector<doubted_name>* list : {&noted_, &looked_}) {
      for (doubted_name n : *list) {
        n.only_identity &= !tangled;
        if ((tangled || n.only_identity) && !s_.root_of(n.parent).is_file)
          s_.doubted_names.push_back(n);
        else
          s_.known.names().release(n.name);
      }
      list->clear();
    }
    moves_ = 0;
    overwrote_before_ = std::exchange(overwrote_, false);
  }

  [[nodiscard]] bool take_overflow() noexcept { return std::exchange(overflowed_, false); }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }
  /// Whether the hints and the tree contradict each other.
  [[nodiscard]] bool take_lost_track() noexcept { return std::exchange(lost_track_, false); }

 private:
  void take_for(node_id id, const hint& h, moment m) {
    node& n = s_.known[id];
    switch (h.kind) {
      case hint_kind::unwatched:
        if (n.watch == h.watch) n.watch = no_watch;
        if (n.parent == no_node)
          roots_.suspect(n.attributes);
        else
          s_.doubts.push_back(id);  // removed, as its parent will say; or unmounted
        return;
      case hint_kind::gone:
        if (n.parent == no_node)
          roots_.suspect(n.attributes);
        else
          s_.doubts.push_back(id);
        return;
      case hint_kind::look_again: (void)scan_.scan(id, {true, true, true}, m); return;
      default: break;
    }
    if (h.name.empty()) {
      if (h.kind == hint_kind::attributes && n.unreadable) (void)scan_.scan(id, {}, m);
      return;
    }
    std::string_view name = h.name;
    const root& r = s_.root_of(id);
    if (r.is_file) {
      name = roots_.name_in(r, name);
      if (name.empty()) return;
      // What stands there now may be a symlink, and the file elsewhere.
      if (h.kind == hint_kind::appeared || h.kind == hint_kind::moved_to) roots_.suspect(s_.known[id].attributes);
    }
    for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
      const node_id below = s_.known.find(id, name.substr(0, slash));
      if (below == no_node || s_.known[below].type != entry_type::directory) {
        (void)scan_.scan(id, {}, m);
        return;
      }
      id = below;
      name.remove_prefix(slash + 1);
    }
    take_name(id, name, h, m);
  }

  void take_name(node_id parent, std::string_view name, const hint& h, moment m) {
    const node_id child = s_.known.find(parent, name);
    switch (h.kind) {
      case hint_kind::appeared: appeared(parent, name, child, h.type, m); return;
      case hint_kind::moved_to: moved_to(parent, name, child, h, m); return;
      default: break;
    }
    if (child == no_node) {  // filtered, gone before it was listed, or out of sight while the tree is being moved about
      if ((h.kind == hint_kind::written || h.kind == hint_kind::completed) &&
          s_.judge(parent, name, false) == verdict::told)
        doubt(parent, name);
      return;
    }
    // A listing was ahead of the queue, and this is about what had the name before. It may still be about what has it
    // now, if that came here out of sight.
    if ((s_.known[child].type == entry_type::directory) != (h.type == entry_type::directory)) {
      doubt(parent, name);
      return;
    }
    switch (h.kind) {
      case hint_kind::vanished: s_.settle.vanish(child, m); return;
      case hint_kind::moved_from:
        s_.settle.lift(child, m);
        pairs_.add({h.pair, child, parent, s_.known.root_of(parent)});
        return;
      case hint_kind::written: s_.settle.write(child, m); return;
      case hint_kind::completed:
        if (s_.settle.complete(child, m)) look_at_closed(child, m);
        return;
      case hint_kind::attributes:
        if (h.type == entry_type::directory && s_.unreadable != 0 && is_blind(child)) (void)scan_.scan(child, {}, m);
        s_.settle.change_attributes(child, s_.opts.metadata, m);
        return;
      default: return;
    }
  }

  void appeared(node_id parent, std::string_view name, node_id child, entry_type type, moment m) {
    const bool is_directory = type == entry_type::directory;
    if (child != no_node) {
      // A listing was ahead of the queue, and the name is known.
      if ((s_.known[child].type == entry_type::directory) == is_directory) {
        if (is_directory && is_blind(child)) enter(child, m);
        return;
      }
      s_.settle.vanish(child, m);
    }
    const verdict v = s_.judge(parent, name, is_directory);
    if (v == verdict::pruned || (v == verdict::hidden && !is_directory)) return;
    const node_id made = s_.settle.appear(parent, name, type, v == verdict::hidden, m);
    if (is_directory)
      enter(made, m);
    else
      s_.known[made].open = true;  // its maker has it open, unless it is a link: that is looked at before it is told
  }

  void moved_to(node_id parent, std::string_view name, node_id replaced, const hint& h, moment m) {
    ++moves_;
    const node_id moved = pairs_.take(h.pair, s_.known.root_of(parent));
    if (moved != no_node && is_exchange(moved, parent, name, h.type, m)) return;
    if (moved != no_node && leads_into_itself(moved, parent)) return lose_track(moved, m);
    const node_id origin = moved == no_node ? no_node : s_.known[moved].parent;
    const bool is_directory = h.type == entry_type::directory;
    const verdict v = s_.judge(parent, name, is_directory);
    const bool counts = v == verdict::told || (v == verdict::hidden && is_directory);
    // A listing ahead of the queue has seen this very file in its new place.
    if (moved == no_node && replaced != no_node && is_seen_there(replaced)) return;
    if (replaced != no_node) {
      if (moved != no_node) {  // it may be the other half of an exchange, that is still to move
        s_.settle.lift(replaced, m);
        overwritings_.push_back({replaced, moved, origin, s_.known.names().store(s_.known.name(moved))});
      } else {
        s_.settle.vanish(replaced, m);
      }
    }
    if (moved == no_node) {
      if (!counts) return;
      const node_id made = s_.settle.appear(parent, name, h.type, v == verdict::hidden, m);
      if (is_directory) enter(made, m);
      return;
    }
    if (!counts) {
      doubt(origin, s_.known.name(moved));
      s_.settle.vanish(moved, m);
      return;
    }
    if (is_directory && (s_.known[moved].hidden || v == verdict::hidden)) {
      move_one_by_one(moved, parent, name, v == verdict::hidden, m);
      return;
    }
    if (replaced != no_node && s_.known[replaced].type != s_.known[moved].type)
      doubt(parent, name);  // a listing may have been ahead of the queue, and what was replaced be what came
    note_name(origin, s_.known.name(moved));  // free now, unless this was the second half of an exchange
    s_.settle.place(moved, parent, name, m);
    if (is_directory)
      settle_moved_directory(moved, m);
    else
      // Its type was looked at under its old name, which may have been another's by then. And when another file was
      // moved onto this one, from outside and before this was read, the kernel took the two records for one: it
      // compares handle and name, not the cookie (inotify_merge()).
      note_name(parent, name, true);
  }

  void settle_moved_directory(node_id id, moment m) {
    if (!s_.root_of(id).recursive) {
      while (s_.known[id].first_child != no_node) s_.settle.vanish(s_.known[id].first_child, m);
      s_.release_watch(std::exchange(s_.known[id].watch, no_watch), {id, false});
    } else if (is_blind(id) || s_.names.needs_path()) {
      (void)scan_.scan(id, {false, s_.names.needs_path(), false}, m);
    }
    s_.doubts.push_back(id);
  }

  // The user never heard of a hidden directory, so what is in it moves name by name. What was told to be in it needs it
  // to remember where that was: it stays behind as a ghost, and another node takes its watch.
  void move_one_by_one(node_id from, node_id parent, std::string_view name, bool hidden, moment m) {
    const node_id to = s_.settle.appear(parent, name, entry_type::directory, hidden, m);
    s_.known[to].file_id = s_.known[from].file_id;
    if (const std::int32_t watch = std::exchange(s_.known[from].watch, no_watch); watch != no_watch) {
      s_.watches.add(watch, {to, false});
      s_.watches.remove(watch, {from, false});
      s_.known[to].watch = watch;
    }
    while (s_.known[from].first_child != no_node) {
      const node_id child = s_.known[from].first_child;
      s_.settle.lift(child, m);
      const std::string child_name(s_.known.name(child));
      if (s_.known[child].type == entry_type::directory && s_.known[child].hidden)
        move_one_by_one(child, to, child_name, true, m);
      else
        s_.settle.place(child, to, child_name, m);
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
      const bool other_type = (s_.known[moved].type == entry_type::directory) != (type == entry_type::directory);
      const bool exchanged = other_type || exists(there, there_name);
      if (leads_into_itself(moved, to) || leads_into_itself(o.replaced, to)) {
        s_.settle.vanish(o.replaced, m);
        lose_track(moved, m);
        return true;
      }
      if (!exchanged) s_.settle.vanish(o.replaced, m);
      if (const node_id other = s_.known.find(to, name); other != no_node) s_.settle.vanish(other, m);
      s_.settle.place(exchanged ? o.replaced : moved, to, name, m);
      if (exchanged) s_.settle.place(moved, there, there_name, m);
      doubt(there, there_name);
      doubt(to, name);
      for (const node_id id : {moved, exchanged ? o.replaced : moved})
        if (s_.known[id].type == entry_type::directory)
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

  // Returns false when it cannot be told yet.
  [[nodiscard]] bool settle_name(node_id parent, std::string_view name, moment m) {
    file_status status;
    std::error_code ec;
    if (!scan_.look_surely(parent, name, status, ec)) return false;
    const node_id child = s_.known.find(parent, name);
    const bool missing = ec == std::errc::no_such_file_or_directory;
    if (missing ? child == no_node : ec || (child != no_node && is_that(child, status))) return true;
    if (!scan_.nothing_came()) return false;  // the hints of it are in the queue
    if (!missing && child != no_node && is_of_type(child, status.type)) {
      s_.settle.change_content(child, m);
      s_.known[child].file_id = status.file_id;
      return true;
    }
    if (child != no_node) s_.settle.vanish(child, m);
    if (missing) return true;
    appeared(parent, name, no_node, status.type, m);
    if (const node_id made = s_.known.find(parent, name); made != no_node) s_.known[made].open = false;
    return true;
  }

  [[nodiscard]] bool is_of_type(node_id id, entry_type type) const noexcept {
    const entry_type known = s_.known[id].type;
    return known == type || (known == entry_type::unknown && type != entry_type::directory);
  }

  [[nodiscard]] bool is_that(node_id id, const file_status& status) const noexcept {
    const node& n = s_.known[id];
    if (!is_of_type(id, status.type)) return false;
    return n.type == entry_type::directory || n.file_id == 0 || n.file_id == status.file_id;
  }

  [[nodiscard]] bool is_what_came(node_id parent, std::string_view name) {
    const node_id child = s_.known.find(parent, name);
    file_status status;
    return child != no_node && !scan_.look_by_path(parent, name, status) && is_that(child, status);
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
      if (scan_.look(parent, name, status) || !is_same_file(s_.known[left], status)) continue;
      const bool is_directory = status.type == entry_type::directory;
      const bool wrote = !is_directory && content_differs_after_rename(s_.known[left], status, s_.quiet_since);
      const bool open = s_.known[there].open;
      s_.settle.vanish(there, m);
      s_.settle.place(left, parent, name, m);
      if (wrote) s_.settle.change_content(left, m);
      s_.known[left].open = open;
      if (is_directory) (void)scan_.scan(left, {false, true, true}, m);
      return true;
    }
    return false;
  }

  [[nodiscard]] bool exists(node_id parent, std::string_view name) {
    file_status status;
    return s_.known[parent].in_tree && !scan_.look_by_path(parent, name, status);
  }

  void finish_renames(node_id id) {
    std::error_code ec;
    // A directory that cannot be opened is gone, and the renames out of it came before that.
    if (const directory d = scan_.open(id, ec); d) s_.disk.finish_renames(d);
  }

  void enter(node_id id, moment m) {
    if (s_.root_of(id).recursive) (void)scan_.scan(id, {}, m);
  }

  [[nodiscard]] bool is_blind(node_id id) const noexcept {
    return s_.known[id].watch == no_watch && !s_.known[id].polled;
  }

  [[nodiscard]] bool is_seen_there(node_id id) {
    file_status status;
    return s_.known[id].file_id != 0 && !scan_.look(s_.known[id].parent, s_.known.name(id), status) &&
           status.file_id == s_.known[id].file_id;
  }

  void look_at_closed(node_id id, moment m) {
    file_status status;
    if (!scan_.look(s_.known[id].parent, s_.known.name(id), status)) scan_.settle_closed(id, status, m);
  }

  [[nodiscard]] bool is_noted(const doubted_name& looked) const noexcept {
    for (const doubted_name& n : noted_)
      if (!n.only_identity && n.parent == looked.parent &&
          s_.known.names().view(n.name) == s_.known.names().view(looked.name))
        return true;
    return false;
  }

  void note_name(node_id parent, std::string_view name, bool only_identity = false) {
    noted_.push_back({parent, s_.known.names().store(name), only_identity});
  }

  struct overwriting {
    node_id replaced;  ///< lifted from the place that was overwritten
    node_id by;        ///< the node that is there now
    node_id origin;    ///< where that came from
    name_ref origin_name;
    bool finished = false;
  };

  engine_state<Backend>& s_;
  scanner<Backend>& scan_;
  root_keeper<Backend>& roots_;
  std::vector<overwriting> overwritings_;
  std::vector<doubted_name> names_;
  std::vector<doubted_name> noted_;   ///< names that were left or taken by renames in this backlog
  std::vector<doubted_name> looked_;  ///< names that were looked at after the backlog before
  unsigned moves_ = 0;
  bool overwrote_ = false;
  bool overwrote_before_ = false;
  rename_pairs pairs_;
  std::vector<watch_table::target> targets_;
  bool overflowed_ = false;
  bool lost_track_ = false;
};

}  // namespace hotwatch::inline v0::detail
