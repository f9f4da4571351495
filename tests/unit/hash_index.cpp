// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/hash_index.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

namespace hotwatch::test {
namespace {

using detail::hash_index;

constexpr auto any = [](std::uint32_t) { return true; };

TEST(hash_index, nothing_is_found_before_it_is_built) {
  hash_index index;
  EXPECT_TRUE(index.empty());
  EXPECT_EQ(index.find(7, any), hash_index::none);
  index.rebuild(0);
  EXPECT_FALSE(index.empty());
  EXPECT_EQ(index.find(7, any), hash_index::none);
}

TEST(hash_index, of_one_hash_the_first_that_suits) {
  hash_index index;
  index.rebuild(3);
  for (const std::uint32_t number : {5u, 6u, 8u}) index.insert(7, number);
  EXPECT_EQ(index.find(7, any), 5u);
  EXPECT_EQ(index.find(7, [](std::uint32_t number) { return number % 2 == 0; }), 6u);
  EXPECT_EQ(index.find(7, [](std::uint32_t number) { return number > 8; }), hash_index::none);
}

TEST(hash_index, a_chain_goes_on_at_the_beginning) {
  hash_index index;
  index.rebuild(3);
  constexpr std::size_t last = std::numeric_limits<std::size_t>::max();
  for (const std::uint32_t number : {1u, 2u, 3u}) index.insert(last, number);
  for (const std::uint32_t number : {1u, 2u, 3u})
    EXPECT_EQ(index.find(last, [&](std::uint32_t other) { return other == number; }), number);
}

TEST(hash_index, it_holds_as_many_as_it_was_built_for) {
  hash_index index;
  for (const std::uint32_t count : {1'000u, 17u, 16u, 8u}) {
    index.rebuild(count);
    EXPECT_EQ(index.find(0, any), hash_index::none) << "what was there before is forgotten";
    for (std::uint32_t number = 0; number < count; ++number) index.insert(number * 31, number);
    for (std::uint32_t number = 0; number < count; ++number)
      EXPECT_EQ(index.find(number * 31, [&](std::uint32_t other) { return other == number; }), number);
    EXPECT_EQ(index.find(3, [&](std::uint32_t other) { return other >= count; }), hash_index::none) << "and it ends";
  }
  EXPECT_GE(index.bytes(), 2'000 * sizeof(std::uint32_t)) << "the room is kept";
  index.clear();
  EXPECT_TRUE(index.empty());
}

}  // namespace
}  // namespace hotwatch::test
