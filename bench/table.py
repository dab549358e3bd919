"""Medians of bench/run.sh as a table in Markdown.

Columns: CPU s/GB is the client's, its whole life, all threads. MB/s is message
values from the first Fetch to the last commit. CPU ratio is bare / row of CPU
seconds with the broker's share in both: on one core that is what the ratio of
the speeds would be on a core of one's own. MB/s ratio is as timed, so other
load disturbs it. "others" is the share of these cores that other processes
used. Ratios are medians of the ratios run by run."""

import statistics
import sys


def read(path):
    """{(cores, size, row): [run, ...]}, a run being a dict of numbers."""
    found = {}
    for line in open(path, encoding="ascii"):
        cores, size, row, figures = line.rstrip("\n").split("\t")
        run = {k: float(v) for k, v in
               (pair.split("=") for pair in figures.split())}
        found.setdefault((int(cores), int(size), row), []).append(run)
    return found


def ratio(bares, runs, cost):
    return statistics.median(
        cost(bare) / cost(run) for bare, run in zip(bares, runs))


def cpu_a_byte(run):
    return (run["cpu_s"] + run["broker_cpu_s"]) / run["bytes"]


def time_a_byte(run):
    return run["wall_s"] / run["bytes"]


def spread(values):
    return f"{min(values):.2f}-{max(values):.2f}"


def main():
    found = read(sys.argv[1])
    print("| cores | bytes | row | CPU s/GB | range | MB/s | CPU ratio "
          "| MB/s ratio | RSS MB | others |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for (cores, size, row), runs in found.items():
        cpu = [run["cpu_s"] / run["bytes"] * 1e9 for run in runs]
        speed = statistics.median(
            run["bytes"] / run["wall_s"] / 1e6 for run in runs)
        bares = found[(cores, size, "bare")]
        cells = [
            cores, size, row, f"{statistics.median(cpu):.2f}", spread(cpu),
            f"{speed:.0f}",
            f"{ratio(bares, runs, cpu_a_byte):.2f}",
            f"{ratio(bares, runs, time_a_byte):.2f}",
            f"{max(run['rss_mb'] for run in runs):.0f}",
            f"{statistics.median(run['foreign'] for run in runs):.0%}"]
        print("|", " | ".join(map(str, cells)), "|")


main()
