// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/batch_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "support/world.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using namespace hotwatch::detail;
using enum entry_type;

// Orders of needs.

TEST(batch_order, children_go_before_their_parent) {
  world w({"d/", "d/e/", "d/e/f"});
  w.remove("d");
  EXPECT_EQ(w.told_lines(), (lines{"removed d/e/f", "removed d/e", "removed d"}));
}

TEST(batch_order, what_moves_out_goes_before_the_removed_directory) {
  world w({"d/", "d/f"});
  w.rename("d/f", "f");
  w.remove("d");
  EXPECT_EQ(w.told_lines(), (lines{"renamed d/f -> f", "removed d"}));
}

TEST(batch_order, though_of_the_directory_came_the_first_word) {
  world w({"d/", "d/f"});
  w.chmod("d");
  w.rename("d/f", "f");
  w.remove("d");
  EXPECT_EQ(w.told_lines(), (lines{"renamed d/f -> f", "removed d"}));
}

TEST(batch_order, what_changed_in_a_directory_before_it_was_renamed_is_told_by_its_new_path) {
  world w({"d/", "d/f"});
  w.write("d/f");
  w.rename("d", "e");
  EXPECT_EQ(w.told_lines(), (lines{"renamed d -> e", "modified e/f"}));
}

TEST(batch_order, a_backup_comes_behind_the_file_that_took_its_place) {
  world w({"f"});
  w.rename("f", "f~");
  w.create("f");
  EXPECT_EQ(w.told_lines(), (lines{"modified f", "created f~"}));
}

TEST(batch_order, who_takes_a_name_waits_for_the_open_file_that_still_has_it) {
  world w({"a", "b"});
  w.hold_open("b");
  w.rename("b", "c");
  w.rename("a", "b");
  EXPECT_EQ(w.told_lines(false), lines{});
  w.close("c");
  EXPECT_EQ(w.told_lines(false), (lines{"renamed b -> c modified", "renamed a -> b"}));
}

TEST(batch_order, nothing_waits_when_all_is_asked_for) {
  world w({"a", "b"});
  w.hold_open("b");
  w.rename("b", "c");
  w.rename("a", "b");
  EXPECT_EQ(w.told_lines(true), (lines{"renamed b -> c modified", "renamed a -> b"}));
}

TEST(batch_order, a_new_directory_comes_before_what_moves_into_it) {
  world w({"f"});
  w.create("d", directory);
  w.rename("f", "d/f");
  EXPECT_EQ(w.told_lines(), (lines{"created d", "renamed f -> d/f"}));
}

TEST(batch_order, a_renamed_directory_takes_all_along) {
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

TEST(batch_order, the_child_leaves_and_takes_the_place_of_its_parent) {
  world w({"a/", "a/b/", "a/b/f"});
  w.rename("a/b", "b");
  w.rename("a", "b/a");
  const lines told = w.told_lines();
  EXPECT_EQ(told, (lines{"renamed a/b -> b", "renamed a -> b/a"}));
}

TEST(batch_order, exchanged_directories_can_be_applied_in_order) {
  world w({"a/", "b/", "a/x", "b/y"});
  const model user = w.user();
  w.exchange("a", "b");
  w.expect_applicable_by(user);
}

TEST(batch_order, of_a_file_and_a_directory_that_changed_places_the_directory_is_renamed) {
  world w({"a/", "a/c/", "c"});
  w.exchange("a/c", "c");
  EXPECT_EQ(w.told_lines(), (lines{"removed c", "renamed a/c -> c", "created a/c"}));
}

// b comes to stand in c, which was in a; a comes to stand in b. Before c has left a, b is in a, and a would move into
// itself.
TEST(batch_order, a_directory_does_not_move_into_itself_on_the_way) {
  world w({"a/", "a/c/", "b/", "c"});
  const model user = w.user();
  w.exchange("a/c", "c");
  w.rename("b", "c/d");
  w.rename("a", "c/d/a");
  w.expect_applicable_by(user);
}

}  // namespace
}  // namespace hotwatch::test
