// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// `hotwatch record` and `hotwatch replay`: why did my reload fire twice?

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <hotwatch.hpp>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../arguments.hpp"
#include "../process.hpp"
#include "recorder.hpp"
#include "replay.hpp"
#include "trace.hpp"

namespace trace {

// ---- record

/// A command that runs beside the recorder. Its exit code is known once it has ended.
class running_command {
 public:
  explicit running_command(const std::vector<std::string>& words) {
    if (words.empty()) return;
    std::vector<char*> arguments;
    for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ < 0) throw std::system_error(errno, std::system_category(), "fork");
    if (process_ == 0) {
      ::execvp(arguments[0], arguments.data());
      std::fprintf(stderr, "hotwatch: %s: %s\n", arguments[0], std::system_category().message(errno).c_str());
      ::_exit(127);
    }
  }

  [[nodiscard]] bool has_ended() {
    int status = 0;
    if (process_ <= 0 || ::waitpid(process_, &status, WNOHANG) != process_) return false;
    process_ = 0;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }
  [[nodiscard]] int exit_code() const noexcept { return exit_code_; }

 private:
  pid_t process_ = 0;
  int exit_code_ = 0;
};

inline int record(const std::string& directory, const std::string& output, const std::vector<std::string>& command,
                  hotwatch::options chosen) {
  using watcher_type = hotwatch::basic_watcher<recording_backend<hotwatch::inotify_backend>>;
  recorder recorder(canonical(directory));
  if (!std::filesystem::is_directory(directory)) throw std::system_error(ENOTDIR, std::system_category(), directory);
  chosen.debounce = hotwatch::immediate;
  watcher_type watcher(std::move(chosen), recorder);
  const stop_on_signals<watcher_type> signals(watcher);
  watcher.add(directory);
  const int out =
      output.empty() ? STDOUT_FILENO : ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0) throw std::system_error(errno, std::system_category(), output);

  std::string head = "# hotwatch record";
  for (const std::string& word : command) append_text(head += ' ', word);
  head += '\n';
  watcher.for_each([&](std::string_view path, hotwatch::entry_type type) {
    head += "existing ";
    append_word(head, path.substr(directory.size() + (directory.back() == '/' ? 0 : 1)));
    head += type == hotwatch::entry_type::directory ? "/\n" : "\n";
  });
  recorder.start();
  bool reader_is_there = write_all(out, head);

  running_command runs(command);
  bool ended = false;
  while (reader_is_there && !ended && !watcher.stopped()) {
    // Without a command only a signal ends it. The end of a command is asked for now and then.
    if (command.empty()) {
      (void)watcher.wait();
    } else {
      (void)watcher.wait_for(std::chrono::milliseconds(20));
      if ((ended = runs.has_ended())) (void)watcher.flush();
    }
    reader_is_there = write_all(out, recorder.take_lines(false));
  }
  write_all(out, recorder.take_lines(true));
  if (out != STDOUT_FILENO && ::close(out) != 0) throw std::system_error(errno, std::system_category(), output);
  std::fprintf(stderr, "hotwatch: %zu events\n", recorder.events());
  return runs.exit_code();
}

inline int record_command(int argc, char** argv) {
  CLI::App app("Writes down what happens below a directory, with times, until it is interrupted or COMMAND ends.",
               "hotwatch record");
  app.formatter(std::make_shared<usage_formatter>("hotwatch record [OPTIONS] DIRECTORY [-- COMMAND...]"));
  std::string directory;
  std::string output;
  std::vector<std::string> command;
  hotwatch::options chosen;
  app.add_option("DIRECTORY", directory, "What is watched")->required();
  app.add_option("COMMAND", command, "Is run; the record ends with it, and its exit code is that of the record");
  app.add_option("-o,--output", output, "Where the trace goes [standard output]")->type_name("FILE");
  app.add_option("--exclude", chosen.exclude, "Neither enter nor record what matches; may be repeated")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return record(directory, output, command, std::move(chosen));
}

// ---- replay

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
      "because:      complete (all its files were closed, and a short gap passed), quiet, max-wait, or at once.");
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
    write_all(STDOUT_FILENO, table(r, most_changes));
    std::size_t changes = 0;
    for (const replayed_batch& b : r.batches) changes += b.changes.size();
    write_all(STDOUT_FILENO, std::to_string(r.batches.size()) + " batches, " + std::to_string(changes) +
                                 " changes; the last event at " + written(r.last_event) + '\n');
  } catch (const std::system_error&) {
    throw;
  } catch (const std::runtime_error& e) {
    throw std::runtime_error(file + ": " + e.what());
  }
  return 0;
}

}  // namespace trace
