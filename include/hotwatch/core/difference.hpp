// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What differs between told and known, as changes in an order in which they can be applied one by one. Floor 2.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../change.hpp"
#include "debounce_clock.hpp"
#include "ledger.hpp"
#include "path_text.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// Turns the ledger into a batch. Each record is one step, and the order of the batch is an order of needs: a child
/// goes before its parent is removed, what moves out of a directory before that directory is removed, a directory is
/// created before what comes into it, a name is freed before it is taken. These are *hard*. That a directory is renamed
/// before what changed below it is told, so that the paths told are those on disk, is *soft*: it yields where it must.
class difference {
 public:
  difference(tree& known, ledger& told, const path_text& paths) noexcept : tree_(known), ledger_(told), paths_(paths) {}

  /// Fills the batch. With `all`, files that their writers hold open are told too; otherwise they are held back.
  /// Returns since when the oldest of them waits, or debounce_clock::never.
  clock::time_point tell(const debounce_clock& due, clock::time_point now, bool all) {
    changes_.clear();
    texts_.clear();
    text_.clear();
    ledger_.compact();
    clock::time_point oldest = debounce_clock::never;
    if (ledger_.records().size() == 1) {
      oldest = tell_alone(due, now, all);
    } else {
      do {
        classify();
        fold_directories();
        fold();
        break_file_cycles();
        find_needs();
        hold_back(due, now, all);
      } while (!find_order());
      for (const planned& p : order_) {
        emit(at(p.step), p.what);
        // What was replaced may be held back, but its old name is told as another file's by now.
        if (const index other = steps_[p.step].replaces; other != none) ledger_.release_told_name(at(other));
      }
      oldest = settle();
    }
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      changes_[i].path = std::string_view(text_).substr(texts_[i].path, texts_[i].path_size);
      changes_[i].old_path = std::string_view(text_).substr(texts_[i].old_path, texts_[i].old_size);
    }
    return oldest;
  }

  /// Whether nothing pending can be the first half of something: no file is open, and no file that was told is missing
  /// from its place in a directory that is still there (a save may be about to put it back).
  [[nodiscard]] bool is_complete() {
    ledger_.compact();
    classify();
    fold_directories();
    fold();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      const record& r = ledger_.records()[i];
      const kind k = steps_[i].what;
      if (k != kind::nothing && k != kind::absorbed && tree_[r.node].open) return false;
      const bool left = k == kind::remove || k == kind::rename;
      if (left && r.told_type != entry_type::directory && tree_[r.told_parent].in_tree) return false;
    }
    return true;
  }

  [[nodiscard]] std::vector<change>& changes() noexcept { return changes_; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return steps_.capacity() * sizeof(step) + needs_.capacity() * sizeof(need) + changes_.capacity() * sizeof(change) +
           texts_.capacity() * sizeof(text_place) + text_.capacity() + places_.capacity() * sizeof(std::uint32_t);
  }

 private:
  using index = std::uint32_t;
  static constexpr index none = 0xffffffff;

  enum class kind : std::uint8_t { nothing, create, modify, attribute, remove, rename, absorbed };

  struct step {
    kind what = kind::nothing;
    bool held = false;
    bool done = false;
    index hard = 0;           ///< steps that must come before
    index soft = 0;           ///< steps that should
    index first_need = none;  ///< the list of those that wait for this one
    index absorbs = none;     ///< the step whose place this one took: they are told as one
    index absorbed_by = none;
    index replaces =
        none;  ///< the step whose told place this one took: it is told as new, or another's heir, in its own
    index visited = none;
  };
  struct need {
    index waits;
    index next;
    bool soft;
  };
  struct planned {
    index step;
    kind what;
  };
  struct text_place {
    std::size_t path, path_size, old_path, old_size;
  };

  [[nodiscard]] record& at(index i) noexcept { return ledger_.records()[i]; }
  [[nodiscard]] bool is_directory(index i) noexcept { return tree_[at(i).node].type == entry_type::directory; }
  [[nodiscard]] step* step_of(node_id id) noexcept {
    const std::uint32_t place = tree_[id].record;
    return place == 0 ? nullptr : &steps_[place - 1];
  }
  [[nodiscard]] index index_of(const step* s) const noexcept { return static_cast<index>(s - steps_.data()); }

  // One change needs nothing of others. It is the usual case without debounce, and the shortest way counts there.
  [[nodiscard]] clock::time_point tell_alone(const debounce_clock& due, clock::time_point now, bool all) {
    record& r = ledger_.records().front();
    const kind what = kind_of(r);
    if (what != kind::nothing) {
      if (is_to_be_held(r, due, now, all)) return r.seen;
      emit(r, what);
    }
    settle(r);
    return debounce_clock::never;
  }

  [[nodiscard]] kind kind_of(const record& r) const noexcept {
    const node& n = tree_[r.node];
    if (!r.told) return n.in_tree ? kind::create : kind::nothing;
    if (!n.in_tree) return kind::remove;
    if (r.told_parent != n.parent ||
        (r.told_name != n.name && tree_.names().view(r.told_name) != tree_.names().view(n.name)))
      return kind::rename;
    if (r.content && n.type != entry_type::directory) return kind::modify;
    return r.metadata ? kind::attribute : kind::nothing;
  }

  // An open file waits for its writer; one that could not be looked at waits for the hint that says where it is.
  [[nodiscard]] bool is_to_be_held(const record& r, const debounce_clock& due, clock::time_point now,
                                   bool all) const noexcept {
    const node& n = tree_[r.node];
    if (n.in_tree && n.type == entry_type::unknown) return true;
    return !all && n.open && due.held_until(r.seen) > now;
  }

  void classify() {
    const auto count = static_cast<index>(ledger_.records().size());
    steps_.assign(count, step{});
    needs_.clear();
    directory_renamed_ = false;
    bool departed = false;
    bool arrived = false;
    for (index i = 0; i < count; ++i) {
      const kind what = steps_[i].what = kind_of(at(i));
      directory_renamed_ |= what == kind::rename && is_directory(i);
      departed |= what == kind::remove || what == kind::rename;
      arrived |= what == kind::create || what == kind::rename;
    }
    index_places(departed && arrived);
  }

  // The told places that were left, by hash: who had this name?
  void index_places(bool needed) {
    places_.clear();
    if (!needed) return;
    std::size_t size = 16;
    while (size < 2 * steps_.size()) size *= 2;
    places_.assign(size, none);
    for (index i = 0; i < steps_.size(); ++i) {
      if (steps_[i].what != kind::remove && steps_[i].what != kind::rename) continue;
      const record& r = at(i);
      std::size_t slot = tree_.hash(r.told_parent, tree_.names().view(r.told_name)) & (size - 1);
      while (places_[slot] != none) slot = (slot + 1) & (size - 1);
      places_[slot] = i;
    }
  }

  /// Who was told to be where step `i` is now, and has left it.
  [[nodiscard]] index former_occupant(index i) noexcept {
    if (places_.empty()) return none;
    const node& n = tree_[at(i).node];
    const index before = occupant(i, n.parent);
    if (before != none) return before;
    // Its directory may stand for one that was told and is gone.
    const step* parent = step_of(n.parent);
    return parent != nullptr && parent->what == kind::nothing && parent->absorbs != none
               ? occupant(i, at(parent->absorbs).node)
               : none;
  }

  [[nodiscard]] index occupant(index i, node_id parent) noexcept {
    const std::string_view name = tree_.names().view(tree_[at(i).node].name);
    for (std::size_t slot = tree_.hash(parent, name) & (places_.size() - 1); places_[slot] != none;
         slot = (slot + 1) & (places_.size() - 1)) {
      const index other = places_[slot];
      if (other != i && at(other).told_parent == parent && tree_.names().view(at(other).told_name) == name)
        return other;
    }
    return none;
  }

  /// A file for a file: the name is told as modified, whatever way the content took.
  [[nodiscard]] bool can_replace(index now, index before) noexcept {
    const entry_type a = tree_[at(now).node].type;
    const entry_type b = at(before).told_type;
    if (a == entry_type::directory || b == entry_type::directory) return false;
    return a == b || a == entry_type::unknown || b == entry_type::unknown;
  }

  void absorb(index i, index before) {
    steps_[before].what = kind::absorbed;
    steps_[before].absorbed_by = i;
    steps_[i].absorbs = before;
  }

  // A directory in the place of one that is gone, or onto an empty one: told as itself, what is in it by its own names.
  void fold_directories() {
    if (places_.empty()) return;
    for (bool again = true; again;) {
      again = false;
      for (index i = 0; i < steps_.size(); ++i) {
        step& s = steps_[i];
        if ((s.what != kind::create && s.what != kind::rename) || s.absorbs != none || !is_directory(i)) continue;
        const index before = former_occupant(i);
        if (before == none || steps_[before].what != kind::remove || at(before).told_type != entry_type::directory ||
            tree_[at(before).node].hidden != tree_[at(i).node].hidden)
          continue;
        absorb(i, before);
        if (s.what == kind::create) s.what = kind::nothing;
        again = true;  // what is in it may fold now
      }
    }
    for (index i = 0; i < steps_.size(); ++i)
      if (steps_[i].what == kind::rename && stayed_in_place(i))
        steps_[i].what = at(i).content && !is_directory(i) ? kind::modify
                         : at(i).metadata                  ? kind::attribute
                                                           : kind::nothing;
  }

  // Moved into the directory that stands for the one in which it was, under the name that it had.
  [[nodiscard]] bool stayed_in_place(index i) noexcept {
    const node& n = tree_[at(i).node];
    const step* parent = step_of(n.parent);
    return parent != nullptr && parent->what == kind::nothing && parent->absorbs != none &&
           at(parent->absorbs).node == at(i).told_parent &&
           tree_.names().view(n.name) == tree_.names().view(at(i).told_name);
  }

  // The save patterns. A new file in the place of one that is gone, or was moved away for a backup, is that file,
  // modified; the backup then counts as new in its place, which may have been the place of another, and so on.
  void fold() {
    for (index first = 0; first < steps_.size(); ++first)
      for (index i = first; i != none;) {
        step& s = steps_[i];
        const index before = s.what == kind::create || s.what == kind::rename ? former_occupant(i) : none;
        if (before == none || !can_replace(i, before) || steps_[before].what == kind::absorbed) break;
        step& b = steps_[before];
        if (b.what == kind::remove) {
          absorb(i, before);
          if (s.what == kind::create) s.what = kind::modify;
          break;
        }
        if (s.what != kind::create || b.what != kind::rename) break;
        s.what = kind::modify;
        b.what = b.absorbs == none ? kind::create : kind::modify;
        require(i, before);
        s.replaces = before;
        i = b.absorbs == none ? before : none;
      }
  }

  // Files that changed places in a ring (RENAME_EXCHANGE): each name has another content.
  void break_file_cycles() {
    if (places_.empty()) return;
    for (index first = 0; first < steps_.size(); ++first) {
      index i = first;
      while (i != none && steps_[i].what == kind::rename && !is_directory(i) && steps_[i].visited == none) {
        steps_[i].visited = first;
        const index before = former_occupant(i);
        i = before != none && can_replace(i, before) ? before : none;
      }
      if (i == none || steps_[i].visited != first || steps_[i].what != kind::rename) continue;
      for (index ring = i; steps_[ring].what == kind::rename;) {
        steps_[ring].what = kind::modify;
        ring = steps_[ring].replaces = former_occupant(ring);
      }
    }
  }

  void require(index before, index after, bool soft = false) {
    needs_.push_back({after, steps_[before].first_need, soft});
    steps_[before].first_need = static_cast<index>(needs_.size() - 1);
    ++(soft ? steps_[after].soft : steps_[after].hard);
  }

  void find_needs() {
    for (index i = 0; i < steps_.size(); ++i) {
      const kind what = steps_[i].what;
      if (what == kind::nothing || what == kind::absorbed) continue;
      const record& r = at(i);
      if (what == kind::remove || what == kind::rename)
        if (const step* parent = step_of(r.told_parent); parent != nullptr) {
          if (parent->what == kind::remove) require(i, index_of(parent));
          // It must be empty before another directory is renamed onto it.
          if (parent->what == kind::absorbed && steps_[parent->absorbed_by].what == kind::rename)
            require(i, parent->absorbed_by);
        }
      if (what == kind::remove) continue;
      const node& n = tree_[r.node];
      if (const step* parent = step_of(n.parent); parent != nullptr && parent->what == kind::create)
        require(index_of(parent), i);
      if (what == kind::create || what == kind::rename)
        if (const index before = former_occupant(i);
            before != none && (steps_[before].what == kind::remove || steps_[before].what == kind::rename))
          require(before, i);
      if (directory_renamed_) find_needs_of_renamed_directories(i);
    }
  }

  void find_needs_of_renamed_directories(index i) {
    const node_id self = at(i).node;
    for (node_id id = tree_[self].parent; id != no_node; id = tree_[id].parent)
      if (const step* s = step_of(id); s != nullptr && s->what == kind::rename) {
        require(index_of(s), i, true);
        break;
      }
    if (steps_[i].what != kind::rename || !is_directory(i)) return;
    // A directory that moves into what was below it: that must have left it before.
    renamed_above_.clear();
    for (node_id id = tree_[self].parent; id != no_node; id = paths_.place_of(id, view::told).parent) {
      if (id == self) {
        for (index above : renamed_above_) require(above, i);
        return;
      }
      if (const step* s = step_of(id); s != nullptr && s->what == kind::rename) renamed_above_.push_back(index_of(s));
    }
  }

  void hold_back(const debounce_clock& due, clock::time_point now, bool all) {
    queue_.clear();
    for (index i = 0; i < steps_.size(); ++i) {
      const kind k = steps_[i].what;
      if (k == kind::nothing || k == kind::absorbed || !is_to_be_held(at(i), due, now, all)) continue;
      steps_[i].held = true;
      queue_.push_back(i);
    }
    while (!queue_.empty()) {
      const index i = queue_.back();
      queue_.pop_back();
      if (steps_[i].absorbs != none) steps_[steps_[i].absorbs].held = true;
      if (const index other = steps_[i].replaces; other != none && !steps_[other].held) {
        steps_[other].held = true;
        queue_.push_back(other);
      }
      for (index n = steps_[i].first_need; n != none; n = needs_[n].next)
        if (!needs_[n].soft && !steps_[needs_[n].waits].held) {
          steps_[needs_[n].waits].held = true;
          queue_.push_back(needs_[n].waits);
        }
    }
  }

  /// Fills order_. Returns false when a ring of directories had to be broken up: then all is to be looked at again.
  [[nodiscard]] bool find_order() {
    order_.clear();
    queue_.clear();
    std::size_t left = 0;
    for (index i = 0; i < steps_.size(); ++i) {
      step& s = steps_[i];
      if (s.held || s.what == kind::nothing || s.what == kind::absorbed) continue;
      ++left;
      if (s.hard == 0 && s.soft == 0) queue_.push_back(i);
    }
    for (std::size_t head = 0; left != 0; ++head) {
      if (head == queue_.size()) {
        const index i = next_of_stuck();
        step& s = steps_[i];
        if (s.hard == 0) {
          s.soft = 0;  // the wish yields
        } else if (is_directory(i)) {
          be_born_again(at(i).node);
          return false;
        } else {  // a file in a ring with directories: first gone, then created
          order_.push_back({i, kind::remove});
          s.what = kind::create;
          release(i);
        }
        if (s.hard == 0 && s.soft == 0) queue_.push_back(i);
        --head;
        continue;
      }
      const index i = queue_[head];
      if (steps_[i].done) continue;
      if (const index above = moves_into_itself_but_for(i); above != none) {
        require(above, i);
        continue;
      }
      steps_[i].done = true;
      order_.push_back({i, steps_[i].what});
      --left;
      release(i);
    }
    return true;
  }

  /// A directory whose new place is, at this point of the order, still below itself: the step that has to take that
  /// place away from there before, or none.
  [[nodiscard]] index moves_into_itself_but_for(index i) noexcept {
    if (!directory_renamed_ || steps_[i].what != kind::rename || !is_directory(i)) return none;
    const node_id self = at(i).node;
    index last = none;
    for (node_id id = tree_[self].parent; id != no_node;) {
      if (id == self) return last;
      const step* s = step_of(id);
      if (s != nullptr && !s->done && s->what != kind::nothing && s->what != kind::create) {
        if (s->what == kind::rename) last = index_of(s);
        id = paths_.place_of(id, view::told).parent;
      } else {
        id = tree_[id].parent;
      }
    }
    return none;
  }

  [[nodiscard]] index next_of_stuck() noexcept {
    index file = none;
    index directory = none;
    for (index i = 0; i < steps_.size(); ++i) {
      const step& s = steps_[i];
      if (s.held || s.done || s.what == kind::nothing || s.what == kind::absorbed) continue;
      if (s.hard == 0) return i;
      if (s.what != kind::rename) continue;
      index& first = is_directory(i) ? directory : file;
      if (first == none) first = i;
    }
    return file != none ? file : directory;
  }

  void release(index i) {
    for (index n = steps_[i].first_need; n != none; n = needs_[n].next) {
      step& s = steps_[needs_[n].waits];
      index& count = needs_[n].soft ? s.soft : s.hard;
      if (count > 0) --count;
      if (s.hard == 0 && s.soft == 0 && !s.held && !s.done) queue_.push_back(needs_[n].waits);
    }
    steps_[i].first_need = none;
  }

  // Two directories that changed places cannot both be renamed one after the other. One of them is told as removed and
  // created with all that is in it: what was told goes to ghosts, and the nodes themselves count as never told.
  void be_born_again(node_id top) {
    const clock::time_point seen = at(tree_[top].record - 1).seen;
    ghosts_.clear();
    for (node_id id = top; id != no_node; id = tree_.next(id, top)) {
      record& r = ledger_.remember(id, seen);
      const record old = r;
      if (!old.told) continue;
      r.told = false;
      r.told_name = 0;
      const node_id ghost = tree_.make(old.told_type);
      tree_[ghost].hidden = tree_[id].hidden;
      record& g = ledger_.remember(ghost, old.seen);
      g.told_parent = old.told_parent;
      g.told_name = tree_.names().store(tree_.names().view(old.told_name));
      if (old.told_name != tree_[id].name) tree_.names().release(old.told_name);
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

  void emit(record& r, kind what) {
    const node& n = tree_[r.node];
    const bool was_renamed = what == kind::rename;
    text_place t{};
    const root_label* root = nullptr;
    if (what == kind::remove || was_renamed) {
      t.old_path = text_.size();
      if (!n.hidden) root = &paths_.append(r.node, view::told, text_);
      t.old_size = text_.size() - t.old_path;
    }
    if (what == kind::remove) {
      t = {t.old_path, t.old_size, 0, 0};
    } else {
      ledger_.take_place(r);
      t.path = text_.size();
      if (!n.hidden) root = &paths_.append(r.node, view::told, text_);
      t.path_size = text_.size() - t.path;
    }
    if (root != nullptr) {
      const entry_type type = what == kind::remove ? r.told_type : n.type;
      changes_.push_back({change_of(what),
                          type,
                          {},
                          {},
                          was_renamed && r.content && type != entry_type::directory,
                          root->id,
                          r.seen,
                          static_cast<std::uint32_t>(root->below())});
      texts_.push_back(t);
    }
    if (what == kind::remove) ledger_.release_told_name(r);
    r.content = r.metadata = false;
  }

  [[nodiscard]] static change_kind change_of(kind what) noexcept {
    switch (what) {
      case kind::create: return change_kind::created;
      case kind::remove: return change_kind::removed;
      case kind::rename: return change_kind::renamed;
      case kind::attribute: return change_kind::metadata;
      default: return change_kind::modified;
    }
  }

  // Told = known for all that was told, or need not be.
  [[nodiscard]] clock::time_point settle() {
    clock::time_point oldest = debounce_clock::never;
    for (index i = 0; i < steps_.size(); ++i)
      if (steps_[i].held) stand_in_for_parent(i);
    for (index i = 0; i < steps_.size(); ++i) {
      const record& r = at(i);
      if (r.node == no_node) continue;
      if (steps_[i].held) {
        if (r.seen < oldest) oldest = r.seen;
        continue;
      }
      settle(r);
      if (ledger_.records().empty()) break;
    }
    return oldest;
  }

  void settle(const record& r) noexcept {
    const node_id id = r.node;
    const bool ghost = !tree_[id].in_tree;
    ledger_.settle(id);
    if (ghost) tree_.free(id);
  }

  // What is held back in a directory that was replaced is told to be in the one that stands there now.
  void stand_in_for_parent(index i) {
    record& r = at(i);
    if (!r.told || r.told_parent == no_node) return;
    if (const step* parent = step_of(r.told_parent);
        parent != nullptr && parent->what == kind::absorbed && steps_[parent->absorbed_by].what == kind::nothing)
      r.told_parent = at(parent->absorbed_by).node;
  }

  tree& tree_;
  ledger& ledger_;
  const path_text& paths_;
  std::vector<step> steps_;
  std::vector<need> needs_;
  std::vector<index> places_;
  std::vector<index> queue_;
  std::vector<planned> order_;
  std::vector<index> renamed_above_;
  std::vector<node_id> ghosts_;
  std::vector<change> changes_;
  std::vector<text_place> texts_;
  std::string text_;
  bool directory_renamed_ = false;
};

}  // namespace hotwatch::inline v0::detail
