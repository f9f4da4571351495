// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The structures and numbers of the Windows calls that hotwatch makes, mirrored: <windows.h> is not for what users get,
// and what stands upon these is tested on any system. Floor 3.

#include <cstddef>
#include <cstdint>

namespace hotwatch::inline v0::detail::windows {

using handle = void*;

[[nodiscard]] inline handle invalid_handle() noexcept { return reinterpret_cast<handle>(~std::uintptr_t{0}); }

/// What a call answers: 0, or GetLastError().
inline constexpr std::uint32_t error_file_not_found = 2, error_access_denied = 5, error_no_more_files = 18,
                               error_not_supported = 50, error_bad_net_path = 53, error_bad_net_name = 67,
                               error_invalid_parameter = 87, error_invalid_name = 123, error_invalid_level = 124,
                               error_filename_exceeds_range = 206, error_directory = 267,
                               error_cant_resolve_filename = 1921;

/// NTSTATUS, as NtCreateFile() answers, and as a request that was completed keeps it.
using status = std::uint32_t;
inline constexpr status status_success = 0, status_notify_cleanup = 0x10B, status_notify_enum_dir = 0x10C,
                        status_delete_pending = 0xC0000056;

inline constexpr std::uint32_t file_list_directory = 0x1, file_read_attributes = 0x80, synchronize = 0x100000;
inline constexpr std::uint32_t file_directory_file = 0x1, file_synchronous_io_nonalert = 0x20,
                               file_open_for_backup_intent = 0x4000, file_open_reparse_point = 0x200000;
inline constexpr std::uint32_t file_attribute_readonly = 0x1, file_attribute_hidden = 0x2, file_attribute_system = 0x4;

inline constexpr std::uint32_t fsctl_get_reparse_point = 0x900A8;

enum class file_info : std::uint8_t {
  basic = 0,
  attribute_tag = 9,
  id_both_directory = 10,
  id_both_directory_restart = 11,
  full_directory = 14,
  full_directory_restart = 15,
};

/// FILETIME: 100 ns since 1601, in two halves.
struct file_time_halves {
  std::uint32_t low;
  std::uint32_t high;
};

/// BY_HANDLE_FILE_INFORMATION
struct by_handle_file_information {
  std::uint32_t attributes;
  file_time_halves created;
  file_time_halves accessed;
  file_time_halves written;
  std::uint32_t volume;
  std::uint32_t size_high;
  std::uint32_t size_low;
  std::uint32_t links;
  std::uint32_t index_high;
  std::uint32_t index_low;
};
static_assert(sizeof(by_handle_file_information) == 52);

/// FILE_BASIC_INFO
struct file_basic_info {
  std::int64_t created;
  std::int64_t accessed;
  std::int64_t written;
  std::int64_t changed;
  std::uint32_t attributes;
};

/// FILE_ATTRIBUTE_TAG_INFO
struct file_attribute_tag_info {
  std::uint32_t attributes;
  std::uint32_t reparse_tag;
};

/// OVERLAPPED
struct overlapped {
  std::uintptr_t internal = 0;  ///< the NTSTATUS
  std::uintptr_t internal_high = 0;
  std::uint64_t offset = 0;
  handle event = nullptr;
};

/// OVERLAPPED_ENTRY
struct overlapped_entry {
  std::uintptr_t key;
  overlapped* request;
  std::uintptr_t internal;
  std::uint32_t bytes;
};

}  // namespace hotwatch::inline v0::detail::windows
