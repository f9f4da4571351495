// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Writes down what a backend says, as a trace. The watcher over it works as ever: it is what reads, and what asks for
// watches on new directories.

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <hotwatch/backend.hpp>
#include <hotwatch/core/filter.hpp>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "trace.hpp"

namespace trace {

/// The path as the kernel spells it: absolute, free of symlinks, and without a slash at its end, so "" is the top.
/// Throws std::system_error.
inline std::string canonical(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr), &std::free);
  if (!real) throw std::system_error(errno, std::system_category(), path);
  return std::strcmp(real.get(), "/") == 0 ? "" : real.get();
}

class recorder {
 public:
  using clock = std::chrono::steady_clock;
  using hint = hotwatch::detail::hint;
  using hint_kind = hotwatch::detail::hint_kind;

  /// `root` is canonical().
  recorder(std::string root, const std::vector<std::string>& exclude) : root_(std::move(root)), filter_({}, exclude) {}

  /// What happens to this file, given by its canonical() path, is not written down: it is the trace.
  void leave_out(const std::string& path) {
    if (is_below(path)) left_out_ = path.substr(root_.size() + 1);
  }

  /// From now on this handle stands for the open directory.
  void note_watch(std::int32_t watch, int directory) {
    const std::string link = "/proc/self/fd/" + std::to_string(directory);
    char path[4096];
    const ssize_t size = ::readlink(link.c_str(), path, sizeof path);
    const std::string_view at(path, size > 0 ? static_cast<std::size_t>(size) : 0);
    if (watch < 0 || (at != root_ && at != "/" && !is_below(at))) return;
    const std::string below = is_below(at) ? std::string(at.substr(root_.size() + 1)) + '/' : "";
    if (directories_.insert_or_assign(watch, below).second && started_) note_found(link, below);
  }

  /// What was there was listed. From now on what a new directory already holds, of which no hint tells, is written
  /// down.
  void start() {
    started_ = true;
    now_ = began_ = clock::now();
  }

  /// What follows was read now.
  void note_read() {
    now_ = clock::now();
    if (events_ == 0) began_ = now_;  // the first event is at 0ms
  }

  void note(const hint& h) {
    if (h.kind == hint_kind::overflow) return write({time(), {"overflow"}});
    const auto known = directories_.find(h.watch);
    if (known == directories_.end() || h.name.empty()) return;
    const bool is_directory = h.type == hotwatch::entry_type::directory;
    const std::string path = known->second + std::string(h.name) + (is_directory ? "/" : "");
    if (!counts(path, h.name)) return;
    switch (h.kind) {
      case hint_kind::appeared:
        if (found_.erase(path) != 0) return;  // the listing was ahead of the queue
        return write({time(), {how_it_appeared(path, is_directory), path}});
      case hint_kind::vanished: return write({time(), {"vanished", path}});
      case hint_kind::written: return write({time(), {"written", path}});
      case hint_kind::completed: return write({time(), {"completed", path}});
      case hint_kind::attributes: return write({time(), {"attributes", path}});
      case hint_kind::moved_from: lefts_.push_back({h.pair, pending_.size()}); return write({time(), {"left", path}});
      case hint_kind::moved_to: return arrive(h.pair, path, is_directory);
      default: return;
    }
  }

  /// The lines since the last call. With a first half of a rename, which waits for its second one, all that follows it
  /// waits too, unless this is the end.
  [[nodiscard]] std::string take_lines(bool all) {
    // Both halves are queued while the directories are locked: a second half that is not in the next read is nowhere.
    std::erase_if(lefts_, [&](const left& l) { return all || pending_[l.event].at < time(); });
    const std::size_t ready = lefts_.empty() ? pending_.size() : lefts_.front().event;
    std::string lines;
    for (std::size_t i = 0; i < ready; ++i)
      if (!pending_[i].words.empty()) append_line(lines, pending_[i]);
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(ready));
    for (left& l : lefts_) l.event -= ready;
    found_.clear();
    return lines;
  }

  [[nodiscard]] std::size_t events() const noexcept { return events_; }

 private:
  struct left {
    std::uint32_t pair;
    std::size_t event;  ///< its place in pending_: "left", unless the second half comes
  };

  [[nodiscard]] bool is_below(std::string_view path) const {
    return path.size() > root_.size() + 1 && path.starts_with(root_) && path[root_.size()] == '/';
  }
  [[nodiscard]] bool counts(const std::string& path, std::string_view name) const {
    const bool is_directory = path.back() == '/';
    const std::string_view way = std::string_view(path).substr(0, path.size() - (is_directory ? 1 : 0));
    return path != left_out_ && filter_.judge(name, way, is_directory) == hotwatch::detail::verdict::told;
  }

  [[nodiscard]] nanoseconds time() const { return now_ - began_; }

  void write(const event& e) {
    ++events_;
    pending_.push_back(e);
  }

  void note_found(const std::string& directory, const std::string& below) {
    const std::unique_ptr<DIR, int (*)(DIR*)> entries(::opendir(directory.c_str()), &::closedir);
    if (!entries) return;
    while (const dirent* const entry = ::readdir(entries.get())) {
      const std::string name = entry->d_name;
      if (name == "." || name == "..") continue;
      const bool is_directory = entry->d_type == DT_DIR;
      const std::string path = below + name + (is_directory ? "/" : "");
      if (!counts(path, name) || !found_.insert(path).second) continue;
      write({time(), {is_directory ? "appeared" : entry->d_type == DT_LNK ? "symlinked" : "linked", path}});
    }
  }

  // Whoever replays this cannot look at the disk.
  [[nodiscard]] std::string how_it_appeared(const std::string& path, bool is_directory) const {
    struct ::stat s {};
    if (is_directory || ::lstat((root_ + '/' + path).c_str(), &s) != 0) return "appeared";
    return S_ISLNK(s.st_mode) ? "symlinked" : s.st_nlink > 1 ? "linked" : "appeared";
  }

  void arrive(std::uint32_t pair, const std::string& path, bool is_directory) {
    for (auto it = lefts_.begin(); it != lefts_.end(); ++it) {
      if (it->pair != pair) continue;
      const std::string from = pending_[it->event].words.back();
      pending_[it->event].words.clear();
      --events_;
      lefts_.erase(it);
      if (is_directory)
        for (auto& [watch, directory] : directories_)
          if (directory.starts_with(from)) directory.replace(0, from.size(), path);
      return write({time(), {"renamed", from, path}});
    }
    write({time(), {"came", path}});
  }

  std::string root_;
  std::map<std::int32_t, std::string> directories_;  ///< the way below the root, with a slash at its end
  std::vector<left> lefts_;
  std::set<std::string> found_;  ///< in new directories, since the last lines were taken
  bool started_ = false;
  clock::time_point began_{};
  clock::time_point now_{};
  std::size_t events_ = 0;
  std::vector<event> pending_;
  hotwatch::detail::filter filter_;
  std::string left_out_;
};

/// The backend, and somebody who writes down what it says.
template <class Backend>
class recording_backend : public Backend {
 public:
  explicit recording_backend(recorder& to) : to_(to) {}

  template <class Directory>
  [[nodiscard]] hotwatch::watch_answer watch(const Directory& d, hotwatch::watch_scope scope) {
    const hotwatch::watch_answer answer = Backend::watch(d, scope);
    to_.note_watch(answer.watch, d.fd());
    return answer;
  }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    to_.note_read();
    return Backend::drain([&](const hotwatch::detail::hint& h) {
      to_.note(h);
      sink(h);
    });
  }

 private:
  recorder& to_;
};

}  // namespace trace
