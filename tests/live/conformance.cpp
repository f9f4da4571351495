// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The contract, held against every backend that this machine has: the public calls, the promises, the rules.

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <sstream>
#include <thread>
#include <type_traits>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

template <class Watcher>
class conformance : public testing::Test {
 protected:
  static constexpr bool polls = std::is_same_v<Watcher, polling_watcher>;
  static options fast(options o = {}) {
    o.poll_interval = 20ms;
    return o;
  }
  void open(options o = {}, root_options r = {}) {
    watcher_ = std::make_unique<Watcher>(fast(std::move(o)));
    id = watcher_->add(root.path(), r);
  }
  Watcher& watcher() { return *watcher_; }
  lines told() { return sorted(watcher_->flush()); }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  root_id id{};
  std::unique_ptr<Watcher> watcher_;
};

struct backend_names {
  template <class Watcher>
  static std::string GetName(int) {
    return std::is_same_v<Watcher, polling_watcher> ? "polling" : "native";
  }
};
using backends = testing::Types<hotwatch::watcher, polling_watcher>;
TYPED_TEST_SUITE(conformance, backends, backend_names);

// ---- P1 to P7

TYPED_TEST(conformance, ReadyWhenAddReturns) {
  for (int i = 0; i < 30; ++i) {
    temp_directory fresh;
    fresh.root().mkdir_p("a/b/c");
    TypeParam watcher(this->fast());
    watcher.add(fresh.root().path());
    fresh.root().write("a/b/c/f");
    ASSERT_EQ(sorted(watcher.flush()), lines{"created a/b/c/f"});
  }
}

TYPED_TEST(conformance, ConvergesOverABurst) {
  this->open();
  model told({this->root.path()});
  collector all(this->watcher(), this->root);
  for (int i = 0; i < 60; ++i) {
    const std::string d = "d" + std::to_string(i % 7), f = d + "/f" + std::to_string(i % 5);
    this->root.mkdir_p(d);
    this->root.write(f, std::to_string(i));
    if (i % 3 == 0) this->root.rename(f, f + "x");
    if (i % 5 == 0) this->root.rm_rf(d);
    const batch& b = this->watcher().poll();
    ASSERT_EQ(told.apply(b), "");
  }
  ASSERT_EQ(told.apply(this->watcher().flush()), "");
  EXPECT_EQ(told.difference(this->root.list()), "");
}

TYPED_TEST(conformance, FactsHoldAgainstWhatWasToldBefore) {
  this->root.write("f");
  this->open();
  this->root.write("f", "other");
  EXPECT_EQ(this->told(), lines{"modified f"});
  this->root.rm("f");
  EXPECT_EQ(this->told(), lines{"removed f"});
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, IdleMeansNoWakeUp) {
  if (this->polls) GTEST_SKIP() << "a polled root wakes by its interval";
  this->root.mkdir_p("a/b");
  this->open();
  this->root.write("a/b/f");
  EXPECT_EQ(this->told(), lines{"created a/b/f"});
  pollfd waiting{this->watcher().native_handle(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 300), 0) << "the handle is readable although nothing has happened";
  EXPECT_TRUE(this->watcher().poll().empty());
}

TYPED_TEST(conformance, OneSaveIsOneChange) {
  this->root.write("f", "old");
  this->open();
  this->root.write(".f.tmp", "new text");
  this->root.rename(".f.tmp", "f");
  EXPECT_EQ(this->told(), lines{"modified f"});
}

TYPED_TEST(conformance, OneSaveIsOneChangeWithoutFlush) {
  this->root.write("f", "old");
  this->open();
  collector all(this->watcher(), this->root);
  for (int i = 0; i < 5; ++i) {
    all.changes.clear();
    this->root.write("4913");
    this->root.rm("4913");
    this->root.rename("f", "f~");
    this->root.write("f", "new text " + std::to_string(i));
    this->root.rm("f~");
    ASSERT_TRUE(all.until([&] { return !all.changes.empty(); }));
    ASSERT_TRUE(all.until_sentinel());
    if (!this->polls) {
      EXPECT_EQ(all.all(), lines{"modified f"});
    }
    EXPECT_TRUE(all.has("modified f"));
  }
}

TYPED_TEST(conformance, StopBeforeWait) {
  this->open();
  this->watcher().stop();
  EXPECT_TRUE(this->watcher().stopped());
  EXPECT_TRUE(this->watcher().wait().empty());
  EXPECT_TRUE(this->watcher().wait_for(10s).empty());
}

TYPED_TEST(conformance, StopFromAnotherThread) {
  this->open();
  TypeParam& watcher = this->watcher();
  EXPECT_FALSE(watcher.stopped());
  std::thread stopper([&] { watcher.stop(); });
  EXPECT_TRUE(watcher.wait().empty());
  stopper.join();
  EXPECT_TRUE(watcher.stopped());
}

// The handler can only reach what is global.
std::atomic<void (*)()> on_signal;
hotwatch::watcher* native_to_stop = nullptr;
polling_watcher* polling_to_stop = nullptr;

TYPED_TEST(conformance, StopFromASignalHandler) {
  this->open();
  if constexpr (std::is_same_v<TypeParam, polling_watcher>) {
    polling_to_stop = this->watcher_.get();
    on_signal = +[] { polling_to_stop->stop(); };
  } else {
    native_to_stop = this->watcher_.get();
    on_signal = +[] { native_to_stop->stop(); };
  }
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) { on_signal.load()(); };
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  std::thread sender([main = ::pthread_self()] { ::pthread_kill(main, SIGUSR1); });
  EXPECT_TRUE(this->watcher().wait().empty());
  sender.join();
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_TRUE(this->watcher().stopped());
}

TYPED_TEST(conformance, ASignalDoesNotEndTheWait) {
  this->open();
  struct sigaction action {
  }, before{};
  action.sa_handler = [](int) {};
  ASSERT_EQ(::sigaction(SIGUSR2, &action, &before), 0);
  std::thread sender([this, main = ::pthread_self()] {
    for (int i = 0; i < 50; ++i) ::pthread_kill(main, SIGUSR2);
    this->root.write("f");
  });
  const batch& b = this->watcher().wait();
  EXPECT_EQ(in_order(b), lines{"created f"});
  sender.join();
  ::sigaction(SIGUSR2, &before, nullptr);
}

// ---- the calls

TYPED_TEST(conformance, WaitReturnsTheBatch) {
  this->open();
  this->root.mkdir("d");
  this->root.write("d/f");
  collector all(this->watcher(), this->root);
  all.take(this->watcher().wait());
  ASSERT_TRUE(all.until_sentinel());
  EXPECT_EQ(sorted(all.all()), (lines{"created d", "created d/f"}));
}

TYPED_TEST(conformance, WaitWakesForAChangeMadeLater) {
  this->open();
  std::thread writer([this] { this->root.write("f"); });
  EXPECT_EQ(in_order(this->watcher().wait()), lines{"created f"});
  writer.join();
}

TYPED_TEST(conformance, WaitForIsEmptyOnTimeOut) {
  this->open();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(this->watcher().wait_for(30ms).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
  EXPECT_TRUE(this->watcher().wait_for(0ms).empty());
  EXPECT_FALSE(this->watcher().stopped());
}

TYPED_TEST(conformance, WaitForLongerThanTheClock) {
  this->open();
  this->root.write("f");
  EXPECT_EQ(in_order(this->watcher().wait_for(std::chrono::hours::max())), lines{"created f"});
}

TYPED_TEST(conformance, PollNeverBlocksAndHoldsWhatIsNotDue) {
  this->open({.debounce = {.quiet = 1h, .max_wait = 1h, .settle = false}});
  this->root.write("f");
  EXPECT_TRUE(this->watcher().poll().empty());
  EXPECT_TRUE(this->watcher().wait_for(60ms).empty());
  EXPECT_EQ(this->told(), lines{"created f"});
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, FlushHasAllThatWasDoneBefore) {
  this->open();
  for (int i = 0; i < 50; ++i) {
    const std::string name = "f" + std::to_string(i);
    this->root.write(name);
    ASSERT_EQ(this->told(), lines{"created " + name});
  }
}

TYPED_TEST(conformance, FlushAfterStopIsHarmless) {
  this->open();
  this->root.write("f");
  this->watcher().stop();
  this->watcher().flush();
  EXPECT_TRUE(this->watcher().stopped());
}

TYPED_TEST(conformance, RangeForEndsAfterStop) {
  this->open();
  this->root.write("f");
  lines all;
  for (const batch& b : this->watcher()) {
    EXPECT_FALSE(b.empty());
    for (const change& c : b) all.push_back(line(c));
    this->watcher().stop();
  }
  EXPECT_EQ(all, lines{"created f"});
}

TYPED_TEST(conformance, HandleInsideAnEpollLoopWithTheDebounceDeadline) {
  this->open({.debounce = {.quiet = 60ms, .max_wait = 10s, .settle = false}});
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  ASSERT_EQ(::epoll_ctl(epoll, EPOLL_CTL_ADD, this->watcher().native_handle(), &event), 0);
  const int handle = this->watcher().native_handle();
  const auto end = std::chrono::steady_clock::now() + deadline;
  for (int round = 0; round < 3; ++round) {
    const auto start = std::chrono::steady_clock::now();
    this->root.write("f" + std::to_string(round));
    lines all;
    int turns = 0;
    while (all.empty() && std::chrono::steady_clock::now() < end) {
      ASSERT_GE(::epoll_wait(epoll, &event, 1, static_cast<int>(std::chrono::milliseconds(deadline).count())), 0);
      all = in_order(this->watcher().poll());
      ++turns;
    }
    EXPECT_EQ(all, lines{"created f" + std::to_string(round)});
    EXPECT_GE(std::chrono::steady_clock::now() - start, 60ms);
    // One turn for the kernel's word, one for the deadline, and some for polled looks; a busy loop makes thousands.
    EXPECT_LE(turns, (std::is_same_v<TypeParam, polling_watcher> ? 30 : 12));
  }
  EXPECT_EQ(this->watcher().native_handle(), handle);
  ::close(epoll);
}

TYPED_TEST(conformance, HandleIsReadableAfterStop) {
  this->open();
  pollfd waiting{this->watcher().native_handle(), POLLIN, 0};
  this->watcher().stop();
  EXPECT_EQ(::poll(&waiting, 1, 10'000), 1);
}

TYPED_TEST(conformance, HandleTakenAfterAChangeIsReadable) {
  this->open();
  this->root.write("f");
  this->watcher().poll();
  pollfd waiting{this->watcher().native_handle(), POLLIN, 0};
  collector all(this->watcher(), this->root);
  EXPECT_TRUE(all.until([&] {
    if (all.has("created f")) return true;
    EXPECT_EQ(::poll(&waiting, 1, 10'000), 1);
    return false;
  }));
}

TYPED_TEST(conformance, AcknowledgedWritesAreNoChange) {
  this->root.write("mine", "1");
  this->root.write("theirs", "1");
  this->open();
  this->root.write("mine", "22");
  this->root.write("new", "22");
  this->root.write("theirs", "22");
  this->watcher().acknowledge(this->root.at("mine"));
  this->watcher().acknowledge(this->root.at("new"));
  EXPECT_EQ(this->told(), lines{"modified theirs"});
  EXPECT_TRUE(known(this->watcher()).contains(this->root.at("new")));
  this->root.write("mine", "333");
  this->root.write("new", "333");
  EXPECT_EQ(this->told(), (lines{"modified mine", "modified new"}));
  this->root.rm("mine");
  this->watcher().acknowledge(this->root.at("mine"));
  EXPECT_TRUE(this->watcher().flush().empty());
  this->root.write("mine");
  EXPECT_EQ(this->told(), lines{"created mine"});
}

TYPED_TEST(conformance, TheOtherEndOfAnAcknowledgedRenameIsTold) {
  this->root.mkdir("a");
  this->root.mkdir("b");
  this->root.write("tmp");
  this->root.write("a/x");
  this->open();
  this->root.rename("tmp", "config");
  this->watcher().acknowledge(this->root.at("config"));
  EXPECT_EQ(this->told(), lines{"removed tmp"});
  this->root.rename("a/x", "b/x");
  this->watcher().acknowledge(std::filesystem::path(this->root.at("a")));
  EXPECT_EQ(this->told(), lines{"created b/x"});
}

TYPED_TEST(conformance, NothingIsAcknowledgedAboveARoot) {
  this->open();
  this->root.write("f");
  EXPECT_TRUE(this->watcher().poll().empty());  // known by now, and held back
  this->watcher().acknowledge(std::filesystem::path(this->root.path()).parent_path());
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, AFullDirectoryThatIsGoneMayBeAcknowledged) {
  for (const char* d : {"d", "e"}) {
    this->root.mkdir(d);
    for (const char* f : {"/1", "/2", "/3"}) this->root.write(std::string(d) + f);
  }
  this->open();
  this->root.rename("d", this->out.at("d"));
  this->watcher().acknowledge(this->root.at("d"));
  this->root.rm_rf("e");
  this->watcher().acknowledge(this->root.at("e"));
  EXPECT_EQ(this->told(), lines{});
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, ADirectoryThatMovedIntoWhatIsAcknowledgedKeepsItsFiles) {
  this->root.mkdir("a");
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  outlive_the_tick();
  this->root.append("d/f");
  this->root.rename("d", "a/d");
  this->watcher().acknowledge(this->root.at("a"));
  EXPECT_EQ(this->told(), lines{"renamed d -> a/d"});
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, ADirectoryThatMovedOutOfWhatIsAcknowledgedIsNew) {
  this->root.mkdir_p("a/d");
  for (const char* f : {"a/d/f", "a/d/g"}) this->root.write(f);
  this->open();
  outlive_the_tick();
  this->root.append("a/d/f");
  this->root.rename("a/d", "d");
  this->watcher().acknowledge(this->root.at("a"));
  EXPECT_EQ(this->told(), (lines{"created d", "created d/f", "created d/g"}));
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, ASingleFileMayBeAcknowledged) {
  this->root.write("f", "1");
  outlive_the_tick();
  TypeParam watcher;
  watcher.add(this->root.at("f"));
  this->root.write("f", "22");
  watcher.acknowledge(this->root.at("f"));
  EXPECT_EQ(in_order(watcher.flush()), lines{});
  outlive_the_tick();
  this->root.write("f", "333");
  EXPECT_EQ(in_order(watcher.flush()), lines{"modified f"});
}

TYPED_TEST(conformance, WaitForNoTimeReadsWhatCame) {
  this->open({.debounce = immediate, .poll_interval = 1ms});
  this->root.write("f");
  lines all;
  const auto end = std::chrono::steady_clock::now() + 2s;
  while (all.empty() && std::chrono::steady_clock::now() < end) all = in_order(this->watcher().wait_for(0ms));
  EXPECT_EQ(all, lines{"created f"});
}

TYPED_TEST(conformance, ForEachIsTheListing) {
  this->root.mkdir_p("a/b");
  this->root.write("a/b/f");
  this->root.symlink("nowhere", "link");
  this->open();
  EXPECT_EQ(known(this->watcher()), this->root.list());
  this->root.rename("a/b", "c");
  this->root.rm("link");
  this->watcher().flush();
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, StatsCount) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  EXPECT_EQ(this->watcher().stats().directories, 2u);
  EXPECT_EQ(this->watcher().stats().files, 1u);
  this->root.write("g");
  this->root.write("d/h");
  EXPECT_EQ(this->watcher().flush().size(), 2u);
  const statistics s = this->watcher().stats();
  EXPECT_EQ(s.files, 3u);
  EXPECT_EQ(s.changes, 2u);
  EXPECT_EQ(s.batches, 1u);
  EXPECT_EQ(s.overflows, 0u);
  EXPECT_GT(s.bytes, 0u);
  EXPECT_GE(s.bytes, s.name_bytes);
  if (!this->polls) {
    EXPECT_GT(s.kernel_events, 0u);
  }
}

TYPED_TEST(conformance, RemovedRootIsSilentAndTheOtherGoesOn) {
  this->open();
  const root_id second = this->watcher().add(this->out.path());
  this->root.write("f");
  this->out.write("g");
  for (const change& c : this->watcher().flush()) EXPECT_EQ(c.root == second, c.relative() == "g");
  this->watcher().remove(this->root.path());
  this->root.write("f2");
  this->out.write("g2");
  EXPECT_EQ(this->told(), lines{"created g2"});
  EXPECT_EQ(known(this->watcher()), this->out.list());
  const root_id again = this->watcher().add(this->root.path());
  EXPECT_NE(again, second);
  EXPECT_NE(again, this->id) << "an id is never used again";
  this->root.write("f3");
  EXPECT_EQ(this->told(), lines{"created f3"});
}

TYPED_TEST(conformance, RemoveTellsNothingThatWasHeldForThatRoot) {
  this->open();
  this->root.write("f");
  this->watcher().poll();
  this->watcher().remove(this->root.path());
  EXPECT_EQ(this->watcher().flush().size(), 0u);
}

TYPED_TEST(conformance, SeveralRoots) {
  this->open();
  this->watcher().add(this->out.path());
  this->root.write("a");
  this->out.write("b");
  EXPECT_EQ(this->told(), (lines{"created a", "created b"}));
  this->root.rename("a", this->out.at("a"));
  const batch& b = this->watcher().flush();
  ASSERT_EQ(b.size(), 1u) << model::text(b);
  EXPECT_EQ(b[0].kind, change_kind::renamed);
  EXPECT_EQ(b[0].old_path, this->root.at("a"));
  EXPECT_EQ(b[0].path, this->out.at("a"));
}

TYPED_TEST(conformance, PathsAreToldAsTheRootWasGiven) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(this->directory.base().path());
  const std::pair<std::string, std::string> cases[] = {
      {"root", "root/"}, {"root//", "root/"}, {"./root/", "./root/"}, {"root/../out", "root/../out/"}};
  for (const auto& [given, told] : cases) {
    SCOPED_TRACE(given);
    TypeParam watcher(this->fast());
    watcher.add(given);
    const place where(given);
    where.write("f");
    const batch& b = watcher.flush();
    ASSERT_EQ(b.size(), 1u);
    EXPECT_EQ(b[0].path, told + "f");
    EXPECT_EQ(b[0].relative(), "f");
    where.rm("f");
  }
  std::filesystem::current_path(this->root.path());
  TypeParam watcher(this->fast());
  watcher.add(".");
  this->root.write("x");
  const batch& b = watcher.flush();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b[0].path, "./x");
  EXPECT_EQ(b[0].relative(), "x");
  std::filesystem::current_path(here);
}

TYPED_TEST(conformance, PathsInAreOfManyKinds) {
  TypeParam watcher(this->fast());
  this->root.mkdir("a");
  this->root.mkdir("b");
  this->root.mkdir("c");
  const std::string a = this->root.at("a"), b = this->root.at("b"), c = this->root.at("c");
  watcher.add(a.c_str());
  watcher.add(std::string_view(b));
  watcher.add(std::filesystem::path(c));
  this->root.write("a/f");
  this->root.write("b/f");
  this->root.write("c/f");
  EXPECT_EQ(watcher.flush().size(), 3u);
  watcher.remove(std::filesystem::path(c));
  watcher.remove(a);
}

TYPED_TEST(conformance, ChangeTellsPathRelativeRootAndTime) {
  this->open();
  const auto before = hotwatch::clock::now();
  this->root.mkdir("d");
  this->root.write("d/f");
  const batch& b = this->watcher().flush();
  ASSERT_EQ(b.size(), 2u);
  EXPECT_EQ(b[0].path, this->root.at("d"));
  EXPECT_EQ(b[0].type, entry_type::directory);
  EXPECT_EQ(b[1].path, this->root.at("d/f"));
  EXPECT_EQ(b[1].relative(), "d/f");
  EXPECT_EQ(b[1].type, entry_type::file);
  EXPECT_TRUE(b[1].old_path.empty());
  EXPECT_GE(b[1].seen, before);
  EXPECT_LE(b[1].seen, hotwatch::clock::now());
  EXPECT_GE(b.first_seen(), before);
  std::ostringstream text;
  text << b[1];
  EXPECT_EQ(text.str(), "created " + this->root.at("d/f"));
  const owned_change kept(b[1]);
  this->root.rm("d/f");
  this->watcher().flush();
  EXPECT_EQ(line(kept.view()), "created d/f");
}

// ---- the rules of the coalesced view (the scenarios hold the whole table)

TYPED_TEST(conformance, OneChangeAPathInAnOrderThatCanBeApplied) {
  this->root.mkdir_p("d/e");
  this->root.write("d/e/f");
  this->root.write("x");
  this->open();
  model told({this->root.path()});
  told.start_from(known(this->watcher()));
  this->root.rename("d/e/f", "f");
  this->root.rm_rf("d");
  this->root.rename("x", "d");
  this->root.mkdir("x");
  this->root.rename("f", "x/f");
  EXPECT_EQ(told.apply(this->watcher().flush()), "");
  EXPECT_EQ(told.difference(this->root.list()), "");
}

TYPED_TEST(conformance, NetEffects) {
  this->root.write("m");
  this->root.write("r");
  this->root.write("a");
  this->open();
  this->root.write("c");
  this->root.append("c");
  this->root.write("t");
  this->root.rm("t");
  this->root.append("m");
  this->root.append("r");
  this->root.rm("r");
  this->root.rename("a", "b");
  this->root.rename("b", "z");
  EXPECT_EQ(this->told(), (lines{"created c", "modified m", "removed r", "renamed a -> z"}));
}

TYPED_TEST(conformance, RenamesWithinInAndOut) {
  this->root.write("a");
  this->root.write("b");
  this->out.write("c", "longer");
  this->open();
  this->root.rename("a", "a2");
  this->root.rename("b", this->out.at("b"));
  this->root.rename(this->out.at("c"), "c");
  EXPECT_EQ(this->told(), (lines{"created c", "removed b", "renamed a -> a2"}));
}

TYPED_TEST(conformance, DirectoriesComeAndGoWithAllBelow) {
  this->out.mkdir_p("d/e");
  this->out.write("d/e/f");
  this->open();
  this->root.rename(this->out.at("d"), "d");
  EXPECT_EQ(in_order(this->watcher().flush()), (lines{"created d", "created d/e", "created d/e/f"}));
  this->root.write("d/e/g");
  EXPECT_EQ(this->told(), lines{"created d/e/g"});
  this->root.rename("d", "d2");
  EXPECT_EQ(this->told(), lines{"renamed d -> d2"});
  this->root.rm_rf("d2");
  const lines gone = in_order(this->watcher().flush());
  ASSERT_EQ(gone.size(), 4u);
  EXPECT_EQ(gone[2], "removed d2/e");
  EXPECT_EQ(gone[3], "removed d2");
}

TYPED_TEST(conformance, DirectoriesAreNeverModifiedAndReadsAreSilent) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  raw::read(this->root.at("d/f"));
  EXPECT_EQ(this->root.list().size(), 2u);
  ::utimensat(AT_FDCWD, this->root.at("d").c_str(), nullptr, 0);
  this->root.chmod("d", 0711);
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, SymlinksAreThemselves) {
  this->out.mkdir("d");
  this->out.write("d/f");
  this->root.write("real");
  this->open();
  this->root.symlink(this->out.at("d"), "to-directory");
  this->root.symlink("real", "to-file");
  this->root.symlink("nowhere", "dangling");
  const batch& b = this->watcher().flush();
  EXPECT_EQ(sorted(b), (lines{"created dangling", "created to-directory", "created to-file"}));
  for (const change& c : b) EXPECT_EQ(c.type, entry_type::symlink);
  this->out.write("d/g");
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, OneFileIsWatchedThroughReplacementRemovalAndReturn) {
  this->root.write("f", "1");
  this->root.write("other", "1");
  TypeParam watcher(this->fast());
  watcher.add(this->root.at("f"));
  this->root.write("other", "22");
  this->root.append("f");
  const batch& b = watcher.flush();
  ASSERT_EQ(b.size(), 1u) << model::text(b);
  EXPECT_EQ(b[0].path, this->root.at("f"));
  EXPECT_EQ(b[0].relative(), "f");
  this->root.write("tmp", "333333");
  this->root.rename("tmp", "f");
  EXPECT_EQ(sorted(watcher.flush()), lines{"modified f"});
  this->root.rm("f");
  const batch& gone = watcher.flush();
  EXPECT_EQ(sorted(gone), lines{"removed f"});
  EXPECT_TRUE(gone.notices().empty());
  this->root.write("f", "1");
  EXPECT_EQ(sorted(watcher.flush()), lines{"created f"});
  this->root.append("f");
  EXPECT_EQ(sorted(watcher.flush()), lines{"modified f"});
}

TYPED_TEST(conformance, RootThatGoesAwayAndReturns) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  this->directory.base().rm_rf("root");
  const batch& gone = this->watcher().flush();
  EXPECT_EQ(in_order(gone), (lines{"removed d/f", "removed d"}));
  EXPECT_TRUE(has_notice(gone, notice_kind::root_lost));
  EXPECT_TRUE(known(this->watcher()).empty());
  EXPECT_TRUE(this->watcher().flush().empty());
  this->directory.base().mkdir_p("root/new");
  this->root.write("new/f");
  const batch& back = this->watcher().flush();
  EXPECT_EQ(in_order(back), (lines{"created new", "created new/f"}));
  EXPECT_TRUE(has_notice(back, notice_kind::root_restored));
  this->root.write("new/g");
  EXPECT_EQ(this->told(), lines{"created new/g"});
}

// ---- options

TYPED_TEST(conformance, IncludeAndExclude) {
  this->root.mkdir_p("build/deep");
  this->root.mkdir("src");
  this->open({.include = {"*.{cpp,hpp}"}, .exclude = {"build/", "src/gen*"}});
  this->root.write("a.cpp");
  this->root.write("a.txt");
  this->root.write("build/b.cpp");
  this->root.write("build/deep/b.cpp");
  this->root.write("src/c.hpp");
  this->root.write("src/generated.cpp");
  this->root.mkdir("new");
  this->root.write("new/d.cpp");
  EXPECT_EQ(this->told(), (lines{"created a.cpp", "created new/d.cpp", "created src/c.hpp"}));
  this->root.rename("a.cpp", "a.bak");
  this->root.rename("a.txt", "b.cpp");
  EXPECT_EQ(this->told(), (lines{"created b.cpp", "removed a.cpp"}));
}

TYPED_TEST(conformance, ExcludedDirectoriesAreNotWatched) {
  this->root.mkdir_p("node_modules/a/b/c");
  this->root.mkdir("src");
  this->open({.exclude = {"node_modules/"}});
  EXPECT_LE(this->watcher().stats().directories, 3u);
  this->root.write("node_modules/a/b/c/f");
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, MetadataOnlyWhenAskedFor) {
  this->root.write("f");
  this->open();
  this->root.chmod("f", 0600);
  EXPECT_TRUE(this->watcher().flush().empty());
  this->open({.metadata = true});
  this->root.chmod("f", 0644);
  EXPECT_EQ(this->told(), lines{"metadata f"});
  this->root.append("f");
  EXPECT_EQ(this->told(), lines{"modified f"});
}

TYPED_TEST(conformance, NotRecursive) {
  this->root.mkdir("d");
  this->open({}, {.recursive = false});
  this->root.write("d/deep");
  this->root.write("f");
  this->root.mkdir("e");
  this->root.write("e/deep");
  EXPECT_EQ(this->told(), (lines{"created e", "created f"}));
}

TYPED_TEST(conformance, ReportExisting) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open({}, {.report_existing = true});
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), (lines{"created d", "created d/f"}));
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, ImmediateTellsWithoutHolding) {
  this->open({.debounce = immediate});
  for (int i = 0; i < 20; ++i) {
    this->root.mkdir("d" + std::to_string(i));
    EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created d" + std::to_string(i)});
  }
}

TYPED_TEST(conformance, LeadingTellsTheFirstAtOnceAndHoldsTheRest) {
  this->open({.debounce = {.quiet = 1h, .max_wait = 1h, .settle = false, .leading = true}});
  this->root.write("first");
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created first"});
  this->root.write("second");
  EXPECT_TRUE(this->watcher().wait_for(60ms).empty());
  EXPECT_EQ(this->told(), lines{"created second"});
}

TYPED_TEST(conformance, MaxWaitEndsAHoldThatNeverGoesQuiet) {
  this->open({.debounce = {.quiet = 100ms, .max_wait = 200ms, .settle = false}});
  this->root.write("f");
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    // Back to back, with no pause for `quiet` to be met by.
    while (!enough) this->root.append("f", ".");
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(this->watcher().wait_for(deadline).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  enough = true;
  writer.join();
}

TYPED_TEST(conformance, AnOpenWriterIsHeldBackUntilItCloses) {
  if (this->polls) GTEST_SKIP() << "polling cannot know who holds a file open";
  this->open({.debounce = {.quiet = 20ms, .max_wait = 1h}});
  const int fd = ::open(this->root.at("f").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  ASSERT_TRUE(raw::write_all(fd, "half"));
  EXPECT_TRUE(this->watcher().wait_for(100ms).empty());
  ::close(fd);
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created f"});
}

TYPED_TEST(conformance, SpinningTellsTheSame) {
  this->open({.debounce = immediate, .spin = 200us});
  std::thread writer([this] { this->root.mkdir("d"); });
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created d"});
  writer.join();
}

// ---- bad input: each error names what and why, and nothing half-added remains

template <class Fn>
std::string what_of(Fn fn, std::error_code expected) {
  try {
    fn();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), expected) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown, expected " << expected.message();
  return {};
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TYPED_TEST(conformance, BadInputMissingPath) {
  this->open();
  const std::string missing = this->root.at("missing");
  try {
    this->watcher().add(missing);
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_TRUE(e.code() == std::errc::no_such_file_or_directory);
    EXPECT_TRUE(contains(e.what(), missing)) << e.what();
  }
  std::error_code ec;
  this->watcher().add(missing, root_options{}, ec);
  EXPECT_TRUE(ec == std::errc::no_such_file_or_directory);
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, BadInputPathThroughAFile) {
  this->root.write("f");
  this->open();
  std::error_code ec;
  this->watcher().add(this->root.at("f/below"), root_options{}, ec);
  EXPECT_TRUE(ec == std::errc::not_a_directory) << ec.message();
}

TYPED_TEST(conformance, BadInputNotPermitted) {
  this->root.mkdir("locked");
  this->root.chmod("locked", 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Only somebody who is not root can be refused.
    ::chmod(this->directory.base().path().c_str(), 0755);
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(77);
    if (::access(this->root.path().c_str(), X_OK) != 0) ::_exit(77);
    TypeParam watcher(this->fast());
    std::error_code ec;
    watcher.add(this->root.at("locked"), root_options{}, ec);
    ::_exit(ec == std::errc::permission_denied ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) GTEST_SKIP() << "another user cannot reach the test's directory";
  EXPECT_EQ(status, 0);
}

TYPED_TEST(conformance, BadInputMalformedGlob) {
  for (const auto& [pattern, column] : {std::pair("src/[a-", "column "), std::pair("{cpp,hpp", "column ")}) {
    try {
      TypeParam watcher(options{.include = {"*.txt", pattern}});
      ADD_FAILURE() << pattern;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), make_error_code(errc::malformed_glob));
      EXPECT_TRUE(contains(e.what(), pattern)) << e.what();
      EXPECT_TRUE(contains(e.what(), column)) << e.what();
    }
    EXPECT_THROW(TypeParam(options{.exclude = {pattern}}), std::system_error);
  }
}

TYPED_TEST(conformance, BadInputOptionOutOfRange) {
  const auto refused = [](options o) {
    try {
      TypeParam watcher(std::move(o));
    } catch (const std::system_error& e) {
      return e.code() == make_error_code(errc::option_out_of_range);
    }
    return false;
  };
  EXPECT_TRUE(refused({.debounce = {.quiet = -1ns}}));
  EXPECT_TRUE(refused({.debounce = {.quiet = 2s, .max_wait = 1s}}));
  EXPECT_TRUE(refused({.debounce = {.quiet = 0s, .max_wait = -1s}}));
  EXPECT_TRUE(refused({.poll_interval = -1ms}));
  EXPECT_TRUE(refused({.spin = -1us}));
  EXPECT_FALSE(refused({.debounce = {.quiet = 1s, .max_wait = 1s}}));
}

TYPED_TEST(conformance, BadInputRootAddedTwice) {
  this->open();
  EXPECT_TRUE(contains(what_of([&] { this->watcher().add(this->root.path()); }, make_error_code(errc::root_exists)),
                       this->root.path()));
  std::error_code ec;
  this->watcher().add(this->root.path() + "/", root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::root_exists));
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, BadInputPathWithANulOrEmpty) {
  this->open();
  std::error_code ec;
  this->watcher().add(std::string("a\0b", 3), root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::path_has_nul));
  this->watcher().add(std::string(), root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::empty_path));
  EXPECT_THROW(this->watcher().add(""), std::system_error);
  this->watcher().add(this->out.path(), root_options{}, ec);
  EXPECT_FALSE(ec) << "an error code is cleared by success";
}

TYPED_TEST(conformance, BadInputNeitherFileNorDirectory) {
  ASSERT_EQ(::mkfifo(this->root.at("fifo").c_str(), 0600), 0);
  this->open();
  std::error_code ec;
  this->watcher().add(this->root.at("fifo"), root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::not_a_file_or_directory));
  this->watcher().add("/dev/null", root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::not_a_file_or_directory));
}

TYPED_TEST(conformance, BadInputRemoveOfAnUnknownRoot) {
  this->open();
  std::error_code ec;
  this->watcher().remove(this->out.path(), ec);
  EXPECT_EQ(ec, make_error_code(errc::unknown_root));
  EXPECT_THROW(this->watcher().remove(this->out.path()), std::system_error);
  this->watcher().remove(this->root.path(), ec);
  EXPECT_FALSE(ec);
}

TYPED_TEST(conformance, BadInputDescriptorLimitOfThree) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const rlimit three{3, 3};
    ::setrlimit(RLIMIT_NOFILE, &three);
    bool told = false;
    try {
      TypeParam watcher(this->fast());
      watcher.add(this->root.path());
    } catch (const std::system_error& e) {
      told = e.code() == std::errc::too_many_files_open && std::string_view(e.what()).size() > 3;
    }
    ::_exit(told ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TYPED_TEST(conformance, BadInputDescriptorLimitReachedAtAddLeavesTheOthers) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    this->open();
    this->root.write("before");
    bool ok = this->told() == lines{"created before"};
    // No descriptor is left below the limit.
    std::vector<int> fds;
    const rlimit few{64, 64};
    ::setrlimit(RLIMIT_NOFILE, &few);
    while (true) {
      const int fd = ::dup(2);
      if (fd < 0) break;
      fds.push_back(fd);
    }
    std::error_code ec;
    this->watcher().add(this->out.path(), root_options{}, ec);
    for (const int fd : fds) ::close(fd);
    // With an error nothing of it is left; without one it is watched whole.
    this->out.write("g");
    this->root.write("after");
    ok = ok && this->told() == (ec ? lines{"created after"} : lines{"created after", "created g"});
    ok = ok && (!ec || ec == std::errc::too_many_files_open);
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TYPED_TEST(conformance, ManyWatchersAtOnce) {
  // Distinct objects know nothing of each other.
  this->open();
  TypeParam second(this->fast());
  second.add(this->root.path());
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
  EXPECT_EQ(sorted(second.flush()), lines{"created f"});
}

}  // namespace
}  // namespace hotwatch::test
