# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""From the rounds to the results (medians, worst counts, quantiles), and from the results to JSON and Markdown."""
import json
import re
import statistics

from judge import total

QUANTILES = 50  # steps: a distribution is so many plus one figures


def median(rounds, key):
    values = [r[key] for r in rounds if r[key] is not None]
    return round(statistics.median(values), 3) if values else None


def worst(rounds, key):
    return max(r[key] for r in rounds)


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def latency(rounds):
    told = [sorted(r["us"]) for r in rounds if r["us"]]
    result = {"untold": worst(rounds, "untold")}
    if told:
        pooled = sorted(us for taken in told for us in taken)
        p99 = [percentile(taken, 0.99) for taken in told]
        result |= {"p50_us": round(statistics.median(percentile(taken, 0.5) for taken in told), 1),
                   "p99_us": round(statistics.median(p99), 1), "worst_p99_us": round(max(p99), 1),
                   "quantiles_us": [round(percentile(pooled, i / QUANTILES), 1) for i in range(QUANTILES + 1)]}
    return result


def resting(rounds):
    return {"wakeups": median(rounds, "wakeups"), "cpu_ms": median(rounds, "cpu_ms")}


def startup(rounds):
    return {"ready_ms": median(rounds, "ready_ms"), "untold": worst(rounds, "untold")}


SUMMARIES = {
    "latency": latency,
    "new_trees": lambda rounds: {"untold": worst(rounds, "untold"), "blind": worst(rounds, "blind")},
    "renamed_directory": lambda rounds: {"told": sorted({r["told"] for r in rounds})},
    # Each different answer of the rounds once.
    "saves": lambda rounds: {save: [list(lines) for lines in dict.fromkeys(tuple(r[save]) for r in rounds)]
                             for save in ("atomic", "backup")},
    "burst": lambda rounds: {"untold": worst(rounds, "untold")},
    "overflow": lambda rounds: {"untold": worst(rounds, "untold"), "ended": any(r["ended"] for r in rounds),
                                "said": all(r["said"] for r in rounds)},
    "idle": resting,
    "idle_with_defaults": resting,
    "polling": lambda rounds: {"cpu_ms": median(rounds, "cpu_ms")},
}


def at_random(seeds):
    """All seeds and rounds together."""
    return {"operations": sum(r["operations"] for r in seeds), **total([r["faults"] for r in seeds]),
            "runs": len(seeds), "ended": sum(r["ended"] for r in seeds),
            "unanswered": sum(not r["answered"] and not r["ended"] for r in seeds)}


def faults(scenarios):
    """Of each scenario that notes them; of the rounds of one the worst."""
    result = {}
    if seeds := [r for name, rounds in scenarios.items() if name.startswith("random_") for r in rounds]:
        result["random"] = at_random(seeds)
    for name, rounds in scenarios.items():
        if not name.startswith("random_") and all(r and "faults" in r for r in rounds):
            of = [r["faults"] for r in rounds]
            result[name] = {key: max((f[key] for f in of if f[key] is not None), default=None) for key in of[0]}
    return result


def summary(watcher, scenarios):
    """What the results say of one watcher. Scenarios that are not for it, or were not run, are left out."""
    result = {"name": watcher.name, "version": watcher.version, "origin": watcher.origin, "mode": watcher.mode}
    if watcher.polling_mode:
        result["polling_mode"] = watcher.polling_mode
    if found := faults(scenarios):
        result["faults"] = found
    for name, rounds in scenarios.items():
        if None in rounds:
            continue
        if any(r.get("answered") is False for r in rounds):
            result.setdefault("unanswered", []).append(name)
        if name.startswith("startup_"):
            result.setdefault("startup", {})[name.removeprefix("startup_")] = startup(rounds)
        elif not name.startswith("random_"):
            result[name] = SUMMARIES[name](rounds)
    return result


def compact_json(results):
    """A line a scenario, not one a quantile."""
    text = json.dumps(results, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^][{}]*\]", lambda array: re.sub(r"\s*\n\s*", " ", array[0]), text) + "\n"


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(str(c).replace("|", "\\|") for c in r) + " |" for r in rows])


def counts(values):
    values = list(values)
    return str(min(values)) if min(values) == max(values) else f"{min(values)} to {max(values)}"


def microseconds(value):
    return f"{value:,.0f} µs" if value < 10000 else f"{value / 1000:,.0f} ms"


def latency_words(of):
    if "p50_us" not in of:
        return ["none told", "-", of["untold"]]
    return [microseconds(of["p50_us"]), f"{microseconds(of['p99_us'])} (worst {microseconds(of['worst_p99_us'])})",
            of["untold"]]


def overflow_words(of):
    return f"{of['untold']}; {'ended' if of['ended'] else 'yes' if of['said'] else 'no'}"


def resting_words(watcher):
    def words(of):
        return f"{of['wakeups']:.0f}, {of['cpu_ms']:.1f} ms"

    defaults = watcher.get("idle_with_defaults")
    return words(watcher["idle"]) + (f" (defaults: {words(defaults)})" if defaults else "")


def look_ms(cpu_ms, sizes):
    """CPU time of one look: all pollers rest for the interval from the end of a look to the next, and run between."""
    return cpu_ms * sizes["poll_interval"] / (sizes["polling_seconds"] - cpu_ms / 1000)


def polling_words(watcher, sizes):
    took = look_ms(watcher["polling"]["cpu_ms"], sizes)
    entries = sizes["polled_files"] + sizes["polled_directories"]
    return [f"{took:.1f} ms", f"{entries / took * 1000:,.0f}"]


def startup_words(of):
    return f"{of['ready_ms']:,.0f} ms ({of['untold']})" if of["ready_ms"] else "not ready"


def columns(sizes):
    """Of the large table: the scenario that a column is of, its heads, and its cells."""
    return [
        ("new_trees", [f"new trees: untold of {sizes['trees']}", f"then blind of {sizes['blind']}"],
         lambda of: [of["untold"], of["blind"]]),
        ("renamed_directory", ["write below a renamed directory"], lambda of: [" / ".join(of["told"])]),
        ("saves", ["atomic save: lines", "save with backup: lines"],
         lambda of: [counts(map(len, of[save])) for save in ("atomic", "backup")]),
        ("burst", [f"burst: untold of {sizes['burst']}"], lambda of: [of["untold"]]),
        ("overflow", [f"held up: untold of {sizes['burst']}; said so"], lambda of: [overflow_words(of)]),
        ("latency", ["p50", "p99", f"untold of {sizes['writes']}"], latency_words),
    ]


def named(watcher, *cells):
    return [f"{watcher['name']} {watcher['version']}", *cells]


# The sections of the page: title, explanation, and table. Each is asked only for the watchers that its scenario was run
# with.


def modes(watchers, _):
    return ("Modes", "The fastest that the documentation of each names.",
            table(["watcher", "from", "mode", "polling mode"],
                  [named(w, w["origin"], w["mode"], w.get("polling_mode", "-")) for w in watchers]))


def changes(watchers, sizes):
    run = [column for column in columns(sizes) if all(column[0] in w for w in watchers)]
    heads = [head for _, heads, _ in run for head in heads]
    rows = [named(w, *(cell for name, _, cells in run for cell in cells(w[name]))) for w in watchers]
    if all("idle" in w for w in watchers):
        heads.append(f"idle, {sizes['idle_seconds']} s: wake-ups, CPU")
        rows = [[*row, resting_words(w)] for row, w in zip(rows, watchers)]
    return "What is told, and when", patience(watchers), table(["watcher", *heads], rows)


def patience(watchers):
    """Who was not waited for, and so may have told later what is counted as untold."""
    slow = [f"{w['name']} ({', '.join(w['unanswered'])})" for w in watchers if "unanswered" in w]
    return f"Still busy when the time for the sentinel was over, and not waited for: {'; '.join(slow)}." if slow else ""


LINES = ("twice", "wrong_kind", "stale_path")


def fault_cells(of):
    return ["-" if of[fault] is None else of[fault] for fault in LINES]


def random_cells(of):
    lost = str(of["lost"])
    for what, words in (("ended", "ended"), ("unanswered", "not waited for")):
        if of[what]:
            lost += f"; {words} in {of[what]} of {of['runs']}"
    return [f"{of['operations']:,}", f"{of['differ']:,}", lost, of["by_directory"], *fault_cells(of)]


def wrongs(watchers, sizes):
    run = [(name, head) for name, head in (("new_trees", "new trees"), ("renamed_directory", "renamed directory"),
                                           ("saves", "saves"), ("overflow", "held up"))
           if all(name in w["faults"] for w in watchers)]
    behind = "Behind it the lines of the other scenarios: twice / wrong kind / stale path. " if run else ""
    return ("What is wrong in what is told",
            f"A tree changed at random, {sizes['seeds']} seeds, the same for all, {sizes['quiet_moments']} quiet "
            "moments in each. *Lost*: names that differ at a quiet moment and were not told; *by directory*: only a "
            "directory above was told as new, and one has to look into it. *Twice*, *wrong kind*, *stale path*: lines. "
            f"{behind}A dash: its words do not say so much.",
            table(["watcher", "operations", "names that differ", "lost", "by directory", "twice", "wrong kind",
                   "stale path", *(head for _, head in run)],
                  [named(w, *random_cells(w["faults"]["random"]),
                         *(" / ".join(map(str, fault_cells(w["faults"][name]))) for name, _ in run))
                   for w in watchers]))


def starts(watchers, sizes):
    return ("Start-up",
            "From the start of the process until it says that it watches, by the number of directories; in brackets how "
            f"many of {sizes['probes']} files that were written to after that were not told.",
            table(["watcher", *(f"{int(tree):,}" for tree in watchers[0]["startup"])],
                  [named(w, *map(startup_words, w["startup"].values())) for w in watchers]))


def pollers(watchers, sizes):
    return ("Polling",
            f"{sizes['polled_files']:,} unchanged files in {sizes['polled_directories']} directories at an interval of "
            f"{sizes['poll_interval']} s: CPU time of a look, and directory entries for a second of it.",
            table(["watcher", "mode", "a look", "entries a second"],
                  [named(w, w["polling_mode"], *polling_words(w, sizes)) for w in watchers]))


def lines_of_saves(watchers, _):
    def cell(answers):
        return " **or** ".join("; ".join(lines) for lines in answers)

    return ("Lines of a save", "",
            table(["watcher", "atomic save", "save with backup"],
                  [[w["name"], cell(w["saves"]["atomic"]), cell(w["saves"]["backup"])] for w in watchers]))


def conditions(run):
    on, (before, after) = run["machine"], run["load"]
    cpu = f" ({on['cpu']})" if on["cpu"] else ""
    return (f"{run['date']}, {on['system']}, {on['cores']} cores{cpu}, queue of {on['queue']} events, "
            f"{run['rounds']} rounds, load {before:.1f} before and {after:.1f} after")


def markdown(results):
    page = ("# hotwatch beside its peers\n\n"
            "Written by `bench/peers/run`; `docs/performance.md` tells how it is measured.\n\n"
            f"{conditions(results)}.\n")
    for section, scenario in ((modes, "mode"), (changes, "mode"), (wrongs, "faults"), (starts, "startup"),
                              (pollers, "polling"), (lines_of_saves, "saves")):
        if section is wrongs:
            watchers = [w for w in results["watchers"] if "random" in w.get("faults", {})]
        else:
            watchers = [w for w in results["watchers"] if scenario in w]
        if watchers:
            title, text, rows = section(watchers, results["sizes"])
            if section is wrongs and "faults_run" in results:
                text = f"{text}\n\nA run of its own: {conditions(results['faults_run'])}."
            page += "\n".join(["", f"## {title}", "", *([text, ""] if text else []), rows, ""])
    return page
