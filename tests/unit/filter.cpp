// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/filter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

using hotwatch::detail::filter;
using hotwatch::detail::verdict;
using enum hotwatch::detail::verdict;
using list = std::vector<std::string>;

verdict judge(const filter& f, std::string_view way, bool is_directory = false) {
  const std::string_view name = way.substr(way.rfind('/') + 1);
  return f.judge(name, f.needs_path() ? way : std::string_view(), is_directory);
}

TEST(filter, without_patterns_all_is_told) {
  for (const filter& f : {filter(), filter(list{}, list{})}) {
    EXPECT_TRUE(f.empty());
    EXPECT_FALSE(f.needs_path());
    EXPECT_EQ(judge(f, "a/b"), told);
    EXPECT_EQ(judge(f, "a/b", true), told);
  }
}

TEST(filter, an_excluded_file_is_hidden_and_an_excluded_directory_pruned) {
  const filter f(list{}, list{"*.tmp", "node_modules"});
  EXPECT_FALSE(f.empty());
  EXPECT_EQ(judge(f, "a/x.tmp"), hidden);
  EXPECT_EQ(judge(f, "a/x.tmp", true), pruned);
  EXPECT_EQ(judge(f, "node_modules"), hidden);
  EXPECT_EQ(judge(f, "a/node_modules", true), pruned);
  EXPECT_EQ(judge(f, "a/x.c"), told);
  EXPECT_EQ(judge(f, "a", true), told);
}

TEST(filter, directories_only_leaves_the_file_of_that_name) {
  const filter f(list{}, list{"build/"});
  EXPECT_EQ(judge(f, "build", true), pruned);
  EXPECT_EQ(judge(f, "x/build", true), pruned);
  EXPECT_EQ(judge(f, "build"), told);
}

TEST(filter, with_an_include_list_only_what_matches_is_told) {
  const filter f(list{"*.cpp", "*.hpp"}, list{});
  EXPECT_FALSE(f.empty());
  EXPECT_EQ(judge(f, "a.cpp"), told);
  EXPECT_EQ(judge(f, "d/a.hpp"), told);
  EXPECT_EQ(judge(f, "a.txt"), hidden);
}

TEST(filter, a_directory_that_no_include_matches_is_walked_but_not_told) {
  const filter f(list{"*.cpp"}, list{});
  EXPECT_EQ(judge(f, "src", true), hidden);
  EXPECT_EQ(judge(f, "odd.cpp", true), told);
}

TEST(filter, exclude_wins_over_include) {
  const filter f(list{"*.cpp"}, list{"gen_*", "out.cpp"});
  EXPECT_EQ(judge(f, "gen_a.cpp"), hidden);
  EXPECT_EQ(judge(f, "out.cpp", true), pruned);
  EXPECT_EQ(judge(f, "a.cpp"), told);
}

TEST(filter, the_way_is_needed_as_soon_as_one_pattern_needs_it) {
  EXPECT_FALSE(filter(list{"*.c"}, list{"build/", "**/x"}).needs_path());
  EXPECT_TRUE(filter(list{"*.c", "src/*.h"}, list{"build/"}).needs_path());
  EXPECT_TRUE(filter(list{"*.c"}, list{"tmp", "/out"}).needs_path());
}

TEST(filter, patterns_by_name_and_by_way_stand_side_by_side) {
  const filter f(list{"src/**", "*.md"}, list{"/src/gen", "*~"});
  EXPECT_EQ(judge(f, "src/a.c"), told);
  EXPECT_EQ(judge(f, "src/d/README.md"), told);
  EXPECT_EQ(judge(f, "doc/README.md"), told);
  EXPECT_EQ(judge(f, "doc/a.c"), hidden);
  EXPECT_EQ(judge(f, "src", true), hidden);
  EXPECT_EQ(judge(f, "src/gen", true), pruned);
  EXPECT_EQ(judge(f, "src/d/gen", true), told);
  EXPECT_EQ(judge(f, "src/a.c~"), hidden);
}

TEST(filter, case_can_be_ignored) {
  EXPECT_EQ(judge(filter(list{"*.CPP"}, list{"Build"}, true), "a.cpp"), told);
  EXPECT_EQ(judge(filter(list{"*.CPP"}, list{"Build"}, true), "BUILD", true), pruned);
  EXPECT_EQ(judge(filter(list{"*.CPP"}, list{"Build"}), "a.cpp"), hidden);
}

std::string error_of(const list& include, const list& exclude) {
  try {
    const filter f(include, exclude);
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), hotwatch::errc::malformed_glob);
    return e.what();
  }
  return "none";
}

TEST(filter, errors_name_the_list_the_pattern_and_the_column) {
  const auto begins = [](const std::string& what, std::string_view start) {
    return what.compare(0, start.size(), start) == 0 ? std::string(start) : what;
  };
  EXPECT_EQ(begins(error_of({}, {"*.c", "[a"}), "exclude \"[a\": column 1"), "exclude \"[a\": column 1");
  EXPECT_EQ(begins(error_of({"ok", "x{a,"}, {"[a"}), "include \"x{a,\": column 2"), "include \"x{a,\": column 2");
  EXPECT_EQ(begins(error_of({""}, {}), "include \"\": column 1"), "include \"\": column 1");
  EXPECT_EQ(error_of({"*.c"}, {"a}\\}"}).substr(0, 24), "exclude \"a}\\}\": column 2");
}

}  // namespace
