// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Paths as the user gives them and takes them: wide, or WTF-8, with either slash. Floor 3.

#include <algorithm>
#include <string>
#include <string_view>

#include "path.hpp"

namespace hotwatch::inline v0 {

namespace detail::windows {

using path_char = wchar_t;
inline constexpr bool names_ignore_case = true;
static_assert(sizeof(wchar_t) == sizeof(char16_t));

[[nodiscard]] inline std::string text_of(std::string_view path) {
  std::string out(path);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}
[[nodiscard]] inline std::string text_of(std::wstring_view path) {
  std::string out;
  append_wtf8(std::u16string(path.begin(), path.end()), out);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}

}  // namespace detail::windows

/// The platform's own string for a path that was told: UTF-16 with backslashes, of which std::filesystem::path is made
/// without loss.
[[nodiscard]] inline std::wstring native(std::string_view path) {
  const std::u16string wide = detail::windows::to_wide(path);
  return std::wstring(wide.begin(), wide.end());
}

}  // namespace hotwatch::inline v0
