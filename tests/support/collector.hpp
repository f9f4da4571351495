// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// How live tests wait: for a sentinel's change, with one deadline, never by sleeping.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "files.hpp"
#include "hotwatch.hpp"

namespace hotwatch::test {

inline constexpr std::chrono::seconds deadline{10};

struct owned_notice {
  notice_kind kind;
  std::string path;
  std::error_code error;
  std::string advice;
};

using lines = std::vector<std::string>;

/// "renamed a -> b" with the ways below the root; a rename that also changed the content ends in " modified".
inline std::string line(const change& c) {
  std::string text(to_string(c.kind));
  text += ' ';
  if (c.kind == change_kind::renamed) {
    const std::string_view root = c.path.substr(0, c.path.size() - c.relative().size());
    const bool same_root = c.old_path.substr(0, root.size()) == root;
    text.append(same_root ? c.old_path.substr(root.size()) : c.old_path).append(" -> ");
  }
  text.append(c.relative());
  if (c.modified) text += " modified";
  return text;
}

inline lines in_order(const batch& b) {
  lines out;
  for (const change& c : b) out.push_back(line(c));
  return out;
}

inline lines sorted(lines all) {
  std::sort(all.begin(), all.end());
  return all;
}
inline lines sorted(const batch& b) { return sorted(in_order(b)); }

/// Everything that a watcher tells, gathered over batches.
template <class Watcher>
class collector {
 public:
  collector(Watcher& watcher, const place& root) : watcher_(watcher), root_(root) {}

  std::vector<owned_change> changes;
  std::vector<owned_notice> notices;
  std::size_t batches = 0;

  /// Takes in a batch; the sentinels themselves are not kept.
  void take(const batch& b) {
    if (!b.empty()) ++batches;
    for (const change& c : b) {
      if (c.path.find("/sentinel-") != std::string_view::npos) {
        if (c.kind == change_kind::created && c.path.ends_with(awaited_)) seen_ = true;
      } else {
        changes.emplace_back(c);
      }
    }
    for (const notice& n : b.notices())
      notices.push_back({n.kind, std::string(n.path), n.error, std::string(n.advice)});
  }

  /// Collects until `done()` is true; false when the deadline came first.
  template <class Done>
  [[nodiscard]] bool until(Done done) {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!done()) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero()) return false;
      take(watcher_.wait_for(left));
    }
    return true;
  }

  /// Makes a sentinel in the root and collects until it is told: all that was done before has been told then.
  [[nodiscard]] bool until_sentinel(const std::string& suffix = "") {
    static int number = 0;
    awaited_ = "/sentinel-" + std::to_string(++number) + suffix;
    seen_ = false;
    root_.write(awaited_.substr(1), "");
    return until([this] { return seen_; });
  }

  [[nodiscard]] bool has(std::string_view text) const {
    return std::any_of(changes.begin(), changes.end(), [&](const owned_change& c) { return line(c.view()) == text; });
  }
  [[nodiscard]] std::size_t count(std::string_view text) const {
    return static_cast<std::size_t>(
        std::count_if(changes.begin(), changes.end(), [&](const owned_change& c) { return line(c.view()) == text; }));
  }
  [[nodiscard]] bool has(notice_kind kind) const {
    return std::any_of(notices.begin(), notices.end(), [&](const owned_notice& n) { return n.kind == kind; });
  }
  [[nodiscard]] lines all() const {
    lines out;
    for (const owned_change& c : changes) out.push_back(line(c.view()));
    return out;
  }

 private:
  Watcher& watcher_;
  const place& root_;
  std::string awaited_;
  bool seen_ = false;
};

inline bool has_notice(const batch& b, notice_kind kind) {
  return std::any_of(b.notices().begin(), b.notices().end(), [&](const notice& n) { return n.kind == kind; });
}

}  // namespace hotwatch::test
