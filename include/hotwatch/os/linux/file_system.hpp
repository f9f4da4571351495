// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What is known of file systems by their types: on which does the kernel tell of every change? Floor 3.

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../../decode/mountinfo.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// File systems that others than this kernel change as well: other machines, a host, or the kernel itself, without a
/// word (statfs(2), linux/magic.h; coreutils keeps such a list in src/stat.c).
inline constexpr std::uint32_t partly_told[] = {
    0x6969,                                          // NFS
    0x517B,     0xFF534D42, 0xFE534D42,              // SMB and CIFS, SMB 2 and 3
    0x01021997,                                      // 9p: WSL 2, QEMU
    0x00C36400, 0x0BD00BD0, 0x47504653,              // Ceph, Lustre, GPFS
    0x19830326, 0xAAD7AAEA, 0xBEEFDEAD,              // BeeGFS, PanFS, StorNext
    0x61636673, 0x013111A8, 0x20030528,              // ACFS, IBRIX, OrangeFS
    0x7461636F, 0x01161970,                          // OCFS2, GFS2: one disk, several machines
    0x5346414F, 0x6B414653, 0x73757245, 0x564C,      // AFS (two of them), Coda, NCP
    0x786F4256, 0xBACBACBC, 0x7C7C6673,              // folders of a host: VirtualBox, VMware, Parallels
    0x61756673,                                      // aufs: its layers may be anything of these
    0x53464846,                                      // WSL 1
    0x9FA0,     0x62656572, 0x64626720, 0x74726163,  // made up as they are read: procfs, sysfs, debugfs, tracefs
    0x27E0EB,   0x63677270, 0xCAFE4A11, 0x1CD1,      // cgroup, cgroup 2, bpf, devpts
};

/// FUSE, and virtiofs with it: which program stands behind it only the mount's type says.
inline constexpr std::uint32_t fuse_magic = 0x65735546;

/// Programs over what this machine has: what is changed through the mount is told, and nobody else changes it.
inline constexpr std::string_view local_fuse[] = {
    "fuseblk",    "fuse.ntfs",  "fuse.ntfs-3g",   "fuse.exfat",   "fuse.mergerfs",       "fuse.bindfs",
    "fuse.encfs", "fuse.cryfs", "fuse.gocryptfs", "fuse.unionfs", "fuse.fuse-overlayfs", "fuse.squashfuse",
};

/// The whole of a small file of /proc; empty when it cannot be read.
template <class System>
[[nodiscard]] std::string read_proc(System& system, const char* path) {
  std::string text;
  const int fd = system.openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  for (std::size_t size = 0;;) {
    text.resize(size + 16 * 1024);
    const ssize_t got = system.read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    size += got > 0 ? static_cast<std::size_t>(got) : 0;
    if (got > 0) continue;
    text.resize(size);
    break;
  }
  system.close(fd);
  return text;
}

/// statfs(2), which a signal may interrupt; whether there was an answer, else errno says why not.
template <class System>
[[nodiscard]] bool ask_file_system(System& system, int fd, struct ::statfs& out) noexcept {
  int failed;
  do failed = system.fstatfs(fd, &out);
  while (failed != 0 && errno == EINTR);
  return failed == 0;
}

/// The number of its type; 0 if the system does not say.
template <class System>
[[nodiscard]] std::uint32_t file_system_type(System& system, int fd) noexcept {
  struct ::statfs s;
  return ask_file_system(system, fd, s) ? static_cast<std::uint32_t>(s.f_type) : 0;  // negative in a signed 32-bit word
}

/// Whether every change below this descriptor passes through this kernel, which tells of it. When in doubt it does not.
template <class System>
[[nodiscard]] bool tells_all(System& system, int fd) {
  const std::uint32_t magic = file_system_type(system, fd);
  if (magic == 0) return false;
  if (magic != fuse_magic)
    return std::find(std::begin(partly_told), std::end(partly_told), magic) == std::end(partly_told);
  struct ::statx status;
  if (system.statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &status) != 0) return false;
  const std::string mounts = read_proc(system, "/proc/self/mountinfo");
  const std::string_view type = mounted_type(mounts, std::uint64_t{status.stx_dev_major} << 32 | status.stx_dev_minor);
  return std::find(std::begin(local_fuse), std::end(local_fuse), type) != std::end(local_fuse);
}

}  // namespace hotwatch::inline v0::detail
