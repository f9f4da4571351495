// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the user gives, checked before anything is done with it: paths and options. Floor 5.

#include <chrono>
#include <concepts>
#include <string>
#include <string_view>
#include <system_error>

#include "../change.hpp"
#include "../error.hpp"
#include "../options.hpp"
#include "../os/native.hpp"

namespace hotwatch::inline v0::detail {

/// Text, or what has .native() text, as std::filesystem::path (which is not included here: it costs half a second).
template <class P>
concept path_like = std::convertible_to<const P&, std::string_view> || requires(const P& p) {
  { p.native() } -> std::convertible_to<std::basic_string_view<os::path_char>>;
};

/// In hotwatch's spelling: a string, or a view of `path`.
template <path_like P>
[[nodiscard]] auto path_text_of(const P& path) {
  if constexpr (std::convertible_to<const P&, std::string_view>)
    return os::text_of(std::string_view(path));
  else
    return os::text_of(std::basic_string_view<os::path_char>(path.native()));
}

/// `given` is what the user wrote, without trailing slashes; `absolute` is the same place, whatever directory is
/// current.
template <path_like P>
[[nodiscard]] std::error_code read_path(const P& path, std::string& given, std::string& absolute) {
  given = path_text_of(path);
  if (given.empty()) return errc::empty_path;
  if (given.find('\0') != std::string::npos) return errc::path_has_nul;
  return os::make_absolute(native_system(), given, absolute);
}

template <path_like P>
[[noreturn]] void throw_for_path(std::error_code ec, std::string_view call, const P& path) {
  std::string what = "hotwatch: ";
  what += call;
  what += " \"";
  const auto text = path_text_of(path);
  for (const char c : text) {
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
