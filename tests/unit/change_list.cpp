// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/change_list.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "support/world.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using namespace hotwatch::detail;
using enum entry_type;

TEST(change_list, a_hidden_directory_is_not_told_but_what_is_in_it) {
  world w;
  const node_id d = w.settle.appear(w.root, "d", directory, true, w.now());
  w.settle.appear(d, "f", file, false, w.now());
  EXPECT_EQ(w.told_lines(), lines{"created d/f"});
  w.remove("d");
  EXPECT_EQ(w.told_lines(), lines{"removed d/f"});
}

TEST(change_list, seen_is_the_first_word_of_it) {
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

TEST(change_list, a_deep_tree_is_told_without_recursion) {
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

TEST(change_list, a_hundred_thousand_names_in_one_batch) {
  world w({"d/"});
  const node_id d = w.at("d");
  for (int i = 0; i < 100'000; ++i) w.settle.appear(d, std::to_string(i), file, false, w.now());
  EXPECT_EQ(w.tell().size(), 100'000u);
  w.rename("d", "e");
  EXPECT_EQ(w.told_lines(), lines{"renamed d -> e"});
  w.remove("e");
  EXPECT_EQ(w.tell().size(), 100'001u);
}

}  // namespace
}  // namespace hotwatch::test
