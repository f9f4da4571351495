// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// How long does it take from just before a system call until the change it made is told?
// One change at a time, 1 ms and 20 ms apart, `immediate`, against bare loops that wait in the same way. Who changes
// and who waits stay where they are put: on two processors, and then on one.

#include <poll.h>
#include <sys/epoll.h>

#include <hotwatch.hpp>
#include <thread>

#include "bench.hpp"
#include "fanotify.hpp"
#include "lone_changes.hpp"

namespace {

using namespace lone_changes;

void take(bench::bare_inotify& inotify, std::size_t bytes, std::int64_t at, stopwatch& watch) {
  using enum stopwatch::sort;
  inotify.each(bytes, [&](std::uint32_t mask, std::string_view path) {
    if ((mask & IN_MODIFY) != 0) watch.told(modified, path, at);
    if ((mask & IN_CREATE) != 0) watch.told(created, path, at);
    if ((mask & IN_MOVED_TO) != 0) watch.told(moved_here, path, at);
    if ((mask & IN_DELETE) != 0) watch.told(removed, path, at);
  });
}

void take(const hotwatch::batch& batch, std::int64_t at, stopwatch& watch) {
  using enum stopwatch::sort;
  for (const hotwatch::change& c : batch) {
    switch (c.kind) {
      case hotwatch::change_kind::created: watch.told(created, c.path, at); break;
      case hotwatch::change_kind::renamed: watch.told(moved_here, c.path, at); break;
      case hotwatch::change_kind::modified: watch.told(modified, c.path, at); break;
      case hotwatch::change_kind::removed: watch.told(removed, c.path, at); break;
      case hotwatch::change_kind::metadata: break;
    }
  }
}

class epoll {
 public:
  explicit epoll(int fd) : epoll_(bench::check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {
    epoll_event event{};
    event.events = EPOLLIN;
    bench::check(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event), "epoll_ctl");
  }
  epoll(const epoll&) = delete;
  epoll& operator=(const epoll&) = delete;
  ~epoll() { ::close(epoll_); }

  void wait() const {
    epoll_event event{};
    while (::epoll_wait(epoll_, &event, 1, -1) < 0 && errno == EINTR) {
    }
  }

 private:
  int epoll_;
};

using reader = void (*)(const std::string& root, const bench::child& writer, stopwatch& watch);

void bare_read(const std::string& root, const bench::child& writer, stopwatch& watch) {
  bench::bare_inotify inotify;
  inotify.add(root);
  writer.go();
  while (!watch.ended()) {
    const std::size_t bytes = inotify.read();
    take(inotify, bytes, bench::now_ns(), watch);
  }
}

/// What is left when the kernel's part is taken away: from the return of read() on.
void bare_after_read(const std::string& root, const bench::child& writer, stopwatch& watch) {
  bench::bare_inotify inotify;
  inotify.add(root);
  writer.go();
  while (!watch.ended()) {
    const std::size_t bytes = inotify.read();
    watch.begin(bench::now_ns());
    inotify.each(bytes, [](std::uint32_t, std::string_view) {});  // builds the path, as hotwatch does
    take(inotify, bytes, bench::now_ns(), watch);
  }
}

void bare_spin(const std::string& root, const bench::child& writer, stopwatch& watch) {
  bench::bare_inotify inotify(IN_NONBLOCK);
  inotify.add(root);
  writer.go();
  while (!watch.ended()) {
    const std::size_t bytes = inotify.read();
    if (bytes > 0) take(inotify, bytes, bench::now_ns(), watch);
  }
}

void bare_epoll(const std::string& root, const bench::child& writer, stopwatch& watch) {
  bench::bare_inotify inotify(IN_NONBLOCK);
  inotify.add(root);
  const epoll ready(inotify.fd());
  writer.go();
  while (!watch.ended()) {
    ready.wait();
    const std::size_t bytes = inotify.read();
    take(inotify, bytes, bench::now_ns(), watch);
  }
}

template <class Watcher>
void wait_by(const std::string& root, const bench::child& writer, stopwatch& watch) {
  Watcher watcher({.debounce = hotwatch::immediate});
  watcher.add(root);
  writer.go();
  while (!watch.ended()) {
    const hotwatch::batch& batch = watcher.wait();
    take(batch, bench::now_ns(), watch);
  }
}

constexpr reader hotwatch_wait = wait_by<hotwatch::watcher>;

/// The floor of a callback: the same loop, on a thread of its own.
void bare_thread(const std::string& root, const bench::child& writer, stopwatch& watch) {
  std::thread(bare_read, std::cref(root), std::cref(writer), std::ref(watch)).join();
}

/// The background thread runs where the thread that made it may run, as the bare one does.
void hotwatch_callback(const std::string& root, const bench::child& writer, stopwatch& watch) {
  std::atomic<bool> ended = false;
  const auto callback = [&](const hotwatch::batch& batch) {
    take(batch, bench::now_ns(), watch);
    if (!watch.ended()) return;
    ended = true;
    ended.notify_one();
  };
  const hotwatch::subscription subscription = hotwatch::watch(root, callback, {.debounce = hotwatch::immediate});
  writer.go();
  ended.wait(false);
}

struct clocked_system : hotwatch::linux_system {
  static inline std::int64_t last_read = 0;
  ssize_t read(int fd, void* buffer, std::size_t size) const noexcept {
    const ssize_t got = linux_system::read(fd, buffer, size);
    last_read = bench::now_ns();
    return got;
  }
};

void hotwatch_after_read(const std::string& root, const bench::child& writer, stopwatch& watch) {
  hotwatch::basic_watcher<hotwatch::basic_inotify_backend<clocked_system>> watcher({.debounce = hotwatch::immediate});
  watcher.add(root);
  writer.go();
  while (!watch.ended()) {
    const hotwatch::batch& batch = watcher.wait();
    const std::int64_t at = bench::now_ns();
    watch.begin(clocked_system::last_read);
    take(batch, at, watch);
  }
}

void hotwatch_spin(const std::string& root, const bench::child& writer, stopwatch& watch) {
  // Longer than the spacing: it never comes to block.
  hotwatch::watcher watcher({.debounce = hotwatch::immediate, .spin = std::chrono::microseconds(5000)});
  watcher.add(root);
  writer.go();
  while (!watch.ended()) {
    const hotwatch::batch& batch = watcher.wait();
    take(batch, bench::now_ns(), watch);
  }
}

void hotwatch_epoll(const std::string& root, const bench::child& writer, stopwatch& watch) {
  hotwatch::watcher watcher({.debounce = hotwatch::immediate});
  watcher.add(root);
  const epoll ready(watcher.native_handle());
  writer.go();
  while (!watch.ended()) {
    ready.wait();
    const hotwatch::batch& batch = watcher.poll();
    take(batch, bench::now_ns(), watch);
  }
}

/// One way of waiting: its samples, pooled and round by round.
struct contender {
  const char* name;
  reader read;
  std::vector<double> all = {};
  std::array<std::vector<double>, operations> by_operation = {};
  std::vector<double> p50 = {};
  std::vector<double> p99 = {};
  std::array<std::vector<double>, operations> calls = {};  ///< how long the system call itself took
  std::array<std::vector<double>, operations> p50_by_operation = {};
  std::array<std::vector<double>, operations> p99_by_operation = {};
  std::uint64_t lost = 0;
  std::uint64_t merged = 0;

  void round(const std::string& directory, const pace& every, int processor, log& begun) {
    static int number = 0;
    const std::string root = directory + "/round-" + std::to_string(number++);
    bench::check(::mkdir(root.c_str(), 0755), "mkdir");
    for (int k = 0; k < written_files; ++k)
      ::close(bench::check(::creat((root + '/' + numbered('w', k)).c_str(), 0644), "creat"));
    const std::string kept = root + ".kept";
    ::close(bench::check(::creat(kept.c_str(), 0644), "creat"));
    for (int g = 0; g < every.changes / operations; ++g)
      bench::check(::link(kept.c_str(), (root + '/' + numbered('u', g)).c_str()), "link");
    stopwatch watch(begun, every.changes);
    bench::child writer([&] { write_changes(root, every, processor, begun); });
    read(root, writer, watch);
    writer.join();

    std::vector<double> sample;
    std::array<std::vector<double>, operations> samples;
    for (std::size_t i = every.warm_up(); i < watch.took().size(); ++i) {
      if (watch.took()[i] < 0) {
        ++(watch.took()[i] == stopwatch::merged ? merged : lost);
        continue;
      }
      sample.push_back(watch.took()[i]);
      samples[i % operations].push_back(watch.took()[i]);
      calls[i % operations].push_back(static_cast<double>(begun.ended[i] - begun.begun[i]) / 1e3);
    }
    p50.push_back(bench::percentile(sample, 0.5));
    p99.push_back(bench::percentile(sample, 0.99));
    all.insert(all.end(), sample.begin(), sample.end());
    for (std::size_t i = 0; i < operations; ++i) {
      p50_by_operation[i].push_back(bench::percentile(samples[i], 0.5));
      p99_by_operation[i].push_back(bench::percentile(samples[i], 0.99));
      by_operation[i].insert(by_operation[i].end(), samples[i].begin(), samples[i].end());
    }
  }
};

/// In pairs: the floor, and what is measured against it.
using pair = std::array<contender, 2>;

struct quantile {
  const char* name;
  double share;
};
constexpr std::array<quantile, 5> quantiles{{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}};

void add_columns(std::vector<std::string>& columns, const std::string& prefix) {
  for (const quantile& q : quantiles) columns.push_back(prefix + q.name);
}
void add_cells(std::vector<bench::cell>& row, const std::vector<double>& sample, int digits = 1) {
  for (const quantile& q : quantiles) row.emplace_back(bench::percentile(sample, q.share), digits);
}

bench::table tabulate(const std::string& title, const std::vector<pair>& pairs) {
  std::vector<std::string> columns{"how"};
  add_columns(columns, "");
  columns.insert(columns.end(), {"lost", "merged", "p50 x bare", "p99 x bare"});
  bench::table out(title, std::move(columns));
  for (const pair& both : pairs)
    for (const contender& c : both) {
      std::vector<bench::cell> row{c.name};
      add_cells(row, c.all);
      row.emplace_back(c.lost);
      row.emplace_back(c.merged);
      row.emplace_back(bench::paired_ratio(c.p50, both[0].p50), 2);
      row.emplace_back(bench::paired_ratio(c.p99, both[0].p99), 2);
      out.row(std::move(row));
    }
  return out;
}

bench::table tabulate_by_operation(const std::string& where, const pair& both) {
  const auto& [bare, watcher] = both;
  std::vector<std::string> columns{"operation", "the call p50"};
  add_columns(columns, "bare ");
  add_columns(columns, "hotwatch ");
  columns.insert(columns.end(), {"p50 x bare", "p99 x bare"});
  bench::table out(where + ", by operation: " + watcher.name + " against " + bare.name + ", us", std::move(columns));
  for (std::size_t i = 0; i < operations; ++i) {
    std::vector<bench::cell> row{operation_names[i]};
    row.emplace_back(bench::percentile(watcher.calls[i], 0.5), 1);
    for (const contender& c : both) add_cells(row, c.by_operation[i]);
    row.emplace_back(bench::paired_ratio(watcher.p50_by_operation[i], bare.p50_by_operation[i]), 2);
    row.emplace_back(bench::paired_ratio(watcher.p99_by_operation[i], bare.p99_by_operation[i]), 2);
    out.row(std::move(row));
  }
  return out;
}

bench::table tabulate_after_read(const std::string& where, const pair& both) {
  std::vector<std::string> columns{"operation"};
  add_columns(columns, "bare ");
  add_columns(columns, "hotwatch ");
  bench::table out(where + ": from the return of read() to the return of the wait, us", std::move(columns));
  for (std::size_t i = 0; i < operations; ++i) {
    std::vector<bench::cell> row{operation_names[i]};
    for (const contender& c : both) add_cells(row, c.by_operation[i], 2);
    out.row(std::move(row));
  }
  return out;
}

/// The rounds of all pairs, on one place and at one pace.
class session {
 public:
  session(const bench::arguments& args, int processor, pace every)
      : args_(args), directory_(args.dir_or_here()), processor_(processor), pace_(every) {}

  // Only one of them is alive at a time: two watchers would wake one after the other. Who goes first changes.
  void measure(std::vector<pair>& pairs) {
    for (int round = 0; round < args_.rounds; ++round)
      for (pair& both : pairs)
        for (std::size_t turn = 0; turn < 2; ++turn)
          both[(turn + static_cast<std::size_t>(round)) % 2].round(directory_.path(), pace_, processor_, *begun_);
  }

  /// What the titles of its tables say.
  [[nodiscard]] std::string place() const {
    return std::string(processor_ == bench::own_processor() ? "one processor" : "two processors") +
           ", one change each " + std::to_string(pace_.spacing_ms) + " ms";
  }
  [[nodiscard]] std::string title() const {
    return "latency on " + bench::file_system(directory_.path()) + ", " + place() +
           ": from before the system call until it is told, us";
  }

 private:
  const bench::arguments& args_;
  bench::temp_directory directory_;
  bench::shared<log> begun_;
  int processor_;
  pace pace_;
};

const pair waiting{{{"bare: blocking read", bare_read}, {"hotwatch: wait()", hotwatch_wait}}};
const pair marking{
    {{"hotwatch: wait()", hotwatch_wait}, {"hotwatch: wait(), fanotify", wait_by<bench::fanotify_watcher>}}};
const pair calling_back{{{"bare: blocking read on a thread", bare_thread}, {"hotwatch: callback", hotwatch_callback}}};
const pair in_an_event_loop{{{"bare: epoll + read", bare_epoll}, {"hotwatch: epoll + poll()", hotwatch_epoll}}};
const pair spinning{{{"bare: spinning read", bare_spin}, {"hotwatch: wait(), spin", hotwatch_spin}}};
const pair after_read{{{"bare", bare_after_read}, {"hotwatch", hotwatch_after_read}}};

/// Who waits finds its caches warm.
void measure_in_a_stream(const bench::arguments& args, bench::report& out, int processor) {
  session here(args, processor, {args.quick ? 200 : 800, 1});
  std::vector<pair> pairs{waiting, calling_back, in_an_event_loop};
  if (bench::has_fanotify(args.dir_or_here())) pairs.push_back(marking);
  // Who spins leaves nothing of its processor to others.
  if (processor != bench::own_processor()) pairs.push_back(spinning);
  pairs.push_back(after_read);
  here.measure(pairs);
  const pair afterwards = std::move(pairs.back());
  pairs.pop_back();
  out.add(tabulate(here.title(), pairs));
  for (const pair& both : pairs) out.add(tabulate_by_operation(here.place(), both));
  out.add(tabulate_after_read(here.place(), afterwards));
}

/// Who waits was put to sleep, its processor too, and others had its caches.
void measure_lone(const bench::arguments& args, bench::report& out, int processor) {
  session here(args, processor, {args.quick ? 20 : 80, 20});
  std::vector<pair> pairs{waiting, calling_back};
  here.measure(pairs);
  out.add(tabulate(here.title(), pairs));
  for (const pair& both : pairs) out.add(tabulate_by_operation(here.place(), both));
}

void measure(const bench::arguments& args, bench::report& out) {
  const std::vector<int> processors = bench::processors();
  bench::run_on(processors.front());
  const int other = processors.size() > 1 ? processors[1] : processors.front();
  measure_in_a_stream(args, out, other);
  if (other != processors.front()) measure_in_a_stream(args, out, processors.front());
  measure_lone(args, out, other);
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 5, measure); }
