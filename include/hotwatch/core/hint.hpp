// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a backend says: something may have happened to this name. Floor 2.

#include <cstdint>
#include <string_view>

#include "../change.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

enum class hint_kind : std::uint8_t {
  appeared,        ///< the name was made, or linked
  vanished,        ///< the name was removed
  moved_from,      ///< the name left; its other half carries the same pair
  moved_to,        ///< the name came; its other half, if there is one, carries the same pair
  written,         ///< content was written, and the writer may go on
  completed,       ///< a writer closed
  attributes,      ///< permissions, owner, times or the number of links
  own_attributes,  ///< those of this directory itself, where nothing says so of its name in the directory above
  came_or_went,    ///< the name was made and removed, in whatever order: what is there now has to be looked at
  look_again,      ///< anything may have happened in and below this directory
  look_at_new,     ///< the name was made, and more may have happened to it: what, only a look tells
  look_at_known,   ///< the name was written or has other attributes: what, only a look tells
  look_at_moved,   ///< the name came, left, or was elsewhere meanwhile, with all that is below it: so a look tells
  gone,            ///< the watched object itself left its place, or its file system was unmounted
  unwatched,       ///< this handle is dead: nothing more comes of it
  overflow,        ///< hints were dropped, of whatever handle
};

/// One hint. A view into the backend's buffer.
struct hint {
  hint_kind kind = hint_kind::overflow;
  /// The handle that the backend gave for a directory (or a guard); no_watch with overflow.
  std::int32_t watch = no_watch;
  /// The way below that directory, usually one name; empty: the directory itself.
  std::string_view name = {};
  /// `directory`, or `unknown` for anything else.
  entry_type type = entry_type::unknown;
  /// Joins moved_from and moved_to.
  std::uint32_t pair = 0;
  /// False: the kernel did not say whether it is a directory, and `type` is to be looked up.
  bool is_typed = true;
  /// The kernel makes one of several hints about this name, some of which may have come later than those behind it.
  bool merged = false;
  /// Of a name that is to be looked at: its content may have been written.
  bool wrote = false;
};

}  // namespace hotwatch::inline v0::detail
