// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The second of two translation units with all of hotwatch in them; see CMakeLists.txt.
#include <hotwatch.hpp>

const std::error_category* category_of_the_other_unit();
int directories_in_the_other_unit();

const std::error_category* category_of_the_other_unit() { return &hotwatch::error_category(); }

int directories_in_the_other_unit() {
  hotwatch::watcher watcher;
  watcher.add("/usr", {.recursive = false});  // where no other test is at work
  return static_cast<int>(watcher.stats().directories);
}
