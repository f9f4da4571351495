// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What may make the random trials hard, the two ways in which they run, and the list of all for a backend.

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <functional>
#include <iterator>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "conditions.hpp"
#include "followed_links.hpp"
#include "simulated_fsevents.hpp"
#include "stage.hpp"
#include "support/linux/backends.hpp"
#include "trial_kind.hpp"

namespace hotwatch::test {

/// What a trial has to bear besides the vandals.
struct hardships {
  bool overflows = false;     ///< reads of the queue that end in an overflow record
  bool filters = false;       ///< include and exclude
  bool moved_above = false;   ///< and directories change places above what counts by where it is
  bool roots = false;         ///< a second directory and a file, added and removed at any time
  bool stalls = false;        ///< a user who stays away for long
  bool watch_limit = false;   ///< no more watches, at any moment
  bool interrupted = false;   ///< EINTR wherever it may come; among threads, by signals
  bool waits = false;         ///< a user who blocks until something is told; without filters and further roots
  bool unreadable = false;    ///< directories without permissions
  bool mounts = false;        ///< over and inside the tree
  bool clock_back = false;    ///< the clock of file times is set back
  bool second_names = false;  ///< files get second names, and lose the first, all before it is read
  bool busy = false;          ///< among threads: all processors have other work
  bool short_queue = false;   ///< among threads: the kernel's queue holds 16 events
};

constexpr int rounds = 3;

inline setting any_setting(const mode& how, const hardships& hard, std::mt19937_64& random) {
  setting s{.debounce = how.name, .metadata = random() % 4 == 0};
  if (hard.filters) {
    const setting all[] = {
        {},
        {.include = {"f*"}},
        {.exclude = {"f1", "*~"}},
        {.exclude = {"d1/"}},
        {.include = {"f[02]", "d?"}, .exclude = {"d0/"}},
        {.exclude = {"d2"}},
        // What is in a directory counts or not by where that is: a rename above changes it.
        {.include = {"d0/*", "d1/d?/*"}},
        {.include = {"f0", "d2/*", "d2/*/*"}, .exclude = {"d1/d0/", "d0/f1"}},
    };
    const setting& chosen = all[random() % std::size(all)];
    s.include = chosen.include;
    s.exclude = chosen.exclude;
  }
  s.as_nobody = hard.unreadable;
  s.interrupted = hard.interrupted;
  s.own_mounts = hard.mounts;
  return s;
}

inline std::vector<vandal::operation> further_operations(const hardships& hard) {
  std::vector<vandal::operation> all;
  const auto add = [&](void (*run)(vandal&)) { all.push_back({1, run}); };
  if (hard.watch_limit) {
    add([](vandal& v) { v.run("watches", std::to_string(v.below(6))); });
    add([](vandal& v) { v.run("watches", "-1"); });
  }
  if (hard.moved_above) {
    add([](vandal& v) {
      const std::string from = v.top_directory();
      v.run("rename", from, v.top_directory());
    });
    add([](vandal& v) {
      const std::string one = v.top_directory();
      v.run("exchange", one, v.top_directory() + "/d0");
    });
    add([](vandal& v) {
      const std::string one = v.top_directory();
      v.run("exchange", one, v.top_directory());
    });
  }
  if (hard.unreadable) {
    add([](vandal& v) { v.run("chmod", "000", v.directory()); });
    add([](vandal& v) { v.run("chmod", "755", v.directory()); });
  }
  if (hard.mounts) {
    static constexpr auto any = [](vandal& v) { return v.below(4) != 0 ? v.top_directory() : v.directory(); };
    add([](vandal& v) { v.run("mount-tmpfs", any(v)); });
    add([](vandal& v) {
      const std::string over = any(v);
      v.run("bind", any(v), over);
    });
    add([](vandal& v) { v.run("umount", any(v)); });
  }
  if (hard.clock_back) add([](vandal& v) { v.run("clock-back", std::to_string(1 + v.below(20))); });
  // What happens to a file under one name is one event of fanotify until it is read, whatever comes in between
  // (fanotify_merge()).
  if (hard.second_names) {
    add([](vandal& v) {
      const std::string first = v.file(), second = v.file();
      v.run("append", first, v.text());
      if (v.run("rename", first, second)) v.run("ln", second, first);
    });
    add([](vandal& v) {
      const std::string first = v.file(), second = v.file();
      if (v.run("ln", first, second) && v.run("rm", first)) v.run("ln", second, first);
    });
    add([](vandal& v) {
      const std::string first = v.file(), second = v.file();
      if (v.run("ln", first, second)) v.run("rm", second);
    });
  }
  return all;
}

/// A call of the watcher that no batch comes of.
inline std::string any_change_of_roots(std::mt19937_64& random) {
  static constexpr const char* all[] = {"add out:y", "add out:y no-recursive", "add out:g",   "add .",
                                        "remove .",  "remove out:y",           "remove out:g"};
  return all[random() % std::size(all)];
}

inline std::string in_round(int round, const mode& how, const std::string& wrong) {
  return "round " + std::to_string(round) + ", debounce " + how.name + ": " + wrong;
}

/// One thread: what is done on disk is done between the system calls of the watcher, time is simulated.
template <template <class> class Backend>
outcome between_the_calls(std::uint64_t seed, const hardships& hard) {
  std::mt19937_64 random(seed);
  const mode& how = modes[random() % std::size(modes)];
  const long usual = 6 + static_cast<long>(random() % 24);
  const long operations = from_environment("HOTWATCH_OPERATIONS", usual);
  const std::size_t every = 2 + random() % 12;  // in the mean, an operation at so many calls
  const bool harms_the_root = random() % 4 == 0 || hard.roots;
  const std::uint64_t earlier_seed = random(), own_seed = random();
  const setting chosen = any_setting(how, hard, random);

  outcome out;
  const temp_directory directory;
  under_conditions(chosen, directory, [&] {
    stage<Backend> s(directory, chosen);
    const auto carry_out = [&](const std::string& command) { return s.run(command); };
    vandal earlier(s.eyes(), carry_out, earlier_seed);
    for (int i = 0; i < 20; ++i) earlier.operate();
    if (hard.overflows) s.loses = [chance = std::mt19937_64(seed)]() mutable { return chance() % 8 == 0; };
    s.begin();

    vandal one(s.eyes(), carry_out, own_seed);
    const std::vector<vandal::operation> also = further_operations(hard);
    one.also = also;
    one.harms_the_root = harms_the_root;
    one.several_roots = hard.roots;
    long left = 0;
    s.meanwhile = [&] {
      while (left > 0 && random() % every == 0) {
        --left;
        one.operate();
      }
    };
    for (int round = 0; round < rounds && out.wrong.empty(); ++round) {
      left = operations;
      while (left > 0) {
        // What the watcher is called for when there is nothing to do.
        --left;
        one.operate();
        s.run("advance " + std::to_string(random() % 3000));
        if (hard.stalls && random() % 8 == 0) {
          for (std::size_t n = random() % 60; n > 0; --n) one.operate();
          s.run("advance " + std::to_string(random() % 3'000'000));
        }
        if (hard.roots && random() % 4 == 0) s.run(any_change_of_roots(random));
        const bool blocks = hard.waits && random() % 4 == 0;
        s.run(blocks ? "wait" : random() % 4 == 0 ? "flush" : "poll");
      }
      if (hard.mounts) {
        // Directories that were changed within one tick are not told apart by their times.
        const std::string over = one.top_directory(), other = one.top_directory();
        s.run("mkdirp " + over);
        s.run("mkdirp " + other + "/d" + std::to_string(round));
        s.run("append " + over + "/f" + std::to_string(round) + " x");
        s.run("next-tick");
        s.run("flush");
        s.run(std::string("bind ").append(other).append(" ").append(over));
        // No hint tells of a mount: what it covers is found when the tree is read again.
        s.run("reread");
      }
      s.run("compare");
      if (!s.wrong().empty()) out.wrong = in_round(round, how, s.wrong());
    }
    out.operations = s.operations();
    out.said = s.said();
  });
  return out;
}

/// Several threads do what they like, at any moment.
template <template <class> class Backend>
outcome among_threads(std::uint64_t seed, const hardships& hard) {
  std::mt19937_64 random(seed);
  const mode& how = modes[random() % std::size(modes)];
  const auto threads =
      static_cast<std::size_t>(from_environment("HOTWATCH_THREADS", 1 + static_cast<long>(random() % 3)));
  const bool calm = from_environment("HOTWATCH_CALM", 0) != 0;
  const long usual = 6 + static_cast<long>(random() % 18);
  const long operations = from_environment("HOTWATCH_OPERATIONS", usual);
  const bool harms_the_root = random() % 4 == 0 && !hard.waits;
  const std::uint64_t earlier_seed = random();
  const setting chosen = any_setting(how, hard, random);

  outcome out;
  const temp_directory directory;
  under_conditions(chosen, directory, [&] {
    trial<basic_watcher<Backend<linux_system>>> t(directory, chosen);
    hand by(directory, t.linked);
    std::atomic<std::size_t> done = 0;
    const auto carry_out = [&](const std::string& command) { return ++done, by.run(command); };
    vandal earlier(by, carry_out, earlier_seed);
    for (int i = 0; i < 20; ++i) earlier.operate();
    {
      std::optional<short_queue> meanwhile;
      if (hard.short_queue) meanwhile.emplace();
      t.open();
    }
    const std::vector<vandal::operation> also = further_operations(hard);
    std::barrier begin(static_cast<std::ptrdiff_t>(threads) + 1);
    std::atomic<std::size_t> working = 0, finished = 0;
    const auto end_of = [](int round) { return "end" + std::to_string(round); };
    std::vector<std::thread> vandals;
    for (std::size_t i = 0; i < threads; ++i) {
      vandals.emplace_back([&, own = random()] {
        vandal one(by, carry_out, own);
        one.also = also;
        one.harms_the_root = harms_the_root;
        one.several_roots = hard.roots;
        for (int round = 0; round < rounds; ++round) {
          begin.arrive_and_wait();
          for (long n = 0; n < operations; ++n) one.operate();
          if (++finished == threads * (static_cast<std::size_t>(round) + 1) && hard.waits)
            by.run("write " + end_of(round) + " x");
          --working;
        }
      });
    }
    std::optional<signal_storm> storm;
    if (hard.interrupted) storm.emplace();
    std::optional<busy_processors> busy;
    if (hard.busy) busy.emplace();
    std::optional<watchdog> until;
    if (hard.waits) until.emplace([&] { t.watcher->stop(); });
    for (int round = 0; round < rounds; ++round) {
      working = threads;
      begin.arrive_and_wait();
      const auto is_over = [&] {
        return working == 0 && (!hard.waits || t.was_told(end_of(round)) || !t.wrong().empty());
      };
      while (!is_over()) {
        if (hard.roots && random() % 4 == 0) {
          const auto w = words(any_change_of_roots(random));
          w[0] == "add" ? t.add(w[1], w.size() == 2) : t.remove(w[1]);
        }
        const std::size_t dice = random() % 4;
        if (calm || (hard.stalls && random() % 4 == 0)) {
          std::this_thread::yield();
        } else if (dice == 0) {
          t.take(t.watcher->poll());
        } else if (dice == 1) {
          t.take(t.watcher->flush());
        } else if (hard.waits && !t.was_told(end_of(round)) && t.wrong().empty()) {
          t.wait();
        } else {
          t.take(t.watcher->wait_for(std::chrono::microseconds(random() % 1500)));
        }
      }
      t.compare();
      if (out.wrong.empty() && !t.wrong().empty()) out.wrong = in_round(round, how, t.wrong());
    }
    for (std::thread& v : vandals) v.join();
    out.operations = done;
  });
  return out;
}

inline std::string why_not_fanotify() { return why_not<fanotify_watcher>(); }

/// Where a backend hears from what happens. Losses are scripted for one queue, limits for that of inotify.
enum class hears { nothing, inotify, inotify_and_looks, two_queues, fanotify, fsevents };

/// All for one backend.
template <template <class> class Backend>
std::vector<trial_kind> trials_of(const std::string& backend, hears from) {
  const bool needs_watches = from == hears::inotify || from == hears::inotify_and_looks;
  const bool scripts_losses = needs_watches || from == hears::fanotify;
  const bool is_simulated = from == hears::fsevents;
  std::vector<trial_kind> all;
  const auto add = [&](trial_kind kind, std::string (*why_not)()) {
    kind.name = backend + kind.name;
    if (why_not != nullptr) kind.why_not = why_not;
    if (from == hears::fanotify)
      kind.why_not = [otherwise = kind.why_not] {
        const std::string why = why_not_fanotify();
        return why.empty() ? otherwise() : why;
      };
    if (is_simulated) {
      kind.run = [run = kind.run](std::uint64_t seed) {
        const simulated_fsevents machine(seed);
        return run(seed);
      };
      if (kind.perform)
        kind.perform = [perform = kind.perform](const play& p) {
          const simulated_fsevents machine(1);
          return perform(p);
        };
    }
    all.push_back(std::move(kind));
  };
  const auto threaded = [&](const char* name, long seeds, hardships hard, std::string (*why_not)() = nullptr) {
    add({name, seeds, [hard](std::uint64_t seed) { return among_threads<Backend>(seed, hard); }}, why_not);
  };
  const auto scripted = [&](const char* name, long seeds, hardships hard, std::string (*why_not)() = nullptr) {
    trial_kind kind{name, seeds, [hard](std::uint64_t seed) { return between_the_calls<Backend>(seed, hard); }};
    kind.perform = test::perform<Backend>;
    add(std::move(kind), why_not);
  };
  threaded("", from == hears::inotify || from == hears::fanotify ? 200 : 48, {});
  scripted("BetweenTheCalls", from == hears::inotify ? 1000 : 200, {});
  if (scripts_losses) scripted("Overflows", needs_watches ? 500 : 100, {.overflows = true});
  // Open: of two queues, one behind the other, a file in a directory that was moved was lost once in 430 seeds.
  scripted("Filters", 60, {.overflows = scripts_losses, .filters = true, .moved_above = from != hears::two_queues});
  scripted("Roots", 60, {.overflows = scripts_losses, .filters = true, .roots = true});
  scripted("Stalls", 40, {.overflows = scripts_losses, .stalls = true});
  if (needs_watches) scripted("WatchLimit", 60, {.watch_limit = true});
  // Of two queues the script knows one.
  const bool may_block = !is_simulated && from != hears::two_queues;
  scripted("Interrupted", 40, {.overflows = scripts_losses, .interrupted = true, .waits = may_block});
  scripted("SecondNames", 40, {.second_names = true});
  if (!is_simulated) {
    scripted("Unreadable", 60, {.overflows = scripts_losses, .unreadable = true}, as_nobody::why_not);
    scripted("Mounts", 20, {.mounts = true}, why_no_mounts);
  }
  scripted("ClockBack", 20, {.clock_back = true});
  scripted("Everything", 60,
           {.overflows = scripts_losses,
            .filters = true,
            .roots = true,
            .stalls = true,
            .watch_limit = needs_watches,
            .interrupted = true});
  add({"FollowedLinks", from == hears::inotify ? 300 : 60,
       [](std::uint64_t seed) { return follow_links<Backend>(seed); }},
      nullptr);
  if (scripts_losses)
    add({"FollowedLinksOverflows", needs_watches ? 100 : 40,
         [](std::uint64_t seed) { return follow_links<Backend, true>(seed); }},
        nullptr);
  threaded("RootsAmongThreads", 20, {.filters = true, .roots = true, .stalls = true});
  threaded("SignalsOnBusyProcessors", 8, {.interrupted = true, .waits = !is_simulated, .busy = true});
  if (needs_watches) {
    threaded("ShortQueue", 20, {.roots = true, .stalls = true, .short_queue = true}, short_queue::why_not);
    all.back().alone = true;
  }
  return all;
}

inline std::vector<trial_kind> both(std::vector<trial_kind> one, const std::vector<trial_kind>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

}  // namespace hotwatch::test
