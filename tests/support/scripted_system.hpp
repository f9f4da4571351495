// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A system that fails on demand, for any backend of Linux: basic_inotify_backend<scripted_system>. It hands on to the
// kernel, but a script can make the n-th call of a name fail, cut reads short, and change or add to what inotify says.

#include <dirent.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hotwatch/decode/fanotify.hpp"
#include "hotwatch/decode/inotify.hpp"
#include "hotwatch/os/linux/system.hpp"
#include "support/files.hpp"

namespace hotwatch::test {

enum class system_call : std::uint8_t {
  inotify_init1,
  inotify_add_watch,
  inotify_rm_watch,
  fanotify_init,
  fanotify_mark,
  name_to_handle_at,
  open_by_handle_at,
  read,
  write,
  ppoll,
  bytes_queued,
  openat,
  openat2,
  getdents64,
  statx,
  fstatfs,
  readlink,
  memfd_create,
  fchmod,
  eventfd,
  epoll_create1,
  epoll_ctl,
  timerfd_create,
  timerfd_settime,
  count_
};

/// The bytes of one inotify record, its name padded as the kernel does it.
inline std::string inotify_record(std::int32_t wd, std::uint32_t mask, std::string_view name = {},
                                  std::uint32_t cookie = 0) {
  const std::size_t padded = name.empty() ? 0 : (name.size() / 16 + 1) * 16;
  const detail::inotify::record_head head{wd, mask, cookie, static_cast<std::uint32_t>(padded)};
  std::string bytes(sizeof head + padded, '\0');
  std::memcpy(bytes.data(), &head, sizeof head);
  name.copy(bytes.data() + sizeof head, name.size());
  return bytes;
}

/// What one test wants to go wrong. Shared by the test and the system; for one thread.
class script {
 public:
  /// Sees every call before it is carried out, whether it will fail or not.
  std::function<void(system_call)> before_each;

  /// The `nth` call from now on (1: the next), and `times - 1` after it, fail with this errno.
  void fail(system_call call, int nth, int error, int times = 1) {
    faults_.push_back({call, calls(call) + nth, calls(call) + nth + times - 1, error});
  }
  static constexpr int for_ever = 1'000'000'000;
  /// From now on every other call fails with EINTR.
  void interrupt(system_call call) { interrupted_[index(call)] = true; }
  /// What would block fails with EINTR instead: ppoll(2), and a read of the inotify queue.
  bool interrupts_waits = false;
  void stop_failing() {
    faults_.clear();
    interrupted_ = {};
  }

  [[nodiscard]] int calls(system_call call) const { return calls_[index(call)]; }
  [[nodiscard]] int failures() const { return failures_; }

  /// Each read of the inotify queue gives at most so many bytes, in the middle of a record or not. 0: all.
  std::size_t read_at_most = 0;
  /// The next read of the inotify queue begins with these records.
  void inject(std::string_view records) { queued_ += records; }
  /// Sees, and may change, all the records that one read of the kernel gave.
  std::function<void(std::vector<std::string>&)> on_records;
  /// The same of the events that one read of the fanotify group gave.
  std::function<void(std::vector<std::string>&)> on_events;
  /// getdents64(2) gives at most about so many bytes at once.
  std::size_t list_at_most = 0;
  /// Each listing gives all its entries, and then all of them again.
  bool lists_twice = false;
  /// Listings do not say what an entry is (getdents(2): DT_UNKNOWN).
  bool hides_types = false;
  /// What statfs(2) calls the file system of every directory; 0: what it is.
  std::uint32_t file_system = 0;
  /// Something happens on disk before the `nth` call from now on (1: the next).
  void before(system_call call, int nth, std::function<void()> happens) {
    happenings_.push_back({call, calls(call) + nth, std::move(happens)});
  }

  /// A call that is about to be carried out; whether it fails, with errno set.
  [[nodiscard]] bool fails(system_call call) {
    announce(call);
    return counts_as_failed(call);
  }
  void announce(system_call call) const {
    if (before_each) before_each(call);
  }

  /// Counts a call; whether it fails, with errno set.
  [[nodiscard]] bool counts_as_failed(system_call call) {
    const int number = count(call);
    if (interrupted_[index(call)] && number % 2 == 1) {
      ++failures_;
      errno = EINTR;
      return true;
    }
    for (const fault& f : faults_)
      if (f.call == call && number >= f.first && number <= f.last) {
        ++failures_;
        errno = f.error;
        return true;
      }
    return false;
  }

  /// Counts a call that cannot fail, and lets happen what was meant to before it.
  int count(system_call call) {
    const int number = ++calls_[index(call)];
    for (happening& h : happenings_)
      if (h.call == call && h.number == number) h.happens();
    return number;
  }

  int queue = -1;             ///< the inotify instance
  int group = -1;             ///< the fanotify group
  std::set<int> listed_once;  ///< directories that were read to their end, with lists_twice

  /// Only calls that ask for another watch count and fail: where there is one already the kernel needs no new one
  /// (inotify_add_watch(2)), so no limit is in its way.
  int add_watch(int fd, const char* path, std::uint32_t mask) {
    announce(system_call::inotify_add_watch);
    const int watch = linux_system().inotify_add_watch(fd, path, mask);
    if (watch < 0 || watches_.contains(watch)) return watch;
    const bool no_more = watches_left == 0;
    if (counts_as_failed(system_call::inotify_add_watch) || no_more) {
      const int error = no_more ? ENOSPC : errno;
      linux_system().inotify_rm_watch(fd, watch);
      errno = error;
      return -1;
    }
    --watches_left;
    watches_.insert(watch);
    return watch;
  }
  /// How many more watches may be had; below 0: any number.
  int watches_left = -1;
  /// From now on every directory asks for a watch of its own again.
  void forget_watches() { watches_.clear(); }
  int remove_watch(int fd, int watch) {
    if (fails(system_call::inotify_rm_watch)) return -1;
    watches_.erase(watch);
    return linux_system().inotify_rm_watch(fd, watch);
  }

  /// The clock of file times steps back now, as when somebody sets it: what it gives from here on is so much less.
  void step_clock_back(std::int64_t nanoseconds) {
    outlive_the_tick();
    timespec now{};
    linux_system().clock_gettime(CLOCK_REALTIME_COARSE, &now);
    steps_.push_back({nanoseconds_of(now), nanoseconds});
  }
  /// A time that the kernel gave, as it were if the clock had been set.
  template <class Time>
  void as_stepped(Time& time) const {
    std::int64_t shown = nanoseconds_of(time);
    for (const step& s : steps_)
      if (nanoseconds_of(time) >= s.since) shown -= s.back;
    time.tv_sec = shown / 1'000'000'000;
    time.tv_nsec = static_cast<decltype(time.tv_nsec)>(shown % 1'000'000'000);
  }

  [[nodiscard]] bool has_queued() const { return !queued_.empty(); }
  [[nodiscard]] int queued() const { return static_cast<int>(queued_.size()); }

  /// A read of the inotify instance.
  ssize_t read_queue(void* buffer, std::size_t size) {
    int waiting = 0;
    const bool is_heard = linux_system().bytes_queued(queue, &waiting) == 0 && waiting > 0;
    if (interrupts_waits && queued_.empty() && !is_heard) {
      errno = EINTR;
      return -1;
    }
    if (queued_.empty() || is_heard) {
      std::vector<char> bytes(64 * 1024);
      const ssize_t got = linux_system().read(queue, bytes.data(), bytes.size());
      if (got < 0) return got;
      take_in(std::string_view(bytes.data(), static_cast<std::size_t>(got)));
    }
    std::size_t given = std::min(size, queued_.size());
    if (read_at_most != 0) given = std::min(given, read_at_most);
    std::memcpy(buffer, queued_.data(), given);
    queued_.erase(0, given);
    return static_cast<ssize_t>(given);
  }

  /// A read of the fanotify group: what on_events makes of it is not longer than what it was.
  ssize_t read_group(void* buffer, std::size_t size) const {
    const ssize_t got = linux_system().read(group, buffer, size);
    if (got <= 0 || !on_events) return got;
    std::vector<std::string> events;
    for (std::string_view bytes(static_cast<const char*>(buffer), static_cast<std::size_t>(got)); !bytes.empty();) {
      detail::fanotify::event_head head;
      std::memcpy(&head, bytes.data(), sizeof head);
      events.emplace_back(bytes.substr(0, head.length));
      bytes.remove_prefix(head.length);
    }
    on_events(events);
    std::string all;
    for (const std::string& event : events) all += event;
    std::memcpy(buffer, all.data(), all.size());
    return static_cast<ssize_t>(all.size());
  }

 private:
  struct fault {
    system_call call;
    int first;
    int last;
    int error;
  };
  struct step {
    std::int64_t since;
    std::int64_t back;
  };
  static std::int64_t nanoseconds_of(const auto& time) {
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
  }
  struct happening {
    system_call call;
    int number;
    std::function<void()> happens;
  };
  static constexpr std::size_t index(system_call call) { return static_cast<std::size_t>(call); }

  void take_in(std::string_view bytes) {
    if (!on_records) {
      queued_ += bytes;
      return;
    }
    std::vector<std::string> records;
    while (!bytes.empty()) {
      detail::inotify::record_head head;
      std::memcpy(&head, bytes.data(), sizeof head);
      records.emplace_back(bytes.substr(0, sizeof head + head.len));
      bytes.remove_prefix(sizeof head + head.len);
    }
    on_records(records);
    for (const std::string& record : records) queued_ += record;
  }

  std::array<int, static_cast<std::size_t>(system_call::count_)> calls_{};
  std::array<bool, static_cast<std::size_t>(system_call::count_)> interrupted_{};
  std::vector<fault> faults_;
  std::vector<happening> happenings_;
  std::vector<step> steps_;
  int failures_ = 0;
  std::string queued_;
  std::set<int> watches_;
};

/// The members of linux_system. Copies share one script.
class scripted_system {
 public:
  scripted_system() : script_(std::make_shared<script>()) {}
  explicit scripted_system(std::shared_ptr<script> s) : script_(std::move(s)) {}

  int inotify_init1(int flags) const noexcept {
    if (script_->fails(system_call::inotify_init1)) return -1;
    return script_->queue = real.inotify_init1(flags);
  }
  int inotify_add_watch(int fd, const char* path, std::uint32_t mask) const {
    return script_->add_watch(fd, path, mask);
  }
  int inotify_rm_watch(int fd, int wd) const { return script_->remove_watch(fd, wd); }
  int fanotify_init(unsigned flags, unsigned event_flags) const noexcept {
    if (script_->fails(system_call::fanotify_init)) return -1;
    return script_->group = real.fanotify_init(flags, event_flags);
  }
  int fanotify_mark(int fd, unsigned flags, std::uint64_t mask, int of) const noexcept {
    return script_->fails(system_call::fanotify_mark) ? -1 : real.fanotify_mark(fd, flags, mask, of);
  }
  int name_to_handle_at(int directory, const char* path, ::file_handle* handle, int* mount, int flags) const noexcept {
    return script_->fails(system_call::name_to_handle_at)
               ? -1
               : real.name_to_handle_at(directory, path, handle, mount, flags);
  }
  int open_by_handle_at(int mount, ::file_handle* handle, int flags) const noexcept {
    return script_->fails(system_call::open_by_handle_at) ? -1 : real.open_by_handle_at(mount, handle, flags);
  }
  ssize_t read(int fd, void* buffer, std::size_t size) const {
    if (script_->fails(system_call::read)) return -1;
    if (fd == script_->queue) return script_->read_queue(buffer, size);
    return fd == script_->group ? script_->read_group(buffer, size) : real.read(fd, buffer, size);
  }
  ssize_t write(int fd, const void* buffer, std::size_t size) const noexcept {
    return script_->fails(system_call::write) ? -1 : real.write(fd, buffer, size);
  }
  int ppoll(pollfd* fds, nfds_t count, const timespec* timeout) const noexcept {
    if (script_->fails(system_call::ppoll)) return -1;
    constexpr timespec at_once{};
    int ready = real.ppoll(fds, count, script_->has_queued() || script_->interrupts_waits ? &at_once : timeout);
    for (nfds_t i = 0; i < count && script_->has_queued() && ready >= 0; ++i)
      if (fds[i].fd == script_->queue && (fds[i].revents & POLLIN) == 0) {
        fds[i].revents |= POLLIN;
        ++ready;
      }
    if (ready == 0 && script_->interrupts_waits) {
      errno = EINTR;
      return -1;
    }
    return ready;
  }
  int bytes_queued(int fd, int* bytes) const noexcept {
    if (script_->fails(system_call::bytes_queued)) return -1;
    const int result = real.bytes_queued(fd, bytes);
    if (result == 0 && fd == script_->queue) *bytes += script_->queued();
    return result;
  }
  int openat(int directory, const char* path, int flags) const noexcept {
    return script_->fails(system_call::openat) ? -1 : real.openat(directory, path, flags);
  }
  int openat2(int directory, const char* path, const open_how& how) const noexcept {
    // It opens, and says more: what keeps openat(2) from opening keeps it.
    if (script_->fails(system_call::openat2) || script_->fails(system_call::openat)) return -1;
    return real.openat2(directory, path, how);
  }
  off_t lseek(int fd, off_t offset, int from) const noexcept { return real.lseek(fd, offset, from); }
  int close(int fd) const noexcept {
    script_->listed_once.erase(fd);
    return real.close(fd);
  }
  ssize_t getdents64(int fd, void* buffer, std::size_t size) const noexcept {
    if (script_->fails(system_call::getdents64)) return -1;
    const std::size_t at_most = script_->list_at_most != 0 ? std::min(size, script_->list_at_most) : size;
    const ssize_t given = real.getdents64(fd, buffer, at_most);
    if (script_->hides_types) hide_types(static_cast<char*>(buffer), given);
    if (given != 0 || !script_->lists_twice || !script_->listed_once.insert(fd).second) return given;
    ::lseek(fd, 0, SEEK_SET);
    return real.getdents64(fd, buffer, at_most);
  }
  static void hide_types(char* entries, ssize_t size) noexcept {
    // struct linux_dirent64: u64 d_ino, s64 d_off, u16 d_reclen, u8 d_type
    for (std::uint16_t length = 0; size > 0; entries += length, size -= length) {
      std::memcpy(&length, entries + 16, sizeof length);
      entries[18] = DT_UNKNOWN;
    }
  }
  int statx(int directory, const char* path, int flags, unsigned mask, struct ::statx* out) const noexcept {
    if (script_->fails(system_call::statx) || real.statx(directory, path, flags, mask, out) != 0) return -1;
    for (statx_timestamp* const time : {&out->stx_mtime, &out->stx_ctime, &out->stx_btime}) script_->as_stepped(*time);
    return 0;
  }
  int fstatfs(int fd, struct ::statfs* out) const noexcept {
    if (script_->fails(system_call::fstatfs)) return -1;
    const int result = real.fstatfs(fd, out);
    if (script_->file_system != 0) out->f_type = script_->file_system;
    return result;
  }
  ssize_t readlink(const char* path, char* buffer, std::size_t size) const noexcept {
    return script_->fails(system_call::readlink) ? -1 : real.readlink(path, buffer, size);
  }
  int memfd_create(const char* name, unsigned flags) const noexcept {
    return script_->fails(system_call::memfd_create) ? -1 : real.memfd_create(name, flags);
  }
  int fchmod(int fd, mode_t mode) const noexcept {
    return script_->fails(system_call::fchmod) ? -1 : real.fchmod(fd, mode);
  }
  int eventfd(unsigned value, int flags) const noexcept {
    return script_->fails(system_call::eventfd) ? -1 : real.eventfd(value, flags);
  }
  int epoll_create1(int flags) const noexcept {
    return script_->fails(system_call::epoll_create1) ? -1 : real.epoll_create1(flags);
  }
  int epoll_ctl(int epoll, int operation, int fd, epoll_event* event) const noexcept {
    return script_->fails(system_call::epoll_ctl) ? -1 : real.epoll_ctl(epoll, operation, fd, event);
  }
  int timerfd_create(int which, int flags) const noexcept {
    return script_->fails(system_call::timerfd_create) ? -1 : real.timerfd_create(which, flags);
  }
  int timerfd_settime(int fd, int flags, const itimerspec* value) const noexcept {
    return script_->fails(system_call::timerfd_settime) ? -1 : real.timerfd_settime(fd, flags, value);
  }
  int clock_gettime(clockid_t which, timespec* out) const noexcept {
    if (real.clock_gettime(which, out) != 0) return -1;
    script_->as_stepped(*out);
    return 0;
  }

 private:
  static constexpr linux_system real{};
  std::shared_ptr<script> script_;
};

}  // namespace hotwatch::test
