// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/rename_pairs.hpp"

#include <gtest/gtest.h>

namespace hotwatch::test {
namespace {

using detail::no_node;
using detail::rename_pairs;

TEST(rename_pairs, halves_need_not_be_adjacent) {
  rename_pairs p;
  EXPECT_TRUE(p.empty());
  p.add({1, 10, 0, 0});
  p.add({2, 20, 0, 0});
  p.add({3, 30, 0, 0});
  EXPECT_EQ(p.take(2, 0), 20u);
  EXPECT_EQ(p.take(1, 0), 10u);
  EXPECT_EQ(p.take(3, 0), 30u);
  EXPECT_TRUE(p.empty());
}

TEST(rename_pairs, a_half_is_taken_once) {
  rename_pairs p;
  p.add({1, 10, 0, 0});
  EXPECT_EQ(p.take(1, 0), 10u);
  EXPECT_EQ(p.take(1, 0), no_node);
  EXPECT_EQ(p.take(7, 0), no_node);
}

TEST(rename_pairs, of_several_the_one_of_the_same_root) {
  rename_pairs p;
  p.add({1, 10, 5, 100});
  p.add({1, 20, 6, 200});
  p.add({2, 30, 6, 200});
  EXPECT_EQ(p.take(1, 200), 20u);
  EXPECT_EQ(p.take(1, 200), 10u) << "between two roots: what there is";
  EXPECT_EQ(p.halves().size(), 1u);
}

TEST(rename_pairs, a_cookie_may_come_again_after_its_pair_was_taken) {
  rename_pairs p;
  p.add({1, 10, 0, 0});
  EXPECT_EQ(p.take(1, 0), 10u);
  p.add({1, 11, 0, 0});
  EXPECT_EQ(p.take(1, 0), 11u);
}

TEST(rename_pairs, a_half_can_be_asked_for_while_it_waits) {
  rename_pairs p;
  p.add({1, 10, 0, 0});
  p.add({2, 20, 0, 0});
  EXPECT_EQ(p.find(2), 20u);
  EXPECT_EQ(p.find(3), no_node);
  EXPECT_EQ(p.take(2, 0), 20u);
  EXPECT_EQ(p.find(2), no_node);
  EXPECT_EQ(p.find(1), 10u);
}

}  // namespace
}  // namespace hotwatch::test
