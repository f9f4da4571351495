// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What the subjects of support/fault_table.hpp that run on Linux have alike, whichever system they stand for.

#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <system_error>
#include <thread>

#include "support/fault_table.hpp"
#include "support/linux/descriptors.hpp"
#include "support/scripted_test.hpp"

namespace hotwatch::test {

/// A watcher over a system of which calls fail, and the tree that it watches; asked when its handle says so, once it
/// has one.
template <class Fixture>
class faulted_watcher : public Fixture {
 public:
  static constexpr const char* introduction = "";
  static constexpr int first_calls = 8;
  static std::string name_of(int error) { return ::strerrorname_np(error); }
  template <class Call>
  static std::error_code code_of(Call, int error) {
    return {error, std::system_category()};
  }
  // No kernel interrupts for ever: every other call is the worst that it does.
  static constexpr bool is_alike(int error, int times) { return error == EINTR && times != 1; }

  void TestBody() override {}

  void make_tree() {
    Fixture::make_tree();
    // So that which calls are made hangs on no tick of a clock: the tree is older than one when it is added, and the
    // first poll is due when the handle is asked for.
    outlive_the_tick();
  }
  void ask_for_handle() {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    handle_ = this->watcher->native_handle();
  }
  [[nodiscard]] bool has_watcher() const { return this->watcher && !this->told.entries().empty(); }
  [[nodiscard]] std::string drive(std::chrono::milliseconds longest) {
    return drive(longest, [this] { this->take(this->watcher->flush()); });
  }
  void write_last() { this->root.write("last"); }
  [[nodiscard]] std::string close() {
    this->watcher.reset();
    const int left = open_descriptors() - before_;
    return left == 0 ? "" : std::to_string(left) + " descriptors are open";
  }

 protected:
  /// What is done `besides` in each round.
  template <class Besides>
  [[nodiscard]] std::string drive(std::chrono::milliseconds longest, Besides&& besides) {
    const auto end = std::chrono::steady_clock::now() + longest;
    std::string difference;
    do {
      if (handle_ >= 0) {
        pollfd p{handle_, POLLIN, 0};
        (void)::poll(&p, 1, 1);
        this->take(this->watcher->poll());
      } else {
        this->take(this->watcher->wait_for(std::chrono::milliseconds(2)));
      }
      besides();
      difference = told_apart();
    } while (!difference.empty() && std::chrono::steady_clock::now() < end);
    return difference;
  }
  [[nodiscard]] listing listed() const { return raw::exists(this->root.path()) ? this->root.list() : listing(); }
  [[nodiscard]] std::string told_apart() const { return this->wrong_ + this->told.difference(listed()); }

  int handle_ = -1;

 private:
  const int before_ = open_descriptors();
};

}  // namespace hotwatch::test
