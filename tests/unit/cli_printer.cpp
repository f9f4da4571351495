// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "examples/hotwatch/printer.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

namespace {

using hotwatch::change;
using hotwatch::change_kind;
using hotwatch::entry_type;

constexpr hotwatch::clock::time_point at_99{std::chrono::nanoseconds(99)};

std::string text(std::string_view path) {
  std::string out;
  append_text(out, path);
  return out;
}

std::string json(std::string_view path) {
  std::string out;
  append_json(out, path);
  return out;
}

change made(change_kind kind, std::string_view path, std::string_view old_path = {}, bool modified = false) {
  change c;
  c.kind = kind;
  c.type = entry_type::file;
  c.path = path;
  c.old_path = old_path;
  c.modified = modified;
  return c;
}

TEST(CliPrinter, PlainNamesStayAsTheyAre) {
  for (const std::string_view name : {"", "a/b.c", "with space", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\xA5", "it's"}) {
    EXPECT_EQ(text(name), name);
    EXPECT_EQ(json(name), '"' + std::string(name) + '"');
  }
}

TEST(CliPrinter, AControlCharacterCannotLeaveItsLine) {
  EXPECT_EQ(text("a\nb\tc\rd\x1b[0m\x7f"), R"(a\nb\tc\rd\x1b[0m\x7f)");
  EXPECT_EQ(json("a\nb\tc\rd\x1b[0m\x7f"), R"("a\nb\tc\rd\u001b[0m\u007f")");
  EXPECT_EQ(text("\xC2\x9B"), R"(\xc2\x9b)");  // U+009B begins a terminal's control sequence
  EXPECT_EQ(json("\xC2\x9B"), R"("\u009b")");
}

TEST(CliPrinter, WhatAReaderMightTakeForANewLineOrTurnAround) {
  EXPECT_EQ(text("a\u2028b\u2029c\u0085"), R"(a\xe2\x80\xa8b\xe2\x80\xa9c\xc2\x85)");
  EXPECT_EQ(json("a\u2028b\u2029c\u0085"), R"("a\u2028b\u2029c\u0085")");
  for (const char* const mark : {"\u061C", "\u200E", "\u200F", "\u202A", "\u202E", "\u2066", "\u2069"}) {
    EXPECT_EQ(text(mark).substr(0, 2), "\\x");
    EXPECT_EQ(json(mark).substr(0, 3), "\"\\u");
  }
  for (const char* const beside :
       {"\u00A0", "\u061B", "\u061D", "\u200D", "\u2010", "\u2027", "\u202F", "\u2065", "\u206A"})
    EXPECT_EQ(text(beside), beside);
}

TEST(CliPrinter, QuotesAndBackslashes) {
  EXPECT_EQ(text(R"(a"b\c)"), R"(a"b\\c)");
  EXPECT_EQ(json(R"(a"b\c)"), R"("a\"b\\c")");
}

TEST(CliPrinter, WhatIsNoUtf8) {
  EXPECT_EQ(text("a\xFFz"), R"(a\xffz)");
  EXPECT_EQ(json("a\xFFz"), R"("a\udcffz")");
  EXPECT_EQ(json("\x80"), R"("\udc80")");
  EXPECT_EQ(json("\xC3"), R"("\udcc3")");                                // cut short
  EXPECT_EQ(json("\xC3(\""), R"("\udcc3(\"")");                          // a quote after a lead byte is still a quote
  EXPECT_EQ(json("\xC0\xAF"), R"("\udcc0\udcaf")");                      // overlong '/'
  EXPECT_EQ(json("\xE0\x80\xAF"), R"("\udce0\udc80\udcaf")");            // overlong
  EXPECT_EQ(json("\xED\xB2\x80"), R"("\udced\udcb2\udc80")");            // U+DC80 itself: told apart from the byte 0x80
  EXPECT_EQ(json("\xF4\x90\x80\x80"), R"("\udcf4\udc90\udc80\udc80")");  // above U+10FFFF
}

TEST(CliPrinter, EveryByteGivesOneLine) {
  for (int first = 1; first < 256; ++first)
    for (int second = 1; second < 256; ++second) {
      const std::string name = {static_cast<char>(first), static_cast<char>(second)};
      for (const std::string& line : {text(name), json(name)})
        for (const char c : line) ASSERT_GE(static_cast<unsigned char>(c), 0x20) << first << ' ' << second;
    }
}

TEST(CliPrinter, TextLines) {
  const change changes[] = {made(change_kind::modified, "assets/logo.png"), made(change_kind::renamed, "b", "a", true)};
  printer p(line_format::text);
  const printed& lines = p.lines(hotwatch::batch(changes, {}), at_99);
  EXPECT_EQ(lines.out, "modified assets/logo.png\nrenamed a -> b\n");
  EXPECT_EQ(lines.err, "");
}

TEST(CliPrinter, JsonLines) {
  const change first[] = {made(change_kind::modified, "assets/logo.png")};
  const change second[] = {made(change_kind::renamed, "b", "a"), made(change_kind::renamed, "d", "c", true)};
  printer p(line_format::json);
  EXPECT_EQ(p.lines(hotwatch::batch(first, {}), at_99).out,
            R"({"batch":1,"kind":"modified","type":"file","path":"assets/logo.png","t":99})"
            "\n");
  EXPECT_EQ(p.lines(hotwatch::batch(), at_99).out, "");  // an empty batch is none
  EXPECT_EQ(p.lines(hotwatch::batch(second, {}), at_99).out,
            R"({"batch":2,"kind":"renamed","type":"file","path":"b","old_path":"a","t":99})"
            "\n"
            R"({"batch":2,"kind":"renamed","type":"file","path":"d","old_path":"c","modified":true,"t":99})"
            "\n");
}

TEST(CliPrinter, NoticesStandBesideTheChanges) {
  const hotwatch::notice notices[] = {
      {hotwatch::notice_kind::overflow, "root", {}, {}},
      {hotwatch::notice_kind::polling, "a\nb", std::error_code(ENOSPC, std::generic_category()), "raise it"}};
  printer as_text(line_format::text);
  const printed& lines = as_text.lines(hotwatch::batch({}, notices), at_99);
  EXPECT_EQ(lines.out, "");
  EXPECT_EQ(lines.err,
            "hotwatch: overflow root\n"
            "hotwatch: polling a\\nb: No space left on device; raise it\n");
  printer as_json(line_format::json);
  EXPECT_EQ(as_json.lines(hotwatch::batch({}, notices), at_99).out,
            R"({"batch":1,"notice":"overflow","path":"root","error":""})"
            "\n"
            R"({"batch":1,"notice":"polling","path":"a\nb","error":"No space left on device; raise it"})"
            "\n");
}

TEST(CliPrinter, Ready) {
  hotwatch::statistics stats;
  stats.directories = 3;
  stats.files = 12;
  const printed as_json = printer(line_format::json).ready(stats);
  EXPECT_EQ(as_json.out, "{\"ready\":true,\"directories\":3,\"files\":12}\n");
  EXPECT_EQ(as_json.err, "");
  const printed as_text = printer(line_format::text).ready(stats);
  EXPECT_EQ(as_text.out, "");
  EXPECT_EQ(as_text.err, "hotwatch: watching 3 directories and 12 files\n");
}

}  // namespace
