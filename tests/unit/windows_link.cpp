// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Where links lead, out of the bytes in which Windows keeps that.
#include "hotwatch/decode/windows_link.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail::windows;

constexpr std::uint32_t symlink = 0xA000000C, junction = 0xA0000003;

/// REPARSE_DATA_BUFFER, the print name before the substitute name.
std::string reparse_data(std::uint32_t tag, std::u16string_view name, bool is_relative = false) {
  constexpr std::u16string_view print_name = u"for people";
  std::string bytes(tag == junction ? 16 : 20, '\0');
  const auto set = [&](std::size_t at, auto value) { std::memcpy(bytes.data() + at, &value, sizeof value); };
  set(0, tag);
  set(8, static_cast<std::uint16_t>(2 * print_name.size()));
  set(10, static_cast<std::uint16_t>(2 * name.size()));
  set(14, static_cast<std::uint16_t>(2 * print_name.size()));
  if (is_relative) set(16, std::uint32_t{1});
  for (const std::u16string_view text : {print_name, name})
    for (const char16_t c : text) bytes.append(reinterpret_cast<const char*>(&c), 2);
  return bytes;
}

TEST(windows_link, absolute_ones_lead_anywhere) {
  EXPECT_EQ(where_link_leads("C:/a/link", reparse_data(symlink, u"\\??\\D:\\x\\y")), "D:/x/y");
  EXPECT_EQ(where_link_leads("C:/a/link", reparse_data(junction, u"\\??\\D:\\x\\y\\")), "D:/x/y");
  EXPECT_EQ(where_link_leads("C:/a/link", reparse_data(symlink, u"\\??\\D:\\")), "D:/");
  EXPECT_EQ(where_link_leads("C:/a/link", reparse_data(symlink, u"\\??\\UNC\\server\\share\\x")), "//server/share/x");
  EXPECT_EQ(where_link_leads("C:/a/link", reparse_data(junction, u"\\??\\Volume{1-2}\\")), "Volume{1-2}/");
}

TEST(windows_link, relative_ones_lead_on_from_their_directory_or_their_drive) {
  EXPECT_EQ(where_link_leads("C:/a/b/link", reparse_data(symlink, u"x\\y", true)), "C:/a/b/x/y");
  EXPECT_EQ(where_link_leads("C:/a/b/link", reparse_data(symlink, u"..\\.\\x", true)), "C:/a/x");
  EXPECT_EQ(where_link_leads("C:/a/b/link", reparse_data(symlink, u"..\\..\\..\\..\\x", true)), "C:/x");
  EXPECT_EQ(where_link_leads("C:/a/b/link", reparse_data(symlink, u"..\\..", true)), "C:/");
  EXPECT_EQ(where_link_leads("C:/link", reparse_data(symlink, u".", true)), "C:/");
  EXPECT_EQ(where_link_leads("C:/a/b/link", reparse_data(symlink, u"\\x", true)), "C:/x");
  EXPECT_EQ(where_link_leads("Volume{1-2}/a/link", reparse_data(symlink, u"..\\..\\x", true)), "Volume{1-2}/x");
}

TEST(windows_link, names_survive) {
  const std::u16string name = {u'\\', u'?', u'?', u'\\', u'C', u':', u'\\', u'x', char16_t{0xD83D}};
  EXPECT_EQ(where_link_leads("C:/link", reparse_data(symlink, name)), "C:/x\xED\xA0\xBD");
}

TEST(windows_link, of_other_kinds_and_unsound_ones_lead_nowhere_that_is_known) {
  EXPECT_EQ(where_link_leads("C:/link", reparse_data(0xA000001D, u"\\??\\C:\\x")), "");  // IO_REPARSE_TAG_LX_SYMLINK
  EXPECT_EQ(where_link_leads("C:/link", reparse_data(symlink, u"C:\\x")), "");
  const std::string sound = reparse_data(symlink, u"\\??\\C:\\x");
  for (std::size_t size = 0; size < sound.size(); ++size)
    EXPECT_EQ(where_link_leads("C:/link", std::string_view(sound).substr(0, size)), "") << size;
}

}  // namespace
}  // namespace hotwatch::test
