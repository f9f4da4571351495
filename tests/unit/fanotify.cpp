// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/decode/fanotify.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/fanotify_records.hpp"
#include "support/kept_hint.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;
using namespace hotwatch::detail::fanotify;

/// Directories "ours" and "other" of file system 7 are watched, by 3 and 4.
decoded decode_all(std::string_view bytes) {
  decoded d;
  // A copy of the very size, so that a sanitizer sees each byte too far.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  std::uint32_t pair = 0;
  const auto watch_of = [](const directory_handle& h) {
    if (h.file_system != 7 || h.type != 1) return no_watch;
    return h.bytes == "ours" ? 3 : h.bytes == "other" ? 4 : no_watch;
  };
  d.taken = decode(exact, pair, watch_of, [&](const hint& h) { d.all.push_back(kept_hint::of(h)); });
  return d;
}
hints hints_at(std::uint64_t mask, std::string_view directory = "ours", std::string_view name = "f") {
  return decode_all(fanotify_event_at(mask, directory, name)).all;
}

constexpr auto unknown = entry_type::unknown;
constexpr auto directory = entry_type::directory;

TEST(fanotify, each_event_of_a_name) {
  EXPECT_EQ(hints_at(fan_create), (hints{{hint_kind::appeared, 3, "f"}}));
  EXPECT_EQ(hints_at(fan_create | fan_ondir), (hints{{hint_kind::appeared, 3, "f", directory}}));
  EXPECT_EQ(hints_at(fan_delete), (hints{{hint_kind::vanished, 3, "f"}}));
  EXPECT_EQ(hints_at(fan_delete | fan_ondir), (hints{{hint_kind::vanished, 3, "f", directory}}));
  EXPECT_EQ(hints_at(fan_modify), (hints{{hint_kind::written, 3, "f"}}));
  EXPECT_EQ(hints_at(fan_close_write), (hints{{hint_kind::completed, 3, "f"}}));
  EXPECT_EQ(hints_at(fan_attrib), (hints{{hint_kind::attributes, 3, "f"}}));
  EXPECT_EQ(hints_at(0), hints{});
  for (const std::uint64_t mask : {fan_modify, fan_close_write})
    EXPECT_EQ(hints_at(mask | fan_ondir), hints{}) << "a directory is never written";
}

TEST(fanotify, a_directory_tells_its_own_attributes_by_a_dot) {
  EXPECT_EQ(hints_at(fan_attrib | fan_ondir, "ours", "."), (hints{{hint_kind::own_attributes, 3, "", directory}}));
  EXPECT_EQ(hints_at(fan_modify | fan_ondir, "ours", "."), hints{});
}

TEST(fanotify, a_rename_is_both_halves_at_once) {
  EXPECT_EQ(decode_all(fanotify_rename("ours", "a", "other", "b")).all,
            (hints{{hint_kind::moved_from, 3, "a", unknown, 1, true}, {hint_kind::moved_to, 4, "b", unknown, 1}}));
  const decoded two = decode_all(fanotify_rename("ours", "a", "ours", "b", fan_ondir) +
                                 fanotify_rename("ours", "c", "ours", "d", fan_ondir));
  ASSERT_EQ(two.all.size(), 4u);
  EXPECT_EQ(two.all[1], (kept_hint{hint_kind::moved_to, 3, "b", directory, 1}));
  EXPECT_EQ(two.all[2], (kept_hint{hint_kind::moved_from, 3, "c", directory, 2}));
}

TEST(fanotify, a_rename_out_of_sight_is_half_a_rename) {
  EXPECT_EQ(decode_all(fanotify_rename("ours", "a", "elsewhere", "b")).all,
            (hints{{hint_kind::moved_from, 3, "a", unknown, 1, true}}));
  EXPECT_EQ(decode_all(fanotify_rename("elsewhere", "a", "ours", "b")).all,
            (hints{{hint_kind::moved_to, 3, "b", unknown, 1}}));
  EXPECT_EQ(decode_all(fanotify_rename("elsewhere", "a", "elsewhere", "b")).all, hints{});
}

TEST(fanotify, what_is_none_of_ours_gives_no_hint) {
  EXPECT_EQ(hints_at(fan_create, "elsewhere"), hints{});
  EXPECT_EQ(decode_all(fanotify_event(fan_create, fanotify_info(info_dfid_name, "ours", "f", 8))).all, hints{})
      << "on another file system";
  EXPECT_EQ(decode_all(fanotify_event(fan_create, fanotify_info(info_dfid_name, "ours", "f", 7, 2))).all, hints{})
      << "a handle of another type";
}

// Of an object that lost its last name only the object is reported.
TEST(fanotify, without_a_name_there_is_no_hint) {
  EXPECT_EQ(decode_all(fanotify_event(fan_attrib, fanotify_info(info_fid, "ours"))).all, hints{});
  EXPECT_EQ(decode_all(fanotify_event(fan_create)).all, hints{});
  EXPECT_EQ(decode_all(fanotify_event(fan_rename)).all, hints{});
}

TEST(fanotify, merged_events_come_in_the_order_of_a_files_life) {
  EXPECT_EQ(hints_at(fan_create | fan_modify | fan_close_write | fan_attrib),
            (hints{{hint_kind::appeared, 3, "f", unknown, 0, true},
                   {hint_kind::written, 3, "f", unknown, 0, true},
                   {hint_kind::attributes, 3, "f", unknown, 0, true},
                   {hint_kind::completed, 3, "f", unknown, 0, true}}));
  EXPECT_EQ(hints_at(fan_modify | fan_delete),
            (hints{{hint_kind::written, 3, "f", unknown, 0, true}, {hint_kind::vanished, 3, "f", unknown, 0, true}}));
}

// A temporary file, or a name that was removed and linked again: the bits do not say which.
TEST(fanotify, made_and_removed_is_an_open_question_of_a_file) {
  EXPECT_EQ(hints_at(fan_create | fan_delete), (hints{{hint_kind::came_or_went, 3, "f", unknown, 0, true}}));
  EXPECT_EQ(
      hints_at(fan_create | fan_delete | fan_modify),
      (hints{{hint_kind::written, 3, "f", unknown, 0, true}, {hint_kind::came_or_went, 3, "f", unknown, 0, true}}));
  EXPECT_EQ(hints_at(fan_create | fan_delete | fan_ondir), (hints{{hint_kind::vanished, 3, "f", directory, 0, true}}))
      << "a directory that was removed has no other name";
}

TEST(fanotify, the_order_of_the_infos_means_nothing) {
  const std::string at = fanotify_info(info_dfid_name, "ours", "f"), what = fanotify_info(info_fid, "object"),
                    other = fanotify_info(5, "an error record, say");
  for (const std::string& infos : {at + what, what + at, other + at + what, what + other + at})
    EXPECT_EQ(decode_all(fanotify_event(fan_create, infos)).all, (hints{{hint_kind::appeared, 3, "f"}}));
}

TEST(fanotify, overflow_at_each_position) {
  for (std::size_t at = 0; at <= 5; ++at) {
    std::string bytes;
    for (std::size_t i = 0; i <= 5; ++i)
      bytes +=
          i == at ? fanotify_event(fan_q_overflow) : fanotify_event_at(fan_create, "ours", std::string(i * 7 + 1, 'x'));
    const decoded d = decode_all(bytes);
    EXPECT_EQ(d.taken, bytes.size());
    ASSERT_EQ(d.all.size(), 6u);
    EXPECT_EQ(d.all[at], (kept_hint{hint_kind::overflow}));
  }
}

TEST(fanotify, names_of_every_length_and_any_byte) {
  for (std::size_t length = 1; length <= 255; ++length) {
    std::string name(length, '\xff');
    name[length / 2] = '\n';
    const hints all = hints_at(fan_create, "ours", name);
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].name, name);
  }
}

TEST(fanotify, the_longest_event_is_as_long_as_is_said) {
  const std::string handle(longest_handle, 'h'), name(longest_name - 1, 'n');
  EXPECT_EQ(
      fanotify_event(fan_rename, fanotify_info(info_old_dfid_name, handle, name) +
                                     fanotify_info(info_new_dfid_name, handle, name) + fanotify_info(info_fid, handle))
          .size(),
      longest_event);
}

TEST(fanotify, a_cut_event_is_left_for_the_next_read) {
  const std::string one = fanotify_event_at(fan_create, "ours", "first");
  const std::string whole = one + fanotify_rename("ours", "a", "other", "b");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const decoded d = decode_all(whole.substr(0, cut));
    EXPECT_EQ(d.taken, cut < one.size() ? 0 : cut < whole.size() ? one.size() : whole.size());
    EXPECT_EQ(d.all.size() + decode_all(whole.substr(d.taken)).all.size(), 3u);
  }
}

// Where the next event begins nobody knows: all is looked at.
TEST(fanotify, an_unknown_layout_is_an_overflow) {
  const std::string good = fanotify_event_at(fan_create, "ours", "f");
  const auto with = [&](std::size_t at, auto value) {
    std::string bytes = good;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return bytes + good;
  };
  for (const std::string& bytes :
       {fanotify_event(fan_create, {}, 4) + good, with(0, std::uint32_t{0}), with(0, std::uint32_t{23}),
        with(0, std::uint32_t{longest_event + 1}), with(6, std::uint16_t{23}), with(6, std::uint16_t{500})}) {
    const decoded d = decode_all(bytes);
    EXPECT_EQ(d.all, (hints{{hint_kind::overflow}}));
    EXPECT_EQ(d.taken, bytes.size());
  }
}

TEST(fanotify, a_longer_head_is_passed_over) {
  std::string bytes = fanotify_event(fan_create, std::string(8, 'x') + fanotify_info(info_dfid_name, "ours", "f"));
  const std::uint16_t length = sizeof(event_head) + 8;
  std::memcpy(bytes.data() + 6, &length, sizeof length);
  EXPECT_EQ(decode_all(bytes).all, (hints{{hint_kind::appeared, 3, "f"}}));
}

TEST(fanotify, lengths_beyond_the_event_are_not_believed) {
  const std::string info = fanotify_info(info_dfid_name, "ours", "f");
  const auto with = [&](std::size_t at, auto value) {
    std::string bytes = info;
    std::memcpy(bytes.data() + at, &value, sizeof value);
    return decode_all(fanotify_event(fan_create, bytes)).all;
  };
  EXPECT_EQ(with(2, std::uint16_t{0}), hints{}) << "no step forward";
  EXPECT_EQ(with(2, std::uint16_t{1000}), hints{});
  EXPECT_EQ(with(2, std::uint16_t{8}), hints{}) << "no room for a handle";
  EXPECT_EQ(with(12, std::uint32_t{100}), hints{}) << "as long as a handle may be, but there is not so much";
  EXPECT_EQ(with(12, std::uint32_t{1000}), hints{});
  EXPECT_EQ(with(12, std::uint32_t{0xffffffff}), hints{});
}

}  // namespace
}  // namespace hotwatch::test
