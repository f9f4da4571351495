// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the bursts share: what came of a round, rounds in turn, and their table.

#include <chrono>
#include <cstdint>
#include <hotwatch.hpp>
#include <string>
#include <vector>

#include "bench.hpp"

namespace burst {

struct result {
  double cpu_ms = 0;
  double wall_ms = 0;  ///< from when to when, the table says
  double work_ms = 0;  ///< how long the tool ran
  double grown_kb = 0;
  std::int64_t lost = 0;
  std::int64_t doubled = 0;
  std::int64_t others = 0;  ///< changes told besides those that were expected
  std::int64_t overflows = 0;
  std::int64_t batches = 0;
};

/// CPU time of the calling thread and time on the wall, since it was made.
class meter {
 public:
  [[nodiscard]] double cpu_ms() const { return static_cast<double>(bench::thread_cpu_ns() - cpu_) / 1e6; }
  [[nodiscard]] double wall_ms() const { return static_cast<double>(bench::now_ns() - began_) / 1e6; }

 private:
  std::int64_t cpu_ = bench::thread_cpu_ns();
  std::int64_t began_ = bench::now_ns();
};

/// Gives each batch to `take` until `ended()`. When nothing comes for long, what is missing is told as lost.
template <class Take, class Ended>
void pull(hotwatch::watcher& watcher, result& r, Take take, Ended ended) {
  const auto count = [&](const hotwatch::batch& batch) {
    for (const hotwatch::notice& n : batch.notices()) r.overflows += n.kind == hotwatch::notice_kind::overflow ? 1 : 0;
    if (!batch.empty()) take(batch);
  };
  while (!ended()) {
    const hotwatch::batch& batch = watcher.wait_for(std::chrono::seconds(30));
    if (batch.empty()) break;
    count(batch);
  }
  count(watcher.flush());
}

/// One way of reading, and what came of it round by round.
template <class Read>
struct contender {
  const char* name;
  Read read;
  std::vector<result> rounds = {};

  [[nodiscard]] std::vector<double> each(double result::*figure) const {
    std::vector<double> values;
    for (const result& r : rounds) values.push_back(r.*figure);
    return values;
  }
  [[nodiscard]] std::int64_t most(std::int64_t result::*figure) const {
    std::int64_t value = 0;
    for (const result& r : rounds) value = std::max(value, r.*figure);
    return value;
  }
};

/// round(read, result) makes what is read, and reads it: in a process of its own, so that what that grows by is its
/// own.
template <class Read, class Round>
void take_turns(std::vector<contender<Read>>& contenders, int rounds, Round round) {
  for (int number = 0; number < rounds; ++number)
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      contender<Read>& c = contenders[(turn + static_cast<std::size_t>(number)) % contenders.size()];
      c.rounds.push_back(bench::isolated<result>([&](result& r) { round(c.read, r); }));
    }
}

template <class Read>
bench::table tabulate(const std::string& title, const std::vector<contender<Read>>& contenders, const char* wall) {
  bench::table out(title, {"how", "lost", "told twice", "other changes", "batches", "overflows", wall, "cpu ms",
                           "cpu x bare", "grown kB"});
  for (const contender<Read>& c : contenders)
    out.row({c.name,
             c.most(&result::lost),
             c.most(&result::doubled),
             c.most(&result::others),
             c.most(&result::batches),
             c.most(&result::overflows),
             {bench::median(c.each(&result::wall_ms)), 1},
             {bench::median(c.each(&result::cpu_ms)), 1},
             {bench::paired_ratio(c.each(&result::cpu_ms), contenders.front().each(&result::cpu_ms)), 2},
             {bench::median(c.each(&result::grown_kb)), 0}});
  return out;
}

}  // namespace burst
