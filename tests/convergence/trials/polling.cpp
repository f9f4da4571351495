// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The random trials over polling, by the calls of Linux and by those of a BSD.

#include "convergence/trials.hpp"

namespace hotwatch::test {

std::vector<trial_kind> polling_trials() {
  return both(trials_of<basic_polling_backend>("Polling", hears::nothing),
              trials_of<bsd_polling_backend>("BsdPolling", hears::nothing));
}

}  // namespace hotwatch::test
