// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Paths: hotwatch's (WTF-8, slashes) and the system's (UTF-16, backslashes), whole and absolute. Floor 3.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

#include "../../core/wtf8.hpp"
#include "error.hpp"

namespace hotwatch::inline v0::detail::windows {

/// The system's spelling, without any prefix.
[[nodiscard]] inline std::u16string to_wide(std::string_view path) {
  std::u16string out;
  append_utf16(path, out);
  std::replace(out.begin(), out.end(), u'/', u'\\');
  return out;
}

/// hotwatch's spelling: without the prefix for long paths, which every call here adds.
[[nodiscard]] inline std::string to_text(std::u16string_view path) {
  constexpr std::u16string_view prefix = u"\\\\?\\", share = u"\\\\?\\UNC\\";
  std::string out;
  if (path.starts_with(share)) {
    path.remove_prefix(share.size());
    out = "//";
  } else if (path.starts_with(prefix)) {
    path.remove_prefix(prefix.size());
  }
  append_wtf8(path, out);
  std::replace(out.begin(), out.end(), '\\', '/');
  return out;
}

/// `C:/a/b` as \??\C:\a\b, //server/share/a as \??\UNC\server\share\a: what the kernel takes. Nothing in it is
/// interpreted any more, and it may be 32,767 units long. With another `prefix`, \\?\, the other calls take it.
[[nodiscard]] inline std::u16string to_whole_path(std::string_view absolute, std::u16string_view prefix = u"\\??\\") {
  std::u16string path = to_wide(absolute);
  if (path.ends_with(u':')) path += u'\\';  // the root directory, not the current one
  std::u16string out(prefix);
  if (path.starts_with(u"\\\\")) {
    out += u"UNC";
    path.erase(0, 1);
  }
  return out += path;
}

/// Whether the file system takes the two for one name. What is ASCII, as most is, needs no asking.
template <class System>
[[nodiscard]] bool is_same_name(const System& system, std::string_view a, std::string_view b) {
  const auto is_ascii = [](char c) { return (c & 0x80) == 0; };
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  const auto same = [&](char x, char y) { return upper(x) == upper(y); };
  if (std::all_of(a.begin(), a.end(), is_ascii) && std::all_of(b.begin(), b.end(), is_ascii))
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
  return system.CompareStringOrdinal(to_wide(a), to_wide(b));
}

/// The slash that a root directory's path ends with is part of it.
inline void drop_trailing_slashes(std::string& path) {
  while (path.size() > 1 && path.back() == '/' && path[path.size() - 2] != ':') path.pop_back();
}

/// Asks a call for text of which nobody knows the length: `call(buffer, room)` answers the length, the room it needs
/// (with the NUL), or 0.
template <class Call>
[[nodiscard]] std::u16string ask_for_text(Call&& call) {
  std::u16string out(260, u'\0');
  for (;;) {
    const std::uint32_t size = call(out.data(), static_cast<std::uint32_t>(out.size()));
    if (size > out.size()) {
      out.resize(size);
      continue;
    }
    out.resize(size);
    return out;
  }
}

/// `given` loses its trailing slashes; `absolute` is the same place, from a drive or a share on.
template <class System>
[[nodiscard]] std::error_code make_absolute(const System& system, std::string& given, std::string& absolute) {
  const std::u16string path = to_wide(given);
  drop_trailing_slashes(given);
  const std::u16string full =
      ask_for_text([&](char16_t* out, std::uint32_t room) { return system.GetFullPathNameW(path.c_str(), room, out); });
  if (full.empty()) return last_error(system);
  absolute = to_text(full);
  drop_trailing_slashes(absolute);
  return {};
}

}  // namespace hotwatch::inline v0::detail::windows
