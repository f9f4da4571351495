// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// From a node to what stands at its place on disk, and whether that is surely the node. Floor 5.

#include <chrono>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "../backend.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

/// A path may lead elsewhere by the time it is followed: directories were renamed, and the hints about that are still
/// in the queue. What may only be true of this very node asks for it *surely*.
template <class Backend>
class lookup {
 public:
  using directory = typename Backend::directory;

  explicit lookup(engine_state<Backend>& state) noexcept : s_(state) {}

  /// Opens a directory of the tree, from its root, name by name.
  [[nodiscard]] directory open(node_id id, std::error_code& ec) {
    return open(id, ec, [](const directory&) {});
  }
  /// The same, and calls visit(directory) for each on the way.
  template <class Visit>
  [[nodiscard]] directory open(node_id id, std::error_code& ec, Visit&& visit) {
    chain_.clear();
    for (; s_.known[id].parent != no_node; id = s_.known[id].parent) chain_.push_back(id);
    const root& r = s_.roots[s_.known[id].attributes];
    directory d = s_.disk.open_root((r.is_file ? r.directory : r.absolute).c_str(), ec);
    if (d) visit(d);
    for (; d && !chain_.empty(); chain_.pop_back()) {
      d = open_in(d, chain_.back(), ec);
      if (d) visit(d);
    }
    return d;
  }

  /// Opens a directory of the tree in the one above it.
  [[nodiscard]] directory open_in(const directory& above, node_id id, std::error_code& ec) const {
    const std::string_view name = s_.known.name(id);
    return s_.known[id].link ? above.open_link(name, ec) : above.open_child(name, ec);
  }

  /// The same, but only from the directory that its parent's watch stands for: the parent's path may lead to another by
  /// now, in which there may be something of that name too. Then ENOENT.
  [[nodiscard]] directory open_surely(node_id id, std::error_code& ec) {
    const node_id parent = s_.known[id].parent;
    if (parent == no_node) return open(id, ec);
    const directory above = open(parent, ec);
    if (!above) return directory();
    if (is_itself(parent, above)) return open_in(above, id, ec);
    ec = std::make_error_code(std::errc::no_such_file_or_directory);
    return directory();
  }

  /// Looks at a name in a directory of the tree.
  [[nodiscard]] std::error_code look(node_id parent, std::string_view name, file_status& out) {
    std::error_code ec;
    if (open_parent_ != parent || !parent_) {
      parent_ = open(parent, ec);
      open_parent_ = parent;
    }
    const root& r = s_.root_of(parent);
    return ec ? ec : parent_.look(r.is_file ? std::string_view(r.target) : name, out);
  }

  /// The same, and whether it was this directory which was looked into: its path may lead to another by now, and the
  /// hints about that be in the queue.
  [[nodiscard]] bool look_surely(node_id parent, std::string_view name, file_status& out, std::error_code& why) {
    why = look(parent, name, out);
    std::error_code unknown;
    const bool is_sure = parent_ && is_itself(parent, parent_, unknown);
    if (!why) why = unknown;
    return is_sure;
  }

  /// What was looked at last, as its directory lists it; empty where only a listing can tell.
  [[nodiscard]] std::string spelling_of(std::string_view name) const {
    if constexpr (requires { parent_.spelling_of(name); })
      return parent_.spelling_of(name);
    else
      return {};
  }

  /// A look by path: one system call, for what may be wrong when somebody puts a symlink in the way.
  [[nodiscard]] std::error_code look_by_path(node_id parent, std::string_view name, file_status& out) {
    if (s_.root_of(parent).is_file) return look(parent, name, out);
    const std::error_code ec = s_.disk.look(path_of(parent, name).c_str(), out);
    return ec == std::errc::filename_too_long ? look(parent, name, out) : ec;
  }

  /// Whether the name is a symlink. Where nobody can tell yet, its directory is read again.
  [[nodiscard]] bool is_symlink(node_id parent, std::string_view name) {
    file_status status;
    std::error_code why;
    if (look_surely(parent, name, status, why)) return !why && status.type == entry_type::symlink;
    s_.doubts.push_back({parent, true});
    return false;
  }

  /// The absolute path of a name in a directory of the tree. Lives until the next call.
  [[nodiscard]] const std::string& path_of(node_id parent, std::string_view name) {
    path_ = s_.root_of(parent).absolute;
    if (path_.back() != '/') path_ += '/';
    s_.paths.append_way(parent, view::known, path_);
    if (path_.back() != '/') path_ += '/';
    return path_ += name;
  }

  /// Whether nothing came meanwhile about names of the directory that was looked into last: what is missing there is
  /// gone.
  [[nodiscard]] bool nothing_came() {
    s_.disk.finish_renames(parent_);
    (void)s_.disk.wait(std::chrono::nanoseconds(0));
    return s_.disk.drained();
  }

  /// Whether the directory is what the node's watch stands for: a watched one is given the same handle again.
  [[nodiscard]] bool is_itself(node_id id, const directory& d) {
    std::error_code unknown;
    return is_itself(id, d, unknown);
  }
  /// The same; `unknown` says why it could not be asked.
  [[nodiscard]] bool is_itself(node_id id, const directory& d, std::error_code& unknown) {
    const node& n = s_.known[id];
    if (n.watch == no_watch) return true;
    const watch_answer answer = s_.disk.watch(d, s_.scope_of(id));
    const std::int32_t watch = answer.watch;
    // What is watched needs no other watch: where there is none left it is another directory.
    if (watch == no_watch && answer.error != std::errc::no_space_on_device) unknown = answer.error;
    if (watch == n.watch) return true;
    if (watch != no_watch && !s_.watches.contains(watch)) s_.disk.unwatch(watch);  // it was only asked for its name
    return false;
  }

  /// Whether the node's path leads to this directory now.
  [[nodiscard]] bool leads_to(node_id id, const directory& d) {
    std::error_code ec;
    file_status here;
    file_status there;
    if (!is_placed(id)) return false;
    const directory other = open(id, ec);
    return other && !other.look({}, there) && !d.look({}, here) && here.device == there.device &&
           here.file_id == there.file_id;
  }

  /// Whether one of the directories down to the node is this one.
  [[nodiscard]] bool leads_back(node_id id, const file_status& there) {
    std::error_code ec;
    bool found = false;
    (void)open(id, ec, [&](const directory& d) {
      file_status here;
      found |= !d.look({}, here) && here.device == there.device && here.file_id == there.file_id;
    });
    return found;
  }

  /// Whether nothing above it is on its way elsewhere.
  [[nodiscard]] bool is_placed(node_id id) const noexcept {
    for (; id != no_node; id = s_.known[id].parent)
      if (!s_.known[id].in_tree) return false;
    return true;
  }

  /// No descriptor outlives a turn: it would hold the file system against unmounting.
  void close() noexcept {
    parent_ = directory();
    open_parent_ = no_node;
  }

 private:
  engine_state<Backend>& s_;
  directory parent_;
  node_id open_parent_ = no_node;
  std::vector<node_id> chain_;
  std::string path_;
};

}  // namespace hotwatch::inline v0::detail
