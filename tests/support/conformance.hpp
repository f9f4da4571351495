// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What is held against every backend that this machine has: a watcher over a directory of its own.

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "collector.hpp"
#include "files.hpp"
#include "hotwatch.hpp"
#if HOTWATCH_WINDOWS
#include "windows/backends.hpp"
#else
#include "linux/backends.hpp"
#endif

namespace hotwatch::test {

using namespace std::chrono_literals;

template <class Watcher>
class conformance : public testing::Test {
 protected:
  static constexpr bool polls = only_looks<Watcher>;
  void SetUp() override {
    if (const std::string why = why_not<Watcher>(); !why.empty()) GTEST_SKIP() << why;
  }
  static options fast(options o = {}) {
    o.poll_interval = 20ms;
    return o;
  }
  void open(options o = {}, root_options r = {}) {
    watcher_ = std::make_unique<Watcher>(fast(std::move(o)));
    id = watcher_->add(root.path(), r);
  }
  Watcher& watcher() { return *watcher_; }
  lines told() { return sorted(watcher_->flush()); }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  root_id id{};
  std::unique_ptr<Watcher> watcher_;
};

struct backend_names {
  template <class Watcher>
  static std::string GetName(int) {
    if (hears_others<Watcher>) return "fanotify";
    if (std::is_same_v<Watcher, polling_watcher>) return "polling";
    return only_looks<Watcher> ? "bsd_polling" : "native";
  }
};

}  // namespace hotwatch::test
