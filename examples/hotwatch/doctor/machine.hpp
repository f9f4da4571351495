// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The chooser: what this machine has for a watcher.

#include <hotwatch/config.hpp>

#if HOTWATCH_WINDOWS
#include "../windows/machine.hpp"
#elif HOTWATCH_BSD
#include "../bsd/machine.hpp"
#else
#include "../linux/machine.hpp"
#endif
