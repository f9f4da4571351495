// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any text that is taken for a trace: it is refused with the number of a line, or what was read can
// be written and read again.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>

#include "examples/hotwatch/trace/trace.hpp"
#include "require.hpp"

namespace hotwatch::test {

inline trace::trace read_trace(const std::string& text) {
  std::istringstream in(text);
  return trace::read(in);
}

inline void fuzz_trace(std::span<const std::uint8_t> data) {
  trace::trace first;
  try {
    first = read_trace({data.begin(), data.end()});
  } catch (const std::runtime_error& e) {
    require(std::string(e.what()).starts_with("line "));
    return;
  }
  std::string written = "existing";
  for (const std::string& name : first.existing) trace::append_word(written += ' ', name);
  written += '\n';
  for (const trace::event& e : first.events) trace::append_line(written, e);

  const trace::trace again = read_trace(written);
  require(again.existing == first.existing);
  require(again.events.size() == first.events.size());
  for (std::size_t i = 0; i < again.events.size(); ++i) {
    require(again.events[i].words == first.events[i].words);
    require(std::chrono::abs(again.events[i].at - first.events[i].at) < std::chrono::microseconds(1));
  }
}

}  // namespace hotwatch::test
