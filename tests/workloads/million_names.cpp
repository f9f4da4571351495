// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// A million names in one directory: made, listed, watched and removed. Each is told once, and memory follows what is
// there. Run by tools/workloads.

#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hotwatch.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t count = 1'000'000;

/// Bytes of this process that are in memory.
std::size_t resident() {
  std::size_t all = 0, pages = 0;
  std::ifstream("/proc/self/statm") >> all >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Bytes that malloc(3) has given out and were not given back; it keeps more than that in memory.
std::size_t given_out() {
  const auto kept = ::mallinfo2();
  return kept.uordblks + kept.hblkhd;
}

/// A file system in memory where one has room for so many names: a disk takes minutes.
std::string place_for_many() {
  struct statvfs room {};
  const bool has_room = ::access("/dev/shm", W_OK) == 0 && ::statvfs("/dev/shm", &room) == 0 &&
                        (room.f_files == 0 || room.f_favail > 2 * count) &&
                        room.f_bavail * room.f_frsize > 2048 * count;
  return has_room ? "/dev/shm" : "";
}

/// Somebody who believes every change of names that are numbers; a bit a name, so that it does not count itself.
class register_of_numbers {
 public:
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::string& wrong() const { return wrong_; }

  void take(const batch& b) {
    for (const change& c : b) {
      const bool comes = c.kind == change_kind::created;
      if (c.kind == change_kind::modified) continue;
      if ((!comes && c.kind != change_kind::removed) || !set(c.relative(), comes)) {
        if (wrong_.empty()) wrong_ = "not so: " + std::string(to_string(c.kind)) + ' ' + std::string(c.path);
      }
    }
  }
  /// False when it was so already, or when the name is none of them.
  bool set(std::string_view name, bool is_there) {
    std::size_t number = count;
    std::from_chars(name.data(), name.data() + name.size(), number);
    if (number >= count || there_[number] == is_there) return false;
    there_[number] = is_there;
    is_there ? ++size_ : --size_;
    return true;
  }

 private:
  std::vector<bool> there_ = std::vector<bool>(count);
  std::size_t size_ = 0;
  std::string wrong_;
};

template <class Backend>
class MillionNames : public testing::Test {
 protected:
  using reader = basic_watcher<Backend>;

  static void SetUpTestSuite() {
    if (const std::string memory = place_for_many(); !memory.empty()) ::setenv("TMPDIR", memory.c_str(), 0);
  }

  void make() const {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(raw::make_file(directory.root().at(std::to_string(i))));
  }
  void remove() const {
    for (std::size_t i = 0; i < count; ++i) ASSERT_TRUE(raw::rm(directory.root().at(std::to_string(i))));
  }

  /// Does it while the watcher is read.
  void beside(reader& by, auto work) {
    std::atomic<bool> working = true;
    std::thread worker([&] {
      work();
      working = false;
    });
    while (working) told.take(by.wait_for(10ms));
    worker.join();
  }

  /// What has happened is told: so many names are there, for the reader and for the watcher itself.
  void expect_told(reader& by, std::size_t names) {
    told.take(by.flush());
    EXPECT_EQ(told.wrong(), "");
    EXPECT_EQ(told.size(), names);
    EXPECT_EQ(by.stats().files, names);
    by.poll();  // the batch is the reader's until then
  }

  /// Bytes for each of a million names, by the watcher's own count and by the system's, which sees what the allocator
  /// keeps.
  void expect_within(const char* when, const reader& by, std::size_t counted, std::size_t in_memory) const {
    const std::size_t bytes = by.stats().bytes / count;
    const std::size_t grown = (resident() - std::min(resident(), before)) / count;
    std::cout << when << ": " << bytes << " bytes a name, " << grown << " in memory, " << by.stats().overflows
              << " overflows\n";
    EXPECT_LE(bytes, counted) << when;
    EXPECT_LE(grown, in_memory) << when;
  }

  temp_directory directory;
  register_of_numbers told;
  std::size_t before = resident();
};

using backends = testing::Types<inotify_backend, polling_backend>;
TYPED_TEST_SUITE(MillionNames, backends);

// What the first million took serves the next.
TYPED_TEST(MillionNames, AreToldOnceAndTheirMemoryIsUsedAgain) {
  typename TestFixture::reader watcher{options{.poll_interval = 1s}};
  watcher.add(this->directory.root().path());

  this->make();  // more than the kernel's queue holds
  this->expect_told(watcher, count);
  this->expect_within("made while nobody read", watcher, 400, 450);
  const auto bytes = watcher.stats().bytes;
  const std::size_t in_use = given_out();

  this->beside(watcher, [&] { this->remove(); });
  this->expect_told(watcher, 0);
  this->beside(watcher, [&] { this->make(); });
  this->expect_told(watcher, count);
  this->remove();
  this->expect_told(watcher, 0);
  this->expect_within("removed while nobody read", watcher, 400, 450);
  EXPECT_LE(watcher.stats().bytes, bytes + bytes / 10);
  EXPECT_LE(given_out(), in_use + in_use / 10);
}

TYPED_TEST(MillionNames, AreListed) {
  this->make();
  {
    typename TestFixture::reader watcher;
    watcher.add(this->directory.root().path());
    watcher.for_each([&](std::string_view path, entry_type) {
      EXPECT_TRUE(this->told.set(path.substr(path.rfind('/') + 1), true)) << path;
    });
    this->expect_told(watcher, count);
    this->expect_within("listed", watcher, 100, 100);
  }
  EXPECT_LE(resident(), this->before + count * 10) << "is given back with the watcher";
}

}  // namespace
}  // namespace hotwatch::test
