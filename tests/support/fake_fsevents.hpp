// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// FSEvents as a script, over the real disk: streams that tell what and when the test says, the objects they tell it by,
// and a volume that finds names in any letter case and normal form.

#include <dirent.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotwatch/decode/fsevents.hpp"
#include "hotwatch/os/macos/types.hpp"
#include "scripted_system.hpp"

namespace hotwatch::test {

namespace mac = hotwatch::detail::macos;
namespace fse = hotwatch::detail::fsevents;

/// Latin letters as the volume compares them: small and composed.
inline std::string folded(std::string_view name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    const std::string_view rest = name.substr(i);
    if (rest.starts_with("e\xCC\x81") || rest.starts_with("E\xCC\x81")) {
      out += "\xC3\xA9";
      i += 2;
    } else if (rest.starts_with("\xC3\x89")) {
      out += "\xC3\xA9";
      ++i;
    } else {
      out += 'A' <= name[i] && name[i] <= 'Z' ? static_cast<char>(name[i] + 32) : name[i];
    }
  }
  return out;
}

/// As far as a lead and what follows it go.
inline bool is_utf8(std::string_view text) {
  std::size_t missing = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0) == 0x80 ? missing == 0 : missing != 0) return false;
    if (byte >= 0xF8) return false;
    missing = missing != 0 ? missing - 1 : byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
  }
  return missing == 0;
}

/// A CFString, or a CFArray of them.
struct fake_object {
  std::string text;
  std::vector<const fake_object*> values = {};
  bool has_text = true;  ///< else its characters cannot be had: a lone surrogate
};

struct fake_event {
  std::string path;
  std::uint32_t flags = 0;
  std::uint64_t file_id = 0;
};

/// What the daemon and the frameworks do. Shared by the test and the system.
class fake_fsevents {
 public:
  struct stream {
    mac::stream_callback callback = nullptr;
    void* info = nullptr;
    std::string path;
    mac::event_id since = 0;
    double latency = 0;
    std::uint32_t flags = 0;
    mac::queue_ref queue = nullptr;
    bool started = false, stopped = false, invalidated = false, drained = false;
  };

  bool ignores_case = false;  ///< the volume
  bool tells_spellings = true;
  int comparisons = 0;       ///< of names that are not all in ASCII
  std::string mounted = {};  ///< a directory from which down it is another file system; empty: none
  bool refuses_streams = false, refuses_queues = false;
  mac::file_system file_system = {true, "apfs"};
  int starts_that_succeed = 1'000'000;
  std::uint64_t open_files = 12 * 100;
  std::atomic<mac::event_id> newest = 1000;
  std::string lone_surrogate = "\xED\xA0\x80";  ///< a path with this cannot be read
  std::recursive_mutex mutex;                   ///< held while streams call, and while they change
  std::vector<std::string> faults;              ///< what must not be done with a stream, and was
  std::function<void()> before_wait;            ///< called when the watcher is about to wait

  // ---- what the test does

  /// Each stream that hears of these paths is called once.
  void send(const std::vector<fake_event>& events) {
    const std::lock_guard lock(mutex);
    for (const auto& s : all_started()) {
      std::vector<fake_event> heard;
      for (const fake_event& e : events)
        if (hears(*s, e)) heard.push_back(e);
      send_to(*s, heard);
    }
  }
  /// RootChanged comes with the path that the stream was made with, and no id.
  void change_root(const std::string& path) {
    const std::lock_guard lock(mutex);
    for (const auto& s : all_started())
      if (s->path == path || fse::leads_to(path, s->path)) send_to(*s, {{s->path, fse::root_changed}});
  }
  void send_to(stream& s, const std::vector<fake_event>& events) {
    const std::lock_guard lock(mutex);
    if (events.empty() || !s.started || s.stopped) return;
    std::vector<fake_object> paths(events.size());
    std::vector<std::uint32_t> flags;
    std::vector<mac::event_id> ids;
    fake_object all;
    for (std::size_t i = 0; i < events.size(); ++i) {
      paths[i].text = events[i].path;
      paths[i].has_text = events[i].path.find(lone_surrogate) == std::string::npos;
      all.values.push_back(&paths[i]);
      flags.push_back(events[i].flags);
      ids.push_back((events[i].flags & fse::root_changed) != 0 ? 0 : ++newest);
    }
    s.callback(&s, s.info, events.size(), &all, flags.data(), ids.data());
    for (fake_object& path : paths) path.text.assign(path.text.size(), '?');  // it is gone when the call returns
  }

  [[nodiscard]] std::vector<std::string> watched_paths() const {
    std::vector<std::string> all;
    for (const auto& s : streams_)
      if (s->started && !s->stopped) all.push_back(s->path);
    std::sort(all.begin(), all.end());
    return all;
  }
  [[nodiscard]] const stream* find(const std::string& path) const {
    for (const auto& s : streams_)
      if (s->path == path && s->started && !s->stopped) return s.get();
    return nullptr;
  }
  [[nodiscard]] std::vector<stream*> all_started() const {
    std::vector<stream*> all;
    for (const auto& s : streams_)
      if (s->started && !s->stopped) all.push_back(s.get());
    return all;
  }
  [[nodiscard]] std::size_t streams() const { return streams_.size(); }
  [[nodiscard]] std::size_t objects() const { return objects_.size(); }
  [[nodiscard]] std::size_t queues() const { return queues_.size(); }

  [[nodiscard]] bool is_mounted(std::string_view path) const {
    return !mounted.empty() && fse::leads_to(mounted, path);
  }
  [[nodiscard]] bool hears(const stream& s, const fake_event& e) const {
    std::string_view way;
    if ((e.flags & (fse::user_dropped | fse::kernel_dropped | fse::history_done)) != 0) return true;
    if (is_mounted(e.path) && e.path != mounted && !is_mounted(s.path)) return false;
    const fse::stand where = fse::stand_of(e.path, s.path, way);
    return where == fse::stand::itself || where == fse::stand::below ||
           (where == fse::stand::above && (e.flags & fse::must_scan_subdirs) != 0) ||
           folded(e.path).starts_with(folded(s.path) + '/');
  }

  // ---- what the system does

  stream* make_stream(mac::stream_callback callback, void* info, const fake_object& paths, mac::event_id since,
                      double latency, std::uint32_t flags) {
    const std::lock_guard lock(mutex);
    if (refuses_streams) return nullptr;
    streams_.push_back(std::make_unique<stream>());
    stream& s = *streams_.back();
    s.callback = callback;
    s.info = info;
    s.path = paths.text;
    s.since = since;
    s.latency = latency;
    s.flags = flags;
    return &s;
  }
  bool start(stream& s) {
    const std::lock_guard lock(mutex);
    if (s.queue == nullptr) faults.emplace_back("started without a queue");
    return s.started = starts_that_succeed-- > 0;
  }
  void stop(stream& s) {
    const std::lock_guard lock(mutex);
    if (!s.started || s.stopped) faults.emplace_back("stopped though it was not running");
    s.stopped = true;
  }
  void invalidate(stream& s) {
    const std::lock_guard lock(mutex);
    if (s.queue == nullptr || s.invalidated || (s.started && !s.stopped))
      faults.emplace_back("invalidated out of turn");
    s.invalidated = true;
  }
  void drain(mac::queue_ref queue) {
    const std::lock_guard lock(mutex);
    for (const auto& s : streams_)
      if (s->queue == queue && s->invalidated) s->drained = true;
  }
  void release(stream& s) {
    const std::lock_guard lock(mutex);
    if (!s.invalidated || !s.drained) faults.emplace_back("released before its queue was drained");
    std::erase_if(streams_, [&](const auto& known) { return known.get() == &s; });
  }
  mac::queue_ref make_queue() {
    if (refuses_queues) return nullptr;
    queues_.push_back(std::make_unique<int>());
    return queues_.back().get();
  }
  void release_queue(mac::queue_ref queue) {
    for (const auto& s : streams_)
      if (s->queue == queue) faults.emplace_back("a queue was released before its streams");
    std::erase_if(queues_, [&](const auto& known) { return known.get() == queue; });
  }
  const fake_object* make_object(std::string text) {
    objects_.push_back(std::make_unique<fake_object>(fake_object{std::move(text)}));
    return objects_.back().get();
  }
  void release_object(const fake_object* object) {
    if (std::erase_if(objects_, [&](const auto& known) { return known.get() == object; }) != 1)
      faults.emplace_back("an object was released twice");
  }

  /// The name by which the directory lists it.
  [[nodiscard]] std::string listed(int directory, const char* name) const {
    if (!ignores_case || name[0] == '\0') return name;
    if (const char* const slash = std::strrchr(name, '/'); slash != nullptr) {
      const std::string above = slash == name ? "/" : listed(directory, std::string(name, slash).c_str());
      const int fd = ::openat(directory, above.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      const std::string last = fd >= 0 ? listed(fd, slash + 1) : slash + 1;
      if (fd >= 0) ::close(fd);
      return (above == "/" ? above : above + '/') + last;
    }
    const std::string where = "/proc/self/fd/" + std::to_string(directory);
    DIR* const dir = ::opendir(where.c_str());
    std::string found = name;
    while (const dirent* entry = dir != nullptr ? ::readdir(dir) : nullptr) {
      if (folded(entry->d_name) != folded(name)) continue;
      found = entry->d_name;
      if (found == name) break;
    }
    if (dir != nullptr) ::closedir(dir);
    return found;
  }

 private:
  std::vector<std::unique_ptr<stream>> streams_;
  std::vector<std::unique_ptr<fake_object>> objects_;
  std::vector<std::unique_ptr<int>> queues_;
};

/// The members of macos_system, upon the calls of Linux. Copies share one script.
template <class Linux = scripted_system, bool IgnoresCase = true>
class fake_macos_system : public Linux {
 public:
  static constexpr bool names_ignore_case = IgnoresCase;

  explicit fake_macos_system(std::shared_ptr<fake_fsevents> script, Linux own = Linux())
      : Linux(std::move(own)), script_(std::move(script)) {}

  mac::event_id FSEventsGetCurrentEventId() const { return script_->newest; }
  mac::stream_ref FSEventStreamCreate(mac::stream_callback callback, void* info, mac::cf_ref paths, mac::event_id since,
                                      double latency, std::uint32_t flags) const {
    return script_->make_stream(callback, info, *object(paths), since, latency, flags);
  }
  void FSEventStreamSetDispatchQueue(mac::stream_ref s, mac::queue_ref queue) const { stream(s).queue = queue; }
  bool FSEventStreamStart(mac::stream_ref s) const { return script_->start(stream(s)); }
  void FSEventStreamStop(mac::stream_ref s) const { script_->stop(stream(s)); }
  void FSEventStreamInvalidate(mac::stream_ref s) const { script_->invalidate(stream(s)); }
  void FSEventStreamRelease(mac::stream_ref s) const { script_->release(stream(s)); }

  mac::queue_ref dispatch_queue_create(const char*) const { return script_->make_queue(); }
  void dispatch_sync_f(mac::queue_ref queue, void* context, void (*work)(void*)) const {
    work(context);
    script_->drain(queue);
  }
  void dispatch_release(mac::queue_ref queue) const { script_->release_queue(queue); }

  mac::cf_ref CFArrayCreate(mac::cf_ref value) const { return script_->make_object(object(value)->text); }
  mac::cf_ref CFArrayGetValueAtIndex(mac::cf_ref array, std::size_t i) const { return object(array)->values[i]; }
  mac::cf_ref CFStringCreateWithBytes(std::string_view text) const {
    return is_utf8(text) ? script_->make_object(std::string(text)) : nullptr;
  }
  bool CFStringGetCString(mac::cf_ref text, char* out, std::size_t room) const {
    const fake_object& o = *object(text);
    if (!o.has_text || o.text.size() >= room) return false;
    out[o.text.copy(out, room - 1)] = '\0';
    return true;
  }
  long CFStringCompare(mac::cf_ref a, mac::cf_ref b, unsigned long) const {
    ++script_->comparisons;
    return folded(object(a)->text).compare(folded(object(b)->text));
  }
  void CFRelease(mac::cf_ref o) const { script_->release_object(object(o)); }

  int fcntl_getpath(int fd, char* out) const {
    const std::string link = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size = ::readlink(link.c_str(), out, mac::longest_path - 1);
    if (size < 0) return -1;
    out[size] = '\0';
    return 0;
  }
  int name_of(int directory, const char* path, std::string& out) const {
    if (!script_->tells_spellings) return errno = ENOTSUP, -1;
    out = script_->listed(directory, path);
    return 0;
  }
  int file_system_of(int, mac::file_system& out) const {
    out = script_->file_system;
    return 0;
  }
  std::uint64_t open_files_limit() const { return script_->open_files; }

  int openat(int directory, const char* path, int flags) const {
    return Linux::openat(directory, script_->listed(directory, path).c_str(), flags);
  }
  int openat2(int directory, const char* path, const open_how& how) const {
    return Linux::openat2(directory, script_->listed(directory, path).c_str(), how);
  }
  int statx(int directory, const char* path, int flags, unsigned mask, struct ::statx* out) const {
    if (Linux::statx(directory, script_->listed(directory, path).c_str(), flags, mask, out) != 0) return -1;
    if (!script_->mounted.empty() && script_->is_mounted(path_at(directory, path))) out->stx_dev_major += 1000;
    return 0;
  }
  int ppoll(pollfd* fds, nfds_t count, const timespec* timeout) const {
    if (script_->before_wait) script_->before_wait();
    return Linux::ppoll(fds, count, timeout);
  }

 private:
  std::string path_at(int directory, const std::string& path) const {
    char above[mac::longest_path];
    if (path.starts_with('/') || fcntl_getpath(directory, above) != 0) return path;
    return path.empty() ? above : std::string(above) + '/' + path;
  }
  static const fake_object* object(mac::cf_ref o) { return static_cast<const fake_object*>(o); }
  static fake_fsevents::stream& stream(mac::stream_ref s) { return *static_cast<fake_fsevents::stream*>(s); }

  std::shared_ptr<fake_fsevents> script_;
};

}  // namespace hotwatch::test
