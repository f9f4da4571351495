// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The end at every moment: before each system call of start-up, of a turn and of the repair after an overflow, somebody
// calls stop(), or the object goes. Whatever is under way, it ends, and no callback runs afterwards.

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>

#include "hotwatch.hpp"
#include "support/files.hpp"
#include "support/intruded_system.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

/// Before which call it happens; whoever makes that call does it. For several threads.
class moment {
 public:
  void choose(int nth, std::function<void()> happens) {
    happens_ = std::move(happens);
    left_ = nth;
  }
  void pass() {
    if (left_.load() > 0 && left_.fetch_sub(1) == 1) {
      happens_();
      met_ = true;
    }
  }
  [[nodiscard]] bool met() const { return met_; }

 private:
  std::function<void()> happens_;
  std::atomic<int> left_ = 0;
  std::atomic<bool> met_ = false;
};

/// A system for watchers that are made where no arguments can be given: on a subscription's behalf. It takes what was
/// set last.
struct momentary_system : intruded_system {
  momentary_system() : intruded_system(next_intrusion, next_loss) {}
  static inline std::shared_ptr<intrusion> next_intrusion;
  static inline loss next_loss;
};

using momentary_watcher = basic_watcher<basic_inotify_backend<momentary_system>>;
using momentary_polling_watcher = basic_watcher<basic_polling_backend<momentary_system>>;

/// What the watcher is doing at that moment.
enum class work { start_up, turn, repair };
constexpr work all_works[] = {work::start_up, work::turn, work::repair};

/// A tree, something that changes in it, and the moment.
class scene {
 public:
  explicit scene(work what) : what_(what) {
    for (const char* d : {"a/b", "c"}) root.mkdir_p(d);
    for (const char* f : {"1", "a/2", "a/b/3", "c/4"}) root.write(f);
    momentary_system::next_intrusion =
        std::make_shared<intruded_system::intrusion>([this](const char*) { when.pass(); });
    momentary_system::next_loss = [this] { return lose_.load(); };
  }

  /// Makes work for a watcher or a subscription of first().
  template <class Watched>
  void start(Watched& watched) {
    if (what_ == work::start_up) {
      watched.add(root.path());
    } else {
      lose_ = what_ == work::repair;
      root.mkdir_p("new/within");
      root.write("new/within/file");
      root.rename("1", "c/1");
      root.rename("a/b", "b");
      root.rename("c/4", directory.out().at("4"));
    }
    root.rm("a/2");
  }
  /// Whether this is the end of the work.
  [[nodiscard]] static bool is_done(const batch& b) {
    return std::any_of(b.begin(), b.end(), [](const change& c) { return c.relative() == "a/2"; });
  }
  [[nodiscard]] const place& first() const { return what_ == work::start_up ? directory.out() : root; }

  temp_directory directory;
  const place& root = directory.root();
  moment when;

 private:
  work what_;
  std::atomic<bool> lose_ = false;
};

const options fast{.debounce = immediate, .poll_interval = 5ms};

/// Tries the 1st, 2nd, ... call of each kind of work, until there was no such call any more.
template <class Test>
void at_each_moment(Test&& test) {
  for (const work what : all_works)
    for (int n = 1; !testing::Test::HasFailure(); ++n) {
      SCOPED_TRACE("work " + std::to_string(static_cast<int>(what)) + ", call " + std::to_string(n));
      scene s(what);
      test(s, n);
      if (s.when.met()) continue;
      EXPECT_GT(n, 10) << "too few calls: the moment is never met";
      break;
    }
}

template <class Watcher>
class ending : public testing::Test {
 protected:
  // What hangs ends the program.
  void SetUp() override { ::alarm(300); }
  void TearDown() override { ::alarm(0); }

  /// At each moment of a watcher's work `stop_it` is called; then nothing is told any more.
  template <class Stop>
  void expect_that_it_ends(Stop stop_it) {
    at_each_moment([&](scene& s, int n) {
      Watcher watcher(fast);
      watcher.add(s.first().path());
      s.when.choose(n, [&] { stop_it(watcher); });
      s.start(watcher);
      while (!s.when.met() && !scene::is_done(watcher.wait())) {
      }
      if (!s.when.met()) return;
      EXPECT_TRUE(watcher.stopped());
      s.root.write("late");
      for (const batch* b : {&watcher.wait(), &watcher.wait_for(10s), &watcher.poll(), &watcher.flush()})
        EXPECT_TRUE(b->empty());
    });
  }
};
using backends = testing::Types<momentary_watcher, momentary_polling_watcher>;
TYPED_TEST_SUITE(ending, backends);

TYPED_TEST(ending, from_three_threads_at_once) {
  this->expect_that_it_ends([](TypeParam& watcher) {
    std::array<std::thread, 3> others;
    for (std::thread& t : others) t = std::thread([&] { watcher.stop(); });
    for (std::thread& t : others) t.join();
  });
}

// Not the end of the tree is the end, but that of the directory which is being read.
TYPED_TEST(ending, reads_no_further_directory) {
  for (const work what : {work::start_up, work::repair}) {
    scene s(what);
    for (int i = 0; i < 200; ++i) s.root.mkdir("d" + std::to_string(i));
    int opened = 0;
    TypeParam* watched = nullptr;
    momentary_system::next_intrusion = std::make_shared<intruded_system::intrusion>([&](std::string_view call) {
      if (watched != nullptr && watched->stopped() && call.starts_with("openat")) ++opened;
      s.when.pass();
    });
    TypeParam watcher(fast);
    watcher.add(s.first().path());
    watched = &watcher;
    s.when.choose(30, [&] { watcher.stop(); });
    s.start(watcher);
    EXPECT_TRUE(watcher.wait().empty());
    EXPECT_TRUE(s.when.met());
    EXPECT_LT(opened, 10) << static_cast<int>(what);
  }
}

TYPED_TEST(ending, in_a_signal_handler) {
  static std::atomic<TypeParam*> to_stop;  // a handler can only reach what is global
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { to_stop.load()->stop(); };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  this->expect_that_it_ends([](TypeParam& watcher) {
    to_stop = &watcher;
    ::raise(SIGUSR1);
  });
  ::sigaction(SIGUSR1, &before, nullptr);
}

/// A subscription, and whether its callback ran when it must not run any more.
template <class Watcher>
class told_subscription {
 public:
  explicit told_subscription(scene& s)
      : sub_(
            std::in_place, s.first().path(), [this](const batch& b) { called(b); }, fast) {}

  basic_subscription<Watcher>& operator*() { return *sub_; }
  void stop() {
    sub_->stop();
    ended_ = true;
  }
  void destroy() {
    sub_.reset();
    ended_ = true;
  }
  [[nodiscard]] bool was_called_late() const { return late_; }
  [[nodiscard]] bool is_done() const { return done_; }

 private:
  void called(const batch& b) {
    if (ended_) late_ = true;
    if (scene::is_done(b)) done_ = true;
  }
  std::atomic<bool> ended_ = false, late_ = false, done_ = false;
  std::optional<basic_subscription<Watcher>> sub_;
};

/// Until something comes to pass on another thread.
template <class Condition>
void await(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

TYPED_TEST(ending, of_a_subscription_from_three_threads_at_once) {
  at_each_moment([](scene& s, int n) {
    told_subscription<TypeParam> told(s);
    std::array<std::future<void>, 3> others;
    s.when.choose(n, [&] {
      for (auto& o : others) o = std::async(std::launch::async, [&] { told.stop(); });
    });
    s.start(*told);
    await([&] { return s.when.met() || told.is_done(); });
    told.stop();
    s.root.write("late");
    if (s.when.met())
      for (auto& o : others) o.get();
    EXPECT_FALSE(told.was_called_late());
  });
}

TYPED_TEST(ending, of_a_subscription_that_is_destroyed) {
  at_each_moment([](scene& s, int n) {
    told_subscription<TypeParam> told(s);
    s.when.choose(n, [] {});
    s.start(*told);
    await([&] { return s.when.met() || told.is_done(); });
    told.destroy();
    s.root.write("late");
    EXPECT_FALSE(told.was_called_late());
  });
}

}  // namespace
}  // namespace hotwatch::test
