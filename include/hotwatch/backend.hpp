// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a backend is: first in words, then in `requires`. Floor 3.

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/hint.hpp"
#include "core/stamp.hpp"

namespace hotwatch::inline v0 {

using detail::file_status;
using detail::file_time;
using detail::hint;
using detail::hint_kind;

/// Of what a watch is to tell.
enum class watch_scope : std::uint8_t {
  tree,     ///< a root, and all that is below it; the directories below are asked for too, see `inside`
  entries,  ///< a directory of which nobody asks what is further below
  inside,   ///< a directory below a `tree`: who hears of it anyhow has only to give it a handle of its own
};

/// The backend's answer to "watch this directory".
struct watch_answer {
  /// The handle that hints about this directory will carry; -1 if there is none.
  std::int32_t watch = detail::no_watch;
  /// Look at it every poll_interval: no hints will come or, beside a handle, not all of them. `error` says why, unless
  /// polling is the backend's nature.
  bool polled = false;
  std::error_code error = {};
  /// What can be done about it, for a person to read; lives for ever.
  std::string_view advice = {};
};

/// The backend's answer to "guard the way to this root".
struct guard_answer {
  /// Something stood at the end of the way, so nothing tells of its coming: if it is gone by now, guard again.
  bool leads_on = false;
  /// What kept a part of the way from being guarded, and what can be done about it.
  std::error_code error = {};
  std::string_view advice = {};
  /// The name that would lead on, in the last directory that is there; empty: any may.
  std::string awaited = {};
  /// Nobody tells when a part of the way leads elsewhere, or on: it is looked at every poll_interval.
  bool polled = false;
};

/// A backend gives hints, and answers questions about the disk. It does not know the tree, and it decides nothing.
/// docs/backends.md says of each call what it has to do and which may be trivial; backend_base has those.
///
/// - It never blocks but in wait(), calls no user code, reads no clock but the file system's, throws only from its
///   constructor and from native_handle(), and hides no loss: what it may have dropped it tells as hint_kind::overflow.
/// - A hint carries the handle of a watched directory and the way below it, usually one name. It may come twice, late,
///   or without cause. It may not fail to come: once watch() has answered with a handle, every later change of an entry
///   of that directory is hinted at, by that handle or, from further above, by that of the `tree` it is in.
/// - `directory` is an open directory: listing it and looking at its entries is the only way to the disk. open_root()
///   and open_link() follow symlinks, open_child() does not.
/// - All calls come from one thread at a time, with two exceptions: wake() may come from any thread and from signal
///   handlers, and while wait() blocks on one thread another may call all but wait(), drain() and drained().
template <class B>
concept backend = requires(B b, const typename B::directory d, std::string_view name, const char* path,
                           std::error_code& ec, file_status& status, std::vector<char>& buffer,
                           std::vector<std::int32_t>& guards,
                           void (*visit)(std::string_view, entry_type, std::uint64_t), void (*sink)(const hint&),
                           std::optional<std::chrono::nanoseconds> timeout, std::int32_t watch) {
  requires std::movable<typename B::directory>;
  static_cast<bool>(d);

  { b.open_root(path, ec) } -> std::same_as<typename B::directory>;
  // What a path leads to, symlinks on the way followed, but not at its end.
  { b.look(path, status) } -> std::same_as<std::error_code>;
  // The absolute path that `path` leads to, free of symlinks; empty when it leads nowhere.
  { b.resolve(path) } -> std::same_as<std::string>;
  { d.open_child(name, ec) } -> std::same_as<typename B::directory>;
  { d.open_link(name, ec) } -> std::same_as<typename B::directory>;
  { d.list(buffer, visit) } -> std::same_as<std::error_code>;
  // An empty name: the directory itself.
  { d.look(name, status) } -> std::same_as<std::error_code>;
  // Whether the directory's change time moves with every name that comes or goes. False is always right.
  { d.dates_its_names() } -> std::same_as<bool>;

  // Starts the hints about the entries of a directory (of a root: about the root itself too). The same directory is
  // given the same handle again, as long as it lives.
  { b.watch(d, watch_scope::tree) } -> std::same_as<watch_answer>;
  {b.unwatch(watch)};
  // Starts hints (gone, appeared) that tell when `path` may lead elsewhere than now, or somewhere again; appends
  // handles.
  { b.guard(path, guards) } -> std::same_as<guard_answer>;

  // Waits until there are hints, the time is over (nullopt: never), wake() was called, or a signal came.
  // Returns whether it was worth it.
  { b.wait(timeout) } -> std::same_as<bool>;
  // Gives all hints that there are to the sink; returns the number of kernel records.
  { b.drain(sink) } -> std::convertible_to<std::size_t>;
  // Whether drain() gave all that the kernel had when wait() returned.
  { b.drained() } -> std::same_as<bool>;
  // Returns once both halves of a rename out of this directory, if one is under way, are in the kernel's queue.
  {b.finish_renames(d)};
  {b.wake()};

  // A descriptor or HANDLE that is ready when wait() would return at once, or the time given to arm() is over.
  {b.native_handle()};
  {b.arm(timeout)};

  // The time that the file system would put on a file now.
  { b.file_now() } -> std::same_as<file_time>;
};

namespace detail {

/// Whether it may ever answer with a handle; one that only polls does not.
template <class B>
inline constexpr bool gives_hints = true;
template <class B>
requires requires { B::gives_hints; }
inline constexpr bool gives_hints<B> = B::gives_hints;

/// Whether its handles say already of which of two kernel objects they are.
template <class B>
inline constexpr bool has_two_kernel_objects = false;
template <class B>
requires requires { B::has_two_kernel_objects; }
inline constexpr bool has_two_kernel_objects<B> = B::has_two_kernel_objects;

/// Whether names that differ in case only are one name; then it has is_same_name(a, b).
template <class B>
inline constexpr bool ignores_case = false;
template <class B>
requires requires { B::ignores_case; }
inline constexpr bool ignores_case<B> = B::ignores_case;

/// Whether it hears that a writer has closed. If not, nothing waits for that: what was written is told at the quiet.
template <class B>
inline constexpr bool hears_closing = true;
template <class B>
requires requires { B::hears_closing; }
inline constexpr bool hears_closing<B> = B::hears_closing;

/// Whether its hints come merged, and again, so that they only say where to look: then what is known of a file is what
/// the last look saw.
template <class B>
inline constexpr bool only_says_where = false;
template <class B>
requires requires { B::only_says_where; }
inline constexpr bool only_says_where<B> = B::only_says_where;

/// Whether nobody can tell when all that has happened was hinted at: then a barrier looks everywhere.
template <class B>
inline constexpr bool tells_late = false;
template <class B>
requires requires { B::tells_late; }
inline constexpr bool tells_late<B> = B::tells_late;

/// Whether it tells of permissions, owner and times only after hear_attributes(), which is called before all else if
/// they are to be told.
template <class B>
concept must_be_asked_for_attributes = requires(B& b) {
  b.hear_attributes();
};

/// How many reads, about, take what the kernel's queue held at the last wait; 0 where a few take all.
template <class B>
[[nodiscard]] int reads_queued(B& backend) {
  if constexpr (requires { backend.reads_queued(); })
    return backend.reads_queued();
  else
    return 0;
}

/// What can be done when it overflows, for a person to read.
template <class B>
inline constexpr std::string_view overflow_advice = {};
template <class B>
requires requires { B::overflow_advice; }
inline constexpr std::string_view overflow_advice<B> = B::overflow_advice;

/// Whether a directory that could not be opened is hinted at when it may be, as `attributes` of its name. If not, it is
/// looked at every poll_interval.
template <class B>
inline constexpr bool hears_of_permission = true;
template <class B>
requires requires { B::hears_of_permission; }
inline constexpr bool hears_of_permission<B> = B::hears_of_permission;

}  // namespace detail

}  // namespace hotwatch::inline v0
