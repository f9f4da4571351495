# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""What is done to a tree: the steps for the disk, and what became of each name meanwhile."""
import os
import shutil
import time

OUT = "../out"  # beside what is watched, on the same file system


class Node:
    """What a name stands for; hard links share one."""

    def __init__(self, kind):
        self.kind, self.text = kind, ""


class Tree:
    """Names below the watched directory, and below OUT. `begin` starts a time of which it then tells."""

    def __init__(self, directories=(), files=()):
        self.nodes = {OUT: Node("directory"), **{name: Node("directory") for name in directories},
                      **{name: Node("file") for name in files}}
        self.begin()

    def begin(self):
        self.steps = []
        self.before = {name: (node, node.text) for name, node in self.nodes.items()}
        # Names that were not there and then were; were there and then were not; got another content or entry; became
        # another node while there.
        self.came, self.went, self.written, self.replaced = set(), set(), set(), set()
        self.written_as = {}  # of a name: under which it was written to, and moved from there; not by other links

    def below(self, directory):
        return [name for name in self.nodes if name.startswith(directory + "/")]

    def names(self):
        """All that is there, of what is watched."""
        return {name for name in self.nodes if not is_outside(name)}

    def enter(self, name, node, written_as=None):
        self.nodes[name] = node
        if written_as:
            self.written_as[name] = written_as
        self.came.add(name)
        self.written.add(os.path.dirname(name))

    def leave(self, name):
        self.went.add(name)
        self.written.add(os.path.dirname(name))
        return self.nodes.pop(name), self.written_as.pop(name, None)

    # The operations, each of which works.

    def put(self, name, text, append=False):
        self.steps.append(("append" if append else "put", name, text))
        if name not in self.nodes:
            self.enter(name, Node("file"))
        node = self.nodes[name]
        node.text = node.text + text if append else text
        self.written_as.setdefault(name, set()).add(name)
        self.written.add(name)

    def mkdir(self, name):
        self.steps.append(("mkdir", name))
        self.enter(name, Node("directory"))

    def rename(self, old, new):
        self.steps.append(("rename", old, new))
        if new in self.nodes:
            self.replaced.add(new)
            self.nodes.pop(new)
            self.written_as.pop(new, None)
        for name in [old, *self.below(old)]:
            self.enter(new + name[len(old):], *self.leave(name))

    def unlink(self, name):
        self.steps.append(("unlink", name))
        self.leave(name)

    def remove_tree(self, name):
        self.steps.append(("remove_tree", name))
        for gone in [name, *self.below(name)]:
            self.leave(gone)

    def link(self, old, new):
        self.steps.append(("link", old, new))
        self.enter(new, self.nodes[old])

    def symlink(self, target, new):
        self.steps.append(("symlink", target, new))
        self.enter(new, Node("symlink"))

    # What of it has to be told.

    def gone(self):
        return {name for name in self.before if name not in self.nodes and not is_outside(name)}

    def new(self):
        return {name for name in self.nodes if name not in self.before and not is_outside(name)}

    def other(self):
        """Files that are there as before, with another content. What is written by one link is that name's alone."""
        return {name for name, node in self.nodes.items()
                if name in self.before and not is_outside(name) and node.kind == "file"
                and self.before[name] != (node, node.text) and name in self.came | self.written}


def is_outside(name):
    return name == OUT or name.startswith(OUT + "/")


def carry_out(root, steps, pause=0):
    """The steps, as calls of the system, with so many seconds between two."""
    def put(name, text, how=os.O_TRUNC):
        descriptor = os.open(f"{root}/{name}", os.O_WRONLY | os.O_CREAT | how, 0o644)
        if text:
            os.write(descriptor, text.encode())
        os.close(descriptor)

    calls = {
        "put": put,
        "append": lambda name, text: put(name, text, os.O_APPEND),
        "mkdir": lambda name: os.mkdir(f"{root}/{name}"),
        "rename": lambda old, new: os.rename(f"{root}/{old}", f"{root}/{new}"),
        "unlink": lambda name: os.unlink(f"{root}/{name}"),
        "remove_tree": lambda name: shutil.rmtree(f"{root}/{name}"),
        "link": lambda old, new: os.link(f"{root}/{old}", f"{root}/{new}"),
        "symlink": lambda target, new: os.symlink(target, f"{root}/{new}"),
    }
    for call, *arguments in steps:
        calls[call](*arguments)
        if pause:
            time.sleep(pause)
