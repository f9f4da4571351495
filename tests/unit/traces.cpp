// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What the default options make of what real tools did (tests/traces, recorded by tools/record-traces): how many
// batches, and that nothing is told half-way. bench/settling prints the same beside other policies.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "examples/hotwatch/trace/replay.hpp"
#include "examples/hotwatch/trace/trace.hpp"

namespace {

namespace fs = std::filesystem;

trace::trace read(const std::string& name) {
  std::ifstream in(fs::path(HOTWATCH_TESTS_DIR) / "traces" / (name + ".trace"));
  return trace::read(in);
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const auto& file : fs::directory_iterator(fs::path(HOTWATCH_TESTS_DIR) / "traces"))
    if (file.path().extension() == ".trace") all.push_back(file.path().stem().string());
  std::sort(all.begin(), all.end());
  return all;
}

class traces : public testing::TestWithParam<std::string> {};

// Those that are not one thing done: a pause is longer than any that a policy could wait for.
const std::map<std::string, std::size_t> more_than_one = {
    {"log-kept-open", 4},    // at each max_wait
    {"log-reopened", 60},    // each line is a save of its own
    {"npm-install", 2},      // directories, 40 ms of looking, files
    {"save-and-format", 2},  // the formatter comes 20 ms later
    {"save-nano", 4},        // its swap file, as one types
};

TEST_P(traces, are_one_batch_each) {
  const trace::replayed r = trace::replay(read(GetParam()), {});
  const auto known = more_than_one.find(GetParam());
  EXPECT_EQ(r.batches.size(), known == more_than_one.end() ? 1u : known->second);
}

// A save is told within about a millisecond or two of its last event; a save by two processes as soon as the second's
// slowness has been made up for.
TEST_P(traces, of_saves_are_told_at_once) {
  if (!GetParam().starts_with("save-") || GetParam() == "save-nano") return;
  for (const trace::replayed_batch& b : trace::replay(read(GetParam()), {}).batches) {
    EXPECT_NE(std::find(b.changes.begin(), b.changes.end(), "modified f"), b.changes.end());
    EXPECT_EQ(b.why, trace::reason::complete);
    EXPECT_LT(b.after_last, std::chrono::milliseconds(GetParam() == "save-shell-mv" ? 20 : 3));
  }
}

// The names that are there at the end, to somebody who believes every change.
std::set<std::string> left(const trace::trace& t, const hotwatch::debounce& debounce) {
  std::set<std::string> there;
  for (const std::string& path : t.existing) {
    std::string text;
    append_text(text, path.back() == '/' ? path.substr(0, path.size() - 1) : path);
    there.insert(text);
  }
  for (const trace::replayed_batch& b : trace::replay(t, {.debounce = debounce}).batches)
    for (const std::string& change : b.changes) {
      const std::string kind = change.substr(0, change.find(' '));
      const std::string path = change.substr(change.find(' ') + 1);
      if (kind == "created") there.insert(path);
      if (kind == "removed") there.erase(path);
      if (kind != "renamed") continue;
      const std::string from = path.substr(0, path.find(" -> ")), to = path.substr(path.find(" -> ") + 4);
      std::set<std::string> moved;
      for (const std::string& one : there)
        if (one == from || one.starts_with(from + "/")) moved.insert(one);
      for (const std::string& one : moved) {
        there.erase(one);
        there.insert(to + one.substr(from.size()));
      }
    }
  return there;
}

TEST_P(traces, end_the_same_under_every_policy) {
  const trace::trace t = read(GetParam());
  const auto by_default = left(t, {});
  EXPECT_EQ(left(t, hotwatch::immediate), by_default);
  EXPECT_EQ(left(t, {.quiet = std::chrono::milliseconds(50), .settle = false}), by_default);
  EXPECT_EQ(left(t, {.leading = true}), by_default);
}

INSTANTIATE_TEST_SUITE_P(traces, traces, testing::ValuesIn(names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(trace_files, are_there) { EXPECT_GE(names().size(), 25u); }

}  // namespace
