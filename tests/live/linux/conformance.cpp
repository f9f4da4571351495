// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What of the contract only POSIX can try: signals, symlinks, permissions, limits of descriptors, epoll.

#include "support/conformance.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

namespace hotwatch::test {
namespace {

template <class Watcher>
class posix_conformance : public conformance<Watcher> {};
TYPED_TEST_SUITE(posix_conformance, backends, backend_names);

// The handler can only reach what is global.
std::atomic<void (*)()> on_signal;
template <class Watcher>
Watcher* to_stop = nullptr;

TYPED_TEST(posix_conformance, StopFromASignalHandler) {
  this->open();
  to_stop<TypeParam> = this->watcher_.get();
  on_signal = +[] { to_stop<TypeParam>->stop(); };
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

TYPED_TEST(posix_conformance, ASignalDoesNotEndTheWait) {
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

TYPED_TEST(posix_conformance, HandleInsideAnEpollLoopWithTheDebounceDeadline) {
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
    if (!hears_others<TypeParam>) {
      EXPECT_LE(turns, (this->polls ? 30 : 12));
    }
  }
  EXPECT_EQ(this->watcher().native_handle(), handle);
  ::close(epoll);
}

TYPED_TEST(posix_conformance, DirectoriesAreNeverModifiedAndReadsAreSilent) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  raw::read(this->root.at("d/f"));
  EXPECT_EQ(this->root.list().size(), 2u);
  ::utimensat(AT_FDCWD, this->root.at("d").c_str(), nullptr, 0);
  this->root.chmod("d", 0711);
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(posix_conformance, SymlinksAreThemselves) {
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

TYPED_TEST(posix_conformance, AnOpenWriterIsHeldBackUntilItCloses) {
  if (this->polls) GTEST_SKIP() << "polling cannot know who holds a file open";
  this->open({.debounce = {.quiet = 20ms, .max_wait = 1h}});
  const int fd = ::open(this->root.at("f").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  ASSERT_TRUE(raw::write_all(fd, "half"));
  EXPECT_TRUE(this->watcher().wait_for(100ms).empty());
  ::close(fd);
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created f"});
}

TYPED_TEST(posix_conformance, BadInputNotPermitted) {
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

TYPED_TEST(posix_conformance, BadInputNeitherFileNorDirectory) {
  ASSERT_EQ(::mkfifo(this->root.at("fifo").c_str(), 0600), 0);
  this->open();
  std::error_code ec;
  this->watcher().add(this->root.at("fifo"), root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::not_a_file_or_directory));
  this->watcher().add("/dev/null", root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::not_a_file_or_directory));
}

TYPED_TEST(posix_conformance, BadInputDescriptorLimitOfThree) {
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

TYPED_TEST(posix_conformance, BadInputDescriptorLimitReachedAtAddLeavesTheOthers) {
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

}  // namespace
}  // namespace hotwatch::test
