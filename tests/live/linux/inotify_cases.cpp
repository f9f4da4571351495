// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every hazard of inotify that is known, a test each, named after it.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <thread>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

class hazard : public testing::Test {
 protected:
  /// Watches the root, with a model that is told everything from here on.
  void open(options o = {}) {
    watcher_ = std::make_unique<hotwatch::watcher>(std::move(o));
    id = watcher_->add(root.path());
    told = model({root.path()});
    told.start_from(known(*watcher_));
  }
  hotwatch::watcher& watcher() { return *watcher_; }
  /// Flushes; the changes as sorted lines, each fact checked against the model.
  lines flush() {
    const batch& b = watcher_->flush();
    EXPECT_EQ(told.apply(b), "");
    return sorted(b);
  }
  /// Takes what comes while another thread is at work.
  void take_until(const std::atomic<bool>& done) {
    std::string error;
    while (!done && error.empty()) error = told.apply(watcher_->wait_for(1ms));
    EXPECT_EQ(error, "");
  }
  void expect_exact() { EXPECT_EQ(told.difference(root.list()), ""); }
  void store_through_a_mapping(std::string_view name) const {
    const int fd = ::open(root.at(name).c_str(), O_RDWR | O_CLOEXEC);
    void* const memory = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ASSERT_NE(memory, MAP_FAILED);
    static_cast<char*>(memory)[0] = 'b';
    ::msync(memory, 4096, MS_SYNC);
    ::munmap(memory, 4096);
    ::close(fd);
  }
  bool run(const std::string& command) {
    return std::system(("cd '" + root.path() + "' && { " + command + "; } >/dev/null 2>&1").c_str()) == 0;
  }

  temp_directory directory;
  const place& base = directory.base();
  const place& root = directory.root();
  const place& out = directory.out();
  std::unique_ptr<hotwatch::watcher> watcher_;
  root_id id{};
  model told{{}};
};

int in_child(const auto& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

using NewDirectories = hazard;
using Rename = hazard;
using Moves = hazard;
using Overflow = hazard;
using Limits = hazard;
using Unreadable = hazard;
using Root = hazard;
using Unmount = hazard;
using SelfRecords = hazard;
using Debounce = hazard;
using Signals = hazard;
using Watches = hazard;
using Names = hazard;
using Paths = hazard;
using Overlap = hazard;
using Writers = hazard;
using TypeChanges = hazard;

// ---- new directories are not watched yet while they are being filled

TEST_F(NewDirectories, MkdirPAndAFileAtOnce) {
  open();
  root.mkdir_p("a/b/c");
  root.write("a/b/c/f");
  EXPECT_EQ(flush(), (lines{"created a", "created a/b", "created a/b/c", "created a/b/c/f"}));
  root.write("a/b/c/g");
  EXPECT_EQ(flush(), lines{"created a/b/c/g"});
}

TEST_F(NewDirectories, FilledAtOnceThreeThousandTimes) {
  open();
  std::atomic<bool> done = false;
  std::thread maker([&] {
    for (int i = 0; i < 3000; ++i) {
      const std::string d = "d" + std::to_string(i);
      root.mkdir_p(d + "/b/c");
      root.write(d + "/b/c/f");
    }
    done = true;
  });
  take_until(done);
  maker.join();
  flush();
  expect_exact();
  EXPECT_EQ(told.entries().size(), 12'000u);
}

TEST_F(NewDirectories, GoneBeforeTheyCouldBeWatched) {
  open({.debounce = immediate});
  std::atomic<bool> done = false;
  std::thread maker([&] {
    for (int i = 0; i < 500; ++i) {
      root.mkdir_p("a/b");
      root.write("a/b/f");
      root.rm_rf("a");
    }
    done = true;
  });
  take_until(done);
  maker.join();
  flush();
  expect_exact();
}

TEST_F(NewDirectories, MovedAwayWhileTheyAreWalked) {
  open({.debounce = immediate});
  std::atomic<bool> done = false;
  std::thread mover([&] {
    for (int i = 0; i < 300; ++i) {
      root.mkdir_p("a/b/c");
      root.write("a/b/c/f");
      root.rename("a", "z");
      root.write("z/b/g");
      root.rm_rf("z");
    }
    root.mkdir_p("a/b/c");
    root.rename("a", "z");
    root.write("z/b/c/last");
    done = true;
  });
  take_until(done);
  mover.join();
  flush();
  expect_exact();
  root.write("z/b/c/after");
  EXPECT_EQ(flush(), lines{"created z/b/c/after"});
}

// ---- rename pairs

TEST_F(Rename, NotAdjacentInTheQueue) {
  for (int i = 0; i < 200; ++i) root.write("f" + std::to_string(i));
  root.mkdir("d");
  open();
  // Two renamers and a writer make interleaved pairs.
  std::thread one([&] {
    for (int i = 0; i < 100; ++i) root.rename("f" + std::to_string(i), "d/f" + std::to_string(i));
  });
  std::thread two([&] {
    for (int i = 100; i < 200; ++i) root.rename("f" + std::to_string(i), "g" + std::to_string(i));
  });
  std::thread noise([&] {
    for (int i = 0; i < 500; ++i) root.write("noise", std::to_string(i));
  });
  one.join();
  two.join();
  noise.join();
  const batch& b = watcher().flush();
  ASSERT_EQ(told.apply(b), "");
  EXPECT_EQ(b.size(), 201u) << "every pair is one change";
  expect_exact();
}

TEST_F(Rename, ReadWhileThePairsAreMade) {
  root.mkdir("d");
  root.write("f0");
  open({.debounce = immediate});
  std::atomic<bool> done = false;
  std::thread renamer([&] {
    for (int i = 0; i < 3000; ++i) root.rename("f" + std::to_string(i), "f" + std::to_string(i + 1));
    done = true;
  });
  std::size_t removed = 0;
  const auto take = [&](const batch& b) {
    EXPECT_EQ(told.apply(b), "");
    for (const change& c : b) removed += c.kind == change_kind::removed;
  };
  while (!done) take(watcher().wait_for(1ms));
  renamer.join();
  take(watcher().flush());
  expect_exact();
  EXPECT_EQ(removed, 0u) << "no half of a pair was told alone";
}

TEST_F(Rename, OverAnExistingFile) {
  root.write("a", "1");
  root.write("b", "22");
  open();
  root.rename("a", "b");
  EXPECT_EQ(flush(), lines{"renamed a -> b"});
  expect_exact();
  root.rm("b");
  EXPECT_EQ(flush(), lines{"removed b"});
}

TEST_F(Rename, OverAnEmptyDirectory) {
  root.mkdir("a");
  root.write("a/f");
  root.mkdir("b");
  open();
  root.rename("a", "b");
  EXPECT_EQ(flush(), lines{"renamed a -> b"});
  root.write("b/g");
  EXPECT_EQ(flush(), lines{"created b/g"});
  expect_exact();
}

TEST_F(Rename, ExchangeOfTwoFiles) {
  root.write("a", "1");
  root.write("b", "22");
  open();
  root.exchange("a", "b");
  EXPECT_EQ(flush(), (lines{"modified a", "modified b"}));
}

TEST_F(Rename, ExchangeOfTwoDirectories) {
  root.mkdir("a");
  root.mkdir("b");
  root.write("a/in-a");
  root.write("b/in-b");
  open();
  root.exchange("a", "b");
  flush();
  expect_exact();
  root.write("a/new");
  root.write("b/new");
  EXPECT_EQ(flush(), (lines{"created a/new", "created b/new"}));
}

TEST_F(Rename, ExchangeOfAFileAndADirectory) {
  root.mkdir_p("d/e");
  root.write("d/e/f");
  root.write("x");
  open();
  root.exchange("d", "x");
  flush();
  expect_exact();
  root.write("x/e/new");
  EXPECT_EQ(flush(), lines{"created x/e/new"});
}

TEST_F(Rename, ExchangeWithTheOutside) {
  root.mkdir("d");
  root.write("d/inside");
  out.mkdir("d");
  out.write("d/outside");
  root.write("f", "1");
  out.write("f", "22");
  open();
  root.exchange("d", out.at("d"));
  root.exchange("f", out.at("f"));
  flush();
  expect_exact();
  out.write("d/silent");
  root.write("d/told");
  EXPECT_EQ(flush(), lines{"created d/told"});
}

TEST_F(Rename, BetweenHardLinksOfOneFileIsNothing) {
  root.write("a");
  root.link("a", "b");
  open();
  root.rename("a", "b");  // POSIX: both names stay
  EXPECT_TRUE(flush().empty());
  expect_exact();
}

TEST_F(Rename, OntoAHardLinkOfTheTarget) {
  root.write("a");
  open();
  root.link("a", "b");
  EXPECT_EQ(flush(), lines{"created b"});
  root.rename("b", "c");
  root.rm("a");
  flush();
  expect_exact();
}

TEST_F(Rename, WrittenAfterwards) {
  root.write("a", "1");
  open();
  root.rename("a", "b");
  root.append("b");
  const batch& b = watcher().flush();
  ASSERT_EQ(b.size(), 1u) << model::text(b);
  EXPECT_EQ(b[0].kind, change_kind::renamed);
  EXPECT_TRUE(b[0].modified);
  EXPECT_EQ(b[0].relative(), "b");
}

// ---- moves of directories

TEST_F(Moves, InAndOutOfFilesAndFullDirectories) {
  out.mkdir_p("d/e/f");
  out.write("d/e/f/g");
  out.write("file");
  open();
  root.rename(out.at("d"), "d");
  root.rename(out.at("file"), "file");
  EXPECT_EQ(flush(), (lines{"created d", "created d/e", "created d/e/f", "created d/e/f/g", "created file"}));
  root.write("d/e/f/h");
  EXPECT_EQ(flush(), lines{"created d/e/f/h"});
  root.rename("d", out.at("d"));
  root.rename("file", out.at("file"));
  EXPECT_EQ(flush().size(), 6u);
  expect_exact();
}

TEST_F(Moves, DirectoryInsideTheTreeAndWrittenToUnderItsNewName) {
  root.mkdir_p("a/b/c");
  root.write("a/b/c/f");
  root.mkdir("z");
  open();
  root.rename("a", "z/y");
  root.append("z/y/b/c/f");
  root.write("z/y/b/c/new");
  EXPECT_EQ(flush(), (lines{"created z/y/b/c/new", "modified z/y/b/c/f", "renamed a -> z/y"}));
  root.write("z/y/b/later");
  EXPECT_EQ(flush(), lines{"created z/y/b/later"});
  expect_exact();
}

TEST_F(Moves, AnotherDirectoryTakesTheOldName) {
  root.mkdir_p("a/sub");
  open();
  root.rename("a", "b");
  root.mkdir_p("a/sub");
  root.write("a/sub/new");
  root.write("b/sub/old");
  flush();
  expect_exact();
  root.write("a/sub/1");
  root.write("b/sub/2");
  EXPECT_EQ(flush(), (lines{"created a/sub/1", "created b/sub/2"}));
}

TEST_F(Moves, AWatchThatLeftIsSilent) {
  root.mkdir_p("d/e");
  open();
  root.rename("d", out.at("d"));
  EXPECT_EQ(flush(), (lines{"removed d", "removed d/e"}));
  out.write("d/f");
  out.write("d/e/f");
  EXPECT_TRUE(flush().empty());
  expect_exact();
}

TEST_F(Moves, AWatchThatLeftAndWroteBeforeItWasRead) {
  root.mkdir_p("d/e");
  open();
  root.rename("d", out.at("d"));
  out.write("d/f");
  out.mkdir("d/new");
  out.write("d/e/f");
  EXPECT_EQ(flush(), (lines{"removed d", "removed d/e"}));
  expect_exact();
}

TEST_F(Moves, OutAndBackUnderAnotherName) {
  root.mkdir_p("d/e");
  root.write("d/e/f");
  open();
  root.rename("d", out.at("d"));
  out.write("d/e/while-away");
  root.rename(out.at("d"), "back");
  flush();
  expect_exact();
  root.write("back/e/after");
  EXPECT_EQ(flush(), lines{"created back/e/after"});
}

TEST_F(Moves, OutToldAndBack) {
  root.mkdir_p("d/e");
  open();
  root.rename("d", out.at("d"));
  flush();
  root.rename(out.at("d"), "d");
  EXPECT_EQ(flush(), (lines{"created d", "created d/e"}));
  root.write("d/e/f");
  EXPECT_EQ(flush(), lines{"created d/e/f"});
}

TEST_F(Moves, RemovedRightAfterTheMove) {
  root.mkdir_p("a/b");
  root.write("a/b/f");
  open();
  root.rename("a", "z");
  root.rm_rf("z");
  EXPECT_EQ(flush(), (lines{"removed a", "removed a/b", "removed a/b/f"}));
  expect_exact();
}

TEST_F(Moves, ParentAndChildSwapPlaces) {
  root.mkdir_p("a/b");
  root.write("a/f");
  root.write("a/b/g");
  open();
  root.rename("a/b", "b");
  root.rename("a", "b/a");
  flush();
  expect_exact();
  root.write("b/a/new");
  EXPECT_EQ(flush(), lines{"created b/a/new"});
}

TEST_F(Moves, FilesOutOfARemovedDirectory) {
  root.mkdir("d");
  root.write("d/f");
  open();
  root.rename("d/f", "f");
  root.rmdir("d");
  EXPECT_EQ(flush(), (lines{"removed d", "renamed d/f -> f"}));
}

// ---- overflow

std::size_t max_queued_events() {
  std::size_t n = 16384;
  std::ifstream("/proc/sys/fs/inotify/max_queued_events") >> n;
  return n;
}

TEST_F(Overflow, HeldUpConsumerAnd100000Files) {
  if (max_queued_events() >= 200'000) GTEST_SKIP() << "the queue of this machine holds all of it";
  for (int d = 0; d < 100; ++d) root.mkdir("d" + std::to_string(d));
  open();
  for (int i = 0; i < 100'000; ++i) root.write("d" + std::to_string(i % 100) + "/f" + std::to_string(i), "");
  const batch& b = watcher().flush();
  EXPECT_TRUE(has_notice(b, notice_kind::overflow));
  for (const notice& n : b.notices()) EXPECT_EQ(n.path, root.path());
  ASSERT_EQ(told.apply(b), "");
  EXPECT_EQ(b.size(), 100'000u);
  expect_exact();
  EXPECT_GE(watcher().stats().overflows, 1u);
  root.write("d5/after");
  EXPECT_EQ(flush(), lines{"created d5/after"});
}

TEST_F(Overflow, LosesRenamesRemovalsWritesAndNewDirectories) {
  const std::size_t limit = max_queued_events();
  if (limit > 100'000) GTEST_SKIP() << "the queue of this machine is too long to be filled";
  root.mkdir_p("moved/deep");
  root.write("moved/deep/f", "1");
  root.mkdir("gone");
  root.write("gone/f");
  root.write("written", "1");
  root.write("same", "1");
  outlive_the_tick();
  open();
  // Two names by turns: records are only merged with the newest one.
  for (std::size_t i = 0; i < limit; ++i) root.append(i % 2 != 0 ? "noise" : "other-noise", "");
  root.rename("moved", "there");
  root.write("there/deep/f", "longer");
  root.rm_rf("gone");
  root.write("written", "longer");
  root.mkdir_p("new/deep");
  root.write("new/deep/f");
  const batch& b = watcher().flush();
  EXPECT_TRUE(has_notice(b, notice_kind::overflow));
  ASSERT_EQ(told.apply(b), "");
  expect_exact();
  const lines all = in_order(b);
  const auto has = [&](const char* text) { return std::find(all.begin(), all.end(), text) != all.end(); };
  EXPECT_TRUE(has("modified written")) << model::text(b);
  EXPECT_FALSE(has("modified same")) << model::text(b);
  // The watches stand where the directories are now.
  root.write("there/deep/g");
  root.write("new/deep/g");
  EXPECT_EQ(flush(), (lines{"created new/deep/g", "created there/deep/g"}));
}

TEST_F(Overflow, AgainAndAgain) {
  const std::size_t limit = max_queued_events();
  if (limit > 20'000) GTEST_SKIP() << "the queue of this machine is too long to be filled three times";
  open();
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < limit / 2 + 10; ++i)
      root.write("f" + std::to_string(round) + '-' + std::to_string(i), "");
    flush();
    expect_exact();
  }
}

// ---- limits

/// Lets this (forked) process watch at most `limit` directories; false where the kernel does not allow that.
bool limit_watches(int limit) {
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  const int fd = ::open("/proc/sys/user/max_inotify_watches", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool ok = raw::write_all(fd, std::to_string(limit));
  return ::close(fd) == 0 && ok;
}

constexpr int skipped = 77;
const char* const why_no_limit = "no user namespace with its own limit of inotify watches can be made here";

TEST_F(Limits, WatchLimitReachedAtAddIsPolled) {
  for (int i = 0; i < 20; ++i) root.mkdir("d" + std::to_string(i));
  const int code = in_child([&] {
    if (!limit_watches(10)) return skipped;
    hotwatch::watcher w(options{.poll_interval = 20ms});
    w.add(root.path());
    collector<hotwatch::watcher> all(w, root);
    for (int i = 0; i < 20; ++i) root.write("d" + std::to_string(i) + "/f");
    if (!all.until([&] { return all.changes.size() >= 20; })) return 1;
    if (all.changes.size() != 20) return 2;
    const auto polling = std::find_if(all.notices.begin(), all.notices.end(),
                                      [](const owned_notice& n) { return n.kind == notice_kind::polling; });
    if (polling == all.notices.end()) return 3;
    if (polling->error != std::errc::no_space_on_device) return 4;
    if (polling->advice.find("fs.inotify.max_user_watches") == std::string::npos) return 5;
    if (w.stats().polled_directories == 0) return 6;
    // Everything below a polled directory is told as well.
    root.mkdir_p("d19/new/deep");
    root.write("d19/new/deep/f");
    if (!all.until([&] { return all.has("created d19/new/deep/f"); })) return 7;
    root.rm_rf("d19");
    if (!all.until([&] { return all.has("removed d19"); })) return 8;
    return 0;
  });
  if (code == skipped) GTEST_SKIP() << why_no_limit;
  EXPECT_EQ(code, 0);
}

TEST_F(Limits, WatchLimitReachedByNewDirectories) {
  const int code = in_child([&] {
    if (!limit_watches(4)) return skipped;
    hotwatch::watcher w(options{.poll_interval = 20ms});
    w.add(root.path());
    model seen({root.path()});
    for (int i = 0; i < 10; ++i) root.mkdir_p("d" + std::to_string(i) + "/e");
    if (!seen.apply(w.flush()).empty()) return 1;
    for (int i = 0; i < 10; ++i) root.write("d" + std::to_string(i) + "/e/f");
    if (!seen.apply(w.flush()).empty()) return 2;
    if (!seen.difference(root.list()).empty()) return 3;
    if (w.stats().polled_directories == 0) return 4;
    return 0;
  });
  if (code == skipped) GTEST_SKIP() << why_no_limit;
  EXPECT_EQ(code, 0);
}

TEST_F(Limits, WatchLimitReachedAtTheRootItself) {
  const int code = in_child([&] {
    if (!limit_watches(0)) return skipped;
    hotwatch::watcher w(options{.poll_interval = 20ms});
    std::error_code ec;
    w.add(root.path(), root_options{}, ec);
    if (ec) return 1;
    collector<hotwatch::watcher> all(w, root);
    root.write("f");
    if (!all.until([&] { return all.has("created f"); })) return 2;
    return all.has(notice_kind::polling) ? 0 : 3;
  });
  if (code == skipped) GTEST_SKIP() << why_no_limit;
  EXPECT_EQ(code, 0);
}

// ---- unreadable directories

TEST_F(Unreadable, DirectoryIsNamedAndTakenUpWhenItBecomesReadable) {
  root.mkdir_p("locked/deep");
  root.write("locked/deep/f");
  base.chmod("root", 0777);
  base.chmod("", 0777);
  root.chmod("locked", 0);
  // Only somebody who is not root is refused; the owner's part is played by the parent, through a pipe.
  int to_child[2], to_parent[2];
  ASSERT_EQ(::pipe(to_child), 0);
  ASSERT_EQ(::pipe(to_parent), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(to_child[1]);
    ::close(to_parent[0]);
    if (::geteuid() == 0 && (::setgid(65534) != 0 || ::setuid(65534) != 0)) ::_exit(skipped);
    if (::access(root.path().c_str(), R_OK | X_OK) != 0) ::_exit(skipped);
    hotwatch::watcher w(options{.poll_interval = 20ms});
    w.add(root.path());
    const batch& first = w.wait_for(deadline);
    if (!has_notice(first, notice_kind::unreadable)) ::_exit(1);
    for (const notice& n : first.notices())
      if (n.path != root.at("locked") || n.error != std::errc::permission_denied) ::_exit(2);
    char byte = 'r';
    if (::write(to_parent[1], &byte, 1) != 1) ::_exit(3);
    collector<hotwatch::watcher> all(w, root);
    ::_exit(all.until([&] { return all.has("created locked/deep/f"); }) ? 0 : 4);
  }
  ::close(to_parent[1]);
  char byte = 0;
  if (::read(to_parent[0], &byte, 1) == 1) root.chmod("locked", 0755);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  for (const int fd : {to_child[0], to_child[1], to_parent[0]}) ::close(fd);
  if (WIFEXITED(status) && WEXITSTATUS(status) == skipped)
    GTEST_SKIP() << "another user cannot reach the test's directory";
  EXPECT_EQ(status, 0);
}

// ---- the root

TEST_F(Root, DeletedAndMadeAgain) {
  root.mkdir_p("d/e");
  open();
  base.rm_rf("root");
  const batch& gone = watcher().flush();
  EXPECT_TRUE(has_notice(gone, notice_kind::root_lost));
  ASSERT_EQ(told.apply(gone), "");
  EXPECT_TRUE(told.entries().empty());
  base.mkdir_p("root/x/y");
  root.write("x/y/f");
  const batch& back = watcher().flush();
  EXPECT_TRUE(has_notice(back, notice_kind::root_restored));
  ASSERT_EQ(told.apply(back), "");
  expect_exact();
  root.write("x/y/g");
  EXPECT_EQ(flush(), lines{"created x/y/g"});
}

TEST_F(Root, DeletedAndMadeAgainWithinOneBatch) {
  root.mkdir("old");
  root.write("both", "1");
  open();
  base.rm_rf("root");
  base.mkdir_p("root/new");
  root.write("both", "22");
  flush();
  expect_exact();
  root.write("new/f");
  EXPECT_EQ(flush(), lines{"created new/f"});
}

TEST_F(Root, IsHeardOfByWaitWhenItReturns) {
  open();
  base.rm_rf("root");
  collector<hotwatch::watcher> all(watcher(), root);
  ASSERT_TRUE(all.until([&] { return all.has(notice_kind::root_lost); }));
  base.mkdir("root");
  ASSERT_TRUE(all.until([&] { return all.has(notice_kind::root_restored); }));
  ASSERT_TRUE(all.until_sentinel());
}

TEST_F(Root, IsSilentAboutItsNeighboursOnceItIsBack) {
  open();
  base.rm_rf("root");
  flush();
  base.mkdir("root");
  flush();
  flush();
  const std::uint64_t before = watcher().stats().kernel_events;
  base.write("beside");
  base.rename("beside", "still-beside");
  EXPECT_EQ(flush(), lines{});
  EXPECT_EQ(watcher().stats().kernel_events, before);
}

TEST_F(Root, RenamedAwayAndBack) {
  root.mkdir("d");
  root.write("d/f");
  open();
  base.rename("root", "elsewhere");
  const batch& gone = watcher().flush();
  EXPECT_TRUE(has_notice(gone, notice_kind::root_lost)) << model::text(gone);
  ASSERT_EQ(told.apply(gone), "");
  EXPECT_TRUE(told.entries().empty());
  base.write("elsewhere/d/silent");
  EXPECT_TRUE(flush().empty());
  base.rename("elsewhere", "root");
  const batch& back = watcher().flush();
  EXPECT_TRUE(has_notice(back, notice_kind::root_restored));
  ASSERT_EQ(told.apply(back), "");
  expect_exact();
  root.write("d/g");
  EXPECT_EQ(flush(), lines{"created d/g"});
}

TEST_F(Root, AncestorRemovedAndMadeAgain) {
  base.mkdir_p("x/y/root");
  const place deep(base.at("x/y/root"));
  deep.write("f");
  hotwatch::watcher w(options{.poll_interval = 20ms});
  w.add(deep.path());
  base.rm_rf("x");
  const batch& gone = w.flush();
  EXPECT_EQ(in_order(gone), lines{"removed f"});
  EXPECT_TRUE(has_notice(gone, notice_kind::root_lost));
  base.mkdir_p("x/y/root");
  deep.write("g");
  collector<hotwatch::watcher> all(w, deep);
  ASSERT_TRUE(all.until([&] { return all.has("created g"); }));
  EXPECT_TRUE(all.has(notice_kind::root_restored));
}

TEST_F(Root, ReplacedByAnotherDirectory) {
  root.mkdir("old");
  base.mkdir_p("next/new");
  open();
  base.rename("root", "old-root");
  base.rename("next", "root");
  flush();
  expect_exact();
  root.write("new/f");
  base.write("old-root/silent");
  EXPECT_EQ(flush(), lines{"created new/f"});
}

TEST_F(Root, ReplacedBySymlink) {
  root.write("old");
  base.mkdir_p("real/d");
  base.write("real/d/f");
  open();
  base.rm_rf("root");
  base.symlink("real", "root");
  flush();
  expect_exact();
  base.write("real/d/g");
  EXPECT_EQ(flush(), lines{"created d/g"});
}

TEST_F(Root, ReplacedByAFileAndBack) {
  root.write("f");
  open();
  base.rm_rf("root");
  base.write("root", "a file");
  flush();
  EXPECT_TRUE(told.entries().empty());
  base.rm("root");
  base.mkdir("root");
  root.write("g");
  flush();
  expect_exact();
}

TEST_F(Root, SymlinkToADirectoryIsFollowedAndItsSwapIsSeen) {
  base.mkdir("v1");
  base.mkdir("v2");
  base.write("v1/same", "1");
  base.write("v1/only-1");
  base.write("v2/same", "22");
  base.write("v2/only-2");
  base.symlink("v1", "current");
  const place current(base.at("current"));
  hotwatch::watcher w(options{.poll_interval = 20ms});
  w.add(current.path());
  current.write("f");
  EXPECT_EQ(sorted(w.flush()), lines{"created f"});
  model seen({current.path()});
  seen.start_from(known(w));
  base.symlink("v2", "next");
  base.rename("next", "current");
  ASSERT_EQ(seen.apply(w.flush()), "");
  EXPECT_EQ(seen.difference(current.list()), "");
  current.write("after");
  EXPECT_EQ(sorted(w.flush()), lines{"created after"});
}

TEST_F(Unmount, OfARootOnTmpfs) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  base.mkdir("mounted");
  if (::mount("tmpfs", base.at("mounted").c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "mounting is not permitted here";
  const place mounted(base.at("mounted"));
  mounted.mkdir("d");
  mounted.write("d/f");
  {
    hotwatch::watcher w;
    w.add(mounted.path());
    mounted.write("g");
    EXPECT_EQ(sorted(w.flush()), lines{"created g"});
    ASSERT_EQ(::umount2(mounted.path().c_str(), 0), 0) << "a watch does not keep a file system busy";
    const batch& b = w.flush();
    // The mount point below is an empty directory, so the root may be lost or only emptied.
    EXPECT_EQ(sorted(b), (lines{"removed d", "removed d/f", "removed g"})) << model::text(b);
    mounted.write("below");
    EXPECT_EQ(sorted(w.flush()), lines{"created below"});
  }
  ::umount2(mounted.path().c_str(), MNT_DETACH);
}

TEST_F(Unmount, OfADirectoryBelowTheRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  root.mkdir("m");
  if (::mount("tmpfs", root.at("m").c_str(), "tmpfs", 0, "size=1m") != 0)
    GTEST_SKIP() << "mounting is not permitted here";
  root.mkdir("m/d");
  root.write("m/d/f");
  open();
  ASSERT_EQ(::umount2(root.at("m").c_str(), 0), 0);
  flush();
  expect_exact();
  root.write("m/below");
  EXPECT_EQ(flush(), lines{"created m/below"});
  watcher_.reset();
  ::umount2(root.at("m").c_str(), MNT_DETACH);
}

// ---- records without a name

TEST_F(SelfRecords, TarTouchingADirectory) {
  out.mkdir_p("d/e");
  out.write("d/e/f");
  if (std::system(("tar -C '" + out.path() + "' -cf '" + out.at("x.tar") + "' d").c_str()) != 0)
    GTEST_SKIP() << "no tar here";
  open();
  ASSERT_TRUE(run("tar -xf ../out/x.tar"));
  EXPECT_EQ(flush(), (lines{"created d", "created d/e", "created d/e/f"}));
  // The times of d and d/e are set last, which is ATTRIB without a name on their own watches.
  ASSERT_TRUE(run("tar -xf ../out/x.tar"));
  EXPECT_EQ(flush(), lines{"modified d/e/f"});
  expect_exact();
}

TEST_F(SelfRecords, ChmodOfTheRootAndOfADirectory) {
  root.mkdir("d");
  open();
  root.chmod("d", 0711);
  base.chmod("root", 0711);
  root.touch("d");
  EXPECT_TRUE(flush().empty());
}

TEST_F(SelfRecords, MetadataOfADirectoryIsToldOnce) {
  root.mkdir("d");
  open({.metadata = true});
  root.chmod("d", 0711);
  EXPECT_EQ(flush(), lines{"metadata d"});
}

// ---- a process that is stopped

// Nothing came for `quiet` as far as the watcher knows, but it did not look.
TEST_F(Debounce, WhatCameWhileTheUserWasElsewhereBelongsToTheBatch) {
  open({.debounce = {.quiet = 50ms, .max_wait = 10s, .settle = false}});
  root.write("a");
  EXPECT_TRUE(watcher().poll().empty());
  root.write("b");
  for (const auto end = std::chrono::steady_clock::now() + 60ms; std::chrono::steady_clock::now() < end;) continue;
  EXPECT_EQ(sorted(watcher().wait_for(deadline)), (lines{"created a", "created b"}));
}

TEST_F(Signals, SigstopAndSigcont) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    hotwatch::watcher w;
    w.add(root.path());
    model seen({root.path()});
    if (::write(pipe_fds[1], "r", 1) != 1) ::_exit(1);
    const auto end = std::chrono::steady_clock::now() + 3 * deadline;
    while (!seen.entries().contains(root.at("last"))) {
      if (std::chrono::steady_clock::now() > end) ::_exit(2);
      if (!seen.apply(w.wait_for(deadline)).empty()) ::_exit(3);
    }
    if (!seen.apply(w.flush()).empty()) ::_exit(4);
    ::_exit(seen.difference(root.list()).empty() ? 0 : 5);
  }
  char byte = 0;
  ASSERT_EQ(::read(pipe_fds[0], &byte, 1), 1);
  int status = 0;
  for (int i = 0; i < 3; ++i) {
    const std::string d = "d" + std::to_string(i);
    ::kill(child, SIGSTOP);
    ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status)) << "the watching child ended with " << status;
    root.mkdir_p(d + "/e");
    root.write(d + "/e/f");
    root.rename(d, d + "-renamed");
    ::kill(child, SIGCONT);
  }
  root.write("last");
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(pipe_fds[0]);
  ::close(pipe_fds[1]);
}

// ---- a live watch must never be added again: the kernel then drops events

TEST_F(Watches, AddingRootsUnderLoadLosesNothing) {
  root.mkdir_p("a/b");
  open();
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; i < 5000; ++i) root.write("a/b/f" + std::to_string(i), "");
    done = true;
  });
  // Each of these walks over directories that are watched already.
  std::string error;
  while (!done) {
    std::error_code added, removed;
    watcher().add(root.at("a"), root_options{}, added);
    for (const change& c : watcher().poll())
      if (c.root == id && error.empty()) error = told.apply(c);
    watcher().remove(root.at("a"), removed);
    if (added || removed) error = "add: " + added.message() + ", remove: " + removed.message();
  }
  writer.join();
  for (const change& c : watcher().flush())
    if (error.empty()) error = told.apply(c);
  EXPECT_EQ(error, "");
  expect_exact();
}

TEST_F(Watches, DirectoryRemovedAndMadeAgainUnderTheSameName) {
  open();
  for (int i = 0; i < 200; ++i) {
    root.mkdir("d");
    root.write("d/f" + std::to_string(i));
    if (i % 2 != 0) flush();
    root.rm_rf("d");
    if (i % 3 != 0) flush();
  }
  root.mkdir("d");
  flush();
  root.write("d/last");
  EXPECT_EQ(flush(), lines{"created d/last"});
  expect_exact();
}

TEST_F(Watches, UnlinkedButOpenFilesAreSilent) {
  root.write("f");
  open();
  const int fd = ::open(root.at("f").c_str(), O_WRONLY | O_CLOEXEC);
  root.rm("f");
  EXPECT_EQ(flush(), lines{"removed f"});
  ASSERT_TRUE(raw::write_all(fd, "into the void"));
  ::close(fd);
  EXPECT_TRUE(flush().empty());
}

// ---- names and paths

TEST_F(Names, NewlineInvalidUtf8And255Bytes) {
  const std::string names[] = {"new\nline", "\xff\xfe\x80", std::string(255, 'x'), " ", "-rf", "tab\t", "\\", "*", "~"};
  open();
  for (const std::string& name : names) {
    root.mkdir(name);
    root.write(name + "/" + name);
  }
  flush();
  expect_exact();
  for (const std::string& name : names) root.append(name + "/" + name);
  EXPECT_EQ(flush().size(), std::size(names));
  for (const std::string& name : names) root.rm_rf(name);
  flush();
  expect_exact();
}

TEST_F(Names, OfEveryLengthSoThatThePaddingShows) {
  open();
  for (std::size_t n = 1; n <= 255; ++n) root.write(std::string(n, 'a'), "");
  EXPECT_EQ(flush().size(), 255u);
  expect_exact();
}

TEST_F(Paths, BeyondPathMax) {
  // 24 directories of 200 bytes are some 4,800 bytes of path: made by steps, as no call takes such a path whole.
  const std::string name(200, 'd');
  open();
  int fd = ::open(root.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int depth = 0; depth < 24; ++depth) {
    ASSERT_EQ(::mkdirat(fd, name.c_str(), 0755), 0);
    const int next = ::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(fd);
    fd = next;
    ASSERT_GE(fd, 0);
  }
  const int file = ::openat(fd, "deepest", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  ASSERT_GE(file, 0);
  flush();
  expect_exact();
  EXPECT_EQ(told.entries().size(), 25u);
  ASSERT_TRUE(raw::write_all(file, "text"));
  ::close(file);
  EXPECT_EQ(flush().size(), 1u);
  ::unlinkat(fd, "deepest", 0);
  ::close(fd);
  EXPECT_EQ(flush().size(), 1u);
  // And a watcher that finds all of it at add().
  hotwatch::watcher second;
  second.add(root.path());
  EXPECT_EQ(known(second), root.list());
  root.rm_rf(name);
  flush();
  expect_exact();
}

// ---- the same directory reached twice

TEST_F(Overlap, RootsWithinRoots) {
  root.mkdir_p("a/b");
  open();
  const root_id inner = watcher().add(root.at("a"));
  root.write("a/b/f");
  root.write("g");
  const batch& b = watcher().flush();
  EXPECT_EQ(sorted(b), (lines{"created a/b/f", "created b/f", "created g"}));
  for (const change& c : b) EXPECT_EQ(c.root == inner, c.relative() == "b/f");
  watcher().remove(root.path());
  root.write("a/h");
  root.write("silent");
  EXPECT_EQ(sorted(watcher().flush()), lines{"created h"});
}

TEST_F(Overlap, OuterRootAddedLater) {
  root.mkdir_p("a/b");
  hotwatch::watcher w;
  w.add(root.at("a"));
  w.add(root.path());
  root.write("a/b/f");
  EXPECT_EQ(sorted(w.flush()), (lines{"created a/b/f", "created b/f"}));
  w.remove(root.at("a"));
  root.write("a/b/g");
  EXPECT_EQ(sorted(w.flush()), lines{"created a/b/g"});
  root.mkdir("a/c");
  root.write("a/c/f");
  EXPECT_EQ(sorted(w.flush()), (lines{"created a/c", "created a/c/f"}));
}

TEST_F(Overlap, InnerRootOfADirectoryThatIsRemoved) {
  root.mkdir_p("a/b");
  root.write("a/b/f");
  open();
  watcher().add(root.at("a"));
  root.rm_rf("a");
  const batch& b = watcher().flush();
  EXPECT_EQ(sorted(b), (lines{"removed a", "removed a/b", "removed a/b/f", "removed b", "removed b/f"}));
  EXPECT_TRUE(has_notice(b, notice_kind::root_lost));
}

TEST_F(Overlap, FileRootInsideADirectoryRoot) {
  root.write("f", "1");
  open();
  watcher().add(root.at("f"));
  root.append("f");
  EXPECT_EQ(sorted(watcher().flush()), (lines{"modified f", "modified f"}));
  watcher().remove(root.path());
  root.append("f");
  EXPECT_EQ(sorted(watcher().flush()), lines{"modified f"});
}

TEST_F(Overlap, SameDirectoryReachedTwice) {
  root.mkdir_p("d/e");
  base.symlink("root", "alias");
  open();
  watcher().add(base.at("alias"));
  root.write("d/e/f");
  const batch& b = watcher().flush();
  ASSERT_EQ(b.size(), 2u) << model::text(b);
  const lines paths = sorted(lines{std::string(b[0].path), std::string(b[1].path)});
  EXPECT_EQ(paths, sorted(lines{base.at("alias/d/e/f"), root.at("d/e/f")}));
  watcher().remove(base.at("alias"));
  root.write("d/e/g");
  EXPECT_EQ(sorted(watcher().flush()), lines{"created d/e/g"});
}

TEST_F(Overlap, SameDirectoryReachedTwiceByABindMount) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounting needs root";
  root.mkdir_p("d/e");
  root.mkdir("bound");
  if (::mount(root.at("d").c_str(), root.at("bound").c_str(), nullptr, MS_BIND, nullptr) != 0)
    GTEST_SKIP() << "mounting is not permitted here";
  open();
  root.write("d/e/f");
  flush();
  expect_exact();
  root.append("bound/e/f");
  EXPECT_FALSE(flush().empty());
  root.rm("d/e/f");
  flush();
  expect_exact();
  watcher_.reset();
  ASSERT_EQ(::umount2(root.at("bound").c_str(), MNT_DETACH), 0);
}

// ---- writers that are hard to see

TEST_F(Writers, MmapIsSeenWhenTheFileIsClosed) {
  root.write("f", std::string(4096, 'a'));
  open();
  store_through_a_mapping("f");
  EXPECT_EQ(flush(), lines{"modified f"});
}

TEST_F(Writers, MmapIsSeenAfterAChmod) {
  root.write("f", std::string(4096, 'a'));
  open();
  root.chmod("f", 0600);
  EXPECT_EQ(flush(), lines{});
  // Longer than the ticks of any kernel's clock.
  for (const auto end = std::chrono::steady_clock::now() + 50ms; std::chrono::steady_clock::now() < end;) continue;
  store_through_a_mapping("f");
  EXPECT_EQ(flush(), lines{"modified f"});
}

TEST_F(Writers, TimesThatAreSetAreNoWrite) {
  root.write("f");
  outlive_the_tick();
  open();
  for (const time_t seconds : {-86'400, 86'400}) {
    const int fd = ::open(root.at("f").c_str(), O_WRONLY | O_CLOEXEC);
    const timespec then{::time(nullptr) + seconds, 0};
    const timespec times[2] = {then, then};
    EXPECT_EQ(::futimens(fd, times), 0);
    ::close(fd);
    EXPECT_EQ(flush(), lines{}) << seconds;
  }
}

TEST_F(Writers, OpenedForWritingAndClosedUnchanged) {
  root.write("f", "1");
  outlive_the_tick();
  open();
  const int fd = ::open(root.at("f").c_str(), O_WRONLY | O_CLOEXEC);
  ::close(fd);
  EXPECT_EQ(flush(), lines{});
  root.touch("f");
  EXPECT_EQ(flush(), lines{});
}

TEST_F(Writers, TruncatedAndWrittenIsToldWhenComplete) {
  root.write("f", "old");
  open();
  collector<hotwatch::watcher> all(watcher(), root);
  const int fd = ::open(root.at("f").c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  all.take(watcher().wait_for(60ms));
  EXPECT_TRUE(all.changes.empty()) << "an empty file is not what the user should read";
  ASSERT_TRUE(raw::write_all(fd, "complete"));
  ::close(fd);
  ASSERT_TRUE(all.until([&] { return !all.changes.empty(); }));
  EXPECT_EQ(all.all(), lines{"modified f"});
}

TEST_F(Writers, HeldBackWhileItsNameIsTaken) {
  root.write("f", "original");
  open({.debounce = {.quiet = 1ms, .max_wait = 1h}});
  const int fd = ::open(root.at("f").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  ASSERT_TRUE(raw::write_all(fd, "half"));
  root.rename("f", "g");
  root.write("f", "another file");
  root.write("h");
  // Whatever is told before the writer closes, the rest must fit.
  EXPECT_EQ(told.apply(watcher().wait_for(100ms)), "");
  ::close(fd);
  flush();
  expect_exact();
}

TEST_F(Writers, CloseAfterTheRename) {
  // clang and lld do this.
  root.write("m.o", "old");
  open();
  const int fd = ::open(root.at("m.o.tmp").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  ASSERT_TRUE(raw::write_all(fd, "half"));
  root.rename("m.o.tmp", "m.o");
  ASSERT_TRUE(raw::write_all(fd, "rest"));
  ::close(fd);
  EXPECT_EQ(flush(), lines{"modified m.o"});
}

TEST_F(Writers, ThroughAHardLinkInsideTheTree) {
  root.write("a");
  root.link("a", "b");
  open();
  root.append("b");
  const lines all = flush();
  EXPECT_TRUE(std::find(all.begin(), all.end(), "modified b") != all.end());
}

TEST_F(TypeChanges, FileDirectorySymlink) {
  root.write("x");
  open();
  root.rm("x");
  root.mkdir("x");
  root.write("x/f");
  EXPECT_EQ(in_order(watcher().flush()), (lines{"removed x", "created x", "created x/f"}));
  root.rm_rf("x");
  root.symlink("nowhere", "x");
  EXPECT_EQ(in_order(watcher().flush()), (lines{"removed x/f", "removed x", "created x"}));
  root.rm("x");
  root.symlink("elsewhere", "x");
  const batch& b = watcher().flush();
  ASSERT_EQ(in_order(b), lines{"modified x"});
  EXPECT_EQ(b[0].type, entry_type::symlink);
}

TEST_F(TypeChanges, FifosAndSocketsAreOther) {
  open();
  ASSERT_EQ(::mkfifo(root.at("fifo").c_str(), 0600), 0);
  const batch& b = watcher().flush();
  ASSERT_EQ(in_order(b), lines{"created fifo"});
  EXPECT_EQ(b[0].type, entry_type::other);
}

// ---- single files, through every save pattern known

struct save_pattern {
  const char* name;
  void (*save)(const place&);
};

const save_pattern patterns[] = {
    {"InPlace", [](const place& p) { p.write("f", "saved"); }},
    {"Append", [](const place& p) { p.append("f"); }},
    {"Truncate", [](const place& p) { p.truncate("f", 1); }},
    {"TruncateThenWrite",
     [](const place& p) {
       p.truncate("f");
       p.append("f", "saved");
     }},
    {"VimBackup",
     [](const place& p) {
       p.write("4913", "");
       p.rm("4913");
       p.rename("f", "f~");
       p.write("f", "saved");
       p.chmod("f", 0644);
       p.rm("f~");
     }},
    {"VimBackupKept",
     [](const place& p) {
       p.rename("f", "f~");
       p.write("f", "saved");
     }},
    {"VimBackupCopy",
     [](const place& p) {
       p.write("f~", "original");
       p.write("f", "saved");
       p.rm("f~");
     }},
    {"EmacsLockAndBackup",
     [](const place& p) {
       p.symlink("user@host.1:2", ".#f");
       p.rename("f", "f~");
       p.write("f", "saved");
       p.rm(".#f");
       p.chmod("f", 0644);
     }},
    {"Precious",
     [](const place& p) {
       p.write("tmpa1b2c3", "saved");
       p.rename("tmpa1b2c3", "f");
       p.chmod("f", 0644);
     }},
    {"JetBrains",
     [](const place& p) {
       p.write("f___jb_tmp___", "saved");
       p.rename("f", "f___jb_old___");
       p.rename("f___jb_tmp___", "f");
       p.rm("f___jb_old___");
     }},
    {"GioWithBackup",
     [](const place& p) {
       p.write(".goutputstream-A1B2C3", "saved");
       p.rename("f", "f~");
       p.rename(".goutputstream-A1B2C3", "f");
     }},
    {"CocoaExchange",
     [](const place& p) {
       p.write("f.sb-12345678-abcdef", "saved");
       p.exchange("f.sb-12345678-abcdef", "f");
       p.rm("f.sb-12345678-abcdef");
     }},
    {"Word",
     [](const place& p) {
       p.write("~$f");
       p.write("~WRD0001.tmp", "saved");
       p.rename("f", "~WRL0001.tmp");
       p.rename("~WRD0001.tmp", "f");
       p.rm("~WRL0001.tmp");
       p.rm("~$f");
     }},
    {"LinkBackupThenRename",
     [](const place& p) {
       p.link("f", "f.bak");
       p.write("f.new", "saved");
       p.rename("f.new", "f");
     }},
    {"DeleteAndCreate",
     [](const place& p) {
       p.rm("f");
       p.write("f", "saved");
     }},
    {"MovedOverFromOutside",
     [](const place& p) {
       p.write("../out/f", "saved");
       p.rename("../out/f", "f");
     }},
    {"DelayedUpdates",
     [](const place& p) {
       p.mkdir(".~tmp~");
       p.write(".~tmp~/f", "saved");
       p.rename(".~tmp~/f", "f");
       p.rmdir(".~tmp~");
     }},
    {"ReplacedBySymlink",
     [](const place& p) {
       p.write("../out/target", "saved");
       p.symlink("../out/target", "f.link");
       p.rename("f.link", "f");
     }},
};

class SingleFile : public testing::TestWithParam<save_pattern> {};

TEST_P(SingleFile, IsModifiedOnceBySave) {
  temp_directory directory;
  const place& root = directory.root();
  root.write("f", "original");
  hotwatch::watcher w(options{.poll_interval = 20ms});
  w.add(root.at("f"));
  GetParam().save(root);
  const batch& b = w.flush();
  // A file that turns into a link may be told as a change of type.
  const lines all = in_order(b);
  if (std::string_view(GetParam().name) == "ReplacedBySymlink" && all.size() == 2) {
    EXPECT_EQ(all, (lines{"removed f", "created f"}));
  } else {
    EXPECT_EQ(all, lines{"modified f"}) << model::text(b);
  }
  EXPECT_TRUE(b.notices().empty());
  root.write("other");
  EXPECT_TRUE(w.flush().empty());
  root.write("f", "again, and longer");
  EXPECT_EQ(in_order(w.flush()), lines{"modified f"}) << "the file that is there now is the one that is watched";
}

INSTANTIATE_TEST_SUITE_P(SavePatterns, SingleFile, testing::ValuesIn(patterns),
                         [](const auto& one) { return std::string(one.param.name); });

class ConfigMap : public hazard {
 protected:
  // What the kubelet does: f -> ..data/f, ..data -> ..2024_1, swapped by rename(2).
  void publish(const std::string& version, const std::string& text) {
    root.mkdir(".." + version);
    root.write(".." + version + "/f", text);
    root.symlink(".." + version, "..data_tmp");
    root.rename("..data_tmp", "..data");
  }
};

TEST_F(ConfigMap, SwapIsAModification) {
  publish("1", "one");
  root.symlink("..data/f", "f");
  hotwatch::watcher w(options{.poll_interval = 20ms});
  w.add(root.at("f"));
  for (int i = 2; i < 6; ++i) {
    publish(std::to_string(i), "text " + std::to_string(i));
    root.rm_rf(".." + std::to_string(i - 1));
    const batch& b = w.flush();
    ASSERT_EQ(in_order(b), lines{"modified f"}) << model::text(b);
    EXPECT_TRUE(b.notices().empty());
  }
  EXPECT_TRUE(w.flush().empty());
}

TEST_F(ConfigMap, SwapIsHeardOfByWait) {
  publish("1", "one");
  root.symlink("..data/f", "f");
  hotwatch::watcher w;
  w.add(root.at("f"));
  publish("2", "two");
  EXPECT_EQ(in_order(w.wait_for(deadline)), lines{"modified f"});
}

TEST_F(ConfigMap, WriteThroughTheLinkIsAModification) {
  out.write("real", "1");
  root.symlink("../out/real", "f");
  hotwatch::watcher w(options{.poll_interval = 20ms});
  w.add(root.at("f"));
  out.write("real", "22");
  EXPECT_EQ(in_order(w.flush()), lines{"modified f"});
  out.write("next", "333");
  out.rename("next", "real");
  EXPECT_EQ(in_order(w.flush()), lines{"modified f"});
}

TEST_F(ConfigMap, DirectoryRootSeesTheLinksAsThemselves) {
  publish("1", "one");
  root.symlink("..data/f", "f");
  open();
  publish("2", "two");
  root.rm_rf("..1");
  flush();
  expect_exact();
}

}  // namespace
}  // namespace hotwatch::test
