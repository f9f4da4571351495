// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The first of two translation units with all of hotwatch in them; see CMakeLists.txt.
#include <hotwatch.hpp>

const std::error_category* category_of_the_other_unit();
int directories_in_the_other_unit();

int main() {
  hotwatch::watcher watcher;
  watcher.add("/usr", {.recursive = false});  // where no other test is at work
  const bool same_count = static_cast<int>(watcher.stats().directories) == directories_in_the_other_unit();
  const bool same_category = &hotwatch::error_category() == category_of_the_other_unit();
  return same_count && same_category ? 0 : 1;
}
