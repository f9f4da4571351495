// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What can go wrong besides the operating system's own errors. Floor 1.

#include <string>
#include <system_error>

namespace hotwatch::inline v0 {

/// hotwatch's own errors; all else is the system's errno in std::system_category().
enum class errc {
  malformed_glob = 1,       ///< a glob that cannot be compiled; what() names the pattern and the column
  option_out_of_range,      ///< a negative time, or quiet above max_wait
  root_exists,              ///< this root is watched already
  path_has_nul,             ///< a path with a NUL byte can name no file
  empty_path,               ///< the empty path names no file
  unknown_root,             ///< remove() of a path that is no root
  not_a_file_or_directory,  ///< a root must be a directory or a regular file
  partly_told,              ///< a file system whose changes this kernel does not hear of, or not of all of them
};

namespace detail {

class error_category_type final : public std::error_category {
 public:
  [[nodiscard]] const char* name() const noexcept override { return "hotwatch"; }
  [[nodiscard]] std::string message(int code) const override {
    switch (static_cast<errc>(code)) {
      case errc::malformed_glob: return "malformed glob";
      case errc::option_out_of_range: return "option out of range";
      case errc::root_exists: return "this root is watched already";
      case errc::path_has_nul: return "the path has a NUL byte in it";
      case errc::empty_path: return "the path is empty";
      case errc::unknown_root: return "this path is no root of the watcher";
      case errc::not_a_file_or_directory: return "neither a directory nor a regular file";
      case errc::partly_told: return "the kernel does not tell of all changes on this file system";
    }
    return "unknown error";
  }
};

}  // namespace detail

[[nodiscard]] inline const std::error_category& error_category() noexcept {
  static const detail::error_category_type category;
  return category;
}

[[nodiscard]] inline std::error_code make_error_code(errc code) noexcept {
  return {static_cast<int>(code), error_category()};
}

}  // namespace hotwatch::inline v0

template <>
struct std::is_error_code_enum<hotwatch::errc> : std::true_type {};
