// SPDX-FileCopyrightText: The hotwatch authors
// SPDX-License-Identifier: BSL-1.0
// What claims to work with -fno-exceptions and -fno-rtti (docs/design.md): the records of a kernel become a batch.
#include <hotwatch/backend.hpp>
#include <hotwatch/config.hpp>
#include <hotwatch/core/difference.hpp>
#include <hotwatch/core/facts.hpp>
#include <hotwatch/core/recent_nodes.hpp>
#include <hotwatch/core/rename_pairs.hpp>
#include <hotwatch/core/watch_table.hpp>
#include <hotwatch/decode/inotify.hpp>
#include <hotwatch/glob/matcher.hpp>
#include <hotwatch/glob/parser.hpp>
#include <hotwatch/mailbox.hpp>
#include <hotwatch/options.hpp>
#include <hotwatch/version.hpp>
#if HOTWATCH_LINUX
#include <hotwatch/os/linux/directory.hpp>
#include <hotwatch/os/linux/root_path.hpp>
#include <hotwatch/os/linux/time.hpp>
#endif

#if defined(__cpp_exceptions) || defined(__cpp_rtti)
#error "to be compiled with -fno-exceptions -fno-rtti"
#endif

using namespace hotwatch::detail;

int main() {
  tree known;
  ledger told(known);
  debounce_clock due{hotwatch::debounce{}};
  facts settle(known, told, due);
  const std::vector<root_label> labels{{hotwatch::root_id{}, "root", false}};
  const path_text paths(known, told, labels);
  difference differing(known, told, paths);
  const node_id root = known.make_root(0);

  struct {
    inotify::record_head head{1, inotify::in_create, 0, 16};
    char name[16] = "logo.png";
  } record;
  const std::span bytes(reinterpret_cast<const char*>(&record), sizeof record);
  inotify::decode(bytes,
                  [&](const hotwatch::hint& h) { settle.appear(root, h.name, hotwatch::entry_type::file, false, {}); });
  (void)differing.tell(due, {}, true);

  hotwatch::mailbox box;
  box(hotwatch::batch(differing.changes(), {}));
  std::size_t right = 0;
  box.drain([&](const hotwatch::change& c) { right += c.path == "root/logo.png" ? 1u : 0u; });
  return right == 1 ? 0 : 1;
}
