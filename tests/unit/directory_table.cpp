// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/directory_table.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hotwatch::test {
namespace {

using detail::directory_table;
using detail::no_watch;

std::string handle(std::size_t n) { return "handle " + std::to_string(n); }

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
  for (std::int32_t watch = 0; watch < 1000; ++watch) {
    const auto system = static_cast<std::uint32_t>(watch / 2);
    const std::int32_t type = 1 + watch % 2;
    ASSERT_EQ(t.watch(system, static_cast<std::uint64_t>(type)), watch);
    ASSERT_EQ(t.find(system, type, "h"), watch);
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
  for (std::size_t i = 0; i < many; ++i) {
    ASSERT_EQ(t.watch(0, i + 1), static_cast<std::int32_t>(i));
    t.bind(0, 1, handle(i), i + 1);
  }
  for (std::size_t i = 0; i < many; i += 2) t.unwatch(static_cast<std::int32_t>(i));
  for (std::size_t i = many; i < 2 * many; ++i) t.bind(0, 1, handle(i), i + 1);
  for (std::size_t i = 1; i < many; i += 2) ASSERT_EQ(t.find(0, 1, handle(i)), static_cast<std::int32_t>(i));
}

}  // namespace
}  // namespace hotwatch::test
