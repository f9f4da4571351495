// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The Windows backend over a disk in memory: what requests end with, and when.
#include "hotwatch/backends/windows.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "hotwatch/watcher.hpp"
#include "support/fake_windows.hpp"
#include "support/windows_records.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail::windows;
using lines = std::vector<std::string>;

static_assert(backend<basic_windows_backend<fake_windows_system>>);

class windows_backend_test : public testing::Test {
 protected:
  using fake_watcher = basic_watcher<basic_windows_backend<fake_windows_system>>;

  void open(options o = {}) {
    watcher = std::make_unique<fake_watcher>(std::move(o), fake_windows_system(disk));
    watcher->add(std::string_view("C:/root"));
  }
  windows_buffer records() const { return windows_buffer(form); }
  void tell(const windows_buffer& b) { disk->tell(root, b.bytes); }

  lines told() {
    notices.clear();
    lines all;
    const batch& b = watcher->flush();
    for (const change& c : b) {
      std::string text(to_string(c.kind));
      text += ' ';
      if (c.kind == change_kind::renamed) text.append(c.old_path.substr(c.below)).append(" -> ");
      all.push_back(text.append(c.relative()));
    }
    for (const notice& n : b.notices()) notices.push_back(std::string(to_string(n.kind)));
    return all;
  }
  /// In the directory above the root, or elsewhere.
  void tell_name(const fake_windows::entry_ptr& d, std::u16string name, std::uint32_t action = file_action_added) {
    disk->tell(d, records().add({action, std::move(name), 0x10, 60}).bytes);
  }

  lines known() {
    lines all;
    watcher->for_each([&](std::string_view path, entry_type type) {
      all.push_back(std::string(to_string(type)).append(" ").append(path.substr(path.find("root/") + 5)));
    });
    std::sort(all.begin(), all.end());
    return all;
  }

  std::shared_ptr<fake_windows> disk = std::make_shared<fake_windows>();
  fake_windows::entry_ptr above = disk->drive();
  fake_windows::entry_ptr root = disk->make("C:/root", true);
  layout form = layout::extended;
  std::unique_ptr<fake_watcher> watcher;
  lines notices;
};

TEST_F(windows_backend_test, asks_again_for_each_answer) {
  open();
  EXPECT_EQ(disk->waiting_at(root), 1u);
  disk->make("C:/root/f");
  tell(records().add({file_action_added, u"f", 0x20, 50}));
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_EQ(disk->waiting_at(root), 1u);
  disk->write("C:/root/f");
  tell(records().add({file_action_modified, u"f", 0x20, 50}));
  EXPECT_EQ(told(), lines{"modified f"});
}

TEST_F(windows_backend_test, asks_again_before_it_reads) {
  using fake_backend = basic_windows_backend<fake_windows_system>;
  fake_backend backend{fake_windows_system(disk)};
  std::error_code ec;
  const fake_backend::directory d = backend.open_root("C:/root", ec);
  ASSERT_NE(backend.watch(d, watch_scope::tree).watch, detail::no_watch);
  tell(records().add({file_action_added, u"f", 0x20, 50}).add({file_action_added, u"g", 0x20, 51}));
  ASSERT_TRUE(backend.wait(std::chrono::nanoseconds(0)));
  lines names;
  backend.drain([&](const hint& h) {
    EXPECT_EQ(disk->waiting_at(root), names.empty() ? 1u : 0u);
    // What the kernel writes by now goes elsewhere.
    names.emplace_back(h.name);
    if (names.size() == 1) tell(records().add({file_action_added, u"h", 0x20, 52}));
  });
  EXPECT_EQ(names, (lines{"f", "g"}));
}

TEST_F(windows_backend_test, one_handle_tells_of_the_whole_tree) {
  disk->make("C:/root/a", true);
  const auto b = disk->make("C:/root/a/b", true);
  open();
  EXPECT_EQ(disk->handles_of(b), 0u);
  disk->make("C:/root/a/b/f");
  tell(records().add({file_action_added, u"a\\b\\f", 0x20, 50}));
  EXPECT_EQ(told(), lines{"created a/b/f"});
}

TEST_F(windows_backend_test, plain_records_are_looked_up) {
  disk->has_longer_records = false;
  form = layout::plain;
  open();
  disk->make("C:/root/d", true);
  disk->make("C:/root/d/f");
  tell(records().add({file_action_added, u"d"}).add({file_action_modified, u"d"}));
  EXPECT_EQ(told(), (lines{"created d", "created d/f"}));
  disk->take("C:/root/d/f");
  tell(records().add({file_action_removed, u"d\\f"}).add({file_action_modified, u"d"}));
  EXPECT_EQ(told(), lines{"removed d/f"});
  disk->take("C:/root/d");
  tell(records().add({file_action_removed, u"d"}));
  EXPECT_EQ(told(), lines{"removed d"});
}

TEST_F(windows_backend_test, of_plain_records_a_rename_takes_its_type_along) {
  disk->has_longer_records = false;
  form = layout::plain;
  disk->make("C:/root/d", true);
  disk->make("C:/root/d/f");
  disk->make("C:/root/g");
  open();
  disk->put("C:/root/e", disk->take("C:/root/d"));
  disk->put("C:/root/h", disk->take("C:/root/g"));
  tell(records()
           .add({file_action_renamed_old_name, u"d"})
           .add({file_action_renamed_new_name, u"e"})
           .add({file_action_renamed_old_name, u"g"})
           .add({file_action_renamed_new_name, u"h"}));
  EXPECT_EQ(told(), (lines{"renamed d -> e", "renamed g -> h"}));
  EXPECT_EQ(known(), (lines{"directory e", "file e/f", "file h"}));
}

TEST_F(windows_backend_test, what_is_gone_when_it_is_looked_up_never_was) {
  disk->has_longer_records = false;
  form = layout::plain;
  open();
  tell(records().add({file_action_added, u"f"}).add({file_action_modified, u"f"}).add({file_action_removed, u"f"}));
  EXPECT_EQ(told(), lines{});
}

TEST_F(windows_backend_test, a_file_system_that_knows_no_longer_records) {
  disk->error_of_longer_requests = error_invalid_parameter;
  form = layout::plain;
  open();
  EXPECT_FALSE(disk->last_was_longer());
  disk->make("C:/root/f");
  tell(records().add({file_action_added, u"f"}));
  EXPECT_EQ(told(), lines{"created f"});
}

TEST_F(windows_backend_test, a_rename_in_two_answers) {
  disk->make("C:/root/f");
  open();
  disk->put("C:/root/g", disk->take("C:/root/f"));
  disk->kept.push_back(records().add({file_action_renamed_new_name, u"g", 0x20, 50}).bytes);
  tell(records().add({file_action_renamed_old_name, u"f", 0x20, 50}));
  EXPECT_EQ(told(), lines{"renamed f -> g"});
}

TEST_F(windows_backend_test, a_barrier_reads_all_that_the_kernel_kept) {
  open();
  lines expected;
  for (char name = 'b'; name < 'z'; ++name) {
    disk->make(std::string("C:/root/") + name);
    disk->kept.push_back(records().add({file_action_added, {static_cast<char16_t>(name)}, 0x20, 50}).bytes);
    expected.push_back(std::string("created ") + name);
  }
  disk->make("C:/root/a");
  expected.insert(expected.begin(), "created a");
  tell(records().add({file_action_added, u"a", 0x20, 50}));
  EXPECT_EQ(told(), expected);
}

TEST_F(windows_backend_test, a_move_to_another_directory_is_one) {
  disk->make("C:/root/a", true);
  disk->make("C:/root/b", true);
  const std::uint64_t id = disk->make("C:/root/a/f")->file_id;
  open();
  disk->put("C:/root/b/g", disk->take("C:/root/a/f"));
  tell(records().add({file_action_removed, u"a\\f", 0x20, id}).add({file_action_added, u"b\\g", 0x20, id}));
  EXPECT_EQ(told(), lines{"renamed a/f -> b/g"});
}

TEST_F(windows_backend_test, no_bytes_are_an_overflow) {
  open();
  disk->make("C:/root/f");
  disk->tell(root, "");
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_EQ(notices, lines{"overflow"});
  EXPECT_EQ(disk->waiting_at(root), 1u);
}

TEST_F(windows_backend_test, so_is_the_status_that_says_it) {
  open();
  disk->make("C:/root/f");
  disk->tell(root, "", status_notify_enum_dir);
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_EQ(notices, lines{"overflow"});
}

TEST_F(windows_backend_test, a_root_that_is_being_deleted_is_let_go_at_once) {
  disk->make("C:/root/f");
  open();
  root->deleted = true;
  disk->tell(root, "", status_delete_pending);
  EXPECT_EQ(told(), lines{"removed f"});
  EXPECT_EQ(notices, lines{"root_lost"});
  EXPECT_EQ(disk->handles_of(root), 0u);

  disk->take("C:/root");  // with the last handle the name goes
  root = disk->make("C:/root", true);
  disk->make("C:/root/g");
  disk->tell(above, windows_buffer(form).add({file_action_added, u"ROOT", 0x10, 60}).bytes);
  EXPECT_EQ(told(), lines{"created g"});
  EXPECT_EQ(notices, lines{"root_restored"});
}

TEST_F(windows_backend_test, a_root_that_was_renamed_is_lost) {
  disk->make("C:/root/f");
  open();
  disk->put("C:/other", disk->take("C:/root"));
  disk->tell(above, windows_buffer(form)
                        .add({file_action_renamed_old_name, u"root", 0x10, 60})
                        .add({file_action_renamed_new_name, u"other", 0x10, 60})
                        .bytes);
  EXPECT_EQ(told(), lines{"removed f"});
  EXPECT_EQ(notices, lines{"root_lost"});
}

TEST_F(windows_backend_test, what_else_happens_above_a_root_is_nothing) {
  open();
  const std::uint64_t rescans = watcher->stats().rescans;
  disk->tell(above, windows_buffer(form).add({file_action_added, u"other", 0x20, 60}).bytes);
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(watcher->stats().rescans, rescans);
}

TEST_F(windows_backend_test, an_overflow_above_a_root_is_a_look_at_the_root_alone) {
  open();
  disk->tell(above, "");
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{});
  EXPECT_EQ(watcher->stats().overflows, 0u);
  disk->take("C:/root");
  disk->tell(above, "");
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{"root_lost"});
}

TEST_F(windows_backend_test, a_watch_that_dies_is_taken_again) {
  disk->make("C:/root/d", true);
  open();
  disk->make("C:/root/d/f");
  disk->tell(root, "", 0xC000020C);  // STATUS_CONNECTION_DISCONNECTED
  EXPECT_EQ(told(), lines{"created d/f"});
  EXPECT_EQ(disk->waiting_at(root), 1u);
  EXPECT_EQ(watcher->stats().polled_directories, 0u);
}

TEST_F(windows_backend_test, a_watch_that_dies_and_cannot_be_taken_again_leaves_all_below_to_polling) {
  disk->make("C:/root/d", true);
  open();
  disk->error_of_requests = 1;
  disk->tell(root, "", 0xC000020C);  // STATUS_CONNECTION_DISCONNECTED
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{"polling"});
  EXPECT_EQ(watcher->stats().polled_directories, 2u);
  disk->make("C:/root/d/f");
  EXPECT_EQ(told(), lines{"created d/f"});
}

TEST_F(windows_backend_test, a_file_system_that_tells_nothing_is_polled) {
  disk->error_of_requests = 1;  // ERROR_INVALID_FUNCTION
  open();
  disk->make("C:/root/f");
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
}

TEST_F(windows_backend_test, so_is_a_share_of_another_machine_with_all_that_is_below) {
  disk->drive_type = 4;
  disk->make("C:/root/d", true);
  open();
  EXPECT_EQ(disk->waiting_at(root), 0u);
  disk->make("C:/root/d/f");
  EXPECT_EQ(told(), lines{"created d/f"});
  EXPECT_EQ(notices, lines{"polling"});
  EXPECT_EQ(watcher->stats().polled_directories, 2u);
}

TEST_F(windows_backend_test, the_notice_of_a_share_says_what_is_wrong_with_it) {
  disk->drive_type = 4;
  open();
  const batch& b = watcher->flush();
  ASSERT_EQ(b.notices().size(), 1u);
  EXPECT_EQ(b.notices()[0].kind, notice_kind::polling);
  EXPECT_EQ(b.notices()[0].error, std::errc::operation_not_supported);
  EXPECT_EQ(b.notices()[0].advice, "a share of another machine, which may not tell of others' changes");
}

TEST_F(windows_backend_test, a_share_is_known_by_its_path_whatever_the_drive_says) {
  disk->share = u"\\\\?\\UNC\\server\\share";
  open();
  EXPECT_EQ(disk->waiting_at(root), 0u);
  const batch& b = watcher->flush();
  ASSERT_EQ(b.notices().size(), 1u);
  EXPECT_EQ(b.notices()[0].error, std::errc::operation_not_supported);
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
  disk->make("C:/root/f");
  EXPECT_EQ(told(), lines{"created f"});
}

TEST_F(windows_backend_test, buffers_outlive_what_is_cancelled) {
  open();
  watcher->remove(std::string_view("C:/root"));
  EXPECT_EQ(disk->waiting_at(root), 0u);
  open();
  watcher.reset();
  EXPECT_EQ(disk->handles(), 0u);
  EXPECT_TRUE(disk->is_port_empty());
}

TEST_F(windows_backend_test, so_they_do_when_the_cancelling_takes_its_time) {
  open();
  disk->cancels_at_once = false;
  watcher->remove(std::string_view("C:/root"));
  EXPECT_EQ(told(), lines{});
  disk->cancel_now();  // writes where it may
  EXPECT_EQ(told(), lines{});
  EXPECT_TRUE(disk->is_port_empty());
}

TEST_F(windows_backend_test, the_end_waits_for_what_is_cancelled) {
  open();
  disk->cancels_at_once = false;
  int waits = 0;
  disk->before_wait = [&] {
    ++waits;
    disk->cancel_now();  // writes where it may
  };
  watcher.reset();
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(disk->handles(), 0u);
  EXPECT_TRUE(disk->is_port_empty());
}

TEST_F(windows_backend_test, what_does_not_come_back_within_a_second_keeps_its_memory) {
  open();
  disk->cancels_at_once = false;
  int waits = 0;
  disk->before_wait = [&] { ++waits; };
  watcher.reset();
  EXPECT_EQ(waits, 1);
  EXPECT_EQ(disk->longest_wait, -10'000'000);
  EXPECT_EQ(disk->handles(), 0u);
  disk->cancel_now();
  // Of the root and of the directory above it. Known for ever, so that nobody takes what was given up for a leak.
  static auto& given_up = *new std::vector<overlapped*>;
  const std::size_t before = given_up.size();
  while (!disk->is_port_empty()) given_up.push_back(disk->take_from_port().request);
  ASSERT_EQ(given_up.size(), before + 2);
  EXPECT_EQ(given_up.back()->internal, 0xC0000120u);  // STATUS_CANCELLED
}

TEST_F(windows_backend_test, a_short_name_is_asked_for_its_long_one) {
  disk->make("C:/root/long name.text");
  disk->long_names[u"C:\\root\\LONGNA~1.TEX"] = u"\\\\?\\C:\\root\\long name.text";
  open();
  disk->write("C:/root/long name.text");
  tell(records().add({file_action_modified, u"LONGNA~1.TEX", 0x20, 50}));
  EXPECT_EQ(told(), lines{"modified long name.text"});
}

TEST_F(windows_backend_test, another_spelling_is_the_same_file) {
  disk->make("C:/root/ReadMe");
  open();
  disk->take("C:/root/ReadMe");
  tell(records().add({file_action_removed, u"README", 0x20, 50}));
  EXPECT_EQ(told(), lines{"removed ReadMe"});
}

TEST_F(windows_backend_test, a_rename_that_changes_the_case_alone_is_one) {
  disk->make("C:/root/readme");
  open();
  disk->put("C:/root/ReadMe", disk->take("C:/root/readme"));
  tell(records()
           .add({file_action_renamed_old_name, u"README", 0x20, 50})
           .add({file_action_renamed_new_name, u"ReadMe", 0x20, 50}));
  EXPECT_EQ(told(), lines{"renamed readme -> ReadMe"});
}

TEST_F(windows_backend_test, where_files_have_no_numbers_names_are_listed_all_the_same) {
  disk->numbers_files = false;
  disk->make("C:/root/d", true);
  disk->make("C:/root/d/f");
  open();
  EXPECT_EQ(watcher->stats().files, 1u);
  disk->take("C:/root/d/f");
  disk->make("C:/root/d/g");
  disk->tell(root, "");
  EXPECT_EQ(told(), (lines{"removed d/f", "created d/g"}));
}

TEST_F(windows_backend_test, attributes_have_a_handle_of_their_own) {
  disk->make("C:/root/f");
  disk->make("C:/root/d", true);
  open({.metadata = true});
  EXPECT_EQ(disk->waiting_at(root), 2u);
  disk->tell(root,
             records()
                 .add({file_action_modified, u"f", 0x21, 50})
                 .add({file_action_modified, u"d", file_attribute_directory, 51})
                 .bytes,
             status_success, notify_attributes);
  EXPECT_EQ(told(), (lines{"metadata f", "metadata d"}));
  disk->write("C:/root/f");
  disk->tell(root, records().add({file_action_modified, u"f", 0x21, 50}).bytes, status_success, notify_attributes);
  tell(records().add({file_action_modified, u"f", 0x21, 50}));
  EXPECT_EQ(told(), lines{"modified f"});
  watcher->remove(std::string_view("C:/root"));
  EXPECT_EQ(disk->waiting_at(root), 0u);
}

TEST_F(windows_backend_test, the_death_of_either_handle_is_that_of_the_watch) {
  for (const std::uint32_t kind : {notify_names, notify_attributes}) {
    open({.metadata = true});
    disk->tell(root, "", 0xC000020C, kind);  // STATUS_CONNECTION_DISCONNECTED
    EXPECT_EQ(told(), lines{});
    EXPECT_EQ(disk->waiting_at(root), 2u);
    EXPECT_EQ(watcher->stats().polled_directories, 0u);
  }
}

TEST_F(windows_backend_test, each_root_hears_of_attributes_itself) {
  disk->make("C:/root/f");
  open({.metadata = true});
  watcher->add(std::string_view("C:/root/f"));
  EXPECT_EQ(disk->waiting_at(root), 5u);  // the guard of the file too
  watcher->remove(std::string_view("C:/root"));
  EXPECT_EQ(disk->waiting_at(root), 3u);
  disk->tell(root, records().add({file_action_modified, u"f", 0x21, 50}).bytes, status_success, notify_attributes);
  EXPECT_EQ(told(), lines{"metadata f"});
}

TEST_F(windows_backend_test, attributes_that_are_not_asked_for_are_not_heard) {
  open();
  EXPECT_EQ(disk->waiting_at(root), 1u);
}

TEST_F(windows_backend_test, junctions_are_not_entered) {
  for (const auto& [path, tag] : {std::pair("C:/root/j", 0xA0000003u), std::pair("C:/root/wine", 0u)}) {
    const auto junction = disk->make(path, true);
    junction->attributes |= file_attribute_reparse_point;
    junction->reparse_tag = tag;
    disk->make(std::string(path) + "/f");
  }
  open();
  EXPECT_EQ(known(), (lines{"symlink j", "symlink wine"}));
}

TEST_F(windows_backend_test, nor_if_they_come_between_the_listing_and_the_look) {
  const auto junction = disk->make("C:/root/j", true);
  junction->attributes |= file_attribute_reparse_point;
  junction->reparse_tag = 0xA0000003;
  fake_windows_system system(disk);
  std::error_code ec;
  const auto opened = detail::windows::directory<fake_windows_system>::open(system, "C:/root", ec);
  EXPECT_FALSE(opened.open_child("j", ec));
  EXPECT_EQ(ec, std::errc::too_many_symbolic_link_levels);
}

// Such as a directory that is kept in a cloud: a reparse point that stands for nothing else.
TEST_F(windows_backend_test, what_a_file_system_of_its_own_keeps_is_entered) {
  const auto d = disk->make("C:/root/d", true);
  d->attributes |= file_attribute_reparse_point;
  d->reparse_tag = 0x9000001A;
  disk->make("C:/root/d/f");
  open();
  EXPECT_EQ(known(), (lines{"directory d", "file d/f"}));
}

TEST_F(windows_backend_test, the_handle_is_raised_at_the_deadline_and_by_stop) {
  using namespace std::chrono_literals;
  open({.debounce = {.quiet = 1h, .max_wait = 2h, .settle = false}});
  (void)watcher->native_handle();
  EXPECT_EQ(disk->due, 0);
  disk->make("C:/root/f");
  tell(records().add({file_action_added, u"f", 0x20, 50}));
  EXPECT_TRUE(watcher->poll().empty());
  EXPECT_LT(disk->due, 0);
  EXPECT_GE(disk->due, -36'000'000'000);  // an hour
  disk->is_raised = false;
  watcher->stop();
  EXPECT_TRUE(disk->is_raised);
  EXPECT_TRUE(watcher->wait().empty());
}

TEST_F(windows_backend_test, a_system_that_gives_no_handle_is_an_error) {
  for (const std::string_view call : {"CreateEventW", "CreateWaitableTimerExW", "CreateIoCompletionPort"}) {
    disk->fails = call;
    try {
      fake_watcher fails({}, fake_windows_system(disk));
      ADD_FAILURE() << call;
    } catch (const std::system_error& e) {
      EXPECT_NE(std::string_view(e.what()).find(call), std::string_view::npos) << e.what();
    }
  }
  disk->fails = "CreateThreadpoolTimer";
  open();
  EXPECT_THROW((void)watcher->native_handle(), std::system_error);
}

TEST_F(windows_backend_test, a_directory_that_no_port_takes_is_polled) {
  disk->fails = "CreateIoCompletionPort of a file";
  open();
  disk->make("C:/root/f");
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
}

TEST_F(windows_backend_test, a_way_that_is_gone_is_guarded_where_it_ends) {
  const auto a = disk->make("C:/a", true);
  const auto way_root = disk->make("C:/a/root", true);
  watcher = std::make_unique<fake_watcher>(options{}, fake_windows_system(disk));
  watcher->add(std::string_view("C:/a/root"));
  way_root->deleted = true;
  disk->tell(way_root, "", status_delete_pending);
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{"root_lost"});
  disk->take("C:/a/root");
  a->deleted = true;
  disk->tell(a, "", status_delete_pending);
  disk->take("C:/a");
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(disk->waiting_at(above), 1u);

  disk->make("C:/a", true);
  disk->make("C:/a/root", true);
  disk->make("C:/a/root/f");
  disk->tell(above, records().add({file_action_added, u"a", file_attribute_directory, 60}).bytes);
  EXPECT_EQ(told(), lines{"created f"});
  EXPECT_EQ(notices, lines{"root_restored"});
}

TEST_F(windows_backend_test, a_short_name_that_nobody_knows_is_a_name) {
  disk->make("C:/root/LONGNA~1.TEX");
  open();
  disk->write("C:/root/LONGNA~1.TEX");
  tell(records().add({file_action_modified, u"LONGNA~1.TEX", 0x20, 50}));
  EXPECT_EQ(told(), lines{"modified LONGNA~1.TEX"});
}

TEST_F(windows_backend_test, what_happens_below_an_excluded_directory_costs_no_look) {
  disk->make("C:/root/build", true);
  open({.exclude = {"build/"}});
  const std::uint64_t rescans = watcher->stats().rescans;
  disk->make("C:/root/build/f");
  tell(records().add({file_action_added, u"build\\f", 0x20, 50}));
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(watcher->stats().rescans, rescans);
}

TEST(windows_way, goes_on_by_what_comes_before_its_guard_stands) {
  const auto disk = std::make_shared<fake_windows>();
  fake_windows_system system(disk);
  lines names;
  const guard_answer answer = guard_way(system, "C:/a/b/c", [&](const std::string& above, std::string_view name) {
    names.push_back(above + ' ' + std::string(name));
    if (name != "c") disk->make(above + '/' + std::string(name), true);
    return std::error_code();
  });
  EXPECT_EQ(names, (lines{"C: a", "C:/a b", "C:/a/b c"}));
  EXPECT_FALSE(answer.polled);
}

TEST(short_names, have_a_tilde_and_a_digit) {
  EXPECT_TRUE(may_have_short_name("PROGRA~1"));
  EXPECT_TRUE(may_have_short_name("a/LONGNA~1.TEX/b"));
  EXPECT_FALSE(may_have_short_name("file.txt~"));
  EXPECT_TRUE(may_have_short_name("~a/b~c/PROGRA~1")) << "the third tilde";
  EXPECT_FALSE(may_have_short_name("~1/a~b"));
  EXPECT_FALSE(may_have_short_name("save~.tmp"));
  EXPECT_FALSE(may_have_short_name("LONGNAM~1.TEX")) << "thirteen characters";
  EXPECT_FALSE(may_have_short_name("a name that is too long~1"));
}

class windows_links_test : public windows_backend_test {
 protected:
  void follow() {
    if (!out) out = disk->make("C:/out", true);
    target = disk->make("C:/out/v1", true);
    disk->make("C:/out/v1/f");
    disk->link("C:/root/link", "C:/out/v1");
    open({.follow_symlinks = true});
  }

  fake_windows::entry_ptr out, target;
};

TEST_F(windows_links_test, are_themselves_unless_they_are_to_be_followed) {
  disk->make("C:/out", true);
  disk->make("C:/out/f");
  disk->link("C:/root/link", "C:/out");
  open();
  EXPECT_EQ(known(), lines{"symlink link"});
}

TEST_F(windows_links_test, show_the_directory_they_lead_to) {
  follow();
  EXPECT_EQ(known(), (lines{"directory link", "file link/f"}));
  disk->make("C:/out/v1/g");
  disk->tell(target, records().add({file_action_added, u"g", 0x20, 50}).bytes);
  EXPECT_EQ(told(), lines{"created link/g"});
}

TEST_F(windows_links_test, that_come_later_are_followed_too) {
  follow();
  disk->make("C:/out/v2", true);
  disk->make("C:/out/v2/h");
  disk->link("C:/root/second", "C:/out/v2");
  tell(records().add({file_action_added, u"second", 0x410, 50}));
  EXPECT_EQ(told(), (lines{"created second", "created second/h"}));
}

TEST_F(windows_links_test, that_lead_elsewhere_show_that) {
  follow();
  disk->make("C:/out/v2", true);
  disk->make("C:/out/v2/g");
  disk->take("C:/root/link");
  disk->link("C:/root/link", "C:/out/v2");
  tell(records().add({file_action_removed, u"link", 0x410, 50}).add({file_action_added, u"link", 0x410, 51}));
  EXPECT_EQ(told(), (lines{"removed link/f", "created link/g"}));
  EXPECT_EQ(disk->waiting_at(target), 0u);
}

TEST_F(windows_links_test, that_are_removed_take_all_along) {
  follow();
  disk->take("C:/root/link");
  tell(records().add({file_action_removed, u"link", 0x410, 50}));
  EXPECT_EQ(told(), (lines{"removed link/f", "removed link"}));
  EXPECT_EQ(disk->waiting_at(target), 0u);
}

TEST_F(windows_links_test, to_one_directory_both_show_it) {
  follow();
  disk->link("C:/root/second", "C:/out/v1");
  tell(records().add({file_action_added, u"second", 0x410, 50}));
  EXPECT_EQ(told(), (lines{"created second", "created second/f"}));
  EXPECT_EQ(disk->waiting_at(target), 1u);
  disk->make("C:/out/v1/g");
  disk->tell(target, records().add({file_action_added, u"g", 0x20, 51}).bytes);
  EXPECT_EQ(told(), (lines{"created link/g", "created second/g"}));
  disk->take("C:/root/link");
  tell(records().add({file_action_removed, u"link", 0x410, 50}));
  EXPECT_EQ(told(), (lines{"removed link/g", "removed link/f", "removed link"}));
  EXPECT_EQ(disk->waiting_at(target), 1u) << "the other still shows it";
}

TEST_F(windows_links_test, into_the_root_show_a_directory_twice) {
  const auto d = disk->make("C:/root/d", true);
  disk->make("C:/root/d/e", true);
  disk->link("C:/root/link", "d");
  open({.follow_symlinks = true});
  EXPECT_EQ(known(), (lines{"directory d", "directory d/e", "directory link", "directory link/e"}));
  disk->make("C:/root/d/e/f");
  tell(records().add({file_action_added, u"d\\e\\f", 0x20, 50}));
  disk->tell(d, records().add({file_action_added, u"e\\f", 0x20, 50}).bytes);
  EXPECT_EQ(told(), (lines{"created d/e/f", "created link/e/f"}));
}

TEST_F(windows_links_test, that_lead_back_are_themselves) {
  disk->make("C:/root/d", true);
  disk->link("C:/root/d/up", "..");
  disk->link("C:/root/d/here", "C:/root/d", fake_windows::junction);
  open({.follow_symlinks = true});
  EXPECT_EQ(known(), (lines{"directory d", "symlink d/here", "symlink d/up"}));
}

TEST_F(windows_links_test, that_lead_to_each_other_are_themselves_until_one_leads_on) {
  disk->make("C:/out", true);
  disk->make("C:/out/f");
  disk->link("C:/root/a", "b");
  disk->link("C:/root/b", "a");
  open({.follow_symlinks = true});
  EXPECT_EQ(known(), (lines{"symlink a", "symlink b"}));
  disk->take("C:/root/b");
  disk->link("C:/root/b", "C:/out");
  tell_name(root, u"b", file_action_removed);
  tell_name(root, u"b");
  EXPECT_EQ(told(), (lines{"removed b", "removed a", "created b", "created a", "created b/f", "created a/f"}));
}

TEST_F(windows_links_test, that_lead_nowhere_are_themselves_until_they_lead_on) {
  out = disk->make("C:/out", true);
  disk->link("C:/root/link", "C:/out/later/on");
  open({.follow_symlinks = true});
  EXPECT_EQ(known(), lines{"symlink link"});
  disk->make("C:/out/later", true);
  disk->make("C:/out/later/on", true);
  disk->make("C:/out/later/on/f");
  tell_name(out, u"later");
  EXPECT_EQ(told(), (lines{"removed link", "created link", "created link/f"}));
  EXPECT_EQ(watcher->stats().polled_directories, 0u);
}

TEST_F(windows_links_test, that_lead_on_before_the_guard_stands_are_found) {
  disk->make("C:/out", true);
  open({.follow_symlinks = true});
  disk->link("C:/root/link", "C:/out/later/on");
  tell_name(root, u"link");
  int guards = 0;
  // Of the link's name, of `later`, of `on`.
  std::function<void()> come = [&] {
    if (++guards < 3) disk->before_request = come;
    if (guards == 2) disk->make("C:/out/later", true);
    if (guards == 3) disk->make("C:/out/later/on", true);
  };
  disk->before_request = come;
  // (The first is made again before what it said is read.)
  guards = -1;
  EXPECT_EQ(told(), lines{"created link"});
  EXPECT_EQ(guards, 3);
  EXPECT_EQ(known(), lines{"directory link"});
}

TEST_F(windows_links_test, whose_target_is_replaced_show_the_new_one) {
  follow();
  disk->put("C:/out/old", disk->take("C:/out/v1"));
  disk->make("C:/out/v1", true);
  disk->make("C:/out/v1/g");
  tell_name(out, u"v1", file_action_renamed_old_name);
  EXPECT_EQ(told(), (lines{"removed link/f", "created link/g"}));
}

TEST_F(windows_links_test, whose_target_is_being_deleted_let_it_go_at_once) {
  follow();
  target->deleted = true;
  disk->tell(target, "", status_delete_pending);
  EXPECT_EQ(told(), (lines{"removed link/f", "removed link", "created link"}));
  EXPECT_EQ(disk->handles_of(target), 0u);
  disk->take("C:/out/v1");
  disk->make("C:/out/v1", true);
  disk->make("C:/out/v1/g");
  tell_name(out, u"V1");
  EXPECT_EQ(told(), (lines{"removed link", "created link", "created link/g"}));
}

TEST_F(windows_links_test, on_the_way_of_another_are_guarded) {
  out = disk->make("C:/out", true);
  for (const char* version : {"C:/out/v1", "C:/out/v2"}) disk->make(version, true);
  disk->make("C:/out/v1/d", true);
  disk->make("C:/out/v1/d/f");
  disk->make("C:/out/v2/d", true);
  disk->make("C:/out/v2/d/g");
  disk->link("C:/out/current", "v1", fake_windows::symlink);
  disk->link("C:/root/link", "C:/out/current/d", fake_windows::junction);
  open({.follow_symlinks = true});
  EXPECT_EQ(known(), (lines{"directory link", "file link/f"}));
  disk->take("C:/out/current");
  disk->link("C:/out/current", "../out/./v2");
  tell_name(out, u"current");
  EXPECT_EQ(told(), (lines{"removed link/f", "created link/g"}));
}

TEST_F(windows_links_test, on_the_way_to_a_root_are_guarded) {
  const auto real = disk->make("C:/real", true);
  disk->put("C:/real/root", disk->take("C:/root"));
  disk->make("C:/real/root/f");
  disk->make("C:/other", true);
  disk->make("C:/other/root", true);
  disk->make("C:/other/root/g");
  disk->link("C:/way", "C:/real");
  watcher = std::make_unique<fake_watcher>(options(), fake_windows_system(disk));
  watcher->add(std::string_view("C:/way/root"));
  disk->take("C:/way");
  disk->link("C:/way", "C:/other");
  tell_name(above, u"way");
  EXPECT_EQ(told(), (lines{"removed f", "created g"}));
}

TEST_F(windows_links_test, that_are_guarded_in_one_directory_share_a_handle) {
  follow();
  EXPECT_EQ(disk->handles_of(root), 2u) << "of the tree, and of what is guarded there";
  disk->link("C:/root/second", "C:/out/v1");
  tell(records().add({file_action_added, u"second", 0x410, 50}));
  EXPECT_EQ(told(), (lines{"created second", "created second/f"}));
  EXPECT_EQ(disk->handles_of(root), 2u);
  EXPECT_EQ(disk->handles_of(out), 1u);
  watcher->remove(std::string_view("C:/root"));
  for (const auto& d : {above, root, out, target}) EXPECT_EQ(disk->waiting_at(d), 0u);
}

TEST_F(windows_links_test, that_go_leave_the_handle_to_the_others) {
  out = disk->make("C:/out", true);
  disk->make("C:/out/v2", true);
  disk->link("C:/root/second", "C:/out/v2");
  follow();
  disk->take("C:/root/second");
  tell_name(root, u"second", file_action_removed);
  EXPECT_EQ(told(), lines{"removed second"});
  EXPECT_EQ(disk->waiting_at(out), 1u);
  disk->take("C:/out/v1");
  tell_name(out, u"v1", file_action_removed);
  EXPECT_EQ(told(), (lines{"removed link/f", "removed link", "created link"}));
}

TEST_F(windows_links_test, of_which_nobody_says_where_they_lead_are_looked_at) {
  disk->make("C:/out", true);
  disk->make("C:/out/v1", true);
  disk->make("C:/out/v1/f");
  disk->make("C:/out/v2", true);
  disk->make("C:/out/v2/g");
  const auto current = disk->link("C:/out/current", "C:/out/v1");
  current->is_readable = false;
  disk->link("C:/root/link", "C:/out/current");
  open({.follow_symlinks = true});
  EXPECT_EQ(known(), (lines{"directory link", "file link/f"}));
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{"polling"});
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
  current->target = "C:/out/v2";
  EXPECT_EQ(told(), (lines{"removed link/f", "created link/g"}));
  current->is_readable = true;
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(watcher->stats().polled_directories, 0u);
}

TEST_F(windows_links_test, to_a_share_of_another_machine_are_polled) {
  open({.follow_symlinks = true});
  disk->make("C:/out", true);
  disk->make("C:/out/f");
  disk->link("C:/root/link", "C:/out");
  disk->drive_type = 4;
  tell(records().add({file_action_added, u"link", 0x410, 50}));
  EXPECT_EQ(told(), (lines{"created link", "created link/f"}));
  EXPECT_EQ(watcher->stats().polled_directories, 1u);
  disk->make("C:/out/g");
  EXPECT_EQ(told(), lines{"created link/g"});
}

TEST_F(windows_links_test, have_their_short_names_asked_for_where_they_lead) {
  follow();
  disk->make("C:/out/v1/long name.text");
  disk->long_names[u"C:\\out\\v1\\LONGNA~1.TEX"] = u"\\\\?\\C:\\out\\v1\\long name.text";
  disk->tell(target, records().add({file_action_added, u"LONGNA~1.TEX", 0x20, 50}).bytes);
  EXPECT_EQ(told(), lines{"created link/long name.text"});
}

TEST_F(windows_backend_test, a_directory_that_may_not_be_listed_is_looked_at) {
  const auto d = disk->make("C:/root/d", true);
  disk->make("C:/root/d/f");
  d->forbidden = true;
  open();
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{"unreadable"});
  d->forbidden = false;
  EXPECT_EQ(told(), lines{"created d/f"});
}

TEST_F(windows_backend_test, a_root_that_cannot_be_guarded_is_looked_at) {
  disk->make("C:/root/f");
  disk->now += 10'000'000;
  above->forbidden = true;
  open();
  EXPECT_EQ(told(), lines{});
  EXPECT_EQ(notices, lines{"polling"});
  disk->put("C:/other", disk->take("C:/root"));
  EXPECT_EQ(told(), lines{"removed f"});
  EXPECT_EQ(notices, lines{"root_lost"});
}

}  // namespace
}  // namespace hotwatch::test
