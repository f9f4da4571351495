// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Real programs at work in a watched tree: whoever applies what he is told holds, after each command, what is on disk.
// One run of a program is witnessed by several watchers at once. Run by tools/workloads.

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/commands.hpp"
#include "support/files.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;

bool works(const std::string& command) { return std::system((command + " >/dev/null 2>&1 </dev/null").c_str()) == 0; }
bool has(const std::string& tool) { return works("command -v " + tool); }

/// Somebody who is told of all that happens, on a thread of its own.
class witness {
 public:
  virtual ~witness() = default;
  virtual void begin() = 0;
  /// Nobody is at work any more. The text says what was wrong, and is empty when all is well.
  virtual std::string end() = 0;
  [[nodiscard]] virtual std::size_t changes() const = 0;
};

template <class Watcher>
class witness_of : public witness {
 public:
  witness_of(std::string name, const place& root, debounce how)
      : name_(std::move(name)), root_(root), watcher_(options{.debounce = how, .poll_interval = 50ms}) {
    watcher_.add(root.path());
    told_.start_from(known(watcher_));
  }

  void begin() override {
    working_ = true;
    thread_ = std::thread([this] {
      while (working_) take(watcher_.wait_for(10ms));
    });
  }

  std::string end() override {
    working_ = false;
    thread_.join();
    take(watcher_.flush());
    if (wrong_.empty()) wrong_ = told_.difference(root_.list());
    return wrong_.empty() ? std::string() : name_ + ": " + wrong_.substr(0, 2000);
  }
  [[nodiscard]] std::size_t changes() const override { return changes_; }

 private:
  void take(const batch& b) {
    changes_ += b.size();
    if (wrong_.empty()) wrong_ = told_.apply(b);
  }

  std::string name_;
  const place& root_;
  Watcher watcher_;
  model told_{{root_.path()}};
  std::size_t changes_ = 0;
  std::string wrong_;
  std::atomic<bool> working_ = false;
  std::thread thread_;
};

class Workload : public testing::Test {
 protected:
  void prepare(const std::string& script) { ASSERT_EQ(execute_shell(directory, script), ""); }

  /// From here on all of them watch.
  void watch() {
    add<inotify_backend>("inotify");
    add<polling_backend>("polling");
  }

  /// Runs a script in the root while all of them watch, and holds each to what is on disk afterwards.
  void work(const std::string& script) {
    if (witnesses_.empty()) watch();
    for (const auto& w : witnesses_) w->begin();
    const std::string failed = execute_shell(directory, script);
    for (const auto& w : witnesses_) EXPECT_EQ(w->end(), "") << script;
    ASSERT_EQ(failed, "") << script;
    std::cout << "entries: " << directory.root().list().size() << ", told so far:";
    for (const auto& w : witnesses_) std::cout << ' ' << w->changes();
    std::cout << "; after " << script.substr(0, 60) << '\n';
  }

  temp_directory directory;

 private:
  template <class Backend>
  void add(const std::string& backend) {
    using watcher = basic_watcher<Backend>;
    witnesses_.push_back(std::make_unique<witness_of<watcher>>(backend + ", immediate", directory.root(), immediate));
    witnesses_.push_back(std::make_unique<witness_of<watcher>>(backend, directory.root(), debounce{}));
  }

  std::vector<std::unique_ptr<witness>> witnesses_;
};

// A branch `other` changes a third of 10,000 files, removes some and adds others; `topic` has ten commits of its own.
const char* const repository = R"(
git init -q -b main "$OUT/origin" && cd "$OUT/origin"
git config user.name nobody && git config user.email nobody@localhost
perl -e 'for $d (0 .. 99) { mkdir "d$d"; for $f (0 .. 99) { open F, ">", "d$d/f$f"; print F "$d $f\n" x 20; } }'
git add . && git commit -qm one
git checkout -qb topic && for i in 0 1 2 3 4 5 6 7 8 9; do echo $i >d$i/topic && git add . && git commit -qm $i; done
git checkout -q -b other main && git rm -qr d90 d91
perl -e 'for $d (0 .. 89) { for $f (0 .. 33) { open F, ">>", "d$d/f$f"; print F "more\n"; } }'
mkdir -p new/deep && cp -r d1 new/deep/ && git add . && git commit -qm two && git checkout -q main
)";

TEST_F(Workload, Git) {
  if (!has("git")) GTEST_SKIP() << "no git here";
  prepare(repository);
  work(
      "git clone -q ../out/origin clone && cd clone && git config user.name nobody && git config user.email "
      "nobody@localhost");
  work("cd clone && git checkout -q other && git checkout -q main");
  work("cd clone && git checkout -q topic && git rebase -q origin/other");
  work("cd clone && git gc -q --prune=now");
  work("rm -rf clone");
}

TEST_F(Workload, TarAndRemove) {
  prepare("tar -c -f ../out/include.tar -C /usr include");
  work("tar -x -f ../out/include.tar");
  work("tar -x -f ../out/include.tar --recursive-unlink --unlink-first");
  work("rm -rf include");
}

TEST_F(Workload, Rsync) {
  if (!has("rsync")) GTEST_SKIP() << "no rsync here";
  prepare(
      "mkdir ../out/from && cp -r /usr/include/linux ../out/from/ && cp -r ../out/from ../out/changed && cd "
      "../out/changed && "
      "perl -e 'for (glob q(linux/[a-m]*.h)) { open F, q(>>), $_; print F qq(more\\n); } unlink glob "
      "q(linux/[n-z]*.h)'");
  work("rsync -a ../out/from/ to/");
  work("rsync -a --delete ../out/changed/ to/");
  work("rsync -a --delete --delay-updates ../out/from/ to/");
  work("rsync -a --inplace ../out/changed/ to/");
}

TEST_F(Workload, CmakeAndNinja) {
  if (!has("cmake") || !has("ninja")) GTEST_SKIP() << "no cmake or no ninja here";
  prepare(
      "mkdir src && cd src && perl -e 'for (1 .. 40) { open F, q(>), qq(f$_.c); print F qq(int f$_(void) { return $_; "
      "}\\n); }' && "
      "echo 'int main(void) { return 0; }' >main.c && "
      "printf 'cmake_minimum_required(VERSION 3.20)\\nproject(p C)\\nfile(GLOB all f*.c)\\nadd_library(some STATIC "
      "${all})\\n"
      "add_executable(main main.c)\\ntarget_link_libraries(main some)\\n' >CMakeLists.txt");
  work("cmake -S src -B build -G Ninja && cmake --build build");
  work("touch src/f1.c src/f2.c && cmake --build build");
  work("cmake --build build --target clean && rm -rf build");
}

TEST_F(Workload, LogRotation) {
  work(
      "for n in $(seq 100); do for i in 1 2 3 4 5; do echo line >>log; done; "
      "for i in 4 3 2 1; do [ ! -e log.$i ] || mv log.$i log.$((i + 1)); done; mv log log.1; : >log; done");
  work("for n in $(seq 50); do echo line >>log; cp log log.copy && : >log; done");
}

TEST_F(Workload, FiftySavesOfVim) {
  if (!has("vim")) GTEST_SKIP() << "no vim here";
  prepare("seq 1000 >f");
  for (const std::string backup : {"set backupcopy=no", "set backupcopy=yes", "set backup"})
    work("vim -u NONE -es -c '" + backup +
         "' -c 'for i in range(50) | call setline(1, i) | write! | endfor' -c 'quit!' f");
}

TEST_F(Workload, NpmInstall) {
  if (!has("npm")) GTEST_SKIP() << "no npm here";
  if (!works("timeout 30 npm view webpack version")) GTEST_SKIP() << "the registry of npm cannot be reached";
  prepare("echo '{}' >package.json");
  work("npm install --no-audit --no-fund --ignore-scripts --silent webpack eslint");
  work("npm uninstall --no-audit --no-fund --silent eslint");
  work("rm -rf node_modules");
}

TEST_F(Workload, PipInstall) {
  if (!has("pip")) GTEST_SKIP() << "no pip here";
  if (!works("timeout 30 pip install --dry-run --ignore-installed six"))
    GTEST_SKIP() << "the registry of pip cannot be reached";
  work("pip install --quiet --no-cache-dir --disable-pip-version-check --target lib django");
  work("pip install --quiet --no-cache-dir --disable-pip-version-check --target lib --upgrade django==4.2");
  work("rm -rf lib");
}

}  // namespace
}  // namespace hotwatch::test
