// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What is mirrored is as <windows.h> has it, which may be included before.
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
//
#include <winioctl.h>
//
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <iterator>

#include "hotwatch/decode/windows.hpp"
#include "hotwatch/os/windows/change_request.hpp"
#include "hotwatch/os/windows/system.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail::windows;

static_assert(sizeof(overlapped) == sizeof(OVERLAPPED) && offsetof(overlapped, event) == offsetof(OVERLAPPED, hEvent));
static_assert(sizeof(overlapped_entry) == sizeof(OVERLAPPED_ENTRY));
static_assert(offsetof(overlapped_entry, bytes) == offsetof(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred));
static_assert(sizeof(by_handle_file_information) == sizeof(BY_HANDLE_FILE_INFORMATION));
static_assert(offsetof(by_handle_file_information, links) == offsetof(BY_HANDLE_FILE_INFORMATION, nNumberOfLinks));
static_assert(sizeof(file_basic_info) == sizeof(FILE_BASIC_INFO));
static_assert(sizeof(file_attribute_tag_info) == sizeof(FILE_ATTRIBUTE_TAG_INFO));
static_assert(sizeof(file_time_halves) == sizeof(FILETIME));
static_assert(sizeof(char16_t) == sizeof(wchar_t));

TEST(windows_layouts, a_listings_fields_are_where_they_are_read) {
  EXPECT_EQ(offsetof(FILE_ID_BOTH_DIR_INFO, FileAttributes), 56u);
  EXPECT_EQ(offsetof(FILE_ID_BOTH_DIR_INFO, FileNameLength), 60u);
  EXPECT_EQ(offsetof(FILE_ID_BOTH_DIR_INFO, EaSize), 64u);
  EXPECT_EQ(offsetof(FILE_ID_BOTH_DIR_INFO, FileId), 96u);
  EXPECT_EQ(offsetof(FILE_ID_BOTH_DIR_INFO, FileName), 104u);
  EXPECT_EQ(offsetof(FILE_NOTIFY_INFORMATION, FileName), 12u);
}

TEST(windows_layouts, the_numbers_are_windows_own) {
  constexpr struct {
    std::uint32_t ours, windows;
  } both[] = {{file_action_added, FILE_ACTION_ADDED},
              {file_action_removed, FILE_ACTION_REMOVED},
              {file_action_modified, FILE_ACTION_MODIFIED},
              {file_action_renamed_old_name, FILE_ACTION_RENAMED_OLD_NAME},
              {file_action_renamed_new_name, FILE_ACTION_RENAMED_NEW_NAME},
              {file_attribute_directory, FILE_ATTRIBUTE_DIRECTORY},
              {file_attribute_reparse_point, FILE_ATTRIBUTE_REPARSE_POINT},
              {file_attribute_readonly, FILE_ATTRIBUTE_READONLY},
              {file_attribute_hidden, FILE_ATTRIBUTE_HIDDEN},
              {file_attribute_system, FILE_ATTRIBUTE_SYSTEM},
              {file_list_directory, FILE_LIST_DIRECTORY},
              {file_read_attributes, FILE_READ_ATTRIBUTES},
              {synchronize, SYNCHRONIZE},
              {fsctl_get_reparse_point, FSCTL_GET_REPARSE_POINT},
              {error_file_not_found, ERROR_FILE_NOT_FOUND},
              {error_access_denied, ERROR_ACCESS_DENIED},
              {error_no_more_files, ERROR_NO_MORE_FILES},
              {error_not_supported, ERROR_NOT_SUPPORTED},
              {error_bad_net_path, ERROR_BAD_NETPATH},
              {error_bad_net_name, ERROR_BAD_NET_NAME},
              {error_invalid_name, ERROR_INVALID_NAME},
              {error_filename_exceeds_range, ERROR_FILENAME_EXCED_RANGE},
              {error_invalid_parameter, ERROR_INVALID_PARAMETER},
              {error_invalid_level, ERROR_INVALID_LEVEL},
              {error_directory, ERROR_DIRECTORY},
              {error_cant_resolve_filename, ERROR_CANT_RESOLVE_FILENAME},
              {notify_names, FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME},
              {notify_content, FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_LAST_WRITE | FILE_NOTIFY_CHANGE_CREATION},
              {notify_attributes, FILE_NOTIFY_CHANGE_ATTRIBUTES | FILE_NOTIFY_CHANGE_SECURITY},
              {static_cast<std::uint32_t>(file_info::basic), FileBasicInfo},
              {static_cast<std::uint32_t>(file_info::attribute_tag), FileAttributeTagInfo},
              {static_cast<std::uint32_t>(file_info::id_both_directory), FileIdBothDirectoryInfo},
              {static_cast<std::uint32_t>(file_info::id_both_directory_restart), FileIdBothDirectoryRestartInfo},
              {static_cast<std::uint32_t>(file_info::full_directory), FileFullDirectoryInfo},
              {static_cast<std::uint32_t>(file_info::full_directory_restart), FileFullDirectoryRestartInfo}};
  for (const auto& [ours, windows] : both) EXPECT_EQ(ours, windows) << &ours - &both[0].ours;
}

TEST(windows_system, every_call_is_found_but_the_one_that_may_be_missing) {
  const entry_points& found = entry_points::all();
  static_assert(sizeof(entry_points) % sizeof(void*) == 0);
  void* calls[sizeof(entry_points) / sizeof(void*)];
  std::memcpy(calls, static_cast<const void*>(&found), sizeof found);
  const auto missing = std::count(std::begin(calls), std::end(calls), nullptr);
  EXPECT_LE(missing, found.ReadDirectoryChangesExW == nullptr ? 1 : 0);
}

}  // namespace
}  // namespace hotwatch::test
