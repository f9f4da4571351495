// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What does a watcher cost while others are busy on the same file system, but in none of its directories, or in one
// that is excluded? Over inotify the kernel tells it nothing; over fanotify it hears of everything, and drops it.

#include <hotwatch.hpp>
#include <string>
#include <vector>

#include "bench.hpp"
#include "fanotify.hpp"

namespace {

struct result {
  double cpu_ms = 0;
  std::int64_t told = 0;  ///< changes; the one that ends the round is the only one that is meant
};

constexpr int directories = 100;

/// Creates, writes and removes so many files in directories of its own; then makes the file that ends the round.
void be_busy(const std::string& where, const std::string& last, int files) {
  for (int i = 0; i < files; ++i) {
    const std::string path = where + "/d" + std::to_string(i % directories) + "/f" + std::to_string(i);
    const int fd = bench::check(::creat(path.c_str(), 0644), "creat");
    bench::check(static_cast<int>(::write(fd, "x", 1)), "write");
    ::close(fd);
    bench::check(::unlink(path.c_str()), "unlink");
  }
  ::close(bench::check(::creat(last.c_str(), 0644), "creat"));
}

struct place {
  explicit place(const std::string& directory)
      : ours(directory + "/ours"), others(directory + "/others"), last(ours + "/last") {
    ::unlink(last.c_str());
  }
  std::string ours, others, last;
};

/// Calls take() until it has met the file that ends the round.
template <class Take>
void count(const place& at, int files, result& r, Take take) {
  bench::child busy([&] { be_busy(at.others, at.last, files); });
  const std::int64_t before = bench::thread_cpu_ns();
  busy.go();
  while (!take()) continue;
  r.cpu_ms = static_cast<double>(bench::thread_cpu_ns() - before) / 1e6;
  busy.join();
}

template <class Watcher>
void watch(const std::string& root, hotwatch::options chosen, const place& at, int files, result& r) {
  chosen.debounce = hotwatch::immediate;
  Watcher watcher(chosen);
  watcher.add(root);
  count(at, files, r, [&] {
    bool ended = false;
    for (const hotwatch::change& c : watcher.wait()) {
      ++r.told;
      ended |= c.path == at.last;
    }
    return ended;
  });
}

void bare(const std::string& directory, int files, result& r) {
  const place at(directory);
  bench::bare_fanotify fanotify(at.ours);
  count(at, files, r, [&] {
    bool ended = false;
    fanotify.read([&](std::uint64_t, std::string_view name) {
      ++r.told;
      ended |= name == "last";
    });
    return ended;
  });
}
template <class Watcher>
void outside(const std::string& directory, int files, result& r) {
  const place at(directory);
  watch<Watcher>(at.ours, {}, at, files, r);
}
template <class Watcher>
void excluded(const std::string& directory, int files, result& r) {
  const place at(directory);
  watch<Watcher>(directory, {.exclude = {"others/"}}, at, files, r);
}

struct contender {
  const char* name;
  void (*watch)(const std::string& directory, int files, result&);
  std::vector<double> cpu_ms = {};
  std::int64_t told = 0;
};

void measure(const bench::arguments& args, bench::report& out) {
  const bench::temp_directory directory(args.dir_or_here());
  bench::make_tree(directory.path() + "/ours", {10, 10}, 1);
  bench::make_tree(directory.path() + "/others", {}, 0);
  for (int i = 0; i < directories; ++i)
    bench::check(::mkdir((directory.path() + "/others/d" + std::to_string(i)).c_str(), 0755), "mkdir");
  const int files = args.quick ? 5'000 : 50'000;
  std::vector<contender> contenders{{"hotwatch: inotify", outside<hotwatch::watcher>},
                                    {"hotwatch: inotify, excluded", excluded<hotwatch::watcher>}};
  if (bench::has_fanotify(directory.path()))
    for (const contender& c : {contender{"bare: fanotify read", bare},
                               {"hotwatch: fanotify", outside<bench::fanotify_watcher>},
                               {"hotwatch: fanotify, excluded", excluded<bench::fanotify_watcher>}})
      contenders.push_back(c);
  constexpr std::size_t floor = 2;
  for (int round = 0; round < args.rounds; ++round)
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      contender& c = contenders[(turn + static_cast<std::size_t>(round)) % contenders.size()];
      const auto r = bench::isolated<result>([&](result& figures) { c.watch(directory.path(), files, figures); });
      c.cpu_ms.push_back(r.cpu_ms);
      c.told += r.told;
    }
  bench::table t("others are busy on " + bench::file_system(directory.path()) + ": " + std::to_string(files) +
                     " files made, written and removed; medians",
                 {"how", "told", "cpu ms", "us a file", "x bare fanotify"});
  for (const contender& c : contenders) {
    const double cpu = bench::median(c.cpu_ms);
    const double ratio = contenders.size() > floor ? bench::paired_ratio(c.cpu_ms, contenders[floor].cpu_ms) : 0;
    t.row({c.name, c.told / args.rounds, {cpu, 1}, {cpu * 1e3 / files, 2}, {ratio, 2}});
  }
  out.add(std::move(t));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 5, measure); }
