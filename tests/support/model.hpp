// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A user who believes every change: the listing that the changes are applied to, and the facts that each must state.

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "files.hpp"
#include "hotwatch/change.hpp"

namespace hotwatch::test {

/// "renamed a -> b", with the type and the `modified` mark, for messages.
inline std::string describe(const change& c) {
  std::string text(to_string(c.kind));
  text += ' ';
  if (c.kind == change_kind::renamed) text.append(c.old_path).append(" -> ");
  text.append(c.path).append(" (").append(to_string(c.type));
  if (c.modified) text += ", modified";
  return text += ')';
}

/// True for a path that is strictly below a directory.
inline bool is_below(std::string_view path, std::string_view directory) {
  return path.size() > directory.size() && path.substr(0, directory.size()) == directory &&
         path[directory.size()] == '/';
}

/// Moves all that is below `from` in a map by path to below `to`; both may be keys themselves.
template <class Value>
void move_subtree(std::map<std::string, Value, std::less<>>& map, std::string_view from, std::string_view to) {
  std::vector<std::pair<std::string, Value>> moved;
  for (auto it = map.lower_bound(from); it != map.end() && it->first.compare(0, from.size(), from) == 0;) {
    if (it->first.size() == from.size() || it->first[from.size()] == '/') {
      moved.emplace_back(std::string(to) + it->first.substr(from.size()), std::move(it->second));
      it = map.erase(it);
    } else {
      ++it;
    }
  }
  for (auto& [path, value] : moved) map.insert_or_assign(std::move(path), std::move(value));
}

/// What for_each() visits.
inline listing known(auto& watcher) {
  listing out;
  watcher.for_each([&](std::string_view path, entry_type type) { out.emplace(std::string(path), type); });
  return out;
}

class model {
 public:
  /// `roots` are the paths given to add(); without `whole` (filters hide directories) parents are not asked for.
  explicit model(std::vector<std::string> roots, bool whole = true) : roots_(std::move(roots)), whole_(whole) {}

  [[nodiscard]] const listing& entries() const { return entries_; }
  void start_from(listing entries) { entries_ = std::move(entries); }

  /// Applies one change; the text says which fact was wrong, and is empty when all is well.
  std::string apply(const change& c) {
    if (c.path.empty()) return "a change without a path: " + describe(c);
    switch (c.kind) {
      case change_kind::created:
        if (has(c.path)) return wrong(c, "was there already");
        if (!parent_is_there(c.path)) return wrong(c, "its parent directory is not there");
        if (c.type == entry_type::unknown) return wrong(c, "has no type");
        entries_.emplace(std::string(c.path), c.type);
        return {};
      case change_kind::removed:
        if (!has(c.path)) return wrong(c, "was not there");
        if (has_children(c.path)) return wrong(c, "is a directory that is not empty");
        if (c.type != type_at(c.path)) return wrong(c, "was of another type");
        entries_.erase(entries_.find(c.path));
        return {};
      case change_kind::modified:
        if (c.type == entry_type::directory) return wrong(c, "a directory is never modified");
        [[fallthrough]];
      case change_kind::metadata:
        if (!has(c.path)) return wrong(c, "was not there");
        if (c.type != type_at(c.path)) return wrong(c, "was of another type");
        return {};
      case change_kind::renamed: return rename(c);
    }
    return wrong(c, "is of no kind");
  }

  static bool is_below(std::string_view path, std::string_view directory) {
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
  }

  /// Applies a whole batch, and holds it to "at most one change a path" (a type change is removed, then made anew).
  std::string apply(const batch& b) {
    std::map<std::string_view, change_kind> seen;
    for (const change& c : b) {
      if (auto error = apply(c); !error.empty()) return error + "\nin the batch:\n" + text(b);
      // A renamed directory takes its paths along: what was told of them before was told of others.
      if (c.kind == change_kind::renamed && c.type == entry_type::directory)
        std::erase_if(seen, [&](const auto& s) { return is_below(s.first, c.path) || is_below(s.first, c.old_path); });
      const auto [it, is_new] = seen.emplace(c.path, c.kind);
      const bool replaced =
          it->second == change_kind::removed && (c.kind == change_kind::created || c.kind == change_kind::renamed);
      if (!is_new && !replaced) return wrong(c, "is told twice in one batch") + ":\n" + text(b);
      it->second = c.kind;
    }
    return {};
  }

  /// Compares with what is on disk; names that begin as a sentinel does are left out.
  [[nodiscard]] std::string difference(const listing& disk) const {
    std::string text;
    for (const auto& [path, type] : disk) {
      const auto it = entries_.find(path);
      if (it == entries_.end()) {
        if (path.find("/sentinel-") == std::string::npos) text += "on disk, never told: " + path + '\n';
      } else if (it->second != type) {
        text.append(path).append(": told ").append(to_string(it->second)).append(", is ").append(to_string(type)) +=
            '\n';
      }
    }
    for (const auto& [path, type] : entries_)
      if (!disk.contains(path)) text.append("told, not on disk: ").append(path) += '\n';
    return text;
  }

  static std::string text(const batch& b) {
    std::string text;
    for (const change& c : b) text.append("  ").append(describe(c)) += '\n';
    for (const notice& n : b.notices())
      text.append("  notice ")
          .append(to_string(n.kind))
          .append(" ")
          .append(n.path)
          .append(" ")
          .append(n.error.message()) += '\n';
    return text;
  }

 private:
  std::string rename(const change& c) {
    if (!has(c.old_path)) return wrong(c, "the old path was not there");
    if (c.type != type_at(c.old_path)) return wrong(c, "was of another type");
    if (c.old_path == c.path || is_below(c.path, c.old_path)) return wrong(c, "moves into itself");
    if (!parent_is_there(c.path)) return wrong(c, "its new parent directory is not there");
    if (const auto it = entries_.find(c.path); it != entries_.end()) {
      const bool was_directory = it->second == entry_type::directory;
      if (was_directory != (c.type == entry_type::directory)) return wrong(c, "replaces a directory by a file, or so");
      if (has_children(c.path)) return wrong(c, "replaces a directory that is not empty");
      entries_.erase(it);
    }
    move_subtree(entries_, c.old_path, c.path);
    return {};
  }
  static std::string wrong(const change& c, std::string_view why) {
    return "'" + describe(c) + "': " + std::string(why);
  }
  [[nodiscard]] bool has(std::string_view path) const { return entries_.find(path) != entries_.end(); }
  [[nodiscard]] entry_type type_at(std::string_view path) const { return entries_.find(path)->second; }
  [[nodiscard]] bool has_children(std::string_view path) const {
    const std::string prefix = std::string(path) + '/';
    const auto it = entries_.lower_bound(prefix);
    return it != entries_.end() && is_below(it->first, path);
  }
  [[nodiscard]] bool parent_is_there(std::string_view path) const {
    if (!whole_ || std::find(roots_.begin(), roots_.end(), path) != roots_.end()) return true;
    const std::string_view parent = path.substr(0, path.rfind('/'));
    if (std::find(roots_.begin(), roots_.end(), parent) != roots_.end()) return true;
    const auto it = entries_.find(parent);
    return it != entries_.end() && it->second == entry_type::directory;
  }

  std::vector<std::string> roots_;
  bool whole_;
  listing entries_;
};

}  // namespace hotwatch::test
