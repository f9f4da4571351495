// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any text that is taken for a duration.

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "examples/hotwatch/duration.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline void fuzz_duration(std::span<const std::uint8_t> data) {
  const std::string text(data.begin(), data.end());
  const std::optional<std::chrono::nanoseconds> time = parse_duration(text);
  if (!time) return;
  require(time->count() >= 0);
  require(text.find_first_not_of("0123456789.numinsh") == std::string::npos);
  // Zeros in front change nothing, and what was read can be written and read again.
  require(parse_duration('0' + text) == time);
  require(parse_duration(std::to_string(time->count()) + "ns") == time);
}

}  // namespace hotwatch::test
