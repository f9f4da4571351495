// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The Linux backend for those who may mark whole file systems: fanotify(7), one group for all roots. Floor 4.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../core/directory_table.hpp"
#include "../os/linux/descriptor_path.hpp"
#include "../os/linux/fanotify_queue.hpp"
#include "../os/linux/marked_file_systems.hpp"
#include "../os/linux/numbered_directory.hpp"
#include "../os/linux/root_path.hpp"
#include "../os/linux/system.hpp"
#include "../os/linux/time.hpp"
#include "../os/linux/way_guard.hpp"

namespace hotwatch::inline v0 {

/// fanotify. One mark a file system, so that a directory costs nothing but its listing, and no limit of watches is met.
/// It hears of all that happens on the file system and drops what is none of its roots'; a directory is looked up when
/// something happens in it for the first time.
///
/// Needs Linux 5.17 and CAP_SYS_ADMIN; without CAP_DAC_READ_SEARCH each directory costs a system call more. Roots on
/// file systems that cannot be marked are polled, and the notice says why: EPERM, EOPNOTSUPP or ENODEV (overlay, FUSE,
/// network, /proc), EXDEV (a subvolume of btrfs). What inotify cannot see is seen by nobody here either.
template <class System = linux_system>
class basic_fanotify_backend {
 public:
  using directory = detail::numbered_directory<System>;
  static constexpr std::string_view overflow_advice = "raise sysctl fs.fanotify.max_queued_events";
  /// inotify's beside its own, whose handles are below no_watch.
  static constexpr bool has_two_kernel_objects = true;
  /// Its attributes are told by its own handle, which is not known before it was opened.
  static constexpr bool hears_of_permission = false;

  /// Between two reads of the queue so many directories are asked for their handles when they are listed, those beyond
  /// that when something happens in them.
  static constexpr std::size_t usually_asked = 1000;

  explicit basic_fanotify_backend(System system = {}, std::size_t asked_at_once = usually_asked)
      : system_(std::move(system)),
        queue_(system_),
        path_(system_),
        file_systems_(system_, path_),
        asked_at_once_(asked_at_once),
        still_asked_(asked_at_once) {}

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    path_.forget();
    return directory::open(system_, first_, path, ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) noexcept {
    return detail::directory<System>::look(system_, path, out);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::resolve(system_, path); }

  /// The mark stands before the first directory is listed. A root, and a directory at which a file system begins, has a
  /// post beside it.
  [[nodiscard]] watch_answer watch(const directory& d, watch_scope scope) {
    std::error_code ec;
    const std::uint64_t file_id = d.file_id(ec);
    if (ec) return refused(ec);
    number on = file_systems_.on(d.device());
    std::int32_t watch = on != none ? table_.watch(on, file_id) : detail::no_watch;
    if (watch == detail::no_watch || (scope != watch_scope::inside && !has_post(watch))) {
      if ((on = file_systems_.mark(queue_.group(), d, ec)) == none) return refused(ec);
      watch = table_.watch(on, file_id);
      if ((ec = set_post(d, watch, on))) return refused(ec);
    }
    // One that took the number of a removed directory has another handle than that; where handles may not be opened,
    // nobody asks for it later.
    if (still_asked_ != 0 && (!may_open_ || !table_.has_handle(watch))) {
      --still_asked_;
      if ((ec = learn_handle(d, on, file_id)) && !may_open_) return refused(ec);
    }
    return {watch};
  }

  void unwatch(std::int32_t watch) noexcept {
    if (watch < detail::no_watch) {
      std::erase(guards_, guard_of(watch));
      return release(guard_of(watch));
    }
    table_.unwatch(watch);
    const auto at = std::find_if(posts_.begin(), posts_.end(), [&](const post& p) { return p.watch == watch; });
    if (at == posts_.end()) return;
    const std::int32_t guard = at->guard;
    posts_.erase(at);
    release(guard);
  }

  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    const std::size_t before = guards.size();
    guard_answer answer = detail::guard_way(system_, queue_.guards().fd(), path, guards);
    for (std::size_t i = before; i < guards.size(); ++i) {
      if (!is_guard(guards[i])) guards_.push_back(guards[i]);
      guards[i] = handle_of(guards[i]);
    }
    return answer;
  }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept { return queue_.wait(timeout); }
  /// What others do elsewhere is none of it, and dropped: else whoever is busy there would keep every doubt waiting.
  [[nodiscard]] bool drained() {
    queue_.drop_strangers([&](const handle& h) { return watch_of(h); });
    file_systems_.close();
    return !lost_ && queue_.drained();
  }
  [[nodiscard]] int reads_queued() const noexcept { return queue_.reads_queued(); }
  void wake() noexcept { queue_.wake(); }

  template <class Sink>
  std::size_t drain(Sink&& sink) {
    // The guards were read before: what they say of a directory's end is told behind what happened in it.
    std::size_t records = queue_.drain([&](const handle& h) { return watch_of(h); }, sink);
    records += queue_.guards().drain([&](const hint& h) { tell_of_guard(h, sink); });
    file_systems_.close();
    still_asked_ = asked_at_once_;
    if (std::exchange(lost_, false)) {
      ++records;
      sink(hint{hint_kind::overflow});
    }
    return records;
  }

  /// Both places of a rename come in one event; the rest of an exchange comes in another.
  void finish_renames(const directory& d) { detail::outwait_renames(system_, d.fd()); }

  [[nodiscard]] int native_handle() { return queue_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { queue_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::file_clock_now(system_); }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  using number = typename detail::marked_file_systems<System>::number;
  using handle = detail::fanotify::directory_handle;
  static constexpr number none = detail::marked_file_systems<System>::none;

  /// inotify's watch of a directory for its own moving, removal and unmounting.
  struct post {
    std::int32_t guard;  ///< inotify's handle
    std::int32_t watch;  ///< the directory's
    number file_system;
    bool is_sure = true;  ///< not after an overflow: its end may be among what was dropped
  };

  // Handles of guards are counted downwards from below no_watch.
  [[nodiscard]] static std::int32_t handle_of(std::int32_t guard) noexcept { return detail::no_watch - 1 - guard; }
  [[nodiscard]] static std::int32_t guard_of(std::int32_t handle) noexcept { return detail::no_watch - 1 - handle; }

  [[nodiscard]] static watch_answer refused(std::error_code why) noexcept {
    return {detail::no_watch, true, why, advice(why.value())};
  }
  [[nodiscard]] static std::string_view advice(int error) noexcept {
    switch (error) {
      case EPERM: return "a mark on a file system needs CAP_SYS_ADMIN";
      case ENODEV:
      case EOPNOTSUPP: return "fanotify cannot mark a file system of this type; inotify can watch it";
      case EXDEV: return "fanotify cannot mark a subvolume of btrfs; inotify can watch it";
      case ENOSPC: return "raise the limits: sysctl fs.fanotify.max_user_marks, sysctl fs.inotify.max_user_watches";
      case ENOMEM: return "the kernel is out of memory for marks";
      default: return "";
    }
  }

  [[nodiscard]] bool is_guard(std::int32_t guard) const noexcept {
    return std::find(guards_.begin(), guards_.end(), guard) != guards_.end();
  }
  [[nodiscard]] bool has_post(std::int32_t watch) const noexcept {
    return std::any_of(posts_.begin(), posts_.end(), [&](const post& p) { return p.watch == watch && p.is_sure; });
  }

  [[nodiscard]] std::error_code set_post(const directory& d, std::int32_t watch, number on) {
    const int guard =
        system_.inotify_add_watch(queue_.guards().fd(), path_.of(d.fd()), detail::of_itself | IN_ONLYDIR | IN_MASK_ADD);
    if (guard < 0) return detail::last_error();
    std::erase_if(posts_, [&](const post& p) { return p.guard == guard || p.watch == watch; });
    posts_.push_back({guard, watch, on});
    return {};
  }

  // One watch of inotify may be a guard and a post.
  void release(std::int32_t guard) noexcept {
    const bool is_post = std::any_of(posts_.begin(), posts_.end(), [&](const post& p) { return p.guard == guard; });
    if (!is_post && !is_guard(guard)) system_.inotify_rm_watch(queue_.guards().fd(), guard);
  }

  template <class Sink>
  void tell_of_guard(hint h, Sink&& sink) {
    if (h.kind == hint_kind::overflow) {
      for (post& p : posts_) p.is_sure = false;
      return sink(h);
    }
    const std::int32_t guard = h.watch;
    const bool was_guard = is_guard(guard);
    const auto at = std::find_if(posts_.begin(), posts_.end(), [&](const post& p) { return p.guard == guard; });
    const std::int32_t posted = at != posts_.end() ? at->watch : detail::no_watch;
    if (h.kind == hint_kind::unwatched) {
      std::erase(guards_, guard);
      if (at != posts_.end()) {
        file_systems_.doubt(at->file_system);
        table_.unwatch(posted);
        posts_.erase(at);
      }
    }
    h.watch = handle_of(guard);
    if (was_guard) sink(h);
    h.watch = posted;
    if (posted != detail::no_watch && (h.kind == hint_kind::unwatched || h.kind == hint_kind::gone)) sink(h);
  }

  // Room for a struct file_handle with the longest handle.
  class handle_buffer {
   public:
    handle_buffer() noexcept { get()->handle_bytes = detail::fanotify::longest_handle; }
    explicit handle_buffer(const handle& h) noexcept {
      get()->handle_bytes = static_cast<unsigned>(h.bytes.size());
      get()->handle_type = h.type;
      h.bytes.copy(bytes_.data() + sizeof(::file_handle), h.bytes.size());
    }
    [[nodiscard]] ::file_handle* get() noexcept { return reinterpret_cast<::file_handle*>(bytes_.data()); }
    [[nodiscard]] std::string_view bytes() noexcept {
      return {bytes_.data() + sizeof(::file_handle), get()->handle_bytes};
    }

   private:
    alignas(::file_handle) std::array<char, sizeof(::file_handle) + detail::fanotify::longest_handle> bytes_{};
  };

  [[nodiscard]] std::int32_t watch_of(const handle& h) {
    const number on = file_systems_.of(h.file_system);
    if (on == none) return detail::no_watch;
    if (const auto known = table_.find(on, h.type, h.bytes)) return *known;
    if (may_open_) follow(h, on);
    return table_.find(on, h.type, h.bytes).value_or(detail::no_watch);
  }

  // Which directory is it? Asked once of each in which something happens.
  void follow(const handle& h, number on) {
    const int place = file_systems_.descriptor(on);
    if (place < 0) {  // unmounted, or all that was known there was moved about
      lost_ |= file_systems_.doubt(on);
      return;
    }
    handle_buffer buffer(h);
    const int fd = system_.open_by_handle_at(place, buffer.get(), O_PATH | O_CLOEXEC);
    if (fd < 0 && errno == ESTALE) return table_.bind_to_none(on, h.type, h.bytes);
    file_status status;
    if (fd >= 0 && !detail::directory<System>(system_, fd).look({}, status)) {
      // Not so in a subvolume.
      if (status.device == file_systems_.device(on))
        table_.bind(on, h.type, h.bytes, status.file_id);
      else
        table_.bind_to_none(on, h.type, h.bytes);
      return;
    }
    lost_ = true;
    if (fd >= 0 || (errno != EPERM && errno != ENOSYS)) return;
    // From now on every directory is asked for its handle when it is listed, and by the overflow all are listed.
    may_open_ = false;
    asked_at_once_ = std::numeric_limits<std::size_t>::max();
  }

  [[nodiscard]] std::error_code learn_handle(const directory& d, number on, std::uint64_t file_id) {
    handle_buffer buffer;
    int mount = 0;
    if (system_.name_to_handle_at(d.fd(), "", buffer.get(), &mount, AT_EMPTY_PATH) != 0) return detail::last_error();
    if (!table_.find(on, buffer.get()->handle_type, buffer.bytes()))
      table_.bind(on, buffer.get()->handle_type, buffer.bytes(), file_id);
    return {};
  }

  System system_;
  detail::fanotify_queue<System> queue_;
  detail::descriptor_path<System> path_;
  detail::first_names first_;
  detail::marked_file_systems<System> file_systems_;
  detail::directory_table table_;
  std::vector<post> posts_;
  std::vector<std::int32_t> guards_;  ///< inotify's handles
  std::size_t asked_at_once_;
  std::size_t still_asked_;  ///< so many until the next read
  bool may_open_ = true;     ///< handles may be opened
  bool lost_ = false;        ///< an event could not be followed
};

using fanotify_backend = basic_fanotify_backend<>;

}  // namespace hotwatch::inline v0
