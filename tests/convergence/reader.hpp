// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A user who reads a file whenever it is told, and so knows of each content that was never told.

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>

#include "hotwatch.hpp"
#include "support/files.hpp"
#include "support/model.hpp"

namespace hotwatch::test {

/// Which file it is, reused inode numbers told apart by the time of birth.
using identity = std::tuple<std::uint64_t, std::int64_t, std::uint32_t>;

inline bool identify(int fd, const char* path, int flags, identity& id, std::uint32_t& links, bool& regular) {
  struct statx s {};
  if (::statx(fd, path, flags | AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &s) != 0) return false;
  id = {s.stx_ino, s.stx_btime.tv_sec, s.stx_btime.tv_nsec};
  links = s.stx_nlink;
  regular = S_ISREG(s.stx_mode);
  return true;
}

/// What was read from a file, and which file that was.
struct reading {
  bool valid = false;
  identity id{};
  std::size_t hash = 0;
};

inline reading read_now(const std::string& path) {
  reading r;
  const int fd = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return r;
  std::uint32_t links = 0;
  bool regular = false;
  if (identify(fd, "", AT_EMPTY_PATH, r.id, links, regular) && regular) {
    std::string text;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(n));
    r.hash = std::hash<std::string>()(text);
    r.valid = true;
  }
  ::close(fd);
  return r;
}

/// Files that ever had two names: a write through one name is told for that name alone, so they are left out.
class linked_files {
 public:
  void add(const identity& id) {
    const std::lock_guard lock(mutex_);
    all_.insert(id);
  }
  bool has(const identity& id) {
    const std::lock_guard lock(mutex_);
    return all_.contains(id);
  }

 private:
  std::mutex mutex_;
  std::set<identity> all_;
};

/// A user that reads a file whenever it is told, and keeps what was read.
class reader {
 public:
  explicit reader(linked_files& linked) : linked_(linked) {}

  void apply(const change& c) {
    switch (c.kind) {
      case change_kind::created:
      case change_kind::modified:
        if (c.type == entry_type::file) {
          const std::string path(c.path);
          files_.insert_or_assign(path, state{read_now(path), {}, true});
        }
        break;
      case change_kind::removed:
        if (const auto it = files_.find(c.path); it != files_.end()) files_.erase(it);
        break;
      case change_kind::renamed: {
        if (const auto it = files_.find(c.path); it != files_.end()) files_.erase(it);
        move_subtree(files_, c.old_path, c.path);
        // A reading may have met another file that had this name for a moment; it is done again then.
        for (auto it = files_.lower_bound(c.path); it != files_.end() && it->first.starts_with(c.path); ++it) {
          if (it->first.size() != c.path.size() && it->first[c.path.size()] != '/') continue;
          const bool told_now = c.modified && it->first == c.path;
          const reading fresh = read_now(it->first);
          if (told_now) it->second.told = true;
          if (told_now || !it->second.last.valid || !fresh.valid || fresh.id != it->second.last.id)
            it->second.last = fresh;
        }
        break;
      }
      case change_kind::metadata: break;
    }
  }

  void take_all(const listing& disk) {
    for (const auto& [path, type] : disk)
      if (type == entry_type::file) files_[path] = {read_now(path), read_now(path), false};
  }
  void forget(std::string_view path) {
    std::erase_if(files_, [&](const auto& f) { return model::is_below(f.first, path); });
  }

  /// At a quiet moment: a content that differs from what was read, though the same file was read, was never told.
  std::string lost(const listing& disk) {
    std::string text;
    for (auto& [path, known_state] : files_) {
      const auto it = disk.find(path);
      if (it == disk.end() || it->second != entry_type::file) continue;
      const reading now = read_now(path);
      if (!now.valid) continue;
      if (!linked_.has(now.id)) {
        if (known_state.last.valid && known_state.last.id == now.id && known_state.last.hash != now.hash)
          text += "a modification was lost: " + path + '\n';
        else if (!known_state.told && known_state.quiet.valid && !linked_.has(known_state.quiet.id) &&
                 known_state.quiet.hash != now.hash)
          text += "another content, never told: " + path + '\n';
      }
      known_state = {now, now, false};
    }
    return text;
  }

 private:
  struct state {
    reading last;   // at the last telling
    reading quiet;  // at the last quiet moment
    bool told = false;
  };
  linked_files& linked_;
  std::map<std::string, state, std::less<>> files_;
};

}  // namespace hotwatch::test
