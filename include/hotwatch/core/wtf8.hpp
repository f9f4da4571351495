// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// UTF-16 as Windows has it, unpaired surrogates and all, to WTF-8 and back without loss. Floor 2.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hotwatch::inline v0::detail {

[[nodiscard]] constexpr bool is_high_surrogate(char32_t c) noexcept { return c >= 0xD800 && c < 0xDC00; }
[[nodiscard]] constexpr bool is_low_surrogate(char32_t c) noexcept { return c >= 0xDC00 && c < 0xE000; }

/// Appends UTF-16 as WTF-8 (https://simonsapin.github.io/wtf-8): UTF-8, and of a surrogate without its partner the
/// three bytes that UTF-8 would give it. Windows checks no name, so there are such files, and they want to be opened.
inline void append_wtf8(std::u16string_view from, std::string& to) {
  const auto put = [&](char32_t b) { to += static_cast<char>(static_cast<unsigned char>(b)); };
  for (std::size_t i = 0; i < from.size(); ++i) {
    char32_t c = from[i];
    if (is_high_surrogate(c) && i + 1 < from.size() && is_low_surrogate(from[i + 1]))
      c = 0x10000 + ((c - 0xD800) << 10) + (from[++i] - 0xDC00u);
    if (c < 0x80) {
      put(c);
      continue;
    }
    if (c < 0x800) {
      put(0xC0 | c >> 6);
    } else if (c < 0x10000) {
      put(0xE0 | c >> 12);
      put(0x80 | (c >> 6 & 0x3F));
    } else {
      put(0xF0 | c >> 18);
      put(0x80 | (c >> 12 & 0x3F));
      put(0x80 | (c >> 6 & 0x3F));
    }
    put(0x80 | (c & 0x3F));
  }
}

/// The first character of `text`, which is not empty, and its length in bytes; U+FFFD, one byte long, if that is not
/// WTF-8.
struct wtf8_character {
  char32_t value = 0xFFFD;
  std::size_t length = 1;
};
[[nodiscard]] inline wtf8_character first_of_wtf8(std::string_view text) noexcept {
  const auto at = [&](std::size_t i) { return static_cast<char32_t>(static_cast<unsigned char>(text[i])); };
  const char32_t lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return {};
  char32_t value = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0) != 0x80) return {};
    value = value << 6 | (at(i) & 0x3F);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < smallest[length] || value > 0x10FFFF) return {};
  return {value, length};
}

/// Appends WTF-8 as UTF-16: what append_wtf8() wrote becomes what it was. Bytes that are no WTF-8 become U+FFFD each.
inline void append_utf16(std::string_view from, std::u16string& to) {
  while (!from.empty()) {
    const wtf8_character c = first_of_wtf8(from);
    from.remove_prefix(c.length);
    if (c.value < 0x10000) {
      to += static_cast<char16_t>(c.value);
    } else {
      to += static_cast<char16_t>(0xD7C0 + (c.value >> 10));
      to += static_cast<char16_t>(0xDC00 + (c.value & 0x3FF));
    }
  }
}

}  // namespace hotwatch::inline v0::detail
