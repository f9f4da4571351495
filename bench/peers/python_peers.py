# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""usage: python_peers.py watchdog|watchfiles|watchfiles-defaults DIRECTORY [POLL_MS]

Prints each change that a watcher from PyPI tells as one JSON line: [kind, path, old path or null]. With POLL_MS it
looks at everything every so many milliseconds instead of asking the kernel.
"""
import json
import os
import sys


def tell(*changes):
    os.write(1, "".join(json.dumps(change) + "\n" for change in changes).encode())


def with_watchdog(root, poll_ms):
    from watchdog import events, observers
    from watchdog.observers.polling import PollingObserver

    class Handler(events.FileSystemEventHandler):
        def on_any_event(self, event):
            moved = event.event_type == "moved"
            tell([event.event_type, event.dest_path if moved else event.src_path, event.src_path if moved else None])

    kinds = ["Created", "Modified", "Deleted", "Moved"]
    wanted = [getattr(events, f"{what}{kind}Event") for what in ("File", "Dir") for kind in kinds]
    observer = PollingObserver(timeout=poll_ms / 1000) if poll_ms else observers.Observer()
    observer.schedule(Handler(), root, recursive=True, event_filter=wanted)
    observer.start()
    tell(["ready", root, None])
    observer.join()


def with_watchfiles(root, **times):
    import watchfiles

    for changes in watchfiles.watch(root, watch_filter=None, **times):
        tell(*([change.name, path, None] for change, path in changes))


def main(peer, directory, poll_ms="0"):
    poll_ms = int(poll_ms)
    if peer == "watchdog":
        with_watchdog(directory, poll_ms)
    elif peer == "watchfiles" and poll_ms:
        with_watchfiles(directory, debounce=poll_ms, step=poll_ms, force_polling=True, poll_delay_ms=poll_ms)
    elif peer == "watchfiles":
        with_watchfiles(directory, debounce=1, step=1)
    elif peer == "watchfiles-defaults":
        with_watchfiles(directory)
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(*sys.argv[1:])
