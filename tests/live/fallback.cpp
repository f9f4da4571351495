// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What any platform has of fallback: polling, where the backend before it cannot be made. The rest is Linux's.
#include "hotwatch/backends/fallback.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <system_error>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

/// As where there is no kernel object to be had.
class absent_backend : public polling_backend {
 public:
  static constexpr bool gives_hints = true;
  absent_backend() { throw std::system_error(std::make_error_code(std::errc::function_not_supported)); }
  static std::string_view advice_about(std::error_code) { return "have one"; }
};

TEST(Fallback, WhatCannotBeMadeIsPolledInItsStead) {
  using watcher_type = basic_watcher<fallback<absent_backend, polling_backend>>;
  const temp_directory directory;
  watcher_type watcher(options{.poll_interval = std::chrono::hours(1)});
  watcher.add(directory.root().path());
  const batch& first = watcher.flush();
  ASSERT_EQ(first.notices().size(), 1u);
  EXPECT_EQ(first.notices()[0].kind, notice_kind::polling);
  EXPECT_EQ(first.notices()[0].error, std::errc::function_not_supported);
  EXPECT_EQ(first.notices()[0].advice, "have one");
  directory.root().write("file");
  EXPECT_EQ(watcher.flush().size(), 1u);
}

class absent_polling_backend : public polling_backend {
 public:
  absent_polling_backend() { throw std::system_error(std::make_error_code(std::errc::too_many_files_open)); }
};

TEST(Fallback, WhatNeitherCanIsTheErrorOfTheFirst) {
  using watcher_type = basic_watcher<fallback<absent_backend, absent_polling_backend>>;
  try {
    watcher_type watcher;
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::function_not_supported);
  }
}

}  // namespace
}  // namespace hotwatch::test
