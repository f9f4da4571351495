// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any pattern and any path: "pattern NUL path".

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include "hotwatch/error.hpp"
#include "hotwatch/glob.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_glob(std::span<const std::uint8_t> data) {
  const std::string text(data.begin(), data.end());
  const std::size_t nul = std::min(text.find('\0'), text.size());
  const std::string pattern = text.substr(0, nul);
  const std::string way = text.substr(std::min(nul + 1, text.size()));
  const std::string name = way.substr(way.rfind('/') + 1);
  for (const bool ignore_case : {false, true}) {
    try {
      const glob g(pattern, ignore_case, "include");
      for (const std::string_view w : {std::string_view(way), std::string_view(name)}) {
        const bool as_file = g.matches(w, false);
        require(!as_file || g.matches(w, true));  // what a file matches, a directory does
        require(as_file == g.matches(w, false));
      }
      // By the last component alone: the same answer, or none.
      require(g.matches_name(name, true) == (!g.needs_path() && g.matches(name, true)));
    } catch (const std::system_error& e) {
      require(e.code() == errc::malformed_glob);
      require(std::string_view(e.what()).find("column") != std::string_view::npos);
    }
  }
}

}  // namespace hotwatch::test
