// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/glob.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

namespace {
std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size == 0 ? 1 : size)) return p;
  throw std::bad_alloc();
}
// std::stable_sort asks this way: what it gets must come from the same heap as what is freed below.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size == 0 ? 1 : size);
}
// Not inlined: g++ 12 would see free() meet what new gave (-Wmismatched-new-delete).
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }

namespace {

using hotwatch::glob;
using namespace std::string_literals;
using namespace std::string_view_literals;

static_assert(noexcept(std::declval<const glob&>().matches(std::string_view(), false)));
static_assert(std::is_nothrow_move_constructible_v<glob>);

enum entry { file, directory };

struct row {
  std::string_view pattern;
  std::string_view way;
  bool expected;
  entry is = file;
};

void check(const std::vector<row>& rows) {
  for (const row& r : rows) {
    const glob g(r.pattern);
    EXPECT_EQ(g.matches(r.way, r.is == directory), r.expected) << r.pattern << "  against  " << r.way;
    if (!g.needs_path()) {
      EXPECT_EQ(g.matches_name(r.way.substr(r.way.rfind('/') + 1), r.is == directory), r.expected) << r.pattern;
    }
  }
}

TEST(glob, without_a_slash_the_last_component_counts_at_any_depth) {
  check({{"a", "a", true},
         {"a", "x/a", true},
         {"a", "x/y/a", true},
         {"a", "a/x", false},
         {"a", "aa", false},
         {"a", "ba", false},
         {"*.tmp", "x.tmp", true},
         {"*.tmp", "d/e/x.tmp", true},
         {"*.tmp", ".tmp", true},
         {"*.tmp", "x.tmp/y", false},
         {"*.tmp", "x.tmpl", false},
         {"*.tmp", "tmp", false},
         {"*.tmp", "d.tmp/tmp", false}});
}

TEST(glob, with_a_slash_the_whole_way_counts) {
  check({{"a/b", "a/b", true},
         {"a/b", "x/a/b", false},
         {"a/b", "a/b/c", false},
         {"a/b", "b", false},
         {"/a", "a", true},
         {"/a", "x/a", false},
         {"/a", "a/x", false},
         {"/a/b", "a/b", true},
         {"/a/b", "x/a/b", false},
         {"/*.c", "x.c", true},
         {"/*.c", "d/x.c", false},
         {"src/*.c", "src/x.c", true},
         {"src/*.c", "src/d/x.c", false},
         {"src/*", "src/x", true},
         {"src/*", "src", false},
         {"src/*", "src", false, directory},
         {"src/*", "src/x/y", false},
         {"\\/a", "x/a", false},
         {"a\\/b", "a/b", true}});
}

TEST(glob, a_slash_at_the_end_means_directories_only) {
  check({{"build/", "build", true, directory},
         {"build/", "build", false, file},
         {"build/", "x/y/build", true, directory},
         {"build/", "x/build", false, file},
         {"build/", "build/x", false, directory},
         {"*/", "a", true, directory},
         {"*/", "a/b", true, directory},
         {"*/", "a", false, file},
         {"b*/", "x/build", true, directory},
         {"b*/", "x/build", false, file},
         {"*d/", "x/build", true, directory},
         {"*d/", "x/build", false, file},
         {"b*d/", "x/build", true, directory},
         {"b*d/", "x/build", false, file},
         {"/build/", "build", true, directory},
         {"/build/", "x/build", false, directory},
         {"/build/", "build", false, file},
         {"a/b/", "a/b", true, directory},
         {"a/b/", "a/b", false, file},
         {"a/b/", "x/a/b", false, directory},
         {"**/", "a", true, directory},
         {"**/", "a/b", true, directory},
         {"**/", "a/b", false, file},
         {"a/**/", "a/b", true, directory},
         {"a/**/", "a/b/c", true, directory},
         {"a/**/", "a/b/c", false, file},
         {"a/**/", "a", false, directory},
         {"a\\/", "x/a", true, directory},
         {"a\\/", "x/a", false, file}});
}

TEST(glob, star_stays_within_a_component) {
  check({{"*", "a", true},     {"*", "a/b", true},     {"*", ".hidden", true},   {"*", "with\nnewline", true},
         {"a*", "a", true},    {"a*", "abc", true},    {"a*", "ba", false},      {"a*c", "abc", true},
         {"a*c", "ac", true},  {"a*c", "abcb", false}, {"a*b*c", "a-b-c", true}, {"a*b*c", "a-c-b", false},
         {"*a*", "bab", true}, {"*a*", "bbb", false},  {"/a*c", "a/c", false},   {"/a*c", "abc", true},
         {"*/*", "a/b", true}, {"*/*", "a", false},    {"*/*", "a/b/c", false},  {"*/b", "b", false},
         {"*/b", "a/b", true}});
}

TEST(glob, double_star_crosses_components) {
  check({{"a/**/b", "a/b", true},
         {"a/**/b", "a/x/b", true},
         {"a/**/b", "a/x/y/b", true},
         {"a/**/b", "a/xb", false},
         {"a/**/b", "ab", false},
         {"a/**/b", "x/a/b", false},
         {"a/**/b", "a/b/c", false},
         {"a/**", "a/b", true},
         {"a/**", "a/b/c", true},
         {"a/**", "a", false},
         {"a/**", "a", false, directory},
         {"a/**", "ab", false},
         {"/**", "a", true},
         {"/**", "a/b", true},
         {"**", "a", true},
         {"**", "a/b", true},
         {"**/x", "x", true},
         {"**/x", "a/x", true},
         {"**/x", "a/b/x", true},
         {"**/x", "ax", false},
         {"**/x", "x/a", false},
         {"**/x/", "a/x", true, directory},
         {"**/x/", "a/x", false, file},
         {"**/*.c", "a/b/x.c", true},
         {"**/a/b", "a/b", true},
         {"**/a/b", "x/a/b", true},
         {"**/a/b", "xa/b", false},
         {"/**/x", "x", true},
         {"/**/x", "a/x", true},
         {"**/**/x", "x", true},
         {"**/**/x", "a/x", true},
         {"a/**/**/b", "a/b", true},
         {"a/**/*/b", "a/b", false},
         {"a/**/*/b", "a/x/b", true},
         {"a**b/", "x/ab", true, directory},
         {"/a**b", "a/x/b", true},
         {"/a**b", "ab", true},
         {"/a**", "a", true},
         {"/a**", "ax/y", true},
         {"a**/b", "a/b", true},
         {"a**/b", "ax/y/b", true},
         {"a**/b", "ab", false},
         {"a/**b", "a/b", true},
         {"a/**b", "a/x/yb", true},
         {"a**b", "a/b", false},
         {"a**b", "d/axb", true},
         {"a***b", "axb", true},
         {"a/***/b", "a/b", true},
         {"**/a**b", "a/b", true},
         {"**/a**b", "x/a/y/b", true},
         {"{**,x}/b", "b", true},
         {"{**,x}/b", "y/b", true},
         {"{**,x}{/,-}b", "b", true}});
}

TEST(glob, question_mark_is_one_code_point_and_never_a_slash) {
  check({{"?", "a", true},
         {"?", "ab", false},
         {"a?c", "abc", true},
         {"a?c", "ac", false},
         {"/a?c", "a/c", false},
         {"?", "\n", true},
         {"?", "\xC3\xA9", true},
         {"??", "\xC3\xA9", false},
         {"?", "\xE2\x82\xAC", true},
         {"?", "\xF0\x9F\x94\xA5", true},
         {"????", "\xF0\x9F\x94\xA5", false},
         {"?.c", "\xE2\x82\xAC.c", true},
         // not UTF-8: a byte at a time
         {"?", "\xFF", true},
         {"?", "\xC3", true},
         {"?", "\x80", true},
         {"??", "\xC3\x28", true},
         {"??", "\xC0\xAF", true},
         {"???", "\xED\xA0\x80", true},
         {"????", "\xF4\x90\x80\x80", true},
         {"???", "\xE0\x80\x80", true},
         {"????", "\xF0\x80\x80\x80", true},
         {"??", "\xE2\x82", true},
         {"?", "\xF4\x8F\xBF\xBF", true}});
}

TEST(glob, sets) {
  check({{"[abc]", "b", true},
         {"[abc]", "d", false},
         {"[abc]", "ab", false},
         {"[a-c]", "b", true},
         {"[a-c]", "d", false},
         {"[a-c]", "B", false},
         {"[a-cx-z]", "y", true},
         {"[a-cx-z]", "m", false},
         {"[!a]", "b", true},
         {"[!a]", "a", false},
         {"[^a]", "b", true},
         {"[^a]", "a", false},
         {"[a!]", "!", true},
         {"[a^]", "^", true},
         {"[]]", "]", true},
         {"[]a]", "a", true},
         {"[!]]", "]", false},
         {"[!]]", "a", true},
         {"[]-a]", "^", true},
         {"[-a]", "-", true},
         {"[a-]", "-", true},
         {"[a-]", "b", false},
         {"[!-]", "-", false},
         {"[\\]]", "]", true},
         {"[\\!a]", "!", true},
         {"[a\\-z]", "-", true},
         {"[a\\-z]", "m", false},
         {"[*?{},[]", "*", true},
         {"[*?{},[]", "{", true},
         {"[*?{},[]", "a", false},
         {"x[0-9].log", "x7.log", true},
         {"/a[!b]c", "a/c", false},
         {"/a[+-9]c", "a/c", false},
         {"[\xC3\xA0-\xC3\xBF]", "\xC3\xA9", true},
         {"[\xC3\xA0-\xC3\xBF]", "\xC3\x80", false},
         {"[!a]", "\xC3\xA9", true},
         {"[!a]", "\xFF", true},
         {"[\x80-\xFF]", "\xC1", true},
         {"[\x80-\xFF]", "\xC3\xA9", false}});
}

TEST(glob, braces) {
  check({{"*.{cpp,hpp}", "a.cpp", true},
         {"*.{cpp,hpp}", "d/a.hpp", true},
         {"*.{cpp,hpp}", "a.c", false},
         {"*.{cpp,hpp}", "a.cpphpp", false},
         {"{a}", "a", true},
         {"{a,}b", "b", true},
         {"{a,}b", "ab", true},
         {"{,a}b", "b", true},
         {"{,}b", "b", true},
         {"{a,b,c}", "c", true},
         {"{a,b,c}", "d", false},
         {"{a,{b,c}d}e", "cde", true},
         {"{a,{b,c}d}e", "ae", true},
         {"{a,{b,c}d}e", "be", false},
         {"{{a,b},{c,d}}", "d", true},
         {"{a,b}{c,d}", "bc", true},
         {"{a,b}{c,d}", "ab", false},
         {"{a*,?b}", "axx", true},
         {"{a*,?b}", "xb", true},
         {"{a*,?b}", "xc", false},
         {"{[,],x}", ",", true},
         {"{\\,,x}", ",", true},
         {"{\\},x}", "}", true},
         {"a,b", "a,b", true},
         {"src/{a,b}/*.c", "src/b/x.c", true},
         {"{src,inc/x}/*.c", "inc/x/y.c", true},
         {"{src,inc/x}/*.c", "z/src/y.c", false},
         {"{a/,}b", "b", true},
         {"{a/,}b", "a/b", true},
         {"{a/,}b", "x/b", false},
         {"{/a,b}", "a", true},
         {"{/a,b}", "x/a", false},
         {"{build,dist}/", "x/dist", true, directory},
         {"{build,dist}/", "x/dist", false, file},
         {"{build/,*.o}", "x/build", true, directory},
         {"{build/,*.o}", "x/build", false, file},
         {"{build/,*.o}", "x/y.o", true, file},
         {"a/{,b}", "a", true, directory},
         {"a/{,b}", "a", false, file},
         {"a/{,b}", "a/b", true, file},
         {"**/{,x}", "a/y", true, directory},
         {"**/{,x}", "a/y", false, file},
         {"**/{,x}", "a/x", true, file}});
}

TEST(glob, backslash_takes_the_next_character_literally) {
  check({{"\\*", "*", true},
         {"\\*", "a", false},
         {"\\?", "?", true},
         {"\\?", "a", false},
         {"\\[a]", "[a]", true},
         {"\\{a,b\\}", "{a,b}", true},
         {"\\\\", "\\", true},
         {"\\a", "a", true},
         {"*\\*", "x*", true},
         {"*\\*", "xy", false},
         {"]", "]", true},
         {"a]", "a]", true},
         {"!a", "!a", true},
         {"#a", "#a", true},
         {"a b ", "a b ", true}});
}

TEST(glob, bytes_beyond_ascii_and_control_bytes_are_themselves) {
  check({{"\xC3\xA9*", "\xC3\xA9t\xC3\xA9", true},
         {"*\xC3\xA9", "\xC3\xA9t\xC3\xA9", true},
         {"a\xFF", "a\xFF", true},
         {"a\xFF", "a\xFE", false},
         {"*\xFF", "a\xFF", true},
         {"\xFF*", "\xFF\xFE", true},
         // half a code point is not found inside a whole one
         {"*\xA9", "\xC3\xA9", false},
         {"\xC3*", "\xC3\xA9", false},
         {"\xC3*", "\xC3x", true},
         {"*\n", "a\n", true},
         {"a\nb", "a\nb", true},
         {"a*b",
          "a\n\n\x01\x7F"
          "b",
          true}});
}

TEST(glob, nothing_matches_the_root_itself) {
  for (const auto pattern : {"*", "**", "**/", "*/", "/**", "a", "{,a}", "/{,a}", "[!a]", "?", "**/**"}) {
    EXPECT_FALSE(glob(pattern).matches("", true)) << pattern;
    EXPECT_FALSE(glob(pattern).matches("", false)) << pattern;
    EXPECT_FALSE(glob(pattern).matches_name("", true)) << pattern;
  }
}

TEST(glob, ignoring_case_folds_ascii_only) {
  const auto matches = [](std::string_view pattern, std::string_view way) {
    return glob(pattern, true).matches(way, false);
  };
  EXPECT_TRUE(matches("ReadMe", "rEADmE"));
  EXPECT_TRUE(matches("*.TMP", "x.tmp"));
  EXPECT_TRUE(matches("*.tmp", "X.TMP"));
  EXPECT_TRUE(matches("SRC/**", "src/a"));
  EXPECT_TRUE(matches("Lib*", "LIBx"));
  EXPECT_TRUE(matches("a?[b-d]{E,f}", "Axce"));
  EXPECT_TRUE(matches("[B-D]x", "cX"));
  EXPECT_TRUE(matches("[b-d]x", "CX"));
  EXPECT_FALSE(matches("[!b-d]x", "CX"));
  EXPECT_FALSE(matches("[!B-D]x", "cx"));
  EXPECT_FALSE(matches("*.tmp", "x.tmq"));
  EXPECT_FALSE(matches("\xC3\x89", "\xC3\xA9"));
  EXPECT_TRUE(matches("\xC3\x89*X", "\xC3\x89yx"));
  EXPECT_FALSE(matches("@", "`"));
  EXPECT_FALSE(matches("\\[", "{"));
  EXPECT_FALSE(glob("A").matches("a", false));
}

TEST(glob, needs_path_only_for_a_slash_that_counts) {
  for (const auto pattern :
       {"a", "*.c", "a/", "**", "{a,b}/", "{a/,b}", "**/a", "**/*.c", "**/", "**/a/", "a**", "[a]"})
    EXPECT_FALSE(glob(pattern).needs_path()) << pattern;
  for (const auto pattern :
       {"/a", "a/b", "a/*", "a/**", "/a/", "{a/b,c}", "a/{b,}", "{/a,b}", "**/a/b", "**/a**b", "**/{,x}", "a\\/b"})
    EXPECT_TRUE(glob(pattern).needs_path()) << pattern;
}

TEST(glob, a_name_alone_never_matches_a_pattern_that_needs_the_way) {
  EXPECT_FALSE(glob("/a").matches_name("a", false));
  EXPECT_FALSE(glob("a/**").matches_name("a", true));
}

TEST(glob, keeps_its_pattern_and_survives_being_copied_and_moved) {
  glob g("src/**/{a,b}*.c");
  EXPECT_EQ(g.pattern(), "src/**/{a,b}*.c");
  const glob copy = g;
  const glob moved = std::move(g);
  g = glob("*.tmp");
  EXPECT_TRUE(copy.matches("src/x/b1.c", false));
  EXPECT_TRUE(moved.matches("src/a1.c", false));
  EXPECT_TRUE(g.matches("a.tmp", false));
}

struct broken {
  std::string_view pattern;
  std::size_t column;
};

const std::vector<broken>& all_broken() {
  static const std::vector<broken> rows = {{"", 1},
                                           {"/", 1},
                                           {"[a", 1},
                                           {"ab[", 3},
                                           {"[", 1},
                                           {"[]", 1},
                                           {"[!]", 1},
                                           {"[!", 1},
                                           {"[a-", 1},
                                           {"[a\\", 1},
                                           {"[\\]", 1},
                                           {"x[b-a]", 3},
                                           {"[ac-b]", 3},
                                           {"[a/b]", 3},
                                           {"[+-/]", 4},
                                           {"[\\/]", 2},
                                           {"[[:alpha:]]", 2},
                                           {"a\\", 2},
                                           {"\\", 1},
                                           {"{a", 1},
                                           {"a{b,c", 2},
                                           {"{a,{b}", 1},
                                           {"{a{b}", 1},
                                           {"{a,{b", 4},
                                           {"a}", 2},
                                           {"{a}}", 4},
                                           {"}", 1},
                                           {"{}", 1},
                                           {"a{}", 2},
                                           {"a//b", 3},
                                           {"//a", 2},
                                           {"a//", 3},
                                           {"./a", 1},
                                           {".\\/a", 1},
                                           {"../a", 1},
                                           {"a/./b", 3},
                                           {"a/../b", 3},
                                           {"a/..", 3},
                                           {".", 1},
                                           {"..", 1},
                                           {"a/.", 3},
                                           {"a\0b"sv, 2},
                                           {"{a,[b}", 4},
                                           {"{[a}", 2},
                                           {"\xC3\xA9[", 2},
                                           {"\xFF\xFE[", 3},
                                           {"\xF0\x9F\x94\xA5\xC3\xA9}", 3}};
  return rows;
}

TEST(glob, malformed_patterns_are_named_with_their_column) {
  for (const broken& b : all_broken()) {
    try {
      const glob g(b.pattern);
      ADD_FAILURE() << "compiled: " << b.pattern;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), hotwatch::errc::malformed_glob);
      const std::string shown = b.pattern == "a\0b"sv ? "a\\0b" : std::string(b.pattern);
      const std::string start = "glob \"" + shown + "\": column " + std::to_string(b.column) + ": ";
      EXPECT_EQ(std::string(e.what()).substr(0, start.size()), start);
    }
  }
}

TEST(glob, the_message_can_name_the_option) {
  try {
    const glob g("[a", false, "exclude");
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_EQ(std::string(e.what()), "exclude \"[a\": column 1: no ']' closes this '[': malformed glob");
  }
}

TEST(glob, compile_reports_instead_of_throwing_and_gives_what_matches_nothing) {
  for (const broken& b : all_broken()) {
    std::error_code error;
    const glob g = glob::compile(b.pattern, false, error);
    EXPECT_EQ(error, hotwatch::errc::malformed_glob) << b.pattern;
    EXPECT_EQ(g.pattern(), b.pattern);
    EXPECT_FALSE(g.matches(b.pattern, true)) << b.pattern;
    EXPECT_FALSE(g.matches("a", true)) << b.pattern;
  }
  std::error_code error = hotwatch::errc::root_exists;
  EXPECT_TRUE(glob::compile("*.C", true, error).matches("a.c", false));
  EXPECT_FALSE(error);
}

std::string repeated(std::string_view part, std::size_t times) {
  std::string all;
  while (times-- > 0) all += part;
  return all;
}

TEST(glob, hostile_patterns_end) {
  const std::string many = repeated("a", 10'000);
  EXPECT_FALSE(glob("*a*a*a*a*a*a*a*b").matches(many, false));
  EXPECT_TRUE(glob("*a*a*a*a*a*a*a*b").matches(many + "b", false));
  EXPECT_FALSE(glob(repeated("*a", 1'000) + "b").matches(many.substr(0, 1'500), false));
  EXPECT_FALSE(glob("/" + repeated("{a,}", 300) + "b").matches(many.substr(0, 500), false));
  EXPECT_TRUE(glob(repeated("{a,aa}", 300)).matches(many.substr(0, 450), false));
  EXPECT_FALSE(glob(repeated("{a,aa}", 300)).matches(many.substr(0, 601), false));
  EXPECT_TRUE(glob("**/**/**/**").matches("a", false));
  EXPECT_TRUE(glob("**/**/**/**").matches(repeated("a/", 2'000) + "a", false));
  EXPECT_FALSE(glob(repeated("**/", 500) + "b").matches(repeated("a/", 500) + "a", false));
  EXPECT_FALSE(glob(repeated("**/a/", 20) + "b").matches(repeated("a/", 1'000) + "a", false));
}

TEST(glob, nested_braces) {
  const glob g(repeated("{", 200) + "a" + repeated("}", 200));
  EXPECT_TRUE(g.matches("a", false));
  EXPECT_FALSE(g.matches("b", false));
  const glob alternatives(repeated("{a,", 200) + "b" + repeated("}", 200));
  EXPECT_TRUE(alternatives.matches("a", false));
  EXPECT_TRUE(alternatives.matches("b", false));
  EXPECT_FALSE(alternatives.matches("ab", false));
}

TEST(glob, too_long_a_pattern_is_malformed) {
  const std::string longest = repeated("n", 4'000);
  EXPECT_TRUE(glob(longest).matches(longest, false));
  EXPECT_TRUE(glob("*?" + longest).matches("xx" + longest, false));
  for (const auto part : {"n", "{", "?", "{a,b}", "[a]", "*?", "a/", "\\n"}) {
    std::error_code error;
    const glob g = glob::compile(repeated(part, 100'000), false, error);
    EXPECT_EQ(error, hotwatch::errc::malformed_glob) << part;
  }
  EXPECT_THROW(glob{repeated("{", 100'000)}, std::system_error);
  // a set is one step, however long
  EXPECT_TRUE(glob("[" + repeated("a-y", 10'000) + "z]").matches("z", false));
}

// A megabyte costs no more than to read it: nothing is compiled behind the step that is one too many, and nothing nests
// deeper than the steps go.
TEST(glob, the_longest_pattern_is_what_the_matcher_has_room_for) {
  constexpr std::size_t longest = hotwatch::detail::glob_program::max_steps - 3;
  std::error_code error;
  (void)glob::compile(repeated("?", longest), false, error);
  EXPECT_FALSE(error);
  (void)glob::compile(repeated("?", longest + 1), false, error);
  EXPECT_EQ(error, hotwatch::errc::malformed_glob);
}

TEST(glob, a_range_may_be_of_one_letter) {
  EXPECT_TRUE(glob("[b-b]").matches("b", false));
  EXPECT_FALSE(glob("[b-b]").matches("c", false));
}

TEST(glob, a_star_finds_what_follows_it_in_either_case) {
  EXPECT_TRUE(glob("x*b?", true).matches("xaBc", false));
  EXPECT_TRUE(glob("x*B?", true).matches("xabc", false));
  EXPECT_FALSE(glob("x*b?").matches("xaBc", false));
}

TEST(glob, the_message_says_what_is_missing_behind_a_backslash) {
  try {
    (void)glob("a\\");
    ADD_FAILURE();
  } catch (const std::system_error& e) {
    EXPECT_NE(std::string_view(e.what()).find("nothing follows"), std::string_view::npos) << e.what();
  }
}

TEST(glob, a_code_point_that_is_cut_by_the_end_is_not_read_beyond_it) {
  std::size_t at = 0;
  EXPECT_EQ(hotwatch::detail::next_symbol(std::string_view("\xc3\xa9", 1), at), hotwatch::detail::stray_symbol + 0xc3);
  EXPECT_EQ(at, 1u);
}

TEST(glob, a_megabyte_is_refused_with_its_column_or_is_one_step) {
  for (const auto part : {"a", "{", "*", "?", "[", "{a,", "{a,b}", "**/", "[a]", "\\n", "}", ","}) {
    const std::string pattern = repeated(part, 1'000'000 / std::string_view(part).size());
    try {
      const glob g(pattern);
      EXPECT_TRUE(part == "*"sv) << part;  // however many, they are one step
      EXPECT_TRUE(g.matches("a", false));
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), hotwatch::errc::malformed_glob);
      const std::string_view what = e.what();
      EXPECT_EQ(what.substr(0, 10), "glob \"" + pattern.substr(0, 4));
      EXPECT_NE(what.find("\": column "), what.npos) << part;
    }
  }
}

TEST(glob, every_word_of_the_set_of_steps_is_used) {
  for (std::size_t length = 1; length < 400; ++length) {
    const std::string text = repeated("x", length);
    const glob g("?" + text);
    EXPECT_TRUE(g.matches(text + "x", false)) << length;
    EXPECT_FALSE(g.matches(text, false)) << length;
    EXPECT_FALSE(g.matches(text + "xx", false)) << length;
    const glob early("{" + text + ",y}");
    EXPECT_TRUE(early.matches("y", false)) << length;
    EXPECT_TRUE(early.matches(text, false)) << length;
  }
}

TEST(glob, any_bytes_are_either_malformed_or_matched) {
  std::mt19937 random(7);  // NOLINT: the same bytes every time
  const std::string_view hot = "*?[]{},\\/!-ab.\xC3\xA9\xFF";
  const auto bytes = [&](std::size_t most) {
    std::string made(random() % (most + 1), '\0');
    for (char& c : made) c = random() % 8 == 0 ? static_cast<char>(random() % 256) : hot[random() % hot.size()];
    return made;
  };
  for (int i = 0; i < 20'000; ++i) {
    std::error_code error;
    const std::string pattern = bytes(20);
    const glob g = glob::compile(pattern, i % 2 == 0, error);
    const std::string text = bytes(30);
    const bool matched = g.matches(text, i % 3 == 0);
    EXPECT_FALSE(error && matched);
    EXPECT_FALSE(error && g.matches_name(text, false));
  }
}

TEST(glob, matching_does_not_allocate) {
  const std::vector<glob> globs = {
      glob("literal"),          glob("*.tmp"),    glob("pre*"),        glob("a/**/b"), glob("a/**"), glob("**/x"),
      glob("{a,b{c,d}}*[0-9]"), glob("*a*a*a*b"), glob("*.TMP", true), glob("/a/?/")};
  const std::string text = repeated("abc/", 500) + "x.tmp";
  std::size_t matched = 0;
  const std::size_t before = allocations;
  for (const glob& g : globs)
    for (const bool is_directory : {false, true})
      matched += std::size_t{g.matches(text, is_directory)} + std::size_t{g.matches_name("x.tmp", is_directory)};
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(matched, 8u);
}

// The reference: braces are expanded, each expansion is tried by plain recursion.
namespace reference {

enum class token { a, b, any, set, star, deep, slash };
using flat = std::vector<token>;

// A pattern as text, and all that its braces expand to.
struct made {
  std::string text;
  std::vector<flat> expansions;
};

made single(std::string_view text, token t) { return {std::string(text), {{t}}}; }

made joined(const made& l, const made& r) {
  made both{l.text + r.text, {}};
  for (const flat& x : l.expansions)
    for (const flat& y : r.expansions) {
      flat z = x;
      z.insert(z.end(), y.begin(), y.end());
      both.expansions.push_back(z);
    }
  return both;
}

made make(std::mt19937& random, int depth) {
  made all{"", {{}}};
  for (auto parts = random() % 5 + (depth == 0 ? 1 : 0); parts > 0; --parts) {
    made part;
    switch (random() % (depth < 2 ? 12 : 11)) {
      case 0: part = single("?", token::any); break;
      case 1: part = single("[!a]", token::set); break;
      case 2:
      case 3:
        // side by side in the text they are one longer star
        if (!all.text.empty() && all.text.back() == '*') continue;
        part = random() % 2 == 0 ? single("*", token::star) : single("**", token::deep);
        break;
      case 4:
      case 5:
      case 6: part = single("/", token::slash); break;
      case 7:
      case 8: part = single("b", token::b); break;
      case 9:
      case 10: part = single("a", token::a); break;
      default: {
        part.text = "{";
        for (auto left = random() % 3 + 1; left > 0; --left) {
          const made one = make(random, depth + 1);
          part.text += one.text + (left > 1 ? "," : "}");
          part.expansions.insert(part.expansions.end(), one.expansions.begin(), one.expansions.end());
        }
      }
    }
    all = joined(all, part);
  }
  return all;
}

bool match(const flat& p, std::size_t i, std::string_view t) {
  if (i == p.size()) return t.empty();
  const bool begins = i == 0 || p[i - 1] == token::slash;
  const auto one = [&](bool fits) { return !t.empty() && fits && match(p, i + 1, t.substr(1)); };
  switch (p[i]) {
    case token::a: return one(t.substr(0, 1) == "a");
    case token::b: return one(t.substr(0, 1) == "b");
    case token::slash: return one(t.substr(0, 1) == "/");
    case token::any: return one(t.substr(0, 1) != "/");
    case token::set: return one(t.substr(0, 1) != "/" && t.substr(0, 1) != "a");
    case token::star:
      for (std::size_t n = 0;; ++n) {
        if (match(p, i + 1, t.substr(n))) return true;
        if (n == t.size() || t[n] == '/') return false;
      }
    case token::deep:
      if (begins && i + 1 == p.size()) return !t.empty();
      if (begins && p[i + 1] == token::slash && match(p, i + 2, t)) return true;
      for (std::size_t n = 0; n <= t.size(); ++n)
        if (match(p, i + 1, t.substr(n))) return true;
      return false;
  }
  return false;
}

// Stars that meet across a brace: a "**" swallows the stars before it, and one "*" the next.
flat tidy(const flat& p) {
  flat out;
  for (const token t : p) {
    if (t == token::deep || t == token::star)
      while (!out.empty() && out.back() == token::star) out.pop_back();
    out.push_back(t);
  }
  return out;
}

bool needs_path(const made& m) {
  for (const flat& p : m.expansions)
    for (std::size_t i = 0; i + 1 < p.size(); ++i)
      if (p[i] == token::slash) return true;
  return false;
}

bool matches(const made& m, std::string_view way, bool is_directory) {
  const std::string_view text = needs_path(m) ? way : way.substr(way.rfind('/') + 1);
  for (flat p : m.expansions) {
    if (!p.empty() && p.back() == token::slash) {
      if (!is_directory) continue;
      p.pop_back();
    }
    if (!p.empty() && p.front() == token::slash) p.erase(p.begin());
    p = tidy(p);
    if (!p.empty() && match(p, 0, text)) return true;
  }
  return false;
}

// Every way of at most this many bytes over a, b and '/', with no component empty.
std::vector<std::string> ways(std::size_t most) {
  std::vector<std::string> all, last = {""};
  for (std::size_t n = 0; n < most; ++n) {
    std::vector<std::string> longer;
    for (const std::string& way : last)
      for (const char c : {'a', 'b', '/'})
        if (c != '/' || (!way.empty() && way.back() != '/')) longer.push_back(way + c);
    for (const std::string& way : longer)
      if (way.back() != '/') all.push_back(way);
    last = longer;
  }
  return all;
}

}  // namespace reference

TEST(glob, agrees_with_plain_recursion_over_expanded_braces) {
  std::mt19937 random(20'240'229);  // NOLINT: the same patterns every time
  const std::vector<std::string> ways = reference::ways(5);
  int compared = 0;
  while (compared < 3'000) {
    const reference::made m = reference::make(random, 0);
    if (m.expansions.size() > 100) continue;
    std::error_code error;
    const glob g = glob::compile(m.text, false, error);
    if (error) continue;  // "//", "{}"
    ++compared;
    for (const std::string& way : ways)
      for (const bool is_directory : {false, true})
        ASSERT_EQ(g.matches(way, is_directory), reference::matches(m, way, is_directory))
            << m.text << "  against  " << way << (is_directory ? "  (directory)" : "");
  }
}

}  // namespace
