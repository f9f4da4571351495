// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// "I wrote this myself": what is on disk at a path counts as told. Floor 5.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "look_outcome.hpp"
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
    bool is_known = false;
    for (std::uint32_t i = 0; i < s_.roots.size(); ++i) {
      const root_label& label = s_.labels[i];
      if (!s_.roots[i].alive || s_.roots[i].is_link || !s_.known[s_.roots[i].node].in_tree) continue;
      // A path may be acknowledged before the kernel's word is out: a look says what is there.
      if (path == label.given) {
        if (label.is_file)
          roots_.rescan(i, {}, m);
        else
          (void)scan_.scan(s_.roots[i].node, {.files = late, .everywhere = late}, m);
        is_known = true;
      } else if (!label.is_file && is_at(path, label.given)) {
        is_known |= look_along(s_.roots[i].node, path.substr(label.below()), m);
      }
    }
    roots_.check_suspects(m);  // a link to a directory is acknowledged with what is in it
    if (is_known) settle_at(path, m);
    lookup_.close();
  }

 private:
  // What was written may be told only after this.
  static constexpr bool late = tells_late<Backend>;

  // Whether the path is the place itself, or below it.
  [[nodiscard]] static bool is_at(std::string_view path, std::string_view place) noexcept {
    if (!path.starts_with(place)) return false;
    return path.size() == place.size() || place.ends_with('/') || path[place.size()] == '/';
  }

  // Returns whether the directories above can be known to the user.
  [[nodiscard]] bool look_along(node_id top, std::string_view way, moment m) {
    node_id last = top;
    if (!settle_above(last, way)) return false;
    (void)scan_.scan(last, {.files = late}, m);
    const node_id itself = s_.known.find(last, way);
    if (late && itself != no_node && s_.known[itself].type == entry_type::directory && s_.is_listed(itself))
      (void)scan_.scan(itself, {.files = late, .everywhere = late}, m);
    return settle_above(last, way);  // more of it may have come to be known just now
  }

  // Who wrote something in a directory knows of the directory. Not where another was told in its place, which has to be
  // told as gone first: then all is told. Goes as far down as the way is known.
  [[nodiscard]] bool settle_above(node_id& last, std::string_view& way) {
    for (std::size_t slash = way.find('/'); slash != std::string_view::npos; slash = way.find('/')) {
      const node_id below = s_.known.find(last, way.substr(0, slash));
      if (below == no_node || s_.known[below].type != entry_type::directory) break;
      if (const record* r = s_.told.find(below); r != nullptr && !r->told) {
        if (was_told_at(last, way.substr(0, slash))) return false;
        s_.told.settle(below);
      }
      last = below;
      way.remove_prefix(slash + 1);
    }
    return true;
  }

  [[nodiscard]] bool was_told_at(node_id parent, std::string_view name) const noexcept {
    for (const record& r : s_.told.records())
      if (r.node != no_node && r.told && r.told_parent == parent && s_.known.names().view(r.told_name) == name)
        return true;
    return false;
  }

  void settle_at(std::string_view path, moment m) {
    for (const record& r : s_.told.records()) {
      if (r.node == no_node) continue;
      const ends e{r.node, r.told && stands_at(r.node, path, view::told),
                   s_.known[r.node].in_tree && stands_at(r.node, path, view::known)};
      if (e.was_here || e.is_here) acknowledged_.push_back(e);
    }
    for (const ends& e : acknowledged_) settle(e, m);
    acknowledged_.clear();
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

  [[nodiscard]] bool stands_at(node_id id, std::string_view path, view v) {
    text_.clear();
    s_.paths.append(id, v, text_);
    return is_at(text_, path);
  }

  void see_as_it_is(node_id id, moment m) {
    file_status status;
    node& n = s_.known[id];
    if (n.type == entry_type::directory || lookup_.look(n.parent, s_.known.name(id), status) ||
        status.type == entry_type::directory)
      return;
    s_.learn_type(id, status.type);
    remember_look(s_, id, status, m, false);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  root_keeper<Backend>& roots_;
  std::vector<ends> acknowledged_;
  std::string text_;
};

}  // namespace hotwatch::inline v0::detail
