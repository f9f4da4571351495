// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What Windows has for a watcher: its version, the longer records, the file systems. It has no limits to raise.

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN  // what it leaves out has a global `byte`
#endif
#include <windows.h>
//
#include <cstdint>
#include <hotwatch.hpp>
#include <string>
#include <vector>

#include "../doctor/fact.hpp"

namespace doctor {

inline constexpr const char* about_machine = "";
inline constexpr const char* native_name = "windows";
inline constexpr const char* native_name_and_polling = "windows and polling";

struct machine {
  std::string kernel;
  bool has_longer_records = false;
};

[[nodiscard]] inline machine examine_machine() {
  machine m{"Windows", hotwatch::windows_system().has_ReadDirectoryChangesExW()};
  // Not GetVersionEx(): that answers what the program's manifest says it was made for.
  OSVERSIONINFOW version{};
  version.dwOSVersionInfoSize = sizeof version;
  using get_version = LONG(WINAPI*)(OSVERSIONINFOW*);
  using any = void (*)();  // g++ warns of casts between two functions that are something in particular
  const HMODULE native = ::GetModuleHandleW(L"ntdll.dll");
  const auto get = reinterpret_cast<get_version>(reinterpret_cast<any>(::GetProcAddress(native, "RtlGetVersion")));
  if (get != nullptr && get(&version) == 0)
    for (const DWORD part : {version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber})
      m.kernel += (m.kernel.back() == 's' ? ' ' : '.') + std::to_string(part);
  using wine_version = const char*(__cdecl*)();
  const auto wine = reinterpret_cast<wine_version>(reinterpret_cast<any>(::GetProcAddress(native, "wine_get_version")));
  if (wine != nullptr) m.kernel += std::string(" (Wine ") + wine() + ')';
  return m;
}

[[nodiscard]] inline std::vector<std::string> what_to_change(const machine&, std::uint64_t) { return {}; }
inline constexpr const char* how_to_keep = "";

[[nodiscard]] inline std::vector<fact> facts_of(const machine& m) {
  return {{"kernel", m.kernel},
          {"records", m.has_longer_records
                          ? "with file numbers: a move to another directory is told as one"
                          : "without file numbers: a move to another directory is told as removed and created"}};
}
[[nodiscard]] inline std::vector<number> numbers_of(const machine& m) {
  return {{"longer_records", m.has_longer_records ? 1u : 0u}};
}

/// The root of the volume that the path is on.
[[nodiscard]] inline std::wstring volume_of(const std::string& path) {
  std::wstring root(path.size() + MAX_PATH, L'\0');
  if (::GetVolumePathNameW(hotwatch::native(path).c_str(), root.data(), static_cast<DWORD>(root.size())) == 0)
    return {};
  root.resize(root.find(L'\0'));
  return root;
}

[[nodiscard]] inline std::string file_system_of(const std::string& path) {
  const HANDLE opened =
      ::CreateFileW(hotwatch::native(path).c_str(), 0, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  if (opened == INVALID_HANDLE_VALUE) return {};
  wchar_t name[MAX_PATH + 1] = L"";
  ::GetVolumeInformationByHandleW(opened, nullptr, 0, nullptr, nullptr, nullptr, name, MAX_PATH);
  ::CloseHandle(opened);
  return hotwatch::detail::os::text_of(std::wstring_view(name));
}

[[nodiscard]] inline std::vector<fact> examine_further(const std::string& path) {
  switch (::GetDriveTypeW(volume_of(path).c_str())) {
    case DRIVE_REMOTE: return {{"drive", "of another machine"}};
    case DRIVE_FIXED: return {{"drive", "fixed"}};
    case DRIVE_REMOVABLE: return {{"drive", "removable"}};
    case DRIVE_CDROM: return {{"drive", "optical"}};
    case DRIVE_RAMDISK: return {{"drive", "in memory"}};
    default: return {{"drive", "unknown"}};
  }
}

}  // namespace doctor
