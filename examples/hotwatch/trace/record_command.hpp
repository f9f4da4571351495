// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// `hotwatch record`: a trace of what happens, by itself or while a command runs.

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <hotwatch.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../arguments.hpp"
#include "../process.hpp"
#include "recorder.hpp"
#include "trace.hpp"

namespace trace {

/// A command that runs beside the recorder, and ends with it.
class running_command {
 public:
  /// Its standard output goes to standard error when ours is the trace's.
  running_command(const std::vector<std::string>& words, bool trace_is_output) {
    if (words.empty()) return;
    std::vector<char*> arguments;
    for (const std::string& w : words) arguments.push_back(const_cast<char*>(w.c_str()));
    arguments.push_back(nullptr);
    process_ = ::fork();
    if (process_ < 0) throw std::system_error(errno, std::system_category(), "fork");
    if (process_ == 0) {
      if (trace_is_output) ::dup2(STDERR_FILENO, STDOUT_FILENO);
      ::signal(SIGPIPE, SIG_DFL);  // what is ignored stays ignored in the command, which could not undo it (execve(2))
      ::execvp(arguments[0], arguments.data());
      std::fprintf(stderr, "hotwatch: %s: %s\n", arguments[0], std::system_category().message(errno).c_str());
      ::_exit(127);
    }
  }

  running_command(const running_command&) = delete;
  running_command& operator=(const running_command&) = delete;
  ~running_command() { (void)end(); }

  [[nodiscard]] bool has_ended() noexcept { return process_ > 0 && has_ended(WNOHANG); }
  /// Asks it to end if it has not, and returns its exit code; 128 and the signal's number if it was ended by one.
  int end() noexcept {
    if (process_ > 0) {
      ::kill(process_, SIGTERM);
      (void)has_ended(0);
    }
    return exit_code_;
  }

 private:
  bool has_ended(int how) noexcept {
    int status = 0;
    pid_t ended = 0;
    do ended = ::waitpid(process_, &status, how);
    while (ended < 0 && errno == EINTR);
    if (ended == 0) return false;
    process_ = 0;
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return true;
  }

  pid_t process_ = 0;
  int exit_code_ = 0;
};

inline int record(std::string directory, const std::string& output, const std::vector<std::string>& command,
                  hotwatch::options chosen) {
  using watcher_type = hotwatch::basic_watcher<recording_backend<hotwatch::inotify_backend>>;
  while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
  recorder written(canonical(directory), chosen.exclude);
  if (!std::filesystem::is_directory(directory)) throw std::system_error(ENOTDIR, std::system_category(), directory);
  chosen.debounce = hotwatch::immediate;
  watcher_type watcher(std::move(chosen), written);
  const stop_on_signals<watcher_type> signals(watcher);
  watcher.add(directory);
  const int out =
      output.empty() ? STDOUT_FILENO : ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0) throw std::system_error(errno, std::system_category(), output);
  if (struct ::stat s{}; ::fstat(out, &s) == 0 && S_ISREG(s.st_mode))
    written.leave_out(canonical("/proc/self/fd/" + std::to_string(out)));

  std::string head = "# hotwatch record";
  for (const std::string& word : command) append_text(head += ' ', word);
  head += '\n';
  watcher.for_each([&](std::string_view path, hotwatch::entry_type type) {
    head += "existing ";
    append_word(head, path.substr(directory.size() + (directory.back() == '/' ? 0 : 1)));
    head += type == hotwatch::entry_type::directory ? "/\n" : "\n";
  });
  written.start();
  bool reader_is_there = write_all(out, head);

  running_command runs(command, out == STDOUT_FILENO);
  bool ended = false;
  while (reader_is_there && !ended && !watcher.stopped()) {
    // Without a command only a signal ends it. The end of a command is asked for now and then.
    if (command.empty()) {
      (void)watcher.wait();
    } else {
      (void)watcher.wait_for(std::chrono::milliseconds(20));
      if ((ended = runs.has_ended())) (void)watcher.flush();
    }
    reader_is_there = write_all(out, written.take_lines(false));
  }
  write_all(out, written.take_lines(true));
  if (out != STDOUT_FILENO && ::close(out) != 0) throw std::system_error(errno, std::system_category(), output);
  std::fprintf(stderr, "hotwatch: %zu events\n", written.events());
  return runs.end();
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
  app.footer("RENAME_EXCHANGE is written down as two renames: the kernel says no more.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return record(directory, output, command, std::move(chosen));
}

}  // namespace trace
