// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What --backend may name on a BSD.

#include <hotwatch.hpp>
#include <string_view>

inline constexpr const char* backend_names[] = {"polling"};
inline constexpr const char* backend_help = "polling: there is no other";

/// Calls fn.operator()<Watcher>() with the watcher over that backend; without a name with the platform's own.
template <class Fn>
void with_watcher(std::string_view, Fn fn) {
  fn.template operator()<hotwatch::watcher>();
}
