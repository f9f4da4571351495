// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The random trials over an FSEvents that is simulated upon the calls of Linux.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "convergence/simulated_fsevents.hpp"
#include "convergence/trials.hpp"

namespace hotwatch::test {

namespace {

// On a volume that finds a name in any letter case and normal form, and tells of it in any.
template <template <class> class Backend>
trial_kind in_any_spelling(std::string name) {
  return {std::move(name), 60, [](std::uint64_t seed) {
            const simulated_fsevents machine(seed, true);
            return between_the_calls<Backend>(seed, {.stalls = seed % 4 == 0});
          }};
}

}  // namespace

std::vector<trial_kind> fsevents_trials() {
  std::vector<trial_kind> all = both(trials_of<simulated_fsevents_backend>("FSEvents", hears::fsevents),
                                     trials_of<heard_fsevents_backend>("HeardFSEvents", hears::fsevents));
  all.push_back(in_any_spelling<respelling_fsevents_backend>("FSEventsInAnySpelling"));
  all.push_back(in_any_spelling<heard_respelling_fsevents_backend>("HeardFSEventsInAnySpelling"));
  return all;
}

}  // namespace hotwatch::test
