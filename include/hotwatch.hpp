// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// The list of the house: what a user includes.

#include "hotwatch/backend.hpp"                // the concept, for those who bring their own
#include "hotwatch/backends/backend_base.hpp"  // backend_base: the trivial answers of a backend
#include "hotwatch/backends/fallback.hpp"      // fallback: a backend with another behind it
#include "hotwatch/backends/native.hpp"        // native_backend
#include "hotwatch/backends/polling.hpp"       // polling_backend
#include "hotwatch/background.hpp"             // watch(path, callback), subscription
#include "hotwatch/change.hpp"                 // change, batch, notice
#include "hotwatch/config.hpp"
#include "hotwatch/error.hpp"      // errc
#include "hotwatch/glob.hpp"       // glob
#include "hotwatch/mailbox.hpp"    // mailbox
#include "hotwatch/options.hpp"    // options, debounce, root_options, statistics
#include "hotwatch/os/native.hpp"  // native()
#include "hotwatch/version.hpp"
#include "hotwatch/watcher.hpp"  // basic_watcher, watcher, polling_watcher
