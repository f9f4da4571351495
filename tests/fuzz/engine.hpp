// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of a watcher whatever happens on disk, whatever is hinted at and whatever it is asked, in any order:
// what it tells can be applied to what it told, and at a barrier, if no hint was missing or false since the last
// overflow, that is what is on disk. The bytes are steps of four: what, two arguments, and before which call of the
// backend (0: at once). HOTWATCH_VERBOSE=1 prints them.

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "engine_kernel.hpp"
#include "examples/hotwatch/trace/simulated_clock.hpp"
#include "hotwatch/watcher.hpp"
#include "support/model.hpp"

namespace hotwatch::test {

using namespace std::chrono_literals;

class engine_trial {
 public:
  struct step {
    std::uint8_t what = 0, x = 0, y = 0, when = 0;
  };

  /// The first step chooses the options.
  explicit engine_trial(step chosen) : filter_(chosen.y % 4) {
    trace::simulated_clock::reset();
    kernel_.intrude = [] {};
    kernel_.make("/out", entry_type::directory);
    kernel_.polled = chosen.x % 8 == 1;
    kernel_.lists_types = chosen.x % 4 != 2;
    if (chosen.x >= 128) kernel_.read_at_most = 1 + chosen.x % 16;
    if (chosen.when != 0) kernel_.watches_left = chosen.when % 16;
    watcher_.emplace(options_of(chosen), kernel_);
    kernel_.intrude = [this] {
      ++calls_;
      run_what_is_due();
    };
    print("options", std::to_string(chosen.what));
    add(0, 0);
  }

  void take(step s) {
    if (s.when != 0 && s.what % 32 < disk_steps)
      due_.push_back({s, s.when});
    else
      run(s);
  }

  /// A barrier when nothing more happens.
  void compare() {
    for (const intrusion& i : std::exchange(due_, {})) run(i.what);
    if (std::exchange(kernel_.loses, false) || kernel_.owes) kernel_.overflow(kernel_.hints.size());
    tell("flush", watcher_->flush());
    const std::string wrong = told_.difference(on_disk());
    if (!wrong.empty()) fail(wrong);
  }

 private:
  struct root {
    const char* given;
    bool alive = false;
    bool recursive = true;
    bool is_file = false;
  };
  struct intrusion {
    step what;
    int calls_left;
  };
  static constexpr std::uint8_t disk_steps = 20;
  static constexpr std::size_t most_calls_a_wait = 30'000;

  [[nodiscard]] options options_of(step s) const {
    static constexpr debounce policies[] = {{},
                                            immediate,
                                            {.leading = true},
                                            {.quiet = 5ms, .max_wait = 50ms, .settle = false},
                                            {.quiet = 1ms, .max_wait = 1ms},
                                            {.quiet = 20ms, .max_wait = 40ms, .settle = true, .leading = true}};
    options o{.debounce = policies[s.what % std::size(policies)], .metadata = s.what >= 128};
    if (filter_ == 1) o.exclude = {"x"};
    if (filter_ == 2) o.include = {"f*"};
    if (filter_ == 3) o.include = {"[afx]"}, o.exclude = {"b/"};
    o.poll_interval = 10ms;
    return o;
  }
  // What options_of() means for a listing.
  [[nodiscard]] bool is_excluded(std::string_view name, bool is_directory) const {
    return (filter_ == 1 && name == "x") || (filter_ == 3 && name == "b" && is_directory);
  }
  [[nodiscard]] bool is_included(std::string_view name) const {
    if (filter_ == 2) return name.starts_with('f');
    return filter_ != 3 || name == "a" || name == "f" || name == "x";
  }

  static std::string path_of(std::uint8_t byte) {
    static constexpr const char* directories[] = {"/root",     "/root/a",   "/root/b", "/root/a/a",
                                                  "/root/a/b", "/root/b/a", "/out",    ""};
    static constexpr const char* names[] = {"a", "b", "c", "f", "g", "f~", "x", "f.tmp"};
    static constexpr const char* tops[] = {"root", "away"};
    const std::string directory = directories[byte / 8 % 8];
    return directory + '/' + (directory.empty() ? tops[byte % 2] : names[byte % 8]);
  }

  void run_what_is_due() {
    for (std::size_t i = 0; i < due_.size();) {
      if (--due_[i].calls_left > 0) {
        ++i;
        continue;
      }
      const step s = due_[i].what;
      due_.erase(due_.begin() + static_cast<std::ptrdiff_t>(i));
      run(s);
    }
  }

  // What a step may be; its number is what the corpus holds. A name that stands there twice is taken more often.
  using trial = engine_trial;
  using text = const std::string;
  struct operation {
    const char* name;
    void (*run)(trial&, step, text& path, text& other);
  };

  void run(step chosen) {
    static constexpr operation on_disk[disk_steps] = {
        {"make", [](trial& t, step, text& path, text&) { t.kernel_.make(path, entry_type::file); }},
        {"write", [](trial& t, step, text& path, text&) { t.kernel_.write(path); }},
        {"close", [](trial& t, step, text& path, text&) { t.kernel_.close(path); }},
        {"save", [](trial& t, step, text& path, text&) { t.save(path); }},
        {"save", [](trial& t, step, text& path, text&) { t.save(path); }},
        {"chmod", [](trial& t, step, text& path, text&) { t.kernel_.change_mode(path); }},
        {"mkdir", [](trial& t, step, text& path, text&) { t.kernel_.make(path, entry_type::directory); }},
        {"symlink", [](trial& t, step, text& path, text&) { t.kernel_.make(path, entry_type::symlink); }},
        {"fill", [](trial& t, step, text& path, text&) { t.fill(path); }},
        {"rm", [](trial& t, step, text& path, text&) { t.kernel_.remove(path); }},
        {"rm", [](trial& t, step, text& path, text&) { t.kernel_.remove(path); }},
        {"rename", [](trial& t, step, text& path, text& other) { t.kernel_.rename(path, other); }},
        {"rename", [](trial& t, step, text& path, text& other) { t.kernel_.rename(path, other); }},
        {"rename", [](trial& t, step, text& path, text& other) { t.kernel_.rename(path, other); }},
        {"save by rename", [](trial& t, step, text& path, text&) { t.save_by_rename(path); }},
        {"exchange", [](trial& t, step, text& path, text& other) { t.kernel_.exchange(path, other); }},
        {"lose", [](trial& t, step s, text&, text&) { t.kernel_.loses = s.x % 2 != 0; }},
        {"overflow", [](trial& t, step s, text&, text&) { t.kernel_.overflow(s.x); }},
        {"lie", [](trial& t, step s, text&, text&) { t.lie(s); }},
        {"repeat", [](trial& t, step s, text&, text&) { t.kernel_.repeat(s.x); }},
    };
    static constexpr void (*calls[32 - disk_steps])(trial&, step) = {
        [](trial& t, step s) { t.add(s.x, s.y); },
        [](trial& t, step s) { t.remove(s.x); },
        [](trial& t, step s) { t.acknowledge(path_of(s.x)); },
        [](trial& t, step) { t.compare(); },
        [](trial& t, step) { t.tell("flush", t.watcher_->flush()); },
        [](trial& t, step) { t.tell("flush", t.watcher_->flush()); },
        [](trial& t, step) { t.tell("poll", t.watcher_->poll()); },
        [](trial& t, step) { t.tell("poll", t.watcher_->poll()); },
        [](trial&, step s) { trace::simulated_clock::advance(delay(s.x)); },
        [](trial& t, step s) { t.wait(delay(s.x)); },
        [](trial& t, step s) { t.wait(delay(s.x)); },
        [](trial& t, step s) { t.wait(delay(s.x)); },
    };
    const std::uint8_t what = chosen.what % 32;
    if (what >= disk_steps) return calls[what - disk_steps](*this, chosen);
    const std::string path = path_of(chosen.x);
    const std::string other = path_of(chosen.y);
    print(on_disk[what].name, path + ' ' + other);
    on_disk[what].run(*this, chosen, path, other);
  }

  // At most 55 polls, some looks in between, and what little there is on disk: whoever calls more looks in a circle.
  void wait(std::chrono::nanoseconds longest) {
    calls_ = 0;
    tell("wait", watcher_->wait_for(longest));
    if (calls_ > most_calls_a_wait) fail("it keeps looking: " + std::to_string(calls_) + " calls");
  }

  static std::chrono::nanoseconds delay(std::uint8_t x) {
    static constexpr std::chrono::nanoseconds delays[] = {1us, 100us, 1ms, 4ms, 20ms, 50ms, 0ms, 550ms};
    return delays[x % std::size(delays)];
  }

  void save(const std::string& path) {
    kernel_.make(path, entry_type::file);
    kernel_.write(path);
    kernel_.close(path);
  }

  void save_by_rename(const std::string& path) {
    save(path + '~');
    kernel_.rename(path + '~', path);
  }
  void fill(const std::string& path) {
    kernel_.make(path, entry_type::directory);
    kernel_.make(path + "/a", entry_type::directory);
    save(path + "/a/f");
  }

  void lie(step s) {
    static constexpr const char* names[] = {"a", "b", "f", "x", "", "a/a", "a/f", "nobody"};
    static constexpr entry_type types[] = {entry_type::unknown, entry_type::directory};
    kernel_.lie(static_cast<detail::hint_kind>(s.x % 11), 1 + s.y % 16, names[s.x / 32], types[s.y / 128],
                s.y / 16 % 4);
  }

  void add(std::uint8_t which, std::uint8_t how) {
    root& r = roots_[which % std::size(roots_)];
    std::error_code ec;
    kernel_.opened.reset();
    watcher_->add(r.given, {.recursive = how % 4 != 1, .report_existing = how % 4 == 2}, ec);
    print("add", r.given + (" " + ec.message()));
    if (ec) {
      if (r.alive != (ec == errc::root_exists)) fail("an added root is not known, or the other way round");
      return expect_known("a root that was not added");
    }
    r.alive = true;
    r.recursive = how % 4 != 1;
    r.is_file = !*kernel_.opened;
    // What is there is known now, unless it is to be told first. Nothing else is by that.
    listing all = told_.entries();
    for (const auto& [path, type] : known(*watcher_))
      if (is_in(path, r)) all.emplace(path, type);
    told_.start_from(std::move(all));
    expect_known("a root that was added");
  }

  void remove(std::uint8_t which) {
    root& r = roots_[which % std::size(roots_)];
    print("remove", r.given);
    std::error_code ec;
    watcher_->remove(r.given, ec);
    if (ec == errc::unknown_root ? r.alive : !r.alive) fail("remove() and add() disagree");
    r.alive = false;
    listing rest = told_.entries();
    std::erase_if(rest, [&](const auto& e) { return is_in(e.first, r); });
    told_.start_from(std::move(rest));
    expect_known("a root that was removed");
  }

  void acknowledge(const std::string& path) {
    print("acknowledge", path);
    const bool sure = !kernel_.owes && due_.empty();
    const auto elsewhere = [&](listing all) {
      // Who wrote it knows of the directories that it is in.
      std::erase_if(all,
                    [&](const auto& e) { return model::is_below(e.first, path) || model::is_below(path, e.first); });
      return all;
    };
    const listing before = elsewhere(told_.entries());
    watcher_->acknowledge(path);
    listing now = known(*watcher_);
    if (sure && elsewhere(now) != before) fail("acknowledge() changed what is elsewhere");
    told_.start_from(std::move(now));
  }

  void tell(const char* call, const batch& b) {
    print(call, b.empty() ? "" : '\n' + model::text(b));
    for (const change& c : b)
      if (std::none_of(std::begin(roots_), std::end(roots_),
                       [&](const root& r) { return r.alive && is_in(c.path, r); }))
        fail("told of no root: " + describe(c));
    if (const std::string wrong = told_.apply(b); !wrong.empty()) fail(wrong);
    expect_known(call);
  }

  static bool is_in(std::string_view path, const root& r) { return model::is_below(path, r.given); }

  void expect_known(const std::string& after) {
    if (known(*watcher_) != told_.entries()) fail("for_each() is not what was told, after " + after);
  }

  [[nodiscard]] listing on_disk() const {
    listing all;
    for (const root& r : roots_) {
      const entry_ptr e = r.alive ? kernel_.find(r.given) : nullptr;
      if (!e) continue;
      if (r.is_file && e->status.type == entry_type::file) all.emplace(r.given, entry_type::file);
      if (!r.is_file) list(all, r, *e, r.given);
    }
    return all;
  }
  void list(listing& all, const root& r, const trace::entry& directory, const std::string& path) const {
    for (const auto& [name, e] : directory.children) {
      const bool is_directory = memory_kernel::is_directory(e);
      if (is_excluded(name, is_directory)) continue;
      const std::string below = std::string(path).append("/").append(name);
      if (is_included(name)) all.emplace(below, e->status.type);
      if (r.recursive) list(all, r, *e, below);
    }
  }

  static void print(std::string_view what, std::string_view more) {
    static const bool verbose = std::getenv("HOTWATCH_VERBOSE") != nullptr;
    if (verbose)
      std::fprintf(stderr, "%.*s %.*s\n", static_cast<int>(what.size()), what.data(), static_cast<int>(more.size()),
                   more.data());
  }
  [[noreturn]] static void fail(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    std::abort();
  }

  // Spelled so that each path is in one of them only.
  root roots_[4] = {{"/root"}, {"//root/a"}, {"///root/f"}, {"////root/a/b"}};
  std::uint8_t filter_;
  memory_kernel kernel_;
  std::vector<intrusion> due_;
  std::size_t calls_ = 0;  ///< of the backend, in the wait that is going on
  std::optional<basic_watcher<memory_backend, trace::simulated_clock>> watcher_;
  model told_{{roots_[0].given, roots_[1].given, roots_[2].given, roots_[3].given}, filter_ != 2 && filter_ != 3};
};

inline void fuzz_engine(std::span<const std::uint8_t> data) {
  const auto next = [&] {
    engine_trial::step s;
    std::uint8_t* const fields[] = {&s.what, &s.x, &s.y, &s.when};
    for (std::uint8_t* const field : fields) {
      if (data.empty()) break;
      *field = data.front();
      data = data.subspan(1);
    }
    return s;
  };
  engine_trial trial(next());
  for (int steps = 0; !data.empty() && steps < 200; ++steps) trial.take(next());
  trial.compare();
}

}  // namespace hotwatch::test
