// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <system_error>

namespace hotwatch::test {
namespace {

TEST(error, every_code_has_a_message_of_its_own) {
  std::set<std::string> messages;
  for (int code = 1; code <= static_cast<int>(errc::partly_told); ++code) {
    const std::string message = error_category().message(code);
    EXPECT_NE(message, "unknown error") << code;
    EXPECT_TRUE(messages.insert(message).second) << message;
  }
  EXPECT_EQ(error_category().message(0), "unknown error");
  EXPECT_EQ(error_category().message(9999), "unknown error");
}

TEST(error, is_an_error_code) {
  const std::error_code ec = errc::root_exists;
  EXPECT_TRUE(ec);
  EXPECT_EQ(ec.category(), error_category());
  EXPECT_STREQ(ec.category().name(), "hotwatch");
  EXPECT_EQ(ec, errc::root_exists);
  EXPECT_NE(ec, errc::unknown_root);
  EXPECT_NE(ec, std::error_code(static_cast<int>(errc::root_exists), std::generic_category()));
}

}  // namespace
}  // namespace hotwatch::test
