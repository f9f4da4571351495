// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every system call of the backends, and every error that its manual page lists, at each of its first calls, once
// and for ever: nothing crashes or hangs, and nothing is silently deaf. What comes of each is docs/faults.md, written
// by
//
//   HOTWATCH_FAULTS=docs/faults.md ./live --gtest_filter='faults*'

#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "convergence/seeds.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum system_call;

struct failing_call {
  system_call call;
  const char* name;
  std::vector<int> errors;
};

// Left out are the errors of a program that hands over nonsense (EBADF, EFAULT, EINVAL), and those which say that
// something is not there (ENOENT, ENOTDIR, ELOOP): said of what is there they are no fault but a lie, and as the truth
// they are what tests/convergence is about. A read of inotify fails for no reason but a signal, and FIONREAD for none
// (inotify_read() and inotify_ioctl(), fs/notify/inotify/inotify_user.c).
const failing_call calls[] = {
    {inotify_init1, "inotify_init1(2)", {EMFILE, ENFILE, ENOMEM, ENOSYS}},
    {inotify_add_watch, "inotify_add_watch(2)", {EACCES, ENOMEM, ENOSPC}},
    {inotify_rm_watch, "inotify_rm_watch(2)", {EINVAL}},
    {system_call::fanotify_init, "fanotify_init(2)", {EMFILE, ENOMEM, ENOSYS, EPERM}},
    {system_call::fanotify_mark, "fanotify_mark(2)", {ENODEV, ENOMEM, ENOSPC, EOPNOTSUPP, EPERM, EXDEV}},
    {system_call::name_to_handle_at, "name_to_handle_at(2)", {EOPNOTSUPP, EOVERFLOW, EPERM}},
    {system_call::open_by_handle_at, "open_by_handle_at(2)", {EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM}},
    {system_call::read, "read(2)", {EINTR}},
    {system_call::write, "write(2)", {EINTR, EAGAIN, EIO}},
    {ppoll, "ppoll(2)", {EINTR, ENOMEM}},
    {openat, "openat(2)", {EACCES, EINTR, EMFILE, ENFILE, ENOMEM, EIO, EPERM}},
    {system_call::openat2, "openat2(2)", {EACCES, EAGAIN, EINTR, EMFILE, ENFILE, ENOMEM, ENOSYS, EPERM}},
    {getdents64, "getdents64(2)", {EIO, ENOMEM}},
    {statx, "statx(2)", {EACCES, EIO, ENOMEM}},
    {system_call::fstatfs, "fstatfs(2)", {EINTR, EIO, ENOMEM, ENOSYS}},
    {readlink, "readlink(2)", {EACCES, EIO, ENOMEM}},
    {memfd_create, "memfd_create(2)", {EMFILE, ENFILE, ENOMEM, EPERM, ENOSYS}},
    {system_call::fchmod, "fchmod(2)", {EINTR, EIO, EPERM, EROFS}},
    {eventfd, "eventfd(2)", {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {epoll_create1, "epoll_create1(2)", {EMFILE, ENFILE, ENOMEM}},
    {epoll_ctl, "epoll_ctl(2)", {ENOMEM, ENOSPC, EPERM}},
    {timerfd_create, "timerfd_create(2)", {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {timerfd_settime, "timerfd_settime(2)", {ECANCELED}},
};

enum class phase { set_up, running };

/// What came of one fault, or nothing when the n-th call was never made.
template <class Fixture>
std::string outcome_of(const failing_call& c, int error, int n, int times, phase when) {
  struct fixture : Fixture {
    void TestBody() override {}
  } t;
  std::string outcome;
  int handle = -1;
  try {
    const auto fail = [&] {
      // No kernel interrupts for ever: every other call is the worst that it does.
      if (error == EINTR && times != 1)
        t.faults->interrupt(c.call);
      else
        t.faults->fail(c.call, n, error, times);
    };
    // So that which calls are made hangs on no tick of a clock: the tree is older than one when it is added, and the
    // first poll is due when the handle is asked for.
    t.make_tree();
    outlive_the_tick();
    if (when == phase::set_up) fail();
    t.watch_tree({.poll_interval = 1ms});
    if (when == phase::running) fail();
    std::this_thread::sleep_for(2ms);
    handle = t.watcher->native_handle();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::error_code(error, std::system_category())) << e.what();
    EXPECT_NE(std::strlen(e.what()), 0u);
    outcome = "error";
    if (!t.watcher || handle < 0) {
      if (!t.watcher || t.told.entries().empty()) return outcome;  // nothing was watched
    }
  }
  t.change_all();
  outlive_the_tick();
  const auto drive = [&](std::chrono::milliseconds longest) {
    const auto end = std::chrono::steady_clock::now() + longest;
    std::string difference;
    do {
      if (handle >= 0) {
        pollfd p{handle, POLLIN, 0};
        (void)::poll(&p, 1, 1);
        t.take(t.watcher->poll());
      } else {
        t.take(t.watcher->wait_for(2ms));
      }
      t.take(t.watcher->flush());
      difference = t.wrong_ + t.told.difference(t.root.list());
    } while (!difference.empty() && std::chrono::steady_clock::now() < end);
    return difference;
  };
  const std::string meanwhile = drive(20ms);
  if (t.faults->failures() == 0) return {};

  std::set<std::string> said;
  for (const owned_notice& one : t.notices) said.insert("notice " + std::string(to_string(one.kind)));
  if (said.empty() && outcome.empty()) outcome = "told as ever";
  for (const std::string& one : said) outcome += (outcome.empty() ? "" : ", ") + one;
  EXPECT_TRUE(meanwhile.empty() || !said.empty()) << "silently deaf: " << meanwhile;

  t.faults->stop_failing();
  if (error == EACCES || error == EPERM)  // permission comes with a word
    for (const auto& [path, type] : t.root.list())
      if (type == entry_type::directory) raw::chmod(path, 0700);
  raw::chmod(t.root.path(), 0700);
  EXPECT_EQ(drive(2000ms), "") << "when the fault is over";
  // And it hears what comes.
  t.root.write("last");
  EXPECT_EQ(drive(2000ms), "") << "after the fault";
  std::set<std::string> after;
  for (const owned_notice& one : t.notices) after.insert(std::string(to_string(one.kind)));
  EXPECT_TRUE(!after.contains("root_lost") || after.contains("root_restored"));
  return outcome;
}

using cell = std::set<std::string>;

template <class Fixture>
cell outcomes(const failing_call& c, int error, int times, phase when) {
  const int first_calls =
      error == EINTR && times != 1 ? 1 : static_cast<int>(from_environment("HOTWATCH_FAULTED_CALLS", 8));
  cell all;
  for (int n = 1; n <= first_calls && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE(std::string(c.name) + ", call " + std::to_string(n) + (times == 1 ? " once " : " for ever ") +
                 std::strerror(error) + (when == phase::set_up ? ", at set-up" : ", running"));
    const std::string outcome = outcome_of<Fixture>(c, error, n, times, when);
    if (outcome.empty()) break;
    all.insert(outcome);
  }
  return all;
}

std::string text(const cell& c) {
  std::string all;
  for (const std::string& one : c) all += (all.empty() ? "" : "; ") + one;
  return all.empty() ? "-" : all;
}

void append_rows(const char* backend, const std::string& rows) {
  const char* const path = std::getenv("HOTWATCH_FAULTS");
  if (path == nullptr) return;
  static std::set<std::string> headed;
  std::ofstream out(path, headed.empty() ? std::ios::trunc : std::ios::app);
  if (headed.empty())
    out << "# Faults\n\n"
           "What comes of each error of each system call, by `tests/live/linux/faults.cpp`: at each of the first eight "
           "calls, once and for\n"
           "ever, while the watcher is set up and while it runs. In every case it goes on, tells what it can, and "
           "holds what is on disk\n"
           "once the fault is over. `-`: the call is not made then.\n\n"
           "- *told as ever*: everything was told, and nothing had to be said about the fault.\n"
           "- *error*: the constructor, `add()` or `native_handle()` threw a `std::system_error` with this error.\n"
           "- *notice*: what could not be done was told beside the changes.\n";
  if (headed.insert(backend).second)
    out << "\n## " << backend
        << "\n\n| call | error | set-up, once | set-up, for ever | running, once | running, for ever |\n"
           "|---|---|---|---|---|---|\n";
  out << rows;
}

template <class Fixture>
void write_table(const char* backend, const failing_call& c) {
  std::string rows;
  for (const int error : c.errors) {
    std::string row = std::string("| ") + c.name + " | " + ::strerrorname_np(error);
    bool met = false;
    for (const phase when : {phase::set_up, phase::running})
      for (const int times : {1, script::for_ever}) {
        const cell all = outcomes<Fixture>(c, error, times, when);
        met |= !all.empty();
        row += " | " + text(all);
      }
    if (met) rows += row + " |\n";
  }
  if (!rows.empty()) append_rows(backend, rows);
}

class faults_of_inotify : public testing::TestWithParam<failing_call> {};
TEST_P(faults_of_inotify, end) { write_table<scripted_inotify>("inotify_backend", GetParam()); }
class faults_of_fanotify : public testing::TestWithParam<failing_call> {};
TEST_P(faults_of_fanotify, end) {
  if (const std::string why = why_not<fanotify_watcher>(); !why.empty()) GTEST_SKIP() << why;
  write_table<scripted_fanotify>("fanotify_backend", GetParam());
}
class faults_of_native : public testing::TestWithParam<failing_call> {};
TEST_P(faults_of_native, end) { write_table<scripted_native>("native_backend", GetParam()); }
class faults_of_polling : public testing::TestWithParam<failing_call> {};
TEST_P(faults_of_polling, end) { write_table<scripted_polling>("polling_backend", GetParam()); }

const auto by_name = [](const auto& tested) {
  const std::string name = tested.param.name;
  return name.substr(0, name.find('('));
};
INSTANTIATE_TEST_SUITE_P(faults, faults_of_inotify, testing::ValuesIn(calls), by_name);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_fanotify, testing::ValuesIn(calls), by_name);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_native, testing::ValuesIn(calls), by_name);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_polling, testing::ValuesIn(calls), by_name);

}  // namespace
}  // namespace hotwatch::test
