// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A disk that is a script, and the backend over it: what a watcher makes of it depends on nothing but the events and
// their times. The language is explained in tests/cases/README.md.

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <hotwatch/backend.hpp>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <tuple>
#include <utility>
#include <vector>

#include "simulated_clock.hpp"

namespace trace {

using nanoseconds = std::chrono::nanoseconds;
using hotwatch::entry_type;
using hotwatch::detail::file_status;
using hotwatch::detail::file_time;
using hotwatch::detail::hint;
using hotwatch::detail::hint_kind;
using hotwatch::detail::no_watch;

struct entry {
  file_status status;
  std::int32_t watch = no_watch;
  std::map<std::string, std::shared_ptr<entry>, std::less<>> children;
};
using entry_ptr = std::shared_ptr<entry>;

inline std::error_code failed(int error) { return {error, std::generic_category()}; }

/// What happens, and when: it changes the disk and says what inotify would.
class scripted_disk {
 public:
  struct owned_hint {
    hint_kind kind;
    std::int32_t watch;
    std::string name;
    entry_type type;
    std::uint32_t pair;
  };
  struct event {
    nanoseconds at;
    std::vector<std::string> words;
  };

  scripted_disk() : top(make(entry_type::directory)), root(make(entry_type::directory)) {
    top->children["root"] = root;
  }

  bool polled = false;
  bool forgiving = false;  ///< an event may be about what is not there, as in a record of real ones: it is made first
  int watches_left = 1'000'000;
  std::deque<event> events;
  nanoseconds end = nanoseconds::max();
  std::function<void()> on_end;

  /// Advances the clock to the next event or by the time-out, whichever comes first. Returns whether there are hints.
  bool wait(std::optional<nanoseconds> timeout) {
    if (++idle_waits_ > 1'000'000) throw std::runtime_error("the watcher waits without waiting");
    take_due();
    if (!hints.empty()) return true;
    const nanoseconds now = simulated_clock::since_start();
    const nanoseconds next = events.empty() ? end : std::min(events.front().at, end);
    if (timeout && now + *timeout < next) {
      simulated_clock::advance(*timeout);
      return false;
    }
    if (next == end) {
      if (end != nanoseconds::max()) simulated_clock::advance(end - now);
      on_end();
      return false;
    }
    simulated_clock::advance(next - now);
    take_due();
    return !hints.empty();
  }

  entry_ptr find(std::string_view path) const {
    entry_ptr at = top;
    if (path.size() > 1 && path[1] == ':') path.remove_prefix(2);  // on Windows a path begins with its drive
    while (!path.empty() && at) {
      const std::size_t slash = path.find('/');
      const std::string_view name = path.substr(0, slash);
      if (!name.empty()) {
        const auto it = at->children.find(name);
        at = it == at->children.end() ? nullptr : it->second;
      }
      path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return at;
  }

  std::int32_t watch(entry& e) {
    if (e.watch == no_watch && watches_left > 0) {
      --watches_left;
      e.watch = next_watch_++;
    }
    return e.watch;
  }

  void run(const std::vector<std::string>& words) {
    const std::string& what = words.at(0);
    if (what == "silently") {
      silent_ = true;
      run({words.begin() + 1, words.end()});
      silent_ = false;
    } else if (what == "existing") {
      silent_ = true;
      for (std::size_t i = 1; i < words.size(); ++i) appear(words[i], 1);
      silent_ = false;
    } else if (what == "overflow") {
      hints.push_back({hint_kind::overflow, no_watch, {}, {}, 0});
    } else if (what == "appeared") {
      appear(words.at(1), 1);
    } else if (what == "linked") {
      appear(words.at(1), 2);
    } else if (what == "symlinked") {
      appear(words.at(1), 1, entry_type::symlink);
    } else if (what == "renamed") {
      const place from = place_of(words.at(1));
      const place to = place_of(words.at(2));
      const entry_ptr moved = take(from);
      const std::uint32_t pair = ++last_pair_;
      say(hint_kind::moved_from, from, moved->status.type, pair);
      put(to, moved);
      say(hint_kind::moved_to, to, moved->status.type, pair);
    } else if (what == "exchanged") {
      const place a = place_of(words.at(1));
      const place b = place_of(words.at(2));
      const entry_ptr first = take(a);
      const entry_ptr second = take(b);
      put(a, second);
      put(b, first);
      for (const auto& [from, to, type] :
           {std::tuple(a, b, first->status.type), std::tuple(b, a, second->status.type)}) {
        const std::uint32_t pair = ++last_pair_;
        say(hint_kind::moved_from, from, type, pair);
        say(hint_kind::moved_to, to, type, pair);
      }
    } else if (what == "left") {
      const place from = place_of(words.at(1));
      say(hint_kind::moved_from, from, take(from)->status.type, ++last_pair_);
    } else if (what == "came") {
      const place to = place_of(words.at(1));
      const entry_ptr e = make(is_directory(words[1]) ? entry_type::directory : entry_type::file);
      put(to, e);
      say(hint_kind::moved_to, to, e->status.type, ++last_pair_);
    } else if (what == "vanished") {
      const place from = place_of(words.at(1));
      const entry_ptr gone = take(from);
      if (gone->watch != no_watch) hints.push_back({hint_kind::unwatched, gone->watch, {}, {}, 0});
      say(hint_kind::vanished, from, gone->status.type);
    } else {
      const place at = place_of(words.at(1));
      file_status& s = entry_at(at).status;
      s.changed = now();
      if (what == "written") {
        s.modified = now();
        ++s.size;
        say(hint_kind::written, at, s.type);
      } else if (what == "completed") {
        say(hint_kind::completed, at, s.type);
      } else if (what == "attributes") {
        s.mode ^= 0111;
        say(hint_kind::attributes, at, s.type);
      } else {
        throw std::runtime_error("no such event: " + what);
      }
    }
  }

  static file_time now() { return static_cast<file_time>(simulated_clock::at.count()); }

  entry_ptr top;
  entry_ptr root;
  std::deque<owned_hint> hints;

 private:
  struct place {
    entry_ptr directory;
    std::string name;
  };

  static bool is_directory(const std::string& path) { return path.back() == '/'; }

  entry_ptr make(entry_type type) {
    auto e = std::make_shared<entry>();
    e->status.type = type;
    e->status.device = 1;
    e->status.file_id = ++last_id_;
    e->status.modified = e->status.changed = e->status.born = now();
    e->status.mode = 0644;
    e->status.links = 1;
    return e;
  }

  [[nodiscard]] place place_of(std::string path) {
    if (path.back() == '/') path.pop_back();
    const std::size_t slash = path.rfind('/');
    const std::string above = slash == std::string::npos ? std::string() : path.substr(0, slash);
    const entry_ptr directory = find("/root/" + above);
    if (directory) return {directory, path.substr(slash + 1)};
    if (!forgiving) throw std::runtime_error("not there: " + path);
    const place missing = place_of(above);
    put(missing, make(entry_type::directory));
    say(hint_kind::appeared, missing, entry_type::directory);
    return {missing.directory->children[missing.name], path.substr(slash + 1)};
  }
  [[nodiscard]] entry& entry_at(const place& p) {
    const auto it = p.directory->children.find(p.name);
    if (it != p.directory->children.end()) return *it->second;
    if (!forgiving) throw std::runtime_error("not there: " + p.name);
    return *(p.directory->children[p.name] = make(entry_type::file));
  }
  void put(const place& p, entry_ptr e) { p.directory->children[p.name] = std::move(e); }
  entry_ptr take(const place& p) {
    (void)entry_at(p);
    const auto it = p.directory->children.find(p.name);
    entry_ptr e = it->second;
    p.directory->children.erase(it);
    return e;
  }
  void appear(const std::string& path, std::uint32_t links, entry_type type = entry_type::file) {
    const place p = place_of(path);
    const entry_ptr e = make(is_directory(path) ? entry_type::directory : type);
    e->status.links = links;
    put(p, e);
    say(hint_kind::appeared, p, e->status.type);
  }
  void say(hint_kind kind, const place& p, entry_type type, std::uint32_t pair = 0) {
    if (silent_ || p.directory->watch == no_watch) return;
    hints.push_back({kind, p.directory->watch, p.name,
                     type == entry_type::directory ? entry_type::directory : entry_type::unknown, pair});
  }
  void take_due() {
    while (!events.empty() && events.front().at <= simulated_clock::since_start()) {
      const event e = events.front();
      events.pop_front();
      idle_waits_ = 0;
      run(e.words);
    }
  }

  bool silent_ = false;
  std::int32_t next_watch_ = 1;
  std::uint64_t last_id_ = 100;
  std::uint32_t last_pair_ = 0;
  int idle_waits_ = 0;
};

/// Models hotwatch::backend over a scripted_disk.
class scripted_backend {
 public:
  explicit scripted_backend(scripted_disk& disk) : disk_(disk) {}

  class directory {
   public:
    directory() = default;
    explicit directory(entry_ptr e) : entry_(std::move(e)) {}
    explicit operator bool() const noexcept { return entry_ != nullptr; }

    [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
      const auto it = entry_->children.find(name);
      return opened(it == entry_->children.end() ? nullptr : it->second, ec);
    }
    [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const { return open_child(name, ec); }
    template <class Visit>
    [[nodiscard]] std::error_code list(std::vector<char>&, Visit&& visit) const {
      for (const auto& [name, e] : entry_->children) visit(std::string_view(name), e->status.type, e->status.file_id);
      return {};
    }
    [[nodiscard]] bool dates_its_names() const noexcept { return false; }
    [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
      if (name.empty()) {
        out = entry_->status;
        return {};
      }
      const auto it = entry_->children.find(name);
      if (it == entry_->children.end()) return failed(ENOENT);
      out = it->second->status;
      return {};
    }
    static directory opened(const entry_ptr& e, std::error_code& ec) {
      ec = !e ? failed(ENOENT) : e->status.type != entry_type::directory ? failed(ENOTDIR) : std::error_code();
      return ec ? directory() : directory(e);
    }
    [[nodiscard]] entry& shown() const { return *entry_; }

   private:
    entry_ptr entry_;
  };

  directory open_root(const char* path, std::error_code& ec) { return directory::opened(disk_.find(path), ec); }
  std::string resolve(const char* path) { return disk_.find(path) ? path : std::string(); }
  std::error_code look(const char* path, file_status& out) {
    const entry_ptr e = disk_.find(path);
    if (e) out = e->status;
    return e ? std::error_code() : failed(ENOENT);
  }

  hotwatch::watch_answer watch(const directory& d, hotwatch::watch_scope) {
    if (disk_.polled) return {no_watch, true};
    if (const std::int32_t w = disk_.watch(d.shown()); w != no_watch) return {w};
    return {no_watch, true, failed(ENOSPC), "raise the limit"};
  }
  void unwatch(std::int32_t) noexcept {}
  hotwatch::guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<nanoseconds> timeout) { return disk_.wait(timeout); }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    std::size_t count = 0;
    for (; !disk_.hints.empty(); ++count) {
      const scripted_disk::owned_hint h = disk_.hints.front();
      disk_.hints.pop_front();
      sink(hint{h.kind, h.watch, h.name, h.type, h.pair});
    }
    return count;
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept {}
  int native_handle() noexcept { return -1; }
  void arm(std::optional<nanoseconds>) noexcept {}
  [[nodiscard]] file_time file_now() const noexcept { return scripted_disk::now(); }

 private:
  scripted_disk& disk_;
};
static_assert(hotwatch::backend<scripted_backend>);

}  // namespace trace
