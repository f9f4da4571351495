# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""What is wrong in what was told: somebody holds a list of names and believes each line, and is held to what was done.

In doubt for the watcher. What its words do not say is not asked of it; where a directory is told as new, what is in it
may be known from a look into it, and where a directory is told as gone, what was in it is gone too.
"""
import collections
import os
import re

from tree import is_outside

# What words mean. "put": there now, whether or not it was before. "absent": not there now, no word of before.
# "changed": anything; whoever reads it looks.
WORDS = {
    "created": "created", "create": "created", "added": "created", "add": "created", "addDir": "created",
    "CREATE": "created", "moved_to": "put", "created movedto": "put", "removed": "removed", "delete": "removed",
    "deleted": "removed", "destroy": "removed", "unlink": "removed", "unlinkDir": "removed", "REMOVE": "removed",
    "RENAME": "removed", "moved_from": "removed", "removed movedfrom": "removed", "absent": "absent",
    "modified": "modified", "modify": "modified", "close_write": "modified", "updated": "modified",
    "update": "modified", "change": "modified", "WRITE": "modified",
}
PATTERNS = [  # of the crate notify
    (r"Create\(", "created"), (r"Remove\(", "removed"), (r"Modify\(Name\(From", "removed"),
    (r"Modify\(Name\(To", "put"), (r"Modify\(Data|Access\(Close", "modified"),
]
FAULTS = ("lost", "by_directory", "twice", "wrong_kind", "stale_path")
CLAIMS_NOTHING = ("libuv",)  # its "rename" says neither that something is there nor that it is not:
UNCLAIMED = ("twice", "wrong_kind")  # None for it


def meaning(told, watcher):
    if told.old:
        return "moved"
    if watcher == "watchman" and told.kind == "removed":
        return "absent"  # it says that a name does not exist, also of one that it never told
    for pattern, what in PATTERNS:
        if re.match(pattern, told.kind):
            return what
    return WORDS.get(told.kind, "changed")


def directories_above(name):
    while name := os.path.dirname(name):
        yield name


class Reader:
    """Believes each line, and notes which could not be so."""

    def __init__(self, tree):
        self.tree, self.after = tree, tree.names()
        self.names = {name: False for name in tree.before if not is_outside(name)}  # and whether its content was told
        self.taken = {}  # what went with a directory, by its name
        self.told, self.gone, self.ever_gone, self.carried = set(), set(), set(), set()
        self.looked_into, self.unsure = set(), set()
        self.faults = collections.defaultdict(set)
        self.counts = collections.Counter()

    def fault(self, what, name):
        self.counts[what] += 1
        self.faults[what].add(name)

    def may_know(self, name):
        return name in self.unsure or any(d in self.looked_into for d in directories_above(name))

    def drop(self, name):
        self.taken[name] = {n: self.names.pop(n) for n in list(self.names) if n.startswith(name + "/")}
        self.names.pop(name, None)
        self.gone.add(name)
        self.ever_gone.add(name)
        return self.taken[name]

    def is_stale(self, name, *sets):
        return name not in self.after and not any(name in s for s in sets)

    def take(self, what, name, old):
        getattr(self, what)(name, *([old] if old else []))
        self.told |= {name, old} - {None}

    def created(self, name):
        if self.is_stale(name, self.tree.came, self.tree.replaced):
            self.fault("stale_path", name)
        elif name in self.names:
            self.fault("wrong_kind" if name in self.tree.went | self.tree.replaced else "twice", name)
        self.put(name, checked=True)

    def put(self, name, checked=False):
        if not checked and self.is_stale(name, self.tree.came, self.tree.replaced):
            self.fault("stale_path", name)
        self.names[name] = True
        self.gone.discard(name)
        self.looked_into.add(name)

    def modified(self, name):
        if self.is_stale(name, self.tree.came, self.tree.replaced, self.tree.written):
            self.fault("stale_path", name)
        elif name not in self.names and not self.may_know(name):
            self.fault("wrong_kind", name)
        if name in self.names:
            self.names[name] = True

    def removed(self, name):
        if name not in self.names:
            if name in self.gone:
                self.fault("twice", name)
            elif not self.may_know(name) and not any(name in below for below in self.taken.values()):
                self.fault("wrong_kind" if name in self.tree.went else "stale_path", name)
        self.drop(name)

    def absent(self, name):
        if name not in self.names and self.is_stale(name, self.tree.went):
            self.fault("stale_path", name)
        self.drop(name)

    def moved(self, name, old):
        carries = old in self.names
        if not carries and old not in self.taken and not self.may_know(old) and name not in self.carried:
            self.fault("wrong_kind" if old in self.tree.went else "stale_path", name)
        elif self.is_stale(name, self.tree.came, self.tree.replaced):
            self.fault("stale_path", name)
        below = self.drop(old) if carries else self.taken.get(old, {})
        moved = {name + n[len(old):]: told for n, told in below.items()}
        if name not in self.carried:  # as it is where the directory was told first, and then each name in it
            self.drop(name)
        self.gone -= {name, *moved}
        self.names |= {name: True, **moved}
        self.carried |= moved.keys()
        if not carries:
            self.looked_into.add(name)

    def changed(self, name):
        if self.is_stale(name, self.tree.came, self.tree.went, self.tree.written, self.tree.before):
            self.fault("stale_path", name)
        self.unsure.add(name)
        self.looked_into.add(name)
        if name in self.after:
            self.names[name] = True
        else:
            self.drop(name)

    def finish(self):
        """At the quiet moment: what is missing, and what is false by the last word of it."""
        missing = {name for name in self.tree.gone() if name in self.names and name not in self.ever_gone}
        for name in (self.tree.new() | self.tree.other()) - self.told:
            written_as = self.tree.written_as.get(name, set())
            content_told = not written_as or self.names.get(name) or written_as & self.told
            if name not in self.carried or name not in self.names or not content_told:
                missing.add(name)
        for name in missing:
            self.fault("by_directory" if self.may_know(name) else "lost", name)
        for name in self.told - missing - self.faults["wrong_kind"] - self.faults["stale_path"]:
            would_be_seen = name in self.after and self.may_know(name)
            if (name in self.names) != (name in self.after) and not would_be_seen:
                self.fault("wrong_kind", name)


def judge(tree, session):
    """Counts of what differs since the tree's `begin`, and of each fault in what the session told of it."""
    reader = Reader(tree)
    for told in session.changes():
        name, old = (path and os.path.relpath(path, session.root) for path in (told.path, told.old))
        reader.take(meaning(told, session.watcher.name), name, old)
    reader.finish()
    differ = len(tree.gone()) + len(tree.new()) + len(tree.other())
    unclaimed = UNCLAIMED if session.watcher.name in CLAIMS_NOTHING else ()
    return {"differ": differ, **{fault: None if fault in unclaimed else reader.counts[fault] for fault in FAULTS}}


def total(counts):
    """The sum, key by key; None is no number."""
    numbers = {key: [of[key] for of in counts if of[key] is not None] for key in counts[0]}
    return {key: sum(found) if found else None for key, found in numbers.items()}
