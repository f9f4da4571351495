// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What was found, as text or as JSON, and what to change.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../escape.hpp"
#include "finding.hpp"
#include "machine.hpp"

namespace doctor {

/// Room for as many again: trees grow, and others watch too.
[[nodiscard]] inline std::uint64_t enough(std::uint64_t needed) { return std::bit_ceil(2 * needed); }

/// What the user can change, each a command.
[[nodiscard]] inline std::vector<std::string> what_to_change(const machine& m, const std::vector<finding>& findings) {
  std::vector<std::string> commands;
  std::uint64_t needed = m.watches.used;
  for (const finding& f : findings) needed += f.directories;
  if (m.watches.most != 0 && needed > m.watches.most)
    commands.push_back("sysctl -w fs.inotify.max_user_watches=" + std::to_string(enough(needed)));
  if (m.instances.most != 0 && m.instances.used >= m.instances.most)
    commands.push_back("sysctl -w fs.inotify.max_user_instances=" + std::to_string(enough(m.instances.most)));
  return commands;
}

namespace text {

[[nodiscard]] inline std::string of(const limit& l) { return std::to_string(l.used) + " of " + std::to_string(l.most); }

[[nodiscard]] inline std::string of(const machine& m) {
  std::string out = "kernel       " + m.kernel + "\ninotify      ";
  if (m.watches.most == 0) return out + "none\n";
  return out + of(m.watches) + " watches and " + of(m.instances) + " instances are taken by this user; the queue has " +
         std::to_string(m.queued_events) + " places\n";
}

[[nodiscard]] inline std::string of(const finding& f) {
  std::string out = "\n";
  append_text(out, f.path);
  if (!f.error.empty()) return out + "\n  cannot be watched: " + f.error + '\n';
  out += "\n  uses         ";
  out += f.uses();
  out += "\n  file system  " + f.file_system + (f.is_partly_told() ? ", told in part" : ", told wholly") +
         "\n  directories  " + std::to_string(f.directories);
  if (f.polled != 0) out += ", of which " + std::to_string(f.polled) + " are polled";
  out += "\n  fanotify     ";
  out += f.fanotify ? "no: " + f.fanotify.message() : "possible";
  for (const complaint& c : f.complaints) {
    out += "\n  ";
    out += to_string(c.kind);
    out += ' ';
    append_text(out, c.path);
    out += ": " + c.error;
    if (!c.advice.empty()) out += "; " + c.advice;
  }
  return out + '\n';
}

[[nodiscard]] inline std::string of(const std::vector<std::string>& commands) {
  std::string out;
  for (const std::string& command : commands) out += (out.empty() ? "\nto change\n  " : "  ") + command + '\n';
  if (!out.empty()) out += "  (and to keep it, the same without `sysctl -w` in a file of /etc/sysctl.d)\n";
  return out;
}

}  // namespace text

namespace json {

inline void append_field(std::string& out, std::string_view key, std::string_view value) {
  if (out.back() != '{') out += ',';
  append_json(out, key);
  out += ':';
  append_json(out, value);
}
inline void append_field(std::string& out, std::string_view key, std::uint64_t value) {
  if (out.back() != '{') out += ',';
  append_json(out, key);
  out += ':' + std::to_string(value);
}

[[nodiscard]] inline std::string of(const machine& m) {
  std::string out = "{";
  append_field(out, "kernel", m.kernel);
  append_field(out, "watches", m.watches.used);
  append_field(out, "max_user_watches", m.watches.most);
  append_field(out, "instances", m.instances.used);
  append_field(out, "max_user_instances", m.instances.most);
  append_field(out, "max_queued_events", m.queued_events);
  return out + "}\n";
}

[[nodiscard]] inline std::string of(const complaint& c) {
  std::string out = "{";
  append_field(out, "notice", to_string(c.kind));
  append_field(out, "path", c.path);
  append_field(out, "error", c.error);
  append_field(out, "advice", c.advice);
  return out + '}';
}

[[nodiscard]] inline std::string of(const finding& f) {
  std::string out = "{";
  append_field(out, "path", f.path);
  if (!f.error.empty()) {
    append_field(out, "error", f.error);
    return out + "}\n";
  }
  append_field(out, "uses", f.uses());
  append_field(out, "file_system", f.file_system);
  append_field(out, "told", f.is_partly_told() ? "partly" : "wholly");
  append_field(out, "directories", f.directories);
  append_field(out, "files", f.files);
  append_field(out, "polled_directories", f.polled);
  append_field(out, "fanotify", f.fanotify ? f.fanotify.message() : "possible");
  out += ",\"notices\":[";
  for (const complaint& c : f.complaints) out += (out.back() == '[' ? "" : ",") + of(c);
  return out + "]}\n";
}

[[nodiscard]] inline std::string of(const std::vector<std::string>& commands) {
  std::string out;
  for (const std::string& command : commands) {
    std::string line = "{";
    append_field(line, "change", command);
    out += line + "}\n";
  }
  return out;
}

}  // namespace json

}  // namespace doctor
