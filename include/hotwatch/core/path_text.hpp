// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Paths as text, built from the nodes only when somebody is to read them. Floor 2.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../change.hpp"
#include "ledger.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// How a root is spelled in what is told.
struct root_label {
  root_id id{};
  std::string given;  ///< as it was given to add(), without trailing slashes
  bool is_file = false;

  /// Where the way below the root begins in a path; of a single file, its name.
  [[nodiscard]] std::size_t below() const noexcept {
    if (is_file) return given.rfind('/') + 1;
    return given.size() + (given.back() == '/' ? 0 : 1);
  }
};

/// Where a node stood in what the user was told, or stands in what is known.
enum class view : std::uint8_t { told, known };

class path_text {
 public:
  path_text(const tree& known, ledger& told, const std::vector<root_label>& roots) noexcept
      : tree_(known), ledger_(told), roots_(roots) {}

  struct place {
    node_id parent;
    name_ref name;
  };

  [[nodiscard]] place place_of(node_id id, view v) const noexcept {
    if (v == view::told)
      if (const record* r = ledger_.find(id); r != nullptr && r->told) return {r->told_parent, r->told_name};
    return {tree_[id].parent, tree_[id].name};
  }

  [[nodiscard]] const root_label& root(node_id id, view v) const noexcept {
    for (place p = place_of(id, v); p.parent != no_node; p = place_of(id, v)) id = p.parent;
    return roots_[tree_[id].attributes];
  }

  /// Appends the whole path to `out`; returns its root.
  const root_label& append(node_id id, view v, std::string& out) const {
    return write(
        id, v, out, [](const root_label& root) { return root.is_file; },
        [](const root_label& root, std::string& text) {
          text += root.given;
          return root.below();
        });
  }

  /// Appends the way below the root.
  void append_way(node_id id, view v, std::string& out) const {
    write(
        id, v, out, [](const root_label&) { return false; },
        [](const root_label&, std::string&) { return std::size_t{0}; });
  }

 private:
  // Two walks up the tree: one to know the length, one to write from the end.
  template <class Whole, class Begin>
  const root_label& write(node_id id, view v, std::string& out, Whole&& is_whole, Begin&& begin) const {
    std::size_t length = 0;
    node_id top = id;
    for (place p = place_of(top, v); p.parent != no_node; p = place_of(top, v)) {
      length += tree_.names().view(p.name).size() + 1;
      top = p.parent;
    }
    const root_label& root = roots_[tree_[top].attributes];
    const std::size_t start = out.size();
    const std::size_t below = begin(root, out);
    if (length == 0 || is_whole(root)) return root;
    out.resize(start + below + length - 1, '/');
    std::size_t end = out.size();
    for (place p = place_of(id, v); p.parent != no_node; p = place_of(p.parent, v)) {
      const std::string_view name = tree_.names().view(p.name);
      end -= name.size();
      name.copy(out.data() + end, name.size());
      if (end > start + below) --end;
    }
    return root;
  }

  const tree& tree_;
  ledger& ledger_;
  const std::vector<root_label>& roots_;
};

}  // namespace hotwatch::inline v0::detail
