// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Settles what was heard or seen of a name into facts: the tree changes, and the ledger remembers what was told.
// Floor 2.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../change.hpp"
#include "debounce_clock.hpp"
#include "ledger.hpp"
#include "stamp.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// The moment at which something is settled: on the user's clock, and on the file system's.
struct moment {
  clock::time_point now{};
  file_time file_now = 0;
};

/// Makes, moves and removes names, in the tree and in the ledger. Each function is one fact.
class facts {
 public:
  facts(tree& known, ledger& told, debounce_clock& due) noexcept : tree_(known), ledger_(told), due_(due) {}

  /// A directory or a link that went away, to be taken from the backend.
  struct farewell {
    node_id node;
    std::int32_t watch;
    bool link;
    std::uint32_t index;  ///< of a link
  };

  /// Names that are listed before their root is ready are known, not told.
  enum class telling : std::uint8_t { tell, known_already };

  /// Makes a name that is not there yet.
  node_id appear(node_id parent, std::string_view name, entry_type type, bool hidden, moment m,
                 telling how = telling::tell) {
    const node_id id = tree_.make(type);
    node& n = tree_[id];
    n.hidden = hidden;
    n.stamp = m.file_now;
    tree_.attach(id, parent, tree_.names().store(name));
    if (how == telling::tell) {
      ledger_.born(id, m.now);
      due_.note(m.now);
    }
    return id;
  }

  /// The node and all below it are gone. What was never told is forgotten, the rest stays as ghosts until it is told.
  void vanish(node_id top, moment m) {
    node_id id = deepest(top);
    while (id != top) {
      const node_id parent = tree_[id].parent;
      const node_id sibling = tree_[id].next_sibling;
      drop(id, m);
      id = sibling != no_node ? deepest(sibling) : parent;
    }
    drop(top, m);
  }

  /// Takes a node out of its place, with all below it, until place() or vanish() decides: the first half of a rename.
  void lift(node_id id, moment m) {
    ledger_.remember(id, m.now);
    due_.note(m.now);
    tree_.detach(id);
  }

  /// Puts a lifted node into its new place: the second half of a rename. The place is free.
  void place(node_id id, node_id parent, std::string_view name, moment m) {
    node& n = tree_[id];
    const record* r = ledger_.find(id);
    // The record keeps the old name until it is told.
    if (!r->told || r->told_name != n.name) tree_.names().release(n.name);
    n.name = 0;
    tree_.attach(id, parent, tree_.names().store(name));
    n.stamp = n.fingerprinted ? n.stamp : m.file_now;
    due_.note(m.now);
  }

  /// A link is shown as what it leads to by now, or as itself again. Returns the node for that, which is no link yet.
  node_id show_as(node_id id, entry_type type, bool hidden, moment m, telling how) {
    if (how == telling::known_already) {
      const node_id parent = tree_[id].parent;
      tree_.detach(id);
      tree_[id].type = type;
      tree_[id].hidden = hidden;
      tree_.attach(id, parent, tree_[id].name);
      return id;
    }
    const node before = tree_[id];
    const std::string name(tree_.name(id));
    vanish(id, m);
    const node_id made = appear(before.parent, name, type, hidden, m);
    tree_[made].file_id = before.file_id;
    tree_[made].birth = before.birth;
    return made;
  }

  void write(node_id id, moment m) {
    node& n = tree_[id];
    change_content(id, m);
    // It may be no file for all that: a symlink whose time of content alone is set gives IN_MODIFY (fsnotify_change()).
    n.open = true;
  }

  /// A writer closed. Returns whether a look is needed to know if it had written: a store through a mapping, or an open
  /// and close without a write, is told by nothing else.
  [[nodiscard]] bool complete(node_id id, moment m) {
    node& n = tree_[id];
    if (n.type == entry_type::unknown) n.type = entry_type::file;
    const bool was_open = n.open;
    n.open = false;
    if (n.record != 0) due_.note(m.now);
    if (!was_open) return true;
    n.touched = false;
    n.stamp = m.file_now;
    return false;
  }

  void change_content(node_id id, moment m) {
    ledger_.remember(id, m.now).content = true;
    tree_[id].stamp = m.file_now;
    tree_[id].fingerprinted = false;
    due_.note(m.now);
  }

  /// Permissions, owner or times; with `tell` they are told.
  void change_attributes(node_id id, bool tell, moment m) {
    node& n = tree_[id];
    if (n.link) return;  // neither its own, nor those of what it leads to
    n.touched = true;
    n.stamp = m.file_now;
    n.fingerprinted = false;
    n.attributes = 0;  // to be learned anew: this change is told here
    if (!tell) return;
    ledger_.remember(id, m.now).metadata = true;
    due_.note(m.now);
  }

  /// What went away since the last call; the caller empties the list.
  [[nodiscard]] std::vector<farewell>& farewells() noexcept { return farewells_; }

 private:
  [[nodiscard]] node_id deepest(node_id id) const noexcept {
    while (tree_[id].first_child != no_node) id = tree_[id].first_child;
    return id;
  }

  void drop(node_id id, moment m) {
    node& n = tree_[id];
    if (n.watch != no_watch || n.polled || n.link) {
      farewells_.push_back({id, n.watch, n.link, n.attributes});
      n.watch = no_watch;
      n.polled = n.link = false;
    }
    n.open = false;
    const record* r = ledger_.find(id);
    if (r != nullptr && !r->told) {
      if (n.in_tree) tree_.detach(id);
      ledger_.settle(id);
      return;
    }
    ledger_.remember(id, m.now);
    due_.note(m.now);
    if (n.in_tree) tree_.detach(id);
  }

  tree& tree_;
  ledger& ledger_;
  debounce_clock& due_;
  std::vector<farewell> farewells_;
};

}  // namespace hotwatch::inline v0::detail
