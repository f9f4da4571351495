// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What does the engine itself cost, from a hint to the batch that tells of it? The whole watcher over a backend that
// makes no system call: it gives the hints it was handed, and there is no disk behind it.

#include <deque>
#include <hotwatch.hpp>

#include "bench.hpp"

namespace {

using hotwatch::entry_type;
using hotwatch::file_status;
using hotwatch::hint;
using hotwatch::hint_kind;
using enum hotwatch::hint_kind;

constexpr std::int32_t root_watch = 1;
constexpr std::int32_t directory_watch = 2;  // of the one directory in the root

std::string file(int number) { return std::string("file-").append(std::to_string(number)); }
/// When the watcher looks there is nothing of such a name any more.
std::string former(int number) { return std::string("x-").append(std::to_string(number)); }
bool is_former(std::string_view name) { return name.front() == 'x'; }

/// What is there at first, what then happens to it, and in how many changes that is to be told.
struct story {
  story() = default;
  story(story&&) = default;  // hints are views into `names`, which a copy would not own

  void say(std::initializer_list<hint_kind> kinds, std::string_view name) {
    names.emplace_back(name);
    for (const hint_kind kind : kinds) hints.push_back({kind, directory_watch, names.back()});
  }
  void rename(std::string_view from, std::string_view to, std::int32_t watch = directory_watch,
              entry_type type = entry_type::unknown) {
    const auto pair = static_cast<std::uint32_t>(names.size() + 1);
    hints.push_back({moved_from, watch, names.emplace_back(from), type, pair});
    hints.push_back({moved_to, watch, names.emplace_back(to), type, pair});
  }

  std::string directory = "directory";
  std::vector<std::string> files;  ///< in the directory
  std::deque<std::string> names;
  std::vector<hint> hints;
  std::size_t a_read = 0;  ///< hints that one read gives; 0: all of them
  std::uint64_t changes = 0;
};

story modified(int n) {
  story s;
  for (int i = 0; i < n; ++i) s.files.push_back(file(i));
  for (int i = 0; i < n; ++i) s.say({written, completed}, file(i));
  s.changes = static_cast<std::uint64_t>(n);
  return s;
}

story modified_again(int n) {
  story s;
  s.files.push_back(file(0));
  for (int i = 0; i < n; ++i) s.say({written, completed}, file(0));
  s.changes = 1;
  return s;
}

story modified_read_by_read(int n) {
  story s = modified_again(n);
  s.a_read = 2;
  s.changes = static_cast<std::uint64_t>(n);
  return s;
}

story created(int n) {
  story s;
  for (int i = 0; i < n; ++i) s.say({appeared, written, completed}, file(i));
  s.changes = static_cast<std::uint64_t>(n);
  return s;
}

story created_and_removed(int n) {
  story s;
  for (int i = 0; i < n; ++i) s.say({appeared, written, completed, vanished}, former(i));
  return s;
}

story renamed(int n) {
  story s;
  for (int i = 0; i < n; ++i) s.files.push_back(former(i));
  for (int i = 0; i < n; ++i) s.rename(former(i), file(i));
  s.changes = static_cast<std::uint64_t>(n);
  return s;
}

story renamed_in_a_chain(int n) {
  story s;
  s.files.push_back(former(0));
  for (int i = 1; i < n; ++i) s.rename(former(i - 1), former(i));
  s.rename(former(n - 1), file(0));
  s.changes = 1;
  return s;
}

story directory_renamed(int n) {
  story s;
  s.directory = former(0);
  for (int i = 0; i < n; ++i) s.files.push_back(file(i));
  s.rename(former(0), "directory", root_watch, entry_type::directory);
  s.changes = 1;
  return s;
}

/// Gives the hints of a story, read by read.
class hint_reader {
 public:
  hint_reader() = default;
  explicit hint_reader(const story& of) : left_(of.hints), a_read_(of.a_read == 0 ? of.hints.size() : of.a_read) {}

  bool wait() {
    if (read_.empty()) {
      read_ = left_.first(std::min(a_read_, left_.size()));
      left_ = left_.subspan(read_.size());
    }
    return !read_.empty();
  }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    const std::span<const hint> taken = std::exchange(read_, {});
    for (const hint& h : taken) sink(h);
    return taken.size();
  }
  [[nodiscard]] bool drained() const { return read_.empty(); }

 private:
  std::span<const hint> left_;
  std::span<const hint> read_;
  std::size_t a_read_ = 0;
};

/// Models hotwatch::backend. It answers from the names alone, and tells nothing until begin().
class story_backend {
 public:
  explicit story_backend(const story& of) : story_(of) {}

  class directory {
   public:
    directory() = default;
    directory(const story& of, std::int32_t watch) : story_(&of), watch_(watch) {}
    explicit operator bool() const noexcept { return story_ != nullptr; }

    [[nodiscard]] directory open_child(std::string_view, std::error_code& ec) const {
      ec = {};
      return {*story_, directory_watch};
    }
    [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const { return open_child(name, ec); }
    template <class Visit>
    [[nodiscard]] std::error_code list(std::vector<char>&, Visit&& visit) const {
      if (watch_ == root_watch) visit(std::string_view(story_->directory), entry_type::directory, 1);
      if (watch_ == directory_watch)
        for (std::size_t i = 0; i < story_->files.size(); ++i)
          visit(std::string_view(story_->files[i]), entry_type::file, 0);
      return {};
    }
    [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
      if (name.empty()) out.type = entry_type::directory;
      return name.empty() ? std::error_code() : look_at(name, out);
    }
    [[nodiscard]] bool dates_its_names() const noexcept { return false; }
    [[nodiscard]] std::int32_t watch() const noexcept { return watch_; }

   private:
    const story* story_ = nullptr;
    std::int32_t watch_ = 0;
  };

  directory open_root(const char*, std::error_code& ec) {
    ec = {};
    return {story_, root_watch};
  }
  std::string resolve(const char* path) { return path; }
  std::error_code look(const char* path, file_status& out) {
    const std::string_view whole = path;
    return look_at(whole.substr(whole.rfind('/') + 1), out);
  }
  hotwatch::watch_answer watch(const directory& d, hotwatch::watch_scope) { return {d.watch()}; }
  void unwatch(std::int32_t) noexcept {}
  hotwatch::guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<std::chrono::nanoseconds>) { return hints_.wait(); }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    return hints_.drain(sink);
  }
  [[nodiscard]] bool drained() const noexcept { return hints_.drained(); }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept {}
  int native_handle() noexcept { return -1; }
  void arm(std::optional<std::chrono::nanoseconds>) noexcept {}
  [[nodiscard]] hotwatch::file_time file_now() const noexcept { return 1; }

  void begin() { hints_ = hint_reader(story_); }

 private:
  static std::error_code look_at(std::string_view name, file_status& out) {
    if (is_former(name)) return std::make_error_code(std::errc::no_such_file_or_directory);
    out.type = name == "directory" || name == "root" ? entry_type::directory : entry_type::file;
    return {};
  }

  const story& story_;
  hint_reader hints_;
};
static_assert(hotwatch::backend<story_backend>);

/// Reading a clock is not what is measured.
struct still_clock {
  static std::chrono::steady_clock::time_point now() noexcept { return {}; }
};

/// ns from the first hint until all is told, doubts of renamed names included.
double watched(const story& of) {
  hotwatch::basic_watcher<story_backend, still_clock> watcher({.debounce = hotwatch::immediate}, of);
  watcher.add("/root");
  watcher.used_backend().begin();
  std::uint64_t changes = 0;
  const std::int64_t began = bench::now_ns();
  for (const hotwatch::batch* b = &watcher.poll(); !b->empty(); b = &watcher.poll()) changes += b->size();
  const auto took = static_cast<double>(bench::now_ns() - began);
  if (changes != of.changes) throw std::runtime_error("told " + std::to_string(changes) + " changes");
  return took;
}

/// The floor: the last hint of each path in a hash table, which is walked and emptied once a read.
double bare(const story& of) {
  const std::string root = "/root/";
  const std::string directory = root + "directory/";
  std::unordered_map<std::string, hint_kind> last;
  std::string path;
  std::size_t told = 0;
  const std::int64_t began = bench::now_ns();
  for (hint_reader hints(of); hints.wait();) {
    hints.drain([&](const hint& h) {
      path = h.watch == root_watch ? root : directory;
      path += h.name;
      last.insert_or_assign(path, h.kind);
    });
    for (const auto& [where, kind] : last) told += kind != overflow ? where.size() : 0;
    last.clear();
  }
  const auto took = static_cast<double>(bench::now_ns() - began);
  if (told == 0) throw std::runtime_error("nothing was told");
  return took;
}

void measure(const bench::arguments& args, bench::report& out) {
  struct row {
    const char* name;
    story (*tell)(int);
  };
  constexpr std::array<row, 8> rows{{{"distinct files modified", modified},
                                     {"one file modified", modified_again},
                                     {"the same, a batch each time", modified_read_by_read},
                                     {"created", created},
                                     {"created and removed", created_and_removed},
                                     {"renamed", renamed},
                                     {"one renamed in a chain", renamed_in_a_chain},
                                     {"a directory renamed, with so many below", directory_renamed}}};
  bench::run_on(bench::own_processor());
  const int n = args.quick ? 10'000 : 100'000;
  bench::table t("coalescer: " + std::to_string(n) + " of each; medians",
                 {"what", "hints", "changes", "ns a hint", "ns a change", "bare ns a hint", "x bare"});
  for (const row& each : rows) {
    const story s = each.tell(n);
    std::vector<double> ours;
    std::vector<double> floor;
    // Round 0 warms the allocator and is not counted.
    for (int round = 0; round <= args.rounds; ++round) {
      if (round % 2 == 0) floor.push_back(bare(s));
      ours.push_back(watched(s));
      if (round % 2 != 0) floor.push_back(bare(s));
    }
    ours.erase(ours.begin());
    floor.erase(floor.begin());
    const auto hints = static_cast<double>(s.hints.size());
    const double took = bench::median(ours);
    t.row({each.name,
           s.hints.size(),
           s.changes,
           {took / hints, 0},
           s.changes == 0 ? bench::cell("-") : bench::cell(took / static_cast<double>(s.changes), 0),
           {bench::median(floor) / hints, 0},
           {bench::paired_ratio(ours, floor), 2}});
  }
  out.add(std::move(t));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 11, measure); }
