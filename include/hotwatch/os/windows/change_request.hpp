// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// One watched directory: its handle, and the request that always waits at it. Floor 3.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../../decode/windows.hpp"
#include "directory.hpp"
#include "error.hpp"
#include "types.hpp"

namespace hotwatch::inline v0::detail::windows {

/// What was asked for in the first call on a handle stays as it is: the kernel makes a buffer of that size then, and
/// keeps in it what happens between two calls (ReadDirectoryChangesW, "Remarks").
struct change_filter {
  std::uint32_t what;
  bool subtree;
};

/// Not LAST_ACCESS. ATTRIBUTES and SECURITY only for who wants them, and apart from the others: virus scanners and
/// indexers change those of every file, and a record does not say which it was.
inline constexpr std::uint32_t notify_names = 0x1 | 0x2, notify_content = 0x8 | 0x10 | 0x40,
                               notify_attributes = 0x4 | 0x100;

/// How a request ended.
enum class request_end : std::uint8_t { records, overflow, dead };

/// Both 0 bytes and STATUS_NOTIFY_ENUM_DIR mean that the kernel's buffer ran over. Anything else is the end of the
/// handle: it was closed (STATUS_NOTIFY_CLEANUP), the request was cancelled, the directory is being deleted
/// (STATUS_DELETE_PENDING), or its file system went.
[[nodiscard]] constexpr request_end end_of_request(status s, std::uint32_t bytes) noexcept {
  if (s == status_notify_enum_dir || (s == status_success && bytes == 0)) return request_end::overflow;
  return s == status_success ? request_end::records : request_end::dead;
}

/// The request and its buffer are the kernel's until it is completed: is_pending() must be false when this is
/// destroyed.
template <class System>
class change_request {
 public:
  /// 64 KiB is the most that a file server takes; who writes to a local disk is faster, too.
  static constexpr std::size_t buffer_size = 64 * 1024;

  /// `event` is set when the request is completed.
  change_request(System& system, change_filter filter, handle event, move_pairs& pairs)
      : system_(system),
        filter_(filter),
        decoder_(pairs, filter.what == notify_attributes ? hint_kind::attributes : hint_kind::written) {
    request_.event = event;
  }
  change_request(const change_request&) = delete;
  change_request& operator=(const change_request&) = delete;

  /// Opens the directory anew, for requests that end at the port, whichever thread made them: others end with the
  /// thread.
  [[nodiscard]] std::error_code open(const directory<System>& d, handle port) {
    std::error_code ec;
    handle_ = open_handle(system_, file_list_directory, d.get(), {}, file_directory_file, ec);
    if (!handle_) return ec;
    if (system_.CreateIoCompletionPort(handle_.get(), port, reinterpret_cast<std::uintptr_t>(this)) == nullptr)
      return last_error(system_);
    layout_ = system_.has_ReadDirectoryChangesExW() ? layout::extended : layout::plain;
    if (arm()) return {};
    // The file system has to know the longer records, too.
    if (layout_ == layout::plain) return last_error(system_);
    layout_ = layout::plain;
    return arm() ? std::error_code() : last_error(system_);
  }

  [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(handle_); }
  [[nodiscard]] bool is_pending() const noexcept { return is_pending_; }

  /// The handle is closed at once: as long as it is open, the name of a deleted directory cannot be used again. What is
  /// pending is completed yet.
  void close() noexcept {
    if (!handle_) return;
    if (is_pending_) system_.CancelIoEx(handle_.get(), request_);
    handle_.close();
  }

  /// The port has the request back. Asks again before anything is read, so that as little as possible has to wait in
  /// the kernel's buffer; give_records() reads the other of two buffers.
  [[nodiscard]] request_end take_back(status s, std::uint32_t bytes) {
    is_pending_ = false;
    const request_end end = end_of_request(s, bytes);
    filled_ = end == request_end::records ? bytes : 0;
    if (!handle_) return request_end::dead;
    std::swap(in_kernel_, to_read_);
    if (end == request_end::dead || !arm()) close();
    return end;
  }

  template <class Sink>
  std::size_t give_records(std::int32_t watch, Sink&& sink) {
    return decoder_.decode(std::span<const char>(to_read_).first(filled_), layout_, watch, sink);
  }

 private:
  [[nodiscard]] bool arm() {
    in_kernel_.resize(buffer_size);
    const auto size = static_cast<std::uint32_t>(buffer_size);
    is_pending_ = layout_ == layout::extended ? system_.ReadDirectoryChangesExW(handle_.get(), in_kernel_.data(), size,
                                                                                filter_.subtree, filter_.what, request_)
                                              : system_.ReadDirectoryChangesW(handle_.get(), in_kernel_.data(), size,
                                                                              filter_.subtree, filter_.what, request_);
    return is_pending_;
  }

  System& system_;
  change_filter filter_;
  layout layout_ = layout::plain;
  owned_handle<System> handle_;
  overlapped request_;
  std::vector<char> in_kernel_;
  std::vector<char> to_read_;
  std::size_t filled_ = 0;
  bool is_pending_ = false;
  decoder decoder_;
};

}  // namespace hotwatch::inline v0::detail::windows
