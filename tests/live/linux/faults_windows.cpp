// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Every call of the Windows backend, over a Windows in memory and a clock that the test moves, with every error that it
// is documented to have: at each time that it is made (support/fault_table.hpp).
#include "hotwatch/backends/windows.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "hotwatch/watcher.hpp"
#include "support/fault_table.hpp"
#include "support/faulted_windows.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using enum windows_call;

struct known_error {
  std::uint32_t number;
  const char* name;
};
// winerror.h ("System Error Codes"), and ntstatus.h ([MS-ERREF] 2.3.1).
constexpr known_error known_errors[] = {
    {1, "ERROR_INVALID_FUNCTION"},
    {2, "ERROR_FILE_NOT_FOUND"},
    {3, "ERROR_PATH_NOT_FOUND"},
    {4, "ERROR_TOO_MANY_OPEN_FILES"},
    {5, "ERROR_ACCESS_DENIED"},
    {8, "ERROR_NOT_ENOUGH_MEMORY"},
    {32, "ERROR_SHARING_VIOLATION"},
    {50, "ERROR_NOT_SUPPORTED"},
    {64, "ERROR_NETNAME_DELETED"},
    {87, "ERROR_INVALID_PARAMETER"},
    {124, "ERROR_INVALID_LEVEL"},
    {234, "ERROR_MORE_DATA"},
    {1022, "ERROR_NOTIFY_ENUM_DIR"},
    {1117, "ERROR_IO_DEVICE"},
    {1168, "ERROR_NOT_FOUND"},
    {1450, "ERROR_NO_SYSTEM_RESOURCES"},
    {1816, "ERROR_NOT_ENOUGH_QUOTA"},
    {0x10C, "STATUS_NOTIFY_ENUM_DIR"},
    {0xC0000017, "STATUS_NO_MEMORY"},
    {0xC0000022, "STATUS_ACCESS_DENIED"},
    {0xC0000043, "STATUS_SHARING_VIOLATION"},
    {0xC000009A, "STATUS_INSUFFICIENT_RESOURCES"},
    {0xC00000C9, "STATUS_NETWORK_NAME_DELETED"},
    {0xC000011F, "STATUS_TOO_MANY_OPENED_FILES"},
    {0xC0000120, "STATUS_CANCELLED"},
    {0xC0000185, "STATUS_IO_DEVICE_ERROR"},
};

constexpr int no_memory = 8, no_resources = 1450, no_quota = 1816, io_device = 1117, netname_deleted = 64,
              access_denied = 5, invalid_function = 1, invalid_parameter = 87, not_supported = 50, invalid_level = 124;
constexpr int status(std::uint32_t s) { return static_cast<int>(s); }

// Left out, as for Linux: the errors of a program that hands over nonsense, and those which say of what is there that
// it is not. A wait at the port fails only when the port is closed (GetQueuedCompletionStatusEx:
// ERROR_ABANDONED_WAIT_0); CloseHandle, SetEvent, ResetEvent, SetThreadpoolTimer and the clock have nothing to fail by;
// GetFullPathNameW and GetDriveTypeW ask no file system. Where an error is documented:
const failing_call<windows_call> calls[] = {
    // [MS-FSA] 2.1.5.1 (open of a file), and for memory, handles and devices [MS-ERREF] 2.3.1.
    {NtCreateFile,
     "NtCreateFile",
     {status(0xC0000017), status(0xC0000022), status(0xC0000043), status(0xC000009A), status(0xC00000C9),
      status(0xC000011F), status(0xC0000185)}},
    // FSCTL_GET_REPARSE_POINT: ERROR_MORE_DATA, ERROR_INVALID_FUNCTION; [MS-FSA] 2.1.5.10.14.
    {DeviceIoControl, "DeviceIoControl", {invalid_function, access_denied, 234, io_device}},
    // "Depending on the underlying network features of the operating system ... this function might fail".
    {GetFileInformationByHandle,
     "GetFileInformationByHandle",
     {invalid_function, no_memory, netname_deleted, io_device}},
    // [MS-FSA] 2.1.5.12.6 and .12.2: FileBasicInformation and FileAttributeTagInformation want FILE_READ_ATTRIBUTES,
    // and what
    // has no reparse points may know the second one not at all.
    {ask_basic, "GetFileInformationByHandleEx: basic", {access_denied, no_memory, netname_deleted, io_device}},
    {ask_tag,
     "GetFileInformationByHandleEx: attribute tag",
     {access_denied, not_supported, invalid_parameter, no_memory, io_device}},
    // [MS-FSA] 2.1.5.6.3; a class that a file system does not know: GetFileInformationByHandleEx, "Remarks".
    {ask_listing,
     "GetFileInformationByHandleEx: names",
     {access_denied, not_supported, invalid_parameter, invalid_level, no_memory, netname_deleted, io_device}},
    // Its "Return value".
    {GetFinalPathNameByHandleW, "GetFinalPathNameByHandleW", {3, no_memory, access_denied}},
    {GetLongPathNameW, "GetLongPathNameW", {2, access_denied, netname_deleted}},
    // Their "Return value" and "Remarks"; what cannot be locked down for a request is out of quota.
    {ReadDirectoryChangesW,
     "ReadDirectoryChangesW",
     {invalid_function, access_denied, no_memory, netname_deleted, 1022, no_resources, no_quota}},
    {ReadDirectoryChangesExW,
     "ReadDirectoryChangesExW",
     {invalid_function, access_denied, not_supported, invalid_parameter, no_memory, netname_deleted, 1022, no_resources,
      no_quota}},
    // How a request ends instead of with its records: [MS-FSA] 2.1.5.11.1 and 2.1.4.1, [MS-SMB2] 3.3.4.4.
    {end_of_request,
     "end of a request",
     {0x10C, status(0xC0000022), status(0xC000009A), status(0xC00000C9), status(0xC0000120), status(0xC0000185)}},
    // Its "Return value": ERROR_NOT_FOUND, when it has ended by itself.
    {CancelIoEx, "CancelIoEx", {1168, no_resources}},
    // "If the function fails ... GetLastError" is all that is said of these: what is made, or queued, takes memory and
    // quota; a flag that is new is an invalid parameter to a Windows that does not know it.
    {CreateIoCompletionPort, "CreateIoCompletionPort", {invalid_parameter, no_memory, no_resources, no_quota}},
    {PostQueuedCompletionStatus, "PostQueuedCompletionStatus", {no_memory, no_resources, no_quota}},
    {CreateEventW, "CreateEventW", {no_memory, no_resources, no_quota}},
    {CreateWaitableTimerExW, "CreateWaitableTimerExW", {invalid_parameter, no_memory, no_resources, no_quota}},
    {SetWaitableTimer, "SetWaitableTimer", {no_memory, no_resources}},
    {WaitForMultipleObjects, "WaitForMultipleObjects", {no_memory, no_resources}},
    {CreateThreadpoolTimer, "CreateThreadpoolTimer", {no_memory, no_resources}},
};

/// `Handle`: the watcher is asked when its handle says so; else it waits by itself.
template <bool Handle>
class on_windows {
 public:
  static constexpr const char* title =
      Handle ? "windows_backend, asked when its handle is set" : "windows_backend, by wait_for()";
  static constexpr const char* introduction = "";
  static constexpr int phases = 4;
  static constexpr int first_calls = Handle ? 1000 : 8;  // all
  static constexpr int for_ever = fault_list<windows_call>::for_ever;
  static constexpr bool has(phase) { return true; }
  static std::string name_of(int error) {
    for (const known_error& one : known_errors)
      if (one.number == static_cast<std::uint32_t>(error)) return one.name;
    return std::to_string(error);
  }
  static std::error_code code_of(windows_call call, int error) {
    const fake_windows_system system(std::make_shared<fake_windows>());
    return call == NtCreateFile ? win::error_of_status(system, static_cast<std::uint32_t>(error))
                                : win::error_of(static_cast<std::uint32_t>(error));
  }
  static constexpr bool is_alike(int, int) { return false; }

  void make_tree() {
    for (const char* d : {"a", "a/b", "a/b/c", "d", "d/e", "f"}) windows->mkdir(d);
    for (const char* f : {"1", "a/2", "a/b/3", "a/b/c/4", "d/5", "d/e/6", "a/LONG~1"}) windows->write(f);
    windows->link("l", "d");
  }
  void begin(windows_call call, int error, int n, int times) { windows->faults.fail(call, n, error, times); }
  void open() {
    watcher = std::make_unique<fake_watcher>(options{.poll_interval = 5ms}, faulted_windows_system(windows));
    watcher->add(std::string_view("C:/root"));
    told.start_from(known(*watcher));
    take(watcher->poll());
  }
  void ask_for_handle() {
    if (!Handle) return;
    (void)watcher->native_handle();
    has_handle_ = true;
  }
  [[nodiscard]] bool has_watcher() const { return watcher && !told.entries().empty(); }
  [[nodiscard]] int failures() const { return windows->faults.failures(); }

  void work(phase now) {
    switch (now) {
      case phase::set_up: break;
      case phase::running: return change_all();
      case phase::overflow:
        windows->overflow();
        windows->disk->make("C:/root/a/unheard");
        windows->disk->take("C:/root/d/5");
        windows->write("heard");
        break;
      case phase::returning:
        windows->remove_root();
        (void)drive(20ms);
        if (!windows->take_root_away()) wrong_ += "a root that is deleted is held open\n";
        (void)drive(20ms);
        windows->make_root();
        make_tree();
        break;
    }
  }
  [[nodiscard]] std::string drive(std::chrono::nanoseconds longest) {
    using clock = faulted_windows::clock;
    const auto end = clock::now() + longest;
    std::string difference;
    int rounds = 0;
    do {
      if (!has_handle_) {
        take(watcher->wait_for(2ms));
      } else {
        fake_windows& disk = *windows->disk;
        if (!disk.is_raised) {
          if (disk.due == 0) break;  // nothing would wake him who waits
          windows->advance(std::chrono::nanoseconds(-100 * std::exchange(disk.due, 0)));
          disk.is_raised = true;
        }
        take(watcher->poll());
      }
      windows->advance(1us);
      if (++rounds == 20'000) return "it is asked all the time\n";
      difference = windows_told_apart();
    } while (clock::now() < end && !(difference.empty() && rounds > 8));
    take(watcher->flush());
    return windows_told_apart();
  }
  void end_faults(int) { windows->faults.stop_failing(); }
  void write_last() { windows->write("last"); }
  [[nodiscard]] std::string close() {
    std::string left;
    if (watcher) {
      watcher->stop();
      if (!watcher->wait().empty()) left += "told after the end\n";
    }
    watcher.reset();
    if (const std::size_t n = windows->disk->handles() + windows->disk->things(); n != 0)
      left += std::to_string(n) + " handles are open\n";
    if (windows->disk->requests() != 0) left += "a request waits\n";
    for (const std::string& one : windows->wrong) left += one + '\n';
    return left;
  }

  std::vector<owned_notice> notices;

 private:
  using fake_watcher = basic_watcher<basic_windows_backend<faulted_windows_system>, faulted_windows::clock>;

  void change_all() {
    for (const char* d : {"", "a/", "a/b/", "a/b/c/", "d/", "d/e/", "f/"}) {
      const std::string at = d;
      windows->write(at + "new");
      windows->mkdir(at + "made");
      windows->mkdir(at + "made/within");
      windows->write(at + "made/within/file");
    }
    windows->write("a/LONG~1");
    windows->rename("1", "f/1");
    windows->rename("d/e", "a/b/e");
    windows->write("a/b/e/6");
    windows->remove("a/2");
    windows->remove_all("a/b/c");
    windows->rename("a/b/e/new", "f/renamed");
    windows->rename("f/renamed", "f/again");
    windows->link("m", "a");
  }
  void take(const batch& b) {
    if (const std::string why = told.apply(b); !why.empty() && wrong_.empty()) wrong_ = why;
    for (const notice& n : b.notices())
      notices.push_back({n.kind, std::string(n.path), n.error, std::string(n.advice)});
  }
  [[nodiscard]] std::string windows_told_apart() const { return wrong_ + told.difference(windows->list()); }

  std::shared_ptr<faulted_windows> windows = std::make_shared<faulted_windows>();
  std::unique_ptr<fake_watcher> watcher;
  model told{{"C:/root"}};
  std::string wrong_;
  bool has_handle_ = false;
};

class faults_of_windows : public testing::TestWithParam<failing_call<windows_call>> {};
TEST_P(faults_of_windows, end) { write_rows<on_windows<true>>(GetParam()); }
class faults_of_windows_waiting : public testing::TestWithParam<failing_call<windows_call>> {};
TEST_P(faults_of_windows_waiting, end) { write_rows<on_windows<false>>(GetParam()); }

INSTANTIATE_TEST_SUITE_P(faults, faults_of_windows, testing::ValuesIn(calls), by_call);
INSTANTIATE_TEST_SUITE_P(faults, faults_of_windows_waiting, testing::ValuesIn(calls), by_call);

TEST(faults_of_wake, what_could_not_be_posted_is_posted_by_the_next) {
  const auto windows = std::make_shared<faulted_windows>();
  basic_windows_backend<faulted_windows_system> backend{faulted_windows_system(windows)};
  windows->faults.fail(PostQueuedCompletionStatus, 1, no_resources);
  backend.wake();
  EXPECT_TRUE(windows->disk->is_port_empty());
  backend.wake();
  EXPECT_FALSE(windows->disk->is_port_empty());
}

}  // namespace
}  // namespace hotwatch::test
