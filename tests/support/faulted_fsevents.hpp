// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The scripted FSEvents whose every call fails on demand, over a system that does.

#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "support/fake_fsevents.hpp"
#include "support/fault_list.hpp"

namespace hotwatch::test {

enum class macos_call : std::uint8_t {
  FSEventStreamCreate,
  FSEventStreamStart,
  dispatch_queue_create,
  CFStringCreateWithBytes,
  CFArrayCreate,
  CFStringGetCString,
  fcntl_getpath,
  getattrlistat,
  fstatfs,
  // What the system below has; its script lets it fail.
  openat,
  list,
  look,
};

/// The members of macos_system. Copies share one list.
class faulted_macos_system : public fake_macos_system<> {
 public:
  using faked = fake_macos_system<>;
  faulted_macos_system(std::shared_ptr<fake_fsevents> daemon, std::shared_ptr<script> calls,
                       std::shared_ptr<fault_list<macos_call>> faults)
      : faked(std::move(daemon), scripted_system(std::move(calls))), faults_(std::move(faults)) {}

  mac::stream_ref FSEventStreamCreate(mac::stream_callback callback, void* info, mac::cf_ref paths, mac::event_id since,
                                      double latency, std::uint32_t flags) const {
    return fails(macos_call::FSEventStreamCreate)
               ? nullptr
               : faked::FSEventStreamCreate(callback, info, paths, since, latency, flags);
  }
  bool FSEventStreamStart(mac::stream_ref s) const {
    return !fails(macos_call::FSEventStreamStart) && faked::FSEventStreamStart(s);
  }
  mac::queue_ref dispatch_queue_create(const char* label) const {
    return fails(macos_call::dispatch_queue_create) ? nullptr : faked::dispatch_queue_create(label);
  }
  mac::cf_ref CFStringCreateWithBytes(std::string_view text) const {
    return fails(macos_call::CFStringCreateWithBytes) ? nullptr : faked::CFStringCreateWithBytes(text);
  }
  mac::cf_ref CFArrayCreate(mac::cf_ref value) const {
    return fails(macos_call::CFArrayCreate) ? nullptr : faked::CFArrayCreate(value);
  }
  bool CFStringGetCString(mac::cf_ref text, char* out, std::size_t room) const {
    return !fails(macos_call::CFStringGetCString) && faked::CFStringGetCString(text, out, room);
  }
  int fcntl_getpath(int fd, char* out) const {
    return fails(macos_call::fcntl_getpath) ? -1 : faked::fcntl_getpath(fd, out);
  }
  int name_of(int directory, const char* path, std::string& out) const {
    return fails(macos_call::getattrlistat) ? -1 : faked::name_of(directory, path, out);
  }
  int file_system_of(int fd, mac::file_system& out) const {
    return fails(macos_call::fstatfs) ? -1 : faked::file_system_of(fd, out);
  }

 private:
  [[nodiscard]] bool fails(macos_call call) const {
    const int error = faults_->next(call);
    if (error > 0) errno = error;
    return error != 0;
  }

  std::shared_ptr<fault_list<macos_call>> faults_;
};

}  // namespace hotwatch::test
