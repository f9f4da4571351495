// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Makes a play that fails as short as it can be while it still fails: what is left is what it takes.

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <utility>
#include <vector>

#include "play.hpp"

namespace hotwatch::test {

class shrinker {
 public:
  using judge = std::function<bool(const play&)>;
  /// `fails` is asked up to `tries` times about each candidate: file times are the kernel's, so not all is the same
  /// each time.
  explicit shrinker(judge fails, int tries = 3) : fails_(std::move(fails)), tries_(tries) {}

  [[nodiscard]] play shrink(play p) {
    for (bool any = true; any;) {
      any = drop(p, &play::acts);
      any = drop(p, &play::before) || any;
      any = ease(p) || any;
    }
    return p;
  }

 private:
  [[nodiscard]] bool still_fails(const play& p) const {
    for (int i = 0; i < tries_; ++i)
      if (fails_(p)) return true;
    return false;
  }

  /// Leaves out as much as it can, half of all at once first, in the end one by one.
  template <class Part>
  bool drop(play& p, Part play::*part) const {
    bool any = false;
    for (std::size_t size = std::max<std::size_t>((p.*part).size() / 2, 1);; size /= 2) {
      for (std::size_t end = (p.*part).size(); end > 0;) {
        const std::size_t begin = end - std::min(end, size);
        play without = p;
        Part& rest = without.*part;
        rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(begin), rest.begin() + static_cast<std::ptrdiff_t>(end));
        if (still_fails(without)) {
          p = std::move(without);
          any = true;
        }
        end = begin;
      }
      if (size == 1) return any;
    }
  }

  /// What need not be done within a call is done after it, and without conditions what does not need them.
  bool ease(play& p) const {
    bool any = false;
    const auto attempt = [&](auto&& change) {
      play eased = p;
      change(eased);
      if (eased.text() == p.text() || !still_fails(eased)) return;
      p = std::move(eased);
      any = true;
    };
    for (std::size_t i = 0; i < p.acts.size(); ++i) attempt([&](play& e) { e.acts[i].before_call = 0; });
    attempt([](play& e) { e.how.metadata = false; });
    attempt([](play& e) { e.how.as_nobody = false; });
    attempt([](play& e) { e.how.interrupted = false; });
    attempt([](play& e) { e.how.own_mounts = false; });
    attempt([](play& e) { e.how.include.clear(); });
    attempt([](play& e) { e.how.exclude.clear(); });
    attempt([](play& e) { e.how.debounce = modes[0].name; });
    return any;
  }

  judge fails_;
  int tries_;
};

}  // namespace hotwatch::test
