// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/difference.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <ostream>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "hotwatch/core/facts.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using namespace hotwatch::detail;
using lines = std::vector<std::string>;
using enum entry_type;

/// A disk, the tree that knows it, and a user who is told: by facts alone, without a backend.
class world {
 public:
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

  clock::time_point time{1h};
  tree known;
  ledger told{known};
  debounce_clock due;
  facts settle{known, told, due};
  std::vector<root_label> labels{{root_id{}, "r", false}};
  path_text paths{known, told, labels};
  difference differing{known, told, paths};
  node_id root = known.make_root(0);
};

// The table of net effects: what was there, what happened within one batch, and the one change that is left of it.

struct net_effect_row {
  const char* name;
  std::vector<std::string_view> there;
  const char* facts;
  lines told;
  friend void PrintTo(const net_effect_row& row, std::ostream* out) { *out << row.facts; }
};

class net_effect_test : public testing::TestWithParam<net_effect_row> {};

TEST_P(net_effect_test, is_told_once) {
  world w(GetParam().there);
  w.happen(GetParam().facts);
  EXPECT_EQ(w.told_lines(), GetParam().told);
  EXPECT_TRUE(w.told.empty());
  EXPECT_EQ(w.told_lines(), lines{}) << "told = known";
}

const net_effect_row net_effect_table[] = {
    {"created_and_modified_is_created", {}, "create a; write a", {"created a"}},
    {"created_and_removed_is_nothing", {}, "create a; remove a", {}},
    {"removed_and_created_is_modified", {"a"}, "remove a; create a", {"modified a"}},
    {"removed_created_removed_is_removed", {"a"}, "remove a; create a; remove a", {"removed a"}},
    {"a_file_that_became_a_directory_is_removed_then_created",
     {"a"},
     "remove a; mkdir a; create a/b",
     {"removed a", "created a", "created a/b"}},
    {"a_directory_that_became_a_file_is_removed_then_created",
     {"a/", "a/b"},
     "remove a; create a",
     {"removed a/b", "removed a", "created a"}},
    {"a_file_that_became_a_symlink_is_removed_then_created", {"a"}, "remove a; symlink a", {"removed a", "created a"}},
    {"modified_and_removed_is_removed", {"a"}, "write a; remove a", {"removed a"}},
    {"renamed_twice_is_one_rename", {"a"}, "rename a b; rename b c", {"renamed a -> c"}},
    {"renamed_and_back_is_nothing", {"a"}, "rename a b; rename b a", {}},
    {"renamed_and_back_and_written_is_modified", {"a"}, "rename a b; write b; rename b a", {"modified a"}},
    {"renamed_and_written_is_one_rename_that_says_so", {"a"}, "rename a b; write b", {"renamed a -> b modified"}},
    {"created_and_renamed_is_created_there", {}, "create a; rename a b", {"created b"}},
    {"created_and_renamed_over_a_file_is_modified", {"b"}, "create a; rename a b", {"modified b"}},
    {"renamed_and_removed_is_removed_at_the_old_name", {"a"}, "rename a b; remove b", {"removed a"}},
    {"overwritten_by_a_rename_is_gone_without_a_word", {"a", "b"}, "rename a b", {"renamed a -> b"}},
    {"modified_and_overwritten_is_gone_without_a_word", {"a", "b"}, "write b; rename a b", {"renamed a -> b"}},
    {"created_overwritten_by_a_rename_is_one_rename", {"a"}, "create b; rename a b", {"renamed a -> b"}},
};
INSTANTIATE_TEST_SUITE_P(table, net_effect_test, testing::ValuesIn(net_effect_table),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(difference, modified_many_times_is_modified_once) {
  world w({"a"});
  for (int i = 0; i < 100; ++i) w.write("a");
  EXPECT_EQ(w.told_lines(), lines{"modified a"});
}

TEST(difference, a_directory_is_never_modified) {
  world w({"d/"});
  w.settle.change_content(w.at("d"), w.now());
  EXPECT_EQ(w.told_lines(), lines{});
}

TEST(difference, a_directory_made_again_is_told_by_what_is_in_it) {
  world w({"a/", "a/b", "a/c"});
  w.remove("a");
  w.create("a", directory);
  w.create("a/b");
  w.create("a/d");
  EXPECT_EQ(w.sorted_lines(), (lines{"created a/d", "modified a/b", "removed a/c"}));
}

TEST(difference, attributes_alone_are_metadata) {
  world w({"a"});
  w.chmod("a");
  EXPECT_EQ(w.told_lines(), lines{"metadata a"});
  w.chmod("a");
  w.write("a");
  EXPECT_EQ(w.told_lines(), lines{"modified a"});
  w.chmod("a", false);
  EXPECT_EQ(w.told_lines(), lines{});
}

// The save patterns.

TEST(difference, backup_by_rename_is_one_modified) {
  world w({"f"});
  w.rename("f", "f~");
  w.create("f");
  w.remove("f~");
  EXPECT_EQ(w.told_lines(), lines{"modified f"});
}

TEST(difference, a_backup_that_stays_is_created) {
  world w({"f"});
  w.rename("f", "f~");
  w.create("f");
  EXPECT_EQ(w.sorted_lines(), (lines{"created f~", "modified f"}));
  w.rename("f", "f~");
  w.create("f");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified f", "modified f~"}));
}

TEST(difference, a_file_put_in_place_of_one_that_moved_to_be_removed) {
  world w({"f"});
  w.create("f.new");
  w.rename("f", "f.old");
  w.rename("f.new", "f");
  w.remove("f.old");
  EXPECT_EQ(w.told_lines(), lines{"modified f"});
}

TEST(difference, exchanged_files_are_both_modified) {
  world w({"a", "b"});
  w.exchange("a", "b");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified a", "modified b"}));
}

TEST(difference, a_rotation_is_told_from_its_far_end) {
  world w({"log", "log.1"});
  w.rename("log.1", "log.2");
  w.rename("log", "log.1");
  EXPECT_EQ(w.told_lines(), (lines{"renamed log.1 -> log.2", "renamed log -> log.1"}));
}

TEST(difference, a_rotation_with_a_new_log) {
  world w({"log", "log.1"});
  w.rename("log.1", "log.2");
  w.rename("log", "log.1");
  w.create("log");
  EXPECT_EQ(w.sorted_lines(), (lines{"created log.2", "modified log", "modified log.1"}));
}

TEST(difference, three_files_in_a_ring_are_each_modified) {
  world w({"a", "b", "c"});
  w.exchange("a", "b");
  w.exchange("b", "c");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified a", "modified b", "modified c"}));
}

// Orders of needs.

TEST(difference, children_go_before_their_parent) {
  world w({"d/", "d/e/", "d/e/f"});
  w.remove("d");
  EXPECT_EQ(w.told_lines(), (lines{"removed d/e/f", "removed d/e", "removed d"}));
}

TEST(difference, what_moves_out_goes_before_the_removed_directory) {
  world w({"d/", "d/f"});
  w.rename("d/f", "f");
  w.remove("d");
  EXPECT_EQ(w.told_lines(), (lines{"renamed d/f -> f", "removed d"}));
}

TEST(difference, a_new_directory_comes_before_what_moves_into_it) {
  world w({"f"});
  w.create("d", directory);
  w.rename("f", "d/f");
  EXPECT_EQ(w.told_lines(), (lines{"created d", "renamed f -> d/f"}));
}

TEST(difference, a_renamed_directory_takes_all_along) {
  world w({"d/", "d/f"});
  w.rename("d", "e");
  w.write("e/f");
  w.create("e/g");
  lines told = w.told_lines();
  ASSERT_EQ(told.size(), 3u);
  EXPECT_EQ(told.front(), "renamed d -> e");
  std::sort(told.begin() + 1, told.end());
  EXPECT_EQ(told, (lines{"renamed d -> e", "created e/g", "modified e/f"}));
}

TEST(difference, the_child_leaves_and_takes_the_place_of_its_parent) {
  world w({"a/", "a/b/", "a/b/f"});
  w.rename("a/b", "b");
  w.rename("a", "b/a");
  const lines told = w.told_lines();
  EXPECT_EQ(told, (lines{"renamed a/b -> b", "renamed a -> b/a"}));
}

TEST(difference, exchanged_directories_can_be_applied_in_order) {
  world w({"a/", "b/", "a/x", "b/y"});
  const model user = w.user();
  w.exchange("a", "b");
  w.expect_applicable_by(user);
}

// b comes to stand in c, which was in a; a comes to stand in b. Before c has left a, b is in a, and a would move into
// itself.
TEST(difference, a_directory_does_not_move_into_itself_on_the_way) {
  world w({"a/", "a/c/", "b/", "c"});
  const model user = w.user();
  w.exchange("a/c", "c");
  w.rename("b", "c/d");
  w.rename("a", "c/d/a");
  w.expect_applicable_by(user);
}

// Held back.

TEST(difference, an_open_file_is_held_back_until_it_is_closed) {
  world w({"a", "b"});
  w.hold_open("a");
  w.write("b");
  EXPECT_FALSE(w.differing.is_complete());
  EXPECT_EQ(w.told_lines(false), lines{"modified b"});
  EXPECT_EQ(w.told_lines(false), lines{});
  w.close("a");
  EXPECT_TRUE(w.differing.is_complete());
  EXPECT_EQ(w.told_lines(false), lines{"modified a"});
}

TEST(difference, an_open_file_is_told_at_max_wait) {
  world w({"a"});
  w.hold_open("a");
  w.time += 499ms;
  EXPECT_EQ(w.told_lines(false), lines{});
  w.time += 1ms;
  EXPECT_EQ(w.told_lines(false), lines{"modified a"});
}

TEST(difference, an_exchange_is_held_back_as_a_whole) {
  world w({"a", "b", "c"});
  w.hold_open("a");
  w.exchange("a", "b");
  w.write("c");
  EXPECT_EQ(w.told_lines(false), lines{"modified c"}) << "a and b are told together, or one place is told twice";
  EXPECT_EQ(w.list(view::told).size(), 3u);
  w.close("b");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified a", "modified b"}));
}

TEST(difference, without_settle_nothing_is_held_back) {
  world w({"a"}, debounce{20ms, 500ms, false, false});
  w.hold_open("a");
  EXPECT_EQ(w.told_lines(false), lines{"modified a"});
}

TEST(difference, half_of_a_save_is_not_complete) {
  world w({"f"});
  w.rename("f", "f~");
  EXPECT_FALSE(w.differing.is_complete());
  w.create("f");
  EXPECT_TRUE(w.differing.is_complete());
  w.remove("f");
  EXPECT_FALSE(w.differing.is_complete());
}

TEST(difference, an_exchange_is_complete) {
  world w({"a", "b"});
  w.exchange("a", "b");
  EXPECT_TRUE(w.differing.is_complete());
}

TEST(difference, a_removed_tree_is_complete) {
  world w({"d/", "d/f"});
  w.remove("d");
  EXPECT_TRUE(w.differing.is_complete());
}

TEST(difference, a_hidden_directory_is_not_told_but_what_is_in_it) {
  world w;
  const node_id d = w.settle.appear(w.root, "d", directory, true, w.now());
  w.settle.appear(d, "f", file, false, w.now());
  EXPECT_EQ(w.told_lines(), lines{"created d/f"});
  w.remove("d");
  EXPECT_EQ(w.told_lines(), lines{"removed d/f"});
}

TEST(difference, seen_is_the_first_word_of_it) {
  world w({"a"});
  const auto first = w.time;
  w.write("a");
  w.time += 5ms;
  w.write("a");
  const batch b = w.tell();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b[0].seen, first);
  EXPECT_EQ(b.first_seen(), first);
}

TEST(difference, a_deep_tree_is_told_without_recursion) {
  world w;
  node_id id = w.root;
  for (int i = 0; i < 2'000; ++i) id = w.settle.appear(id, "d", directory, false, w.now());
  const batch made = w.tell();
  ASSERT_EQ(made.size(), 2'000u);
  EXPECT_EQ(made[1'999].path.size(), 1 + 2 * 2'000u);
  w.remove("d");
  EXPECT_EQ(w.tell().size(), 2'000u);
  EXPECT_EQ(w.list(view::known).size(), 0u);
}

TEST(difference, a_hundred_thousand_names_in_one_batch) {
  world w({"d/"});
  const node_id d = w.at("d");
  for (int i = 0; i < 100'000; ++i) w.settle.appear(d, std::to_string(i), file, false, w.now());
  EXPECT_EQ(w.tell().size(), 100'000u);
  w.rename("d", "e");
  EXPECT_EQ(w.told_lines(), lines{"renamed d -> e"});
  w.remove("e");
  EXPECT_EQ(w.tell().size(), 100'001u);
}

// The algebra as a whole: random facts; the user applies what is told and reads what is said to have another content,
// and must then hold what is on the disk.

class random_user {
 public:
  explicit random_user(std::uint32_t seed) : random_(seed) {
    for (node_id id = 1; id < w_.known.size(); ++id) version_[id] = ++last_version_;
    user_.start_from(w_.list(view::told));
    for (const auto& [path, type] : user_.entries())
      if (type != directory) read_[path] = content_at(path);
  }

  /// The text says what went wrong; empty if nothing did.
  std::string run(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      if (!error_.empty()) break;
    }
    if (error_.empty()) tell(true);
    std::string text = error_;
    if (!text.empty())
      for (const std::string& s : log_) text += "\n  " + s;
    return text;
  }

 private:
  [[nodiscard]] std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_()) % n; }

  [[nodiscard]] std::string pick(bool directories) {
    std::vector<std::string> all;
    for (const auto& [path, type] : w_.list(view::known))
      if (directories || type != directory) all.push_back(path.substr(2));
    return all.empty() ? std::string() : all[below(all.size())];
  }
  [[nodiscard]] std::string new_place() {
    std::vector<std::string> all{""};
    for (const auto& [path, type] : w_.list(view::known))
      if (type == directory && std::count(path.begin(), path.end(), '/') < 3) all.push_back(path.substr(2) + "/");
    return all[below(all.size())] + static_cast<char>('a' + below(4));
  }
  [[nodiscard]] bool is_directory(std::string_view path) { return w_.known[w_.at(path)].type == directory; }

  void step() {
    w_.time += std::chrono::milliseconds(below(4) == 0 ? below(300) : below(5));
    switch (below(16)) {
      case 0:
      case 1:
        if (const std::string to = new_place(); w_.at(to) == no_node) {
          const entry_type type = below(8) == 0 ? symlink : file;
          say("create", to, type == symlink ? "symlink" : "");
          w_.create(to, type);
          version_[w_.at(to)] = ++last_version_;
          if (type == file && below(2) == 0) w_.known[w_.at(to)].open = true;
        }
        break;
      case 2:
        if (const std::string to = new_place(); w_.at(to) == no_node) {
          say("mkdir", to);
          w_.create(to, directory);
        }
        break;
      case 3:
      case 4:
        if (const std::string gone = pick(true); !gone.empty() && (!is_directory(gone) || below(2) == 0)) {
          say("remove", gone);
          w_.remove(gone);
        }
        break;
      case 5:
      case 6:
        if (const std::string f = pick(false); !f.empty() && w_.known[w_.at(f)].type == file) {
          say("write", f);
          w_.hold_open(f);
          version_[w_.at(f)] = ++last_version_;
          if (below(2) == 0) w_.close(f);
        }
        break;
      case 7:
        if (const std::string f = pick(false); !f.empty() && w_.known[w_.at(f)].type == file) {
          say("close", f);
          w_.close(f);
        }
        break;
      case 8:
        if (const std::string f = pick(true); !f.empty()) {
          say("chmod", f);
          w_.chmod(f);
        }
        break;
      case 9:
        if (const std::string a = pick(true), b = pick(true);
            !a.empty() && a != b && !model::is_below(a, b) && !model::is_below(b, a)) {
          say("exchange", a, b);
          w_.exchange(a, b);
        }
        break;
      case 10: (void)w_.differing.is_complete(); break;
      case 11: tell(below(2) == 0); break;
      default: rename(); break;
    }
  }

  void rename() {
    const std::string from = pick(true);
    const std::string to = below(3) == 0 ? pick(true) : new_place();
    if (from.empty() || to.empty() || model::is_below(to, from)) return;
    if (const node_id there = w_.at(to); there != no_node) {
      if (is_directory(to) != is_directory(from) || w_.known[there].first_child != no_node) return;
    }
    say("rename", from, to);
    w_.rename(from, to);
  }

  void tell(bool all) {
    say(all ? "tell all" : "tell");
    const batch b = w_.tell(all);
    for (const change& c : b) log_.push_back("    " + describe(c));
    if (!(error_ = user_.apply(b)).empty()) return;
    for (const change& c : b) apply_content(c);
    for (auto& [path, version] : read_)
      if (version == unread) version = content_at(path);
    if (!(error_ = user_.difference(w_.list(view::told))).empty()) return;
    if (!all) return;
    if (!(error_ = user_.difference(w_.list(view::known))).empty()) return;
    if (!w_.told.empty()) error_ = "something is left in the ledger";
    for (const auto& [path, version] : read_)
      if (version != content_at(path)) error_ += "the user holds an old content of " + path;
    if (!w_.told_lines().empty()) error_ += "something is told twice";
  }

  void apply_content(const change& c) {
    const std::string path(c.path);
    if (c.kind == change_kind::removed) read_.erase(path);
    if (c.kind == change_kind::renamed) move_subtree(read_, c.old_path, path);
    const bool reads = c.kind == change_kind::created || c.kind == change_kind::modified || c.modified;
    // Read when the batch has been applied: a directory above may still be renamed in it.
    if (reads && c.type != directory) read_[path] = unread;
  }

  /// Of the file that the user knows by this path: it may be elsewhere already, below a rename that is held back.
  [[nodiscard]] int content_at(std::string_view path) {
    std::string text;
    for (const auto& [id, version] : version_) {
      const record* r = w_.told.find(id);
      if (w_.paths.place_of(id, view::told).parent == no_node || (r != nullptr ? !r->told : !w_.known[id].in_tree))
        continue;
      text.clear();
      w_.paths.append(id, view::told, text);
      if (text == path) return version;
    }
    return 0;
  }

  void say(std::string_view what, std::string_view a = "", std::string_view b = "") {
    log_.push_back(std::string(what).append(" ").append(a).append(" ").append(b));
  }

  static constexpr int unread = -1;
  world w_{{"a/", "b/", "a/c/", "c", "a/a", "b/a", "a/c/b"}};
  model user_{{"r"}};
  std::mt19937 random_;
  std::map<node_id, int> version_;
  int last_version_ = 0;
  std::map<std::string, int, std::less<>> read_;
  std::vector<std::string> log_;
  std::string error_;
};

TEST(difference, random_facts_leave_the_user_with_what_is_on_the_disk) {
  int failures = 0;
  for (std::uint32_t seed = 1; seed <= 6'000 && failures < 3; ++seed) {
    // Short runs find the same mistakes, and tell them in fewer lines.
    const std::string error = random_user(seed).run(seed % 4 == 0 ? 120 : 12);
    if (!error.empty()) ++failures;
    EXPECT_EQ(error, "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace hotwatch::test
