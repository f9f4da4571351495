// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What was found, as text or as JSON, and what to change.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../escape.hpp"
#include "finding.hpp"
#include "machine.hpp"

namespace doctor {

/// What the user can change, each a command.
[[nodiscard]] inline std::vector<std::string> what_to_change(const machine& m, const std::vector<finding>& findings) {
  std::uint64_t directories = 0;
  for (const finding& f : findings) directories += f.directories;
  return what_to_change(m, directories);
}

namespace text {

[[nodiscard]] inline std::string of(const machine& m) {
  std::string out;
  for (const fact& f : facts_of(m)) out += f.name + std::string(13 - f.name.size(), ' ') + f.text + '\n';
  return out;
}

/// What is said of many paths is said once, with the first of them.
[[nodiscard]] inline std::string of(const std::vector<complaint>& all) {
  constexpr std::size_t most_paths = 5;
  std::string out;
  std::vector<bool> said(all.size());
  for (std::size_t first = 0; first < all.size(); ++first) {
    if (said[first]) continue;
    const complaint& c = all[first];
    out += "\n  ";
    out += to_string(c.kind);
    for (const std::string* why : {&c.error, &c.advice})
      if (!why->empty()) out += (why == &c.error || c.error.empty() ? ": " : "; ") + *why;
    std::size_t paths = 0;
    for (std::size_t i = first; i < all.size(); ++i) {
      if (all[i].kind != c.kind || all[i].error != c.error || all[i].advice != c.advice) continue;
      said[i] = true;
      if (++paths > most_paths) continue;
      out += "\n    ";
      append_text(out, all[i].path);
    }
    if (paths > most_paths) out += "\n    and " + std::to_string(paths - most_paths) + " more";
  }
  return out;
}

[[nodiscard]] inline std::string of(const finding& f) {
  std::string out = "\n";
  append_text(out, f.path);
  if (!f.error.empty()) return out + "\n  cannot be watched: " + f.error + '\n';
  out += "\n  uses         ";
  out += f.uses();
  out += "\n  file system  " + f.file_system;
  out += f.is_itself_partly_told() ? ", told in part" : f.is_looked_at() ? ", looked at" : ", told wholly";
  if (f.is_partly_told() && !f.is_itself_partly_told()) out += "; others below it in part";
  out += "\n  directories  " + std::to_string(f.directories);
  if (f.polled != 0) out += ", of which " + std::to_string(f.polled) + " are polled";
  for (const fact& more : f.further) out += "\n  " + more.name + std::string(13 - more.name.size(), ' ') + more.text;
  return out + of(f.complaints) + '\n';
}

[[nodiscard]] inline std::string of(const std::vector<std::string>& commands) {
  std::string out;
  for (const std::string& command : commands) out += (out.empty() ? "\nto change\n  " : "  ") + command + '\n';
  if (!out.empty()) out += how_to_keep;
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
  for (const auto& [key, value] : numbers_of(m)) append_field(out, key, value);
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
  append_field(out, "told", f.is_looked_at() ? "by polling" : f.is_partly_told() ? "partly" : "wholly");
  append_field(out, "directories", f.directories);
  append_field(out, "files", f.files);
  append_field(out, "polled_directories", f.polled);
  for (const fact& more : f.further) append_field(out, more.name, more.text);
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
