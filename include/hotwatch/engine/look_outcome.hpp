// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a look at a name teaches: whether its content or its attributes are others than before, and what is remembered.
// Floor 5.

#include <cstdint>

#include "../backend.hpp"
#include "../core/stamp.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

/// What a look saw becomes what is known; with `tell` other attributes than before are told.
template <class Backend>
void remember_look(engine_state<Backend>& s, node_id id, const file_status& now, moment m, bool tell) {
  node& n = s.known[id];
  // Until a write is told, it may have been in that unit, however late it is told.
  const bool is_same = n.fingerprinted && n.stamp == content_fingerprint(now);
  n.racy = is_in_last_unit(now.modified, m.file_now) || (n.racy && is_same);
  if (!n.link) {
    const std::uint32_t attributes = attribute_fingerprint(now);
    if (tell && s.opts.metadata && n.attributes != 0 && n.attributes != attributes)
      s.settle.change_attributes(id, true, m);
    n.attributes = attributes;
  }
  n.birth = birth_fingerprint(now);
  if (n.type == entry_type::directory) return;
  n.stamp = content_fingerprint(now);
  n.fingerprinted = true;
  n.touched = false;
  n.file_id = now.file_id;
}

/// The content as it was looked at now; tells it if it is another.
template <class Backend>
void settle_content(engine_state<Backend>& s, node_id id, const file_status& now, moment m) {
  node& n = s.known[id];
  const bool differs = content_differs(n, now, s.quiet_since);
  if (differs) {
    s.settle.change_content(id, m);
    if (s.known[n.parent].polled) s.recent.note(id);
  }
  remember_look(s, id, now, m, !differs);
}

/// The same of a file that a writer closed without having written. Another file may have taken the name since, and
/// the hint of that, still in the queue, is settled by the number that was known: a look at the name does not teach it.
template <class Backend>
void settle_closed(engine_state<Backend>& s, node_id id, const file_status& now, moment m) {
  const std::uint64_t file_id = s.known[id].file_id;
  if (file_id != 0 && file_id != now.file_id) return;
  if (s.known[id].touched && !s.known[id].fingerprinted) {
    const bool differs = content_differs_after_touch(s.known[id], now, m.file_now);
    // Within the tick it may be a write. The hint of that is in the queue, and if it is dropped a look has to find it.
    if (!differs && now.modified >= s.known[id].stamp) return;
    if (differs) s.settle.change_content(id, m);
    remember_look(s, id, now, m, false);
  } else {
    settle_content(s, id, now, m);
  }
  s.known[id].file_id = file_id;
}

}  // namespace hotwatch::inline v0::detail
