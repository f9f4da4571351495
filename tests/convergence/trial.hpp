// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The disk, somebody who believes every change, and the comparison of the two.

#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "hotwatch.hpp"
#include "play.hpp"
#include "reader.hpp"
#include "seeds.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/model.hpp"

namespace hotwatch::test {

/// What filters leave of a listing, as fnmatch(3) reads the globs.
class sieve {
 public:
  explicit sieve(const setting& how) : include_(how.include), exclude_(how.exclude) {}

  [[nodiscard]] bool hides_directories() const { return !include_.empty(); }

  void take(listing& out, const listing& all, std::string_view root) const {
    for (const auto& [path, type] : all) {
      const std::string_view way = std::string_view(path).substr(root.size() + 1);
      if (!is_excluded(way, type) && (include_.empty() || any(include_, way, type))) out.emplace(path, type);
    }
  }

 private:
  using globs = std::vector<std::string>;

  // With a '/', but at its end, a glob is about the whole way.
  static bool any(const globs& all, std::string_view way, entry_type type) {
    return std::any_of(all.begin(), all.end(), [&](std::string glob) {
      if (glob.back() == '/') {
        if (type != entry_type::directory) return false;
        glob.pop_back();
      }
      const bool is_way = glob.find('/') != std::string::npos;
      const std::string name(is_way ? way : way.substr(way.rfind('/') + 1));
      return ::fnmatch(glob.c_str(), name.c_str(), FNM_PATHNAME) == 0;
    });
  }
  [[nodiscard]] bool is_excluded(std::string_view way, entry_type type) const {
    if (any(exclude_, way, type)) return true;
    const std::size_t slash = way.rfind('/');
    return slash != std::string_view::npos && is_excluded(way.substr(0, slash), entry_type::directory);
  }

  globs include_, exclude_;
};

/// chmod -R u+rwX, top down.
inline void open_up(const std::string& path) {
  ::chmod(path.c_str(), 0755);
  for (const auto& [below, type] : list(path, path, false))
    if (type == entry_type::directory) open_up(below);
}

/// What is still to be said of what happened, where somebody holds it back.
inline std::function<void()> before_comparing;

template <class Watcher>
class trial {
 public:
  trial(const temp_directory& where, const setting& how) : directory(where), how_(how), shown_(how) {}

  template <class... BackendArguments>
  void open(BackendArguments&&... arguments) {
    watcher.emplace(how_.chosen(), std::forward<BackendArguments>(arguments)...);
    add(".", true);
    if (wrong_.empty()) wrong_ = told_.difference(disk());
  }

  /// By its name in scripts; "out:g" is only ever a file, the others are directories.
  void add(const std::string& name, bool recursive) {
    root& r = root_of(name);
    std::error_code ec;
    watcher->add(r.path, {.recursive = recursive}, ec);
    if (ec) {
      if (r.alive != (ec == errc::root_exists)) wrong("an added root is not known, or the other way round");
      return expect_known("a root that was not added");
    }
    r.alive = true;
    r.recursive = recursive;
    // What is there is known now. Nothing else is by that.
    listing found;
    for (const auto& [path, type] : known(*watcher))
      if (model::is_below(path, r.path)) found.emplace(path, type);
    user_.take_all(found);
    found.insert(told_.entries().begin(), told_.entries().end());
    told_.start_from(std::move(found));
    expect_known("a root that was added");
  }

  void remove(const std::string& name) {
    root& r = root_of(name);
    std::error_code ec;
    watcher->remove(r.path, ec);
    if (r.alive == (ec == errc::unknown_root)) wrong("remove() and add() disagree");
    r.alive = false;
    listing rest = told_.entries();
    std::erase_if(rest, [&](const auto& e) { return model::is_below(e.first, r.path); });
    told_.start_from(std::move(rest));
    user_.forget(r.path);
    expect_known("a root that was removed");
  }

  void take(const batch& b) {
    if (verbose() && !b.empty()) std::cout << "batch\n" << model::text(b);
    if (!wrong_.empty()) return;
    for (const change& c : b)
      if (std::none_of(roots_.begin(), roots_.end(),
                       [&](const root& r) { return r.alive && model::is_below(c.path, r.path); }))
        return wrong("told of no root: " + describe(c));
    wrong_ = told_.apply(b);
    for (const change& c : b) user_.apply(c);
  }

  /// Blocks until something is told.
  void wait() {
    const batch& b = watcher->wait();
    if (b.empty()) wrong("wait() came back, and told of nothing");
    take(b);
  }

  /// Nobody is at work: after a barrier all is known, and told.
  void compare() {
    if (how_.as_nobody)
      for (const root& r : roots_)
        if (r.alive && !r.is_file) open_up(r.path);
    const auto end = std::chrono::steady_clock::now() + deadline;
    if (before_comparing) before_comparing();
    while (wrong_.empty()) {
      const batch& b = watcher->flush();
      if (b.empty()) break;
      take(b);
      if (std::chrono::steady_clock::now() > end) wrong_ = "flush() never came to an end";
    }
    const listing there = disk();
    if (wrong_.empty()) wrong_ = told_.difference(there);
    if (wrong_.empty()) wrong_ = user_.lost(there);
    if (wrong_.empty()) expect_known("a barrier");
  }

  /// Whether the user was told that there is something of this name.
  [[nodiscard]] bool was_told(const std::string& name) const {
    return told_.entries().contains(path_of(directory, name));
  }

  /// What went wrong first, or nothing.
  [[nodiscard]] std::string wrong() const {
    const std::string& base = directory.base().path();
    std::string text = wrong_;
    for (std::size_t at = 0; (at = text.find(base, at)) != std::string::npos;) text.erase(at, base.size() + 1);
    return text;
  }

  const temp_directory& directory;
  linked_files linked;
  std::optional<Watcher> watcher;

 private:
  struct root {
    std::string name, path;
    bool is_file = false;
    bool alive = false;
    bool recursive = true;
  };

  root& root_of(const std::string& name) {
    return *std::find_if(roots_.begin(), roots_.end(), [&](const root& r) { return r.name == name; });
  }
  [[nodiscard]] std::vector<std::string> root_paths() const {
    std::vector<std::string> all;
    for (const root& r : roots_) all.push_back(r.path);
    return all;
  }

  [[nodiscard]] listing disk() const {
    listing all;
    for (const root& r : roots_) {
      if (!r.alive) continue;
      if (!r.is_file)
        shown_.take(all, list(r.path, r.path, r.recursive), r.path);
      else if (raw::exists(r.path))
        all.emplace(r.path, entry_type::file);
    }
    return all;
  }

  void wrong(const std::string& why) {
    if (wrong_.empty()) wrong_ = why;
  }
  void expect_known(const std::string& after) {
    if (known(*watcher) != told_.entries()) wrong("for_each() is not what was told, after " + after);
  }

  setting how_;
  sieve shown_;
  std::vector<root> roots_{{".", path_of(directory, ".")},
                           {"out:y", path_of(directory, "out:y")},
                           {"out:g", path_of(directory, "out:g"), true}};
  model told_{root_paths(), !shown_.hides_directories()};
  reader user_{linked};
  std::string wrong_;
};

}  // namespace hotwatch::test
