// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What os/bsd/ makes of its system calls: over the C library's own, and over a kqueue that is an epoll.
#include "support/linux/bsd.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using calls = bsd_calls<linux_system>;

bool is_readable(int fd, std::chrono::milliseconds longest = 0ms) { return raw::becomes_ready(fd, longest); }

TEST(bsd_alarm, is_woken_once_and_then_is_quiet) {
  calls system;
  detail::bsd::alarm<calls> alarm(system);
  EXPECT_FALSE(is_readable(alarm.native_handle()));
  alarm.wake();
  alarm.wake();
  EXPECT_TRUE(is_readable(alarm.native_handle()));
  EXPECT_TRUE(alarm.wait(std::nullopt));
  EXPECT_FALSE(is_readable(alarm.native_handle()));
  EXPECT_FALSE(alarm.wait(0ns));
  alarm.wake();
  EXPECT_TRUE(alarm.wait(std::nullopt));
}

TEST(bsd_alarm, more_wakes_than_the_pipe_holds_are_one) {
  calls system;
  detail::bsd::alarm<calls> alarm(system);
  for (int i = 0; i < 100'000; ++i) alarm.wake();
  EXPECT_TRUE(alarm.wait(0ns));
  alarm.arm(1ns);
  EXPECT_TRUE(is_readable(alarm.native_handle(), deadline));
  EXPECT_FALSE(alarm.wait(0ns));  // that was the deadline
  alarm.wake();
  EXPECT_TRUE(alarm.wait(0ns));
}

TEST(bsd_alarm, keeps_errno_for_the_one_whom_a_signal_interrupts) {
  calls system;
  detail::bsd::alarm<calls> alarm(system);
  for (int i = 0; i < 100'000; ++i) {  // the last are refused: EAGAIN
    errno = ENOTTY;
    alarm.wake();
    ASSERT_EQ(errno, ENOTTY);
  }
}

TEST(bsd_alarm, deadline_is_readable_until_it_is_taken_or_set_anew) {
  calls system;
  detail::bsd::alarm<calls> alarm(system);
  const int handle = alarm.native_handle();
  alarm.arm(1ns);
  EXPECT_TRUE(is_readable(handle, deadline));
  EXPECT_FALSE(alarm.wait(0ns));  // nobody woke it
  EXPECT_FALSE(is_readable(handle));
  alarm.arm(-5ns);  // it is over already
  EXPECT_TRUE(is_readable(handle, deadline));
  alarm.arm(std::nullopt);
  EXPECT_FALSE(is_readable(handle));
  alarm.arm(24h);
  EXPECT_FALSE(is_readable(handle));
  alarm.arm(1ns);
  EXPECT_TRUE(is_readable(handle, deadline));
}

struct notes_how_long : calls {
  int kevent_take(int, const timespec* timeout) const {
    told.push_back(timeout != nullptr ? std::optional(timeout->tv_sec * 1s + timeout->tv_nsec * 1ns) : std::nullopt);
    return 0;
  }
  mutable std::vector<std::optional<std::chrono::nanoseconds>> told;
};

TEST(bsd_alarm, waits_no_longer_than_it_is_told) {
  notes_how_long system;
  detail::bsd::alarm<notes_how_long> alarm(system);
  const std::vector<std::optional<std::chrono::nanoseconds>> times{3ms, 24h + 1ns, 0ns, std::nullopt};
  for (const auto& time : times) EXPECT_FALSE(alarm.wait(time));
  EXPECT_EQ(system.told, times);
  EXPECT_FALSE(alarm.wait(-1ns));
  EXPECT_EQ(system.told.back(), 0ns);
}

struct without_pipes : calls {
  int pipe(int*) const noexcept { return errno = EMFILE, -1; }
};
struct without_kqueues : calls {
  int kqueue() const noexcept { return errno = ENOMEM, -1; }
};

TEST(bsd_alarm, that_cannot_be_had_is_an_error) {
  without_pipes pipes;
  EXPECT_THROW(detail::bsd::alarm<without_pipes> alarm(pipes), std::system_error);
  without_kqueues kqueues;
  EXPECT_THROW(detail::bsd::alarm<without_kqueues> alarm(kqueues), std::system_error);
}

class bsd_directory : public testing::Test {
 protected:
  using directory_type = detail::bsd::directory<calls>;
  [[nodiscard]] directory_type open() {
    std::error_code ec;
    return directory_type::open(system, where.root().path().c_str(), ec);
  }
  [[nodiscard]] static std::map<std::string, entry_type> names(const directory_type& d) {
    std::map<std::string, entry_type> all;
    std::vector<char> buffer;
    EXPECT_FALSE(d.list(buffer, [&](std::string_view name, entry_type type, std::uint64_t id) {
      file_status seen;
      EXPECT_FALSE(d.look(name, seen));
      EXPECT_EQ(seen.file_id, id) << name;
      EXPECT_TRUE(all.emplace(name, type).second) << name;
    }));
    return all;
  }
  calls system;
  temp_directory where;
};

TEST_F(bsd_directory, lists_all_each_time) {
  where.root().write("f");
  where.root().mkdir_p("d");
  where.root().symlink("d", "l");
  const directory_type d = open();
  const std::map<std::string, entry_type> all{
      {"d", entry_type::directory}, {"f", entry_type::file}, {"l", entry_type::symlink}};
  EXPECT_EQ(names(d), all);
  EXPECT_EQ(names(d), all);
}

TEST_F(bsd_directory, looks_at_a_link_and_not_through_it) {
  where.root().write("f", "text");
  where.root().symlink("f", "l");
  const directory_type d = open();
  file_status seen;
  ASSERT_FALSE(d.look("f", seen));
  EXPECT_EQ(seen.type, entry_type::file);
  EXPECT_EQ(seen.size, 4u);
  ASSERT_FALSE(d.look("l", seen));
  EXPECT_EQ(seen.type, entry_type::symlink);
  ASSERT_FALSE(d.look({}, seen));
  EXPECT_EQ(seen.type, entry_type::directory);
  EXPECT_EQ(d.look("none", seen), std::errc::no_such_file_or_directory);
}

TEST_F(bsd_directory, enters_a_link_only_when_asked_to) {
  where.out().mkdir_p("far");
  where.root().symlink(where.out().at("far"), "l");
  const directory_type d = open();
  std::error_code ec;
  EXPECT_FALSE(d.open_child("l", ec));
  EXPECT_EQ(ec, std::errc::not_a_directory);
  EXPECT_TRUE(d.open_link("l", ec));
  EXPECT_FALSE(ec);
}

// FreeBSD says EMLINK of a symlink that is not to be followed, NetBSD EFTYPE, which has no name elsewhere.
struct says_otherwise : calls {
  int openat(int directory, const char* path, int flags) const noexcept {
    const int fd = calls::openat(directory, path, flags);
    if (fd < 0 && (flags & O_NOFOLLOW) != 0) errno = EMLINK;
    return fd;
  }
};

TEST_F(bsd_directory, a_link_is_no_directory_however_the_kernel_says_so) {
  where.root().symlink(".", "l");
  says_otherwise other;
  std::error_code ec;
  const auto d = detail::bsd::directory<says_otherwise>::open(other, where.root().path().c_str(), ec);
  EXPECT_FALSE(d.open_child("l", ec));
  EXPECT_EQ(ec, std::errc::not_a_directory);
}

TEST(bsd_status, reads_the_times_by_whichever_names_they_have) {
  struct {
    timespec st_mtimespec{1, 2}, st_ctimespec{3, 4}, st_birthtimespec{5, 6};
    mode_t st_mode = S_IFREG | 0644;
    int st_dev = 7, st_ino = 8, st_size = 9, st_nlink = 1;
    unsigned st_uid = 10, st_gid = 11;
  } of_macos;
  file_status seen;
  detail::bsd::read_status(of_macos, seen);
  EXPECT_EQ(seen.modified, 1'000'000'002u);
  EXPECT_EQ(seen.changed, 3'000'000'004u);
  EXPECT_EQ(seen.born, 5'000'000'006u);
  EXPECT_EQ(seen.type, entry_type::file);
  of_macos.st_birthtimespec = {-1, 0};
  detail::bsd::read_status(of_macos, seen);
  EXPECT_EQ(seen.born, 0u);
}

}  // namespace
}  // namespace hotwatch::test
