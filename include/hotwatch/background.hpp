// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// watch(path, callback): the same engine on one thread of its own. The only thread, and with mailbox.hpp the only
// mutexes. Floor 6.

#include <concepts>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "change.hpp"
#include "options.hpp"
#include "os/native.hpp"
#include "watcher.hpp"

namespace hotwatch::inline v0 {

namespace detail {

/// A watcher and the thread that pulls it. The lock is held while something is settled or told, never while the thread
/// waits for the kernel, nor while the user's code runs.
template <class Watcher>
class background {
 public:
  explicit background(options chosen) : watcher_(std::move(chosen)) {}

  template <class Callback>
  static void start(const std::shared_ptr<background>& self, Callback callback) {
    const os::signals_blocked during_the_start;
    std::lock_guard lock(self->ending_);
    self->thread_ = std::thread([self, callback = std::move(callback)]() mutable { self->run(callback); });
  }

  template <class Call>
  auto with_watcher(Call&& call) {
    struct waker {
      Watcher& w;
      ~waker() { w.s_.disk.wake(); }  // there may be something to tell sooner than the thread expects
    } wake_at_end{watcher_};
    std::lock_guard lock(engine_);
    return call(watcher_);
  }

  void stop() {
    watcher_.stop();
    if (is_own_thread()) return;  // the callback: its thread ends when it returns
    join();
  }

  /// Blocks until the thread has ended; rethrows what ended it.
  void wait() {
    if (is_own_thread())
      throw std::system_error(std::make_error_code(std::errc::resource_deadlock_would_occur),
                              "hotwatch: wait() from the callback");
    join();
    std::lock_guard lock(ending_);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  }

  void abandon() {
    watcher_.stop();
    std::unique_lock lock(ending_);
    if (thread_.get_id() == std::this_thread::get_id()) {
      thread_.detach();  // destroyed by its own callback: the thread holds the state until it ends
      return;
    }
    lock.unlock();
    join();
  }

 private:
  template <class Callback>
  void run(Callback& callback) {
    try {
      while (!watcher_.stopped()) {
        std::unique_lock lock(engine_);
        const batch* due = watcher_.consume();
        const auto longest = due == nullptr ? watcher_.time_to_block() : std::nullopt;
        lock.unlock();
        if (watcher_.stopped()) break;
        if (due != nullptr)
          tell(callback, *due);
        else
          watcher_.block(longest);
      }
    } catch (...) {
      std::lock_guard lock(ending_);
      failure_ = std::current_exception();
    }
    watcher_.stop();
    std::lock_guard lock(ending_);
    ended_ = true;
    end_.notify_all();
  }

  template <class Callback>
  void tell(Callback& callback, const batch& due) {
    if constexpr (std::invocable<Callback&, const batch&>) {
      callback(due);
    } else {
      for (const change& c : due) {
        if (watcher_.stopped()) return;  // by the call before, or from another thread
        callback(c);
      }
    }
  }

  [[nodiscard]] bool is_own_thread() {
    std::lock_guard lock(ending_);
    return thread_.get_id() == std::this_thread::get_id();
  }

  void join() {
    std::unique_lock lock(ending_);
    end_.wait(lock, [this] { return ended_; });
    if (!thread_.joinable()) return;
    std::thread ended = std::move(thread_);
    lock.unlock();
    ended.join();
  }

  std::mutex engine_;
  Watcher watcher_;
  std::mutex ending_;
  std::condition_variable end_;
  std::thread thread_;
  bool ended_ = false;
  std::exception_ptr failure_;
};

}  // namespace detail

/// A watch on a background thread. It ends with this object, which may be moved. An empty one, made by default or moved
/// from, has ended: stop() and wait() return at once, the other calls fail with EPERM.
///
/// Thread-safety: add, remove, stop and wait may be called from any thread and from inside the callback (wait: not from
/// there). They do not wait for the callback, except that stop(), wait() and the destructor return only when it runs no
/// more; called inside the callback, stop() and the destructor return at once and this call of it is the last. None of
/// them may be called in a signal handler: they wait for a thread. The child of a fork() has no such thread: there the
/// object is to be left alone, until exec() or _exit().
template <class Watcher>
class basic_subscription {
 public:
  basic_subscription() = default;
  /// Begins the watch: see watch(). With `basic_subscription<polling_watcher>` it is a polled one.
  template <detail::path_like Path, class Callback>
  [[nodiscard]] basic_subscription(const Path& path, Callback callback, options chosen = {}, root_options root = {})
      : state_(std::make_shared<detail::background<Watcher>>(std::move(chosen))) {
    static_assert(std::invocable<Callback&, const batch&> || std::invocable<Callback&, const change&>,
                  "the callback takes a const hotwatch::batch& or a const hotwatch::change&");
    state_->with_watcher([&](Watcher& w) { w.add(path, root); });
    detail::background<Watcher>::start(state_, std::move(callback));
  }
  basic_subscription(basic_subscription&&) noexcept = default;
  basic_subscription& operator=(basic_subscription&& other) noexcept {
    if (this != &other) {
      release();
      state_ = std::move(other.state_);
    }
    return *this;
  }
  ~basic_subscription() { release(); }

  /// As basic_watcher::add.
  template <detail::path_like Path>
  root_id add(const Path& path, root_options chosen = {}) {
    return state().with_watcher([&](Watcher& w) { return w.add(path, chosen); });
  }
  template <detail::path_like Path>
  root_id add(const Path& path, root_options chosen, std::error_code& ec) {
    if (!state_) {
      ec = std::make_error_code(std::errc::operation_not_permitted);
      return root_id{};
    }
    return state_->with_watcher([&](Watcher& w) { return w.add(path, chosen, ec); });
  }
  /// As basic_watcher::remove; a call of the callback that is under way may still tell of it.
  template <detail::path_like Path>
  void remove(const Path& path) {
    state().with_watcher([&](Watcher& w) { w.remove(path); });
  }
  template <detail::path_like Path>
  void remove(const Path& path, std::error_code& ec) {
    ec = std::make_error_code(std::errc::operation_not_permitted);
    if (state_) state_->with_watcher([&](Watcher& w) { w.remove(path, ec); });
  }

  /// Ends the watch. When it returns no callback runs, nor will.
  void stop() {
    if (state_) state_->stop();
  }

  /// Blocks until the watch has ended, and rethrows the exception that left the callback, if that ended it.
  void wait() {
    if (state_) state_->wait();
  }

  [[nodiscard]] statistics stats() const {
    return state().with_watcher([](Watcher& w) { return w.stats(); });
  }

 private:
  [[nodiscard]] detail::background<Watcher>& state() const {
    if (!state_)
      throw std::system_error(std::make_error_code(std::errc::operation_not_permitted),
                              "hotwatch: a subscription that is empty or was moved from");
    return *state_;
  }

  void release() noexcept {
    if (state_) state_->abandon();
    state_.reset();
  }

  std::shared_ptr<detail::background<Watcher>> state_;
};

/// The subscription to use: of the platform's own watcher.
using subscription = basic_subscription<watcher>;

/// Watches `path` on one background thread, which calls `callback` with a `const batch&` or with each `const change&`
/// (then notices are not told). When this returns every later change is told. An exception that leaves the callback
/// ends the watch and is rethrown by subscription::wait(). Throws std::system_error as basic_watcher's constructor and
/// add().
template <detail::path_like Path, class Callback>
[[nodiscard]] subscription watch(const Path& path, Callback callback, options chosen = {}, root_options root = {}) {
  return subscription(path, std::move(callback), std::move(chosen), root);
}

}  // namespace hotwatch::inline v0
