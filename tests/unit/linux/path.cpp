// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/os/posix/path.hpp"

#include <gtest/gtest.h>

namespace hotwatch::test {
namespace {

TEST(native, gives_the_bytes_back) { EXPECT_EQ(native("a\xff\n"), "a\xff\n"); }

}  // namespace
}  // namespace hotwatch::test
