// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// A watching program that forks. What the child may do, it does here, and the parent goes on: it is told of everything,
// and nothing that hotwatch opened goes into another program.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

template <class Watcher>
class forking : public testing::Test {
 protected:
  forking() {
    root.mkdir("d");
    watcher.add(root.path());
    (void)watcher.native_handle();
  }

  /// Runs `in_child` in a child; what it returns is its exit code, which is expected to be 0.
  template <class Child>
  void expect_success_of(Child in_child) {
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(in_child());
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  /// What happened before, meanwhile and after is told, as if there had been no child.
  void expect_that_all_is_told() {
    root.write("d/after");
    EXPECT_EQ(sorted(watcher.flush()), (lines{"created d/after", "created d/before", "created d/meanwhile"}));
  }

  temp_directory directory;
  const place& root = directory.root();
  Watcher watcher{options{.poll_interval = std::chrono::milliseconds(5)}};
};
using backends = testing::Types<hotwatch::watcher, polling_watcher>;
TYPED_TEST_SUITE(forking, backends);

TYPED_TEST(forking, a_child_that_exits_at_once) {
  this->root.write("d/before");
  this->expect_success_of([&] {
    this->root.write("d/meanwhile");
    return 0;
  });
  this->expect_that_all_is_told();
}

// It has the parent's memory, so it has a watcher; to let go of it is no business of the parent's.
TYPED_TEST(forking, a_child_that_destroys_its_copy) {
  this->root.write("d/before");
  this->expect_success_of([&] {
    this->watcher.~TypeParam();
    this->root.write("d/meanwhile");
    return 0;
  });
  this->expect_that_all_is_told();
}

TYPED_TEST(forking, a_child_with_a_watcher_of_its_own) {
  this->root.write("d/before");
  this->expect_success_of([&] {
    TypeParam own;
    own.add(this->root.path());
    this->root.write("d/meanwhile");
    return sorted(own.flush()) == lines{"created d/meanwhile"} ? 0 : 1;
  });
  this->expect_that_all_is_told();
}

// The watcher goes on in the child where the parent does not use it any more: daemon(3).
TYPED_TEST(forking, a_child_that_takes_it_over) {
  this->root.write("d/before");
  this->expect_success_of([&] {
    this->root.mkdir("d/new");
    this->root.write("d/new/file");
    const lines all{"created d/before", "created d/new", "created d/new/file"};
    if (sorted(this->watcher.flush()) != all) return 1;
    this->root.write("d/new/later");
    return sorted(this->watcher.flush()) == lines{"created d/new/later"} ? 0 : 2;
  });
}

/// Where the descriptors of a program lead that was started by fork() and exec().
lines descriptors_of_another_program() {
  int from[2];
  lines all;
  if (::pipe2(from, O_CLOEXEC) != 0) return all;
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(from[1], STDOUT_FILENO);
    ::execl("/bin/sh", "sh", "-c", "for f in /proc/$$/fd/*; do readlink $f; done", nullptr);
    ::_exit(127);
  }
  ::close(from[1]);
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(from[0], buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(n));
  ::close(from[0]);
  ::waitpid(child, nullptr, 0);
  for (std::size_t at = 0, end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1)
    all.push_back(text.substr(at, end - at));
  return all;
}

TYPED_TEST(forking, no_descriptor_goes_into_another_program) {
  const auto subscription = basic_subscription<TypeParam>(
      this->directory.out().path(), [](const batch&) {}, options{});
  this->root.write("d/before");
  this->root.write("d/meanwhile");
  const lines open = descriptors_of_another_program();
  EXPECT_FALSE(open.empty());
  for (const std::string& where : open)
    for (const std::string_view ours : {"inotify", "eventfd", "timerfd", "eventpoll", "hotwatch"})
      EXPECT_EQ(where.find(ours), std::string::npos) << where;
  this->expect_that_all_is_told();
}

// Of a subscription the child has no thread. It leaves it alone, and the parent's goes on.
TYPED_TEST(forking, a_subscription_goes_on_in_the_parent) {
  std::atomic<int> told = 0;
  const basic_subscription<TypeParam> subscription(
      this->directory.out().path(),
      [&](const change& c) {
        told |= c.relative() == "before" ? 1 : c.relative() == "after" ? 2 : 0;
        told.notify_all();
      },
      {.poll_interval = std::chrono::milliseconds(5)});
  this->directory.out().write("before");
  this->expect_success_of([] { return 0; });
  this->directory.out().write("after");
  for (int so_far = told; so_far != 3; so_far = told) told.wait(so_far);
}

}  // namespace
}  // namespace hotwatch::test
