// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// Random operations: who applies what is told holds what is on disk. Of directories only those are moved about whose
// backend is truthful there: after that Wine goes on telling of their old paths.
//
//   HOTWATCH_SEED=17 HOTWATCH_SEEDS=1 live.exe --gtest_filter='windows_convergence/native.*'      one seed again

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "convergence/seeds.hpp"
#include "support/conformance.hpp"
#include "support/model.hpp"

namespace hotwatch::test {
namespace {

template <class Watcher>
class windows_convergence : public conformance<Watcher> {
 protected:
  // One operation at random; that some of them fail is part of it.
  void do_something(std::mt19937& random) {
    const auto any = [&](std::initializer_list<const char*> names) {
      return std::string(names.begin()[random() % names.size()]);
    };
    const auto somewhere = [&] { return any({"", "a/", "a/b/", "c/", "c/d/"}); };
    const auto file = [&] { return this->root.at(somewhere() + any({"1", "2", "3"})); };
    switch (random() % (this->polls || !raw::is_wine() ? 9 : 8)) {
      case 0: raw::mkdir_p(this->root.at(any({"a/b", "c/d", "c"}))); break;
      case 1: raw::rm(file()); break;
      case 2: raw::rm_rf(this->root.at(any({"a/b", "c"}))); break;
      case 3:
      case 4: raw::rename(file(), file()); break;
      case 5: raw::rename(file(), this->out.at(any({"1", "2"}))); break;
      case 6: raw::rename(this->out.at(any({"1", "2"})), file()); break;
      case 7: raw::write(file(), std::to_string(random())); break;
      default: raw::rename(this->root.at(any({"a", "c"})), this->root.at(any({"a", "c", "a/b/e"}))); break;
    }
  }
};
TYPED_TEST_SUITE(windows_convergence, backends, backend_names);

TYPED_TEST(windows_convergence, RandomOperations) {
  const long first = from_environment("HOTWATCH_SEED", 1);
  const long end_of_seeds = first + from_environment("HOTWATCH_SEEDS", 20);
  for (long seed = first; seed < end_of_seeds; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(static_cast<unsigned>(seed));
    this->root.mkdir_p("a/b");
    this->open({.debounce = immediate});
    model told({this->root.path()});
    told.start_from(known(this->watcher()));
    for (int i = 0; i < 60; ++i) {
      this->do_something(random);
      if (random() % 4 == 0) {
        ASSERT_EQ(told.apply(this->watcher().poll()), "");
      }
    }
    ASSERT_EQ(told.apply(this->watcher().flush()), "");
    // Wine's word comes a little later than the operation.
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!told.difference(this->root.list()).empty() && std::chrono::steady_clock::now() < end)
      ASSERT_EQ(told.apply(this->watcher().wait_for(10ms)), "");
    ASSERT_EQ(told.difference(this->root.list()), "");
    this->watcher_.reset();
  }
}

}  // namespace
}  // namespace hotwatch::test
