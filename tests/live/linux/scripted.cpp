// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What a kernel seldom does, made to happen: every call may fail, every record may be lost. Afterwards nothing hangs,
// and nothing is silently deaf: what failed once is made good, what fails for ever is told as a notice.

#include <dirent.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum system_call;
namespace in = detail::inotify;

bool is_readable(int fd, std::chrono::milliseconds timeout = deadline) {
  pollfd p{fd, POLLIN, 0};
  return ::poll(&p, 1, static_cast<int>(timeout.count())) == 1;
}

// Watches.

TEST(scripted, the_limit_of_watches_is_reached_at_the_nth) {
  for (const int times : {1, script::for_ever})
    for_each_n<scripted_inotify>(60, [&](auto& t, int n) {
      t.faults->fail(inotify_add_watch, n, ENOSPC, times);
      t.open();
      const bool met = t.faults->failures() != 0;
      t.change_all();
      EXPECT_EQ(t.until_converged(), "") << (times == 1 ? "once" : "for ever");
      for (const owned_notice& one : t.notices) {
        // A directory is polled; the way to the root cannot be, so that is told as something that failed.
        EXPECT_TRUE(one.kind == notice_kind::polling || (one.kind == notice_kind::failed && one.path == t.root.path()));
        EXPECT_EQ(one.error, std::errc::no_space_on_device);
        EXPECT_NE(one.advice.find("fs.inotify.max_user_watches"), std::string::npos);
        EXPECT_NE(one.advice.find("user.max_inotify_watches"), std::string::npos);
      }
      // The waker comes first, then the root and its six directories.
      EXPECT_TRUE(times == 1 || n > 8 || t.has(notice_kind::polling));
      return met;
    });
}

TEST(scripted, the_limit_of_watches_is_reached_while_directories_come) {
  for_each_n<scripted_inotify>(20, [&](auto& t, int n) {
    t.open();
    t.faults->fail(inotify_add_watch, n, ENOSPC, script::for_ever);
    t.change_all();
    EXPECT_EQ(t.until_converged(), "");
    const bool met = t.faults->failures() != 0;
    EXPECT_EQ(t.has(notice_kind::polling), met);
    t.root.write("made/late");
    t.root.write("f/made/within/late");
    EXPECT_EQ(t.until_converged(), "");
    return met;
  });
}

TEST_F(scripted_inotify, with_no_watch_at_all_the_way_above_the_root_is_not_forgotten) {
  directory.base().mkdir_p("above/root");
  directory.base().write("above/root/file");
  faults->fail(inotify_add_watch, 2, ENOSPC, script::for_ever);
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  watcher->add(directory.base().at("above/root"));
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::polling));
  directory.base().rename("above", "elsewhere");
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::root_lost));
}

TEST_F(scripted_inotify, a_guard_that_is_refused_is_no_secret) {
  // The root itself is watched, but nothing is left for the way above it: either a notice says so, or its moving away
  // is found out all the same.
  directory.base().mkdir_p("above/root");
  faults->fail(inotify_add_watch, 3, ENOSPC, script::for_ever);
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  watcher->add(directory.base().at("above/root"));
  take(watcher->flush());
  directory.base().rename("above", "elsewhere");
  take(watcher->flush());
  EXPECT_FALSE(notices.empty());
}

// Descriptors.

TEST(scripted, no_descriptor_is_left_while_a_root_is_added) {
  for_each_n<scripted_inotify>(30, [&](auto& t, int n) {
    t.faults->fail(openat, n, EMFILE);
    try {
      t.open();
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::errc::too_many_files_open);
      EXPECT_NE(std::string_view(e.what()).find(t.root.path()), std::string_view::npos) << e.what();
      EXPECT_EQ(t.watcher->stats().directories + t.watcher->stats().files, 0u) << "nothing half-added remains";
      return true;
    }
    const bool met = t.faults->failures() != 0;
    t.faults->stop_failing();
    t.change_all();
    EXPECT_EQ(t.until_converged(), "");
    EXPECT_EQ(t.has(notice_kind::failed), met);
    return met;
  });
}

TEST(scripted, no_descriptor_is_left_while_directories_are_read) {
  for (const int times : {1, 5})
    for_each_n<scripted_inotify>(60, [&](auto& t, int n) {
      t.open();
      t.faults->fail(openat, n, EMFILE, times);
      t.change_all();
      EXPECT_EQ(t.until_converged(), "") << times << " times";
      return t.faults->failures() != 0;
    });
}

// Directories and files that cannot be read or looked at.

constexpr std::size_t an_entry_or_two = 64;

TEST(scripted, a_directory_cannot_be_read_to_its_end_while_a_root_is_added) {
  for_each_n<scripted_inotify>(60, [&](auto& t, int n) {
    t.faults->list_at_most = an_entry_or_two;
    t.faults->fail(getdents64, n, EIO);
    try {
      t.open();
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::errc::io_error);
      return true;
    }
    const bool met = t.faults->failures() != 0;
    EXPECT_EQ(t.has(notice_kind::failed), met);
    EXPECT_EQ(t.until_converged(1s), "");
    return met;
  });
}

TEST(scripted, a_directory_cannot_be_read_to_its_end_later) {
  for_each_n<scripted_inotify>(120, [&](auto& t, int n) {
    t.faults->list_at_most = an_entry_or_two;
    t.open();
    t.faults->fail(getdents64, n, EIO);
    t.change_all();
    EXPECT_EQ(t.until_converged(1s), "");
    return t.faults->failures() != 0;
  });
}

// The subdirectories that were listed before the error are not those of the directory above.
TEST(scripted, a_listing_that_breaks_off_does_not_mix_up_directories_of_one_name) {
  for_each_n<scripted_inotify>(80, [&](auto& t, int n) {
    for (const char* d : {"pkg/mods/inner", "mods/other", "pkg/x", "x"}) t.root.mkdir_p(d);
    t.root.write("mods/only-here");
    t.faults->list_at_most = an_entry_or_two;
    t.faults->fail(getdents64, n, EIO);
    try {
      t.open();
    } catch (const std::system_error&) {
      return true;
    }
    for (const auto& [path, type] : known(*t.watcher)) EXPECT_TRUE(raw::exists(path)) << path;
    EXPECT_EQ(t.until_converged(1s), "");
    return t.faults->failures() != 0;
  });
}

// A name that is removed and made again while its directory is read may be in the listing twice (tmpfs from Linux 6.6).
TEST_F(scripted_inotify, a_name_that_is_listed_twice_is_one_name) {
  faults->lists_twice = true;
  faults->list_at_most = an_entry_or_two;
  open();
  EXPECT_EQ(watcher->stats().files, 6u);
  faults->inject(inotify_record(-1, in::in_q_overflow));
  EXPECT_EQ(until_converged(1s), "");
}

template <class Test>
void follow_a_tree_whose_types_are_hidden() {
  for_each_n<Test>(1, [](auto& t, int) {
    t.faults->hides_types = true;
    t.open();
    EXPECT_EQ(t.watcher->stats().files, 6u);
    EXPECT_EQ(t.watcher->stats().directories, 7u);
    t.change_all();
    EXPECT_EQ(t.until_converged(), "");
    return false;
  });
}
TEST(scripted, a_file_system_that_lists_no_types) { follow_a_tree_whose_types_are_hidden<scripted_inotify>(); }
TEST(scripted, a_polled_file_system_that_lists_no_types) { follow_a_tree_whose_types_are_hidden<scripted_polling>(); }

TEST(scripted, a_status_cannot_be_had) {
  for (const int error : {EACCES, EIO})
    for_each_n<scripted_inotify>(60, [&](auto& t, int n) {
      t.open();
      t.faults->fail(statx, n, error);
      t.change_all();
      EXPECT_EQ(t.until_converged(1s), "") << error;
      return t.faults->failures() != 0;
    });
}

TEST(scripted, polling_survives_what_fails_once) {
  for (const system_call call : {openat, getdents64, statx})
    for_each_n<scripted_polling>(60, [&](auto& t, int n) {
      t.open();
      t.faults->fail(call, n, EIO);
      t.change_all();
      EXPECT_EQ(t.until_converged(1s), "") << "call " << static_cast<int>(call);
      return t.faults->failures() != 0;
    });
}

// Interruptions.

TEST(scripted, every_other_call_is_interrupted) {
  for (const system_call call : {read, ppoll, getdents64, openat}) {
    SCOPED_TRACE(static_cast<int>(call));
    for_each_n<scripted_inotify>(1, [&](auto& t, int) {
      t.faults->interrupt(call);
      t.open();
      t.change_all();
      EXPECT_EQ(t.until_converged(), "");
      return false;
    });
  }
}

TEST(scripted, every_other_call_is_interrupted_polling) {
  for (const system_call call : {read, ppoll, getdents64, openat}) {
    SCOPED_TRACE(static_cast<int>(call));
    for_each_n<scripted_polling>(1, [&](auto& t, int) {
      t.faults->interrupt(call);
      t.open();
      t.change_all();
      EXPECT_EQ(t.until_converged(), "");
      return false;
    });
  }
}

TEST_F(scripted_inotify, an_interrupted_wait_goes_on) {
  open();
  faults->fail(system_call::read, 1, EINTR, 3);
  faults->fail(ppoll, 1, EINTR, 3);
  root.write("1", "more");
  const batch& b = watcher->wait();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(line(b[0]), "modified 1");
}

// Records.

TEST(scripted, records_are_cut_anywhere) {
  for (const std::size_t at_most : {1u, 7u, 15u, 16u, 17u, 31u, 33u, 100u})
    for_each_n<scripted_inotify>(1, [&](auto& t, int) {
      t.open();
      t.faults->read_at_most = at_most;
      t.change_all();
      EXPECT_EQ(t.until_converged(), "") << at_most;
      return false;
    });
}

TEST(scripted, the_queue_overflows_at_each_position) {
  for (const std::size_t lost : {1u, 3u, 1'000u})
    for_each_n<scripted_inotify>(400, [&](auto& t, int n) {
      t.open();
      bool met = false;
      t.faults->on_records = [&](std::vector<std::string>& records) {
        if (met || static_cast<std::size_t>(n) > records.size()) return;
        met = true;
        const auto at = records.begin() + (n - 1);
        const auto end = records.begin() +
                         static_cast<std::ptrdiff_t>(std::min(records.size(), static_cast<std::size_t>(n) - 1 + lost));
        records.insert(records.erase(at, end), inotify_record(-1, in::in_q_overflow));
      };
      outlive_the_tick();
      t.change_all();
      EXPECT_EQ(t.until_converged(), "") << lost << " records lost";
      EXPECT_EQ(t.has(notice_kind::overflow), met);
      EXPECT_EQ(t.watcher->stats().overflows, met ? 1u : 0u);
      return met;
    });
}

// What was dropped is found by the look in its new directory; and when that is moved before it is looked at there, no
// hint tells of it any more.
TEST(scripted, a_directory_is_moved_at_each_call_of_the_look_behind_an_overflow) {
  for_each_n<scripted_inotify>(400, [](auto& t, int n) {
    t.open();
    bool dropped = false;
    t.faults->on_records = [&](std::vector<std::string>& records) {
      if (!std::exchange(dropped, true)) records = {inotify_record(-1, in::in_q_overflow)};
    };
    t.root.rename("d/e", "a/e");
    t.root.rename("1", "a/1");
    int calls = 0;
    t.faults->before_each = [&](system_call) {
      if (++calls == n) t.root.rename("a", "moved");
    };
    t.take(t.watcher->flush());
    t.faults->before_each = nullptr;
    EXPECT_EQ(t.until_converged(), "");
    return calls >= n;
  });
}

// Whoever forbids the look may be any directory above: of its permission no hint tells the one with the name.
TEST_F(scripted_inotify, a_name_that_may_not_be_looked_at_is_told_when_it_may) {
  root.mkdir_p("d");
  root.write("d/one", "1");
  root.write("d/other", "22");
  directory.out().write("another", "333");
  open();
  // Two renames onto one name, which inotify merges: what is there is looked at.
  root.rename("d/one", "d/other");
  ASSERT_TRUE(raw::rename(directory.out().at("another"), root.at("d/other")));
  faults->fail(statx, 1, EACCES, script::for_ever);
  lines all = in_order(watcher->flush());
  faults->stop_failing();
  for (const std::string& line : in_order(watcher->flush())) all.push_back(line);
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const std::string& line) { return line.ends_with("modified"); }) ||
              std::count(all.begin(), all.end(), "modified d/other") == 1)
      << testing::PrintToString(all);
}

// What the queue still held was read late; what was dropped behind it happened before that.
TEST_F(scripted_inotify, a_write_that_was_dropped_after_a_rename_that_was_read_late) {
  open();
  faults->on_records = [](std::vector<std::string>& records) {
    records.resize(2);  // both halves of the rename
    records.push_back(inotify_record(-1, in::in_q_overflow));
  };
  root.rename("1", "f/1");
  outlive_the_tick();
  root.write("f/1", "other");
  outlive_the_tick();
  const lines all = in_order(watcher->flush());
  EXPECT_EQ(std::count(all.begin(), all.end(), "renamed 1 -> f/1 modified"), 1);
}

/// Leaves out the records that have one of these bits.
auto without(std::uint32_t mask) {
  return [mask](std::vector<std::string>& records) {
    std::erase_if(records, [&](const std::string& record) {
      in::record_head head;
      std::memcpy(&head, record.data(), sizeof head);
      return (head.mask & mask) != 0;
    });
  };
}

// The kernel queues both halves under the lock of the directory that is left, and a read of that directory takes it:
// the second half is there when it has been read, and not before (vfs_rename(), getdents64(2)).
TEST_F(scripted_inotify, a_second_half_that_is_still_to_be_queued_is_waited_for) {
  open();
  std::string second;
  faults->on_records = [&](std::vector<std::string>& records) {
    ASSERT_EQ(records.size(), 2u);
    second = records.back();
    records.pop_back();
  };
  faults->before_each = [&](system_call call) {
    if (call == system_call::getdents64 && !second.empty()) faults->inject(std::exchange(second, {}));
  };
  root.rename("a/2", "f/2");
  EXPECT_EQ(in_order(watcher->flush()), lines{"renamed a/2 -> f/2"});
}

TEST_F(scripted_inotify, a_first_half_without_its_second_is_gone) {
  open();
  faults->on_records = without(in::in_moved_to);
  root.rename("a/2", "f/2");
  take(watcher->flush());
  EXPECT_FALSE(told.entries().contains(root.at("a/2")));
  faults->inject(inotify_record(-1, in::in_q_overflow));
  EXPECT_EQ(until_converged(), "") << "the next look finds it";
}

TEST_F(scripted_inotify, a_second_half_without_its_first_is_new) {
  open();
  faults->on_records = without(in::in_moved_from);
  root.rename("a/2", "f/2");
  root.rename("a/b", "f/b");
  take(watcher->flush());
  EXPECT_TRUE(told.entries().contains(root.at("f/2")));
  EXPECT_TRUE(told.entries().contains(root.at("f/b/c/4")));
  faults->inject(inotify_record(-1, in::in_q_overflow));
  EXPECT_EQ(until_converged(), "") << "the next look finds that it is no more where it was";
}

TEST_F(scripted_inotify, halves_that_were_swapped_are_told_all_the_same) {
  open();
  faults->on_records = [](std::vector<std::string>& records) { std::reverse(records.begin(), records.end()); };
  root.rename("a/2", "f/2");
  EXPECT_EQ(until_converged(1s), "");
}

TEST_F(scripted_inotify, records_of_no_known_watch_are_nobodys) {
  open();
  for (const std::int32_t wd : {-1, 0, 9'999, 0x7fffffff})
    for (const std::uint32_t mask : {in::in_create, in::in_delete, in::in_moved_from, in::in_moved_to, in::in_modify,
                                     in::in_ignored, in::in_delete_self, in::in_move_self, in::in_unmount, 0u})
      faults->inject(inotify_record(wd, mask, "name", 7) + inotify_record(wd, mask));
  EXPECT_TRUE(watcher->flush().empty());
  change_all();
  EXPECT_EQ(until_converged(), "");
}

TEST_F(scripted_inotify, records_without_a_name_are_no_files) {
  open();
  // tar sets a directory's times: IN_MODIFY and IN_ATTRIB of the watched directory, with no name.
  for (std::int32_t wd = 1; wd < 20; ++wd)
    for (const std::uint32_t mask : {in::in_modify, in::in_attrib, in::in_create, in::in_delete, in::in_moved_from,
                                     in::in_moved_to, in::in_close_write})
      faults->inject(inotify_record(wd, mask) + inotify_record(wd, mask | in::in_isdir));
  EXPECT_TRUE(watcher->flush().empty());
  EXPECT_EQ(until_converged(), "");
}

TEST_F(scripted_inotify, what_the_kernel_says_of_watches_is_not_believed_blindly) {
  open();
  // Every directory is said to be gone, moved, unmounted and unwatched; none of it is true.
  for (std::int32_t wd = 1; wd < 20; ++wd)
    for (const std::uint32_t mask : {in::in_delete_self, in::in_move_self, in::in_unmount, in::in_ignored})
      faults->inject(inotify_record(wd, mask));
  EXPECT_EQ(until_converged(), "");
  change_all();
  EXPECT_EQ(until_converged(), "");
}

// A directory that is lost, and comes back as one that cannot be opened yet.
TEST_F(scripted_inotify, a_root_that_returns_locked_is_polled_until_it_opens) {
  open();
  raw::rm_rf(root.path());
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::root_lost));
  faults->fail(openat, 1, EACCES, script::for_ever);
  root.mkdir("");
  root.write("within");
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::polling));
  faults->stop_failing();
  EXPECT_EQ(until_converged(1s), "");
  EXPECT_TRUE(has(notice_kind::root_restored));
}

TEST_F(scripted_inotify, a_lost_root_whose_way_cannot_be_guarded_is_polled) {
  directory.base().mkdir_p("above/root");
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  watcher->add(directory.base().at("above/root"));
  faults->forget_watches();
  faults->fail(inotify_add_watch, 1, EACCES, script::for_ever);
  directory.base().rmdir("above/root");
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::root_lost));
  EXPECT_TRUE(has(notice_kind::polling));
  directory.base().mkdir("above/root");
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::root_restored));
}

TEST_F(scripted_inotify, a_lost_file_whose_way_cannot_be_guarded_is_polled) {
  directory.base().mkdir("above");
  directory.base().write("above/conf");
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  watcher->add(directory.base().at("above/conf"));
  faults->forget_watches();
  faults->fail(inotify_add_watch, 1, EACCES, script::for_ever);
  raw::rm_rf(directory.base().at("above"));
  EXPECT_EQ(in_order(watcher->flush()), lines{"removed conf"});
  directory.base().mkdir("above");
  directory.base().write("above/conf");
  EXPECT_EQ(in_order(watcher->wait_for(deadline)), lines{"created conf"});
}

TEST_F(scripted_inotify, a_doubt_ends_with_its_directory) {
  open({.debounce = {.quiet = 10s, .max_wait = 10s, .settle = false}});
  // The directory is watched, but never told of, and its number is given to the file.
  root.mkdir("made");
  EXPECT_TRUE(watcher->poll().empty());
  root.write("made/a");
  root.rename("made/a", "made/b");
  root.rename("made/b", "made/c");
  root.rm("made/c");
  root.rmdir("made");
  root.write("file");
  take(watcher->flush());
  take(watcher->flush());
  const int opened = faults->calls(openat);
  root.append("file");
  take(watcher->flush());
  EXPECT_EQ(faults->calls(openat), opened);
}

TEST_F(scripted_inotify, a_single_file_is_polled_no_longer_than_it_must) {
  root.write("one");
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  faults->fail(inotify_add_watch, 1, ENOSPC, script::for_ever);
  watcher->add(root.at("one"));
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
  faults->stop_failing();
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::polling));
  for (const owned_notice& n : notices) EXPECT_EQ(n.path, root.at("one"));
  EXPECT_EQ(watcher->stats().polled_directories, 0u);
}

TEST_F(scripted_inotify, a_single_file_whose_directory_cannot_be_opened_is_polled_until_it_can) {
  directory.base().mkdir("above");
  directory.base().write("above/conf");
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  watcher->add(directory.base().at("above/conf"));
  raw::rm_rf(directory.base().at("above"));
  EXPECT_EQ(in_order(watcher->flush()), lines{"removed conf"});
  faults->fail(openat, 1, EMFILE, script::for_ever);
  directory.base().mkdir("above");
  directory.base().write("above/conf");
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::polling));
  for (const owned_notice& n : notices) EXPECT_EQ(n.error, std::errc::too_many_files_open);
  faults->stop_failing();
  EXPECT_EQ(in_order(watcher->wait_for(deadline)), lines{"created conf"});
}

TEST_F(scripted_inotify, a_root_that_cannot_be_added_takes_no_notice_of_others_with_it) {
  watcher = std::make_unique<scripted_watcher>(options{.poll_interval = 5ms}, scripted_system(faults));
  faults->fail(inotify_add_watch, 1, ENOSPC);
  watcher->add(root.path());
  std::error_code ec;
  watcher->add(root.at("missing"), {}, ec);
  EXPECT_EQ(ec, std::errc::no_such_file_or_directory);
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::polling));
}

TEST_F(scripted_inotify, names_that_do_not_count_cost_nothing) {
  open({.include = {"*.cpp"}, .debounce = immediate});
  root.write("noise");
  take(watcher->flush());
  const int looks = faults->calls(statx);
  for (int i = 0; i < 100; ++i) {
    root.append(i % 2 != 0 ? "noise" : "other");
    take(watcher->poll());
  }
  take(watcher->flush());
  EXPECT_EQ(faults->calls(statx), looks);
}

TEST_F(scripted_inotify, doubts_that_cannot_be_settled_do_not_pile_up) {
  open({.debounce = immediate});
  faults->fail(openat, 1, EMFILE, script::for_ever);
  const auto looks_of_a_storm = [&] {
    const int before = faults->calls(openat);
    for (const auto& [from, to] :
         {std::pair("a/2", "a/x"), std::pair("a/b/3", "a/b/x"), std::pair("a/x", "a/2"), std::pair("a/b/x", "a/b/3")})
      root.rename(from, to);
    take(watcher->flush());
    return faults->calls(openat) - before;
  };
  const auto storms = [&](int count) {
    int last = 0;
    for (int i = 0; i < count; ++i) last = looks_of_a_storm();
    return last;
  };
  const int after_some = storms(40);
  EXPECT_LE(storms(160), 2 * after_some);
  faults->stop_failing();
  EXPECT_EQ(until_converged(), "");
}

// What happens between two calls of the watcher.

/// Whether wait() returns soon after stop(); if not, it is stopped for good.
template <class Watcher>
bool ends(Watcher& watcher, const place& root) {
  std::mutex mutex;
  std::condition_variable changed;
  bool returned = false;
  bool late = false;
  std::thread rescue([&] {
    std::unique_lock lock(mutex);
    late = !changed.wait_for(lock, 1s, [&] { return returned; });
    if (!late) return;
    watcher.stop();
    root.write("rescue");
  });
  EXPECT_TRUE(watcher.wait().empty());
  {
    const std::lock_guard lock(mutex);
    returned = true;
  }
  changed.notify_all();
  rescue.join();
  return !late;
}

// Two renames that the kernel took for one, while the user was elsewhere: no hint will come that asks for another look.
TEST_F(scripted_inotify, a_doubt_is_settled_before_the_wait_blocks) {
  open({.debounce = immediate});
  out.write("x", "from outside");
  root.rename("1", "f/1");
  root.rename(out.at("x"), "f/1");
  EXPECT_EQ(in_order(watcher->wait()), lines{"renamed 1 -> f/1"});
  std::mutex mutex;
  std::condition_variable changed;
  bool returned = false;
  std::thread rescue([&] {
    std::unique_lock lock(mutex);
    if (!changed.wait_for(lock, 1s, [&] { return returned; })) watcher->stop();
  });
  EXPECT_EQ(in_order(watcher->wait()), lines{"modified f/1"});
  {
    const std::lock_guard lock(mutex);
    returned = true;
  }
  changed.notify_all();
  rescue.join();
}

// A turn reads on while a rename is in the queue by half, and what it reads may be the wake-up of stop().
TEST(scripted, a_stop_at_any_moment_of_a_turn_ends_the_wait) {
  for (const system_call call : {bytes_queued, getdents64, system_call::read})
    for_each_n<scripted_inotify>(20, [&](auto& t, int n) {
      t.open({.debounce = immediate});
      bool met = false;
      t.root.write("new");
      t.root.rename("new", t.out.at("new"));
      t.faults->before(call, n, [&] {
        met = true;
        t.watcher->stop();
      });
      const bool ended = ends(*t.watcher, t.root);
      EXPECT_TRUE(ended || !met) << static_cast<int>(call);
      return met && ended;
    });
}

TEST_F(scripted_inotify, a_wake_up_that_was_lost_does_not_cost_the_next) {
  open({.debounce = immediate});
  // The queue is full: the kernel drops the record.
  faults->on_records = [](std::vector<std::string>& records) { records.clear(); };
  watcher->used_backend().wake();
  take(watcher->poll());
  faults->on_records = nullptr;
  std::thread other([&] { watcher->stop(); });
  EXPECT_TRUE(ends(*watcher, root));
  other.join();
}

TEST(scripted, what_was_read_ahead_is_not_kept_from_an_event_loop) {
  for (const system_call call : {bytes_queued, getdents64, statx})
    for_each_n<scripted_inotify>(40, [&](auto& t, int n) {
      t.open({.debounce = immediate});
      const int handle = t.watcher->native_handle();
      bool met = false;
      // Two renames in one record leave a doubt, and its look reads ahead.
      t.out.write("x");
      t.root.rename("1", "f/1");
      t.root.rename(t.out.at("x"), "f/1");
      t.faults->before(call, n, [&] {
        met = true;
        t.root.write("d/late");
      });
      while (is_readable(handle, 100ms)) t.take(t.watcher->poll());
      EXPECT_EQ(t.wrong_ + t.told.difference(t.root.list()), "") << static_cast<int>(call);
      return met;
    });
}

TEST_F(scripted_inotify, a_flush_arms_the_handle) {
  open();
  const int handle = watcher->native_handle();
  faults->fail(openat, 1, EMFILE, script::for_ever);
  root.mkdir("made");
  take(watcher->flush());
  ASSERT_TRUE(has(notice_kind::failed));
  faults->stop_failing();
  root.write("made/within");
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!told.entries().contains(root.at("made/within")) && std::chrono::steady_clock::now() < end) {
    ASSERT_TRUE(is_readable(handle));
    take(watcher->poll());
  }
}

/// A directory with an `f` in it, made by `make`, moves in; before the n-th call of each kind something else takes the
/// place of that `f`.
void replace_while_it_is_listed(void (*make)(const place& d), void (*replace)(const place& d)) {
  for (const system_call call : {inotify_add_watch, getdents64, statx, openat, bytes_queued, system_call::read})
    for (const bool holds : {true, false})
      for_each_n<scripted_inotify>(20, [&](auto& t, int n) {
        t.open({.debounce = holds ? debounce{} : immediate});
        t.out.mkdir("d");
        make(place(t.out.at("d")));
        bool met = false;
        t.faults->before(call, n, [&] {
          met = true;
          t.root.rename("d1/f", "d1/f~");
          replace(place(t.root.at("d1")));
        });
        t.root.rename(t.out.at("d"), "d1");
        EXPECT_EQ(t.until_converged(1s), "") << static_cast<int>(call) << (holds ? "" : ", immediate");
        return met;
      });
}

TEST(scripted, a_name_that_was_listed_again_is_not_what_had_it_before) {
  replace_while_it_is_listed([](const place& d) { d.mkdir_p("f/within"); }, [](const place& d) { d.write("f"); });
  replace_while_it_is_listed([](const place& d) { d.write("f"); }, [](const place& d) { d.mkdir_p("f/within"); });
}

TEST(scripted, a_link_that_was_listed_in_its_new_place_is_not_the_file_in_its_old_one) {
  replace_while_it_is_listed([](const place& d) { d.symlink("nowhere", "f"); }, [](const place& d) { d.write("f"); });
  replace_while_it_is_listed([](const place& d) { d.write("f"); }, [](const place& d) { d.symlink("nowhere", "f"); });
}

TEST_F(scripted_inotify, a_root_that_moves_before_its_watch_stands) {
  open();
  directory.base().rename("root", "away");
  take(watcher->flush());
  directory.base().mkdir("root");
  root.write("new");
  for (const int call : {1, 2, 3, 4, 5}) {
    faults->before(inotify_add_watch, call, [&, call] {
      raw::rm_rf(root.path());
      root.mkdir("");
      root.write("new" + std::to_string(call));
    });
  }
  EXPECT_EQ(until_converged(0ms), "");
}

TEST_F(scripted_inotify, a_root_that_is_replaced_while_it_is_added) {
  for (const int call : {1, 2, 3}) {
    faults->before(statx, call, [&, call] {
      directory.base().rename("root", "away" + std::to_string(call));
      directory.base().mkdir("root");
      root.write("new" + std::to_string(call));
    });
  }
  open();
  EXPECT_EQ(until_converged(0ms), "");
  root.write("later");
  EXPECT_EQ(until_converged(0ms), "");
}

/// Before the n-th call the root goes, and some calls later it is back.
template <class Fixture>
void take_the_root_away_while_it_is_looked_at() {
  for (const system_call call : {openat, statx, getdents64, inotify_add_watch})
    for (const int later : {1, 2, 3})
      for_each_n<Fixture>(30, [&](auto& t, int n) {
        t.open({.poll_interval = 1ms});
        bool met = false;
        t.faults->before(call, n, [&] {
          met = true;
          raw::rm_rf(t.root.path());
        });
        t.faults->before(call, n + later, [&] {
          raw::mkdir(t.root.path());
          raw::write(t.root.at("new"), "new");
        });
        t.faults->inject(inotify_record(-1, in::in_q_overflow));
        std::this_thread::sleep_for(1ms);  // a poll is due: it is followed by that of the flush
        t.take(t.watcher->flush());
        raw::rename(t.root.path(), t.directory.base().at("away"));
        EXPECT_EQ(t.until_converged(1s), "") << "away, " << static_cast<int>(call) << ", " << later << " calls later";
        raw::rm_rf(t.root.path());
        EXPECT_EQ(t.until_converged(1s), "") << "gone, " << static_cast<int>(call) << ", " << later << " calls later";
        raw::mkdir(t.root.path());
        raw::write(t.root.at("last"), "last");
        EXPECT_EQ(t.until_converged(1s), "") << "back, " << static_cast<int>(call) << ", " << later << " calls later";
        return met;
      });
}
TEST(scripted, a_root_that_goes_while_it_is_looked_at) { take_the_root_away_while_it_is_looked_at<scripted_inotify>(); }
TEST(scripted, a_polled_root_that_goes_while_it_is_looked_at) {
  take_the_root_away_while_it_is_looked_at<scripted_polling>();
}

TEST(scripted, a_directory_that_moves_while_what_was_dropped_is_looked_for) {
  for (const system_call call : {openat, getdents64})
    for_each_n<scripted_inotify>(30, [&](auto& t, int n) {
      t.open();
      bool met = false;
      t.faults->on_records = [](std::vector<std::string>& records) {
        records.assign(1, inotify_record(-1, in::in_q_overflow));
      };
      t.root.write("a/b/dropped");
      t.faults->before(call, n, [&] {
        met = true;
        t.faults->on_records = nullptr;
        t.root.rename("a/b", "f/b");
      });
      EXPECT_EQ(t.until_converged(1s), "") << static_cast<int>(call);
      return met;
    });
}

// mv www old && mv old/build www: the new root's watch is that of a directory which is known elsewhere.
TEST(scripted, a_directory_that_takes_the_place_of_its_root) {
  for (const system_call call : {openat, system_call::read, inotify_add_watch})
    for_each_n<scripted_inotify>(30, [&](auto& t, int n) {
      t.open();
      bool met = false;
      t.faults->before(call, n, [&] {
        met = true;
        raw::rename(t.directory.base().at("away/a"), t.root.path());
      });
      raw::rename(t.root.path(), t.directory.base().at("away"));
      EXPECT_EQ(t.until_converged(1s), "") << static_cast<int>(call);
      return met;
    });
}

TEST_F(scripted_inotify, a_directory_that_takes_the_place_of_its_root_behind_an_overflow) {
  open();
  faults->on_records = [&](std::vector<std::string>& records) {
    records.assign(1, inotify_record(-1, in::in_q_overflow));
    faults->on_records = nullptr;
  };
  raw::rename(root.path(), directory.base().at("away"));
  raw::rename(directory.base().at("away/a"), root.path());
  EXPECT_EQ(until_converged(1s), "");
}

TEST(scripted, a_root_that_is_replaced_and_gone_while_it_is_looked_at) {
  for (const system_call call : {openat, statx, getdents64, inotify_add_watch})
    for (const int later : {1, 2, 3, 5, 8})
      for_each_n<scripted_inotify>(30, [&](auto& t, int n) {
        t.open();
        bool met = false;
        t.root.mkdir("young");
        t.faults->before(call, n, [&] {
          met = true;
          raw::rename(t.root.path(), t.directory.base().at("away"));
          raw::mkdir(t.root.path());
          raw::mkdir(t.root.at("young"));
          raw::mkdir(t.root.at("young/d"));
          raw::write(t.root.at("young/x"), "new");
          raw::write(t.root.at("new"), "new");
        });
        t.faults->before(call, n + later, [&] { raw::rm_rf(t.root.path()); });
        t.faults->inject(inotify_record(-1, in::in_q_overflow));
        EXPECT_EQ(t.until_converged(1s), "") << static_cast<int>(call) << ", " << later << " calls later";
        return met;
      });
}

TEST(scripted, what_was_dropped_is_found_though_a_call_fails_meanwhile) {
  for (const system_call call : {openat, statx, getdents64, inotify_add_watch})
    for (const int error : {EMFILE, EIO, EACCES})
      for_each_n<scripted_inotify>(40, [&](auto& t, int n) {
        t.open({.poll_interval = 1ms});
        t.faults->on_records = [](std::vector<std::string>& records) {
          records.assign(1, inotify_record(-1, in::in_q_overflow));
        };
        t.root.write("a/b/dropped");
        t.root.mkdir_p("d/e/made/more");
        t.faults->fail(call, n, error);
        t.take(t.watcher->flush());
        const bool met = t.faults->failures() != 0;
        t.faults->on_records = nullptr;
        // Permission comes with a word (chmod), all else is tried again.
        if (error == EACCES)
          for (const char* d : {"", "a", "a/b", "a/b/c", "d", "d/e", "d/e/made", "d/e/made/more", "f"})
            raw::chmod(t.root.at(d), 0700);
        EXPECT_EQ(t.until_converged(1s), "") << static_cast<int>(call) << ", errno " << error;
        return met;
      });
}

TEST(scripted, an_acknowledgement_after_a_stop_in_the_middle_of_a_rename) {
  for (const system_call call : {system_call::read, getdents64, bytes_queued, openat, statx})
    for (const std::size_t most : {32u, 48u, 0u})
      for_each_n<scripted_inotify>(10, [&](auto& t, int n) {
        t.open({.debounce = immediate});
        t.faults->read_at_most = most;
        bool met = false;
        t.faults->before(call, n, [&] {
          met = true;
          t.watcher->stop();
        });
        t.root.rename("1", "f/1");
        t.root.rename("d", "f/d");
        t.take(t.watcher->poll());
        t.faults->read_at_most = 0;
        for (int i = 0; i < 4; ++i) t.watcher->acknowledge(t.root.path());
        t.watcher->remove(t.root.path());
        return met;
      });
}

// inotify_merge() compares handle, mask and name, but not the cookie.
TEST_F(scripted_inotify, two_files_moved_onto_one_name_are_one_record) {
  open();
  out.write("x", "from outside");
  root.rename("1", "f/1");
  root.rename(out.at("x"), "f/1");
  bool renamed = false;
  bool modified = false;
  for (const batch* b = &watcher->flush(); !b->empty(); b = &watcher->flush())
    for (const change& c : *b) {
      renamed |= c.kind == change_kind::renamed && c.path == root.at("f/1");
      modified |= renamed && c.path == root.at("f/1") && (c.kind == change_kind::modified || c.modified);
    }
  EXPECT_TRUE(renamed);
  EXPECT_TRUE(modified) << "it is another file than the one that was renamed";
}

// The look that a close asks for comes too late: it sees what was renamed onto the file since.
TEST_F(scripted_inotify, a_file_that_was_touched_and_replaced_is_another) {
  out.write("x", "another");
  out.write("y", "another");
  outlive_the_tick();
  open();
  root.write("never looked at");
  take(watcher->flush());
  for (const auto& [name, replacement] : {std::pair("1", "x"), std::pair("never looked at", "y")}) {
    raw::touch(root.at(name));
    root.rename(out.at(replacement), name);
    EXPECT_EQ(in_order(watcher->flush()), lines{std::string("modified ") + name});
  }
}

TEST_F(scripted_inotify, a_directory_that_seems_to_move_into_itself) {
  open();
  faults->on_records = [](std::vector<std::string>& records) {
    // d moves into f, and then f into d: as if the move out of f between the two had been lost.
    std::erase_if(records, [](const std::string& r) { return r.find("back") != std::string::npos; });
  };
  root.rename("d", "f/d");
  root.rename("f/d", "back");
  root.rename("f", "back/f");
  root.rename("back/f", "again");
  take(watcher->flush());
  faults->on_records = nullptr;
  faults->inject(inotify_record(-1, in::in_q_overflow));
  EXPECT_EQ(until_converged(), "");
}

// Making a watcher, and its handles.

TEST_F(scripted_inotify, no_instance_left_is_an_error_that_says_what_to_do) {
  faults->fail(inotify_init1, 1, EMFILE);
  try {
    scripted_watcher w({}, scripted_system(faults));
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::too_many_files_open);
    EXPECT_NE(std::string_view(e.what()).find("fs.inotify.max_user_instances"), std::string_view::npos);
    EXPECT_NE(std::string_view(e.what()).find("user.max_inotify_instances"), std::string_view::npos);
    EXPECT_NE(std::string_view(e.what()).find("ulimit -n"), std::string_view::npos);
  }
}

int open_descriptors() {
  int count = 0;
  DIR* const d = ::opendir("/proc/self/fd");
  while (::readdir(d) != nullptr) ++count;
  ::closedir(d);
  return count;
}

TEST_F(scripted_inotify, without_a_waker_of_either_kind_it_is_an_error) {
  const int before = open_descriptors();
  faults->fail(memfd_create, 1, ENOSYS);
  faults->fail(eventfd, 1, EMFILE);
  EXPECT_THROW(scripted_watcher({}, scripted_system(faults)), std::system_error);
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(scripted_inotify, without_a_memory_file_an_eventfd_wakes) {
  faults->fail(memfd_create, 1, ENOSYS);
  open({.debounce = immediate});
  root.write("1", "more");
  EXPECT_FALSE(watcher->wait().empty());
  EXPECT_EQ(until_converged(), "");
  const int handle = watcher->native_handle();
  EXPECT_FALSE(is_readable(handle, 0ms));
  root.write("f/new");
  EXPECT_TRUE(is_readable(handle));
  EXPECT_EQ(until_converged(), "");
  EXPECT_FALSE(is_readable(handle, 0ms));
  std::thread other([&] { watcher->stop(); });
  EXPECT_TRUE(watcher->wait().empty());
  other.join();
  EXPECT_TRUE(watcher->stopped());
}

TEST(scripted, a_waker_that_cannot_be_watched_or_changed_is_replaced) {
  for (const system_call call : {memfd_create, system_call::fchmod, inotify_add_watch})
    for_each_n<scripted_inotify>(1, [&](auto& t, int) {
      t.faults->fail(call, 1, EPERM);
      t.open({.debounce = immediate});
      EXPECT_EQ(t.faults->calls(eventfd), 1) << static_cast<int>(call);
      std::thread other([&] { t.watcher->stop(); });
      EXPECT_TRUE(ends(*t.watcher, t.root));
      other.join();
      return false;
    });
}

TEST_F(scripted_inotify, a_native_handle_that_cannot_be_had_is_an_error_and_may_be_asked_for_again) {
  open();
  const int before = open_descriptors();
  for (const auto& [call, nth] :
       {std::pair(epoll_create1, 1), std::pair(timerfd_create, 1), std::pair(epoll_ctl, 1), std::pair(epoll_ctl, 2)}) {
    faults->fail(call, nth, EMFILE);
    EXPECT_THROW((void)watcher->native_handle(), std::system_error);
    EXPECT_EQ(open_descriptors(), before);
    faults->stop_failing();
  }
  const int handle = watcher->native_handle();
  root.write("1", "more");
  EXPECT_TRUE(is_readable(handle));
  EXPECT_EQ(until_converged(), "");
}

TEST_F(scripted_polling, names_are_not_read_again_while_their_directory_is_as_it_was) {
  open({.poll_interval = std::chrono::hours(1)});
  outlive_the_tick();
  take(watcher->flush());
  const int listings = faults->calls(getdents64);
  root.append("a/2");
  EXPECT_EQ(until_converged(), "");
  EXPECT_EQ(faults->calls(getdents64), listings);

  root.write("d/new");
  EXPECT_EQ(until_converged(), "");
  EXPECT_EQ(faults->calls(getdents64), listings + 2);  // the second finds the end
}

TEST_F(scripted_polling, names_are_read_again_where_no_time_tells_of_them) {
  faults->fail(system_call::fstatfs, 1, ENOSYS, script::for_ever);
  open({.poll_interval = std::chrono::hours(1)});
  outlive_the_tick();
  take(watcher->flush());
  const int listings = faults->calls(getdents64);
  take(watcher->flush());
  EXPECT_EQ(faults->calls(getdents64), listings + 14);  // seven directories
}

TEST_F(scripted_polling, a_root_that_comes_back_as_it_was_is_read_again) {
  open({.poll_interval = std::chrono::hours(1)});
  outlive_the_tick();
  take(watcher->flush());
  // The directory above it, so that its own change time stays.
  const std::string above = std::filesystem::path(root.path()).parent_path();
  std::filesystem::rename(above, above + "-away");
  take(watcher->flush());
  EXPECT_TRUE(has(notice_kind::root_lost));
  std::filesystem::rename(above + "-away", above);
  EXPECT_EQ(until_converged(), "");
}

TEST_F(scripted_polling, names_below_a_renamed_directory_are_judged_again) {
  root.mkdir_p("x/sub");
  root.write("x/sub/object.o");
  outlive_the_tick();
  open({.exclude = {"/y/sub/*.o"}, .poll_interval = std::chrono::hours(1)});
  EXPECT_TRUE(known(*watcher).contains(root.at("x/sub/object.o")));
  root.rename("x", "y");
  take(watcher->flush());
  EXPECT_TRUE(known(*watcher).contains(root.at("y/sub")));
  EXPECT_FALSE(known(*watcher).contains(root.at("y/sub/object.o")));
}

TEST(scripted, a_polled_name_that_could_not_be_looked_at_is_found_by_the_next_look) {
  for_each_n<scripted_polling>(60, [](auto& t, int n) {
    t.open({.poll_interval = std::chrono::hours(1)});
    t.root.write("d/new");
    outlive_the_tick();
    t.faults->fail(statx, n, EIO);
    t.take(t.watcher->flush());
    const bool met = t.faults->failures() != 0;
    t.faults->stop_failing();
    t.take(t.watcher->flush());
    EXPECT_EQ(t.told.difference(t.root.list()), "");
    return met;
  });
}

TEST_F(scripted_polling, a_native_handle_that_cannot_be_had_is_an_error) {
  open();
  faults->fail(epoll_create1, 1, EMFILE);
  EXPECT_THROW((void)watcher->native_handle(), std::system_error);
  EXPECT_GE(watcher->native_handle(), 0);
}

TEST_F(scripted_polling, without_an_eventfd_it_is_an_error) {
  faults->fail(eventfd, 1, EMFILE);
  EXPECT_THROW(scripted_polling_watcher({}, scripted_system(faults)), std::system_error);
}

}  // namespace
}  // namespace hotwatch::test
