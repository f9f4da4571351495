// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Windows as a script: a disk in memory, and requests that end when and how the test says. It runs on any system.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotwatch/decode/windows.hpp"
#include "hotwatch/decode/windows_link.hpp"
#include "hotwatch/os/windows/change_request.hpp"
#include "hotwatch/os/windows/path.hpp"
#include "hotwatch/os/windows/types.hpp"

namespace hotwatch::test {

namespace win = hotwatch::detail::windows;

struct fake_entry {
  std::uint32_t attributes = 0;
  std::uint32_t reparse_tag = 0;
  std::uint64_t file_id = 0;
  std::uint64_t written = 0;
  std::uint64_t size = 0;
  bool deleted = false;
  bool forbidden = false;   ///< to be listed
  std::string target = {};  ///< of a link: an absolute path, or one from its directory on
  bool is_readable = true;  ///< where the link leads
  std::map<std::u16string, std::shared_ptr<fake_entry>> children;
  [[nodiscard]] bool is_directory() const { return (attributes & win::file_attribute_directory) != 0; }
};

/// The disk and what is asked of it. Shared by the test and the system; for one thread.
class fake_windows {
 public:
  using entry_ptr = std::shared_ptr<fake_entry>;

  bool has_longer_records = true;
  std::uint32_t drive_type = 3;  ///< fixed
  std::u16string share = {};     ///< what the drive stands for: \\?\UNC\server\share
  std::uint32_t error_of_longer_requests = 0;
  std::uint32_t error_of_requests = 0;
  bool numbers_files = true;    ///< FAT does not
  bool cancels_at_once = true;  ///< else when cancel_now() is called
  std::string_view fails = {};  ///< the call that gives no handle
  bool is_raised = false;       ///< the event
  std::int64_t due = 0;         ///< when a timer is to raise it: 100 ns, negative from now on; 0: never
  std::map<std::u16string, std::u16string> long_names;
  std::deque<std::string> kept;  ///< each ends the next request at once, of the directory ...
  std::uint64_t keeper = 2;      ///< ... of this number
  std::uint64_t now = 133'000'000'000'000'000;
  std::function<win::status()> ends_with;  ///< how a request ends that happen() has records for
  std::function<void()> before_request;    ///< once, before the next one is made
  std::function<void()> before_wait;       ///< before each that ends after a time
  std::int64_t longest_wait = 0;           ///< as it was set last: 100 ns, negative from now on

  fake_windows() { make("C:", true); }

  // ---- what the test does

  entry_ptr make(std::string_view path, bool is_directory = false) {
    const auto e = std::make_shared<fake_entry>();
    e->attributes = is_directory ? win::file_attribute_directory : 0x20;
    e->file_id = ++last_id_;
    e->written = now += 10'000;
    put(path, e);
    return e;
  }
  static constexpr std::uint32_t symlink = 0xA000000C, junction = 0xA0000003;
  entry_ptr link(std::string_view path, std::string_view target, std::uint32_t tag = symlink) {
    const entry_ptr e = make(path, true);
    e->attributes |= win::file_attribute_reparse_point;
    e->reparse_tag = tag;
    e->target = target;
    return e;
  }
  entry_ptr drive() const { return top_->children.at(u"C:"); }
  void put(std::string_view path, const entry_ptr& e) {
    const std::u16string wide = win::to_wide(path);
    const std::size_t cut = wide.rfind(u'\\');
    if (cut == std::u16string::npos)
      top_->children[wide] = e;
    else
      find(wide.substr(0, cut)).e->children[wide.substr(cut + 1)] = e;
  }
  entry_ptr take(std::string_view path) {
    const std::u16string wide = win::to_wide(path);
    const std::size_t cut = wide.rfind(u'\\');
    const entry_ptr above = find(wide.substr(0, cut)).e;
    const entry_ptr e = above->children.at(wide.substr(cut + 1));
    above->children.erase(wide.substr(cut + 1));
    return e;
  }
  void write(std::string_view path) { find(win::to_wide(path)).e->written = now += 10'000; }

  /// Ends the request that waits at this directory for this kind of change: with records, or with a status and nothing
  /// else.
  void tell(const entry_ptr& directory, std::string_view records, win::status result = win::status_success,
            std::uint32_t kind = win::notify_names) {
    const auto r = std::find_if(requests_.begin(), requests_.end(), [&](const request& waiting) {
      return waiting.of == directory && (waiting.filter & kind) != 0;
    });
    if (r == requests_.end()) throw std::runtime_error("nobody waits there");
    std::memcpy(r->buffer, records.data(), records.size());
    end(r, result, static_cast<std::uint32_t>(records.size()));
  }
  void cancel_now() {
    port_.insert(port_.end(), late_.begin(), late_.end());
    late_.clear();
  }
  [[nodiscard]] std::size_t waiting_at(const entry_ptr& directory) const {
    return static_cast<std::size_t>(
        std::count_if(requests_.begin(), requests_.end(), [&](const request& r) { return r.of == directory; }));
  }
  [[nodiscard]] std::size_t handles_of(const entry_ptr& directory) const {
    return static_cast<std::size_t>(
        std::count_if(handles_.begin(), handles_.end(), [&](const auto& h) { return h.second.of == directory; }));
  }
  [[nodiscard]] std::size_t handles() const { return handles_.size(); }
  /// Events, timers and ports that are open.
  [[nodiscard]] std::size_t things() const { return things_.size(); }
  [[nodiscard]] std::size_t requests() const { return requests_.size(); }
  /// Something happened in this directory, of this kind: each handle that was ever asked of it hears of it. What comes
  /// while no request waits there the kernel keeps. `records_for` makes the records, longer or not.
  void happen(const entry_ptr& directory, std::uint32_t kind, const std::function<std::string(bool)>& records_for) {
    for (auto& [h, o] : handles_)
      if (o.of == directory && (o.filter & kind) != 0) {
        o.kept.push_back(records_for(o.longer));
        give_kept(h);
      }
  }
  /// The directory is being deleted: nothing that waits there goes on.
  void mark_deleted(const entry_ptr& directory) {
    directory->deleted = true;
    for (auto r = requests_.begin(); r != requests_.end();)
      if (r->of == directory)
        r = end(r, win::status_delete_pending, 0);
      else
        ++r;
  }
  [[nodiscard]] bool last_was_longer() const { return last_was_longer_; }

  /// The engine makes a path absolute as the system does on which the test runs: what stands before the drive is that.
  static std::u16string_view from_drive(std::u16string_view path) { return path.substr(path.rfind(u"C:")); }

  // ---- what the system does

  struct opened {
    entry_ptr of;
    bool listed = false;
    std::uintptr_t key = 0;
    std::u16string path;
    std::uint32_t filter = 0;  ///< of the first request: 0, nothing was asked
    bool longer = false;
    std::deque<std::string> kept = {};
  };
  win::status open(win::handle& out, std::uint32_t access, win::handle directory, std::u16string_view name,
                   std::uint32_t options) {
    constexpr win::status no_such_file = 0xC0000034, access_denied = 0xC0000022, not_a_directory = 0xC0000103;
    place there;
    if (directory == nullptr) {
      there = find(from_drive(name.ends_with(u'\\') ? name.substr(0, name.size() - 1) : name));
      there.path.insert(0, name.substr(prefix.size(), name.rfind(u"C:") - prefix.size()));
    } else {
      const opened& above = handles_.at(directory);
      there = name.empty() ? place{above.of, above.path} : step({above.of, above.path}, name);
    }
    if ((options & win::file_open_reparse_point) == 0) there = follow(there);
    if (!there.e) return no_such_file;
    if (there.e->deleted) return win::status_delete_pending;
    if ((options & win::file_directory_file) != 0 && !there.e->is_directory()) return not_a_directory;
    if ((access & win::file_list_directory) != 0 && there.e->forbidden) return access_denied;
    out = new_handle();
    handles_[out] = {there.e, false, 0, there.path};
    return win::status_success;
  }
  /// REPARSE_DATA_BUFFER
  bool read_link(win::handle h, char* out, std::uint32_t& size) {
    constexpr std::uint32_t not_a_reparse_point = 4390, invalid_function = 1;
    const fake_entry& e = *at(h).of;
    if (e.target.empty()) return fail(not_a_reparse_point);
    if (!e.is_readable) return fail(invalid_function);
    const bool absolute = e.target.starts_with("C:");
    const std::size_t head = e.reparse_tag == symlink ? 20 : 16;
    const std::u16string name = (absolute ? std::u16string(prefix) : std::u16string()) + win::to_wide(e.target);
    const auto set = [&](std::size_t where, auto value) { std::memcpy(out + where, &value, sizeof value); };
    std::memset(out, 0, head);
    set(0, e.reparse_tag);
    set(10, static_cast<std::uint16_t>(2 * name.size()));
    if (e.reparse_tag == symlink) set(16, std::uint32_t{absolute ? 0u : 1u});
    std::memcpy(out + head, name.data(), 2 * name.size());
    size = static_cast<std::uint32_t>(head + 2 * name.size());
    return true;
  }
  void close(win::handle h) {
    // Closing completes what waits at the handle (STATUS_NOTIFY_CLEANUP).
    cancel(h, nullptr, win::status_notify_cleanup);
    handles_.erase(h);
    std::erase(things_, h);
  }
  win::handle make_thing() {
    things_.push_back(new_handle());
    return things_.back();
  }
  bool fail(std::uint32_t error) {
    error_ = error;
    return false;
  }
  [[nodiscard]] std::uint32_t error() const { return error_; }
  opened& at(win::handle h) { return handles_.at(h); }

  /// FILE_ID_BOTH_DIR_INFO, or FILE_FULL_DIR_INFO without numbers.
  bool list(win::handle h, bool numbered, char* out, std::uint32_t room) {
    if (numbered && !numbers_files) return fail(win::error_invalid_parameter);
    const std::size_t head = numbered ? 104 : 68;
    opened& o = at(h);
    if (std::exchange(o.listed, true)) return fail(win::error_no_more_files);
    std::size_t at = 0, last = 0;
    for (const auto& [name, e] : o.of->children) {
      const std::size_t size = (head + 2 * name.size() + 7) / 8 * 8;
      if (at + size > room) throw std::runtime_error("the listing is longer than the test needs");
      const auto set = [&](std::size_t where, auto value) { std::memcpy(out + at + where, &value, sizeof value); };
      std::memset(out + at, 0, size);
      set(56, e->attributes);
      set(60, static_cast<std::uint32_t>(2 * name.size()));
      set(64, e->reparse_tag);
      if (numbered) set(96, e->file_id);
      std::memcpy(out + at + head, name.data(), 2 * name.size());
      if (at != 0) {
        const auto step = static_cast<std::uint32_t>(at - last);
        std::memcpy(out + last, &step, sizeof step);
      }
      last = at;
      at += size;
    }
    return at != 0 || fail(win::error_file_not_found);
  }

  bool ask(win::handle h, void* buffer, bool longer, std::uint32_t filter, win::overlapped& r) {
    if (const auto first = std::exchange(before_request, nullptr)) first();
    if (longer && error_of_longer_requests != 0) return fail(error_of_longer_requests);
    if (error_of_requests != 0) return fail(error_of_requests);
    opened& o = at(h);
    if (o.of->deleted) return fail(win::error_access_denied);
    last_was_longer_ = o.longer = longer;
    o.filter = filter;
    requests_.push_back({o.of, h, o.key, filter, buffer, &r});
    if (r.event != nullptr) is_raised = false;
    if (o.of->file_id == keeper && !kept.empty()) {
      const std::string records = std::exchange(kept.front(), {});
      kept.pop_front();
      tell(o.of, records);
    }
    give_kept(h);
    return true;
  }
  bool cancel(win::handle h, const win::overlapped* which, win::status result) {
    const auto r = std::find_if(requests_.begin(), requests_.end(), [&](const request& waiting) {
      return waiting.at == h && (which == nullptr || waiting.what == which);
    });
    if (r == requests_.end()) return fail(1168);  // ERROR_NOT_FOUND
    end(r, result, 0);
    return true;
  }
  void wake(std::uintptr_t key) {
    port_.push_back({{.key = key, .request = nullptr, .internal = 0, .bytes = 0}, nullptr});
  }
  [[nodiscard]] bool is_port_empty() const { return port_.empty(); }
  /// Until now request and buffer were the kernel's, who writes there.
  win::overlapped_entry take_from_port() {
    const ended first = port_.front();
    port_.pop_front();
    if (first.entry.request != nullptr) first.entry.request->internal = first.entry.internal;
    if (first.buffer != nullptr && first.entry.bytes == 0) std::memset(first.buffer, 0xEE, 16);
    return first.entry;
  }

 private:
  struct request {
    entry_ptr of;
    win::handle at;
    std::uintptr_t key;
    std::uint32_t filter;
    void* buffer;
    win::overlapped* what;
  };
  struct ended {
    win::overlapped_entry entry;
    void* buffer;
  };

  struct place {
    entry_ptr e;
    std::u16string path;  ///< free of links, but for one at its end
  };
  static constexpr std::u16string_view prefix = u"\\??\\";

  [[nodiscard]] static place step(const place& above, std::u16string_view name) {
    const auto child = above.e->children.find(std::u16string(name));
    if (child == above.e->children.end()) return {};
    return {child->second, above.path + (above.path.empty() ? u"" : u"\\") + std::u16string(name)};
  }
  [[nodiscard]] place follow(place p) const {
    for (int links = 0; p.e && !p.e->target.empty(); ++links) {
      const std::string link = win::to_text(p.path);
      const std::string to =
          p.e->target.starts_with("C:") ? p.e->target : link.substr(0, link.rfind('/') + 1) + p.e->target;
      p = links < 63 ? find(from_drive(win::to_wide(win::without_dots(to)))) : place{};
    }
    return p;
  }
  /// Links on the way are followed; one at its end is found itself.
  [[nodiscard]] place find(std::u16string_view path) const {
    place at{top_, {}};
    while (!path.empty()) {
      const std::size_t cut = std::min(path.find(u'\\'), path.size());
      at = follow(at);
      if (at.e) at = step(at, path.substr(0, cut));
      if (!at.e) return {};
      path.remove_prefix(std::min(cut + 1, path.size()));
    }
    return at;
  }
  std::vector<request>::iterator end(std::vector<request>::iterator r, win::status result, std::uint32_t bytes) {
    const bool is_late = result != win::status_success && !cancels_at_once;
    (is_late ? late_ : port_).push_back({{r->key, r->what, result, bytes}, r->buffer});
    if (r->what->event != nullptr) is_raised = true;
    return requests_.erase(r);
  }
  // To the request that waits at this handle, if one does.
  void give_kept(win::handle h) {
    const auto r = std::find_if(requests_.begin(), requests_.end(), [&](const request& one) { return one.at == h; });
    std::deque<std::string>& kept_here = at(h).kept;
    if (r == requests_.end() || kept_here.empty()) return;
    const std::string records = std::exchange(kept_here.front(), {});
    kept_here.pop_front();
    std::memcpy(r->buffer, records.data(), records.size());
    const win::status result = ends_with ? ends_with() : win::status_success;
    end(r, result, result == win::status_success ? static_cast<std::uint32_t>(records.size()) : 0);
  }
  [[nodiscard]] win::handle new_handle() { return reinterpret_cast<win::handle>(++last_handle_); }

  entry_ptr top_ = std::make_shared<fake_entry>();
  std::map<win::handle, opened> handles_;
  std::vector<win::handle> things_;
  std::vector<request> requests_;
  std::deque<ended> port_;
  std::deque<ended> late_;
  std::uint64_t last_id_ = 0;
  std::uintptr_t last_handle_ = 0x1000;
  std::uint32_t error_ = 0;
  bool last_was_longer_ = false;
};

/// The members of windows_system. Copies share one script.
class fake_windows_system {
 public:
  using handle = win::handle;
  explicit fake_windows_system(std::shared_ptr<fake_windows> script) : script_(std::move(script)) {}

  win::status NtCreateFile(handle& out, std::uint32_t access, handle directory, std::u16string_view name,
                           std::uint32_t options) const {
    return script_->open(out, access, directory, name, options);
  }
  bool DeviceIoControl(handle h, std::uint32_t, void* out, std::uint32_t, std::uint32_t& size) const {
    return script_->read_link(h, static_cast<char*>(out), size);
  }
  std::uint32_t RtlNtStatusToDosError(win::status s) const noexcept {
    // [MS-ERREF] 2.3.1, and what ntdll makes of it.
    switch (s) {
      case 0xC0000034: return win::error_file_not_found;
      case 0xC0000103: return win::error_directory;
      case 0xC0000017: return 8;     // STATUS_NO_MEMORY: ERROR_NOT_ENOUGH_MEMORY
      case 0xC0000043: return 32;    // STATUS_SHARING_VIOLATION: ERROR_SHARING_VIOLATION
      case 0xC000009A: return 1450;  // STATUS_INSUFFICIENT_RESOURCES: ERROR_NO_SYSTEM_RESOURCES
      case 0xC00000C9: return 64;    // STATUS_NETWORK_NAME_DELETED: ERROR_NETNAME_DELETED
      case 0xC000011F: return 4;     // STATUS_TOO_MANY_OPENED_FILES: ERROR_TOO_MANY_OPEN_FILES
      case 0xC0000185: return 1117;  // STATUS_IO_DEVICE_ERROR: ERROR_IO_DEVICE
      default: return win::error_access_denied;
    }
  }
  std::uint32_t GetLastError() const noexcept { return script_->error(); }
  void CloseHandle(handle h) const { script_->close(h); }
  bool GetFileInformationByHandle(handle h, win::by_handle_file_information& out) const {
    const fake_entry& e = *script_->at(h).of;
    out.attributes = e.attributes;
    out.volume = 7;
    out.index_high = static_cast<std::uint32_t>(e.file_id >> 32);
    out.index_low = static_cast<std::uint32_t>(e.file_id);
    out.size_low = static_cast<std::uint32_t>(e.size);
    out.links = 1;
    return true;
  }
  bool GetFileInformationByHandleEx(handle h, win::file_info what, void* out, std::uint32_t size) const {
    const fake_entry& e = *script_->at(h).of;
    const auto time = static_cast<std::int64_t>(e.written);
    switch (what) {
      case win::file_info::basic: {
        const win::file_basic_info basic{time, time, time, time, e.attributes};
        std::memcpy(out, &basic, sizeof basic);
        return true;
      }
      case win::file_info::attribute_tag: {
        const win::file_attribute_tag_info tag{e.attributes, e.reparse_tag};
        std::memcpy(out, &tag, sizeof tag);
        return true;
      }
      default: {
        const bool numbered =
            what == win::file_info::id_both_directory || what == win::file_info::id_both_directory_restart;
        return script_->list(h, numbered, static_cast<char*>(out), size);
      }
    }
  }
  std::uint32_t GetFinalPathNameByHandleW(handle h, char16_t* out, std::uint32_t room) const {
    std::u16string path = script_->at(h).path;
    if (!script_->share.empty()) path = script_->share + path.substr(path.rfind(u"C:") + 2);
    if (path.size() < room) path.copy(out, path.size());
    return static_cast<std::uint32_t>(path.size() + (path.size() < room ? 0 : 1));
  }
  std::uint32_t GetFullPathNameW(const char16_t*, std::uint32_t, char16_t*) const noexcept { return 0; }
  std::uint32_t GetLongPathNameW(const char16_t* path, char16_t* out, std::uint32_t) const {
    const auto known = script_->long_names.find(std::u16string(fake_windows::from_drive(path)));
    if (known == script_->long_names.end()) return 0;
    known->second.copy(out, known->second.size());
    return static_cast<std::uint32_t>(known->second.size());
  }
  std::uint32_t GetDriveTypeW(const char16_t*) const noexcept { return script_->drive_type; }
  bool CompareStringOrdinal(std::u16string_view a, std::u16string_view b) const noexcept { return a == b; }
  bool has_ReadDirectoryChangesExW() const noexcept { return script_->has_longer_records; }
  bool ReadDirectoryChangesW(handle h, void* buffer, std::uint32_t, bool, std::uint32_t filter,
                             win::overlapped& r) const {
    return script_->ask(h, buffer, false, filter, r);
  }
  bool ReadDirectoryChangesExW(handle h, void* buffer, std::uint32_t, bool, std::uint32_t filter,
                               win::overlapped& r) const {
    return script_->ask(h, buffer, true, filter, r);
  }
  bool CancelIoEx(handle h, win::overlapped& r) const { return script_->cancel(h, &r, 0xC0000120); }
  handle CreateIoCompletionPort(handle file, handle port, std::uintptr_t key) const {
    if (port == nullptr) return thing("CreateIoCompletionPort");
    script_->at(file).key = key;
    if (script_->fails != "CreateIoCompletionPort of a file") return port;
    script_->fail(8);  // ERROR_NOT_ENOUGH_MEMORY
    return nullptr;
  }
  bool GetQueuedCompletionStatusEx(handle, win::overlapped_entry* out, std::uint32_t room, std::uint32_t& count,
                                   std::uint32_t) const {
    for (count = 0; count < room && !script_->is_port_empty();) out[count++] = script_->take_from_port();
    return count != 0;
  }
  bool PostQueuedCompletionStatus(handle, std::uintptr_t key) const {
    script_->wake(key);
    return true;
  }
  handle CreateEventW() const { return thing("CreateEventW"); }
  void SetEvent(handle) const noexcept { script_->is_raised = true; }
  void ResetEvent(handle) const noexcept { script_->is_raised = false; }
  handle CreateWaitableTimerExW(std::uint32_t) const { return thing("CreateWaitableTimerExW"); }
  bool SetWaitableTimer(handle, std::int64_t due) const noexcept {
    script_->longest_wait = due;
    return true;
  }
  std::uint32_t WaitForMultipleObjects(std::uint32_t count, const handle*, std::uint32_t) const {
    if (count == 2 && script_->before_wait) script_->before_wait();
    return 0;
  }
  handle CreateThreadpoolTimer(handle) const { return thing("CreateThreadpoolTimer"); }
  void SetThreadpoolTimer(handle, std::int64_t due) const noexcept { script_->due = due; }
  void CloseThreadpoolTimer(handle timer) const { script_->close(timer); }
  void GetSystemTimeAsFileTime(win::file_time_halves& out) const noexcept {
    out = {static_cast<std::uint32_t>(script_->now), static_cast<std::uint32_t>(script_->now >> 32)};
  }

 private:
  // An event, a timer or a port, of which nothing is asked here.
  handle thing(std::string_view maker) const { return script_->fails == maker ? nullptr : script_->make_thing(); }

  std::shared_ptr<fake_windows> script_;
};

}  // namespace hotwatch::test
