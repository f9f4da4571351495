// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// How many descriptors this process has open.

#include <dirent.h>

namespace hotwatch::test {

inline int open_descriptors() {
  DIR* const own = ::opendir("/proc/self/fd");
  int count = -1;  // the listing's own
  while (const dirent* entry = own != nullptr ? ::readdir(own) : nullptr) count += entry->d_name[0] != '.';
  if (own != nullptr) ::closedir(own);
  return count;
}

}  // namespace hotwatch::test
