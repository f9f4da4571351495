// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the compiler and the operating system are: the only ladder of #ifdefs. Floor 0.

#if defined(__linux__)
#define HOTWATCH_LINUX 1
#else
#define HOTWATCH_LINUX 0
#endif

#if defined(_WIN32)
#define HOTWATCH_WINDOWS 1
#else
#define HOTWATCH_WINDOWS 0
#endif

// FSEvents is macOS's alone: iOS and the others, Mac Catalyst too, have nothing that tells a program of changes.
#if defined(__APPLE__)
#include <TargetConditionals.h>
#endif
#if defined(__APPLE__) && TARGET_OS_OSX
#define HOTWATCH_MACOS 1
#else
#define HOTWATCH_MACOS 0
#endif

// macOS among them: its kernel has the calls of a BSD.
#if HOTWATCH_MACOS || defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || defined(__DragonFly__)
#define HOTWATCH_BSD 1
#else
#define HOTWATCH_BSD 0
#endif

#if !HOTWATCH_LINUX && !HOTWATCH_WINDOWS && !HOTWATCH_BSD
#error "hotwatch: there is no backend for this platform yet"
#endif

// MSVC tells the truth in another macro.
#if !(defined(_MSVC_LANG) && _MSVC_LANG >= 202002L) && __cplusplus < 202002L
#error "hotwatch needs C++20 (-std=c++20, /std:c++20)"
#endif
