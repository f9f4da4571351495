// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A glob's text becomes a program, or a fault that says where and why. Floor 1.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "program.hpp"

namespace hotwatch::inline v0::detail {

struct glob_fault {
  std::size_t at = 0;  // byte of the pattern
  const char* reason = nullptr;
  explicit operator bool() const noexcept { return reason != nullptr; }
};

class glob_parser {
 public:
  // `literals` becomes what all literals and slashes say, one behind the other.
  glob_parser(std::string_view pattern, glob_program& program, std::string& literals)
      : pattern_(pattern), program_(program), literals_(literals) {}

  // Ends the program with `accept` when there is no fault.
  glob_fault parse() {
    if (pattern_.empty() || pattern_ == "/") return {0, "it names nothing below a root"};
    while (at_ < pattern_.size())
      if (const glob_fault f = parse_one()) return f;
    if (!open_.empty()) return {open_.back().opened, "no '}' closes this '{'"};
    if (const glob_fault f = end_component(at_)) return f;
    program_.emit(kind::accept);
    return {};
  }

 private:
  using kind = glob_program::kind;

  struct braces {
    std::uint32_t split;  // of the alternative that is being read
    std::uint32_t jumps;  // to be aimed behind the '}', chained through `a`
    std::size_t opened;   // where its '{' stands
  };

  static constexpr std::uint32_t no_jump = UINT32_MAX;

  glob_fault parse_one() {
    const std::size_t start = at_;
    // A turn emits 2 at most, and `accept` follows.
    if (program_.steps.size() > glob_program::max_steps - 4) return {start, "the pattern is too long"};
    const bool escaped = pattern_[at_] == '\\';
    if (escaped && ++at_ == pattern_.size()) return {start, "nothing follows this '\\'"};
    if (pattern_[at_] == '\0') return {start, "no name holds a NUL"};
    if (pattern_[at_] == '/') return parse_slash(start);
    if (!escaped) switch (pattern_[at_]) {
        case '*': parse_stars(); return {};
        case '?': program_.emit(kind::any), ++at_; return {};
        case '[': return parse_set();
        case '{': return open_braces();
        case '}': return close_braces();
        case ',':
          if (open_.empty()) break;
          next_alternative();
          return {};
        default: break;
      }
    parse_literal();
    return {};
  }

  glob_fault parse_slash(std::size_t start) {
    if (start == component_ && start != 0) return {start, "an empty component"};
    if (const glob_fault f = end_component(start)) return f;
    program_.emit(kind::slash);
    literals_ += '/';
    component_ = ++at_;
    return {};
  }

  [[nodiscard]] glob_fault end_component(std::size_t end) const {
    const std::string_view c = pattern_.substr(component_, end - component_);
    if (c == "." || c == "..") return {component_, "'.' and '..' name nothing below a root"};
    return {};
  }

  void parse_stars() {
    const std::size_t start = at_;
    while (at_ < pattern_.size() && pattern_[at_] == '*') ++at_;
    program_.emit(at_ - start > 1 ? kind::deep : kind::star);
  }

  void parse_literal() {
    const std::size_t start = at_;
    const char32_t symbol = next_symbol(pattern_, at_);
    const char32_t folded = program_.ignore_case ? ascii_lower(symbol) : symbol;
    program_.emit(kind::literal, folded);
    literals_.append(pattern_, start, at_ - start);
    if (symbol < 0x80) literals_.back() = static_cast<char>(folded);
  }

  glob_fault open_braces() {
    if (pattern_.substr(at_, 2) == "{}") return {at_, "nothing between '{' and '}'"};
    open_.push_back({program_.emit(kind::split), no_jump, at_++});
    return {};
  }

  void next_alternative() {
    braces& b = open_.back();
    b.jumps = program_.emit(kind::jump, b.jumps);
    program_.steps[b.split].a = static_cast<std::uint32_t>(program_.steps.size());
    b.split = program_.emit(kind::split);
    ++at_;
  }

  glob_fault close_braces() {
    if (open_.empty()) return {at_, "no '{' before this '}'"};
    const braces b = open_.back();
    open_.pop_back();
    const auto behind = static_cast<std::uint32_t>(program_.steps.size());
    program_.steps[b.split].a = b.split + 1;  // no further alternative
    for (std::uint32_t jump = b.jumps; jump != no_jump;) {
      const std::uint32_t next = program_.steps[jump].a;
      program_.steps[jump].a = behind;
      jump = next;
    }
    ++at_;
    return {};
  }

  glob_fault parse_set() {
    const glob_fault unclosed{at_, "no ']' closes this '['"};
    glob_program::step set{kind::set, false, static_cast<std::uint32_t>(program_.ranges.size()), 0};
    if (++at_ < pattern_.size() && (pattern_[at_] == '!' || pattern_[at_] == '^')) {
      set.flag = true;
      ++at_;
    }
    for (const std::size_t first = at_;;) {
      if (at_ == pattern_.size()) return unclosed;
      if (pattern_[at_] == ']' && at_ != first) break;
      const std::size_t start = at_;
      glob_program::range r{};
      if (const glob_fault f = parse_member(r.low, unclosed)) return f;
      r.high = r.low;
      if (at_ + 1 < pattern_.size() && pattern_[at_] == '-' && pattern_[at_ + 1] != ']') {
        ++at_;
        if (const glob_fault f = parse_member(r.high, unclosed)) return f;
        if (r.high < r.low) return {start, "the range goes backwards"};
      }
      program_.ranges.push_back(r);
    }
    ++at_;
    set.b = static_cast<std::uint32_t>(program_.ranges.size());
    program_.steps.push_back(set);
    return {};
  }

  glob_fault parse_member(char32_t& symbol, const glob_fault& unclosed) {
    const std::size_t start = at_;
    if (pattern_[at_] == '\\' && ++at_ == pattern_.size()) return unclosed;
    if (pattern_[at_] == '/') return {start, "a '/' in a set"};
    if (pattern_.substr(start, 2) == "[:") return {start, "classes such as [:alpha:] are not supported"};
    symbol = next_symbol(pattern_, at_);
    return {};
  }

  std::string_view pattern_;
  glob_program& program_;
  std::string& literals_;
  std::size_t at_ = 0;
  std::size_t component_ = 0;  // where this one began
  std::vector<braces> open_;
};

}  // namespace hotwatch::inline v0::detail
