// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What would each debounce policy have told of what real tools do? The traces of tests/traces, on a simulated clock: no
// figure depends on the machine that this runs on.

#include <hotwatch.hpp>

#include "../examples/hotwatch/trace/replay.hpp"
#include "bench.hpp"

namespace {

using namespace std::chrono_literals;

struct policy {
  const char* name;
  hotwatch::debounce debounce;
};

// The peers' own waiting times: watchfiles 50 ms (step), chokidar and @parcel/watcher 50 ms, dmon 100 ms.
const policy policies[] = {
    {"default: settle, quiet 20 ms", {}},
    {"quiet 20 ms", {.settle = false}},
    {"quiet 50 ms", {.quiet = 50ms, .settle = false}},
    {"quiet 100 ms", {.quiet = 100ms, .settle = false}},
    {"leading, quiet 50 ms", {.quiet = 50ms, .settle = false, .leading = true}},
    {"immediate", hotwatch::immediate},
};

struct outcome {
  std::size_t batches = 0;
  std::size_t again = 0;  ///< paths told more than once
  double held_ms = 0;     ///< in the median, from the last event before a batch to its telling
  double end_ms = 0;      ///< from the last event of all to the last batch
};

outcome outcome_of(const trace::trace& t, const hotwatch::debounce& debounce) {
  const trace::replayed r = trace::replay(t, {.debounce = debounce});
  outcome o;
  o.batches = r.batches.size();
  std::vector<double> held;
  std::unordered_map<std::string, int> told;
  for (const trace::replayed_batch& b : r.batches) {
    held.push_back(static_cast<double>(b.after_last.count()) / 1e6);
    for (const std::string& change : b.changes) o.again += told[change.substr(change.rfind(' ') + 1)]++ != 0 ? 1u : 0u;
  }
  o.held_ms = bench::median(held);
  if (!r.batches.empty()) o.end_ms = static_cast<double>((r.batches.back().at - r.last_event).count()) / 1e6;
  return o;
}

void measure(const bench::arguments&, bench::report& out) {
  std::vector<std::filesystem::path> files;
  for (const auto& file :
       std::filesystem::directory_iterator(std::filesystem::path(__FILE__).parent_path() / "../tests/traces"))
    if (file.path().extension() == ".trace") files.push_back(file.path());
  std::sort(files.begin(), files.end());

  std::vector<std::string> columns{"trace", "events"};
  for (const policy& p : policies) columns.emplace_back(p.name);
  bench::table batches("settling: batches (and paths told more than once)", columns);
  bench::table held("settling: ms from the last event to the batch, in the median (and of the last batch)", columns);
  for (const std::filesystem::path& file : files) {
    std::ifstream in(file);
    const trace::trace t = trace::read(in);
    std::vector<bench::cell> of_batches{file.stem().string(), t.events.size()};
    std::vector<bench::cell> of_held = of_batches;
    for (const policy& p : policies) {
      const outcome o = outcome_of(t, p.debounce);
      of_batches.emplace_back(std::to_string(o.batches) + (o.again == 0 ? "" : " (" + std::to_string(o.again) + ")"));
      of_held.emplace_back(bench::cell(o.held_ms, 1).text +
                           (o.batches < 2 ? "" : " (" + bench::cell(o.end_ms, 1).text + ")"));
    }
    batches.row(std::move(of_batches));
    held.row(std::move(of_held));
  }
  out.add(std::move(batches));
  out.add(std::move(held));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 1, measure); }
