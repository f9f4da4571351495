// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The command line: what the user asked for, or the text and the exit code that answer a wrong or a helping call.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <hotwatch/options.hpp>
#include <hotwatch/version.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends.hpp"
#include "duration.hpp"
#include "printer.hpp"

struct arguments {
  std::vector<std::string> paths;
  hotwatch::options options;
  hotwatch::root_options root;
  std::string backend;  ///< empty: the platform's own
  line_format format = line_format::text;
  bool once = false;
  bool stats = false;
};

class usage_formatter final : public CLI::Formatter {
 public:
  explicit usage_formatter(std::string usage) : usage_(std::move(usage)) {}
  std::string make_usage(const CLI::App*, std::string) const override { return "Usage: " + usage_ + '\n'; }

 private:
  std::string usage_;
};

/// An option's reader: the duration goes to `value`.
[[nodiscard]] inline auto duration_reader(std::string name, std::chrono::nanoseconds& value) {
  return [name = std::move(name), &value](const std::string& text) {
    const auto parsed = parse_duration(text);
    if (!parsed)
      throw CLI::ValidationError(name, "'" + text + "' is no duration: a number and one of " +
                                           std::string(duration_units) + ", as in 20ms or 1.5s");
    value = *parsed;
  };
}

/// The options that say what is told and when. To be added before parsing, and read after it.
class telling_options {
 public:
  explicit telling_options(CLI::App& app) {
    app.add_option("--include", include_, "Tell only names that match; may be repeated")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    app.add_option("--exclude", exclude_, "Neither tell nor enter what matches; may be repeated")
        ->type_name("GLOB")
        ->allow_extra_args(false);
    quiet_option_ = app.add_option_function<std::string>("--quiet", duration_reader("--quiet", debounce_.quiet),
                                                         "Hold a batch until nothing more came for this long [20ms]")
                        ->type_name("TIME");
    max_wait_option_ =
        app.add_option_function<std::string>("--max-wait", duration_reader("--max-wait", debounce_.max_wait),
                                             "Never hold a batch longer than this [500ms]")
            ->type_name("TIME");
    app.add_flag("--immediate", immediate_, "Hold nothing back")->excludes(quiet_option_)->excludes(max_wait_option_);
    app.add_flag("--leading", debounce_.leading, "Tell the first change at once, then hold what follows");
    app.add_flag("--no-settle", no_settle_, "Always wait for the quiet, also behind a save that is done");
  }

  void read(hotwatch::options& wanted) const {
    wanted.include = include_;
    wanted.exclude = exclude_;
    wanted.debounce = debounce_;
    // Who names only one of the two means the other to fit.
    if (*quiet_option_ && !*max_wait_option_) wanted.debounce.max_wait = std::max(debounce_.max_wait, debounce_.quiet);
    if (*max_wait_option_ && !*quiet_option_) wanted.debounce.quiet = std::min(debounce_.max_wait, debounce_.quiet);
    wanted.debounce.settle = !no_settle_;
    if (immediate_) wanted.debounce = hotwatch::immediate;
  }

 private:
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  hotwatch::debounce debounce_;
  bool immediate_ = false;
  bool no_settle_ = false;
  CLI::Option* quiet_option_ = nullptr;
  CLI::Option* max_wait_option_ = nullptr;
};

/// Fills `wanted` and returns -1, or answers on standard output or error and returns the exit code.
[[nodiscard]] inline int read_arguments(int argc, char** argv, arguments& wanted) {
  CLI::App app("Prints a line for each change below the given directories, or of the given files.", "hotwatch");
  app.formatter(std::make_shared<usage_formatter>(
      "hotwatch [watch] [OPTIONS] PATH...\n"
      "       hotwatch record [OPTIONS] DIRECTORY [-- COMMAND...]   writes down what happens: record --help\n"
      "       hotwatch replay [OPTIONS] TRACE                      what would have been told, and why: replay --help\n"
      "       hotwatch doctor [OPTIONS] PATH...                    how it would be watched, and what to change"));
  app.footer(
      "A file name is printed as it is, but for backslashes, control characters and bytes that are no UTF-8:\n"
      "\\\\, \\n, \\x1b (with --json \\udc80 to \\udcff for such bytes).\n"
      "Exit codes: 0 stopped, or --once done; 1 a path cannot be watched; 2 wrong usage.");
  app.set_version_flag("--version", std::string("hotwatch ") + HOTWATCH_VERSION);

  std::chrono::nanoseconds spin{0};
  app.add_option("PATH", wanted.paths, "Directories and files to watch")->required();
  const telling_options telling(app);
  app.add_flag("--metadata", wanted.options.metadata, "Tell changes of permissions, owner and times too");
  app.add_flag("--follow-symlinks", wanted.options.follow_symlinks,
               "Show a symlink to a directory as that directory, with what is in it");
  // A flag with a value takes it after '=' only, so that `--poll PATH` is a path.
  std::string interval;
  auto* poll = app.add_flag("--poll{500ms}", interval, "Look at everything every INTERVAL [500ms]: --poll[=INTERVAL]");
  app.add_option("--backend", wanted.backend, backend_help)
      ->type_name("NAME")
      ->check(CLI::IsMember(std::vector<std::string>(std::begin(backend_names), std::end(backend_names))));
  app.add_option_function<std::string>("--spin", duration_reader("--spin", spin),
                                       "Busy-wait this long before blocking: lowest latency")
      ->type_name("TIME");
  bool flat = false;
  app.add_flag("--no-recursive", flat, "Watch only the entries of the directories themselves");
  app.add_flag("--once", wanted.once, "Stop after the first batch with a change in it");
  app.add_flag("--stats", wanted.stats, "Print counters on standard error at the end");
  bool json = false;
  app.add_flag("--json", json, "One JSON object a line");

  try {
    // "watch" may stand first; a directory of that name is `hotwatch ./watch`.
    const bool named = argc > 1 && std::string_view(argv[1]) == "watch";
    app.parse(argc - (named ? 1 : 0), argv + (named ? 1 : 0));
    if (*poll) {
      if (!wanted.backend.empty() && wanted.backend != "polling")
        throw CLI::ExcludesError("--poll", "--backend " + wanted.backend);
      std::chrono::nanoseconds value{0};
      duration_reader("--poll", value)(interval);
      wanted.options.poll_interval = std::chrono::ceil<std::chrono::milliseconds>(value);
      wanted.backend = "polling";
    }
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }

  telling.read(wanted.options);
  wanted.options.spin = std::chrono::ceil<std::chrono::microseconds>(spin);
  wanted.root.recursive = !flat;
  if (json) wanted.format = line_format::json;
  return -1;
}
