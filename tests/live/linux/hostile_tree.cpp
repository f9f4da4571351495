// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Whoever may write below a root can lead the watcher nowhere else: a directory that becomes a symlink to elsewhere, at
// any moment, is never a way out. Every descriptor that is opened, listed or watched is asked what it is.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/intruded_system.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using inode = std::pair<dev_t, ino_t>;

/// What must not be touched, and what was.
struct forbidden {
  std::set<inode> inodes;
  lines touched;
  int opened = 0;
  bool overflows = false;  ///< every read of the queue says that it overflowed

  void add(const std::string& path) {
    struct stat s {};
    if (::lstat(path.c_str(), &s) == 0) inodes.insert({s.st_dev, s.st_ino});
  }
  void check(int fd, std::string_view call) {
    struct stat s {};
    if (fd >= 0 && ::fstat(fd, &s) == 0 && inodes.contains({s.st_dev, s.st_ino})) touched.emplace_back(call);
  }
};

/// Asks of each descriptor whether it leads outside, and of each call whether it could have led there.
class witnessed_system : public intruded_system {
 public:
  witnessed_system(std::shared_ptr<intrusion> intrude, std::shared_ptr<forbidden> outside, std::string root)
      : intruded_system(std::move(intrude), [outside] { return outside->overflows; }),
        outside_(std::move(outside)),
        root_(std::move(root)) {}

  int openat(int directory, const char* path, int flags) const {
    return witness(intruded_system::openat(directory, path, flags), directory, path, flags);
  }
  int openat2(int directory, const char* path, const open_how& how) const {
    return witness(intruded_system::openat2(directory, path, how), directory, path, static_cast<int>(how.flags));
  }
  ssize_t getdents64(int fd, void* buffer, std::size_t size) const {
    outside_->check(fd, "getdents64");
    return intruded_system::getdents64(fd, buffer, size);
  }
  int inotify_add_watch(int queue, const char* path, std::uint32_t mask) const {
    const std::string_view text = path;
    if (text.starts_with("/proc/")) outside_->check(std::stoi(std::string(text.substr(text.rfind('/') + 1))), "watch");
    return intruded_system::inotify_add_watch(queue, path, mask);
  }

 private:
  int witness(int fd, int directory, const char* path, int flags) const {
    ++outside_->opened;
    outside_->check(fd, "open");
    const bool by_name = directory != AT_FDCWD;
    if (by_name ? (flags & O_NOFOLLOW) == 0 || std::string_view(path).find('/') != std::string_view::npos
                : path != root_)
      outside_->touched.push_back("an open could follow a symlink: " + std::string(path));
    return fd;
  }

  std::shared_ptr<forbidden> outside_;
  std::string root_;
};

using witnessed_inotify = basic_watcher<basic_inotify_backend<witnessed_system>>;
using witnessed_polling = basic_watcher<basic_polling_backend<witnessed_system>>;

/// The directories that this process watches by inotify: fdinfo of proc(5), "inotify wd:1 ino:2a sdev:800001 ...".
std::set<ino_t> watched_inodes() {
  std::set<ino_t> all;
  for (const auto& [path, type] : list("/proc/self/fdinfo", "/proc/self/fdinfo", false)) {
    const std::string text = raw::read(path);
    for (std::size_t at = 0; (at = text.find(" ino:", at)) != std::string::npos;)
      all.insert(std::stoull(text.substr(at += 5, 16), nullptr, 16));
  }
  return all;
}

/// A tree in which `a/d` is a directory and `a/l` a symlink to one outside, and their names are exchanged.
template <class Watcher>
class hostile_scene {
 public:
  hostile_scene() {
    for (const place& p : {root, out}) p.mkdir_p("a/d/e");
    root.mkdir_p("b/c");
    root.write("a/d/e/inside");
    root.write("a/d/f");
    out.write("a/d/e/secret");
    out.write("a/d/secret");
    root.symlink(out.at("a/d"), "a/l");
    for (const char* d : {"", "a", "a/d", "a/d/e"}) outside->add(out.at(d));
  }

  void exchange() { raw::exchange(root.at("a/d"), root.at("a/l")); }
  void watch() {
    const options fast{.debounce = immediate, .poll_interval = std::chrono::milliseconds(5)};
    watcher = std::make_unique<Watcher>(fast, witnessed_system(intrude, outside, root.path()));
    watcher->add(root.path());
  }
  /// Something is made and moved below the names that are exchanged; what a call meets is part of the game.
  void change(int round) {
    const std::string made = root.at("a/d/new" + std::to_string(round));
    raw::mkdir(made);
    raw::write(made + "/file", "text");
    raw::rename(root.at("b/c"), root.at("a/d/c"));
    raw::rename(root.at("a/d/e/inside"), root.at("a/d/f"));
  }
  void expect_nothing_of_outside() {
    EXPECT_EQ(outside->touched, lines{});
    EXPECT_GT(outside->opened, 0);
    for (const ino_t i : watched_inodes())
      for (const inode& forbidden : outside->inodes) EXPECT_NE(i, forbidden.second);
    for (const auto& [path, type] : known(*watcher)) EXPECT_EQ(path.find("secret"), std::string::npos) << path;
  }
  void expect_that_all_is_known() {
    watcher->flush();
    EXPECT_EQ(known(*watcher), root.list());
  }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  std::shared_ptr<forbidden> outside = std::make_shared<forbidden>();
  std::shared_ptr<intruded_system::intrusion> intrude = std::make_shared<intruded_system::intrusion>();
  std::unique_ptr<Watcher> watcher;
};

template <class Watcher>
class hostile_tree : public testing::Test {};
using backends = testing::Types<witnessed_inotify, witnessed_polling>;
TYPED_TEST_SUITE(hostile_tree, backends);

/// The names are exchanged before the `first` call, and before each after it up to the `last`: whether there was such a
/// call.
template <class Watcher>
bool exchange_before_calls(int first, int last) {
  hostile_scene<Watcher> s;
  int calls = 0;
  *s.intrude = [&](const char*) {
    if (++calls >= first && calls <= last) s.exchange();
  };
  s.watch();
  s.change(1);
  s.watcher->flush();
  s.outside->overflows = true;
  s.change(2);
  s.watcher->flush();
  s.outside->overflows = false;
  *s.intrude = nullptr;
  s.expect_that_all_is_known();
  s.expect_nothing_of_outside();
  return calls >= first;
}

TYPED_TEST(hostile_tree, a_directory_that_becomes_a_symlink_before_any_call) {
  int n = 1;
  while (exchange_before_calls<TypeParam>(n, n) && !this->HasFailure()) ++n;
  EXPECT_GT(n, 50);
}

TYPED_TEST(hostile_tree, a_directory_that_is_a_symlink_at_every_other_call) {
  for (int n = 1; n <= 8 && !this->HasFailure(); ++n) exchange_before_calls<TypeParam>(n, n + 300);
}

// However fast names change, every call comes to its end.
TYPED_TEST(hostile_tree, an_attacker_without_a_pause) {
  hostile_scene<TypeParam> s;
  s.watch();
  std::atomic<bool> enough = false;
  std::thread attacker([&] {
    while (!enough) s.exchange();
  });
  for (int round = 1; round <= 3; ++round) {
    s.change(round);
    s.watcher->flush();
    s.watcher->poll();
    s.expect_nothing_of_outside();
  }
  enough = true;
  attacker.join();
  s.expect_that_all_is_known();
}

TYPED_TEST(hostile_tree, a_racing_attacker) {
  hostile_scene<TypeParam> s;
  s.watch();
  constexpr int rounds = 100;
  std::atomic<int> round = 0;
  std::thread attacker([&] {
    for (int now = 0; now < rounds; round.wait(now++))
      for (int i = 0; i < 50; ++i) s.exchange();
  });
  while (round < rounds) {
    s.change(++round);
    round.notify_all();
    s.watcher->flush();
    s.expect_nothing_of_outside();
    if (round % 10 == 0) s.watch();  // a start-up in the midst of it
  }
  attacker.join();
  s.expect_that_all_is_known();
  s.expect_nothing_of_outside();
}

/// A chain of directories, each with another one in it beside the next: made by steps, as no call takes such a path.
void make_chain(const place& top, int depth, bool with_side) {
  int fd = ::open(top.path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(fd, "d", 0755), 0);
    ASSERT_TRUE(!with_side || ::mkdirat(fd, "e", 0755) == 0);
    const int next = ::openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(fd);
    fd = next;
  }
  ::close(fd);
}

/// rm_rf() holds a descriptor a level: this one takes the chain off from its top, link by link.
void remove_chain(const place& top) {
  while (raw::exists(top.at("d"))) {
    raw::rm_rf(top.at("d/e"));
    raw::rename(top.at("d/d"), top.at("next"));
    raw::rmdir(top.at("d"));
    raw::rename(top.at("next"), top.at("d"));
  }
}

// Beyond a certain depth no directory is held open. To come back to one must not cost the whole way each time.
TYPED_TEST(hostile_tree, a_deep_tree_with_branches_takes_few_calls) {
  hostile_scene<TypeParam> s;
  constexpr int depth = 1000;
  make_chain(s.root, depth, true);
  s.watch();
  EXPECT_EQ(s.watcher->stats().directories, 5u + 2 * depth + 1);
  EXPECT_LT(s.outside->opened, depth * depth / 10);
  const int before = s.outside->opened;
  s.outside->overflows = true;
  s.root.write("hint");
  s.watcher->flush();
  EXPECT_LT(s.outside->opened - before, depth * depth / 10);
  remove_chain(s.root);
}

TYPED_TEST(hostile_tree, ten_thousand_levels) {
  hostile_scene<TypeParam> s;
  constexpr std::size_t depth = 10'000;
  make_chain(s.root, depth, false);
  s.watch();
  EXPECT_EQ(s.watcher->stats().directories, 5 + depth + 1);
  EXPECT_LT(s.watcher->stats().bytes, 2'000'000u);
  remove_chain(s.root);
}

}  // namespace
}  // namespace hotwatch::test
