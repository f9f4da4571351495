// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The chooser: which backend is the platform's own. Floor 4.

#include "../config.hpp"
#include "fallback.hpp"
#include "polling.hpp"

#if HOTWATCH_LINUX
#include "fanotify.hpp"
#include "inotify.hpp"

namespace hotwatch::inline v0 {
/// The platform's own, with polling behind it where the kernel tells nothing, or not all.
using native_backend = fallback<inotify_backend, polling_backend>;
}  // namespace hotwatch::inline v0
#endif

#if HOTWATCH_WINDOWS
#include "windows.hpp"

namespace hotwatch::inline v0 {
using windows_backend = basic_windows_backend<windows_system>;
/// Answers itself that a share is to be polled: it needs nothing behind it.
using native_backend = windows_backend;
}  // namespace hotwatch::inline v0
#endif

#if HOTWATCH_MACOS
#include "../os/macos/system.hpp"
#include "fsevents.hpp"

namespace hotwatch::inline v0 {
using fsevents_backend = basic_fsevents_backend<macos_system>;
/// Answers itself what is to be polled: it needs nothing behind it.
using native_backend = fsevents_backend;
}  // namespace hotwatch::inline v0
#elif HOTWATCH_BSD
namespace hotwatch::inline v0 {
/// There is no other yet.
using native_backend = polling_backend;
}  // namespace hotwatch::inline v0
#endif
