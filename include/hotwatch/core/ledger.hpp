// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the user was last told of the nodes that changed since: their place, or that they were not there. Floor 2.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "../change.hpp"
#include "kept_memory.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// What was told of one node, kept while it may differ from what is known.
struct record {
  node_id node = no_node;  ///< no_node: void, to be passed over
  node_id told_parent = no_node;
  name_ref told_name = 0;  ///< shared with the node until the node is renamed, then the record's own
  entry_type told_type = entry_type::unknown;
  bool told = false;  ///< false: the user was never told of it
  bool content = false;
  bool metadata = false;
  clock::time_point seen{};  ///< when the first word of this change came
};

/// The dirty list: a record for each node that may differ from what was told, in the order of the first word of it.
class ledger {
 public:
  explicit ledger(tree& known) noexcept : tree_(known) {}

  /// The node's record; before the first change of it the record is what is known now.
  record& remember(node_id id, clock::time_point now) {
    node& n = tree_[id];
    if (n.record != 0) return records_[n.record - 1];
    return add({id, n.parent, n.name, n.type, true, false, false, now});
  }

  /// A node that nobody was told of.
  record& born(node_id id, clock::time_point now) {
    return add({id, no_node, 0, entry_type::unknown, false, false, false, now});
  }

  [[nodiscard]] record* find(node_id id) noexcept {
    const std::uint32_t place = tree_[id].record;
    return place == 0 ? nullptr : &records_[place - 1];
  }

  /// Told = known: the node is clean again. One that is gone for good (and not on its way in a rename) is given back to
  /// the tree: nothing is to be told of it any more.
  void settle(node_id id) noexcept {
    node& n = tree_[id];
    if (n.record == 0) return;
    record& r = records_[n.record - 1];
    release_told_name(r);
    r.node = no_node;
    n.record = 0;
    --live_;
    if (live_ == 0) clear_for_next_batch(records_);
    if (!n.in_tree) tree_.free(id);
  }

  /// Whether the node itself, and not a directory above it, is elsewhere than was told.
  [[nodiscard]] bool has_moved(const record& r) const noexcept {
    const node& n = tree_[r.node];
    return r.told_parent != n.parent ||
           (r.told_name != n.name && tree_.names().view(r.told_name) != tree_.names().view(n.name));
  }

  /// Takes the told place for the known one, and goes on being dirty.
  void take_place(record& r) noexcept {
    release_told_name(r);
    const node& n = tree_[r.node];
    r.told_parent = n.parent;
    r.told_name = n.name;
    r.told_type = n.type;
    r.told = true;
  }

  /// Hands what was told of a node to a new one that is nowhere, so that it can be told as removed; the node itself
  /// counts as never told. Returns the new one.
  node_id leave_ghost(node_id id) {
    const record old = *find(id);
    record& r = *find(id);
    r.told = false;
    r.told_name = 0;
    const node_id ghost = tree_.make(old.told_type);
    tree_[ghost].hidden = tree_[id].hidden;
    record& g = remember(ghost, old.seen);
    g.told_parent = old.told_parent;
    g.told_name = tree_.names().store(tree_.names().view(old.told_name));
    if (old.told_name != tree_[id].name) tree_.names().release(old.told_name);
    return ghost;
  }

  /// Gives the record's own copy of the name back, if it has one.
  void release_told_name(record& r) noexcept {
    if (r.told && r.told_name != tree_[r.node].name) tree_.names().release(r.told_name);
    r.told_name = 0;
    r.told = false;
  }

  /// Drops the void records, keeping the order.
  void compact() noexcept {
    if (live_ == records_.size()) return;
    std::size_t kept = 0;
    for (record& r : records_) {
      if (r.node == no_node) continue;
      tree_[r.node].record = static_cast<std::uint32_t>(kept + 1);
      records_[kept++] = r;
    }
    records_.resize(kept);
  }

  [[nodiscard]] bool empty() const noexcept { return live_ == 0; }
  [[nodiscard]] std::size_t size() const noexcept { return live_; }
  [[nodiscard]] std::vector<record>& records() noexcept { return records_; }
  [[nodiscard]] std::size_t bytes() const noexcept { return records_.capacity() * sizeof(record); }

 private:
  record& add(record r) {
    // Names that come and go within one batch leave void records: no more of them than of the others.
    if (records_.size() >= 1024 && records_.size() > 2 * live_) compact();
    records_.push_back(r);
    ++live_;
    tree_[r.node].record = static_cast<std::uint32_t>(records_.size());
    return records_.back();
  }

  tree& tree_;
  std::vector<record> records_;
  std::size_t live_ = 0;
};

}  // namespace hotwatch::inline v0::detail
