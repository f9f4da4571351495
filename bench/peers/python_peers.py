# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""usage: python_peers.py watchdog|watchfiles|watchfiles-defaults|watcher DIRECTORY

Prints each change that a watcher from PyPI tells as one JSON line: [kind, path, old path or null].
"""
import json
import os
import sys
import threading


def tell(*changes):
    os.write(1, "".join(json.dumps(change) + "\n" for change in changes).encode())


def with_watchdog(root):
    from watchdog import events, observers

    class Handler(events.FileSystemEventHandler):
        def on_any_event(self, event):
            moved = event.event_type == "moved"
            tell([event.event_type, event.dest_path if moved else event.src_path, event.src_path if moved else None])

    kinds = ["Created", "Modified", "Deleted", "Moved"]
    wanted = [getattr(events, f"{what}{kind}Event") for what in ("File", "Dir") for kind in kinds]
    observer = observers.Observer()
    observer.schedule(Handler(), root, recursive=True, event_filter=wanted)
    observer.start()
    observer.join()


def with_watchfiles(root, **times):
    import watchfiles

    for changes in watchfiles.watch(root, watch_filter=None, **times):
        tell(*([change.name, path, None] for change, path in changes))


def with_watcher(root):
    import watcher

    def on_event(event):
        kind, path = event.effect_type.name.lower(), event.path_name
        if event.path_type is watcher.PathType.WATCHER:
            tell(["notice", path, None])
        elif event.associated_path_name:
            tell([kind, event.associated_path_name, path])
        else:
            tell([kind, path, None])

    with watcher.Watch(root, on_event):
        threading.Event().wait()


if __name__ == "__main__":
    _, peer, directory = sys.argv
    if peer == "watchdog":
        with_watchdog(directory)
    elif peer == "watchfiles":
        with_watchfiles(directory, debounce=1, step=1)
    elif peer == "watchfiles-defaults":
        with_watchfiles(directory)
    elif peer == "watcher":
        with_watcher(directory)
    else:
        sys.exit(__doc__)
