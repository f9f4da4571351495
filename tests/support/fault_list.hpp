// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Which calls of a system that stands in for the real one are to fail, and with what.

#include <map>
#include <vector>

namespace hotwatch::test {

/// Shared by the test and the system; for one thread. `Call` names the calls.
template <class Call>
class fault_list {
 public:
  static constexpr int for_ever = 1'000'000'000;

  /// The `nth` call from now on (1: the next), and `times - 1` after it, fail with this error.
  void fail(Call call, int nth, int error, int times = 1) {
    faults_.push_back({call, calls_[call] + nth, calls_[call] + nth + times - 1, error});
  }
  /// From now on every other call fails: no kernel interrupts for ever, and this is the worst that one does.
  void fail_every_other(Call call, int error) { faults_.push_back({call, calls_[call] + 1, 0, error}); }
  void stop_failing() { faults_.clear(); }
  [[nodiscard]] int failures() const { return failures_; }

  /// Counts a call; the error with which it fails, or 0.
  [[nodiscard]] int next(Call call) {
    const int number = ++calls_[call];
    for (const fault& f : faults_)
      if (f.call == call && number >= f.first && (f.last == 0 ? (number - f.first) % 2 == 0 : number <= f.last)) {
        ++failures_;
        return f.error;
      }
    return 0;
  }

 private:
  struct fault {
    Call call;
    int first;
    int last;  ///< 0: there is none, and every other one fails
    int error;
  };
  std::map<Call, int> calls_;
  std::vector<fault> faults_;
  int failures_ = 0;
};

}  // namespace hotwatch::test
