// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Names by which a file is known to be half of a save: the copy that is written first and then renamed. Floor 2.

#include <cstddef>
#include <string_view>

#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// Whether the node is named after another file of its directory that has not changed (yet): "f~", "f.tmp", ".f.swp",
/// "#f#", "f___jb_tmp___". A guess, and a wrong one (an object file beside its program) costs no more than the quiet.
[[nodiscard]] inline bool awaits_its_rename(const tree& known, node_id id) noexcept {
  const node& n = known[id];
  std::string_view name = known.name(id);
  while (!name.empty() && (name.front() == '.' || name.front() == '#' || name.front() == '~')) name.remove_prefix(1);
  const auto is_word = [](char c) {  // the bytes of a longer UTF-8 character too
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80) != 0;
  };
  for (std::size_t end = 1; end <= name.size(); ++end) {
    if (end < name.size() && is_word(name[end])) continue;
    const node_id sibling = known.find(n.parent, name.substr(0, end));
    if (sibling == no_node || sibling == id || known[sibling].type == entry_type::directory) continue;
    if (known[sibling].record == 0) return true;  // else it is the backup of what is told with it
  }
  return false;
}

}  // namespace hotwatch::inline v0::detail
