// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The types and constants of FSEvents, CoreFoundation and libdispatch that are needed, without their headers, which put
// MIN, Point and nil into whoever includes them. Floor 3.

#include <cstddef>
#include <cstdint>
#include <string>

namespace hotwatch::inline v0::detail::macos {

/// CFStringRef, CFArrayRef and the others are pointers to what only CoreFoundation knows.
using cf_ref = const void*;
using stream_ref = void*;  ///< FSEventStreamRef
using queue_ref = void*;   ///< dispatch_queue_t
using event_id = std::uint64_t;

/// kFSEventStreamEventIdSinceNow
inline constexpr event_id since_now = 0xFFFFFFFFFFFFFFFF;

/// kFSEventStreamCreateFlag...
inline constexpr std::uint32_t use_cf_types = 0x1, no_defer = 0x2, watch_root = 0x4, file_events = 0x10;

/// FSEventStreamCallback. What it is given is gone when it returns.
using stream_callback = void (*)(const void* stream, void* info, std::size_t count, void* paths,
                                 const std::uint32_t* flags, const event_id* ids);

/// kCFCompareCaseInsensitive, and kCFCompareNonliteral: composed and decomposed characters are the same.
inline constexpr unsigned long compare_case_insensitive = 1, compare_nonliteral = 16;

/// What is asked of a file system.
struct file_system {
  bool is_local = true;
  std::string type = {};
};

/// MAXPATHLEN, which F_GETPATH writes to.
inline constexpr std::size_t longest_path = 1024;

}  // namespace hotwatch::inline v0::detail::macos
