// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Buffers as ReadDirectoryChangesW and ReadDirectoryChangesExW fill them.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "hotwatch/decode/windows.hpp"

namespace hotwatch::test {

struct windows_record {
  std::uint32_t action;
  std::u16string name;
  std::uint32_t attributes = 0;  ///< these only in the extended layout
  std::uint64_t file_id = 0;
  std::uint32_t reparse_tag = 0;
};

/// `alignment` is 4 and 8 on Windows, 2 on Wine.
class windows_buffer {
 public:
  explicit windows_buffer(detail::windows::layout l, std::size_t alignment = 8) : layout_(l), alignment_(alignment) {}

  windows_buffer& add(const windows_record& r) {
    if (!bytes.empty()) {
      bytes.resize((bytes.size() + alignment_ - 1) / alignment_ * alignment_);
      put(last_, static_cast<std::uint32_t>(bytes.size() - last_));
    }
    last_ = bytes.size();
    const bool extended = layout_ == detail::windows::layout::extended;
    const std::size_t head = extended ? 84 : 12;
    bytes.resize(last_ + head + 2 * r.name.size());
    put(last_ + 4, r.action);
    if (extended) {
      put(last_ + 56, r.attributes);
      put(last_ + 60, r.reparse_tag);
      put(last_ + 64, r.file_id);
    }
    put(last_ + head - 4, static_cast<std::uint32_t>(2 * r.name.size()));
    std::memcpy(bytes.data() + last_ + head, r.name.data(), 2 * r.name.size());
    return *this;
  }

  std::string bytes;

 private:
  template <class T>
  void put(std::size_t at, T value) {
    std::memcpy(bytes.data() + at, &value, sizeof value);
  }

  detail::windows::layout layout_;
  std::size_t alignment_;
  std::size_t last_ = 0;
};

}  // namespace hotwatch::test
