// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// 100,000 files are created in 100 directories: is each told once, and what CPU time does the reader take?
// And when the consumer is held up until the kernel's queue has overflowed: what is lost, how soon is it repaired?

#include <hotwatch.hpp>
#include <unordered_set>

#include "bench.hpp"

namespace {

constexpr int directories = 100;
constexpr std::int64_t stall_ns = 1'500'000'000;
constexpr auto patience = std::chrono::seconds(30);

/// Each file is opened with O_CREAT, gets one byte and is closed: three records. Then the sentinel is made.
void create_files(const std::string& root, int files) {
  const int top = bench::check(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC), "open");
  std::array<char, 32> name{};
  for (int i = 0; i < files; ++i) {
    std::snprintf(name.data(), name.size(), "dir-%d/%d", i / (files / directories), i);
    const int file = bench::check(::openat(top, name.data(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644), "openat");
    if (::write(file, "x", 1) != 1) bench::fail("write");
    ::close(file);
  }
  bench::check(::mknodat(top, "end", S_IFREG | 0644, 0), "mknodat");
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
  [[nodiscard]] std::int64_t lost() const { return std::count(created_.begin(), created_.end(), 0); }
  [[nodiscard]] std::int64_t doubled() const {
    return std::count_if(created_.begin(), created_.end(), [](int times) { return times > 1; });
  }
  [[nodiscard]] std::int64_t others() const { return others_; }

 private:
  std::vector<int> created_;
  std::int64_t others_ = 0;
  bool ended_ = false;
};

struct result {
  double cpu_ms = 0;
  double wall_ms = 0;  ///< to the end; held up: from the end of the stall
  std::int64_t lost = 0;
  std::int64_t doubled = 0;
  std::int64_t others = 0;  ///< changes told besides `created`
  std::int64_t overflows = 0;
  std::int64_t batches = 0;
};

/// Runs until all the files were told. With `held_up` the consumer looks away for 1.5 s, and until the writer has
/// ended; the clocks start after that.
template <class Consume>
result timed(bench::child& writer, bool held_up, const tally& told, Consume consume) {
  result r;
  const std::int64_t stall_end = bench::now_ns() + stall_ns;
  std::int64_t cpu = bench::thread_cpu_ns();
  std::int64_t began = bench::now_ns();
  writer.go();
  if (held_up) {
    writer.join();
    bench::wait_until_ns(stall_end);
    cpu = bench::thread_cpu_ns();
    began = bench::now_ns();
  }
  consume(r);
  r.wall_ms = static_cast<double>(bench::now_ns() - began) / 1e6;
  r.cpu_ms = static_cast<double>(bench::thread_cpu_ns() - cpu) / 1e6;
  r.lost = told.lost();
  r.doubled = told.doubled();
  r.others = told.others();
  if (!held_up) writer.join();
  return r;
}

/// The floor: a blocking read loop that drains into a hash table of paths. After an overflow it reads the whole tree
/// into the same table: the least that makes it right again.
result bare(const std::string& root, bench::child& writer, int files, bool held_up) {
  tally told(files);
  bench::bare_inotify inotify;
  inotify.add(root);
  std::unordered_set<std::string> known;
  return timed(writer, held_up, told, [&](result& r) {
    std::string key;
    while (!told.ended()) {
      bool overflow = false;
      inotify.each(inotify.read(), [&](std::uint32_t mask, std::string_view path) {
        overflow |= (mask & IN_Q_OVERFLOW) != 0;
        if ((mask & (IN_CREATE | IN_MODIFY | IN_CLOSE_WRITE)) == 0) return;
        key.assign(path);
        if (known.insert(key).second) told.created(path);
      });
      ++r.batches;
      if (!overflow) continue;
      ++r.overflows;
      bench::bare_inotify::walk(
          root, [](const std::string&) {},
          [&](const std::string& directory, std::string_view name) {
            key.assign(directory);
            key += '/';
            key += name;
            if (known.insert(key).second) told.created(key);
          });
    }
  });
}

result watched(const std::string& root, bench::child& writer, int files, bool held_up, hotwatch::debounce debounce) {
  tally told(files);
  hotwatch::watcher watcher({.debounce = debounce});
  watcher.add(root);
  return timed(writer, held_up, told, [&](result& r) {
    const auto take = [&](const hotwatch::batch& batch) {
      ++r.batches;
      for (const hotwatch::change& c : batch) {
        if (c.kind == hotwatch::change_kind::created) {
          told.created(c.path);
        } else {
          told.other();
        }
      }
      for (const hotwatch::notice& n : batch.notices())
        r.overflows += n.kind == hotwatch::notice_kind::overflow ? 1 : 0;
    };
    while (!told.ended()) {
      const hotwatch::batch& batch = watcher.wait_for(patience);
      if (batch.empty()) break;  // what is missing is told as lost
      take(batch);
    }
    take(watcher.flush());
  });
}

struct contender {
  const char* name;
  result (*read)(const std::string&, bench::child&, int files, bool held_up);
  std::vector<result> rounds = {};

  void round(const std::string& parent, int files, bool held_up) {
    const bench::temp_directory directory(parent);
    const std::string root = directory.path() + "/root";
    bench::make_tree(root, {directories}, 0);
    bench::child writer([&] { create_files(root, files); });
    rounds.push_back(read(root, writer, files, held_up));
  }

  [[nodiscard]] std::vector<double> each(double result::*figure) const {
    std::vector<double> values;
    for (const result& r : rounds) values.push_back(r.*figure);
    return values;
  }
  [[nodiscard]] std::int64_t most(std::int64_t result::*figure) const {
    std::int64_t value = 0;
    for (const result& r : rounds) value = std::max(value, r.*figure);
    return value;
  }
};

bench::table tabulate(const std::string& title, const std::vector<contender>& contenders, const char* wall) {
  bench::table out(title, {"how", "lost", "told twice", "other changes", "batches", "overflows", wall, "cpu ms",
                           "cpu x bare", "time x bare"});
  for (const contender& c : contenders)
    out.row({c.name,
             c.most(&result::lost),
             c.most(&result::doubled),
             c.most(&result::others),
             c.most(&result::batches),
             c.most(&result::overflows),
             {bench::median(c.each(&result::wall_ms)), 1},
             {bench::median(c.each(&result::cpu_ms)), 1},
             {bench::paired_ratio(c.each(&result::cpu_ms), contenders.front().each(&result::cpu_ms)), 2},
             {bench::paired_ratio(c.each(&result::wall_ms), contenders.front().each(&result::wall_ms)), 2}});
  return out;
}

void measure(const bench::arguments& args, bench::report& out) {
  // In memory unless told otherwise: a disk's writer is slower, so its reader is woken for each file.
  const std::string parent = args.dir.empty() && ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : args.dir_or_here();
  const std::vector<contender> fresh{
      {"bare: read into a hash table", bare},
      {"hotwatch: immediate", [](const std::string& root, bench::child& writer, int n,
                                 bool held_up) { return watched(root, writer, n, held_up, hotwatch::immediate); }},
      {"hotwatch: default debounce", [](const std::string& root, bench::child& writer, int n,
                                        bool held_up) { return watched(root, writer, n, held_up, {}); }},
  };
  const auto rounds = [&](int files, bool held_up) {
    auto contenders = fresh;
    for (int round = 0; round < args.rounds; ++round)
      for (std::size_t turn = 0; turn < contenders.size(); ++turn)
        contenders[(turn + static_cast<std::size_t>(round)) % contenders.size()].round(parent, files, held_up);
    return contenders;
  };

  const int files = args.quick ? 20'000 : 100'000;
  out.add(tabulate("burst on " + bench::file_system(parent) + ": " + std::to_string(files) +
                       " files in 100 directories; medians, counts are the worst round",
                   rounds(files, false), "wall ms"));

  const int held = 20'000;  // 60,000 records
  out.add(tabulate("held up for 1.5 s while 60,000 records come", rounds(held, true), "repair ms"));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 5, measure); }
