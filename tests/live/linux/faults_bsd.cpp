// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every call of polling over the floor of a BSD, run on Linux, with every error that its manual pages list: as
// faults.cpp has it for Linux (support/fault_table.hpp).

#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <memory>

#include "support/fault_table.hpp"
#include "support/linux/faulted_bsd.hpp"
#include "support/linux/faulted_watcher.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum bsd_call;

// Those of POSIX.1-2008 and of the pages of FreeBSD, NetBSD, OpenBSD and macOS, without the errors of a program that
// hands over nonsense, and without those which say of what is there that it is not. closedir(3), rewinddir(3) and
// clock_gettime(2) have no others.
const failing_call<bsd_call> calls[] = {
    {openat, "openat(2)", {EACCES, EINTR, EMFILE, ENFILE, ENOMEM, EIO, EPERM}},
    {bsd_call::fcntl, "fcntl(2)", {EMFILE, EINTR}},
    {bsd_call::fdopendir, "fdopendir(3)", {ENOMEM, EMFILE}},
    {bsd_call::readdir, "readdir(3)", {EIO, EINTR}},
    {bsd_call::fstat, "fstat(2)", {EIO, EOVERFLOW}},
    {bsd_call::fstatat, "fstatat(2)", {EACCES, EIO, EOVERFLOW}},
    {bsd_call::readlink, "readlink(2)", {EACCES, EIO}},
    {bsd_call::pipe, "pipe(2)", {EMFILE, ENFILE, ENOMEM}},
    {bsd_call::read, "read(2)", {EINTR, EAGAIN, EIO}},
    {bsd_call::write, "write(2)", {EINTR, EAGAIN, EIO}},
    {bsd_call::kqueue, "kqueue(2)", {EMFILE, ENFILE, ENOMEM}},
    {kevent_change, "kevent(2), a change", {EACCES, EINTR, ENOMEM}},
    {kevent_wait, "kevent(2), a wait", {EINTR}},
};

class on_bsd : public faulted_watcher<scripted_test<basic_watcher<faulted_bsd_backend>>> {
 public:
  static constexpr const char* title = "polling_backend on a BSD";
  static constexpr int phases = 4;
  static constexpr int for_ever = fault_list<bsd_call>::for_ever;
  static constexpr bool has(phase when) { return when != phase::overflow; }
  void begin(bsd_call call, int error, int n, int times) {
    if (is_alike(error, times))
      faulty->fail_every_other(call, error);
    else
      faulty->fail(call, n, error, times);
  }
  void open() {
    watch_tree_by(std::make_unique<basic_watcher<faulted_bsd_backend>>(options{.poll_interval = 1ms},
                                                                       faulted_bsd_system(faulty)));
  }
  [[nodiscard]] int failures() const { return faulty->failures(); }

  void work(phase now) {
    if (now == phase::running) change_all();
    if (now == phase::returning) {
      raw::rm_rf(root.path());
      (void)drive(20ms);
      directory.base().mkdir("root");
      scripted_test::make_tree();
    }
    outlive_the_tick();
  }
  void end_faults(int) { faulty->stop_failing(); }

 private:
  std::shared_ptr<fault_list<bsd_call>> faulty = std::make_shared<fault_list<bsd_call>>();
};

class faults_of_bsd_polling : public testing::TestWithParam<failing_call<bsd_call>> {};
TEST_P(faults_of_bsd_polling, end) { write_rows<on_bsd>(GetParam()); }
INSTANTIATE_TEST_SUITE_P(faults, faults_of_bsd_polling, testing::ValuesIn(calls), by_call);

}  // namespace
}  // namespace hotwatch::test
