// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Paths as the user gives them: bytes, with slashes. Floor 3.

#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <string_view>
#include <system_error>

namespace hotwatch::inline v0 {

namespace detail {

using path_char = char;
inline constexpr bool names_ignore_case = false;

template <class System>
[[nodiscard]] bool is_same_name(const System&, std::string_view a, std::string_view b) noexcept {
  return a == b;
}

[[nodiscard]] constexpr std::string_view text_of(std::string_view path) noexcept { return path; }

/// `given` loses its trailing slashes; `absolute` is the same place, from the root of the file system.
template <class System>
[[nodiscard]] std::error_code make_absolute(const System&, std::string& given, std::string& absolute) {
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

}  // namespace detail

/// The platform's own string for a path that was told: the kernel's bytes, unchanged.
[[nodiscard]] inline std::string native(std::string_view path) { return std::string(path); }

}  // namespace hotwatch::inline v0
