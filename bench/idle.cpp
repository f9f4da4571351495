// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Does a watcher of 10,000 directories do anything at all while nothing happens?

#include <poll.h>

#include <hotwatch.hpp>

#include "bench.hpp"

namespace {

/// What all threads of this process did so far.
struct activity {
  std::int64_t voluntary = 0;    ///< context switches: each is one time that a thread went to sleep
  std::int64_t involuntary = 0;  ///< somebody else's doing: another process wanted the core
  std::int64_t ticks = 0;        ///< of CPU time, user and system, as /proc/self/stat counts them
};

activity so_far() {
  activity a;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(task.path() / "status");
    for (std::string line; std::getline(status, line);) {
      const std::size_t colon = line.find(':');
      if (line.starts_with("voluntary_ctxt_switches")) a.voluntary += std::atoll(line.c_str() + colon + 1);
      if (line.starts_with("nonvoluntary_ctxt_switches")) a.involuntary += std::atoll(line.c_str() + colon + 1);
    }
  }
  std::ifstream stat("/proc/self/stat");
  std::string line;
  std::getline(stat, line);
  // After the program's name in brackets come field 3, the state, and on to 14 and 15: utime and stime (proc(5)).
  const char* at = line.c_str() + line.rfind(')') + 2;
  for (int field = 3; field < 14; ++field) at = std::strchr(at, ' ') + 1;
  char* next = nullptr;
  a.ticks = std::strtoll(at, &next, 10);
  a.ticks += std::strtoll(next, nullptr, 10);
  return a;
}

/// User and system time of the process. Apart from the rest, because reading /proc costs more than what is looked for.
double cpu_us() {
  rusage usage{};
  bench::check(::getrusage(RUSAGE_SELF, &usage), "getrusage");
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

struct result {
  activity spent;
  double cpu_us = 0;
  std::int64_t returns = 0;  ///< of the wait, before the time was over
};

template <class Wait>
void observe(result& r, Wait wait) {
  so_far();  // touches what the second look will touch
  const activity before = so_far();
  const double cpu = cpu_us();
  r.returns = wait();
  r.cpu_us = cpu_us() - cpu;
  const activity after = so_far();
  r.spent = {after.voluntary - before.voluntary, after.involuntary - before.involuntary, after.ticks - before.ticks};
}

void touch(const std::string& path) {
  ::close(bench::check(::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "open"));
}

/// Waits in the watcher itself; counts the times that it came back for nothing.
std::int64_t wait_in(hotwatch::watcher& watcher, std::chrono::milliseconds idle) {
  std::int64_t early = -1;
  const auto end = std::chrono::steady_clock::now() + idle;
  for (auto now = end - idle; now < end; now = std::chrono::steady_clock::now(), ++early) watcher.wait_for(end - now);
  return early;
}

void measure(const bench::arguments& args, bench::report& out) {
  const std::chrono::milliseconds idle(args.quick ? 1000 : 5000);
  const bench::temp_directory directory(args.dir_or_here());
  const std::string root = directory.path() + "/root";
  const bench::tree_size size = bench::make_tree(root, {10, 10, 10, 9}, 1);

  bench::table t("idle: " + std::to_string(size.directories) + " directories, " + std::to_string(idle.count()) +
                     " ms; the blocking itself is one voluntary switch a thread",
                 {"how", "voluntary switches", "involuntary", "early returns", "cpu ticks", "cpu us"});
  const auto row = [&](const char* how, const result& r) {
    t.row({how, r.spent.voluntary, r.spent.involuntary, r.returns, r.spent.ticks, {r.cpu_us, 0}});
  };

  row("bare: poll()", bench::isolated<result>([&](result& r) {
        bench::bare_inotify inotify;
        inotify.add(root);
        observe(r, [&] {
          pollfd ready{inotify.fd(), POLLIN, 0};
          return std::int64_t{::poll(&ready, 1, static_cast<int>(idle.count()))};
        });
      }));
  row("hotwatch: wait_for()", bench::isolated<result>([&](result& r) {
        hotwatch::watcher watcher;
        watcher.add(root);
        watcher.flush();
        observe(r, [&] { return wait_in(watcher, idle); });
      }));
  row("hotwatch: wait_for() after a change was told", bench::isolated<result>([&](result& r) {
        hotwatch::watcher watcher;
        watcher.add(root);
        touch(root + "/dir-0/another");
        while (watcher.wait_for(std::chrono::seconds(5)).size() == 0) {
        }
        watcher.flush();
        observe(r, [&] { return wait_in(watcher, idle); });
      }));
  row("hotwatch: poll() on native_handle()", bench::isolated<result>([&](result& r) {
        hotwatch::watcher watcher;
        watcher.add(root);
        watcher.flush();
        observe(r, [&] {
          pollfd ready{watcher.native_handle(), POLLIN, 0};
          return std::int64_t{::poll(&ready, 1, static_cast<int>(idle.count()))};
        });
      }));
  row("hotwatch: watch(), its thread and this one", bench::isolated<result>([&](result& r) {
        hotwatch::subscription subscription = hotwatch::watch(root, [](const hotwatch::batch&) {});
        bench::wait_until_ns(bench::now_ns() + 200'000'000);  // the thread reaches its wait
        observe(r, [&] {
          bench::wait_until_ns(bench::now_ns() + std::int64_t{idle.count()} * 1'000'000);
          return std::int64_t{0};
        });
        subscription.stop();
      }));
  out.add(std::move(t));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 1, measure); }
