// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any bytes that are taken for inotify records.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hotwatch/decode/inotify.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_inotify(std::span<const std::uint8_t> data) {
  // A heap block of the very size: a sanitizer sees each byte read too far.
  const std::vector<char> bytes(data.begin(), data.end());
  const char* const end = bytes.data() + bytes.size();
  std::size_t hints = 0;
  const auto check = [&](const detail::hint& h) {
    ++hints;
    require(h.name.empty() || (h.name.data() >= bytes.data() && h.name.data() + h.name.size() <= end));
    require(h.name.find('\0') == std::string_view::npos);
    require(h.kind != detail::hint_kind::overflow || h.watch == detail::no_watch);
    require(h.type == entry_type::unknown || h.type == entry_type::directory);
  };
  const std::size_t taken = detail::inotify::decode(bytes, check);
  require(taken <= bytes.size());
  require(hints <= bytes.size() / sizeof(detail::inotify::record_head) * 7);

  // Wherever the bytes are cut, the two reads together say what the one did.
  if (bytes.empty()) return;
  const std::size_t cut = data.front() % bytes.size();
  const std::size_t all = hints;
  hints = 0;
  const std::size_t first = detail::inotify::decode(std::span(bytes).first(cut), check);
  require(first <= cut);
  require(first + detail::inotify::decode(std::span(bytes).subspan(first), check) == taken);
  require(hints == all);
}

}  // namespace hotwatch::test
