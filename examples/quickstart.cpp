// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#include <hotwatch.hpp>
#include <iostream>

int main(int argc, char** argv) {
  hotwatch::watcher watcher;
  watcher.add(argc > 1 ? argv[1] : ".");
  std::cout << "watching; change something\n" << std::flush;
  for (const hotwatch::batch& batch : watcher) {
    for (const hotwatch::change& change : batch) std::cout << change << '\n';
    std::cout.flush();
  }
}
