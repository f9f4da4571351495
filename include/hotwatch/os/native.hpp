// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The chooser: detail::os is the platform's own floor, and native_system its calls. Floor 3.

#include "../config.hpp"

#if HOTWATCH_LINUX
#include "linux/alarm.hpp"
#include "linux/directory.hpp"
#include "linux/joint_handle.hpp"
#include "linux/root_path.hpp"
#include "linux/system.hpp"
#include "linux/time.hpp"
#include "posix/path.hpp"
#include "posix/signals.hpp"

namespace hotwatch::inline v0 {
using native_system = linux_system;
}  // namespace hotwatch::inline v0
namespace hotwatch::inline v0::detail {
namespace os = ::hotwatch::detail;
}  // namespace hotwatch::inline v0::detail
#endif

#if HOTWATCH_WINDOWS
#include "windows/alarm.hpp"
#include "windows/directory.hpp"
#include "windows/path.hpp"
#include "windows/signals.hpp"
#include "windows/system.hpp"
#include "windows/time.hpp"
#include "windows/user_path.hpp"

namespace hotwatch::inline v0 {
using native_system = windows_system;
}  // namespace hotwatch::inline v0
namespace hotwatch::inline v0::detail {
namespace windows {
class joint_handle;  // there is none: no HANDLE stands for two without a thread
}
namespace os = windows;
}  // namespace hotwatch::inline v0::detail
#endif

#if HOTWATCH_BSD
#include "bsd/alarm.hpp"
#include "bsd/directory.hpp"
#include "bsd/root_path.hpp"
#include "bsd/system.hpp"
#include "bsd/time.hpp"
#include "posix/path.hpp"
#include "posix/signals.hpp"

namespace hotwatch::inline v0 {
using native_system = bsd_system;
}  // namespace hotwatch::inline v0
namespace hotwatch::inline v0::detail {
namespace bsd {
class joint_handle;  // there is none: kqueue in kqueue was never tried
// Paths and signals are those of every Unix.
using detail::is_same_name;
using detail::make_absolute;
using detail::names_ignore_case;
using detail::path_char;
using detail::signals_blocked;
using detail::text_of;
}  // namespace bsd
namespace os = bsd;
}  // namespace hotwatch::inline v0::detail
#endif
