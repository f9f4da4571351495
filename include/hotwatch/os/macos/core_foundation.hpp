// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Objects of CoreFoundation that are released at the end, and names compared as the file systems of macOS compare them.
// Floor 3.

#include <cstddef>
#include <string_view>
#include <utility>

#include "types.hpp"

namespace hotwatch::inline v0::detail::macos {

template <class System>
class owned_cf {
 public:
  owned_cf(System& system, cf_ref object) noexcept : system_(&system), object_(object) {}
  owned_cf(owned_cf&& other) noexcept : system_(other.system_), object_(std::exchange(other.object_, nullptr)) {}
  owned_cf& operator=(owned_cf&&) = delete;
  ~owned_cf() {
    if (object_ != nullptr) system_->CFRelease(object_);
  }

  [[nodiscard]] cf_ref get() const noexcept { return object_; }

 private:
  System* system_;
  cf_ref object_;
};

/// Null where the bytes are no UTF-8.
template <class System>
[[nodiscard]] owned_cf<System> to_cf(System& system, std::string_view text) {
  return {system, system.CFStringCreateWithBytes(text)};
}

/// APFS and HFS+ keep a name as it was given (HFS+ decomposed), and find it in any letter case and any normal form.
template <class System>
[[nodiscard]] bool is_same_spelling(System& system, std::string_view a, std::string_view b) {
  const auto is_plain = [](char c) { return (c & 0x80) == 0; };
  const auto lower = [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  std::size_t i = 0;
  for (; i < a.size() && i < b.size() && is_plain(a[i]) && is_plain(b[i]); ++i)
    if (lower(a[i]) != lower(b[i])) return false;
  const auto rest_is_plain = [&](std::string_view s) {
    for (const char c : s.substr(i))
      if (!is_plain(c)) return false;
    return true;
  };
  if (rest_is_plain(a) || rest_is_plain(b)) return a.size() == b.size() && i == a.size();
  const owned_cf<System> first = to_cf(system, a), second = to_cf(system, b);
  if (first.get() == nullptr || second.get() == nullptr) return a == b;
  return system.CFStringCompare(first.get(), second.get(), compare_case_insensitive | compare_nonliteral) == 0;
}

}  // namespace hotwatch::inline v0::detail::macos
