// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What --backend may name on Windows.

#include <hotwatch.hpp>
#include <string_view>

inline constexpr const char* backend_names[] = {"windows", "polling"};
inline constexpr const char* backend_help = "windows or polling";

/// Calls fn.operator()<Watcher>() with the watcher over that backend; without a name with the platform's own.
template <class Fn>
void with_watcher(std::string_view backend, Fn fn) {
  if (backend == "polling")
    fn.template operator()<hotwatch::polling_watcher>();
  else
    fn.template operator()<hotwatch::watcher>();
}
