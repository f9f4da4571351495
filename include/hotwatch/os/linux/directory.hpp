// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An open directory: the only way in which names are listed and looked at. Floor 3.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "../../core/stamp.hpp"
#include "../posix/descriptor.hpp"
#include "../posix/entry.hpp"
#include "../posix/error.hpp"
#include "file_system.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// Calls visit(name, type, file_id) for the entry, one of those that getdents64(2) gave. Returns its length.
template <class Visit>
std::size_t visit_entry(const char* entry, Visit&& visit) {
  // struct linux_dirent64: u64 d_ino, s64 d_off, u16 d_reclen, u8 d_type, the name and a NUL
  std::uint64_t file_id;
  std::uint16_t length;
  std::memcpy(&file_id, entry, sizeof file_id);
  std::memcpy(&length, entry + 16, sizeof length);
  visit(std::string_view(entry + 19), entry_type_of(static_cast<unsigned char>(entry[18])), file_id);
  return length;
}

/// The same for each of them, "." and ".." among them.
template <class Visit>
void each_entry(std::string_view entries, Visit&& visit) {
  while (!entries.empty()) entries.remove_prefix(visit_entry(entries.data(), visit));
}

/// A descriptor of a directory. Everything below a root is reached from directory to directory by one name, and never
/// through a symlink, unless it is asked for (open_link): no name put in its way leads out of the root, a path may be
/// longer than PATH_MAX, and a rename further up does not matter. Moves; one thread at a time.
template <class System>
class directory {
 public:
  directory() noexcept = default;
  directory(System& system, int fd) noexcept : open_(system, fd) {}

  /// Opens a root by its path, through symlinks.
  [[nodiscard]] static directory open(System& system, const char* path, std::error_code& ec) noexcept {
    return opened(system, AT_FDCWD, path, 0, ec);
  }

  /// Opens the directory `name` in this one; ENOTDIR or ELOOP if it is something else by now.
  [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const noexcept {
    const name_buffer text(name);
    // The call that opens it says whether something is mounted there: what holds for a whole mount is asked once.
    constexpr std::uint64_t no_xdev = 0x01;  // RESOLVE_NO_XDEV of linux/openat2.h
    const open_how how{open_directory_flags | O_NOFOLLOW, 0, no_xdev};
    directory child(open_.system(), uninterrupted([&] { return open_.system().openat2(fd(), text.c_str(), how); }));
    // ENOSYS before Linux 5.6, EPERM in sandboxes that do not know the call.
    if (!child && (errno == EXDEV || errno == EAGAIN || errno == ENOSYS || errno == EPERM))
      return opened(open_.system(), fd(), text.c_str(), O_NOFOLLOW, ec);
    ec = child ? std::error_code() : last_error();
    child.may_begin_mount_ = false;
    child.tells_all_ = tells_all_;
    return child;
  }

  /// Opens the directory that `name` in this one leads to, if it is a symlink.
  [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const noexcept {
    name_buffer text(name);
    return opened(open_.system(), fd(), text.c_str(), 0, ec);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return fd() >= 0; }
  [[nodiscard]] int fd() const noexcept { return open_.fd(); }
  void close() noexcept { open_.close(); }

  /// Calls visit(name, type, file_id) for each entry but "." and "..".
  template <class Visit>
  [[nodiscard]] std::error_code list(std::vector<char>& buffer, Visit&& visit) const {
    if (buffer.size() < listing_buffer) buffer.resize(listing_buffer);
    for (;;) {
      const ssize_t size = open_.system().getdents64(fd(), buffer.data(), buffer.size());
      if (size == 0) return {};
      if (size < 0) {
        if (errno == EINTR) continue;
        return last_error();
      }
      each_entry(std::string_view(buffer.data(), static_cast<std::size_t>(size)), [&](auto name, auto type, auto id) {
        if (name != "." && name != "..") visit(name, type, id);
      });
    }
  }

  /// Looks at a name in this directory, or with an empty name at the directory itself.
  [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const noexcept {
    return status_of(open_.system(), fd(), name_buffer(name).c_str(), name.empty() ? AT_EMPTY_PATH : 0, out);
  }

  /// Whether the directory's change time moves with every name that comes or goes: so it is where this kernel alone
  /// writes the directory (linux/magic.h). No call sets it back, as the time of the content can be.
  [[nodiscard]] bool dates_its_names() const noexcept {
    const std::uint32_t type = file_system_type(open_.system(), fd());
    return type == ext || type == tmpfs || type == xfs || type == btrfs || type == f2fs;
  }

  /// Whether a directory in this one may be on another device though nothing is mounted there.
  [[nodiscard]] bool may_have_subvolumes() const noexcept {
    const std::uint32_t type = file_system_type(open_.system(), fd());
    return type == btrfs || type == 0;
  }

  /// Whether it may be on another mount than the directory in which it was opened.
  [[nodiscard]] bool may_begin_mount() const noexcept { return may_begin_mount_; }

  /// Whether the kernel tells of every change in this directory; asked once a mount.
  [[nodiscard]] bool tells_all() const {
    if (tells_all_ == answer::unknown) tells_all_ = detail::tells_all(open_.system(), fd()) ? answer::yes : answer::no;
    return tells_all_ == answer::yes;
  }

  /// Looks at what a path leads to, through symlinks on the way but not at its end.
  [[nodiscard]] static std::error_code look(System& system, const char* path, file_status& out) noexcept {
    return status_of(system, AT_FDCWD, path, 0, out);
  }

 private:
  enum class answer : unsigned char { unknown, yes, no };
  static constexpr std::size_t listing_buffer = 64 * 1024;
  static constexpr std::uint32_t ext = 0xEF53, tmpfs = 0x01021994, xfs = 0x58465342, btrfs = 0x9123683E,
                                 f2fs = 0xF2F52010;

  [[nodiscard]] static std::error_code status_of(System& system, int at, const char* path, int flags,
                                                 file_status& out) noexcept {
    struct ::statx s;
    if (system.statx(at, path, flags | AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &s) != 0)
      return last_error();
    const auto time = [](const statx_timestamp& t) {
      return static_cast<file_time>(t.tv_sec) * 1'000'000'000u + t.tv_nsec;
    };
    out.type = entry_type_of_mode(s.stx_mode);
    out.device = std::uint64_t{s.stx_dev_major} << 32 | s.stx_dev_minor;
    out.file_id = s.stx_ino;
    out.size = s.stx_size;
    out.modified = time(s.stx_mtime);
    out.changed = time(s.stx_ctime);
    out.born = (s.stx_mask & STATX_BTIME) != 0 ? time(s.stx_btime) : 0;
    out.mode = s.stx_mode;
    out.user = s.stx_uid;
    out.group = s.stx_gid;
    out.links = s.stx_nlink;
    return {};
  }

  [[nodiscard]] static directory opened(System& system, int at, const char* path, int flags,
                                        std::error_code& ec) noexcept {
    const int fd = uninterrupted([&] { return system.openat(at, path, open_directory_flags | flags); });
    ec = fd < 0 ? last_error() : std::error_code();
    return directory(system, fd);
  }

  descriptor<System> open_;
  bool may_begin_mount_ = true;
  mutable answer tells_all_ = answer::unknown;
};

/// A rename holds the locks of both directories until all that is told of it is queued (vfs_rename() calls
/// fsnotify_move() before its caller unlocks; Documentation/filesystems/directory-locking), and reading a directory
/// takes its lock. So after this read the rest is in the queue, or will never come. No time-out has to be guessed.
template <class System>
void outwait_renames(System& system, int directory) noexcept {
  char one_entry[512];
  (void)system.getdents64(directory, one_entry, sizeof one_entry);
}

}  // namespace hotwatch::inline v0::detail
