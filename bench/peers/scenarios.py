# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""What is done to a watcher, and what is noted of it: each scenario is a function of a watcher."""
import functools
import json
import os
import pathlib
import re
import signal
import tempfile
import time

from judge import judge, total
from random_tree import Vandal
from session import QUIET, Session
from tree import Tree, carry_out
from watchers import POLL_INTERVAL

# How much of each; the results carry them along.
SIZES = {"trees": 1000, "blind": 100, "burst": 30000, "writes": 300, "write_every_ms": 20, "probes": 10,
         "idle_directories": 1000, "idle_seconds": 3, "polled_directories": 100, "polled_files": 10000,
         "polling_seconds": 10, "poll_interval": POLL_INTERVAL, "seeds": 3, "quiet_moments": 4, "operations": 250,
         "pause_ms": 1}


def make_directories(root, count):
    """In directories of a hundred. Returns their names."""
    names = []
    for number in range(count):
        name = f"d{number // 100}" if number % 100 == 0 else f"d{number // 100}/e{number % 100}"
        os.mkdir(f"{root}/{name}")
        names.append(name)
    return names


def in_a_process(work):
    """What `work` returns, done in a process of its own: it waits for no lock of the reader."""
    here, there = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(there, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(there)
    with open(here) as answer:
        result = json.load(answer)
    os.waitpid(child, 0)
    return result


def new_trees(watcher):
    tree = Tree()
    for i in range(SIZES["trees"]):
        for directory in (f"n{i}", f"n{i}/a", f"n{i}/a/b"):
            tree.mkdir(directory)
        tree.put(f"n{i}/a/b/f", "text")
    with Session(watcher) as session:
        carry_out(session.root, tree.steps)
        answered = session.settle()
        untold = session.untold(f"n{i}/a/b/f" for i in range(SIZES["trees"]))
        faults = judge(tree, session)
        tested = [f"n{i}/a/b/g" for i in range(0, SIZES["trees"], SIZES["trees"] // SIZES["blind"])]
        for name in tested:
            session.write(name)
        answered = session.settle() and answered
        return {"untold": untold, "blind": session.untold(tested), "answered": answered, "faults": faults}


def renamed_directory(watcher):
    def prepare(root):
        os.mkdir(root + "/old")
        pathlib.Path(root, "old", "f").write_text("text")

    tree = Tree(["old"], ["old/f"])
    with Session(watcher, prepare) as session:
        tree.rename("old", "new")
        carry_out(session.root, tree.steps)
        session.settle()
        faults = judge(tree, session)
        session.told.clear()
        tree.begin()
        tree.put("new/f", "other text")
        session.write("new/f", b"other text")
        answered = session.settle()
        faults = total([faults, judge(tree, session)])
        at = [name for name in ("new", "old") if session.untold([f"{name}/f"]) == 0]
        return {"told": {"new": "yes", "old": "old path", "": "not at all", "new old": "both paths"}[" ".join(at)],
                "answered": answered, "faults": faults}


def saves(watcher):
    def prepare(root):
        pathlib.Path(root, "f").write_text("text")

    atomic, backup = Tree(files=["f"]), Tree(files=["f"])
    atomic.put("f.tmp", "new text")
    atomic.rename("f.tmp", "f")
    backup.rename("f", "f~")
    backup.put("f", "new text")
    backup.unlink("f~")
    result, faults = {}, []
    for name, tree in (("atomic", atomic), ("backup", backup)):
        with Session(watcher, prepare) as session:
            carry_out(session.root, tree.steps)
            session.settle()
            result[name] = session.words()
            faults.append(judge(tree, session))
    return {**result, "faults": total(faults)}


def at_random(watcher, seed):
    """The same operations for the same seed, in every second round with a pause between two, and looks at each quiet
    moment. Nothing more is done to a watcher that has ended, or that is busy for too long."""
    vandal = Vandal(seed)

    def prepare(root):
        os.mkdir(f"{root}/../out")
        carry_out(root, vandal.prepare())

    faults, operations, notices = [], 0, set()
    with Session(watcher, prepare) as session:
        for number in range(SIZES["quiet_moments"]):
            session.told.clear()
            steps = vandal.work(SIZES["operations"])
            pause = SIZES["pause_ms"] / 1000 * (number % 2)
            in_a_process(lambda: carry_out(session.root, steps, pause))
            answered = session.settle(2 * QUIET)
            operations += len(steps)
            faults.append(judge(vandal.tree, session))
            notices |= {t.path[:200] for t in session.told if t.kind == "notice"}
            if not answered:
                break
        return {"operations": operations, "answered": answered, "ended": session.ended(), "faults": total(faults),
                "notices": sorted(notices)[:5]}


def burst_names():
    return [f"d{i % 10}/f{i}" for i in range(SIZES["burst"])]


def make_burst_directories(root):
    for i in range(10):
        os.mkdir(f"{root}/d{i}")


def make_burst(session):
    for name in burst_names():
        session.write(name)


def burst(watcher):
    """As fast as one process makes them, while the watcher runs."""
    with Session(watcher, make_burst_directories) as session:
        in_a_process(lambda: make_burst(session))
        answered = session.settle()
        return {"untold": session.untold(burst_names()), "answered": answered}


def overflow(watcher):
    """While the watcher is held up, more than the kernel's queue holds."""
    with Session(watcher, make_burst_directories) as session:
        for worker in session.workers:
            os.kill(worker.pid, signal.SIGSTOP)
        try:
            make_burst(session)
        finally:
            for worker in session.workers:
                os.kill(worker.pid, signal.SIGCONT)
        answered = session.settle()
        notices = sorted({t.path[:200] for t in session.told if t.kind == "notice"})
        tree = Tree([f"d{i}" for i in range(10)])
        for name in burst_names():
            tree.put(name, "text")
        return {"untold": session.untold(burst_names()), "said": bool(notices), "notices": notices[:5],
                "ended": session.ended(), "answered": answered, "faults": judge(tree, session)}


def latency(watcher):
    """From just before write() to the line: one at a time, each to another existing file."""
    names = [f"f{i}" for i in range(SIZES["writes"])]

    def prepare(root):
        for name in names:
            pathlib.Path(root, name).write_text("text")

    with Session(watcher, prepare) as session:
        def write_all():
            times = []
            for name in names:
                descriptor = os.open(session.path(name), os.O_WRONLY)
                times.append(time.monotonic_ns())
                os.write(descriptor, b"more")
                os.close(descriptor)
                time.sleep(SIZES["write_every_ms"] / 1000)
            return times

        wrote = dict(zip(map(session.path, names), in_a_process(write_all)))
        answered = session.settle()
        first = {}
        for told in session.changes():
            first.setdefault(told.path, told.time)
        taken = [(first[path] - at) / 1000 for path, at in wrote.items() if path in first]
        return {"us": taken, "untold": len(wrote) - len(taken), "answered": answered}


def spent(session):
    """Voluntary context switches and CPU time (ns) of all threads."""
    switches = time_ns = 0
    for worker in session.workers:
        for task in pathlib.Path(f"/proc/{worker.pid}/task").iterdir():
            switches += int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", (task / "status").read_text())[1])
            time_ns += int((task / "schedstat").read_text().split()[0])
    return switches, time_ns


def spent_meanwhile(session, seconds):
    before = spent(session)
    time.sleep(seconds)
    after = spent(session)
    return {"wakeups": after[0] - before[0], "cpu_ms": (after[1] - before[1]) / 1e6}


def idle(watcher, command=None):
    with Session(watcher, lambda root: make_directories(root, SIZES["idle_directories"]), command) as session:
        time.sleep(0.5)
        return spent_meanwhile(session, SIZES["idle_seconds"])


def idle_with_defaults(watcher):
    return idle(watcher, watcher.defaults) if watcher.defaults is not None else None


def polling(watcher):
    """Looks at a tree in which nothing changes."""
    if not watcher.polling:
        return None

    def prepare(root):
        directories = make_directories(root, SIZES["polled_directories"])
        for i in range(SIZES["polled_files"]):
            pathlib.Path(root, directories[i % len(directories)], f"f{i}").write_text("text")

    with Session(watcher, prepare, watcher.polling, sentinel_every=POLL_INTERVAL / 2) as session:
        time.sleep(2 * POLL_INTERVAL)  # the look that finds the last sentinel is not counted
        return spent_meanwhile(session, SIZES["polling_seconds"])


@functools.cache
def large_tree(directories):
    """Made once for all watchers, a file in each directory; lasts as long as this process."""
    holder = tempfile.TemporaryDirectory(prefix="hotwatch-tree-")
    root = os.path.realpath(holder.name)
    files = [f"{name}/f" for name in make_directories(root, directories)]
    for name in files:
        pathlib.Path(root, name).write_text("text")
    return holder, root, files


def startup(watcher, directories):
    """From the start of the process until it says that it watches, or tells of a sentinel; at once whether it does."""
    _, root, files = large_tree(directories)
    with Session(watcher, tree=root, sentinel_every=0.01) as session:
        ready_ms = session.wait_until_ready()
        session.told.clear()
        probes = files[:: len(files) // SIZES["probes"]]
        for name in probes:
            session.write(name, b"more")
        answered = session.settle()
        return {"ready_ms": ready_ms, "untold": session.untold(probes), "answered": answered}


def all_scenarios(tree_sizes):
    """Name and function, in the order of a round."""
    yield from ((s.__name__, s) for s in (latency, new_trees, renamed_directory, saves, burst, overflow, idle,
                                          idle_with_defaults, polling))
    for seed in range(1, SIZES["seeds"] + 1):
        yield f"random_{seed}", functools.partial(at_random, seed=seed)
    for directories in tree_sizes:
        yield f"startup_{directories}", functools.partial(startup, directories=directories)
