// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What is known to be on disk now: nodes found by (parent, name), without a path string a file. Floor 2.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "../change.hpp"
#include "name_store.hpp"

namespace hotwatch::inline v0::detail {

using node_id = std::uint32_t;
inline constexpr node_id no_node = 0xffffffff;
inline constexpr std::int32_t no_watch = -1;

/// One entry of a directory, or a root. 56 bytes.
struct node {
  node_id parent = no_node;
  name_ref name = 0;
  node_id first_child = no_node;
  node_id next_sibling = no_node;
  node_id previous_sibling = no_node;
  node_id next_in_bucket = no_node;
  std::uint32_t record = 0;       ///< 1 + its place in the ledger; 0: nothing to tell
  std::int32_t watch = no_watch;  ///< a directory's handle in the backend
  std::uint64_t file_id = 0;      ///< inode number; 0: never seen
  std::uint64_t stamp = 0;        ///< see core/stamp.hpp
  std::uint32_t attributes = 0;   ///< permissions and owner, hashed; of a root or a link: its index
  std::uint16_t birth = 0;        ///< hash of its time of birth; 0: never looked at, or the file system has none
  entry_type type : 6 = entry_type::unknown;
  bool racy : 1 = false;     ///< of a fingerprint: a write after the look may have left the file with the same
  bool link : 1 = false;     ///< a symlink that is followed, shown as a directory where it leads to one
  bool in_tree : 1 = false;  ///< false: gone from disk (a ghost that is still to be told), or on its way in a rename
  bool hidden : 1 = false;   ///< a directory that `include` does not match: walked, never told
  bool open : 1 = false;     ///< written, and not closed since
  bool touched : 1 = false;  ///< its times were set explicitly, and it was not closed since
  bool fingerprinted : 1 = false;  ///< `stamp` is a fingerprint, not a time
  bool polled : 1 = false;         ///< a directory that is looked at: hints of it do not come, or not all of them
  bool unreadable : 1 = false;     ///< a directory that could not be listed
  bool seen : 1 = false;           ///< met by the scan that is going on
};

/// What stands under the node's name: of a link a symlink, whatever it is shown as.
[[nodiscard]] constexpr entry_type own_type(const node& n) noexcept { return n.link ? entry_type::symlink : n.type; }

/// Whether the node may turn out to be of this type: often no more is known of it than that it is no directory.
[[nodiscard]] constexpr bool can_be(const node& n, entry_type type) noexcept {
  return own_type(n) == type || (n.type == entry_type::unknown && type != entry_type::directory);
}

/// Whether a way of its own leads to the node, which may come to lead elsewhere: a root, or a link.
[[nodiscard]] constexpr bool has_own_way(const node& n) noexcept { return n.parent == no_node || n.link; }

/// The names known now. Structure only: what was told of them is the ledger's, what they mean is facts'.
class tree {
 public:
  tree() : seed_(reinterpret_cast<std::uintptr_t>(this) * 0x9E3779B97F4A7C15u) {}
  tree(const tree&) = delete;
  tree& operator=(const tree&) = delete;

  [[nodiscard]] node& operator[](node_id id) noexcept { return chunks_[id / chunk_nodes][id % chunk_nodes]; }
  [[nodiscard]] const node& operator[](node_id id) const noexcept {
    return chunks_[id / chunk_nodes][id % chunk_nodes];
  }
  [[nodiscard]] std::string_view name(node_id id) const noexcept { return names_.view((*this)[id].name); }
  [[nodiscard]] name_store& names() noexcept { return names_; }
  [[nodiscard]] const name_store& names() const noexcept { return names_; }

  /// A node without a place.
  [[nodiscard]] node_id make(entry_type type) {
    node_id id = free_;
    if (id != no_node) {
      free_ = (*this)[id].next_sibling;
      (*this)[id] = node{};
    } else {
      if (size_ == chunks_.size() * chunk_nodes) chunks_.emplace_back(chunk_nodes);
      id = size_++;
    }
    (*this)[id].type = type;
    return id;
  }

  /// A node for a root: it has no name and no parent.
  [[nodiscard]] node_id make_root(std::uint32_t index) {
    const node_id id = make(entry_type::directory);
    (*this)[id].attributes = index;
    (*this)[id].in_tree = true;
    ++directories_;
    return id;
  }

  /// Gives the node back; it has neither a place nor children any more.
  void free(node_id id) noexcept {
    node& n = (*this)[id];
    if (n.in_tree && n.parent == no_node) --directories_;
    names_.release(n.name);
    n = node{};
    n.next_sibling = free_;
    free_ = id;
  }

  /// Puts a node in its place. `name` is the node's from now on; the old name is the caller's to release.
  void attach(node_id id, node_id parent, name_ref name) {
    node& n = (*this)[id];
    n.parent = parent;
    n.name = name;
    n.in_tree = true;
    node& p = (*this)[parent];
    n.previous_sibling = no_node;
    n.next_sibling = p.first_child;
    if (p.first_child != no_node) (*this)[p.first_child].previous_sibling = id;
    p.first_child = id;
    ++(n.type == entry_type::directory ? directories_ : files_);
    if (++indexed_ > buckets_.size()) grow();
    insert(id);
  }

  /// Takes a node out of its place; it keeps its name, its parent's number and its children.
  void detach(node_id id) noexcept {
    node& n = (*this)[id];
    node_id* link = &buckets_[hash(n.parent, names_.view(n.name)) & (buckets_.size() - 1)];
    while (*link != id) link = &(*this)[*link].next_in_bucket;
    *link = n.next_in_bucket;
    --indexed_;
    if (n.previous_sibling != no_node)
      (*this)[n.previous_sibling].next_sibling = n.next_sibling;
    else
      (*this)[n.parent].first_child = n.next_sibling;
    if (n.next_sibling != no_node) (*this)[n.next_sibling].previous_sibling = n.previous_sibling;
    n.next_sibling = n.previous_sibling = n.next_in_bucket = no_node;
    n.in_tree = false;
    --(n.type == entry_type::directory ? directories_ : files_);
  }

  [[nodiscard]] node_id find(node_id parent, std::string_view name) const noexcept {
    if (buckets_.empty()) return no_node;
    for (node_id id = buckets_[hash(parent, name) & (buckets_.size() - 1)]; id != no_node;
         id = (*this)[id].next_in_bucket)
      if ((*this)[id].parent == parent && names_.view((*this)[id].name) == name) return id;
    return no_node;
  }

  /// The seed differs from tree to tree, so that nobody can prepare names that fall into one bucket.
  [[nodiscard]] std::size_t hash(node_id parent, std::string_view name) const noexcept {
    std::uint64_t h = seed_ ^ (parent * 0xD6E8FEB86659FD93u);
    const char* at = name.data();
    std::size_t left = name.size();
    for (; left >= 8; at += 8, left -= 8) {
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      h = mix(h ^ word);
    }
    std::uint64_t tail = left;
    std::memcpy(&tail, at, left);
    return static_cast<std::size_t>(mix(mix(h ^ tail) ^ name.size()));
  }
  [[nodiscard]] node_id root_of(node_id id) const noexcept {
    while ((*this)[id].parent != no_node) id = (*this)[id].parent;
    return id;
  }

  /// The root or the link below which it stands, or which it is.
  [[nodiscard]] node_id own_way_of(node_id id) const noexcept {
    while (!has_own_way((*this)[id])) id = (*this)[id].parent;
    return id;
  }

  /// Whether `id` is `above` or stands somewhere below it.
  [[nodiscard]] bool is_within(node_id id, node_id above) const noexcept {
    while (id != no_node && id != above) id = (*this)[id].parent;
    return id == above;
  }

  /// The next node of a walk over what is below `top`, parents first; no_node at the end. `below`: enter `id`.
  [[nodiscard]] node_id next(node_id id, node_id top, bool below = true) const noexcept {
    if (below && (*this)[id].first_child != no_node) return (*this)[id].first_child;
    while (id != top) {
      if ((*this)[id].next_sibling != no_node) return (*this)[id].next_sibling;
      id = (*this)[id].parent;
    }
    return no_node;
  }

  [[nodiscard]] node_id size() const noexcept { return size_; }
  [[nodiscard]] std::uint64_t directories() const noexcept { return directories_; }
  [[nodiscard]] std::uint64_t files() const noexcept { return files_; }
  [[nodiscard]] std::size_t bytes() const noexcept {
    return chunks_.size() * chunk_nodes * sizeof(node) + buckets_.capacity() * sizeof(node_id) + names_.bytes();
  }

 private:
  static constexpr std::size_t chunk_nodes = 1024;

  [[nodiscard]] static std::uint64_t mix(std::uint64_t h) noexcept {
    h = (h ^ (h >> 32)) * 0x9FB21C651E98DF25u;
    return h ^ (h >> 28);
  }

  void insert(node_id id) noexcept {
    node& n = (*this)[id];
    node_id& bucket = buckets_[hash(n.parent, names_.view(n.name)) & (buckets_.size() - 1)];
    n.next_in_bucket = bucket;
    bucket = id;
  }

  void grow() {
    std::vector<node_id> old(buckets_.empty() ? 64 : buckets_.size() * 2, no_node);
    old.swap(buckets_);
    for (node_id id : old)
      while (id != no_node) {
        const node_id next = (*this)[id].next_in_bucket;
        insert(id);
        id = next;
      }
  }

  name_store names_;
  std::vector<std::vector<node>> chunks_;
  std::vector<node_id> buckets_;
  std::size_t indexed_ = 0;
  node_id size_ = 0;
  node_id free_ = no_node;
  std::uint64_t directories_ = 0;
  std::uint64_t files_ = 0;
  std::uint64_t seed_;
};

}  // namespace hotwatch::inline v0::detail
