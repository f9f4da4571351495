// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Memory follows what is there, not what has happened.

#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "hotwatch.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

template <class Watcher>
class storms : public testing::Test {
 protected:
  [[nodiscard]] std::size_t bytes() const { return watcher.stats().bytes; }

  temp_directory directory;
  const place& root = directory.root();
  Watcher watcher{options{.poll_interval = std::chrono::milliseconds(5)}};
};
using backends = testing::Types<hotwatch::watcher, polling_watcher>;
TYPED_TEST_SUITE(storms, backends);

TYPED_TEST(storms, a_hundred_thousand_names_in_one_directory) {
  constexpr std::size_t count = 100'000;
  for (std::size_t i = 0; i < count; ++i) this->root.write(std::to_string(i), "");
  this->watcher.add(this->root.path());
  EXPECT_EQ(this->watcher.stats().files, count);
  EXPECT_LT(this->bytes(), count * 100);
  this->watcher.flush();
  EXPECT_LT(this->bytes(), count * 100);
}

// What the batch of them took is there for the next large one only until the next small one is told.
TYPED_TEST(storms, a_hundred_thousand_changes_in_one_batch_leave_nothing_behind) {
  constexpr std::size_t count = 100'000;
  this->watcher.add(this->root.path());
  for (std::size_t i = 0; i < count; ++i) this->root.write(std::to_string(i), "");
  EXPECT_EQ(this->watcher.flush().size(), count);
  EXPECT_GT(this->bytes(), count * 200);
  this->root.write("one more");
  this->watcher.flush();
  EXPECT_LT(this->bytes(), count * 100);
}

// Each name is another one, and each is renamed and removed again.
TYPED_TEST(storms, of_renames_leave_nothing_behind) {
  this->root.mkdir("d");
  this->watcher.add(this->root.path());
  std::size_t number = 0;
  const auto storm = [&] {
    for (int i = 0; i < 200; ++i) {
      const std::string first = "a-name-that-is-never-used-again-" + std::to_string(++number);
      this->root.write(first);
      for (int renames = 0; renames < 10; ++renames) {
        this->root.rename(first, "d/" + first + '-' + std::to_string(renames));
        this->root.rename("d/" + first + '-' + std::to_string(renames), first);
      }
      this->root.rm(first);
      if (i % 20 == 0) this->watcher.flush();
    }
    this->watcher.flush();
  };
  storm();
  const std::size_t after_one = this->bytes();
  for (int i = 0; i < 5; ++i) storm();
  EXPECT_EQ(this->bytes(), after_one);
  EXPECT_EQ(this->watcher.stats().files, 0u);
}

}  // namespace
}  // namespace hotwatch::test
