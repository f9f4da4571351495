// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What --backend may name on macOS.

#include <hotwatch.hpp>
#include <string_view>

inline constexpr const char* backend_names[] = {"fsevents", "polling"};
inline constexpr const char* backend_help = "fsevents or polling [fsevents]";

/// Calls fn.operator()<Watcher>() with the watcher over that backend; without a name with the platform's own.
template <class Fn>
void with_watcher(std::string_view backend, Fn fn) {
  if (backend == "polling")
    fn.template operator()<hotwatch::polling_watcher>();
  else
    fn.template operator()<hotwatch::watcher>();
}
