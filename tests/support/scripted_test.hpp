// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A watcher over a system that fails on demand, a small tree to change, and a user who believes every change.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <concepts>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"
#include "support/linux/backends.hpp"
#include "support/model.hpp"
#include "support/scripted_system.hpp"

namespace hotwatch::test {

using scripted_watcher = basic_watcher<basic_inotify_backend<scripted_system>>;
using scripted_fanotify_watcher = basic_watcher<lazy_fanotify_backend<scripted_system>>;
using scripted_polling_watcher = basic_watcher<basic_polling_backend<scripted_system>>;
using scripted_native_watcher =
    basic_watcher<fallback<basic_inotify_backend<scripted_system>, basic_polling_backend<scripted_system>>>;

/// A watcher of a small tree, and a user who believes every change.
template <class Watcher>
class scripted_test : public testing::Test {
 public:
  void make_tree() {
    for (const char* d : {"a/b/c", "d/e", "f"}) root.mkdir_p(d);
    for (const char* f : {"1", "a/2", "a/b/3", "a/b/c/4", "d/5", "d/e/6"}) root.write(f);
  }

  /// Makes the tree and the watcher, and adds the root; what goes wrong before that is in the script already.
  void open(options o = {.poll_interval = std::chrono::milliseconds(5)}) {
    make_tree();
    watch_tree(std::move(o));
  }

  void watch_tree(options o) { watch_tree_by(std::make_unique<Watcher>(std::move(o), scripted_system(faults))); }
  void watch_tree_by(std::unique_ptr<Watcher> made) {
    watcher = std::move(made);
    watcher->add(root.path());
    told = model({root.path()});
    told.start_from(known(*watcher));
    take(watcher->poll());
  }

  /// Something of everything, everywhere.
  void change_all() {
    for (const char* d : {"", "a/", "a/b/", "a/b/c/", "d/", "d/e/", "f/"}) {
      const std::string at = d;
      root.write(at + "new");
      root.mkdir_p(at + "made/within");
      root.write(at + "made/within/file");
    }
    root.rename("1", "f/1");
    root.rename("d/e", "a/b/e");
    root.write("a/b/e/6", "again");
    root.rm("a/2");
    root.rm_rf("a/b/c");
    root.rename("a/b/e/new", "f/new");
  }

  void take(const batch& b) {
    if (const std::string wrong = told.apply(b); !wrong.empty() && wrong_.empty()) wrong_ = wrong;
    for (const notice& n : b.notices())
      notices.push_back({n.kind, std::string(n.path), n.error, std::string(n.advice)});
  }
  [[nodiscard]] bool has(notice_kind kind) const {
    return std::any_of(notices.begin(), notices.end(), [&](const auto& n) { return n.kind == kind; });
  }

  /// Whether the user holds what is on disk after one barrier, or at the latest at the deadline.
  [[nodiscard]] std::string until_converged(std::chrono::milliseconds longest = deadline) {
    return until_converged([this] { return root.list(); }, longest);
  }
  template <std::invocable List>
  [[nodiscard]] std::string until_converged(List&& list, std::chrono::milliseconds longest = deadline) {
    const auto end = std::chrono::steady_clock::now() + longest;
    take(watcher->flush());
    std::string difference = told.difference(list());
    while (!difference.empty() && std::chrono::steady_clock::now() < end) {
      take(watcher->wait_for(std::chrono::milliseconds(10)));
      take(watcher->flush());
      difference = told.difference(list());
    }
    return wrong_ + difference;
  }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  std::shared_ptr<script> faults = std::make_shared<script>();
  std::unique_ptr<Watcher> watcher;
  model told{{}};
  std::vector<owned_notice> notices;
  std::string wrong_;
};

using scripted_inotify = scripted_test<scripted_watcher>;
using scripted_fanotify = scripted_test<scripted_fanotify_watcher>;
using scripted_native = scripted_test<scripted_native_watcher>;
using scripted_polling = scripted_test<scripted_polling_watcher>;

/// Runs `test(t, n)` for n = 1, 2, ... with a fixture of its own each, until it says that fault n was not met any more.
template <class Fixture, class Test>
void for_each_n(int most, Test&& test) {
  struct fixture : Fixture {
    void TestBody() override {}
  };
  for (int n = 1; n <= most && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("n = " + std::to_string(n));
    fixture t;
    if (!test(t, n)) return;
  }
}

}  // namespace hotwatch::test
