// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What only Windows has: its names, its handles, its overflow.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <thread>

#include "support/conformance.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

class windows_native : public conformance<watcher> {};

/// As others would spell it, beyond 260 units.
std::wstring whole(const std::string& path) { return L"\\\\?\\" + native(path); }

bool write_file(const std::wstring& path) {
  const HANDLE file = ::CreateFileW(path.c_str(), GENERIC_WRITE, 7, nullptr, CREATE_ALWAYS, 0, nullptr);
  return file != INVALID_HANDLE_VALUE && ::CloseHandle(file);
}

TEST_F(windows_native, NamesComeBackAsTheyWere) {
  open();
  const std::wstring names[] = {L"na\u00EFve \u20AC", L"\U0001F600", {L'x', wchar_t{0xD83D}, L'y'}};
  for (const std::wstring& name : names) {
    const std::wstring path = native(root.path()) + L"\\" + name;
    if (!write_file(path)) {  // what is below Wine may refuse an unpaired surrogate
      ASSERT_TRUE(raw::is_wine() && name.back() == L'y') << ::GetLastError();
      continue;
    }
    const batch& b = watcher().flush();
    ASSERT_EQ(b.size(), 1u) << model::text(b);
    EXPECT_EQ(native(b[0].path), path);
    EXPECT_EQ(std::filesystem::path(native(b[0].path)).filename().native(), name);
    EXPECT_TRUE(::DeleteFileW(native(b[0].path).c_str()));
    EXPECT_EQ(watcher().flush().size(), 1u);
  }
}

TEST_F(windows_native, PathsMayBeLongerThanMaxPath) {
  std::string deep = root.path();
  for (int i = 0; i < 12; ++i) {
    deep += "/" + std::string(40, static_cast<char>('a' + i));
    ASSERT_TRUE(::CreateDirectoryW(whole(deep).c_str(), nullptr));
  }
  open();
  ASSERT_TRUE(write_file(whole(deep + "/f")));
  const batch& b = watcher().flush();
  ASSERT_EQ(b.size(), 1u) << model::text(b);
  EXPECT_EQ(b[0].path, deep + "/f");
  EXPECT_EQ(b[0].kind, change_kind::created);
  ::DeleteFileW(whole(deep + "/f").c_str());
  for (; deep != root.path(); deep.resize(deep.rfind('/'))) ASSERT_TRUE(::RemoveDirectoryW(whole(deep).c_str()));
}

TEST_F(windows_native, BadInputIsAnErrorThatCanBeAskedFor) {
  open();
  const std::pair<std::string, std::errc> all[] = {
      {root.at("no/such"), std::errc::no_such_file_or_directory},
      {root.at("a|b"), std::errc::invalid_argument},
      {root.at(std::string(40'000, 'x')), std::errc::filename_too_long},
      {"Q:/no/such/drive", std::errc::no_such_file_or_directory},
  };
  for (const auto& [path, expected] : all) {
    std::error_code ec;
    watcher().add(path, root_options{}, ec);
    EXPECT_TRUE(ec == expected) << path.substr(0, 60) << ": " << ec << ' ' << ec.message();
  }
  root.write("f");
  EXPECT_EQ(told(), lines{"created f"});
}

TEST_F(windows_native, AnotherSpellingIsTheSameFile) {
  root.mkdir("Sub");
  root.write("Sub/ReadMe");
  open();
  root.append("SUB/README");
  EXPECT_EQ(told(), lines{"modified Sub/ReadMe"});
  root.rm("sub/readme");
  EXPECT_EQ(told(), lines{"removed Sub/ReadMe"});
}

TEST_F(windows_native, GlobsIgnoreCase) {
  open({.include = {"*.TXT"}});
  root.write("a.txt");
  root.write("b.md");
  EXPECT_EQ(told(), lines{"created a.txt"});
}

TEST_F(windows_native, PathsInMayHaveBackslashesAndBeWide) {
  hotwatch::watcher w(fast());
  w.add(std::filesystem::path(native(root.path())));
  root.write("f");
  const batch& b = w.flush();
  ASSERT_EQ(b.size(), 1u);
  EXPECT_EQ(b[0].path, root.at("f"));
  root.append("f");
  w.acknowledge(std::filesystem::path(native(root.at("f"))));
  EXPECT_TRUE(w.flush().empty());
}

TEST_F(windows_native, AHandleAmongOthersIsSetByChangesAndDeadlines) {
  open({.debounce = {.quiet = 60ms, .max_wait = 10s, .settle = false}});
  const HANDLE never = ::CreateEventW(nullptr, TRUE, FALSE, nullptr);
  const HANDLE both[] = {never, watcher().native_handle()};
  const auto start = std::chrono::steady_clock::now();
  root.write("f");
  lines all;
  int turns = 0;
  while (all.empty() && std::chrono::steady_clock::now() - start < deadline) {
    ASSERT_EQ(::WaitForMultipleObjects(2, both, FALSE, 10'000), WAIT_OBJECT_0 + 1);
    all = in_order(watcher().poll());
    ++turns;
  }
  EXPECT_EQ(all, lines{"created f"});
  EXPECT_GE(std::chrono::steady_clock::now() - start, 60ms);
  EXPECT_LE(turns, 12);
  ::CloseHandle(never);
}

TEST_F(windows_native, TheThreadThatAddedMayEnd) {
  std::thread([this] { open(); }).join();
  root.write("f");
  EXPECT_EQ(told(), lines{"created f"});
}

TEST_F(windows_native, HandlesAreGivenBack) {
  root.mkdir_p("a/b");
  const auto handles = [] {
    DWORD count = 0;
    ::GetProcessHandleCount(::GetCurrentProcess(), &count);
    return count;
  };
  open();
  watcher_.reset();
  const DWORD before = handles();
  for (int i = 0; i < 20; ++i) {
    open();
    root.write("a/b/f", std::to_string(i));
    (void)watcher().flush();
    watcher_.reset();
  }
  EXPECT_LE(handles(), before + 2);
}

TEST_F(windows_native, AnOverflowIsRepairedAndTold) {
  open();
  constexpr std::size_t files = 2000;
  const std::string name(60, 'n');  // 2,000 records of 140 bytes are four times the buffer
  for (std::size_t i = 0; i < files; ++i) root.write(name + std::to_string(i), "");
  collector all(watcher(), root);
  ASSERT_TRUE(all.until_sentinel());
  all.take(watcher().flush());
  EXPECT_EQ(all.changes.size(), files);
  EXPECT_TRUE(all.has(notice_kind::overflow));
  EXPECT_GE(watcher().stats().overflows, 1u);
  root.write("after");
  EXPECT_EQ(told(), lines{"created after"});
}

TEST_F(windows_native, ARootThatWasRenamedIsLost) {
  root.write("f");
  open();
  directory.base().rename("root", "elsewhere");
  const batch& b = watcher().flush();
  EXPECT_TRUE(has_notice(b, notice_kind::root_lost)) << model::text(b);
  EXPECT_EQ(in_order(b), lines{"removed f"});
  directory.base().rename("elsewhere", "root");
  const batch& back = watcher().flush();
  EXPECT_TRUE(has_notice(back, notice_kind::root_restored)) << model::text(back);
  EXPECT_EQ(in_order(back), lines{"created f"});
}

// ---- links

/// Both kinds. A symlink asks for a right that few have.
class windows_links : public conformance<watcher>, public testing::WithParamInterface<bool> {
 protected:
  void SetUp() override {
    out.mkdir("v1");
    out.write("v1/f");
    out.mkdir("v2");
    out.write("v2/g");
    if (link("v1")) return;
    const DWORD why = ::GetLastError();
    if (raw::is_wine()) GTEST_SKIP() << "Wine: neither symlinks nor junctions can be made";
    if (why == ERROR_PRIVILEGE_NOT_HELD) GTEST_SKIP() << "Windows: this user may make no symlinks";
    FAIL() << why;
  }
  bool link(const std::string& version) {
    const auto make = GetParam() ? raw::symlink : raw::junction;
    return make(out.at(version), root.at("link"));
  }
};
INSTANTIATE_TEST_SUITE_P(kinds, windows_links, testing::Bool(),
                         [](const auto& tested) { return tested.param ? "symlink" : "junction"; });

TEST_P(windows_links, AreThemselves) {
  open();
  EXPECT_EQ(known(watcher()), (listing{{root.at("link"), entry_type::symlink}}));
}

TEST_P(windows_links, AreFollowed) {
  open({.follow_symlinks = true});
  EXPECT_EQ(known(watcher()),
            (listing{{root.at("link"), entry_type::directory}, {root.at("link/f"), entry_type::file}}));
  out.write("v1/new");
  EXPECT_EQ(told(), lines{"created link/new"});
  root.rmdir("link");
  EXPECT_EQ(told(), (lines{"removed link", "removed link/f", "removed link/new"}));
  ASSERT_TRUE(link("v2"));
  EXPECT_EQ(told(), (lines{"created link", "created link/g"}));
}

TEST_P(windows_links, WhoseTargetIsReplacedShowTheNewOne) {
  open({.follow_symlinks = true});
  out.rename("v1", "old");
  out.rename("v2", "v1");
  EXPECT_EQ(told(), (lines{"created link/g", "removed link/f"}));
}

TEST_P(windows_links, ThatLeadBackAreThemselves) {
  root.mkdir("d");
  ASSERT_TRUE((GetParam() ? raw::symlink : raw::junction)(root.path(), root.at("d/up")));
  open({.follow_symlinks = true});
  const listing all = known(watcher());
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all.at(root.at("d/up")), entry_type::symlink);
}

}  // namespace
}  // namespace hotwatch::test
