// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// The random trials over one backend behind another.

#include "convergence/trials.hpp"

namespace hotwatch::test {
namespace {

/// A disk that other machines write too, as it is said to be: its hints are heard, and it is polled besides.
template <class System>
class shared_system : public System {
 public:
  shared_system() = default;
  shared_system(const System& own) : System(own) {}
  int fstatfs(int fd, struct ::statfs* out) const noexcept {
    const int result = System::fstatfs(fd, out);
    constexpr int nfs = 0x6969;
    out->f_type = nfs;
    return result;
  }
};
template <class System>
using hybrid_backend =
    fallback<basic_inotify_backend<shared_system<System>>, basic_polling_backend<shared_system<System>>>;

/// Refuses about half of the directories, so that they are left to the backend behind it.
template <class System>
class choosy_backend : public basic_inotify_backend<System> {
 public:
  using basic_inotify_backend<System>::basic_inotify_backend;
  watch_answer watch(const detail::directory<System>& d, watch_scope scope) {
    file_status status;
    const bool refuses = d.look({}, status) || (status.file_id + status.born / 1'000'000) % 2 != 0;
    if (!refuses) return basic_inotify_backend<System>::watch(d, scope);
    return {detail::no_watch, true, std::make_error_code(std::errc::cross_device_link)};
  }
};
template <class System>
using two_queues_backend = fallback<choosy_backend<System>, basic_inotify_backend<System>>;

}  // namespace

std::vector<trial_kind> fallback_trials() {
  return both(trials_of<hybrid_backend>("Hybrid", hears::inotify_and_looks),
              trials_of<two_queues_backend>("TwoKernelObjects", hears::two_queues));
}

}  // namespace hotwatch::test
