// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a platform says of itself, by names of its own.

#include <cstdint>
#include <string>

namespace doctor {

struct fact {
  std::string name;
  std::string text;
};
struct number {
  std::string name;
  std::uint64_t value;
};

}  // namespace doctor
