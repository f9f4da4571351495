// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What is left of all that happened to each node of the ledger: its net effect, save patterns folded. Floor 2.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "../change.hpp"
#include "hash_index.hpp"
#include "kept_memory.hpp"
#include "ledger.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// The place of a record in the ledger, while that is not changed.
using record_index = std::uint32_t;
inline constexpr record_index no_record = hash_index::none;

enum class effect : std::uint8_t {
  nothing,
  created,
  modified,
  metadata,
  removed,
  renamed,
  absorbed,  ///< told as one with the record that took its place
};

struct net_effect {
  effect what = effect::nothing;
  bool exchanged = false;            ///< it `replaces` another in a ring: none of them is first
  record_index absorbs = no_record;  ///< whose place this one took: they are told as one
  record_index absorbed_by = no_record;
  record_index replaces = no_record;  ///< whose told place this one took: that one is told as new, or as another's heir
  record_index visited = no_record;
};

/// Told and known compared, record by record, and then the records with one another: a file that takes the place of a
/// file is that file, modified, and a directory stands for the one whose place it took.
class net_effects {
 public:
  net_effects(const tree& known, ledger& told) noexcept : tree_(known), ledger_(told) {}

  /// Of one record by itself.
  [[nodiscard]] effect of(const record& r) const noexcept {
    const node& n = tree_[r.node];
    if (!r.told) return n.in_tree ? effect::created : effect::nothing;
    if (!n.in_tree) return effect::removed;
    if (ledger_.has_moved(r)) return effect::renamed;
    if (r.content && n.type != entry_type::directory) return effect::modified;
    return r.metadata ? effect::metadata : effect::nothing;
  }

  /// Of all records.
  void find() {
    classify();
    fold_directories();
    fold_files();
    break_file_rings();
  }

  [[nodiscard]] record_index size() const noexcept { return static_cast<record_index>(effects_.size()); }
  [[nodiscard]] const net_effect& operator[](record_index i) const noexcept { return effects_[i]; }
  [[nodiscard]] record& record_at(record_index i) const noexcept { return ledger_.records()[i]; }
  [[nodiscard]] record_index record_of(node_id id) const noexcept {
    const std::uint32_t place = tree_[id].record;
    return place == 0 ? no_record : place - 1;
  }
  [[nodiscard]] bool is_directory(record_index i) const noexcept {
    return tree_[record_at(i).node].type == entry_type::directory;
  }
  /// Whether there is a change to tell of the record itself.
  [[nodiscard]] bool is_change(record_index i) const noexcept {
    return effects_[i].what != effect::nothing && effects_[i].what != effect::absorbed;
  }
  /// Whether it is no longer in the place that was told.
  [[nodiscard]] bool has_left(record_index i) const noexcept {
    return effects_[i].what == effect::removed || effects_[i].what == effect::renamed;
  }
  /// Whether a directory was renamed: only then may told and known ways lead through different directories.
  [[nodiscard]] bool directory_renamed() const noexcept { return directory_renamed_; }

  /// Who was told to be where `i` is now, and has left it.
  [[nodiscard]] record_index former_occupant(record_index i) const noexcept {
    if (left_places_.empty()) return no_record;
    const node& n = tree_[record_at(i).node];
    const record_index before = former_occupant(i, n.parent);
    if (before != no_record) return before;
    const record_index parent = replaced_directory(n.parent);
    return parent != no_record ? former_occupant(i, record_at(parent).node) : no_record;
  }

  void give_back() noexcept {
    clear_for_next_batch(effects_);
    left_places_.give_back();
  }

  [[nodiscard]] std::size_t bytes() const noexcept {
    return effects_.capacity() * sizeof(net_effect) + left_places_.bytes();
  }

 private:
  void classify() {
    effects_.assign(ledger_.records().size(), net_effect{});
    directory_renamed_ = false;
    bool departed = false;
    bool arrived = false;
    for (record_index i = 0; i < size(); ++i) {
      const effect what = effects_[i].what = of(record_at(i));
      directory_renamed_ |= what == effect::renamed && is_directory(i);
      departed |= what == effect::removed || what == effect::renamed;
      arrived |= what == effect::created || what == effect::renamed;
    }
    left_places_.clear();
    if (departed && arrived) index_left_places();
  }

  void index_left_places() {
    left_places_.rebuild(effects_.size());
    for (record_index i = 0; i < size(); ++i)
      if (has_left(i)) {
        const record& r = record_at(i);
        left_places_.insert(tree_.hash(r.told_parent, tree_.names().view(r.told_name)), i);
      }
  }

  [[nodiscard]] record_index former_occupant(record_index i, node_id parent) const noexcept {
    const std::string_view name = tree_.names().view(tree_[record_at(i).node].name);
    return left_places_.find(tree_.hash(parent, name), [&](record_index other) {
      const record& r = record_at(other);
      return other != i && r.told_parent == parent && tree_.names().view(r.told_name) == name;
    });
  }

  // The one that was told and is gone, if the directory stands for such a one.
  [[nodiscard]] record_index replaced_directory(node_id id) const noexcept {
    const record_index i = record_of(id);
    return i != no_record && effects_[i].what == effect::nothing ? effects_[i].absorbs : no_record;
  }

  // A file for a file: the name is told as modified, whatever way the content took.
  [[nodiscard]] bool can_replace(record_index now, record_index before) const noexcept {
    const entry_type a = tree_[record_at(now).node].type;
    const entry_type b = record_at(before).told_type;
    if (a == entry_type::directory || b == entry_type::directory) return false;
    if (tree_[record_at(now).node].hidden != tree_[record_at(before).node].hidden) return false;
    return a == b || a == entry_type::unknown || b == entry_type::unknown;
  }

  void absorb(record_index i, record_index before) noexcept {
    effects_[before].what = effect::absorbed;
    effects_[before].absorbed_by = i;
    effects_[i].absorbs = before;
  }

  // A directory in the place of one that is gone, or onto an empty one: told as itself, what is in it by its own names.
  void fold_directories() noexcept {
    if (left_places_.empty()) return;
    for (bool again = true; again;) {
      again = false;
      for (record_index i = 0; i < size(); ++i) {
        net_effect& e = effects_[i];
        if ((e.what != effect::created && e.what != effect::renamed) || e.absorbs != no_record || !is_directory(i))
          continue;
        const record_index before = former_occupant(i);
        if (before == no_record || effects_[before].what != effect::removed ||
            record_at(before).told_type != entry_type::directory ||
            tree_[record_at(before).node].hidden != tree_[record_at(i).node].hidden)
          continue;
        absorb(i, before);
        if (e.what == effect::created) e.what = effect::nothing;
        again = true;  // what is in it may fold now
      }
    }
    for (record_index i = 0; i < size(); ++i)
      if (effects_[i].what == effect::renamed && stayed_in_place(i))
        effects_[i].what = record_at(i).content && !is_directory(i) ? effect::modified
                           : record_at(i).metadata                  ? effect::metadata
                                                                    : effect::nothing;
  }

  // Moved into the directory that stands for the one in which it was, under the name that it had.
  [[nodiscard]] bool stayed_in_place(record_index i) const noexcept {
    const record& r = record_at(i);
    const node& n = tree_[r.node];
    const record_index parent = replaced_directory(n.parent);
    return parent != no_record && record_at(parent).node == r.told_parent &&
           tree_.names().view(n.name) == tree_.names().view(r.told_name);
  }

  // The save patterns. A new file in the place of one that is gone, or was moved away for a backup, is that file,
  // modified; the backup then counts as new in its place, which may have been the place of another, and so on.
  void fold_files() noexcept {
    for (record_index first = 0; first < size(); ++first)
      for (record_index i = first; i != no_record;) {
        net_effect& e = effects_[i];
        const bool arrived = e.what == effect::created || e.what == effect::renamed;
        const record_index before = arrived ? former_occupant(i) : no_record;
        if (before == no_record || !can_replace(i, before) || effects_[before].what == effect::absorbed) break;
        net_effect& b = effects_[before];
        if (b.what == effect::removed) {
          absorb(i, before);
          if (e.what == effect::created) e.what = effect::modified;
          break;
        }
        if (e.what != effect::created || b.what != effect::renamed) break;
        e.what = effect::modified;
        e.replaces = before;
        b.what = b.absorbs == no_record ? effect::created : effect::modified;
        i = b.absorbs == no_record ? before : no_record;
      }
  }

  // Files that changed places in a ring (RENAME_EXCHANGE): each name has another content.
  void break_file_rings() noexcept {
    if (left_places_.empty()) return;
    for (record_index first = 0; first < size(); ++first) {
      record_index i = first;
      while (i != no_record && effects_[i].what == effect::renamed && !is_directory(i) &&
             effects_[i].visited == no_record) {
        effects_[i].visited = first;
        const record_index before = former_occupant(i);
        i = before != no_record && can_replace(i, before) ? before : no_record;
      }
      if (i == no_record || effects_[i].visited != first || effects_[i].what != effect::renamed) continue;
      for (record_index ring = i; effects_[ring].what == effect::renamed;) {
        effects_[ring].what = effect::modified;
        effects_[ring].exchanged = true;
        ring = effects_[ring].replaces = former_occupant(ring);
      }
    }
  }

  const tree& tree_;
  ledger& ledger_;
  std::vector<net_effect> effects_;
  hash_index left_places_;  ///< by told place, who has left it; empty where none can have been taken
  bool directory_renamed_ = false;
};

}  // namespace hotwatch::inline v0::detail
