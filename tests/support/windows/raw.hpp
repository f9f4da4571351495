// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Operations on the disk: Windows calls, and nothing between. Paths are hotwatch's: WTF-8 with slashes.

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>

#include "hotwatch/change.hpp"
#include "hotwatch/os/native.hpp"

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN  // what it leaves out has a global `byte`
#endif
#include <windows.h>

namespace hotwatch::test {

using listing = std::map<std::string, entry_type, std::less<>>;

/// Shell-like operations: true when it worked, else GetLastError() says why not.
namespace raw {

inline std::error_code last_error() { return {static_cast<int>(::GetLastError()), std::system_category()}; }
inline std::wstring wide(const std::string& path) { return native(path); }

inline bool put(const std::string& path, DWORD disposition, DWORD access, std::string_view text) {
  const HANDLE file = ::CreateFileW(wide(path).c_str(), access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                                    nullptr, disposition, 0, nullptr);
  if (file == INVALID_HANDLE_VALUE) return false;
  DWORD written = 0;
  const bool ok = text.empty() || ::WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
  return ::CloseHandle(file) && ok;
}

/// What `echo text > path` does.
inline bool write(const std::string& path, std::string_view text) {
  return put(path, CREATE_ALWAYS, GENERIC_WRITE, text);
}
inline bool append(const std::string& path, std::string_view text) {
  return put(path, OPEN_ALWAYS, FILE_APPEND_DATA, text);
}
inline bool make_file(const std::string& path) { return put(path, CREATE_NEW, GENERIC_WRITE, ""); }
inline bool truncate(const std::string& path, off_t size) {
  const HANDLE file = ::CreateFileW(wide(path).c_str(), GENERIC_WRITE, 7, nullptr, OPEN_EXISTING, 0, nullptr);
  LARGE_INTEGER end{};
  end.QuadPart = size;
  const bool ok = ::SetFilePointerEx(file, end, nullptr, FILE_BEGIN) && ::SetEndOfFile(file);
  return ::CloseHandle(file) && ok;
}
inline bool touch(const std::string& path) {
  const HANDLE file = ::CreateFileW(wide(path).c_str(), FILE_WRITE_ATTRIBUTES, 7, nullptr, OPEN_ALWAYS,
                                    FILE_FLAG_BACKUP_SEMANTICS, nullptr);
  FILETIME now{};
  ::GetSystemTimeAsFileTime(&now);
  const bool ok = ::SetFileTime(file, nullptr, nullptr, &now);
  return ::CloseHandle(file) && ok;
}
inline bool rename(const std::string& from, const std::string& to) {
  return ::MoveFileExW(wide(from).c_str(), wide(to).c_str(), MOVEFILE_REPLACE_EXISTING);
}
/// There is no such call.
inline bool exchange(const std::string&, const std::string&) {
  ::SetLastError(ERROR_NOT_SUPPORTED);
  return false;
}
inline bool link(const std::string& old_name, const std::string& name) {
  return ::CreateHardLinkW(wide(name).c_str(), wide(old_name).c_str(), nullptr);
}
/// Asks for a right that few have, and Wine has none.
inline constexpr bool has_symlinks = false;
inline bool is_wine() { return ::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr; }
/// Why something of the contract cannot be had of the native backend here; nullptr where it can.
namespace gap {
inline const char* root_removal() {
  return is_wine() ? "Wine: a watched directory that is removed stays, and nobody is told" : nullptr;
}
inline const char* moves_between_roots() {
  return is_wine() ? "Wine: no ReadDirectoryChangesExW, so the records have no file numbers" : nullptr;
}
inline const char* closing() { return "Windows: nobody is told that a writer has closed"; }
}  // namespace gap
/// What is wrong with a path through a file: Windows does not say that it is one.
inline constexpr std::errc below_a_file = std::errc::no_such_file_or_directory;
inline bool is_link(const std::string& path) {
  const DWORD attributes = ::GetFileAttributesW(wide(path).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
}
inline bool symlink(const std::string& target, const std::string& name) {
  const DWORD attributes = ::GetFileAttributesW(wide(target).c_str());
  const bool is_directory = attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
  constexpr DWORD allow_unprivileged = 2;
  // Wine says that it did, and did nothing.
  return ::CreateSymbolicLinkW(wide(name).c_str(), wide(target).c_str(),
                               allow_unprivileged | (is_directory ? 1u : 0u)) &&
         is_link(name);
}
/// What anybody may make: a link to a directory, by its whole path.
inline bool junction(const std::string& target, const std::string& name) {
  if (!::CreateDirectoryW(wide(name).c_str(), nullptr)) return false;
  const HANDLE link = ::CreateFileW(wide(name).c_str(), GENERIC_WRITE, 7, nullptr, OPEN_EXISTING,
                                    FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr);
  const std::wstring to = L"\\??\\" + wide(target);
  // REPARSE_DATA_BUFFER of a mount point, with an empty name to print.
  struct {
    DWORD tag = 0xA0000003;
    WORD size = 0, reserved = 0;
    WORD name_at = 0, name_size = 0, print_at = 0, print_size = 0;
    wchar_t text[MAX_PATH] = L"";
  } data;
  data.name_size = static_cast<WORD>(2 * to.size());
  data.print_at = static_cast<WORD>(data.name_size + 2);
  data.size = static_cast<WORD>(8 + data.print_at + 2);
  to.copy(data.text, MAX_PATH - 2);
  constexpr DWORD set_reparse_point = 0x900A4;
  DWORD returned = 0;
  const bool ok = ::DeviceIoControl(link, set_reparse_point, &data, 8u + data.size, nullptr, 0, &returned, nullptr);
  ::CloseHandle(link);
  if (!ok) ::RemoveDirectoryW(wide(name).c_str());
  return ok;
}
inline bool mkdir(const std::string& path) { return ::CreateDirectoryW(wide(path).c_str(), nullptr); }
inline bool exists(const std::string& path) {
  return ::GetFileAttributesW(wide(path).c_str()) != INVALID_FILE_ATTRIBUTES;
}
inline bool mkdir_p(const std::string& path) {
  for (std::size_t slash = path.find('/', 3); slash != std::string::npos; slash = path.find('/', slash + 1))
    if (!mkdir(path.substr(0, slash)) && !exists(path.substr(0, slash))) return false;
  return mkdir(path) || exists(path);
}
inline bool rm(const std::string& path) { return ::DeleteFileW(wide(path).c_str()); }
inline bool rmdir(const std::string& path) { return ::RemoveDirectoryW(wide(path).c_str()); }
/// Of the permissions there is only one: to write.
inline bool chmod(const std::string& path, mode_t mode) {
  return ::SetFileAttributesW(wide(path).c_str(), (mode & 0200) != 0 ? FILE_ATTRIBUTE_NORMAL : FILE_ATTRIBUTE_READONLY);
}

/// Calls visit(name, attributes) for each entry but "." and "..".
template <class Visit>
void for_each_entry(const std::string& directory, Visit visit) {
  WIN32_FIND_DATAW found{};
  const HANDLE search = ::FindFirstFileW(wide(directory + "/*").c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) return;
  do {
    const std::string name = detail::os::text_of(std::wstring_view(found.cFileName));
    if (name != "." && name != "..") visit(name, found.dwFileAttributes);
  } while (::FindNextFileW(search, &found));
  ::FindClose(search);
}

inline bool rm_rf(const std::string& path) {
  const DWORD attributes = ::GetFileAttributesW(wide(path).c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) return true;
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0) return rm(path);
  if ((attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) return rmdir(path);  // the link, and not what it leads to
  for_each_entry(path, [&](const std::string& name, DWORD) { rm_rf(path + '/' + name); });
  return rmdir(path);
}

inline std::string read(const std::string& path) {
  std::string text;
  const HANDLE file = ::CreateFileW(wide(path).c_str(), GENERIC_READ, 7, nullptr, OPEN_EXISTING, 0, nullptr);
  if (file == INVALID_HANDLE_VALUE) return text;
  char buffer[4096];
  for (DWORD n = 0; ::ReadFile(file, buffer, sizeof buffer, &n, nullptr) && n != 0;) text.append(buffer, n);
  ::CloseHandle(file);
  return text;
}

/// Whether a native_handle() is ready within the time.
inline bool becomes_ready(HANDLE handle, std::chrono::milliseconds longest) {
  return ::WaitForSingleObject(handle, static_cast<DWORD>(longest.count())) == WAIT_OBJECT_0;
}

/// A new directory below the working directory.
inline std::string make_directory() {
  static unsigned number = 0;
  const std::string here = detail::os::text_of(std::wstring_view([] {
    wchar_t text[MAX_PATH] = L"";
    ::GetCurrentDirectoryW(MAX_PATH, text);
    return std::wstring(text);
  }()));
  for (;;) {
    std::string path =
        here + "/hotwatch-test-" + std::to_string(::GetCurrentProcessId()) + '-' + std::to_string(++number);
    if (mkdir(path)) return path;
    if (::GetLastError() != ERROR_ALREADY_EXISTS) throw std::system_error(last_error(), path);
  }
}

}  // namespace raw

/// Returns when the clock of file times has moved on, so that what was written before is surely older than what comes.
/// Its tick is 15.6 ms at most.
inline void outlive_the_tick() {
  FILETIME start{}, now{};
  constexpr ULONGLONG tick = 160'000;
  const auto value = [](const FILETIME& t) { return ULONGLONG{t.dwHighDateTime} << 32 | t.dwLowDateTime; };
  ::GetSystemTimeAsFileTime(&start);
  do ::GetSystemTimeAsFileTime(&now);
  while (value(now) <= value(start) + tick);
}

inline void list_into(listing& out, const std::string& directory, const std::string& prefix, bool recursive) {
  raw::for_each_entry(directory, [&](const std::string& name, DWORD attributes) {
    const bool is_directory = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    out.emplace(prefix + name, is_directory ? entry_type::directory : entry_type::file);
    if (recursive && is_directory) list_into(out, directory + '/' + name, prefix + name + '/', true);
  });
}

}  // namespace hotwatch::test
