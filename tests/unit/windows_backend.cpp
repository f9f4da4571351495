// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The Windows backend over a disk in memory: what requests end with, and when.
#include "hotwatch/backends/windows.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
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
  const auto junction = disk->make("C:/root/j", true);
  junction->attributes |= file_attribute_reparse_point;
  junction->reparse_tag = 0xA0000003;
  disk->make("C:/root/j/f");
  open();
  lines all;
  watcher->for_each([&](std::string_view path, entry_type type) {
    all.push_back(std::string(path) + ' ' + std::string(to_string(type)));
  });
  EXPECT_EQ(all, lines{"C:/root/j symlink"});
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

TEST(short_names, have_a_tilde_and_a_digit) {
  EXPECT_TRUE(may_have_short_name("PROGRA~1"));
  EXPECT_TRUE(may_have_short_name("a/LONGNA~1.TEX/b"));
  EXPECT_FALSE(may_have_short_name("file.txt~"));
  EXPECT_FALSE(may_have_short_name("~1/a~b"));
  EXPECT_FALSE(may_have_short_name("a name that is too long~1"));
}

}  // namespace
}  // namespace hotwatch::test
