// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A trial written down, so that it can be played again, made shorter and kept: in the form of tests/scenarios, with
// calls of the watcher among the commands. "@7 rm f0" is done before the 7th system call of the watcher's call above.

#include <array>
#include <chrono>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "hotwatch/options.hpp"
#include "support/commands.hpp"

namespace hotwatch::test {

struct mode {
  const char* name;
  debounce policy;
};

using namespace std::chrono_literals;

inline constexpr std::array modes{
    mode{"immediate", immediate},
    mode{"default", {}},
    mode{"leading", {.leading = true}},
    mode{"settle-off", {.quiet = 5ms, .max_wait = 50ms, .settle = false}},
    mode{"tiny-max-wait", {.quiet = 1ms, .max_wait = 1ms}},
    mode{"tiny-max-wait-settle-off", {.quiet = 500us, .max_wait = 700us, .settle = false}},
};

/// Under which conditions a trial is played.
struct setting {
  std::string debounce = modes[0].name;
  std::vector<std::string> include = {}, exclude = {};
  bool metadata = false;
  bool as_nobody = false;    ///< whom permissions bind
  bool interrupted = false;  ///< every other system call that may be interrupted is
  bool own_mounts = false;   ///< may mount what nobody else sees

  [[nodiscard]] options chosen() const {
    options o{.include = include, .exclude = exclude, .metadata = metadata};
    o.poll_interval = 5ms;
    for (const mode& m : modes)
      if (debounce == m.name) o.debounce = m.policy;
    return o;
  }
};

struct act {
  long before_call = 0;  ///< of the call of the watcher above; 0: after it
  std::string command;
};

struct play {
  setting how;
  std::vector<std::string> before;  ///< commands before anything is watched
  std::vector<act> acts;

  [[nodiscard]] std::string text() const {
    std::string out = "debounce " + how.debounce + '\n';
    for (const std::string& g : how.include) out += "include " + g + '\n';
    for (const std::string& g : how.exclude) out += "exclude " + g + '\n';
    for (const flag& f : flags)
      if (how.*f.value) out += f.name + std::string("\n");
    if (!before.empty()) out += "Before:\n";
    for (const std::string& command : before) out += command + '\n';
    out += "Do:\n";
    for (const act& a : acts)
      out += (a.before_call != 0 ? '@' + std::to_string(a.before_call) + ' ' : "") + a.command + '\n';
    return out;
  }

  /// Throws std::invalid_argument.
  [[nodiscard]] static play parse(const std::string& text) {
    play p;
    std::istringstream in(text);
    enum { head, earlier, now } part = head;
    for (std::string line; std::getline(in, line);) {
      const auto w = words(line);
      if (w.empty() || line.front() == '#') continue;
      if (line == "Before:") {
        part = earlier;
      } else if (line == "Do:") {
        part = now;
      } else if (part == earlier) {
        p.before.push_back(line);
      } else if (part == now && line.front() == '@') {
        p.acts.push_back({std::stol(line.substr(1)), line.substr(line.find(' ') + 1)});
      } else if (part == now) {
        p.acts.push_back({0, line});
      } else {
        p.how = with(p.how, w);
      }
    }
    return p;
  }

 private:
  struct flag {
    const char* name;
    bool setting::*value;
  };
  static constexpr flag flags[] = {{"metadata", &setting::metadata},
                                   {"as-nobody", &setting::as_nobody},
                                   {"interrupted", &setting::interrupted},
                                   {"own-mounts", &setting::own_mounts}};

  static setting with(setting how, const std::vector<std::string>& line) {
    const std::string& what = line.front();
    for (const flag& f : flags)
      if (what == f.name) return how.*f.value = true, how;
    if (line.size() != 2) throw std::invalid_argument("unknown option: " + what);
    if (what == "debounce") how.debounce = line[1];
    if (what == "include") how.include.push_back(line[1]);
    if (what == "exclude") how.exclude.push_back(line[1]);
    return how;
  }
};

}  // namespace hotwatch::test
