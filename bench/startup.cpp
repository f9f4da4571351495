// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// How long until add() has a tree under watch, how long until stop() returns and the watcher is gone, and what does it
// hold?

#include <hotwatch.hpp>
#include <memory>

#include "bench.hpp"
#include "fanotify.hpp"

namespace {

struct result {
  double ready_ms = 0;
  double cpu_ms = 0;    ///< of the same
  double stop_ms = 0;   ///< until stop() returned; the floor has none
  double gone_ms = 0;   ///< until the watcher was destroyed too
  double resident = 0;  ///< bytes that this process grew by
  std::uint64_t directories = 0;
  std::uint64_t files = 0;
  double bytes = 0;
  double name_bytes = 0;
};

double ms_since(std::int64_t began) { return static_cast<double>(bench::now_ns() - began) / 1e6; }

void bare(const std::string& root, result& r) {
  const double before = bench::resident_bytes();
  const std::int64_t cpu_before = bench::thread_cpu_ns();
  std::int64_t began = bench::now_ns();
  auto inotify = std::make_unique<bench::bare_inotify>();
  inotify->add(root);
  r.ready_ms = ms_since(began);
  r.cpu_ms = static_cast<double>(bench::thread_cpu_ns() - cpu_before) / 1e6;
  r.resident = bench::resident_bytes() - before;
  r.directories = inotify->watches();
  began = bench::now_ns();
  inotify.reset();
  r.gone_ms = ms_since(began);
}

/// Lists and knows all, and hears of nothing.
struct listing_backend : hotwatch::inotify_backend {
  [[nodiscard]] hotwatch::watch_answer watch(const directory&, hotwatch::watch_scope) { return {listed_++}; }
  std::int32_t listed_ = 0;
};

template <class Watcher>
void watched(const std::string& root, result& r) {
  const double before = bench::resident_bytes();
  const std::int64_t cpu_before = bench::thread_cpu_ns();
  std::int64_t began = bench::now_ns();
  auto watcher = std::make_unique<Watcher>(hotwatch::options{});
  watcher->add(root);
  r.ready_ms = ms_since(began);
  r.cpu_ms = static_cast<double>(bench::thread_cpu_ns() - cpu_before) / 1e6;
  r.resident = bench::resident_bytes() - before;
  const hotwatch::statistics stats = watcher->stats();
  r.directories = stats.directories;
  r.files = stats.files;
  r.bytes = static_cast<double>(stats.bytes);
  r.name_bytes = static_cast<double>(stats.name_bytes);
  began = bench::now_ns();
  watcher->stop();
  r.stop_ms = ms_since(began);
  watcher.reset();
  r.gone_ms = ms_since(began);
}

/// On a file system with a mark each open, read and close takes the kernel longer, whoever does it.
template <class Watcher>
void watched_beside_a_mark(const std::string& root, result& r) {
  const bench::bare_fanotify mark(root);
  watched<Watcher>(root, r);
}

/// The median of the differences round by round.
double paired_difference(const std::vector<double>& a, const std::vector<double>& b) {
  std::vector<double> all;
  for (std::size_t i = 0; i < a.size(); ++i) all.push_back(a[i] - b[i]);
  return bench::median(all);
}

struct contender {
  const char* name;
  void (*start)(const std::string& root, result&);
  std::vector<result> rounds = {};

  [[nodiscard]] std::vector<double> each(double result::*figure) const {
    std::vector<double> values;
    for (const result& r : rounds) values.push_back(r.*figure);
    return values;
  }
};

void measure_tree(const bench::arguments& args, bench::report& out, const std::vector<int>& fan_out) {
  const bench::temp_directory directory(args.dir_or_here());
  const std::string root = directory.path() + "/root";
  const bench::tree_size size = bench::make_tree(root, fan_out, 1);
  if (size.directories + 100 > bench::watch_limit()) {
    std::cout << "\nskipped " << size.directories << " directories: fs.inotify.max_user_watches is "
              << bench::watch_limit() << '\n';
    return;
  }

  std::vector<contender> contenders{{"bare: getdents64 + inotify_add_watch", bare},
                                    {"hotwatch: add()", watched<hotwatch::watcher>},
                                    {"hotwatch: the listing alone", watched<hotwatch::basic_watcher<listing_backend>>}};
  constexpr std::size_t listing = 2;
  if (bench::has_fanotify(root)) {
    contenders.push_back(
        {"hotwatch: the listing beside a mark", watched_beside_a_mark<hotwatch::basic_watcher<listing_backend>>});
    contenders.push_back({"hotwatch: fanotify", watched<bench::fanotify_watcher>});
  }
  // Round 0 warms the cache of directory entries and is not counted.
  for (int round = 0; round <= args.rounds; ++round)
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      contender& c = contenders[(turn + static_cast<std::size_t>(round)) % contenders.size()];
      const auto r = bench::isolated<result>([&](result& figures) { c.start(root, figures); });
      if (round > 0) c.rounds.push_back(r);
    }

  bench::table t("set-up on " + bench::file_system(root) + ": " + std::to_string(size.directories) + " directories, " +
                     std::to_string(size.files) + " files, warm cache; medians",
                 {"how", "directories", "files known", "ready ms", "us a directory", "x bare", "ms beyond the listing",
                  "cpu ms", "beyond the listing", "stop() ms", "gone ms", "gone x bare", "grown kB", "held kB",
                  "names kB", "bytes an entry, names aside"});
  for (const contender& c : contenders) {
    const result& last = c.rounds.back();
    const double ready = bench::median(c.each(&result::ready_ms));
    const auto entries = static_cast<double>(std::max<std::uint64_t>(1, last.directories + last.files));
    t.row({c.name,
           last.directories,
           last.files,
           {ready, 1},
           {ready * 1e3 / static_cast<double>(size.directories), 2},
           {bench::paired_ratio(c.each(&result::ready_ms), contenders[0].each(&result::ready_ms)), 2},
           {paired_difference(c.each(&result::ready_ms), contenders[listing].each(&result::ready_ms)), 1},
           {bench::median(c.each(&result::cpu_ms)), 1},
           {paired_difference(c.each(&result::cpu_ms), contenders[listing].each(&result::cpu_ms)), 1},
           {bench::median(c.each(&result::stop_ms)), 3},
           {bench::median(c.each(&result::gone_ms)), 1},
           {bench::paired_ratio(c.each(&result::gone_ms), contenders[0].each(&result::gone_ms)), 2},
           {bench::median(c.each(&result::resident)) / 1024, 0},
           {last.bytes / 1024, 0},
           {last.name_bytes / 1024, 0},
           {(last.bytes - last.name_bytes) / entries, 1}});
  }
  out.add(std::move(t));
}

void measure(const bench::arguments& args, bench::report& out) {
  measure_tree(args, out, {10, 10, 10});                          // 1,111
  measure_tree(args, out, {10, 10, 10, 9});                       // 10,111
  if (!args.quick) measure_tree(args, out, {10, 10, 10, 10, 9});  // 101,111
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 7, measure); }
