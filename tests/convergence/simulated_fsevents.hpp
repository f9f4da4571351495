// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// FSEvents over a real disk: what each operation did to the tree becomes the events that macOS would make of it, which
// then are held back, merged with what was told of the name before, reordered, sent again, and dropped.

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hotwatch/backends/fsevents.hpp"
#include "support/fake_fsevents.hpp"
#include "support/files.hpp"
#include "trial.hpp"
#include "vandal.hpp"

namespace hotwatch::test {

/// Other spellings of names, as a volume that ignores the letter case and the normal form takes them for one.
class respelling {
 public:
  explicit respelling(std::uint64_t seed) : random_(seed) {}

  /// A path below `base`, which keeps its own. Each of its names may be in another one.
  std::string any_of(const std::string& path, const std::string& base = {}) {
    std::string out = base;
    for (std::size_t i = base.size(); i < path.size(); ++i) {
      const bool is_first = i == 0 || path[i - 1] == '/';
      const std::string_view rest = std::string_view(path).substr(i);
      const auto letter = std::find_if(std::begin(accented), std::end(accented),
                                       [&](std::string_view one) { return rest.starts_with(one); });
      if (letter != std::end(accented)) {
        out += accented[random_() % std::size(accented)];
        i += letter->size() - 1;
      } else if (is_first && (path[i] | 0x20) >= 'd' && (path[i] | 0x20) <= 'f') {
        out += random_() % 2 != 0 ? static_cast<char>(path[i] ^ 0x20) : path[i];
      } else {
        out += path[i];
      }
    }
    return out;
  }

  /// The command with the names that are there as they are there, and new ones in any spelling. What a rename takes the
  /// place of keeps its own, or is given the new one.
  std::vector<std::string> command(const temp_directory& where, const std::string& command) {
    std::vector<std::string> w = words(command);
    if (w[0] == "lns") return {w[0] + ' ' + w[1] + ' ' + found(where, any_of(accent(w[2])))};
    const bool renames = w[0] == "rename";
    std::string last;
    for (std::size_t i = 1; i < w.size(); ++i) {
      if (!is_name(w[i])) continue;
      last = any_of(accent(w[i]));
      w[i] = found(where, last);
    }
    std::vector<std::string> all(1, w[0]);
    for (std::size_t i = 1; i < w.size(); ++i) all[0] += ' ' + w[i];
    if (!renames || w[2] == "." || random_() % 2 != 0) return all;
    const std::size_t name = last.rfind('/') + 1;
    const std::string anew = w[2].substr(0, w[2].rfind('/') + 1) + last.substr(name);
    if (name != 0 && anew.find('/') == std::string::npos) return all;
    if (anew == w[2]) return all;
    if (w[1] == w[2]) return {"rename " + w[1] + ' ' + anew};
    all.push_back("rename " + w[2] + ' ' + anew);
    return all;
  }

 private:
  static constexpr std::string_view accented[] = {"\xC3\xA9", "e\xCC\x81", "\xC3\x89", "E\xCC\x81"};

  static bool is_name(const std::string& word) {
    return word.starts_with("out:x") || ((word[0] == 'd' || word[0] == 'f') && word.size() > 1);
  }
  // Some names have a letter that is not in ASCII.
  static std::string accent(std::string path) {
    for (const char* name : {"f1", "d1"})
      for (std::size_t at = 0; (at = path.find(name, at)) != std::string::npos; ++at)
        if (at == 0 || path[at - 1] == '/') path.replace(at + 1, 1, accented[0]);
    return path;
  }
  // What the volume finds by that name.
  static std::string found(const temp_directory& where, const std::string& name) {
    const std::size_t slash = name.rfind('/');
    if (name.starts_with("out:") && slash == std::string::npos)
      return "out:" + listed(where.out().path(), name.substr(4));
    if (slash == std::string::npos) return listed(where.root().path(), name);
    const std::string above = found(where, name.substr(0, slash));
    return above + '/' + listed(path_of(where, above), name.substr(slash + 1));
  }
  static std::string listed(const std::string& directory, const std::string& name) {
    for (const auto& [path, type] : list(directory, directory, false)) {
      std::string there = path.substr(path.rfind('/') + 1);
      if (folded(there) == folded(name)) return there;
    }
    return name;
  }

  std::mt19937_64 random_;
};

/// One at a time in a process: while it lives it sees what every hand does.
class simulated_fsevents {
 public:
  /// `respells`: the volume ignores the letter case and the normal form, and names are told in any.
  explicit simulated_fsevents(std::uint64_t seed, bool respells = false) : random_(seed), spell_(seed) {
    current() = this;
    script->ignores_case = respells_ = respells;
    if (respells)
      hand::speller = [this](const temp_directory& where, const std::string& c) { return spell_.command(where, c); };
    script->before_wait = [this] { happen_to_be_told(); };
    hand::observer = [this](const temp_directory& where, const std::function<bool()>& operation) {
      const std::lock_guard lock(script->mutex);
      above_ = where.base().path();
      if (!base_) base_ = std::make_unique<tree>(look(above_));
      const bool done = operation();
      observe(above_);
      happen_to_be_told();
      return done;
    };
    before_comparing = [this] { tell_all(); };
  }
  simulated_fsevents(const simulated_fsevents&) = delete;
  simulated_fsevents& operator=(const simulated_fsevents&) = delete;
  ~simulated_fsevents() {
    current() = nullptr;
    hand::observer = nullptr;
    hand::speller = nullptr;
    before_comparing = nullptr;
  }

  static simulated_fsevents*& current() {
    static simulated_fsevents* one = nullptr;
    return one;
  }

  const std::shared_ptr<fake_fsevents> script = std::make_shared<fake_fsevents>();
  bool tells_before_comparing = false;
  std::size_t told = 0, dropped = 0;

 private:
  struct item {
    std::uint64_t id = 0;
    mode_t mode = 0;
    off_t size = 0;
    std::int64_t written = 0, changed = 0;
    [[nodiscard]] bool is_directory() const { return S_ISDIR(mode); }
  };
  using tree = std::map<std::string, item>;
  struct pending {
    fake_event what;
    std::string root_of = {};  ///< of RootChanged: the stream's path
  };

  static tree look(const std::string& base) {
    tree all;
    look_into(all, base);
    return all;
  }
  static void look_into(tree& all, const std::string& path) {
    DIR* const dir = ::opendir(path.c_str());
    while (const dirent* entry = dir != nullptr ? ::readdir(dir) : nullptr) {
      const std::string_view name = entry->d_name;
      struct stat s {};
      if (name == "." || name == ".." || ::fstatat(::dirfd(dir), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) != 0) continue;
      const auto time = [](const timespec& t) { return t.tv_sec * std::int64_t{1'000'000'000} + t.tv_nsec; };
      const std::string below = path + '/' + entry->d_name;
      all[below] = {s.st_ino, s.st_mode, s.st_size, time(s.st_mtim), time(s.st_ctim)};
      if (S_ISDIR(s.st_mode)) look_into(all, below);
    }
    if (dir != nullptr) ::closedir(dir);
  }

  [[nodiscard]] bool chance(unsigned one_in) { return random_() % one_in == 0; }

  // What was and what is now: the difference is what the operation did.
  void observe(const std::string& base) {
    tree now = look(base);
    const auto placed = [](const tree& t, const tree& other) {  // numbers at places where they are not in the other
      std::set<std::uint64_t> ids;
      for (const auto& [path, i] : t)
        if (const auto o = other.find(path); o == other.end() || o->second.id != i.id) ids.insert(i.id);
      return ids;
    };
    const std::set<std::uint64_t> left = placed(*base_, now), came = placed(now, *base_);
    const auto moved = [&](std::uint64_t id) { return left.contains(id) && came.contains(id); };
    std::set<std::string> paths;
    for (const auto& [path, i] : *base_) paths.insert(path);
    for (const auto& [path, i] : now) paths.insert(path);
    std::set<std::string> with_their_directory;  // what was in a directory that moved, or is
    for (const std::string& path : paths) {
      const auto was = base_->find(path), is = now.find(path);
      const item* const a = was != base_->end() ? &was->second : nullptr;
      const item* const b = is != now.end() ? &is->second : nullptr;
      const bool differs = a == nullptr || b == nullptr || a->id != b->id;
      const bool moves = differs && ((a != nullptr && moved(a->id)) || (b != nullptr && moved(b->id)));
      const bool along = with_their_directory.contains(path.substr(0, path.rfind('/')));
      if (along || moves) with_their_directory.insert(path);
      if (along) continue;
      const item& seen = b != nullptr ? *b : *a;
      std::uint32_t flags = 0;
      if (moves) flags |= fse::item_renamed;
      if (differs && a != nullptr && !moved(a->id)) flags |= moves ? 0 : fse::item_removed;
      if (differs && b != nullptr && !moved(b->id))
        flags |= fse::item_created | (b->size != 0 ? fse::item_modified : 0);
      if (!differs && !b->is_directory() && (a->size != b->size || a->written != b->written))
        flags |= fse::item_modified;
      if (!differs && (a->mode != b->mode || (!b->is_directory() && a->changed != b->changed)))
        flags |= fse::item_inode_meta;
      if (flags == 0) continue;
      flags |= seen.is_directory() ? fse::item_is_dir : S_ISLNK(seen.mode) ? fse::item_is_symlink : fse::item_is_file;
      add({{path, flags, seen.id}});
    }
    for (const auto& s : script->all_started())
      for (const auto& [path, i] : *base_)
        if (fse::leads_to(path, s->path))
          if (const auto is = now.find(path); is == now.end() || is->second.id != i.id) {
            pending_.push_back({{s->path, fse::root_changed}, s->path});
            break;
          }
    *base_ = std::move(now);
    if (!sticking_.empty() && chance(8)) {
      auto again = sticking_.begin();
      std::advance(again, static_cast<std::ptrdiff_t>(random_() % sticking_.size()));
      pending_.push_back({{again->first, again->second}});
    }
  }

  void add(pending p) {
    std::uint32_t& sticks = sticking_[p.what.path];
    if (chance(16)) sticks = 0;
    sticks |= p.what.flags;
    if (chance(2)) p.what.flags = sticks;
    for (pending& waiting : pending_)
      if (waiting.root_of.empty() && waiting.what.path == p.what.path &&
          (waiting.what.file_id == p.what.file_id || chance(2))) {
        waiting.what.flags |= p.what.flags;
        waiting.what.file_id = p.what.file_id;
        return;
      }
    pending_.push_back(std::move(p));
  }

  // The daemon takes its time.
  void happen_to_be_told() {
    const std::lock_guard lock(script->mutex);
    if (pending_.empty() || !chance(4)) return;
    if (chance(3)) std::shuffle(pending_.begin(), pending_.end(), random_);
    if (chance(40)) drop();
    tell(1 + random_() % pending_.size());
  }
  void tell_all() {
    const std::lock_guard lock(script->mutex);
    if (tells_before_comparing) tell(pending_.size());
  }

  // All of it, or what is below the directory of one of them.
  void drop() {
    ++dropped;
    if (chance(2)) {
      std::erase_if(pending_, [](const pending& p) { return p.root_of.empty(); });
      const std::uint32_t by = chance(2) ? fse::user_dropped : fse::kernel_dropped;
      pending_.push_back({{"/", fse::must_scan_subdirs | by}});
      return;
    }
    const pending one = pending_[random_() % pending_.size()];
    if (!one.root_of.empty()) return;
    const std::string above = one.what.path.substr(0, one.what.path.rfind('/'));
    std::erase_if(pending_, [&](const pending& p) { return p.root_of.empty() && fse::leads_to(above, p.what.path); });
    pending_.push_back({{above, fse::must_scan_subdirs}});
  }

  void tell(std::size_t count) {
    std::vector<fake_event> events;
    std::set<std::string> roots;
    for (std::size_t i = 0; i < count; ++i) {
      if (pending_[i].root_of.empty())
        events.push_back(as_told(pending_[i].what));
      else
        roots.insert(pending_[i].root_of);
    }
    pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(count));
    told += events.size();
    script->send(events);
    for (const auto& s : script->all_started())
      if (roots.contains(s->path)) script->send_to(*s, {{s->path, fse::root_changed}});
  }

  // The names in the test's directory; those of the directory itself and above are told as they are.
  [[nodiscard]] fake_event as_told(fake_event e) {
    const std::size_t own = e.path.find('/', above_.size() + 1);
    if (respells_ && fse::leads_to(above_, e.path) && own != std::string::npos && chance(4))
      e.path = spell_.any_of(e.path, e.path.substr(0, own));
    return e;
  }

  std::mt19937_64 random_;
  respelling spell_;
  bool respells_ = false;
  std::string above_;
  std::unique_ptr<tree> base_;
  std::vector<pending> pending_;
  std::map<std::string, std::uint32_t> sticking_;
};

/// macOS as it is simulated now, upon these calls of Linux.
template <class System, bool IgnoresCase>
class simulated_macos : public fake_macos_system<System, IgnoresCase> {
 public:
  simulated_macos() : simulated_macos(System()) {}
  simulated_macos(System own)
      : fake_macos_system<System, IgnoresCase>(simulated_fsevents::current()->script, std::move(own)) {}
};

/// A barrier of this one does not look: all has to be found by the events.
template <class System, bool IgnoresCase>
class basic_heard_backend : public basic_fsevents_backend<simulated_macos<System, IgnoresCase>> {
 public:
  static constexpr bool tells_late = false;
  explicit basic_heard_backend(System system = {})
      : basic_fsevents_backend<simulated_macos<System, IgnoresCase>>(std::move(system)) {
    simulated_fsevents::current()->tells_before_comparing = true;
  }
};

template <class System>
using simulated_fsevents_backend = basic_fsevents_backend<simulated_macos<System, false>>;
template <class System>
using heard_fsevents_backend = basic_heard_backend<System, false>;
template <class System>
using respelling_fsevents_backend = basic_fsevents_backend<simulated_macos<System, true>>;
template <class System>
using heard_respelling_fsevents_backend = basic_heard_backend<System, true>;

}  // namespace hotwatch::test
