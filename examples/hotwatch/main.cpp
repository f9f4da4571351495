// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// hotwatch, the program: prints a line a change. Exit codes: 0 stopped, 1 a path cannot be watched, 2 usage.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <hotwatch.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>

#include "arguments.hpp"
#include "printer.hpp"

namespace {

template <class Watcher>
Watcher* running = nullptr;

/// False when nobody reads `descriptor` any more; throws when it cannot be written for another reason.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::system_category(), "standard output");
    }
  }
  return true;
}

bool write_all(const printed& p) {
  if (!p.err.empty() && !write_all(STDERR_FILENO, p.err)) return false;
  return p.out.empty() || write_all(STDOUT_FILENO, p.out);
}

/// SIGINT and SIGTERM stop the watcher for as long as this object lives; then they are ignored, for the process is
/// ending.
template <class Watcher>
class stop_on_signals {
 public:
  explicit stop_on_signals(Watcher& watcher) {
    running<Watcher> = &watcher;
    on({SIGINT, SIGTERM}, [](int) { running<Watcher>->stop(); });
    on({SIGPIPE}, SIG_IGN);  // a reader that went away is told by EPIPE
  }
  ~stop_on_signals() { on({SIGINT, SIGTERM}, SIG_IGN); }
  stop_on_signals(const stop_on_signals&) = delete;
  stop_on_signals& operator=(const stop_on_signals&) = delete;

 private:
  static void on(std::initializer_list<int> signals, void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    for (const int signal : signals) ::sigaction(signal, &action, nullptr);
  }
};

template <class Watcher>
void watch(const arguments& wanted) {
  Watcher watcher(wanted.options);
  const stop_on_signals<Watcher> signals(watcher);
  for (const std::string& path : wanted.paths) watcher.add(path, wanted.root);
  printer printer(wanted.format);
  bool reader_is_there = write_all(printer.ready(watcher.stats()));
  while (reader_is_there) {
    const hotwatch::batch& batch = watcher.wait();
    if (batch.empty() && watcher.stopped()) break;
    reader_is_there = write_all(printer.lines(batch, hotwatch::clock::now()));
    if (wanted.once && batch.size() > 0) break;
  }
  if (wanted.stats) write_all(STDERR_FILENO, printer::counters(watcher.stats()));
}

/// A glob or a time that the library refuses is the user's slip; the rest is the system's answer.
int exit_code(const std::error_code& error) {
  return error == hotwatch::errc::malformed_glob || error == hotwatch::errc::option_out_of_range ? 2 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    arguments wanted;
    if (const int answered = read_arguments(argc, argv, wanted); answered >= 0) return answered;
    switch (wanted.backend) {
      case backend_name::inotify: watch<hotwatch::basic_watcher<hotwatch::inotify_backend>>(wanted); break;
      case backend_name::polling: watch<hotwatch::polling_watcher>(wanted); break;
    }
    return 0;
  } catch (const std::system_error& e) {
    std::fprintf(stderr, "hotwatch: %s\n", e.what());
    return exit_code(e.code());
  } catch (const std::exception& e) {
    std::fprintf(stderr, "hotwatch: %s\n", e.what());
    return 1;
  }
}
