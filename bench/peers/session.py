# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""One watcher over one directory, and the lines that it writes, each with its time."""
import collections
import os
import shutil
import tempfile
import threading
import time

DEADLINE = 20  # s, for a watcher to tell of a sentinel
QUIET = 0.7  # s without a line, after the sentinel: the rest of a batch; watchdog waits 0.5 s for half a move
SENTINEL = ".sentinel-"

# A change that was told.
Told = collections.namedtuple("Told", "time kind path old")


class Session:
    """A thread takes the time of what comes through the pipe; it is read later.

    The directory is new, `prepare` fills it before the watcher starts, and the session begins when the watcher has come
    to rest. With a `tree` it is that one, and the session begins with the watcher.
    """

    def __init__(self, watcher, prepare=lambda root: None, command=None, tree=None, sentinel_every=0.1):
        self.watcher, self.tree, self.sentinel_every = watcher, tree, sentinel_every
        self.scratch = tempfile.mkdtemp(prefix="hotwatch-peers-")
        self.root = tree or os.path.join(os.path.realpath(self.scratch), "root")
        if not tree:
            os.mkdir(self.root)
            prepare(self.root)
        self.told, self.chunks, self.rest, self.sentinels = [], collections.deque(), b"", 0
        self.last = time.monotonic()
        self.began = time.monotonic_ns()
        command = watcher.command if command is None else command
        self.output, self.workers = watcher.start(self.root, self.scratch, command)
        threading.Thread(target=self.take, daemon=True).start()

    def __enter__(self):
        if not self.tree:
            self.settle(0.25)
            self.told.clear()
        return self

    def __exit__(self, *_):
        for worker in self.workers:
            worker.kill()
            worker.wait()
        for number in range(self.sentinels):
            os.unlink(self.path(f"{SENTINEL}{number}"))
        shutil.rmtree(self.scratch, ignore_errors=True)

    def take(self):
        descriptor = self.output.fileno()
        try:
            while chunk := os.read(descriptor, 1 << 20):
                self.chunks.append((time.monotonic_ns(), chunk))
        except OSError:
            pass

    def read(self):
        """All that was told so far. What is no change (a log line on standard error) is a notice."""
        while self.chunks:
            at, chunk = self.chunks.popleft()
            self.last = time.monotonic()
            *lines, self.rest = (self.rest + chunk).split(b"\n")
            for line in lines:
                text = os.fsdecode(line)
                try:
                    self.told += (Told(at, *what) for what in self.watcher.read(text))
                except (ValueError, KeyError, TypeError):
                    self.told.append(Told(at, "notice", text, None))
        return self.told

    def wait_until_ready(self):
        """Returns the ms since its start, to when it says that it watches or tells of a sentinel; None: it does not."""
        end = time.monotonic() + DEADLINE
        if not self.watcher.says_ready:
            self.settle(0)
        while time.monotonic() < end and not self.ended():
            for told in self.read():
                if told.kind == "ready" if self.watcher.says_ready else self.is_sentinel(told.path):
                    return (told.time - self.began) / 1e6
            time.sleep(0.001)
        return None

    def settle(self, quiet=QUIET):
        """A sentinel is told, and then nothing for a while. Sentinels are repeated: a lost one is no lost answer."""
        end = time.monotonic() + DEADLINE
        next_sentinel, at, first = 0.0, len(self.told), self.sentinels
        seen = False
        while time.monotonic() < end:
            self.read()
            now = time.monotonic()
            while at < len(self.told) and not seen:
                seen = self.is_sentinel(self.told[at].path, first)
                at += 1
            if not seen and now >= next_sentinel:
                self.write(f"{SENTINEL}{self.sentinels}")
                self.sentinels += 1
                next_sentinel = now + self.sentinel_every
            elif seen and now - self.last > quiet:
                return True
            if self.ended() and not self.chunks:
                return False
            time.sleep(0.005)
        return False

    def ended(self):
        return self.workers[0].poll() is not None

    def is_sentinel(self, path, first=0):
        prefix = self.path(SENTINEL)
        return bool(path) and path.startswith(prefix) and int(path[len(prefix):]) >= first

    def path(self, name):
        return f"{self.root}/{name}"

    def write(self, name, text=b"text"):
        """One open, one write, one close."""
        descriptor = os.open(self.path(name), os.O_WRONLY | os.O_CREAT, 0o644)
        os.write(descriptor, text)
        os.close(descriptor)

    def changes(self):
        """What was told of the files: neither sentinels, nor words beside the changes, nor the root."""
        for told in self.read():
            path = (told.path or "").rstrip("/")
            if told.kind not in ("notice", "ready") and path not in ("", self.root) and not self.is_sentinel(path):
                yield told

    def untold(self, names):
        told = {change.path for change in self.changes()}
        return sum(self.path(name) not in told for name in names)

    def words(self):
        def short(path):
            return os.path.relpath(path, self.root)

        return [f"{t.kind} {short(t.old) + ' -> ' if t.old else ''}{short(t.path)}" for t in self.changes()]
