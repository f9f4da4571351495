// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// That the trials find what is wrong, and that what they find is made short: with backends that are broken on purpose.

#include <gtest/gtest.h>

#include <cstddef>
#include <string>

#include "shrink.hpp"
#include "trials.hpp"

namespace hotwatch::test {
namespace {

/// Keeps one hint in seven to itself.
template <class System>
class forgetful_backend : public basic_inotify_backend<System> {
 public:
  using basic_inotify_backend<System>::basic_inotify_backend;

  template <class Sink>
  std::size_t drain(Sink&& sink) {
    return basic_inotify_backend<System>::drain([&](const hint& h) {
      if (++hints_ % 7 != 0) sink(h);
    });
  }

 private:
  std::size_t hints_ = 0;
};

/// Never tells that anything was removed or moved away.
template <class System>
class hopeful_backend : public basic_inotify_backend<System> {
 public:
  using basic_inotify_backend<System>::basic_inotify_backend;

  template <class Sink>
  std::size_t drain(Sink&& sink) {
    return basic_inotify_backend<System>::drain([&](const hint& h) {
      if (h.kind != hint_kind::vanished) sink(h);
    });
  }
};

template <template <class> class Backend>
play shortest_of_first_failure(const hardships& hard = {}) {
  for (std::uint64_t seed = 1; seed < 100; ++seed)
    if (const outcome o = between_the_calls<Backend>(seed, hard); !o.wrong.empty())
      return shrinker([](const play& p) { return !perform<Backend>(p).empty(); }).shrink(*o.said);
  ADD_FAILURE() << "a broken backend was not found out";
  return {};
}

TEST(Shrinking, LeavesTheHintsThatMustComeBeforeTheOneThatIsLost) {
  const play p = shortest_of_first_failure<forgetful_backend>();
  EXPECT_NE(perform<forgetful_backend>(p), "");
  EXPECT_EQ(perform<basic_inotify_backend>(p), "") << p.text();
  EXPECT_LE(p.acts.size(), 9u) << p.text();  // a few hints each, seven in all, and the calls in between
}

TEST(Shrinking, LeavesOneRemoval) {
  const play p = shortest_of_first_failure<hopeful_backend>();
  EXPECT_LE(p.before.size(), 2u) << p.text();
  EXPECT_LE(p.acts.size(), 3u) << p.text();
}

TEST(Shrinking, LeavesOutConditionsThatDoNotMatter) {
  const play p = shortest_of_first_failure<hopeful_backend>({.filters = true, .interrupted = true});
  EXPECT_FALSE(p.how.interrupted) << p.text();
  EXPECT_FALSE(p.how.metadata) << p.text();
  EXPECT_TRUE(p.how.include.empty() && p.how.exclude.empty()) << p.text();
}

TEST(Plays, AreReadAsTheyAreWritten) {
  const std::string text =
      "debounce leading\ninclude f*\nexclude d1/\nmetadata\nas-nobody\ninterrupted\nown-mounts\n"
      "Before:\nmkdirp d0\nDo:\npoll\n@7 write d0/f1 a b\ncompare\n";
  EXPECT_EQ(play::parse(text).text(), text);
  EXPECT_EQ(play::parse(text).acts[1].before_call, 7);
  EXPECT_THROW((void)play::parse("metadta\n"), std::invalid_argument);
}

}  // namespace
}  // namespace hotwatch::test
