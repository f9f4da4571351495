// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the user may choose: for a watcher, and for each of its roots. Floor 1.

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace hotwatch::inline v0 {

/// When a batch is delivered. All times are at least 0 and `quiet` is at most `max_wait`.
struct debounce {
  /// Hold a batch until nothing more has come for this long ...
  std::chrono::nanoseconds quiet = std::chrono::milliseconds(20);
  /// ... but never longer than this since its first change.
  std::chrono::nanoseconds max_wait = std::chrono::milliseconds(500);
  /// Deliver sooner, about a millisecond after the last word, when all in the batch is known to be complete (the writer
  /// closed it, or it was renamed into place) and it looks like a save that is done: at most eight names, no new
  /// directory, no new file named after another. And hold a file back, up to `max_wait`, while its writer has it open.
  bool settle = true;
  /// Deliver the first change at once, then hold what follows.
  bool leading = false;
};

/// No holding: what one read of the kernel gave, coalesced, at once.
inline constexpr debounce immediate{std::chrono::nanoseconds(0), std::chrono::nanoseconds(0), false, false};

/// The choices for a whole watcher, to be named in this order: `{.exclude = {"build/"}, .debounce = immediate}`.
struct options {
  /// Globs; a name is told only when one of them matches. Empty: everything.
  std::vector<std::string> include = {};
  /// Globs; what matches is not told, and a directory that matches is never entered nor watched.
  std::vector<std::string> exclude = {};
  hotwatch::debounce debounce = {};
  /// Report permission, owner and time changes too.
  bool metadata = false;
  /// Show a symlink that leads to a directory as that directory, with all that is in it, below the link's own path;
  /// also out of the root. Where it leads nowhere, to a file, to a directory that may not be opened, or back to one of
  /// the directories above it (told by device and inode number, so every loop ends), it is told as the symlink that it
  /// is, and so is every symlink without this option. What is reached by several ways is told once a way.
  bool follow_symlinks = false;
  /// How often polled roots and directories are looked at. The files in them that changed last (32 at most) are looked
  /// at 32 times as often, every 5 ms at most.
  std::chrono::milliseconds poll_interval{500};
  /// Busy-wait this long before blocking: lowest latency, for one core.
  std::chrono::microseconds spin{0};
};

/// The choices for one root.
struct root_options {
  /// Watch everything below the root; otherwise only its own entries.
  bool recursive = true;
  /// The first batch tells of everything already there, as created.
  bool report_existing = false;
};

/// Counters since the watcher was made; sizes are those of now.
struct statistics {
  std::uint64_t directories = 0;         ///< known now, roots included
  std::uint64_t files = 0;               ///< everything known now that is no directory
  std::uint64_t kernel_events = 0;       ///< records read from the kernel
  std::uint64_t changes = 0;             ///< told
  std::uint64_t batches = 0;             ///< told
  std::uint64_t overflows = 0;           ///< times the kernel dropped events
  std::uint64_t rescans = 0;             ///< directory trees read: roots, what came, and again after a loss
  std::uint64_t polled_directories = 0;  ///< polled now
  std::uint64_t bytes = 0;               ///< heap bytes held now for names, what is known and what is to be told
  std::uint64_t name_bytes = 0;          ///< of those, bytes that hold names
};

}  // namespace hotwatch::inline v0
