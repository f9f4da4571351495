// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the user gives, checked before anything is done with it: paths and options. Floor 5.

#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <climits>
#include <concepts>
#include <string>
#include <string_view>
#include <system_error>

#include "../change.hpp"
#include "../error.hpp"
#include "../options.hpp"

namespace hotwatch::inline v0::detail {

/// Text, or what has .native() text, as std::filesystem::path (which is not included here: it costs half a second).
template <class P>
concept path_like = std::convertible_to<const P&, std::string_view> || requires(const P& p) {
  { p.native() } -> std::convertible_to<std::string_view>;
};

template <path_like P>
[[nodiscard]] std::string_view path_text_of(const P& path) {
  if constexpr (std::convertible_to<const P&, std::string_view>)
    return path;
  else
    return path.native();
}

/// `given` loses its trailing slashes; `absolute` is the same place, from the root of the file system.
template <path_like P>
[[nodiscard]] std::error_code read_path(const P& path, std::string& given, std::string& absolute) {
  given = path_text_of(path);
  if (given.empty()) return errc::empty_path;
  if (given.find('\0') != std::string::npos) return errc::path_has_nul;
  while (given.size() > 1 && given.back() == '/') given.pop_back();
  if (given.front() == '/') {
    absolute = given;
    return {};
  }
  char here[PATH_MAX];
  if (::getcwd(here, sizeof here) == nullptr) return {errno, std::system_category()};
  absolute = here;
  std::string_view below = given;
  while (below.starts_with("./")) {
    below.remove_prefix(2);
    while (below.starts_with('/')) below.remove_prefix(1);
  }
  if (below == "." || below.empty()) return {};
  if (absolute.back() != '/') absolute += '/';
  absolute += below;
  return {};
}

template <path_like P>
[[noreturn]] void throw_for_path(std::error_code ec, std::string_view call, const P& path) {
  std::string what = "hotwatch: ";
  what += call;
  what += " \"";
  for (const char c : path_text_of(path)) {
    if (c == '\0')
      what += "\\0";
    else
      what += c;
  }
  what += '"';
  throw std::system_error(ec, what);
}

[[nodiscard]] inline options checked(options chosen) {
  using std::chrono::nanoseconds;
  const auto refuse = [](const char* what) {
    throw std::system_error(make_error_code(errc::option_out_of_range), std::string("hotwatch: ") + what);
  };
  if (chosen.debounce.quiet < nanoseconds(0)) refuse("debounce.quiet is negative");
  if (chosen.debounce.max_wait < nanoseconds(0)) refuse("debounce.max_wait is negative");
  if (chosen.debounce.quiet > chosen.debounce.max_wait) refuse("debounce.quiet is longer than debounce.max_wait");
  if (chosen.poll_interval.count() <= 0) refuse("poll_interval is not positive");
  if (chosen.spin.count() < 0) refuse("spin is negative");
  // A year is as good as for ever, and no sum of times overflows.
  constexpr nanoseconds longest = std::chrono::hours(24 * 365);
  if (chosen.debounce.max_wait > longest) chosen.debounce.max_wait = longest;
  if (chosen.debounce.quiet > longest) chosen.debounce.quiet = longest;
  constexpr auto longest_poll = std::chrono::duration_cast<std::chrono::milliseconds>(longest);
  constexpr auto longest_spin = std::chrono::duration_cast<std::chrono::microseconds>(longest);
  if (chosen.poll_interval > longest_poll) chosen.poll_interval = longest_poll;
  if (chosen.spin > longest_spin) chosen.spin = longest_spin;
  return chosen;
}

/// `from` and the time behind it, at most a year.
template <class Rep, class Period>
[[nodiscard]] clock::time_point later(clock::time_point from, std::chrono::duration<Rep, Period> time) {
  constexpr auto longest = std::chrono::hours(24 * 365);
  return from + (time > longest ? std::chrono::nanoseconds(longest)
                                : std::chrono::duration_cast<std::chrono::nanoseconds>(time));
}

}  // namespace hotwatch::inline v0::detail
