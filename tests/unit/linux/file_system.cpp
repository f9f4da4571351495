// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Which file systems are told wholly, by what a scripted statfs(2) says of them; macOS's, too.
#include "hotwatch/os/linux/file_system.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "hotwatch/os/macos/file_system.hpp"

namespace hotwatch::test {
namespace {

/// One directory, on a device 0:39 of this type.
struct fake_system {
  decltype(statfs::f_type) type = 0;
  std::string mounts = {};
  int error = 0;
  int interrupts = 0;
  bool has_status = true;
  std::size_t read_so_far = 0;

  int fstatfs(int, struct ::statfs* out) {
    errno = interrupts > 0 ? EINTR : error;
    if (interrupts-- > 0 || error != 0) return -1;
    *out = {};
    out->f_type = type;
    return 0;
  }
  int statx(int, const char*, int, unsigned, struct ::statx* out) const {
    if (!has_status) return -1;
    *out = {};
    out->stx_dev_minor = 39;
    return 0;
  }
  int openat(int, const char* path, int) const { return std::string_view(path) == "/proc/self/mountinfo" ? 3 : -1; }
  ssize_t read(int, void* buffer, std::size_t size) {
    const std::size_t got = mounts.copy(static_cast<char*>(buffer), size, read_so_far);
    read_so_far += got;
    return static_cast<ssize_t>(got);
  }
  void close(int) const {}
};

using word = decltype(statfs::f_type);

bool tells_all(word type) {
  fake_system system{.type = type};
  return detail::tells_all(system, 0);
}
bool tells_all_of_mount(const std::string& type) {
  fake_system system{.type = 0x65735546,
                     .mounts = "27 1 254:0 / / rw - fuseblk /dev/vda rw\n42 27 0:39 / /mnt rw - " + type + " x rw\n"};
  return detail::tells_all(system, 0);
}

struct named {
  const char* name;
  std::uint32_t number;
};

constexpr named in_part[] = {
    {"NFS", 0x6969},          {"SMB", 0x517B},           {"CIFS", 0xFF534D42},
    {"SMB 2", 0xFE534D42},    {"9p", 0x01021997},        {"Ceph", 0x00C36400},
    {"AFS", 0x5346414F},      {"kAFS", 0x6B414653},      {"Coda", 0x73757245},
    {"NCP", 0x564C},          {"OCFS2", 0x7461636F},     {"GFS2", 0x01161970},
    {"Lustre", 0x0BD00BD0},   {"GPFS", 0x47504653},      {"BeeGFS", 0x19830326},
    {"PanFS", 0xAAD7AAEA},    {"StorNext", 0xBEEFDEAD},  {"ACFS", 0x61636673},
    {"IBRIX", 0x013111A8},    {"OrangeFS", 0x20030528},  {"VirtualBox", 0x786F4256},
    {"VMware", 0xBACBACBC},   {"Parallels", 0x7C7C6673}, {"aufs", 0x61756673},
    {"WSL 1", 0x53464846},    {"procfs", 0x9FA0},        {"sysfs", 0x62656572},
    {"debugfs", 0x64626720},  {"tracefs", 0x74726163},   {"cgroup", 0x27E0EB},
    {"cgroup 2", 0x63677270}, {"bpf", 0xCAFE4A11},       {"devpts", 0x1CD1},
};

constexpr named wholly[] = {
    {"ext4", 0xEF53},      {"xfs", 0x58465342},   {"btrfs", 0x9123683E}, {"f2fs", 0xF2F52010},
    {"tmpfs", 0x01021994}, {"ramfs", 0x858458F6}, {"zfs", 0x2FC12FC1},   {"overlayfs", 0x794C7630},
    {"vfat", 0x4D44},      {"exfat", 0x2011BAB0}, {"ntfs3", 0x7366746E}, {"bcachefs", 0xCA451A4E},
};

TEST(file_system, what_others_change_is_told_in_part) {
  for (const named& of : in_part) {
    EXPECT_FALSE(tells_all(static_cast<word>(of.number))) << of.name;
    EXPECT_FALSE(tells_all(static_cast<word>(static_cast<std::int32_t>(of.number)))) << of.name << ", with its sign";
  }
}

TEST(file_system, what_this_kernel_changes_is_told_wholly) {
  for (const named& of : wholly) {
    EXPECT_TRUE(tells_all(static_cast<word>(of.number))) << of.name;
    EXPECT_TRUE(tells_all(static_cast<word>(static_cast<std::int32_t>(of.number)))) << of.name << ", with its sign";
  }
}

TEST(file_system, of_fuse_the_name_of_the_mount_tells) {
  for (const char* type :
       {"fuseblk", "fuse.ntfs", "fuse.ntfs-3g", "fuse.exfat", "fuse.mergerfs", "fuse.bindfs", "fuse.encfs",
        "fuse.cryfs", "fuse.gocryptfs", "fuse.unionfs", "fuse.fuse-overlayfs", "fuse.squashfuse"})
    EXPECT_TRUE(tells_all_of_mount(type)) << type;
  for (const char* type : {"fuse.sshfs", "fuse.rclone", "fuse.gcsfuse", "fuse", "fuse.", "fuse.ntfs-3g2", "virtiofs"})
    EXPECT_FALSE(tells_all_of_mount(type)) << type;
}

TEST(file_system, when_in_doubt_it_is_told_in_part) {
  fake_system silent{.type = 0xEF53, .error = EIO};
  EXPECT_FALSE(detail::tells_all(silent, 0));
  fake_system interrupted{.type = 0xEF53, .interrupts = 3};
  EXPECT_TRUE(detail::tells_all(interrupted, 0));
  fake_system not_mounted{.type = 0x65735546, .mounts = "27 1 254:0 / / rw - fuseblk /dev/vda rw\n"};
  EXPECT_FALSE(detail::tells_all(not_mounted, 0));
  fake_system without_status{
      .type = 0x65735546, .mounts = "42 27 0:39 / /mnt rw - fuseblk x rw\n", .has_status = false};
  EXPECT_FALSE(detail::tells_all(without_status, 0));
}

// ---- macOS

struct fake_mac {
  detail::macos::file_system is;
  int result = 0;
  int file_system_of(int, detail::macos::file_system& out) const {
    out = is;
    return result;
  }
};

TEST(macos_file_system, what_others_change_is_told_in_part) {
  for (const char* type :
       {"smbfs", "nfs", "afpfs", "webdav", "ftp", "cifs", "acfs", "macfuse", "macfuse_t", "osxfuse", "osxfusefs",
        "fusefs", "fusefs_x", "fuse-t", "virtiofs", "autofs", "vmhgfs", "prl_fs", "vboxfs"}) {
    fake_mac system{{true, type}};
    EXPECT_FALSE(detail::macos::tells_all(system, 0)) << type << ", though it calls itself local";
  }
}

TEST(macos_file_system, what_is_local_is_told_wholly) {
  for (const char* type : {"apfs", "hfs", "exfat", "msdos", "ntfs", "udf", "cd9660", "lifs"}) {
    fake_mac system{{true, type}};
    EXPECT_TRUE(detail::macos::tells_all(system, 0)) << type;
    system.is.is_local = false;
    EXPECT_FALSE(detail::macos::tells_all(system, 0)) << type << " of another machine";
  }
}

TEST(macos_file_system, that_does_not_answer_is_told_in_part) {
  fake_mac system{{true, "apfs"}, -1};
  EXPECT_FALSE(detail::macos::tells_all(system, 0));
}

}  // namespace
}  // namespace hotwatch::test
