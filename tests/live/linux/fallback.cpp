// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What stands behind a backend: polling where there is no kernel object, where the kernel is not told all, or another
// kernel object where the first has no watch to give.

#include "hotwatch/backends/fallback.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mount.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum system_call;

constexpr std::uint32_t nfs = 0x6969;
/// No poll comes by itself: what is told before a barrier was told by a hint.
constexpr auto never = std::chrono::hours(1);

std::vector<owned_notice> polling_notices(const std::vector<owned_notice>& all) {
  std::vector<owned_notice> out;
  for (const owned_notice& one : all)
    if (one.kind == notice_kind::polling) out.push_back(one);
  return out;
}

// ---- no kernel object

TEST(fallback, without_a_kernel_object_each_root_is_polled_and_says_why) {
  for (const int error : {ENOSYS, EMFILE, ENFILE, ENOMEM, EPERM})
    for_each_n<scripted_native>(1, [&](auto& t, int) {
      t.faults->fail(inotify_init1, 1, error);
      t.open();
      t.watcher->add(t.out.path());
      t.take(t.watcher->flush());
      const auto told = polling_notices(t.notices);
      EXPECT_EQ(told.size(), 2u) << "one a root, not one a directory";
      for (const owned_notice& one : told) EXPECT_EQ(one.error, std::error_code(error, std::system_category()));
      if (told.size() != 2) return false;
      EXPECT_EQ(told[0].path, t.root.path());
      EXPECT_EQ(told[1].path, t.out.path());
      const char* const advice = error == EMFILE ? "fs.inotify.max_user_instances" : error == ENOSYS ? "emulator" : "";
      EXPECT_NE(told[0].advice.find(advice), std::string::npos);
      t.watcher->remove(t.out.path());
      t.change_all();
      EXPECT_EQ(t.until_converged(), "");
      std::thread other([&] { t.watcher->stop(); });
      EXPECT_TRUE(t.watcher->wait().empty());
      other.join();
      return false;
    });
}

TEST_F(scripted_native, what_neither_can_do_is_the_error_of_the_first) {
  faults->fail(inotify_init1, 1, EMFILE);
  faults->fail(eventfd, 1, ENFILE);
  try {
    scripted_native_watcher w({}, scripted_system(faults));
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::too_many_files_open);
    EXPECT_NE(std::string_view(e.what()).find("fs.inotify.max_user_instances"), std::string_view::npos);
  }
}

TEST_F(scripted_native, the_limit_of_watches_is_told_by_the_first_of_the_polled_directories) {
  faults->fail(inotify_add_watch, 2, ENOSPC, script::for_ever);  // the waker has one
  open();
  const auto polled = polling_notices(notices);
  ASSERT_EQ(polled.size(), 1u);
  EXPECT_EQ(polled[0].path, root.path());
  EXPECT_EQ(polled[0].error, std::errc::no_space_on_device);
  EXPECT_NE(polled[0].advice.find("sysctl fs.inotify.max_user_watches"), std::string::npos);
}

// The kernel has no watch for the second root; the first keeps its own.
TEST_F(scripted_native, only_the_root_that_has_no_watch_is_polled) {
  open({.debounce = immediate, .poll_interval = never});
  faults->watches_left = 0;
  watcher->add(out.path());
  take(watcher->flush());
  const auto polled = polling_notices(notices);
  ASSERT_EQ(polled.size(), 1u);
  EXPECT_EQ(polled[0].path, out.path());
  EXPECT_EQ(polled[0].error, std::errc::no_space_on_device);
  EXPECT_NE(polled[0].advice.find("sysctl fs.inotify.max_user_watches"), std::string::npos);
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
  root.write("a/2", "told by a hint");
  EXPECT_EQ(in_order(watcher->wait_for(deadline)), lines{"modified a/2"});
  out.write("found");
  EXPECT_EQ(watcher->flush().size(), 1u) << "found by the look";
}

// ---- the kernel is not told all

TEST_F(scripted_native, a_shared_file_system_is_polled_besides) {
  faults->file_system = nfs;
  open({.poll_interval = never});
  const auto polled = polling_notices(notices);
  ASSERT_EQ(polled.size(), 1u) << "one for all of the tree";
  EXPECT_EQ(polled[0].path, root.path());
  EXPECT_EQ(polled[0].error, errc::partly_told);
  EXPECT_NE(polled[0].advice.find("poll_interval"), std::string::npos);
  EXPECT_EQ(watcher->stats().polled_directories, 7u);

  root.write("a/b/c/4", "by this machine");
  const batch& heard = watcher->wait_for(deadline);
  EXPECT_EQ(in_order(heard), lines{"modified a/b/c/4"}) << "told by its hint";
  take(heard);
  take(watcher->flush());

  // Somebody else's change: no record of it comes.
  faults->on_records = [](std::vector<std::string>& records) { records.clear(); };
  root.write("d/e/6", "by another");
  root.write("d/e/new");
  root.mkdir_p("f/g/h");
  root.write("f/g/h/i");
  root.rename("a/2", "a/b/2");
  const batch& found = watcher->flush();
  EXPECT_EQ(sorted(found), (lines{"created d/e/new", "created f/g", "created f/g/h", "created f/g/h/i",
                                  "modified d/e/6", "renamed a/2 -> a/b/2"}));
}

TEST_F(scripted_native, what_a_hint_told_is_not_found_again) {
  faults->file_system = nfs;
  open({.debounce = immediate, .poll_interval = never});
  for (int i = 0; i < 20; ++i) {
    root.write("a/2", std::to_string(i));
    root.symlink("a", "link" + std::to_string(i));
    take(watcher->wait_for(deadline));
    EXPECT_EQ(in_order(watcher->flush()), lines{}) << i;
  }
}

TEST_F(scripted_native, a_single_file_on_a_shared_file_system) {
  faults->file_system = nfs;
  root.write("file");
  watcher = std::make_unique<scripted_native_watcher>(options{.poll_interval = never}, scripted_system(faults));
  watcher->add(root.at("file"));
  take(watcher->flush());
  ASSERT_EQ(polling_notices(notices).size(), 1u);
  EXPECT_EQ(notices[0].error, errc::partly_told);
  root.write("file", "by this machine");
  EXPECT_EQ(watcher->wait_for(deadline).size(), 1u);
  (void)watcher->flush();
  faults->on_records = [](std::vector<std::string>& records) { records.clear(); };
  root.write("file", "by another one");
  EXPECT_EQ(watcher->flush().size(), 1u);
}

TEST_F(scripted_native, a_file_system_that_does_not_answer_is_polled) {
  faults->fail(system_call::fstatfs, 1, EIO);
  open();
  ASSERT_EQ(polling_notices(notices).size(), 1u);
  EXPECT_EQ(watcher->stats().polled_directories, 7u);
}

TEST_F(scripted_native, a_signal_is_no_answer) {
  faults->fail(system_call::fstatfs, 1, EINTR);
  open();
  EXPECT_EQ(faults->failures(), 1);
  EXPECT_TRUE(notices.empty());
}

TEST_F(scripted_native, a_file_system_is_asked_for_once_a_mount) {
  open();
  EXPECT_EQ(watcher->stats().directories, 7u);
  EXPECT_EQ(faults->calls(system_call::fstatfs), 1);
  EXPECT_TRUE(notices.empty());
}

TEST_F(scripted_native, before_openat2_it_is_asked_for_by_each_directory) {
  faults->fail(openat2, 1, ENOSYS, script::for_ever);
  open();
  EXPECT_EQ(faults->calls(system_call::fstatfs), 7);
  change_all();
  EXPECT_EQ(until_converged(), "");
}

// ---- real file systems

/// Something that is mounted for as long as this lives.
class mounted {
 public:
  mounted(const char* type, const std::string& at, const char* data) : at_(at) {
    is_ = ::mount(type, at.c_str(), type, 0, data) == 0;
  }
  /// bindfs, which may call itself another file system of FUSE.
  mounted(const std::string& source, const std::string& at, const std::string& type) : at_(at) {
    const std::string command = "bindfs -o subtype=" + type + " '" + source + "' '" + at + "' >/dev/null 2>&1";
    is_ = std::system(command.c_str()) == 0;
  }
  mounted(const mounted&) = delete;
  mounted& operator=(const mounted&) = delete;
  ~mounted() {
    if (is_) ::umount2(at_.c_str(), MNT_DETACH);
  }
  explicit operator bool() const { return is_; }

 private:
  std::string at_;
  bool is_ = false;
};

class FileSystems : public testing::Test {
 protected:
  /// The polling notices of a watcher of `path`.
  std::vector<owned_notice> notices_of(const std::string& path, root_options chosen = {}) {
    hotwatch::watcher w(options{.poll_interval = never});
    w.add(path, chosen);
    collector<hotwatch::watcher> all(w, root);
    all.take(w.flush());
    return polling_notices(all.notices);
  }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
};

TEST_F(FileSystems, AreWhollyToldWhereTheyAreLocal) {
  EXPECT_EQ(notices_of(root.path()).size(), 0u);
  const mounted tmpfs("tmpfs", root.path(), "size=1m");
  EXPECT_EQ(notices_of(root.path()).size(), 0u);
}

TEST_F(FileSystems, AreNotWhollyToldWhereTheKernelMakesThemUp) {
  for (const char* const path : {"/proc/sys/fs/inotify", "/sys/kernel"}) {
    if (!raw::exists(path)) continue;
    const auto told = notices_of(path, {.recursive = false});
    ASSERT_EQ(told.size(), 1u) << path;
    EXPECT_EQ(told[0].error, errc::partly_told);
    EXPECT_EQ(told[0].path, path);
  }
}

TEST_F(FileSystems, OverlaysAreWhollyTold) {
  // Not on an overlay, which is what containers have: it cannot be the upper part of another.
  const mounted base("tmpfs", out.path(), "size=1m");
  if (!base) GTEST_SKIP() << "mounting is not permitted here";
  for (const char* d : {"lower", "upper", "work"}) out.mkdir(d);
  out.write("lower/file");
  const std::string data =
      "lowerdir=" + out.at("lower") + ",upperdir=" + out.at("upper") + ",workdir=" + out.at("work");
  const mounted overlay("overlay", root.path(), data.c_str());
  if (!overlay) GTEST_SKIP() << "mounting an overlay is not permitted here";
  EXPECT_EQ(notices_of(root.path()).size(), 0u);
}

TEST_F(FileSystems, OfAForeignKindWithinATreeArePolledAlone) {
  root.mkdir_p("a/mount");
  root.mkdir("b");
  out.mkdir_p("deep/er");
  out.write("deep/er/file");
  const mounted shared(out.path(), root.at("a/mount"), "sshfs");
  if (!shared) GTEST_SKIP() << "mounting by FUSE is not permitted here";

  hotwatch::watcher w(options{.poll_interval = 20ms});
  w.add(root.path());
  collector<hotwatch::watcher> all(w, root);
  all.take(w.flush());
  ASSERT_EQ(polling_notices(all.notices).size(), 1u) << "the topmost only";
  EXPECT_EQ(polling_notices(all.notices)[0].path, root.at("a/mount"));
  EXPECT_EQ(polling_notices(all.notices)[0].error, errc::partly_told);
  EXPECT_EQ(w.stats().polled_directories, 3u) << "neither the root nor its other directories";

  out.write("deep/er/file", "as if by another machine");
  EXPECT_TRUE(all.until([&] { return all.has("modified a/mount/deep/er/file"); }));
  root.write("a/mount/deep/er/file", "by this one");
  EXPECT_TRUE(all.until([&] { return all.count("modified a/mount/deep/er/file") == 2; }));
  out.write("deep/new");
  EXPECT_TRUE(all.until([&] { return all.has("created a/mount/deep/new"); }));
  EXPECT_TRUE(all.until_sentinel());
}

TEST_F(FileSystems, AreToldApartRootByRoot) {
  root.mkdir_p("local/d");
  root.mkdir("share");
  root.mkdir("bound");
  const mounted shared(out.path(), root.at("share"), "sshfs");
  if (!shared) GTEST_SKIP() << "mounting by FUSE is not permitted here";
  const bool is_bound = ::mount(root.at("local").c_str(), root.at("bound").c_str(), nullptr, MS_BIND, nullptr) == 0;
  hotwatch::watcher w(options{.debounce = immediate, .poll_interval = never});
  for (const char* one : {"local", "share", "bound"}) w.add(root.at(one));
  collector<hotwatch::watcher> all(w, root);
  all.take(w.flush());
  const auto told = polling_notices(all.notices);
  ASSERT_EQ(told.size(), 1u) << "a bind mount is what it is mounted from";
  EXPECT_EQ(told[0].path, root.at("share"));
  EXPECT_EQ(told[0].error, errc::partly_told);
  EXPECT_NE(told[0].advice.find("poll_interval"), std::string::npos);
  EXPECT_EQ(w.stats().polled_directories, 1u);
  root.write("local/d/f");
  EXPECT_EQ(w.wait_for(deadline).size(), is_bound ? 2u : 1u) << "no poll is due: the hint told it";
  if (is_bound) ::umount2(root.at("bound").c_str(), MNT_DETACH);
}

TEST_F(FileSystems, OfFuseAreToldApartByTheirNames) {
  for (const auto& [type, polled] :
       {std::pair("sshfs", true), std::pair("rclone", true), std::pair("mergerfs", false), std::pair("encfs", false)}) {
    const mounted fuse(out.path(), root.path(), type);
    if (!fuse) GTEST_SKIP() << "mounting by FUSE is not permitted here";
    EXPECT_EQ(notices_of(root.path()).size(), polled ? 1u : 0u) << type;
  }
}

// ---- two kernel objects

/// Refuses directories by their name.
class choosy_backend : public inotify_backend {
 public:
  watch_answer watch(const directory& d, watch_scope scope) {
    char path[4096];
    const ssize_t size = system().readlink(("/proc/self/fd/" + std::to_string(d.fd())).c_str(), path, sizeof path);
    if (std::string(path, static_cast<std::size_t>(size)).ends_with("/left"))
      return {detail::no_watch, true, std::make_error_code(std::errc::cross_device_link)};
    return inotify_backend::watch(d, scope);
  }
};

class TwoKernelObjects : public testing::Test {
 protected:
  using watcher_type = basic_watcher<fallback<choosy_backend, inotify_backend>>;
  TwoKernelObjects() {
    root.mkdir("kept");
    root.mkdir("left");
    watcher.add(root.path());
  }

  temp_directory directory;
  const place& root = directory.root();
  watcher_type watcher{options{.debounce = immediate, .poll_interval = never}};
};

TEST_F(TwoKernelObjects, NothingIsPolledThatTheSecondWatches) {
  EXPECT_EQ(watcher.stats().polled_directories, 0u);
  EXPECT_TRUE(watcher.flush().empty()) << "and nothing has to be said";
}

TEST(fallback, more_than_two_stand_behind_one_another) {
  using three = fallback<choosy_backend, native_backend>;
  static_assert(backend<three> && three::has_two_kernel_objects && !native_backend::has_two_kernel_objects);
  const temp_directory directory;
  directory.root().mkdir("left");
  basic_watcher<three> watcher(options{.poll_interval = never});
  watcher.add(directory.root().path());
  EXPECT_EQ(watcher.stats().polled_directories, 0u);
  directory.root().write("left/file");
  EXPECT_EQ(in_order(watcher.wait_for(deadline)), lines{"created left/file"});
}

TEST_F(TwoKernelObjects, AWaitIsForBoth) {
  for (const char* d : {"left", "kept", "left"}) {
    std::thread other([&] { root.mkdir(std::string(d) + "/made"); });
    EXPECT_EQ(in_order(watcher.wait_for(deadline)), lines{"created " + std::string(d) + "/made"});
    other.join();
    root.rmdir(std::string(d) + "/made");
    EXPECT_EQ(in_order(watcher.wait_for(deadline)), lines{"removed " + std::string(d) + "/made"});
  }
}

TEST_F(TwoKernelObjects, TheHandleIsForBoth) {
  pollfd handle{watcher.native_handle(), POLLIN, 0};
  (void)watcher.poll();
  for (const char* d : {"left", "kept"}) {
    EXPECT_EQ(::poll(&handle, 1, 0), 0);
    root.mkdir(std::string(d) + "/made");
    EXPECT_EQ(::poll(&handle, 1, 10'000), 1);
    EXPECT_EQ(in_order(watcher.poll()), lines{"created " + std::string(d) + "/made"});
  }
}

TEST_F(TwoKernelObjects, AStopEndsTheWait) {
  std::thread other([&] { watcher.stop(); });
  EXPECT_TRUE(watcher.wait().empty());
  other.join();
}

TEST_F(TwoKernelObjects, WhatMovesFromOneToTheOtherIsThereOnce) {
  root.mkdir("left/d");
  root.write("left/d/file");
  (void)watcher.flush();
  root.rename("left/d", "kept/d");
  model user({root.path()});
  user.start_from(known(watcher));
  while (!user.difference(root.list()).empty()) ASSERT_EQ(user.apply(watcher.wait_for(deadline)), "");
  root.write("kept/d/file", "again");
  EXPECT_EQ(in_order(watcher.wait_for(deadline)), lines{"modified kept/d/file"});
}

}  // namespace
}  // namespace hotwatch::test
