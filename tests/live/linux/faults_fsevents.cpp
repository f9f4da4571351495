// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every call of the FSEvents backend, over a scripted FSEvents, with every way in which it is documented to fail; what
// lies below it on a Mac is faults_bsd.cpp (support/fault_table.hpp).
#include "hotwatch/backends/fsevents.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "hotwatch/watcher.hpp"
#include "support/fault_table.hpp"
#include "support/faulted_fsevents.hpp"
#include "support/linux/faulted_watcher.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum macos_call;

constexpr int null = -1, no = -2;

// FSEvents.h: FSEventStreamCreate has no word of an error, and gives what malloc does; of FSEventStreamStart it says
// that it ought to succeed, "however, in the event it does not". CFString.h, CFArray.h and queue.h: null when it could
// not be made; CFString.h: false when the buffer is too small. fcntl(2) of macOS, F_GETPATH: what is to be had of a
// vnode without a name, or of a device that is gone. getattrlistat(2), openat(2), getdirentries(2), fstatat(2),
// fstatfs(2) of macOS, with the same left out as for Linux. FSEventsGetCurrentEventId, the setters and what is released
// have nothing to fail by.
const failing_call<macos_call> calls[] = {
    {FSEventStreamCreate, "FSEventStreamCreate", {null}},
    {FSEventStreamStart, "FSEventStreamStart", {no}},
    {dispatch_queue_create, "dispatch_queue_create", {null}},
    {CFStringCreateWithBytes, "CFStringCreateWithBytes", {null}},
    {CFArrayCreate, "CFArrayCreate", {null}},
    {CFStringGetCString, "CFStringGetCString", {no}},
    {fcntl_getpath, "fcntl(2), F_GETPATH", {EIO, ENOMEM, ENXIO}},
    {getattrlistat, "getattrlistat(2), ATTR_CMN_NAME", {EIO, ENOTSUP, ENOMEM}},
    {macos_call::fstatfs, "fstatfs(2)", {EIO}},
    {openat, "openat(2)", {EACCES, EINTR, EMFILE, ENFILE, EIO, EPERM}},
    {list, "readdir(3)", {EIO}},
    {look, "fstatat(2)", {EACCES, EIO, ENOMEM}},
};

class on_macos : public faulted_watcher<scripted_test<basic_watcher<basic_fsevents_backend<faulted_macos_system>>>> {
 public:
  using fake_watcher = basic_watcher<basic_fsevents_backend<faulted_macos_system>>;
  static constexpr const char* title = "fsevents_backend";
  static constexpr int phases = 4;
  static constexpr int for_ever = fault_list<macos_call>::for_ever;
  static constexpr bool has(phase) { return true; }
  static std::string name_of(int error) {
    return error == null ? "null" : error == no ? "false" : ::strerrorname_np(error);
  }
  static std::error_code code_of(macos_call, int error) {
    return error > 0 ? std::error_code(error, std::system_category())
                     : std::make_error_code(std::errc::not_enough_memory);
  }
  void begin(macos_call call, int error, int n, int times) {
    const system_call below = call == openat ? system_call::openat
                              : call == list ? system_call::getdents64
                                             : system_call::statx;
    if (call < openat)
      faulty->fail(call, n, error, times);
    else if (is_alike(error, times))
      faults->interrupt(below);
    else
      faults->fail(below, n, error, times);
  }
  void open() {
    watch_tree_by(
        std::make_unique<fake_watcher>(options{.poll_interval = 1ms}, faulted_macos_system(daemon, faults, faulty)));
  }
  void ask_for_handle() { handle_ = watcher->native_handle(); }
  [[nodiscard]] int failures() const { return faulty->failures() + faults->failures(); }

  void work(phase now) {
    const places before = look_at_all();
    switch (now) {
      case phase::set_up: break;
      case phase::running:
        change_all();
        tell(before);
        break;
      case phase::overflow:
        root.write("unheard");
        root.rm("f/1");
        daemon->send({{root.path(), fse::must_scan_subdirs | fse::kernel_dropped}});
        break;
      case phase::returning:
        raw::rm_rf(root.path());
        tell(before);
        daemon->change_root(root.path());
        (void)drive(20ms);
        directory.base().mkdir("root");
        scripted_test::make_tree();
        daemon->send({{root.path(), fse::item_created | fse::item_is_dir, number_of(root.path())}});
        daemon->change_root(root.path());
        tell({});
        break;
    }
    outlive_the_tick();
  }
  // A barrier would find what the events did not say: one at the end.
  [[nodiscard]] std::string drive(std::chrono::milliseconds longest) {
    (void)faulted_watcher::drive(longest, [] {});
    take(watcher->flush());
    return told_apart();
  }
  void end_faults(int) {
    faulty->stop_failing();
    faults->stop_failing();
  }
  void write_last() {
    root.write("last");
    daemon->send({{root.at("last"), fse::item_created | fse::item_is_file, number_of(root.at("last"))}});
  }
  [[nodiscard]] std::string close() {
    std::string wrong = faulted_watcher::close();
    for (const std::string& one : daemon->faults) wrong += '\n' + one;
    if (const std::size_t left = daemon->streams() + daemon->queues() + daemon->objects(); left != 0)
      wrong += '\n' + std::to_string(left) + " objects are left";
    return wrong;
  }

 private:
  struct item {
    std::uint64_t id = 0;
    bool is_directory = false;
    timespec written{};
  };
  using places = std::map<std::string, item>;

  [[nodiscard]] static std::uint64_t number_of(const std::string& path) {
    struct ::stat s {};
    return ::lstat(path.c_str(), &s) == 0 ? s.st_ino : 0;
  }
  [[nodiscard]] places look_at_all() const {
    places all;
    for (const auto& [path, type] : listed()) {
      struct ::stat s {};
      if (::lstat(path.c_str(), &s) == 0) all[path] = {s.st_ino, type == entry_type::directory, s.st_mtim};
    }
    return all;
  }
  // An event for each name at which something else stands than before, or which was written.
  void tell(const places& before) {
    const places now = look_at_all();
    std::vector<fake_event> events;
    const auto kind = [](const item& i) { return i.is_directory ? fse::item_is_dir : fse::item_is_file; };
    for (const auto& [path, was] : before)
      if (const auto is = now.find(path); is == now.end() || is->second.id != was.id)
        events.push_back({path, fse::item_removed | kind(was), was.id});
    for (const auto& [path, is] : now) {
      const auto was = before.find(path);
      if (was == before.end() || was->second.id != is.id)
        events.push_back({path, fse::item_created | kind(is), is.id});
      else if (was->second.written.tv_sec != is.written.tv_sec || was->second.written.tv_nsec != is.written.tv_nsec)
        events.push_back({path, fse::item_modified | kind(is), is.id});
    }
    daemon->send(events);
  }

  std::shared_ptr<fake_fsevents> daemon = std::make_shared<fake_fsevents>();
  std::shared_ptr<fault_list<macos_call>> faulty = std::make_shared<fault_list<macos_call>>();
};

class faults_of_fsevents : public testing::TestWithParam<failing_call<macos_call>> {};
TEST_P(faults_of_fsevents, end) { write_rows<on_macos>(GetParam()); }
INSTANTIATE_TEST_SUITE_P(faults, faults_of_fsevents, testing::ValuesIn(calls), by_call);

}  // namespace
}  // namespace hotwatch::test
