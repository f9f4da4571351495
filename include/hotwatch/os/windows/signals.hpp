// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Signals are the program's: they must not interrupt, nor be handled on, a thread it does not know of. Here
// there are none. Floor 3.

namespace hotwatch::inline v0::detail::windows {

struct signals_blocked {
  signals_blocked() noexcept {}  // so that one that is never asked for anything is not "unused"
};

}  // namespace hotwatch::inline v0::detail::windows
