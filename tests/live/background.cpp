// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The one thread of hotwatch: watch(path, callback), and the mailbox.

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

/// What a callback told, for another thread to wait for.
class told_lines {
 public:
  void add(std::string text) {
    const std::lock_guard lock(mutex_);
    all_.push_back(std::move(text));
    changed_.notify_all();
  }
  [[nodiscard]] bool await(const std::string& text) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, deadline, [&] { return std::find(all_.begin(), all_.end(), text) != all_.end(); });
  }
  [[nodiscard]] lines all() {
    const std::lock_guard lock(mutex_);
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  lines all_;
};

/// The subscription, from inside its own callback, which may run before watch() has returned it.
subscription* await_self(const std::atomic<subscription*>& self) {
  subscription* me = nullptr;
  while ((me = self.load()) == nullptr) std::this_thread::yield();
  return me;
}

class Subscription : public testing::Test {
 protected:
  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  told_lines told;
};

TEST_F(Subscription, TellsABatch) {
  auto sub = hotwatch::watch(root.path(), [&](const batch& b) {
    for (const change& c : b) told.add(line(c));
  });
  root.write("f");
  EXPECT_TRUE(told.await("created f"));
}

TEST_F(Subscription, TellsAChange) {
  auto sub = hotwatch::watch(root.path(), [&](const change& c) { told.add(line(c)); });
  root.write("f");
  EXPECT_TRUE(told.await("created f"));
}

TEST_F(Subscription, OfAPolledTree) {
  const basic_subscription<polling_watcher> sub(root.path(), [&](const change& c) { told.add(line(c)); },
                                                {.poll_interval = 5ms});
  root.write("f");
  EXPECT_TRUE(told.await("created f"));
}

TEST_F(Subscription, IsReadyWhenWatchReturns) {
  for (int i = 0; i < 50; ++i) {
    const std::string name = "f" + std::to_string(i);
    auto sub = hotwatch::watch(root.path(), [&](const change& c) { told.add(line(c)); }, {.debounce = immediate});
    root.write(name);
    ASSERT_TRUE(told.await("created " + name));
  }
}

TEST_F(Subscription, TakesOptions) {
  root.mkdir("d");
  auto sub = hotwatch::watch(root.path(), [&](const change& c) { told.add(line(c)); }, {.include = {"*.cpp"}},
                             {.recursive = false});
  root.write("d/deep.cpp");
  root.write("f.txt");
  root.write("f.cpp");
  EXPECT_TRUE(told.await("created f.cpp"));
  EXPECT_EQ(told.all(), lines{"created f.cpp"});
}

TEST_F(Subscription, RefusesWhatIsNotThere) {
  const std::string missing = root.at("missing");
  try {
    auto sub = hotwatch::watch(missing, [](const change&) {});
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_TRUE(e.code() == std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string_view(e.what()).find(missing), std::string_view::npos);
  }
}

TEST_F(Subscription, AddAndRemoveFromAnotherThread) {
  auto sub = hotwatch::watch(root.path(), [&](const change& c) { told.add(std::string(c.path)); });
  sub.add(out.path());
  out.write("f");
  EXPECT_TRUE(told.await(out.at("f")));
  sub.remove(out.path());
  out.write("silent");
  root.write("last");
  EXPECT_TRUE(told.await(root.at("last")));
  EXPECT_EQ(told.all().size(), 2u);
  EXPECT_THROW(sub.add(root.at("missing")), std::system_error);
  EXPECT_THROW(sub.remove(out.path()), std::system_error);
}

TEST_F(Subscription, AddAndRemoveFromInsideTheCallback) {
  root.mkdir("d");
  std::atomic<subscription*> self = nullptr;
  auto sub = hotwatch::watch(root.at("d"), [&](const change& c) {
    subscription* const me = await_self(self);
    if (c.relative() == "add") me->add(out.path());
    if (c.relative() == "remove") me->remove(out.path());
    told.add(line(c));
  });
  self = &sub;
  root.write("d/add");
  ASSERT_TRUE(told.await("created add"));
  out.write("seen");
  ASSERT_TRUE(told.await("created seen"));
  root.write("d/remove");
  ASSERT_TRUE(told.await("created remove"));
  out.write("silent");
  root.write("d/last");
  ASSERT_TRUE(told.await("created last"));
  EXPECT_EQ(told.all().size(), 4u);
}

TEST_F(Subscription, StopFromInsideTheCallback) {
  std::atomic<subscription*> self = nullptr;
  std::atomic<int> calls = 0;
  auto sub = hotwatch::watch(root.path(), [&](const batch&) {
    subscription* const me = await_self(self);
    ++calls;
    me->stop();
  });
  self = &sub;
  root.write("f");
  sub.wait();
  EXPECT_EQ(calls, 1);
  root.write("g");
  sub.wait();
  EXPECT_EQ(calls, 1);
}

TEST_F(Subscription, NoCallbackRunsAfterStop) {
  for (int i = 0; i < 50; ++i) {
    std::atomic<bool> stopped = false, late = false;
    auto sub = hotwatch::watch(root.path(),
                               [&](const batch&) {
                                 if (stopped) late = true;
                               },
                               {.debounce = immediate});
    root.write("f" + std::to_string(i));
    sub.stop();
    stopped = true;
    root.write("g" + std::to_string(i));
    sub.wait();
    ASSERT_FALSE(late);
  }
}

TEST_F(Subscription, StopFromThreeThreads) {
  for (int i = 0; i < 30; ++i) {
    auto sub = hotwatch::watch(root.path(), [](const batch&) {});
    std::thread threads[3];
    for (std::thread& t : threads) t = std::thread([&] { sub.stop(); });
    root.write("f" + std::to_string(i));
    sub.wait();
    for (std::thread& t : threads) t.join();
  }
}

TEST_F(Subscription, StopInsideTheCallbackAndFromThreeThreadsAtOnce) {
  for (int i = 0; i < 30; ++i) {
    std::atomic<subscription*> self = nullptr;
    std::atomic<bool> is_called = false;
    std::atomic<int> calls = 0;
    auto sub = hotwatch::watch(root.path(), [&](const change&) {
      ++calls;
      subscription* const me = await_self(self);
      is_called = true;
      is_called.notify_all();
      me->stop();
    });
    self = &sub;
    root.write("f" + std::to_string(i));
    root.write("g" + std::to_string(i));
    is_called.wait(false);
    std::thread threads[3];
    for (std::thread& t : threads) t = std::thread([&] { sub.stop(); });
    for (std::thread& t : threads) t.join();
    sub.wait();
    EXPECT_EQ(calls, 1);
  }
}

TEST_F(Subscription, WaitInsideTheCallbackIsAnError) {
  std::atomic<subscription*> self = nullptr;
  auto sub = hotwatch::watch(root.path(), [&](const change&) {
    subscription* const me = await_self(self);
    me->wait();
  });
  self = &sub;
  root.write("f");
  try {
    sub.wait();
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::resource_deadlock_would_occur);
    EXPECT_NE(std::string_view(e.what()).find("wait() from the callback"), std::string_view::npos) << e.what();
  }
}

TEST_F(Subscription, WaitFromTwoThreads) {
  auto sub = hotwatch::watch(root.path(), [](const batch&) {});
  std::thread one([&] { sub.wait(); });
  std::thread two([&] { sub.wait(); });
  sub.stop();
  one.join();
  two.join();
}

TEST_F(Subscription, ExceptionIsRethrownByWait) {
  auto sub = hotwatch::watch(root.path(), [](const change&) { throw std::runtime_error("from the callback"); });
  root.write("f");
  try {
    sub.wait();
    FAIL();
  } catch (const std::runtime_error& e) {
    EXPECT_STREQ(e.what(), "from the callback");
  }
  sub.stop();
}

TEST_F(Subscription, ExceptionThatNobodyWaitsForIsHarmless) {
  std::atomic<bool> thrown = false;
  {
    auto sub = hotwatch::watch(root.path(), [&](const change&) {
      thrown = true;
      thrown.notify_all();
      throw std::runtime_error("unheard");
    });
    root.write("f");
    thrown.wait(false);
  }
  SUCCEED();
}

TEST_F(Subscription, DestroyedInItsOwnCallback) {
  struct holder {
    std::optional<subscription> sub;
    std::mutex mutex;
    std::condition_variable gone;
    bool destroyed = false;
  };
  const auto kept = std::make_shared<holder>();
  {
    const std::lock_guard lock(kept->mutex);  // the callback waits until the subscription stands
    kept->sub.emplace(hotwatch::watch(root.path(), [kept](const batch&) {
      const std::lock_guard inner(kept->mutex);
      kept->sub.reset();
      kept->destroyed = true;
      kept->gone.notify_all();
    }));
  }
  root.write("f");
  std::unique_lock lock(kept->mutex);
  EXPECT_TRUE(kept->gone.wait_for(lock, deadline, [&] { return kept->destroyed; }));
}

TEST_F(Subscription, TheCallThatEndsItIsTheLast) {
  std::optional<subscription> sub;
  std::mutex mutex;
  std::condition_variable called;
  int calls = 0;
  {
    const std::lock_guard lock(mutex);  // the callback waits until the subscription stands
    sub.emplace(hotwatch::watch(root.path(), [&](const change&) {
      const std::lock_guard inner(mutex);
      if (++calls == 1) sub->stop();
      called.notify_all();
    }));
    for (const char* name : {"a", "b", "c"}) root.write(name);
  }
  std::unique_lock lock(mutex);
  EXPECT_TRUE(called.wait_for(lock, deadline, [&] { return calls != 0; }));
  lock.unlock();
  sub.reset();
  EXPECT_EQ(calls, 1);
}

TEST_F(Subscription, AnEmptyOneHasEnded) {
  subscription empty;
  empty.stop();
  empty.wait();
  EXPECT_THROW(empty.add(root.path()), std::system_error);
  EXPECT_THROW(empty.remove(root.path()), std::system_error);
  EXPECT_THROW((void)empty.stats(), std::system_error);
}

TEST_F(Subscription, IsMovable) {
  auto first = hotwatch::watch(root.path(), [&](const change& c) { told.add(line(c)); });
  subscription second = std::move(first);
  root.write("f");
  EXPECT_TRUE(told.await("created f"));
  second = hotwatch::watch(out.path(), [&](const change& c) { told.add(line(c)); });
  root.write("silent");
  out.write("g");
  EXPECT_TRUE(told.await("created g"));
  EXPECT_EQ(told.all(), (lines{"created f", "created g"}));
}

TEST_F(Subscription, DestructorStopsWithoutWaitingForAChange) {
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    {
      auto sub = hotwatch::watch(root.path(), [](const batch&) {});
    }
    EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  }
}

TEST_F(Subscription, NoticesReachABatchCallback) {
  if (const char* why = raw::gap::root_removal(); why != nullptr) GTEST_SKIP() << why;
  const std::string path = root.path();
  auto sub = hotwatch::watch(path, [&](const batch& b) {
    for (const notice& n : b.notices()) told.add(std::string(to_string(n.kind)));
  });
  directory.base().rm_rf("root");
  EXPECT_TRUE(told.await("root_lost"));
  directory.base().mkdir("root");
  EXPECT_TRUE(told.await("root_restored"));
}

// ---- the mailbox

lines drain_until(mailbox& box, const std::string& last) {
  lines all;
  auto end = std::chrono::steady_clock::now() + deadline;  // of the next change
  while (std::find(all.begin(), all.end(), last) == all.end() && std::chrono::steady_clock::now() < end) {
    // As a game's main loop does, a frame at a time.
    if (box.drain([&](const change& c) { all.push_back(line(c)); }) != 0)
      end = std::chrono::steady_clock::now() + deadline;
    std::this_thread::yield();
  }
  return all;
}

TEST_F(Subscription, MailboxHandsOverToTheMainLoop) {
  mailbox box;
  auto sub = hotwatch::watch(root.path(), box);
  EXPECT_EQ(box.drain([](const change&) {}), 0u);
  for (int i = 0; i < 20; ++i) root.write("f" + std::to_string(i));
  lines all = drain_until(box, "created f19");
  ASSERT_EQ(all.size(), 20u);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(std::count(all.begin(), all.end(), "created f" + std::to_string(i)), 1);
  EXPECT_EQ(box.drain([](const change&) {}), 0u);
}

TEST_F(Subscription, MailboxOutlivesTheSubscription) {
  mailbox box;
  {
    auto sub = hotwatch::watch(root.path(), box);
    root.write("f");
    EXPECT_EQ(drain_until(box, "created f"), lines{"created f"});
  }
  EXPECT_EQ(box.drain([](const change&) {}), 0u);
}

TEST_F(Subscription, OneMailboxForTwoSubscriptions) {
  mailbox box;
  auto one = hotwatch::watch(root.path(), box);
  auto two = hotwatch::watch(out.path(), box);
  root.write("a");
  EXPECT_EQ(drain_until(box, "created a"), lines{"created a"});
  out.write("b");
  EXPECT_EQ(drain_until(box, "created b"), lines{"created b"});
}

TEST_F(Subscription, MailboxHandsOverNoticesToThoseWhoTakeThem) {
  if (const char* why = raw::gap::root_removal(); why != nullptr) GTEST_SKIP() << why;
  mailbox box;
  auto sub = hotwatch::watch(root.path(), box);
  EXPECT_TRUE(box.empty());
  struct visitor {
    lines& told;
    void operator()(const change& c) const { told.push_back(line(c)); }
    void operator()(const notice& n) const {
      told.push_back(std::string(to_string(n.kind)) + ' ' + std::string(n.path));
    }
  };
  directory.base().rm_rf("root");
  lines told_here;
  for (const auto end = std::chrono::steady_clock::now() + deadline;
       told_here.empty() && std::chrono::steady_clock::now() < end; std::this_thread::yield())
    if (!box.empty()) box.drain(visitor{told_here});
  EXPECT_EQ(told_here, lines{"root_lost " + root.path()});
  EXPECT_TRUE(box.empty());
}

TEST_F(Subscription, MailboxMayBeFedWhileItIsDrained) {
  mailbox box;
  auto sub = hotwatch::watch(root.path(), box, {.debounce = immediate});
  std::thread writer([&] {
    for (int i = 0; i < 500; ++i) root.mkdir("d" + std::to_string(i));
  });
  const lines all = drain_until(box, "created d499");
  writer.join();
  EXPECT_EQ(all.size(), 500u);
}

}  // namespace
}  // namespace hotwatch::test
