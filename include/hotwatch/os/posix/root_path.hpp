// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The way to a root, step by step: each directory and symlink on which it depends. Floor 3.

#include <sys/types.h>

#include <string>
#include <string_view>

#include "../../core/stamp.hpp"

namespace hotwatch::inline v0::detail {

/// What stands at one step of the way to a root.
enum class path_step : unsigned char {
  directory,  ///< it leads on
  symlink,    ///< it leads elsewhere
  missing,    ///< the way ends here: the name is not there, or is a file
};

/// Calls visit(step, path) for each step of the absolute `path`, symlinks resolved as the kernel does (40 at most).
/// Directory::look() looks at them. What the path leads to in the end is not visited, but returned, free of symlinks;
/// empty when there is nothing.
template <class Directory, class System, class Visit>
std::string walk_root_path(System& system, std::string_view path, Visit&& visit) {
  std::string way = "/";  // what is resolved so far
  std::string rest(path);
  int links = 0;
  const auto type_of_way = [&] {
    file_status status;
    return Directory::look(system, way.c_str(), status) ? entry_type::unknown : status.type;
  };
  for (std::size_t at = 0; at < rest.size();) {
    const std::size_t slash = rest.find('/', at);
    const std::string name = rest.substr(at, slash == std::string::npos ? slash : slash - at);
    at = slash == std::string::npos ? rest.size() : slash + 1;
    if (name.empty() || name == ".") continue;
    const std::string above = way;
    if (name == "..") {
      way.erase(way.rfind('/'));
      if (way.empty()) way = "/";
      continue;
    }
    if (way.back() != '/') way += '/';
    way += name;
    entry_type type = type_of_way();
    if (type == entry_type::unknown) {
      visit(path_step::missing, way);
      type = type_of_way();  // it may have come before it was watched for
      if (type == entry_type::unknown) return {};
    }
    visit(path_step::directory, above);
    if (type != entry_type::directory &&
        type != entry_type::symlink) {  // a directory may come in the place of this file
      visit(path_step::missing, way);
      return at >= rest.size() ? way : std::string();
    }
    if (type != entry_type::symlink) continue;
    visit(path_step::symlink, way);
    char target[4096];
    const ssize_t size = system.readlink(way.c_str(), target, sizeof target);
    if (size <= 0 || ++links > 40) return {};
    rest = std::string(target, static_cast<std::size_t>(size)) + "/" + rest.substr(at);
    at = 0;
    way = target[0] == '/' ? "/" : above;
  }
  return way;
}

/// The absolute path that `path` leads to, free of symlinks; empty when it leads nowhere.
template <class Directory, class System>
[[nodiscard]] std::string resolved_by_steps(System& system, const char* path) {
  return walk_root_path<Directory>(system, path, [](path_step, const std::string&) {});
}

}  // namespace hotwatch::inline v0::detail
