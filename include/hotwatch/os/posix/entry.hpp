// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// An entry of a directory, as every Unix says it: its name and its type. Floor 3.

#include <sys/stat.h>

#include <cstring>
#include <string_view>

#include "../../change.hpp"

namespace hotwatch::inline v0::detail {

/// What a listing says of an entry: DT_* of dirent.h, which POSIX leaves out and all have alike.
[[nodiscard]] constexpr entry_type entry_type_of(unsigned char d_type) noexcept {
  switch (d_type) {
    case 8: return entry_type::file;
    case 4: return entry_type::directory;
    case 10: return entry_type::symlink;
    case 0: return entry_type::unknown;
    default: return entry_type::other;
  }
}

/// What a look says: st_mode.
[[nodiscard]] constexpr entry_type entry_type_of_mode(mode_t mode) noexcept {
  return S_ISREG(mode)   ? entry_type::file
         : S_ISDIR(mode) ? entry_type::directory
         : S_ISLNK(mode) ? entry_type::symlink
                         : entry_type::other;
}

/// The system wants a NUL behind a name; a name has at most NAME_MAX bytes.
class name_buffer {
 public:
  explicit name_buffer(std::string_view name) noexcept {
    const std::size_t size = name.size() < sizeof text_ ? name.size() : sizeof text_ - 1;
    if (size != 0) std::memcpy(text_, name.data(), size);
    text_[size] = '\0';
  }
  [[nodiscard]] const char* c_str() const noexcept { return text_; }

 private:
  char text_[1024];
};

}  // namespace hotwatch::inline v0::detail
