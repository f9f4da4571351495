// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A kernel in memory: operations on a small disk, what inotify says of them, and the backend over both. What happens
// may be made to happen before any call of the backend.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "examples/hotwatch/trace/scripted_disk.hpp"
#include "hotwatch/backend.hpp"

namespace hotwatch::test {

using detail::no_watch;
using trace::entry_ptr;

/// Each operation does nothing when the kernel would refuse it. A path begins with a slash.
class memory_kernel : public trace::scripted_disk {
 public:
  memory_kernel() {
    top->status.file_id = ++last_id_;
    root->status.file_id = ++last_id_;
  }

  bool loses = false;             ///< what happens now is not hinted at
  bool owes = false;              ///< the hints are not complete and true, and no overflow has told so yet
  std::size_t read_at_most = 0;   ///< hints a read; 0: all
  bool lists_types = true;        ///< else a listing gives entry_type::unknown
  std::function<void()> intrude;  ///< called before each call of the backend
  std::optional<bool> opened;     ///< whether the root that was opened first, since this was emptied, was a directory

  void make(std::string_view path, entry_type type) {
    const place p = place_of(path);
    if (!p.directory || find(path)) return;
    const auto made = std::make_shared<trace::entry>();
    made->status = {.type = type,
                    .device = 1,
                    .file_id = ++last_id_,
                    .modified = now(),
                    .changed = now(),
                    .born = now(),
                    .mode = 0644,
                    .links = 1};
    p.directory->children[p.name] = made;
    date_names(p.directory);
    say(hint_kind::appeared, p, type);
  }
  void write(std::string_view path) {
    if (const entry_ptr e = file(path)) {
      ++e->status.size;
      e->status.modified = e->status.changed = now();
      say(hint_kind::written, place_of(path), entry_type::file);
    }
  }
  void close(std::string_view path) {
    if (file(path)) say(hint_kind::completed, place_of(path), entry_type::file);
  }
  void change_mode(std::string_view path) {
    if (const entry_ptr e = find(path); e && e != top) {
      e->status.mode ^= 0111;
      e->status.changed = now();
      say(hint_kind::attributes, place_of(path), e->status.type);
    }
  }
  /// With all that is below it, name by name.
  void remove(std::string_view path) {
    const place p = place_of(path);
    if (find(path)) remove(p);
  }
  void rename(std::string_view from, std::string_view to) {
    const place a = place_of(from);
    const place b = place_of(to);
    const entry_ptr moved = find(from);
    const entry_ptr replaced = find(to);
    if (!moved || !b.directory || moved == replaced || is_within(b.directory, moved)) return;
    if (replaced && (is_directory(replaced) != is_directory(moved) || !replaced->children.empty())) return;
    a.directory->children.erase(a.name);
    b.directory->children[b.name] = moved;
    for (const entry_ptr& directory : {a.directory, b.directory}) date_names(directory);
    moved->status.changed = now();
    say_moved(a, b, moved);
    if (is_self_watched(moved)) push({hint_kind::gone, moved->watch, {}, {}, 0});
    if (replaced) die(replaced);
  }
  void exchange(std::string_view one, std::string_view other) {
    const place a = place_of(one);
    const place b = place_of(other);
    const entry_ptr first = find(one);
    const entry_ptr second = find(other);
    if (!first || !second || is_within(b.directory, first) || is_within(a.directory, second)) return;
    if (first == second) return;
    std::swap(a.directory->children[a.name], b.directory->children[b.name]);
    for (const entry_ptr& directory : {a.directory, b.directory}) date_names(directory);
    first->status.changed = second->status.changed = now();
    say_moved(a, b, first);
    say_moved(b, a, second);
    for (const entry_ptr& e : {first, second})
      if (is_self_watched(e)) push({hint_kind::gone, e->watch, {}, {}, 0});
  }

  /// The queue was full after so many hints, and the others were dropped.
  void overflow(std::size_t kept) {
    hints.resize(std::min(hints.size(), kept));
    hints.push_back({hint_kind::overflow, no_watch, {}, {}, 0});
    owes = false;
  }
  /// A hint of what never happened; the pair is counted back from the last one.
  void lie(hint_kind kind, std::int32_t watch, std::string name, entry_type type, std::uint32_t pair) {
    hints.push_back({kind, watch, std::move(name), type, last_pair_ + 1 - pair});
    owes = true;
  }

  /// A hint that comes twice.
  void repeat(std::size_t which) {
    if (hints.empty()) return;
    hints.push_back(hints[which % hints.size()]);
    owes = true;
  }

  // What the backend asks for.

  std::int32_t add_watch(const entry_ptr& e, bool of_itself) {
    if (trace::scripted_disk::watch(*e) == no_watch) return no_watch;
    const std::int32_t watch = e->watch;
    watched_[watch] = e;
    if (of_itself) self_watched_.insert(watch);
    if (e->status.links == 0) die(e);  // it was removed while it was held open
    return watch;
  }
  void remove_watch(std::int32_t watch) {
    const auto it = watched_.find(watch);
    if (it == watched_.end()) return;
    ++watches_left;
    it->second->watch = no_watch;
    watched_.erase(it);
    self_watched_.erase(watch);
    push({hint_kind::unwatched, watch, {}, {}, 0});
  }

  [[nodiscard]] static bool is_directory(const entry_ptr& e) { return e->status.type == entry_type::directory; }

 private:
  struct place {
    entry_ptr directory;  ///< null when there is none
    std::string name;
  };

  [[nodiscard]] place place_of(std::string_view path) const {
    const std::size_t slash = path.rfind('/');
    const entry_ptr directory = find(path.substr(0, slash));
    return {directory && is_directory(directory) ? directory : nullptr, std::string(path.substr(slash + 1))};
  }
  [[nodiscard]] entry_ptr file(std::string_view path) const {
    const entry_ptr e = find(path);
    return e && e->status.type == entry_type::file ? e : nullptr;
  }
  [[nodiscard]] static bool is_within(const entry_ptr& e, const entry_ptr& above) {
    return e == above || std::any_of(above->children.begin(), above->children.end(),
                                     [&](const auto& child) { return is_within(e, child.second); });
  }
  [[nodiscard]] bool is_self_watched(const entry_ptr& e) const { return self_watched_.contains(e->watch); }

  void remove(const place& p) {
    const entry_ptr e = p.directory->children[p.name];
    while (!e->children.empty()) remove({e, e->children.begin()->first});
    p.directory->children.erase(p.name);
    date_names(p.directory);
    die(e);
    say(hint_kind::vanished, p, e->status.type);
  }
  static void date_names(const entry_ptr& directory) { directory->status.modified = directory->status.changed = now(); }
  void die(const entry_ptr& e) {
    e->status.links = 0;
    if (e->watch == no_watch) return;
    if (is_self_watched(e)) push({hint_kind::gone, e->watch, {}, {}, 0});
    remove_watch(e->watch);
  }

  void say_moved(const place& from, const place& to, const entry_ptr& moved) {
    ++last_pair_;
    say(hint_kind::moved_from, from, moved->status.type, last_pair_);
    say(hint_kind::moved_to, to, moved->status.type, last_pair_);
  }
  void say(hint_kind kind, const place& p, entry_type type, std::uint32_t pair = 0) {
    if (p.directory->watch != no_watch)
      push({kind, p.directory->watch, p.name,
            type == entry_type::directory ? entry_type::directory : entry_type::unknown, pair});
  }
  void push(owned_hint h) {
    if (loses) {
      owes = true;
      return;
    }
    // inotify_merge() compares with the newest record, but not the cookie.
    if (!hints.empty() && hints.back().kind == h.kind && hints.back().watch == h.watch && hints.back().name == h.name &&
        hints.back().type == h.type)
      return;
    hints.push_back(std::move(h));
  }

  std::map<std::int32_t, entry_ptr> watched_;
  std::set<std::int32_t> self_watched_;
  std::uint64_t last_id_ = 0;
  std::uint32_t last_pair_ = 0;
};

/// Models hotwatch::backend as basic_inotify_backend does: a read takes what the queue has, or a part of it.
class memory_backend : public trace::scripted_backend {
 public:
  explicit memory_backend(memory_kernel& kernel) : scripted_backend(kernel), kernel_(kernel) {}

  class directory {
   public:
    directory() = default;
    directory(memory_kernel& kernel, entry_ptr e) : kernel_(&kernel), entry_(std::move(e)) {}
    explicit operator bool() const noexcept { return entry_ != nullptr; }

    [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
      kernel_->intrude();
      return opened(*kernel_, child(name), ec);
    }
    [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const { return open_child(name, ec); }
    template <class Visit>
    [[nodiscard]] std::error_code list(std::vector<char>&, Visit&& visit) const {
      kernel_->intrude();
      const auto children = entry_->children;  // getdents64(2) holds the lock; a look from within `visit` comes later
      for (const auto& [name, e] : children)
        visit(std::string_view(name), kernel_->lists_types ? e->status.type : entry_type::unknown, e->status.file_id);
      return {};
    }
    [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
      kernel_->intrude();
      const entry_ptr e = name.empty() ? entry_ : child(name);
      if (e) out = e->status;
      return e ? std::error_code() : trace::failed(ENOENT);
    }
    static directory opened(memory_kernel& kernel, const entry_ptr& e, std::error_code& ec) {
      ec = !e ? trace::failed(ENOENT) : memory_kernel::is_directory(e) ? std::error_code() : trace::failed(ENOTDIR);
      return ec ? directory() : directory(kernel, e);
    }
    [[nodiscard]] bool dates_its_names() const noexcept { return true; }
    [[nodiscard]] const entry_ptr& shown() const { return entry_; }

   private:
    [[nodiscard]] entry_ptr child(std::string_view name) const {
      const auto it = entry_->children.find(name);
      return it == entry_->children.end() ? nullptr : it->second;
    }
    memory_kernel* kernel_ = nullptr;
    entry_ptr entry_;
  };

  directory open_root(const char* path, std::error_code& ec) {
    kernel_.intrude();
    directory d = directory::opened(kernel_, kernel_.find(path), ec);
    if (!kernel_.opened) kernel_.opened = static_cast<bool>(d);
    return d;
  }
  std::string resolve(const char* path) {
    kernel_.intrude();
    const entry_ptr e = kernel_.find(path);
    return e && e->status.type != entry_type::symlink ? path : std::string();  // every symlink leads nowhere
  }
  std::error_code look(const char* path, file_status& out) {
    kernel_.intrude();
    return scripted_backend::look(path, out);
  }

  watch_answer watch(const directory& d, watch_scope scope) {
    kernel_.intrude();
    if (kernel_.polled) return {no_watch, true};
    if (const std::int32_t w = kernel_.add_watch(d.shown(), scope != watch_scope::inside); w != no_watch) return {w};
    return {no_watch, true, trace::failed(ENOSPC), "raise the limit"};
  }
  void unwatch(std::int32_t watch) {
    kernel_.intrude();
    kernel_.remove_watch(watch);
  }
  /// Every directory on the way says all that happens in it, which is more than is asked for. The limit of watches is
  /// for the others: a root without its guards may be moved unnoticed, as is told.
  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    if (kernel_.polled) return {};
    const std::string_view way = path;
    for (std::size_t slash = 0; slash != way.npos; slash = way.find('/', slash + 1)) {
      if (slash != 0 && way[slash - 1] == '/') continue;
      kernel_.intrude();
      const entry_ptr e = kernel_.find(way.substr(0, slash));
      if (!e || !memory_kernel::is_directory(e)) return {};
      if (e->watch == no_watch) ++kernel_.watches_left;
      guards.push_back(kernel_.add_watch(e, true));
    }
    kernel_.intrude();
    const entry_ptr end = kernel_.find(way);
    return {.leads_on = end && memory_kernel::is_directory(end)};
  }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) {
    kernel_.intrude();
    if (!read_.empty()) {
      drained_ = false;
      return true;
    }
    (void)scripted_backend::wait(timeout);
    auto& queued = kernel_.hints;
    const std::size_t most = kernel_.read_at_most == 0 ? queued.size() : std::min(kernel_.read_at_most, queued.size());
    const auto end = queued.begin() + static_cast<std::ptrdiff_t>(most);
    read_.assign(queued.begin(), end);
    queued.erase(queued.begin(), end);
    drained_ = queued.empty();
    return !read_.empty();
  }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    const auto hints = std::exchange(read_, {});
    for (const auto& h : hints) sink(hint{h.kind, h.watch, h.name, h.type, h.pair});
    return hints.size();
  }
  [[nodiscard]] bool drained() const noexcept { return drained_ && read_.empty(); }
  [[nodiscard]] int reads_queued() const noexcept {
    return static_cast<int>(kernel_.hints.size() / std::max<std::size_t>(kernel_.read_at_most, 1));
  }
  void finish_renames(const directory&) const { kernel_.intrude(); }  // both halves are queued at once

 private:
  memory_kernel& kernel_;
  std::vector<memory_kernel::owned_hint> read_;
  bool drained_ = true;
};
static_assert(hotwatch::backend<memory_backend>);

}  // namespace hotwatch::test
