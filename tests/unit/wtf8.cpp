// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/wtf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;

std::string narrow(std::u16string_view wide) {
  std::string out;
  append_wtf8(wide, out);
  return out;
}
std::u16string widen(std::string_view narrow) {
  std::u16string out;
  append_utf16(narrow, out);
  return out;
}

TEST(wtf8, utf8_where_utf16_is_well_formed) {
  EXPECT_EQ(narrow(u""), "");
  EXPECT_EQ(narrow(u"a~"), "a~");
  EXPECT_EQ(narrow(u"\u00E9\u07FF"), "\xC3\xA9\xDF\xBF");
  EXPECT_EQ(narrow(u"\u0800\u20AC\uFFFF"), "\xE0\xA0\x80\xE2\x82\xAC\xEF\xBF\xBF");
  EXPECT_EQ(narrow(u"\U00010000\U0001F600\U0010FFFF"), "\xF0\x90\x80\x80\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF");
}

TEST(wtf8, an_unpaired_surrogate_has_three_bytes) {
  const char16_t high[] = {'a', 0xD800, 'b', 0};
  const char16_t low_then_high[] = {0xDFFF, 0xDBFF, 0};
  EXPECT_EQ(narrow(high),
            "a\xED\xA0\x80"
            "b");
  EXPECT_EQ(narrow(low_then_high), "\xED\xBF\xBF\xED\xAF\xBF");
}

TEST(wtf8, every_unit_and_every_pair_comes_back) {
  for (char32_t unit = 0; unit < 0x10000; ++unit) {
    const std::u16string text = {u'<', static_cast<char16_t>(unit), u'>'};
    ASSERT_EQ(widen(narrow(text)), text) << std::uint32_t{unit};
  }
  for (char32_t high = 0xD7FF; high <= 0xDC00; high += 7)
    for (char32_t low = 0xDBFE; low <= 0xE001; ++low) {
      const std::u16string text = {static_cast<char16_t>(high), static_cast<char16_t>(low)};
      ASSERT_EQ(widen(narrow(text)), text) << std::uint32_t{high} << ' ' << std::uint32_t{low};
    }
}

TEST(wtf8, what_is_no_wtf8_is_replaced_byte_by_byte) {
  EXPECT_EQ(widen("\x80"), u"\uFFFD");                                // a byte that continues nothing
  EXPECT_EQ(widen("\xC3"), u"\uFFFD");                                // cut
  EXPECT_EQ(widen("\xC3z"), u"\uFFFDz");                              // broken off
  EXPECT_EQ(widen("\xC1\xBF"), u"\uFFFD\uFFFD");                      // longer than need be
  EXPECT_EQ(widen("\xE0\x9F\xBF"), u"\uFFFD\uFFFD\uFFFD");            // the same
  EXPECT_EQ(widen("\xF4\x90\x80\x80"), u"\uFFFD\uFFFD\uFFFD\uFFFD");  // beyond U+10FFFF
  EXPECT_EQ(widen("\xFF\xFE"), u"\uFFFD\uFFFD");
}

}  // namespace
}  // namespace hotwatch::test
