// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// What is due becomes a batch: changes and notices. Floor 5.

#include <chrono>
#include <system_error>
#include <vector>

#include "../change.hpp"
#include "look_outcome.hpp"
#include "lookup.hpp"
#include "name_doubts.hpp"
#include "root_keeper.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class teller {
 public:
  teller(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan, root_keeper<Backend>& roots,
         name_doubts<Backend>& doubts) noexcept
      : s_(state), lookup_(lookup), scan_(scan), roots_(roots), doubts_(doubts) {}

  /// What is due, or with `all` whatever there is; nullptr if that is nothing, or once stopped: a look that broke off
  /// then knows only a part. Valid until the next of these calls.
  [[nodiscard]] const batch* tell(bool all, moment m) {
    if (s_.stopped || (!all && !is_due(m))) return nullptr;
    if (all) look_at_pending(m);
    const auto oldest = s_.differing.tell(s_.due, m.now, all || !hears_closing<Backend>);
    if (s_.due.pending()) s_.due.told(m.now, oldest);
    notices_.clear();
    notice_texts_.clear();
    notice_texts_.swap(s_.notices);
    for (const owned_notice& n : notice_texts_) notices_.push_back({n.kind, n.path, n.error, n.advice});
    batch_ = batch(s_.differing.changes(), notices_);
    if (batch_.empty()) return nullptr;
    ++s_.counted.batches;
    s_.counted.changes += batch_.size();
    return &batch_;
  }
  [[nodiscard]] const batch& nothing() noexcept { return batch_ = batch(); }

 private:
  // A notice waits for the changes that are pending.
  [[nodiscard]] bool is_due(moment m) {
    if (!s_.due.pending()) return !s_.notices.empty();
    if (!s_.due.due(m.now)) return false;
    look_at_pending(m);
    if (!s_.due.asks_whether_complete(m.now) || s_.differing.is_complete()) return true;
    s_.due.not_complete();
    return false;
  }

  // What the hints did not say is looked at before it is told.
  void look_at_pending(moment m) {
    auto& records = s_.told.records();
    for (std::size_t i = 0; i < records.size(); ++i) {
      const node_id id = records[i].node;
      if (id == no_node || !s_.known[id].in_tree) continue;
      if (s_.known[id].type == entry_type::unknown) learn_type(id, records[i].seen, m);
      if (!s_.polled.empty()) look_before_the_poll(id, m);
    }
    roots_.check_suspects(m);  // links among them
    lookup_.close();
  }

  // The kernel only says "directory or not". What a new name really is, is looked at before it is told; most files
  // have been closed by a writer by then, which only files are.
  void learn_type(node_id id, clock::time_point seen, moment m) {
    file_status status;
    const std::error_code ec = lookup_.look_by_path(s_.known[id].parent, s_.known.name(id), status);
    if (!ec) {
      if (status.type == entry_type::directory) return;
      node& n = s_.known[id];
      s_.learn_type(id, status.type);
      n.file_id = status.file_id;
      doubts_.note_look(n.parent, s_.known.name(id));
      // A symlink, a device, or a second link to a file: nobody is writing it because it was just made.
      if (status.type != entry_type::file || status.links > 1) n.open = false;
      return;
    }
    // Where it may be there all the same, its directory is read again when it can be, and it with it.
    if (!is_absence(ec)) scan_.could_not_look_in(s_.known[id].parent, ec);
    if (m.now - seen > s_.opts.debounce.max_wait + given_up_after) s_.settle.vanish(id, m);  // it went without a word
  }

  // A file that is polled beside its hints. When a hint was read says nothing of what others wrote since, whose clocks
  // may be wrong: what the user finds when this is told is no older than this look, and the next poll compares with it.
  void look_before_the_poll(node_id id, moment m) {
    const node& n = s_.known[id];
    if (!n.in_tree || n.parent == no_node || n.type == entry_type::directory || n.fingerprinted) return;
    file_status status;
    if (s_.known[n.parent].polled && !lookup_.look(n.parent, s_.known.name(id), status) && can_be(n, status.type))
      remember_look(s_, id, status, m, false);
  }

  static constexpr std::chrono::milliseconds given_up_after{100};

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  root_keeper<Backend>& roots_;
  name_doubts<Backend>& doubts_;
  batch batch_;
  std::vector<notice> notices_;
  std::vector<owned_notice> notice_texts_;
};

}  // namespace hotwatch::inline v0::detail
