// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Runs the scripts of this folder (see README.md there), each over every backend, each as a test of its own.

#include <dirent.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/commands.hpp"
#include "support/files.hpp"
#include "support/followed.hpp"
#include "support/linux/backends.hpp"
#include "support/model.hpp"

#ifndef HOTWATCH_SCENARIO_DIR
#define HOTWATCH_SCENARIO_DIR ""
#endif

namespace hotwatch::test {
namespace {

struct expectation {
  bool ordered = false;
  std::vector<lines> batches{1};
};

struct scenario {
  std::string name;
  options watch_options;
  root_options root;
  std::string file_root;  // the root is this one file
  std::vector<std::string> needs;
  std::vector<std::string> before, commands;
  std::map<std::string, expectation> output;  // by backend; "" for all
  std::string error;
};

std::string strip(std::string text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

scenario parse(const std::string& file, const std::string& name) {
  scenario s;
  s.name = name;
  std::ifstream in(file);
  enum class section { head, before, commands, output } now = section::head;
  expectation* expected = nullptr;
  for (std::string raw_line; std::getline(in, raw_line);) {
    const std::string text = strip(raw_line);
    if (text.empty() || text.front() == '#') continue;
    if (text == "Before:") {
      now = section::before;
    } else if (text == "Do:") {
      now = section::commands;
    } else if (text.starts_with("Output") && text.back() == ':') {
      now = section::output;
      const auto which = words(text.substr(0, text.size() - 1));
      std::string backend;
      bool ordered = false;
      for (std::size_t i = 1; i < which.size(); ++i) {
        if (which[i] == "ordered") {
          ordered = true;
        } else {
          backend = which[i];
        }
      }
      expected = &s.output[backend];
      expected->ordered = ordered;
    } else if (now == section::before) {
      s.before.push_back(text);
    } else if (now == section::commands) {
      s.commands.push_back(text);
    } else if (now == section::output) {
      if (text == "flush") {
        expected->batches.emplace_back();
      } else {
        expected->batches.back().push_back(text);
      }
    } else {
      const auto w = words(text);
      if (w[0] == "include" && w.size() == 2) {
        s.watch_options.include.push_back(w[1]);
      } else if (w[0] == "exclude" && w.size() == 2) {
        s.watch_options.exclude.push_back(w[1]);
      } else if (w[0] == "no-recursive") {
        s.root.recursive = false;
      } else if (w[0] == "report-existing") {
        s.root.report_existing = true;
      } else if (w[0] == "metadata") {
        s.watch_options.metadata = true;
      } else if (w[0] == "follow-symlinks") {
        s.watch_options.follow_symlinks = true;
      } else if (w[0] == "file-root" && w.size() == 2) {
        s.file_root = w[1];
      } else if (w[0] == "needs" && w.size() == 2) {
        s.needs.push_back(w[1]);
      } else {
        s.error = "unknown option: " + text;
      }
    }
  }
  if (s.output.empty()) s.error = "no output is expected in " + file;
  return s;
}

/// The batch as the scripts write it: notices too, as "notice root_lost".
lines as_lines(const batch& b) {
  lines out = in_order(b);
  for (const notice& n : b.notices()) out.push_back("notice " + std::string(to_string(n.kind)));
  return out;
}

bool has_tool(const std::string& tool) {
  return std::system(("command -v '" + tool + "' >/dev/null 2>&1").c_str()) == 0;
}

template <class Watcher>
class scenario_test : public testing::Test {
 public:
  scenario_test(scenario s, std::string backend) : s_(std::move(s)), backend_(std::move(backend)) {}

  void TestBody() override {
    ASSERT_EQ(s_.error, "");
    if (const std::string why = why_not<Watcher>(); !why.empty()) GTEST_SKIP() << why;
    for (const std::string& tool : s_.needs)
      if (!has_tool(tool)) GTEST_SKIP() << "no " << tool << " here";
    const auto own = s_.output.find(backend_);
    const expectation& expected = own != s_.output.end() ? own->second : s_.output.at("");

    temp_directory directory;
    for (const std::string& command : s_.before) ASSERT_EQ(execute(directory, command), "");
    s_.watch_options.poll_interval = std::chrono::milliseconds(20);
    Watcher watcher(s_.watch_options);
    const std::string root = s_.file_root.empty() ? directory.root().path() : directory.root().at(s_.file_root);
    outlive_the_tick();  // what was there before is surely older than what comes
    watcher.add(root, s_.root);

    // Where filters hide something, the model cannot know the parents, nor be compared with the disk.
    const bool whole = s_.watch_options.include.empty() && s_.watch_options.exclude.empty() && s_.file_root.empty();
    model told({root}, whole);
    if (!s_.root.report_existing) told.start_from(known(watcher));

    std::size_t batch_number = 0;
    const auto deliver = [&] {
      SCOPED_TRACE("batch " + std::to_string(batch_number + 1));
      ASSERT_LT(batch_number, expected.batches.size()) << "more batches than are expected";
      const batch& b = watcher.flush();
      EXPECT_EQ(told.apply(b), "");
      const lines& wanted = expected.batches[batch_number++];
      if (expected.ordered) {
        EXPECT_EQ(as_lines(b), wanted);
      } else {
        EXPECT_EQ(sorted(as_lines(b)), sorted(wanted));
      }
      if (whole) {
        const std::string& top = directory.root().path();
        EXPECT_EQ(told.difference(s_.watch_options.follow_symlinks ? list_followed(top, s_.root.recursive)
                                                                   : list(top, top, s_.root.recursive)),
                  "");
      }
    };
    for (const std::string& command : s_.commands) {
      if (command == "flush") {
        deliver();
      } else {
        ASSERT_EQ(execute(directory, command), "");
      }
    }
    deliver();
    EXPECT_EQ(batch_number, expected.batches.size()) << "fewer batches than are expected";
    const batch& rest = watcher.flush();
    EXPECT_TRUE(rest.empty()) << "told later:\n" << model::text(rest);
  }

 private:
  scenario s_;
  std::string backend_;
};

std::string folder() {
  if (const char* given = std::getenv("HOTWATCH_SCENARIOS")) return given;
  if (const std::string built_in = HOTWATCH_SCENARIO_DIR; !built_in.empty()) return built_in;
  const std::string here = __FILE__;
  const auto slash = here.rfind('/');
  return slash == std::string::npos ? "." : here.substr(0, slash);
}

class no_scripts : public testing::Test {
 public:
  void TestBody() override { FAIL() << "no scripts in " << folder() << "; name their folder in HOTWATCH_SCENARIOS"; }
};

template <class Watcher>
void add_test(const scenario& s, const std::string& backend) {
  testing::RegisterTest("Scenarios", (s.name + "/" + backend).c_str(), nullptr, nullptr, __FILE__, __LINE__,
                        [s, backend]() -> testing::Test* { return new scenario_test<Watcher>(s, backend); });
}

// Before main() of GoogleTest runs, as TEST() itself does.
const bool registered = [] {
  std::vector<std::string> names;
  if (DIR* const dir = ::opendir(folder().c_str())) {
    while (const dirent* entry = ::readdir(dir)) {
      const std::string name = entry->d_name;
      if (name.ends_with(".txt")) names.push_back(name.substr(0, name.size() - 4));
    }
    ::closedir(dir);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const scenario s = parse(folder() + "/" + name + ".txt", name);
    add_test<hotwatch::watcher>(s, "inotify");
    add_test<polling_watcher>(s, "polling");
    add_test<fanotify_watcher>(s, "fanotify");
  }
  if (names.empty())
    testing::RegisterTest("Scenarios", "AreThere", nullptr, nullptr, __FILE__, __LINE__,
                          []() -> testing::Test* { return new no_scripts; });
  return true;
}();

}  // namespace
}  // namespace hotwatch::test
