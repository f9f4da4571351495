// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What --backend may name on Linux.

#include <hotwatch.hpp>
#include <string_view>

inline constexpr const char* backend_names[] = {"inotify", "fanotify", "polling"};
inline constexpr const char* backend_help =
    "inotify, polling, or fanotify: the whole file system, for the administrator [inotify, and polling where it does "
    "not hear all]";

/// Calls fn.operator()<Watcher>() with the watcher over that backend; without a name with the platform's own.
template <class Fn>
void with_watcher(std::string_view backend, Fn fn) {
  if (backend == "inotify")
    fn.template operator()<hotwatch::basic_watcher<hotwatch::inotify_backend>>();
  else if (backend == "fanotify")
    fn.template operator()<hotwatch::basic_watcher<hotwatch::fanotify_backend>>();
  else if (backend == "polling")
    fn.template operator()<hotwatch::polling_watcher>();
  else
    fn.template operator()<hotwatch::watcher>();
}
