// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/facts.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using namespace hotwatch::detail;

class facts_test : public testing::Test {
 protected:
  node_id add(node_id parent, std::string_view name, entry_type type = entry_type::file) {
    return settle.appear(parent, name, type, false, early, facts::telling::known_already);
  }

  const moment early{clock::time_point(1h), 1'000};
  const moment late{clock::time_point(1h + 5ms), 2'000};
  tree known;
  ledger told{known};
  debounce_clock due{debounce{}};
  facts settle{known, told, due};
  node_id root = known.make_root(0);
};

TEST_F(facts_test, what_is_known_already_is_not_told) {
  const node_id a = add(root, "a");
  EXPECT_EQ(known.find(root, "a"), a);
  EXPECT_EQ(known[a].stamp, early.file_now);
  EXPECT_TRUE(told.empty());
  EXPECT_FALSE(due.pending());
}

TEST_F(facts_test, what_appears_is_told) {
  const node_id a = settle.appear(root, "a", entry_type::file, false, early);
  EXPECT_FALSE(told.find(a)->told);
  EXPECT_TRUE(due.pending());
}

TEST_F(facts_test, what_was_never_told_vanishes_without_a_trace) {
  const node_id a = settle.appear(root, "a", entry_type::file, false, early);
  settle.vanish(a, late);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(known.find(root, "a"), no_node);
  EXPECT_EQ(known.files(), 0u);
  EXPECT_EQ(settle.appear(root, "b", entry_type::file, false, late), a) << "the node is free again";
}

TEST_F(facts_test, what_was_told_stays_as_a_ghost) {
  const node_id d = add(root, "d", entry_type::directory);
  const node_id f = add(d, "f");
  settle.vanish(d, late);
  for (const node_id id : {d, f}) {
    EXPECT_FALSE(known[id].in_tree);
    ASSERT_NE(told.find(id), nullptr);
    EXPECT_TRUE(told.find(id)->told);
  }
  EXPECT_EQ(known.name(f), "f");
  EXPECT_EQ(known.find(root, "d"), no_node);
  EXPECT_EQ(known.files(), 0u);
  EXPECT_EQ(known.directories(), 1u);
}

TEST_F(facts_test, a_deep_tree_vanishes_without_recursion) {
  node_id id = root;
  for (int i = 0; i < 100'000; ++i) id = add(id, "d", entry_type::directory);
  settle.vanish(known.find(root, "d"), late);
  EXPECT_EQ(told.size(), 100'000u);
  EXPECT_EQ(known.directories(), 1u);
}

TEST_F(facts_test, a_wide_tree_that_nobody_was_told_of_vanishes) {
  const node_id d = settle.appear(root, "d", entry_type::directory, false, early);
  for (int i = 0; i < 1'000; ++i) settle.appear(d, std::to_string(i), entry_type::file, false, early);
  settle.vanish(d, late);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(known.files() + known.directories(), 1u);
}

TEST_F(facts_test, directories_that_went_away_say_farewell) {
  const node_id d = add(root, "d", entry_type::directory);
  const node_id e = add(d, "e", entry_type::directory);
  const node_id p = add(d, "p", entry_type::directory);
  add(d, "without", entry_type::directory);
  known[d].watch = 7;
  known[e].watch = 8;
  known[p].polled = true;
  settle.vanish(d, late);
  ASSERT_EQ(settle.farewells().size(), 3u);
  EXPECT_EQ(settle.farewells().back().watch, 7) << "children before parents";
  EXPECT_EQ(known[e].watch, no_watch);
  EXPECT_FALSE(known[p].polled);
}

TEST_F(facts_test, a_lifted_node_takes_all_along) {
  const node_id d = add(root, "d", entry_type::directory);
  const node_id f = add(d, "f");
  settle.lift(d, early);
  EXPECT_EQ(known.find(root, "d"), no_node);
  EXPECT_EQ(known.find(d, "f"), f);
  settle.place(d, root, "e", late);
  EXPECT_EQ(known.find(root, "e"), d);
  EXPECT_EQ(known.names().view(told.find(d)->told_name), "d");
  EXPECT_EQ(told.find(f), nullptr) << "it did not move itself";
}

TEST_F(facts_test, a_file_that_moved_is_known_up_to_now) {
  const node_id a = add(root, "a");
  settle.lift(a, late);
  settle.place(a, root, "b", late);
  EXPECT_EQ(known[a].stamp, late.file_now);
  known[a].fingerprinted = true;
  known[a].stamp = 77;
  settle.lift(a, late);
  settle.place(a, root, "c", late);
  EXPECT_EQ(known[a].stamp, 77u) << "what was seen moved along";
  settle.change_content(a, early);
  EXPECT_FALSE(known[a].fingerprinted);
  EXPECT_EQ(known[a].stamp, early.file_now);
}

TEST_F(facts_test, a_node_lifted_and_not_placed_vanishes_with_what_is_below) {
  const node_id d = add(root, "d", entry_type::directory);
  const node_id f = add(d, "f");
  settle.lift(d, early);
  settle.vanish(d, late);
  EXPECT_TRUE(told.find(d)->told);
  EXPECT_TRUE(told.find(f)->told);
  EXPECT_FALSE(known[f].in_tree);
}

TEST_F(facts_test, a_storm_of_renames_does_not_grow_the_names) {
  const node_id a = add(root, "a");
  const auto rename = [&](int i) {
    settle.lift(a, late);
    settle.place(a, root, "name" + std::to_string(i % 10), late);
  };
  rename(0);
  const std::size_t before = known.bytes();
  for (int i = 1; i < 100'000; ++i) rename(i);
  EXPECT_EQ(known.bytes(), before);
  EXPECT_EQ(known.names().view(told.find(a)->told_name), "a");
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(facts_test, a_written_file_is_open_until_it_is_closed) {
  const node_id a = settle.appear(root, "a", entry_type::unknown, false, early);
  settle.write(a, late);
  EXPECT_TRUE(known[a].open);
  EXPECT_EQ(known[a].type, entry_type::unknown) << "a symlink whose times are set is told like a write";
  EXPECT_TRUE(told.find(a)->content);
  EXPECT_FALSE(settle.complete(a, late)) << "it is known to be written: no look is needed";
  EXPECT_FALSE(known[a].open);
}

TEST_F(facts_test, a_close_without_a_write_needs_a_look) {
  const node_id a = add(root, "a");
  EXPECT_TRUE(settle.complete(a, late));
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(known[a].stamp, early.file_now);
}

TEST_F(facts_test, a_close_after_times_were_set_needs_a_look_that_knows_of_them) {
  const node_id a = add(root, "a");
  settle.change_attributes(a, false, late);
  EXPECT_TRUE(told.empty());
  EXPECT_FALSE(due.pending());
  EXPECT_TRUE(settle.complete(a, late));
  EXPECT_TRUE(known[a].touched);
  EXPECT_EQ(known[a].stamp, late.file_now);
  EXPECT_TRUE(told.empty());
}

TEST_F(facts_test, attributes_are_told_to_who_wants_them) {
  const node_id a = add(root, "a");
  settle.change_attributes(a, true, late);
  EXPECT_TRUE(told.find(a)->metadata);
  EXPECT_FALSE(told.find(a)->content);
  EXPECT_TRUE(due.pending());
}

TEST_F(facts_test, a_link_that_was_told_is_removed_and_made_as_what_it_leads_to) {
  const node_id before = add(root, "link", entry_type::symlink);
  const node_id shown = settle.show_as(before, entry_type::directory, false, late, facts::telling::tell);
  EXPECT_NE(shown, before);
  EXPECT_EQ(known.find(root, "link"), shown);
  EXPECT_EQ(known[shown].type, entry_type::directory);
  EXPECT_TRUE(told.find(before)->told);
  EXPECT_FALSE(told.find(shown)->told);
}

TEST_F(facts_test, a_link_that_is_known_already_becomes_what_it_leads_to) {
  const node_id link = add(root, "link", entry_type::symlink);
  EXPECT_EQ(settle.show_as(link, entry_type::directory, true, late, facts::telling::known_already), link);
  EXPECT_EQ(known.find(root, "link"), link);
  EXPECT_TRUE(known[link].hidden);
  EXPECT_TRUE(told.empty());
  EXPECT_EQ(known.directories(), 2u) << "with the root";
  EXPECT_EQ(known.files(), 0u);
}

TEST_F(facts_test, of_a_link_no_attributes_are_kept) {
  const node_id link = add(root, "link", entry_type::symlink);
  known[link].link = true;
  known[link].attributes = 7;  // its place in the list
  settle.change_attributes(link, true, late);
  EXPECT_EQ(known[link].attributes, 7u);
  EXPECT_TRUE(told.empty());
}

TEST_F(facts_test, a_link_that_vanishes_says_farewell) {
  const node_id link = add(root, "link", entry_type::symlink);
  known[link].link = true;
  known[link].attributes = 7;
  settle.vanish(link, late);
  ASSERT_EQ(settle.farewells().size(), 1u);
  EXPECT_TRUE(settle.farewells()[0].link);
  EXPECT_EQ(settle.farewells()[0].index, 7u);
  EXPECT_FALSE(known[link].link) << "the ghost that is still to be told is none";
}

}  // namespace
}  // namespace hotwatch::test
