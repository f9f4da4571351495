// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any bytes that are taken for fanotify events.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "hotwatch/decode/fanotify.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_fanotify(std::span<const std::uint8_t> data) {
  // A heap block of the very size: a sanitizer sees each byte read too far.
  const std::vector<char> bytes(data.begin(), data.end());
  const auto within = [&](std::string_view text) {
    return text.empty() || (text.data() >= bytes.data() && text.data() + text.size() <= bytes.data() + bytes.size());
  };
  const auto watch_of = [&](const detail::fanotify::directory_handle& h) {
    require(!h.bytes.empty() && h.bytes.size() <= detail::fanotify::longest_handle && within(h.bytes));
    return h.type % 3 == 2 ? detail::no_watch : h.type & 0xff;
  };
  std::size_t hints = 0;
  bool overflowed = false;
  const auto check = [&](const detail::hint& h) {
    ++hints;
    overflowed |= h.kind == detail::hint_kind::overflow;
    require(within(h.name) && h.name.find('\0') == std::string_view::npos);
    require((h.kind == detail::hint_kind::overflow) == (h.watch == detail::no_watch));
    require(h.type == entry_type::unknown || h.type == entry_type::directory);
  };
  std::uint32_t pair = 0;
  const std::size_t taken = detail::fanotify::decode(bytes, pair, watch_of, check);
  require(taken <= bytes.size());
  require(hints <= bytes.size() / sizeof(detail::fanotify::event_head) * 5);

  // Wherever the bytes are cut, the two reads together say what the one did.
  if (bytes.empty() || overflowed) return;
  const std::size_t cut = data.front() % bytes.size();
  const std::size_t all = hints;
  hints = 0;
  pair = 0;
  const std::size_t first = detail::fanotify::decode(std::span(bytes).first(cut), pair, watch_of, check);
  require(first <= cut);
  require(first + detail::fanotify::decode(std::span(bytes).subspan(first), pair, watch_of, check) == taken);
  require(hints == all);
}

}  // namespace hotwatch::test
