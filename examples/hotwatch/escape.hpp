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

/// The code point of a well-formed character of at most three bytes: all that is asked about.
[[nodiscard]] constexpr unsigned code_point(std::string_view character) noexcept {
  const auto low = [&](std::size_t i) { return static_cast<unsigned char>(character[i]) & 0x3Fu; };
  const unsigned lead = static_cast<unsigned char>(character[0]);
  if (character.size() == 2) return (lead & 0x1F) << 6 | low(1);
  if (character.size() == 3) return (lead & 0x0F) << 12 | low(1) << 6 | low(2);
  return lead;
}

/// What would end the line, command the terminal, or make the rest of the line read otherwise than it is written:
/// controls (C0, DEL, C1), the line and paragraph separators, and the marks that turn the direction of writing (Unicode
/// Standard Annex 9).
[[nodiscard]] constexpr bool is_unprintable(std::string_view character) noexcept {
  if (character.size() > 3) return false;
  const unsigned c = code_point(character);
  const auto within = [c](unsigned first, unsigned last) { return c >= first && c <= last; };
  return c < 0x20 || within(0x7F, 0x9F) || c == 0x61C || within(0x200E, 0x200F) || within(0x2028, 0x202E) ||
         within(0x2066, 0x2069);
}

}  // namespace detail

/// For a person and for line-wise tools: backslash, what cannot be printed and what is no UTF-8 become `\\`, `\n`,
/// `\x1b`, byte by byte.
inline void append_text(std::string& out, std::string_view path) {
  while (!path.empty()) {
    const std::size_t length = utf8_length(path);
    const std::string_view character = path.substr(0, length == 0 ? 1 : length);
    if (const char letter = detail::short_escape(static_cast<unsigned char>(path[0]))) {
      out += '\\';
      out += letter;
    } else if (length == 0 || detail::is_unprintable(character)) {
      for (const char c : character) {
        out += "\\x";
        detail::append_hex(out, static_cast<unsigned char>(c));
      }
    } else {
      out += character;
    }
    path.remove_prefix(character.size());
  }
}

/// A JSON string with its quotes. A byte that is no UTF-8 becomes the lone surrogate U+DC80 to U+DCFF, as in Python's
/// "surrogateescape": `os.fsencode(json.loads(line)["path"])` gives the bytes back. Valid names hold no surrogates, so
/// the two cannot be mistaken for one another.
inline void append_json(std::string& out, std::string_view path) {
  out += '"';
  while (!path.empty()) {
    const std::size_t length = utf8_length(path);
    const std::string_view character = path.substr(0, length == 0 ? 1 : length);
    const auto lead = static_cast<unsigned char>(path[0]);
    if (length == 0) {
      out += "\\udc";
      detail::append_hex(out, lead);
    } else if (lead == '"') {
      out += "\\\"";
    } else if (const char letter = detail::short_escape(lead)) {
      out += '\\';
      out += letter;
    } else if (detail::is_unprintable(character)) {
      const unsigned c = detail::code_point(character);
      out += "\\u";
      detail::append_hex(out, static_cast<unsigned char>(c >> 8));
      detail::append_hex(out, static_cast<unsigned char>(c & 0xFF));
    } else {
      out += character;
    }
    path.remove_prefix(character.size());
  }
  out += '"';
}
