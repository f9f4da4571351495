// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Whether a text is what a program says: two ways to run it. Neither takes memory of its own. Floor 1.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "program.hpp"

namespace hotwatch::inline v0::detail {

class glob_matcher {
 public:
  explicit glob_matcher(const glob_program& program) noexcept : program_(program) {}

  // Every star takes as little as it can, and the last one takes more when the rest does not fit: those before it need
  // not be asked again, for whatever they could take it can.
  [[nodiscard]] bool run_wildcards(std::string_view text, std::size_t begin, std::size_t end) const noexcept {
    std::size_t at = 0, step_at = begin, behind_star = 0, taken = 0;
    for (;;) {
      if (step_at < end && program_.steps[step_at].what == kind::star) {
        behind_star = ++step_at;
        taken = at;
        if (!leap(text, behind_star, end, taken)) return false;
        at = taken;
        continue;
      }
      if (at == text.size()) {
        if (step_at == end) return true;
      } else if (step_at < end) {
        std::size_t next = at;
        if (program_.fits(program_.steps[step_at], next_symbol(text, next))) {
          if (program_.steps[step_at].what == kind::slash) behind_star = 0;
          at = next;
          ++step_at;
          continue;
        }
      }
      if (behind_star == 0 || taken == text.size() || next_symbol(text, taken) == '/') return false;
      if (!leap(text, behind_star, end, taken)) return false;
      at = taken;
      step_at = behind_star;
    }
  }

  [[nodiscard]] bool run_automaton(std::string_view text, std::size_t begin, bool is_directory) const noexcept {
    using bits = std::uint64_t[glob_program::max_steps / 64];
    // `skip` holds the steps before which a '/' need not be there: it was that of a "**" which stands for no component,
    // or the one at the start of the pattern.
    bits sets[2], skip;
    std::uint64_t *now = sets[0], *next = sets[1];
    const std::size_t words = (program_.steps.size() + 63) / 64;
    const auto put = [](std::uint64_t* set, std::size_t i) { set[i / 64] |= std::uint64_t{1} << i % 64; };
    for (std::size_t w = 0; w < words; ++w) now[w] = skip[w] = 0;
    put(now, begin);
    put(skip, begin);
    bool component_begins = true;
    for (std::size_t at = 0;;) {
      const bool ended = at == text.size();
      const char32_t symbol = ended ? end_of_text : next_symbol(text, at);
      const bool inside = !ended && symbol != '/';
      bool alive = false;
      for (std::size_t w = 0; w < words; ++w) next[w] = 0;
      for (std::size_t w = 0; w < words; ++w) {
        std::uint64_t done = 0;
        while (const std::uint64_t open = (now[w] | skip[w]) & ~done) {
          const std::uint64_t bit = open & (~open + 1);
          const std::size_t i = w * 64 + static_cast<std::size_t>(std::countr_zero(open));
          const bool live = (now[w] & bit) != 0, may_skip = (skip[w] & bit) != 0;
          const glob_program::step& s = program_.steps[i];
          bool stays = false, moves = false;
          done |= bit;
          switch (s.what) {
            case kind::literal:
            case kind::any:
            case kind::set: moves = live && !ended && program_.fits(s, symbol); break;
            case kind::star:
              if (live) put(now, i + 1);
              stays = live && inside;
              break;
            case kind::deep:
              if (live) put(now, i + 1);
              if (live && component_begins) put(skip, i + 1);
              stays = live && !ended;
              break;
            case kind::slash:
              if (may_skip) put(now, i + 1);
              if (live && ended && s.flag && is_directory) return true;
              moves = live && symbol == '/';
              break;
            case kind::split:
            case kind::jump:
              for (const std::size_t to : {s.what == kind::split ? i + 1 : s.a, std::size_t{s.a}}) {
                if (live) put(now, to);
                if (may_skip) put(skip, to);
              }
              break;
            case kind::accept:
              if (live && ended) return true;
              break;
          }
          if (stays) put(next, i);
          if (moves) put(next, i + 1);
          alive = alive || stays || moves;
        }
        skip[w] = 0;
      }
      if (!alive) return false;  // also at the end of the text
      component_begins = symbol == '/';
      std::swap(now, next);
    }
  }

 private:
  using kind = glob_program::kind;

  static constexpr char32_t end_of_text = UINT32_MAX;

  // To where the rest can begin: the next place of its first literal, if the star reaches that far.
  [[nodiscard]] bool leap(std::string_view text, std::size_t rest, std::size_t end, std::size_t& taken) const noexcept {
    const glob_program::step& s = program_.steps[rest];
    if (rest == end || s.what != kind::literal || s.a >= 0x80 || program_.ignore_case) return true;
    const std::size_t to = text.find(static_cast<char>(s.a), taken);
    if (to == text.npos || text.substr(taken, to - taken).find('/') != text.npos) return false;
    taken = to;
    return true;
  }

  const glob_program& program_;
};

}  // namespace hotwatch::inline v0::detail
