"""Tables and goals of what was measured, on the terminal or into the docs.

CPU s/GB is the client's, its whole life, all threads. MB/s is message values
from the first Fetch to the last commit. CPU ratio is bare / row of CPU seconds
with the broker's share in both: on one core that is what the ratio of the
speeds would be on a core of one's own. MB/s ratio is as timed, so other load
disturbs it. "others" is the share of these cores that other processes used.
Ratios are medians of the ratios run by run."""

import json
import re
import statistics

import chart
import goals
import lib

DOCS = lib.ROOT / "docs"


class Found:
    """What was measured: for each row its runs, a run being a dict of numbers."""

    def __init__(self, path):
        self.rows = {}
        with open(path, encoding="ascii") as lines:
            for line in lines:
                run = json.loads(line)
                self.rows.setdefault(run.pop("row"), []).append(run)

    def __contains__(self, name):
        return name in self.rows

    def median(self, name, figure):
        """Of a key, or of a function of a run."""
        get = figure if callable(figure) else lambda run: run[figure]
        return statistics.median(map(get, self.rows[name]))

    def cpu(self, name):
        """CPU seconds a GB."""
        return self.median(name, cpu_per_gb)

    def ratio(self, of, name, cost):
        return statistics.median(
            cost(bare) / cost(run)
            for bare, run in zip(self.rows[of], self.rows[name]))

    def slope(self, name):
        """CPU seconds a GB of what a longer run has more than a short one: a
        message's cost without start, batches and first touches of memory."""
        def total(row, key):
            return self.median(row, key)
        longer = name + "-more"
        if total(longer, "bytes") == total(name, "bytes"):
            raise lib.BenchError("BENCH_MB is too small for 512 partitions")
        return ((total(longer, "cpu_s") - total(name, "cpu_s")) * 1e9
                / (total(longer, "bytes") - total(name, "bytes")))


def cpu_per_gb(run):
    return run["cpu_s"] / run["bytes"] * 1e9


def one_core(run):
    return (run["cpu_s"] + run["broker_cpu_s"]) / run["bytes"]


def as_timed(run):
    return run["wall_s"] / run["bytes"]


def table(head, rows):
    if not rows:
        return ""
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, cells)) + " |\n"
                   for cells in lines)


def spread(values):
    return f"{min(values):.2f}-{max(values):.2f}"


def speed_table(found):
    rows = []
    for name, runs in found.rows.items():
        part = re.fullmatch(r"(\d) (\d+) ([a-z0-9-]+)", name)
        if not part or not re.match(
                r"(bare|text|sequencefile|gzip|zstd|plain)", part[3]):
            continue
        bare = f"{part[1]} {part[2]} bare"
        rows.append([
            *part.groups(), f"{found.cpu(name):.2f}",
            spread([cpu_per_gb(run) for run in runs]),
            f"{found.median(name, lambda r: r['bytes'] / r['wall_s']) / 1e6:.0f}",
            f"{found.ratio(bare, name, one_core):.2f}",
            f"{found.ratio(bare, name, as_timed):.2f}",
            f"{max(run['rss_mb'] for run in runs):.0f}",
            f"{found.median(name, 'foreign'):.0%}"])
    rows.sort(key=lambda r: (r[0], r[1] != "300", int(r[1])))
    return table(["cores", "bytes", "row", "CPU s/GB", "range", "MB/s",
                  "CPU ratio", "MB/s ratio", "RSS MB", "others"], rows)


def growth_table(found):
    rows = []
    for name, what in (("partitions-1", "1 Kafka partition"),
                       ("partitions-512", "512 Kafka partitions"),
                       ("partitions-1-bare", "1 Kafka partition, bare"),
                       ("partitions-512-bare", "512 Kafka partitions, bare"),
                       ("objects-1", "1 open object"),
                       ("objects-1000",
                        "1,000 open objects, each message in a random one")):
        name = "1 300 " + name
        if name in found and name + "-more" in found:
            rows.append([what, f"{found.slope(name):.2f}",
                         f"{found.cpu(name + '-more'):.2f}",
                         f"{found.median(name + '-more', 'rss_mb'):.0f}"])
    return table(["of", "CPU s/GB more", "CPU s/GB in all", "RSS MB"], rows)


def put_table(found):
    rows = []
    for name in found.rows:
        if name.startswith("put "):
            rows.append([
                name[4:], f"{found.cpu(name):.2f}",
                f"{found.median(name, lambda r: r['bytes'] / r['wall_s']) / 1e6:.0f}",
                f"{found.median(name, 'requests'):.0f}",
                f"{found.median(name, 'connections'):.0f}",
                f"{found.median(name, 'rss_mb'):.1f}"])
    return table(["store s3", "CPU s/GB", "MB/s", "requests", "connections",
                  "RSS MB"], rows)


def kafka_table(found):
    rows = []
    for name in found.rows:
        if name.startswith("kafka "):
            rows.append([name[6:], f"{found.cpu(name):.2f}",
                         *(f"{found.ratio(name, bare, cpu_per_gb):.2f}"
                           for bare in ("kafka bare", "kafka bare-ref")),
                         f"{found.median(name, 'rss_mb'):.0f}"])
    return table(["Kafka 3.9", "CPU s/GB", "x bare", "x bare-ref", "RSS MB"], rows)


def group_table(found):
    rows = []
    for name in found.rows:
        if name.startswith("group ") and "cpu_s" in found.rows[name][0]:
            rows.append([
                name[6:], f"{found.cpu(name):.2f}",
                f"{found.median(name, lambda r: r['bytes'] / r['wall_s']) / 1e6:.0f}",
                f"{found.median(name, 'rss_mb'):.0f}"])
    return table(["group of", "CPU s/GB, all together", "MB/s",
                  "RSS MB, largest"], rows)


def takeover_table(found):
    rows = []
    for name in ("group takeover", "group topics-64-takeover"):
        if name in found:
            rows.append([
                f"{found.median(name, 'partitions'):.0f}",
                f"{found.median(name, 'kill_s'):.1f}",
                f"{found.median(name, 'session_s'):.0f}",
                f"{found.median(name, 'stop_s'):.1f}"])
    return table(["partitions", "after kill -9, s",
                  "of that session timeout, s", "after SIGTERM, s"], rows)


def rest_table(found):
    rows = []
    for name in found.rows:
        if name.startswith("idle "):
            rows.append([f"{name[5:]} partitions, at rest",
                         f"{found.median(name, 'core'):.2%} of a core",
                         f"{found.median(name, 'rss_mb'):.0f}"])
    if "group topics-64-takeover" in found:
        name = "group topics-64-takeover"
        rows.append(["1,024 partitions of 64 topics on Kafka 3.9, at rest",
                     f"{found.median(name, 'core'):.2%} of a core",
                     f"{found.median(name, 'rss_mb'):.0f}"])
    if "first object" in found:
        rows.append(["from the assignment to the first object",
                     f"{found.median('first object', 'first_s'):.2f} s", ""])
    return table(["what", "figure", "RSS MB"], rows)


def goals_table(found):
    return table(["goal", "wanted", "measured", ""],
                 [[what, wanted, measured, "yes" if met else "**no**"]
                  for what, wanted, measured, met in goals.all_of(found)])


SECTIONS = {
    "goals": goals_table,
    "speed": speed_table,
    "growth": growth_table,
    "put": put_table,
    "kafka": kafka_table,
    "group": group_table,
    "takeover": takeover_table,
    "rest": rest_table,
}


def into_docs(found, only):
    """Puts each table between its marks, where there is one; and the picture."""
    page = DOCS / "PERFORMANCE.md"
    text = page.read_text()
    for name, make in SECTIONS.items():
        made = make(found) if only == "yes" or name in only.split(",") else ""
        if made:
            text, n = re.subn(
                rf"(<!-- bench: {name} -->\n).*?(<!-- end -->)",
                lambda m, made=made: f"{m[1]}\n{made}\n{m[2]}", text,
                flags=re.S)
            if n != 1:
                raise lib.BenchError(f"{page}: no marks for {name}")
    page.write_text(text)
    if only == "yes" or "picture" in only.split(","):
        (DOCS / "performance.svg").write_text(chart.draw(found))


def show(path, docs):
    found = Found(path)
    for make in SECTIONS.values():
        made = make(found)
        if made:
            print(made)
    if docs:
        into_docs(found, docs)
