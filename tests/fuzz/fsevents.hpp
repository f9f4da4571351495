// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What must hold of any events that FSEvents tells: whatever their flags, nothing is kept to oneself but what is
// elsewhere, too deep, or no news.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "hotwatch/decode/fsevents.hpp"
#include "require.hpp"

namespace hotwatch::test {

/// One byte says which stream, four are the flags, the rest is a path.
inline void fuzz_fsevents(std::span<const std::uint8_t> data) {
  namespace f = detail::fsevents;
  using enum detail::hint_kind;
  if (data.size() < 5) return;
  constexpr std::string_view roots[] = {"/", "/u/root", "/System/Volumes/Data/u", "/\xC3\xA9"};
  const f::place where{roots[data[0] % 4], (data[0] & 4) != 0};
  f::event e;
  std::memcpy(&e.flags, data.data() + 1, sizeof e.flags);
  const std::string path(data.begin() + 5, data.end());
  e.path = path;
  std::string_view way;
  const f::stand stands = f::stand_of(e.path, where.path, way);
  require((stands == f::stand::below) == !way.empty());
  std::size_t looks = 0, hints = 0;
  f::tell_event(e, where, 3, [&](const detail::hint& h) {
    ++hints;
    require(h.kind == overflow ? h.watch == detail::no_watch : h.watch == 3);
    const bool is_look = h.kind == look_at_new || h.kind == look_at_known || h.kind == look_at_moved;
    looks += is_look ? 1u : 0u;
    require(is_look == !h.name.empty());
    require(is_look || h.kind == look_again || h.kind == gone || h.kind == own_attributes || h.kind == overflow);
    if (is_look) require(h.name == way && path.find(h.name) != std::string::npos);
    if (is_look && !where.tree) require(h.name.find('/') == std::string_view::npos);
  });
  require(hints <= 2 && looks <= 1);
  const bool is_history = (e.flags & f::history_done) != 0;
  const bool is_too_deep = !where.tree && way.find('/') != std::string_view::npos;
  if (stands == f::stand::below && !is_history && !is_too_deep) require(hints != 0);
  if ((e.flags & (f::user_dropped | f::kernel_dropped | f::root_changed)) != 0 && !is_history) require(hints != 0);
}

}  // namespace hotwatch::test
