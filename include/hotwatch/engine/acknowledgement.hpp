// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// "I wrote this myself": what is on disk at a path counts as told. Floor 5.

#include <cstdint>
#include <string_view>
#include <vector>

#include "lookup.hpp"
#include "root_keeper.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class acknowledgement {
 public:
  acknowledgement(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan,
                  root_keeper<Backend>& roots) noexcept
      : s_(state), lookup_(lookup), scan_(scan), roots_(roots) {}

  void take(std::string_view path, moment m) {
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    for (std::uint32_t i = 0; i < s_.roots.size(); ++i) {
      if (!s_.roots[i].alive) continue;
      const root_label& label = s_.labels[i];
      if (path == label.given) {
        settle_below(s_.roots[i].node, {}, m);
      } else if (!label.is_file && path.starts_with(label.given) && path.size() > label.below() &&
                 path[label.below() - 1] == '/') {
        take_way(s_.roots[i].node, path.substr(label.below()), m);
      }
    }
  }

 private:
  void take_way(node_id parent, std::string_view way, moment m) {
    for (std::size_t slash = way.find('/'); slash != std::string_view::npos; slash = way.find('/')) {
      const node_id below = s_.known.find(parent, way.substr(0, slash));
      if (below == no_node) {  // made by the user together with what is in it
        way = way.substr(0, slash);
        break;
      }
      parent = below;
      way.remove_prefix(slash + 1);
    }
    settle_below(parent, way, m);
  }

  // What is at `name` in this directory, and below it; with no name, all that is in it.
  void settle_below(node_id parent, std::string_view name, moment m) {
    if (s_.known[parent].type != entry_type::directory || !s_.known[parent].in_tree) return;
    // A path may be acknowledged before the kernel's word is out: a look says what is there.
    if (s_.root_of(parent).is_file)
      roots_.rescan(s_.known[parent].attributes, {}, m);
    else
      (void)scan_.scan(parent, {}, m);
    for (const record& r : s_.told.records()) {
      if (r.node == no_node) continue;
      const ends e{r.node, stands_below(r.node, parent, name, view::told),
                   stands_below(r.node, parent, name, view::known)};
      if (e.was_here || e.is_here) acknowledged_.push_back(e);
    }
    for (const ends& e : acknowledged_) settle(e, m);
    acknowledged_.clear();
    lookup_.close();
  }

  /// Found out for all before anything is settled: that takes away nodes through which others stand there.
  struct ends {
    node_id node;
    bool was_here;  ///< told to be at the path, or below it
    bool is_here;
  };

  // Of a rename into or out of what is acknowledged the other end is still to be told.
  void settle(const ends& e, moment m) {
    const record& r = *s_.told.find(e.node);
    const node& n = s_.known[e.node];
    const bool moved = r.told && n.in_tree && s_.told.has_moved(r);  // itself, not a directory above it
    if (n.in_tree && !e.is_here) {
      if (moved) count_as_new(e.node, m);
      return;
    }
    if (moved && !e.was_here) {
      // A directory is told as renamed all the same: what is below it has no records of its own.
      if (n.type == entry_type::directory) return;
      (void)s_.told.leave_ghost(e.node);
    }
    if (s_.known[e.node].in_tree) see_as_it_is(e.node, m);
    s_.told.settle(e.node);
  }

  // It left what is acknowledged, with all that is in it.
  void count_as_new(node_id top, moment m) {
    for (node_id id = top; id != no_node; id = s_.known.next(id, top))
      s_.told.release_told_name(s_.told.remember(id, m.now));
  }

  [[nodiscard]] bool stands_below(node_id id, node_id parent, std::string_view name, view v) const noexcept {
    if (v == view::known && !s_.known[id].in_tree) return false;
    if (v == view::told && !s_.told.find(id)->told) return false;
    for (auto place = s_.paths.place_of(id, v); place.parent != no_node; place = s_.paths.place_of(place.parent, v))
      if (place.parent == parent && (name.empty() || s_.known.names().view(place.name) == name)) return true;
    return false;
  }

  void see_as_it_is(node_id id, moment m) {
    file_status status;
    node& n = s_.known[id];
    if (n.type == entry_type::directory || lookup_.look(n.parent, s_.known.name(id), status) ||
        status.type == entry_type::directory)
      return;
    n.type = status.type;
    scan_.remember_look(id, status, m, false);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  root_keeper<Backend>& roots_;
  std::vector<ends> acknowledged_;
};

}  // namespace hotwatch::inline v0::detail
