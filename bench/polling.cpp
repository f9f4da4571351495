// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What does a polled tree cost, and how late is its word? The floor lists each directory and looks at each name.

#include <hotwatch.hpp>

#include "bench.hpp"

namespace {

using namespace std::chrono_literals;

/// One look at everything: getdents64(2), and a statx(2) a file, relative to the open directory.
std::size_t look_at_all(const std::string& root) {
  std::size_t entries = 0;
  int directory = -1;
  bench::bare_inotify::walk(
      root,
      [&](const std::string& path) {
        if (directory >= 0) ::close(directory);
        directory = bench::check(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
        ++entries;
      },
      [&](const std::string&, std::string_view name) {
        struct ::statx s {};
        ::statx(directory, name.data(), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &s);
        ++entries;
      });
  if (directory >= 0) ::close(directory);
  return entries;
}

void measure_looks(const bench::arguments& args, const std::string& top, bench::report& out) {
  bench::table t("polling: a look at a tree in which nothing changed",
                 {"files", "directories", "floor ms", "hotwatch ms", "x floor", "entries a second",
                  "CPU share at 500 ms, %", "at 1 s, %"});
  for (const int directories : args.quick ? std::vector{100} : std::vector{100, 1000}) {
    const std::string root = top + "/" + std::to_string(directories);
    const bench::tree_size size = bench::make_tree(root, {directories}, 100);
    hotwatch::polling_watcher watcher;
    watcher.add(root);
    std::vector<double> floor;
    std::vector<double> ours;
    std::vector<double> cpu;
    for (int round = 0; round < args.rounds; ++round) {
      std::int64_t began = bench::now_ns();
      look_at_all(root);
      floor.push_back(static_cast<double>(bench::now_ns() - began) / 1e6);
      const std::int64_t cpu_began = bench::thread_cpu_ns();
      began = bench::now_ns();
      if (!watcher.flush().empty()) throw std::runtime_error("something changed");
      ours.push_back(static_cast<double>(bench::now_ns() - began) / 1e6);
      cpu.push_back(static_cast<double>(bench::thread_cpu_ns() - cpu_began) / 1e6);
    }
    const double entries = static_cast<double>(size.files + size.directories);
    t.row({size.files,
           size.directories,
           {bench::median(floor), 2},
           {bench::median(ours), 2},
           {bench::paired_ratio(ours, floor), 2},
           {entries / bench::median(ours) * 1000, 0},
           {bench::median(cpu) / 500 * 100, 2},
           {bench::median(cpu) / 1000 * 100, 2}});
  }
  out.add(std::move(t));
}

void measure_delay(const bench::arguments& args, const std::string& top, bench::report& out) {
  bench::table t("polling: from a write to its batch, 10,000 files",
                 {"poll_interval", "written", "p50 ms", "p90 ms", "max ms", "lost"});
  for (const auto& [interval, same] : {std::pair(1000ms, false), std::pair(1000ms, true), std::pair(500ms, false),
                                       std::pair(500ms, true), std::pair(100ms, false), std::pair(100ms, true)}) {
    const std::string root = top + "/delay" + std::to_string(interval.count()) + (same ? "same" : "");
    bench::make_tree(root, {100}, 100);
    const bench::shared<std::int64_t> wrote;
    const int writes = args.quick ? 5 : 20;
    // By name: clang 14 captures no structured binding by itself.
    bench::child writer([&, interval = interval, same = same] {
      for (int i = 0; i < writes; ++i) {
        // At any moment of the interval.
        bench::wait_until_ns(bench::now_ns() + (interval.count() * 3 / 2 + i * 37 % interval.count()) * 1'000'000);
        const std::string file = root + "/dir-" + std::to_string(same ? 0 : i) + "/file-7.txt";
        const int fd = bench::check(::open(file.c_str(), O_WRONLY | O_CLOEXEC), "open");
        *wrote = bench::now_ns();
        if (::write(fd, "more", 4) != 4) bench::fail("write");
        ::close(fd);
      }
    });
    hotwatch::polling_watcher watcher({.poll_interval = interval});
    watcher.add(root);
    writer.go();
    std::vector<double> delays;
    for (int i = 0; i < writes; ++i)
      if (const hotwatch::batch& b = watcher.wait_for(10s); !b.empty())
        delays.push_back(static_cast<double>(bench::now_ns() - *wrote) / 1e6);
    writer.join();
    if (same && !delays.empty()) delays.erase(delays.begin());  // the first time it is a file like any other
    t.row({std::to_string(interval.count()) + " ms",
           same ? "one file, again and again" : "another file each time",
           {bench::percentile(delays, 0.5), 1},
           {bench::percentile(delays, 0.9), 1},
           {bench::percentile(delays, 1), 1},
           writes - static_cast<int>(delays.size()) - (same ? 1 : 0)});
  }
  out.add(std::move(t));
}

void measure(const bench::arguments& args, bench::report& out) {
  const bench::temp_directory directory(args.dir_or_here());
  measure_looks(args, directory.path(), out);
  measure_delay(args, directory.path(), out);
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 9, measure); }
