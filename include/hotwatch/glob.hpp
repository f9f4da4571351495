// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A glob over names and ways below a root: compiled once, matched without memory of its own. Floor 1.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "error.hpp"
#include "glob/matcher.hpp"
#include "glob/parser.hpp"
#include "glob/program.hpp"

namespace hotwatch::inline v0 {

/// A compiled glob. Its rules:
///
/// | pattern     | matches                                                                                       |
/// |-------------|-----------------------------------------------------------------------------------------------|
/// | `*`         | any run within one component, also an empty one, also a leading dot                           |
/// | `**`        | any run, '/' included; as a whole component: zero or more of them (`a/**/b` matches `a/b`),   |
/// |             | at the end one or more (`a/**` is all below `a`, not `a`)                                     |
/// | `?`         | one UTF-8 code point, or one byte where the name is not UTF-8; never '/'                      |
/// | `[a-z]`     | one of these; `[!a]` and `[^a]`: one that is not; `]` first and `-` first or last are literal |
/// | `{cpp,hpp}` | one of these; they may nest, be empty, and hold everything else, '/' included                 |
/// | `\`         | takes the next character literally                                                            |
///
/// A pattern without '/' is held against the last component, at any depth; one with '/' against the whole way below
/// the root. A '/' at the end means directories only and does not count for that; one at the start only counts.
/// Ignoring case folds the letters of ASCII, no others.
///
/// Rules as in sh(1) "Pattern Matching Notation" and gitignore(5), except that `**` crosses '/' wherever it stands. A
/// pattern that could only surprise is malformed: an open '[' or '{', a stray '}', `{}`, `[:alpha:]`, a component that
/// is empty, `.` or `..`, a range that goes backwards, '/' in a set, a '\' at the end, or more than 4,000 steps.
///
/// Matching takes O(pattern * text) steps at worst, 2 KiB of stack and no heap. Any number of threads may match at
/// once.
class glob {
 public:
  /// Throws std::system_error (errc::malformed_glob; what() names `called`, the pattern and the column, counted from 1
  /// in code points) or std::bad_alloc. `called` is what the message calls the pattern: the option it came from.
  explicit glob(std::string_view pattern, bool ignore_case = false, std::string_view called = "glob")
      : pattern_(pattern) {
    program_.ignore_case = ignore_case;
    if (const detail::glob_fault f = compile_pattern()) throw_malformed(called, f);
  }

  /// Does not throw for a malformed pattern: sets `error` (cleared otherwise) and gives a glob that matches nothing.
  [[nodiscard]] static glob compile(std::string_view pattern, bool ignore_case, std::error_code& error) {
    glob made;
    made.pattern_ = pattern;
    made.program_.ignore_case = ignore_case;
    error.clear();
    if (made.compile_pattern()) {
      made.strategy_ = strategy::nothing;
      error = errc::malformed_glob;
    }
    return made;
  }

  /// Whether the entry at this way below the root matches: components parted by single '/', none before or after. The
  /// empty way, the root itself, matches nothing.
  [[nodiscard]] bool matches(std::string_view way, bool is_directory) const noexcept {
    if (needs_path_) return match(way, is_directory);
    return match(way.substr(way.rfind('/') + 1), is_directory);  // npos + 1 is 0
  }

  /// The same by the last component alone; always false for a pattern that needs_path().
  [[nodiscard]] bool matches_name(std::string_view name, bool is_directory) const noexcept {
    return !needs_path_ && match(name, is_directory);
  }

  /// True when the last component is not enough to decide.
  [[nodiscard]] bool needs_path() const noexcept { return needs_path_; }
  /// The pattern as it was given.
  [[nodiscard]] const std::string& pattern() const noexcept { return pattern_; }

 private:
  enum class strategy : std::uint8_t { nothing, literal, prefix, suffix, wildcards, automaton };
  using kind = detail::glob_program::kind;
  using step = detail::glob_program::step;

  glob() = default;

  [[noreturn]] void throw_malformed(std::string_view called, const detail::glob_fault& f) const {
    std::size_t column = 1;
    for (std::size_t at = 0; at < f.at; ++column) detail::next_symbol(pattern_, at);
    std::string what(called);
    what += " \"";
    for (const char c : pattern_) c == '\0' ? what += "\\0" : what += c;  // a NUL would end what() here
    what += "\": column " + std::to_string(column) + ": " + f.reason;
    throw std::system_error(errc::malformed_glob, what);
  }

  detail::glob_fault compile_pattern() {
    if (const detail::glob_fault f = detail::glob_parser(pattern_, program_, literal_).parse()) return f;
    look_behind_slashes();
    choose_strategy();
    return {};
  }

  // What stands behind a '/', on every way through the braces: the end (directories only), or more (the whole way).
  void look_behind_slashes() {
    std::vector<step>& steps = program_.steps;
    enum : std::uint8_t { end = 1, more = 2 };
    std::vector<std::uint8_t> from(steps.size(), more);
    const bool anywhere = steps.size() > 3 && steps[0].what == kind::deep && steps[1].what == kind::slash;
    bool deep_again = false;
    for (std::size_t i = steps.size(); i-- > 0;) {
      step& s = steps[i];
      if (s.what == kind::accept) from[i] = end;
      if (s.what == kind::jump) from[i] = from[s.a];
      if (s.what == kind::split) from[i] = from[i + 1] | from[s.a];
      if (s.what == kind::deep && i > 0) deep_again = true;
      if (s.what != kind::slash) continue;
      s.flag = (from[i + 1] & end) != 0;
      if ((from[i + 1] & more) != 0 && !(anywhere && i == 1)) needs_path_ = true;
    }
    if (!anywhere) return;
    // "**/x" is what "x" is, and for that the name is enough; in "**/a**b" the second "**" may cross a '/'.
    if (deep_again || steps[1].flag) needs_path_ = true;
    if (!needs_path_) begin_ = 2;
  }

  // Most patterns are a literal with at most one star at an end of it: those are one comparison. What has neither "**"
  // nor braces needs no automaton.
  void choose_strategy() {
    const std::vector<step>& steps = program_.steps;
    strategy_ = strategy::automaton;
    std::string bytes;
    bytes.swap(literal_);  // of all literals and slashes
    std::size_t first = begin_, last = steps.size() - 1;
    if (begin_ != 0) bytes.erase(0, 1);
    const bool directories_only = steps[last - 1].what == kind::slash;
    if (directories_only) {
      --last;
      bytes.pop_back();
    }
    if (needs_path_ && steps[first].what == kind::slash) {
      ++first;
      bytes.erase(0, 1);
    }
    if (first == last) return;
    if (is_wildcards(first, last)) {
      strategy_ = strategy::wildcards;
      literal_ = ascii_tail(first, last);
      begin_ = first;
      end_ = last;
      directories_only_ = directories_only;
    }
    // A star cannot leave the component, so it is "any rest" only where the text is one; a "**" behind a '/' always is,
    // as no way ends in '/'.
    strategy found = strategy::literal;
    const auto is_rest = [&](std::size_t i) {
      const kind k = steps[i].what;
      return k == kind::deep ? !needs_path_ || (i > 0 && steps[i - 1].what == kind::slash)
                             : k == kind::star && !needs_path_;
    };
    if (!needs_path_ && is_rest(first)) {
      found = strategy::suffix;
      ++first;
    } else if (is_rest(last - 1)) {
      found = strategy::prefix;
      --last;
    }
    // A stray byte may be part of a code point in the text, which comparing bytes would not see.
    for (std::size_t i = first; i < last; ++i)
      if (steps[i].what != kind::slash && !is_literal(i, detail::stray_symbol)) return;
    literal_ = std::move(bytes);
    directories_only_ = directories_only;
    strategy_ = found;
  }

  // Whether no step has two ways to go on but a star, which ends with its component.
  [[nodiscard]] bool is_wildcards(std::size_t first, std::size_t last) const noexcept {
    for (std::size_t i = first; i < last; ++i) {
      const step& s = program_.steps[i];
      if (s.what == kind::deep || s.what == kind::split || s.what == kind::jump || (s.what == kind::slash && s.flag))
        return false;
    }
    return true;
  }

  [[nodiscard]] bool is_literal(std::size_t i, char32_t below) const noexcept {
    return program_.steps[i].what == kind::literal && program_.steps[i].a < below;
  }

  // What the text has to end with: most do not, and that is one comparison.
  [[nodiscard]] std::string ascii_tail(std::size_t first, std::size_t last) const {
    std::string tail;
    if (program_.ignore_case) return tail;
    for (std::size_t i = last; i > first && is_literal(i - 1, 0x80); --i)
      tail.insert(tail.begin(), static_cast<char>(program_.steps[i - 1].a));
    return tail;
  }

  [[nodiscard]] bool same(std::string_view text) const noexcept {
    if (!program_.ignore_case) return text == literal_;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (detail::ascii_lower(static_cast<unsigned char>(text[i])) != static_cast<unsigned char>(literal_[i]))
        return false;
    return true;
  }

  [[nodiscard]] bool match(std::string_view text, bool is_directory) const noexcept {
    if (text.empty() || (directories_only_ && !is_directory)) return false;
    const std::size_t size = literal_.size();
    switch (strategy_) {
      case strategy::nothing: return false;
      case strategy::literal: return text.size() == size && same(text);
      case strategy::prefix: return text.size() >= size && same(text.substr(0, size));
      case strategy::suffix: return text.size() >= size && same(text.substr(text.size() - size));
      case strategy::wildcards: return text.ends_with(literal_) && matcher().run_wildcards(text, begin_, end_);
      case strategy::automaton: break;
    }
    return matcher().run_automaton(text, begin_, is_directory);
  }

  [[nodiscard]] detail::glob_matcher matcher() const noexcept { return detail::glob_matcher(program_); }

  std::string pattern_;
  std::string literal_;  // what is compared: lower case when case is ignored; of wildcards their end, in ASCII
  detail::glob_program program_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;  // wildcards: behind the last step to match
  strategy strategy_ = strategy::nothing;
  bool needs_path_ = false;
  bool directories_only_ = false;
};

}  // namespace hotwatch::inline v0
