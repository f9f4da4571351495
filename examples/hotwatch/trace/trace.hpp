// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A trace: what was there, what happened to it, and when. Its lines are those of tests/cases/README.md:
//
//   # a comment
//   existing f d/ d/g
//   0ms renamed f f~
//   0.31ms appeared f
//
// A name is one word: blanks, control characters and what is no UTF-8 are written as \\x20.

#include <algorithm>
#include <charconv>
#include <chrono>
#include <istream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "../duration.hpp"
#include "../escape.hpp"

namespace trace {

using nanoseconds = std::chrono::nanoseconds;

struct event {
  nanoseconds at;
  std::vector<std::string> words;  ///< what happened, and to which names; those of directories end with a slash
};

struct trace {
  std::vector<std::string> existing;
  std::vector<event> events;  ///< in the order of their times
};

inline void append_word(std::string& out, std::string_view name) {
  const std::size_t from = out.size();
  append_text(out, name);
  for (std::size_t at = from; (at = out.find(' ', at)) != std::string::npos;) out.replace(at, 1, "\\x20");
}

/// "12.345ms": to the microsecond, which is finer than the moments at which a reader is woken.
inline void append_time(std::string& out, nanoseconds time) {
  const auto us = std::chrono::round<std::chrono::microseconds>(time).count();
  char digits[32];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, us / 1000).ptr);
  if (us % 1000 != 0) {
    std::string fraction = std::to_string(1000 + us % 1000).substr(1);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    out.append(".").append(fraction);
  }
  out += "ms";
}

inline void append_line(std::string& out, const event& e) {
  append_time(out, e.at);
  out.append(" ").append(e.words.front());
  for (std::size_t i = 1; i < e.words.size(); ++i) append_word(out += ' ', e.words[i]);
  out += '\n';
}

/// Undoes append_word(). Throws std::runtime_error.
inline std::string read_word(std::string_view text) {
  std::string word;
  if (text.find('\0') != text.npos) throw std::runtime_error("no name holds a NUL byte");
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      word += text[i];
      continue;
    }
    constexpr std::string_view letters = "bfnrt\\";
    constexpr std::string_view bytes = "\b\f\n\r\t\\";
    const char letter = i + 1 < text.size() ? text[i + 1] : '\0';
    unsigned byte = 0;
    if (const std::size_t known = letters.find(letter); letter != '\0' && known != letters.npos) {
      word += bytes[known];
      ++i;
    } else if (letter == 'x' && i + 3 < text.size() &&
               std::from_chars(text.data() + i + 2, text.data() + i + 4, byte, 16).ptr == text.data() + i + 4) {
      if (byte == 0 || byte == '/') throw std::runtime_error("no name holds '" + std::string(text.substr(i, 4)) + "'");
      word += static_cast<char>(byte);
      i += 3;
    } else {
      throw std::runtime_error("no such escape: '" + std::string(text.substr(i, 2)) + "'");
    }
  }
  return word;
}

inline std::vector<std::string> read_words(std::string_view line) {
  std::vector<std::string> words;
  while (true) {
    line.remove_prefix(std::min(line.find_first_not_of(" \t\r"), line.size()));
    if (line.empty()) return words;
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    words.push_back(read_word(line.substr(0, end)));
    line.remove_prefix(end);
  }
}

inline nanoseconds read_time(const std::string& word) {
  const auto time = parse_duration(word);
  if (!time || *time > std::chrono::hours(10'000)) throw std::runtime_error("no time: '" + word + "'");
  return *time;
}

/// Throws std::runtime_error, which names the line.
inline trace read(std::istream& in) {
  struct form {
    std::string_view word;
    std::size_t names;
  };
  constexpr form forms[] = {{"appeared", 1},  {"linked", 1},     {"symlinked", 1}, {"written", 1},
                            {"completed", 1}, {"attributes", 1}, {"vanished", 1},  {"left", 1},
                            {"came", 1},      {"renamed", 2},    {"exchanged", 2}, {"overflow", 0}};
  trace t;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    try {
      if (line.empty() || line[0] == '#') continue;
      std::vector<std::string> words = read_words(line);
      if (words.empty()) continue;
      const std::string first = words.front();
      words.erase(words.begin());
      if (first == "existing") {
        t.existing.insert(t.existing.end(), words.begin(), words.end());
        continue;
      }
      const nanoseconds at = read_time(first);
      const auto known = std::find_if(std::begin(forms), std::end(forms),
                                      [&](const form& f) { return !words.empty() && f.word == words[0]; });
      if (known == std::end(forms))
        throw std::runtime_error("no such event: '" + (words.empty() ? "" : words[0]) + "'");
      if (words.size() != 1 + known->names) throw std::runtime_error("too many or too few names");
      t.events.push_back({at, std::move(words)});
    } catch (const std::runtime_error& e) {
      throw std::runtime_error("line " + std::to_string(number) + ": " + e.what());
    }
  }
  if (in.bad()) throw std::runtime_error("it cannot be read");
  std::stable_sort(t.events.begin(), t.events.end(), [](const event& a, const event& b) { return a.at < b.at; });
  return t;
}

}  // namespace trace
