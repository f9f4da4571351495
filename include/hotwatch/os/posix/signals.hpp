// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Signals are the program's: they must not interrupt, nor be handled on, a thread it does not know of. Floor 3.

#include <pthread.h>
#include <signal.h>

namespace hotwatch::inline v0::detail {

/// While it lives, this thread and the threads it starts take no signals.
class signals_blocked {
 public:
  signals_blocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  signals_blocked(const signals_blocked&) = delete;
  signals_blocked& operator=(const signals_blocked&) = delete;
  ~signals_blocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace hotwatch::inline v0::detail
