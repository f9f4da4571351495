// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Each call of a backend, made to fail with each of its errors at each of its first calls, once and for ever; what
// comes of it is a row of docs/faults.md.
//
//   HOTWATCH_FAULTS=docs/faults.md ./live --gtest_filter='faults*'
//
// writes the sections of the backends that the filter lets run, and leaves the others as they are.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "convergence/seeds.hpp"
#include "support/collector.hpp"

namespace hotwatch::test {

template <class Call>
struct failing_call {
  Call call;
  const char* name;
  std::vector<int> errors;
};

/// When the fault begins.
enum class phase { set_up, running, overflow, returning };

using notice_counts = std::map<notice_kind, int>;

[[nodiscard]] inline notice_counts counted(const std::vector<owned_notice>& notices) {
  notice_counts all;
  for (const owned_notice& one : notices) ++all[one.kind];
  return all;
}

/// How many notices there are after each phase when nothing fails.
template <class Subject>
[[nodiscard]] const std::vector<notice_counts>& usual_notices() {
  static const std::vector<notice_counts> usual = [] {
    std::vector<notice_counts> all(1);
    Subject t;
    t.make_tree();
    t.open();
    t.ask_for_handle();
    for (int at = 1; at < Subject::phases; ++at) {
      t.work(static_cast<phase>(at));
      EXPECT_EQ(t.drive(std::chrono::milliseconds(200)), "") << "without a fault";
      all.push_back(counted(t.notices));
    }
    EXPECT_EQ(t.close(), "");
    return all;
  }();
  return usual;
}

/// What came of one fault, or nothing when the n-th call was not made in its phase. A subject is a watcher over a
/// system that fails on demand, with what it watches:
///
///   make_tree()                      before the watcher is there
///   begin(call, error, n, times)     the fault
///   open(), ask_for_handle()         may throw std::system_error
///   has_watcher()                    whether there is something to go on with
///   work(phase)                      changes, and what the system says of them
///   drive(longest)                   the watcher is asked, for so long or until it says what is on disk
///   end_faults(error)                and what keeps on because of them
///   write_last()                     one change more
///   close()                          the watcher goes; says what it left open, or what it should not have done
template <class Subject, class Call>
[[nodiscard]] std::string outcome_of(const failing_call<Call>& c, int error, int n, int times, phase when) {
  using namespace std::chrono_literals;
  Subject t;
  std::string outcome;
  bool goes_on = true;
  const auto begin_in = [&](phase now) {
    if (when == now) t.begin(c.call, error, n, times);
  };
  const auto end_of = [&](phase now) {
    if (when == now && Subject::phases > 2 && t.failures() == 0) goes_on = false;
    return !goes_on;
  };
  try {
    t.make_tree();
    begin_in(phase::set_up);
    t.open();
    begin_in(phase::running);
    t.ask_for_handle();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), Subject::code_of(c.call, error)) << e.what();
    EXPECT_NE(std::strlen(e.what()), 0u);
    outcome = "error";
    if (!t.has_watcher()) {
      EXPECT_EQ(t.close(), "");
      return outcome;
    }
  }
  if (end_of(phase::set_up)) return {};
  std::set<std::string> said;
  for (int at = 1; at < Subject::phases; ++at) {
    const phase now = static_cast<phase>(at);
    if (now != phase::running) begin_in(now);
    t.work(now);
    const std::string difference = t.drive(20ms);
    if (end_of(now)) return {};
    notice_counts usual = usual_notices<Subject>()[static_cast<std::size_t>(at)];
    for (const auto& [kind, count] : counted(t.notices))
      if (count > usual[kind]) said.insert("notice " + std::string(to_string(kind)));
    if (counted(t.notices)[notice_kind::root_restored] < usual[notice_kind::root_restored])
      said.insert("root stays lost");
    EXPECT_TRUE(difference.empty() || !said.empty()) << "silently deaf: " << difference;
  }
  if (t.failures() == 0) return {};
  if (said.empty() && outcome.empty()) outcome = "told as ever";
  for (const std::string& one : said) outcome += (outcome.empty() ? "" : ", ") + one;

  t.end_faults(error);
  EXPECT_EQ(t.drive(2000ms), "") << "when the fault is over";
  // And it hears what comes.
  t.write_last();
  EXPECT_EQ(t.drive(2000ms), "") << "after the fault";
  int lost = 0;
  for (const owned_notice& one : t.notices) {
    lost += one.kind == notice_kind::root_lost;
    lost -= one.kind == notice_kind::root_restored;
  }
  EXPECT_EQ(lost, 0) << "a root that was lost was found again";
  EXPECT_EQ(t.close(), "");
  return outcome;
}

/// A column of a row: what came of it at the first calls.
using outcomes = std::set<std::string>;

template <class Subject, class Call>
[[nodiscard]] outcomes outcomes_of(const failing_call<Call>& c, int error, int times, phase when) {
  static constexpr const char* at[] = {", at set-up", ", running", ", at an overflow", ", the root goes and comes"};
  const int first_calls = Subject::is_alike(error, times)
                              ? 1
                              : static_cast<int>(from_environment("HOTWATCH_FAULTED_CALLS", Subject::first_calls));
  outcomes all;
  for (int n = 1; n <= first_calls && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE(std::string(c.name) + ", call " + std::to_string(n) + (times == 1 ? " once " : " for ever ") +
                 Subject::name_of(error) + at[static_cast<int>(when)]);
    const std::string outcome = outcome_of<Subject>(c, error, n, times, when);
    if (outcome.empty()) break;
    all.insert(outcome);
  }
  return all;
}

/// The page, section by section; a section that is written to for the first time begins anew.
class fault_page {
 public:
  static void append(const std::string& backend, const std::string& head, const std::string& row) {
    const char* const path = std::getenv("HOTWATCH_FAULTS");
    if (path == nullptr) return;
    static std::set<std::string> begun;
    std::vector<std::string> sections = read(path);
    const std::string title = "## " + backend + '\n';
    std::string* mine = nullptr;
    for (std::string& one : sections)
      if (one.starts_with(title)) mine = &one;
    if (mine == nullptr) mine = &sections.emplace_back();
    if (begun.insert(backend).second) *mine = title + head;
    *mine += row;
    std::ofstream out(path, std::ios::trunc);
    for (std::size_t i = 0; i < sections.size(); ++i) out << (i == 0 ? "" : "\n") << sections[i];
  }

 private:
  [[nodiscard]] static std::vector<std::string> read(const char* path) {
    std::vector<std::string> sections{introduction};
    std::ifstream in(path);
    bool is_section = false;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("## ")) {
        is_section = true;
        sections.emplace_back();
      }
      if (is_section) sections.back() += line + '\n';
    }
    for (std::string& one : sections)
      while (one.ends_with("\n\n")) one.pop_back();
    return sections;
  }
  static constexpr const char* introduction =
      "# Faults\n\n"
      "What comes of each error of each system call, by `tests/live/linux/faults*.cpp`: at each of the first eight "
      "calls (on "
      "Windows, in memory,\n"
      "at every one), once and for ever, while the watcher is set up and while it runs; where a column says so, also "
      "when "
      "what was queued is\n"
      "dropped (*overflow*), and when the root is removed and made again (*root returns*). In every case it goes on, "
      "tells "
      "what it can, holds what\n"
      "is on disk once the fault is over, and leaves nothing open in the end. `-`: the call is not made then.\n\n"
      "- *told as ever*: everything was told, and nothing had to be said about the fault.\n"
      "- *error*: the constructor, `add()` or `native_handle()` threw a `std::system_error` with this error.\n"
      "- *notice*: what could not be done was told beside the changes.\n"
      "- *root stays lost*: that it went was told, and until the fault is over not that it is back.\n";
};

template <class Subject, class Call>
void write_rows(const failing_call<Call>& c) {
  static constexpr const char* columns[] = {" set-up", " running", " overflow", " root returns"};
  std::string head = Subject::introduction;
  head += "\n| call | error |";
  std::string rule = "|---|---|";
  for (int at = 0; at < Subject::phases; ++at) {
    if (!Subject::has(static_cast<phase>(at))) continue;
    head += std::string(columns[at]) + ", once |" + columns[at] + ", for ever |";
    rule += "---|---|";
  }
  head += '\n' + rule + '\n';
  for (const int error : c.errors) {
    std::string row = std::string("| ") + c.name + " | " + Subject::name_of(error);
    bool met = false;
    for (int at = 0; at < Subject::phases; ++at) {
      if (!Subject::has(static_cast<phase>(at))) continue;
      for (const int times : {1, Subject::for_ever}) {
        const outcomes all = outcomes_of<Subject>(c, error, times, static_cast<phase>(at));
        met |= !all.empty();
        std::string text;
        for (const std::string& one : all) text += (text.empty() ? "" : "; ") + one;
        row += " | " + (text.empty() ? "-" : text);
      }
    }
    if (met) fault_page::append(Subject::title, head, row + " |\n");
  }
}

/// The name of a test: that of the call, without what is behind it in the manual.
inline const auto by_call = [](const auto& tested) {
  std::string name = tested.param.name;
  if (name.ends_with("(2)") || name.ends_with("(3)")) name.resize(name.size() - 3);
  std::erase_if(name, [](char ch) { return ch == '(' || ch == ')'; });
  for (char& ch : name)
    if (ch == ' ' || ch == ',' || ch == ':') ch = '_';
  return name;
};

}  // namespace hotwatch::test
