// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a watcher makes of a path: found out by watching it, for a moment.

#include <algorithm>
#include <cstdint>
#include <hotwatch.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "machine.hpp"

namespace doctor {

struct complaint {
  hotwatch::notice_kind kind;
  std::string path;
  std::string error;
  std::string advice;
  bool partly_told;  ///< hints come, but not of all
};

struct finding {
  std::string path;
  std::string error;  ///< why it cannot be watched at all; then all below is nothing
  std::string file_system;
  std::uint64_t directories = 0;
  std::uint64_t files = 0;
  std::uint64_t polled = 0;   ///< directories
  std::vector<fact> further;  ///< of this platform
  std::vector<complaint> complaints;

  /// Whether others than this kernel change it as well, or what is mounted somewhere below it.
  [[nodiscard]] bool is_partly_told() const {
    return std::any_of(complaints.begin(), complaints.end(), [](const complaint& c) { return c.partly_told; });
  }
  [[nodiscard]] bool is_itself_partly_told() const {
    return std::any_of(complaints.begin(), complaints.end(),
                       [&](const complaint& c) { return c.partly_told && c.path == path; });
  }
  /// An overflow is told again and again while others are busy there.
  void add(const hotwatch::notice& n) {
    const bool known = std::any_of(complaints.begin(), complaints.end(),
                                   [&](const complaint& c) { return c.kind == n.kind && c.path == n.path; });
    if (known) return;
    complaints.push_back({n.kind, std::string(n.path), n.error ? n.error.message() : "", std::string(n.advice),
                          n.error == hotwatch::errc::partly_told});
  }

  [[nodiscard]] bool is_fine() const { return error.empty() && complaints.empty(); }
  /// The backend, as it is called.
  [[nodiscard]] const char* uses() const {
    if (polled == 0) return native_name;
    for (const complaint& c : complaints)
      if (c.kind == hotwatch::notice_kind::polling && !c.partly_told && c.path == path) return "polling";
    return native_name_and_polling;
  }
  /// Whether nobody tells, and all is found by looking.
  [[nodiscard]] bool is_looked_at() const { return std::string_view(uses()) == "polling"; }
};

[[nodiscard]] inline finding examine(const std::string& path) {
  finding f;
  f.path = path;
  try {
    hotwatch::watcher watcher;
    watcher.add(path);
    for (const hotwatch::notice& n : watcher.flush().notices()) f.add(n);
    const hotwatch::statistics stats = watcher.stats();
    f.directories = stats.directories;
    f.files = stats.files;
    f.polled = stats.polled_directories;
  } catch (const std::system_error& e) {
    f.error = e.code().message();
    return f;
  }
  f.file_system = file_system_of(path.c_str());
  f.further = examine_further(path);
  return f;
}

}  // namespace doctor
