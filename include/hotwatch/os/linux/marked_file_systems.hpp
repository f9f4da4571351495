// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The file systems that a fanotify group has marked, and how to get at one of them when an event names it. Floor 3.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../../decode/fanotify.hpp"
#include "descriptor_path.hpp"
#include "file_system.hpp"
#include "numbered_directory.hpp"
#include "system.hpp"

namespace hotwatch::inline v0::detail {

/// One mark a file system, however many roots are on it. No descriptor is kept: it would hold the file system against
/// unmounting. So where one is needed (open_by_handle_at(2)), a place on the file system is opened.
template <class System>
class marked_file_systems {
 public:
  using number = std::uint32_t;
  static constexpr number none = 0xffffffff;

  marked_file_systems(System& system, descriptor_path<System>& path) noexcept : system_(system), path_(path) {}
  marked_file_systems(const marked_file_systems&) = delete;
  marked_file_systems& operator=(const marked_file_systems&) = delete;

  /// The file system that the device holds, if it is marked.
  [[nodiscard]] number on(std::uint64_t device) const noexcept {
    for (number i = 0; i < all_.size(); ++i)
      if (all_[i].device == device && all_[i].marked) return i;
    return none;
  }

  /// That of an event. Its directories are looked for even where the mark is in doubt.
  [[nodiscard]] number of(std::uint64_t id) const noexcept {
    for (number i = 0; i < all_.size(); ++i)
      if (all_[i].id == id) return i;
    return none;
  }

  [[nodiscard]] std::uint64_t device(number i) const noexcept { return all_[i].device; }

  /// Marks the file system that the directory is on; a mark that stands stays as it is.
  [[nodiscard]] number mark(int group, const numbered_directory<System>& d, std::error_code& ec) {
    using namespace fanotify;
    constexpr std::uint64_t mask =
        fan_create | fan_delete | fan_rename | fan_modify | fan_close_write | fan_attrib | fan_ondir;
    constexpr unsigned add = 0x1, whole = 0x100;  // linux/fanotify.h
    struct ::statfs s;
    if (!ask_file_system(system_, d.fd(), s) || system_.fanotify_mark(group, add | whole, mask, d.fd()) != 0) {
      ec = last_error();
      return none;
    }
    std::uint64_t id;
    static_assert(sizeof s.f_fsid == sizeof id);
    std::memcpy(&id, &s.f_fsid, sizeof id);
    number i = 0;
    while (i < all_.size() && all_[i].id != id) ++i;
    for (file_system& other : all_) other.marked &= other.device != d.device();
    if (i == all_.size()) all_.push_back({});
    all_[i] = {id, d.device(), true, place_of(d)};
    return i;
  }

  /// The mark may be gone: it is to be made anew when the file system is met again. Returns whether that is new.
  bool doubt(number i) noexcept { return std::exchange(all_[i].marked, false); }

  /// A descriptor on the file system, until close(); -1 when no way leads there any more.
  [[nodiscard]] int descriptor(number i) {
    if (open_of_ == i) return open_.fd();
    close();
    // Where the place was moved away, what is above it is most often on the same file system.
    for (std::string place = all_[i].place; !place.empty(); place.resize(place.rfind('/'))) {
      std::error_code ec;
      directory<System> d = directory<System>::open(system_, place.c_str(), ec);
      file_status status;
      if (d && !d.look({}, status) && status.device == all_[i].device) {
        open_ = std::move(d);
        open_of_ = i;
        return open_.fd();
      }
    }
    return -1;
  }
  void close() noexcept {
    open_ = directory<System>();
    open_of_ = none;
  }

 private:
  struct file_system {
    std::uint64_t id = 0;  ///< f_fsid of statfs(2), as events have it
    std::uint64_t device = 0;
    bool marked = false;
    std::string place;  ///< a directory on it
  };

  [[nodiscard]] std::string place_of(const numbered_directory<System>& d) const {
    std::string place(4096, '\0');
    const ssize_t size = system_.readlink(path_.of(d.fd()), place.data(), place.size());
    // "(unreachable)/..." is none that can be opened.
    place.resize(size > 0 && place.front() == '/' ? static_cast<std::size_t>(size) : 0);
    return place;
  }

  System& system_;
  descriptor_path<System>& path_;
  std::vector<file_system> all_;
  number open_of_ = none;
  directory<System> open_;
};

}  // namespace hotwatch::inline v0::detail
