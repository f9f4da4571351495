// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the user does not want to hear of, and where not even to look: include and exclude globs. Floor 2.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "../glob.hpp"

namespace hotwatch::inline v0::detail {

/// What becomes of a name.
enum class verdict : std::uint8_t {
  told,    ///< the user hears of it
  hidden,  ///< the user does not; a directory is walked all the same, for what is below it
  pruned,  ///< a directory that is neither entered nor watched
};

/// The include and exclude lists of one watcher. Immutable once made: any number of threads may ask it.
class filter {
 public:
  /// Hides nothing.
  filter() = default;

  /// Throws std::system_error (errc::malformed_glob) at the first malformed pattern: what() names the list, the pattern
  /// and the column, as in `exclude "[a": column 1`.
  filter(std::span<const std::string> include, std::span<const std::string> exclude, bool ignore_case = false)
      : include_(include, ignore_case, "include"), exclude_(exclude, ignore_case, "exclude") {}

  /// `name` is the last component, `way` the whole way below the root, which may be empty unless needs_path().
  /// Exclude wins over include. That a directory above is pruned is for the caller to know: it was never entered.
  [[nodiscard]] verdict judge(std::string_view name, std::string_view way, bool is_directory) const noexcept {
    if (exclude_.matches(name, way, is_directory)) return is_directory ? verdict::pruned : verdict::hidden;
    if (include_.globs.empty() || include_.matches(name, way, is_directory)) return verdict::told;
    return verdict::hidden;
  }

  /// Whether any pattern has to see the whole way.
  [[nodiscard]] bool needs_path() const noexcept { return include_.needs_path || exclude_.needs_path; }
  /// Whether every verdict is `told`.
  [[nodiscard]] bool empty() const noexcept { return include_.globs.empty() && exclude_.globs.empty(); }

 private:
  struct list {
    std::vector<glob> globs;
    bool needs_path = false;

    list() = default;
    list(std::span<const std::string> patterns, bool ignore_case, std::string_view called) {
      globs.reserve(patterns.size());
      for (const std::string& pattern : patterns) {
        globs.emplace_back(pattern, ignore_case, called);
        needs_path = needs_path || globs.back().needs_path();
      }
    }
    [[nodiscard]] bool matches(std::string_view name, std::string_view way, bool is_directory) const noexcept {
      for (const glob& g : globs)
        if (g.needs_path() ? g.matches(way, is_directory) : g.matches_name(name, is_directory)) return true;
      return false;
    }
  };

  list include_;
  list exclude_;
};

}  // namespace hotwatch::inline v0::detail
