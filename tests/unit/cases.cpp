// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Runs tests/cases/*.txt: which changes are told exactly when, on a simulated clock and a disk that is none.
// The language is explained in tests/cases/README.md.

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "examples/hotwatch/trace/scripted_disk.hpp"
#include "examples/hotwatch/trace/trace.hpp"
#include "hotwatch/watcher.hpp"

namespace hotwatch::test {
namespace {

using trace::nanoseconds;
using trace::read_time;
using trace::scripted_backend;
using trace::scripted_disk;
using trace::simulated_clock;

std::string print_time(nanoseconds time) {
  std::string text;
  trace::append_time(text, time);
  return text;
}

class case_file {
 public:
  explicit case_file(const std::filesystem::path& path) {
    std::ifstream in(path);
    for (std::string line; std::getline(in, line);)
      if (!line.empty() && line[0] != '#') read_line(line);
    std::stable_sort(disk_.events.begin(), disk_.events.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
  }

  void run() {
    simulated_clock::reset();
    basic_watcher<scripted_backend, simulated_clock> watcher(options_, disk_);
    disk_.on_end = [&] { watcher.stop(); };
    watcher.add(root_, root_options_);
    for (const call& c : calls_) {
      for (nanoseconds left; (left = c.at - simulated_clock::since_start()) > nanoseconds(0);)
        note(watcher.wait_for(left), false);
      if (c.words[0] == "flush")
        note(watcher.flush(), true);
      else if (c.words[0] == "poll")
        note(watcher.poll(), true);
      else if (c.words[0] == "acknowledge")
        watcher.acknowledge("/root/" + c.words.at(1));
      else
        note(watcher.wait_for(read_time(c.words.at(1))), true);
    }
    while (!watcher.stopped()) note(watcher.wait(), false);
    EXPECT_EQ(told_, expected_);
  }

 private:
  struct call {
    nanoseconds at;
    std::vector<std::string> words;
  };

  void read_line(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    const std::string first = words.front();
    words.erase(words.begin());
    if (first == "options") {
      for (const std::string& w : words) read_option(w);
    } else if (first == "=>") {
      std::string text = print_time(read_time(words.at(0)));
      for (std::size_t i = 1; i < words.size(); ++i) text += ' ' + words[i];
      expected_.push_back(text);
    } else if (first == "existing") {
      words.insert(words.begin(), first);
      simulated_clock::reset();
      simulated_clock::advance(-std::chrono::minutes(1));  // long before anybody watched
      disk_.run(words);
    } else if (words.at(0) == "end") {
      disk_.end = read_time(first);
    } else if (words[0] == "flush" || words[0] == "poll" || words[0] == "wait_for" || words[0] == "acknowledge") {
      calls_.push_back({read_time(first), words});
    } else if (words[0] == "every") {  // START every STEP until END EVENT ...
      const nanoseconds last = read_time(words.at(3));
      const nanoseconds step = read_time(words.at(1));
      for (nanoseconds at = read_time(first); at <= last; at += step)
        disk_.events.push_back({at, {words.begin() + 4, words.end()}});
    } else {
      disk_.events.push_back({read_time(first), words});
    }
  }

  void read_option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (name == "immediate") {
      options_.debounce = immediate;
    } else if (name == "no_settle") {
      options_.debounce.settle = false;
    } else if (name == "leading") {
      options_.debounce.leading = true;
    } else if (name == "quiet") {
      options_.debounce.quiet = read_time(value);
    } else if (name == "max_wait") {
      options_.debounce.max_wait = read_time(value);
    } else if (name == "poll_interval") {
      options_.poll_interval = std::chrono::duration_cast<std::chrono::milliseconds>(read_time(value));
    } else if (name == "metadata") {
      options_.metadata = true;
    } else if (name == "include") {
      options_.include.push_back(value);
    } else if (name == "exclude") {
      options_.exclude.push_back(value);
    } else if (name == "report_existing") {
      root_options_.report_existing = true;
    } else if (name == "polled") {
      disk_.polled = true;
    } else if (name == "watches") {
      disk_.watches_left = std::stoi(value);
    } else if (name == "file") {
      root_ = "/root/" + value;
    } else {
      throw std::runtime_error("no such option: " + word);
    }
  }

  void note(const batch& b, bool also_nothing) {
    std::string text = print_time(simulated_clock::since_start());
    if (b.empty()) {
      if (also_nothing) told_.push_back(text + " nothing");
      return;
    }
    std::vector<std::string> parts;
    for (const change& c : b) {
      std::string part(to_string(c.kind));
      part += ' ';
      if (c.kind == change_kind::renamed) part.append(c.old_path.substr(6)).append(" -> ");
      part.append(c.path.substr(6));
      if (c.modified) part += " modified";
      parts.push_back(part);
    }
    std::sort(parts.begin(), parts.end());
    for (const notice& n : b.notices()) {
      const std::string_view below = n.path.substr(std::min<std::size_t>(n.path.size(), 6));
      parts.push_back(std::string("notice ").append(to_string(n.kind)).append(below.empty() ? "" : " ").append(below));
    }
    for (std::size_t i = 0; i < parts.size(); ++i) text.append(i == 0 ? " " : ", ").append(parts[i]);
    told_.push_back(text);
  }

  scripted_disk disk_;
  options options_;
  root_options root_options_;
  std::string root_ = "/root";
  std::vector<call> calls_;
  std::vector<std::string> expected_;
  std::vector<std::string> told_;
};

std::vector<std::string> case_names() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(HOTWATCH_CASES_DIR))
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

class cases : public testing::TestWithParam<std::string> {};

TEST_P(cases, are_told_when_they_say) {
  case_file(std::filesystem::path(HOTWATCH_CASES_DIR) / (GetParam() + ".txt")).run();
}

INSTANTIATE_TEST_SUITE_P(cases, cases, testing::ValuesIn(case_names()), [](const auto& tested) {
  std::string name = tested.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(case_files, are_there) { EXPECT_GE(case_names().size(), 35u); }

}  // namespace
}  // namespace hotwatch::test
