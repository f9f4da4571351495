// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The Windows calls, named as in the manual. Tests put a scripted system in its place. Floor 3.

#include <cstdint>
#include <string_view>
#include <type_traits>

#include "types.hpp"

// The two calls by which all others are found: so there is neither <windows.h> nor a library to link. Declared as
// <windows.h> does, which may be included before or after this.
struct HINSTANCE__;
extern "C" {
__declspec(dllimport) HINSTANCE__* __stdcall GetModuleHandleW(const wchar_t* name);
__declspec(dllimport) std::intptr_t(__stdcall* __stdcall GetProcAddress(HINSTANCE__* module, const char* name))();
}

namespace hotwatch::inline v0 {

namespace detail::windows {

/// The entry points, looked up once.
struct entry_points {
  using text = const char16_t*;
  using dword = unsigned long;  // as in <windows.h>: 32 bits
  using boolean = int;
  struct unicode_string {
    std::uint16_t length, room;
    char16_t* text;
  };
  struct object_attributes {
    dword size;
    handle directory;
    unicode_string* name;
    dword flags;
    void* security;
    void* quality;
  };
  struct io_status {
    std::uintptr_t result;
    std::uintptr_t information;
  };

  boolean(__stdcall* CloseHandle)(handle);
  dword(__stdcall* GetLastError)();
  boolean(__stdcall* DeviceIoControl)(handle, dword, void*, dword, void*, dword, dword*, overlapped*);
  boolean(__stdcall* GetFileInformationByHandle)(handle, by_handle_file_information*);
  boolean(__stdcall* GetFileInformationByHandleEx)(handle, int, void*, dword);
  dword(__stdcall* GetFinalPathNameByHandleW)(handle, char16_t*, dword, dword);
  dword(__stdcall* GetFullPathNameW)(text, dword, char16_t*, char16_t**);
  dword(__stdcall* GetLongPathNameW)(text, char16_t*, dword);
  unsigned(__stdcall* GetDriveTypeW)(text);
  int(__stdcall* CompareStringOrdinal)(text, int, text, int, boolean);
  boolean(__stdcall* ReadDirectoryChangesW)(handle, void*, dword, boolean, dword, dword*, overlapped*, void*);
  /// Windows 10, version 1709 on; else null.
  boolean(__stdcall* ReadDirectoryChangesExW)(handle, void*, dword, boolean, dword, dword*, overlapped*, void*, int);
  boolean(__stdcall* CancelIoEx)(handle, overlapped*);
  handle(__stdcall* CreateIoCompletionPort)(handle, handle, std::uintptr_t, dword);
  boolean(__stdcall* GetQueuedCompletionStatusEx)(handle, overlapped_entry*, dword, dword*, dword, boolean);
  boolean(__stdcall* PostQueuedCompletionStatus)(handle, dword, std::uintptr_t, overlapped*);
  handle(__stdcall* CreateEventW)(void*, boolean, boolean, text);
  boolean(__stdcall* SetEvent)(handle);
  boolean(__stdcall* ResetEvent)(handle);
  handle(__stdcall* CreateWaitableTimerExW)(void*, text, dword, dword);
  boolean(__stdcall* SetWaitableTimer)(handle, const std::int64_t*, long, void*, void*, boolean);
  dword(__stdcall* WaitForMultipleObjects)(dword, const handle*, boolean, dword);
  handle(__stdcall* CreateThreadpoolTimer)(void(__stdcall*)(void*, void*, void*), void*, void*);
  void(__stdcall* SetThreadpoolTimer)(handle, file_time_halves*, dword, dword);
  void(__stdcall* WaitForThreadpoolTimerCallbacks)(handle, boolean);
  void(__stdcall* CloseThreadpoolTimer)(handle);
  void(__stdcall* GetSystemTimeAsFileTime)(file_time_halves*);
  std::int32_t(__stdcall* NtCreateFile)(handle*, dword, object_attributes*, io_status*, std::int64_t*, dword, dword,
                                        dword, dword, void*, dword);
  dword(__stdcall* RtlNtStatusToDosError)(std::int32_t);

  [[nodiscard]] static const entry_points& all() {
    static const entry_points found;
    return found;
  }

 private:
  entry_points() {
    const auto find_in = [](HINSTANCE__* module) {
      return [module](const char* name, auto& call) {
        // By way of a function that is nothing in particular: g++ warns of casts between two that are.
        using any = void (*)();
        call = reinterpret_cast<std::remove_reference_t<decltype(call)>>(
            reinterpret_cast<any>(::GetProcAddress(module, name)));
      };
    };
    const auto kernel = find_in(::GetModuleHandleW(L"kernel32.dll"));
    kernel("CloseHandle", CloseHandle);
    kernel("GetLastError", GetLastError);
    kernel("DeviceIoControl", DeviceIoControl);
    kernel("GetFileInformationByHandle", GetFileInformationByHandle);
    kernel("GetFileInformationByHandleEx", GetFileInformationByHandleEx);
    kernel("GetFinalPathNameByHandleW", GetFinalPathNameByHandleW);
    kernel("GetFullPathNameW", GetFullPathNameW);
    kernel("GetLongPathNameW", GetLongPathNameW);
    kernel("GetDriveTypeW", GetDriveTypeW);
    kernel("CompareStringOrdinal", CompareStringOrdinal);
    kernel("ReadDirectoryChangesW", ReadDirectoryChangesW);
    kernel("ReadDirectoryChangesExW", ReadDirectoryChangesExW);
    kernel("CancelIoEx", CancelIoEx);
    kernel("CreateIoCompletionPort", CreateIoCompletionPort);
    kernel("GetQueuedCompletionStatusEx", GetQueuedCompletionStatusEx);
    kernel("PostQueuedCompletionStatus", PostQueuedCompletionStatus);
    kernel("CreateEventW", CreateEventW);
    kernel("SetEvent", SetEvent);
    kernel("ResetEvent", ResetEvent);
    kernel("CreateWaitableTimerExW", CreateWaitableTimerExW);
    kernel("SetWaitableTimer", SetWaitableTimer);
    kernel("WaitForMultipleObjects", WaitForMultipleObjects);
    kernel("CreateThreadpoolTimer", CreateThreadpoolTimer);
    kernel("SetThreadpoolTimer", SetThreadpoolTimer);
    kernel("WaitForThreadpoolTimerCallbacks", WaitForThreadpoolTimerCallbacks);
    kernel("CloseThreadpoolTimer", CloseThreadpoolTimer);
    kernel("GetSystemTimeAsFileTime", GetSystemTimeAsFileTime);
    const auto native = find_in(::GetModuleHandleW(L"ntdll.dll"));
    native("NtCreateFile", NtCreateFile);
    native("RtlNtStatusToDosError", RtlNtStatusToDosError);
  }
};

}  // namespace detail::windows

struct windows_system {
  using handle = detail::windows::handle;
  using text = const char16_t*;

  /// Opens `name` in `directory`, or, without one, by an NT path (\??\C:\...); an empty name is the directory itself.
  /// Everybody else may do with it as he likes. Relative to a directory there is no other call.
  detail::windows::status NtCreateFile(handle& out, std::uint32_t access, handle directory, std::u16string_view name,
                                       std::uint32_t options) const noexcept {
    constexpr unsigned long share_all = 7, open_existing = 1, ignore_case = 0x40;
    // The kernel reads the name only; its length is two bytes wide.
    if (name.size() > 0x7FFE) return 0xC0000106;  // STATUS_NAME_TOO_LONG
    detail::windows::entry_points::unicode_string path{static_cast<std::uint16_t>(2 * name.size()),
                                                       static_cast<std::uint16_t>(2 * name.size()),
                                                       const_cast<char16_t*>(name.data())};
    detail::windows::entry_points::object_attributes attributes{sizeof attributes, directory, &path,
                                                                ignore_case,       nullptr,   nullptr};
    detail::windows::entry_points::io_status result{};
    return static_cast<detail::windows::status>(call().NtCreateFile(&out, access, &attributes, &result, nullptr, 0,
                                                                    share_all, open_existing, options, nullptr, 0));
  }
  std::uint32_t RtlNtStatusToDosError(detail::windows::status s) const noexcept {
    return call().RtlNtStatusToDosError(static_cast<std::int32_t>(s));
  }
  std::uint32_t GetLastError() const noexcept { return call().GetLastError(); }
  void CloseHandle(handle h) const noexcept { call().CloseHandle(h); }

  bool GetFileInformationByHandle(handle h, detail::windows::by_handle_file_information& out) const noexcept {
    return call().GetFileInformationByHandle(h, &out) != 0;
  }
  bool GetFileInformationByHandleEx(handle h, detail::windows::file_info what, void* out,
                                    std::uint32_t size) const noexcept {
    return call().GetFileInformationByHandleEx(h, static_cast<int>(what), out, size) != 0;
  }
  /// A question without arguments.
  bool DeviceIoControl(handle h, std::uint32_t code, void* out, std::uint32_t room,
                       std::uint32_t& size) const noexcept {
    unsigned long returned = 0;
    const bool ok = call().DeviceIoControl(h, code, nullptr, 0, out, room, &returned, nullptr) != 0;
    size = static_cast<std::uint32_t>(returned);
    return ok;
  }
  std::uint32_t GetFinalPathNameByHandleW(handle h, char16_t* out, std::uint32_t room) const noexcept {
    return call().GetFinalPathNameByHandleW(h, out, room, 0);
  }
  std::uint32_t GetFullPathNameW(text path, std::uint32_t room, char16_t* out) const noexcept {
    return call().GetFullPathNameW(path, room, out, nullptr);
  }
  std::uint32_t GetLongPathNameW(text path, char16_t* out, std::uint32_t room) const noexcept {
    return call().GetLongPathNameW(path, out, room);
  }
  std::uint32_t GetDriveTypeW(text root) const noexcept { return call().GetDriveTypeW(root); }
  /// Whether two names are one where case does not count.
  bool CompareStringOrdinal(std::u16string_view a, std::u16string_view b) const noexcept {
    constexpr int equal = 2;
    return call().CompareStringOrdinal(a.data(), static_cast<int>(a.size()), b.data(), static_cast<int>(b.size()), 1) ==
           equal;
  }

  bool has_ReadDirectoryChangesExW() const noexcept { return call().ReadDirectoryChangesExW != nullptr; }
  bool ReadDirectoryChangesW(handle h, void* buffer, std::uint32_t size, bool subtree, std::uint32_t filter,
                             detail::windows::overlapped& request) const noexcept {
    return call().ReadDirectoryChangesW(h, buffer, size, subtree, filter, nullptr, &request, nullptr) != 0;
  }
  bool ReadDirectoryChangesExW(handle h, void* buffer, std::uint32_t size, bool subtree, std::uint32_t filter,
                               detail::windows::overlapped& request) const noexcept {
    constexpr int extended_information = 2;
    return call().ReadDirectoryChangesExW(h, buffer, size, subtree, filter, nullptr, &request, nullptr,
                                          extended_information) != 0;
  }
  bool CancelIoEx(handle h, detail::windows::overlapped& request) const noexcept {
    return call().CancelIoEx(h, &request) != 0;
  }

  /// A new port, or with `file` the same port: what is asked of `file` from now on is answered there.
  handle CreateIoCompletionPort(handle file, handle port, std::uintptr_t key) const noexcept {
    return call().CreateIoCompletionPort(file, port, key, 1);
  }
  bool GetQueuedCompletionStatusEx(handle port, detail::windows::overlapped_entry* out, std::uint32_t room,
                                   std::uint32_t& count, std::uint32_t milliseconds) const noexcept {
    unsigned long removed = 0;
    const bool any = call().GetQueuedCompletionStatusEx(port, out, room, &removed, milliseconds, 0) != 0;
    count = any ? static_cast<std::uint32_t>(removed) : 0;
    return any;
  }
  bool PostQueuedCompletionStatus(handle port, std::uintptr_t key) const noexcept {
    return call().PostQueuedCompletionStatus(port, 0, key, nullptr) != 0;
  }

  /// Stays set until it is reset.
  handle CreateEventW() const noexcept { return call().CreateEventW(nullptr, 1, 0, nullptr); }
  void SetEvent(handle event) const noexcept { call().SetEvent(event); }
  void ResetEvent(handle event) const noexcept { call().ResetEvent(event); }
  handle CreateWaitableTimerExW(std::uint32_t flags) const noexcept {
    constexpr unsigned long all_access = 0x1F0003;
    return call().CreateWaitableTimerExW(nullptr, nullptr, flags, all_access);
  }
  /// Negative: so many times 100 ns from now.
  bool SetWaitableTimer(handle timer, std::int64_t due) const noexcept {
    return call().SetWaitableTimer(timer, &due, 0, nullptr, nullptr, 0) != 0;
  }
  /// Returns the number of the first that is set, or WAIT_TIMEOUT.
  std::uint32_t WaitForMultipleObjects(std::uint32_t count, const handle* handles,
                                       std::uint32_t milliseconds) const noexcept {
    return call().WaitForMultipleObjects(count, handles, 0, milliseconds);
  }
  /// Sets the event, on a thread of the system's, when the time comes.
  handle CreateThreadpoolTimer(handle event) const noexcept {
    return call().CreateThreadpoolTimer(set_event, event, nullptr);
  }
  /// `due` as for SetWaitableTimer; 0: never.
  void SetThreadpoolTimer(handle timer, std::int64_t due) const noexcept {
    detail::windows::file_time_halves halves{static_cast<std::uint32_t>(due & 0xFFFFFFFF),
                                             static_cast<std::uint32_t>(static_cast<std::uint64_t>(due) >> 32)};
    call().SetThreadpoolTimer(timer, due == 0 ? nullptr : &halves, 0, 0);
  }
  /// When it returns the event is not set by this timer any more.
  void CloseThreadpoolTimer(handle timer) const noexcept {
    call().SetThreadpoolTimer(timer, nullptr, 0, 0);
    call().WaitForThreadpoolTimerCallbacks(timer, 1);
    call().CloseThreadpoolTimer(timer);
  }

  void GetSystemTimeAsFileTime(detail::windows::file_time_halves& out) const noexcept {
    call().GetSystemTimeAsFileTime(&out);
  }

 private:
  static const detail::windows::entry_points& call() noexcept { return detail::windows::entry_points::all(); }
  static void __stdcall set_event(void*, void* event, void*) noexcept { call().SetEvent(event); }
};

}  // namespace hotwatch::inline v0
