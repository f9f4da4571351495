// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// ReadDirectoryChangesW and ReadDirectoryChangesExW records -> hints. Bytes in, hints out: no system call, and the
// layouts are mirrored here, so that this is tested and fuzzed on any system. Floor 2.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../core/hint.hpp"
#include "../core/wtf8.hpp"

namespace hotwatch::inline v0::detail::windows {

/// Which of the two calls filled the buffer.
enum class layout : std::uint8_t {
  plain,     ///< FILE_NOTIFY_INFORMATION
  extended,  ///< FILE_NOTIFY_EXTENDED_INFORMATION: with attributes and file numbers
};

inline constexpr std::uint32_t file_action_added = 1, file_action_removed = 2, file_action_modified = 3,
                               file_action_renamed_old_name = 4, file_action_renamed_new_name = 5;
inline constexpr std::uint32_t file_attribute_directory = 0x10, file_attribute_reparse_point = 0x400;

/// A reparse point that stands for another name: a symlink or a junction (IsReparseTagNameSurrogate). Wine gives no tag
/// to a link of the system below it.
[[nodiscard]] constexpr bool is_link(std::uint32_t attributes, std::uint32_t reparse_tag) noexcept {
  return (attributes & file_attribute_reparse_point) != 0 && (reparse_tag == 0 || (reparse_tag & 0x20000000) != 0);
}

/// Whether a way may hold a name of the 8.3 kind, such as PROGRA~1: a tilde and a digit, in twelve characters at most.
[[nodiscard]] constexpr bool may_have_short_name(std::string_view way) noexcept {
  for (std::size_t at = way.find('~'); at != std::string_view::npos; at = way.find('~', at + 1)) {
    const std::size_t slash = way.rfind('/', at);
    const std::size_t begin = slash == std::string_view::npos ? 0 : slash + 1;
    const std::size_t end = std::min(way.find('/', at), way.size());
    if (at != begin && end - begin <= 12 && at + 1 < end && way[at + 1] >= '0' && way[at + 1] <= '9') return true;
  }
  return false;
}

/// One record, whichever its layout.
struct record {
  std::uint32_t action = 0;
  bool is_typed = false;  ///< what follows was told
  bool is_directory = false;
  std::uint64_t file_id = 0;
  std::span<const char> name;  ///< UTF-16, from the watched directory on, with backslashes
};

/// Walks over the records of one buffer. Wine packs them to two bytes, so nothing is aligned.
class record_reader {
 public:
  record_reader(std::span<const char> bytes, layout l) noexcept : bytes_(bytes), layout_(l) {}

  /// Returns false at the end, or where the bytes make no sense.
  [[nodiscard]] bool next(record& out) noexcept {
    if (at_end_) return false;
    at_end_ = true;  // until a sound record leads on
    const std::span<const char> rest = bytes_.subspan(at_);
    const bool extended = layout_ == layout::extended;
    // NextEntryOffset and Action; extended: four times, two sizes, FileAttributes, ReparsePointTag, FileId and
    // ParentFileId; FileNameLength; FileName.
    const std::size_t head = extended ? 84 : 12;
    if (rest.size() < head) return false;
    out = record{};
    out.action = read<std::uint32_t>(rest, 4);
    if (extended) {
      const auto attributes = read<std::uint32_t>(rest, 56);
      out.is_typed = true;
      out.is_directory =
          (attributes & file_attribute_directory) != 0 && !is_link(attributes, read<std::uint32_t>(rest, 60));
      out.file_id = read<std::uint64_t>(rest, 64);
    }
    const auto name_bytes = read<std::uint32_t>(rest, head - 4);
    if (name_bytes > rest.size() - head) return false;
    out.name = rest.subspan(head, name_bytes & ~std::uint32_t{1});
    const auto step = read<std::uint32_t>(rest, 0);
    at_end_ = step < head || step > rest.size();  // 0: it was the last
    at_ += at_end_ ? 0 : step;
    return true;
  }

 private:
  template <class T>
  [[nodiscard]] static T read(std::span<const char> bytes, std::size_t at) noexcept {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
  }

  std::span<const char> bytes_;
  std::size_t at_ = 0;
  layout layout_;
  bool at_end_ = false;
};

/// Joins the two halves of moves, over all the watched directories of one backend.
///
/// Within a directory the system says so itself: an old name, then a new one. A move to another directory is told as
/// REMOVED and ADDED; with file numbers it is known for what it is. That it is one is known when both are in the
/// buffer. The last record of a buffer may be one too, because a request that waits is completed by the first record
/// that comes.
class move_pairs {
 public:
  [[nodiscard]] std::uint32_t begin() noexcept { return ++last_; }

  /// A file left its directory; who comes with its number is the other half.
  [[nodiscard]] std::uint32_t leave(std::uint64_t file_id) {
    if (left_.size() == most_waiting) left_.erase(left_.begin());
    left_.push_back({file_id, begin()});
    return last_;
  }
  /// 0: none that is known of has left with this number.
  [[nodiscard]] std::uint32_t come(std::uint64_t file_id) noexcept {
    for (std::size_t i = left_.size(); i-- != 0;)
      if (left_[i].file_id == file_id) {
        const std::uint32_t pair = left_[i].pair;
        left_.erase(left_.begin() + static_cast<std::ptrdiff_t>(i));
        return pair;
      }
    return 0;
  }

 private:
  struct half {
    std::uint64_t file_id;
    std::uint32_t pair;
  };
  /// Most of these were removals after all, the last ones of their buffers.
  static constexpr std::size_t most_waiting = 64;

  std::vector<half> left_;
  std::uint32_t last_ = 0;
};

/// Makes hints of what is read of one watched directory. Names are given as WTF-8 with slashes. A record does not say
/// what was modified: who asked for one thing only knows it.
class decoder {
 public:
  explicit decoder(move_pairs& pairs, hint_kind modified = hint_kind::written) noexcept
      : pairs_(&pairs), modified_(modified) {}

  /// Gives each record's hint to `sink`, with the handle `watch`; returns how many records there were. What the hint
  /// views lives until the next one.
  template <class Sink>
  std::size_t decode(std::span<const char> bytes, layout l, std::int32_t watch, Sink&& sink) {
    find_what_comes(bytes, l);
    record_reader reader(bytes, l);
    std::size_t records = 0;
    record now, after;
    for (bool more = reader.next(now); more; now = after) {
      ++records;
      more = reader.next(after);
      hint h{modified_, watch};
      h.is_typed = now.is_typed;
      if (now.is_directory) h.type = entry_type::directory;
      if (!settle_kind(now, !more, h)) continue;
      read_name(now.name);
      h.name = name_;
      if (!h.name.empty()) sink(std::as_const(h));
    }
    return records;
  }

 private:
  // Returns false if there is nothing to say.
  [[nodiscard]] bool settle_kind(const record& r, bool is_last, hint& h) {
    switch (r.action) {
      case file_action_added:
        h.kind = hint_kind::appeared;
        if (r.file_id != 0) h.pair = pairs_->come(r.file_id);
        std::erase(coming_, r.file_id);
        if (h.pair != 0) h.kind = hint_kind::moved_to;
        return true;
      case file_action_removed:
        h.kind = hint_kind::vanished;
        if (r.file_id == 0 || (!is_last && std::find(coming_.begin(), coming_.end(), r.file_id) == coming_.end()))
          return true;
        h.kind = hint_kind::moved_from;
        h.pair = pairs_->leave(r.file_id);
        return true;
      // Written, of a directory: something in it came or went, as another record says.
      case file_action_modified: return !r.is_directory || h.kind != hint_kind::written;
      case file_action_renamed_old_name:
        h.kind = hint_kind::moved_from;
        h.pair = renamed_ = pairs_->begin();
        return true;
      case file_action_renamed_new_name:
        h.kind = hint_kind::moved_to;
        h.pair = std::exchange(renamed_, 0);
        if (h.pair == 0) h.pair = pairs_->begin();  // its other half was dropped
        return true;
      default: return false;  // streams, and what is still to be invented
    }
  }

  void find_what_comes(std::span<const char> bytes, layout l) {
    coming_.clear();
    if (l == layout::plain) return;
    record r;
    for (record_reader reader(bytes, l); reader.next(r);)
      if (r.action == file_action_added && r.file_id != 0) coming_.push_back(r.file_id);
  }

  void read_name(std::span<const char> utf16) {
    wide_.resize(utf16.size() / 2);
    if (!utf16.empty()) std::memcpy(wide_.data(), utf16.data(), utf16.size());
    std::replace(wide_.begin(), wide_.end(), u'\\', u'/');
    name_.clear();
    append_wtf8(wide_, name_);
  }

  move_pairs* pairs_;
  hint_kind modified_;
  std::uint32_t renamed_ = 0;  ///< the pair of an old name whose new one is still to come
  std::vector<std::uint64_t> coming_;
  std::u16string wide_;
  std::string name_;
};

}  // namespace hotwatch::inline v0::detail::windows
