// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/recent_nodes.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hotwatch::detail {
namespace {

std::vector<node_id> all(const recent_nodes& nodes) {
  std::vector<node_id> ids;
  for (std::size_t i = 0; i < nodes.size(); ++i) ids.push_back(nodes[i]);
  return ids;
}

TEST(recent_nodes, newest_first_and_each_once) {
  recent_nodes nodes;
  EXPECT_TRUE(nodes.empty());
  for (const node_id id : {1u, 2u, 3u, 2u, 2u, 1u}) nodes.note(id);
  EXPECT_EQ(all(nodes), (std::vector<node_id>{1, 2, 3}));
}

TEST(recent_nodes, what_is_forgotten_leaves_no_gap) {
  recent_nodes nodes;
  for (const node_id id : {1u, 2u, 3u}) nodes.note(id);
  nodes.forget(2);
  nodes.forget(7);
  EXPECT_EQ(all(nodes), (std::vector<node_id>{3, 1}));
  nodes.forget(3);
  nodes.forget(1);
  EXPECT_TRUE(nodes.empty());
}

TEST(recent_nodes, the_oldest_makes_room) {
  recent_nodes nodes;
  for (node_id id = 0; id < recent_nodes::most; ++id) nodes.note(id);
  nodes.note(0);
  nodes.note(100);
  EXPECT_EQ(nodes.size(), recent_nodes::most);
  EXPECT_EQ(all(nodes)[0], 100u);
  EXPECT_EQ(all(nodes)[1], 0u);
  EXPECT_EQ(all(nodes).back(), 2u) << "1 was the oldest";
}

}  // namespace
}  // namespace hotwatch::detail
