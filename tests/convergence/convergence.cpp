// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The property behind every promise: random operations, every reported change applied to a model, and at each quiet
// moment the model is the disk, and every content has been told of. In some trials several threads do what they like;
// in the others it is done between the system calls of the watcher. tests/soak runs them for longer.
//
//   HOTWATCH_SEED=17 HOTWATCH_SEEDS=1 ./convergence      one seed again
//   HOTWATCH_SEEDS=20000 ./convergence                   more of them
//   HOTWATCH_OPERATIONS=2000                             more operations a thread and round
//   HOTWATCH_THREADS=1 HOTWATCH_CALM=1                   one thread, read only at quiet moments: the same every time
//   HOTWATCH_VERBOSE=1                                   print every command and batch

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "conditions.hpp"
#include "seeds.hpp"
#include "support/files.hpp"
#include "trial_kind.hpp"

namespace hotwatch::test {
namespace {

class seeds_test : public testing::Test {
 public:
  explicit seeds_test(trial_kind kind) : kind_(std::move(kind)) {}

  void TestBody() override {
    if (const std::string why = kind_.why_not(); !why.empty()) GTEST_SKIP() << why;
    run_seeds("Convergence." + kind_.name, kind_.usual_seeds,
              [this](std::uint64_t seed) { return kind_.run(seed).wrong; });
  }

 private:
  trial_kind kind_;
};

void add_tests(const std::vector<trial_kind>& trials) {
  for (const trial_kind& kind : trials) {
    if (kind.alone) continue;  // tests/soak has it
    testing::RegisterTest("Convergence", kind.name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [kind]() -> testing::Test* { return new seeds_test(kind); });
  }
}

// What failed once, as the shortest play that showed it. Over every backend.
class play_test : public testing::Test {
 public:
  play_test(play p, trial_kind by) : play_(std::move(p)), by_(std::move(by)) {}
  void TestBody() override {
    if (const std::string why = by_.why_not(); !why.empty()) GTEST_SKIP() << why;
    if (const std::string why = play_.how.own_mounts ? why_no_mounts() : ""; !why.empty()) GTEST_SKIP() << why;
    EXPECT_EQ(by_.perform(play_), "");
  }

 private:
  play play_;
  trial_kind by_;
};

trial_kind trial(const std::string& name) {
  for (trial_kind& kind : all_trials())
    if (kind.name == name) return kind;
  throw std::invalid_argument("no such trial: " + name);
}

void add_plays(const std::string& backend) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(HOTWATCH_TESTS_DIR "/convergence/plays"))
    if (file.path().extension() == ".txt") files.push_back(file.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    testing::RegisterTest(
        "Plays", (file.stem().string() + '/' + backend).c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [p = play::parse(raw::read(file)), by = trial(backend + "BetweenTheCalls")]() -> testing::Test* {
          return new play_test(p, by);
        });
}

// Before main() of GoogleTest runs, as TEST() itself does.
const bool registered = [] {
  add_tests(all_trials());
  for (const char* backend : {"Inotify", "Polling", "BsdPolling", "Hybrid", "Fanotify"}) add_plays(backend);
  return true;
}();

// Whoever changes what a trial does makes other trials of these numbers.
TEST(Convergence, SeedsThatOnceFailed) {
  const auto still_hold = [](const std::string& name, std::initializer_list<std::uint64_t> seeds) {
    for (const std::uint64_t seed : seeds) EXPECT_EQ(trial(name).run(seed).wrong, "") << name << ", seed " << seed;
  };
  // A content that was written behind a late reading (2357); a touched file that was replaced before the look that its
  // close asks for (628745).
  still_hold("InotifyBetweenTheCalls", {2357, 628745});
  // Behind an overflow: a file that was renamed between its listing and its look (10584, 13475); one that was written
  // within the tick in which it was touched (20223); a root that was replaced twice within one look (45084); a
  // symlink that a file was renamed onto between its listing and its look (70836).
  still_hold("InotifyOverflows", {10584, 13475, 20223, 45084, 70836});
  // A link in a directory that an overflow had moved: it was missing while the links were looked at, and found behind.
  still_hold("InotifyFollowedLinksOverflows", {218});
}

}  // namespace
}  // namespace hotwatch::test
