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
