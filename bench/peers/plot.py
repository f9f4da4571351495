# SPDX-FileCopyrightText: The hotwatch authors
# SPDX-License-Identifier: BSL-1.0
"""Three pictures of the results, as SVG by hand: latency, start-up, and what was lost.

The background belongs to the picture and follows the reader's colour scheme, so the text is readable on any page.
"""
import html
import math

OURS = "hotwatch"
STYLE = """
.page { fill: #ffffff } .text, .strong { fill: #1f2328 } .faint { fill: #656d76 } .grid { stroke: #d8dee4 }
.ours { fill: #d1480c; stroke: #d1480c } .peer { fill: #7d8894; stroke: #7d8894 }
@media (prefers-color-scheme: dark) {
  .page { fill: #15191f } .text, .strong { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #2f353d }
  .ours { fill: #ff8a4c; stroke: #ff8a4c } .peer { fill: #848d97; stroke: #848d97 }
}
text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; stroke: none }
.title { font-size: 16px; font-weight: 600 } .strong { font-weight: 600 } .end { text-anchor: end }
.middle { text-anchor: middle }
"""


class Picture:
    """A page of a fixed width that shapes are put on, from the top left corner."""

    width = 820
    margin = 24
    top = 78  # below title and subtitle

    def __init__(self, title, subtitle):
        self.title, self.shapes = title, []
        self.text(self.margin, 34, title, "text title")
        self.text(self.margin, 55, subtitle, "faint")

    def text(self, x, y, words, style="text"):
        self.shapes.append(f'<text x="{x:.1f}" y="{y:.1f}" class="{style}">{html.escape(str(words))}</text>')

    def line(self, points, style, width=1.0):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(f'<polyline points="{path}" class="{style}" style="fill: none; stroke-width: {width}"/>')

    def area(self, points, style):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.shapes.append(f'<polygon points="{path}" class="{style}" fill-opacity="0.35" stroke-width="1"/>')

    def bar(self, x, y, width, height, style):
        size = f'width="{width:.1f}" height="{height:.1f}"'
        self.shapes.append(f'<rect x="{x:.1f}" y="{y:.1f}" {size} class="{style}"/>')

    def dot(self, x, y, style):
        self.shapes.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" class="{style}"/>')

    def svg(self, height):
        return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width} {height:.0f}" width="{self.width}" '
                f'height="{height:.0f}" role="img" aria-label="{html.escape(self.title)}">\n<style>{STYLE}</style>\n'
                f'<rect width="{self.width}" height="{height:.0f}" rx="8" class="page"/>\n' + "\n".join(self.shapes)
                + "\n</svg>\n")


class LogAxis:
    """Whole decades from `low` to `high`, laid between two coordinates."""

    def __init__(self, values, begin, end):
        self.low, self.high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
        self.high = max(self.high, self.low + 1)
        self.begin, self.end = begin, end

    def at(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def decades(self):
        return [10.0**exponent for exponent in range(self.low, self.high + 1)]

    def between(self):
        """2, 3 ... 9 times each decade."""
        return [decade * digit for decade in self.decades()[:-1] for digit in range(2, 10)]


def is_ours(watcher):
    return watcher["name"].startswith(OURS)


def styles(watcher):
    """Of its shapes, and of its name."""
    return ("ours", "strong") if is_ours(watcher) else ("peer", "text")


def duration(us):
    for limit, unit in ((1e3, "µs"), (1e6, "ms"), (math.inf, "s")):
        if us < limit:
            value = us / (limit / 1e3 if limit != math.inf else 1e6)
            return f"{value:.3g} {unit}" if value < 100 else f"{value:.0f} {unit}"


def density(quantiles, at):
    """How dense the logarithms are around `at`: a sum of bells, one a quantile."""
    width = 0.035
    return sum(math.exp(-(((at - math.log10(q)) / width) ** 2) / 2) for q in quantiles)


def latency(results):
    sizes = results["sizes"]
    watchers = [w for w in results["watchers"] if "p50_us" in w.get("latency", {})]
    if not watchers:
        return None
    watchers.sort(key=lambda w: w["latency"]["p50_us"])
    row, left, right = 38, 170, 640
    picture = Picture("Latency: from a write to its line", f"One write every {sizes['write_every_ms']} ms, each watcher "
                      "in its fastest mode. Logarithmic scale.")
    picture.text(right + 12, picture.top, "p50 / p99", "faint")
    bottom = picture.top + row * len(watchers) + 6
    axis = LogAxis([q for w in watchers for q in w["latency"]["quantiles_us"]], left, right)
    for value in axis.decades():
        picture.line([(axis.at(value), picture.top), (axis.at(value), bottom)], "grid")
        picture.text(axis.at(value), bottom + 18, duration(value), "faint middle")
    for value in axis.between():
        picture.line([(axis.at(value), bottom - 4), (axis.at(value), bottom)], "grid")
    steps = [axis.low + i * (axis.high - axis.low) / 400 for i in range(401)]
    for number, watcher in enumerate(watchers):
        of, (shape, label) = watcher["latency"], styles(watcher)
        base = picture.top + row * (number + 1)
        heights = [density(of["quantiles_us"], s) for s in steps]
        top = max(heights)
        curve = [(axis.at(10**s), base - (row - 8) * h / top) for s, h in zip(steps, heights) if h > top / 200]
        picture.area([(curve[0][0], base), *curve, (curve[-1][0], base)], shape)
        for share in ("p50_us", "p99_us"):
            picture.line([(axis.at(of[share]), base), (axis.at(of[share]), base - (row - 8) / 2)], shape, 2)
        picture.text(left - 12, base - 6, watcher["name"], f"{label} end")
        lost = f", {of['untold']} lost" if of["untold"] else ""
        picture.text(right + 12, base - 6, f"{duration(of['p50_us'])} / {duration(of['p99_us'])}{lost}", label)
    return picture.svg(bottom + 36)


def spread(wanted, gap):
    """Places for labels near where they are wanted, in the same order, none closer than `gap` to the next."""
    order = sorted(range(len(wanted)), key=wanted.__getitem__)
    groups = []  # of labels that touch: [sum of what its labels want of its first one, labels]
    for index in order:
        groups.append([wanted[index], [index]])
        while len(groups) > 1:
            (above, first), (below, second) = groups[-2:]
            if above / len(first) + gap * len(first) <= below / len(second):
                break
            groups[-2:] = [[above + below - gap * len(first) * len(second), first + second]]
    places = [0.0] * len(wanted)
    for total, members in groups:
        for number, index in enumerate(members):
            places[index] = total / len(members) + gap * number
    return places


def startup(results):
    watchers = []
    for watcher in results["watchers"]:
        ready = {int(tree): of["ready_ms"] for tree, of in watcher.get("startup", {}).items() if of["ready_ms"]}
        if ready:
            watchers.append((watcher, sorted(ready.items())))
    if not watchers:
        return None
    left, right, height = 90, 600, 420
    picture = Picture("Start-up: from the start of the process until it watches",
                      "By the number of directories, with a file in each. Both scales are logarithmic.")
    bottom = picture.top + height
    across = LogAxis([tree for _, ready in watchers for tree, _ in ready], left, right)
    up = LogAxis([ms for _, ready in watchers for _, ms in ready], bottom, picture.top)
    for tree in across.decades():
        picture.line([(across.at(tree), picture.top), (across.at(tree), bottom)], "grid")
        picture.text(across.at(tree), bottom + 18, f"{tree:,.0f}", "faint middle")
    picture.text((left + right) / 2, bottom + 38, "directories", "faint middle")
    for ms in up.decades():
        picture.line([(left, up.at(ms)), (right, up.at(ms))], "grid")
        picture.text(left - 10, up.at(ms) + 4, duration(ms * 1000), "faint end")
    for ms in up.between():
        picture.line([(left, up.at(ms)), (left + 4, up.at(ms))], "grid")
    watchers.sort(key=lambda entry: is_ours(entry[0]))  # ours on top of the others
    ends = [up.at(ready[-1][1]) for _, ready in watchers]
    for (watcher, ready), end, place in zip(watchers, ends, spread(ends, 17)):
        shape, label = styles(watcher)
        points = [(across.at(tree), up.at(ms)) for tree, ms in ready]
        picture.line(points, shape, 2.5 if is_ours(watcher) else 1.2)
        for x, y in points:
            picture.dot(x, y, shape)
        picture.line([(points[-1][0] + 5, end), (right + 24, place)], shape, 0.6)
        picture.text(right + 28, place + 4, f"{watcher['name']}  {duration(ready[-1][1] * 1000)}", label)
    return picture.svg(bottom + 56)


def lost(results):
    sizes = results["sizes"]
    panels = [("new_trees", f"{sizes['trees']:,} new trees", sizes["trees"]),
              ("burst", f"{sizes['burst']:,} files at full speed", sizes["burst"]),
              ("overflow", f"{sizes['burst']:,} files while it is held up", sizes["burst"])]
    watchers = [w for w in results["watchers"] if all(name in w for name, _, _ in panels)]
    if not watchers:
        return None
    watchers.sort(key=lambda w: sum(w[name]["untold"] / out_of for name, _, out_of in panels))
    row, left, panel = 26, 170, 210
    picture = Picture("Losses: files that were never told", "The worst round. A new tree: three directories, one in "
                      "the other, and a file. Held up: stopped by a signal meanwhile.")
    for number, (name, title, out_of) in enumerate(panels):
        begin = left + panel * number
        room = panel - 72
        picture.text(begin, picture.top + 12, title, "faint")
        for index, watcher in enumerate(watchers):
            shape, label = styles(watcher)
            y = picture.top + 24 + row * index
            if number == 0:
                picture.text(left - 12, y + 14, watcher["name"], f"{label} end")
            untold = watcher[name]["untold"]
            long = room * untold / out_of
            picture.line([(begin, y), (begin, y + row)], "grid")
            if untold:
                picture.bar(begin, y + 4, max(long, 1), row - 10, shape)
            picture.text(begin + long + 6, y + 14, f"{untold:,}", label)
    return picture.svg(picture.top + 24 + row * len(watchers) + 22)


def all_plots(results):
    """Name and text of each that the results have something for."""
    for draw in (latency, startup, lost):
        if picture := draw(results):
            yield draw.__name__, picture
