// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/net_effects.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "support/world.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using namespace hotwatch::detail;
using enum entry_type;

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
    {"back_in_its_directory_made_again_is_nothing", {"d/", "d/f"}, "rename d/f f; remove d; mkdir d; rename f d/f", {}},
    {"back_in_its_directory_made_again_and_written_is_modified",
     {"d/", "d/f"},
     "rename d/f f; remove d; mkdir d; rename f d/f; write d/f",
     {"modified d/f"}},
    {"back_in_its_directory_made_again_by_another_name_is_renamed",
     {"d/", "d/f"},
     "rename d/f f; remove d; mkdir d; rename f d/g",
     {"renamed d/f -> d/g"}},
    {"made_before_the_directory_that_it_comes_to_stand_in_is_nothing",
     {"d/", "d/e/"},
     "mkdir x; remove d; mkdir d; rename x d/e",
     {}},
    {"created_overwritten_by_a_rename_is_one_rename", {"a"}, "create b; rename a b", {"renamed a -> b"}},
};
INSTANTIATE_TEST_SUITE_P(table, net_effect_test, testing::ValuesIn(net_effect_table),
                         [](const auto& row) { return std::string(row.param.name); });

TEST(net_effects, modified_many_times_is_modified_once) {
  world w({"a"});
  for (int i = 0; i < 100; ++i) w.write("a");
  EXPECT_EQ(w.told_lines(), lines{"modified a"});
}

TEST(net_effects, a_directory_is_never_modified) {
  world w({"d/"});
  w.settle.change_content(w.at("d"), w.now());
  EXPECT_EQ(w.told_lines(), lines{});
}

TEST(net_effects, a_directory_made_again_is_told_by_what_is_in_it) {
  world w({"a/", "a/b", "a/c"});
  w.remove("a");
  w.create("a", directory);
  w.create("a/b");
  w.create("a/d");
  EXPECT_EQ(w.sorted_lines(), (lines{"created a/d", "modified a/b", "removed a/c"}));
}

TEST(net_effects, attributes_alone_are_metadata) {
  world w({"a"});
  w.chmod("a");
  EXPECT_EQ(w.told_lines(), lines{"metadata a"});
  w.chmod("a");
  w.write("a");
  EXPECT_EQ(w.told_lines(), lines{"modified a"});
  w.chmod("a", false);
  EXPECT_EQ(w.told_lines(), lines{});
}

TEST(net_effects, attributes_of_what_is_back_in_its_directory_made_again_are_metadata) {
  world w({"d/", "d/f"});
  w.happen("rename d/f f; remove d; mkdir d; rename f d/f");
  w.chmod("d/f");
  EXPECT_EQ(w.told_lines(), lines{"metadata d/f"});
}

TEST(net_effects, what_was_never_told_and_is_on_its_way_is_nothing) {
  world w;
  w.create("a");
  const node_id moved = w.at("a");
  w.settle.lift(moved, w.now());
  EXPECT_EQ(net_effects(w.known, w.told).of(*w.told.find(moved)), effect::nothing);
}

TEST(net_effects, what_takes_the_place_of_something_hidden_is_new) {
  for (const entry_type type : {symlink, directory}) {
    world w;
    w.settle.appear(w.root, "a", type, true, w.now(), facts::telling::known_already);
    w.remove("a");
    w.create("a", type);
    EXPECT_EQ(w.told_lines(), lines{"created a"});
    const node_id shown = w.at("a");
    w.remove("a");
    w.settle.appear(w.root, "a", type, true, w.now());
    EXPECT_NE(w.at("a"), shown);
    EXPECT_EQ(w.told_lines(), lines{"removed a"});
  }
}

TEST(net_effects, what_takes_the_place_of_a_file_may_turn_out_to_be_one) {
  world w({"a"});
  w.remove("a");
  w.create("a", unknown);
  EXPECT_EQ(w.told_lines(), lines{}) << "nobody has looked at it yet";
  w.known[w.at("a")].type = file;
  EXPECT_EQ(w.told_lines(), lines{"modified a"});
}

// The save patterns.

TEST(net_effects, backup_by_rename_is_one_modified) {
  world w({"f"});
  w.rename("f", "f~");
  w.create("f");
  w.remove("f~");
  EXPECT_EQ(w.told_lines(), lines{"modified f"});
}

TEST(net_effects, a_backup_that_stays_is_created) {
  world w({"f"});
  w.rename("f", "f~");
  w.create("f");
  EXPECT_EQ(w.sorted_lines(), (lines{"created f~", "modified f"}));
  w.rename("f", "f~");
  w.create("f");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified f", "modified f~"}));
}

TEST(net_effects, a_file_put_in_place_of_one_that_moved_to_be_removed) {
  world w({"f"});
  w.create("f.new");
  w.rename("f", "f.old");
  w.rename("f.new", "f");
  w.remove("f.old");
  EXPECT_EQ(w.told_lines(), lines{"modified f"});
}

TEST(net_effects, exchanged_files_are_both_modified) {
  world w({"a", "b"});
  w.exchange("a", "b");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified a", "modified b"}));
}

TEST(net_effects, a_rotation_is_told_from_its_far_end) {
  world w({"log", "log.1"});
  w.rename("log.1", "log.2");
  w.rename("log", "log.1");
  EXPECT_EQ(w.told_lines(), (lines{"renamed log.1 -> log.2", "renamed log -> log.1"}));
}

TEST(net_effects, a_rotation_with_a_new_log) {
  world w({"log", "log.1"});
  w.rename("log.1", "log.2");
  w.rename("log", "log.1");
  w.create("log");
  EXPECT_EQ(w.sorted_lines(), (lines{"created log.2", "modified log", "modified log.1"}));
}

TEST(net_effects, three_files_in_a_ring_are_each_modified) {
  world w({"a", "b", "c"});
  w.exchange("a", "b");
  w.exchange("b", "c");
  EXPECT_EQ(w.sorted_lines(), (lines{"modified a", "modified b", "modified c"}));
}

}  // namespace
}  // namespace hotwatch::test
