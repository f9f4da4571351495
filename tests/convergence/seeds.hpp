// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A trial for each of many seeds, each of which can be run again by itself.

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <functional>
#include <string>

namespace hotwatch::test {

inline long from_environment(const char* name, long otherwise) {
  const char* const text = std::getenv(name);
  return text != nullptr ? std::atol(text) : otherwise;
}

/// Print every command and batch.
inline bool verbose() { return from_environment("HOTWATCH_VERBOSE", 0) != 0; }

/// The text says what went wrong, and is empty when all is well.
using trial_of_seed = std::function<std::string(std::uint64_t seed)>;

inline void run_seeds(const std::string& test, long usual, const trial_of_seed& try_out) {
  const long first = from_environment("HOTWATCH_SEED", 1);
  const long count = from_environment("HOTWATCH_SEEDS", usual);
  int failures = 0;
  for (long seed = first; seed < first + count && failures < 5; ++seed) {
    const std::string error = try_out(static_cast<std::uint64_t>(seed));
    if (error.empty()) continue;
    ++failures;
    ADD_FAILURE() << "seed " << seed << "; again: HOTWATCH_SEED=" << seed
                  << " HOTWATCH_SEEDS=1 ./convergence --gtest_filter=" << test << '\n'
                  << error;
  }
}

}  // namespace hotwatch::test
