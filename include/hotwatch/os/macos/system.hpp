// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The calls of CoreServices, CoreFoundation and libdispatch, named as in their manuals. Tests put scripted ones in
// their place. Floor 3.

#include <fcntl.h>
#include <sys/attr.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "../bsd/system.hpp"
#include "types.hpp"

// The framework is linked without a flag: clang writes the same for a module that is imported.
__asm__(".linker_option \"-framework\", \"CoreServices\"");

namespace hotwatch::inline v0 {

namespace detail::macos {

/// The functions themselves, under names of their own: whoever includes <CoreServices/CoreServices.h> has others of
/// the same. Signatures, sizes and constants are those of the SDK of macOS 14.2, for arm64 and x86_64.
namespace symbols {

using boolean = unsigned char;
/// Declared under #pragma pack(2): 40 bytes, aligned to 2.
struct stream_context {
  long version;
  void* info;
  const void* (*retain)(const void*);
  void (*release)(const void*);
  cf_ref (*copy_description)(const void*);
} __attribute__((packed, aligned(2)));
static_assert(sizeof(stream_context) == 40 && alignof(stream_context) == 2);
static_assert(sizeof(long) == 8 && sizeof(std::size_t) == 8);

event_id current_event_id() __asm__("_FSEventsGetCurrentEventId");
stream_ref stream_create(cf_ref allocator, stream_callback, stream_context*, cf_ref paths, event_id since,
                         double latency, std::uint32_t flags) __asm__("_FSEventStreamCreate");
void stream_set_queue(stream_ref, queue_ref) __asm__("_FSEventStreamSetDispatchQueue");
boolean stream_start(stream_ref) __asm__("_FSEventStreamStart");
void stream_stop(stream_ref) __asm__("_FSEventStreamStop");
void stream_invalidate(stream_ref) __asm__("_FSEventStreamInvalidate");
void stream_release(stream_ref) __asm__("_FSEventStreamRelease");

queue_ref queue_create(const char* label, void* attributes) __asm__("_dispatch_queue_create");
void queue_sync(queue_ref, void* context, void (*work)(void*)) __asm__("_dispatch_sync_f");
void queue_release(queue_ref) __asm__("_dispatch_release");

struct array_callbacks;
extern const array_callbacks type_array_callbacks __asm__("_kCFTypeArrayCallBacks");
cf_ref array_create(cf_ref allocator, const cf_ref* values, long count,
                    const array_callbacks*) __asm__("_CFArrayCreate");
cf_ref array_at(cf_ref, long index) __asm__("_CFArrayGetValueAtIndex");
cf_ref string_create(cf_ref allocator, const unsigned char* bytes, long size, std::uint32_t encoding,
                     boolean is_external) __asm__("_CFStringCreateWithBytes");
boolean string_text(cf_ref, char* out, long room, std::uint32_t encoding) __asm__("_CFStringGetCString");
long string_compare(cf_ref, cf_ref, unsigned long options) __asm__("_CFStringCompare");
void release(cf_ref) __asm__("_CFRelease");

}  // namespace symbols

}  // namespace detail::macos

struct macos_system : bsd_system {
  using event_id = detail::macos::event_id;
  using stream_ref = detail::macos::stream_ref;
  using queue_ref = detail::macos::queue_ref;
  using cf_ref = detail::macos::cf_ref;

  /// Those that are formatted otherwise are few, and a filter that ignores the case does no harm there.
  static constexpr bool names_ignore_case = true;

  event_id FSEventsGetCurrentEventId() const noexcept { return detail::macos::symbols::current_event_id(); }
  /// `paths` is a CFArray of CFString; null when there is no memory.
  stream_ref FSEventStreamCreate(detail::macos::stream_callback callback, void* info, cf_ref paths, event_id since,
                                 double latency, std::uint32_t flags) const noexcept {
    detail::macos::symbols::stream_context context{0, info, nullptr, nullptr, nullptr};  // which is copied
    return detail::macos::symbols::stream_create(nullptr, callback, &context, paths, since, latency, flags);
  }
  void FSEventStreamSetDispatchQueue(stream_ref stream, queue_ref queue) const noexcept {
    detail::macos::symbols::stream_set_queue(stream, queue);
  }
  bool FSEventStreamStart(stream_ref stream) const noexcept {
    return detail::macos::symbols::stream_start(stream) != 0;
  }
  void FSEventStreamStop(stream_ref stream) const noexcept { detail::macos::symbols::stream_stop(stream); }
  void FSEventStreamInvalidate(stream_ref stream) const noexcept { detail::macos::symbols::stream_invalidate(stream); }
  void FSEventStreamRelease(stream_ref stream) const noexcept { detail::macos::symbols::stream_release(stream); }

  /// A serial queue.
  queue_ref dispatch_queue_create(const char* label) const noexcept {
    return detail::macos::symbols::queue_create(label, nullptr);
  }
  void dispatch_sync_f(queue_ref queue, void* context, void (*work)(void*)) const noexcept {
    detail::macos::symbols::queue_sync(queue, context, work);
  }
  void dispatch_release(queue_ref queue) const noexcept { detail::macos::symbols::queue_release(queue); }

  /// Of one value, which it retains.
  cf_ref CFArrayCreate(cf_ref value) const noexcept {
    return detail::macos::symbols::array_create(nullptr, &value, 1, &detail::macos::symbols::type_array_callbacks);
  }
  cf_ref CFArrayGetValueAtIndex(cf_ref array, std::size_t index) const noexcept {
    return detail::macos::symbols::array_at(array, static_cast<long>(index));
  }
  /// Of UTF-8; null when it is none.
  cf_ref CFStringCreateWithBytes(std::string_view text) const noexcept {
    return detail::macos::symbols::string_create(nullptr, reinterpret_cast<const unsigned char*>(text.data()),
                                                 static_cast<long>(text.size()), utf8, 0);
  }
  /// As UTF-8, with a NUL; false when there is not room enough, or a surrogate is alone.
  bool CFStringGetCString(cf_ref text, char* out, std::size_t room) const noexcept {
    return detail::macos::symbols::string_text(text, out, static_cast<long>(room), utf8) != 0;
  }
  long CFStringCompare(cf_ref a, cf_ref b, unsigned long options) const noexcept {
    return detail::macos::symbols::string_compare(a, b, options);
  }
  void CFRelease(cf_ref object) const noexcept { detail::macos::symbols::release(object); }

  /// fcntl(2), F_GETPATH.
  int fcntl_getpath(int fd, char* out) const noexcept { return ::fcntl(fd, F_GETPATH, out); }
  /// ATTR_CMN_NAME of getattrlistat(2): by which name the file is listed that is found by this one; -1 and errno.
  int name_of(int directory, const char* path, std::string& out) const {
    ::attrlist wanted{};
    wanted.bitmapcount = ATTR_BIT_MAP_COUNT;
    wanted.commonattr = ATTR_CMN_NAME;
    struct {
      std::uint32_t size;
      ::attrreference_t name;
      char text[4 * 256];  // NAME_MAX characters of UTF-8
    } answer{};
    if (::getattrlistat(directory, path, &wanted, &answer, sizeof answer, FSOPT_NOFOLLOW) != 0) return -1;
    out = reinterpret_cast<const char*>(&answer.name) + answer.name.attr_dataoffset;
    return 0;
  }
  /// The soft limit RLIMIT_NOFILE of getrlimit(2).
  std::uint64_t open_files_limit() const noexcept {
    ::rlimit limit{};
    return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 256;
  }
  /// MNT_LOCAL of fstatfs(2), and the name of the type; -1 and errno.
  int file_system_of(int fd, detail::macos::file_system& out) const noexcept {
    struct ::statfs s;
    if (::fstatfs(fd, &s) != 0) return -1;
    out.is_local = (s.f_flags & MNT_LOCAL) != 0;
    out.type = s.f_fstypename;
    return 0;
  }

 private:
  static constexpr std::uint32_t utf8 = 0x08000100;  // kCFStringEncodingUTF8
};

}  // namespace hotwatch::inline v0
