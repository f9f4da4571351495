// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The contract, held against every backend that this machine has: the public calls, the promises, the rules.

#include "support/conformance.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <sstream>
#include <thread>

#include "support/model.hpp"

namespace hotwatch::test {
namespace {

TYPED_TEST_SUITE(conformance, backends, backend_names);

// ---- P1 to P7

TYPED_TEST(conformance, ReadyWhenAddReturns) {
  for (int i = 0; i < 30; ++i) {
    temp_directory fresh;
    fresh.root().mkdir_p("a/b/c");
    TypeParam watcher(this->fast());
    watcher.add(fresh.root().path());
    fresh.root().write("a/b/c/f");
    ASSERT_EQ(sorted(watcher.flush()), lines{"created a/b/c/f"});
  }
}

TYPED_TEST(conformance, ConvergesOverABurst) {
  this->open();
  model told({this->root.path()});
  collector all(this->watcher(), this->root);
  for (int i = 0; i < 60; ++i) {
    const std::string d = "d" + std::to_string(i % 7), f = d + "/f" + std::to_string(i % 5);
    this->root.mkdir_p(d);
    this->root.write(f, std::to_string(i));
    if (i % 3 == 0) this->root.rename(f, f + "x");
    if (i % 5 == 0) this->root.rm_rf(d);
    const batch& b = this->watcher().poll();
    ASSERT_EQ(told.apply(b), "");
  }
  ASSERT_EQ(told.apply(this->watcher().flush()), "");
  EXPECT_EQ(told.difference(this->root.list()), "");
}

TYPED_TEST(conformance, FactsHoldAgainstWhatWasToldBefore) {
  this->root.write("f");
  this->open();
  this->root.write("f", "other");
  EXPECT_EQ(this->told(), lines{"modified f"});
  this->root.rm("f");
  EXPECT_EQ(this->told(), lines{"removed f"});
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, IdleMeansNoWakeUp) {
  if (this->polls) GTEST_SKIP() << "a polled root wakes by its interval";
  if (hears_others<TypeParam>) GTEST_SKIP() << "others are busy on the same file system; see FanotifyCases";
  this->root.mkdir_p("a/b");
  this->open();
  this->root.write("a/b/f");
  EXPECT_EQ(this->told(), lines{"created a/b/f"});
  EXPECT_FALSE(raw::becomes_ready(this->watcher().native_handle(), 300ms)) << "although nothing has happened";
  EXPECT_TRUE(this->watcher().poll().empty());
}

TYPED_TEST(conformance, OneSaveIsOneChange) {
  this->root.write("f", "old");
  this->open();
  this->root.write(".f.tmp", "new text");
  this->root.rename(".f.tmp", "f");
  EXPECT_EQ(this->told(), lines{"modified f"});
}

TYPED_TEST(conformance, OneSaveIsOneChangeWithoutFlush) {
  this->root.write("f", "old");
  this->open();
  collector all(this->watcher(), this->root);
  for (int i = 0; i < 5; ++i) {
    all.changes.clear();
    this->root.write("4913");
    this->root.rm("4913");
    this->root.rename("f", "f~");
    this->root.write("f", "new text " + std::to_string(i));
    this->root.rm("f~");
    ASSERT_TRUE(all.until([&] { return !all.changes.empty(); }));
    ASSERT_TRUE(all.until_sentinel());
    if (!this->polls) {
      EXPECT_EQ(all.all(), lines{"modified f"});
    }
    EXPECT_TRUE(all.has("modified f"));
  }
}

TYPED_TEST(conformance, StopBeforeWait) {
  this->open();
  this->watcher().stop();
  EXPECT_TRUE(this->watcher().stopped());
  EXPECT_TRUE(this->watcher().wait().empty());
  EXPECT_TRUE(this->watcher().wait_for(10s).empty());
}

TYPED_TEST(conformance, StopFromAnotherThread) {
  this->open();
  TypeParam& watcher = this->watcher();
  EXPECT_FALSE(watcher.stopped());
  std::thread stopper([&] { watcher.stop(); });
  EXPECT_TRUE(watcher.wait().empty());
  stopper.join();
  EXPECT_TRUE(watcher.stopped());
}

// ---- the calls

TYPED_TEST(conformance, WaitReturnsTheBatch) {
  this->open();
  this->root.mkdir("d");
  this->root.write("d/f");
  collector all(this->watcher(), this->root);
  all.take(this->watcher().wait());
  ASSERT_TRUE(all.until_sentinel());
  EXPECT_EQ(sorted(all.all()), (lines{"created d", "created d/f"}));
}

TYPED_TEST(conformance, WaitWakesForAChangeMadeLater) {
  this->open();
  std::thread writer([this] { this->root.write("f"); });
  EXPECT_EQ(in_order(this->watcher().wait()), lines{"created f"});
  writer.join();
}

TYPED_TEST(conformance, WaitForIsEmptyOnTimeOut) {
  this->open();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(this->watcher().wait_for(30ms).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
  EXPECT_TRUE(this->watcher().wait_for(0ms).empty());
  EXPECT_FALSE(this->watcher().stopped());
}

TYPED_TEST(conformance, WaitForLongerThanTheClock) {
  this->open();
  this->root.write("f");
  EXPECT_EQ(in_order(this->watcher().wait_for(std::chrono::hours::max())), lines{"created f"});
}

TYPED_TEST(conformance, PollNeverBlocksAndHoldsWhatIsNotDue) {
  this->open({.debounce = {.quiet = 1h, .max_wait = 1h, .settle = false}});
  this->root.write("f");
  EXPECT_TRUE(this->watcher().poll().empty());
  EXPECT_TRUE(this->watcher().wait_for(60ms).empty());
  EXPECT_EQ(this->told(), lines{"created f"});
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, FlushHasAllThatWasDoneBefore) {
  this->open();
  for (int i = 0; i < 50; ++i) {
    const std::string name = "f" + std::to_string(i);
    this->root.write(name);
    ASSERT_EQ(this->told(), lines{"created " + name});
  }
}

TYPED_TEST(conformance, FlushAfterStopIsHarmless) {
  this->open();
  this->root.write("f");
  this->watcher().stop();
  this->watcher().flush();
  EXPECT_TRUE(this->watcher().stopped());
}

TYPED_TEST(conformance, RangeForEndsAfterStop) {
  this->open();
  this->root.write("f");
  lines all;
  for (const batch& b : this->watcher()) {
    EXPECT_FALSE(b.empty());
    for (const change& c : b) all.push_back(line(c));
    this->watcher().stop();
  }
  EXPECT_EQ(all, lines{"created f"});
}

TYPED_TEST(conformance, HandleIsReadableAfterStop) {
  this->open();
  const auto handle = this->watcher().native_handle();
  this->watcher().stop();
  EXPECT_TRUE(raw::becomes_ready(handle, deadline));
}

TYPED_TEST(conformance, HandleTakenAfterAChangeIsReadable) {
  this->open();
  this->root.write("f");
  this->watcher().poll();
  const auto handle = this->watcher().native_handle();
  collector all(this->watcher(), this->root);
  EXPECT_TRUE(all.until([&] {
    if (all.has("created f")) return true;
    EXPECT_TRUE(raw::becomes_ready(handle, deadline));
    return false;
  }));
}

TYPED_TEST(conformance, AcknowledgedWritesAreNoChange) {
  this->root.write("mine", "1");
  this->root.write("theirs", "1");
  this->open();
  this->root.write("mine", "22");
  this->root.write("new", "22");
  this->root.write("theirs", "22");
  this->watcher().acknowledge(this->root.at("mine"));
  this->watcher().acknowledge(this->root.at("new"));
  EXPECT_EQ(this->told(), lines{"modified theirs"});
  EXPECT_TRUE(known(this->watcher()).contains(this->root.at("new")));
  this->root.write("mine", "333");
  this->root.write("new", "333");
  EXPECT_EQ(this->told(), (lines{"modified mine", "modified new"}));
  this->root.rm("mine");
  this->watcher().acknowledge(this->root.at("mine"));
  EXPECT_TRUE(this->watcher().flush().empty());
  this->root.write("mine");
  EXPECT_EQ(this->told(), lines{"created mine"});
}

TYPED_TEST(conformance, TheOtherEndOfAnAcknowledgedRenameIsTold) {
  this->root.mkdir("a");
  this->root.mkdir("b");
  this->root.write("tmp");
  this->root.write("a/x");
  this->open();
  this->root.rename("tmp", "config");
  this->watcher().acknowledge(this->root.at("config"));
  EXPECT_EQ(this->told(), lines{"removed tmp"});
  this->root.rename("a/x", "b/x");
  this->watcher().acknowledge(std::filesystem::path(this->root.at("a")));
  EXPECT_EQ(this->told(), lines{"created b/x"});
}

TYPED_TEST(conformance, NothingIsAcknowledgedAboveARoot) {
  this->open();
  this->root.write("f");
  EXPECT_TRUE(this->watcher().poll().empty());  // known by now, and held back
  this->watcher().acknowledge(std::filesystem::path(this->root.path()).parent_path());
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, AFullDirectoryThatIsGoneMayBeAcknowledged) {
  for (const char* d : {"d", "e"}) {
    this->root.mkdir(d);
    for (const char* f : {"/1", "/2", "/3"}) this->root.write(std::string(d) + f);
  }
  this->open();
  this->root.rename("d", this->out.at("d"));
  this->watcher().acknowledge(this->root.at("d"));
  this->root.rm_rf("e");
  this->watcher().acknowledge(this->root.at("e"));
  EXPECT_EQ(this->told(), lines{});
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, ADirectoryThatMovedIntoWhatIsAcknowledgedKeepsItsFiles) {
  this->root.mkdir("a");
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  outlive_the_tick();
  this->root.append("d/f");
  this->root.rename("d", "a/d");
  this->watcher().acknowledge(this->root.at("a"));
  EXPECT_EQ(this->told(), lines{"renamed d -> a/d"});
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, ADirectoryThatMovedOutOfWhatIsAcknowledgedIsNew) {
  this->root.mkdir_p("a/d");
  for (const char* f : {"a/d/f", "a/d/g"}) this->root.write(f);
  this->open();
  outlive_the_tick();
  this->root.append("a/d/f");
  this->root.rename("a/d", "d");
  this->watcher().acknowledge(this->root.at("a"));
  EXPECT_EQ(this->told(), (lines{"created d", "created d/f", "created d/g"}));
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, ASingleFileMayBeAcknowledged) {
  this->root.write("f", "1");
  outlive_the_tick();
  TypeParam watcher;
  watcher.add(this->root.at("f"));
  this->root.write("f", "22");
  watcher.acknowledge(this->root.at("f"));
  EXPECT_EQ(in_order(watcher.flush()), lines{});
  outlive_the_tick();
  this->root.write("f", "333");
  EXPECT_EQ(in_order(watcher.flush()), lines{"modified f"});
}

TYPED_TEST(conformance, WaitForNoTimeReadsWhatCame) {
  this->open({.debounce = immediate, .poll_interval = 1ms});
  this->root.write("f");
  lines all;
  const auto end = std::chrono::steady_clock::now() + 2s;
  while (all.empty() && std::chrono::steady_clock::now() < end) all = in_order(this->watcher().wait_for(0ms));
  EXPECT_EQ(all, lines{"created f"});
}

TYPED_TEST(conformance, ForEachIsTheListing) {
  this->root.mkdir_p("a/b");
  this->root.write("a/b/f");
  if (raw::has_symlinks) this->root.symlink("nowhere", "link");
  this->open();
  EXPECT_EQ(known(this->watcher()), this->root.list());
  this->root.rename("a/b", "c");
  if (raw::has_symlinks) this->root.rm("link");
  this->watcher().flush();
  EXPECT_EQ(known(this->watcher()), this->root.list());
}

TYPED_TEST(conformance, StatsCount) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  EXPECT_EQ(this->watcher().stats().directories, 2u);
  EXPECT_EQ(this->watcher().stats().files, 1u);
  this->root.write("g");
  this->root.write("d/h");
  EXPECT_EQ(this->watcher().flush().size(), 2u);
  const statistics s = this->watcher().stats();
  EXPECT_EQ(s.files, 3u);
  EXPECT_EQ(s.changes, 2u);
  EXPECT_EQ(s.batches, 1u);
  EXPECT_EQ(s.overflows, 0u);
  EXPECT_GT(s.bytes, 0u);
  EXPECT_GE(s.bytes, s.name_bytes);
  if (!this->polls) {
    EXPECT_GT(s.kernel_events, 0u);
  }
}

TYPED_TEST(conformance, RemovedRootIsSilentAndTheOtherGoesOn) {
  this->open();
  const root_id second = this->watcher().add(this->out.path());
  this->root.write("f");
  this->out.write("g");
  for (const change& c : this->watcher().flush()) EXPECT_EQ(c.root == second, c.relative() == "g");
  this->watcher().remove(this->root.path());
  this->root.write("f2");
  this->out.write("g2");
  EXPECT_EQ(this->told(), lines{"created g2"});
  EXPECT_EQ(known(this->watcher()), this->out.list());
  const root_id again = this->watcher().add(this->root.path());
  EXPECT_NE(again, second);
  EXPECT_NE(again, this->id) << "an id is never used again";
  this->root.write("f3");
  EXPECT_EQ(this->told(), lines{"created f3"});
}

TYPED_TEST(conformance, RemoveTellsNothingThatWasHeldForThatRoot) {
  this->open();
  this->root.write("f");
  this->watcher().poll();
  this->watcher().remove(this->root.path());
  EXPECT_EQ(this->watcher().flush().size(), 0u);
}

TYPED_TEST(conformance, WhatLeftARemovedRootIsNewWhereItWent) {
  this->open();
  this->watcher().add(this->out.path());
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
  this->root.rename("f", this->out.at("g"));
  this->watcher().poll();  // held
  this->watcher().remove(this->root.path());
  const lines told = this->told();
  EXPECT_EQ(told, lines{"created g"});
}

TYPED_TEST(conformance, SeveralRoots) {
  if (const char* why = raw::gap::moves_between_roots(); why != nullptr && !this->polls) GTEST_SKIP() << why;
  this->open();
  this->watcher().add(this->out.path());
  this->root.write("a");
  this->out.write("b");
  EXPECT_EQ(this->told(), (lines{"created a", "created b"}));
  this->root.rename("a", this->out.at("a"));
  const batch& b = this->watcher().flush();
  ASSERT_EQ(b.size(), 1u) << model::text(b);
  EXPECT_EQ(b[0].kind, change_kind::renamed);
  EXPECT_EQ(b[0].old_path, this->root.at("a"));
  EXPECT_EQ(b[0].path, this->out.at("a"));
}

TYPED_TEST(conformance, PathsAreToldAsTheRootWasGiven) {
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(this->directory.base().path());
  const std::pair<std::string, std::string> cases[] = {
      {"root", "root/"}, {"root//", "root/"}, {"./root/", "./root/"}, {"root/../out", "root/../out/"}};
  for (const auto& [given, told] : cases) {
    SCOPED_TRACE(given);
    TypeParam watcher(this->fast());
    watcher.add(given);
    const place where(given);
    where.write("f");
    const batch& b = watcher.flush();
    ASSERT_EQ(b.size(), 1u);
    EXPECT_EQ(b[0].path, told + "f");
    EXPECT_EQ(b[0].relative(), "f");
    where.rm("f");
  }
  std::filesystem::current_path(this->root.path());
  TypeParam watcher(this->fast());
  watcher.add(".");
  this->root.write("x");
  const batch& b = watcher.flush();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b[0].path, "./x");
  EXPECT_EQ(b[0].relative(), "x");
  std::filesystem::current_path(here);
}

TYPED_TEST(conformance, PathsInAreOfManyKinds) {
  TypeParam watcher(this->fast());
  this->root.mkdir("a");
  this->root.mkdir("b");
  this->root.mkdir("c");
  const std::string a = this->root.at("a"), b = this->root.at("b"), c = this->root.at("c");
  watcher.add(a.c_str());
  watcher.add(std::string_view(b));
  watcher.add(std::filesystem::path(c));
  this->root.write("a/f");
  this->root.write("b/f");
  this->root.write("c/f");
  EXPECT_EQ(watcher.flush().size(), 3u);
  watcher.remove(std::filesystem::path(c));
  watcher.remove(a);
}

TYPED_TEST(conformance, ChangeTellsPathRelativeRootAndTime) {
  this->open();
  const auto before = hotwatch::clock::now();
  this->root.mkdir("d");
  this->root.write("d/f");
  const batch& b = this->watcher().flush();
  ASSERT_EQ(b.size(), 2u);
  EXPECT_EQ(b[0].path, this->root.at("d"));
  EXPECT_EQ(b[0].type, entry_type::directory);
  EXPECT_EQ(b[1].path, this->root.at("d/f"));
  EXPECT_EQ(b[1].relative(), "d/f");
  EXPECT_EQ(b[1].type, entry_type::file);
  EXPECT_TRUE(b[1].old_path.empty());
  EXPECT_GE(b[1].seen, before);
  EXPECT_LE(b[1].seen, hotwatch::clock::now());
  EXPECT_GE(b.first_seen(), before);
  std::ostringstream text;
  text << b[1];
  EXPECT_EQ(text.str(), "created " + this->root.at("d/f"));
  const owned_change kept(b[1]);
  this->root.rm("d/f");
  this->watcher().flush();
  EXPECT_EQ(line(kept.view()), "created d/f");
}

// ---- the rules of the coalesced view (the scenarios hold the whole table)

TYPED_TEST(conformance, OneChangeAPathInAnOrderThatCanBeApplied) {
  this->root.mkdir_p("d/e");
  this->root.write("d/e/f");
  this->root.write("x");
  this->open();
  model told({this->root.path()});
  told.start_from(known(this->watcher()));
  this->root.rename("d/e/f", "f");
  this->root.rm_rf("d");
  this->root.rename("x", "d");
  this->root.mkdir("x");
  this->root.rename("f", "x/f");
  EXPECT_EQ(told.apply(this->watcher().flush()), "");
  EXPECT_EQ(told.difference(this->root.list()), "");
}

TYPED_TEST(conformance, NetEffects) {
  this->root.write("m");
  this->root.write("r");
  this->root.write("a");
  this->open();
  this->root.write("c");
  this->root.append("c");
  this->root.write("t");
  this->root.rm("t");
  this->root.append("m");
  this->root.append("r");
  this->root.rm("r");
  this->root.rename("a", "b");
  this->root.rename("b", "z");
  EXPECT_EQ(this->told(), (lines{"created c", "modified m", "removed r", "renamed a -> z"}));
}

TYPED_TEST(conformance, RenamesWithinInAndOut) {
  this->root.write("a");
  this->root.write("b");
  this->out.write("c", "longer");
  this->open();
  this->root.rename("a", "a2");
  this->root.rename("b", this->out.at("b"));
  this->root.rename(this->out.at("c"), "c");
  EXPECT_EQ(this->told(), (lines{"created c", "removed b", "renamed a -> a2"}));
}

TYPED_TEST(conformance, DirectoriesComeAndGoWithAllBelow) {
  this->out.mkdir_p("d/e");
  this->out.write("d/e/f");
  this->open();
  this->root.rename(this->out.at("d"), "d");
  EXPECT_EQ(in_order(this->watcher().flush()), (lines{"created d", "created d/e", "created d/e/f"}));
  this->root.write("d/e/g");
  EXPECT_EQ(this->told(), lines{"created d/e/g"});
  this->root.rename("d", "d2");
  EXPECT_EQ(this->told(), lines{"renamed d -> d2"});
  this->root.rm_rf("d2");
  const lines gone = in_order(this->watcher().flush());
  ASSERT_EQ(gone.size(), 4u);
  EXPECT_EQ(gone[2], "removed d2/e");
  EXPECT_EQ(gone[3], "removed d2");
}

TYPED_TEST(conformance, OneFileIsWatchedThroughReplacementRemovalAndReturn) {
  this->root.write("f", "1");
  this->root.write("other", "1");
  TypeParam watcher(this->fast());
  watcher.add(this->root.at("f"));
  this->root.write("other", "22");
  this->root.append("f");
  const batch& b = watcher.flush();
  ASSERT_EQ(b.size(), 1u) << model::text(b);
  EXPECT_EQ(b[0].path, this->root.at("f"));
  EXPECT_EQ(b[0].relative(), "f");
  this->root.write("tmp", "333333");
  this->root.rename("tmp", "f");
  EXPECT_EQ(sorted(watcher.flush()), lines{"modified f"});
  this->root.rm("f");
  const batch& gone = watcher.flush();
  EXPECT_EQ(sorted(gone), lines{"removed f"});
  EXPECT_TRUE(gone.notices().empty());
  this->root.write("f", "1");
  EXPECT_EQ(sorted(watcher.flush()), lines{"created f"});
  this->root.append("f");
  EXPECT_EQ(sorted(watcher.flush()), lines{"modified f"});
}

TYPED_TEST(conformance, RootThatGoesAwayAndReturns) {
  if (const char* why = raw::gap::root_removal(); why != nullptr && !this->polls) GTEST_SKIP() << why;
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open();
  this->directory.base().rm_rf("root");
  const batch& gone = this->watcher().flush();
  EXPECT_EQ(in_order(gone), (lines{"removed d/f", "removed d"}));
  EXPECT_TRUE(has_notice(gone, notice_kind::root_lost));
  EXPECT_TRUE(known(this->watcher()).empty());
  EXPECT_TRUE(this->watcher().flush().empty());
  this->directory.base().mkdir_p("root/new");
  this->root.write("new/f");
  const batch& back = this->watcher().flush();
  EXPECT_EQ(in_order(back), (lines{"created new", "created new/f"}));
  EXPECT_TRUE(has_notice(back, notice_kind::root_restored));
  this->root.write("new/g");
  EXPECT_EQ(this->told(), lines{"created new/g"});
}

// ---- options

TYPED_TEST(conformance, IncludeAndExclude) {
  this->root.mkdir_p("build/deep");
  this->root.mkdir("src");
  this->open({.include = {"*.{cpp,hpp}"}, .exclude = {"build/", "src/gen*"}});
  this->root.write("a.cpp");
  this->root.write("a.txt");
  this->root.write("build/b.cpp");
  this->root.write("build/deep/b.cpp");
  this->root.write("src/c.hpp");
  this->root.write("src/generated.cpp");
  this->root.mkdir("new");
  this->root.write("new/d.cpp");
  EXPECT_EQ(this->told(), (lines{"created a.cpp", "created new/d.cpp", "created src/c.hpp"}));
  this->root.rename("a.cpp", "a.bak");
  this->root.rename("a.txt", "b.cpp");
  EXPECT_EQ(this->told(), (lines{"created b.cpp", "removed a.cpp"}));
}

TYPED_TEST(conformance, ExcludedDirectoriesAreNotWatched) {
  this->root.mkdir_p("node_modules/a/b/c");
  this->root.mkdir("src");
  this->open({.exclude = {"node_modules/"}});
  EXPECT_LE(this->watcher().stats().directories, 3u);
  this->root.write("node_modules/a/b/c/f");
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, MetadataOnlyWhenAskedFor) {
  this->root.write("f");
  this->open();
  this->root.chmod("f", 0400);
  EXPECT_TRUE(this->watcher().flush().empty());
  this->open({.metadata = true});
  this->root.chmod("f", 0644);
  EXPECT_EQ(this->told(), lines{"metadata f"});
  this->root.append("f");
  EXPECT_EQ(this->told(), lines{"modified f"});
}

TYPED_TEST(conformance, NotRecursive) {
  this->root.mkdir("d");
  this->open({}, {.recursive = false});
  this->root.write("d/deep");
  this->root.write("f");
  this->root.mkdir("e");
  this->root.write("e/deep");
  EXPECT_EQ(this->told(), (lines{"created e", "created f"}));
}

TYPED_TEST(conformance, ReportExisting) {
  this->root.mkdir("d");
  this->root.write("d/f");
  this->open({}, {.report_existing = true});
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), (lines{"created d", "created d/f"}));
  EXPECT_TRUE(this->watcher().flush().empty());
}

TYPED_TEST(conformance, ImmediateTellsWithoutHolding) {
  this->open({.debounce = immediate});
  for (int i = 0; i < 20; ++i) {
    this->root.mkdir("d" + std::to_string(i));
    EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created d" + std::to_string(i)});
  }
}

TYPED_TEST(conformance, LeadingTellsTheFirstAtOnceAndHoldsTheRest) {
  if (const char* why = raw::gap::closing(); why != nullptr && !this->polls) GTEST_SKIP() << why;
  this->open({.debounce = {.quiet = 1h, .max_wait = 1h, .settle = false, .leading = true}});
  this->root.write("first");
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created first"});
  this->root.write("second");
  EXPECT_TRUE(this->watcher().wait_for(60ms).empty());
  EXPECT_EQ(this->told(), lines{"created second"});
}

TYPED_TEST(conformance, MaxWaitEndsAHoldThatNeverGoesQuiet) {
  this->open({.debounce = {.quiet = 100ms, .max_wait = 200ms, .settle = false}});
  this->root.write("f");
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    // Back to back, with no pause for `quiet` to be met by.
    while (!enough) this->root.append("f", ".");
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(this->watcher().wait_for(deadline).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
  enough = true;
  writer.join();
}

TYPED_TEST(conformance, SpinningTellsTheSame) {
  this->open({.debounce = immediate, .spin = 200us});
  std::thread writer([this] { this->root.mkdir("d"); });
  EXPECT_EQ(in_order(this->watcher().wait_for(deadline)), lines{"created d"});
  writer.join();
}

// ---- bad input: each error names what and why, and nothing half-added remains

template <class Fn>
std::string what_of(Fn fn, std::error_code expected) {
  try {
    fn();
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), expected) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "nothing was thrown, expected " << expected.message();
  return {};
}

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

TYPED_TEST(conformance, BadInputMissingPath) {
  this->open();
  const std::string missing = this->root.at("missing");
  try {
    this->watcher().add(missing);
    FAIL();
  } catch (const std::system_error& e) {
    EXPECT_TRUE(e.code() == std::errc::no_such_file_or_directory);
    EXPECT_TRUE(contains(e.what(), missing)) << e.what();
  }
  std::error_code ec;
  this->watcher().add(missing, root_options{}, ec);
  EXPECT_TRUE(ec == std::errc::no_such_file_or_directory);
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, BadInputPathThroughAFile) {
  this->root.write("f");
  this->open();
  std::error_code ec;
  this->watcher().add(this->root.at("f/below"), root_options{}, ec);
  EXPECT_TRUE(ec == raw::below_a_file) << ec.message();
}

TYPED_TEST(conformance, BadInputMalformedGlob) {
  for (const auto& [pattern, column] : {std::pair("src/[a-", "column "), std::pair("{cpp,hpp", "column ")}) {
    try {
      TypeParam watcher(options{.include = {"*.txt", pattern}});
      ADD_FAILURE() << pattern;
    } catch (const std::system_error& e) {
      EXPECT_EQ(e.code(), make_error_code(errc::malformed_glob));
      EXPECT_TRUE(contains(e.what(), pattern)) << e.what();
      EXPECT_TRUE(contains(e.what(), column)) << e.what();
    }
    EXPECT_THROW(TypeParam(options{.exclude = {pattern}}), std::system_error);
  }
}

TYPED_TEST(conformance, BadInputOptionOutOfRange) {
  const auto refused = [](options o) {
    try {
      TypeParam watcher(std::move(o));
    } catch (const std::system_error& e) {
      return e.code() == make_error_code(errc::option_out_of_range);
    }
    return false;
  };
  EXPECT_TRUE(refused({.debounce = {.quiet = -1ns}}));
  EXPECT_TRUE(refused({.debounce = {.quiet = 2s, .max_wait = 1s}}));
  EXPECT_TRUE(refused({.debounce = {.quiet = 0s, .max_wait = -1s}}));
  EXPECT_TRUE(refused({.poll_interval = -1ms}));
  EXPECT_TRUE(refused({.spin = -1us}));
  EXPECT_FALSE(refused({.debounce = {.quiet = 1s, .max_wait = 1s}}));
}

TYPED_TEST(conformance, BadInputRootAddedTwice) {
  this->open();
  EXPECT_TRUE(contains(what_of([&] { this->watcher().add(this->root.path()); }, make_error_code(errc::root_exists)),
                       this->root.path()));
  std::error_code ec;
  this->watcher().add(this->root.path() + "/", root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::root_exists));
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
}

TYPED_TEST(conformance, BadInputPathWithANulOrEmpty) {
  this->open();
  std::error_code ec;
  this->watcher().add(std::string("a\0b", 3), root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::path_has_nul));
  this->watcher().add(std::string(), root_options{}, ec);
  EXPECT_EQ(ec, make_error_code(errc::empty_path));
  EXPECT_THROW(this->watcher().add(""), std::system_error);
  this->watcher().add(this->out.path(), root_options{}, ec);
  EXPECT_FALSE(ec) << "an error code is cleared by success";
}

TYPED_TEST(conformance, BadInputRemoveOfAnUnknownRoot) {
  this->open();
  std::error_code ec;
  this->watcher().remove(this->out.path(), ec);
  EXPECT_EQ(ec, make_error_code(errc::unknown_root));
  EXPECT_THROW(this->watcher().remove(this->out.path()), std::system_error);
  this->watcher().remove(this->root.path(), ec);
  EXPECT_FALSE(ec);
}

TYPED_TEST(conformance, ManyWatchersAtOnce) {
  // Distinct objects know nothing of each other.
  this->open();
  TypeParam second(this->fast());
  second.add(this->root.path());
  this->root.write("f");
  EXPECT_EQ(this->told(), lines{"created f"});
  EXPECT_EQ(sorted(second.flush()), lines{"created f"});
}

}  // namespace
}  // namespace hotwatch::test
