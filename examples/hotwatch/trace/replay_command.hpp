// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// `hotwatch replay`: why did my reload fire twice?

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <hotwatch/options.hpp>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "../arguments.hpp"
#include "../process.hpp"
#include "replay.hpp"
#include "trace.hpp"

namespace trace {

/// Each column is as wide as its longest cell.
inline std::string aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths.size() <= i) widths.push_back(0);
      widths[i] = std::max(widths[i], row[i].size());
    }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      text.append(row[i]).append(i + 1 < row.size() ? widths[i] - row[i].size() + 2 : 0, ' ');
    text += '\n';
  }
  return text;
}

inline std::string written(nanoseconds time) {
  std::string text;
  append_time(text, time);
  return text;
}

inline std::string table(const replayed& r, std::size_t most_changes) {
  std::vector<std::vector<std::string>> rows{{"batch", "told at", "pause before", "held after", "because", "changes"}};
  for (std::size_t i = 0; i < r.batches.size(); ++i) {
    const replayed_batch& b = r.batches[i];
    std::vector<std::string> row{std::to_string(i + 1), written(b.at), i == 0 ? "-" : written(b.pause),
                                 written(b.after_last), std::string(to_string(b.why))};
    for (std::size_t c = 0; c < b.changes.size() && c < most_changes; ++c) {
      row.push_back(b.changes[c]);
      rows.push_back(std::exchange(row, {"", "", "", "", ""}));
    }
    if (b.changes.size() > most_changes) {
      row.push_back("... and " + std::to_string(b.changes.size() - most_changes) + " more");
      rows.push_back(row);
    }
  }
  return aligned(rows);
}

inline int replay_command(int argc, char** argv) {
  CLI::App app(
      "Tells what a watcher with these options would have told of a recorded trace: which batches, when and why.",
      "hotwatch replay");
  app.formatter(std::make_shared<usage_formatter>("hotwatch replay [OPTIONS] TRACE"));
  app.footer(
      "pause before: between the last event of the batch before and the first of this one: with a longer --quiet, and\n"
      "              --no-settle, the two are one.\n"
      "held after:   how long after its last event a batch was told.\n"
      "because:      complete (it looked like a save that is done, and a short gap passed), quiet, max-wait, or at "
      "once.");
  std::string file;
  std::size_t most_changes = 8;
  app.add_option("TRACE", file, "What `hotwatch record` wrote; - is standard input")->required();
  app.add_option("--changes", most_changes, "Print so many changes of a batch [8]")->type_name("N");
  const telling_options telling(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  hotwatch::options chosen;
  telling.read(chosen);
  std::ifstream in;
  if (file != "-") in.open(file);
  if (!in) throw std::system_error(errno, std::system_category(), file);
  try {
    const replayed r = replay(read(file == "-" ? std::cin : in), chosen);
    write_all(standard_output, table(r, most_changes));
    std::size_t changes = 0;
    for (const replayed_batch& b : r.batches) changes += b.changes.size();
    write_all(standard_output, std::to_string(r.batches.size()) + " batches, " + std::to_string(changes) +
                                   " changes; the last event at " + written(r.last_event) + '\n');
  } catch (const std::system_error&) {
    throw;
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(file + ": " + e.what());
  }
  return 0;
}

}  // namespace trace
