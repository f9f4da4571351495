// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// From a backend's handle to what it stands for; one handle may stand for several things. Floor 2.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// A multimap from handles to targets, open addressing. The kernel gives one handle an inode and an instance: a
/// directory that is reached twice (overlapping roots, a bind mount) has one handle and two nodes.
class watch_table {
 public:
  /// A node, or a root that the handle guards.
  struct target {
    std::uint32_t index = 0;
    bool guard = false;
    friend bool operator==(const target&, const target&) = default;
  };

  void add(std::int32_t watch, target t) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    place({watch, t});
    ++size_;
  }

  /// Returns whether another target still needs the handle.
  bool remove(std::int32_t watch, target t) noexcept {
    std::size_t hole = slots_.size();
    bool others = false;
    for_each_slot(watch, [&](std::size_t i) {
      if (hole == slots_.size() && slots_[i].to == t)
        hole = i;
      else
        others = true;
    });
    if (hole == slots_.size()) return others;
    --size_;
    // Close the gap, so that no search ends too early.
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = (hole + 1) & mask; slots_[i].watch != no_watch; i = (i + 1) & mask)
      if (((i - home(slots_[i].watch)) & mask) >= ((i - hole) & mask)) {
        slots_[hole] = slots_[i];
        hole = i;
      }
    slots_[hole] = slot{};
    return others;
  }

  /// Appends the handle's targets to `out`.
  void find(std::int32_t watch, std::vector<target>& out) const {
    for_each_slot(watch, [&](std::size_t i) { out.push_back(slots_[i].to); });
  }

  [[nodiscard]] bool contains(std::int32_t watch) const noexcept {
    bool found = false;
    for_each_slot(watch, [&](std::size_t) { found = true; });
    return found;
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return slots_.capacity() * sizeof(slot); }

 private:
  struct slot {
    std::int32_t watch = no_watch;
    target to;
  };

  [[nodiscard]] std::size_t home(std::int32_t watch) const noexcept {
    return static_cast<std::uint32_t>(watch) * std::size_t{0x9E3779B1u} >> 4 & (slots_.size() - 1);
  }

  template <class Visit>
  void for_each_slot(std::int32_t watch, Visit&& visit) const {
    if (slots_.empty()) return;
    for (std::size_t i = home(watch); slots_[i].watch != no_watch; i = (i + 1) & (slots_.size() - 1))
      if (slots_[i].watch == watch) visit(i);
  }

  void place(slot s) noexcept {
    std::size_t i = home(s.watch);
    while (slots_[i].watch != no_watch) i = (i + 1) & (slots_.size() - 1);
    slots_[i] = s;
  }

  void grow() {
    std::vector<slot> old(slots_.empty() ? 32 : slots_.size() * 2);
    old.swap(slots_);
    for (const slot& s : old)
      if (s.watch != no_watch) place(s);
  }

  std::vector<slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace hotwatch::inline v0::detail
