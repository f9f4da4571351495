// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The Windows backend: ReadDirectoryChangesExW, or where that is not to be had ReadDirectoryChangesW. Floor 4.

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
#include "../os/windows/change_request.hpp"
#include "../os/windows/completion_port.hpp"
#include "../os/windows/directory.hpp"
#include "../os/windows/path.hpp"
#include "../os/windows/time.hpp"

namespace hotwatch::inline v0 {

/// One handle a root tells of the whole tree below it; a second one, at the directory above, that the root itself was
/// renamed, removed or made; with `metadata` a third one of attributes and permissions. Shares of other machines are
/// polled: a server may keep the changes of others to itself.
///
/// What Windows does not say: that a writer has closed, so nothing is told before the quiet of the debounce; that only
/// the times of a file were set, which is told as `modified`; what is written through a handle that stays open, until
/// it is flushed; and where a root without file numbers (FAT) is concerned, that a file moved to another directory.
/// While a root is watched, no directory above it can be renamed.
template <class System>
class basic_windows_backend {
  using os_directory = detail::windows::directory<System>;
  using request = detail::windows::change_request<System>;
  using port = detail::windows::completion_port<System>;
  using handle = detail::windows::handle;

 public:
  static constexpr bool ignores_case = true;
  static constexpr bool hears_closing = false;

  /// Knows by which root it was reached.
  class directory {
   public:
    directory() noexcept = default;
    directory(os_directory d, std::uint32_t way) noexcept : directory_(std::move(d)), way_(way) {}

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(directory_); }
    [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
      return directory(directory_.open_child(name, ec), way_);
    }
    [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const {
      return directory(directory_.open_link(name, ec), way_);
    }
    template <class Visit>
    [[nodiscard]] std::error_code list(std::vector<char>& buffer, Visit&& visit) const {
      return directory_.list(buffer, visit);
    }
    [[nodiscard]] std::error_code look(std::string_view name, file_status& out) const {
      return directory_.look(name, out);
    }
    [[nodiscard]] bool dates_its_names() const noexcept { return directory_.dates_its_names(); }

   private:
    friend basic_windows_backend;
    os_directory directory_;
    std::uint32_t way_ = 0;
  };

  explicit basic_windows_backend(System system = {}) : system_(std::move(system)), port_(system_) {}
  basic_windows_backend(const basic_windows_backend&) = delete;
  basic_windows_backend& operator=(const basic_windows_backend&) = delete;
  ~basic_windows_backend() {
    for (const auto& w : watches_) w->changes.close();
    // Their buffers are the kernel's until each has come back. If one should not, its memory is given up.
    constexpr std::chrono::seconds longest(1);
    while (forget_what_came_back(), !watches_.empty()) {
      const std::size_t before = ended_.size();
      port_.wait(longest, ended_);
      if (ended_.size() == before) break;
    }
    for (auto& w : watches_) (void)w.release();
  }

  void hear_attributes() noexcept { hears_attributes_ = true; }

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    const auto [known, is_new] = ways_by_path_.try_emplace(path, static_cast<std::uint32_t>(ways_.size()));
    if (is_new) ways_.push_back({path, is_remote(path)});
    return directory(os_directory::open(system_, path, ec), known->second);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) {
    return os_directory::look(system_, path, out);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::windows::resolve(system_, path); }
  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const {
    return detail::windows::is_same_name(system_, a, b);
  }

  [[nodiscard]] watch_answer watch(const directory& d, watch_scope scope) {
    const way& reached = ways_[d.way_];
    file_status status;
    if (const std::error_code ec = d.look({}, status)) return {detail::no_watch, true, ec};
    const identity who{status.device, status.file_id};
    // It is heard of from above; its number only says which it is.
    if (scope == watch_scope::inside) {
      if (reached.trees == 0) return {detail::no_watch, true};
      return {number_of(who)};
    }
    if (reached.is_remote)
      return {detail::no_watch, true, std::make_error_code(std::errc::operation_not_supported),
              "a share of another machine, which may not tell of others' changes"};
    using namespace detail::windows;
    const bool tree = scope == watch_scope::tree;
    const watch_answer answer =
        begin(d, tree ? role::tree : role::entries, who, {}, {notify_names | notify_content, tree}, next_number_);
    if (answer.watch == detail::no_watch || !hears_attributes_) return answer;
    // Apart from the others, because a record does not say what was modified.
    const watch_answer also = begin(d, role::attributes, who, {}, {notify_attributes, tree}, answer.watch);
    if (also.watch == detail::no_watch) close(answer.watch);
    return also;
  }

  void unwatch(std::int32_t number) noexcept {
    if (const auto known = directories_.find(number); known != directories_.end()) {
      numbers_.erase(known->second);
      directories_.erase(known);
    } else {
      close(number);
    }
  }

  /// A guard stands at the last directory on the way that is there, and tells of the one name that leads on.
  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    std::string_view above = path;
    if (is_remote(above)) return {};
    for (int steps_back = 0; steps_back < most_steps_back;) {
      const std::size_t slash = above.rfind('/');
      // A drive has nothing above it.
      if (slash == std::string_view::npos || slash == 0 || slash + 1 == above.size()) return {};
      const std::string_view name = std::string_view(path).substr(slash + 1);
      above = above.substr(0, slash + (above[slash - 1] == ':' ? 1 : 0));
      std::error_code ec;
      const directory d = open_root(std::string(above).c_str(), ec);
      if (!d) {
        if (ec == std::errc::no_such_file_or_directory || ec == std::errc::not_a_directory) continue;
        return {false, ec};
      }
      const std::string_view step = name.substr(0, name.find('/'));
      file_status status;
      if ((ec = d.look({}, status))) return {false, ec};
      const watch_answer answer = begin(d, role::guard, {status.device, status.file_id}, step,
                                        {detail::windows::notify_names, false}, next_number_);
      if (answer.watch == detail::no_watch)
        return {false, answer.error, "that the root was moved or replaced may go unnoticed"};
      guards.push_back(answer.watch);
      // Where the way ends, the next step may have been taken before the guard stood.
      if (step.size() == name.size() || d.look(step, status) || status.type != entry_type::directory) return {};
      above = path;
      ++steps_back;
    }
    return {};
  }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) {
    if (!ended_.empty()) {
      drained_ = false;
      return true;
    }
    const bool woken = port_.wait(timeout, ended_);
    drained_ = ended_.empty();
    return woken || !drained_;
  }

  /// When a request ends there may be more in the kernel's buffer: only the next one tells.
  [[nodiscard]] bool drained() const noexcept { return drained_ && ended_.empty(); }
  void wake() noexcept { port_.wake(); }

  template <class Sink>
  std::size_t drain(Sink&& sink) {
    std::size_t records = 0;
    taken_.swap(ended_);
    for (const typename port::packet& p : taken_)
      if (watching* const w = find_by_key(p.key); w != nullptr) records += take(*w, p, sink);
    if (!taken_.empty()) {
      taken_.clear();
      port_.take_what_ended(ended_);
      drained_ = ended_.empty();
    }
    std::erase_if(watches_, [](const auto& w) { return !w->changes.is_open() && !w->changes.is_pending(); });
    return records;
  }

  /// Nothing waits for the other half of a rename: what the next request does not bring counts as gone, and as new when
  /// it comes after all.
  void finish_renames(const directory&) noexcept {}

  /// A HANDLE for WaitForMultipleObjects.
  [[nodiscard]] handle native_handle() { return port_.native_handle(); }
  void arm(std::optional<std::chrono::nanoseconds> after) noexcept { port_.arm(after); }

  [[nodiscard]] file_time file_now() const noexcept { return detail::windows::file_clock_now(system_); }

  [[nodiscard]] System& system() noexcept { return system_; }

 private:
  /// Volume and number.
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
  /// Those of attributes share the number of a tree, or of entries.
  enum class role : std::uint8_t { tree, entries, attributes, guard };
  /// A path by which directories are reached.
  struct way {
    std::string path;
    bool is_remote = false;
    unsigned trees = 0;  ///< how many watches tell of all that is below it
  };
  struct watching {
    std::int32_t number;
    role what;
    identity who;
    std::uint32_t way;
    std::string step;  ///< of a guard: the name that it guards
    request changes;

    watching(System& system, std::int32_t n, role r, identity i, std::uint32_t w, std::string_view s,
             detail::windows::change_filter filter, handle event, detail::windows::move_pairs& pairs)
        : number(n), what(r), who(i), way(w), step(s), changes(system, filter, event, pairs) {}
  };
  static constexpr int most_steps_back = 8;

  [[nodiscard]] bool is_remote(std::string_view path) const {
    constexpr std::uint32_t drive_remote = 4;
    if (path.starts_with("//")) return true;
    return system_.GetDriveTypeW(detail::windows::to_wide(std::string(path.substr(0, 2)) + '/').c_str()) ==
           drive_remote;
  }

  // The one that watches this already, or a new one of that number.
  [[nodiscard]] watch_answer begin(const directory& d, role what, identity who, std::string_view step,
                                   detail::windows::change_filter filter, std::int32_t number) {
    for (const auto& w : watches_)
      if (w->changes.is_open() && w->what == what && w->who == who && w->way == d.way_ && w->step == step &&
          (what != role::attributes || w->number == number))
        return {w->number};
    auto w = std::make_unique<watching>(system_, number, what, who, d.way_, step, filter, port_.event(), pairs_);
    const std::error_code ec = w->changes.open(d.directory_, port_.get());
    if (ec) return {detail::no_watch, true, ec};
    if (number == next_number_) ++next_number_;
    port_.raise();
    ways_[d.way_].trees += what == role::tree ? 1 : 0;
    watches_.push_back(std::move(w));
    return {watches_.back()->number};
  }

  void close(std::int32_t number) noexcept {
    for (const auto& w : watches_) {
      if (w->number != number || !w->changes.is_open()) continue;
      w->changes.close();
      note_end(*w);
    }
  }
  void note_end(const watching& w) noexcept { ways_[w.way].trees -= w.what == role::tree ? 1u : 0u; }

  template <class Sink>
  std::size_t take(watching& w, const typename port::packet& p, Sink& sink) {
    const bool was_open = w.changes.is_open();
    const detail::windows::request_end end = w.changes.take_back(p.result, p.bytes);
    if (!was_open) return 0;
    const bool died = !w.changes.is_open();
    if (died) {
      note_end(w);
      close(w.number);
    }
    std::size_t records = 0;
    if (end == detail::windows::request_end::records) {
      records = w.changes.give_records(w.number, [&](const hint& h) { give(w, h, sink); });
    } else if (end == detail::windows::request_end::overflow) {
      records = 1;
      sink(w.what == role::guard ? hint{hint_kind::gone, w.number} : hint{});
    }
    if (!died) return records;
    sink(hint{hint_kind::unwatched, w.number});
    return records + 1;
  }

  template <class Sink>
  void give(const watching& w, const hint& h, Sink& sink) {
    if (w.what == role::guard) {
      if (is_same_name(h.name, w.step)) sink(hint{hint_kind::gone, w.number});
      return;
    }
    hint told = h;
    if (detail::windows::may_have_short_name(h.name)) told.name = find_long_name(ways_[w.way].path, h.name);
    sink(std::as_const(told));
  }

  // A change that was made by a short name may be told by it. The long one is there to be asked for as long as the file
  // is.
  [[nodiscard]] std::string_view find_long_name(const std::string& root, std::string_view name) {
    using namespace detail::windows;
    const std::u16string path = to_whole_path(root + '/' + std::string(name), u"\\\\?\\");
    long_name_ = to_text(ask_for_text(
        [&](char16_t* out, std::uint32_t room) { return system_.GetLongPathNameW(path.c_str(), out, room); }));
    if (long_name_.empty()) return name;
    std::size_t at = long_name_.size();
    for (auto steps = 1 + std::count(name.begin(), name.end(), '/'); steps != 0 && at != std::string::npos; --steps)
      at = at == 0 ? std::string::npos : long_name_.rfind('/', at - 1);
    return at == std::string::npos ? name : std::string_view(long_name_).substr(at + 1);
  }

  [[nodiscard]] std::int32_t number_of(identity who) {
    const auto [known, is_new] = numbers_.try_emplace(who, next_number_);
    if (is_new) directories_.emplace(next_number_++, who);
    return known->second;
  }

  [[nodiscard]] watching* find_by_key(std::uintptr_t key) noexcept {
    for (const auto& w : watches_)
      if (reinterpret_cast<std::uintptr_t>(&w->changes) == key) return w.get();
    return nullptr;
  }

  void forget_what_came_back() {
    for (const typename port::packet& p : ended_)
      if (watching* const w = find_by_key(p.key); w != nullptr) (void)w->changes.take_back(p.result, p.bytes);
    ended_.clear();
    std::erase_if(watches_, [](const auto& w) { return !w->changes.is_pending(); });
  }

  System system_;
  port port_;
  detail::windows::move_pairs pairs_;
  std::vector<std::unique_ptr<watching>> watches_;  ///< those too that are closed and have not come back
  std::vector<way> ways_;
  std::unordered_map<std::string, std::uint32_t> ways_by_path_;
  std::unordered_map<identity, std::int32_t, identity_hash> numbers_;  ///< of directories inside of trees
  std::unordered_map<std::int32_t, identity> directories_;
  std::int32_t next_number_ = 1;
  bool hears_attributes_ = false;
  std::vector<typename port::packet> ended_;
  std::vector<typename port::packet> taken_;
  bool drained_ = true;
  std::string long_name_;
};

}  // namespace hotwatch::inline v0
