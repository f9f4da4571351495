// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An open directory that knows which one it is, and does not ask for that: its names say so. Floor 3.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "directory.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// The first names of the directory that was asked last which one it is: what was read for that is not read again.
struct first_names {
  /// Enough for most directories, whose names are then all here; of others the rest comes with the next call.
  std::vector<char> bytes = std::vector<char>(4096);
  std::size_t size = 0;
  std::uint64_t of = 0;  ///< whose, as they are counted here
  std::uint64_t count = 0;
};

/// A directory, its device and its inode number. The device is that of the directory above, unless something is mounted
/// here (directory::may_begin_mount); the number is that of the name ".", where that is the first of its names, as on
/// nearly every file system (dir_emit_dots() of linux/fs.h). So a directory that is listed anyhow costs no system call
/// more. Moves; one thread at a time.
template <class System>
class numbered_directory {
 public:
  numbered_directory() noexcept = default;

  [[nodiscard]] static numbered_directory open(System& system, first_names& first, const char* path,
                                               std::error_code& ec) {
    numbered_directory d(system, first, directory<System>::open(system, path, ec));
    d.learn(ec);
    return d;
  }

  [[nodiscard]] numbered_directory open_child(std::string_view name, std::error_code& ec) const {
    numbered_directory d(*system_, *first_, dir_.open_child(name, ec));
    if (asks_each_ || d.dir_.may_begin_mount())
      d.learn(ec);
    else
      d.device_ = device_;
    return d;
  }

  [[nodiscard]] numbered_directory open_link(std::string_view name, std::error_code& ec) const {
    numbered_directory d(*system_, *first_, dir_.open_link(name, ec));
    d.learn(ec);
    return d;
  }

  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(dir_); }
  [[nodiscard]] int fd() const noexcept { return dir_.fd(); }
  [[nodiscard]] std::uint64_t device() const noexcept { return device_; }
  /// 0 with an error.
  [[nodiscard]] std::uint64_t file_id(std::error_code& ec) const {
    if (file_id_ == 0) read_first_names();
    if (file_id_ == 0) ec = look_at_number();
    return file_id_;
  }

  template <class Visit>
  [[nodiscard]] std::error_code list(std::vector<char>& buffer, Visit&& visit) const {
    if (const std::uint64_t mine = std::exchange(number_, 0); mine != 0) {
      if (first_->of == mine)
        each_entry(std::string_view(first_->bytes.data(), first_->size), [&](auto name, auto type, auto id) {
          if (name != "." && name != "..") visit(name, type, id);
        });
      else if (system_->lseek(fd(), 0, SEEK_SET) < 0)  // another directory was asked meanwhile
        return last_error();
    }
    return dir_.list(buffer, visit);
  }

  [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const noexcept {
    return dir_.look(name, out);
  }
  [[nodiscard]] bool dates_its_names() const noexcept { return dir_.dates_its_names(); }

 private:
  numbered_directory(System& system, first_names& first, directory<System> d) noexcept
      : system_(&system), first_(&first), dir_(std::move(d)) {}

  // Asked of the system: at the top, and where something is mounted.
  void learn(std::error_code& ec) {
    file_status status;
    if (!*this) return;
    if ((ec = dir_.look({}, status))) {
      dir_.close();
      return;
    }
    device_ = status.device;
    file_id_ = status.file_id;
    // A subvolume of btrfs is a device of its own, and no mount.
    asks_each_ = dir_.may_have_subvolumes();
  }

  void read_first_names() const {
    first_->of = 0;
    const ssize_t size = system_->getdents64(fd(), first_->bytes.data(), first_->bytes.size());
    if (size <= 0) return;
    first_->size = static_cast<std::size_t>(size);
    first_->of = number_ = ++first_->count;
    visit_entry(first_->bytes.data(), [&](auto name, auto, auto id) {
      if (name == ".") file_id_ = id;
    });
  }

  [[nodiscard]] std::error_code look_at_number() const noexcept {
    file_status status;
    const std::error_code ec = dir_.look({}, status);
    if (!ec) file_id_ = status.file_id;
    return ec;
  }

  System* system_ = nullptr;
  first_names* first_ = nullptr;
  directory<System> dir_;
  std::uint64_t device_ = 0;
  mutable std::uint64_t file_id_ = 0;  ///< 0: not known yet
  mutable std::uint64_t number_ = 0;   ///< its first names were read, see first_names::of
  bool asks_each_ = false;
};

}  // namespace hotwatch::inline v0::detail
