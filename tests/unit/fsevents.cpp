// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/decode/fsevents.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail::fsevents;
using detail::hint;
using detail::hint_kind;
using lines = std::vector<std::string>;

const char* name_of(hint_kind kind) {
  switch (kind) {
    case hint_kind::look_again: return "look again";
    case hint_kind::look_at_new: return "new";
    case hint_kind::look_at_known: return "known";
    case hint_kind::look_at_moved: return "moved";
    case hint_kind::own_attributes: return "own attributes";
    case hint_kind::gone: return "gone";
    case hint_kind::overflow: return "overflow";
    default: return "another";
  }
}

lines hints_of(std::string_view path, std::uint32_t flags, const place& where = {"/u/root"}) {
  lines all;
  tell_event({flags, path}, where, 5, [&](const hint& h) {
    EXPECT_EQ(h.watch, h.kind == hint_kind::overflow ? detail::no_watch : 5);
    all.push_back(std::string(name_of(h.kind)) + (h.name.empty() ? "" : " ") + std::string(h.name) +
                  (h.wrote ? ", written" : ""));
  });
  return all;
}

TEST(fsevents, says_how_much_is_to_be_looked_at) {
  EXPECT_EQ(hints_of("/u/root/f", item_created | item_is_file), lines{"new f, written"});
  EXPECT_EQ(hints_of("/u/root/f", item_created | item_modified | item_is_file), lines{"new f, written"});
  EXPECT_EQ(hints_of("/u/root/a/f", item_modified | item_is_file), lines{"known a/f, written"});
  EXPECT_EQ(hints_of("/u/root/a/f", item_removed | item_is_file), lines{"moved a/f"});
  EXPECT_EQ(hints_of("/u/root/f", item_created | item_removed | item_is_file), lines{"moved f, written"});
  EXPECT_EQ(hints_of("/u/root/f", item_xattr | item_cloned | item_is_file), lines{"known f"});
  EXPECT_EQ(hints_of("/u/root/f", item_renamed | item_is_file), lines{"moved f"});
  EXPECT_EQ(hints_of("/u/root/d", item_created | item_renamed | item_is_dir), lines{"moved d, written"});
}

TEST(fsevents, events_of_the_root_itself) {
  EXPECT_EQ(hints_of("/u/root", item_removed | item_is_dir), lines{"gone"});
  EXPECT_EQ(hints_of("/u/root", item_renamed | item_is_dir), lines{"gone"});
  EXPECT_EQ(hints_of("/u/root", item_inode_meta | item_is_dir), lines{"own attributes"});
  EXPECT_EQ(hints_of("/u/root", item_owner | item_is_dir), lines{"own attributes"});
  EXPECT_EQ(hints_of("/u/root", item_xattr | item_is_dir), lines{});
  EXPECT_EQ(hints_of("/u/root", item_created | item_is_dir), lines{});
  EXPECT_EQ(hints_of("/u/root", 0), lines{"look again"});
  EXPECT_EQ(hints_of("/u/root", mounted), (lines{"gone", "look again"}));
  EXPECT_EQ(hints_of("/u/root", unmounted), (lines{"gone", "look again"}));
  EXPECT_EQ(hints_of("/u/root", root_changed), (lines{"gone", "look again"}));
  EXPECT_EQ(hints_of("/given/otherwise", root_changed), (lines{"gone", "look again"}));
}

TEST(fsevents, what_was_dropped) {
  EXPECT_EQ(hints_of("/u/root/a", must_scan_subdirs), lines{"moved a"});
  EXPECT_EQ(hints_of("/u/root", must_scan_subdirs), lines{"look again"});
  EXPECT_EQ(hints_of("/u", must_scan_subdirs), lines{"look again"});
  EXPECT_EQ(hints_of("/", must_scan_subdirs), lines{"look again"});
  EXPECT_EQ(hints_of("", must_scan_subdirs), lines{"look again"});
  EXPECT_EQ(hints_of("/u", item_modified | item_is_dir), lines{}) << "nothing was dropped";
  EXPECT_EQ(hints_of("/other", must_scan_subdirs), lines{"look again"});
  EXPECT_EQ(hints_of("/", must_scan_subdirs | user_dropped), lines{"overflow"});
  EXPECT_EQ(hints_of("/", must_scan_subdirs | kernel_dropped), lines{"overflow"});
  EXPECT_EQ(hints_of("/u/root/a", kernel_dropped), lines{"overflow"});
}

TEST(fsevents, neither_history_nor_wrapped_numbers_matter) {
  EXPECT_EQ(hints_of("/u/root/f", history_done), lines{});
  EXPECT_EQ(hints_of("/u/root/f", history_done | root_changed), lines{});
  EXPECT_EQ(hints_of("/u/root/f", ids_wrapped | item_modified), lines{"known f, written"});
  EXPECT_EQ(hints_of("/u/root/f", ids_wrapped), lines{"moved f"});
}

TEST(fsevents, what_is_not_known_is_looked_at) {
  EXPECT_EQ(hints_of("/u/root/f", 0x4000000), lines{"moved f"});
  EXPECT_EQ(hints_of("/u/root/f", 0), lines{"moved f"});
  EXPECT_EQ(hints_of("/u/root/f", 0x4000000 | item_modified), lines{"known f, written"});
}

TEST(fsevents, of_one_directory_only_its_entries) {
  const place entries{"/u/root", false};
  EXPECT_EQ(hints_of("/u/root/f", item_modified, entries), lines{"known f, written"});
  EXPECT_EQ(hints_of("/u/root/a/f", item_modified, entries), lines{});
  EXPECT_EQ(hints_of("/u/root/a/b", must_scan_subdirs, entries), lines{});
}

TEST(fsevents, where_a_path_stands) {
  const auto way_of = [](std::string_view path, std::string_view root) {
    std::string_view way;
    return stand_of(path, root, way) == stand::below ? std::string(way) : std::string("-");
  };
  EXPECT_EQ(way_of("/u/root/a/f", "/u/root"), "a/f");
  EXPECT_EQ(way_of("/u/root/a/", "/u/root"), "a");
  EXPECT_EQ(way_of("/u/root//f", "/u/root"), "f");
  EXPECT_EQ(way_of("/u/root2/f", "/u/root"), "-");
  EXPECT_EQ(way_of("/u/roo", "/u/root"), "-");
  EXPECT_EQ(way_of("/a/f", "/"), "a/f");
  // Firmlinks, told either way.
  EXPECT_EQ(way_of("/System/Volumes/Data/u/root/f", "/u/root"), "f");
  EXPECT_EQ(way_of("/u/root/f", "/System/Volumes/Data/u/root"), "f");
  EXPECT_EQ(way_of("/System/Volumes/Data/u/root/f", "/System/Volumes/Data/u/root"), "f");
  EXPECT_EQ(way_of("/System/Volumes/Data", "/"), "-");
  std::string_view way;
  EXPECT_EQ(stand_of("/System/Volumes/Data", "/u", way), stand::above);
  EXPECT_EQ(stand_of("/System/Volumes/Data/u", "/u", way), stand::itself);
  EXPECT_EQ(stand_of("/u/root//", "/u/root", way), stand::itself);
  EXPECT_EQ(stand_of("/", "/", way), stand::itself);
}

}  // namespace
}  // namespace hotwatch::test
