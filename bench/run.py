"""What the product costs: runs the rows, prints tables and the goals.

  BENCH_RUNS=5       runs of each row; they alternate, the tables have medians
  BENCH_MB=800       megabytes (1e6) of message values a run
  BENCH_ONLY=REGEX   rows whose name matches, such as '^1 300 (text|gzip)$',
                     '^(idle|first|put)' or '^(kafka|group)'
  BENCH_DIR=DIR      for staged files and objects; default TMPDIR or /var/tmp
  BENCH_RAW=FILE     keeps the figures of each run (default build/bench.jsonl)
  BENCH_DOCS=yes     writes tables and picture into docs/; or only these, such
                     as kafka,group (the names of the marks there)

The names of all rows: `python3 bench/run.py --list`. A row "1 300 text" is:
cores, bytes of a message, what reads. On one core everything is pinned there,
the broker too. Rows "kafka" and "group" need the servers that `make check`
installs."""

import json
import os
import re
import sys

import lib
import replay
import report
import scenes
import servers_rows


def choose(rows, only):
    """The rows asked for, and what they are compared with."""
    pattern = re.compile(only)
    wanted = {row.name for row in rows if pattern.search(row.name)}
    for row in rows:
        if row.name in wanted:
            wanted.update(row.needs)
    return [row for row in rows if row.name in wanted]


def measure(rows, raw):
    """Every row once, then every row again, and so on."""
    failed = []
    for number in range(lib.RUNS):
        for row in rows:
            if number >= row.most_runs or row.name in failed:
                continue
            if sys.stderr.isatty():
                print(f"\r\x1b[Krun {number + 1} of {lib.RUNS}: {row.name}",
                      end="", file=sys.stderr, flush=True)
            try:
                found = row.run()
            except (lib.BenchError, OSError) as e:
                print(f"\n{row.name}: {e}", file=sys.stderr)
                failed.append(row.name)
                continue
            raw.write(json.dumps({"row": row.name, **found}) + "\n")
            raw.flush()
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    return failed


def main():
    rows = replay.rows() + scenes.rows() + servers_rows.rows()
    if sys.argv[1:] == ["--list"]:
        print(*(row.name for row in rows), sep="\n")
        return 0
    path = os.environ.get("BENCH_RAW") or lib.ROOT / "build/bench.jsonl"
    only = os.environ.get("BENCH_ONLY", ".")
    chosen = choose(rows, only)
    if not chosen:
        print(f"BENCH_ONLY={only} is no row's name: bench/run.py --list",
              file=sys.stderr)
        return 1
    try:
        with open(path, "w", encoding="ascii") as raw:
            failed = measure(chosen, raw)
    finally:
        servers_rows.close()
    report.show(path, os.environ.get("BENCH_DOCS", ""))
    if failed:
        print("not measured: " + ", ".join(failed), file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
