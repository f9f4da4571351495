// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/directory_table.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace hotwatch::test {
namespace {

using detail::directory_table;
using detail::no_watch;

std::string handle(std::size_t n) { return "handle " + std::to_string(n); }

/// Counts those that were asked whether they are it.
struct counting_index : detail::hash_index {
  template <class IsIt>
  [[nodiscard]] std::uint32_t find(std::size_t hash, IsIt&& is_it) const {
    return hash_index::find(hash, [&](std::uint32_t i) {
      ++asked;
      return is_it(i);
    });
  }
  static inline std::size_t asked = 0;
};
using counted_table = detail::basic_directory_table<counting_index>;

TEST(directory_table, a_directory_has_one_watch) {
  directory_table t;
  const auto watch = t.watch(0, 17);
  EXPECT_GE(watch, 0);
  EXPECT_EQ(t.watch(0, 17), watch);
  EXPECT_NE(t.watch(0, 18), watch);
  EXPECT_NE(t.watch(1, 17), watch) << "on another file system";
}

TEST(directory_table, a_handle_leads_to_the_watch) {
  directory_table t;
  EXPECT_EQ(t.find(0, 1, "h"), std::nullopt);
  const auto watch = t.watch(0, 17);
  EXPECT_FALSE(t.has_handle(watch));
  t.bind(0, 1, "h", 17);
  EXPECT_TRUE(t.has_handle(watch));
  EXPECT_EQ(t.find(0, 1, "h"), watch);
  EXPECT_EQ(t.find(1, 1, "h"), std::nullopt) << "another file system";
  EXPECT_EQ(t.find(0, 2, "h"), std::nullopt) << "another type";
  EXPECT_EQ(t.find(0, 1, "hh"), std::nullopt);
}

// It may be moved into a root later.
TEST(directory_table, what_nobody_watches_may_be_watched_later) {
  directory_table t;
  t.bind(0, 1, "h", 17);
  EXPECT_EQ(t.find(0, 1, "h"), no_watch);
  const auto watch = t.watch(0, 17);
  EXPECT_EQ(t.find(0, 1, "h"), watch);
  t.unwatch(watch);
  EXPECT_EQ(t.find(0, 1, "h"), no_watch);
  EXPECT_EQ(t.watch(0, 17), watch);
}

TEST(directory_table, a_removed_directory_stands_for_nothing) {
  directory_table t;
  t.bind_to_none(0, 1, "h");
  EXPECT_EQ(t.find(0, 1, "h"), no_watch);
}

TEST(directory_table, numbers_and_handles_may_be_alike_on_many_file_systems) {
  directory_table t;
  for (std::uint32_t system = 0; system < 500; ++system)
    for (const std::int32_t type : {1, 2}) t.bind(system, type, "h", static_cast<std::uint64_t>(type));
  std::set<std::int32_t> watches;
  for (std::uint32_t system = 0; system < 500; ++system)
    for (const std::int32_t type : {1, 2}) {
      const auto watch = t.watch(system, static_cast<std::uint64_t>(type));
      watches.insert(watch);
      ASSERT_EQ(t.find(system, type, "h"), watch);
    }
  EXPECT_EQ(watches.size(), 1000u);
}

// Where the first of all numbers is, and the last.
TEST(directory_table, numbers_of_any_size) {
  directory_table t;
  constexpr std::uint64_t last = std::numeric_limits<std::uint64_t>::max();
  std::set<std::int32_t> watches;
  for (int bits = 0; bits < 64; ++bits)
    for (const std::uint64_t number : {std::uint64_t{1} << bits, last >> bits, last << bits}) {
      const auto watch = t.watch(0, number);
      EXPECT_EQ(t.watch(0, number), watch) << number;
      watches.insert(watch);
    }
  EXPECT_EQ(watches.size(), 64u + 63 + 62) << "1 and the last are among them twice";
}

TEST(directory_table, neighbours_are_watched_each_by_itself) {
  directory_table t;
  std::vector<std::int32_t> watches;
  for (std::uint64_t number = 100; number < 300; ++number) {
    watches.push_back(t.watch(0, number));
    t.bind(0, 1, handle(number), number);
  }
  for (std::size_t i = 0; i < watches.size(); i += 3) t.unwatch(watches[i]);
  for (std::size_t i = 0; i < watches.size(); ++i) {
    EXPECT_EQ(t.find(0, 1, handle(100 + i)), i % 3 == 0 ? no_watch : watches[i]);
    EXPECT_TRUE(t.has_handle(watches[i]));
  }
}

TEST(directory_table, handles_of_any_length_and_byte) {
  directory_table t;
  for (std::size_t length = 1; length <= 128; ++length) t.bind(0, 1, std::string(length, '\0'), length);
  for (std::size_t length = 1; length <= 128; ++length) {
    const auto watch = t.watch(0, length);
    EXPECT_EQ(t.find(0, 1, std::string(length, '\0')), watch);
  }
}

// The rest of the file system may be as busy as it likes.
TEST(directory_table, strangers_do_not_pile_up) {
  directory_table t;
  constexpr std::size_t ours = 100;
  for (std::size_t i = 0; i < ours; ++i) {
    (void)t.watch(0, i + 1);
    t.bind(0, 1, handle(i), i + 1);
  }
  std::size_t most = 0;
  for (std::size_t i = ours; i < 200'000; ++i) {
    if (i % 3 == 0)
      t.bind_to_none(0, 1, handle(i));
    else
      t.bind(0, 1, handle(i), i + 1);
    most = i == 100'000 ? t.bytes() : most;
  }
  EXPECT_EQ(t.bytes(), most);
  for (std::size_t i = 0; i < ours; ++i) EXPECT_EQ(t.find(0, 1, handle(i)), t.watch(0, i + 1));
  for (std::size_t i = 200'000; i < 200'100; ++i) EXPECT_EQ(t.find(0, 1, handle(i)), std::nullopt);
}

TEST(directory_table, many_watched_are_all_kept) {
  directory_table t;
  constexpr std::size_t many = 100'000;
  std::vector<std::int32_t> watches;
  for (std::size_t i = 0; i < many; ++i) {
    watches.push_back(t.watch(0, i + 1));
    t.bind(0, 1, handle(i), i + 1);
  }
  for (std::size_t i = 0; i < many; i += 2) t.unwatch(watches[i]);
  for (std::size_t i = many; i < 3 * many; ++i) t.bind(0, 1, handle(i), i + 1);
  for (std::size_t i = 1; i < many; i += 2) ASSERT_EQ(t.find(0, 1, handle(i)), watches[i]);
  EXPECT_EQ(t.find(0, 1, handle(0)), std::nullopt) << "forgotten with the strangers";
  EXPECT_FALSE(t.has_handle(t.watch(0, 1)));
}

// What is made anew in a place that was given back has no part in what was there.
TEST(directory_table, a_place_serves_again) {
  directory_table t;
  std::uint64_t number = 0;
  std::size_t most = 0;
  for (int i = 0; i < 1'000'000; ++i) {
    number += 64;
    const auto watch = t.watch(0, number);
    ASSERT_FALSE(t.has_handle(watch));
    ASSERT_EQ(t.find(0, 1, "h"), std::nullopt);
    t.unwatch(watch);
    if (i == 500'000) most = t.bytes();
  }
  EXPECT_EQ(t.bytes(), most);
  std::set<std::int32_t> watches;
  for (std::uint64_t i = 0; i < 20'000; ++i) watches.insert(t.watch(0, number - 64 * i));
  for (std::uint64_t i = 1; i <= 20'000; ++i) watches.insert(t.watch(0, number + 64 * i));
  EXPECT_EQ(watches.size(), 40'000u) << "what was there before, and what came instead";
}

// ---- whatever the numbers are, few are asked whether they are the one

/// How many of `many` directories were asked about for each that is watched, and watched again.
double asked_for_each(std::size_t many, const std::function<std::uint64_t(std::size_t)>& number) {
  counted_table t;
  counting_index::asked = 0;
  for (int round = 0; round < 2; ++round)
    for (std::size_t i = 0; i < many; ++i) (void)t.watch(0, number(i));
  return static_cast<double>(counting_index::asked) / static_cast<double>(2 * many);
}

TEST(directory_table, numbers_in_a_row_are_mostly_not_looked_up) {
  EXPECT_LT(asked_for_each(100'000, [](std::size_t i) { return i; }), 0.1);
  EXPECT_LT(asked_for_each(100'000, [](std::size_t i) { return 1'000'000 - 2 * i; }), 0.1);
}

// Groups of inodes begin at such numbers (ext4: 8192 a group; xfs: 64 a chunk).
TEST(directory_table, numbers_that_end_alike) {
  for (int bits = 6; bits <= 44; ++bits)
    EXPECT_LT(asked_for_each(20'000, [&](std::size_t i) { return std::uint64_t{i} << bits | 1; }), 4.0) << bits;
}

TEST(directory_table, clusters_of_numbers) {
  EXPECT_LT(asked_for_each(100'000, [](std::size_t i) { return i / 1000 * 8192 + i % 1000; }), 4.0);
  EXPECT_LT(asked_for_each(100'000, [](std::size_t i) { return i % 100 * 8192 + i / 100; }), 4.0);
}

/// What mix64() makes this of.
constexpr std::uint64_t unmixed(std::uint64_t h) {
  std::uint64_t inverse = 1;  // of the factor, by Newton
  for (int i = 0; i < 6; ++i) inverse *= 2 - 0xE9846AF9B1A615Du * inverse;
  h ^= h >> 28 ^ h >> 56;
  for (int i = 0; i < 2; ++i) {
    h *= inverse;
    h ^= h >> 32;
  }
  return h;
}
static_assert(unmixed(detail::mix64(0x123456789ABCDEF)) == 0x123456789ABCDEF);

// An image can be made so that all numbers would fall into one place, if that were the same in every watcher.
TEST(directory_table, numbers_that_somebody_chose) {
  std::vector<std::uint64_t> chosen;
  for (std::uint64_t high = 0; chosen.size() < 2000; ++high)
    if (const std::uint64_t which = unmixed(high << 20); which >> 58 == 0) chosen.push_back(which * 64);
  EXPECT_LT(asked_for_each(chosen.size(), [&](std::size_t i) { return chosen[i]; }), 4.0);
}

}  // namespace
}  // namespace hotwatch::test
