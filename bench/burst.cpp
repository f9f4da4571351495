// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Many files change at once: is each told once, and what CPU time does the reader take? 100,000 files created by one
// loop; the same while the consumer is held up until the kernel's queue has overflowed; and what tar, rm and git do.

#include "burst.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <thread>
#include <unordered_set>

#include "burst_of_tools.hpp"

namespace {

using burst::result;

constexpr int directories = 100;
constexpr std::int64_t stall_ns = 1'500'000'000;

/// Each file is opened with O_CREAT, gets one byte and is closed: three records. Then the sentinel is made.
void create_files(const std::string& root, int files) {
  const int top = bench::check(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  const auto create = [top](const char* name) {
    const int file = bench::check(::openat(top, name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "openat");
    if (::write(file, "x", 1) != 1) bench::fail("write");
    ::close(file);
  };
  std::array<char, 32> name{};
  for (int i = 0; i < files; ++i) {
    std::snprintf(name.data(), name.size(), "dir-%d/%d", i / (files / directories), i);
    create(name.data());
  }
  create("end");
}

/// How often each file was told. The last component of a path is the file's number.
class tally {
 public:
  explicit tally(int files) : created_(static_cast<std::size_t>(files), 0) {}

  void created(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (name == "end") {
      ended_ = true;
      return;
    }
    std::size_t number = 0;
    for (const char digit : name) {
      if (digit < '0' || digit > '9') return;
      number = number * 10 + static_cast<std::size_t>(digit - '0');
    }
    if (number < created_.size()) created_[number] += 1;
  }
  void other() { ++others_; }

  [[nodiscard]] bool ended() const { return ended_; }
  void write_to(result& r) const {
    r.lost = std::count(created_.begin(), created_.end(), 0);
    r.doubled = std::count_if(created_.begin(), created_.end(), [](int times) { return times > 1; });
    r.others = others_;
  }

 private:
  std::vector<int> created_;
  std::int64_t others_ = 0;
  bool ended_ = false;
};

/// A tree, the child that is about to fill it, and whether the consumer looks away meanwhile.
struct scene {
  const std::string& root;
  bench::child& writer;
  int files;
  bool held_up;

  /// Runs `consume` until all the files were told. Held up, the consumer looks away for 1.5 s, and until the writer has
  /// ended; the clocks start after that.
  template <class Consume>
  void measure(result& r, const tally& told, Consume consume) const {
    const std::int64_t stall_end = bench::now_ns() + stall_ns;
    burst::meter since;
    writer.go();
    if (held_up) {
      writer.join();
      bench::wait_until_ns(stall_end);
      since = burst::meter();
    }
    consume();
    r.wall_ms = since.wall_ms();
    r.cpu_ms = since.cpu_ms();
    told.write_to(r);
    if (!held_up) writer.join();
  }
};

/// The floor: a hash table of paths. After an overflow the whole tree is read into the same table: the least that makes
/// it right again.
class path_table {
 public:
  path_table(const std::string& root, tally& told) : root_(root), told_(told) {}

  void take(bench::bare_inotify& inotify, std::span<const char> records, result& r) {
    bool overflow = false;
    inotify.each(records, [&](std::uint32_t mask, std::string_view path) {
      overflow |= (mask & IN_Q_OVERFLOW) != 0;
      if ((mask & (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE)) != 0) insert(key_.assign(path));
    });
    ++r.batches;
    if (!overflow) return;
    ++r.overflows;
    bench::bare_inotify::walk(
        root_, [](const std::string&) {},
        [&](const std::string& directory, std::string_view name) {
          insert(key_.assign(directory).append(1, '/').append(name));
        });
  }

 private:
  void insert(const std::string& path) {
    if (known_.insert(path).second) told_.created(path);
  }

  const std::string& root_;
  tally& told_;
  std::unordered_set<std::string> known_;
  std::string key_;
};

void bare(const scene& s, result& r) {
  tally told(s.files);
  bench::bare_inotify inotify;
  inotify.add(s.root);
  path_table table(s.root, told);
  s.measure(r, told, [&] {
    while (!told.ended()) table.take(inotify, inotify.records(inotify.read()), r);
  });
}

/// A thread that reads the queue into memory until it is told to end.
class drain {
 public:
  explicit drain(bench::bare_inotify& inotify)
      : inotify_(inotify), over_(bench::check(::eventfd(0, EFD_CLOEXEC), "eventfd")), thread_([this] { run(); }) {}
  drain(const drain&) = delete;
  drain& operator=(const drain&) = delete;
  ~drain() {
    end();
    ::close(over_);
  }

  /// All that was queued until now.
  std::span<const char> end() {
    if (!thread_.joinable()) return kept_;
    if (::eventfd_write(over_, 1) != 0) bench::fail("eventfd_write");
    thread_.join();
    return kept_;
  }
  [[nodiscard]] double cpu_ms() const { return cpu_ms_; }

 private:
  void run() {
    const burst::meter since;
    std::array<pollfd, 2> ready{{{inotify_.fd(), POLLIN, 0}, {over_, POLLIN, 0}}};
    while (ready[1].revents == 0) {
      ::poll(ready.data(), ready.size(), -1);
      for (std::size_t bytes = inotify_.read(); bytes > 0; bytes = inotify_.read()) {
        const std::span<const char> records = inotify_.records(bytes);
        kept_.insert(kept_.end(), records.begin(), records.end());
      }
    }
    cpu_ms_ = since.cpu_ms();
  }

  bench::bare_inotify& inotify_;
  int over_;
  std::vector<char> kept_;
  double cpu_ms_ = 0;
  std::thread thread_;
};

/// What if somebody emptied the queue while the consumer looks away? The CPU time of both counts.
void bare_drained(const scene& s, result& r) {
  tally told(s.files);
  bench::bare_inotify inotify(IN_NONBLOCK);
  inotify.add(s.root);
  path_table table(s.root, told);
  drain meanwhile(inotify);
  s.measure(r, told, [&] { table.take(inotify, meanwhile.end(), r); });
  r.cpu_ms += meanwhile.cpu_ms();
}

template <const hotwatch::debounce& Policy>
void watched(const scene& s, result& r) {
  tally told(s.files);
  hotwatch::watcher watcher({.debounce = Policy});
  watcher.add(s.root);
  const auto take = [&](const hotwatch::batch& batch) {
    ++r.batches;
    for (const hotwatch::change& c : batch) {
      if (c.kind == hotwatch::change_kind::created) {
        told.created(c.path);
      } else {
        told.other();
      }
    }
  };
  s.measure(r, told, [&] { burst::pull(watcher, r, take, [&] { return told.ended(); }); });
}

constexpr hotwatch::debounce by_default{};

using contenders = std::vector<burst::contender<void (*)(const scene&, result&)>>;

contenders run(contenders each, const bench::arguments& args, const std::string& parent, int files, bool held_up) {
  burst::take_turns(each, args.rounds, [&](auto read, result& r) {
    const bench::temp_directory directory(parent);
    const std::string root = directory.path() + "/root";
    bench::make_tree(root, {directories}, 0);
    bench::child writer([&] { create_files(root, files); });
    const double before = bench::resident_bytes();
    read({root, writer, files, held_up}, r);
    r.grown_kb = (bench::peak_resident_bytes() - before) / 1024;
  });
  return each;
}

void measure(const bench::arguments& args, bench::report& out) {
  // In memory unless told otherwise: a disk's writer is slower, so its reader is woken for each file.
  const std::string parent = args.dir.empty() && ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : args.dir_or_here();
  contenders all{{"bare: read into a hash table", bare},
                 {"hotwatch: immediate", watched<hotwatch::immediate>},
                 {"hotwatch: default debounce", watched<by_default>}};
  const int files = args.quick ? 20'000 : 100'000;
  out.add(burst::tabulate("burst on " + bench::file_system(parent) + ": " + std::to_string(files) +
                              " files in 100 directories; medians, counts are the worst round",
                          run(all, args, parent, files, false), "wall ms"));

  const int held = 20'000;  // 60,000 records
  all.insert(all.begin() + 1, {"bare, drained by a second thread", bare_drained});
  out.add(burst::tabulate("held up for 1.5 s while 60,000 records come", run(all, args, parent, held, true),
                          "all told after the stall, ms"));

  burst::measure_tools(args, out, parent);
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 5, measure); }
