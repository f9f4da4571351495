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
#include "../os/windows/way_guard.hpp"

namespace hotwatch::inline v0 {

/// One handle a root tells of the whole tree below it; a second one, at the directory above, that the root itself was
/// renamed, removed or made; with `metadata` a third one of attributes and permissions. A link that is followed is
/// watched as a root is. Shares of other machines are polled: a server may keep the changes of others to itself.
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

  /// Volume and number.
  struct identity {
    std::uint64_t device = 0;
    std::uint64_t file_id = 0;
    friend bool operator==(const identity&, const identity&) = default;
  };

 public:
  static constexpr bool ignores_case = true;
  static constexpr bool hears_closing = false;
  static constexpr bool hears_of_permission = false;

  /// Knows from which root or link it was reached.
  class directory {
   public:
    directory() noexcept = default;

    [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(directory_); }
    [[nodiscard]] directory open_child(std::string_view name, std::error_code& ec) const {
      return directory(directory_.open_child(name, ec), top_);
    }
    [[nodiscard]] directory open_link(std::string_view name, std::error_code& ec) const {
      return directory(directory_.open_link(name, ec), ec);
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
    directory(os_directory d, identity top) noexcept : directory_(std::move(d)), top_(top) {}
    directory(os_directory d, std::error_code& ec) : directory_(std::move(d)) {
      file_status status;
      if (!directory_ || (ec = directory_.look({}, status)))
        directory_ = os_directory();
      else
        top_ = {status.device, status.file_id};
    }
    os_directory directory_;
    identity top_;
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
    return directory(os_directory::open(system_, path, ec), ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) {
    return os_directory::look(system_, path, out);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::windows::resolve(system_, path); }
  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const {
    return detail::windows::is_same_name(system_, a, b);
  }

  [[nodiscard]] watch_answer watch(const directory& d, watch_scope scope) {
    // It is heard of from above; its number only says which it is.
    if (scope == watch_scope::inside) {
      if (std::find(trees_.begin(), trees_.end(), d.top_) == trees_.end()) return {detail::no_watch, true};
      file_status status;
      if (const std::error_code ec = d.look({}, status)) return {detail::no_watch, true, ec};
      return {number_of({status.device, status.file_id})};
    }
    using namespace detail::windows;
    const bool tree = scope == watch_scope::tree;
    const role what = tree ? role::tree : role::entries;
    if (const watching* const known = find(what, d.top_); known != nullptr) return {known->number};
    const std::string path = path_of(system_, d.directory_.get());
    if (is_remote(system_, path))
      return {detail::no_watch, true, std::make_error_code(std::errc::operation_not_supported),
              "a share of another machine, which may not tell of others' changes"};
    std::error_code ec;
    const std::int32_t number = next_number_++;
    if (begin(d, what, {notify_names | notify_content, tree}, number, ec) == nullptr)
      return {detail::no_watch, true, ec};
    // Apart from the others, because a record does not say what was modified.
    if (hears_attributes_ && begin(d, role::attributes, {notify_attributes, tree}, number, ec) == nullptr) {
      close(number);
      return {detail::no_watch, true, ec};
    }
    for (const auto& w : watches_)
      if (w->number == number) w->path = path;
    return {number};
  }

  void unwatch(std::int32_t number) noexcept {
    if (const auto known = directories_.find(number); known != directories_.end()) {
      numbers_.erase(known->second);
      directories_.erase(known);
    } else {
      close(number);
    }
  }

  /// Each guard tells of one name in the directory in which it stands; one handle serves all that is guarded there.
  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    return detail::windows::guard_way(system_, path, [&](const std::string& above, std::string_view name) {
      std::error_code ec;
      const directory d = open_root(above.c_str(), ec);
      if (!d) return ec;
      watching* w = find(role::guard, d.top_);
      if (w == nullptr) w = begin(d, role::guard, {detail::windows::notify_names, false}, detail::no_watch, ec);
      if (w != nullptr) guards.push_back(number_of(w->guarded, name));
      return ec;
    });
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
  struct identity_hash {
    std::size_t operator()(const identity& i) const noexcept {
      return static_cast<std::size_t>(detail::mix64(i.file_id ^ i.device << 32));
    }
  };
  /// Those of attributes share the number of a tree, or of entries.
  enum class role : std::uint8_t { tree, entries, attributes, guard };
  struct guarded_name {
    std::int32_t number;
    std::string name;
  };
  struct watching {
    std::int32_t number;  ///< of a guard: each name has its own
    role what;
    identity who;
    std::vector<guarded_name> guarded = {};
    std::string path = {};  ///< of the directory; of a guard: none
    request changes;

    watching(System& system, std::int32_t n, role r, identity i, detail::windows::change_filter filter, handle event,
             detail::windows::move_pairs& pairs)
        : number(n), what(r), who(i), changes(system, filter, event, pairs) {}
  };

  // Null: none does.
  [[nodiscard]] watching* find(role what, identity who) noexcept {
    for (const auto& w : watches_)
      if (w->changes.is_open() && w->what == what && w->who == who) return w.get();
    return nullptr;
  }

  [[nodiscard]] watching* begin(const directory& d, role what, detail::windows::change_filter filter,
                                std::int32_t number, std::error_code& ec) {
    auto w = std::make_unique<watching>(system_, number, what, d.top_, filter, port_.event(), pairs_);
    if ((ec = w->changes.open(d.directory_, port_.get()))) return nullptr;
    port_.raise();
    if (what == role::tree) trees_.push_back(d.top_);
    return watches_.emplace_back(std::move(w)).get();
  }

  void close(std::int32_t number) noexcept {
    for (const auto& w : watches_) {
      if (!w->changes.is_open()) continue;
      if (w->what == role::guard) {
        if (std::erase_if(w->guarded, [&](const guarded_name& g) { return g.number == number; }) == 0) continue;
        if (!w->guarded.empty()) return;
      } else if (w->number != number) {
        continue;
      }
      w->changes.close();
      note_end(*w);
    }
  }
  void note_end(const watching& w) noexcept {
    if (w.what == role::tree) std::erase(trees_, w.who);
  }

  template <class Sink>
  std::size_t take(watching& w, const typename port::packet& p, Sink& sink) {
    const bool was_open = w.changes.is_open();
    const detail::windows::request_end end = w.changes.take_back(p.result, p.bytes);
    if (!was_open) return 0;
    const bool died = !w.changes.is_open();
    if (died) {
      note_end(w);
      if (w.what != role::guard) close(w.number);  // those of attributes go with it, and it with them
    }
    std::size_t records = 0;
    if (end == detail::windows::request_end::records) {
      records = w.changes.give_records(w.number, [&](const hint& h) { give(w, h, sink); });
    } else if (end == detail::windows::request_end::overflow) {
      records = 1;
      if (w.what == role::guard)
        give_each(w, hint_kind::gone, sink);
      else
        sink(hint{});
    }
    if (!died) return records;
    if (w.what == role::guard)
      give_each(w, hint_kind::unwatched, sink);
    else
      sink(hint{hint_kind::unwatched, w.number});
    return records + 1;
  }

  template <class Sink>
  void give(const watching& w, const hint& h, Sink& sink) {
    if (w.what == role::guard) {
      give_each(w, hint_kind::gone, sink, h.name);
      return;
    }
    hint told = h;
    if (detail::windows::may_have_short_name(h.name)) told.name = find_long_name(w.path, h.name);
    sink(std::as_const(told));
  }

  // To all that is guarded, or to all of this name. A guard may be taken away meanwhile.
  template <class Sink>
  void give_each(const watching& w, hint_kind kind, Sink& sink, std::string_view name = {}) {
    meant_.clear();
    for (const guarded_name& g : w.guarded)
      if (name.empty() || is_same_name(g.name, name)) meant_.push_back(g.number);
    for (const std::int32_t number : meant_) sink(hint{kind, number});
  }

  // A change that was made by a short name may be told by it. The long one is there to be asked for as long as the file
  // is.
  [[nodiscard]] std::string_view find_long_name(const std::string& root, std::string_view name) {
    using namespace detail::windows;
    if (root.empty()) return name;  // its path could not be had
    const std::u16string path = to_whole_path(root + '/' + std::string(name), u"\\\\?\\");
    long_name_ = to_text(ask_for_text(
        [&](char16_t* out, std::uint32_t room) { return system_.GetLongPathNameW(path.c_str(), out, room); }));
    if (long_name_.empty()) return name;
    std::size_t at = long_name_.size();
    for (auto steps = 1 + std::count(name.begin(), name.end(), '/'); steps != 0 && at != std::string::npos; --steps)
      at = at == 0 ? std::string::npos : long_name_.rfind('/', at - 1);
    return at == std::string::npos ? name : std::string_view(long_name_).substr(at + 1);
  }

  [[nodiscard]] std::int32_t number_of(std::vector<guarded_name>& guarded, std::string_view name) {
    for (const guarded_name& g : guarded)
      if (g.name == name) return g.number;
    return guarded.emplace_back(guarded_name{next_number_++, std::string(name)}).number;
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
  std::vector<identity> trees_;                     ///< of which all that is below them is heard
  std::unordered_map<identity, std::int32_t, identity_hash> numbers_;  ///< of directories inside of trees
  std::unordered_map<std::int32_t, identity> directories_;
  std::int32_t next_number_ = 1;
  bool hears_attributes_ = false;
  std::vector<typename port::packet> ended_;
  std::vector<typename port::packet> taken_;
  std::vector<std::int32_t> meant_;
  bool drained_ = true;
  std::string long_name_;
};

}  // namespace hotwatch::inline v0
