// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// hotwatch, the program: prints a line a change; records what happens, and replays it; examines paths. Exit codes: 0
// stopped, 1 a path cannot be watched or a file not be read, 2 usage.

#include <exception>
#include <hotwatch.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "arguments.hpp"
#include "doctor/doctor_command.hpp"
#include "escape.hpp"
#include "printer.hpp"
#include "process.hpp"
#include "trace/replay_command.hpp"
#if HOTWATCH_LINUX  // it runs a command as Unix does
#include "trace/record_command.hpp"
#endif

namespace {

bool print(const printed& p) {
  if (!p.err.empty() && !write_all(standard_error, p.err)) return false;
  return p.out.empty() || write_all(standard_output, p.out);
}

template <class Watcher>
void watch(const arguments& wanted) {
  Watcher watcher(wanted.options);
  const stop_on_signals<Watcher> signals(watcher);
  for (const std::string& path : wanted.paths) watcher.add(path, wanted.root);
  printer printer(wanted.format);
  bool reader_is_there = print(printer.ready(watcher.stats()));
  while (reader_is_there) {
    const hotwatch::batch& batch = watcher.wait();
    if (batch.empty() && watcher.stopped()) break;
    reader_is_there = print(printer.lines(batch, hotwatch::clock::now()));
    if (wanted.once && batch.size() > 0) break;
  }
  if (wanted.stats) write_all(standard_error, printer::counters(watcher.stats()));
}

/// A message may quote a path or a line of a trace, which may hold anything.
void complain(const std::exception& e) {
  std::string line = "hotwatch: ";
  append_text(line, e.what());
  write_all(standard_error, line += '\n');
}

/// A glob or a time that the library refuses is the user's slip; the rest is the system's answer.
int exit_code(const std::error_code& error) {
  return error == hotwatch::errc::malformed_glob || error == hotwatch::errc::option_out_of_range ? 2 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    std::vector<std::string> words = arguments_as_they_were(argc, argv);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    argc = static_cast<int>(words.size());
    argv = pointers.data();
    const std::string_view command = argc > 1 ? argv[1] : "";
#if HOTWATCH_LINUX
    if (command == "record") return trace::record_command(argc - 1, argv + 1);
#endif
    if (command == "doctor") return doctor::doctor_command(argc - 1, argv + 1);
    if (command == "replay") return trace::replay_command(argc - 1, argv + 1);
    arguments wanted;
    if (const int answered = read_arguments(argc, argv, wanted); answered >= 0) return answered;
    with_watcher(wanted.backend, [&]<class Watcher>() { watch<Watcher>(wanted); });
    return 0;
  } catch (const std::system_error& e) {
    complain(e);
    return exit_code(e.code());
  } catch (const std::exception& e) {
    complain(e);
    return 1;
  }
}
