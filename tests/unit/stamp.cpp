// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/stamp.hpp"

#include <gtest/gtest.h>

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;

constexpr file_time last_word = 1'000;
// The queue was empty after all that was told.
constexpr file_time drained = 1'000'000'000'000;

file_status status(file_time modified, file_time changed = 0) {
  file_status s;
  s.type = entry_type::file;
  s.file_id = 12;
  s.size = 5;
  s.modified = modified;
  s.changed = changed == 0 ? modified : changed;
  s.mode = 0100644;
  return s;
}

node looked_at(const file_status& s) {
  node n;
  n.type = s.type;
  n.file_id = s.file_id;
  n.stamp = content_fingerprint(s);
  n.birth = birth_fingerprint(s);
  n.fingerprinted = true;
  return n;
}

node told_at(file_time when) {
  node n;
  n.type = entry_type::file;
  n.file_id = 12;
  n.stamp = when;
  return n;
}

TEST(stamp, a_fingerprint_tells_another_content) {
  const node n = looked_at(status(500));
  EXPECT_FALSE(content_differs(n, status(500), drained));
  EXPECT_TRUE(content_differs(n, status(501), drained));
  file_status longer = status(500);
  ++longer.size;
  EXPECT_TRUE(content_differs(n, longer, drained));
  file_status replaced = status(500);
  ++replaced.file_id;
  EXPECT_TRUE(content_differs(n, replaced, drained));
}

TEST(stamp, times_that_were_set_back_are_another_content) {
  EXPECT_TRUE(content_differs(looked_at(status(500)), status(400), drained)) << "rsync -t, tar";
}

TEST(stamp, a_chmod_is_no_other_content_for_a_fingerprint) {
  file_status now = status(500, 900);
  now.mode = 0100600;
  EXPECT_FALSE(content_differs(looked_at(status(500)), now, drained));
  EXPECT_NE(attribute_fingerprint(now), attribute_fingerprint(status(500)));
}

TEST(stamp, a_time_knows_what_is_older_than_it) {
  EXPECT_FALSE(content_differs(told_at(last_word), status(last_word - 1), drained));
  EXPECT_TRUE(content_differs(told_at(last_word), status(last_word), drained)) << "within one tick nothing is sure";
  EXPECT_FALSE(content_differs(told_at(2'000), status(1'999), drained));
  EXPECT_TRUE(content_differs(told_at(2'000), status(2'000), drained));
}

TEST(stamp, what_was_not_told_is_no_older_than_the_last_empty_queue) {
  // Read late, at 2'000: what came since 1'500 may be untold.
  EXPECT_FALSE(content_differs(told_at(2'000), status(1'499), 1'500));
  EXPECT_TRUE(content_differs(told_at(2'000), status(1'500), 1'500));
  EXPECT_FALSE(content_differs(told_at(2'000), status(1'000, 1'999), 1'500)) << "the change that was told";
  EXPECT_FALSE(content_differs_after_rename(told_at(2'000), status(1'499, 2'500), 1'500));
  EXPECT_TRUE(content_differs_after_rename(told_at(2'000), status(1'500, 2'500), 1'500));
}

TEST(stamp, times_that_were_set_are_no_store) {
  constexpr file_time ms = 1'000'000;
  constexpr file_time present = 1'000 * ms;
  const node touched = told_at(500 * ms);
  EXPECT_FALSE(content_differs_after_touch(touched, status(400 * ms), present));
  EXPECT_FALSE(content_differs_after_touch(touched, status(510 * ms), present)) << "within a tick";
  EXPECT_TRUE(content_differs_after_touch(touched, status(511 * ms), present));
  EXPECT_TRUE(content_differs_after_touch(touched, status(present), present));
  EXPECT_FALSE(content_differs_after_touch(touched, status(2'000 * ms), present)) << "a time in the future was set";
}

TEST(stamp, a_change_time_cannot_be_set_back) {
  EXPECT_TRUE(content_differs(told_at(last_word), status(10, last_word + 1), drained));
}

TEST(stamp, owner_and_permissions_are_attributes) {
  file_status s = status(1);
  const auto before = attribute_fingerprint(s);
  EXPECT_NE(before, 0u) << "0 is: never looked at";
  s.user = 1000;
  EXPECT_NE(attribute_fingerprint(s), before);
  s.user = 0;
  s.group = 1000;
  EXPECT_NE(attribute_fingerprint(s), before);
  s.group = 0;
  s.modified = 77;
  EXPECT_EQ(attribute_fingerprint(s), before);
}

TEST(stamp, another_inode_or_type_is_another_file) {
  const node n = looked_at(status(500));
  EXPECT_TRUE(is_same_file(n, status(500)));
  file_status other = status(500);
  other.file_id = 13;
  EXPECT_FALSE(is_same_file(n, other));
  other = status(500);
  other.type = entry_type::symlink;
  EXPECT_FALSE(is_same_file(n, other));
  node unseen = n;
  unseen.file_id = 0;
  file_status zero = status(500);
  zero.file_id = 0;
  EXPECT_FALSE(is_same_file(unseen, zero));
}

TEST(stamp, an_inode_number_given_again_was_born_at_another_time) {
  file_status before = status(500);
  before.born = 100;
  file_status again = status(500);
  again.born = 600;
  EXPECT_TRUE(is_same_file(looked_at(before), before));
  EXPECT_FALSE(is_same_file(looked_at(before), again));
}

TEST(stamp, without_a_known_birth_it_is_before_our_last_word) {
  file_status now = status(500);
  now.born = last_word - 1;
  EXPECT_TRUE(is_same_file(told_at(last_word), now));
  now.born = last_word;
  EXPECT_FALSE(is_same_file(told_at(last_word), now));
}

TEST(stamp, where_the_file_system_knows_no_birth_the_content_speaks) {
  EXPECT_TRUE(is_same_file(looked_at(status(500)), status(500)));
  EXPECT_FALSE(is_same_file(looked_at(status(500)), status(501)));
  EXPECT_TRUE(is_same_file(told_at(last_word), status(last_word - 1)));
  EXPECT_FALSE(is_same_file(told_at(last_word), status(last_word)));
}

TEST(stamp, a_listing_knows_when_it_was_and_of_which_directory) {
  file_status d = status(500, 1'000'000);
  d.type = entry_type::directory;
  const std::uint64_t before = listing_stamp(d);
  EXPECT_GT(before, d.changed);
  EXPECT_LE(before, d.changed + 4'096);
  d.changed += 10'000'000;
  EXPECT_NE(listing_stamp(d), before);
  d.changed -= 10'000'000;
  EXPECT_EQ(listing_stamp(d), before);
  ++d.file_id;
  EXPECT_NE(listing_stamp(d), before);
  --d.file_id;
  ++d.device;
  EXPECT_NE(listing_stamp(d), before) << "a mount covers it";
}

TEST(stamp, a_change_within_the_tick_moves_no_time) {
  EXPECT_FALSE(is_past_tick(1'000'000'001, 1'000'000'001));
  EXPECT_TRUE(is_past_tick(1'000'000'001, 1'000'000'002));
  constexpr file_time s = 1'000'000'000;
  EXPECT_FALSE(is_past_tick(7 * s, 7 * s + s / 2)) << "it may keep whole seconds only";
  EXPECT_TRUE(is_past_tick(7 * s, 8 * s));
}

TEST(stamp, a_directory_is_another_if_it_was_born_since) {
  file_status now = status(last_word + 500);
  now.type = entry_type::directory;
  node n = told_at(last_word);
  n.type = entry_type::directory;
  EXPECT_TRUE(is_same_file(n, now)) << "what is in it says nothing of which it is";
  now.born = last_word + 1;
  EXPECT_FALSE(is_same_file(n, now));
}

TEST(stamp, a_birth_that_is_not_told_is_0) {
  file_status s = status(1);
  EXPECT_EQ(birth_fingerprint(s), 0u);
  s.born = 1;
  EXPECT_NE(birth_fingerprint(s), 0u);
}

}  // namespace
}  // namespace hotwatch::test
