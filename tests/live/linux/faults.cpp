// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every system call of the backends of Linux, and every error that its manual page lists, at each of its first calls,
// once and for ever: nothing crashes or hangs, nothing stays open, and nothing is silently deaf. What comes of each is
// docs/faults.md (support/fault_table.hpp).

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "support/fault_table.hpp"
#include "support/linux/faulted_watcher.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum system_call;

// Left out are the errors of a program that hands over nonsense (EBADF, EFAULT, EINVAL), and those which say that
// something is not there (ENOENT, ENOTDIR, ELOOP): said of what is there they are no fault but a lie, and as the truth
// they are what tests/convergence is about. A read of inotify fails for no reason but a signal, and FIONREAD for none
// (inotify_read() and inotify_ioctl(), fs/notify/inotify/inotify_user.c).
const failing_call<system_call> calls[] = {
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

/// A watcher over the kernel.
template <class Fixture, const char* Title>
struct on_linux : faulted_watcher<Fixture> {
  static constexpr const char* title = Title;
  static constexpr int phases = 2;
  static constexpr int for_ever = script::for_ever;
  static constexpr bool has(phase) { return true; }
  void begin(system_call call, int error, int n, int times) {
    if (this->is_alike(error, times))
      this->faults->interrupt(call);
    else
      this->faults->fail(call, n, error, times);
  }
  void open() { this->watch_tree({.poll_interval = 1ms}); }
  [[nodiscard]] bool has_watcher() const {
    return (this->watcher && this->handle_ >= 0) || faulted_watcher<Fixture>::has_watcher();
  }
  [[nodiscard]] int failures() const { return this->faults->failures(); }
  void work(phase) {
    this->change_all();
    outlive_the_tick();
  }
  void end_faults(int error) {
    this->faults->stop_failing();
    if (error == EACCES || error == EPERM)  // permission comes with a word
      for (const auto& [path, type] : this->root.list())
        if (type == entry_type::directory) raw::chmod(path, 0700);
    raw::chmod(this->root.path(), 0700);
  }
};

constexpr char inotify_title[] = "inotify_backend", fanotify_title[] = "fanotify_backend",
               native_title[] = "native_backend", polling_title[] = "polling_backend";

class faults_of_inotify : public testing::TestWithParam<failing_call<system_call>> {};
TEST_P(faults_of_inotify, end) { write_rows<on_linux<scripted_inotify, inotify_title>>(GetParam()); }
class faults_of_fanotify : public testing::TestWithParam<failing_call<system_call>> {};
TEST_P(faults_of_fanotify, end) {
  if (const std::string why = why_not<fanotify_watcher>(); !why.empty()) GTEST_SKIP() << why;
  write_rows<on_linux<scripted_fanotify, fanotify_title>>(GetParam());
}
class faults_of_native : public testing::TestWithParam<failing_call<system_call>> {};
TEST_P(faults_of_native, end) { write_rows<on_linux<scripted_native, native_title>>(GetParam()); }
class faults_of_polling : public testing::TestWithParam<failing_call<system_call>> {};
TEST_P(faults_of_polling, end) { write_rows<on_linux<scripted_polling, polling_title>>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(faults, faults_of_inotify, testing::ValuesIn(calls), by_call);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_fanotify, testing::ValuesIn(calls), by_call);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_native, testing::ValuesIn(calls), by_call);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_polling, testing::ValuesIn(calls), by_call);

}  // namespace
}  // namespace hotwatch::test
