// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// clang++ -std=c++20 -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/inotify.cpp && ./a.out
// tests/fuzz/corpus/inotify

#include "inotify_target.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  hotwatch::test::fuzz_inotify({data, size});
  return 0;
}
