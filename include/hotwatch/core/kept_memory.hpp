// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// How much memory one batch leaves to the next. Floor 2.

#include <cstddef>

namespace hotwatch::inline v0::detail {

/// A buffer is filled by each batch anew and keeps its memory, so that usual batches allocate nothing. What a larger
/// batch took is given back: a checkout happens now and then, and the program goes on for months.
inline constexpr std::size_t most_kept_entries = 65'536;

/// Empties the buffer.
template <class Buffer>
void clear_for_next_batch(Buffer& buffer) noexcept {
  if (buffer.capacity() > most_kept_entries)
    Buffer().swap(buffer);
  else
    buffer.clear();
}

}  // namespace hotwatch::inline v0::detail
