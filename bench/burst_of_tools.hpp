// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Bursts that real tools make: tar unpacks a tree, rm -rf removes it, git checks out another branch. What was told is
// compared with what the disk held before and holds afterwards.

#include <fcntl.h>
#include <spawn.h>

#include <functional>
#include <optional>
#include <unordered_set>

#include "burst.hpp"

namespace burst {

constexpr std::int64_t pause_ns = 100'000'000;  // longer than `quiet`: the sentinel is no part of the burst

// ---- what happened, and what was told

/// What stands at each path below a root.
struct version {
  bool directory = false;
  std::uint64_t file_id = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;

  friend bool operator==(const version&, const version&) = default;
};
using listing = std::unordered_map<std::string, version>;

inline listing list(const std::string& root) {
  listing out;
  const auto enter = [&](const std::string& directory) { out[directory].directory = true; };
  bench::bare_inotify::walk(root, enter, [&](const std::string& directory, std::string_view name) {
    const std::string path = std::string(directory).append(1, '/').append(name);
    struct stat facts {};
    bench::check(::lstat(path.c_str(), &facts), "lstat");
    out[path] = {false, facts.st_ino, facts.st_size,
                 std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
  });
  return out;
}

using expectation = std::unordered_map<std::string, hotwatch::change_kind>;

inline expectation difference(const listing& before, const listing& after) {
  using enum hotwatch::change_kind;
  expectation out;
  for (const auto& [path, was] : before)
    if (const auto is = after.find(path); is == after.end())
      out[path] = removed;
    else if (is->second != was)
      out[path] = modified;
  for (const auto& [path, is] : after)
    if (!before.contains(path)) out[path] = created;
  return out;
}

/// What a reader tells, kept as it comes and looked at afterwards.
class transcript {
 public:
  /// Without a kind by a reader that merges nothing: whatever it was.
  void add(std::string_view path, std::optional<hotwatch::change_kind> kind = {}) {
    paths_ += path;
    changes_.push_back({path.size(), kind});
    last_ns_ = bench::now_ns();
  }

  /// Lost is what was never told, and what by its last word is there but is not, or the other way round.
  void compare(const expectation& expected, result& r) const {
    using enum hotwatch::change_kind;
    struct word {
      int as_expected = 0;
      bool is_removed = false;
    };
    std::unordered_map<std::string, word> told;
    std::size_t at = 0;
    for (const auto& [length, kind] : changes_) {
      const std::string path = paths_.substr(at, length);
      at += length;
      const auto want = expected.find(path);
      const bool as_expected = want != expected.end() && kind.value_or(want->second) == want->second;
      r.others += as_expected ? 0 : 1;
      if (want == expected.end()) continue;
      told[path].as_expected += as_expected ? 1 : 0;
      told[path].is_removed = kind.value_or(want->second) == removed;
    }
    for (const auto& [path, kind] : expected) {
      const auto of = told.find(path);
      r.lost += of == told.end() || of->second.is_removed != (kind == removed) ? 1 : 0;
      r.doubled += of != told.end() && of->second.as_expected > 1 ? 1 : 0;
    }
  }
  [[nodiscard]] std::int64_t last_ns() const { return last_ns_; }

 private:
  struct told_change {
    std::size_t length;  ///< of its path
    std::optional<hotwatch::change_kind> kind;
  };
  std::string paths_;  ///< one behind the other
  std::vector<told_change> changes_;
  std::int64_t last_ns_ = 0;
};

// ---- who reads

/// `told` gets all but the sentinel, which is the file "end" in the root.
using tool_reader = void (*)(const std::string& root, const bench::child& tool, transcript& told, result& r);

/// The floor: each path once, in a hash table. A directory that comes is watched and read. It repairs nothing.
inline void bare_paths(const std::string& root, const bench::child& tool, transcript& told, result& r) {
  bench::bare_inotify inotify;
  inotify.add(root);
  std::unordered_set<std::string> known;
  std::vector<std::string> arrived;
  std::string key;
  bool ended = false;
  const auto tell = [&](std::string_view path) {
    if (known.insert(key.assign(path)).second) told.add(path);
  };
  const std::string sentinel = root + "/end";
  const meter since;
  tool.go();
  while (!ended) {
    inotify.each(inotify.read(), [&](std::uint32_t mask, std::string_view path) {
      if ((mask & IN_Q_OVERFLOW) != 0) ++r.overflows;
      if (path == sentinel) ended = true;
      if (path.empty() || path == sentinel || path == root) return;
      tell(path);
      if ((mask & IN_CREATE) != 0 && (mask & IN_ISDIR) != 0) arrived.emplace_back(path);
    });
    for (const std::string& directory : arrived) inotify.add(directory, tell);
    arrived.clear();
    ++r.batches;
  }
  r.cpu_ms = since.cpu_ms();
}

template <const hotwatch::debounce& Policy>
void watched_paths(const std::string& root, const bench::child& tool, transcript& told, result& r) {
  hotwatch::watcher watcher({.debounce = Policy});
  watcher.add(root);
  bool ended = false;
  const std::string sentinel = root + "/end";
  const auto take = [&](const hotwatch::batch& batch) {
    for (const hotwatch::change& c : batch) {
      if (c.path == sentinel)
        ended = true;
      else
        told.add(c.path, c.kind);
    }
    r.batches += ended && batch.size() == 1 ? 0 : 1;  // the sentinel by itself is no part of the burst
  };
  const meter since;
  tool.go();
  pull(watcher, r, take, [&] { return ended; });
  r.cpu_ms = since.cpu_ms();
}

// ---- what they read

/// Runs a program that is found in PATH, silently. Returns whether it could be run, and ended well.
inline bool runs(std::vector<std::string> words) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t silence;
  ::posix_spawn_file_actions_init(&silence);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    ::posix_spawn_file_actions_addopen(&silence, output, "/dev/null", O_WRONLY, 0);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments[0], &silence, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&silence);
  int status = 0;
  return error == 0 && bench::check(::waitpid(pid, &status, 0), "waitpid") == pid && status == 0;
}

inline void run(const std::vector<std::string>& words) {
  if (!runs(words)) throw std::runtime_error(words[0] + " failed");
}

struct task {
  std::string title;
  std::string root;
  std::function<void()> prepare;
  std::vector<std::string> command;
};

struct ran {
  std::int64_t from_ns = 0;
  std::int64_t to_ns = 0;
};

inline void read_task(const task& t, tool_reader read, result& r) {
  t.prepare();
  const listing before = list(t.root);
  const bench::shared<ran> when;
  bench::child tool([&] {
    when->from_ns = bench::now_ns();
    const bool well = runs(t.command);
    when->to_ns = bench::now_ns();
    bench::wait_until_ns(when->to_ns + pause_ns);
    std::ofstream(t.root + "/end").put('\n');  // even so: who reads waits for it
    if (!well) throw std::runtime_error(t.command[0] + " failed");
  });
  transcript told;
  const double resident = bench::resident_bytes();
  read(t.root, tool, told, r);
  r.grown_kb = (bench::peak_resident_bytes() - resident) / 1024;
  tool.join();
  std::filesystem::remove(t.root + "/end");
  r.work_ms = static_cast<double>(when->to_ns - when->from_ns) / 1e6;
  r.wall_ms = static_cast<double>(told.last_ns() - when->to_ns) / 1e6;
  told.compare(difference(before, list(t.root)), r);
}

inline void compare_readers(const task& t, const bench::arguments& args, bench::report& out) {
  static constexpr hotwatch::debounce by_default{};
  std::vector<contender<tool_reader>> all{{"bare: read into a hash table", bare_paths},
                                          {"hotwatch: immediate", watched_paths<hotwatch::immediate>},
                                          {"hotwatch: default debounce", watched_paths<by_default>}};
  take_turns(all, args.rounds, [&](tool_reader read, result& r) { read_task(t, read, r); });
  std::vector<double> took;
  for (const auto& c : all) {
    const std::vector<double> rounds = c.each(&result::work_ms);
    took.insert(took.end(), rounds.begin(), rounds.end());
  }
  // What goes on for longer than max_wait, or pauses for longer than `quiet`, is more than one batch.
  const auto [least, most] = std::minmax_element(took.begin(), took.end());
  out.add(tabulate(t.title + ", in " + bench::cell(*least, 0).text + " to " + bench::cell(*most, 0).text + " ms", all,
                   "all told after its end, ms"));
}

inline void write_text(const std::string& path, const std::string& text) {
  if (!(std::ofstream(path) << text << '\n').flush()) bench::fail("writing " + path);
}

/// 100 directories with so many files in all, each with a line of its own.
inline std::vector<std::string> make_files(const std::string& root, int files) {
  bench::make_tree(root, {9, 10}, files / 100);
  std::vector<std::string> paths;
  bench::bare_inotify::walk(
      root, [](const std::string&) {},
      [&](const std::string& directory, std::string_view name) {
        paths.push_back(std::string(directory).append(1, '/').append(name));
      });
  for (const std::string& path : paths) write_text(path, path);
  return paths;
}

inline void measure_tar_and_rm(const bench::arguments& args, bench::report& out, const std::string& parent) {
  const bench::temp_directory directory(parent);
  const std::string archive = directory.path() + "/archive.tar";
  const std::string root = directory.path() + "/root";
  const int files = args.quick ? 4'000 : 20'000;
  make_files(directory.path() + "/tree", files);
  run({"tar", "-cf", archive, "-C", directory.path(), "tree"});
  const std::vector<std::string> unpack{"tar", "-xf", archive, "-C", root};
  const auto empty = [root] {
    std::filesystem::remove_all(root);
    std::filesystem::create_directory(root);
  };
  const std::string of = std::to_string(files) + " files in 100 directories";
  compare_readers({"tar unpacks " + of, root, empty, unpack}, args, out);
  const auto full = [empty, unpack] {
    empty();
    run(unpack);
  };
  compare_readers({"rm -rf of " + of, root, full, {"rm", "-rf", root + "/tree"}}, args, out);
}

/// Of the files that differ three fifths have another text, a fifth is in one branch only, a fifth in the other only.
inline void measure_checkout(const bench::arguments& args, bench::report& out, const std::string& parent) {
  const bench::temp_directory directory(parent);
  const std::string root = directory.path() + "/root";
  const std::vector<std::string> paths = make_files(root, args.quick ? 4'000 : 20'000);
  const auto git = [&](std::vector<std::string> words) {
    // Beside the tree, so that what git notes down is not watched.
    words.insert(words.begin(), {"git", "--git-dir=" + directory.path() + "/git", "--work-tree=" + root});
    return words;
  };
  run(git({"init", "-q"}));
  for (const auto& [key, value] : {std::pair("user.name", "bench"), std::pair("user.email", "bench@localhost"),
                                   std::pair("commit.gpgsign", "false"), std::pair("gc.auto", "0")})
    run(git({"config", key, value}));
  run(git({"add", "-A"}));
  run(git({"commit", "-q", "-m", "one"}));
  run(git({"branch", "one"}));
  const std::size_t differing = paths.size() / 4;
  for (std::size_t i = 0; i < differing; ++i) {
    const std::string& path = paths[i * 4];
    switch (i % 5) {
      case 0: std::filesystem::remove(path); break;
      case 1: write_text(path + ".new", "new"); break;
      default: write_text(path, "another text"); break;
    }
  }
  run(git({"add", "-A"}));
  run(git({"commit", "-q", "-m", "two"}));
  run(git({"branch", "two"}));
  const auto other_branch = [&] { run(git({"checkout", "-q", "one"})); };
  compare_readers({"git checkout of a branch in which " + std::to_string(differing) + " files differ", root,
                   other_branch, git({"checkout", "-q", "two"})},
                  args, out);
}

inline void measure_tools(const bench::arguments& args, bench::report& out, const std::string& parent) {
  if (runs({"tar", "--version"}))
    measure_tar_and_rm(args, out, parent);
  else
    std::cout << "\nskipped tar and rm: there is no tar\n";
  if (runs({"git", "--version"}))
    measure_checkout(args, out, parent);
  else
    std::cout << "\nskipped the checkout: there is no git\n";
}

}  // namespace burst
