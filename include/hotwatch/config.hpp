// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the compiler and the operating system are: the only ladder of #ifdefs. Floor 0.

#if defined(__linux__)
#define HOTWATCH_LINUX 1
#else
#define HOTWATCH_LINUX 0
#endif

#if !HOTWATCH_LINUX
#error "hotwatch: there is no backend for this platform yet"
#endif

#if !defined(__cplusplus) || __cplusplus < 202002L
#error "hotwatch needs C++20 (-std=c++20)"
#endif
