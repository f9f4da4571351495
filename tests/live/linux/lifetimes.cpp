// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Many watchers: one after the other, of which nothing is left, and hundreds at once, up to the limit of instances.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

std::size_t entries_of(const char* directory) { return list(directory, directory, false).size(); }

/// What a process holds.
struct holdings {
  std::size_t descriptors = entries_of("/proc/self/fd");
  std::size_t threads = entries_of("/proc/self/task");
};

/// Bytes that malloc(3) gave out in all its arenas; what it keeps for each thread counts as given.
std::size_t bytes_given() {
  const struct mallinfo2 m = ::mallinfo2();
  return m.uordblks + m.hblkhd;
}

/// On several threads, as the kernel takes milliseconds to let go of an inotify instance.
template <class Cycle>
void in_parallel(int cycles, Cycle cycle) {
  std::vector<std::thread> threads(25);
  for (std::thread& t : threads)
    t = std::thread([&] {
      for (std::size_t i = 0; i < static_cast<std::size_t>(cycles) / threads.size(); ++i) cycle();
    });
  for (std::thread& t : threads) t.join();
}

template <class Watcher>
class lifetimes : public testing::Test {
 protected:
  lifetimes() {
    root.mkdir_p("d/e");
    root.write("d/f");
  }

  void use_a_watcher() {
    Watcher watcher;
    watcher.add(root.path());
    (void)watcher.native_handle();
    std::error_code ec;
    watcher.add(root.at("missing"), {}, ec);
    (void)watcher.flush();
  }
  void use_a_subscription() {
    const basic_subscription<Watcher> subscription(root.path(), mailbox());
    (void)subscription.stats();
  }

  temp_directory directory;
  const place& root = directory.root();
};
using backends = testing::Types<hotwatch::watcher, polling_watcher>;
TYPED_TEST_SUITE(lifetimes, backends);

TYPED_TEST(lifetimes, ten_thousand_leave_nothing_behind) {
  const auto cycle = [&] {
    this->use_a_watcher();
    this->use_a_subscription();
  };
  in_parallel(500, cycle);  // what is made once
  const holdings before;
  const std::size_t bytes = bytes_given();
  in_parallel(5'000, cycle);
  // A thread that was joined may still be listed for a moment.
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (holdings().threads > before.threads && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  const holdings after;
  EXPECT_EQ(after.descriptors, before.descriptors);
  EXPECT_LE(after.threads, before.threads);
  // 20 bytes a cycle would show; what malloc keeps for its threads differs from time to time.
  EXPECT_LT(bytes_given(), bytes + 100'000);
}

/// How many at once: of instances there are 128 for a user, whose other programs run as well.
template <class Watcher>
constexpr std::size_t many = std::is_same_v<Watcher, polling_watcher> ? 500 : 40;

TYPED_TEST(lifetimes, many_watchers_at_once_are_told_alike) {
  std::vector<std::unique_ptr<TypeParam>> all;
  for (std::size_t i = 0; i < many<TypeParam>; ++i) {
    all.push_back(std::make_unique<TypeParam>());
    all.back()->add(this->root.path());
  }
  this->root.write("d/e/new");
  for (const auto& watcher : all) EXPECT_EQ(sorted(watcher->flush()), lines{"created d/e/new"});
}

TYPED_TEST(lifetimes, many_subscriptions_at_once_are_told_alike) {
  std::atomic<std::size_t> told = 0;
  std::vector<basic_subscription<TypeParam>> all;
  for (std::size_t i = 0; i < many<TypeParam> / 4; ++i)
    all.emplace_back(this->root.path(), [&](const change& c) {
      if (c.relative() == "d/e/new") ++told;
    });
  this->root.write("d/e/new");
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (told < all.size() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_EQ(told, all.size());
}

/// Lets this process, which was forked, have so many inotify instances; false where the kernel does not allow that.
bool limit_instances(int limit) {
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  return raw::write("/proc/sys/user/max_inotify_instances", std::to_string(limit));
}

TEST(Instances, BeyondTheLimitAnErrorSaysSoAndTheOthersGoOn) {
  using watcher_type = basic_watcher<inotify_backend>;  // with nothing behind it
  constexpr int skipped = 77;
  constexpr std::size_t limit = 10;
  const temp_directory directory;
  const place& root = directory.root();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    if (!limit_instances(limit)) ::_exit(skipped);
    std::vector<std::unique_ptr<watcher_type>> all;
    bool is_clear = false;
    try {
      for (int i = 0; i < 500; ++i) {
        all.push_back(std::make_unique<watcher_type>());
        all.back()->add(root.path());
      }
    } catch (const std::system_error& e) {
      const std::string_view what = e.what();
      is_clear = e.code() == std::errc::too_many_files_open && what.find("instances") != what.npos &&
                 what.find("sysctl fs.inotify.max_user_instances") != what.npos;
    }
    if (!is_clear || all.size() != limit) ::_exit(1);
    root.write("f");
    for (const auto& watcher : all)
      if (sorted(watcher->flush()) != lines{"created f"}) ::_exit(2);
    all.pop_back();  // one less, and there is room again
    all.push_back(std::make_unique<watcher_type>());
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == skipped)
    GTEST_SKIP() << "no user namespace with its own limit of inotify instances can be made here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace hotwatch::test
