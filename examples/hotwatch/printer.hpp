// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Batches as lines: one change, one line, as text or as JSON.

#include <charconv>
#include <cstdint>
#include <hotwatch/change.hpp>
#include <hotwatch/options.hpp>
#include <string>
#include <string_view>

#include "escape.hpp"

enum class line_format : std::uint8_t { text, json };

/// What goes to standard output and what to standard error; the caller writes both.
struct printed {
  std::string out;
  std::string err;
};

class printer {
 public:
  explicit printer(line_format format) : format_(format) {}

  /// All roots are watched. Text goes to standard error, where it does not mix with the changes.
  [[nodiscard]] printed ready(const hotwatch::statistics& stats) const {
    printed p;
    if (json()) {
      p.out = "{\"ready\":true,\"directories\":";
      append_number(p.out, stats.directories);
      p.out += ",\"files\":";
      append_number(p.out, stats.files);
      p.out += "}\n";
    } else {
      p.err = "hotwatch: watching ";
      append_number(p.err, stats.directories);
      p.err += " directories and ";
      append_number(p.err, stats.files);
      p.err += " files\n";
    }
    return p;
  }

  /// `now` is the moment of delivery. The result lives until the next call.
  [[nodiscard]] const printed& lines(const hotwatch::batch& batch, hotwatch::clock::time_point now) {
    printed_.out.clear();
    printed_.err.clear();
    if (batch.empty()) return printed_;
    ++number_;
    for (const hotwatch::notice& n : batch.notices()) json() ? json_line(n) : text_line(n);
    for (const hotwatch::change& c : batch) json() ? json_line(c, now) : text_line(c);
    return printed_;
  }

  /// One line of counters for standard error.
  [[nodiscard]] static std::string counters(const hotwatch::statistics& s) {
    std::string line = "hotwatch:";
    const auto add = [&line](std::string_view name, std::uint64_t value) {
      line += ' ';
      line += name;
      line += '=';
      append_number(line, value);
    };
    add("directories", s.directories);
    add("files", s.files);
    add("kernel_events", s.kernel_events);
    add("changes", s.changes);
    add("batches", s.batches);
    add("overflows", s.overflows);
    add("rescans", s.rescans);
    add("polled_directories", s.polled_directories);
    add("bytes", s.bytes);
    line += '\n';
    return line;
  }

 private:
  [[nodiscard]] bool json() const { return format_ == line_format::json; }

  static void append_number(std::string& out, std::uint64_t value) {
    char digits[20];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }

  void text_line(const hotwatch::change& c) {
    std::string& out = printed_.out;
    out += to_string(c.kind);
    out += ' ';
    if (c.kind == hotwatch::change_kind::renamed) {
      append_text(out, c.old_path);
      out += " -> ";
    }
    append_text(out, c.path);
    out += '\n';
  }

  void text_line(const hotwatch::notice& n) {
    std::string& err = printed_.err;
    err += "hotwatch: ";
    err += to_string(n.kind);
    err += ' ';
    append_text(err, n.path);
    if (const std::string why = reason(n); !why.empty()) {
      err += ": ";
      append_text(err, why);
    }
    err += '\n';
  }

  void json_line(const hotwatch::change& c, hotwatch::clock::time_point now) {
    std::string& out = printed_.out;
    batch_and(out, "kind", to_string(c.kind));
    out += ",\"type\":\"";
    out += to_string(c.type);
    out += "\",\"path\":";
    append_json(out, c.path);
    if (c.kind == hotwatch::change_kind::renamed) {
      out += ",\"old_path\":";
      append_json(out, c.old_path);
      if (c.modified) out += ",\"modified\":true";
    }
    out += ",\"t\":";
    const std::chrono::nanoseconds t = now.time_since_epoch();
    append_number(out, static_cast<std::uint64_t>(t.count()));
    out += "}\n";
  }

  void json_line(const hotwatch::notice& n) {
    std::string& out = printed_.out;
    batch_and(out, "notice", to_string(n.kind));
    out += ",\"path\":";
    append_json(out, n.path);
    out += ",\"error\":";
    append_json(out, reason(n));
    out += "}\n";
  }

  void batch_and(std::string& out, std::string_view key, std::string_view value) const {
    out += "{\"batch\":";
    append_number(out, number_);
    out += ",\"";
    out += key;
    out += "\":\"";
    out += value;
    out += '"';
  }

  /// The error's text, then what can be done about it.
  [[nodiscard]] static std::string reason(const hotwatch::notice& n) {
    std::string why = n.error ? n.error.message() : std::string();
    if (!why.empty() && !n.advice.empty()) why += "; ";
    return why.append(n.advice);
  }

  line_format format_;
  std::uint64_t number_ = 0;
  printed printed_;
};
