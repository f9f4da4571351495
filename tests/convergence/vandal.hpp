// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Random commands, for random trials. Most may fail: names are drawn blindly, from a few.

#include <cstdint>
#include <functional>
#include <iterator>
#include <random>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "reader.hpp"
#include "support/commands.hpp"

namespace hotwatch::test {

/// Carries out commands on disk, and notes the files that get a second name.
class hand {
 public:
  hand(const temp_directory& where, linked_files& linked) : where_(where), linked_(linked) {}

  /// Sees each operation, which it has to carry out; where there is one, operations come one after the other.
  static inline std::function<bool(const temp_directory&, const std::function<bool()>& operation)> observer;

  /// What a command is on a volume that knows a name in several spellings: by the names of the disk, one or several.
  static inline std::function<std::vector<std::string>(const temp_directory&, const std::string& command)> speller;

  bool run(const std::string& command) {
    if (!observer) return carry_out(command);
    return observer(where_, [&] {
      if (!speller) return carry_out(command);
      for (const std::string& spelled : speller(where_, command))
        if (!carry_out(spelled)) return false;
      return true;
    });
  }

  [[nodiscard]] bool is_regular(const std::string& name) const { return S_ISREG(mode_of(path_of(where_, name))); }
  [[nodiscard]] bool may_be_written(const std::string& name) const {
    const std::string path = path_of(where_, name);
    return is_regular(name) || (mode_of(path) == 0 && S_ISDIR(mode_of(path.substr(0, path.rfind('/')))));
  }

 private:
  bool carry_out(const std::string& command) {
    if (!command.starts_with("ln ")) return execute(where_, command).empty();
    const auto w = words(command);
    return link(path_of(where_, w[1]), path_of(where_, w[2]));
  }
  static mode_t mode_of(const std::string& path) {
    struct stat s {};
    return ::lstat(path.c_str(), &s) == 0 ? s.st_mode : 0;
  }
  // The file is held, so that it is surely the one that is noted as linked.
  bool link(const std::string& from, const std::string& to) {
    const int fd = ::open(from.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) return false;
    identity id;
    std::uint32_t links = 0;
    bool regular = false;
    bool ok = identify(fd, "", AT_EMPTY_PATH, id, links, regular) && regular;
    if (ok) {
      linked_.add(id);
      const std::string self = "/proc/self/fd/" + std::to_string(fd);
      ok = ::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, to.c_str(), AT_SYMLINK_FOLLOW) == 0;
    }
    ::close(fd);
    return ok;
  }

  const temp_directory& where_;
  linked_files& linked_;
};

/// One thread's random commands; `carry_out` says whether one worked.
class vandal {
 public:
  struct operation {
    std::size_t weight;
    void (*run)(vandal&);
  };
  using carrier = std::function<bool(const std::string& command)>;

  vandal(hand& eyes, carrier carry_out, std::uint64_t seed) : eyes_(eyes), run_(std::move(carry_out)), random_(seed) {}

  /// What else it does now and then, one time in sixteen for each of these.
  std::span<const operation> also;
  bool harms_the_root = false;
  /// Works in the second root too.
  bool several_roots = false;

  void operate() {
    static constexpr operation usual[] = {
        {6, [](vandal& v) { v.put("write"); }},
        {3, [](vandal& v) { v.put("append"); }},
        {2, [](vandal& v) { v.truncate(); }},
        {2, [](vandal& v) { v.change_mode(); }},
        {1, [](vandal& v) { v.run("touch", v.file()); }},
        {2, [](vandal& v) { v.link(); }},
        {2, [](vandal& v) { v.symlink(); }},
        {1, [](vandal& v) { v.run("mkfifo", v.file()); }},
        {6, [](vandal& v) { v.run("mkdirp", v.directory()); }},
        {3, [](vandal& v) { v.fill(v.directory()); }},
        {4, [](vandal& v) { v.two("rename", &vandal::file, &vandal::file); }},
        {4, [](vandal& v) { v.two("rename", &vandal::directory, &vandal::directory); }},
        {2, [](vandal& v) { v.two("rename", &vandal::file, &vandal::outside); }},
        {2, [](vandal& v) { v.two("rename", &vandal::directory, &vandal::outside); }},
        {2, [](vandal& v) { v.two("rename", &vandal::outside, &vandal::file); }},
        {2, [](vandal& v) { v.two("rename", &vandal::outside, &vandal::directory); }},
        {1, [](vandal& v) { v.full_directory_in(); }},
        {1, [](vandal& v) { v.two("exchange", &vandal::file, &vandal::file); }},
        {1, [](vandal& v) { v.two("exchange", &vandal::directory, &vandal::directory); }},
        {1, [](vandal& v) { v.two("exchange", &vandal::any, &vandal::any); }},
        {1, [](vandal& v) { v.two("exchange", &vandal::any, &vandal::outside); }},
        {4, [](vandal& v) { v.run("rm", v.file()); }},
        {1, [](vandal& v) { v.run("rmr", v.directory()); }},
        {1, [](vandal& v) { v.run("rmdir", v.directory()); }},
        {3, [](vandal& v) { v.save_by_rename(); }},
        {1, [](vandal& v) { v.save_with_backup(); }},
        {1, [](vandal& v) { v.write_slowly(); }},
    };
    static constexpr operation to_the_root[] = {
        {1, [](vandal& v) { v.run("rmr", "."); }},
        {1, [](vandal& v) { v.run("mkdir", "."); }},
        {1, [](vandal& v) { v.run("rename", ".", "out:../away"); }},
        {1, [](vandal& v) { v.run("rename", "out:../away", "."); }},
        {1, [](vandal& v) { v.run("rename", "out:../away/d" + std::to_string(v.below(3)), "."); }},
    };
    // A second directory, and a file.
    static constexpr operation to_the_others[] = {
        {1, [](vandal& v) { v.run("mkdir", "out:y"); }},
        {1, [](vandal& v) { v.run("rmr", "out:y"); }},
        {1, [](vandal& v) { v.run("write", "out:g", v.text()); }},
        {1, [](vandal& v) { v.run("rm", "out:g"); }},
        {1, [](vandal& v) { v.run("rename", "out:g", v.file()); }},
        {1, [](vandal& v) { v.save("out:g"); }},
        // Another directory stands there, and never was there none.
        {2, [](vandal& v) { v.replace(".", "out:z"); }},
        {2, [](vandal& v) { v.replace("out:y", "out:z"); }},
    };
    if (harms_the_root && below(16) == 0) return to_the_root[below(std::size(to_the_root))].run(*this);
    if (several_roots && below(16) == 0) return to_the_others[below(std::size(to_the_others))].run(*this);
    if (!also.empty() && below(16) < also.size()) return also[below(also.size())].run(*this);
    draw(usual);
  }

  std::size_t below(std::size_t n) { return random_() % n; }
  std::string top_directory() { return 'd' + std::to_string(below(3)); }
  std::string directory() { return below_any_directory("d", below(3)); }
  std::string file() { return below_any_directory("f", below(4)); }
  std::string any() { return below(2) != 0 ? file() : directory(); }
  std::string outside() { return "out:x" + std::to_string(below(4)); }
  std::string text() {
    const std::string number = std::to_string(random_() % 1000);
    return std::string(below(5), 'x') + number;
  }
  bool run(const char* verb) { return run_(verb); }
  bool run(const char* verb, const std::string& name) { return run_(std::string(verb) + ' ' + name); }
  bool run(const char* verb, const std::string& first, const std::string& second) {
    return run_(std::string(verb) + ' ' + first + ' ' + second);
  }

 private:
  // Few names and little depth, so that the threads meet.
  std::string below_any_directory(const char* name, std::size_t number) {
    std::string path = several_roots && below(8) == 0 ? "out:y/" : "";
    for (std::size_t depth = below(4); depth > 0; --depth) path += 'd' + std::to_string(below(3)) + '/';
    return path + name + std::to_string(number);
  }

  using drawn = std::string (vandal::*)();

  void draw(std::span<const operation> from) {
    std::size_t sum = 0;
    for (const operation& o : from) sum += o.weight;
    std::size_t dice = below(sum);
    for (const operation& o : from) {
      if (dice < o.weight) return o.run(*this);
      dice -= o.weight;
    }
  }

  void two(const char* verb, drawn first, drawn second) {
    const std::string to = (this->*second)();
    run(verb, (this->*first)(), to);
  }
  void put(const char* verb) {
    const std::string what = text();
    run(verb, file(), what);
  }
  void truncate() {
    const std::size_t size = below(6);
    run("truncate", file(), std::to_string(size));
  }
  void change_mode() {
    const char* const mode = below(2) != 0 ? "744" : "700";
    run("chmod", mode, any());
  }
  void symlink() {
    const std::string where = file();
    run("lns", below(2) != 0 ? "nowhere" : "f0", where);
  }
  void link() {
    const std::string from = file();
    if (eyes_.is_regular(from)) run("ln", from, file());
  }
  void fill(const std::string& where) {
    if (!run("mkdirp", where)) return;
    const std::string what = text();
    run("write", where + "/f" + std::to_string(below(4)), what);
  }
  void full_directory_in() {
    const std::string d = outside();
    if (run("mkdirp", d + "/d0/d1")) run("write", d + "/d0/d1/f0", text());
    run("rename", d, directory());
  }
  void save(const std::string& f) {
    const std::string temporary = f + ".tmp" + std::to_string(below(3));
    if (run("write", temporary, text())) run("rename", temporary, f);
  }
  void replace(const std::string& root, const std::string& by) {
    fill(by);
    run("exchange", by, root);
  }
  void save_by_rename() { save(file()); }
  void save_with_backup() {
    const std::string f = file();
    run("rename", f, f + "~");
    run("write", f, text());
    if (below(2) != 0) run("rm", f + "~");
  }
  void write_slowly() {
    std::string parts = file();
    if (!eyes_.may_be_written(parts)) return;
    for (std::size_t i = below(4); i > 0; --i) parts += ' ' + text();
    run("open-write", parts);
  }

  hand& eyes_;
  carrier run_;
  std::mt19937_64 random_;
};

}  // namespace hotwatch::test
