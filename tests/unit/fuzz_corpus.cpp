// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Replays the fuzz corpora in every run, without a fuzzer: each input as it is, cut short, and with bytes changed.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "fuzz/duration.hpp"
#include "fuzz/engine.hpp"
#include "fuzz/fanotify.hpp"
#include "fuzz/fsevents.hpp"
#include "fuzz/glob.hpp"
#include "fuzz/inotify.hpp"
#include "fuzz/mountinfo.hpp"
#include "fuzz/path.hpp"
#include "fuzz/trace.hpp"
#include "fuzz/windows.hpp"

namespace hotwatch::test {
namespace {

using bytes = std::vector<std::uint8_t>;

struct fuzz_target {
  const char* name;
  void (*run)(std::span<const std::uint8_t>);
  std::size_t variations;  ///< in all, of all inputs
};

constexpr std::size_t many = 50'000;
constexpr fuzz_target targets[] = {{"duration", fuzz_duration, many},   {"engine", fuzz_engine, 2'000},
                                   {"fanotify", fuzz_fanotify, many},   {"fsevents", fuzz_fsevents, many},
                                   {"glob", fuzz_glob, many},           {"inotify", fuzz_inotify, many},
                                   {"mountinfo", fuzz_mountinfo, many}, {"path", fuzz_path, many},
                                   {"trace", fuzz_trace, many},         {"windows", fuzz_windows, many}};

std::vector<bytes> read_corpus(const std::string& name) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(HOTWATCH_TESTS_DIR "/fuzz/corpus/" + name))
    files.push_back(file.path());
  std::sort(files.begin(), files.end());
  std::vector<bytes> inputs;
  for (const auto& file : files) {
    std::ifstream in(file, std::ios::binary);
    inputs.push_back({std::istreambuf_iterator<char>(in), {}});
  }
  return inputs;
}

bytes varied(bytes input, std::mt19937& random) {
  if (input.empty()) return input;
  if (random() % 4 == 0) input.resize(random() % input.size());
  for (auto changes = random() % 4; changes != 0 && !input.empty(); --changes)
    input[random() % input.size()] = static_cast<std::uint8_t>(random());
  return input;
}

class fuzz_corpus : public testing::TestWithParam<fuzz_target> {};

TEST_P(fuzz_corpus, holds) {
  const std::vector<bytes> inputs = read_corpus(GetParam().name);
  ASSERT_FALSE(inputs.empty());
  for (const bytes& input : inputs) GetParam().run(input);
  std::mt19937 random(1);
  for (std::size_t i = 0; i < GetParam().variations; ++i) GetParam().run(varied(inputs[i % inputs.size()], random));
}

INSTANTIATE_TEST_SUITE_P(all, fuzz_corpus, testing::ValuesIn(targets),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(fuzz_corpora, are_those_of_the_targets) {
  const std::filesystem::directory_iterator all(HOTWATCH_TESTS_DIR "/fuzz/corpus");
  EXPECT_EQ(std::distance(begin(all), end(all)), std::ssize(targets));
}

}  // namespace
}  // namespace hotwatch::test
