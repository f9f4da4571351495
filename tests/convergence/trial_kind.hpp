// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The random trials by name. Each backend's are compiled by themselves (trials/), for tests/convergence and tests/soak.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "play.hpp"

namespace hotwatch::test {

/// How one of them ended.
struct outcome {
  std::string wrong;  ///< empty when all is well
  std::size_t operations = 0;
  std::optional<play> said = {};  ///< where it can be performed again
};

/// A trial by its name.
struct trial_kind {
  std::string name;
  long usual_seeds;
  std::function<outcome(std::uint64_t seed)> run;
  /// Why not here; empty when it may run.
  std::function<std::string()> why_not = [] { return std::string(); };
  /// Sets what the whole machine shares: not beside other tests.
  bool alone = false;
  /// A play of it again.
  std::function<std::string(const play&)> perform = {};
};

std::vector<trial_kind> inotify_trials();
std::vector<trial_kind> polling_trials();
std::vector<trial_kind> fallback_trials();
std::vector<trial_kind> fanotify_trials();
std::vector<trial_kind> fsevents_trials();

inline std::vector<trial_kind> all_trials() {
  std::vector<trial_kind> all;
  for (auto&& trials : {inotify_trials(), polling_trials(), fallback_trials(), fanotify_trials(), fsevents_trials()})
    all.insert(all.end(), trials.begin(), trials.end());
  return all;
}

}  // namespace hotwatch::test
