// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The macOS backend: FSEvents, a stream a root. Floor 4.

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "../error.hpp"
#include "../os/macos/canonical_path.hpp"
#include "../os/macos/event_stream.hpp"
#include "../os/macos/file_system.hpp"
#include "../os/native.hpp"
#include "../os/posix/root_path.hpp"

namespace hotwatch::inline v0 {

/// One stream a root tells of the whole tree below it, and of the way to it. Its events come late (5 ms to seconds),
/// merged over many seconds, and again: they only say where to look. So files are looked at when they are listed, a
/// change is what a look finds to differ, and a rename is known by the file's number. A barrier (flush()) looks at
/// everything, because FSEvents has none that is one: what its daemon has not heard of yet no flush of a stream tells.
///
/// What macOS does not say: that something was written before the writer closes it; that only the times of a file were
/// set, which is told as `modified`; and what other machines change on a share, which is polled besides.
template <class System>
class basic_fsevents_backend {
  using os_directory = detail::os::directory<System>;
  using alarm = detail::os::alarm<System>;
  using stream = detail::macos::event_stream<System, alarm>;
  using stand = detail::fsevents::stand;
  /// The stream that tells of what is reached by one path; kept by that stream, and by the directories that are open.
  using teller = std::shared_ptr<std::int32_t>;

 public:
  static constexpr bool ignores_case = System::names_ignore_case;
  static constexpr bool hears_closing = false;
  static constexpr bool only_says_where = true;
  static constexpr bool tells_late = true;

  /// Knows by which root, or link, it was reached.
  class directory {
   public:
    directory() noexcept = default;

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(directory_); }
    [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
      return directory(directory_.open_child(name, ec), *owner_, way_);
    }
    [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const {
      os_directory d = directory_.open_link(name, ec);
      if (!d) return directory();
      const std::string path = owner_->path_of(d, ec);
      return ec ? directory() : directory(std::move(d), *owner_, owner_->way_by(path));
    }
    template <class Visit>
    [[nodiscard]] std::error_code list(std::vector<char>& buffer, Visit&& visit) const {
      return directory_.list(buffer, visit);
    }
    [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
      return directory_.look(name, out);
    }
    /// A name that was found, as the directory lists it; empty where that cannot be told.
    [[nodiscard]] std::string spelling_of(std::string_view name) const {
      std::string listed;
      (void)owner_->system_.name_of(directory_.fd(), std::string(name).c_str(), listed);
      return listed;
    }
    [[nodiscard]] bool dates_its_names() const noexcept { return directory_.dates_its_names(); }

   private:
    friend basic_fsevents_backend;
    directory(os_directory d, basic_fsevents_backend& owner, teller by) noexcept
        : directory_(std::move(d)), owner_(&owner), way_(std::move(by)) {}

    os_directory directory_;
    basic_fsevents_backend* owner_ = nullptr;
    teller way_;
  };

  /// Throws std::system_error.
  explicit basic_fsevents_backend(System system = {}) : system_(std::move(system)), alarm_(system_), queue_(system_) {}
  basic_fsevents_backend(const basic_fsevents_backend&) = delete;
  basic_fsevents_backend& operator=(const basic_fsevents_backend&) = delete;

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    return directory(os_directory::open(system_, path, ec), *this, way_by(path));
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) {
    return os_directory::look(system_, path, out);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::os::resolve(system_, path); }
  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const {
    return a == b || (ignores_case && detail::macos::is_same_spelling(system_, a, b));
  }

  [[nodiscard]] watch_answer watch(const directory& d, watch_scope scope) {
    file_status status;
    if (const std::error_code ec = d.look({}, status)) return {detail::no_watch, true, ec};
    const identity who{status.device, status.file_id};
    watch_answer answer = scope == watch_scope::inside ? number_inside(d, who) : begin_at(d, who, scope);
    if (answer.watch == detail::no_watch || tells_all(d, who.device)) return answer;
    answer.polled = true;
    answer.error = errc::partly_told;
    answer.advice = "what others change there is found by looking, every poll_interval";
    return answer;
  }

  void unwatch(std::int32_t number) noexcept {
    if (std::erase_if(guards_, [&](const auto& g) { return g.number == number; }) != 0) {
      close_unused_streams();
    } else if (const auto known = directories_.find(number); known != directories_.end()) {
      numbers_.erase(known->second);
      directories_.erase(known);
    } else if (watching* const w = find_stream(number); w != nullptr) {
      w->is_watched = false;
      close_unused_streams();
    }
  }

  /// What is moved or removed on the way to a directory its stream tells. A guard stands at each symlink on the way,
  /// and where the way ends: it is a name that is listened for, in a stream that is there anyhow or in one of its own.
  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    guard_answer answer;
    bool ends = false;
    const std::string end = detail::walk_root_path<os_directory>(system_, path, [&](auto step, const std::string& at) {
      if (step == decltype(step)::directory) return;
      const std::size_t slash = at.rfind('/');
      const std::error_code ec =
          guard_name(at.substr(0, std::max(slash, std::size_t{1})), at.substr(slash + 1), guards);
      if (step == decltype(step)::missing) {
        ends = true;
        answer.awaited = at.substr(slash + 1);
      }
      if (ec && !answer.error) answer.error = ec;
    });
    answer.leads_on = !ends && !end.empty();
    answer.advice = "that the root was moved or replaced may go unnoticed";
    return answer;
  }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) noexcept {
    if (!box_.empty()) timeout = std::chrono::nanoseconds(0);
    const bool woken = alarm_.wait(timeout);
    drained_ = box_.empty();
    return woken || !drained_;
  }
  [[nodiscard]] bool drained() const noexcept { return drained_; }
  void wake() noexcept { alarm_.wake(); }

  template <class Sink>
  std::size_t drain(Sink&& sink) {
    if (box_.take(taken_)) sink(hint{});
    // The sink may watch and unwatch.
    for (std::size_t i = 0; i < taken_.size(); ++i) give(taken_.event(i), taken_.stream(i), sink);
    drained_ = box_.empty();
    const std::size_t records = taken_.size();
    taken_.clear();
    return records;
  }

  /// Both halves of a rename are found by the same look, or each by its own.
  void finish_renames(const directory&) noexcept {}

  [[nodiscard]] auto native_handle() { return alarm_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { alarm_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::os::file_clock_now(system_); }

  /// What waits to be read, room for it, and the paths by which directories were reached.
  [[nodiscard]] std::size_t bytes() const noexcept {
    std::size_t sum = box_.bytes() + taken_.bytes();
    for (const auto& way : ways_) sum += sizeof way + way.first.capacity();
    return sum;
  }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  struct identity {
    std::uint64_t device = 0;
    std::uint64_t file_id = 0;
    friend bool operator==(const identity&, const identity&) = default;
  };
  struct identity_hash {
    std::size_t operator()(const identity& i) const noexcept {
      return static_cast<std::size_t>(detail::mix64(i.file_id ^ i.device << 32));
    }
  };
  struct watching {
    std::string path;
    identity who;
    bool is_watched;                     ///< else only guards listen there
    std::optional<bool> tells_all = {};  ///< of the file system; empty: not asked yet
    std::vector<teller> ways = {};
    stream events;

    watching(std::string p, identity i, bool t, bool w, const typename stream::target& to, std::int32_t number)
        : path(std::move(p)), who(i), is_watched(w), events(to, number, t) {}
  };
  struct guarded_name {
    std::int32_t number;
    std::int32_t stream;
    std::string path;
  };

  [[nodiscard]] std::string path_of(const os_directory& d, std::error_code& ec) {
    return detail::macos::canonical_path(system_, d.fd(), ec);
  }

  [[nodiscard]] teller way_by(const std::string& path) {
    const auto known = ways_.find(path);
    if (teller by = known != ways_.end() ? known->second.lock() : teller()) return by;
    if (ways_.size() >= most_ways_) {
      std::erase_if(ways_, [](const auto& w) { return w.second.expired(); });
      most_ways_ = 2 * ways_.size() + few_ways;
    }
    teller by = std::make_shared<std::int32_t>(detail::no_watch);
    ways_[path] = by;
    return by;
  }

  [[nodiscard]] watching* find_stream(std::int32_t number) noexcept {
    for (const auto& w : streams_)
      if (w->events.number() == number) return w.get();
    return nullptr;
  }

  [[nodiscard]] watch_answer begin_at(const directory& d, identity who, watch_scope scope) {
    std::error_code ec;
    const std::string path = path_of(d.directory_, ec);
    if (ec) return {detail::no_watch, true, ec};
    const watch_answer answer = begin(path, who, scope == watch_scope::tree);
    if (scope == watch_scope::tree && std::exchange(*d.way_, answer.watch) != answer.watch)
      if (watching* const begun = find_stream(answer.watch); begun != nullptr) begun->ways.push_back(d.way_);
    return answer;
  }

  // Asked once a file system, as long as there is a stream of it: the next one may have the same number.
  [[nodiscard]] bool tells_all(const directory& d, std::uint64_t device) {
    const auto on =
        std::find_if(streams_.begin(), streams_.end(), [&](const auto& w) { return w->who.device == device; });
    if (on == streams_.end()) return detail::macos::tells_all(system_, d.directory_.fd());
    std::optional<bool>& known = (*on)->tells_all;
    if (!known) known = detail::macos::tells_all(system_, d.directory_.fd());
    return *known;
  }

  // A directory is heard of from above, its number only says which it is. But a stream need not tell of what is mounted
  // below its root: that has one of its own.
  [[nodiscard]] watch_answer number_inside(const directory& d, identity who) {
    const watching* const from = find_stream(*d.way_);
    if (from == nullptr || !from->is_watched) return {detail::no_watch, true};
    if (who.device == from->who.device) return {number_of(who)};
    for (const auto& w : streams_)
      if (w->is_watched && w->events.is_tree() && w->who == who) return {w->events.number()};
    std::error_code ec;
    const std::string path = path_of(d.directory_, ec);
    if (ec) return {detail::no_watch, true, ec};
    for (const auto& w : streams_)
      if (w->is_watched && w->events.is_tree() && w->who.device == who.device &&
          detail::fsevents::leads_to(w->path, path))
        return {number_of(who)};
    return begin(path, who, true);
  }

  [[nodiscard]] std::int32_t number_of(identity who) {
    const auto [known, is_new] = numbers_.try_emplace(who, next_number_);
    if (is_new) directories_.emplace(next_number_++, who);
    return known->second;
  }

  // The one that tells of this already, or a new one.
  [[nodiscard]] watch_answer begin(const std::string& path, identity who, bool tree, bool watches = true) {
    for (const auto& w : streams_) {
      if (w->who != who || w->path != path) continue;
      // One of guards alone may be asked for more; a tree stays one, because guards further down may listen there.
      if (w->events.is_tree() != tree && (w->is_watched || w->events.is_tree())) continue;
      w->events.set_tree(tree);
      w->is_watched |= watches;
      return {w->events.number()};
    }
    auto w = std::make_unique<watching>(path, who, tree, watches, target_, next_number_);
    if (const std::error_code ec = w->events.open(path)) return {detail::no_watch, true, ec, advice_about(ec)};
    streams_.push_back(std::move(w));
    return {next_number_++};
  }

  [[nodiscard]] static std::string_view advice_about(std::error_code ec) noexcept {
    if (ec == std::errc::too_many_files_open)
      return "raise the soft limit of open files (ulimit -n): FSEvents watches one path for twelve of them";
    if (ec == std::errc::resource_unavailable_try_again) return "FSEvents has no stream left for this process";
    return {};
  }

  [[nodiscard]] std::error_code guard_name(const std::string& where, const std::string& name,
                                           std::vector<std::int32_t>& guards) {
    std::error_code ec;
    const os_directory d = os_directory::open(system_, where.c_str(), ec);
    if (!d) return ec;
    file_status status;
    if ((ec = d.look({}, status))) return ec;
    std::string path = path_of(d, ec);
    if (ec) return ec;
    std::int32_t by = detail::no_watch;
    for (const auto& w : streams_)
      if ((w->events.is_tree() ? detail::fsevents::leads_to(w->path, path) : w->path == path) &&
          w->who.device == status.device)
        by = w->events.number();
    if (by == detail::no_watch) {
      const watch_answer answer = begin(path, {status.device, status.file_id}, false, false);
      if (answer.error) return answer.error;
      by = answer.watch;
    }
    if (path != "/") path += '/';
    path += name;
    for (const guarded_name& g : guards_)
      if (g.path == path && g.stream == by) {
        guards.push_back(g.number);
        return {};
      }
    guards.push_back(next_number_);
    guards_.push_back({next_number_++, by, std::move(path)});
    return {};
  }

  // A stream ends with the last who listens there, be it a guard.
  void close_unused_streams() noexcept {
    std::erase_if(streams_, [&](const auto& w) {
      if (w->is_watched) return false;
      const auto listens = [&](const guarded_name& g) { return g.stream == w->events.number(); };
      return std::none_of(guards_.begin(), guards_.end(), listens);
    });
  }

  template <class Sink>
  void give(const detail::fsevents::event& e, std::int32_t number, Sink& sink) {
    const watching* const w = find_stream(number);
    if (w == nullptr) return;
    // What is needed of it is copied: what the sink does may end the stream.
    where_ = w->path;
    const bool is_watched = w->is_watched;
    const bool is_tree = w->events.is_tree();
    const bool is_way_gone = (e.flags & detail::fsevents::root_changed) != 0;
    meant_.clear();
    for (const guarded_name& g : guards_)
      if (g.stream == number && (is_way_gone || means(e, g.path))) meant_.push_back(g.number);
    for (const std::int32_t guard : meant_) sink(hint{hint_kind::gone, guard});
    if (is_watched)
      detail::fsevents::tell_event(e, {where_, is_tree}, number, sink);
    else if ((e.flags & (detail::fsevents::user_dropped | detail::fsevents::kernel_dropped)) != 0)
      sink(hint{});
  }

  // Whether an event is about a name that is guarded, or about so much that it may be.
  [[nodiscard]] bool means(const detail::fsevents::event& e, const std::string& path) const {
    std::string_view way;
    switch (detail::fsevents::stand_of(e.path, path, way)) {
      case stand::itself: return true;
      case stand::above: return (e.flags & detail::fsevents::must_scan_subdirs) != 0;
      case stand::below: return false;
      case stand::elsewhere: break;
    }
    return is_same_name(e.path, path);
  }

  System system_;
  alarm alarm_;
  detail::macos::event_box box_;
  detail::macos::serial_queue<System> queue_;
  typename stream::target target_{system_, queue_, box_, alarm_};
  std::vector<std::unique_ptr<watching>> streams_;
  std::vector<guarded_name> guards_;
  static constexpr std::size_t few_ways = 16;
  std::unordered_map<std::string, std::weak_ptr<std::int32_t>> ways_;
  std::size_t most_ways_ = few_ways;  ///< with more, those that nobody keeps are forgotten
  std::unordered_map<identity, std::int32_t, identity_hash> numbers_;  ///< of directories inside of trees
  std::unordered_map<std::int32_t, identity> directories_;
  std::int32_t next_number_ = 1;
  detail::macos::event_list taken_;
  std::string where_;                ///< the path of the stream whose event is given, and ...
  std::vector<std::int32_t> meant_;  ///< ... the guards that it is about
  bool drained_ = true;
};

}  // namespace hotwatch::inline v0
