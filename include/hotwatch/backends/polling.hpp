// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The backend without hints: every directory is looked at, every poll_interval. Floor 4.

#include <string>
#include <string_view>
#include <system_error>

#include "../backend.hpp"
#include "../os/native.hpp"
#include "backend_base.hpp"

namespace hotwatch::inline v0 {

/// Polling: right on every file system, network ones included. What comes and goes between two looks is not seen, a
/// rename is told by file identity, and a file whose times were set counts as modified.
template <class System = native_system>
class basic_polling_backend : public basic_backend_base<System> {
 public:
  using directory = detail::os::directory<System>;
  static constexpr bool ignores_case = detail::os::names_ignore_case;
  static constexpr bool gives_hints = false;

  using basic_backend_base<System>::basic_backend_base;

  [[nodiscard]] directory open_root(const char* path, std::error_code& ec) {
    return directory::open(this->system(), path, ec);
  }
  [[nodiscard]] std::error_code look(const char* path, file_status& out) {
    return directory::look(this->system(), path, out);
  }
  [[nodiscard]] bool is_same_name(std::string_view a, std::string_view b) const {
    return detail::os::is_same_name(this->system(), a, b);
  }
  [[nodiscard]] std::string resolve(const char* path) { return detail::os::resolve(this->system(), path); }
  [[nodiscard]] watch_answer watch(const directory&, watch_scope) noexcept { return {detail::no_watch, true}; }
};

using polling_backend = basic_polling_backend<>;

}  // namespace hotwatch::inline v0
