// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Replays the fuzz corpus in every run, without a fuzzer: each input as it is, cut short, and with bits turned over.

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/glob_target.hpp"
#include "fuzz/inotify_target.hpp"

namespace hotwatch::test {
namespace {

template <class Target>
void replay(const std::string& corpus, Target&& target) {
  int inputs = 0;
  for (const auto& file : std::filesystem::directory_iterator(HOTWATCH_TESTS_DIR "/fuzz/corpus/" + corpus)) {
    SCOPED_TRACE(file.path().string());
    std::ifstream in(file.path(), std::ios::binary);
    const std::vector<std::uint8_t> bytes{std::istreambuf_iterator<char>(in), {}};
    ++inputs;
    target(bytes);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      target(std::vector(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)));
    std::mt19937 random(1);
    for (int i = 0; i < 2'000 && !bytes.empty(); ++i) {
      std::vector<std::uint8_t> other = bytes;
      for (auto changes = 1 + random() % 4; changes != 0; --changes)
        other[random() % other.size()] = static_cast<std::uint8_t>(random());
      target(other);
    }
  }
  EXPECT_GT(inputs, 0);
}

TEST(fuzz_corpus, inotify) {
  replay("inotify", [](const auto& bytes) { fuzz_inotify(bytes); });
}

TEST(fuzz_corpus, glob) {
  replay("glob", [](const auto& bytes) { fuzz_glob(bytes); });
}

}  // namespace
}  // namespace hotwatch::test
