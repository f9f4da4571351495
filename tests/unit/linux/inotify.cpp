// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/decode/inotify.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/kept_hint.hpp"
#include "support/scripted_system.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;
using namespace hotwatch::detail::inotify;

decoded decode_all(std::string_view bytes) {
  decoded d;
  // A copy of the very size, so that a sanitizer sees each byte too far.
  const std::vector<char> exact(bytes.begin(), bytes.end());
  d.taken = decode(exact, [&](const hint& h) { d.all.push_back(kept_hint::of(h)); });
  return d;
}

constexpr auto unknown = entry_type::unknown;
constexpr auto directory = entry_type::directory;

TEST(inotify, the_constants_are_the_kernels) {
  constexpr struct {
    std::uint32_t ours, kernels;
  } both[] = {{in_modify, IN_MODIFY},
              {in_attrib, IN_ATTRIB},
              {in_close_write, IN_CLOSE_WRITE},
              {in_moved_from, IN_MOVED_FROM},
              {in_moved_to, IN_MOVED_TO},
              {in_create, IN_CREATE},
              {in_delete, IN_DELETE},
              {in_delete_self, IN_DELETE_SELF},
              {in_move_self, IN_MOVE_SELF},
              {in_unmount, IN_UNMOUNT},
              {in_q_overflow, IN_Q_OVERFLOW},
              {in_ignored, IN_IGNORED},
              {in_isdir, IN_ISDIR}};
  for (const auto& [ours, kernels] : both) EXPECT_EQ(ours, kernels);
  EXPECT_EQ(sizeof(record_head), sizeof(inotify_event));
}

TEST(inotify, each_record_of_a_name) {
  const auto one = [](std::uint32_t mask, std::uint32_t cookie = 0) {
    return decode_all(inotify_record(3, mask, "f", cookie)).all;
  };
  EXPECT_EQ(one(in_create), (hints{{hint_kind::appeared, 3, "f", unknown, 0}}));
  EXPECT_EQ(one(in_create | in_isdir), (hints{{hint_kind::appeared, 3, "f", directory, 0}}));
  EXPECT_EQ(one(in_delete), (hints{{hint_kind::vanished, 3, "f", unknown, 0}}));
  EXPECT_EQ(one(in_delete | in_isdir), (hints{{hint_kind::vanished, 3, "f", directory, 0}}));
  EXPECT_EQ(one(in_moved_from, 9), (hints{{hint_kind::moved_from, 3, "f", unknown, 9}}));
  EXPECT_EQ(one(in_moved_to | in_isdir, 9), (hints{{hint_kind::moved_to, 3, "f", directory, 9}}));
  EXPECT_EQ(one(in_modify), (hints{{hint_kind::written, 3, "f", unknown, 0}}));
  EXPECT_EQ(one(in_close_write), (hints{{hint_kind::completed, 3, "f", unknown, 0}}));
  EXPECT_EQ(one(in_attrib), (hints{{hint_kind::attributes, 3, "f", unknown, 0}}));
  EXPECT_EQ(one(in_attrib | in_isdir), (hints{{hint_kind::attributes, 3, "f", directory, 0}}));
  EXPECT_EQ(one(0), hints{});
  for (const std::uint32_t mask : {in_modify, in_close_write})
    EXPECT_EQ(one(mask | in_isdir), hints{}) << "a directory is never written";
}

TEST(inotify, overflow_belongs_to_no_directory) {
  EXPECT_EQ(decode_all(inotify_record(-1, in_q_overflow)).all,
            (hints{{hint_kind::overflow, no_watch, "", unknown, 0}}));
}

TEST(inotify, overflow_at_each_position) {
  for (std::size_t at = 0; at <= 5; ++at) {
    std::string bytes;
    for (std::size_t i = 0; i < 5; ++i) {
      if (i == at) bytes += inotify_record(-1, in_q_overflow);
      bytes += inotify_record(1, in_create, std::string(i * 7 + 1, 'x'));
    }
    if (at == 5) bytes += inotify_record(-1, in_q_overflow);
    const decoded d = decode_all(bytes);
    EXPECT_EQ(d.taken, bytes.size());
    ASSERT_EQ(d.all.size(), 6u);
    EXPECT_EQ(d.all[at].kind, hint_kind::overflow);
  }
}

TEST(inotify, records_without_a_name_are_about_the_directory_itself) {
  const auto one = [](std::uint32_t mask) { return decode_all(inotify_record(3, mask)).all; };
  EXPECT_EQ(one(in_delete_self), (hints{{hint_kind::gone, 3, "", unknown, 0}}));
  EXPECT_EQ(one(in_move_self), (hints{{hint_kind::gone, 3, "", unknown, 0}}));
  EXPECT_EQ(one(in_unmount), (hints{{hint_kind::gone, 3, "", unknown, 0}}));
  EXPECT_EQ(one(in_ignored), (hints{{hint_kind::unwatched, 3, "", unknown, 0}}));
  EXPECT_EQ(one(in_attrib | in_isdir), (hints{{hint_kind::attributes, 3, "", directory, 0}}));
  EXPECT_EQ(one(in_modify | in_isdir), hints{}) << "tar set the directory's times";
  EXPECT_EQ(one(in_modify), hints{});
}

TEST(inotify, a_record_without_a_name_does_not_take_the_next_ones_bytes) {
  const decoded d = decode_all(inotify_record(3, in_attrib | in_isdir) + inotify_record(4, in_create, "name"));
  ASSERT_EQ(d.all.size(), 2u);
  EXPECT_EQ(d.all[0].name, "");
  EXPECT_EQ(d.all[1].name, "name");
}

TEST(inotify, names_of_every_length_and_any_byte) {
  for (std::size_t length = 1; length <= 255; ++length) {
    std::string name(length, '\xff');
    name[length / 2] = '\n';
    const std::string bytes = inotify_record(1, in_create, name);
    EXPECT_LE(bytes.size(), longest_record);
    const decoded d = decode_all(bytes);
    ASSERT_EQ(d.all.size(), 1u);
    EXPECT_EQ(d.all[0].name, name);
  }
}

TEST(inotify, a_name_that_fills_its_field_without_a_nul) {
  std::string bytes = inotify_record(1, in_create, "123456789012345");
  bytes.back() = '6';
  EXPECT_EQ(decode_all(bytes).all.at(0).name, "1234567890123456");
}

TEST(inotify, a_cut_record_is_left_for_the_next_read) {
  const std::string whole = inotify_record(1, in_create, "first") + inotify_record(2, in_delete, "second");
  const std::size_t first = inotify_record(1, in_create, "first").size();
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    const decoded d = decode_all(whole.substr(0, cut));
    EXPECT_EQ(d.taken, cut < first ? 0 : cut < whole.size() ? first : whole.size());
    const decoded rest = decode_all(whole.substr(d.taken));
    EXPECT_EQ(d.all.size() + rest.all.size(), 2u);
  }
}

TEST(inotify, a_length_beyond_the_buffer_is_not_believed) {
  std::string bytes = inotify_record(1, in_create, "f");
  const std::uint32_t huge = 0xffffffff;
  std::memcpy(bytes.data() + 12, &huge, sizeof huge);
  EXPECT_EQ(decode_all(bytes).taken, 0u);
  EXPECT_TRUE(decode_all(bytes).all.empty());
}

TEST(inotify, several_bits_of_one_record_come_in_the_order_of_a_files_life) {
  const decoded d = decode_all(inotify_record(1, in_delete | in_create | in_modify | in_close_write, "f"));
  ASSERT_EQ(d.all.size(), 4u);
  EXPECT_EQ(d.all[0].kind, hint_kind::appeared);
  EXPECT_EQ(d.all[1].kind, hint_kind::written);
  EXPECT_EQ(d.all[2].kind, hint_kind::completed);
  EXPECT_EQ(d.all[3].kind, hint_kind::vanished);
}

}  // namespace
}  // namespace hotwatch::test
