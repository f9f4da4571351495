// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Links that are followed, and what may go wrong at each call: races, limits, losses.

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/followed.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

const options following{.follow_symlinks = true, .poll_interval = std::chrono::milliseconds(5)};

template <class Watcher>
class followed_test : public scripted_test<Watcher> {
 public:
  /// A link out of the root through another link, and one within the root.
  void make_links() {
    for (const char* d : {"v1/d", "v2/d"}) {
      this->out.mkdir_p(d);
      this->out.write(std::string(d) + "/f");
    }
    this->out.write("v2/d/g");
    this->out.symlink("v1", "current");
    this->root.symlink("../out/current/d", "link");
    this->root.mkdir("real");
    this->root.write("real/f");
    this->root.symlink("real", "other");
  }

  void follow() {
    make_links();
    this->watch_tree(following);
  }

  [[nodiscard]] std::string until_followed() {
    return this->until_converged([&] { return list_followed(this->root.path()); });
  }
};

using followed_inotify = followed_test<scripted_watcher>;
using followed_polling = followed_test<scripted_polling_watcher>;

// Something happens before the n-th call of add(), for each n, and something else behind it.
template <class Fixture>
void at_each_call_of_add(const std::function<void(Fixture&)>& happens) {
  for_each_n<Fixture>(1000, [&](auto& t, int n) {
    t.make_links();
    int calls = 0;
    t.faults->before_each = [&](system_call) {
      if (++calls == n) happens(t);
    };
    t.watch_tree(following);
    const bool met = calls >= n;
    t.faults->before_each = nullptr;
    if (!met) happens(t);
    EXPECT_EQ(t.until_followed(), "");
    for (const char* f : {"v1/d/later", "v2/d/later"}) raw::write(t.out.at(f), "text");
    EXPECT_EQ(t.until_followed(), "");
    return met;
  });
}

template <class Fixture>
void retarget(Fixture& t) {
  t.root.symlink("../out/v2/d", "new");
  t.root.rename("new", "link");
}
template <class Fixture>
void turn_the_way(Fixture& t) {
  t.out.symlink("v2", "new");
  t.out.rename("new", "current");
}
template <class Fixture>
void take_the_target_away(Fixture& t) {
  t.out.rename("v1/d", "away");
}
template <class Fixture>
void put_a_directory_in_its_place(Fixture& t) {
  t.root.rm("link");
  t.root.mkdir("link");
  t.root.write("link/own");
}
template <class Fixture>
void close_a_circle(Fixture& t) {
  t.out.rename("v1/d", "v1/old");
  t.out.symlink(t.root.path(), "v1/d");
}

TEST(FollowedLinks, RetargetedAtAnyCallOfAdd) {
  at_each_call_of_add<followed_inotify>(retarget<followed_inotify>);
  at_each_call_of_add<followed_polling>(retarget<followed_polling>);
}
TEST(FollowedLinks, TheWayTurnedAtAnyCallOfAdd) {
  at_each_call_of_add<followed_inotify>(turn_the_way<followed_inotify>);
  at_each_call_of_add<followed_polling>(turn_the_way<followed_polling>);
}
TEST(FollowedLinks, TheTargetTakenAwayAtAnyCallOfAdd) {
  at_each_call_of_add<followed_inotify>(take_the_target_away<followed_inotify>);
}
TEST(FollowedLinks, ReplacedByADirectoryAtAnyCallOfAdd) {
  at_each_call_of_add<followed_inotify>(put_a_directory_in_its_place<followed_inotify>);
}
TEST(FollowedLinks, ACircleClosedAtAnyCallOfAdd) {
  at_each_call_of_add<followed_inotify>(close_a_circle<followed_inotify>);
  at_each_call_of_add<followed_polling>(close_a_circle<followed_polling>);
}

// The same while a first turn of the way is being told of.
TEST(FollowedLinks, RetargetedAtAnyCallOfATurn) {
  for_each_n<followed_inotify>(1000, [](auto& t, int n) {
    t.follow();
    turn_the_way(t);
    int calls = 0;
    t.faults->before_each = [&](system_call) {
      if (++calls == n) retarget(t);
    };
    t.take(t.watcher->flush());
    t.faults->before_each = nullptr;
    const bool met = calls >= n;
    if (!met) retarget(t);
    EXPECT_EQ(t.until_followed(), "");
    return met;
  });
}

TEST_F(followed_inotify, WhatAnOverflowDroppedIsFound) {
  follow();
  bool dropped = false;
  faults->on_records = [&](std::vector<std::string>& records) {
    if (!std::exchange(dropped, true)) records = {inotify_record(-1, IN_Q_OVERFLOW)};
  };
  turn_the_way(*this);
  root.rm("other");
  root.symlink("../out", "other");
  out.write("v2/new");
  EXPECT_EQ(until_followed(), "");
  EXPECT_TRUE(dropped);
  faults->on_records = nullptr;
  EXPECT_EQ(
      std::count_if(notices.begin(), notices.end(), [](const auto& n) { return n.kind == notice_kind::overflow; }), 1)
      << "of the root, not of each link";
  out.write("v2/d/later");
  EXPECT_EQ(until_followed(), "");
}

// What inotify refuses is polled; a link is still shown as what it leads to.
TEST_F(followed_inotify, WithoutWatches) {
  for_each_n<followed_inotify>(100, [](auto& t, int n) {
    t.make_links();
    t.faults->fail(system_call::inotify_add_watch, n, ENOSPC, script::for_ever);
    t.watch_tree(following);
    EXPECT_EQ(t.until_followed(), "");
    t.out.write("v1/d/new");
    t.root.write("real/new");
    EXPECT_EQ(t.until_followed(), "");
    retarget(t);
    EXPECT_EQ(t.until_followed(), "");
    t.out.write("v2/d/new");
    EXPECT_EQ(t.until_followed(), "");
    if (t.faults->failures() == 0) return false;
    EXPECT_TRUE(t.has(notice_kind::polling) || t.has(notice_kind::failed))
        << "something is not watched, without a word";
    return true;
  });
}

TEST_F(followed_inotify, WhenACallFailsOnce) {
  for (const system_call call :
       {system_call::openat, system_call::statx, system_call::readlink, system_call::getdents64})
    for (const int error : {EMFILE, ENOMEM}) {
      SCOPED_TRACE("call " + std::to_string(static_cast<int>(call)) + ", errno " + std::to_string(error));
      for_each_n<followed_inotify>(1000, [&](auto& t, int n) {
        t.follow();
        turn_the_way(t);
        t.root.symlink("../out", "outside");
        t.faults->fail(call, n, error);
        t.take(t.watcher->flush());
        const bool met = t.faults->failures() != 0;
        t.faults->stop_failing();
        // Whoever changes something now gives the word that was missed, if nothing else does.
        t.root.write("later");
        t.out.write("v2/d/later");
        EXPECT_EQ(t.until_followed(), "");
        return met;
      });
    }
}

// No call more than a file costs.
TEST(FollowedLinks, WithoutTheOptionALinkCostsNothing) {
  const auto calls_for = [](bool links) {
    struct : scripted_inotify {
      void TestBody() override {}
    } t;
    t.out.mkdir("d");
    t.root.write("here");
    if (links)
      t.root.symlink("../out/d", "one");
    else
      t.root.write("one");
    t.watch_tree({});
    if (links)
      t.root.symlink("../out/d", "two");
    else
      t.root.link("here", "two");
    t.take(t.watcher->flush());
    std::vector<int> calls;
    for (int c = 0; c < static_cast<int>(system_call::count_); ++c)
      calls.push_back(t.faults->calls(static_cast<system_call>(c)));
    return calls;
  };
  EXPECT_EQ(calls_for(true), calls_for(false));
}

TEST_F(followed_inotify, ALinkMayBeARootOfItsOwnToo) {
  follow();
  watcher->add(root.at("link"));
  out.write("v1/d/new");
  EXPECT_EQ(sorted(in_order(watcher->flush())), (lines{"created link/new", "created new"}));
  watcher->remove(root.at("link"));
  out.write("v1/d/new");
  EXPECT_EQ(in_order(watcher->flush()), lines{"modified link/new"});
}

TEST_F(followed_inotify, ALinkIsAcknowledgedWithWhatIsInIt) {
  follow();
  root.symlink("../out/v2", "mine");
  watcher->acknowledge(root.at("mine"));
  EXPECT_TRUE(watcher->flush().empty());
  out.write("v2/d/f", "more");
  EXPECT_EQ(in_order(watcher->flush()), lines{"modified mine/d/f"});
}

TEST_F(followed_inotify, ADanglingLinkIsNotLookedAtForOtherNames) {
  root.symlink("nowhere", "dangling");
  watch_tree(following);
  root.write("elsewhere");
  take(watcher->flush());
  const int before = faults->calls(system_call::readlink);
  root.write("elsewhere", "again");
  root.write("another");
  take(watcher->flush());
  EXPECT_EQ(faults->calls(system_call::readlink), before);
  root.mkdir("nowhere");
  EXPECT_EQ(until_followed(), "");
  EXPECT_GT(faults->calls(system_call::readlink), before);
}

TEST_F(followed_inotify, WhatIsGoneLeavesNoWatch) {
  root.mkdir("kept");
  watch_tree(following);
  const std::uint64_t bytes = watcher->stats().bytes;
  for (int i = 0; i < 100; ++i) {
    const std::string name = "link" + std::to_string(i % 3);
    out.mkdir_p("d/e");
    root.symlink("../out/d", name);
    take(watcher->flush());
    root.rm(name);
    out.rm_rf("d");
    take(watcher->flush());
  }
  EXPECT_EQ(watcher->stats().directories, 2u);
  EXPECT_LT(watcher->stats().bytes, bytes + 4096);
}

}  // namespace
}  // namespace hotwatch::test
