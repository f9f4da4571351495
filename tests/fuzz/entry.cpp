// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What libFuzzer calls. tools/fuzz compiles it once for each target, with -include TARGET.hpp and the name of its
// function.

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hotwatch::test::HOTWATCH_FUZZ_TARGET({data, size});
  return 0;
}
