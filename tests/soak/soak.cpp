// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// usage: soak [SECONDS] [NAME...]      all trials (or those whose names begin so) in turn, seed by seed, for so long
// (60 s)
//        soak --play NAME FILE         performs a play again
//        soak --list
//
// The trials are those of tests/convergence. A failure is printed as the shortest play that shows it, to be kept in
// tests/convergence/plays. HOTWATCH_SEED: the first seed (the time of day, unless it is given).

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "convergence/seeds.hpp"
#include "convergence/shrink.hpp"
#include "convergence/trial_kind.hpp"

namespace hotwatch::test {
namespace {

class soak {
 public:
  explicit soak(std::vector<std::string> names) {
    for (trial_kind& kind : all_trials()) {
      if (!names.empty() && std::none_of(names.begin(), names.end(),
                                         [&](const std::string& name) { return kind.name.starts_with(name); }))
        continue;
      if (const std::string why = kind.why_not(); !why.empty())
        std::printf("skipped: %s: %s\n", kind.name.c_str(), why.c_str());
      else
        rows_.push_back({std::move(kind)});
    }
  }

  /// Whether there was no divergence.
  [[nodiscard]] bool run(std::chrono::seconds how_long) {
    const long first = from_environment("HOTWATCH_SEED", std::time(nullptr) % 1'000'000 * 1000);
    const auto end = std::chrono::steady_clock::now() + how_long;
    for (auto seed = static_cast<std::uint64_t>(first); !rows_.empty(); ++seed)
      for (row& r : rows_) {
        if (std::chrono::steady_clock::now() > end) return print(static_cast<std::uint64_t>(first));
        take(r, seed);
      }
    return false;
  }

 private:
  struct row {
    trial_kind kind;
    std::size_t seeds = 0, operations = 0, divergences = 0;
  };

  static void take(row& r, std::uint64_t seed) {
    const outcome o = r.kind.run(seed);
    ++r.seeds;
    r.operations += o.operations;
    if (o.wrong.empty()) return;
    ++r.divergences;
    std::printf("# %s, seed %llu\n", r.kind.name.c_str(), static_cast<unsigned long long>(seed));
    if (o.said && r.divergences == 1) {
      const play shortest = shrinker([&](const play& p) { return !r.kind.perform(p).empty(); }).shrink(*o.said);
      std::printf("%s# %s\n", shortest.text().c_str(), r.kind.perform(shortest).c_str());
    } else {
      std::printf("# %s\n", o.wrong.c_str());
    }
    std::fflush(stdout);
  }

  [[nodiscard]] bool print(std::uint64_t first) const {
    row sum;
    std::printf("%-36s %9s %12s %12s\n", "trial", "seeds", "operations", "divergences");
    for (const row& r : rows_) {
      print(r.kind.name, r);
      sum.seeds += r.seeds;
      sum.operations += r.operations;
      sum.divergences += r.divergences;
    }
    print("all, from seed " + std::to_string(first), sum);
    return sum.divergences == 0;
  }
  static void print(const std::string& name, const row& r) {
    std::printf("%-36s %9zu %12zu %12zu\n", name.c_str(), r.seeds, r.operations, r.divergences);
  }

  std::vector<row> rows_;
};

int perform_again(const std::string& name, const std::string& file) {
  std::ifstream in(file);
  const play p = play::parse({std::istreambuf_iterator<char>(in), {}});
  for (const trial_kind& kind : all_trials())
    if (kind.name == name && kind.perform) {
      const std::string wrong = kind.perform(p);
      std::puts(wrong.empty() ? "all is well" : wrong.c_str());
      return wrong.empty() ? 0 : 1;
    }
  std::fprintf(stderr, "no such trial, or none that can be performed again: %s\n", name.c_str());
  return 2;
}

int main_of(std::vector<std::string> arguments) {
  if (arguments.size() == 3 && arguments[0] == "--play") return perform_again(arguments[1], arguments[2]);
  if (arguments.size() == 1 && arguments[0] == "--list") {
    for (const trial_kind& kind : all_trials()) std::puts(kind.name.c_str());
    return 0;
  }
  long seconds = 60;
  if (!arguments.empty() && arguments[0].find_first_not_of("0123456789") == std::string::npos) {
    seconds = std::stol(arguments[0]);
    arguments.erase(arguments.begin());
  }
  return soak(std::move(arguments)).run(std::chrono::seconds(seconds)) ? 0 : 1;
}

}  // namespace
}  // namespace hotwatch::test

int main(int argc, char** argv) { return hotwatch::test::main_of({argv + 1, argv + argc}); }
