// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The random trials over fanotify.

#include "convergence/trials.hpp"

namespace hotwatch::test {

std::vector<trial_kind> fanotify_trials() {
  return both(trials_of<basic_fanotify_backend>("Fanotify", hears::fanotify),
              trials_of<lazy_fanotify_backend>("LazyFanotify", hears::fanotify));
}

}  // namespace hotwatch::test
