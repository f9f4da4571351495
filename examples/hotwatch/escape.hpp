// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// File names in lines of text and of JSON. A name may hold any byte but '/' and NUL: newlines, terminal sequences and
// invalid UTF-8 among them. What is written here is always one line, and can be turned back into the very bytes.

#include <cstddef>
#include <string>
#include <string_view>

/// How many bytes the well-formed UTF-8 character at the front of `text` has; 0 when there is none.
/// The Unicode Standard, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
[[nodiscard]] constexpr std::size_t utf8_length(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto within = [&](std::size_t i, unsigned char low, unsigned char high) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xBF); };
  if (text.empty()) return 0;
  const unsigned char lead = byte(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const bool second = within(1, lead == 0xE0 ? 0xA0 : 0x80, lead == 0xED ? 0x9F : 0xBF);
    return second && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const bool second = within(1, lead == 0xF0 ? 0x90 : 0x80, lead == 0xF4 ? 0x8F : 0xBF);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

namespace detail {

inline void append_hex(std::string& out, unsigned char byte) {
  constexpr std::string_view digits = "0123456789abcdef";
  out += digits[byte >> 4];
  out += digits[byte & 15];
}

/// The letter of a short escape that C and JSON have in common, or '\0'.
[[nodiscard]] constexpr char short_escape(unsigned char byte) noexcept {
  switch (byte) {
    case '\b': return 'b';
    case '\f': return 'f';
    case '\n': return 'n';
    case '\r': return 'r';
    case '\t': return 't';
    case '\\': return '\\';
    default: return '\0';
  }
}

/// U+0080 to U+009F: a terminal may take them for control sequences.
[[nodiscard]] constexpr bool is_c1_control(std::string_view text, std::size_t length) noexcept {
  return length == 2 && text[0] == '\xC2' && static_cast<unsigned char>(text[1]) < 0xA0;
}

}  // namespace detail

/// For a person and for line-wise tools: backslash, control characters and what is no UTF-8 become `\\`, `\n`, `\x1b`.
inline void append_text(std::string& out, std::string_view path) {
  while (!path.empty()) {
    const std::size_t length = utf8_length(path);
    const auto lead = static_cast<unsigned char>(path[0]);
    if (const char letter = detail::short_escape(lead)) {
      out += '\\';
      out += letter;
    } else if (length == 0 || lead < 0x20 || lead == 0x7F || detail::is_c1_control(path, length)) {
      for (const char c : path.substr(0, length == 0 ? 1 : length)) {
        out += "\\x";
        detail::append_hex(out, static_cast<unsigned char>(c));
      }
    } else {
      out += path.substr(0, length);
    }
    path.remove_prefix(length == 0 ? 1 : length);
  }
}

/// A JSON string with its quotes. A byte that is no UTF-8 becomes the lone surrogate U+DC80 to U+DCFF, as in Python's
/// "surrogateescape": `os.fsencode(json.loads(line)["path"])` gives the bytes back. Valid names hold no surrogates, so
/// the two cannot be mistaken for one another.
inline void append_json(std::string& out, std::string_view path) {
  out += '"';
  while (!path.empty()) {
    const std::size_t length = utf8_length(path);
    const auto lead = static_cast<unsigned char>(path[0]);
    if (length == 0) {
      out += "\\udc";
      detail::append_hex(out, lead);
    } else if (lead == '"') {
      out += "\\\"";
    } else if (const char letter = detail::short_escape(lead)) {
      out += '\\';
      out += letter;
    } else if (lead < 0x20 || lead == 0x7F) {
      out += "\\u00";
      detail::append_hex(out, lead);
    } else {
      out += path.substr(0, length);
    }
    path.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}
