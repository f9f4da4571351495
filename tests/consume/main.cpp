// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// A user's program: built by every project in this folder, each of which finds hotwatch in another way.
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <hotwatch.hpp>
#include <string>

int main() {
  std::string root = "/tmp/hotwatch-consume-XXXXXX";
  if (::mkdtemp(root.data()) == nullptr) return 1;
  const std::string file = root + "/file";
  bool told = false;
  {
    hotwatch::watcher watcher;
    watcher.add(root);
    if (std::FILE* f = std::fopen(file.c_str(), "w")) std::fclose(f);
    for (const hotwatch::change& c : watcher.flush()) told = c.kind == hotwatch::change_kind::created && c.path == file;
  }
  ::unlink(file.c_str());
  ::rmdir(root.c_str());
  return told ? 0 : 1;
}
