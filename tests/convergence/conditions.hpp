// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What makes it hard to watch, each for as long as its object lives: who one is, what is mounted, signals, other work.

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/fsuid.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/collector.hpp"
#include "support/files.hpp"

namespace hotwatch::test {

/// This thread, and those that it starts, meet the file system as an ordinary user, who owns the test's directory: a
/// file system user id that is not 0 drops the capabilities that override permissions (capabilities(7)).
class as_nobody {
 public:
  explicit as_nobody(const temp_directory& directory) {
    if (::geteuid() != 0) return;
    for (const place* p : {&directory.base(), &directory.root(), &directory.out()})
      if (::chown(p->path().c_str(), nobody, nobody) != 0) return;
    become(nobody);
  }
  as_nobody(const as_nobody&) = delete;
  as_nobody& operator=(const as_nobody&) = delete;
  ~as_nobody() {
    if (::geteuid() == 0) become(0);
  }

  /// Why not here; empty when it works.
  [[nodiscard]] static std::string why_not() {
    const temp_directory directory;
    const as_nobody now(directory);
    return raw::write(directory.root().at("f"), "") ? "" : "another user cannot reach the test's directory";
  }

 private:
  static constexpr unsigned nobody = 65534;
  static void become(unsigned user) {
    ::setfsgid(user);
    ::setfsuid(user);
    ::prctl(PR_SET_DUMPABLE, 1);  // else /proc/self is another's
  }
};

/// Runs it on a thread whose mounts nobody else sees, and which are gone with it. False when that is not permitted.
inline bool with_own_mounts(const std::function<void()>& run) {
  bool permitted = false;
  std::thread([&] {
    permitted = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    if (permitted) run();
  }).join();
  return permitted;
}

inline std::string why_no_mounts() {
  return with_own_mounts([] {}) ? "" : "mounting is not permitted here";
}

/// Signals without end, to the thread that made it, with a handler that lets system calls fail with EINTR.
class signal_storm {
 public:
  signal_storm() : target_(::pthread_self()) {
    struct sigaction action {};
    action.sa_handler = [](int) {};
    ::sigaction(SIGUSR2, &action, &before_);
    storm_ = std::thread([this] {
      while (!done_) {
        ::pthread_kill(target_, SIGUSR2);
        std::this_thread::yield();
      }
    });
  }
  signal_storm(const signal_storm&) = delete;
  signal_storm& operator=(const signal_storm&) = delete;
  ~signal_storm() {
    done_ = true;
    storm_.join();
    ::sigaction(SIGUSR2, &before_, nullptr);
  }

 private:
  pthread_t target_;
  struct sigaction before_ {};
  std::atomic<bool> done_ = false;
  std::thread storm_;
};

/// Calls `stop` if it lives for longer than all should take.
class watchdog {
 public:
  explicit watchdog(std::function<void()> stop)
      : thread_([this, stop = std::move(stop)] {
          std::unique_lock lock(mutex_);
          if (!ended_.wait_for(lock, 6 * deadline, [&] { return over_; })) stop();
        }) {}
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;
  ~watchdog() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

/// Every processor has something else to do.
class busy_processors {
 public:
  busy_processors() {
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i)
      workers_.emplace_back([this] {
        while (!done_) continue;
      });
  }
  busy_processors(const busy_processors&) = delete;
  busy_processors& operator=(const busy_processors&) = delete;
  ~busy_processors() {
    done_ = true;
    for (std::thread& w : workers_) w.join();
  }

 private:
  std::atomic<bool> done_ = false;
  std::vector<std::thread> workers_;
};

/// An inotify instance made meanwhile holds 16 events. The limit is the whole machine's, so it is put back at once.
class short_queue {
 public:
  short_queue() : before_(get()) { put(16); }
  short_queue(const short_queue&) = delete;
  short_queue& operator=(const short_queue&) = delete;
  ~short_queue() { put(before_); }

  [[nodiscard]] static std::string why_not() {
    const short_queue now;
    return get() == 16 ? "" : "fs.inotify.max_queued_events may not be set here";
  }

 private:
  static constexpr const char* file = "/proc/sys/fs/inotify/max_queued_events";
  static long get() {
    long n = 0;
    std::ifstream(file) >> n;
    return n;
  }
  static void put(long n) { raw::put(file, 0, std::to_string(n)); }
  long before_;
};

}  // namespace hotwatch::test
