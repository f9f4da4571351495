// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The watcher over fanotify, where it is permitted, and the least that can stand beside it.

#include <fcntl.h>
#include <sys/fanotify.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <hotwatch.hpp>
#include <iostream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "bench.hpp"

namespace bench {

using fanotify_watcher = hotwatch::basic_watcher<hotwatch::fanotify_backend>;

/// Whether the file system of the directory can be marked; else a word of it is printed.
inline bool has_fanotify(const std::string& directory) {
  try {
    fanotify_watcher watcher;
    watcher.add(directory);
    const hotwatch::batch& batch = watcher.flush();
    if (batch.notices().empty()) return true;
    std::cout << "\nwithout fanotify: " << batch.notices()[0].error.message() << '\n';
  } catch (const std::system_error& e) {
    std::cout << "\nwithout fanotify: " << e.what() << '\n';
  }
  return false;
}

/// A mark on the file system, and a blocking read() loop that knows one directory, by its handle. It looks at the first
/// record of each event, which has the handle of the directory and the name.
class bare_fanotify {
 public:
  explicit bare_fanotify(const std::string& directory) {
    constexpr unsigned flags = FAN_CLOEXEC | FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | 0x1000;
    constexpr std::uint64_t mask =
        FAN_CREATE | FAN_DELETE | 0x10000000 | FAN_MODIFY | FAN_CLOSE_WRITE | FAN_ATTRIB | FAN_ONDIR;
    fd_ = check(::fanotify_init(flags, O_RDONLY), "fanotify_init");
    check(::fanotify_mark(fd_, FAN_MARK_ADD | FAN_MARK_FILESYSTEM, mask, AT_FDCWD, directory.c_str()), "fanotify_mark");
    alignas(::file_handle) std::array<char, sizeof(::file_handle) + MAX_HANDLE_SZ> bytes{};
    auto* const handle = reinterpret_cast<::file_handle*>(bytes.data());
    handle->handle_bytes = MAX_HANDLE_SZ;
    int mount = 0;
    check(::name_to_handle_at(AT_FDCWD, directory.c_str(), handle, &mount, 0), "name_to_handle_at");
    handle_.assign(bytes.data() + sizeof(::file_handle), handle->handle_bytes);
  }
  bare_fanotify(const bare_fanotify&) = delete;
  bare_fanotify& operator=(const bare_fanotify&) = delete;
  ~bare_fanotify() { ::close(fd_); }

  /// Blocks, and calls fn(mask, name) for each event in the directory.
  template <class Fn>
  void read(Fn fn) {
    const ssize_t size = ::read(fd_, buffer_.data(), buffer_.size());
    for (ssize_t at = 0; at < size;) {
      const auto* event = reinterpret_cast<const fanotify_event_metadata*>(buffer_.data() + at);
      const auto* info = reinterpret_cast<const fanotify_event_info_fid*>(event + 1);
      const auto* handle = reinterpret_cast<const ::file_handle*>(info->handle);
      const char* const bytes = reinterpret_cast<const char*>(handle + 1);
      at += event->event_len;
      if (event->event_len <= sizeof *event || std::string_view(bytes, handle->handle_bytes) != handle_) continue;
      fn(event->mask, std::string_view(bytes + handle->handle_bytes));
    }
  }

 private:
  int fd_;
  std::string handle_;
  std::vector<char> buffer_ = std::vector<char>(64 * 1024);
};

}  // namespace bench
