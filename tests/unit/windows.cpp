// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/decode/windows.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "support/windows_records.hpp"

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;
using namespace hotwatch::detail::windows;

struct kept_hint {
  hint_kind kind;
  std::string name;
  entry_type type = entry_type::unknown;
  std::uint32_t pair = 0;
  friend bool operator==(const kept_hint&, const kept_hint&) = default;
};
using hints = std::vector<kept_hint>;

constexpr auto unknown = entry_type::unknown;
constexpr auto directory = entry_type::directory;

class windows_decoder : public testing::TestWithParam<layout> {
 protected:
  windows_buffer buffer(std::size_t alignment = 8) const { return windows_buffer(GetParam(), alignment); }
  hints read(const windows_buffer& b) { return read(std::string_view(b.bytes)); }
  hints read(std::string_view bytes) {
    // A copy of the very size, so that a sanitizer sees each byte too far.
    const std::vector<char> exact(bytes.begin(), bytes.end());
    hints all;
    records = one.decode(exact, GetParam(), 7, [&](const hint& h) {
      EXPECT_EQ(h.watch, 7);
      EXPECT_EQ(h.is_typed, GetParam() == layout::extended);
      all.push_back({h.kind, std::string(h.name), h.type, h.pair});
    });
    return all;
  }

  move_pairs pairs;
  decoder one{pairs};
  std::size_t records = 0;
};

INSTANTIATE_TEST_SUITE_P(layouts, windows_decoder, testing::Values(layout::plain, layout::extended),
                         [](const auto& tested) { return tested.param == layout::plain ? "plain" : "extended"; });

TEST_P(windows_decoder, each_action) {
  EXPECT_EQ(read(buffer().add({file_action_added, u"f"})), (hints{{hint_kind::appeared, "f"}}));
  EXPECT_EQ(read(buffer().add({file_action_removed, u"f"})), (hints{{hint_kind::vanished, "f"}}));
  EXPECT_EQ(read(buffer().add({file_action_modified, u"f"})), (hints{{hint_kind::written, "f"}}));
  EXPECT_EQ(read(buffer().add({file_action_renamed_old_name, u"f"}).add({file_action_renamed_new_name, u"g"})),
            (hints{{hint_kind::moved_from, "f", unknown, 1}, {hint_kind::moved_to, "g", unknown, 1}}));
}

TEST_P(windows_decoder, other_actions_say_nothing) {
  for (const std::uint32_t action : {0u, 6u, 7u, 8u, 9u, 10u, 0xffffffffu})
    EXPECT_EQ(read(buffer().add({action, u"f"})), hints{}) << action;
  EXPECT_EQ(records, 1u);
}

TEST_P(windows_decoder, the_way_has_slashes) {
  EXPECT_EQ(read(buffer().add({file_action_added, u"a\\b c\\d"})), (hints{{hint_kind::appeared, "a/b c/d"}}));
}

TEST_P(windows_decoder, names_keep_unpaired_surrogates) {
  const char16_t name[] = {0xD83D, 'x', 0xDE00, 0};
  EXPECT_EQ(read(buffer().add({file_action_added, name})), (hints{{hint_kind::appeared, "\xED\xA0\xBDx\xED\xB8\x80"}}));
}

TEST_P(windows_decoder, any_alignment) {
  for (const std::size_t alignment : {2u, 4u, 8u}) {
    hints all = read(buffer(alignment)
                         .add({file_action_added, u"a"})
                         .add({file_action_modified, u"bcd"})
                         .add({file_action_removed, u"ef"}));
    EXPECT_EQ(all, (hints{{hint_kind::appeared, "a"}, {hint_kind::written, "bcd"}, {hint_kind::vanished, "ef"}}));
    EXPECT_EQ(records, 3u);
  }
}

TEST_P(windows_decoder, a_rename_may_be_cut_by_the_end_of_the_buffer) {
  EXPECT_EQ(read(buffer().add({file_action_renamed_old_name, u"f"})),
            (hints{{hint_kind::moved_from, "f", unknown, 1}}));
  EXPECT_EQ(read(buffer().add({file_action_renamed_new_name, u"g"})), (hints{{hint_kind::moved_to, "g", unknown, 1}}));
}

TEST_P(windows_decoder, a_new_name_alone_is_no_half_of_another_rename) {
  EXPECT_EQ(read(buffer().add({file_action_renamed_old_name, u"f"}).add({file_action_renamed_new_name, u"g"})).size(),
            2u);
  EXPECT_EQ(read(buffer().add({file_action_renamed_new_name, u"h"})), (hints{{hint_kind::moved_to, "h", unknown, 2}}));
}

TEST_P(windows_decoder, two_directories_have_no_pair_in_common) {
  decoder other(pairs);
  read(buffer().add({file_action_renamed_old_name, u"f"}));
  hints all;
  other.decode(buffer().add({file_action_renamed_new_name, u"g"}).bytes, GetParam(), 8, [&](const hint& h) {
    all.push_back({h.kind, std::string(h.name), h.type, h.pair});
  });
  EXPECT_EQ(all, (hints{{hint_kind::moved_to, "g", unknown, 2}}));
}

TEST_P(windows_decoder, a_record_without_a_name_says_nothing) {
  EXPECT_EQ(read(buffer().add({file_action_modified, u""})), hints{});
}

TEST_P(windows_decoder, bytes_that_make_no_sense_end_it) {
  const std::string two = buffer().add({file_action_added, u"a"}).add({file_action_added, u"b"}).bytes;
  for (std::size_t size = 0; size < two.size(); ++size)
    EXPECT_LE(read(std::string_view(two).substr(0, size)).size(), 1u);
  std::string back = two;
  back[0] = 1;  // NextEntryOffset within the first record
  EXPECT_EQ(read(back).size(), 1u);
  EXPECT_EQ(records, 1u);
  std::string beyond = two;
  beyond[2] = 1;  // far behind the buffer
  EXPECT_EQ(read(beyond).size(), 1u);
}

class windows_extended : public windows_decoder {};
INSTANTIATE_TEST_SUITE_P(layout, windows_extended, testing::Values(layout::extended),
                         [](const auto&) { return "extended"; });

TEST_P(windows_extended, the_record_tells_the_type) {
  constexpr std::uint32_t junction = 0xA0000003, placeholder = 0x9000001A;
  const auto type_of = [&](std::uint32_t attributes, std::uint32_t tag) {
    return read(buffer().add({file_action_added, u"d", attributes, 0, tag})).at(0).type;
  };
  EXPECT_EQ(type_of(0x20, 0), unknown);
  EXPECT_EQ(type_of(file_attribute_directory, 0), directory);
  EXPECT_EQ(type_of(file_attribute_directory | file_attribute_reparse_point, junction), unknown);
  EXPECT_EQ(type_of(file_attribute_directory | file_attribute_reparse_point, placeholder), directory);
}

TEST_P(windows_extended, a_directory_is_never_written) {
  EXPECT_EQ(read(buffer().add({file_action_modified, u"d", file_attribute_directory})), hints{});
}

TEST_P(windows_extended, a_move_to_another_directory_is_a_pair) {
  EXPECT_EQ(read(buffer()
                     .add({file_action_removed, u"a\\f", 0, 5})
                     .add({file_action_added, u"b\\f", 0, 5})
                     .add({file_action_modified, u"b", file_attribute_directory, 6})),
            (hints{{hint_kind::moved_from, "a/f", unknown, 1}, {hint_kind::moved_to, "b/f", unknown, 1}}));
}

TEST_P(windows_extended, the_halves_of_a_move_may_be_in_two_buffers) {
  EXPECT_EQ(read(buffer().add({file_action_added, u"x", 0, 4}).add({file_action_removed, u"a\\d", 0x10, 5})),
            (hints{{hint_kind::appeared, "x"}, {hint_kind::moved_from, "a/d", directory, 1}}));
  EXPECT_EQ(read(buffer().add({file_action_added, u"b\\d", 0x10, 5})),
            (hints{{hint_kind::moved_to, "b/d", directory, 1}}));
}

TEST_P(windows_extended, and_of_two_roots) {
  read(buffer().add({file_action_removed, u"f", 0, 5}));
  decoder other(pairs);
  hints all;
  other.decode(buffer().add({file_action_added, u"g", 0, 5}).bytes, GetParam(), 8, [&](const hint& h) {
    all.push_back({h.kind, std::string(h.name), h.type, h.pair});
  });
  EXPECT_EQ(all, (hints{{hint_kind::moved_to, "g", unknown, 1}}));
}

TEST_P(windows_extended, what_came_before_it_went_did_not_move) {
  EXPECT_EQ(read(buffer()
                     .add({file_action_added, u"f", 0, 5})
                     .add({file_action_removed, u"f", 0, 5})
                     .add({file_action_added, u"g", 0, 6})),
            (hints{{hint_kind::appeared, "f"}, {hint_kind::vanished, "f"}, {hint_kind::appeared, "g"}}));
}

TEST_P(windows_extended, a_number_that_has_moved_comes_again_as_a_link) {
  EXPECT_EQ(read(buffer()
                     .add({file_action_removed, u"a\\f", 0, 5})
                     .add({file_action_added, u"b\\f", 0, 5})
                     .add({file_action_added, u"b\\g", 0, 5})),
            (hints{{hint_kind::moved_from, "a/f", unknown, 1},
                   {hint_kind::moved_to, "b/f", unknown, 1},
                   {hint_kind::appeared, "b/g"}}));
}

TEST_P(windows_extended, removals_at_the_ends_of_buffers_are_forgotten) {
  for (std::uint64_t id = 1; id <= 1000; ++id) read(buffer().add({file_action_removed, u"f", 0, id}));
  EXPECT_EQ(read(buffer().add({file_action_added, u"g", 0, 1})), (hints{{hint_kind::appeared, "g"}}));
  EXPECT_EQ(read(buffer().add({file_action_added, u"g", 0, 1000})), (hints{{hint_kind::moved_to, "g", unknown, 1000}}));
}

}  // namespace
}  // namespace hotwatch::test
