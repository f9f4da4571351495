// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Reads directories and settles what differs from the tree: the one mechanism behind start-up, new directories, moves
// in, overflow, returning roots and polling. Floor 5.

#include <cstdint>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../backend.hpp"
#include "look_outcome.hpp"
#include "lookup.hpp"
#include "missing_nodes.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

/// How much a scan looks at.
struct scan_policy {
  bool files = false;       ///< the status of known files too: were they written meanwhile?
  bool everywhere = false;  ///< go into known directories, though their watches stand
  bool verify = false;      ///< watches may have died unheard, or stand for another directory
  bool caught_up = false;   ///< the queue was read to its end: what a path leads to is what the node is
  facts::telling telling = facts::telling::tell;
};

/// After a loss: every name, every file, every watch.
inline constexpr scan_policy everything{.files = true, .everywhere = true, .verify = true};
/// The same when the queue has been read to its end.
inline constexpr scan_policy everything_caught_up{.files = true, .everywhere = true, .verify = true, .caught_up = true};

template <class Backend>
class scanner {
 public:
  using directory = typename Backend::directory;

  scanner(engine_state<Backend>& state, lookup<Backend>& lookup) noexcept : s_(state), lookup_(lookup) {}

  /// At a poll the limit of watches is tried again, once.
  void try_watches_again() noexcept { may_watch_again_ = true; }

  /// Reads the directory and what is below it as far as the policy says, and settles the differences.
  /// Returns the error that kept `top` itself from being read.
  std::error_code scan(node_id top, scan_policy policy, moment m) {
    std::error_code ec;
    directory d = lookup_.open_surely(top, ec);
    if (d) return scan(top, std::move(d), policy, m);
    could_not_open(top, ec);
    return ec;
  }

  std::error_code scan(node_id top, directory d, scan_policy policy, moment m) {
    ++s_.counted.rescans;
    const std::error_code ec = walk(top, std::move(d), policy, m);
    if (!several_) settle_arrivals(policy, m);
    return ec;
  }

  /// Makes a name known that has come, if it counts, and reads what is in it. Returns it, or no_node.
  node_id take_in(node_id parent, std::string_view name, entry_type type, moment m) {
    const bool is_directory = type == entry_type::directory;
    const verdict v = s_.judge(parent, name, is_directory);
    if (!counts(v, is_directory)) {
      if (is_directory || !s_.may_lead_on(parent, name) || !lookup_.is_symlink(parent, name)) return no_node;
      type = entry_type::symlink;
    }
    const node_id made = s_.appear(parent, name, type, v == verdict::hidden, m, facts::telling::tell);
    if (is_directory) read(made, m);
    return made;
  }

  /// Reads a directory that has come.
  void read(node_id id, moment m) {
    if (s_.root_of(id).recursive) (void)scan(id, {}, m);
  }

  /// A directory has come to a place where what is in it does not count.
  void disregard_content(node_id id, moment m) {
    while (s_.known[id].first_child != no_node) s_.settle.vanish(s_.known[id].first_child, m);
    s_.lose_watch(id);
    s_.known[id].polled = false;
  }

  /// Several scans that are one look: what one of them misses another may find. Ends with settle_several().
  void begin_several() noexcept { several_ = true; }
  void settle_several(scan_policy policy, moment m) {
    several_ = false;
    settle_arrivals(policy, m);
  }
  /// What was scanned in this look is gone already, and with it what was found there.
  void forget_arrivals(node_id top) {
    std::erase_if(arrivals_, [&](const arrival& a) {
      if (!s_.known.is_within(a.parent, top)) return false;
      s_.known.names().release(a.name);
      return true;
    });
  }

  /// What a look at one name found (null: nothing) is taken as if its directory had been listed, between
  /// begin_several() and settle_several(). Returns whether it is what it was.
  bool take_look(node_id parent, std::string_view name, const file_status* found, bool wrote, moment m) {
    bool hidden = false;
    if (found != nullptr) {
      const bool is_directory = found->type == entry_type::directory;
      const verdict v = s_.judge(parent, name, is_directory);
      hidden = v == verdict::hidden;
      if (!counts(v, is_directory) && !(found->type == entry_type::symlink && s_.may_lead_on(parent, name)))
        found = nullptr;
    }
    const node_id known = s_.known.find(parent, name);
    another_ = false;
    if (found != nullptr && known != no_node && is_still(known, found->type, found->file_id, hidden)) {
      if (own_type(s_.known[known]) != found->type) s_.learn_type(known, found->type);
      const node& n = s_.known[known];
      if (n.type == entry_type::directory || n.link) {
        if (s_.opts.metadata) remember_look(s_, known, *found, m, true);
        return true;
      }
      const bool may_hide = wrote && n.racy;
      settle_content(s_, known, *found, m);
      if (may_hide) {
        s_.settle.change_content(known, m);
        remember_look(s_, known, *found, m, false);
      }
      return true;
    }
    if (known != no_node) missing_.take_out(known, m);
    if (found != nullptr)
      arrivals_.push_back({parent, s_.known.names().store(name), found->type, hidden, found->file_id});
    return false;
  }

  /// Reads a directory again, which is no root and no link, unless it is what its watch stands for. The queue has been
  /// read to its end.
  void verify(const doubtful& what, moment m) {
    const node_id id = what.id;
    const node& n = s_.known[id];
    if (n.type != entry_type::directory || !s_.root_of(id).recursive) return;
    std::error_code ec;
    directory d = lookup_.open_surely(id, ec);
    if (!d) return could_not_open(id, ec);
    if (!what.unread && n.watch != no_watch && lookup_.is_itself(id, d)) return;
    (void)scan(id, std::move(d), everything_caught_up, m);
  }

  /// A directory that could not be opened or read: looked at again when the hints of it have come, when it may be read,
  /// or at every poll_interval.
  void could_not_open(node_id id, std::error_code ec) {
    // Gone, replaced, or moved together with a directory above it: the hints about that are in the queue.
    if (is_absence(ec)) {
      s_.doubts.push_back({id, true});
      return;
    }
    node& n = s_.known[id];
    const bool again = n.unreadable;
    n.unreadable = true;
    const bool locked = ec == std::errc::permission_denied;
    if (!again) s_.tell(locked ? notice_kind::unreadable : notice_kind::failed, id, ec);
    if (locked && hears_of_permission<Backend>) return;
    // Out of descriptors or memory, or an error of the device: look again at every poll_interval.
    s_.poll(id);
  }

  /// A name in it could not be looked at, though it may be there. It may be a directory further up that forbids it: of
  /// that one's permission no hint tells this one.
  void could_not_look_in(node_id id, std::error_code ec) {
    could_not_open(id, ec);
    s_.poll(id);
  }

 private:
  struct frame {
    node_id id;
    directory dir;
    std::size_t first;  ///< its subdirectories that are still to be read: from here to the end of to_enter_
  };
  struct arrival {
    node_id parent;
    name_ref name;
    entry_type type;
    bool hidden;
    std::uint64_t file_id;
  };
  // Deep trees must not use up the descriptors: beyond this depth a directory is closed and opened anew.
  static constexpr std::size_t most_open = 24;

  std::error_code walk(node_id top, directory d, const scan_policy& policy, moment m) {
    const std::size_t base = frames_.size();
    const std::error_code ec = enter(top, std::move(d), policy, m);
    while (frames_.size() > base) {
      frame& f = frames_.back();
      if (s_.stopped) to_enter_.resize(f.first);  // nobody will be told of them
      if (to_enter_.size() == f.first) {
        frames_.pop_back();
        continue;
      }
      const node_id id = to_enter_.back();
      to_enter_.pop_back();
      std::error_code why;
      if (!f.dir) why = open_again(base);
      directory child = why ? directory() : f.dir.open_child(s_.known.name(id), why);
      if (!child) {
        could_not_open(id, why);
        continue;
      }
      (void)enter(id, std::move(child), policy, m);
    }
    return ec;
  }

  // Opens the last frame, and with it as many of those above it as may be open: the way down from the root, which may
  // be long, is gone once for all of them.
  [[nodiscard]] std::error_code open_again(std::size_t base) {
    std::error_code ec;
    std::size_t i = frames_.size() - base > most_open ? frames_.size() - most_open : base;
    for (directory d = lookup_.open(frames_[i].id, ec); !ec;
         d = frames_[i - 1].dir.open_child(s_.known.name(frames_[i].id), ec)) {
      if (!lookup_.is_itself(frames_[i].id, d)) return std::make_error_code(std::errc::no_such_file_or_directory);
      frames_[i].dir = std::move(d);
      if (++i == frames_.size()) break;
    }
    return ec;
  }

  // Watches, then lists (never the other way: what appears in between must be hinted at).
  std::error_code enter(node_id id, directory d, const scan_policy& policy, moment m) {
    const std::int32_t watch_before = s_.known[id].watch;
    const bool listed_before = watch_before != no_watch || s_.known[id].polled;
    if (!watch(id, d, policy)) return {};
    const bool fresh = !listed_before && s_.known[id].first_child == no_node && missing_.empty();
    const std::size_t first = to_enter_.size();
    another_ = s_.known[id].watch != watch_before;
    const std::error_code ec =
        s_.known[id].polled ? read_polled(id, d, fresh, policy, m) : read_names(id, d, fresh, policy, m);
    if (ec) {
      for (node_id c = s_.known[id].first_child; c != no_node; c = s_.known[c].next_sibling) s_.known[c].seen = false;
      to_enter_.resize(first);  // they are read when this directory is
      could_not_open(id, ec);
      return ec;
    }
    s_.known[id].unreadable = false;
    // Under a new watch, what was written before it stands was not heard of.
    if (!fresh) settle_known(id, d, policy.files || another_, policy, m);
    frames_.push_back({id, std::move(d), first});
    if (frames_.size() > most_open) frames_[frames_.size() - 1 - most_open].dir = directory();
    return {};
  }

  std::error_code read_names(node_id id, const directory& d, bool fresh, const scan_policy& policy, moment m) {
    const bool looks = s_.known[id].polled || only_says_where<Backend>;
    const bool recursive = s_.root_of(id).recursive;
    overlooked_ = false;
    return d.list(listing_, [&](std::string_view name, entry_type type, std::uint64_t file_id) {
      file_status status;
      if (type == entry_type::unknown) {
        if (d.look(name, status)) {
          overlooked_ = true;
          return;
        }
        type = status.type;
      }
      const verdict v = s_.judge(id, name, type == entry_type::directory);
      const bool is_directory = type == entry_type::directory;
      if (!counts(v, is_directory) && !(type == entry_type::symlink && s_.may_lead_on(id, name))) return;
      const bool hidden = v == verdict::hidden;
      const node_id known = s_.known.find(id, name);
      if (fresh) {
        if (known != no_node) return;  // removed and made again while it was listed: it is in the listing twice
        const node_id child = s_.appear(id, name, type, hidden, m, policy.telling);
        s_.known[child].file_id = file_id;
        if (is_directory && recursive) to_enter_.push_back(child);
        if (looks && !d.look(name, status)) remember_look(s_, child, status, m, false);
        return;
      }
      if (known != no_node && is_still(known, type, file_id, hidden)) {
        s_.known[known].seen = true;
        s_.known[known].file_id = file_id;
        if (s_.known[known].type != type) s_.learn_type(known, type);
      } else {
        arrivals_.push_back({id, s_.known.names().store(name), type, hidden, file_id});
      }
    });
  }

  // While the change time of a polled directory is what it was before the last listing, so are its names. Not where
  // all is to be looked at: the directory may be another, or its names may count otherwise.
  std::error_code read_polled(node_id id, const directory& d, bool fresh, const scan_policy& policy, moment m) {
    file_status before;
    const bool dated = !d.look({}, before);
    if (dated && !fresh && !policy.everywhere && s_.known[id].stamp == listing_stamp(before)) {
      for (node_id c = s_.known[id].first_child; c != no_node; c = s_.known[c].next_sibling) s_.known[c].seen = true;
      return {};
    }
    if (const std::error_code ec = read_names(id, d, fresh, policy, m)) return ec;
    // Within the tick of its last change another one does not move the time. (The stamp of the listing before may come
    // true again: that of a directory which a mount covers.)
    const bool lasts = !overlooked_ && dated && is_past_tick(before.changed, m.file_now) && d.dates_its_names();
    s_.known[id].stamp = lasts ? listing_stamp(before) : m.file_now;
    return {};
  }

  [[nodiscard]] bool is_still(node_id child, entry_type type, std::uint64_t file_id, bool hidden) const noexcept {
    const node& n = s_.known[child];
    // What was heard of may never have been asked for its number. In another directory it is another file.
    const bool is_number_unknown = n.file_id == 0 && (!another_ || n.type == entry_type::directory);
    if (!is_number_unknown && n.file_id != file_id) return false;
    return (n.link || n.hidden == hidden) && can_be(n, type);
  }

  // The listing is complete: what was not in it is missing, what was may have been written.
  void settle_known(node_id id, const directory& d, bool files, const scan_policy& policy, moment m) {
    const bool recursive = s_.root_of(id).recursive;
    const bool looks = files || s_.known[id].polled;
    for (node_id c = s_.known[id].first_child; c != no_node;) {
      node& n = s_.known[c];
      const node_id next = n.next_sibling;
      const bool was_seen = n.seen;
      n.seen = false;
      if (n.link && policy.everywhere) s_.suspect(n.attributes);
      if (!was_seen) {
        missing_.take_out(c, m);
      } else if (n.type == entry_type::directory) {
        const bool looked_at = n.watch == no_watch || n.polled;
        if (recursive && !n.link && (policy.everywhere || looked_at)) to_enter_.push_back(c);
        file_status status;
        if (looks && !n.link && s_.opts.metadata && !d.look(s_.known.name(c), status))
          remember_look(s_, c, status, m, true);
      } else if (looks) {
        file_status status;
        const std::error_code ec = d.look(s_.known.name(c), status);
        const bool polled = s_.known[id].polled;
        // A polled one has only this look. (A listing and a look may number a file differently: overlays, bind mounts.)
        const bool is_it = !ec && can_be(n, status.type) && (polled || n.file_id == status.file_id);
        if (is_it)
          settle_file(c, status, m);
        else if (!polled && (!ec || is_absence(ec)))
          // It has left since, or another one came, as a hint will say. Whether it was written before that nobody can
          // tell any more.
          s_.settle.change_content(c, m);
      }
      c = next;
    }
  }

  void settle_file(node_id id, const file_status& status, moment m) {
    if (s_.known[s_.known[id].parent].polled && s_.known[id].stamp == 0) return remember_look(s_, id, status, m, false);
    settle_content(s_, id, status, m);
  }

  // Returns whether the directory may be listed as this node's.
  bool watch(node_id id, const directory& d, const scan_policy& policy) {
    node& n = s_.known[id];
    // One that is polled beside its watch is read before the hints are: it may be another directory by now.
    if (n.watch != no_watch && !n.polled && !policy.verify) return true;
    if (n.watch == no_watch && n.polled && !may_watch_again_) return true;
    const watch_answer answer = s_.disk.watch(d, s_.scope_of(id));
    if (answer.watch == no_watch) {
      may_watch_again_ = false;
      // What it had may be the watch of another directory, which had the name before.
      s_.lose_watch(id);
    } else if (n.watch != answer.watch) {
      if (const node_id other = rival(id, answer.watch, d); other != no_node) {
        s_.doubts.push_back({other});
        if (!policy.caught_up) {
          s_.doubts.push_back({id, true});
          return false;
        }
        s_.watches.remove(answer.watch, {other, false});
        s_.known[other].watch = no_watch;
      }
    }
    if (answer.watch != no_watch) s_.take_watch(id, answer);
    if (!answer.polled || !s_.poll(id)) return true;
    const bool first = n.parent == no_node || !s_.known[n.parent].polled;
    if (answer.error && first) s_.tell(notice_kind::polling, id, answer.error, answer.advice);
    return true;
  }

  // Another node of the same root that has this watch, though its path does not lead here (as it does with bind
  // mounts): one of the two is not what it seems.
  [[nodiscard]] node_id rival(node_id id, std::int32_t watch, const directory& d) {
    owners_.clear();
    s_.watches.find(watch, owners_);
    for (const watch_table::target& t : owners_)
      if (!t.guard && t.index != id && s_.known.root_of(t.index) == s_.known.root_of(id) &&
          !lookup_.leads_to(t.index, d))
        return t.index;
    return no_node;
  }

  // New names. Those that are the same file as one that is missing were renamed.
  void settle_arrivals(const scan_policy& policy, moment m) {
    while (!arrivals_.empty()) {
      const arrival a = arrivals_.back();
      arrivals_.pop_back();
      const std::string_view name = s_.known.names().view(a.name);
      if (!s_.stopped && s_.known.find(a.parent, name) == no_node) settle_arrival(a, name, policy, m);
      s_.known.names().release(a.name);
    }
    missing_.vanish(m);
    lookup_.close();
    s_.say_farewell();
  }

  void settle_arrival(const arrival& a, std::string_view name, const scan_policy& policy, moment m) {
    file_status status;
    const bool polled = s_.known[a.parent].polled;
    const bool looks = polled || only_says_where<Backend>;
    node_id id = missing_.find(a.file_id, a.parent);
    const std::error_code ec = id != no_node || looks ? lookup_.look(a.parent, name, status) : std::error_code();
    if (ec && polled) s_.known[a.parent].stamp = 0;  // its names are read again
    if (is_absence(ec)) {
      // Gone again, as a hint will say; or its directory has been moved, and of what an overflow dropped no hint tells.
      std::error_code why;
      if (!polled && (!lookup_.look_surely(a.parent, name, status, why) || !is_absence(why))) s_.doubt(a.parent);
      return;
    }
    // What was listed is there, though nobody may look at it now.
    const bool looked = looks && !ec;
    if (ec) id = no_node;
    if (id != no_node &&
        (s_.known[id].hidden || a.hidden || !is_same_file(s_.known[id], status) || s_.known.is_within(a.parent, id)))
      id = no_node;
    if (id != no_node) {
      if (s_.known[id].in_tree) s_.settle.lift(id, m);  // it was below a directory that is missing
      const bool wrote =
          a.type != entry_type::directory && content_differs_after_rename(s_.known[id], status, s_.quiet_since);
      s_.place(id, a.parent, name, m);
      if (s_.known[id].link) return;
      if (a.type == entry_type::directory)
        return walk_into(id, {policy.files, true, policy.verify, policy.caught_up, policy.telling}, m);
      if (wrote) s_.settle.change_content(id, m);
      if (!looks) return;
      remember_look(s_, id, status, m, !wrote);
      if (polled) s_.recent.note(id);
      return;
    }
    id = s_.appear(a.parent, name, a.type, a.hidden, m, policy.telling);
    s_.known[id].file_id = a.file_id;
    if (looked) {
      remember_look(s_, id, status, m, false);
      if (polled && a.type == entry_type::file) s_.recent.note(id);  // made, or saved by a rename
    }
    if (a.type == entry_type::directory) walk_into(id, policy, m);
  }

  void walk_into(node_id id, const scan_policy& policy, moment m) {
    if (!s_.is_listed(id)) return disregard_content(id, m);
    std::error_code ec;
    if (directory d = lookup_.open_surely(id, ec); d)
      (void)walk(id, std::move(d), policy, m);
    else
      could_not_open(id, ec);
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  std::vector<frame> frames_;
  std::vector<node_id> to_enter_;
  std::vector<arrival> arrivals_;
  missing_nodes<Backend> missing_{s_, lookup_};
  bool several_ = false;
  bool overlooked_ = false;  ///< a name whose type could not be learned
  bool another_ = false;     ///< the directory may be another than the one that was listed before
  std::vector<char> listing_;
  std::vector<watch_table::target> owners_;
  bool may_watch_again_ = true;
};

}  // namespace hotwatch::inline v0::detail
