// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The random trials over inotify.

#include "convergence/trials.hpp"

namespace hotwatch::test {

std::vector<trial_kind> inotify_trials() { return trials_of<basic_inotify_backend>("Inotify", hears::inotify); }

}  // namespace hotwatch::test
