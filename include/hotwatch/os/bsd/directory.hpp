// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An open directory, by the calls of POSIX alone: the only way in which names are listed and looked at. Floor 3.

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../../core/stamp.hpp"
#include "../posix/descriptor.hpp"
#include "../posix/entry.hpp"
#include "../posix/error.hpp"
#include "../posix/time.hpp"

namespace hotwatch::inline v0::detail::bsd {

/// struct stat in hotwatch's words. POSIX calls the time st_mtim, macOS st_mtimespec; when a file was born POSIX does
/// not ask. FreeBSD says -1 where the file system does not tell.
template <class Status>
void read_status(const Status& s, file_status& out) noexcept {
  if constexpr (requires { s.st_mtimespec; }) {
    out.modified = to_file_time(s.st_mtimespec);
    out.changed = to_file_time(s.st_ctimespec);
  } else {
    out.modified = to_file_time(s.st_mtim);
    out.changed = to_file_time(s.st_ctim);
  }
  timespec born{};
  if constexpr (requires { s.st_birthtimespec; }) {
    born = s.st_birthtimespec;
  } else if constexpr (requires { s.st_birthtim; }) {
    born = s.st_birthtim;
  } else if constexpr (requires { s.__st_birthtim; }) {
    born = s.__st_birthtim;
  }
  out.born = born.tv_sec > 0 ? to_file_time(born) : 0;
  out.type = entry_type_of_mode(s.st_mode);
  out.device = static_cast<std::uint64_t>(s.st_dev);
  out.file_id = static_cast<std::uint64_t>(s.st_ino);
  out.size = static_cast<std::uint64_t>(s.st_size);
  out.mode = s.st_mode;
  out.user = s.st_uid;
  out.group = s.st_gid;
  out.links = static_cast<std::uint32_t>(s.st_nlink);
}

/// POSIX calls it d_ino, and the BSDs d_fileno where the compiler is asked for no extensions.
template <class Entry>
[[nodiscard]] std::uint64_t number_of(const Entry& entry) noexcept {
  if constexpr (requires { entry.d_ino; })
    return static_cast<std::uint64_t>(entry.d_ino);
  else
    return static_cast<std::uint64_t>(entry.d_fileno);
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
    directory child = opened(open_.system(), fd(), name_buffer(name).c_str(), O_NOFOLLOW, ec);
    // Of a symlink POSIX says ELOOP, FreeBSD EMLINK, NetBSD EFTYPE.
    file_status status;
    if (ec && !look(name, status) && status.type != entry_type::directory)
      ec = std::make_error_code(std::errc::not_a_directory);
    return child;
  }

  /// Opens the directory that `name` in this one leads to, if it is a symlink.
  [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const noexcept {
    return opened(open_.system(), fd(), name_buffer(name).c_str(), 0, ec);
  }

  [[nodiscard]] explicit operator bool() const noexcept { return fd() >= 0; }
  [[nodiscard]] int fd() const noexcept { return open_.fd(); }
  void close() noexcept { open_.close(); }

  /// Calls visit(name, type, file_id) for each entry but "." and "..".
  template <class Visit>
  [[nodiscard]] std::error_code list(std::vector<char>&, Visit&& visit) const {
    const listing entries(open_.system(), fd());
    if (!entries) return last_error();
    for (;;) {
      errno = 0;
      const auto* entry = entries.next();
      if (entry == nullptr && errno == EINTR) continue;
      if (entry == nullptr) return last_error();
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") visit(name, entry_type_of(entry->d_type), number_of(*entry));
    }
  }

  /// Looks at a name in this directory, or with an empty name at the directory itself.
  [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const noexcept {
    if (!name.empty()) return status_of(open_.system(), fd(), name_buffer(name).c_str(), out);
    struct ::stat s;
    if (open_.system().fstat(fd(), &s) != 0) return last_error();
    read_status(s, out);
    return {};
  }

  /// No BSD says for which of its file systems that holds.
  [[nodiscard]] static constexpr bool dates_its_names() noexcept { return false; }

  /// Looks at what a path leads to, through symlinks on the way but not at its end.
  [[nodiscard]] static std::error_code look(System& system, const char* path, file_status& out) noexcept {
    return status_of(system, AT_FDCWD, path, out);
  }

 private:
  /// Of a descriptor of its own, because closedir(3) closes it. They share their place in the directory, so each begins
  /// with a rewind.
  class listing {
   public:
    listing(System& system, int fd) noexcept : system_(system) {
      const int own = system.fcntl(fd, F_DUPFD_CLOEXEC, 0);
      if (own < 0) return;
      entries_ = system.fdopendir(own);
      if (entries_ != nullptr) {
        system.rewinddir(entries_);
      } else {
        const int why = errno;
        system.close(own);
        errno = why;
      }
    }
    listing(const listing&) = delete;
    listing& operator=(const listing&) = delete;
    ~listing() {
      if (entries_ != nullptr) system_.closedir(entries_);
    }
    [[nodiscard]] explicit operator bool() const noexcept { return entries_ != nullptr; }
    [[nodiscard]] auto next() const noexcept { return system_.readdir(entries_); }

   private:
    System& system_;
    decltype(std::declval<System&>().fdopendir(0)) entries_ = nullptr;  // a DIR, where nothing stands in for it
  };

  [[nodiscard]] static std::error_code status_of(System& system, int at, const char* path, file_status& out) noexcept {
    struct ::stat s;
    if (system.fstatat(at, path, &s, AT_SYMLINK_NOFOLLOW) != 0) return last_error();
    read_status(s, out);
    return {};
  }

  [[nodiscard]] static directory opened(System& system, int at, const char* path, int flags,
                                        std::error_code& ec) noexcept {
    const int fd = uninterrupted([&] { return system.openat(at, path, open_directory_flags | flags); });
    ec = fd < 0 ? last_error() : std::error_code();
    return directory(system, fd);
  }

  descriptor<System> open_;
};

}  // namespace hotwatch::inline v0::detail::bsd
