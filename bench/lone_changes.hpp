// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Changes that come one at a time, at a set pace, and how long each took to be told.

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench.hpp"

namespace lone_changes {

inline constexpr int operations = 4;
inline constexpr std::array<const char*, operations> operation_names{"write", "create", "rename", "unlink"};
inline constexpr int max_changes = 8000;
// Writes go round so many files: a late answer can be told from the next one's for 64 * 4 changes.
inline constexpr int written_files = 64;
inline constexpr std::int64_t calm_ns = 20'000'000;  // before the first change, and after the last

/// How many changes, and how far apart. The first tenth, up to 40 of them, warms up and is not counted.
struct pace {
  int changes;
  int spacing_ms;

  [[nodiscard]] std::size_t warm_up() const { return static_cast<std::size_t>(std::min(40, changes / 10)); }
};

/// What the writer tells the reader: when each change was begun.
struct log {
  std::array<std::atomic<std::int64_t>, max_changes> begun;
  std::array<std::atomic<std::int64_t>, max_changes> ended;
  std::atomic<int> last;
};

/// A letter and a number. (Of `"w" + std::to_string(k)` g++ 12 warns at -O3, wrongly.)
inline std::string numbered(char letter, int number) { return std::string(1, letter).append(std::to_string(number)); }

/// Change i is operation i % 4: write to w<k>, create n<g>, rename it to r<g>, unlink u<g>. Each is one system call.
/// No inode is freed: ext4 passes over those freed in the last minutes, one by one, when it looks for a new one
/// (recently_deleted() in its fs/ext4/ialloc.c).
inline void write_changes(const std::string& root, const pace& every, int processor, log& out) {
  bench::run_on(processor);
  const int top = bench::check(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  std::vector<int> files;
  for (int k = 0; k < written_files; ++k)
    files.push_back(bench::check(::openat(top, numbered('w', k).c_str(), O_WRONLY | O_CLOEXEC), "openat"));
  const std::int64_t spacing_ns = std::int64_t{every.spacing_ms} * 1'000'000;
  std::int64_t next = bench::now_ns() + calm_ns;
  for (int i = 0; i < every.changes; ++i, next += spacing_ns) {
    const int group = i / operations;
    const std::string made = numbered('n', group);
    const std::string moved = numbered('r', group);
    const std::string gone = numbered('u', group);
    bench::wait_until_ns(next);
    out.last.store(i, std::memory_order_relaxed);
    out.begun[static_cast<std::size_t>(i)].store(bench::now_ns(), std::memory_order_relaxed);
    int result = 0;
    switch (i % operations) {
      case 0: result = ::pwrite(files[static_cast<std::size_t>(group % written_files)], "x", 1, 0) == 1 ? 0 : -1; break;
      case 1: result = ::mknodat(top, made.c_str(), S_IFREG | 0644, 0); break;
      case 2: result = ::renameat(top, made.c_str(), top, moved.c_str()); break;
      default: result = ::unlinkat(top, gone.c_str(), 0); break;
    }
    out.ended[static_cast<std::size_t>(i)].store(bench::now_ns(), std::memory_order_relaxed);
    bench::check(result, "change");
  }
  bench::wait_until_ns(next + calm_ns);
  bench::check(::mknodat(top, "end", S_IFREG | 0644, 0), "mknodat");
}

/// Finds the change that an answer belongs to, and keeps how long it took.
class stopwatch {
 public:
  stopwatch(const log& begun, int changes) : log_(begun), took_(static_cast<std::size_t>(changes), missing) {}

  enum class sort { created, moved_here, modified, removed };

  static constexpr double missing = -1;
  static constexpr double merged = -2;

  /// From now on the time is taken from here, not from the beginning of the change.
  void begin(std::int64_t at) { begin_ = at; }

  /// `at` is when the wait returned.
  void told(sort what, std::string_view path, std::int64_t at) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (name == "end") {
      ended_ = true;
      return;
    }
    const int number = std::atoi(std::string(name.substr(1)).c_str());
    int change = -1;
    if (name[0] == 'w' && what == sort::modified) {
      change = log_.last.load(std::memory_order_relaxed);
      while (change >= 0 && (change % operations != 0 || change / operations % written_files != number)) --change;
    } else if (name[0] == 'n' && what == sort::created) {
      change = number * operations + 1;
    } else if (name[0] == 'r' && (what == sort::created || what == sort::moved_here)) {
      change = number * operations + 2;
      // Created and renamed before the watcher looked: rightly told as one. It counts as the rename.
      if (what == sort::created) took_[static_cast<std::size_t>(change - 1)] = merged;
    } else if (name[0] == 'u' && what == sort::removed) {
      change = number * operations + 3;
    }
    if (change < 0) return;
    auto& took = took_[static_cast<std::size_t>(change)];
    if (took != missing) return;
    const std::int64_t begun = log_.begun[static_cast<std::size_t>(change)].load(std::memory_order_relaxed);
    took = static_cast<double>(at - (begin_ != 0 ? begin_ : begun)) / 1e3;
  }

  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] const std::vector<double>& took() const { return took_; }

 private:
  const log& log_;
  std::vector<double> took_;
  std::int64_t begin_ = 0;
  bool ended_ = false;
};

}  // namespace lone_changes
