// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// `hotwatch doctor`: how each path would be watched, why so, and what to change.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "../arguments.hpp"
#include "../process.hpp"
#include "finding.hpp"
#include "machine.hpp"
#include "report.hpp"

namespace doctor {

/// Returns the exit code: whether all is watched, and nothing polled.
inline int report(const std::vector<std::string>& paths, bool as_json) {
  const machine m = examine_machine();  // before it watches anything itself
  std::vector<finding> findings;
  for (const std::string& path : paths) findings.push_back(examine(path));
  const std::vector<std::string> commands = what_to_change(m, findings);
  std::string out = as_json ? json::of(m) : text::of(m);
  for (const finding& f : findings) out += as_json ? json::of(f) : text::of(f);
  write_all(standard_output, out + (as_json ? json::of(commands) : text::of(commands)));
  return std::all_of(findings.begin(), findings.end(), [](const finding& f) { return f.is_fine(); }) ? 0 : 1;
}

inline int doctor_command(int argc, char** argv) {
  CLI::App app("Tells how each path would be watched and why so, how near the limits are, and what to change.",
               "hotwatch doctor");
  app.formatter(std::make_shared<usage_formatter>("hotwatch doctor [OPTIONS] PATH..."));
  std::vector<std::string> paths;
  bool as_json = false;
  app.add_option("PATH", paths, "Directories and files that would be watched")->required();
  app.add_flag("--json", as_json, "One JSON object a line: the machine, each path, each change to make");
  app.footer(std::string(about_machine) +
             "Exit codes: 0 all is watched; 1 something would be polled or not be watched; 2 wrong usage.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return report(paths, as_json);
}

}  // namespace doctor
