// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What `hotwatch record` writes down of real operations, and that a replay of it ends with what is on disk.

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "examples/hotwatch/trace/recorder.hpp"
#include "examples/hotwatch/trace/replay.hpp"
#include "hotwatch.hpp"
#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {
namespace {

class recording : public testing::Test {
 public:
  void open(options chosen = {.debounce = immediate}) {
    watcher_.emplace(std::move(chosen), recorder_);
    watcher_->add(root.path());
    recorder_.start();
  }

  /// The lines since the last call, without their times.
  lines recorded() {
    (void)watcher_->flush();
    std::istringstream text(recorder_.take_lines(true));
    lines all;
    for (std::string line; std::getline(text, line);) {
      all_ += line + '\n';
      all.push_back(line.substr(line.find(' ') + 1));
    }
    return all;
  }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  std::string all_;

 private:
  trace::recorder recorder_{trace::canonical(directory.root().path()), {"*.log", "build/"}};
  std::optional<basic_watcher<trace::recording_backend<inotify_backend>>> watcher_;
};

TEST_F(recording, of_a_save) {
  root.write("f");
  open();
  root.write("f~", "new");
  root.rename("f~", "f");
  EXPECT_EQ(recorded(), (lines{"appeared f~", "written f~", "completed f~", "renamed f~ f"}));
}

TEST_F(recording, of_what_leaves_and_comes) {
  root.write("f");
  out.mkdir("d");
  open();
  root.rename("f", out.at("f"));
  EXPECT_EQ(recorded(), lines{"left f"});
  root.rename(out.at("f"), "g");
  root.rename(out.at("d"), "e");
  EXPECT_EQ(recorded(), (lines{"came g", "came e/"}));
}

TEST_F(recording, of_links_says_that_nobody_writes_them) {
  root.write("f");
  open();
  root.link("f", "hard");
  root.symlink("f", "soft");
  root.mkdir("d");
  EXPECT_EQ(recorded(), (lines{"linked hard", "symlinked soft", "appeared d/"}));
}

TEST_F(recording, of_a_renamed_directory_goes_on_under_its_new_name) {
  root.mkdir_p("a b/c");
  open();
  root.rename("a b", "d");
  EXPECT_EQ(recorded(), lines{"renamed a\\x20b/ d/"});
  root.write("d/c/f", "");
  EXPECT_EQ(recorded(), (lines{"appeared d/c/f", "completed d/c/f"}));
}

TEST_F(recording, keeps_the_order_of_what_left_and_what_took_its_name) {
  root.write("f");
  open();
  root.rename("f", out.at("f"));
  root.write("f", "");
  EXPECT_EQ(recorded(), (lines{"left f", "appeared f", "completed f"}));
}

TEST_F(recording, leaves_out_what_is_excluded) {
  root.mkdir("d");
  root.write("d/x.log");
  open();
  root.write("x.log");
  root.mkdir("build");
  root.rename("x.log", "f");
  root.rename("f", "d/y.log");
  root.rename("d", "e");
  EXPECT_EQ(recorded(), (lines{"came f", "left f", "renamed d/ e/"}));
}

TEST_F(recording, ends_when_replayed_with_what_is_on_disk) {
  open();
  for (int i = 0; i < 3; ++i) {
    const std::string d = "d" + std::to_string(i);
    root.mkdir_p(d + "/e");
    root.write(d + "/e/f");
    (void)recorded();
    root.rename(d, "r" + std::to_string(i));
    root.write("r" + std::to_string(i) + "/e/g");
    (void)recorded();
  }
  root.rm_rf("r1");
  (void)recorded();
  std::istringstream text(all_);
  std::vector<std::string> told;
  for (const auto& b :
       trace::replay(
           trace::read(text),
           {.debounce = {.quiet = std::chrono::seconds(60), .max_wait = std::chrono::seconds(60), .settle = false}})
           .batches)
    told.insert(told.end(), b.changes.begin(), b.changes.end());
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (lines{"created r0", "created r0/e", "created r0/e/f", "created r0/e/g", "created r2", "created r2/e",
                         "created r2/e/f", "created r2/e/g"}));
}

}  // namespace
}  // namespace hotwatch::test
