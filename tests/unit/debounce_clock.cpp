// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/debounce_clock.hpp"

#include <gtest/gtest.h>

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using detail::debounce_clock;

constexpr clock::time_point t0{1h};
constexpr auto never = debounce_clock::never;
constexpr debounce no_settle{20ms, 500ms, false, false};

TEST(debounce_clock, idle_means_idle) {
  const debounce_clock c{debounce{}};
  EXPECT_FALSE(c.pending());
  EXPECT_EQ(c.deadline(), never);
  EXPECT_FALSE(c.due(t0 + 24h));
  EXPECT_FALSE(c.asks_whether_complete(t0));
}

TEST(debounce_clock, quiet_begins_anew_with_each_word) {
  debounce_clock c{no_settle};
  for (int i = 0; i < 10; ++i) {
    c.note(t0 + i * 10ms);
    EXPECT_EQ(c.deadline(), t0 + i * 10ms + 20ms);
  }
  EXPECT_FALSE(c.due(t0 + 110ms - 1ns));
  EXPECT_TRUE(c.due(t0 + 110ms));
  EXPECT_FALSE(c.asks_whether_complete(t0 + 109ms)) << "without settle nobody asks";
}

TEST(debounce_clock, max_wait_ends_a_constant_stream) {
  debounce_clock c{no_settle};
  for (int i = 0; i < 100; ++i) c.note(t0 + i * 10ms);
  EXPECT_EQ(c.deadline(), t0 + 500ms);
}

TEST(debounce_clock, settle_asks_after_a_gap) {
  debounce_clock c{debounce{}};
  c.note(t0);
  EXPECT_EQ(c.deadline(), t0 + 1ms);
  EXPECT_TRUE(c.due(t0 + 1ms));
  EXPECT_TRUE(c.asks_whether_complete(t0 + 1ms));
  c.not_complete();
  EXPECT_EQ(c.deadline(), t0 + 20ms);
  EXPECT_FALSE(c.due(t0 + 19ms));
  EXPECT_TRUE(c.due(t0 + 20ms));
  EXPECT_FALSE(c.asks_whether_complete(t0 + 20ms)) << "due anyhow";
}

TEST(debounce_clock, another_word_asks_again) {
  debounce_clock c{debounce{}};
  c.note(t0);
  c.not_complete();
  c.note(t0 + 100us);
  EXPECT_EQ(c.deadline(), t0 + 100us + 1ms);
  EXPECT_TRUE(c.asks_whether_complete(t0 + 2ms));
}

TEST(debounce_clock, the_gap_is_learned_from_the_burst) {
  debounce_clock c{debounce{}};
  c.note(t0);
  c.note(t0 + 900us);
  EXPECT_EQ(c.deadline(), t0 + 900us + 3600us) << "four times the longest pause";
  c.note(t0 + 1000us);
  EXPECT_EQ(c.deadline(), t0 + 1000us + 3600us);
  c.note(t0 + 11ms);
  EXPECT_EQ(c.deadline(), t0 + 11ms + 20ms) << "at most quiet";
}

TEST(debounce_clock, the_next_batch_learns_anew) {
  debounce_clock c{debounce{}};
  c.note(t0);
  c.note(t0 + 5ms);
  c.told(t0 + 25ms, never);
  EXPECT_FALSE(c.pending());
  c.note(t0 + 30ms);
  EXPECT_EQ(c.deadline(), t0 + 31ms);
}

TEST(debounce_clock, a_gap_is_no_longer_than_quiet) {
  debounce_clock c{debounce{.quiet = 300us}};
  c.note(t0);
  EXPECT_EQ(c.deadline(), t0 + 300us);
  EXPECT_FALSE(c.asks_whether_complete(t0 + 300us));
}

TEST(debounce_clock, immediate_is_due_at_once) {
  debounce_clock c{immediate};
  c.note(t0);
  EXPECT_EQ(c.deadline(), t0);
  EXPECT_TRUE(c.due(t0));
  EXPECT_FALSE(c.asks_whether_complete(t0));
  EXPECT_LE(c.held_until(t0), t0);
  EXPECT_LE(debounce_clock{no_settle}.held_until(t0), t0);
}

TEST(debounce_clock, leading_tells_the_first_at_once_and_holds_what_follows) {
  debounce_clock c{debounce{20ms, 500ms, false, true}};
  c.note(t0);
  EXPECT_TRUE(c.due(t0));
  c.told(t0, never);
  c.note(t0 + 5ms);
  EXPECT_FALSE(c.due(t0 + 5ms));
  EXPECT_EQ(c.deadline(), t0 + 25ms);
  c.told(t0 + 25ms, never);
  c.note(t0 + 44ms);
  EXPECT_FALSE(c.due(t0 + 44ms)) << "less than quiet after the last batch";
  c.told(t0 + 64ms, never);
  c.note(t0 + 84ms);
  EXPECT_TRUE(c.due(t0 + 84ms)) << "calm again: this is a first one";
}

TEST(debounce_clock, what_is_held_back_waits_until_max_wait) {
  debounce_clock c{debounce{}};
  c.note(t0);
  c.told(t0 + 1ms, t0);
  EXPECT_TRUE(c.pending());
  EXPECT_EQ(c.deadline(), t0 + 500ms);
  EXPECT_FALSE(c.asks_whether_complete(t0 + 100ms));
  EXPECT_EQ(c.held_until(t0), t0 + 500ms);
  c.note(t0 + 100ms);  // closed
  EXPECT_TRUE(c.asks_whether_complete(t0 + 101ms));
}

TEST(debounce_clock, what_could_not_be_told_is_tried_again_after_a_pause) {
  debounce_clock c{debounce{}};
  c.note(t0);
  c.told(t0 + 600ms, t0);
  EXPECT_EQ(c.deadline(), t0 + 601ms);
}

TEST(debounce_clock, a_pause_with_nothing_but_open_files_is_no_pause_of_a_burst) {
  debounce_clock c{debounce{}};
  c.note(t0);
  c.told(t0 + 1ms, t0);
  c.note(t0 + 100ms);
  EXPECT_LE(c.deadline(), t0 + 102ms) << "one save is told within a millisecond or two of its end";
}

}  // namespace
}  // namespace hotwatch::test
