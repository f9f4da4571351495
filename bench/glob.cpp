// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What does it cost to ask twenty patterns about a name? The floor is fnmatch(3), which knows neither `**` nor braces.

#include <fnmatch.h>

#include <hotwatch/core/filter.hpp>

#include "bench.hpp"

namespace {

/// No path below matches any of these, so each pattern is asked.
const std::vector<std::string> usual{"*.o",     "*.obj", "*.a",       "*.so",      "*.pyc",  "*.swp",   "*~",
                                     "*.tmp",   "*.log", ".git/",     ".svn/",     "build/", "target/", "node_modules/",
                                     ".cache/", "core",  "Thumbs.db", ".DS_Store", "#*#",    "4913"};
const std::vector<std::string> hard{"*.[oa]",       "*.sw?",       "*_test.?pp",  "lib*.so*",  "[!a-z]*.bak",
                                    "*.tmp*",       "a*b*c*d",     "src/*/gen",   "out/*/*.d", "x?y?z",
                                    "*.o[0-9]",     "cache-*-v?",  "doc/*.in",    "*copy*",    "*.py[co]",
                                    "log-*-*-*.gz", "[0-9]*.part", "*.part[0-9]", "v*/obj",    "*-old-*"};
// 60 bytes.
const std::string way = "source/engine/renderer/vulkan/pipeline_cache_serializer2.cpp";

struct cost {
  double ns = 0;
  bool matched = false;
};

template <class Ask>
cost measure_one(int times, Ask ask) {
  cost c;
  const std::int64_t began = bench::now_ns();
  for (int i = 0; i < times; ++i) {
    const bool matched = ask();
    asm volatile("" : : "r"(matched) : "memory");
    c.matched |= matched;
  }
  c.ns = static_cast<double>(bench::now_ns() - began) / times;
  return c;
}

void measure(const bench::arguments& args, bench::report& out) {
  const std::string_view name = std::string_view(way).substr(way.rfind('/') + 1);
  const int times = args.quick ? 20'000 : 200'000;
  bench::table t("glob: 20 patterns, none of which matches, on a path of " + std::to_string(way.size()) + " bytes",
                 {"patterns", "fnmatch(3) ns", "hotwatch ns", "x fnmatch"});
  for (const auto& [called, patterns] :
       {std::pair("usual: *.o, build/, .DS_Store", &usual), std::pair("hard: *_test.?pp, out/*/*.d", &hard)}) {
    const hotwatch::detail::filter filter({}, *patterns);
    std::vector<double> theirs;
    std::vector<double> ours;
    for (int round = 0; round < args.rounds; ++round) {
      const cost floor = measure_one(times / 10, [&, patterns = patterns] {  // clang 14 captures no structured binding
        bool any = false;
        for (const std::string& p : *patterns) {
          const bool whole = p.find('/') != std::string::npos && p.back() != '/';
          any |= ::fnmatch(p.c_str(), whole ? way.c_str() : name.data(), FNM_PATHNAME) == 0;
        }
        return any;
      });
      const cost own =
          measure_one(times, [&] { return filter.judge(name, way, false) != hotwatch::detail::verdict::told; });
      if (floor.matched || own.matched) throw std::runtime_error("a pattern matches");
      theirs.push_back(floor.ns);
      ours.push_back(own.ns);
    }
    t.row({called, {bench::median(theirs), 0}, {bench::median(ours), 0}, {bench::paired_ratio(ours, theirs), 2}});
  }
  out.add(std::move(t));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 9, measure); }
