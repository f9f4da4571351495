// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Where plays are performed: one thread, simulated time, and commands that are carried out between the system calls of
// the watcher. Every race can come up, and mostly the same one each time. All that is done is written down.

#include <chrono>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "conditions.hpp"
#include "examples/hotwatch/trace/simulated_clock.hpp"
#include "play.hpp"
#include "support/fanotify_records.hpp"
#include "support/scripted_system.hpp"
#include "trial.hpp"
#include "vandal.hpp"

namespace hotwatch::test {

template <template <class> class Backend>
class stage {
 public:
  stage(const temp_directory& where, const setting& how) : trial_(where, how), hand_(where, trial_.linked) {
    said_.how = how;
  }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  /// Called before each system call of the watcher by which something that happens on disk may be met or missed.
  std::function<void()> meanwhile;
  /// Asked at each read of the queue: did it overflow?
  std::function<bool()> loses;

  /// From here on the root is watched.
  void begin() {
    trace::simulated_clock::reset();
    faults_->before_each = [this](system_call call) { about_to(call); };
    faults_->on_records = [this](std::vector<std::string>& records) {
      lose(records, inotify_record(-1, detail::inotify::in_q_overflow));
    };
    faults_->on_events = [this](std::vector<std::string>& events) {
      lose(events, fanotify_event(detail::fanotify::fan_q_overflow));
    };
    trial_.open(scripted_system(faults_));
    begun_ = true;
    // Not read(2): where something is queued it gives that, and EINTR only where nothing is (inotify_read()).
    if (said_.how.interrupted)
      for (const system_call call :
           {system_call::write, system_call::ppoll, system_call::openat, system_call::getdents64, system_call::fstatfs})
        faults_->interrupt(call);
  }

  /// A command on disk, or one of those here; whether it worked.
  bool run(const std::string& command) {
    note(command);
    const auto w = words(command);
    const std::string& verb = w[0];
    const auto number = [&] { return std::stol(w.at(1)); };
    if (verb == "poll") return call([&] { trial_.take(trial_.watcher->poll()); });
    if (verb == "flush") return call([&] { trial_.take(trial_.watcher->flush()); });
    if (verb == "wait") return call([&] { wait(); });
    if (verb == "compare") return call([&] { trial_.compare(); });
    if (verb == "add") return call([&] { trial_.add(w.at(1), w.size() == 2); });
    if (verb == "remove") return call([&] { trial_.remove(w.at(1)); });
    if (verb == "advance") return trace::simulated_clock::advance(std::chrono::microseconds(number())), true;
    if (verb == "clock-back") return faults_->step_clock_back(number() * 1'000'000'000), true;
    if (verb == "next-tick") return outlive_the_tick(), true;
    if (verb == "watches") return faults_->watches_left = static_cast<int>(number()), true;
    if (verb == "overflow") return overflows_ = true;
    if (verb == "reread") return reread();
    ++operations_;
    return hand_.run(command);
  }

  [[nodiscard]] hand& eyes() { return hand_; }
  [[nodiscard]] std::string wrong() const { return trial_.wrong(); }
  [[nodiscard]] long calls() const { return calls_; }
  [[nodiscard]] std::size_t operations() const { return operations_; }
  [[nodiscard]] const play& said() const { return said_; }

 private:
  void note(const std::string& command) {
    if (verbose()) std::cout << (inside_ ? '@' + std::to_string(calls_) + ' ' : "") << command << '\n';
    if (begun_)
      said_.acts.push_back({inside_ ? calls_ : 0, command});
    else
      said_.before.push_back(command);
  }

  bool call(const std::function<void()>& of_the_watcher) {
    calls_ = 0;
    inside_ = true;
    of_the_watcher();
    inside_ = false;
    return true;
  }

  // A wait that is interrupted wherever it would block, so that it ends only by what it waits for. When nothing else
  // happens, something does; and when that is not told either, the watcher is stopped.
  void wait() {
    constexpr long patience = 8, too_long = 2000;
    faults_->interrupts_waits = true;
    blocks_ = 0;
    blocked_ = [this] {
      trace::simulated_clock::advance(std::chrono::milliseconds(1));
      if (++blocks_ % patience == 0) {
        hand_.run("mkdir .");  // if it is not there
        hand_.run("append end x");
      }
      if (blocks_ > too_long) trial_.watcher->stop();
    };
    trial_.wait();
    blocked_ = {};
    faults_->interrupts_waits = false;
  }

  void about_to(system_call call) {
    using enum system_call;
    if (!inside_) return;
    if (blocked_ && (call == read || call == ppoll)) blocked_();
    for (const system_call c :
         {inotify_add_watch, inotify_rm_watch, read, bytes_queued, openat, getdents64, statx, readlink})
      if (c == call) {
        ++calls_;
        if (meanwhile) meanwhile();
      }
  }

  // Some of the records, and then no more: a full queue drops what comes (inotify(7), IN_Q_OVERFLOW).
  void lose(std::vector<std::string>& records, const std::string& overflow) {
    if (loses && loses()) run("overflow");
    if (!std::exchange(overflows_, false) || records.empty()) return;
    const std::size_t kept = records.size() < 3 ? 0 : (records.size() - 3) / 3 * 3 + 2;
    records.resize(kept);
    records.push_back(overflow);
  }

  // An overflow that lost nothing.
  bool reread() {
    if (faults_->queue < 0) return false;
    faults_->inject(inotify_record(-1, detail::inotify::in_q_overflow));
    return true;
  }

  play said_;
  trial<basic_watcher<Backend<scripted_system>, trace::simulated_clock>> trial_;
  hand hand_;
  std::shared_ptr<script> faults_ = std::make_shared<script>();
  bool begun_ = false;
  bool inside_ = false;
  bool overflows_ = false;
  long calls_ = 0;
  std::function<void()> blocked_;  ///< before each call by which a wait may block
  long blocks_ = 0;
  std::size_t operations_ = 0;
};

/// Under the conditions of a play: as whom, and with which mounts. False where that is not permitted.
inline bool under_conditions(const setting& how, const temp_directory& directory, const std::function<void()>& run) {
  const auto as_whom = [&] {
    std::optional<as_nobody> other;
    if (how.as_nobody) other.emplace(directory);
    run();
  };
  if (how.own_mounts) return with_own_mounts(as_whom);
  as_whom();
  return true;
}

/// Performs a play that is written down. The text says what went wrong, and is empty when all is well.
template <template <class> class Backend>
std::string perform(const play& p) {
  const temp_directory directory;
  std::string wrong;
  under_conditions(p.how, directory, [&] {
    stage<Backend> s(directory, p.how);
    for (const std::string& command : p.before) s.run(command);
    s.begin();
    for (std::size_t next = 0; next < p.acts.size() && s.wrong().empty();) {
      const std::string& command = p.acts[next++].command;
      const auto due = [&] { return next < p.acts.size() && p.acts[next].before_call != 0; };
      s.meanwhile = [&] {
        while (due() && p.acts[next].before_call <= s.calls()) s.run(p.acts[next++].command);
      };
      s.run(command);
      s.meanwhile = {};
      while (due()) s.run(p.acts[next++].command);
    }
    s.run("compare");
    wrong = s.wrong();
  });
  return wrong;
}

}  // namespace hotwatch::test
