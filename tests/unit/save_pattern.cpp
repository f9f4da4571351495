// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/save_pattern.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace hotwatch::detail {
namespace {

TEST(save_pattern, a_name_made_of_a_siblings) {
  tree known;
  const node_id top = known.make_root(0);
  const auto add = [&](std::string_view name, entry_type type = entry_type::file) {
    const node_id id = known.make(type);
    known.attach(id, top, known.names().store(name));
    return id;
  };
  add("main.cpp");
  add("notes");
  add("build", entry_type::directory);
  for (const std::string_view name : {"main.cpp~", "main.cpp.tmp", ".main.cpp.swp", "#main.cpp#", ".#main.cpp",
                                      "main.cpp___jb_tmp___", "main.cpp-1f2e", "notes.tmp", "~notes"})
    EXPECT_TRUE(awaits_its_rename(known, add(name))) << name;
  for (const std::string_view name :
       {"main.hpp", "mainly", "notes2", "other.tmp", "build.log", "~", ".tmp", "\xc3\xa9"})
    EXPECT_FALSE(awaits_its_rename(known, add(name))) << name;
  EXPECT_FALSE(awaits_its_rename(known, known.find(top, "notes"))) << "it is not named after itself";
  known[known.find(top, "notes")].record = 1;
  EXPECT_FALSE(awaits_its_rename(known, known.find(top, "~notes"))) << "a backup, and the save is done";
}

}  // namespace
}  // namespace hotwatch::detail
