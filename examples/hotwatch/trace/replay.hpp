// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a watcher with other options would have told of a trace, and when: on a simulated clock, so it takes no time.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <hotwatch/watcher.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scripted_disk.hpp"
#include "trace.hpp"

namespace trace {

/// Why a batch was told just then.
enum class reason : std::uint8_t { at_once, complete, quiet, max_wait };

[[nodiscard]] constexpr std::string_view to_string(reason r) noexcept {
  constexpr std::string_view names[] = {"at once", "complete", "quiet", "max-wait"};
  return names[static_cast<std::size_t>(r)];
}

struct replayed_batch {
  nanoseconds at;          ///< when it was told
  nanoseconds after_last;  ///< since the last event before
  nanoseconds pause;       ///< between the last two events around the end of the batch before; 0 for the first batch
  reason why;
  std::vector<std::string> changes;  ///< "modified f", "renamed a -> b"; names escaped
  std::size_t files = 0;             ///< changes of anything but directories
};

struct replayed {
  std::vector<replayed_batch> batches;
  nanoseconds last_event{0};
};

inline replayed replay(const trace& t, const hotwatch::options& chosen) {
  scripted_disk disk;
  disk.forgiving = true;
  simulated_clock::reset();
  simulated_clock::advance(-std::chrono::minutes(1));  // long before anybody watched
  for (const std::string& path : t.existing) disk.run({"existing", path});
  simulated_clock::reset();
  for (const event& e : t.events) disk.events.push_back({e.at, e.words});

  hotwatch::basic_watcher<scripted_backend, simulated_clock> watcher(chosen, disk);
  disk.on_end = [&] { watcher.stop(); };
  watcher.add("/root");
  replayed result;
  if (!t.events.empty()) result.last_event = t.events.back().at;
  const hotwatch::debounce& policy = chosen.debounce;
  std::size_t done = 0;
  while (!watcher.stopped()) {
    const hotwatch::batch& b = watcher.wait();
    if (b.size() == 0) continue;
    replayed_batch one{};
    one.at = simulated_clock::since_start();
    const std::size_t before = done;
    while (done < t.events.size() && t.events[done].at <= one.at) ++done;
    if (done > 0) one.after_last = one.at - t.events[done - 1].at;
    if (before > 0 && before < t.events.size()) one.pause = t.events[before].at - t.events[before - 1].at;
    const nanoseconds waited = simulated_clock::at - b.first_seen().time_since_epoch();
    one.why = waited == nanoseconds(0)                         ? reason::at_once
              : waited >= policy.max_wait                      ? reason::max_wait
              : policy.settle && one.after_last < policy.quiet ? reason::complete
                                                               : reason::quiet;
    for (const hotwatch::change& c : b) {
      std::string text(hotwatch::to_string(c.kind));
      text += ' ';
      if (c.kind == hotwatch::change_kind::renamed) {
        append_text(text, c.old_path.substr(6));
        text += " -> ";
      }
      append_text(text, c.path.substr(6));
      one.changes.push_back(std::move(text));
      one.files += c.type != hotwatch::entry_type::directory ? 1u : 0u;
    }
    result.batches.push_back(std::move(one));
  }
  return result;
}

}  // namespace trace
