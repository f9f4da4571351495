# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""Who is measured: where each watcher comes from, in which mode it runs, and how its lines are read."""
import dataclasses
import importlib.metadata
import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import time
import typing

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BUILD = ROOT / "build" / "peers"
VENV = BUILD / "venv"
SITE_PACKAGES = VENV / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
NODE = BUILD / "node"

DIRECTORY = object()  # stands in a command for the directory to watch
POLL_INTERVAL = 1  # s
START = 20  # s, for a server to answer


# Readers: a line becomes (kind, path, old path). `kind` is the watcher's own word, but for "ready" (it says that it
# watches now) and "notice" (what is told beside the changes).


def json_object(line):  # hotwatch
    told = json.loads(line)
    if "ready" in told:
        yield "ready", None, None
    elif "notice" in told:
        yield "notice", told["notice"], None
    else:
        yield told["kind"], told["path"], told.get("old_path")


def json_array(line):  # the adapters in this directory
    yield json.loads(line)


def word_and_path(line):  # inotifywait
    if line.startswith("Watches established"):
        yield "ready", None, None
        return
    word, path = line.split("|", 1)
    word = word.lower().replace("close_write,close", "close_write").replace(",isdir", "")
    yield ("notice" if word == "q_overflow" else word), path, None


def path_and_words(line):  # fswatch; "IsDir" and the like say nothing of what happened
    words, path = line.split("|", 1)
    words = " ".join(w.lower() for w in words.split() if not w.startswith("Is"))
    if words:
        yield ("notice" if words == "overflow" else words), path, None


def watchman_answer(line):
    told = json.loads(line)
    if "warning" in told:
        yield "notice", told["warning"], None
    if told.get("is_fresh_instance"):
        yield "ready", None, None
    for file in told.get("files", []):
        kind = "removed" if not file["exists"] else "created" if file["new"] else "modified"
        yield kind, os.path.join(told["root"], file["name"]), None


@dataclasses.dataclass(frozen=True)
class Watcher:
    """A program that writes a line a change into a pipe."""

    name: str
    origin: str  # registry and package
    mode: str  # the fastest one documented
    version: str | None
    read: typing.Callable
    command: typing.Any
    says_ready: bool = True  # and does so no sooner than it watches
    defaults: typing.Any = None  # a command with its own delays, where the shortest ones wake it when idle
    polling_mode: str | None = None
    polling: list | None = None

    def start(self, root, scratch, command):
        """Returns what its lines are read from, and the processes that do the work."""
        command = [root if word is DIRECTORY else word for word in command]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return process.stdout, [process]


class Watchman(Watcher):
    """A server of its own, asked in JSON through its socket; its command is its configuration."""

    def start(self, root, scratch, command):
        (pathlib.Path(scratch) / "config").write_text(json.dumps(command))
        path = f"{scratch}/socket"
        server = subprocess.Popen(
            ["watchman", "--foreground", f"--sockname={path}", f"--statefile={scratch}/state",
             f"--logfile={scratch}/log", f"--pidfile={scratch}/pid"],
            env={**os.environ, "WATCHMAN_CONFIG_FILE": f"{scratch}/config"}, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        connection = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + START
        while connection.connect_ex(path) != 0:
            if time.monotonic() > end:
                server.kill()
                raise RuntimeError("watchman does not start")
            time.sleep(0.001)
        lines = connection.makefile("rwb", buffering=0)
        lines.write(json.dumps(["watch", root]).encode() + b"\n")
        lines.readline()  # a second request before the answer is not seen
        lines.write(json.dumps(["subscribe", root, "s", {"fields": ["name", "exists", "new"]}]).encode() + b"\n")
        return lines, [server]


# Versions; None: it is not installed.


def says(*command):
    try:
        found = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    except FileNotFoundError:
        return None
    number = re.search(r"\d[\w.+-]*", found.stdout)
    return number and number[0]


def from_pypi(name):
    found = next(iter(importlib.metadata.distributions(name=name, path=[str(SITE_PACKAGES)])), None)
    return found and found.version


def from_npm(name):
    package = NODE / "node_modules" / name / "package.json"
    return json.loads(package.read_text())["version"] if package.exists() else None


def declared(program, file, pattern):
    """What an adapter of ours is built with."""
    return re.search(pattern, (HERE / file).read_text())[1] if program.exists() else None


def known():
    hotwatch = BUILD / "hotwatch"
    inotifywait = ["inotifywait", "-m", "-r", "--format", "%e|%w%f"]
    for event in ("modify", "close_write", "create", "delete", "move"):
        inotifywait += ["-e", event]
    fswatch = ["fswatch", "-r", "--allow-overflow", "--format", "%f|%p"]
    for event in ("Created", "Updated", "Removed", "Renamed", "MovedFrom", "MovedTo", "Overflow"):
        fswatch += ["--event", event]
    libuv, wtr = BUILD / "libuv-peer", BUILD / "wtr-peer"
    wtr_library = next(SITE_PACKAGES.glob(".wtr_watcher*/libwatcher-c.so*"), None)
    python = [VENV / "bin" / "python", HERE / "python_peers.py"]
    notify, fsnotify = BUILD / "notify" / "release" / "notify-peer", BUILD / "fsnotify-peer"
    node = [NODE / "node_modules" / ".bin" / "node", NODE / "node_peers.mjs"]
    interval = str(POLL_INTERVAL * 1000)
    return [
        Watcher("hotwatch", "this repository", "--immediate", says(hotwatch, "--version"), json_object,
                [hotwatch, "--json", "--immediate", DIRECTORY],
                polling_mode="--poll=1s", polling=[hotwatch, "--json", f"--poll={interval}ms", DIRECTORY]),
        Watcher("hotwatch (defaults)", "this repository", "settle, quiet 20 ms", says(hotwatch, "--version"),
                json_object, [hotwatch, "--json", DIRECTORY]),
        Watcher("inotifywait", "Debian inotify-tools", "-m -r", says("inotifywait", "--help"), word_and_path,
                [*inotifywait, DIRECTORY]),
        Watcher("fswatch", "Debian fswatch (libfswatch)", "inotify_monitor, -l 0.001", says("fswatch", "--version"),
                path_and_words, [*fswatch, "-l", "0.001", DIRECTORY], says_ready=False,
                defaults=[*fswatch, DIRECTORY], polling_mode="poll_monitor, -l 1",
                polling=[*fswatch, "-m", "poll_monitor", "-l", str(POLL_INTERVAL), DIRECTORY]),
        Watchman("watchman", "Debian watchman", "subscription over its socket, settle 1 ms",
                 says("watchman", "--version"), watchman_answer, {"settle": 1}, defaults={}),
        Watcher("libuv", "Debian libuv1-dev", "uv_fs_event, a handle for each directory", says(libuv, "--version"),
                json_array, [libuv, DIRECTORY]),
        Watcher("wtr-watcher", "PyPI wtr-watcher", "C interface of the wheel's library", from_pypi("wtr-watcher"),
                json_array, [wtr, wtr_library, DIRECTORY], says_ready=False),
        Watcher("watchdog", "PyPI watchdog", "Observer, event_filter", from_pypi("watchdog"), json_array,
                [*python, "watchdog", DIRECTORY], polling_mode="PollingObserver, timeout 1 s",
                polling=[*python, "watchdog", DIRECTORY, interval]),
        Watcher("watchfiles", "PyPI watchfiles", "watch(), step 1 ms, debounce 1 ms", from_pypi("watchfiles"),
                json_array, [*python, "watchfiles", DIRECTORY], says_ready=False,
                defaults=[*python, "watchfiles-defaults", DIRECTORY],
                polling_mode="force_polling, poll_delay_ms and step 1 s",
                polling=[*python, "watchfiles", DIRECTORY, interval]),
        Watcher("notify", "crate notify", "recommended_watcher, a closure as handler",
                declared(notify, "notify/Cargo.toml", r'notify = "=([^"]+)"'), json_array, [notify, DIRECTORY],
                polling_mode="PollWatcher, poll_interval 1 s", polling=[notify, DIRECTORY, interval]),
        Watcher("fsnotify", "Go module fsnotify", "NewWatcher, Add for each directory",
                declared(fsnotify, "fsnotify/go.mod", r"fsnotify v(\S+)"), json_array, [fsnotify, DIRECTORY]),
        Watcher("chokidar", "npm chokidar", "defaults: backend native, no awaitWriteFinish", from_npm("chokidar"),
                json_array, [*node, "chokidar", DIRECTORY], polling_mode="backend polling, pollingInterval 1 s",
                polling=[*node, "chokidar", DIRECTORY, interval]),
        Watcher("@parcel/watcher", "npm @parcel/watcher", "backend inotify", from_npm("@parcel/watcher"), json_array,
                [*node, "parcel", DIRECTORY]),
    ]


def installed(only):
    """Those that are here, or of them those named `only`; a line on standard error for each that is not here."""
    for watcher in known():
        if only and watcher.name not in only:
            continue
        if watcher.version:
            yield watcher
        else:
            print(f"left out, not installed: {watcher.name}", file=sys.stderr)


def build_hotwatch():
    program, source = BUILD / "hotwatch", ROOT / "examples" / "hotwatch"
    inputs = [*source.rglob("*.[ch]pp"), *(ROOT / "include").rglob("*.hpp")]
    if not program.exists() or program.stat().st_mtime < max(i.stat().st_mtime for i in inputs):
        subprocess.run([os.environ.get("CXX", "c++"), "-std=c++20", "-O2", "-DNDEBUG", f"-I{ROOT / 'include'}",
                        source / "main.cpp", "-o", program, "-pthread"], check=True)
