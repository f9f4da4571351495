// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/tree.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;

node_id add(tree& t, node_id parent, std::string_view name, entry_type type = entry_type::file) {
  const node_id id = t.make(type);
  t.attach(id, parent, t.names().store(name));
  return id;
}

void drop(tree& t, node_id id) {
  t.detach(id);
  t.free(id);
}

TEST(tree, a_node_is_56_bytes) { EXPECT_EQ(sizeof(node), 56u); }

TEST(tree, empty) {
  tree t;
  EXPECT_EQ(t.find(0, "a"), no_node);
  EXPECT_EQ(t.size(), 0u);
  EXPECT_EQ(t.bytes(), 0u);
}

TEST(tree, finds_by_parent_and_name) {
  tree t;
  const node_id root = t.make_root(7);
  EXPECT_EQ(t[root].attributes, 7u);
  const node_id a = add(t, root, "a", entry_type::directory);
  const node_id b = add(t, a, "a");
  EXPECT_EQ(t.find(root, "a"), a);
  EXPECT_EQ(t.find(a, "a"), b);
  EXPECT_EQ(t.find(b, "a"), no_node);
  EXPECT_EQ(t.find(root, "b"), no_node);
  EXPECT_EQ(t.name(b), "a");
  EXPECT_EQ(t.directories(), 2u);
  EXPECT_EQ(t.files(), 1u);
  EXPECT_EQ(t.root_of(b), root);
  EXPECT_TRUE(t.is_within(b, a));
  EXPECT_TRUE(t.is_within(b, b));
  EXPECT_FALSE(t.is_within(a, b));
}

TEST(tree, names_that_begin_alike_or_differ_in_length_only) {
  tree t;
  const node_id root = t.make_root(0);
  std::map<std::string, node_id> all;
  for (std::size_t length = 1; length <= 255; ++length) {
    const std::string name(length, 'a');
    all[name] = add(t, root, name);
    std::string zeros(length, '\0');  // no file system has them, but nothing here may depend on that
    all[zeros] = add(t, root, zeros);
  }
  for (const auto& [name, id] : all) EXPECT_EQ(t.find(root, name), id);
}

TEST(tree, detached_it_keeps_its_name_and_its_children) {
  tree t;
  const node_id root = t.make_root(0);
  const node_id d = add(t, root, "d", entry_type::directory);
  const node_id f = add(t, d, "f");
  t.detach(d);
  EXPECT_EQ(t.find(root, "d"), no_node);
  EXPECT_FALSE(t[d].in_tree);
  EXPECT_EQ(t.name(d), "d");
  EXPECT_EQ(t.find(d, "f"), f);
  EXPECT_EQ(t[root].first_child, no_node);
  t.attach(d, root, t.names().store("e"));
  EXPECT_EQ(t.find(root, "e"), d);
  EXPECT_EQ(t.find(d, "f"), f);
}

TEST(tree, siblings_leave_from_the_head_the_middle_and_the_end) {
  for (const std::array<int, 3>& order : {std::array{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}) {
    tree t;
    const node_id root = t.make_root(0);
    const std::array<node_id, 3> ids{add(t, root, "a"), add(t, root, "b"), add(t, root, "c")};
    std::set<node_id> left(ids.begin(), ids.end());
    for (const int i : order) {
      const node_id gone = ids[static_cast<std::size_t>(i)];
      drop(t, gone);
      left.erase(gone);
      std::set<node_id> listed;
      node_id before = no_node;
      for (node_id c = t[root].first_child; c != no_node; c = t[c].next_sibling) {
        EXPECT_EQ(t[c].previous_sibling, before);
        before = c;
        listed.insert(c);
      }
      EXPECT_EQ(listed, left);
    }
  }
}

TEST(tree, node_ids_are_used_again_and_come_clean) {
  tree t;
  const node_id root = t.make_root(0);
  const node_id a = add(t, root, "a", entry_type::directory);
  t[a].record = 5;
  t[a].watch = 7;
  t[a].hidden = t[a].open = t[a].polled = t[a].unreadable = t[a].seen = t[a].fingerprinted = t[a].touched = true;
  t[a].file_id = t[a].stamp = 9;
  t[a].birth = 3;
  drop(t, a);
  const node_id b = add(t, root, "b");
  EXPECT_EQ(b, a);
  EXPECT_EQ(t[b].record, 0u);
  EXPECT_EQ(t[b].watch, no_watch);
  EXPECT_EQ(t[b].file_id, 0u);
  EXPECT_EQ(t[b].stamp, 0u);
  EXPECT_EQ(t[b].birth, 0u);
  EXPECT_FALSE(t[b].hidden || t[b].open || t[b].polled || t[b].unreadable || t[b].seen || t[b].fingerprinted ||
               t[b].touched);
  EXPECT_EQ(t.find(root, "a"), no_node);
}

TEST(tree, a_root_that_is_removed_does_not_count) {
  tree t;
  const node_id root = t.make_root(0);
  const node_id other = t.make_root(1);
  t.free(root);
  EXPECT_EQ(t.directories(), 1u);
  EXPECT_EQ(t.make_root(2), root);
  EXPECT_EQ(t.directories(), 2u);
  EXPECT_EQ(t.root_of(other), other);
}

TEST(tree, a_chunk_filled_exactly) {
  tree t;
  const node_id root = t.make_root(0);
  for (int i = 1; i < 1024; ++i) add(t, root, std::to_string(i));
  const std::size_t before = t.bytes();
  const node_id next = add(t, root, "next");
  EXPECT_EQ(next, 1024u);
  EXPECT_GE(t.bytes(), before + 1024 * sizeof(node));
  EXPECT_EQ(t.find(root, "next"), next);
  EXPECT_EQ(t.find(root, "1023"), 1023u);
}

TEST(tree, there_are_as_many_buckets_as_names) {
  tree t;
  const node_id root = t.make_root(0);
  for (int i = 1; i < 10 * 1024; ++i) add(t, root, std::to_string(i));
  EXPECT_GE(t.bytes() - 10 * 1024 * sizeof(node) - t.names().bytes(), 10 * 1024 * sizeof(node_id));
}

TEST(tree, names_that_come_and_go_do_not_grow_it) {
  tree t;
  const node_id root = t.make_root(0);
  add(t, root, "stays");
  const std::size_t before = t.bytes();
  for (int i = 0; i < 200'000; ++i) drop(t, add(t, root, std::to_string(i)));
  EXPECT_EQ(t.bytes(), before);
}

TEST(tree, a_hundred_thousand_levels_deep) {
  tree t;
  const node_id root = t.make_root(0);
  node_id id = root;
  for (int i = 0; i < 100'000; ++i) id = add(t, id, "d", entry_type::directory);
  EXPECT_EQ(t.root_of(id), root);
  EXPECT_TRUE(t.is_within(id, root));
  int walked = 0;
  for (node_id at = t.next(root, root); at != no_node; at = t.next(at, root)) ++walked;
  EXPECT_EQ(walked, 100'000);
  EXPECT_EQ(t.directories(), 100'001u);
}

TEST(tree, a_walk_may_pass_over_what_is_below) {
  tree t;
  const node_id root = t.make_root(0);
  const node_id a = add(t, root, "a", entry_type::directory);
  add(t, a, "b");
  const node_id c = add(t, root, "c");
  std::set<node_id> met;
  for (node_id at = t.next(root, root); at != no_node; at = t.next(at, root, at != a)) met.insert(at);
  EXPECT_EQ(met, (std::set<node_id>{a, c}));
  EXPECT_EQ(t.next(a, a, false), no_node);
  EXPECT_EQ(t.next(c, c), no_node);
}

/// The longest chain that these names would make in as many buckets as there are names, at least.
template <class Name>
int longest_chain(const tree& t, int names, Name&& name) {
  std::size_t buckets = 64;
  while (buckets < static_cast<std::size_t>(names)) buckets *= 2;
  std::vector<int> load(buckets);
  for (int i = 0; i < names; ++i) ++load[t.hash(1, name(i)) % buckets];
  return *std::max_element(load.begin(), load.end());
}

TEST(tree, hash_flooding_is_not_reachable) {
  // Names that fall into one bucket of one tree are spread in another: the seed is each tree's own.
  const auto one = std::make_unique<tree>();
  const auto other = std::make_unique<tree>();
  std::vector<std::string> prepared;
  for (int i = 0; prepared.size() < 500; ++i) {
    std::string name = std::to_string(i);
    if (one->hash(1, name) % 512 == 0) prepared.push_back(std::move(name));
  }
  EXPECT_LE(longest_chain(*other, 500, [&](int i) { return prepared[static_cast<std::size_t>(i)]; }), 16);
}

TEST(tree, names_are_spread_wherever_they_differ) {
  // Two bytes that differ, in each place of names of each length: where one is badly mixed, all go into few buckets,
  // whatever the seed.
  const tree t;
  for (std::size_t length = 2; length <= 24; ++length)
    for (std::size_t at = 0; at + 1 < length; ++at) {
      std::string text(length, 'a');
      const int longest = longest_chain(t, 10'000, [&](int i) {
        text[at] = static_cast<char>(i / 100 + 100);
        text[at + 1] = static_cast<char>(i % 100 + 100);
        return std::string_view(text);
      });
      EXPECT_LE(longest, 16) << "bytes " << at << " and " << at + 1 << " of " << length;
    }
}

TEST(tree, numbered_names_are_spread) {
  const tree t;
  for (std::size_t digits = 4; digits <= 12; ++digits) {
    std::string text;
    const int longest = longest_chain(t, 10'000, [&](int i) {
      text = std::to_string(i);
      text.insert(0, digits - text.size(), '0');
      return std::string_view(text);
    });
    EXPECT_LE(longest, 16) << digits << " digits";
  }
}

TEST(tree, random_operations_against_a_map) {
  for (std::uint32_t seed = 1; seed <= 8; ++seed) {
    tree t;
    std::mt19937 random(seed);
    const node_id root = t.make_root(0);
    std::map<std::pair<node_id, std::string>, node_id> reference;
    std::vector<node_id> directories{root};
    const auto is_busy = [&](node_id d) {
      const auto it = reference.lower_bound({d, ""});
      return it != reference.end() && it->first.first == d;
    };
    for (int i = 0; i < 20'000; ++i) {
      const node_id parent = directories[random() % directories.size()];
      const std::string name = "name" + std::to_string(random() % 200);
      const auto it = reference.find({parent, name});
      ASSERT_EQ(t.find(parent, name), it == reference.end() ? no_node : it->second) << "seed " << seed;
      if (it == reference.end()) {
        const bool is_directory = directories.size() < 30 && random() % 20 == 0;
        const node_id id = add(t, parent, name, is_directory ? entry_type::directory : entry_type::file);
        reference[{parent, name}] = id;
        if (is_directory) directories.push_back(id);
      } else if (const node_id id = it->second; random() % 2 == 0) {  // moves, with all below it
        const node_id to = directories[random() % directories.size()];
        std::string other = "name" + std::to_string(random() % 200);
        if (reference.contains({to, other}) || t.is_within(to, id)) continue;
        t.detach(id);
        t.names().release(t[id].name);
        t.attach(id, to, t.names().store(other));
        reference.erase(it);
        reference[{to, std::move(other)}] = id;
      } else if (t[id].type != entry_type::directory || !is_busy(id)) {
        std::erase(directories, id);
        drop(t, id);
        reference.erase(it);
      }
    }
    ASSERT_EQ(t.directories(), directories.size());
    ASSERT_EQ(t.files() + t.directories(), reference.size() + 1);
    std::size_t walked = 0;
    for (node_id id = t.next(root, root); id != no_node; id = t.next(id, root), ++walked)
      ASSERT_EQ(reference.at({t[id].parent, std::string(t.name(id))}), id);
    ASSERT_EQ(walked, reference.size());
  }
}

TEST(tree, a_link_is_a_symlink_with_a_way_of_its_own) {
  tree t;
  const node_id root = t.make_root(0);
  const node_id link = t.make(entry_type::directory);
  t.attach(link, root, t.names().store("link"));
  const node_id below = t.make(entry_type::directory);
  t.attach(below, link, t.names().store("below"));
  EXPECT_EQ(t.own_way_of(below), root);
  t[link].link = true;
  EXPECT_EQ(t.own_way_of(below), link);
  EXPECT_EQ(t.own_way_of(link), link);
  EXPECT_EQ(own_type(t[link]), entry_type::symlink);
  EXPECT_EQ(own_type(t[below]), entry_type::directory);
  EXPECT_TRUE(can_be(t[link], entry_type::symlink));
  EXPECT_FALSE(can_be(t[link], entry_type::directory)) << "what has its name by now is no link";
  t[below].type = entry_type::unknown;
  EXPECT_TRUE(can_be(t[below], entry_type::symlink));
  EXPECT_FALSE(can_be(t[below], entry_type::directory)) << "that much is always known";
}

}  // namespace
}  // namespace hotwatch::test
