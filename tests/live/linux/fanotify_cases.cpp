// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What only a mark on a whole file system can meet: the rest of the file system, several of them, and the privileges.

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/fanotify.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/linux/backends.hpp"
#include "support/model.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

// Who may have fanotify has to ask for it: what a watcher hears must not depend on whose process it is in.
static_assert(std::is_same_v<native_backend, fallback<inotify_backend, polling_backend>>);
static_assert(std::is_same_v<hotwatch::watcher, basic_watcher<native_backend>>);

/// A file system that nobody else is busy on; unmounted at the end.
class mounted {
 public:
  mounted(const std::string& at, const char* type, unsigned long flags = 0, const char* data = nullptr,
          const char* source = "none")
      : at_(at), ok_(::mount(source, at.c_str(), type, flags, data) == 0) {}
  mounted(const mounted&) = delete;
  mounted& operator=(const mounted&) = delete;
  ~mounted() {
    if (ok_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  explicit operator bool() const { return ok_; }
  bool unmount() {
    const bool was = ok_ && ::umount2(at_.c_str(), 0) == 0;
    ok_ = ok_ && !was;
    return was;
  }

 private:
  std::string at_;
  bool ok_;
};

class FanotifyCases : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = why_not<fanotify_watcher>(); !why.empty()) GTEST_SKIP() << why;
  }
  static std::optional<notice> polling_notice(const batch& b) {
    for (const notice& n : b.notices())
      if (n.kind == notice_kind::polling) return n;
    return std::nullopt;
  }
  /// Whether `test` holds in a process that has given up these capabilities.
  static bool holds_without(std::initializer_list<int> capabilities, const std::function<bool()>& test) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(give_up(capabilities) && test() ? 0 : 1);
    int status = -1;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return status == 0;
  }
  static bool give_up(std::initializer_list<int> capabilities) {
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct sets[2]{};
    if (::syscall(SYS_capget, &head, sets) != 0) return false;
    for (const int c : capabilities) sets[c / 32].effective &= ~(1u << (c % 32));
    return ::syscall(SYS_capset, &head, sets) == 0;
  }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
};

TEST_F(FanotifyCases, TheConstantsAreTheKernels) {
  using namespace detail::fanotify;
  EXPECT_EQ(fan_modify, std::uint64_t{FAN_MODIFY});
  EXPECT_EQ(fan_attrib, std::uint64_t{FAN_ATTRIB});
  EXPECT_EQ(fan_close_write, std::uint64_t{FAN_CLOSE_WRITE});
  EXPECT_EQ(fan_create, std::uint64_t{FAN_CREATE});
  EXPECT_EQ(fan_delete, std::uint64_t{FAN_DELETE});
  EXPECT_EQ(fan_q_overflow, std::uint64_t{FAN_Q_OVERFLOW});
  EXPECT_EQ(fan_rename, std::uint64_t{FAN_RENAME});
  EXPECT_EQ(fan_ondir, std::uint64_t{FAN_ONDIR});
  EXPECT_EQ(info_fid, FAN_EVENT_INFO_TYPE_FID);
  EXPECT_EQ(info_dfid_name, FAN_EVENT_INFO_TYPE_DFID_NAME);
  EXPECT_EQ(info_old_dfid_name, FAN_EVENT_INFO_TYPE_OLD_DFID_NAME);
  EXPECT_EQ(info_new_dfid_name, FAN_EVENT_INFO_TYPE_NEW_DFID_NAME);
  EXPECT_EQ(metadata_version, FANOTIFY_METADATA_VERSION);
  EXPECT_EQ(sizeof(event_head), FAN_EVENT_METADATA_LEN);
  EXPECT_EQ(sizeof(info_head), sizeof(fanotify_event_info_header));
  EXPECT_EQ(sizeof(info_head) + sizeof(handle_head), sizeof(fanotify_event_info_fid) + sizeof(::file_handle));
  EXPECT_EQ(longest_handle, std::size_t{MAX_HANDLE_SZ});
}

// ---- the rest of the file system

TEST_F(FanotifyCases, WhatHappensElsewhereIsNotTold) {
  fanotify_watcher w;
  w.add(root.path());
  out.mkdir_p("a/b");
  out.write("a/b/f");
  out.rename("a/b/f", "g");
  out.rm_rf("a");
  EXPECT_TRUE(w.flush().empty());
  EXPECT_EQ(w.stats().kernel_events, 0u);
}

// Its handle was seen, and it was none of ours.
TEST_F(FanotifyCases, ADirectoryThatWasAStrangerIsMovedIn) {
  for (const std::size_t asked : {std::size_t{0}, fanotify_backend::usually_asked}) {
    out.mkdir_p("d/e");
    fanotify_watcher w({}, linux_system(), asked);
    w.add(root.path());
    out.write("d/e/before");
    EXPECT_TRUE(w.flush().empty());
    raw::rename(out.at("d"), root.at("d"));
    EXPECT_EQ(sorted(w.flush()), (lines{"created d", "created d/e", "created d/e/before"}));
    root.write("d/e/f");
    EXPECT_EQ(sorted(w.flush()), lines{"created d/e/f"});
    raw::rename(root.at("d"), out.at("d"));
    EXPECT_EQ(sorted(w.flush()), (lines{"removed d", "removed d/e", "removed d/e/before", "removed d/e/f"}));
    out.write("d/e/after");
    EXPECT_TRUE(w.flush().empty());
    out.rm_rf("d");
  }
}

// What is left in doubt is looked at when nothing of ours is in the queue; that others are never done is no reason to
// wait. The second link(2) below is merged into the write, in front of the rename, so the name is in doubt.
TEST_F(FanotifyCases, WhoeverIsBusyElsewhereKeepsNoDoubtWaiting) {
  root.write("f", "old");
  const auto meanwhile = std::make_shared<script>();
  scripted_fanotify_watcher w({}, scripted_system(meanwhile));
  w.add(root.path());
  model told({root.path()});
  told.start_from({{root.at("f"), entry_type::file}});
  int files = 0;
  meanwhile->before_each = [&](system_call) { raw::make_file(out.at("busy" + std::to_string(++files))); };
  raw::append(root.at("f"), "more");
  root.rename("f", "g");
  raw::link(root.at("g"), root.at("f"));
  EXPECT_EQ(told.apply(w.flush()), "");
  EXPECT_EQ(told.difference(root.list()), "");
  EXPECT_GT(files, 0);
}

TEST_F(FanotifyCases, IdleMeansNoWakeUp) {
  const mounted own(root.path(), "tmpfs");
  if (!own) GTEST_SKIP() << "mounting is not permitted here";
  root.mkdir_p("a/b");
  fanotify_watcher w;
  w.add(root.path());
  root.write("a/b/f");
  EXPECT_EQ(sorted(w.flush()), lines{"created a/b/f"});
  pollfd waiting{w.native_handle(), POLLIN, 0};
  EXPECT_EQ(::poll(&waiting, 1, 300), 0) << "the handle is readable although nothing has happened";
  out.write("elsewhere");
  EXPECT_EQ(::poll(&waiting, 1, 100), 0) << "it hears of another file system";
  root.write("g");
  EXPECT_EQ(::poll(&waiting, 1, 5000), 1);
}

TEST_F(FanotifyCases, AQueueThatOverflowsIsRepaired) {
  const mounted own(root.path(), "tmpfs");
  if (!own) GTEST_SKIP() << "mounting is not permitted here";
  fanotify_watcher w;
  w.add(root.path());
  model told({root.path()});
  for (int i = 0; i < 40'000; ++i) ASSERT_TRUE(raw::make_file(root.at("f" + std::to_string(i))));
  const batch& b = w.flush();
  EXPECT_EQ(told.apply(b), "");
  EXPECT_EQ(told.difference(root.list()), "");
  if (w.stats().overflows == 0) GTEST_SKIP() << "the queue of this machine is longer than a test can fill";
  ASSERT_FALSE(b.notices().empty());
  EXPECT_EQ(b.notices()[0].kind, notice_kind::overflow);
  EXPECT_NE(b.notices()[0].advice.find("fanotify"), std::string_view::npos) << b.notices()[0].advice;
}

// ---- several file systems, several ways to one

TEST_F(FanotifyCases, RootsOnSeveralFileSystems) {
  for (const char* d : {"1", "2"}) root.mkdir(d);
  const mounted one(root.at("1"), "tmpfs"), two(root.at("2"), "tmpfs");
  if (!one || !two) GTEST_SKIP() << "mounting is not permitted here";
  fanotify_watcher w;
  for (const char* d : {"1", "2"}) w.add(root.at(d));
  w.add(out.path());
  root.write("1/f");
  root.write("2/f");
  out.write("f");
  EXPECT_EQ(w.flush().size(), 3u);
  w.remove(root.at("1"));
  root.write("1/g");
  root.write("2/g");
  EXPECT_EQ(w.flush().size(), 1u);
}

TEST_F(FanotifyCases, AFileSystemMountedBelowTheRootIsMarkedToo) {
  root.mkdir_p("a/m");
  root.write("a/f");
  mounted inner(root.at("a/m"), "tmpfs");
  if (!inner) GTEST_SKIP() << "mounting is not permitted here";
  root.mkdir_p("a/m/d/e");
  fanotify_watcher w;
  w.add(root.path());
  root.write("a/m/d/e/f");
  root.write("a/g");
  EXPECT_EQ(sorted(w.flush()), (lines{"created a/g", "created a/m/d/e/f"}));
  ASSERT_TRUE(inner.unmount()) << "a mark does not keep a file system busy";
  EXPECT_EQ(sorted(w.flush()), (lines{"removed a/m/d", "removed a/m/d/e", "removed a/m/d/e/f"}));
  root.write("a/m/below");
  EXPECT_EQ(sorted(w.flush()), lines{"created a/m/below"});
}

TEST_F(FanotifyCases, ARootIsUnmountedAndAnotherMountedInItsPlace) {
  root.write("below");
  fanotify_watcher w;
  {
    mounted first(root.path(), "tmpfs");
    if (!first) GTEST_SKIP() << "mounting is not permitted here";
    root.write("f");
    w.add(root.path());
    root.write("g");
    EXPECT_EQ(sorted(w.flush()), lines{"created g"});
    ASSERT_TRUE(first.unmount());
  }
  EXPECT_EQ(sorted(w.flush()), (lines{"created below", "removed f", "removed g"}));
  root.write("h");
  EXPECT_EQ(sorted(w.flush()), lines{"created h"});
}

TEST_F(FanotifyCases, BindMountsAreOneFileSystem) {
  root.mkdir_p("d/e");
  const mounted bound(out.path(), nullptr, MS_BIND, nullptr, root.at("d").c_str());
  if (!bound) GTEST_SKIP() << "mounting is not permitted here";
  fanotify_watcher w;
  w.add(root.path());
  w.add(out.path());
  out.write("e/f");
  const batch& b = w.flush();
  ASSERT_EQ(b.size(), 2u) << "once a root";
  for (const change& c : b) EXPECT_TRUE(c.path == root.at("d/e/f") || c.path == out.at("e/f")) << c.path;
}

// As inotify: it is the name by which the file is opened that is told.
TEST_F(FanotifyCases, AWriteThroughAHardLinkIsToldOfThatName) {
  root.write("a");
  raw::link(root.at("a"), root.at("b"));
  raw::link(root.at("a"), out.at("c"));
  fanotify_watcher w;
  w.add(root.path());
  raw::append(root.at("b"), "more");
  EXPECT_EQ(sorted(w.flush()), lines{"modified b"});
  raw::append(out.at("c"), "more");
  EXPECT_TRUE(w.flush().empty());
}

// The second link(2) is merged into the write: that stands in front of the rename in the queue.
TEST_F(FanotifyCases, AMergedLinkBehindARenameIsFound) {
  root.write("f", "old");
  fanotify_watcher w;
  w.add(root.path());
  raw::append(root.at("f"), "more");
  root.rename("f", "g");
  raw::link(root.at("g"), root.at("f"));
  model told({root.path()});
  told.start_from({{root.at("f"), entry_type::file}});
  EXPECT_EQ(told.apply(w.flush()), "");
  EXPECT_EQ(told.apply(w.flush()), "");
  EXPECT_EQ(told.difference(root.list()), "");
}

// ---- what cannot be marked is polled, and said

TEST_F(FanotifyCases, AFileSystemThatCannotBeMarkedIsPolled) {
  for (const char* d : {"lower", "upper", "work", "merged"}) out.mkdir(d);
  const mounted base(root.path(), "tmpfs");
  if (!base) GTEST_SKIP() << "mounting is not permitted here";
  for (const char* d : {"lower", "upper", "work", "merged"}) root.mkdir(d);
  const std::string data =
      "lowerdir=" + root.at("lower") + ",upperdir=" + root.at("upper") + ",workdir=" + root.at("work");
  const mounted overlay(root.at("merged"), "overlay", 0, data.c_str());
  if (!overlay) GTEST_SKIP() << "mounting an overlay is not permitted here";
  fanotify_watcher w({.poll_interval = 10ms});
  w.add(root.at("merged"));
  const auto said = polling_notice(w.poll());
  ASSERT_TRUE(said);
  EXPECT_EQ(said->error, std::errc::operation_not_supported);
  EXPECT_NE(said->advice, "");
  root.write("merged/f");
  EXPECT_EQ(w.flush().size(), 1u);
}

TEST_F(FanotifyCases, WithoutTheCapabilityARootIsPolled) {
  EXPECT_TRUE(holds_without({CAP_SYS_ADMIN}, [&] {
    fanotify_watcher w({.poll_interval = 10ms});
    w.add(root.path());
    const auto said = polling_notice(w.poll());
    const bool named = said && said->error == std::errc::operation_not_permitted &&
                       said->advice.find("CAP_SYS_ADMIN") != std::string_view::npos;
    root.write("f");
    return named && sorted(w.flush()) == lines{"created f"};
  }));
}

// CAP_DAC_READ_SEARCH (open_by_handle_at(2)): the mark stands, but what its events mean cannot be looked up any more.
TEST_F(FanotifyCases, TheCapabilityToOpenHandlesIsGivenUpMidway) {
  root.mkdir_p("a/b/c");
  EXPECT_TRUE(holds_without({}, [&] {
    fanotify_watcher w({}, linux_system(), std::size_t{0});
    w.add(root.path());
    root.write("a/f");
    if (sorted(w.flush()) != lines{"created a/f"} || !give_up({CAP_DAC_READ_SEARCH})) return false;
    root.write("a/b/c/f");
    // The look behind an overflow may take what was told a moment before for new.
    const lines all = sorted(w.flush());
    return std::find(all.begin(), all.end(), "created a/b/c/f") != all.end() && w.stats().overflows == 1;
  }));
}

// Then every directory is asked for its own, once.
TEST_F(FanotifyCases, WhereNoHandleMayBeOpenedOneOverflowIsAll) {
  root.mkdir_p("a/b/c");
  root.mkdir_p("d/e");
  const auto faults = std::make_shared<script>();
  faults->fail(system_call::open_by_handle_at, 1, EPERM, script::for_ever);
  basic_watcher<basic_fanotify_backend<scripted_system>> w({}, scripted_system(faults), std::size_t{0});
  w.add(root.path());
  root.write("a/b/c/f");
  const batch& b = w.flush();
  EXPECT_EQ(sorted(b), lines{"created a/b/c/f"});
  ASSERT_EQ(b.notices().size(), 1u);
  EXPECT_EQ(b.notices()[0].kind, notice_kind::overflow);
  root.write("d/e/f");
  root.mkdir_p("d/e/g/h");
  EXPECT_EQ(sorted(w.flush()), (lines{"created d/e/f", "created d/e/g", "created d/e/g/h"}));
  root.write("d/e/g/h/i");
  EXPECT_EQ(sorted(w.flush()), lines{"created d/e/g/h/i"});
  EXPECT_EQ(w.stats().overflows, 1u);
}

// Its attributes are told by a handle that nobody knows.
TEST_F(FanotifyCases, ADirectoryThatCouldNotBeOpenedIsLookedAtAgain) {
  const auto faults = std::make_shared<script>();
  scripted_fanotify_watcher w({.poll_interval = 5ms}, scripted_system(faults));
  w.add(root.path());
  faults->fail(system_call::openat, 1, EACCES, script::for_ever);
  faults->fail(system_call::openat2, 1, EACCES, script::for_ever);
  root.mkdir("d");
  root.write("d/f");
  model told({root.path()});
  EXPECT_EQ(told.apply(w.flush()), "");
  faults->stop_failing();
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!told.difference(root.list()).empty() && std::chrono::steady_clock::now() < end)
    ASSERT_EQ(told.apply(w.wait_for(10ms)), "");
  EXPECT_EQ(told.difference(root.list()), "");
}

// ---- what a directory costs

TEST_F(FanotifyCases, ADirectoryCostsNothingButItsListing) {
  constexpr int many = 3000;
  const mounted own(root.path(), "tmpfs");
  if (!own) GTEST_SKIP() << "mounting is not permitted here";
  for (int i = 0; i < many; ++i) root.mkdir("d" + std::to_string(i));
  const auto calls = std::make_shared<script>();
  basic_watcher<basic_fanotify_backend<scripted_system>> w({}, scripted_system(calls));
  w.add(root.path());
  using enum system_call;
  EXPECT_EQ(calls->calls(fanotify_mark), 1);
  EXPECT_EQ(calls->calls(open_by_handle_at), 0);
  EXPECT_LE(calls->calls(name_to_handle_at), static_cast<int>(fanotify_backend::usually_asked));
  EXPECT_LT(calls->calls(inotify_add_watch), 100) << "guards of the root alone";
  EXPECT_LT(calls->calls(statx), 100);
  EXPECT_LE(calls->calls(openat2), many);
  EXPECT_LE(calls->calls(getdents64), 2 * many + 100);
  for (int i = 0; i < many; ++i) root.write("d" + std::to_string(i) + "/f");
  EXPECT_EQ(w.flush().size(), static_cast<std::size_t>(many));
  EXPECT_EQ(calls->calls(open_by_handle_at) + calls->calls(name_to_handle_at), many + 1) << "once a directory";
  for (int i = 0; i < many; ++i) root.write("d" + std::to_string(i) + "/f", "again");
  EXPECT_EQ(w.flush().size(), static_cast<std::size_t>(many));
  EXPECT_EQ(calls->calls(open_by_handle_at) + calls->calls(name_to_handle_at), many + 1);
}

TEST_F(FanotifyCases, AStrangerCostsOneLookHoweverOftenItIsWrittenTo) {
  const mounted own(root.path(), "tmpfs");
  if (!own) GTEST_SKIP() << "mounting is not permitted here";
  for (const char* d : {"watched", "stranger"}) root.mkdir(d);
  const auto calls = std::make_shared<script>();
  basic_watcher<basic_fanotify_backend<scripted_system>> w({}, scripted_system(calls));
  w.add(root.at("watched"));
  for (const char* f : {"f", "g", "f"}) {
    root.append(std::string("stranger/") + f);
    EXPECT_TRUE(w.flush().empty());
    EXPECT_EQ(calls->calls(system_call::open_by_handle_at), 1) << f;
  }
  root.write("watched/f");
  EXPECT_EQ(sorted(w.flush()), lines{"created f"});
  EXPECT_EQ(calls->calls(system_call::open_by_handle_at), 1);
}

// What was read to learn the number of one is in the way of the other, and is read again.
TEST_F(FanotifyCases, TwoDirectoriesAreAskedForTheirNumbersBeforeEitherIsListed) {
  for (const char* f : {"a/1", "b/2"}) {
    root.mkdir(std::string(f).substr(0, 1));
    root.write(f);
  }
  using numbered = detail::numbered_directory<linux_system>;
  linux_system system;
  detail::first_names first;
  std::error_code ec;
  const numbered top = numbered::open(system, first, root.path().c_str(), ec);
  const numbered a = top.open_child("a", ec), b = top.open_child("b", ec);
  for (const numbered* d : {&a, &b}) {
    file_status status;
    ASSERT_FALSE(d->look({}, status));
    EXPECT_EQ(d->file_id(ec), status.file_id);
    EXPECT_EQ(d->device(), status.device);
  }
  std::vector<char> buffer;
  std::string names;
  for (const numbered* d : {&a, &b})
    EXPECT_FALSE(d->list(buffer, [&](std::string_view name, entry_type, std::uint64_t) { names += name; }));
  EXPECT_EQ(names, "12");
}

/// Lists no ".".
struct system_without_dots : linux_system {
  ssize_t getdents64(int fd, void* buffer, std::size_t size) const noexcept {
    const ssize_t given = linux_system::getdents64(fd, buffer, size);
    if (given <= 0) return given;
    auto* const entries = static_cast<char*>(buffer);
    bool is_dot = false;
    const std::size_t first = detail::visit_entry(entries, [&](auto name, auto, auto) { is_dot = name == "."; });
    if (!is_dot) return given;
    const std::size_t rest = static_cast<std::size_t>(given) - first;
    std::memmove(entries, entries + first, rest);
    return static_cast<ssize_t>(rest);
  }
};

TEST_F(FanotifyCases, WhereTheFirstNameIsAnotherTheDirectoryIsAskedForItsNumber) {
  for (const char* d : {"a", "a/b"}) root.mkdir(d);
  root.write("a/f");
  using numbered = detail::numbered_directory<system_without_dots>;
  system_without_dots system;
  detail::first_names first;
  std::error_code ec;
  const numbered a = numbered::open(system, first, root.path().c_str(), ec).open_child("a", ec);
  file_status status;
  ASSERT_FALSE(a.look({}, status));
  EXPECT_EQ(a.file_id(ec), status.file_id);
  EXPECT_FALSE(ec);
  std::vector<char> buffer;
  std::size_t names = 0;
  EXPECT_FALSE(a.list(buffer, [&](std::string_view, entry_type, std::uint64_t) { ++names; }));
  EXPECT_EQ(names, 2u);
}

// ---- errors

TEST_F(FanotifyCases, NoGroupIsAnErrorThatSaysWhatToDo) {
  const struct {
    int error;
    const char* words;
  } all[] = {{EPERM, "CAP_SYS_ADMIN"}, {EINVAL, "5.17"}, {ENOSYS, "5.17"}, {EMFILE, "max_user_groups"}};
  for (const auto& [error, words] : all) {
    const auto faults = std::make_shared<script>();
    faults->fail(system_call::fanotify_init, 1, error);
    try {
      basic_watcher<basic_fanotify_backend<scripted_system>> w({}, scripted_system(faults));
      ADD_FAILURE() << "no error";
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), std::error_code(error, std::system_category()));
      EXPECT_NE(std::string_view(e.what()).find(words), std::string_view::npos) << e.what();
    }
  }
}

TEST_F(FanotifyCases, WithoutOpenat2DirectoriesAreReadAsEver) {
  root.mkdir_p("a/b");
  const auto faults = std::make_shared<script>();
  faults->fail(system_call::openat2, 1, ENOSYS, script::for_ever);
  basic_watcher<basic_fanotify_backend<scripted_system>> w({}, scripted_system(faults));
  w.add(root.path());
  root.write("a/b/f");
  EXPECT_EQ(sorted(w.flush()), lines{"created a/b/f"});
}

}  // namespace
}  // namespace hotwatch::test
