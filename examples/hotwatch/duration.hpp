// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A duration as it is written on a command line: "20ms", "1.5s". A number without a unit is refused: nobody remembers
// which one it would be.

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

inline constexpr std::string_view duration_units = "ns, us, ms, s, min, h";

/// Nothing when `text` is no number with a unit, is negative, or does not fit. Digits below a nanosecond are dropped.
[[nodiscard]] inline std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    std::int64_t nanoseconds;
  };
  constexpr unit units[] = {{"ns", 1},
                            {"us", 1'000},
                            {"ms", 1'000'000},
                            {"s", 1'000'000'000},
                            {"min", 60'000'000'000},
                            {"h", 3'600'000'000'000}};
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

  const std::size_t number_size = text.find_first_not_of("0123456789.");
  if (number_size == 0 || number_size == text.npos) return std::nullopt;
  const std::string_view number = text.substr(0, number_size);
  std::int64_t scale = 0;
  for (const unit& u : units)
    if (u.name == text.substr(number_size)) scale = u.nanoseconds;
  if (scale == 0) return std::nullopt;

  const std::size_t dot = number.find('.');
  const std::string_view whole = number.substr(0, dot);
  const std::string_view fraction = dot == number.npos ? std::string_view{} : number.substr(dot + 1);
  if (whole.empty() || (dot != number.npos && fraction.empty()) || fraction.find('.') != fraction.npos)
    return std::nullopt;

  std::int64_t total = 0;
  for (const char digit : whole) {
    const std::int64_t value = digit - '0';
    if (total > (most / scale - value) / 10) return std::nullopt;
    total = total * 10 + value;
  }
  total *= scale;
  std::int64_t place = scale;
  for (const char digit : fraction) {
    const std::int64_t part = (digit - '0') * (place / 10);
    if (total > most - part) return std::nullopt;
    total += part;
    place /= 10;
  }
  return std::chrono::nanoseconds(total);
}
