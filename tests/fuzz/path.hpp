// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any text that is given as the path of a root.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "hotwatch/engine/path_argument.hpp"
#include "hotwatch/error.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_path(std::span<const std::uint8_t> data) {
  const std::string text(data.begin(), data.end());
  std::string given;
  std::string absolute;
  if (const std::error_code ec = detail::read_path(text, given, absolute)) {
    require(ec == (text.empty() ? errc::empty_path : errc::path_has_nul));
    require(text.empty() || text.find('\0') != std::string::npos);
    return;
  }
  if constexpr (!std::is_same_v<detail::os::path_char, char>) return;  // Windows has rules of its own
  require(text.starts_with(given) && text.find_first_not_of('/', given.size()) == std::string::npos);
  require(given == "/" || !given.ends_with('/'));
  require(absolute.starts_with('/') && (absolute == "/" || !absolute.ends_with('/')));

  // What was made of it stays as it is.
  std::string given_again;
  std::string absolute_again;
  require(!detail::read_path(given, given_again, absolute_again));
  require(given_again == given && absolute_again == absolute);
  require(!detail::read_path(absolute, given_again, absolute_again));
  require(absolute_again == absolute);
}

}  // namespace hotwatch::test
