// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
#pragma once
// Roots: added, lost, found again, replaced by something else, removed. Floor 5.

#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "../error.hpp"
#include "look_outcome.hpp"
#include "lookup.hpp"
#include "scanner.hpp"
#include "state.hpp"

namespace hotwatch::inline v0::detail {

template <class Backend>
class root_keeper {
 public:
  using directory = typename Backend::directory;

  root_keeper(engine_state<Backend>& state, lookup<Backend>& lookup, scanner<Backend>& scan) noexcept
      : s_(state), lookup_(lookup), scan_(scan) {}

  /// `given` has no trailing slashes, `absolute` is the same place. On an error nothing is left of it.
  std::error_code add(root_id id, std::string given, std::string absolute, root_options options, moment m) {
    if (find(given, absolute) != s_.roots.size()) return errc::root_exists;
    check_suspects(m);  // what is behind a new link of another root is still to be told
    const std::uint32_t index = free_place();
    root& r = s_.roots[index];
    r = root{};
    r.alive = true;
    r.recursive = options.recursive;
    r.absolute = std::move(absolute);
    s_.labels[index] = {id, std::move(given), false};
    scan_policy policy;
    policy.telling = options.report_existing ? facts::telling::tell : facts::telling::known_already;
    const std::error_code ec = open_and_scan(index, policy, m);
    if (ec) {
      forget(index, m);
      return ec;
    }
    guard(index);
    s_.suspect(index);  // it may have been moved before its watch stood
    policy.files = policy.everywhere = policy.verify = true;
    check_suspects(policy, m);
    return {};
  }

  /// Nothing of the root is told any more, not even what is pending.
  std::error_code remove(std::string_view given, std::string_view absolute, moment m) {
    const std::uint32_t index = find(given, absolute);
    if (index == s_.roots.size()) return errc::unknown_root;
    forget(index, m);
    return {};
  }

  /// Checks the suspects, and follows new links. What is moved about all the while stays suspect, for the next turn.
  void check_suspects(moment m) { check_suspects(everything, m); }
  [[nodiscard]] bool has_suspects() const noexcept { return !s_.suspects.empty() || !s_.new_links.empty(); }

  /// Looks at a whole root or link again: after an overflow, or at a poll.
  void rescan(std::uint32_t index, const scan_policy& policy, moment m) { check(index, policy, true, m); }

  /// Reads a directory again unless it is what it was: what its watch stands for, or what its own way led to. The queue
  /// has been read to its end.
  void verify(const doubtful& what, moment m) {
    const node& n = s_.known[what.id];  // its number may be another's by now
    if (!n.in_tree) return;
    if (!has_own_way(n)) return scan_.verify(what, m);
    check(n.attributes, everything_caught_up, what.unread, m);
  }

  /// A hint's name in a directory that stands for a single file: the node's name, or nothing.
  [[nodiscard]] std::string_view name_in(const root& r, std::string_view name) const {
    return s_.is_same_name(name, r.target) ? r.name() : std::string_view();
  }

 private:
  void check_suspects(const scan_policy& policy, moment m) {
    do {
      for (; !s_.new_links.empty(); s_.new_links.pop_back()) follow(s_.new_links.back());
      checked_.clear();
      checked_.swap(s_.suspects);
      for (const std::uint32_t index : checked_) {
        s_.roots[index].suspected = false;
        if (s_.roots[index].alive) check(index, policy, false, m);
      }
    } while (!s_.new_links.empty());
  }

  // Whatever the symlink leads to, if anything: that may change.
  void follow(node_id id) {
    node& n = s_.known[id];
    if (!n.in_tree || n.type != entry_type::symlink || n.link || s_.root_of(id).is_file) return;
    const bool recursive = s_.root_of(id).recursive;
    const std::uint32_t index = free_place();
    root& r = s_.roots[index] = root{};
    r.alive = r.is_link = r.lost = true;
    r.recursive = recursive;
    r.node = id;
    s_.labels[index] = root_label{};
    n.link = true;
    n.attributes = index;
    s_.suspect(index);
  }

  // The root that was added by this path; the number of all when there is none.
  [[nodiscard]] std::uint32_t find(std::string_view given, std::string_view absolute) const noexcept {
    std::uint32_t i = 0;
    for (; i < s_.roots.size(); ++i) {
      const root& r = s_.roots[i];
      if (r.alive && !r.is_link && (s_.labels[i].given == given || r.absolute == absolute)) break;
    }
    return i;
  }

  std::uint32_t free_place() {
    for (std::uint32_t i = 0; i < s_.roots.size(); ++i)
      if (!s_.roots[i].alive) return i;
    s_.roots.emplace_back();
    s_.labels.emplace_back();
    return static_cast<std::uint32_t>(s_.roots.size() - 1);
  }

  std::error_code open_and_scan(std::uint32_t index, const scan_policy& policy, moment m) {
    std::error_code ec;
    root& r = s_.roots[index];
    directory d = s_.disk.open_root(r.absolute.c_str(), ec);
    r.node = s_.known.make_root(index);
    if (d) {
      file_status status;
      if ((ec = d.look({}, status))) return ec;
      r.device = status.device;
      r.file_id = status.file_id;
      return scan_.scan(r.node, std::move(d), policy, m);
    }
    if (ec != std::errc::not_a_directory) return ec;
    r.is_file = s_.labels[index].is_file = true;
    r.recursive = false;
    s_.known[r.node].hidden = true;
    return look_at_file(index, policy.telling, m);
  }

  // A single file. Its directory is watched, so it may be replaced, removed and made again; where symlinks lead to it,
  // their change is the file's change.
  std::error_code look_at_file(std::uint32_t index, facts::telling telling, moment m) {
    root& r = s_.roots[index];
    const std::size_t slash = r.absolute.rfind('/');
    std::string where = s_.disk.resolve(r.absolute.c_str());
    r.lost = where.empty();
    if (where.empty()) {  // not there: wait for it where its name would be
      where = s_.disk.resolve(slash == 0 ? "/" : r.absolute.substr(0, slash).c_str());
      if (where.empty()) return lose_file(r, std::make_error_code(std::errc::no_such_file_or_directory), m);
      if (where.back() != '/') where += '/';
      where += r.name();
    }
    const std::size_t cut = where.rfind('/');
    r.directory = cut == 0 ? "/" : where.substr(0, cut);
    r.target = where.substr(cut + 1);

    std::error_code ec;
    directory d = s_.disk.open_root(r.directory.c_str(), ec);
    if (!d) {
      if (is_absence(ec)) return lose_file(r, ec, m);
      poll(r, ec);
      return ec;
    }
    if (const watch_answer answer = watch_entries(r, d); answer.polled) poll(r, answer.error, answer.advice);
    file_status status;
    const node_id child = s_.known.find(r.node, r.name());
    ec = d.look(r.target, status);
    if (ec || status.type == entry_type::symlink) {
      if (child != no_node) s_.settle.vanish(child, m);
      return ec;
    }
    if (status.type != entry_type::file) {
      if (child != no_node) s_.settle.vanish(child, m);
      return errc::not_a_file_or_directory;
    }
    if (child != no_node) s_.known[child].type = entry_type::file;
    if (child == no_node) {
      const node_id made = s_.settle.appear(r.node, r.name(), entry_type::file, false, m, telling);
      remember_look(s_, made, status, m, false);
    } else if (r.device != status.device ||
               (s_.known[child].file_id != 0 && s_.known[child].file_id != status.file_id)) {
      s_.settle.change_content(child, m);
      remember_look(s_, child, status, m, false);
      if (s_.known[r.node].polled) s_.recent.note(child);
    } else {
      settle_content(s_, child, status, m);
    }
    r.device = status.device;
    return {};
  }

  // Its directory is gone, or a file has taken its place.
  std::error_code lose_file(root& r, std::error_code why, moment m) {
    r.lost = true;
    if (const node_id child = s_.known.find(r.node, r.name()); child != no_node) s_.settle.vanish(child, m);
    s_.lose_watch(r.node);
    return why;
  }

  watch_answer watch_entries(root& r, const directory& d) {
    const watch_answer answer = s_.disk.watch(d, watch_scope::entries);
    if (answer.watch != no_watch)
      s_.take_watch(r.node, answer);
    else
      s_.lose_watch(r.node);
    return answer;
  }

  // Without a watch, or where no hint would tell that it can be opened.
  void poll(root& r, std::error_code why, std::string_view advice = {}) {
    if (s_.poll(r.node) && why) s_.tell(notice_kind::polling, r.node, why, advice);
  }

  // Is the root or the link what it was? It is scanned if not, and in any case when it is `to_be_read`.
  void check(std::uint32_t index, const scan_policy& policy, bool to_be_read, moment m) {
    root& r = s_.roots[index];
    if (!lookup_.is_placed(r.node)) {  // a link that is missing: gone, or to be found elsewhere in this look
      if (to_be_read) s_.doubt(r.node);
      return;
    }
    check_way(index, policy, to_be_read, m);
    if (r.is_link && r.lost) show(r, how_told(r, policy), m);
    if (r.is_looked_at || (r.is_link && r.guards.empty())) s_.poll(r.node);
  }

  void check_way(std::uint32_t index, const scan_policy& policy, bool to_be_read, moment m) {
    root& r = s_.roots[index];
    // The guard stands before the look, so that what happens after the look is hinted at.
    guard_answer way = guard(index);
    if (r.is_file) {
      (void)look_at_file(index, facts::telling::tell, m);
      if (way.error && s_.known[r.node].watch == no_watch) poll(r, way.error);
      if (r.lost && way.leads_on) s_.suspect(index);
      if (r.sees_new_names && !r.lost) guard(index);
      return;
    }
    // What leads to a lost root may have come while the guard was put there, and what was found may have been moved
    // before its watch stood: once more.
    for (int tries = 0; tries < 3; ++tries) {
      std::error_code ec;
      directory d = r.is_link ? open_link(r, ec) : s_.disk.open_root(r.absolute.c_str(), ec);
      if (ec == std::errc::too_many_symbolic_link_levels) way.leads_on = false;
      if (d) {
        // The way may have been in pieces when it was guarded.
        const bool guarded = way.leads_on || r.guards.empty() || tries != 0;
        if (!find_again(r, std::move(d), policy, to_be_read, m) && guarded) return;
        to_be_read = false;
      } else if (ec == std::errc::operation_canceled) {
        s_.doubts.push_back({r.node, true});
        return;
      } else if (!r.lost && !is_lost(ec)) {
        return scan_.could_not_open(r.node, ec);
      } else if (!r.lost) {
        lose(index, ec, m);
      } else if (tries != 0 && (!is_absence(ec) || !way.leads_on)) {
        // Where the way ends its guard tells when it leads on, if there is one.
        if (!is_absence(ec) || way.error) poll(r, is_absence(ec) ? way.error : ec);
        return;
      }
      way = guard(index);
    }
    s_.suspect(index);
  }

  // Opens what the link leads to. ECANCELED: whether it is still this link nobody can tell yet, the hints are in the
  // queue. ELOOP: it leads back.
  directory open_link(root& r, std::error_code& ec) {
    const node& n = s_.known[r.node];
    const std::string_view name = s_.known.name(r.node);
    file_status status;
    const directory above = lookup_.open(n.parent, ec);
    if (ec && !is_absence(ec)) return directory();
    if (!above || !lookup_.is_itself(n.parent, above) || above.look(name, status) ||
        status.type != entry_type::symlink) {
      ec = std::make_error_code(std::errc::operation_canceled);
      return directory();
    }
    directory d = above.open_link(name, ec);
    if (!d || (ec = d.look({}, status))) return directory();
    r.pruned = s_.judge(n.parent, name, true) == verdict::pruned;
    if (r.pruned || !lookup_.leads_back(n.parent, status)) return d;
    ec = std::make_error_code(std::errc::too_many_symbolic_link_levels);
    return directory();
  }

  // What is known already when its root is added is what a link leads to at first.
  [[nodiscard]] facts::telling how_told(const root& r, const scan_policy& policy) const noexcept {
    const bool first = r.is_link && r.file_id == 0 && s_.known[r.node].record == 0;
    return first ? policy.telling : facts::telling::tell;
  }

  // A link to an excluded directory is not told.
  void show(root& r, facts::telling how, moment m) {
    const node& n = s_.known[r.node];
    const entry_type type = r.shown();
    const verdict v = s_.judge(n.parent, s_.known.name(r.node), type == entry_type::directory);
    const bool hidden = v != verdict::told || (r.pruned && !r.lost);
    if (n.type == type && n.hidden == hidden) return;
    const std::uint32_t index = n.attributes;
    s_.known[r.node].link = false;
    r.node = s_.settle.show_as(r.node, type, hidden, m, how);
    node& shown = s_.known[r.node];
    shown.link = true;
    shown.attributes = index;
    if (s_.known[shown.parent].polled) shown.stamp = 0;  // it was not looked at as what it is now
  }

  // Whether it is another directory than it was, or its watch was gone: then it was scanned.
  bool find_again(root& r, directory d, const scan_policy& policy, bool to_be_read, moment m) {
    file_status status;
    if (const std::error_code ec = d.look({}, status)) {
      scan_.could_not_open(r.node, ec);
      return false;
    }
    const node& n = s_.known[r.node];
    const bool same = r.device == status.device && r.file_id == status.file_id && n.type == r.shown();
    if (same && !r.lost && (n.watch != no_watch || n.polled)) {
      if (r.is_link) show(r, facts::telling::tell, m);
      if (to_be_read && r.is_entered()) (void)scan_.scan(r.node, std::move(d), policy, m);
      return false;
    }
    const facts::telling how = how_told(r, policy);
    if (!r.lost && r.device != status.device) vanish_contents(r.node, m);  // inode numbers mean others there
    r.device = status.device;
    r.file_id = status.file_id;
    s_.lose_watch(r.node);
    scan_.forget_arrivals(r.node);  // of the one that stood here a moment ago
    const bool was_lost = std::exchange(r.lost, false);
    if (r.is_link)
      show(r, how, m);
    else if (was_lost)
      s_.tell(notice_kind::root_restored, r.node);
    if (r.is_entered())
      (void)scan_.scan(r.node, std::move(d), {policy.files, true, true, policy.caught_up, how}, m);
    else if (watch_entries(r, d).polled)  // only its going is of interest
      s_.poll(r.node);
    return true;
  }

  // Whether a root that cannot be opened is gone, or shut; else something else is wrong, and it may be there.
  [[nodiscard]] static bool is_lost(std::error_code ec) noexcept {
    return is_absence(ec) || ec == std::errc::permission_denied || ec == std::errc::operation_not_permitted;
  }

  void lose(std::uint32_t index, std::error_code ec, moment m) {
    root& r = s_.roots[index];
    r.lost = true;
    scan_.forget_arrivals(r.node);
    vanish_contents(r.node, m);
    s_.lose_watch(r.node);
    if (!r.is_link) s_.tell(notice_kind::root_lost, r.node, ec);
  }

  void vanish_contents(node_id top, moment m) {
    while (s_.known[top].first_child != no_node) s_.settle.vanish(s_.known[top].first_child, m);
    s_.say_farewell();
  }

  guard_answer guard(std::uint32_t index) {
    root& r = s_.roots[index];
    std::vector<std::int32_t> old = std::move(r.guards);
    r.guards.clear();
    // Where the way ended, every new name is told. A live watch's mask can only grow (IN_MASK_ADD): it is made anew.
    // What happens in between is found by the look that follows.
    if (std::exchange(r.sees_new_names, r.lost) && !r.lost)
      for (const std::int32_t watch : std::exchange(old, {})) s_.release_watch(watch, {index, true});
    if (r.is_link) r.absolute = lookup_.path_of(s_.known[r.node].parent, s_.known.name(r.node));
    guard_answer way = s_.disk.guard(r.absolute.c_str(), r.guards);
    r.awaited = std::move(way.awaited);
    r.is_looked_at = way.polled;
    const std::error_code refused = way.error;
    if (refused && (way.polled || refused != std::errc::permission_denied) && !std::exchange(r.unguarded, true))
      if (!way.polled || !s_.known[r.node].polled)
        s_.tell(way.polled ? notice_kind::polling : notice_kind::failed, r.node, refused, way.advice);
    // The new ones first: what stays guarded keeps its watch.
    for (const std::int32_t watch : r.guards) s_.watches.add(watch, {index, true});
    for (const std::int32_t watch : old) s_.release_watch(watch, {index, true});
    return way;
  }

  void forget(std::uint32_t index, moment m) {
    root& r = s_.roots[index];
    if (r.node != no_node) {
      vanish_contents(r.node, m);
      // What was told to be in this root is not told to have left it, and what moved elsewhere counts as new there.
      for (const record& rec : s_.told.records())
        if (rec.node != no_node && rec.told && told_root(rec) == r.node) leaving_.push_back(rec.node);
      for (const node_id id : leaving_) {
        if (s_.known[id].in_tree)
          s_.told.release_told_name(*s_.told.find(id));
        else
          s_.told.settle(id);
      }
      leaving_.clear();
      if (s_.told.empty()) s_.due.told(m.now, debounce_clock::never);
      s_.release_watch(s_.known[r.node].watch, {r.node, false});
      s_.known.free(r.node);
    }
    s_.forget_way(index);
  }

  [[nodiscard]] node_id told_root(const record& rec) const noexcept {
    node_id id = rec.told_parent;
    for (auto p = s_.paths.place_of(id, view::told); p.parent != no_node; p = s_.paths.place_of(id, view::told))
      id = p.parent;
    return id;
  }

  engine_state<Backend>& s_;
  lookup<Backend>& lookup_;
  scanner<Backend>& scan_;
  std::vector<std::uint32_t> checked_;
  std::vector<node_id> leaving_;
};

}  // namespace hotwatch::inline v0::detail
