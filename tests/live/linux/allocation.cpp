// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The steady state of the pull form allocates nothing per change: every operator new is counted here.

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <type_traits>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"

namespace {
thread_local std::size_t allocations = 0;

void* counted(std::size_t size) {
  ++allocations;
  if (void* p = std::malloc(size != 0 ? size : 1)) return p;
  throw std::bad_alloc();
}
void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  if (void* p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)) return p;
  throw std::bad_alloc();
}
}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void* operator new(std::size_t size, std::align_val_t a) { return counted(size, static_cast<std::size_t>(a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return counted(size, static_cast<std::size_t>(a)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(size); }
// Not inlined: g++ 12 would see free() meet what new gave (-Wmismatched-new-delete).
[[gnu::noinline]] void operator delete(void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }
[[gnu::noinline]] void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace hotwatch::test {
namespace {

template <class Watcher>
class allocation : public testing::Test {};
using backends = testing::Types<hotwatch::watcher, polling_watcher>;
TYPED_TEST_SUITE(allocation, backends);

/// What one turn of work costs in allocations, once it has been done often enough to know its buffers.
template <class Watcher, class Work>
void expect_none(Watcher& watcher, Work work, std::size_t changes_a_turn) {
  for (int i = 0; i < 64; ++i) {
    work(i);
    watcher.flush();
  }
  std::size_t counted = 0, told = 0;
  for (int i = 64; i < 192; ++i) {
    work(i);
    const std::size_t before = allocations;
    const batch& b = watcher.flush();
    counted += allocations - before;
    told += b.size();
  }
  EXPECT_GE(told, changes_a_turn * 128);
  EXPECT_EQ(counted, 0u) << "allocations for " << told << " changes";
}

TYPED_TEST(allocation, NoneForModifications) {
  temp_directory directory;
  const place& root = directory.root();
  for (int i = 0; i < 20; ++i) root.write("file-with-a-longer-name-" + std::to_string(i));
  TypeParam watcher;
  watcher.add(root.path());
  expect_none(
      watcher,
      [&](int) {
        for (int i = 0; i < 20; ++i) root.append("file-with-a-longer-name-" + std::to_string(i));
      },
      20);
}

TYPED_TEST(allocation, NoneForFilesMadeAndRemoved) {
  temp_directory directory;
  const place& root = directory.root();
  TypeParam watcher;
  watcher.add(root.path());
  expect_none(
      watcher,
      [&](int turn) {
        for (int i = 0; i < 20; ++i) {
          const std::string name = "file-with-a-longer-name-" + std::to_string(i);
          if (turn % 2 == 0) {
            root.write(name);
          } else {
            root.rm(name);
          }
        }
      },
      20);
}

TYPED_TEST(allocation, NoneForSavesByRename) {
  temp_directory directory;
  const place& root = directory.root();
  root.write("f");
  TypeParam watcher;
  watcher.add(root.path());
  expect_none(
      watcher,
      [&](int turn) {
        root.write(".f.tmp", std::to_string(turn));
        root.rename(".f.tmp", "f");
      },
      1);
}

TYPED_TEST(allocation, NoneForRenames) {
  temp_directory directory;
  const place& root = directory.root();
  root.mkdir("d");
  root.write("one");
  TypeParam watcher;
  watcher.add(root.path());
  expect_none(
      watcher, [&](int turn) { turn % 2 == 0 ? root.rename("one", "d/two") : root.rename("d/two", "one"); }, 1);
}

TYPED_TEST(allocation, NoneForNewNamesThatTakeTheRoomOfOldOnes) {
  temp_directory directory;
  const place& root = directory.root();
  TypeParam watcher;
  watcher.add(root.path());
  // Ever new names of the same few lengths: what is freed must be found again.
  expect_none(
      watcher,
      [&](int turn) {
        const std::string name = "a-name-that-is-never-used-again-" + std::to_string(1000 + turn);
        if (turn > 0) root.rm("a-name-that-is-never-used-again-" + std::to_string(999 + turn));
        root.write(name);
      },
      // To polling it may be a rename: within one tick a new file may get inode number and times of the one before.
      std::is_same_v<TypeParam, polling_watcher> ? 1 : 2);
}

TYPED_TEST(allocation, NoneForDirectoriesMadeAndRemoved) {
  temp_directory directory;
  const place& root = directory.root();
  TypeParam watcher;
  watcher.add(root.path());
  expect_none(
      watcher,
      [&](int turn) {
        if (turn % 2 == 0) {
          root.mkdir_p("one/two");
          root.write("one/two/three");
        } else {
          root.rm_rf("one");
        }
      },
      3);
}

TYPED_TEST(allocation, NoneWhileWaiting) {
  temp_directory directory;
  const place& root = directory.root();
  root.write("f");
  TypeParam watcher(options{.debounce = immediate, .poll_interval = std::chrono::milliseconds(5)});
  watcher.add(root.path());
  std::size_t counted = 0;
  for (int i = 0; i < 100; ++i) {
    root.append("f");
    const std::size_t before = allocations;
    std::size_t told = 0;
    while (told == 0) {
      const batch& b = watcher.wait_for(deadline);
      told = b.size();
      ASSERT_FALSE(b.empty());
    }
    if (i >= 50) counted += allocations - before;
  }
  EXPECT_EQ(counted, 0u);
}

}  // namespace
}  // namespace hotwatch::test
