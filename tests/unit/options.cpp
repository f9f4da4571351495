// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/options.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "hotwatch/engine/path_argument.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using detail::checked;

/// What is said about options that are out of range; empty when they are taken.
std::string refusal(options o) {
  try {
    (void)checked(std::move(o));
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), errc::option_out_of_range);
    return e.what();
  }
  return {};
}

TEST(options, the_defaults_are_in_range) {
  const options o = checked({});
  EXPECT_EQ(o.debounce.quiet, 20ms);
  EXPECT_EQ(o.debounce.max_wait, 500ms);
  EXPECT_TRUE(o.debounce.settle);
  EXPECT_FALSE(o.debounce.leading);
  EXPECT_EQ(o.poll_interval, 500ms);
  EXPECT_EQ(refusal({.debounce = immediate}), "");
}

TEST(options, are_named_in_their_order) {
  const options o{.include = {"*.cpp"},
                  .exclude = {"build/"},
                  .debounce = {.quiet = 1ms},
                  .metadata = true,
                  .poll_interval = 1s,
                  .spin = 5us};
  EXPECT_EQ(o.debounce.max_wait, 500ms);
  EXPECT_EQ(o.spin, 5us);
}

TEST(options, a_refusal_names_the_option) {
  EXPECT_NE(refusal({.debounce = {.quiet = -1ns}}).find("debounce.quiet"), std::string::npos);
  EXPECT_NE(refusal({.debounce = {.quiet = 0ms, .max_wait = -1ns}}).find("debounce.max_wait"), std::string::npos);
  EXPECT_NE(refusal({.debounce = {.quiet = 501ms}}).find("debounce.quiet"), std::string::npos);
  EXPECT_NE(refusal({.poll_interval = 0ms}).find("poll_interval"), std::string::npos);
  EXPECT_NE(refusal({.spin = -1us}).find("spin"), std::string::npos);
}

TEST(options, quiet_may_be_as_long_as_max_wait) {
  EXPECT_EQ(refusal({.debounce = {.quiet = 500ms, .max_wait = 500ms}}), "");
}

TEST(options, for_ever_is_no_overflow) {
  const options o =
      checked({.debounce = {.quiet = std::chrono::nanoseconds::max(), .max_wait = std::chrono::nanoseconds::max()},
               .poll_interval = std::chrono::milliseconds::max(),
               .spin = std::chrono::microseconds::max()});
  EXPECT_EQ(o.debounce.quiet, 24h * 365);
  EXPECT_EQ(o.debounce.max_wait, 24h * 365);
  EXPECT_EQ(o.poll_interval, 24h * 365);
  EXPECT_EQ(o.spin, 24h * 365);
  const auto from = clock::time_point(1s);
  EXPECT_EQ(detail::later(from, std::chrono::hours::max()), from + 24h * 365);
  EXPECT_EQ(detail::later(from, 1ms), from + 1ms);
}

struct read_result {
  std::error_code ec;
  std::string given;
  std::string absolute;
};

template <class P>
read_result read(const P& path) {
  read_result r;
  r.ec = detail::read_path(path, r.given, r.absolute);
  return r;
}

std::string below_here(std::string_view way) {
  return std::filesystem::current_path().generic_string() + (way.empty() ? "" : "/") + std::string(way);
}

TEST(path_argument, loses_its_trailing_slashes) {
  EXPECT_EQ(read("assets//").given, "assets");
  EXPECT_EQ(read("/").given, "/");
  EXPECT_EQ(read("///").given, "/");
  EXPECT_EQ(read("/a/").absolute, std::filesystem::absolute("/a").generic_string());
}

TEST(path_argument, relative_paths_are_meant_from_here) {
  EXPECT_EQ(read("a/b").absolute, below_here("a/b"));
  EXPECT_EQ(read(".").absolute, below_here(""));
  EXPECT_EQ(read("./").absolute, below_here(""));
  EXPECT_EQ(read(".//./a").absolute, below_here("a"));
  EXPECT_EQ(read("./a").given, "./a");
  EXPECT_EQ(read(".a").absolute, below_here(".a"));
}

TEST(path_argument, takes_text_and_what_has_native_text) {
  EXPECT_EQ(read(std::string_view("/a")).given, "/a");
  EXPECT_EQ(read(std::string("/a")).given, "/a");
  EXPECT_EQ(read(std::filesystem::path("/a")).given, "/a");
}

TEST(path_argument, empty_and_nul_are_errors) {
  EXPECT_EQ(read("").ec, errc::empty_path);
  EXPECT_EQ(read(std::string_view("a\0b", 3)).ec, errc::path_has_nul);
}

TEST(path_argument, the_exception_names_the_path_and_the_reason) {
  try {
    detail::throw_for_path(errc::path_has_nul, "add", std::string_view("a\0b", 3));
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), errc::path_has_nul);
    EXPECT_STREQ(e.what(), "hotwatch: add \"a\\0b\": the path has a NUL byte in it");
  }
}

}  // namespace
}  // namespace hotwatch::test
