// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The Windows in memory whose every call fails on demand, and which tells by itself of what is done on its disk: so a
// watcher over it can be deaf, and a wait there can last for ever.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "examples/hotwatch/trace/simulated_clock.hpp"
#include "support/fake_windows.hpp"
#include "support/fault_list.hpp"
#include "support/files.hpp"
#include "support/windows_records.hpp"

namespace hotwatch::test {

enum class windows_call : std::uint8_t {
  NtCreateFile,
  DeviceIoControl,
  GetFileInformationByHandle,
  ask_basic,
  ask_tag,
  ask_listing,
  GetFinalPathNameByHandleW,
  GetLongPathNameW,
  ReadDirectoryChangesW,
  ReadDirectoryChangesExW,
  end_of_request,
  CancelIoEx,
  CreateIoCompletionPort,
  PostQueuedCompletionStatus,
  CreateEventW,
  CreateWaitableTimerExW,
  SetWaitableTimer,
  WaitForMultipleObjects,
  CreateThreadpoolTimer,
};

/// The disk, and what is done there: the file system tells of each operation as NTFS does. `root` is C:/root.
class faulted_windows {
 public:
  using entry_ptr = fake_windows::entry_ptr;
  using clock = trace::simulated_clock;

  faulted_windows() {
    clock::reset();
    disk->ends_with = [this] { return static_cast<win::status>(faults.next(windows_call::end_of_request)); };
  }

  std::shared_ptr<fake_windows> disk = std::make_shared<fake_windows>();
  fault_list<windows_call> faults;
  lines wrong = {};  ///< what a real system would not have come back from
  entry_ptr root = disk->make("C:/root", true);

  void advance(std::chrono::nanoseconds time) {
    clock::advance(time);
    disk->now += static_cast<std::uint64_t>(time.count() / 100);
  }

  void mkdir(const std::string& name) { made(name, disk->make(at(name), true)); }
  void write(const std::string& name) {
    if (has(name)) {
      disk->write(at(name));
      tell_root({{win::file_action_modified, wide(name), 0x20, number(name)}});
    } else {
      made(name, disk->make(at(name)));
    }
  }
  void link(const std::string& name, const std::string& target) { made(name, disk->link(at(name), at(target))); }
  void remove(const std::string& name) {
    const entry_ptr e = disk->take(at(name));
    tell_root({{win::file_action_removed, wide(name), e->attributes, e->file_id, e->reparse_tag}});
  }
  void remove_all(const std::string& name) {
    for (const std::string& below : names_in(name)) remove_all(name + '/' + below);
    remove(name);
  }
  /// In another directory it is told as two.
  void rename(const std::string& from, const std::string& to) {
    const entry_ptr e = disk->take(at(from));
    disk->put(at(to), e);
    const bool moves = from.substr(0, from.rfind('/') + 1) != to.substr(0, to.rfind('/') + 1);
    tell_root({{moves ? win::file_action_removed : win::file_action_renamed_old_name, wide(from), e->attributes,
                e->file_id, e->reparse_tag},
               {moves ? win::file_action_added : win::file_action_renamed_new_name, wide(to), e->attributes, e->file_id,
                e->reparse_tag}});
  }
  /// The kernel's buffer ran over, and nothing of it is told.
  void overflow() {
    disk->happen(root, win::notify_names, [](bool) { return std::string(); });
  }

  /// With all that is in it. As long as a handle is open the name stays, and cannot be used.
  void remove_root() {
    for (const std::string& name : names_in("")) remove_all(name);
    disk->mark_deleted(root);
  }
  /// Whether the name could go.
  bool take_root_away() {
    if (disk->handles_of(root) != 0) return false;
    disk->take("C:/root");
    tell_above(win::file_action_removed);
    return true;
  }
  void make_root() {
    root = disk->make("C:/root", true);
    tell_above(win::file_action_added);
  }

  [[nodiscard]] listing list() const {
    listing out;
    list_into(out, *root, "C:/root");
    return out;
  }

 private:
  [[nodiscard]] static std::string at(const std::string& name) { return "C:/root/" + name; }
  [[nodiscard]] static std::u16string wide(const std::string& name) { return win::to_wide(name); }
  [[nodiscard]] entry_ptr find(const std::string& name) const {
    entry_ptr e = root;
    for (std::size_t at = 0; e && at < name.size();) {
      const std::size_t end = std::min(name.find('/', at), name.size());
      const auto child = e->children.find(wide(name.substr(at, end - at)));
      e = child == e->children.end() ? nullptr : child->second;
      at = end + 1;
    }
    return e;
  }
  [[nodiscard]] bool has(const std::string& name) const { return find(name) != nullptr; }
  [[nodiscard]] std::uint64_t number(const std::string& name) const { return find(name)->file_id; }
  [[nodiscard]] std::vector<std::string> names_in(const std::string& name) const {
    std::vector<std::string> all;
    for (const auto& [child, e] : find(name)->children) all.push_back(win::to_text(child));
    return all;
  }
  static void list_into(listing& out, const fake_entry& e, const std::string& path) {
    for (const auto& [name, child] : e.children) {
      const std::string below = path + '/' + win::to_text(name);
      out.emplace(below, entry_type_of(*child));
      list_into(out, *child, below);
    }
  }
  [[nodiscard]] static entry_type entry_type_of(const fake_entry& e) {
    return win::entry_type_of(e.attributes, e.reparse_tag);
  }

  void made(const std::string& name, const entry_ptr& e) {
    tell_root({{win::file_action_added, wide(name), e->attributes, e->file_id, e->reparse_tag}});
  }
  void tell_root(const std::vector<windows_record>& all) { tell(root, all); }
  void tell_above(std::uint32_t action) {
    tell(disk->drive(), {{action, u"root", win::file_attribute_directory, root->file_id}});
  }
  void tell(const entry_ptr& directory, const std::vector<windows_record>& all) {
    disk->happen(directory, win::notify_names, [&](bool longer) {
      windows_buffer buffer(longer ? win::layout::extended : win::layout::plain);
      for (const windows_record& one : all) buffer.add(one);
      return buffer.bytes;
    });
  }
};

/// The members of windows_system. Copies share one Windows.
class faulted_windows_system : public fake_windows_system {
 public:
  explicit faulted_windows_system(std::shared_ptr<faulted_windows> windows)
      : fake_windows_system(windows->disk), windows_(std::move(windows)) {}

  win::status NtCreateFile(handle& out, std::uint32_t access, handle directory, std::u16string_view name,
                           std::uint32_t options) const {
    if (const int status = windows_->faults.next(windows_call::NtCreateFile)) return static_cast<win::status>(status);
    return fake_windows_system::NtCreateFile(out, access, directory, name, options);
  }
  bool DeviceIoControl(handle h, std::uint32_t code, void* out, std::uint32_t room, std::uint32_t& size) const {
    return !fails(windows_call::DeviceIoControl) && fake_windows_system::DeviceIoControl(h, code, out, room, size);
  }
  bool GetFileInformationByHandle(handle h, win::by_handle_file_information& out) const {
    return !fails(windows_call::GetFileInformationByHandle) && fake_windows_system::GetFileInformationByHandle(h, out);
  }
  bool GetFileInformationByHandleEx(handle h, win::file_info what, void* out, std::uint32_t size) const {
    const windows_call call = what == win::file_info::basic           ? windows_call::ask_basic
                              : what == win::file_info::attribute_tag ? windows_call::ask_tag
                                                                      : windows_call::ask_listing;
    return !fails(call) && fake_windows_system::GetFileInformationByHandleEx(h, what, out, size);
  }
  std::uint32_t GetFinalPathNameByHandleW(handle h, char16_t* out, std::uint32_t room) const {
    return fails(windows_call::GetFinalPathNameByHandleW)
               ? 0
               : fake_windows_system::GetFinalPathNameByHandleW(h, out, room);
  }
  std::uint32_t GetLongPathNameW(const char16_t* path, char16_t* out, std::uint32_t room) const {
    return fails(windows_call::GetLongPathNameW) ? 0 : fake_windows_system::GetLongPathNameW(path, out, room);
  }
  bool ReadDirectoryChangesW(handle h, void* buffer, std::uint32_t size, bool subtree, std::uint32_t filter,
                             win::overlapped& r) const {
    return !fails(windows_call::ReadDirectoryChangesW) &&
           fake_windows_system::ReadDirectoryChangesW(h, buffer, size, subtree, filter, r);
  }
  bool ReadDirectoryChangesExW(handle h, void* buffer, std::uint32_t size, bool subtree, std::uint32_t filter,
                               win::overlapped& r) const {
    return !fails(windows_call::ReadDirectoryChangesExW) &&
           fake_windows_system::ReadDirectoryChangesExW(h, buffer, size, subtree, filter, r);
  }
  bool CancelIoEx(handle h, win::overlapped& r) const {
    return !fails(windows_call::CancelIoEx) && fake_windows_system::CancelIoEx(h, r);
  }
  handle CreateIoCompletionPort(handle file, handle port, std::uintptr_t key) const {
    return fails(windows_call::CreateIoCompletionPort) ? nullptr
                                                       : fake_windows_system::CreateIoCompletionPort(file, port, key);
  }
  bool GetQueuedCompletionStatusEx(handle port, win::overlapped_entry* out, std::uint32_t room, std::uint32_t& count,
                                   std::uint32_t milliseconds) const {
    constexpr std::uint32_t for_ever = 0xFFFFFFFF;
    if (milliseconds == for_ever && windows_->disk->is_port_empty())
      windows_->wrong.emplace_back("waits at the port for ever");
    return fake_windows_system::GetQueuedCompletionStatusEx(port, out, room, count, milliseconds);
  }
  bool PostQueuedCompletionStatus(handle port, std::uintptr_t key) const {
    return !fails(windows_call::PostQueuedCompletionStatus) &&
           fake_windows_system::PostQueuedCompletionStatus(port, key);
  }
  handle CreateEventW() const {
    return fails(windows_call::CreateEventW) ? nullptr : fake_windows_system::CreateEventW();
  }
  handle CreateWaitableTimerExW(std::uint32_t flags) const {
    return fails(windows_call::CreateWaitableTimerExW) ? nullptr : fake_windows_system::CreateWaitableTimerExW(flags);
  }
  bool SetWaitableTimer(handle timer, std::int64_t due) const {
    if (fails(windows_call::SetWaitableTimer)) return false;
    timer_ = due;
    return fake_windows_system::SetWaitableTimer(timer, due);
  }
  std::uint32_t WaitForMultipleObjects(std::uint32_t count, const handle*, std::uint32_t milliseconds) const {
    constexpr std::uint32_t failed = 0xFFFFFFFF, timeout = 258, for_ever = 0xFFFFFFFF;
    if (fails(windows_call::WaitForMultipleObjects)) {
      windows_->advance(std::chrono::microseconds(100));  // who asks again does not ask in no time
      return failed;
    }
    if (windows_->disk->is_raised) return 0;
    if (count == 2 && timer_ != 0) {
      windows_->advance(std::chrono::nanoseconds(-100 * std::exchange(timer_, 0)));
      return 1;
    }
    if (milliseconds == for_ever) {
      windows_->wrong.emplace_back("waits for ever");
    } else {
      windows_->advance(std::chrono::milliseconds(milliseconds));
    }
    return timeout;
  }
  handle CreateThreadpoolTimer(handle event) const {
    return fails(windows_call::CreateThreadpoolTimer) ? nullptr : fake_windows_system::CreateThreadpoolTimer(event);
  }

 private:
  [[nodiscard]] bool fails(windows_call call) const {
    const int error = windows_->faults.next(call);
    if (error != 0) windows_->disk->fail(static_cast<std::uint32_t>(error));
    return error != 0;
  }

  std::shared_ptr<faulted_windows> windows_;
  mutable std::int64_t timer_ = 0;  ///< when the waitable timer is due; 0: it is not set
};

}  // namespace hotwatch::test
