// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A glob over names and ways below a root: compiled once, matched without memory of its own. Floor 1.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "error.hpp"

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
      : pattern_(pattern), ignore_case_(ignore_case) {
    if (const fault f = compile_pattern()) throw_malformed(called, f);
  }

  /// Does not throw for a malformed pattern: sets `error` (cleared otherwise) and gives a glob that matches nothing.
  [[nodiscard]] static glob compile(std::string_view pattern, bool ignore_case, std::error_code& error) {
    glob made;
    made.pattern_ = pattern;
    made.ignore_case_ = ignore_case;
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
  // The pattern is a little non-deterministic automaton, a step an instruction. A step that consumes nothing leads
  // forward only, so that one pass in order of index both closes the set of live steps and moves it on.
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
  struct fault {
    std::size_t at = 0;
    const char* reason = nullptr;
    explicit operator bool() const noexcept { return reason != nullptr; }
  };
  enum class strategy : std::uint8_t { nothing, literal, prefix, suffix, wildcards, automaton };

  static constexpr std::size_t max_steps = 4096;
  static constexpr std::uint32_t none = UINT32_MAX;
  static constexpr char32_t stray = 0x110000;  // a byte that is no UTF-8 becomes the symbol stray + byte
  static constexpr char32_t no_symbol = none;

  glob() = default;

  // Strict UTF-8 (RFC 3629): no overlong forms, no surrogates.
  static char32_t decode(std::string_view text, std::size_t& at) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const char32_t lead = byte(at++);
    if (lead < 0x80) return lead;
    const std::size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || text.size() - at < more) return stray + lead;
    char32_t symbol = lead & (0x3Fu >> more);
    for (std::size_t i = 0; i < more; ++i) {
      if ((byte(at + i) & 0xC0) != 0x80) return stray + lead;
      symbol = symbol << 6 | (byte(at + i) & 0x3Fu);
    }
    const bool bad = (more == 2 && (symbol < 0x800 || (symbol >= 0xD800 && symbol < 0xE000))) ||
                     (more == 3 && (symbol < 0x10000 || symbol >= stray));
    if (bad) return stray + lead;
    at += more;
    return symbol;
  }
  static constexpr char32_t lower(char32_t c) noexcept { return c >= 'A' && c <= 'Z' ? c + 32 : c; }
  static constexpr char32_t upper(char32_t c) noexcept { return c >= 'a' && c <= 'z' ? c - 32 : c; }

  [[noreturn]] void throw_malformed(std::string_view called, const fault& f) const {
    std::size_t column = 1;
    for (std::size_t at = 0; at < f.at; ++column) decode(pattern_, at);
    std::string what(called);
    what += " \"";
    for (const char c : pattern_) c == '\0' ? what += "\\0" : what += c;  // a NUL would end what() here
    what += "\": column " + std::to_string(column) + ": " + f.reason;
    throw std::system_error(errc::malformed_glob, what);
  }

  std::uint32_t emit(kind what, std::uint32_t a = 0) {
    steps_.push_back({what, false, a, 0});
    return static_cast<std::uint32_t>(steps_.size() - 1);
  }

  fault compile_pattern() {
    if (const fault f = parse()) return f;
    emit(kind::accept);
    look_behind_slashes();
    choose_strategy();
    return {};
  }

  fault parse() {
    struct group {
      std::uint32_t split;  // of the alternative that is being read
      std::uint32_t jumps;  // to be aimed behind the '}', chained through `a`
      std::size_t opened;   // where its '{' stands
    };
    std::vector<group> open;
    const std::string_view p = pattern_;
    std::size_t component = 0;  // where this one began
    const auto dots = [&](std::size_t end) {
      const std::string_view c = p.substr(component, end - component);
      return c == "." || c == "..";
    };
    constexpr const char* no_dots = "'.' and '..' name nothing below a root";
    if (p.empty() || p == "/") return {0, "it names nothing below a root"};
    for (std::size_t i = 0; i < p.size();) {
      const std::size_t start = i;
      if (steps_.size() > max_steps - 4) return {start, "the pattern is too long"};  // a turn emits 2, then accept
      const bool escaped = p[i] == '\\';
      if (escaped && ++i == p.size()) return {start, "nothing follows this '\\'"};
      if (p[i] == '\0') return {start, "no name holds a NUL"};
      if (p[i] == '/') {
        if (start == component && start != 0) return {start, "an empty component"};
        if (dots(start)) return {component, no_dots};
        emit(kind::slash);
        literal_ += '/';
        component = ++i;
      } else if (escaped) {
        emit_literal(i);
      } else if (p[i] == '*') {
        while (i < p.size() && p[i] == '*') ++i;
        emit(i - start > 1 ? kind::deep : kind::star);
      } else if (p[i] == '?') {
        emit(kind::any);
        ++i;
      } else if (p[i] == '[') {
        if (const fault f = parse_set(i)) return f;
      } else if (p[i] == '{') {
        if (p.substr(i, 2) == "{}") return {start, "nothing between '{' and '}'"};
        open.push_back({emit(kind::split), none, start});
        ++i;
      } else if (p[i] == ',' && !open.empty()) {
        open.back().jumps = emit(kind::jump, open.back().jumps);
        steps_[open.back().split].a = static_cast<std::uint32_t>(steps_.size());
        open.back().split = emit(kind::split);
        ++i;
      } else if (p[i] == '}') {
        if (open.empty()) return {start, "no '{' before this '}'"};
        const auto behind = static_cast<std::uint32_t>(steps_.size());
        steps_[open.back().split].a = open.back().split + 1;  // no further alternative
        for (std::uint32_t jump = open.back().jumps; jump != none;) {
          const std::uint32_t next = steps_[jump].a;
          steps_[jump].a = behind;
          jump = next;
        }
        open.pop_back();
        ++i;
      } else {
        emit_literal(i);
      }
    }
    if (!open.empty()) return {open.back().opened, "no '}' closes this '{'"};
    if (dots(p.size())) return {component, no_dots};
    return {};
  }

  void emit_literal(std::size_t& i) {
    const std::size_t start = i;
    const char32_t symbol = decode(pattern_, i);
    emit(kind::literal, ignore_case_ ? lower(symbol) : symbol);
    literal_.append(pattern_, start, i - start);
    if (symbol < 0x80) literal_.back() = static_cast<char>(steps_.back().a);
  }

  fault parse_set(std::size_t& i) {
    const std::string_view p = pattern_;
    const fault unclosed{i, "no ']' closes this '['"};
    step set{kind::set, false, static_cast<std::uint32_t>(ranges_.size()), 0};
    if (++i < p.size() && (p[i] == '!' || p[i] == '^')) {
      set.flag = true;
      ++i;
    }
    const auto member = [&](char32_t& symbol) -> fault {
      const std::size_t start = i;
      if (p[i] == '\\' && ++i == p.size()) return unclosed;
      if (p[i] == '/') return {start, "a '/' in a set"};
      if (p.substr(start, 2) == "[:") return {start, "classes such as [:alpha:] are not supported"};
      symbol = decode(p, i);
      return {};
    };
    for (const std::size_t first = i;;) {
      if (i == p.size()) return unclosed;
      if (p[i] == ']' && i != first) break;
      const std::size_t start = i;
      range r{};
      if (const fault f = member(r.low)) return f;
      r.high = r.low;
      if (i + 1 < p.size() && p[i] == '-' && p[i + 1] != ']') {
        ++i;
        if (const fault f = member(r.high)) return f;
        if (r.high < r.low) return {start, "the range goes backwards"};
      }
      ranges_.push_back(r);
    }
    ++i;
    set.b = static_cast<std::uint32_t>(ranges_.size());
    steps_.push_back(set);
    return {};
  }

  // What stands behind a '/', on every way through the braces: the end (directories only), or more (the whole way).
  void look_behind_slashes() {
    enum : std::uint8_t { end = 1, more = 2 };
    std::vector<std::uint8_t> from(steps_.size(), more);
    const bool anywhere = steps_.size() > 3 && steps_[0].what == kind::deep && steps_[1].what == kind::slash;
    bool deep_again = false;
    for (std::size_t i = steps_.size(); i-- > 0;) {
      step& s = steps_[i];
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
    if (deep_again || steps_[1].flag) needs_path_ = true;
    if (!needs_path_) begin_ = 2;
  }

  // Most patterns are a literal with at most one star at an end of it: those are one comparison. What has neither "**"
  // nor braces needs no automaton.
  void choose_strategy() {
    strategy_ = strategy::automaton;
    std::string bytes;
    bytes.swap(literal_);  // of all literals and slashes
    std::size_t first = begin_, last = steps_.size() - 1;
    if (begin_ != 0) bytes.erase(0, 1);
    const bool directories_only = steps_[last - 1].what == kind::slash;
    if (directories_only) {
      --last;
      bytes.pop_back();
    }
    if (needs_path_ && steps_[first].what == kind::slash) {
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
      const kind k = steps_[i].what;
      return k == kind::deep ? !needs_path_ || (i > 0 && steps_[i - 1].what == kind::slash)
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
      if (steps_[i].what != kind::slash && (steps_[i].what != kind::literal || steps_[i].a >= stray)) return;
    literal_ = std::move(bytes);
    directories_only_ = directories_only;
    strategy_ = found;
  }

  // Whether no step has two ways to go on but a star, which ends with its component.
  [[nodiscard]] bool is_wildcards(std::size_t first, std::size_t last) const noexcept {
    for (std::size_t i = first; i < last; ++i) {
      const kind k = steps_[i].what;
      if ((k != kind::literal && k != kind::any && k != kind::set && k != kind::star && k != kind::slash) ||
          (k == kind::slash && steps_[i].flag))
        return false;
    }
    return true;
  }

  // What the text has to end with: most do not, and that is one comparison.
  [[nodiscard]] std::string ascii_tail(std::size_t first, std::size_t last) const {
    std::string tail;
    if (ignore_case_) return tail;
    for (std::size_t i = last; i > first && steps_[i - 1].what == kind::literal && steps_[i - 1].a < 0x80; --i)
      tail.insert(tail.begin(), static_cast<char>(steps_[i - 1].a));
    return tail;
  }

  [[nodiscard]] bool same(std::string_view text) const noexcept {
    if (!ignore_case_) return text == literal_;
    for (std::size_t i = 0; i < text.size(); ++i)
      if (lower(static_cast<unsigned char>(text[i])) != static_cast<unsigned char>(literal_[i])) return false;
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
      case strategy::wildcards: return text.ends_with(literal_) && run_wildcards(text);
      case strategy::automaton: break;
    }
    return run(text, is_directory);
  }

  [[nodiscard]] bool in_set(const step& set, char32_t symbol) const noexcept {
    for (std::uint32_t i = set.a; i < set.b; ++i)
      if (symbol >= ranges_[i].low && symbol <= ranges_[i].high) return true;
    return false;
  }

  // Every star takes as little as it can, and the last one takes more when the rest does not fit: those before it need
  // not be asked again, for whatever they could take it can.
  [[nodiscard]] bool run_wildcards(std::string_view text) const noexcept {
    std::size_t at = 0, step_at = begin_, behind_star = 0, taken = 0;
    for (;;) {
      if (step_at < end_ && steps_[step_at].what == kind::star) {
        behind_star = ++step_at;
        taken = at;
        if (!leap(text, behind_star, taken)) return false;
        at = taken;
        continue;
      }
      if (at == text.size()) {
        if (step_at == end_) return true;
      } else if (step_at < end_) {
        std::size_t next = at;
        if (fits(steps_[step_at], decode(text, next))) {
          if (steps_[step_at].what == kind::slash) behind_star = 0;
          at = next;
          ++step_at;
          continue;
        }
      }
      if (behind_star == 0 || taken == text.size() || decode(text, taken) == '/') return false;
      if (!leap(text, behind_star, taken)) return false;
      at = taken;
      step_at = behind_star;
    }
  }

  // To where the rest can begin: the next place of its first literal, if the star reaches that far.
  [[nodiscard]] bool leap(std::string_view text, std::size_t rest, std::size_t& taken) const noexcept {
    const step& s = steps_[rest];
    if (rest == end_ || s.what != kind::literal || s.a >= 0x80 || ignore_case_) return true;
    const std::size_t to = text.find(static_cast<char>(s.a), taken);
    if (to == text.npos || text.substr(taken, to - taken).find('/') != text.npos) return false;
    taken = to;
    return true;
  }

  [[nodiscard]] bool fits(const step& s, char32_t symbol) const noexcept {
    switch (s.what) {
      case kind::literal: return (ignore_case_ ? lower(symbol) : symbol) == s.a;
      case kind::slash: return symbol == '/';
      case kind::any: return symbol != '/';
      default:
        return symbol != '/' && s.flag != (in_set(s, symbol) ||
                                           (ignore_case_ && (in_set(s, lower(symbol)) || in_set(s, upper(symbol)))));
    }
  }

  [[nodiscard]] bool run(std::string_view text, bool is_directory) const noexcept {
    using bits = std::uint64_t[max_steps / 64];
    // `skip` holds the steps before which a '/' need not be there: it was that of a "**" which stands for no component,
    // or the one at the start of the pattern.
    bits sets[2], skip;
    std::uint64_t *now = sets[0], *next = sets[1];
    const std::size_t words = (steps_.size() + 63) / 64;
    const auto put = [](std::uint64_t* set, std::size_t i) { set[i / 64] |= std::uint64_t{1} << i % 64; };
    for (std::size_t w = 0; w < words; ++w) now[w] = skip[w] = 0;
    put(now, begin_);
    put(skip, begin_);
    bool component_begins = true;
    for (std::size_t at = 0;;) {
      const bool ended = at == text.size();
      const char32_t symbol = ended ? no_symbol : decode(text, at);
      const bool inside = !ended && symbol != '/';
      bool alive = false;
      for (std::size_t w = 0; w < words; ++w) next[w] = 0;
      for (std::size_t w = 0; w < words; ++w) {
        std::uint64_t done = 0;
        while (const std::uint64_t open = (now[w] | skip[w]) & ~done) {
          const std::uint64_t bit = open & (~open + 1);
          const std::size_t i = w * 64 + static_cast<std::size_t>(std::countr_zero(open));
          const bool live = (now[w] & bit) != 0, may_skip = (skip[w] & bit) != 0;
          const step& s = steps_[i];
          bool stays = false, moves = false;
          done |= bit;
          switch (s.what) {
            case kind::literal:
            case kind::any:
            case kind::set: moves = live && !ended && fits(s, symbol); break;
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

  std::string pattern_;
  std::string literal_;  // what is compared: lower case when case is ignored; of wildcards their end, in ASCII
  std::vector<step> steps_;
  std::vector<range> ranges_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;  // wildcards: behind the last step to match
  strategy strategy_ = strategy::nothing;
  bool ignore_case_ = false;
  bool needs_path_ = false;
  bool directories_only_ = false;
};

}  // namespace hotwatch::inline v0
