// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The watcher over fanotify, where it is permitted.

#include <hotwatch.hpp>
#include <iostream>
#include <string>
#include <system_error>

namespace bench {

using fanotify_watcher = hotwatch::basic_watcher<hotwatch::fanotify_backend>;

/// Whether the file system of the directory can be marked; else a word of it is printed.
inline bool has_fanotify(const std::string& directory) {
  try {
    fanotify_watcher watcher;
    watcher.add(directory);
    const hotwatch::batch& batch = watcher.flush();
    if (batch.notices().empty()) return true;
    std::cout << "\nwithout fanotify: " << batch.notices()[0].error.message() << '\n';
  } catch (const std::system_error& e) {
    std::cout << "\nwithout fanotify: " << e.what() << '\n';
  }
  return false;
}

}  // namespace bench
