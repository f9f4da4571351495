// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The listing that options::follow_symlinks promises: a link to a directory is that directory, unless it leads back.

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/files.hpp"

namespace hotwatch::test {

/// Everything below a directory, by its whole path.
class followed_listing {
 public:
  explicit followed_listing(bool recursive) : recursive_(recursive) {}

  listing list(const std::string& top) {
    enter(::open(top.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), top);
    return std::move(out_);
  }

 private:
  using identity = std::pair<dev_t, ino_t>;

  // Takes the descriptor.
  void enter(int fd, const std::string& path) {
    struct stat here {};
    if (fd < 0 || ::fstat(fd, &here) != 0) return;
    above_.emplace_back(here.st_dev, here.st_ino);
    DIR* const dir = ::fdopendir(fd);
    while (const dirent* entry = ::readdir(dir))
      if (const std::string_view name = entry->d_name; name != "." && name != "..")
        take(fd, entry->d_name, path + '/' + entry->d_name);
    ::closedir(dir);
    above_.pop_back();
  }

  void take(int parent, const char* name, const std::string& path) {
    struct stat s {};
    if (::fstatat(parent, name, &s, AT_SYMLINK_NOFOLLOW) != 0) return;
    const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
    const bool entered = S_ISDIR(s.st_mode) || (fd >= 0 && !leads_back(fd));
    out_.emplace(path, entered ? entry_type::directory : type_of(s.st_mode));
    if (entered && recursive_)
      enter(fd, path);
    else if (fd >= 0)
      ::close(fd);
  }

  [[nodiscard]] bool leads_back(int fd) const {
    struct stat there {};
    if (::fstat(fd, &there) != 0) return true;
    return std::find(above_.begin(), above_.end(), identity(there.st_dev, there.st_ino)) != above_.end();
  }

  bool recursive_;
  listing out_;
  std::vector<identity> above_;
};

inline listing list_followed(const std::string& top, bool recursive = true) {
  return followed_listing(recursive).list(top);
}

}  // namespace hotwatch::test
