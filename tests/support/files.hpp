// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The disk as the tests use it: operations by name, a temporary directory of one's own, and a listing.

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "hotwatch/config.hpp"
#if HOTWATCH_WINDOWS
#include "windows/raw.hpp"
#else
#include "linux/raw.hpp"
#endif

namespace hotwatch::test {

/// Everything below a directory: `prefix`/name -> type. Links are not followed; a directory that is gone is empty.
inline listing list(const std::string& directory, const std::string& prefix, bool recursive = true) {
  listing out;
  list_into(out, directory, prefix + '/', recursive);
  return out;
}

/// A directory in which things are done by name; every operation throws when it fails.
class place {
 public:
  explicit place(std::string path) : path_(std::move(path)) {}
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string at(std::string_view name) const {
    const bool is_absolute = name.starts_with('/') || (name.size() > 1 && name[1] == ':');
    if (is_absolute) return std::string(name);
    return path_ + '/' + std::string(name);
  }

  void write(std::string_view name, std::string_view text = "text") const { done(raw::write(at(name), text), name); }
  void append(std::string_view name, std::string_view text = "more") const { done(raw::append(at(name), text), name); }
  void truncate(std::string_view name, off_t size = 0) const { done(raw::truncate(at(name), size), name); }
  void touch(std::string_view name) const { done(raw::touch(at(name)), name); }
  void mkdir(std::string_view name) const { done(raw::mkdir(at(name)), name); }
  void mkdir_p(std::string_view name) const { done(raw::mkdir_p(at(name)), name); }
  void rename(std::string_view from, std::string_view to) const { done(raw::rename(at(from), at(to)), from); }
  void exchange(std::string_view a, std::string_view b) const { done(raw::exchange(at(a), at(b)), a); }
  void link(std::string_view old, std::string_view name) const { done(raw::link(at(old), at(name)), name); }
  void symlink(std::string_view to, std::string_view name) const {
    done(raw::symlink(std::string(to), at(name)), name);
  }
  void rm(std::string_view name) const { done(raw::rm(at(name)), name); }
  void rmdir(std::string_view name) const { done(raw::rmdir(at(name)), name); }
  void rm_rf(std::string_view name) const { done(raw::rm_rf(at(name)), name); }
  void chmod(std::string_view name, mode_t mode) const { done(raw::chmod(at(name), mode), name); }
  [[nodiscard]] listing list(bool recursive = true) const { return test::list(path_, path_, recursive); }

 private:
  static void done(bool ok, std::string_view what) {
    if (!ok) throw std::system_error(raw::last_error(), std::string(what.substr(0, 200)));
  }
  std::string path_;
};

/// A new directory with `root` (to be watched) and `out` (outside of it); all of it is gone afterwards.
class temp_directory {
 public:
  temp_directory() : base_(raw::make_directory()), root_(base_.at("root")), out_(base_.at("out")) {
    base_.mkdir("root");
    base_.mkdir("out");
  }
  temp_directory(const temp_directory&) = delete;
  temp_directory& operator=(const temp_directory&) = delete;
  ~temp_directory() { raw::rm_rf(base_.path()); }

  [[nodiscard]] const place& base() const { return base_; }
  [[nodiscard]] const place& root() const { return root_; }
  [[nodiscard]] const place& out() const { return out_; }

 private:
  place base_;
  place root_;
  place out_;
};

}  // namespace hotwatch::test
