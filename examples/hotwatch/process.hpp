// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The chooser: what the program has to do with the system it runs on.

#include <hotwatch/config.hpp>

#if HOTWATCH_WINDOWS
#include "windows/process.hpp"
#else
#include "posix/process.hpp"
#endif
