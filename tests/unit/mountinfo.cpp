// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/decode/mountinfo.hpp"

#include <gtest/gtest.h>

#include <string_view>

namespace hotwatch::test {
namespace {

using detail::mounted_type;

constexpr std::uint64_t device(std::uint64_t major, std::uint64_t minor) { return major << 32 | minor; }

constexpr std::string_view mounts =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw,discard\n"
    "42 27 0:39 / /mnt/a\\040b rw,nosuid - fuse.sshfs host:/a - b rw,user_id=0\n"
    "43 27 0:40 /in /x rw - nfs4 server:/x rw\n";

TEST(mountinfo, a_device_has_the_type_of_its_mount) {
  EXPECT_EQ(mounted_type(mounts, device(0, 21)), "proc");
  EXPECT_EQ(mounted_type(mounts, device(254, 0)), "ext4") << "behind optional fields";
  EXPECT_EQ(mounted_type(mounts, device(0, 39)), "fuse.sshfs") << "though the source has a hyphen of its own";
  EXPECT_EQ(mounted_type(mounts, device(0, 40)), "nfs4");
}

TEST(mountinfo, what_is_not_mounted_has_none) {
  EXPECT_EQ(mounted_type(mounts, device(0, 41)), "");
  EXPECT_EQ(mounted_type("", device(0, 21)), "");
}

TEST(mountinfo, lines_that_are_none_are_passed_over) {
  for (const std::string_view line :
       {"", " ", "22 27", "22 27 0:21", "22 27 0:21 / / rw", "22 27 0:21 / / rw -", "22 27 021 / / rw - proc",
        "22 27 0.21 / / rw - proc", "22 27 0: / / rw - proc", "22 27 :21 / / rw - proc", "22 27 0:21x / / rw - proc",
        "22 27 99999999999:21 / / rw - proc"})
    EXPECT_EQ(mounted_type(line, device(0, 21)), "") << line;
  EXPECT_EQ(mounted_type("garbage\n\n22 27 0:21 / /proc rw - proc proc rw", device(0, 21)), "proc");
}

}  // namespace
}  // namespace hotwatch::test
