// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Runs tests/cases/*.txt: which changes are told exactly when, on a simulated clock and a disk that is none.
// The language is explained in tests/cases/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hotwatch/watcher.hpp"
#include "support/simulated_clock.hpp"

namespace hotwatch::test {
namespace {

using nanoseconds = std::chrono::nanoseconds;
using detail::hint_kind;

struct entry {
  file_status status;
  std::int32_t watch = detail::no_watch;
  std::map<std::string, std::shared_ptr<entry>, std::less<>> children;
};
using entry_ptr = std::shared_ptr<entry>;

std::error_code failed(int error) { return {error, std::system_category()}; }

/// What happens, and when: it changes the disk and says what inotify would.
class scripted_disk {
 public:
  struct owned_hint {
    hint_kind kind;
    std::int32_t watch;
    std::string name;
    entry_type type;
    std::uint32_t pair;
  };
  struct event {
    nanoseconds at;
    std::vector<std::string> words;
  };

  scripted_disk() : top(make(entry_type::directory)), root(make(entry_type::directory)) {
    top->children["root"] = root;
  }

  bool polled = false;
  int watches_left = 1'000'000;
  std::deque<event> events;
  nanoseconds end = nanoseconds::max();
  std::function<void()> on_end;

  /// Advances the clock to the next event or by the time-out, whichever comes first. Returns whether there are hints.
  bool wait(std::optional<nanoseconds> timeout) {
    if (++idle_waits_ > 1'000'000) throw std::runtime_error("the watcher waits without waiting");
    take_due();
    if (!hints.empty()) return true;
    const nanoseconds now = simulated_clock::since_start();
    const nanoseconds next = events.empty() ? end : std::min(events.front().at, end);
    if (timeout && now + *timeout < next) {
      simulated_clock::advance(*timeout);
      return false;
    }
    if (next == end) {
      if (end != nanoseconds::max()) simulated_clock::advance(end - now);
      on_end();
      return false;
    }
    simulated_clock::advance(next - now);
    take_due();
    return !hints.empty();
  }

  entry_ptr find(std::string_view path) const {
    entry_ptr at = top;
    while (!path.empty() && at) {
      const std::size_t slash = path.find('/');
      const std::string_view name = path.substr(0, slash);
      if (!name.empty()) {
        const auto it = at->children.find(name);
        at = it == at->children.end() ? nullptr : it->second;
      }
      path = slash == std::string_view::npos ? std::string_view() : path.substr(slash + 1);
    }
    return at;
  }

  std::int32_t watch(entry& e) {
    if (e.watch == detail::no_watch && watches_left > 0) {
      --watches_left;
      e.watch = next_watch_++;
    }
    return e.watch;
  }

  void run(const std::vector<std::string>& words) {
    const std::string& what = words.at(0);
    if (what == "silently") {
      silent_ = true;
      run({words.begin() + 1, words.end()});
      silent_ = false;
    } else if (what == "existing") {
      silent_ = true;
      for (std::size_t i = 1; i < words.size(); ++i) appear(words[i], 1);
      silent_ = false;
    } else if (what == "overflow") {
      hints.push_back({hint_kind::overflow, detail::no_watch, {}, {}, 0});
    } else if (what == "appeared") {
      appear(words.at(1), 1);
    } else if (what == "linked") {
      appear(words.at(1), 2);
    } else if (what == "symlinked") {
      appear(words.at(1), 1, entry_type::symlink);
    } else if (what == "renamed") {
      const place from = place_of(words.at(1));
      const place to = place_of(words.at(2));
      const entry_ptr moved = take(from);
      const std::uint32_t pair = ++last_pair_;
      say(hint_kind::moved_from, from, moved->status.type, pair);
      put(to, moved);
      say(hint_kind::moved_to, to, moved->status.type, pair);
    } else if (what == "exchanged") {
      const place a = place_of(words.at(1));
      const place b = place_of(words.at(2));
      const entry_ptr first = take(a);
      const entry_ptr second = take(b);
      put(a, second);
      put(b, first);
      for (const auto& [from, to, type] :
           {std::tuple(a, b, first->status.type), std::tuple(b, a, second->status.type)}) {
        const std::uint32_t pair = ++last_pair_;
        say(hint_kind::moved_from, from, type, pair);
        say(hint_kind::moved_to, to, type, pair);
      }
    } else if (what == "left") {
      const place from = place_of(words.at(1));
      say(hint_kind::moved_from, from, take(from)->status.type, ++last_pair_);
    } else if (what == "came") {
      const place to = place_of(words.at(1));
      const entry_ptr e = make(is_directory(words[1]) ? entry_type::directory : entry_type::file);
      put(to, e);
      say(hint_kind::moved_to, to, e->status.type, ++last_pair_);
    } else if (what == "vanished") {
      const place from = place_of(words.at(1));
      const entry_ptr gone = take(from);
      if (gone->watch != detail::no_watch) hints.push_back({hint_kind::unwatched, gone->watch, {}, {}, 0});
      say(hint_kind::vanished, from, gone->status.type);
    } else {
      const place at = place_of(words.at(1));
      file_status& s = at.directory->children.at(at.name)->status;
      s.changed = now();
      if (what == "written") {
        s.modified = now();
        ++s.size;
        say(hint_kind::written, at, s.type);
      } else if (what == "completed") {
        say(hint_kind::completed, at, s.type);
      } else if (what == "attributes") {
        s.mode ^= 0111;
        say(hint_kind::attributes, at, s.type);
      } else {
        throw std::runtime_error("no such event: " + what);
      }
    }
  }

  static file_time now() { return static_cast<file_time>(simulated_clock::at.count()); }

  entry_ptr top;
  entry_ptr root;
  std::deque<owned_hint> hints;

 private:
  struct place {
    entry_ptr directory;
    std::string name;
  };

  static bool is_directory(const std::string& path) { return path.back() == '/'; }

  entry_ptr make(entry_type type) {
    auto e = std::make_shared<entry>();
    e->status.type = type;
    e->status.device = 1;
    e->status.file_id = ++last_id_;
    e->status.modified = e->status.changed = e->status.born = now();
    e->status.mode = 0644;
    e->status.links = 1;
    return e;
  }

  [[nodiscard]] place place_of(std::string path) const {
    if (path.back() == '/') path.pop_back();
    path.insert(0, "/root/");
    const std::size_t slash = path.rfind('/');
    const entry_ptr directory = find(std::string_view(path).substr(0, slash));
    if (!directory) throw std::runtime_error("not there: " + path);
    return {directory, path.substr(slash + 1)};
  }
  void put(const place& p, entry_ptr e) { p.directory->children[p.name] = std::move(e); }
  static entry_ptr take(const place& p) {
    const auto it = p.directory->children.find(p.name);
    if (it == p.directory->children.end()) throw std::runtime_error("not there: " + p.name);
    entry_ptr e = it->second;
    p.directory->children.erase(it);
    return e;
  }
  void appear(const std::string& path, std::uint32_t links, entry_type type = entry_type::file) {
    const place p = place_of(path);
    const entry_ptr e = make(is_directory(path) ? entry_type::directory : type);
    e->status.links = links;
    put(p, e);
    say(hint_kind::appeared, p, e->status.type);
  }
  void say(hint_kind kind, const place& p, entry_type type, std::uint32_t pair = 0) {
    if (silent_ || p.directory->watch == detail::no_watch) return;
    hints.push_back({kind, p.directory->watch, p.name,
                     type == entry_type::directory ? entry_type::directory : entry_type::unknown, pair});
  }
  void take_due() {
    while (!events.empty() && events.front().at <= simulated_clock::since_start()) {
      const event e = events.front();
      events.pop_front();
      idle_waits_ = 0;
      run(e.words);
    }
  }

  bool silent_ = false;
  std::int32_t next_watch_ = 1;
  std::uint64_t last_id_ = 100;
  std::uint32_t last_pair_ = 0;
  int idle_waits_ = 0;
};

/// Models hotwatch::backend over a scripted_disk.
class scripted_backend {
 public:
  explicit scripted_backend(scripted_disk& disk) : disk_(disk) {}

  class directory {
   public:
    directory() = default;
    explicit directory(entry_ptr e) : entry_(std::move(e)) {}
    explicit operator bool() const noexcept { return entry_ != nullptr; }

    [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
      const auto it = entry_->children.find(name);
      return opened(it == entry_->children.end() ? nullptr : it->second, ec);
    }
    template <class Visit>
    [[nodiscard]] std::error_code list(std::vector<char>&, Visit&& visit) const {
      for (const auto& [name, e] : entry_->children) visit(std::string_view(name), e->status.type, e->status.file_id);
      return {};
    }
    [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
      if (name.empty()) {
        out = entry_->status;
        return {};
      }
      const auto it = entry_->children.find(name);
      if (it == entry_->children.end()) return failed(ENOENT);
      out = it->second->status;
      return {};
    }
    static directory opened(const entry_ptr& e, std::error_code& ec) {
      ec = !e ? failed(ENOENT) : e->status.type != entry_type::directory ? failed(ENOTDIR) : std::error_code();
      return ec ? directory() : directory(e);
    }
    [[nodiscard]] entry& shown() const { return *entry_; }

   private:
    entry_ptr entry_;
  };

  directory open_root(const char* path, std::error_code& ec) { return directory::opened(disk_.find(path), ec); }
  std::string resolve(const char* path) { return disk_.find(path) ? path : std::string(); }
  std::error_code look(const char* path, file_status& out) {
    const entry_ptr e = disk_.find(path);
    if (e) out = e->status;
    return e ? std::error_code() : failed(ENOENT);
  }

  watch_answer watch(const directory& d, bool) {
    if (disk_.polled) return {detail::no_watch, true};
    if (const std::int32_t w = disk_.watch(d.shown()); w != detail::no_watch) return {w};
    return {detail::no_watch, true, failed(ENOSPC), "raise the limit"};
  }
  void unwatch(std::int32_t) noexcept {}
  guard_answer guard(const char*, std::vector<std::int32_t>&) noexcept { return {}; }

  bool wait(std::optional<nanoseconds> timeout) { return disk_.wait(timeout); }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    std::size_t count = 0;
    for (; !disk_.hints.empty(); ++count) {
      const scripted_disk::owned_hint h = disk_.hints.front();
      disk_.hints.pop_front();
      sink(hint{h.kind, h.watch, h.name, h.type, h.pair});
    }
    return count;
  }
  [[nodiscard]] bool drained() const noexcept { return true; }
  void finish_renames(const directory&) noexcept {}
  void wake() noexcept {}
  int native_handle() noexcept { return -1; }
  void arm(std::optional<nanoseconds>) noexcept {}
  [[nodiscard]] file_time file_now() const noexcept { return scripted_disk::now(); }

 private:
  scripted_disk& disk_;
};
static_assert(backend<scripted_backend>);

nanoseconds read_time(const std::string& word) {
  std::size_t used = 0;
  const double number = std::stod(word, &used);
  const std::string unit = word.substr(used);
  const double factor = unit == "us" ? 1e3 : unit == "ms" ? 1e6 : unit == "s" ? 1e9 : 0;
  if (factor == 0) throw std::runtime_error("no time: " + word);
  return nanoseconds(std::llround(number * factor));
}

std::string print_time(nanoseconds time) {
  std::ostringstream out;
  out << static_cast<double>(time.count()) / 1e6 << "ms";
  return out.str();
}

class case_file {
 public:
  explicit case_file(const std::filesystem::path& path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
      if (!line.empty() && line[0] != '#') read_line(line);
    std::stable_sort(disk_.events.begin(), disk_.events.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
  }

  void run() {
    simulated_clock::reset();
    basic_watcher<scripted_backend, simulated_clock> watcher(options_, disk_);
    disk_.on_end = [&] { watcher.stop(); };
    watcher.add(root_, root_options_);
    for (const call& c : calls_) {
      for (nanoseconds left; (left = c.at - simulated_clock::since_start()) > nanoseconds(0);)
        note(watcher.wait_for(left), false);
      if (c.words[0] == "flush")
        note(watcher.flush(), true);
      else if (c.words[0] == "poll")
        note(watcher.poll(), true);
      else if (c.words[0] == "acknowledge")
        watcher.acknowledge("/root/" + c.words.at(1));
      else
        note(watcher.wait_for(read_time(c.words.at(1))), true);
    }
    while (!watcher.stopped()) note(watcher.wait(), false);
    EXPECT_EQ(told_, expected_);
  }

 private:
  struct call {
    nanoseconds at;
    std::vector<std::string> words;
  };

  void read_line(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    const std::string first = words.front();
    words.erase(words.begin());
    if (first == "options") {
      for (const std::string& w : words) read_option(w);
    } else if (first == "=>") {
      std::string text = print_time(read_time(words.at(0)));
      for (std::size_t i = 1; i < words.size(); ++i) text += ' ' + words[i];
      expected_.push_back(text);
    } else if (first == "existing") {
      words.insert(words.begin(), first);
      simulated_clock::reset();
      simulated_clock::advance(-std::chrono::minutes(1));  // long before anybody watched
      disk_.run(words);
    } else if (words.at(0) == "end") {
      disk_.end = read_time(first);
    } else if (words[0] == "flush" || words[0] == "poll" || words[0] == "wait_for" || words[0] == "acknowledge") {
      calls_.push_back({read_time(first), words});
    } else if (words[0] == "every") {  // START every STEP until END EVENT ...
      const nanoseconds last = read_time(words.at(3));
      const nanoseconds step = read_time(words.at(1));
      for (nanoseconds at = read_time(first); at <= last; at += step)
        disk_.events.push_back({at, {words.begin() + 4, words.end()}});
    } else {
      disk_.events.push_back({read_time(first), words});
    }
  }

  void read_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (name == "immediate") {
      options_.debounce = immediate;
    } else if (name == "no_settle") {
      options_.debounce.settle = false;
    } else if (name == "leading") {
      options_.debounce.leading = true;
    } else if (name == "quiet") {
      options_.debounce.quiet = read_time(value);
    } else if (name == "max_wait") {
      options_.debounce.max_wait = read_time(value);
    } else if (name == "poll_interval") {
      options_.poll_interval = std::chrono::duration_cast<std::chrono::milliseconds>(read_time(value));
    } else if (name == "metadata") {
      options_.metadata = true;
    } else if (name == "include") {
      options_.include.push_back(value);
    } else if (name == "exclude") {
      options_.exclude.push_back(value);
    } else if (name == "report_existing") {
      root_options_.report_existing = true;
    } else if (name == "polled") {
      disk_.polled = true;
    } else if (name == "watches") {
      disk_.watches_left = std::stoi(value);
    } else if (name == "file") {
      root_ = "/root/" + value;
    } else {
      throw std::runtime_error("no such option: " + word);
    }
  }

  void note(const batch& b, bool also_nothing) {
    std::string text = print_time(simulated_clock::since_start());
    if (b.empty()) {
      if (also_nothing) told_.push_back(text + " nothing");
      return;
    }
    std::vector<std::string> parts;
    for (const change& c : b) {
      std::string part(to_string(c.kind));
      part += ' ';
      if (c.kind == change_kind::renamed) part.append(c.old_path.substr(6)).append(" -> ");
      part.append(c.path.substr(6));
      if (c.modified) part += " modified";
      parts.push_back(part);
    }
    std::sort(parts.begin(), parts.end());
    for (const notice& n : b.notices()) {
      const std::string_view below = n.path.substr(std::min<std::size_t>(n.path.size(), 6));
      parts.push_back(std::string("notice ").append(to_string(n.kind)).append(below.empty() ? "" : " ").append(below));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) text.append(i == 0 ? " " : ", ").append(parts[i]);
    told_.push_back(text);
  }

  scripted_disk disk_;
  options options_;
  root_options root_options_;
  std::string root_ = "/root";
  std::vector<call> calls_;
  std::vector<std::string> expected_;
  std::vector<std::string> told_;
};

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(HOTWATCH_CASES_DIR))
    if (file.path().extension() == ".txt") names.push_back(file.path().stem());
  std::sort(names.begin(), names.end());
  return names;
}

class cases : public testing::TestWithParam<std::string> {};

TEST_P(cases, are_told_when_they_say) {
  case_file(std::filesystem::path(HOTWATCH_CASES_DIR) / (GetParam() + ".txt")).run();
}

INSTANTIATE_TEST_SUITE_P(cases, cases, testing::ValuesIn(case_names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(case_files, are_there) { EXPECT_GE(case_names().size(), 35u); }

}  // namespace
}  // namespace hotwatch::test
