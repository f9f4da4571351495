// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the rooms of the engine share: one tree, one ledger, the roots and the backend. Floor 5.

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../change.hpp"
#include "../core/debounce_clock.hpp"
#include "../core/difference.hpp"
#include "../core/facts.hpp"
#include "../core/filter.hpp"
#include "../core/ledger.hpp"
#include "../core/path_text.hpp"
#include "../core/recent_nodes.hpp"
#include "../core/tree.hpp"
#include "../core/watch_table.hpp"
#include "../options.hpp"

namespace hotwatch::inline v0::detail {

/// What a way of its own leads to: a root that was added, or a link somewhere below one that is followed. By its place
/// in the list (the node's `attributes`).
struct root {
  bool alive = false;
  bool is_link = false;  ///< its node has a place in the tree; lost: it leads to no directory, or back
  bool pruned = false;   ///< a link to a directory that is excluded
  bool is_file = false;
  bool lost = false;
  bool suspected = false;       ///< to be checked at the end of the turn
  bool unguarded = false;       ///< told that not all of the way to it is guarded
  bool is_looked_at = false;    ///< polled, because nobody tells when the way to it leads elsewhere
  bool sees_new_names = false;  ///< its guards tell of more than their own moving and removal
  bool recursive = true;
  node_id node = no_node;    ///< the directory; of a single file, the directory that holds it, hidden
  std::string absolute;      ///< as given, made absolute when it was added; of a link, where it was guarded last
  std::string directory;     ///< a single file: where it really is, free of symlinks ...
  std::string target;        ///< ... and its name there; the node is named as it was given, see name()
  std::uint64_t device = 0;  ///< of the directory: another one in its place is told apart by these two
  std::uint64_t file_id = 0;
  std::vector<std::int32_t> guards;
  std::string awaited;  ///< while it is lost: the name that would lead on; empty: any may

  /// What a link is shown as; a root is a directory.
  [[nodiscard]] entry_type shown() const noexcept {
    return is_link && (lost || pruned) ? entry_type::symlink : entry_type::directory;
  }
  /// Whether what is in it counts.
  [[nodiscard]] bool is_entered() const noexcept { return !is_link || (recursive && !pruned); }

  [[nodiscard]] std::string_view name() const noexcept {
    return std::string_view(absolute).substr(absolute.rfind('/') + 1);
  }
};

struct owned_notice {
  notice_kind kind;
  std::string path;
  std::error_code error;
  std::string_view advice;
};

/// A directory that may not be what its watch stands for. A directory is opened by its path, and by then the path may
/// lead to another one, whose hints are still in the queue; what is opened too early is looked at again when the queue
/// has been read to its end.
struct doubtful {
  node_id id;
  bool unread = false;  ///< it was to be read, and could not be: whatever it turns out to be, that is still to be done
};

/// Whether such an entry is known at all: told, or a directory that is walked.
[[nodiscard]] constexpr bool counts(verdict v, bool is_directory) noexcept {
  return v == verdict::told || (v == verdict::hidden && is_directory);
}

/// Whether this is why a directory could not be opened: it is not there.
[[nodiscard]] inline bool is_absence(std::error_code ec) noexcept {
  return ec == std::errc::no_such_file_or_directory || ec == std::errc::not_a_directory ||
         ec == std::errc::too_many_symbolic_link_levels;
}

template <class Backend>
struct engine_state {
  template <class... Arguments>
  explicit engine_state(const options& chosen, Arguments&&... arguments)
      : opts(chosen),
        names(chosen.include, chosen.exclude, ignores_case<Backend>),
        due(chosen.debounce),
        disk(std::forward<Arguments>(arguments)...) {
    if constexpr (must_be_asked_for_attributes<Backend>)
      if (opts.metadata) disk.hear_attributes();
  }

  void tell(notice_kind kind, node_id id, std::error_code error = {}, std::string_view advice = {}) {
    std::string path;
    paths.append(id, view::known, path);
    notices.push_back({kind, std::move(path), error, advice});
  }

  [[nodiscard]] root& root_of(node_id id) noexcept { return roots[known[known.root_of(id)].attributes]; }

  /// Whether the name may be told, is only walked, or does not count at all.
  [[nodiscard]] verdict judge(node_id parent, std::string_view name, bool is_directory) {
    if (names.empty() || root_of(parent).is_file) return verdict::told;  // a file that is a root was asked for by name
    way.clear();
    if (names.needs_path()) {
      paths.append_way(parent, view::known, way);
      if (!way.empty()) way += '/';
      way += name;
    }
    return names.judge(name, way, is_directory);
  }

  /// Whether the file system takes the two for one name.
  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const {
    if constexpr (ignores_case<Backend>)
      return a == b || disk.is_same_name(a, b);
    else
      return a == b;
  }

  /// By the name that is known, or another spelling of it.
  [[nodiscard]] node_id find(node_id parent, std::string_view name) const {
    const node_id child = known.find(parent, name);
    if constexpr (ignores_case<Backend>)
      if (child == no_node) return find_other_spelling(parent, name);
    return child;
  }
  [[nodiscard]] node_id find_other_spelling(node_id parent, std::string_view name) const {
    node_id child = known[parent].first_child;
    while (child != no_node && (known.name(child) == name || !is_same_name(known.name(child), name)))
      child = known[child].next_sibling;
    return child;
  }

  [[nodiscard]] watch_scope scope_of(node_id id) const noexcept {
    const node& n = known[id];
    if (!has_own_way(n)) return watch_scope::inside;
    return roots[n.attributes].recursive ? watch_scope::tree : watch_scope::entries;
  }

  /// Whether what is in the directory counts: not below a root that is not recursive.
  [[nodiscard]] bool is_listed(node_id id) noexcept { return has_own_way(known[id]) || root_of(id).recursive; }

  /// The directory is to be read once the queue has been read to its end.
  void doubt(node_id id) {
    if (doubts.empty() || doubts.back().id != id || !doubts.back().unread) doubts.push_back({id, true});
  }

  /// Whether a symlink of this name counts, told or not: it may lead to a directory that does.
  [[nodiscard]] bool may_lead_on(node_id parent, std::string_view name) {
    return opts.follow_symlinks && counts(judge(parent, name, true), true);
  }

  /// Asks for a check at the end of the turn: the way to the root or the link, or what is there, is not what it was.
  void suspect(std::uint32_t index) {
    if (!std::exchange(roots[index].suspected, true)) suspects.push_back(index);
  }

  node_id appear(node_id parent, std::string_view name, entry_type type, bool hidden, moment m, facts::telling how) {
    const node_id id = settle.appear(parent, name, type, hidden, m, how);
    learn_type(id, type);
    return id;
  }

  /// A node that was lifted comes to its new place, from where a link may lead elsewhere. That it was moved its guard
  /// says too, but not if another link was met, and guarded, where it had been.
  void place(node_id id, node_id parent, std::string_view name, moment m) {
    settle.place(id, parent, name, m);
    if (known[id].link) suspect(known[id].attributes);
  }

  /// What was learned to be a symlink is to be followed.
  void learn_type(node_id id, entry_type type) {
    if (known[id].link) return;
    known[id].type = type;
    if (type == entry_type::symlink && opts.follow_symlinks) new_links.push_back(id);
  }

  /// Whether nothing is heard of what is in this directory.
  [[nodiscard]] bool is_blind(node_id id) const noexcept { return known[id].watch == no_watch && !known[id].polled; }

  /// A handle stands for one thing less; when it stands for nothing the backend may forget it.
  void release_watch(std::int32_t watch, watch_table::target t) {
    if (watch != no_watch && !watches.remove(watch, t)) disk.unwatch(watch);
  }

  /// The handle that was answered is the directory's from now on.
  void take_watch(node_id id, const watch_answer& answer) {
    node& n = known[id];
    if (!answer.polled) n.polled = false;
    if (n.watch == answer.watch) return;
    release_watch(n.watch, {id, false});
    n.watch = answer.watch;
    watches.add(n.watch, {id, false});
  }

  void lose_watch(node_id id) { release_watch(std::exchange(known[id].watch, no_watch), {id, false}); }

  /// Looks at the directory at every poll_interval, besides what is hinted at if it has a watch. Returns whether that
  /// is new.
  bool poll(node_id id) {
    if (known[id].polled) return false;
    known[id].polled = true;
    polled.push_back(id);
    return true;
  }

  void say_farewell() {
    for (const facts::farewell& f : settle.farewells()) {
      release_watch(f.watch, {f.node, false});
      if (f.link) forget_way(f.index);
    }
    settle.farewells().clear();
  }

  /// Its place in the list is free.
  void forget_way(std::uint32_t index) {
    for (const std::int32_t watch : roots[index].guards) release_watch(watch, {index, true});
    roots[index] = root{};
  }

  options opts;
  filter names;
  tree known;
  ledger told{known};
  debounce_clock due;
  facts settle{known, told, due};
  std::vector<root_label> labels;
  path_text paths{known, told, labels};
  difference differing{known, told, paths};
  watch_table watches;
  std::vector<root> roots;
  std::vector<node_id> polled;  ///< directories that are looked at; some need it no more, or are gone, since
  recent_nodes recent;          ///< files in them that were seen to change
  std::vector<std::uint32_t> suspects;
  std::vector<node_id> new_links;  ///< symlinks that are to be followed
  std::vector<doubtful> doubts;
  std::vector<owned_notice> notices;
  /// The file system's time when the backend's queue was last known to be empty: what is hinted at came later.
  file_time quiet_since = 0;
  statistics counted;
  std::string way;
  std::atomic<bool> stopped{false};  ///< set by any thread
  Backend disk;
};

}  // namespace hotwatch::inline v0::detail
