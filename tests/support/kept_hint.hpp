// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A hint as a decoder gave it: what it views lives until the next one only.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "hotwatch/core/hint.hpp"

namespace hotwatch::test {

struct kept_hint {
  detail::hint_kind kind;
  std::int32_t watch = detail::no_watch;
  std::string name = {};
  entry_type type = entry_type::unknown;
  std::uint32_t pair = 0;
  bool merged = false;

  static kept_hint of(const detail::hint& h) {
    return {h.kind, h.watch, std::string(h.name), h.type, h.pair, h.merged};
  }
  friend bool operator==(const kept_hint&, const kept_hint&) = default;
};
using hints = std::vector<kept_hint>;

/// What a decoder gave, and how many bytes it took.
struct decoded {
  hints all;
  std::size_t taken = 0;
};

}  // namespace hotwatch::test
