// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every call of polling over the floor of a BSD, run on Linux, with every error that its manual pages list: as
// faults.cpp has it for Linux (support/fault_table.hpp).

#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <string>
#include <system_error>
#include <thread>

#include "support/fault_table.hpp"
#include "support/linux/descriptors.hpp"
#include "support/linux/faulted_bsd.hpp"
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

class on_bsd : public scripted_test<basic_watcher<faulted_bsd_backend>> {
 public:
  static constexpr const char* title = "polling_backend on a BSD";
  static constexpr const char* introduction = "";
  static constexpr int phases = 4;
  static constexpr int first_calls = 8;
  static constexpr int for_ever = fault_list<bsd_call>::for_ever;
  static constexpr bool has(phase when) { return when != phase::overflow; }
  static std::string name_of(int error) { return ::strerrorname_np(error); }
  static std::error_code code_of(bsd_call, int error) { return {error, std::system_category()}; }
  static constexpr bool is_alike(int error, int times) { return error == EINTR && times != 1; }

  void TestBody() override {}

  void make_tree() {
    scripted_test::make_tree();
    outlive_the_tick();
  }
  void begin(bsd_call call, int error, int n, int times) {
    if (is_alike(error, times))
      faulty->fail_every_other(call, error);
    else
      faulty->fail(call, n, error, times);
  }
  void open() {
    watcher =
        std::make_unique<basic_watcher<faulted_bsd_backend>>(options{.poll_interval = 1ms}, faulted_bsd_system(faulty));
    watcher->add(root.path());
    told = model({root.path()});
    told.start_from(known(*watcher));
    take(watcher->poll());
  }
  void ask_for_handle() {
    std::this_thread::sleep_for(2ms);
    handle_ = watcher->native_handle();
  }
  [[nodiscard]] bool has_watcher() const { return watcher && !told.entries().empty(); }
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
  [[nodiscard]] std::string drive(std::chrono::milliseconds longest) {
    const auto end = std::chrono::steady_clock::now() + longest;
    std::string difference;
    do {
      if (handle_ >= 0) {
        pollfd p{handle_, POLLIN, 0};
        (void)::poll(&p, 1, 1);
        take(watcher->poll());
      } else {
        take(watcher->wait_for(2ms));
      }
      take(watcher->flush());
      difference = wrong_ + told.difference(listed());
    } while (!difference.empty() && std::chrono::steady_clock::now() < end);
    return difference;
  }
  void end_faults(int) { faulty->stop_failing(); }
  void write_last() { root.write("last"); }
  [[nodiscard]] std::string close() {
    watcher.reset();
    const int left = open_descriptors() - before_;
    return left == 0 ? "" : std::to_string(left) + " descriptors are open";
  }

 private:
  [[nodiscard]] listing listed() const { return raw::exists(root.path()) ? root.list() : listing(); }

  const int before_ = open_descriptors();
  std::shared_ptr<fault_list<bsd_call>> faulty = std::make_shared<fault_list<bsd_call>>();
  int handle_ = -1;
};

class faults_of_bsd_polling : public testing::TestWithParam<failing_call<bsd_call>> {};
TEST_P(faults_of_bsd_polling, end) { write_rows<on_bsd>(GetParam()); }
INSTANTIATE_TEST_SUITE_P(faults, faults_of_bsd_polling, testing::ValuesIn(calls), by_call);

}  // namespace
}  // namespace hotwatch::test
