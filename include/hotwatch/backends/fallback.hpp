// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// A backend with another behind it, for what the first cannot do. Floor 4.

#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "../backend.hpp"
#include "../error.hpp"
#include "../os/native.hpp"

namespace hotwatch::inline v0 {

/// Primary, and Secondary for what Primary cannot do:
///
/// - Primary cannot be made (emulators have no inotify, the last instance is taken, a privilege is missing): Secondary
///   alone. When that cannot be made either, the constructor throws what Primary threw.
/// - A directory that Primary cannot watch (a limit, a file system without support): Secondary's, if it gives hints;
///   else it is polled.
/// - A directory of whose changes the kernel does not hear all (network file systems, FUSE, procfs): Primary's hints
///   are told at once, and it is polled besides.
///
/// What is polled though Primary was wanted is told as one notice_kind::polling for each tree of directories. Two
/// backends that give hints are two kernel objects, and a wait is for both; a rename between what one watches and what
/// the other watches is told as removed and created. Otherwise all costs what it costs with one of them.
template <backend Primary, backend Secondary>
class fallback {
 public:
  using directory = typename Primary::directory;
  static_assert(std::same_as<directory, typename Secondary::directory>,
                "hotwatch::fallback: both backends have to open the same kind of directory");
  static_assert(detail::gives_hints<Primary>, "hotwatch::fallback: what stands behind one that polls is never asked");
  static_assert(!detail::has_two_kernel_objects<Primary> && !detail::has_two_kernel_objects<Secondary>,
                "hotwatch::fallback: of the backends behind one another at most two may give hints");
  static_assert(HOTWATCH_LINUX || !detail::gives_hints<Secondary>,
                "hotwatch::fallback: only on Linux may both give hints");
  static constexpr bool has_two_kernel_objects = detail::gives_hints<Secondary>;

  static constexpr bool ignores_case = detail::ignores_case<Primary>;
  static_assert(ignores_case == detail::ignores_case<Secondary>);
  static constexpr bool hears_closing = detail::hears_closing<Primary> && detail::hears_closing<Secondary>;
  static constexpr bool only_says_where = detail::only_says_where<Primary>;
  static constexpr bool tells_late = detail::tells_late<Primary>;
  static constexpr bool hears_of_permission =
      detail::hears_of_permission<Primary> && detail::hears_of_permission<Secondary>;
  static constexpr std::string_view overflow_advice =
      detail::overflow_advice<Primary>.empty() ? detail::overflow_advice<Secondary> : detail::overflow_advice<Primary>;

  /// Each backend is made from the arguments.
  template <class... Arguments>
  explicit fallback(const Arguments&... arguments) {
    const std::exception_ptr refusal = make(primary_, refused_, arguments...);
    if (primary_ && !has_two_kernel_objects) return;
    std::error_code also;
    if (make(secondary_, also, arguments...) && refusal) std::rethrow_exception(refusal);
    if constexpr (has_two_kernel_objects)
      if (are_both()) joint_.join(primary_->native_handle(), secondary_->native_handle());
  }

  void hear_attributes() requires(detail::must_be_asked_for_attributes<Primary> ||
                                  detail::must_be_asked_for_attributes<Secondary>) {
    if constexpr (detail::must_be_asked_for_attributes<Primary>)
      if (primary_) primary_->hear_attributes();
    if constexpr (detail::must_be_asked_for_attributes<Secondary>)
      if (secondary_) secondary_->hear_attributes();
  }

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    return with_one([&](auto& b) { return b.open_root(path, ec); });
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) {
    return with_one([&](auto& b) { return b.look(path, out); });
  }
  [[nodiscard]] std::string resolve(const char* path) {
    return with_one([&](auto& b) { return b.resolve(path); });
  }

  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const requires ignores_case {
    return primary_ ? primary_->is_same_name(a, b) : secondary_->is_same_name(a, b);
  }

  [[nodiscard]] watch_answer watch(const directory& d, watch_scope scope) {
    watch_answer answer{detail::no_watch, true, refused_, advice_about(refused_)};
    if (primary_) answer = primary_->watch(d, scope);
    if (secondary_ && answer.watch == detail::no_watch) {
      const watch_answer other = secondary_->watch(d, scope);
      if (other.watch != detail::no_watch || other.error)
        answer = {tagged(other.watch), other.polled, other.error, other.advice};
    }
    if (answer.watch != detail::no_watch && !answer.polled && !tells_all(d))
      return {answer.watch, true, errc::partly_told,
              "what others change there is found by looking, every poll_interval"};
    return answer;
  }
  void unwatch(std::int32_t watch) {
    if (is_tagged(watch))
      secondary_->unwatch(tagged(watch));
    else
      primary_->unwatch(watch);
  }
  guard_answer guard(const char* path, std::vector<std::int32_t>& guards) {
    guard_answer answer;
    if (primary_) answer = primary_->guard(path, guards);
    if (!secondary_ || (primary_ && !answer.error)) return answer;
    const std::size_t first = guards.size();
    answer = secondary_->guard(path, guards);
    for (std::size_t i = first; i < guards.size(); ++i) guards[i] = tagged(guards[i]);
    return answer;
  }

  bool wait(std::optional<std::chrono::nanoseconds> timeout) {
    if constexpr (has_two_kernel_objects)
      if (are_both()) return wait_for_both(timeout);
    return with_one([&](auto& b) { return b.wait(timeout); });
  }
  template <class Sink>
  std::size_t drain(Sink&& sink) {
    std::size_t records = primary_ ? primary_->drain(sink) : 0;
    if (secondary_)
      records += secondary_->drain([&](hint h) {
        h.watch = tagged(h.watch);
        h.pair ^= pairs_of_secondary;
        sink(h);
      });
    return records;
  }
  [[nodiscard]] bool drained() { return (!primary_ || primary_->drained()) && (!secondary_ || secondary_->drained()); }
  [[nodiscard]] int reads_queued() {
    return (primary_ ? detail::reads_queued(*primary_) : 0) + (secondary_ ? detail::reads_queued(*secondary_) : 0);
  }
  void finish_renames(const directory& d) {
    if (primary_) primary_->finish_renames(d);
    if (secondary_) secondary_->finish_renames(d);
  }
  void wake() noexcept {
    with_one([](auto& b) { b.wake(); });
  }

  [[nodiscard]] auto native_handle() {
    if constexpr (has_two_kernel_objects)
      if (are_both()) return joint_.native_handle();
    return with_one([](auto& b) { return b.native_handle(); });
  }
  void arm(std::optional<std::chrono::nanoseconds> after) {
    if constexpr (has_two_kernel_objects)
      if (are_both()) return joint_.arm(after);
    with_one([&](auto& b) { b.arm(after); });
  }

  [[nodiscard]] file_time file_now() const { return primary_ ? primary_->file_now() : secondary_->file_now(); }

 private:
  // Whose a handle is, is in the handle: one of Secondary's is below no_watch, which stays what it is.
  static constexpr std::int32_t tagged(std::int32_t watch) noexcept { return -2 - watch; }
  static constexpr bool is_tagged(std::int32_t watch) noexcept { return watch < detail::no_watch; }
  static constexpr std::uint32_t pairs_of_secondary = 0x80000000;

  template <class B, class... Arguments>
  [[nodiscard]] static std::exception_ptr make(std::optional<B>& b, std::error_code& why,
                                               const Arguments&... arguments) {
    try {
      b.emplace(arguments...);
      return nullptr;
    } catch (const std::system_error& e) {
      why = e.code();
      return std::current_exception();
    }
  }

  [[nodiscard]] bool are_both() const noexcept { return primary_ && secondary_; }

  template <class Call>
  decltype(auto) with_one(Call&& call) {
    return primary_ ? call(*primary_) : call(*secondary_);
  }

  bool wait_for_both(std::optional<std::chrono::nanoseconds> timeout) {
    if (read_both()) return true;
    if (timeout && timeout->count() <= 0) return false;
    joint_.wait(timeout);
    return read_both();
  }
  bool read_both() {
    const bool one = primary_->wait(std::chrono::nanoseconds(0));
    return secondary_->wait(std::chrono::nanoseconds(0)) || one;
  }

  // A backend whose directories do not say is one that is told all.
  [[nodiscard]] static bool tells_all(const directory& d) {
    if constexpr (requires { d.tells_all(); }) return d.tells_all();
    return true;
  }

  [[nodiscard]] static std::string_view advice_about(std::error_code why) {
    if constexpr (requires { Primary::advice_about(why); }) return Primary::advice_about(why);
    return {};
  }

  std::optional<Primary> primary_;
  std::optional<Secondary> secondary_;  ///< made only when it is of use
  std::error_code refused_;             ///< why there is no Primary
  struct nothing {};
  std::conditional_t<has_two_kernel_objects, detail::os::joint_handle, nothing> joint_;
};

}  // namespace hotwatch::inline v0
