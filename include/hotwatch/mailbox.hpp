// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// From the background thread to a thread of the user's, such as a game's main loop. Floor 6.

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <vector>

#include "change.hpp"

namespace hotwatch::inline v0 {

/// A box that batches are put into on one thread and taken out of on another. Give it to watch() as the callback, and
/// call drain() where the changes are wanted. Copies are the same box. All calls are thread-safe.
class mailbox {
 public:
  /// Puts a batch in.
  void operator()(const batch& b) {
    std::lock_guard lock(box_->mutex);
    for (const change& c : b) box_->changes.emplace_back(c);
    for (const notice& n : b.notices()) box_->notices.push_back({n.kind, std::string(n.path), n.error, n.advice});
  }

  /// Calls fn(const change&) for each change that is in the box, in order, and, if it takes them, fn(const notice&) for
  /// each notice after that. The views live for the call. fn runs without a lock; what throws out of it, and what comes
  /// behind that change, is lost from the box. Returns the number of changes.
  template <class Fn>
  std::size_t drain(Fn&& fn) {
    std::vector<owned_change> changes;
    std::vector<held_notice> notices;
    {
      std::lock_guard lock(box_->mutex);
      changes.swap(box_->changes);
      notices.swap(box_->notices);
    }
    for (const owned_change& c : changes) fn(c.view());
    if constexpr (std::is_invocable_v<Fn&, const notice&>)
      for (const held_notice& n : notices) fn(notice{n.kind, n.path, n.error, n.advice});
    return changes.size();
  }

  [[nodiscard]] bool empty() const {
    std::lock_guard lock(box_->mutex);
    return box_->changes.empty() && box_->notices.empty();
  }

 private:
  struct held_notice {
    notice_kind kind;
    std::string path;
    std::error_code error;
    std::string_view advice;
  };
  struct contents {
    std::mutex mutex;
    std::vector<owned_change> changes;
    std::vector<held_notice> notices;
  };
  std::shared_ptr<contents> box_ = std::make_shared<contents>();
};

}  // namespace hotwatch::inline v0
