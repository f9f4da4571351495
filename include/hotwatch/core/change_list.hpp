// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The changes of a batch and the text of their paths. Floor 2.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "../change.hpp"
#include "kept_memory.hpp"
#include "path_text.hpp"
#include "tree.hpp"

namespace hotwatch::inline v0::detail {

/// One text for all paths: no allocation a path. It moves while it grows, so the views are bound when it is whole.
class change_list {
 public:
  struct written_path {
    std::size_t begin = 0;
    std::size_t size = 0;
    const root_label* root = nullptr;
  };

  explicit change_list(const path_text& paths) noexcept : paths_(paths) {}

  void clear() noexcept {
    changes_.clear();
    written_.clear();
    text_.clear();
  }

  void give_back() noexcept {
    clear_for_next_batch(changes_);
    clear_for_next_batch(written_);
    clear_for_next_batch(text_);
  }

  /// Where the user knows the node at this point of the batch.
  [[nodiscard]] written_path write_path(node_id id) {
    const std::size_t begin = text_.size();
    const root_label& root = paths_.append(id, view::told, text_);
    return {begin, text_.size() - begin, &root};
  }

  /// The caller fills in the rest.
  [[nodiscard]] change& add(const written_path& path, const written_path& old_path) {
    written_.push_back({path.begin, path.size, old_path.begin, old_path.size});
    change& c = changes_.emplace_back();
    c.root = path.root->id;
    c.below = static_cast<std::uint32_t>(path.root->below());
    return c;
  }

  void bind() noexcept {
    const std::string_view text = text_;
    for (std::size_t i = 0; i < changes_.size(); ++i) {
      const places& w = written_[i];
      changes_[i].path = text.substr(w.path, w.path_size);
      changes_[i].old_path = text.substr(w.old_path, w.old_size);
    }
  }

  [[nodiscard]] std::vector<change>& changes() noexcept { return changes_; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return changes_.capacity() * sizeof(change) + written_.capacity() * sizeof(places) + text_.capacity();
  }

 private:
  struct places {
    std::size_t path, path_size, old_path, old_size;
  };

  const path_text& paths_;
  std::vector<change> changes_;
  std::vector<places> written_;
  std::string text_;
};

}  // namespace hotwatch::inline v0::detail
