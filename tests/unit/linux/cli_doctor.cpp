// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "examples/hotwatch/doctor/report.hpp"

namespace {

using doctor::finding;
using doctor::machine;
using hotwatch::notice_kind;
using lines = std::vector<std::string>;

finding tree(std::uint64_t directories, std::uint64_t polled = 0) {
  finding f;
  f.path = "tree";
  f.file_system = "ext4";
  f.directories = directories;
  f.polled = polled;
  return f;
}

machine with(doctor::limit watches, doctor::limit instances) {
  if (watches.sysctl.empty()) watches.sysctl = "fs.inotify.max_user_watches";
  if (instances.sysctl.empty()) instances.sysctl = "fs.inotify.max_user_instances";
  return {"Linux 6", watches, instances, 16384};
}

TEST(cli_doctor, limits_that_hold_are_left_alone) {
  EXPECT_EQ(what_to_change(with({1000, 10}, {128, 127}), {tree(400), tree(590)}), lines{});
}

TEST(cli_doctor, a_limit_is_raised_to_twice_what_is_needed) {
  EXPECT_EQ(what_to_change(with({1000, 10}, {128, 1}), {tree(400), tree(591)}),
            lines{"sysctl -w fs.inotify.max_user_watches=2048"});
  EXPECT_EQ(what_to_change(with({1000, 0}, {128, 128}), {}), lines{"sysctl -w fs.inotify.max_user_instances=256"});
}

TEST(cli_doctor, the_lower_of_two_limits_is_the_one_to_raise) {
  const doctor::limit machine{1000, 0, "fs.inotify.max_user_watches"}, own{500, 0, "user.max_inotify_watches"};
  EXPECT_EQ(what_to_change(with(doctor::the_lower(machine, own), {}), {tree(600)}),
            lines{"sysctl -w user.max_inotify_watches=2048"});
  for (const std::uint64_t others : {0u, 1000u, 2000u})
    EXPECT_EQ(doctor::the_lower(machine, {others, 0, "user.max_inotify_watches"}).sysctl, machine.sysctl) << others;
}

TEST(cli_doctor, a_user_namespace_has_limits_of_its_own) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto say = [](const char* path, const std::string& text) {
      return (std::ofstream(path) << text).flush().good();
    };
    const std::string user = std::to_string(::geteuid());
    if (::unshare(CLONE_NEWUSER) != 0 || !say("/proc/self/uid_map", "0 " + user + " 1") ||
        !say("/proc/sys/user/max_inotify_watches", "5") || !say("/proc/sys/user/max_inotify_instances", "3"))
      ::_exit(2);
    const machine m = doctor::examine_machine();
    const bool both = m.watches.most == 5 && m.watches.sysctl == "user.max_inotify_watches" && m.instances.most == 3 &&
                      m.instances.sysctl == "user.max_inotify_instances";
    ::_exit(both ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "user namespaces are not permitted here";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(cli_doctor, without_inotify_there_is_nothing_to_change) {
  EXPECT_EQ(what_to_change(with({}, {}), {tree(9, 9)}), lines{});
  EXPECT_NE(doctor::text::of(with({}, {})).find("inotify      none"), std::string::npos);
}

TEST(cli_doctor, what_is_used_is_what_was_polled_and_why) {
  EXPECT_STREQ(tree(3).uses(), "inotify");
  finding f = tree(3, 3);
  f.complaints = {{notice_kind::polling, "tree", "shared", "", true}};
  EXPECT_STREQ(f.uses(), "inotify and polling");
  EXPECT_TRUE(f.is_partly_told());
  f.complaints = {{notice_kind::polling, "tree", "no inotify", "", false}};
  EXPECT_STREQ(f.uses(), "polling");
  EXPECT_FALSE(f.is_partly_told());
  f.complaints[0].path = "tree/below";
  EXPECT_STREQ(f.uses(), "inotify and polling") << "the limit was reached below";
  EXPECT_FALSE(f.is_fine());
}

TEST(cli_doctor, what_is_polled_is_not_called_told) {
  const auto text_says = [](const finding& f, const char* what) {
    return doctor::text::of(f).find(std::string("file system  ext4, ") + what + '\n') != std::string::npos;
  };
  const auto json_says = [](const finding& f, const char* what) {
    return doctor::json::of(f).find(std::string(R"("told":")") + what + '"') != std::string::npos;
  };
  EXPECT_TRUE(text_says(tree(3), "told wholly"));
  EXPECT_TRUE(json_says(tree(3), "wholly"));
  finding f = tree(3, 3);
  f.complaints = {{notice_kind::polling, "tree", "no inotify", "", false}};
  EXPECT_TRUE(text_says(f, "looked at")) << doctor::text::of(f);
  EXPECT_TRUE(json_says(f, "by polling")) << doctor::json::of(f);
  f.complaints[0].partly_told = true;
  EXPECT_TRUE(text_says(f, "told in part")) << doctor::text::of(f);
  EXPECT_TRUE(json_says(f, "partly")) << doctor::json::of(f);
}

TEST(cli_doctor, a_directory_that_cannot_be_read_is_not_fine) {
  finding f = tree(3);
  EXPECT_TRUE(f.is_fine());
  f.complaints = {{notice_kind::unreadable, "tree/locked", "Permission denied", "", false}};
  EXPECT_FALSE(f.is_fine());
  EXPECT_NE(doctor::text::of(f).find("unreadable: Permission denied\n    tree/locked\n"), std::string::npos);
}

TEST(cli_doctor, what_is_said_of_many_paths_is_said_once) {
  finding f = tree(40, 9);
  f.further = {{"fanotify", "possible"}};
  f.complaints.push_back({notice_kind::polling, "/proc", "in part", "looked at", true});
  for (const char* name : {"1", "2", "3", "4", "5", "6", "7"})
    f.complaints.push_back({notice_kind::unreadable, std::string("/locked-") + name, "Permission denied", "", false});
  f.complaints.push_back({notice_kind::polling, "/sys", "in part", "looked at", true});
  f.complaints.push_back({notice_kind::polling, "/many", "No space left on device", "sysctl", false});
  EXPECT_EQ(doctor::text::of(f),
            "\ntree\n"
            "  uses         inotify and polling\n"
            "  file system  ext4, told wholly; others below it in part\n"
            "  directories  40, of which 9 are polled\n"
            "  fanotify     possible\n"
            "  polling: in part; looked at\n"
            "    /proc\n"
            "    /sys\n"
            "  unreadable: Permission denied\n"
            "    /locked-1\n"
            "    /locked-2\n"
            "    /locked-3\n"
            "    /locked-4\n"
            "    /locked-5\n"
            "    and 2 more\n"
            "  polling: No space left on device; sysctl\n"
            "    /many\n");
}

TEST(cli_doctor, an_overflow_is_no_error_and_said_once) {
  finding f = tree(1);
  for (int i = 0; i < 3; ++i) f.add({notice_kind::overflow, "/", {}, "raise it"});
  f.add({notice_kind::failed, "/d", std::make_error_code(std::errc::io_error), ""});
  const std::string out = doctor::text::of(f);
  EXPECT_TRUE(out.ends_with("\n  overflow: raise it\n    /\n  failed: Input/output error\n    /d\n")) << out;
}

TEST(cli_doctor, json_is_one_line_whatever_the_names_are) {
  finding f = tree(1, 1);
  f.path = "a\"\n";
  f.further = {{"fanotify", "no: Operation not permitted"}};
  f.complaints = {{notice_kind::polling, "a\"\n", "why", "what", true}, {notice_kind::failed, "b", "e", "", false}};
  EXPECT_EQ(doctor::json::of(f),
            R"({"path":"a\"\n","uses":"inotify and polling","file_system":"ext4","told":"partly","directories":1,)"
            R"("files":0,"polled_directories":1,"fanotify":"no: Operation not permitted","notices":[)"
            R"({"notice":"polling","path":"a\"\n","error":"why","advice":"what"},)"
            R"({"notice":"failed","path":"b","error":"e","advice":""}]})"
            "\n");
}

TEST(cli_doctor, watches_are_counted_in_what_the_kernel_says_of_a_descriptor) {
  EXPECT_EQ(doctor::count_watches(""), 0u);
  EXPECT_EQ(doctor::count_watches("pos:\t0\nflags:\t00\ninotify wd:2 ino:7 sdev:1\ninotify wd:1 ino:5 sdev:1\n"), 2u);
}

TEST(cli_doctor, what_this_process_watches_is_counted) {
  hotwatch::inotify_backend backend;  // its waker is a watch
  const machine m = doctor::examine_machine();
  EXPECT_GE(m.instances.used, 1u);
  EXPECT_GE(m.watches.used, 1u);
  EXPECT_GE(m.watches.most, m.watches.used);
}

}  // namespace
