// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/ledger.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace hotwatch::test {
namespace {

using namespace std::chrono_literals;
using namespace hotwatch::detail;

constexpr clock::time_point first(1s);
constexpr clock::time_point second(2s);

class ledger_test : public testing::Test {
 protected:
  node_id add(std::string_view name) {
    const node_id id = known.make(entry_type::file);
    known.attach(id, root, known.names().store(name));
    return id;
  }
  tree known;
  ledger told{known};
  node_id root = known.make_root(0);
};

TEST_F(ledger_test, remembers_what_was_known_at_the_first_word) {
  const node_id a = add("a");
  EXPECT_EQ(told.find(a), nullptr);
  EXPECT_TRUE(told.empty());
  const record& r = told.remember(a, first);
  EXPECT_TRUE(r.told);
  EXPECT_EQ(r.told_parent, root);
  EXPECT_EQ(r.told_name, known[a].name);
  EXPECT_EQ(r.told_type, entry_type::file);
  EXPECT_EQ(&told.remember(a, second), &r);
  EXPECT_EQ(r.seen, first);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(ledger_test, what_is_born_was_never_told) {
  const node_id a = add("a");
  told.born(a, first);
  EXPECT_FALSE(told.find(a)->told);
  EXPECT_EQ(&told.remember(a, second), told.find(a));
  EXPECT_FALSE(told.find(a)->told);
}

TEST_F(ledger_test, a_settled_node_is_clean) {
  const node_id a = add("a");
  const node_id b = add("b");
  told.settle(a);  // it was
  told.remember(a, first);
  told.remember(b, first);
  told.settle(a);
  EXPECT_EQ(told.find(a), nullptr);
  EXPECT_NE(told.find(b), nullptr);
  EXPECT_EQ(told.size(), 1u);
  told.settle(b);
  EXPECT_TRUE(told.empty());
  EXPECT_TRUE(told.records().empty());
}

TEST_F(ledger_test, compacting_keeps_the_order) {
  std::vector<node_id> ids;
  for (int i = 0; i < 10; ++i) {
    ids.push_back(add(std::to_string(i)));
    told.remember(ids.back(), first);
  }
  for (std::size_t i = 0; i < ids.size(); i += 2) told.settle(ids[i]);
  told.compact();
  ASSERT_EQ(told.records().size(), 5u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(told.records()[i].node, ids[2 * i + 1]);
    EXPECT_EQ(told.find(ids[2 * i + 1]), &told.records()[i]);
  }
}

TEST_F(ledger_test, names_that_come_and_go_within_a_batch_do_not_grow_it) {
  told.remember(add("stays"), first);
  std::size_t bytes = 0;
  for (int i = 0; i < 200'000; ++i) {
    const node_id id = add("comes");
    told.born(id, first);
    known.detach(id);
    told.settle(id);
    known.free(id);
    if (i == 2'000) bytes = told.bytes();
  }
  EXPECT_EQ(told.bytes(), bytes);
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(ledger_test, a_ghost_is_where_and_what_was_told) {
  const node_id a = add("a");
  const node_id d = known.make(entry_type::directory);
  known.attach(d, root, known.names().store("d"));
  known[a].hidden = true;
  told.remember(a, first);
  known.detach(a);
  known.attach(a, d, known.names().store("b"));
  const node_id ghost = told.leave_ghost(a);
  EXPECT_FALSE(told.find(a)->told);
  EXPECT_TRUE(told.find(ghost)->told);
  EXPECT_EQ(told.find(ghost)->told_parent, root);
  EXPECT_EQ(known.names().view(told.find(ghost)->told_name), "a");
  EXPECT_EQ(told.find(ghost)->seen, first);
  EXPECT_TRUE(known[ghost].hidden);
  EXPECT_FALSE(known[ghost].in_tree);
}

TEST_F(ledger_test, the_told_name_is_the_records_own_once_the_node_is_renamed) {
  const node_id a = add("a");
  record& r = told.remember(a, first);
  const name_ref old = known[a].name;
  known.detach(a);
  known.attach(a, root, known.names().store("b"));
  EXPECT_EQ(known.names().view(r.told_name), "a");
  told.take_place(r);
  EXPECT_EQ(known.names().view(r.told_name), "b");
  EXPECT_EQ(known.names().store("c"), old) << "the old name's block is free again";
  told.release_told_name(r);
  EXPECT_FALSE(r.told);
  EXPECT_EQ(known.name(a), "b") << "a shared name is the node's";
}

}  // namespace
}  // namespace hotwatch::test
