// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The backends that are tested on Windows.

#include <gtest/gtest.h>

#include <string>
#include <type_traits>

#include "hotwatch.hpp"

namespace hotwatch::test {

using backends = testing::Types<hotwatch::watcher, polling_watcher>;

/// Whether it does nothing but look.
template <class Watcher>
inline constexpr bool only_looks = std::is_same_v<Watcher, polling_watcher>;

template <class Watcher>
inline constexpr bool hears_others = false;

/// Why this watcher cannot be tested here; empty: it can.
template <class Watcher>
std::string why_not() {
  return {};
}

}  // namespace hotwatch::test
