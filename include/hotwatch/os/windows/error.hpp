// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a call says went wrong, so that the rooms above can ask for std::errc. Floor 3.

#include <cstdint>
#include <system_error>

#include "types.hpp"

namespace hotwatch::inline v0::detail::windows {

/// The standard libraries translate most numbers for std::errc, but not all of them these, and not alike.
[[nodiscard]] inline std::error_code error_of(std::uint32_t number) noexcept {
  using enum std::errc;
  switch (number) {
    case error_access_denied: return std::make_error_code(permission_denied);
    case error_directory: return std::make_error_code(not_a_directory);
    case error_cant_resolve_filename: return std::make_error_code(too_many_symbolic_link_levels);
    case error_bad_net_path:
    case error_bad_net_name: return std::make_error_code(no_such_file_or_directory);
    case error_invalid_name: return std::make_error_code(invalid_argument);
    case error_filename_exceeds_range: return std::make_error_code(filename_too_long);
    default: return {static_cast<int>(number), std::system_category()};
  }
}

template <class System>
[[nodiscard]] std::error_code last_error(const System& system) noexcept {
  return error_of(system.GetLastError());
}

/// A file that is being deleted, and is still open somewhere, keeps its name but cannot be opened: it is gone.
template <class System>
[[nodiscard]] std::error_code error_of_status(const System& system, status s) noexcept {
  return error_of(s == status_delete_pending ? error_file_not_found : system.RtlNtStatusToDosError(s));
}

}  // namespace hotwatch::inline v0::detail::windows
