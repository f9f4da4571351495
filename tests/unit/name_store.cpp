// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/name_store.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace hotwatch::test {
namespace {

using detail::name_ref;
using detail::name_store;

constexpr std::size_t chunk = 64 * 1024;

TEST(name_store, the_empty_name_is_reference_0_and_costs_nothing) {
  name_store s;
  EXPECT_EQ(s.store(""), 0u);
  EXPECT_EQ(s.view(0), "");
  s.release(0);
  EXPECT_EQ(s.bytes(), 0u);
  EXPECT_NE(s.store("a"), 0u);
}

TEST(name_store, every_length_and_every_byte) {
  name_store s;
  std::vector<std::pair<name_ref, std::string>> kept;
  for (std::size_t length = 1; length <= name_store::max_length; ++length) {
    std::string name(length, '\0');
    for (std::size_t i = 0; i < length; ++i) name[i] = static_cast<char>(length + i);
    kept.emplace_back(s.store(name), name);
  }
  for (const auto& [ref, name] : kept) EXPECT_EQ(s.view(ref), name);
}

TEST(name_store, a_chunk_filled_exactly) {
  name_store s;
  // Blocks of 8 bytes: 8191 of them and the unused unit of reference 0 fill the first chunk to its last byte.
  std::vector<name_ref> refs;
  for (int i = 0; i < 8191; ++i) refs.push_back(s.store("123456"));
  EXPECT_EQ(s.bytes(), chunk);
  EXPECT_EQ(s.view(refs.back()), "123456");
  const name_ref next = s.store("abcdef");
  EXPECT_EQ(s.bytes(), 2 * chunk);
  EXPECT_EQ(s.view(next), "abcdef");
  EXPECT_EQ(s.view(refs.back()), "123456");
  EXPECT_EQ(s.view(refs.front()), "123456");
}

TEST(name_store, a_name_never_lies_across_two_chunks) {
  name_store s;
  std::vector<std::pair<name_ref, std::string>> kept;
  for (int i = 0; i < 2'000; ++i) {
    const std::string name(250, static_cast<char>('a' + i % 26));
    kept.emplace_back(s.store(name), name);
  }
  EXPECT_GT(s.bytes(), 7 * chunk);
  for (const auto& [ref, name] : kept) ASSERT_EQ(s.view(ref), name);
}

TEST(name_store, views_stay_where_they_are) {
  name_store s;
  const std::string_view first = s.view(s.store("first"));
  for (int i = 0; i < 50'000; ++i) (void)s.store("another");
  EXPECT_EQ(first, "first");
}

TEST(name_store, a_storm_of_renames_does_not_grow_it) {
  name_store s;
  name_ref name = s.store("name-0");
  const std::size_t before = s.bytes();
  for (int i = 1; i < 1'000'000; ++i) {
    const name_ref next = s.store("name-" + std::to_string(i % 1000));
    s.release(name);
    name = next;
  }
  EXPECT_EQ(s.bytes(), before);
}

TEST(name_store, each_free_block_serves_again) {
  name_store s;
  std::set<name_ref> before, after;
  for (int i = 0; i < 3; ++i) before.insert(s.store("name"));
  for (const name_ref ref : before) s.release(ref);
  for (int i = 0; i < 3; ++i) after.insert(s.store("mane"));
  EXPECT_EQ(after, before);
}

TEST(name_store, random_names_against_a_map) {
  name_store s;
  std::map<name_ref, std::string> reference;
  std::mt19937 random(1);
  for (int i = 0; i < 100'000; ++i) {
    if (reference.empty() || random() % 5 < 3) {
      const std::string name(1 + random() % 40, static_cast<char>('a' + random() % 26));
      const auto [it, is_new] = reference.emplace(s.store(name), name);
      ASSERT_TRUE(is_new) << "a reference is given twice";
    } else {
      auto it = reference.lower_bound(static_cast<name_ref>(random() % (reference.rbegin()->first + 1)));
      ASSERT_EQ(s.view(it->first), it->second);
      s.release(it->first);
      reference.erase(it);
    }
  }
  for (const auto& [ref, name] : reference) ASSERT_EQ(s.view(ref), name);
}

}  // namespace
}  // namespace hotwatch::test
