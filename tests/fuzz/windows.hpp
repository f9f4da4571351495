// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any bytes that are taken for records of ReadDirectoryChangesW, or for where a link leads.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "hotwatch/decode/windows.hpp"
#include "hotwatch/decode/windows_link.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_windows(std::span<const std::uint8_t> data) {
  if (data.empty()) return;
  namespace w = detail::windows;
  const auto layout = (data.front() & 1) != 0 ? w::layout::extended : w::layout::plain;
  // A heap block of the very size: a sanitizer sees each byte read too far.
  const std::vector<char> bytes(data.begin() + 1, data.end());
  w::move_pairs pairs;
  w::decoder decoder(pairs);
  for (int round = 0; round < 2; ++round) {
    std::size_t hints = 0;
    const std::size_t records = decoder.decode(bytes, layout, 1, [&](const detail::hint& h) {
      ++hints;
      require(!h.name.empty() && h.name.find('\\') == std::string_view::npos);
      require(h.is_typed == (layout == w::layout::extended));
      require(h.type == entry_type::unknown || (h.is_typed && h.type == entry_type::directory));
      const bool moves = h.kind == detail::hint_kind::moved_from || h.kind == detail::hint_kind::moved_to;
      require(moves == (h.pair != 0));
      // Whatever the units were, the name leads back to them.
      std::u16string wide;
      detail::append_utf16(h.name, wide);
      std::string again;
      detail::append_wtf8(wide, again);
      require(again == h.name);
    });
    require(hints <= records);
    require(records <= bytes.size() / 12);
  }
  const std::string to = w::where_link_leads("C:/a/link", bytes);
  require(to.find('\\') == std::string::npos);
  if (!to.starts_with("//")) require(w::without_dots(to) == to);
}

}  // namespace hotwatch::test
