// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "examples/hotwatch/duration.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace {

using namespace std::chrono_literals;

TEST(CliDuration, EveryUnit) {
  EXPECT_EQ(parse_duration("7ns"), 7ns);
  EXPECT_EQ(parse_duration("50us"), 50us);
  EXPECT_EQ(parse_duration("20ms"), 20ms);
  EXPECT_EQ(parse_duration("3s"), 3s);
  EXPECT_EQ(parse_duration("2min"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0s"), 0ns);
}

TEST(CliDuration, Fractions) {
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("0.25ms"), 250us);
  EXPECT_EQ(parse_duration("0.5h"), 30min);
  EXPECT_EQ(parse_duration("0.1234567891s"), 123'456'789ns);
  EXPECT_EQ(parse_duration("1.9ns"), 1ns);
}

TEST(CliDuration, Refused) {
  for (const std::string_view text :
       {"", "500", "ms", "-5ms", "+5ms", "5 ms", "5m", "5msx", "1.s", ".5s", "1.2.3s", "1e3s", "0x10s", " 5s", "5S"})
    EXPECT_EQ(parse_duration(text), std::nullopt) << text;
}

TEST(CliDuration, TheLargestAndOneMore) {
  EXPECT_EQ(parse_duration("9223372036854775807ns"), std::chrono::nanoseconds::max());
  EXPECT_EQ(parse_duration("9223372036854775808ns"), std::nullopt);
  EXPECT_EQ(parse_duration("2562047h"), 2562047h);
  EXPECT_EQ(parse_duration("2562048h"), std::nullopt);
  EXPECT_EQ(parse_duration("9223372036.854775807s"), std::chrono::nanoseconds::max());
  EXPECT_EQ(parse_duration("9223372036.854775808s"), std::nullopt);
}

}  // namespace
