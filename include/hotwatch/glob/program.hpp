// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a glob is compiled to: steps, an instruction each, and what symbol fits a step. Floor 1.

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace hotwatch::inline v0::detail {

// A byte that is no UTF-8 becomes the symbol stray_symbol + byte.
inline constexpr char32_t stray_symbol = 0x110000;

// Strict UTF-8 (RFC 3629): no overlong forms, no surrogates.
inline char32_t next_symbol(std::string_view text, std::size_t& at) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const char32_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < more) return stray_symbol + lead;
  char32_t symbol = lead & (0x3Fu >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if ((byte(at + i) & 0xC0) != 0x80) return stray_symbol + lead;
    symbol = symbol << 6 | (byte(at + i) & 0x3Fu);
  }
  const bool bad = (more == 2 && (symbol < 0x800 || (symbol >= 0xD800 && symbol < 0xE000))) ||
                   (more == 3 && (symbol < 0x10000 || symbol >= stray_symbol));
  if (bad) return stray_symbol + lead;
  at += more;
  return symbol;
}

constexpr char32_t ascii_lower(char32_t c) noexcept { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
constexpr char32_t ascii_upper(char32_t c) noexcept { return c >= 'a' && c <= 'z' ? c - 32 : c; }

// A little non-deterministic automaton. A step that consumes nothing leads forward only, so that one pass in order of
// index both closes the set of live steps and moves it on.
struct glob_program {
  enum class kind : std::uint8_t { literal, any, set, star, deep, slash, split, jump, accept };
  struct step {
    kind what = kind::accept;
    bool flag = false;    // set: negated; slash: the pattern may end right behind it
    std::uint32_t a = 0;  // literal: the symbol; set: first range; split: the next alternative; jump: behind the '}'
    std::uint32_t b = 0;  // set: behind the last range
  };
  struct range {
    char32_t low, high;
  };

  static constexpr std::size_t max_steps = 4096;

  std::vector<step> steps;
  std::vector<range> ranges;
  bool ignore_case = false;

  std::uint32_t emit(kind what, std::uint32_t a = 0) {
    steps.push_back({what, false, a, 0});
    return static_cast<std::uint32_t>(steps.size() - 1);
  }

  [[nodiscard]] bool fits(const step& s, char32_t symbol) const noexcept {
    switch (s.what) {
      case kind::literal: return (ignore_case ? ascii_lower(symbol) : symbol) == s.a;
      case kind::slash: return symbol == '/';
      case kind::any: return symbol != '/';
      default:
        return symbol != '/' && s.flag != (in_set(s, symbol) || (ignore_case && (in_set(s, ascii_lower(symbol)) ||
                                                                                 in_set(s, ascii_upper(symbol)))));
    }
  }

  [[nodiscard]] bool in_set(const step& set, char32_t symbol) const noexcept {
    for (std::uint32_t i = set.a; i < set.b; ++i)
      if (symbol >= ranges[i].low && symbol <= ranges[i].high) return true;
    return false;
  }
};

}  // namespace hotwatch::inline v0::detail
