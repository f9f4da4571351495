// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What is remembered of a file's content so that a later look can tell whether it is another. Floor 2.

#include <cstdint>

#include "../change.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// Nanoseconds of the file system's clock (CLOCK_REALTIME_COARSE), as in a file's times.
using file_time = std::uint64_t;

/// What a look at a name gives.
struct file_status {
  entry_type type = entry_type::unknown;
  std::uint64_t device = 0;
  std::uint64_t file_id = 0;
  std::uint64_t size = 0;
  file_time modified = 0;
  file_time changed = 0;
  file_time born = 0;  ///< 0: the file system does not tell
  std::uint32_t mode = 0;
  std::uint32_t user = 0;
  std::uint32_t group = 0;
  std::uint32_t links = 0;
};

[[nodiscard]] constexpr std::uint64_t mix64(std::uint64_t h) noexcept {
  h ^= h >> 32;
  h *= 0xE9846AF9B1A615Du;
  h ^= h >> 32;
  h *= 0xE9846AF9B1A615Du;
  return h ^ (h >> 28);
}

[[nodiscard]] constexpr std::uint64_t content_fingerprint(const file_status& s) noexcept {
  return mix64(mix64(s.modified) ^ s.size ^ (s.file_id << 20));
}

[[nodiscard]] constexpr std::uint32_t attribute_fingerprint(const file_status& s) noexcept {
  return static_cast<std::uint32_t>(mix64((std::uint64_t{s.mode} << 32 ^ s.user) ^ (std::uint64_t{s.group} << 44))) |
         1u;
}

/// A file's stamp is one of two things. Where the kernel tells of writes, it is a time: all that happened to the file
/// before it was told, so the file is another if its times are not older. That costs no look at a file which nobody
/// asks about. Where nobody tells (a polled directory), it is a fingerprint of what the last look saw, because file
/// times may be set back (rsync -t, tar).
///
/// The time is that of reading, and what was read happened before: a write in between, of which no word came, is as old
/// as the stamp. So the time of the content is compared with `quiet_since`, if that is older.
[[nodiscard]] inline bool content_differs(const node& n, const file_status& now, file_time quiet_since) noexcept {
  if (n.fingerprinted) return n.stamp != content_fingerprint(now);
  // The change time as well: it cannot be set back. A chmod in the gap is taken for a write, a write is not missed.
  return now.modified >= n.stamp || now.modified >= quiet_since || now.changed >= n.stamp;
}

/// The same of a file that was renamed: the rename itself moved the change time, so only the other one tells.
[[nodiscard]] inline bool content_differs_after_rename(const node& n, const file_status& now,
                                                       file_time quiet_since) noexcept {
  if (n.fingerprinted) return n.stamp != content_fingerprint(now);
  return now.modified >= n.stamp || now.modified >= quiet_since;
}

/// The same of a file whose times or permissions were set, and which a writer then closed without having written: was
/// there a store through a mapping in between? The time that was set is at most a tick younger than the word of it
/// (CONFIG_HZ=100), or in the future.
[[nodiscard]] inline bool content_differs_after_touch(const node& n, const file_status& now,
                                                      file_time present) noexcept {
  constexpr file_time tick = 10'000'000;
  return now.modified > n.stamp + tick && now.modified <= present + tick;
}

/// Of a polled directory that was listed, the stamp is a third thing: its change time before the listing and up to four
/// microseconds, so that it is still a time before which it was born. They say which directory it is: a mount puts
/// another one in its place, which may have been changed within the same tick. 0: its names are to be read again.
[[nodiscard]] constexpr std::uint64_t listing_stamp(const file_status& directory) noexcept {
  return directory.changed + 1 + mix64(directory.file_id ^ directory.device << 32) % 4096;
}

/// Whether a change that comes now is given a later time than `changed`. Times without a fraction may be all that the
/// file system keeps (ext2, ext3, ext4 with inodes of 128 bytes).
[[nodiscard]] constexpr bool is_past_tick(file_time changed, file_time now) noexcept {
  const file_time unit = changed % 1'000'000'000 == 0 ? 1'000'000'000 : 1;
  return changed / unit < now / unit;
}

/// Whether another write may have been given the same time: the file system seems to keep times in units of two seconds
/// (FAT), one (HFS+), or ten milliseconds (exFAT), and the last one is not over. (A time to come is one that was set.)
[[nodiscard]] constexpr bool is_in_last_unit(file_time modified, file_time now) noexcept {
  const file_time unit = modified % 1'000'000'000 == 0 ? 2'000'000'000 : modified % 10'000'000 == 0 ? 10'000'000 : 0;
  return unit != 0 && modified + unit > now && modified < now + unit;
}

[[nodiscard]] constexpr std::uint16_t birth_fingerprint(const file_status& s) noexcept {
  return s.born == 0 ? std::uint16_t{0} : static_cast<std::uint16_t>(mix64(s.born) | 1u);
}

/// Whether the node and what was seen are one file: a rename. Inode numbers alone do not prove it: ext4 gives the
/// number of a removed file to the next one that is made. But that one was born at another time; where the time of the
/// known file's birth was never asked for, it is at least before the last word of ours.
[[nodiscard]] inline bool is_same_file(const node& n, const file_status& now) noexcept {
  if (n.file_id == 0 || n.file_id != now.file_id || own_type(n) != now.type) return false;
  if (n.birth != 0 && now.born != 0) return n.birth == birth_fingerprint(now);
  if (n.fingerprinted) return n.stamp == content_fingerprint(now);
  if (now.born != 0) return now.born < n.stamp;
  return n.type == entry_type::directory || now.modified < n.stamp;
}

}  // namespace hotwatch::inline v0::detail
