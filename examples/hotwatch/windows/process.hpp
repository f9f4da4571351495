// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the program has to do with the system it runs on: its outputs, its arguments, and what ends it.

#ifndef NOMINMAX
#define NOMINMAX
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN  // what it leaves out has a global `byte`
#endif
#include <windows.h>
//
#include <shellapi.h>

#include <hotwatch.hpp>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

inline constexpr DWORD standard_output = STD_OUTPUT_HANDLE, standard_error = STD_ERROR_HANDLE;

template <class Watcher>
Watcher* running = nullptr;

/// False when nobody reads `output` any more; throws when it cannot be written for another reason.
inline bool write_all(DWORD output, std::string_view text) {
  while (!text.empty()) {
    DWORD written = 0;
    if (::WriteFile(::GetStdHandle(output), text.data(), static_cast<DWORD>(text.size()), &written, nullptr) == 0) {
      const DWORD why = ::GetLastError();
      if (why == ERROR_BROKEN_PIPE || why == ERROR_NO_DATA) return false;
      throw std::system_error(static_cast<int>(why), std::system_category(), "writing");
    }
    text.remove_prefix(written);
  }
  return true;
}

/// Ctrl-C, Ctrl-Break and the closing of the console stop the watcher for as long as this object lives.
template <class Watcher>
class stop_on_signals {
 public:
  explicit stop_on_signals(Watcher& watcher) {
    running<Watcher> = &watcher;
    ::SetConsoleCtrlHandler(stop, TRUE);
  }
  ~stop_on_signals() { ::SetConsoleCtrlHandler(stop, FALSE); }
  stop_on_signals(const stop_on_signals&) = delete;
  stop_on_signals& operator=(const stop_on_signals&) = delete;

 private:
  static BOOL WINAPI stop(DWORD) {
    running<Watcher>->stop();
    return TRUE;
  }
};

/// The arguments of main() are in the code page of the day, in which not every name can be written.
inline std::vector<std::string> arguments_as_they_were(int, char**) {
  int count = 0;
  wchar_t** const wide = ::CommandLineToArgvW(::GetCommandLineW(), &count);
  std::vector<std::string> all;
  for (int i = 0; i < count; ++i) {
    const std::wstring_view word(wide[i]);
    std::string& text = all.emplace_back();
    hotwatch::detail::append_wtf8(std::u16string(word.begin(), word.end()), text);
  }
  ::LocalFree(wide);
  return all;
}
