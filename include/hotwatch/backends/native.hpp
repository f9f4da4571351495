// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The chooser: which backend is the platform's own. Floor 4.

#include "../config.hpp"

#if HOTWATCH_LINUX
#include "inotify.hpp"
#include "polling.hpp"

namespace hotwatch::inline v0 {
using native_backend = inotify_backend;
}  // namespace hotwatch::inline v0
#endif
