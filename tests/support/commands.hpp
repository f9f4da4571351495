// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What scripts say is done on disk: one command a line, as tests/scenarios/README.md lists them.

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

#include "files.hpp"

namespace hotwatch::test {

inline std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

/// Where a script's name is: below the root, which itself is ".", or with "out:" outside of it.
inline std::string path_of(const temp_directory& directory, const std::string& name) {
  if (name.starts_with("out:")) return directory.out().at(name.substr(4));
  return name == "." ? directory.root().path() : directory.root().at(name);
}

/// In the root, by the shell. The text says what went wrong.
inline std::string execute_shell(const temp_directory& directory, const std::string& command) {
  const std::string script = "cd '" + directory.root().path() +
                             "' && exec >/dev/null 2>../shell-errors </dev/null && " +
                             "export HOME=\"$PWD/../out\" OUT=../out LC_ALL=C && { " + command + "\n}";
  if (std::system(script.c_str()) == 0) return {};
  return "the shell failed:\n" + raw::read(directory.base().at("shell-errors"));
}

/// Opens, with further flags, and writes one word after the other.
inline bool write_words(const std::string& path, int flags, const std::vector<std::string>& all, std::size_t first) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | flags, 0644);
  if (fd < 0) return false;
  bool ok = true;
  for (std::size_t i = first; i < all.size(); ++i) ok = raw::write_all(fd, all[i]) && ok;
  return ::close(fd) == 0 && ok;
}

/// One command. The text says what went wrong.
inline std::string execute(const temp_directory& directory, const std::string& command) {
  if (command.starts_with("sh ")) return execute_shell(directory, command.substr(3));
  const auto w = words(command);
  const std::string& verb = w[0];
  const auto arg = [&](std::size_t i) { return i < w.size() ? path_of(directory, w[i]) : std::string(); };
  bool ok = false;
  if (verb == "write" || verb == "append") {
    std::string text;
    for (std::size_t i = 2; i < w.size(); ++i) text += (i > 2 ? " " : "") + w[i];
    ok = verb == "write" ? raw::write(arg(1), text) : raw::append(arg(1), text);
  } else if (verb == "truncate") {
    ok = raw::truncate(arg(1), w.size() > 2 ? std::atol(w[2].c_str()) : 0);
  } else if (verb == "touch") {
    ok = raw::touch(arg(1));
  } else if (verb == "mkdir") {
    ok = raw::mkdir(arg(1));
  } else if (verb == "mkdirp") {
    ok = raw::mkdir_p(arg(1));
  } else if (verb == "mv") {
    ok = !raw::exists(arg(2)) && raw::rename(arg(1), arg(2));
  } else if (verb == "mvover") {
    ok = raw::exists(arg(2)) && raw::rename(arg(1), arg(2));
  } else if (verb == "rename") {
    ok = raw::rename(arg(1), arg(2));
  } else if (verb == "exchange") {
    ok = raw::exchange(arg(1), arg(2));
  } else if (verb == "ln") {
    ok = raw::link(arg(1), arg(2));
  } else if (verb == "lns") {
    ok = w.size() == 3 && raw::symlink(w[1], arg(2));
  } else if (verb == "rm") {
    ok = raw::rm(arg(1));
  } else if (verb == "rmdir") {
    ok = raw::rmdir(arg(1));
  } else if (verb == "rmr") {
    ok = raw::rm_rf(arg(1));
  } else if (verb == "mkfifo") {
    ok = ::mkfifo(arg(1).c_str(), 0644) == 0;
  } else if (verb == "chmod") {
    ok = w.size() == 3 && raw::chmod(arg(2), static_cast<mode_t>(std::strtoul(w[1].c_str(), nullptr, 8)));
  } else if (verb == "open-rewrite") {
    ok = write_words(arg(1), O_TRUNC, {"first ", "second"}, 0);
  } else if (verb == "open-write") {
    ok = write_words(arg(1), 0, w, 2);
  } else if (verb == "mount-tmpfs") {
    ok = ::mount("tmpfs", arg(1).c_str(), "tmpfs", 0, "size=1m") == 0;
  } else if (verb == "bind") {
    ok = ::mount(arg(1).c_str(), arg(2).c_str(), nullptr, MS_BIND, nullptr) == 0;
  } else if (verb == "umount") {
    ok = ::umount2(arg(1).c_str(), MNT_DETACH) == 0;
  } else {
    return "unknown command: " + command;
  }
  return ok ? std::string() : command + ": " + std::system_category().message(errno);
}

}  // namespace hotwatch::test
