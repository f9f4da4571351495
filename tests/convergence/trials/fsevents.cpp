// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The random trials over an FSEvents that is simulated upon the calls of Linux.

#include "convergence/trials.hpp"

namespace hotwatch::test {

std::vector<trial_kind> fsevents_trials() {
  return both(trials_of<simulated_fsevents_backend>("FSEvents", hears::fsevents),
              trials_of<heard_fsevents_backend>("HeardFSEvents", hears::fsevents));
}

}  // namespace hotwatch::test
