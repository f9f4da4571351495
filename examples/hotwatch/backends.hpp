// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The chooser: the backends that the program knows by name.

#include <hotwatch/config.hpp>

#if HOTWATCH_WINDOWS
#include "windows/backends.hpp"
#elif HOTWATCH_MACOS
#include "macos/backends.hpp"
#elif HOTWATCH_BSD
#include "bsd/backends.hpp"
#else
#include "linux/backends.hpp"
#endif
