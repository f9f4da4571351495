// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a BSD, macOS among them, has for a watcher: the kernel, the file systems, and on macOS the paths that may be
// watched. The others have no limits to raise.

#include <sys/param.h>
#include <sys/utsname.h>
#ifdef __NetBSD__  // its statfs(2) is statvfs(2)
#include <sys/statvfs.h>
#else
#include <sys/mount.h>
#endif

#include <cstdint>
#include <hotwatch.hpp>
#include <string>
#include <vector>

#include "../doctor/fact.hpp"

namespace doctor {

inline constexpr const char* about_machine = "";
inline constexpr const char* native_name = HOTWATCH_MACOS ? "fsevents" : "polling";
inline constexpr const char* native_name_and_polling = HOTWATCH_MACOS ? "fsevents and polling" : "polling";

struct machine {
  std::string kernel;
  std::uint64_t paths = 0;  ///< that FSEvents may watch; 0: there is no FSEvents
};

[[nodiscard]] inline machine examine_machine() {
  machine m;
  ::utsname name{};
  if (::uname(&name) == 0) m.kernel = std::string(name.sysname) + ' ' + name.release;
#if HOTWATCH_MACOS
  m.paths = hotwatch::macos_system().open_files_limit() / hotwatch::detail::macos::path_ticket::files_a_path;
#endif
  return m;
}

[[nodiscard]] inline std::vector<std::string> what_to_change(const machine&, std::uint64_t) { return {}; }
inline constexpr const char* how_to_keep = "";

[[nodiscard]] inline std::vector<fact> facts_of(const machine& m) {
  std::vector<fact> facts{{"kernel", m.kernel}};
  if (HOTWATCH_MACOS)
    facts.push_back({"fsevents", std::to_string(m.paths) +
                                     " paths may be watched by a process, a twelfth of its limit of open files; "
                                     "`ulimit -n` raises it"});
  return facts;
}
[[nodiscard]] inline std::vector<number> numbers_of(const machine& m) {
  if (!HOTWATCH_MACOS) return {};
  return {{"max_paths", m.paths}};
}

/// "apfs", "ufs", "nfs".
[[nodiscard]] inline std::string file_system_of(const char* path) {
#ifdef __NetBSD__
  struct ::statvfs s {};
  return ::statvfs(path, &s) == 0 ? s.f_fstypename : "";
#else
  struct ::statfs s {};
  return ::statfs(path, &s) == 0 ? s.f_fstypename : "";
#endif
}

[[nodiscard]] inline std::vector<fact> examine_further(const std::string&) { return {}; }

}  // namespace doctor
