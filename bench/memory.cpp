// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What does the watcher hold for a file, and what for a directory? As stats() counts it, and as malloc does.

#include <malloc.h>

#include <hotwatch.hpp>

#include "bench.hpp"

namespace {

/// What malloc has given out, its own headers included.
double allocated() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks) + static_cast<double>(info.hblkhd);
}

struct held {
  double allocated = 0;
  double resident = 0;
  double counted = 0;     ///< stats().bytes
  double name_bytes = 0;  ///< stats().name_bytes
  double directories = 0;
  double files = 0;
};

held bare(const std::string& root) {
  return bench::isolated<held>([&](held& h) {
    const double before = allocated();
    const double resident = bench::resident_bytes();
    bench::bare_inotify inotify;
    inotify.add(root);
    h.allocated = allocated() - before;
    h.resident = bench::resident_bytes() - resident;
    h.directories = static_cast<double>(inotify.watches());
  });
}

held watched(const std::string& root) {
  return bench::isolated<held>([&](held& h) {
    const double before = allocated();
    const double resident = bench::resident_bytes();
    hotwatch::watcher watcher;
    watcher.add(root);
    h.allocated = allocated() - before;
    h.resident = bench::resident_bytes() - resident;
    const hotwatch::statistics stats = watcher.stats();
    h.counted = static_cast<double>(stats.bytes);
    h.name_bytes = static_cast<double>(stats.name_bytes);
    h.directories = static_cast<double>(stats.directories);
    h.files = static_cast<double>(stats.files);
  });
}

void measure(const bench::arguments& args, bench::report& out) {
  const bench::temp_directory directory(args.dir_or_here());
  const int files = args.quick ? 10 : 100;
  const std::string many_files = directory.path() + "/files";
  const std::string many_directories = directory.path() + "/directories";
  const bench::tree_size with_files = bench::make_tree(many_files, {10, 99}, files);
  const bench::tree_size without =
      bench::make_tree(many_directories, args.quick ? std::vector{10, 10, 99} : std::vector{10, 100, 99}, 0);

  bench::table t("memory: held after add()", {"how", "directories", "files", "counted kB", "names kB", "malloc kB",
                                              "grown kB", "bytes an entry, names aside", "malloc bytes an entry"});
  const auto row = [&](const std::string& how, const bench::tree_size& size, const held& h) {
    const double entries = std::max(1.0, h.directories + h.files);
    t.row({how,
           size.directories,
           size.files,
           {h.counted / 1024, 0},
           {h.name_bytes / 1024, 0},
           {h.allocated / 1024, 0},
           {h.resident / 1024, 0},
           {(h.counted - h.name_bytes) / entries, 1},
           {h.allocated / entries, 1}});
  };
  row("bare: wd -> path, no files", with_files, bare(many_files));
  const held a = watched(many_files);
  row("hotwatch", with_files, a);
  row("bare: wd -> path", without, bare(many_directories));
  const held b = watched(many_directories);
  row("hotwatch", without, b);
  out.add(std::move(t));

  // Two trees, two unknowns. Tables grow in steps, so each figure has the slack of its tree in it.
  bench::table each("memory: what a directory and what a file costs", {"as", "bytes a directory", "bytes a file"});
  const auto solve = [&](const char* how, double of_a, double of_b) {
    const double det = a.directories * b.files - a.files * b.directories;
    if (det == 0) return;
    each.row(
        {how, {(of_a * b.files - of_b * a.files) / det, 1}, {(a.directories * of_b - b.directories * of_a) / det, 1}});
  };
  solve("stats(), names aside", a.counted - a.name_bytes, b.counted - b.name_bytes);
  solve("stats(), names", a.name_bytes, b.name_bytes);
  solve("malloc, all", a.allocated, b.allocated);
  out.add(std::move(each));
}

}  // namespace

int main(int argc, char** argv) { return bench::run(argc, argv, 1, measure); }
