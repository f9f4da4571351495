// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The backends that are tested on Linux, and whether this machine lets anybody have them.

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>

#include "bsd.hpp"
#include "hotwatch.hpp"
#include "support/files.hpp"

namespace hotwatch::test {

using fanotify_watcher = basic_watcher<fanotify_backend>;
using bsd_watcher = basic_watcher<bsd_polling_backend<>>;
using backends = testing::Types<hotwatch::watcher, polling_watcher, fanotify_watcher, bsd_watcher>;

/// Whether it does nothing but look.
template <class Watcher>
inline constexpr bool only_looks = std::is_same_v<Watcher, polling_watcher> || std::is_same_v<Watcher, bsd_watcher>;

/// Whether whatever anybody does on the file system wakes it.
template <class Watcher>
inline constexpr bool hears_others = std::is_same_v<Watcher, fanotify_watcher>;

/// Asks so few directories for their handles that in a tree of any size most are looked up when something happens.
template <class System>
struct lazy_fanotify_backend : basic_fanotify_backend<System> {
  explicit lazy_fanotify_backend(System system = {}) : basic_fanotify_backend<System>(std::move(system), 2) {}
};

/// Why the file system of the tests' directories cannot be watched; empty: it can.
inline std::string why_no_fanotify() {
  try {
    const temp_directory directory;
    fanotify_watcher watcher;
    watcher.add(directory.root().path());
    for (const notice& n : watcher.flush().notices()) return "no fanotify: " + n.error.message();
  } catch (const std::system_error& e) {
    return std::string("no fanotify: ") + e.what();
  }
  return {};
}

/// Why this watcher cannot be tested here.
template <class Watcher>
std::string why_not() {
  static const std::string why = std::is_same_v<Watcher, fanotify_watcher> ? why_no_fanotify() : std::string();
  return why;
}

}  // namespace hotwatch::test
