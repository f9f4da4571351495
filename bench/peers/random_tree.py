# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""Operations at random, the same for the same seed: chosen before anything is watched, so that no watcher has a say."""
import random

from tree import OUT, Tree, is_outside

LETTERS = "abcdefghijkl"  # few, so that names come back
DEEPEST = 4  # directories
LARGEST = 10  # names in a directory that is removed or moved out
TARGET = "/dev/null"  # of symlinks: always there, so that who follows them tells them too


class Vandal:
    def __init__(self, seed, tree=None):
        self.chance, self.tree, self.number = random.Random(seed), tree or Tree(), 0

    def one_of(self, names):
        return self.chance.choice(sorted(names)) if names else None

    def of_kind(self, *kinds, outside=False):
        return [name for name, node in self.tree.nodes.items()
                if node.kind in kinds and name != OUT and is_outside(name) == outside]

    def directory(self, apart_from=None):
        """One of those watched, the first among them; never below `apart_from`."""
        return self.one_of([name for name in ["", *self.of_kind("directory")] if name.count("/") < DEEPEST - 1
                            and not f"{name}/".startswith(f"{apart_from}/")])

    def free_name(self, apart_from=None, outside=False):
        while True:
            where = OUT if outside else self.directory(apart_from)
            name = self.chance.choice(LETTERS) + self.chance.choice("01234567" if outside else "0")
            name = f"{where}/{name}" if where else name
            if name not in self.tree.nodes:
                return name

    def text(self):
        self.number += 1
        return f"{self.number}\n" * self.chance.choice([1, 100])

    # The operations. Each does nothing where there is nothing to do it to.

    def create(self):
        self.tree.put(self.free_name(), self.text())

    def write(self):
        if name := self.one_of(self.of_kind("file")):
            self.tree.put(name, self.text())

    def append(self):
        if name := self.one_of(self.of_kind("file")):
            self.tree.put(name, self.text(), append=True)

    def make_tree(self):
        """What `mkdir -p` does, and a file in it at once."""
        name = self.free_name()
        for _ in range(self.chance.randint(1, 3)):
            self.tree.mkdir(name)
            name += "/" + self.chance.choice(LETTERS) + "0"
        self.tree.put(name, self.text())

    def rename_file(self):
        if old := self.one_of(self.of_kind("file", "symlink")):
            self.tree.rename(old, self.free_name())

    def rename_directory(self):
        if old := self.one_of(self.of_kind("directory")):
            self.tree.rename(old, self.free_name(apart_from=old))

    def small_directories(self):
        """So that no operation takes all there is."""
        return [name for name in self.of_kind("directory") if len(self.tree.below(name)) <= LARGEST]

    def move_out(self):
        if old := self.one_of([*self.of_kind("file"), *self.small_directories()]):
            self.tree.rename(old, self.free_name(outside=True))

    def move_in(self):
        if old := self.one_of([n for n in self.of_kind("file", "directory", outside=True) if n.count("/") == 2]):
            self.tree.rename(old, self.free_name())

    def write_outside(self):
        """Also in directories that were watched before they were moved."""
        if name := self.one_of(self.of_kind("file", outside=True)):
            self.tree.put(name, self.text())

    def replace(self):
        old, new = self.one_of(self.of_kind("file")), self.one_of(self.of_kind("file"))
        if old and self.tree.nodes[old] is not self.tree.nodes[new]:  # rename(2) does nothing with two links of one
            self.tree.rename(old, new)

    def save(self):
        if name := self.one_of(self.of_kind("file")):
            new = self.free_name()
            self.tree.put(new, self.text())
            self.tree.rename(new, name)

    def unlink(self):
        if name := self.one_of(self.of_kind("file", "symlink")):
            self.tree.unlink(name)

    def remove_tree(self):
        if name := self.one_of(self.small_directories()):
            self.tree.remove_tree(name)

    def link(self):
        if old := self.one_of(self.of_kind("file")):
            self.tree.link(old, self.free_name())

    def symlink(self):
        self.tree.symlink(TARGET, self.free_name())

    def prepare(self):
        """A tree to begin with; returns the steps to it."""
        for _ in range(20):
            self.make_tree()
            self.create()
        return self.tree.steps

    def work(self, operations):
        """So many operations from a quiet moment on; returns the steps."""
        usual = [self.create, self.write, self.append, self.make_tree, self.rename_file, self.rename_directory,
                 self.move_out, self.move_in, self.write_outside, self.replace, self.save, self.unlink, self.link]
        seldom = [self.remove_tree, self.symlink]
        self.tree.begin()
        while len(self.tree.steps) < operations:
            self.chance.choice(2 * usual + seldom)()
        return self.tree.steps
