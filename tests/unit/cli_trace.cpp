// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// hotwatch record and replay: the lines of a trace, and what is told of a trace when and why.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "examples/hotwatch/trace/replay.hpp"
#include "examples/hotwatch/trace/trace.hpp"

namespace {

using namespace std::chrono_literals;

trace::trace read(const std::string& text) {
  std::istringstream in(text);
  return trace::read(in);
}

std::string error_of(const std::string& text) {
  try {
    (void)read(text);
    return "";
  } catch (const std::runtime_error& e) {
    return e.what();
  }
}

TEST(trace_lines, any_name_is_one_word_and_comes_back) {
  for (const std::string name : {"plain", "a b", "back\\slash", "new\nline", "\xff", "\x1b[31m", "\xc2\x9b", "x20"}) {
    std::string text;
    trace::append_word(text, name);
    EXPECT_EQ(text.find_first_of(" \n\x1b"), std::string::npos) << text;
    EXPECT_EQ(trace::read_words(text), std::vector<std::string>{name});
  }
}

TEST(trace_lines, times_are_to_the_microsecond) {
  for (const auto& [time, text] : {std::pair(0ns, "0ms"), std::pair(1499ns, "0.001ms"), std::pair(20'000'000ns, "20ms"),
                                   std::pair(1'030'400ns, "1.03ms")}) {
    std::string line;
    trace::append_time(line, time);
    EXPECT_EQ(line, text);
  }
}

TEST(trace_lines, are_read_in_the_order_of_their_times) {
  const trace::trace t = read("# comment\nexisting f d/\n\n2ms renamed f d/g\r\n1ms written f\n1ms completed f\n");
  EXPECT_EQ(t.existing, (std::vector<std::string>{"f", "d/"}));
  ASSERT_EQ(t.events.size(), 3u);
  EXPECT_EQ(t.events[0].words, (std::vector<std::string>{"written", "f"}));
  EXPECT_EQ(t.events[1].words[0], "completed");
  EXPECT_EQ(t.events[2].at, 2ms);
}

TEST(trace_lines, a_bad_one_is_named) {
  EXPECT_EQ(error_of("1ms written f\n1 written f\n"), "line 2: no time: '1'");
  EXPECT_EQ(error_of("1ms danced f\n"), "line 1: no such event: 'danced'");
  EXPECT_EQ(error_of("1ms\n"), "line 1: no such event: ''");
  EXPECT_EQ(error_of("1ms renamed f\n"), "line 1: too many or too few names");
  EXPECT_EQ(error_of("1ms written \\q\n"), "line 1: no such escape: '\\q'");
  EXPECT_EQ(error_of("1ms written f\\x2\n"), "line 1: no such escape: '\\x'");
  EXPECT_EQ(error_of("existing f" + std::string(1, '\0')), "line 1: no name holds a NUL byte");
}

TEST(replay, says_when_and_why) {
  const trace::trace t = read("existing f\n0ms written f\n0.1ms completed f\n31ms written f\n31.1ms completed f\n");
  const trace::replayed by_default = trace::replay(t, {});
  ASSERT_EQ(by_default.batches.size(), 2u);
  EXPECT_EQ(by_default.batches[0].why, trace::reason::complete);
  EXPECT_EQ(by_default.batches[0].after_last, 1ms);
  EXPECT_EQ(by_default.batches[1].pause, 30'900us);
  EXPECT_EQ(by_default.batches[1].changes, std::vector<std::string>{"modified f"});
  EXPECT_EQ(by_default.last_event, 31'100us);

  hotwatch::options patient;
  patient.debounce = {.quiet = 50ms, .max_wait = 500ms, .settle = false};
  const trace::replayed joined = trace::replay(t, patient);
  ASSERT_EQ(joined.batches.size(), 1u);
  EXPECT_EQ(joined.batches[0].why, trace::reason::quiet);
  EXPECT_EQ(joined.batches[0].at, 81'100us);

  hotwatch::options hasty;
  hasty.debounce = {.quiet = 5ms, .max_wait = 5ms, .settle = false};
  EXPECT_EQ(trace::replay(read("existing f\n0ms written f\n3ms written f\n6ms written f\n"), hasty).batches[0].why,
            trace::reason::max_wait);
  EXPECT_EQ(trace::replay(t, {.debounce = hotwatch::immediate}).batches.size(), 2u);
}

TEST(replay, needs_no_word_of_what_was_there) {
  // The record began in the middle: neither the directory nor the files were listed.
  const trace::trace t = read(
      "0ms appeared d/e/new\n0.1ms completed d/e/new\n0.2ms written old\n0.3ms completed old\n"
      "0.4ms vanished gone\n0.5ms renamed from to\n");
  const trace::replayed r = trace::replay(t, {});
  ASSERT_EQ(r.batches.size(), 1u);
  EXPECT_NE(std::find(r.batches[0].changes.begin(), r.batches[0].changes.end(), "created d/e/new"),
            r.batches[0].changes.end());
}

}  // namespace
