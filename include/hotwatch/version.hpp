// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The version, read by CMake and Meson from here. Floor 0.

#define HOTWATCH_VERSION_MAJOR 0
#define HOTWATCH_VERSION_MINOR 1
#define HOTWATCH_VERSION_PATCH 0
#define HOTWATCH_VERSION "0.1.0"
