// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The whole macOS backend over a real directory and a scripted FSEvents: what its headers, its kernel's source and
// those who use it say that it tells, as sequences. Where a sequence comes from stands beside it: a project and the
// number of a thread there, or xnu for the kernel.
#include "hotwatch/backends/fsevents.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <vector>

#include "hotwatch/watcher.hpp"
#include "support/collector.hpp"
#include "support/fake_fsevents.hpp"
#include "support/files.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail::fsevents;
using fake_system = fake_macos_system<>;
using fake_watcher = basic_watcher<basic_fsevents_backend<fake_system>>;

static_assert(backend<basic_fsevents_backend<fake_system>>);

constexpr std::uint32_t file = item_is_file, dir = item_is_dir, created = item_created, removed = item_removed,
                        renamed = item_renamed, modified = item_modified, meta = item_inode_meta, xattr = item_xattr,
                        cloned = item_cloned;

class fsevents_backend_test : public testing::Test {
 protected:
  void open(options o = {}, root_options how = {}) { open_at(root.path(), std::move(o), how); }
  void open_at(const std::string& path, options o = {}, root_options how = {}) {
    o.debounce = immediate;
    watcher = std::make_unique<fake_watcher>(std::move(o), fake_system(daemon, scripted_system(calls)));
    watcher->add(path, how);
    EXPECT_EQ(told(), lines{}) << "at the start";
  }
  void TearDown() override {
    if (watcher) {
      EXPECT_EQ(sorted(watcher->flush()), lines{}) << "what was not told by the events alone";
      EXPECT_EQ(known_files(), disk_files());
    }
    watcher.reset();
    EXPECT_EQ(daemon->faults, lines{});
    EXPECT_EQ(daemon->streams(), 0u);
    EXPECT_EQ(daemon->queues(), 0u);
    EXPECT_EQ(daemon->objects(), 0u);
  }

  /// An event of a name below the root, with the number of what stands there now.
  fake_event event(const std::string& name, std::uint32_t flags, std::uint64_t id = 0) const {
    return {root.at(name), flags, id != 0 ? id : id_of(name)};
  }
  std::uint64_t id_of(const std::string& name) const {
    struct stat s {};
    return ::lstat(root.at(name).c_str(), &s) == 0 ? s.st_ino : 0;
  }
  void send(const std::vector<fake_event>& events) { daemon->send(events); }

  /// What is told by the hints alone, without a barrier.
  lines told() {
    lines all;
    while (true) {
      const batch& b = watcher->poll();
      if (b.empty()) break;
      for (const std::string& l : in_order(b)) all.push_back(l);
      for (const notice& n : b.notices()) all.push_back("notice " + std::string(to_string(n.kind)));
    }
    return sorted(all);
  }
  lines told_after(const std::vector<fake_event>& events) {
    send(events);
    return told();
  }
  lines known_files() const {
    lines all;
    watcher->for_each([&](std::string_view path, entry_type) { all.emplace_back(path); });
    return sorted(all);
  }
  virtual lines disk_files() const {
    lines all;
    for (const auto& [path, type] : root.list()) all.push_back(path);
    return all;
  }

  temp_directory directory;
  const place& root = directory.root();
  const place& out = directory.out();
  std::shared_ptr<fake_fsevents> daemon = std::make_shared<fake_fsevents>();
  std::shared_ptr<script> calls = std::make_shared<script>();
  std::unique_ptr<fake_watcher> watcher;
};

class FSEvents : public fsevents_backend_test {};

// ---- flags that stick

TEST_F(FSEvents, created_changed_written_a_second_apart) {  // dotnet/corefx#8547
  open();
  root.write("f");
  EXPECT_EQ(told_after({event("f", created | file)}), lines{"created f"});
  root.chmod("f", 0600);
  EXPECT_EQ(told_after({event("f", created | meta | file)}), lines{});
  root.append("f");
  EXPECT_EQ(told_after({event("f", created | meta | modified | file)}), lines{"modified f"});
  EXPECT_EQ(told_after({event("f", created | meta | modified | file)}), lines{});
}

TEST_F(FSEvents, removed_and_made_again_and_again) {  // fsevents/fsevents#31
  open();
  constexpr std::uint32_t always = created | removed | file;
  for (int i = 0; i < 3; ++i) {
    root.write("f");
    EXPECT_EQ(told_after({event("f", always)}), lines{"created f"});
    root.rm("f");
    EXPECT_EQ(told_after({event("f", always, 99)}), lines{"removed f"});
  }
}

TEST_F(FSEvents, made_and_removed_before_anybody_looked) {
  open();
  EXPECT_EQ(told_after({event("f", created | modified | removed | file, 99)}), lines{});
}

TEST_F(FSEvents, removed_and_made_again_as_two_items) {  // watchdog, observers/fsevents.py
  root.write("f");
  open();
  const std::uint64_t before = id_of("f");
  root.write("g", "another");
  root.rename("g", "f");
  EXPECT_EQ(told_after({event("f", removed | file, before), event("f", created | modified | file),
                        event("g", created | renamed | file, id_of("f"))}),
            lines{"modified f"});
}

TEST_F(FSEvents, a_file_and_a_directory_of_one_name) {  // atom/watcher, docs/macos.md
  root.write("x");
  open();
  root.rm("x");
  root.mkdir("x");
  root.write("x/f");
  EXPECT_EQ(told_after({event("x", created | removed | file | dir), event("x/f", created | modified | file)}),
            (lines{"created x", "created x/f", "removed x"}));
}

TEST_F(FSEvents, a_directory_and_then_a_file_of_one_name) {
  root.mkdir("x");
  root.write("x/f");
  open();
  root.rm_rf("x");
  root.write("x");
  EXPECT_EQ(told_after({event("x/f", removed | file, 99), event("x", created | removed | file | dir)}),
            (lines{"created x", "removed x", "removed x/f"}));
}

TEST_F(FSEvents, meta_is_no_sign_of_what_was_there_before) {  // ocaml/dune#13381, haskell-fswatch/hfsnotify#36
  open();
  root.touch("x");
  root.append("x");
  EXPECT_EQ(told_after({event("x", created | meta | modified | file)}), lines{"created x"});
}

TEST_F(FSEvents, the_same_again_for_half_a_minute) {  // notify-rs/notify#147
  root.write("f");
  open();
  root.append("f");
  EXPECT_EQ(told_after({event("f", modified | file)}), lines{"modified f"});
  for (int i = 0; i < 30; ++i) EXPECT_EQ(told_after({event("f", modified | meta | file)}), lines{});
}

TEST_F(FSEvents, written_only_once_it_is_closed) {  // xnu: vn_close(); notify-rs/notify#422
  root.write("log");
  open();
  root.append("log");
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(told_after({event("log", modified | file)}), lines{"modified log"});
}

TEST_F(FSEvents, a_mapping_that_nobody_wrote_through) {  // xnu: ubc_unmap()
  root.write("f");
  open();
  EXPECT_EQ(told_after({event("f", modified | file)}), lines{});
}

// HFS+ keeps times in seconds, FAT in units of two.
class FSEventsOfCoarseTimes : public FSEvents {
 protected:
  void write_now(const std::string& name, const char* text) {
    root.write(name, text);
    if (time_.tv_sec == 0) time_.tv_sec = ::time(nullptr) & ~1;
    const timespec both[2] = {time_, time_};
    ASSERT_EQ(::utimensat(AT_FDCWD, root.at(name).c_str(), both, 0), 0);
  }
  void outlive_the_unit() { calls->step_clock_back(-3'000'000'000); }

 private:
  timespec time_{};
};

TEST_F(FSEventsOfCoarseTimes, written_behind_a_look_and_told_when_the_unit_is_over) {
  write_now("f", "one");
  open();
  write_now("f", "two");
  outlive_the_unit();
  EXPECT_EQ(sorted(watcher->flush()), lines{}) << "a look alone cannot know";
  EXPECT_EQ(told_after({event("f", modified | file)}), lines{"modified f"});
  EXPECT_EQ(told_after({event("f", modified | file)}), lines{});
}

TEST_F(FSEventsOfCoarseTimes, what_was_told_is_no_write) {
  write_now("f", "one");
  open();
  EXPECT_EQ(told_after({event("f", xattr | file), event("f", meta | file)}), lines{});
}

TEST_F(FSEvents, twelve_writes_in_seven_events) {  // gorakhargosh/watchdog#1219
  root.write("f");
  open();
  lines all;
  for (int i = 0; i < 12; ++i) {
    root.append("f");
    if (i % 2 == 1)
      for (const std::string& l : told_after({event("f", modified | file), event("f", modified | file)}))
        all.push_back(l);
  }
  EXPECT_EQ(all, lines(6, "modified f"));
}

// ---- renames

TEST_F(FSEvents, a_rename_old_name_first) {  // openradar 13461247
  root.write("a");
  open();
  root.rename("a", "b");
  EXPECT_EQ(told_after({event("a", renamed | file, id_of("b")), event("b", renamed | file)}), lines{"renamed a -> b"});
}

TEST_F(FSEvents, a_rename_new_name_first) {
  root.write("a");
  open();
  root.rename("a", "b");
  EXPECT_EQ(told_after({event("b", renamed | file), event("a", renamed | file, id_of("b"))}), lines{"renamed a -> b"});
}

TEST_F(FSEvents, a_rename_with_others_between_its_halves) {
  root.write("a");
  open();
  root.rename("a", "b");
  root.write("c");
  EXPECT_EQ(told_after({event("a", renamed | file, id_of("b")), event("c", created | modified | file),
                        event("b", renamed | file)}),
            (lines{"created c", "renamed a -> b"}));
}

TEST_F(FSEvents, a_chain_of_renames_in_three_events) {  // fsevents/fsevents#361
  root.write("a");
  open();
  root.rename("a", "b");
  root.rename("b", "c");
  const std::uint64_t id = id_of("c");
  EXPECT_EQ(told_after({event("a", renamed | file, id), event("b", renamed | file, id), event("c", renamed | file)}),
            lines{"renamed a -> c"});
}

TEST_F(FSEvents, a_rename_and_a_write_in_one_event) {
  root.write("a");
  open();
  root.rename("a", "b");
  root.append("b");
  EXPECT_EQ(told_after({event("a", renamed | modified | file, id_of("b")), event("b", renamed | modified | file)}),
            lines{"renamed a -> b modified"});
}

TEST_F(FSEvents, a_rename_onto_another_file) {
  root.write("a");
  root.write("b", "other");
  open();
  root.rename("a", "b");
  EXPECT_EQ(told_after({event("a", renamed | file, id_of("b")), event("b", renamed | file)}), lines{"renamed a -> b"});
}

TEST_F(FSEvents, a_rename_into_another_directory) {
  root.mkdir("d");
  root.write("a");
  open();
  root.rename("a", "d/b");
  EXPECT_EQ(told_after({event("a", renamed | file, id_of("d/b")), event("d/b", renamed | file)}),
            lines{"renamed a -> d/b"});
}

TEST_F(FSEvents, only_the_letter_case_was_renamed) {  // gorakhargosh/watchdog#750
  daemon->ignores_case = true;
  root.write("readme");
  open();
  root.rename("readme", "README");
  const std::uint64_t id = id_of("README");
  EXPECT_EQ(told_after({event("readme", renamed | file, id), event("README", renamed | file)}),
            lines{"renamed readme -> README"});
}

TEST_F(FSEvents, only_the_letter_case_was_renamed_and_one_event_is_late) {
  daemon->ignores_case = true;
  root.write("readme");
  root.write("other");
  open();
  root.rename("readme", "README");
  const std::uint64_t id = id_of("README");
  EXPECT_EQ(told_after({event("README", renamed | file)}), lines{"renamed readme -> README"});
  EXPECT_EQ(told_after({event("readme", renamed | file, id)}), lines{});
  root.rename("other", "Other");
  EXPECT_EQ(told_after({event("other", renamed | file, id_of("Other"))}), lines{"renamed other -> Other"});
}

TEST_F(FSEvents, the_letter_case_of_a_directory) {
  daemon->ignores_case = true;
  root.mkdir("src");
  root.write("src/f");
  open();
  root.rename("src", "Src");
  EXPECT_EQ(told_after({event("src", renamed | dir, id_of("Src")), event("Src", renamed | dir)}),
            lines{"renamed src -> Src"});
  root.append("Src/f");
  EXPECT_EQ(told_after({event("Src/f", modified | file)}), lines{"modified Src/f"});
}

TEST_F(FSEvents, a_directory_is_renamed_in_two_events) {
  root.mkdir_p("d/e");
  root.write("d/e/f");
  open();
  root.rename("d", "n");
  EXPECT_EQ(told_after({event("d", renamed | dir, id_of("n")), event("n", renamed | dir)}), lines{"renamed d -> n"});
  root.append("n/e/f");
  EXPECT_EQ(told_after({event("n/e/f", modified | file)}), lines{"modified n/e/f"});
}

TEST_F(FSEvents, written_before_its_directory_was_renamed_and_told_behind_it) {
  root.mkdir("d");
  root.write("d/f");
  open();
  root.append("d/f");
  root.rename("d", "n");
  EXPECT_EQ(told_after({event("d", renamed | dir, id_of("n")), event("n", renamed | dir)}),
            (lines{"modified n/f", "renamed d -> n"}));
  EXPECT_EQ(told_after({event("d/f", modified | file, id_of("n/f"))}), lines{});
}

TEST_F(FSEvents, a_directory_comes_with_what_is_in_it) {
  out.mkdir_p("d/e");
  out.write("d/e/f");
  open();
  out.rename("d", root.at("d"));
  EXPECT_EQ(told_after({event("d", renamed | dir)}), (lines{"created d", "created d/e", "created d/e/f"}));
}

TEST_F(FSEvents, a_directory_leaves_with_what_is_in_it) {
  root.mkdir("d");
  root.write("d/f");
  open();
  root.rename("d", out.at("d"));
  EXPECT_EQ(told_after({event("d", renamed | dir, 99)}), (lines{"removed d", "removed d/f"}));
}

TEST_F(FSEvents, a_directory_was_elsewhere_and_changed_there) {
  root.mkdir("d");
  root.write("d/f");
  root.write("d/g");
  open();
  root.rename("d", out.at("d"));
  out.rm("d/f");
  out.append("d/g");
  out.rename("d", root.at("d"));
  EXPECT_EQ(told_after({event("d", renamed | dir)}), (lines{"modified d/g", "removed d/f"}));
}

TEST_F(FSEvents, moved_to_the_trash) {  // emcrisostomo/fswatch#332
  root.write("f");
  open();
  root.rename("f", out.at("f"));
  EXPECT_EQ(told_after({event("f", renamed | file, 99)}), lines{"removed f"});
}

TEST_F(FSEvents, halves_of_a_rename_in_two_calls) {
  root.write("a");
  open();
  root.rename("a", "b");
  daemon->send({event("a", renamed | file, id_of("b"))});
  daemon->send({event("b", renamed | file)});
  EXPECT_EQ(told(), lines{"renamed a -> b"});
}

// ---- how programs save

TEST_F(FSEvents, saved_by_a_rename) {
  root.write("f");
  open();
  root.write("f.tmp", "new");
  root.rename("f.tmp", "f");
  EXPECT_EQ(told_after({event("f.tmp", created | modified | renamed | file, id_of("f")), event("f", renamed | file)}),
            lines{"modified f"});
}

TEST_F(FSEvents, saved_by_cocoa) {  // RxFileMonitor#4: exchanged with f.sb-..., and that removed
  root.write("f");
  open();
  const std::uint64_t before = id_of("f");
  root.write("f.sb-1a2b", "new");
  root.exchange("f", "f.sb-1a2b");
  root.rm("f.sb-1a2b");
  EXPECT_EQ(told_after({event("f.sb-1a2b", created | modified | renamed | removed | xattr | file, before),
                        event("f", renamed | xattr | item_finder_info | file)}),
            lines{"modified f"});
}

TEST_F(FSEvents, two_files_are_exchanged) {
  root.write("a", "one");
  root.write("b", "second");
  open();
  root.exchange("a", "b");
  EXPECT_EQ(told_after({event("a", renamed | file), event("b", renamed | file)}), (lines{"modified a", "modified b"}));
}

TEST_F(FSEvents, saved_with_a_backup_that_is_removed) {  // vim
  root.write("f");
  open();
  const std::uint64_t before = id_of("f");
  root.rename("f", "f~");
  root.write("f", "new");
  root.rm("f~");
  EXPECT_EQ(told_after({event("4913", created | removed | file, 99), event("f", renamed | file, before),
                        event("f~", renamed | removed | file, before), event("f", created | modified | file)}),
            lines{"modified f"});
}

TEST_F(FSEvents, saved_with_a_backup_that_stays) {  // emacs
  root.write("f");
  open();
  root.rename("f", "f~");
  root.write("f", "new");
  EXPECT_EQ(told_after({event("f", renamed | created | modified | file), event("f~", renamed | file)}),
            (lines{"created f~", "modified f"}));
}

TEST_F(FSEvents, the_source_of_a_clone) {  // notify-rs/notify#465, parcel-bundler/watcher#67
  root.write("f");
  open();
  root.write("copy");
  EXPECT_EQ(told_after({event("f", cloned | file), event("copy", created | cloned | file)}), lines{"created copy"});
  EXPECT_EQ(told_after({event("f", created | modified | cloned | file)}), lines{});
}

TEST_F(FSEvents, attributes_of_others_after_a_save) {  // Spotlight, Gatekeeper
  root.write("f");
  open();
  root.append("f");
  EXPECT_EQ(told_after({event("f", modified | file)}), lines{"modified f"});
  EXPECT_EQ(told_after({event("f", xattr | file)}), lines{});
  EXPECT_EQ(told_after({event("f", meta | xattr | item_finder_info | file)}), lines{});
}

TEST_F(FSEvents, permissions_are_told_where_they_are_asked_for) {
  root.write("f");
  root.mkdir("d");
  open({.metadata = true});
  root.chmod("f", 0600);
  root.chmod("d", 0700);
  EXPECT_EQ(told_after({event("f", meta | file), event("d", item_owner | dir)}), (lines{"metadata d", "metadata f"}));
  EXPECT_EQ(told_after({event("f", meta | file), event("f", xattr | file)}), lines{});
}

TEST_F(FSEvents, siblings_of_a_hard_link_hear_of_each_other) {  // xnu: up to 128 of them
  root.write("a");
  root.link("a", "b");
  open();
  root.append("a");
  EXPECT_EQ(
      told_after({event("a", modified | file | item_is_hardlink), event("b", modified | file | item_is_hardlink)}),
      (lines{"modified a", "modified b"}));
  root.link("a", "c");
  EXPECT_EQ(told_after({event("c", created | file | item_is_hardlink), event("a", meta | file | item_is_hardlink)}),
            lines{"created c"});
  root.rm("a");
  EXPECT_EQ(told_after({event("a", removed | file | item_is_hardlink, id_of("b"))}), lines{"removed a"});
}

// ---- the start

TEST_F(FSEvents, what_happened_before_the_start_is_told_by_the_daemon) {  // joyent/libuv#986
  root.write("f");
  root.mkdir("d");
  open();
  EXPECT_EQ(told_after({event("f", created | modified | file), event("d", created | dir), event("x", removed, 99)}),
            lines{});
}

TEST_F(FSEvents, the_end_of_history) {  // eonil/FSEvents#1
  open();
  EXPECT_EQ(told_after({{"", history_done, 0}, {root.path(), history_done, 0}}), lines{});
}

TEST_F(FSEvents, numbers_begin_anew) {  // libuv drops such events (samchon/ttsc#1425)
  open();
  root.write("f");
  EXPECT_EQ(told_after({event("f", created | modified | file | ids_wrapped)}), lines{"created f"});
}

TEST_F(FSEvents, a_stream_is_made_from_the_newest_number_on) {
  daemon->newest = 4711;
  open();
  const auto* const s = daemon->find(root.path());
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->since, 4711u);
  EXPECT_EQ(s->flags, 0x1u | 0x2u | 0x4u | 0x10u);
  EXPECT_LT(s->latency, 0.1);
}

TEST_F(FSEvents, never_since_the_beginning_of_time) {
  daemon->newest = 0;
  open();
  EXPECT_EQ(daemon->find(root.path())->since, mac::since_now);
}

// ---- what was dropped

TEST_F(FSEvents, a_directory_is_to_be_scanned) {
  root.mkdir_p("d/e");
  root.write("d/e/f");
  root.write("g");
  open();
  root.append("d/e/f");
  root.write("d/new");
  EXPECT_EQ(told_after({event("d", must_scan_subdirs)}), (lines{"created d/new", "modified d/e/f"}));
}

TEST_F(FSEvents, the_whole_tree_is_to_be_scanned) {
  root.mkdir("d");
  root.write("d/f");
  open();
  root.append("d/f");
  root.write("g");
  EXPECT_EQ(told_after({{root.path(), must_scan_subdirs}}), (lines{"created g", "modified d/f"}));
  root.rm("g");
  EXPECT_EQ(told_after({{directory.base().path(), must_scan_subdirs}}), lines{"removed g"});
}

TEST_F(FSEvents, the_user_side_dropped) {
  root.write("f");
  open();
  root.rename("f", "g");
  EXPECT_EQ(told_after({{"/", must_scan_subdirs | user_dropped}}), (lines{"notice overflow", "renamed f -> g"}));
}

TEST_F(FSEvents, the_kernel_dropped) {
  open();
  root.write("f");
  EXPECT_EQ(told_after({{"/", must_scan_subdirs | kernel_dropped}}), (lines{"created f", "notice overflow"}));
}

TEST_F(FSEvents, dropped_without_a_word_of_scanning) {
  open();
  root.write("f");
  EXPECT_EQ(told_after({{root.path(), kernel_dropped}}), (lines{"created f", "notice overflow"}));
}

TEST_F(FSEvents, a_watcher_that_nobody_asks) {
  open();
  root.write("f");
  std::vector<fake_event> many(mac::event_box::most_events + 1, event("x", modified | file, 99));
  many.push_back(event("f", created | file));
  EXPECT_EQ(told_after(many), (lines{"created f", "notice overflow"}));
}

TEST_F(FSEvents, paths_that_are_too_long_for_the_box) {
  open();
  root.write("f");
  const std::string longest(900, 'x');
  std::vector<fake_event> many(mac::event_box::most_path_bytes / longest.size(), event(longest, modified | file, 99));
  EXPECT_LT(many.size(), mac::event_box::most_events);
  many.push_back(event("f", created | file));
  EXPECT_EQ(told_after(many), (lines{"created f", "notice overflow"}));
}

TEST_F(FSEvents, what_a_burst_took_is_counted_and_given_back) {
  open();
  const auto before = watcher->stats().bytes;
  send(std::vector<fake_event>(mac::event_box::most_events, event("x", modified | file, 99)));
  EXPECT_GT(watcher->stats().bytes, before + mac::event_box::most_events * root.path().size());
  EXPECT_EQ(told(), lines{});
  EXPECT_LT(watcher->stats().bytes, before + mac::event_box::most_events);
}

TEST_F(FSEvents, a_path_that_is_no_text) {
  open();
  root.write("f");
  EXPECT_EQ(told_after({{root.at("x" + daemon->lone_surrogate), created | file}}), lines{"created f"});
}

TEST_F(FSEvents, flags_that_nobody_knows_yet) {
  root.mkdir("d");
  open();
  root.write("d/f");
  EXPECT_EQ(told_after({event("d", 0x4000000 | dir)}), lines{"created d/f"});
}

TEST_F(FSEvents, a_directory_without_flags_as_without_file_events) {
  root.mkdir("d");
  open();
  root.write("d/f");
  EXPECT_EQ(told_after({{root.at("d/"), 0}}), lines{"created d/f"});
}

// ---- order

TEST_F(FSEvents, a_file_before_its_directory) {
  open();
  root.mkdir_p("a/b");
  root.write("a/b/f");
  EXPECT_EQ(told_after({event("a/b/f", created | modified | file)}),
            (lines{"created a", "created a/b", "created a/b/f"}));
  EXPECT_EQ(told_after({event("a", created | dir), event("a/b", created | dir)}), lines{});
}

TEST_F(FSEvents, directories_made_in_haste) {
  open();
  root.mkdir_p("a/b/c");
  EXPECT_EQ(told_after({event("a", created | dir)}), (lines{"created a", "created a/b", "created a/b/c"}));
  root.write("a/b/c/f");
  EXPECT_EQ(told_after({event("a/b", created | dir), event("a/b/c/f", created | file)}), lines{"created a/b/c/f"});
}

TEST_F(FSEvents, a_tree_is_removed_bottom_last) {
  root.mkdir_p("a/b");
  root.write("a/b/f");
  open();
  root.rm_rf("a");
  EXPECT_EQ(
      told_after({event("a", removed | dir, 7), event("a/b", removed | dir, 8), event("a/b/f", removed | file, 9)}),
      (lines{"removed a", "removed a/b", "removed a/b/f"}));
}

TEST_F(FSEvents, late_events_of_a_directory_that_is_gone) {
  root.mkdir("a");
  root.write("a/f");
  open();
  root.rm_rf("a");
  EXPECT_EQ(told_after({event("a", removed | dir, 7)}), (lines{"removed a", "removed a/f"}));
  EXPECT_EQ(told_after({event("a/f", modified | removed | file, 9)}), lines{});
}

TEST_F(FSEvents, a_directory_becomes_readable) {
  root.mkdir("d");
  root.write("d/f");
  calls->fail(system_call::openat2, 1, EACCES);
  watcher = std::make_unique<fake_watcher>(options{.debounce = immediate}, fake_system(daemon, scripted_system(calls)));
  watcher->add(root.path());
  const lines first = told();
  calls->stop_failing();
  const lines then = told_after({event("d", meta | dir)});
  lines both = first;
  both.insert(both.end(), then.begin(), then.end());
  EXPECT_EQ(sorted(both), (lines{"created d/f", "notice unreadable"}));
}

// ---- spellings

TEST_F(FSEvents, firmlinks) {  // lsyncd/lsyncd#615, rstudio/rstudio#5329
  open();
  root.write("f");
  EXPECT_EQ(told_after({{std::string(data_volume) + root.at("f"), created | file}}), lines{"created f"});
}

TEST_F(FSEvents, composed_on_disk_and_told_decomposed) {  // amule-org/amule#312
  daemon->ignores_case = true;
  open();
  root.write("caf\xC3\xA9");
  EXPECT_EQ(told_after({event("cafe\xCC\x81", created | modified | file, 5)}), lines{"created caf\xC3\xA9"});
  root.append("caf\xC3\xA9");
  EXPECT_EQ(told_after({event("cafe\xCC\x81", modified | file, 5)}), lines{"modified caf\xC3\xA9"});
  root.rm("caf\xC3\xA9");
  EXPECT_EQ(told_after({event("cafe\xCC\x81", removed | file, 5)}), lines{"removed caf\xC3\xA9"});
}

TEST_F(FSEvents, made_decomposed_and_removed_composed) {  // HFS+
  daemon->ignores_case = true;
  open();
  root.write("e\xCC\x81t\xC3\xA9");
  EXPECT_EQ(told_after({event("e\xCC\x81te\xCC\x81", created | file, 5)}), lines{"created e\xCC\x81t\xC3\xA9"});
  root.rm("e\xCC\x81t\xC3\xA9");
  EXPECT_EQ(told_after({event("\xC3\xA9t\xC3\xA9", removed | file, 5)}), lines{"removed e\xCC\x81t\xC3\xA9"});
}

TEST_F(FSEvents, below_a_directory_that_is_told_decomposed) {
  daemon->ignores_case = true;
  root.mkdir("\xC3\xA9");
  open();
  root.write("\xC3\xA9/f");
  EXPECT_EQ(told_after({event("e\xCC\x81/f", created | file, 5)}), lines{"created \xC3\xA9/f"});
}

TEST_F(FSEvents, told_in_another_letter_case) {  // microsoft/TypeScript#64089
  daemon->ignores_case = true;
  root.mkdir("Src");
  root.write("Src/Main.c");
  open();
  root.append("Src/Main.c");
  EXPECT_EQ(told_after({event("src/MAIN.c", modified | file, 5)}), lines{"modified Src/Main.c"});
  root.rm("Src/Main.c");
  EXPECT_EQ(told_after({event("Src/main.c", removed | file, 5)}), lines{"removed Src/Main.c"});
}

TEST_F(FSEvents, a_directory_in_another_letter_case_is_to_be_scanned) {
  daemon->ignores_case = true;
  root.mkdir_p("Src/e");
  open();
  root.write("Src/e/f");
  EXPECT_EQ(told_after({event("src", must_scan_subdirs)}), lines{"created Src/e/f"});
}

TEST_F(FSEvents, a_directory_that_is_told_decomposed_was_elsewhere) {
  daemon->ignores_case = true;
  root.mkdir("\xC3\xA9");
  root.write("\xC3\xA9/f");
  open();
  root.rename("\xC3\xA9", out.at("d"));
  out.rm("d/f");
  out.write("d/g");
  out.rename("d", root.at("\xC3\xA9"));
  EXPECT_EQ(told_after({event("e\xCC\x81", renamed | dir)}), (lines{"created \xC3\xA9/g", "removed \xC3\xA9/f"}));
}

// As `git checkout` does between branches.
TEST_F(FSEvents, removed_and_made_in_another_letter_case) {
  daemon->ignores_case = true;
  root.write("readme");
  open();
  root.write("another number");
  root.rm("readme");
  root.rename("another number", "README");
  EXPECT_EQ(told_after({event("readme", removed | file, 5), event("README", created | modified | file)}),
            (lines{"created README", "removed readme"}));
}

TEST_F(FSEvents, the_root_itself_is_told_in_another_letter_case) {
  daemon->ignores_case = true;
  open();
  root.write("f");
  EXPECT_EQ(told_after({{directory.base().at("ROOT/f"), created | file, 5}}), lines{"created f"});
}

// The number of a removed file is the next one's.
TEST_F(FSEvents, removed_and_made_in_another_letter_case_under_its_number) {
  daemon->ignores_case = true;
  root.write("readme");
  root.write("caf\xC3\xA9");
  open();
  root.rename("readme", "README");
  root.rename("caf\xC3\xA9", "Cafe\xCC\x81");
  EXPECT_EQ(told_after({event("readme", removed | file), event("README", created | modified | file),
                        event("caf\xC3\xA9", removed | file), event("Cafe\xCC\x81", created | modified | file)}),
            (lines{"renamed caf\xC3\xA9 -> Cafe\xCC\x81", "renamed readme -> README"}));
}

TEST_F(FSEvents, made_and_told_in_another_letter_case) {
  daemon->ignores_case = true;
  open();
  root.write("README");
  EXPECT_EQ(told_after({event("readme", created | file)}), lines{"created README"});
}

TEST_F(FSEvents, renamed_over_a_name_in_another_letter_case_of_which_nothing_is_told) {
  daemon->ignores_case = true;
  root.write("readme");
  open();
  root.write("new", "text");
  root.rename("new", "readme");
  root.rename("readme", "README");
  EXPECT_EQ(told_after({event("new", created | renamed | file), event("README", renamed | file)}),
            (lines{"created README", "removed readme"}));
}

TEST_F(FSEvents, a_volume_that_does_not_say_how_a_name_is_spelled_is_listed) {
  daemon->ignores_case = true;
  daemon->tells_spellings = false;
  root.write("other");
  open();
  root.write("README");
  root.rename("other", "Other");
  EXPECT_EQ(told_after({event("readme", created | file), event("other", renamed | file)}),
            (lines{"created README", "renamed other -> Other"}));
}

TEST_F(FSEvents, a_file_in_another_letter_case_takes_the_place_of_a_directory_unheard) {
  daemon->ignores_case = true;
  root.mkdir("d");
  root.write("d/f");
  open();
  root.rm_rf("d");
  root.write("D");
  send({event("d/f", removed | file)});
  lines all;
  for (int turns = 0; turns < 3; ++turns)
    for (const std::string& l : told()) all.push_back(l);
  EXPECT_EQ(sorted(all), (lines{"created D", "removed d", "removed d/f"}));
}

TEST_F(FSEvents, many_names_that_are_gone_beside_many_that_are_known) {
  daemon->ignores_case = true;
  constexpr int many = 200;
  std::vector<fake_event> events;
  for (int i = 0; i < many; ++i) {
    root.write("\xC3\xA9" + std::to_string(i));
    events.push_back(event("e\xCC\x81-" + std::to_string(i), created | removed | file));
  }
  open();
  daemon->comparisons = 0;
  EXPECT_EQ(told_after(events), lines{});
  EXPECT_LE(daemon->comparisons, 4 * many);
}

TEST_F(FSEvents, attributes_of_a_file_from_the_future) {
  root.write("f");
  const timespec in_a_century[2] = {{4'102'444'800, 0}, {4'102'444'800, 0}};
  ASSERT_EQ(::utimensat(AT_FDCWD, root.at("f").c_str(), in_a_century, 0), 0);
  open();
  EXPECT_EQ(told_after({event("f", xattr | file)}), lines{});
}

TEST_F(FSEvents, on_a_volume_that_knows_the_letter_case) {
  root.write("a");
  root.write("A");
  open();
  root.rm("a");
  root.append("A");
  EXPECT_EQ(told_after({event("a", removed | file, 5), event("A", modified | file)}),
            (lines{"modified A", "removed a"}));
}

class FSEventsOtherwise : public fsevents_backend_test {
 protected:
  lines disk_files() const override { return known_files(); }

  /// No stream can tell of this directory: so that it is polled is told, and what is written there is found.
  void expect_polled(const std::string& path, std::errc why, std::string_view advice) {
    watcher = std::make_unique<fake_watcher>(
        options{.debounce = immediate, .poll_interval = std::chrono::milliseconds(1)}, fake_system(daemon));
    watcher->add(path);
    const batch& b = watcher->poll();
    ASSERT_EQ(b.notices().size(), 1u);
    EXPECT_EQ(b.notices()[0].kind, notice_kind::polling);
    EXPECT_EQ(b.notices()[0].path, path);
    EXPECT_EQ(b.notices()[0].error, why);
    EXPECT_EQ(b.notices()[0].advice, advice);
    EXPECT_EQ(daemon->streams(), 0u);
    EXPECT_EQ(watcher->stats().polled_directories, 1u);
    raw::write(path + "/f", "text");
    EXPECT_EQ(sorted(watcher->flush()), lines{"created f"});
  }
};

TEST_F(FSEventsOtherwise, a_root_behind_a_symlink) {  // /tmp is /private/tmp; paulmillr/chokidar#418
  directory.base().symlink("root", "given");
  open_at(directory.base().at("given"));
  EXPECT_EQ(daemon->find(root.path()) != nullptr, true);
  root.write("f");
  send({event("f", created | file)});
  const batch& b = watcher->poll();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b.begin()->path, directory.base().at("given/f"));
}

TEST_F(FSEventsOtherwise, a_root_in_another_letter_case) {  // NucleusFramework/Nucleus#442
  daemon->ignores_case = true;
  const std::string given = directory.base().at("ROOT");
  open_at(given);
  EXPECT_EQ(daemon->find(root.path()) != nullptr, true);
  root.write("f");
  send({event("f", created | file)});
  const batch& b = watcher->poll();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b.begin()->path, given + "/f");
}

TEST_F(FSEventsOtherwise, a_root_given_decomposed_that_is_composed_on_disk) {  // amule-org/amule#312
  daemon->ignores_case = true;
  directory.base().mkdir("caf\xC3\xA9");
  const place there(directory.base().at("caf\xC3\xA9"));
  there.write("before");
  const std::string given = directory.base().at("cafe\xCC\x81");
  open_at(given);
  EXPECT_EQ(known_files(), lines{given + "/before"});
  EXPECT_EQ(daemon->watched_paths(), lines{there.path()});
  there.write("f");
  send({{there.at("f"), created | file}});
  const batch& b = watcher->poll();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b.begin()->path, given + "/f");
  EXPECT_EQ(known_files(), (lines{given + "/before", given + "/f"}));
}

TEST_F(FSEvents, what_is_elsewhere) {
  open();
  directory.base().mkdir("root2");
  directory.base().write("root2/f");
  const auto* const s = daemon->find(root.path());
  daemon->send_to(*const_cast<fake_fsevents::stream*>(s), {{directory.base().at("root2/f"), created | file}});
  EXPECT_EQ(told(), lines{});
}

TEST_F(FSEventsOtherwise, a_root_that_is_not_recursive) {
  root.mkdir("d");
  open({}, {.recursive = false});
  root.write("d/f");
  root.write("g");
  EXPECT_EQ(told_after({event("d/f", created | file), event("g", created | file)}), lines{"created g"});
}

TEST_F(FSEventsOtherwise, what_is_too_deep_wakes_nobody) {
  root.mkdir_p("d/e");
  open({}, {.recursive = false});
  const int handle = watcher->native_handle();
  EXPECT_EQ(told(), lines{});
  root.write("d/e/f");
  send({event("d/e/f", created | file)});
  EXPECT_FALSE(raw::becomes_ready(handle, std::chrono::milliseconds(0)));
  root.write("f");
  send({event("f", created | file)});
  EXPECT_TRUE(raw::becomes_ready(handle, std::chrono::milliseconds(0)));
  EXPECT_EQ(told(), lines{"created f"});
}

// /tmp and /var are symlinks in "/", below which all happens.
TEST_F(FSEventsOtherwise, a_symlink_on_the_way_is_all_that_is_heard_beside_it) {
  directory.base().symlink("root", "given");
  open_at(directory.base().at("given"));
  const fake_event elsewhere{directory.base().at("other/x"), created | file, 9};
  send(std::vector<fake_event>(detail::macos::event_box::most_events + 1, elsewhere));
  EXPECT_EQ(told(), lines{}) << "nothing ran over";
}

TEST_F(FSEventsOtherwise, a_single_file_is_watched_from_its_directory) {  // fsevents/fsevents#406: else silent
  root.write("f");
  open_at(root.at("f"));
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
  root.write("f.tmp", "new");
  root.rename("f.tmp", "f");
  EXPECT_EQ(told_after({event("f.tmp", created | renamed | file, 5), event("f", renamed | file)}), lines{"modified f"});
  root.rm("f");
  EXPECT_EQ(told_after({event("f", removed | file, 5)}), lines{"removed f"});
  root.write("f");
  EXPECT_EQ(told_after({event("f", created | file)}), lines{"created f"});
}

TEST_F(FSEventsOtherwise, what_is_excluded_is_not_looked_at) {
  root.mkdir_p("node_modules/a");
  open({.exclude = {"node_modules/"}});
  root.write("node_modules/a/f");
  const int before = calls->calls(system_call::statx);
  EXPECT_EQ(told_after({event("node_modules/a/f", created | file), event("node_modules/a", created | dir)}), lines{});
  EXPECT_EQ(calls->calls(system_call::statx), before);
}

// ---- roots

TEST_F(FSEvents, a_root_is_removed_and_made_again) {
  root.write("f");
  open();
  root.rm_rf("");
  daemon->send({event("f", removed | file, 5), {root.path(), removed | dir, 6}});
  daemon->change_root(root.path());
  EXPECT_EQ(told(), (lines{"notice root_lost", "removed f"}));
  EXPECT_EQ(daemon->watched_paths(), lines{directory.base().path()});
  directory.base().mkdir("root");
  root.write("g");
  EXPECT_EQ(told_after({{root.path(), created | dir, 8}}), (lines{"created g", "notice root_restored"}));
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
  root.write("h");
  EXPECT_EQ(told_after({event("h", created | file)}), lines{"created h"});
}

TEST_F(FSEvents, a_root_changes_only_by_its_event) {
  root.write("f");
  open();
  root.rename("", out.at("away"));
  daemon->change_root(root.path());
  EXPECT_EQ(told(), (lines{"notice root_lost", "removed f"}));
  out.rename("away", root.path());
  EXPECT_EQ(told_after({{root.path(), renamed | dir, 8}}), (lines{"created f", "notice root_restored"}));
}

TEST_F(FSEvents, noise_about_the_root) {  // rstudio/rstudio#5329
  root.write("f");
  open();
  daemon->change_root(root.path());
  EXPECT_EQ(told(), lines{});
}

TEST_F(FSEvents, another_directory_takes_the_place_of_the_root) {  // Hammerspoon/hammerspoon#1224
  root.write("f");
  open();
  root.rename("", out.at("away"));
  directory.base().mkdir("root");
  root.write("g");
  daemon->change_root(root.path());
  EXPECT_EQ(told(), (lines{"created g", "removed f"}));
  root.append("g");
  EXPECT_EQ(told_after({event("g", modified | file)}), lines{"modified g"});
}

TEST_F(FSEvents, a_directory_above_was_elsewhere_for_a_while) {
  root.mkdir("deep");
  const place deep(root.at("deep"));
  deep.write("f");
  open();
  root.rename("", out.at("away"));
  out.rm("away/deep/f");
  out.write("away/deep/g");
  out.rename("away", root.path());
  daemon->change_root(directory.base().path());
  EXPECT_EQ(told(), (lines{"created deep/g", "removed deep/f"}));
}

class FSEventsAbove : public FSEventsOtherwise {};

TEST_F(FSEventsAbove, the_way_to_a_lost_root_is_made_again_step_by_step) {
  root.mkdir_p("a/b");
  open_at(root.at("a/b"));
  root.rm_rf("a");
  daemon->change_root(root.at("a"));
  EXPECT_EQ(told(), lines{"notice root_lost"});
  root.mkdir("a");
  EXPECT_EQ(told_after({event("a", created | dir)}), lines{});
  root.mkdir("a/b");
  root.write("a/b/f");
  EXPECT_EQ(told_after({event("a/b", created | dir)}), (lines{"created f", "notice root_restored"}));
}

TEST_F(FSEventsAbove, a_symlink_on_the_way_leads_elsewhere) {
  root.mkdir_p("v1/d");
  root.mkdir_p("v2/d");
  root.write("v1/d/f");
  root.write("v2/d/g");
  root.symlink("v1", "now");
  open_at(root.at("now/d"));
  root.rm("now");
  root.symlink("v2", "now");
  EXPECT_EQ(told_after({event("now", created | removed | item_is_symlink)}), (lines{"created g", "removed f"}));
}

TEST_F(FSEventsAbove, links_that_are_followed) {
  out.mkdir("d");
  out.write("d/f");
  root.symlink("../out/d", "l");
  open({.follow_symlinks = true});
  EXPECT_EQ(daemon->watched_paths(), (lines{out.at("d"), root.path()}));
  out.write("d/g");
  EXPECT_EQ(told_after({{out.at("d/g"), created | file}}), lines{"created l/g"});
  root.rm("l");
  EXPECT_EQ(told_after({event("l", removed | item_is_symlink, 5)}), (lines{"removed l", "removed l/f", "removed l/g"}));
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
}

// Nothing is listed behind it: what is known is what is there when no link is followed.
TEST_F(FSEvents, a_followed_link_to_a_directory_above_it_ends) {
  root.mkdir_p("d/e");
  root.symlink("..", "d/up");
  root.symlink("../..", "d/e/top");
  root.symlink(".", "self");
  open({.follow_symlinks = true});
  EXPECT_EQ(known_files(), disk_files());
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
  root.write("d/f");
  EXPECT_EQ(told_after({event("d/f", created | file)}), lines{"created d/f"});
  root.symlink("..", "d/e/later");
  EXPECT_EQ(told_after({event("d/e/later", created | item_is_symlink)}), lines{"created d/e/later"});
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
}

TEST_F(FSEventsAbove, two_followed_links_to_one_directory) {
  out.mkdir("d");
  out.write("d/f");
  root.symlink("../out/d", "one");
  root.symlink("../out/d", "two");
  open({.follow_symlinks = true});
  EXPECT_EQ(known_files(), (lines{root.at("one"), root.at("one/f"), root.at("two"), root.at("two/f")}));
  EXPECT_EQ(daemon->watched_paths(), (lines{out.at("d"), root.path()}));
  out.write("d/g");
  EXPECT_EQ(told_after({{out.at("d/g"), created | file}}), (lines{"created one/g", "created two/g"}));
  root.rm("one");
  EXPECT_EQ(told_after({event("one", removed | item_is_symlink, 5)}),
            (lines{"removed one", "removed one/f", "removed one/g"}));
  out.append("d/f");
  EXPECT_EQ(told_after({{out.at("d/f"), modified | file}}), lines{"modified two/f"});
  root.rm("two");
  EXPECT_EQ(told_after({event("two", removed | item_is_symlink, 5)}),
            (lines{"removed two", "removed two/f", "removed two/g"}));
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
  root.mkdir("d");
  EXPECT_EQ(told_after({event("d", created | dir)}), lines{"created d"});
  EXPECT_EQ(watcher->stats().polled_directories, 0u) << "the root's stream tells of what is in it";
}

// What is below the link that came is not looked for where it was.
TEST_F(FSEventsAbove, a_followed_link_takes_the_place_of_another_to_the_same_directory) {
  root.mkdir_p("d/e");
  root.symlink("d", "one");
  root.symlink("d", "two");
  open({.follow_symlinks = true});
  root.rename("one", "two");
  root.write("d/e/f");
  EXPECT_EQ(told_after({event("two", renamed | item_is_symlink), event("one", renamed | item_is_symlink, id_of("two")),
                        event("d/e/f", created | file)}),
            (lines{"created d/e/f", "created two/e/f", "removed two/e", "renamed one -> two"}));
}

TEST_F(FSEventsAbove, a_followed_link_is_renamed_and_what_is_behind_it_changes) {
  out.mkdir("d");
  root.symlink("../out/d", "l");
  open({.follow_symlinks = true});
  root.rename("l", "n");
  out.write("d/f");
  EXPECT_EQ(told_after({event("l", renamed | item_is_symlink, id_of("n")),
                        event("n", renamed | item_is_symlink),
                        {out.at("d/f"), created | file}}),
            (lines{"created n/f", "renamed l -> n"}));
}

TEST_F(FSEventsAbove, a_followed_link_that_leads_to_another) {
  for (const char* d : {"d", "e"}) out.mkdir(d);
  out.write("d/f");
  out.write("e/h");
  out.symlink("d", "next");
  root.symlink("../out/next", "l");
  open({.follow_symlinks = true});
  out.write("d/g");
  EXPECT_EQ(told_after({{out.at("d/g"), created | file}}), lines{"created l/g"});
  out.rm("next");
  out.symlink("e", "next");
  EXPECT_EQ(told_after({{out.at("next"), created | removed | item_is_symlink}}),
            (lines{"created l/h", "removed l/f", "removed l/g"}));
  out.append("e/h");
  EXPECT_EQ(told_after({{out.at("e/h"), modified | file}}), lines{"modified l/h"});
  EXPECT_EQ(daemon->find(out.at("d")), nullptr);
}

// ---- what cannot be added: nothing of it is left, and what is watched goes on

class FSEventsBadInput : public FSEvents {
 protected:
  void expect_refused(const std::string& path, std::error_code why) {
    std::error_code ec;
    watcher->add(path, root_options{}, ec);
    EXPECT_EQ(ec, why) << ec.message();
    calls->stop_failing();
    EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
    root.write("f");
    EXPECT_EQ(told_after({event("f", created | file)}), lines{"created f"});
  }
};

TEST_F(FSEventsBadInput, a_path_that_is_missing) {
  open();
  expect_refused(root.at("missing"), {ENOENT, std::system_category()});
}

TEST_F(FSEventsBadInput, a_path_with_a_nul) {
  open();
  expect_refused(out.path() + std::string("\0x", 2), errc::path_has_nul);
}

TEST_F(FSEventsBadInput, a_root_twice) {
  open();
  expect_refused(root.path() + "/", errc::root_exists);
}

TEST_F(FSEventsBadInput, a_root_that_may_not_be_read) {
  open();
  calls->fail(system_call::openat, 1, EACCES, script::for_ever);
  expect_refused(out.path(), {EACCES, std::system_category()});
}

// ---- streams

TEST_F(FSEvents, one_stream_a_root_and_none_for_what_is_in_it) {
  root.mkdir_p("a/b/c");
  open();
  watcher->add(out.path());
  EXPECT_EQ(daemon->watched_paths(), (lines{out.path(), root.path()}));
  watcher->remove(out.path());
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
}

TEST_F(FSEventsOtherwise, a_stream_that_does_not_start) {  // fsevents/fsevents#42: about 400 of them
  daemon->starts_that_succeed = 0;
  expect_polled(root.path(), std::errc::resource_unavailable_try_again, "FSEvents has no stream left for this process");
}

TEST_F(FSEventsOtherwise, a_stream_that_is_not_made) {
  daemon->refuses_streams = true;
  expect_polled(root.path(), std::errc::not_enough_memory, "");
}

TEST_F(FSEventsOtherwise, a_root_whose_path_is_no_text) {  // APFS has none, but a share may
  directory.base().mkdir("r\xFF");
  expect_polled(directory.base().at("r\xFF"), std::errc::illegal_byte_sequence, "");
}

TEST_F(FSEventsOtherwise, without_a_queue_there_is_no_watcher) {
  daemon->refuses_queues = true;
  try {
    fake_watcher(options{}, fake_system(daemon));
    ADD_FAILURE() << "no error";
  } catch (const std::system_error& e) {
    EXPECT_EQ(e.code(), std::errc::not_enough_memory);
    EXPECT_NE(std::string_view(e.what()).find("dispatch_queue_create"), std::string_view::npos) << e.what();
  }
}

TEST_F(FSEventsOtherwise, more_paths_than_a_process_may_watch) {  // notify-rs/notify#971: it closes descriptor 0
  daemon->open_files = 2 * 12;
  open();
  watcher->add(out.path());
  EXPECT_EQ(told(), lines{});
  directory.base().mkdir("third");
  watcher->add(directory.base().at("third"));
  const batch& b = watcher->poll();
  ASSERT_EQ(b.notices().size(), 1u);
  EXPECT_EQ(b.notices()[0].kind, notice_kind::polling);
  EXPECT_EQ(b.notices()[0].error, std::errc::too_many_files_open);
  EXPECT_EQ(b.notices()[0].advice,
            "raise the soft limit of open files (ulimit -n): FSEvents watches one path for twelve of them");
  watcher->remove(out.path());
  watcher->remove(directory.base().at("third"));
  watcher->add(directory.base().at("third"));
  EXPECT_EQ(told(), lines{});
}

TEST_F(FSEventsOtherwise, what_is_mounted_below_a_root_has_a_stream_of_its_own) {
  root.mkdir_p("m/d");
  daemon->mounted = root.at("m");
  open();
  EXPECT_EQ(daemon->watched_paths(), (lines{root.path(), root.at("m")}));
  EXPECT_EQ(watcher->stats().polled_directories, 0u);
  for (const char* f : {"f", "m/f", "m/d/f"}) root.write(f);
  EXPECT_EQ(told_after({event("f", created | file), event("m/f", created | file), event("m/d/f", created | file)}),
            (lines{"created f", "created m/d/f", "created m/f"}));
  watcher->remove(root.path());
  EXPECT_EQ(daemon->watched_paths(), lines{});
  EXPECT_EQ(told(), lines{});
}

TEST_F(FSEvents, the_stream_of_what_was_mounted_ends_when_it_is_removed) {
  root.mkdir_p("m/d");
  daemon->mounted = root.at("m");
  open();
  daemon->mounted.clear();
  root.write("m/f");
  EXPECT_EQ(told_after({event("m", unmounted | dir)}), lines{"created m/f"});
  EXPECT_EQ(daemon->watched_paths(), lines{root.path()});
  root.append("m/f");
  EXPECT_EQ(told_after({event("m/f", modified | file)}), lines{"modified m/f"});
}

TEST_F(FSEventsOtherwise, a_share_is_polled_besides) {
  daemon->file_system = {false, "smbfs"};
  root.mkdir("d");
  watcher = std::make_unique<fake_watcher>(
      options{.debounce = immediate, .poll_interval = std::chrono::milliseconds(1)}, fake_system(daemon));
  watcher->add(root.path());
  const batch& first = watcher->poll();
  ASSERT_EQ(first.notices().size(), 1u);
  EXPECT_EQ(first.notices()[0].error, errc::partly_told);
  EXPECT_EQ(watcher->stats().polled_directories, 2u);
  root.write("d/f");
  EXPECT_EQ(in_order(watcher->wait_for(deadline)), lines{"created d/f"});
  daemon->file_system = {true, "apfs"};
}

TEST_F(FSEventsOtherwise, roots_that_come_and_go_leave_nothing) {
  open();
  const auto come_and_go = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string name = "a root with a name that takes memory " + std::to_string(i);
      directory.base().mkdir(name);
      watcher->add(directory.base().at(name));
      watcher->remove(directory.base().at(name));
    }
    return watcher->stats().bytes;
  };
  const auto before = come_and_go(0, 100);
  EXPECT_LT(come_and_go(100, 500), before + 100 * root.path().size());
}

// Its number may be another's when it is mounted again.
TEST_F(FSEventsOtherwise, a_file_system_is_asked_anew_when_nothing_of_it_is_watched) {
  daemon->file_system = {false, "smbfs"};
  root.mkdir("d");
  watcher = std::make_unique<fake_watcher>(options{.debounce = immediate}, fake_system(daemon));
  watcher->add(root.path());
  EXPECT_EQ(told(), lines{"notice polling"});
  watcher->remove(root.path());
  daemon->file_system = {true, "apfs"};
  watcher->add(root.path());
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(watcher->stats().polled_directories, 0u);
}

TEST_F(FSEvents, the_queue_wakes_who_waits_on_another_thread) {
  open();
  root.write("f");
  const fake_event e = event("f", created | file);
  std::thread queue([&] { daemon->send({e}); });
  const auto began = std::chrono::steady_clock::now();
  const batch& b = watcher->wait_for(deadline);
  EXPECT_EQ(in_order(b), lines{"created f"});
  EXPECT_LT(std::chrono::steady_clock::now() - began, deadline) << "nobody woke it";
  queue.join();
}

TEST_F(FSEvents, the_handle_is_ready_when_something_was_heard) {
  open();
  const int handle = watcher->native_handle();
  EXPECT_FALSE(raw::becomes_ready(handle, std::chrono::milliseconds(0)));
  root.write("f");
  send({event("f", created | file)});
  EXPECT_TRUE(raw::becomes_ready(handle, std::chrono::milliseconds(0)));
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_FALSE(raw::becomes_ready(handle, std::chrono::milliseconds(0)));
}

TEST_F(FSEvents, a_barrier_finds_what_the_daemon_has_not_told) {
  root.write("a");
  open();
  root.rename("a", "b");
  root.write("c");
  EXPECT_EQ(sorted(watcher->flush()), (lines{"created c", "renamed a -> b"}));
  EXPECT_EQ(told_after({event("a", renamed | file, 5), event("b", renamed | file), event("c", created | file)}),
            lines{});
}

TEST_F(FSEvents, what_the_user_wrote_himself) {
  root.write("f");
  open();
  root.append("f");
  watcher->acknowledge(root.at("f"));
  EXPECT_EQ(told_after({event("f", modified | file)}), lines{});
}

}  // namespace
}  // namespace hotwatch::test
