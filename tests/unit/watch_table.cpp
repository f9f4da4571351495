// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/watch_table.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <utility>
#include <vector>

namespace hotwatch::test {
namespace {

using detail::watch_table;
using target = watch_table::target;

std::vector<std::pair<std::uint32_t, bool>> found(const watch_table& t, std::int32_t watch) {
  std::vector<target> out;
  t.find(watch, out);
  std::vector<std::pair<std::uint32_t, bool>> sorted;
  for (const target& one : out) sorted.emplace_back(one.index, one.guard);
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

TEST(watch_table, empty) {
  watch_table t;
  EXPECT_FALSE(t.contains(1));
  EXPECT_TRUE(found(t, 1).empty());
  EXPECT_FALSE(t.remove(1, {}));
  EXPECT_EQ(t.bytes(), 0u);
}

TEST(watch_table, one_handle_for_several_targets) {
  watch_table t;
  t.add(1, {7, false});
  t.add(1, {8, false});
  t.add(1, {7, true});
  EXPECT_EQ(found(t, 1).size(), 3u);
  EXPECT_TRUE(t.remove(1, {7, false})) << "others need it";
  EXPECT_TRUE(t.remove(1, {8, false}));
  EXPECT_EQ(found(t, 1), (std::vector<std::pair<std::uint32_t, bool>>{{7, true}}));
  EXPECT_FALSE(t.remove(1, {7, true}));
  EXPECT_FALSE(t.contains(1));
}

TEST(watch_table, the_same_target_twice_is_two) {
  watch_table t;
  t.add(1, {7, true});
  t.add(1, {7, true});
  EXPECT_TRUE(t.remove(1, {7, true}));
  EXPECT_FALSE(t.remove(1, {7, true}));
}

TEST(watch_table, what_is_not_there_is_not_removed) {
  watch_table t;
  t.add(1, {7, false});
  EXPECT_TRUE(t.remove(1, {8, false}));
  EXPECT_FALSE(t.remove(2, {7, false}));
  EXPECT_TRUE(t.contains(1));
}

TEST(watch_table, backward_shift_deletion_against_a_multimap) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    watch_table t;
    std::multimap<std::int32_t, std::pair<std::uint32_t, bool>> reference;
    std::mt19937 random(seed);
    // Few handles: long runs with many of one kind. Many: the table grows while it is full of holes.
    const auto handles = seed % 2 == 0 ? 40u : 4'000u;
    for (int i = 0; i < 6'000; ++i) {
      const auto watch = static_cast<std::int32_t>(1 + random() % handles * (seed % 3 + 1));
      const target to{static_cast<std::uint32_t>(random() % 4), random() % 2 == 0};
      if (random() % 16 < (reference.size() < 300 ? 9u : 6u)) {
        t.add(watch, to);
        reference.emplace(watch, std::pair(to.index, to.guard));
      } else {
        const auto [first, last] = reference.equal_range(watch);
        const auto it =
            std::find_if(first, last, [&](const auto& e) { return e.second == std::pair(to.index, to.guard); });
        if (it != last) reference.erase(it);
        ASSERT_EQ(t.remove(watch, to), reference.contains(watch)) << "seed " << seed;
      }
      if (i % 64 != 0) continue;
      for (std::int32_t w = 1; w <= static_cast<std::int32_t>(handles * 3);
           w += 1 + static_cast<std::int32_t>(handles / 40)) {
        std::vector<std::pair<std::uint32_t, bool>> expected;
        const auto [begin, end] = reference.equal_range(w);
        for (auto it = begin; it != end; ++it) expected.push_back(it->second);
        std::sort(expected.begin(), expected.end());
        ASSERT_EQ(found(t, w), expected) << "seed " << seed << ", handle " << w;
      }
    }
  }
}

TEST(watch_table, handles_that_come_and_go_do_not_grow_it) {
  watch_table t;
  for (std::int32_t watch = 1; watch < 10; ++watch) t.add(watch, {});
  const std::size_t before = t.bytes();
  // The kernel never gives a handle twice: they only count up.
  for (std::int32_t watch = 10; watch < 100'000; ++watch) {
    t.add(watch, {});
    t.remove(watch - 9, {});
  }
  EXPECT_EQ(t.bytes(), before);
}

}  // namespace
}  // namespace hotwatch::test
