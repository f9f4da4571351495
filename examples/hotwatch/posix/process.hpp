// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the program has to do with the system it runs on: its outputs, its arguments, and the signals that end
// it.

#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

inline constexpr int standard_output = STDOUT_FILENO, standard_error = STDERR_FILENO;

template <class Watcher>
Watcher* running = nullptr;

/// False when nobody reads `descriptor` any more; throws when it cannot be written for another reason.
inline bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EPIPE) {
      return false;
    } else if (errno != EINTR) {
      throw std::system_error(errno, std::system_category(), "writing");
    }
  }
  return true;
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

inline std::vector<std::string> arguments_as_they_were(int argc, char** argv) { return {argv, argv + argc}; }
