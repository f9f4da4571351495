// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include "hotwatch/core/path_text.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace hotwatch::test {
namespace {

using namespace hotwatch::detail;

class path_text_test : public testing::Test {
 protected:
  node_id root(std::string given, bool is_file = false) {
    labels.push_back({root_id{static_cast<std::uint32_t>(labels.size())}, std::move(given), is_file});
    return known.make_root(static_cast<std::uint32_t>(labels.size() - 1));
  }
  node_id add(node_id parent, std::string_view name) {
    const node_id id = known.make(entry_type::directory);
    known.attach(id, parent, known.names().store(name));
    return id;
  }
  std::string text(node_id id, view v = view::known) {
    std::string out = "before ";
    const root_label& label = paths.append(id, v, out);
    EXPECT_EQ(&label, &paths.root(id, v));
    EXPECT_EQ(out.substr(0, 7), "before ");
    return out.substr(7);
  }
  std::string way(node_id id) {
    std::string out;
    paths.append_way(id, view::known, out);
    return out;
  }

  tree known;
  ledger told{known};
  std::vector<root_label> labels;
  path_text paths{known, told, labels};
};

TEST_F(path_text_test, a_root_as_it_was_given) {
  const node_id assets = root("assets");
  const node_id here = root(".");
  const node_id top = root("/");
  EXPECT_EQ(text(assets), "assets");
  EXPECT_EQ(text(add(add(assets, "a"), "b")), "assets/a/b");
  EXPECT_EQ(text(add(here, "x")), "./x");
  EXPECT_EQ(text(top), "/");
  EXPECT_EQ(text(add(add(top, "x"), "y")), "/x/y");
}

TEST_F(path_text_test, where_the_way_below_begins) {
  for (const auto& [given, name] :
       {std::pair("assets", "assets/logo"), {".", "./logo"}, {"/", "/logo"}, {"/a/b", "/a/b/logo"}}) {
    const node_id r = root(given);
    EXPECT_EQ(text(add(r, "logo")).substr(labels.back().below()), "logo");
    EXPECT_EQ(text(known.find(r, "logo")), name);
  }
}

TEST_F(path_text_test, a_single_file_is_its_root) {
  const node_id file = add(root("conf/app.ini", true), "app.ini");
  EXPECT_EQ(text(file), "conf/app.ini");
  EXPECT_EQ(text(file).substr(labels.back().below()), "app.ini");
  const node_id bare = add(root("app.ini", true), "app.ini");
  EXPECT_EQ(text(bare), "app.ini");
  EXPECT_EQ(labels.back().below(), 0u);
}

TEST_F(path_text_test, the_way_below_the_root) {
  const node_id r = root("assets");
  EXPECT_EQ(way(r), "");
  EXPECT_EQ(way(add(r, "a")), "a");
  EXPECT_EQ(way(add(known.find(r, "a"), "b")), "a/b");
}

TEST_F(path_text_test, told_is_where_it_was) {
  const node_id r = root("r");
  const node_id d = add(r, "d");
  const node_id f = add(d, "f");
  told.remember(d, {});
  known.detach(d);
  known.attach(d, r, known.names().store("a-longer-name"));
  EXPECT_EQ(text(f), "r/a-longer-name/f");
  EXPECT_EQ(text(f, view::told), "r/d/f");
}

TEST_F(path_text_test, every_byte_of_a_name_is_kept) {
  const std::string name = "\xff\n \\\"\x01";
  EXPECT_EQ(text(add(root("r"), name)), "r/" + name);
}

TEST_F(path_text_test, a_hundred_thousand_levels_deep) {
  node_id id = root("r");
  for (int i = 0; i < 100'000; ++i) id = add(id, "d");
  const std::string path = text(id);
  ASSERT_EQ(path.size(), 200'001u);
  EXPECT_EQ(path.substr(0, 5), "r/d/d");
  EXPECT_EQ(path.substr(path.size() - 4), "/d/d");
}

}  // namespace
}  // namespace hotwatch::test
