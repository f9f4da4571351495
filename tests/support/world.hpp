// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A disk, a tree that knows it and a user who is told, joined by facts alone: no backend, no system.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "hotwatch/core/difference.hpp"
#include "hotwatch/core/facts.hpp"
#include "support/model.hpp"

namespace hotwatch::test {

using namespace hotwatch::detail;
using lines = std::vector<std::string>;

/// A disk, the tree that knows it, and a user who is told: by facts alone, without a backend.
class world {
 public:
  using enum entry_type;

  /// What is there before anybody asks; a directory ends in a slash.
  explicit world(const std::vector<std::string_view>& there = {}, debounce policy = {}) : due{policy} {
    for (const std::string_view path : there)
      if (path.ends_with('/'))
        existing(path.substr(0, path.size() - 1), directory);
      else
        existing(path);
  }

  [[nodiscard]] node_id at(std::string_view path) const {
    node_id id = root;
    while (!path.empty() && id != no_node) {
      const std::size_t slash = path.find('/');
      id = known.find(id, path.substr(0, slash));
      path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return id;
  }
  [[nodiscard]] node_id parent_of(std::string_view path) const {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? root : at(path.substr(0, slash));
  }
  [[nodiscard]] static std::string_view last(std::string_view path) { return path.substr(path.rfind('/') + 1); }

  void existing(std::string_view path, entry_type type = file) {
    settle.appear(parent_of(path), last(path), type, false, now(), facts::telling::known_already);
  }
  void create(std::string_view path, entry_type type = file) {
    settle.appear(parent_of(path), last(path), type, false, now());
  }
  void remove(std::string_view path) { settle.vanish(at(path), now()); }
  void write(std::string_view path) {
    settle.change_content(at(path), now());
    known[at(path)].open = false;
  }
  /// One fact after the other: "rename a b; write b".
  void happen(const std::string& facts) {
    std::istringstream text(facts);
    for (std::string fact; std::getline(text, fact, ';');) {
      std::istringstream words(fact);
      std::string what, path, to;
      words >> what >> path >> to;
      if (what == "create")
        create(path);
      else if (what == "mkdir")
        create(path, directory);
      else if (what == "symlink")
        create(path, symlink);
      else if (what == "write")
        write(path);
      else if (what == "remove")
        remove(path);
      else if (what == "rename")
        rename(path, to);
      else
        ADD_FAILURE() << fact;
    }
  }
  void hold_open(std::string_view path) { settle.write(at(path), now()); }
  void close(std::string_view path) { (void)settle.complete(at(path), now()); }
  void chmod(std::string_view path, bool tell = true) { settle.change_attributes(at(path), tell, now()); }
  void rename(std::string_view from, std::string_view to) {
    const node_id moved = at(from);
    settle.lift(moved, now());
    if (at(to) != no_node) remove(to);
    settle.place(moved, parent_of(to), last(to), now());
  }
  void exchange(std::string_view a, std::string_view b) {
    const node_id first = at(a);
    const node_id second = at(b);
    const node_id first_parent = known[first].parent;
    const node_id second_parent = known[second].parent;
    settle.lift(first, now());
    settle.lift(second, now());
    settle.place(first, second_parent, last(b), now());
    settle.place(second, first_parent, last(a), now());
  }

  batch tell(bool all = true) {
    const auto oldest = differing.tell(due, time, all);
    if (due.pending()) due.told(time, oldest);
    return batch(differing.changes(), {});
  }
  /// The changes, the root's name left away.
  lines told_lines(bool all = true) {
    lines out;
    for (const change& c : tell(all)) {
      std::string text(to_string(c.kind));
      text += ' ';
      if (c.kind == change_kind::renamed) text.append(c.old_path.substr(2)).append(" -> ");
      text.append(c.relative());
      if (c.modified) text += " modified";
      out.push_back(text);
    }
    return out;
  }
  lines sorted_lines() {
    lines out = told_lines();
    std::sort(out.begin(), out.end());
    return out;
  }

  /// What the user was told by now, or what is known.
  [[nodiscard]] listing list(view v) {
    listing out;
    for (node_id id = 0; id < known.size(); ++id) {
      const node& n = known[id];
      const record* r = told.find(id);
      const bool there = v == view::told && r != nullptr ? r->told : n.in_tree;
      if (!there || n.hidden || paths.place_of(id, v).parent == no_node) continue;
      std::string path;
      paths.append(id, v, path);
      const entry_type type = v == view::told && r != nullptr ? r->told_type : n.type;
      if (!out.emplace(path, type).second) ADD_FAILURE() << path << " is there twice";
    }
    return out;
  }

  /// One who holds what was told by now.
  [[nodiscard]] model user() {
    model m({"r"});
    m.start_from(list(view::told));
    return m;
  }
  /// Who applies what is told next, change by change, holds what is known.
  void expect_applicable_by(model user) {
    EXPECT_EQ(user.apply(tell()), "");
    EXPECT_EQ(user.difference(list(view::known)), "");
  }

  [[nodiscard]] moment now() const { return {time, static_cast<file_time>(time.time_since_epoch().count())}; }

  clock::time_point time{std::chrono::hours(1)};
  tree known;
  ledger told{known};
  debounce_clock due;
  facts settle{known, told, due};
  std::vector<root_label> labels{{root_id{}, "r", false}};
  path_text paths{known, told, labels};
  difference differing{known, told, paths};
  node_id root = known.make_root(0);
};

}  // namespace hotwatch::test
