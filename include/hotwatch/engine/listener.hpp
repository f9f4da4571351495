// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Takes hints, finds the nodes they mean, and settles them. Floor 5.

#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../core/hint.hpp"
#include "look_outcome.hpp"
#include "lookup.hpp"
#include "name_doubts.hpp"
#include "name_looks.hpp"
#include "renames.hpp"
#include "root_keeper.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class listener {
 public:
  listener(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan, root_keeper<Backend>& roots,
           renames<Backend>& renames, name_doubts<Backend>& doubts, name_looks<Backend>& looks) noexcept
      : s_(state), lookup_(lookup), scan_(scan), roots_(roots), renames_(renames), doubts_(doubts), looks_(looks) {}

  /// Returns whether it is news: about anything that is known.
  bool take(const hint& h, moment m) {
    if (h.kind == hint_kind::overflow) return overflowed_ = true;
    const std::size_t first = targets_.size();
    s_.watches.find(h.watch, targets_);
    for (std::size_t i = first; i < targets_.size(); ++i) {
      const watch_table::target t = targets_[i];
      if (h.kind == hint_kind::unwatched) s_.watches.remove(h.watch, t);
      if (t.guard) {
        if (means_way(h, s_.roots[t.index])) s_.suspect(t.index);
      } else if (s_.known[t.index].watch == h.watch) {  // what it says of another may have taken this one away
        take_for(t.index, h, m);
      }
    }
    const bool meant_any = targets_.size() != first;
    targets_.resize(first);
    s_.say_farewell();
    return meant_any;
  }

  [[nodiscard]] bool take_overflow() noexcept { return std::exchange(overflowed_, false); }
  [[nodiscard]] bool overflowed() const noexcept { return overflowed_; }

 private:
  // Whether the way to the root is not what it was, or may lead on where it ended.
  [[nodiscard]] static bool means_way(const hint& h, const root& r) noexcept {
    if (h.name.empty()) return true;
    if (!r.lost || (!r.awaited.empty() && h.name != r.awaited)) return false;
    return h.kind == hint_kind::appeared || h.kind == hint_kind::moved_to;
  }

  void take_for(node_id id, const hint& h, moment m) {
    node& n = s_.known[id];
    switch (h.kind) {
      case hint_kind::unwatched:
        n.watch = no_watch;
        if (has_own_way(n))
          s_.suspect(n.attributes);
        else
          s_.doubts.push_back({id});  // removed, as its parent will say; or unmounted
        return;
      case hint_kind::gone:
        if (has_own_way(n))
          s_.suspect(n.attributes);
        else
          s_.doubts.push_back({id});
        return;
      case hint_kind::look_again:
        if (s_.root_of(id).is_file)
          s_.suspect(n.attributes);
        else
          (void)scan_.scan(id, everything, m);
        return;
      case hint_kind::own_attributes:
        if (n.unreadable) (void)scan_.scan(id, everything, m);
        if (n.parent != no_node) s_.settle.change_attributes(id, s_.opts.metadata, m);
        return;
      default: break;
    }
    if (h.name.empty()) {
      if (h.kind == hint_kind::attributes && n.unreadable) (void)scan_.scan(id, everything, m);
      return;
    }
    if (n.link && !s_.roots[n.attributes].is_entered()) return;
    std::string_view name = h.name;
    const root& r = s_.root_of(id);
    if (r.is_file) {
      name = roots_.name_in(r, name);
      if (name.empty()) return;
      // What stands there now may be a symlink, and the file elsewhere.
      if (h.kind == hint_kind::appeared || h.kind == hint_kind::moved_to || h.kind == hint_kind::came_or_went)
        s_.suspect(s_.known[id].attributes);
    }
    if (h.kind == hint_kind::look_at_new || h.kind == hint_kind::look_at_known || h.kind == hint_kind::look_at_moved) {
      if (r.is_file)
        s_.suspect(s_.known[id].attributes);
      else
        looks_.add(id, h);
      return;
    }
    for (std::size_t slash = name.find('/'); slash != std::string_view::npos; slash = name.find('/')) {
      if (!r.recursive) return;
      const std::string_view step = name.substr(0, slash);
      const node_id below = s_.find(id, step);
      if (below == no_node || s_.known[below].type != entry_type::directory) return take_out_of_sight(id, step, h);
      id = below;
      name.remove_prefix(slash + 1);
    }
    hint typed = h;
    if (h.is_typed || learn_type(id, name, typed)) take_name(id, name, typed, m);
  }

  // About something in a directory that is not known: excluded, or gone by now, as a listing ahead of the queue saw.
  void take_out_of_sight(node_id parent, std::string_view name, const hint& h) {
    const bool is_of_the_past = h.kind == hint_kind::vanished || h.kind == hint_kind::moved_from;
    if (!is_of_the_past && s_.judge(parent, name, true) != verdict::pruned) s_.doubt(parent);
  }

  // What the kernel did not say: whether it is a directory. Returns false if there is nothing to settle, because it is
  // gone again, as another hint will say, or because a directory is never written.
  [[nodiscard]] bool learn_type(node_id parent, std::string_view name, hint& h) {
    const bool comes = h.kind == hint_kind::appeared || h.kind == hint_kind::moved_to;
    const node_id is_it = h.kind == hint_kind::moved_to ? renames_.on_its_way(h.pair) : s_.find(parent, name);
    entry_type type = is_it != no_node ? s_.known[is_it].type : entry_type::unknown;
    file_status status;
    if (comes && (is_it == no_node || h.kind == hint_kind::appeared)) {
      if (const std::error_code ec = lookup_.look(parent, name, status)) {
        if (!is_absence(ec)) scan_.could_not_look_in(parent, ec);
        return false;
      }
      type = status.type;
    }
    h.type = type == entry_type::directory ? type : entry_type::unknown;
    return h.type != entry_type::directory || (h.kind != hint_kind::written && h.kind != hint_kind::completed);
  }

  void take_name(node_id parent, std::string_view name, const hint& h, moment m) {
    const bool comes = h.kind == hint_kind::appeared || h.kind == hint_kind::moved_to;
    const node_id child = comes ? s_.known.find(parent, name) : s_.find(parent, name);
    switch (h.kind) {
      case hint_kind::appeared: appeared(parent, name, child, h, m); return;
      case hint_kind::moved_to: renames_.moved_to(parent, name, child, h, m); return;
      case hint_kind::came_or_went: doubts_.doubt(parent, name); return;
      default: break;
    }
    if (child == no_node) {  // filtered, gone before it was listed, or out of sight while the tree is being moved about
      if ((h.kind == hint_kind::written || h.kind == hint_kind::completed) &&
          s_.judge(parent, name, false) == verdict::told)
        doubts_.doubt(parent, name);
      return;
    }
    // A listing was ahead of the queue, and this is about what had the name before. It may still be about what has it
    // now, if that came here out of sight.
    const bool is_write = h.kind == hint_kind::written || h.kind == hint_kind::completed;
    if ((own_type(s_.known[child]) == entry_type::directory) != (h.type == entry_type::directory) ||
        (is_write && s_.known[child].link)) {
      doubts_.doubt(parent, name);
      return;
    }
    switch (h.kind) {
      case hint_kind::vanished: s_.settle.vanish(child, m); return;
      case hint_kind::moved_from:
        // It may have come back by link(2) before it was told: then that is in the record of its making.
        if (h.merged && is_new(child)) doubts_.doubt(parent, name);
        renames_.moved_from(parent, child, h, m);
        return;
      case hint_kind::written: s_.settle.write(child, m); return;
      case hint_kind::completed:
        if (s_.settle.complete(child, m)) look_at_closed(child, m);
        return;
      case hint_kind::attributes:
        if (h.type == entry_type::directory && s_.known[child].unreadable) (void)scan_.scan(child, everything, m);
        s_.settle.change_attributes(child, s_.opts.metadata, m);
        return;
      default: return;
    }
  }

  // Whether it came since the last batch was told.
  [[nodiscard]] bool is_new(node_id id) noexcept {
    const record* const r = s_.told.find(id);
    return r != nullptr && !r->told;
  }

  void appeared(node_id parent, std::string_view name, node_id child, const hint& h, moment m) {
    const bool is_directory = h.type == entry_type::directory;
    if (child != no_node) {
      // A listing was ahead of the queue, and the name is known. Or it will leave by a rename that is still in the
      // queue, and have come back by link(2) since.
      if (h.merged) doubts_.doubt(parent, name);
      if ((own_type(s_.known[child]) == entry_type::directory) == is_directory) {
        if (is_directory && s_.is_blind(child)) scan_.read(child, m);
        return;
      }
      s_.settle.vanish(child, m);
    }
    const node_id made = scan_.take_in(parent, name, h.type, m);
    // Its maker has it open, unless it is a link: that is looked at before it is told.
    if (made != no_node && !is_directory) s_.known[made].open = true;
  }

  void look_at_closed(node_id id, moment m) {
    file_status status;
    if (!lookup_.look(s_.known[id].parent, s_.known.name(id), status)) settle_closed(s_, id, status, m);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  root_keeper<Backend>& roots_;
  renames<Backend>& renames_;
  name_doubts<Backend>& doubts_;
  name_looks<Backend>& looks_;
  std::vector<watch_table::target> targets_;
  bool overflowed_ = false;
};

}  // namespace hotwatch::inline v0::detail
