// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What a system call left in errno. Floor 3.

#include <cerrno>
#include <system_error>

namespace hotwatch::inline v0::detail {

[[nodiscard]] inline std::error_code last_error() noexcept { return {errno, std::system_category()}; }

}  // namespace hotwatch::inline v0::detail
