// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the bench programs share: trees to watch, the bare inotify loop that is the floor, child processes, tables.

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

namespace bench {

// ---- errors and time

[[noreturn]] inline void fail(const std::string& what) { throw std::system_error(errno, std::system_category(), what); }

inline int check(int result, const char* what) {
  if (result < 0) fail(what);
  return result;
}

inline std::int64_t now_ns() {
  timespec t{};
  ::clock_gettime(CLOCK_MONOTONIC, &t);
  return std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec;
}

inline void wait_until_ns(std::int64_t deadline) {
  const timespec t{deadline / 1'000'000'000, deadline % 1'000'000'000};
  while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, nullptr) == EINTR) {
  }
}

/// User and system time of the calling thread, in ns.
inline std::int64_t thread_cpu_ns() {
  timespec now{};  // getrusage(2) tells of whole ticks only
  check(::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now), "clock_gettime");
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Resident bytes of this process.
inline double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double total = 0;
  double resident = 0;
  in >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

/// The most that this process ever had resident.
inline double peak_resident_bytes() {
  rusage usage{};
  check(::getrusage(RUSAGE_SELF, &usage), "getrusage");
  return static_cast<double>(usage.ru_maxrss) * 1024;
}

// ---- figures

/// The value below which the share `q` of the sample lies (nearest rank); 0 for an empty sample.
inline double percentile(std::vector<double> sample, double q) {
  if (sample.empty()) return 0;
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(sample.size()));
  const auto at = sample.begin() + static_cast<std::ptrdiff_t>(std::min(rank, sample.size() - 1));
  std::nth_element(sample.begin(), at, sample.end());
  return *at;
}

inline double median(std::vector<double> sample) {
  if (sample.empty()) return 0;
  std::sort(sample.begin(), sample.end());
  const std::size_t half = sample.size() / 2;
  return sample.size() % 2 != 0 ? sample[half] : (sample[half - 1] + sample[half]) / 2;
}

/// The median of a[i] / b[i]: rounds are compared in pairs, so that what disturbs both disturbs no ratio.
inline double paired_ratio(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (b[i] > 0) ratios.push_back(a[i] / b[i]);
  return median(std::move(ratios));
}

// ---- tables

/// A cell: words, or a number with its digits after the point.
struct cell {
  std::string text;
  bool number = false;

  cell(const char* words) : text(words) {}             // NOLINT: a cell is written as what it holds
  cell(std::string words) : text(std::move(words)) {}  // NOLINT
  cell(double value, int digits) : number(true) {
    std::array<char, 64> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
    text = buffer.data();
  }
  template <class Integer>
  requires std::is_integral_v<Integer> cell(Integer value) : text(std::to_string(value)), number(true) {}  // NOLINT
};

/// A Markdown table whose columns are aligned, so that it reads well in a terminal too.
class table {
 public:
  table(std::string title, std::vector<std::string> columns) : title_(std::move(title)), columns_(std::move(columns)) {}

  void row(std::vector<cell> cells) { rows_.push_back(std::move(cells)); }

  void print(std::ostream& out) const {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      widths.push_back(columns_[i].size());
      for (const auto& cells : rows_) widths[i] = std::max(widths[i], cells[i].text.size());
    }
    out << "\n### " << title_ << "\n\n|";
    for (std::size_t i = 0; i < columns_.size(); ++i) out << ' ' << padded(columns_[i], widths[i], i > 0) << " |";
    out << "\n|";
    for (std::size_t i = 0; i < columns_.size(); ++i)
      out << std::string(widths[i] + 1, '-') << (i > 0 ? ":" : "-") << '|';
    out << '\n';
    for (const auto& cells : rows_) {
      out << '|';
      for (std::size_t i = 0; i < columns_.size(); ++i) out << ' ' << padded(cells[i].text, widths[i], i > 0) << " |";
      out << '\n';
    }
    out << std::flush;
  }

  void json(std::ostream& out) const {
    out << "{\"title\":\"" << title_ << "\",\"rows\":[";
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      out << (r > 0 ? ",\n  {" : "\n  {");
      for (std::size_t i = 0; i < columns_.size(); ++i) {
        const cell& c = rows_[r][i];
        out << (i > 0 ? "," : "") << '"' << columns_[i] << "\":";
        if (c.number) {
          out << c.text;
        } else {
          out << '"' << c.text << '"';
        }
      }
      out << '}';
    }
    out << "]}";
  }

 private:
  static std::string padded(const std::string& text, std::size_t width, bool right) {
    const std::string fill(width - text.size(), ' ');
    return right ? fill + text : text + fill;
  }

  std::string title_;
  std::vector<std::string> columns_;
  std::vector<std::vector<cell>> rows_;
};

/// What every program takes: `--rounds N`, `--quick`, `--dir DIR` (where the trees are made), `--json FILE`.
struct arguments {
  std::string name;
  int rounds = 0;
  bool quick = false;
  std::string dir;  ///< where the trees are made, if that was said
  std::string json;

  arguments(int argc, char** argv, int default_rounds) {
    const std::string_view program = argc > 0 ? argv[0] : "bench";
    name = program.substr(program.rfind('/') + 1);
    for (int i = 1; i < argc; ++i) {
      const std::string_view arg = argv[i];
      if (arg == "--quick") {
        quick = true;
      } else if (i + 1 < argc && arg == "--rounds") {
        rounds = std::max(1, std::atoi(argv[++i]));
      } else if (i + 1 < argc && arg == "--dir") {
        dir = argv[++i];
      } else if (i + 1 < argc && arg == "--json") {
        json = argv[++i];
      } else {
        std::cerr << "usage: " << name << " [--rounds N] [--quick] [--dir DIR] [--json FILE]\n";
        std::exit(2);
      }
    }
    if (rounds == 0) rounds = quick ? 2 : default_rounds;
  }

  [[nodiscard]] std::string dir_or_here() const { return dir.empty() ? "." : dir; }
};

/// Prints each table as it is finished, and writes all of them to `--json FILE`.
class report {
 public:
  explicit report(const arguments& args) : name_(args.name), file_(args.json) {}

  void add(table t) {
    t.print(std::cout);
    tables_.push_back(std::move(t));
  }

  void write() const {
    if (file_.empty()) return;
    std::ofstream out(file_);
    out << "{\"bench\":\"" << name_ << "\",\"tables\":[";
    for (std::size_t i = 0; i < tables_.size(); ++i) {
      out << (i > 0 ? ",\n " : "\n ");
      tables_[i].json(out);
    }
    out << "]}\n";
    if (!out.flush()) fail("writing " + file_);
  }

 private:
  std::string name_;
  std::string file_;
  std::vector<table> tables_;
};

/// main() of every program: an error is printed and is exit code 1.
template <class Body>
int run(int argc, char** argv, int default_rounds, Body body) {
  std::signal(SIGPIPE, SIG_IGN);  // `bench-x | head` still removes its trees
  try {
    const arguments args(argc, argv, default_rounds);
    report out(args);
    body(args, out);
    out.write();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "bench: " << error.what() << '\n';
    return 1;
  }
}

// ---- trees

/// A new directory below `parent`, removed with all it holds at the end. Its path is absolute.
class temp_directory {
 public:
  explicit temp_directory(const std::string& parent)
      : path_((std::filesystem::canonical(parent) / "hotwatch-bench-XXXXXX").string()), owner_(::getpid()) {
    if (::mkdtemp(path_.data()) == nullptr) fail("mkdtemp " + path_);
  }
  temp_directory(const temp_directory&) = delete;
  temp_directory& operator=(const temp_directory&) = delete;
  ~temp_directory() {
    if (::getpid() != owner_) return;
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
  pid_t owner_;
};

struct tree_size {
  std::uint64_t directories = 0;  ///< the top included
  std::uint64_t files = 0;
};

namespace detail {
inline void fill(int directory, std::span<const int> fan_out, int files, tree_size& size) {
  ++size.directories;
  std::array<char, 32> name{};
  for (int i = 0; i < files; ++i) {
    std::snprintf(name.data(), name.size(), "file-%d.txt", i);
    ::close(check(::openat(directory, name.data(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "openat"));
    ++size.files;
  }
  if (fan_out.empty()) return;
  for (int i = 0; i < fan_out.front(); ++i) {
    std::snprintf(name.data(), name.size(), "dir-%d", i);
    check(::mkdirat(directory, name.data(), 0755), "mkdirat");
    const int child = check(::openat(directory, name.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "openat");
    fill(child, fan_out.subspan(1), files, size);
    ::close(child);
  }
}
}  // namespace detail

/// Makes `path`, and below it fan_out[0] directories, each with fan_out[1] directories, and so on; `files` in each.
inline tree_size make_tree(const std::string& path, const std::vector<int>& fan_out, int files) {
  check(::mkdir(path.c_str(), 0755), "mkdir");
  const int top = check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  tree_size size;
  detail::fill(top, fan_out, files, size);
  ::close(top);
  return size;
}

/// "ext4", "tmpfs", ... or the number of what is not known here (statfs(2)).
inline std::string file_system(const std::string& path) {
  struct ::statfs facts {};
  if (::statfs(path.c_str(), &facts) != 0) fail("statfs " + path);
  switch (static_cast<std::uint32_t>(facts.f_type)) {
    case 0xef53: return "ext4";
    case 0x01021994: return "tmpfs";
    case 0x58465342: return "xfs";
    case 0x9123683e: return "btrfs";
    case 0x794c7630: return "overlayfs";
    default: return "file system " + std::to_string(facts.f_type);
  }
}

/// How many watches this user may hold; a program skips what does not fit.
inline std::uint64_t watch_limit() {
  std::ifstream in("/proc/sys/fs/inotify/max_user_watches");
  std::uint64_t limit = 0;
  in >> limit;
  return limit;
}

// ---- child processes

/// Memory that a child shares with its parent. Zeroed.
template <class T>
class shared {
 public:
  shared() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    value_ = new (memory) T{};
  }
  shared(const shared&) = delete;
  shared& operator=(const shared&) = delete;
  ~shared() { ::munmap(value_, sizeof(T)); }

  T& operator*() const { return *value_; }
  T* operator->() const { return value_; }

 private:
  T* value_;
};

/// The processors that this process may run on.
inline std::vector<int> processors() {
  cpu_set_t set;
  check(::sched_getaffinity(0, sizeof set, &set), "sched_getaffinity");
  std::vector<int> out;
  for (int i = 0; i < CPU_SETSIZE; ++i)
    if (CPU_ISSET(static_cast<std::size_t>(i), &set)) out.push_back(i);
  return out;
}

/// Of those, the one that the calling thread was put on last.
inline int own_processor() { return processors().front(); }

/// The calling thread runs there and nowhere else.
inline void run_on(int processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<std::size_t>(processor), &set);
  check(::sched_setaffinity(0, sizeof set, &set), "sched_setaffinity");
}

/// A child that runs `body` once go() is called. It is forked before the watcher opens its descriptors, so that it
/// holds no copy of them, and it dies with its parent.
class child {
 public:
  template <class Body>
  explicit child(Body body) {
    std::array<int, 2> ends{};
    check(::pipe2(ends.data(), O_CLOEXEC), "pipe2");
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::close(ends[1]);
      char byte = 0;
      int status = 1;
      if (::read(ends[0], &byte, 1) == 1) {
        try {
          body();
          status = 0;
        } catch (const std::exception& error) {
          std::cerr << "bench: child: " << error.what() << '\n';
        }
      }
      ::_exit(status);
    }
    ::close(ends[0]);
    start_ = ends[1];
  }
  child(const child&) = delete;
  child& operator=(const child&) = delete;
  ~child() {
    ::close(start_);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }

  void go() const {
    if (::write(start_, "g", 1) != 1) fail("write");
  }

  /// Waits for its end; throws when it failed.
  void join() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    if (status != 0) throw std::runtime_error("the child process failed");
  }

 private:
  pid_t pid_ = -1;
  int start_ = -1;
};

/// Runs `body(result)` in a process of its own: each round starts with the same small heap.
template <class Result, class Body>
Result isolated(Body body) {
  static_assert(std::is_trivially_copyable_v<Result>);
  const shared<Result> result;
  child process([&] { body(*result); });
  process.go();
  process.join();
  return *result;
}

// ---- the floor

/// What any loop that hopes to tell the same changes has to ask for.
inline constexpr std::uint32_t bare_mask =
    IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF;

/// The floor: inotify, a hash table from watch to path, and nothing else. It pairs nothing, merges nothing, repairs
/// nothing, and does not remember which files there are.
class bare_inotify {
 public:
  explicit bare_inotify(int flags = 0) : fd_(check(::inotify_init1(IN_CLOEXEC | flags), "inotify_init1")) {}
  bare_inotify(const bare_inotify&) = delete;
  bare_inotify& operator=(const bare_inotify&) = delete;
  ~bare_inotify() { ::close(fd_); }

  /// For each directory: open, inotify_add_watch by absolute path, getdents64 until 0, close. The watch is set before
  /// the directory is read, as it has to be.
  void add(const std::string& root) {
    walk(root, [this](const std::string& path) { watch(path); });
  }

  /// The same of a directory that came, and found(path) for it and for all that is in it by now.
  template <class Found>
  void add(const std::string& directory, Found found) {
    const auto enter = [&](const std::string& path) {
      watch(path);
      found(path);
    };
    walk(directory, enter, [&](const std::string& in, std::string_view name) {
      path_.assign(in).append(1, '/').append(name);
      found(path_);
    });
  }

  /// Blocks (unless IN_NONBLOCK was asked for) and returns the number of bytes read; 0 when there is nothing.
  std::size_t read() {
    for (;;) {
      const ssize_t got = ::read(fd_, buffer_.data(), buffer_.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EAGAIN) return 0;
      if (errno != EINTR) fail("read");
    }
  }

  /// What the last read gave.
  [[nodiscard]] std::span<const char> records(std::size_t bytes) const { return std::span(buffer_).first(bytes); }

  /// Calls fn(mask, path) for each record of the last read. An overflow has an empty path.
  template <class Fn>
  void each(std::size_t bytes, Fn fn) {
    each(records(bytes), fn);
  }
  /// The same of records that were read before, and kept.
  template <class Fn>
  void each(std::span<const char> records, Fn fn) {
    for (std::size_t at = 0; at < records.size();) {
      const auto* event = reinterpret_cast<const inotify_event*>(records.data() + at);
      at += sizeof(inotify_event) + event->len;
      path_.clear();
      if (const auto found = paths_.find(event->wd); found != paths_.end()) {
        path_ += found->second;
        if (event->len > 0) {
          path_ += '/';
          path_ += event->name;
        }
      }
      fn(event->mask, std::string_view(path_));
    }
  }

  /// Reads a directory tree: fn(path) before each directory is read, file(path) for what is no directory.
  template <class Fn, class File>
  static void walk(const std::string& root, Fn fn, File file) {
    std::vector<std::string> todo{root};
    alignas(dirent64) std::array<char, 32768> entries{};
    while (!todo.empty()) {
      const std::string path = std::move(todo.back());
      todo.pop_back();
      const int directory = check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
      fn(path);
      for (;;) {
        const ssize_t got = ::getdents64(directory, entries.data(), entries.size());
        if (got < 0) fail("getdents64 " + path);
        if (got == 0) break;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
          const auto* entry = reinterpret_cast<const dirent64*>(entries.data() + at);
          at += entry->d_reclen;
          const std::string_view name = entry->d_name;
          if (name == "." || name == "..") continue;
          // ext4, tmpfs, xfs and btrfs all fill in d_type: the floor does not look at anything else.
          if (entry->d_type == DT_DIR) {
            todo.push_back(path + '/' + entry->d_name);
          } else {
            file(path, name);
          }
        }
      }
      ::close(directory);
    }
  }

  template <class Fn>
  static void walk(const std::string& root, Fn fn) {
    walk(root, fn, [](const std::string&, std::string_view) {});
  }

  [[nodiscard]] int fd() const { return fd_; }
  [[nodiscard]] std::size_t watches() const { return paths_.size(); }

 private:
  // IN_MASK_ADD: without it the kernel drops what happens while it replaces the mask of a directory that is met again.
  void watch(const std::string& path) {
    const int wd = ::inotify_add_watch(fd_, path.c_str(), bare_mask | IN_ONLYDIR | IN_MASK_ADD);
    if (wd < 0) fail("inotify_add_watch " + path);
    paths_.emplace(wd, path);
  }

  int fd_;
  std::unordered_map<int, std::string> paths_;
  std::string path_;
  alignas(inotify_event) std::array<char, 65536> buffer_{};
};

}  // namespace bench
