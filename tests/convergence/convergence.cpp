// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The property behind every promise: random operations, every reported change applied to a model, and at each quiet
// moment the model is the disk, and every content has been told of. In one kind of trials several threads do what they
// like; in the other it is done between the system calls of the watcher. tests/soak runs them for longer.
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
#include <string>
#include <utility>
#include <vector>

#include "seeds.hpp"
#include "trials.hpp"

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
template <template <class> class Backend>
class play_test : public testing::Test {
 public:
  play_test(play p, std::string (*why_not)()) : play_(std::move(p)), why_not_(why_not) {}
  void TestBody() override {
    if (const std::string why = why_not_(); !why.empty()) GTEST_SKIP() << why;
    if (const std::string why = play_.how.own_mounts ? why_no_mounts() : ""; !why.empty()) GTEST_SKIP() << why;
    EXPECT_EQ(perform<Backend>(play_), "");
  }

 private:
  play play_;
  std::string (*why_not_)();
};

template <template <class> class Backend>
void add_plays(const std::string& backend, std::string (*why_not)()) {
  std::vector<std::filesystem::path> files;
  for (const auto& file : std::filesystem::directory_iterator(HOTWATCH_TESTS_DIR "/convergence/plays"))
    if (file.path().extension() == ".txt") files.push_back(file.path());
  std::sort(files.begin(), files.end());
  for (const auto& file : files)
    testing::RegisterTest(
        "Plays", (file.stem().string() + '/' + backend).c_str(), nullptr, nullptr, __FILE__, __LINE__,
        [p = play::parse(raw::read(file)), why_not]() -> testing::Test* { return new play_test<Backend>(p, why_not); });
}

// Before main() of GoogleTest runs, as TEST() itself does.
const bool registered = [] {
  add_tests(all_trials());
  add_plays<basic_inotify_backend>("inotify", [] { return std::string(); });
  add_plays<basic_polling_backend>("polling", [] { return std::string(); });
  add_plays<bsd_polling_backend>("bsd_polling", [] { return std::string(); });
  add_plays<hybrid_backend>("hybrid", [] { return std::string(); });
  add_plays<basic_fanotify_backend>("fanotify", why_not_fanotify);
  return true;
}();

// A content that was written behind a late reading (2357); a touched file that was replaced before the look that its
// close asks for (628745). Whoever changes what a trial does makes other trials of these numbers.
TEST(Convergence, SeedsThatOnceFailed) {
  for (const std::uint64_t seed : {2357u, 628745u})
    EXPECT_EQ(between_the_calls<basic_inotify_backend>(seed, {}).wrong, "") << "seed " << seed;
  // Behind an overflow: a file that was renamed between its listing and its look (10584, 13475); one that was written
  // within the tick in which it was touched (20223); a root that was replaced twice within one look (45084); a
  // symlink that a file was renamed onto between its listing and its look (70836).
  for (const std::uint64_t seed : {10584u, 13475u, 20223u, 45084u, 70836u})
    EXPECT_EQ(between_the_calls<basic_inotify_backend>(seed, {.overflows = true}).wrong, "")
        << "with overflows, seed " << seed;
}

}  // namespace
}  // namespace hotwatch::test
