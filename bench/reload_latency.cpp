// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// An editor saves: how long from its last system call to the one change that a reload tool wants, with the default
// options? The floor is the bare read that returns with the record of that call.

#include <poll.h>

#include <hotwatch.hpp>

#include "bench.hpp"

namespace {

using namespace std::chrono_literals;

void put(const std::string& path, int flags) {
  const int fd = bench::check(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644), "open");
  for (int i = 0; i < 4; ++i)
    if (::write(fd, "some text\n", 10) != 10) bench::fail("write");
  ::close(fd);
}

struct pattern {
  const char* name;
  void (*save)(const std::string& f);
};

const pattern patterns[] = {
    {"in place (VS Code, nano, Notepad)", [](const std::string& f) { put(f, O_TRUNC); }},
    {"temporary file, rename (sed -i, gedit, Kate)",
     [](const std::string& f) {
       put(f + ".tmp", O_EXCL);
       bench::check(::rename((f + ".tmp").c_str(), f.c_str()), "rename");
     }},
    {"vim: probe, backup by rename, new file, backup removed",
     [](const std::string& f) {
       const std::string probe = f.substr(0, f.rfind('/')) + "/4913";
       ::close(bench::check(::open(probe.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), "open"));
       bench::check(::unlink(probe.c_str()), "unlink");
       bench::check(::rename(f.c_str(), (f + "~").c_str()), "rename");
       put(f, O_EXCL);
       bench::check(::chmod(f.c_str(), 0644), "chmod");
       bench::check(::unlink((f + "~").c_str()), "unlink");
     }},
    {"JetBrains: temporary, old aside, rename, old removed",
     [](const std::string& f) {
       put(f + "___jb_tmp___", O_EXCL);
       bench::check(::rename(f.c_str(), (f + "___jb_old___").c_str()), "rename");
       bench::check(::rename((f + "___jb_tmp___").c_str(), f.c_str()), "rename");
       bench::check(::unlink((f + "___jb_old___").c_str()), "unlink");
     }},
    {"removed and made again",
     [](const std::string& f) {
       bench::check(::unlink(f.c_str()), "unlink");
       put(f, O_EXCL);
     }},
};

struct result {
  std::vector<double> us;
  int more_than_one = 0;  ///< saves that were told as more than one change
};

constexpr std::int64_t between = 60'000'000;  // longer than any of the two holds anything back

template <class Wait>
result save_and_wait(const std::string& root, const pattern& p, int saves, Wait wait) {
  const std::string f = root + "/f";
  const bench::shared<std::array<std::int64_t, 1000>> saved;
  bench::child editor([&] {
    for (int i = 0; i < saves; ++i) {
      bench::wait_until_ns(bench::now_ns() + between);
      p.save(f);
      (*saved)[static_cast<std::size_t>(i)] = bench::now_ns();
    }
  });
  return wait(editor, *saved);
}

result bare(const std::string& root, const pattern& p, int saves) {
  return save_and_wait(root, p, saves, [&](bench::child& editor, const auto& saved) {
    bench::bare_inotify inotify(IN_NONBLOCK);
    inotify.add(root);
    editor.go();
    result r;
    pollfd ready{inotify.fd(), POLLIN, 0};
    for (int i = 0; i < saves; ++i) {
      // The last record of a save is the one that nothing follows for a while.
      std::int64_t last = 0;
      for (bool begun = false; ::poll(&ready, 1, begun ? 20 : 10'000) > 0; begun = true) {
        inotify.read();
        last = bench::now_ns();
      }
      r.us.push_back(static_cast<double>(last - saved[static_cast<std::size_t>(i)]) / 1000);
    }
    editor.join();
    return r;
  });
}

result watched(const std::string& root, const pattern& p, int saves) {
  return save_and_wait(root, p, saves, [&](bench::child& editor, const auto& saved) {
    hotwatch::watcher watcher;
    watcher.add(root);
    editor.go();
    result r;
    for (int i = 0; i < saves; ++i) {
      const hotwatch::batch& first = watcher.wait_for(10s);
      r.us.push_back(static_cast<double>(bench::now_ns() - saved[static_cast<std::size_t>(i)]) / 1000);
      std::size_t changes = first.size();
      changes += watcher.wait_for(30ms).size();
      r.more_than_one += changes != 1 ? 1 : 0;
    }
    editor.join();
    return r;
  });
}

void measure(const bench::arguments& args, bench::report& out) {
  const bench::temp_directory directory(args.dir_or_here());
  const int saves = args.quick ? 10 : 50;
  bench::table t("a save, from the return of its last system call to the return of the wait, default options, us",
                 {"save", "bare p50", "hotwatch p50", "hotwatch p99", "hotwatch max", "not exactly one change"});
  for (const pattern& p : patterns) {
    result floor;
    result own;
    for (int round = 0; round < args.rounds; ++round) {
      const std::string root = directory.path() + "/" + std::to_string(&p - patterns) + "-" + std::to_string(round);
      bench::check(::mkdir(root.c_str(), 0755), "mkdir");
      put(root + "/f", 0);
      const result a = bare(root, p, saves);
      const result b = watched(root, p, saves);
      floor.us.insert(floor.us.end(), a.us.begin(), a.us.end());
      own.us.insert(own.us.end(), b.us.begin(), b.us.end());
      own.more_than_one += b.more_than_one;
    }
    t.row({p.name,
           {bench::percentile(floor.us, 0.5), 1},
           {bench::percentile(own.us, 0.5), 0},
           {bench::percentile(own.us, 0.99), 0},
           {bench::percentile(own.us, 1), 0},
           std::to_string(own.more_than_one) + " of " + std::to_string(own.us.size())});
  }
  out.add(std::move(t));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 2, measure); }
