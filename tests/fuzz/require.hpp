// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// How a target says that something does not hold: as libFuzzer wants it.

#include <cstdlib>

namespace hotwatch::test {

inline void require(bool held) {
  if (!held) std::abort();
}

}  // namespace hotwatch::test
