// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/change.hpp"

#include <gtest/gtest.h>

#include <array>
#include <sstream>
#include <string>

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

std::string printed(const change& c) {
  std::ostringstream out;
  out << c;
  return out.str();
}

change sample(std::string_view path) {
  change c;
  c.path = path;
  c.below = 7;
  return c;
}

TEST(change, prints_as_one_line) {
  change c = sample("assets/logo.png");
  EXPECT_EQ(printed(c), "modified assets/logo.png");
  c.kind = change_kind::renamed;
  c.old_path = "assets/old.png";
  EXPECT_EQ(printed(c), "renamed assets/old.png -> assets/logo.png");
}

TEST(change, prints_the_bytes_of_the_path_as_they_are) {
  EXPECT_EQ(printed(sample("assets/\n\xff\x01")), "modified assets/\n\xff\x01");
}

TEST(change, every_value_has_its_name) {
  EXPECT_EQ(to_string(change_kind::created), "created");
  EXPECT_EQ(to_string(change_kind::modified), "modified");
  EXPECT_EQ(to_string(change_kind::removed), "removed");
  EXPECT_EQ(to_string(change_kind::renamed), "renamed");
  EXPECT_EQ(to_string(change_kind::metadata), "metadata");
  EXPECT_EQ(to_string(entry_type::unknown), "unknown");
  EXPECT_EQ(to_string(entry_type::other), "other");
  EXPECT_EQ(to_string(notice_kind::overflow), "overflow");
  EXPECT_EQ(to_string(notice_kind::root_restored), "root_restored");
  EXPECT_EQ(to_string(notice_kind::failed), "failed");
}

TEST(change, relative_is_the_way_below_the_root) { EXPECT_EQ(sample("assets/a/b").relative(), "a/b"); }

TEST(change, an_owned_change_outlives_its_text_also_when_copied_and_moved) {
  std::string text = "assets/a-name-that-is-too-long-for-a-small-string";
  owned_change kept;
  {
    change c = sample(text);
    c.old_path = text;
    c.modified = true;
    c.root = root_id{3};
    c.seen = clock::time_point(5s);
    kept = owned_change(c);
  }
  text.assign(text.size(), 'x');
  const owned_change copy = kept;
  const owned_change moved = std::move(kept);
  for (const owned_change& o : {copy, moved}) {
    EXPECT_EQ(o.relative(), "a-name-that-is-too-long-for-a-small-string");
    EXPECT_EQ(o.view().old_path, o.path);
    EXPECT_TRUE(o.view().modified);
    EXPECT_EQ(o.view().root, root_id{3});
    EXPECT_EQ(o.view().seen, clock::time_point(5s));
  }
}

TEST(batch, notices_alone_are_not_empty_but_have_no_size) {
  EXPECT_TRUE(batch().empty());
  EXPECT_EQ(batch().begin(), batch().end());
  EXPECT_EQ(batch().first_seen(), clock::time_point{});
  const std::array<notice, 1> notices{};
  const batch b({}, notices);
  EXPECT_FALSE(b.empty());
  EXPECT_EQ(b.size(), 0u);
  EXPECT_EQ(b.notices().size(), 1u);
  EXPECT_EQ(b.first_seen(), clock::time_point{});
}

TEST(batch, first_seen_is_the_earliest) {
  std::array<change, 3> changes{};
  changes[0].seen = clock::time_point(7s);
  changes[1].seen = clock::time_point(5s);
  changes[2].seen = clock::time_point(6s);
  const batch b(changes, {});
  EXPECT_EQ(b.first_seen(), clock::time_point(5s));
  EXPECT_EQ(b.size(), 3u);
  EXPECT_EQ(&b[2], &changes[2]);
  EXPECT_EQ(std::distance(b.begin(), b.end()), 3);
}

}  // namespace
}  // namespace hotwatch::test
