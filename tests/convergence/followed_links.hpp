// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Links that are followed, as a third way for a trial to run: random links and random operations between the system
// calls of the watcher, and at each quiet moment what was told is what a listing that follows links finds.

#include <sys/stat.h>

#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "examples/hotwatch/trace/simulated_clock.hpp"
#include "hotwatch.hpp"
#include "seeds.hpp"
#include "support/fanotify_records.hpp"
#include "support/files.hpp"
#include "support/followed.hpp"
#include "support/model.hpp"
#include "support/scripted_system.hpp"
#include "trial.hpp"
#include "trial_kind.hpp"
#include "vandal.hpp"

namespace hotwatch::test {

/// Random operations on few names, most of which may fail.
class link_vandal {
 public:
  link_vandal(const temp_directory& where, std::uint64_t seed) : where_(where), random_(seed) {}

  void operate() {
    ++operations_;
    if (!hand::observer) return operate_unseen();
    hand::observer(where_, [&] { return operate_unseen(), true; });
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  [[nodiscard]] std::size_t operations() const { return operations_; }

 private:
  void operate_unseen() {
    switch (below(17)) {
      case 0:
      case 1:
      case 2: return done("mkdir", raw::mkdir(directory()));
      case 3: return done("write", raw::append(directory() + "/f" + digit(2), "text"));
      case 4: return done("rm", raw::rm(directory() + "/f" + digit(2)));
      case 5: return done("rename file", raw::rename(directory() + "/f" + digit(2), directory() + "/f" + digit(2)));
      case 6:
      case 7:
      case 8:
      case 9: return done("symlink", raw::symlink(target(), link()));
      case 10: {  // ln -sfn
        const std::string aside = link() + ".new";
        return done("replace link", raw::symlink(target(), aside) && raw::rename(aside, link()));
      }
      case 11: return done("rm link", raw::rm(link()));
      case 12: return done("rename", raw::rename(any(), any()));
      case 13: return done("exchange", raw::exchange(any(), any()));
      case 14: return done("rename directory", raw::rename(directory(), directory()));
      case 15: return done("file for a directory", raw::append(directory(), "text"));
      default: return done("rm -r", raw::rm_rf(any()));
    }
  }

  void done(const char* what, bool ok) const {
    if (verbose() && ok) std::cout << "  " << what << ' ' << used_ << '\n';
    used_.clear();
  }
  std::string digit(std::size_t n) { return std::to_string(below(n)); }
  const std::string& use(const std::string& path) const {
    used_ += ' ' + path.substr(where_.base().path().size());
    return path;
  }
  std::string top() { return below(3) != 0 ? where_.root().path() : where_.out().path(); }
  std::string directory() {
    std::string path = top() + "/d" + digit(2);
    if (below(2) != 0) path += "/d" + digit(2);
    return use(path);
  }
  std::string link() {
    std::string path = top();
    if (below(2) != 0) path += "/d0";
    return use(path + "/l" + digit(2));
  }
  std::string any() { return below(2) != 0 ? directory() : link(); }
  std::string target() {
    switch (below(8)) {
      case 0: return "d" + digit(2);
      case 1: return "../d" + digit(2);
      case 2: return "l" + digit(2);
      case 3: return "../out/d" + digit(2);
      case 4: return below(2) != 0 ? "." : top();  // never "..": what is done through that would be done outside
      case 5: return "f0";
      case 6: return link() + "/d" + digit(2);
      default: return directory();
    }
  }

  const temp_directory& where_;
  std::mt19937_64 random_;
  std::size_t operations_ = 0;
  mutable std::string used_;
};

/// What a file was at a quiet moment, so that a write that nobody told of is noticed.
struct content {
  std::tuple<dev_t, ino_t> file;
  off_t size = 0;
};

inline std::map<std::string, content> contents_of(const listing& disk) {
  std::map<std::string, content> all;
  for (const auto& [path, type] : disk) {
    struct stat s {};
    if (type == entry_type::file && ::lstat(path.c_str(), &s) == 0) all[path] = {{s.st_dev, s.st_ino}, s.st_size};
  }
  return all;
}

template <template <class> class Backend, bool Overflows = false>
outcome follow_links(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const temp_directory where;
  const std::string& root = where.root().path();
  link_vandal vandal(where, random());
  for (int i = 0; i < 25; ++i) vandal.operate();

  const auto faults = std::make_shared<script>();
  options chosen{.follow_symlinks = true, .poll_interval = std::chrono::milliseconds(5)};
  if (random() % 2 == 0) chosen.debounce = immediate;
  basic_watcher<Backend<scripted_system>, trace::simulated_clock> watcher(chosen, scripted_system(faults));
  watcher.add(root);
  model told({root});
  told.start_from(known(watcher));

  const std::size_t every = 3 + random() % 20;
  long left = 0;
  faults->before_each = [&](system_call) {
    while (left > 0 && vandal.below(every) == 0) {
      --left;
      vandal.operate();
    }
  };
  if (Overflows) {  // some of the records, and then no more
    const auto lose = [&](std::vector<std::string>& records, const std::string& overflow) {
      if (vandal.below(8) != 0) return;
      records.resize(records.size() / 2);
      records.push_back(overflow);
    };
    faults->on_records = [=](auto& records) { lose(records, inotify_record(-1, detail::inotify::in_q_overflow)); };
    faults->on_events = [=](auto& events) { lose(events, fanotify_event(detail::fanotify::fan_q_overflow)); };
  }
  std::string wrong = told.difference(list_followed(root));
  std::map<std::string, content> before = contents_of(list_followed(root));
  std::map<std::string, bool, std::less<>> touched;
  const auto take = [&](const batch& b) {
    if (verbose() && !b.empty()) std::cout << "batch\n" << model::text(b);
    if (wrong.empty()) wrong = told.apply(b);
    for (const change& c : b) touched[std::string(c.path)] = touched[std::string(c.old_path)] = true;
  };
  const auto was_told = [&](const std::string& path) {
    for (std::size_t end = path.size(); end != std::string::npos && end > root.size(); end = path.rfind('/', end - 1))
      if (touched.contains(std::string_view(path).substr(0, end))) return true;
    return false;
  };
  for (int round = 0; round < 3 && wrong.empty(); ++round) {
    left = 12 + static_cast<long>(random() % 12);
    while (left > 0) {
      --left;
      vandal.operate();
      trace::simulated_clock::advance(std::chrono::microseconds(random() % 3000));
      take(random() % 4 == 0 ? watcher.flush() : watcher.poll());
    }
    if (before_comparing) before_comparing();
    for (int calls = 0; calls < 100; ++calls) {
      const batch& b = watcher.flush();
      if (b.empty()) break;
      take(b);
    }
    const listing disk = list_followed(root);
    if (wrong.empty()) wrong = told.difference(disk);
    if (wrong.empty() && known(watcher) != told.entries()) wrong = "for_each() is not what was told";
    const auto now = contents_of(disk);
    for (const auto& [path, what] : now)
      if (const auto it = before.find(path); wrong.empty() && it != before.end() && it->second.file == what.file &&
                                             it->second.size != what.size && !was_told(path))
        wrong = "a modification was lost: " + path;
    before = now;
    touched.clear();
    if (!wrong.empty()) wrong.insert(0, "round " + std::to_string(round) + ": ");
  }
  for (std::size_t at = 0; (at = wrong.find(root, at)) != std::string::npos;) wrong.replace(at, root.size(), "root");
  return {wrong, vandal.operations()};
}

}  // namespace hotwatch::test
