// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/os/windows/path.hpp"

#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include "hotwatch/os/windows/error.hpp"
#include "hotwatch/os/windows/time.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail::windows;

TEST(windows_path, whole_paths_are_the_kernels) {
  EXPECT_EQ(to_whole_path("C:/a/b c"), u"\\??\\C:\\a\\b c");
  EXPECT_EQ(to_whole_path("C:/"), u"\\??\\C:\\");
  EXPECT_EQ(to_whole_path("C:"), u"\\??\\C:\\");
  EXPECT_EQ(to_whole_path("//server/share/a"), u"\\??\\UNC\\server\\share\\a");
  EXPECT_EQ(to_whole_path("C:/a", u"\\\\?\\"), u"\\\\?\\C:\\a");
  EXPECT_EQ(to_whole_path("C:/\xED\xA0\xBD"), std::u16string(u"\\??\\C:\\") + char16_t{0xD83D});
}

TEST(windows_path, told_paths_have_slashes_and_no_prefix) {
  EXPECT_EQ(to_text(u"\\\\?\\C:\\a\\b"), "C:/a/b");
  EXPECT_EQ(to_text(u"\\\\?\\UNC\\server\\share\\a"), "//server/share/a");
  EXPECT_EQ(to_text(u"\\\\server\\share"), "//server/share");
  EXPECT_EQ(to_text(u"a\\b"), "a/b");
}

TEST(windows_path, the_slash_of_a_drive_is_part_of_it) {
  const auto dropped = [](std::string path) {
    drop_trailing_slashes(path);
    return path;
  };
  EXPECT_EQ(dropped("C:/a//"), "C:/a");
  EXPECT_EQ(dropped("C:/"), "C:/");
  EXPECT_EQ(dropped("C://"), "C:/");
  EXPECT_EQ(dropped("/"), "/");
}

TEST(windows_path, text_of_any_length_is_asked_for) {
  for (const std::size_t length : {0u, 1u, 259u, 260u, 1000u}) {
    const std::u16string answer(length, u'x');
    EXPECT_EQ(ask_for_text([&](char16_t* out, std::uint32_t room) {
                if (room <= length) return static_cast<std::uint32_t>(length + 1);
                answer.copy(out, length);
                return static_cast<std::uint32_t>(length);
              }),
              answer);
  }
}

TEST(windows_error, what_is_asked_for_is_translated) {
  constexpr struct {
    std::uint32_t number;
    std::errc condition;
  } all[] = {{error_access_denied, std::errc::permission_denied},
             {error_directory, std::errc::not_a_directory},
             {error_cant_resolve_filename, std::errc::too_many_symbolic_link_levels},
             {error_bad_net_path, std::errc::no_such_file_or_directory},
             {error_bad_net_name, std::errc::no_such_file_or_directory},
             {error_invalid_name, std::errc::invalid_argument},
             {error_filename_exceeds_range, std::errc::filename_too_long}};
  for (const auto& [number, condition] : all) EXPECT_TRUE(error_of(number) == condition) << number;
  EXPECT_EQ(error_of(1167).value(), 1167) << "the rest is the system's own";
  EXPECT_EQ(error_of(1167).category(), std::system_category());
}

TEST(windows_time, counts_from_1970) {
  EXPECT_EQ(to_file_time(std::int64_t{116'444'736'000'000'000}), 0u);
  EXPECT_EQ(to_file_time(std::int64_t{116'444'736'000'000'001}), 100u);
  EXPECT_EQ(to_file_time(std::int64_t{0}), 0u);
  EXPECT_EQ(to_file_time(file_time_halves{0xD53E8001, 0x019DB1DE}), 100u);
}

TEST(windows_time, due_times_are_rounded_up_and_never_never) {
  using namespace std::chrono_literals;
  EXPECT_EQ(due_in(1ms), -10'000);
  EXPECT_EQ(due_in(101ns), -2);
  EXPECT_EQ(due_in(0ns), -1);
  EXPECT_EQ(due_in(-5ns), -1);
}

}  // namespace
}  // namespace hotwatch::test
