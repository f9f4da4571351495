// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// clang++ -std=c++20 -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/glob.cpp && ./a.out
// tests/fuzz/corpus/glob

#include "glob_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hotwatch::test::fuzz_glob({data, size});
  return 0;
}
