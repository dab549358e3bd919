"""Many schedules at a time: storm.py SCHEDULES SEED [--jobs N] ...

Starts one broker for every four jobs and one S3 server for all, gives each
worker one seed after the other, prints a line of progress now and then, and
closes with a table. Exit code 1: something was lost, doubled, changed or stuck.
A schedule that failed leaves its logs in --keep.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import signal
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow"), str(HERE.parent / "rig")]
from brokers import Shared, strike  # noqa: E402
from run import COUNTED  # noqa: E402
from servers import Rgw, free_ports  # noqa: E402

WAYS = 4  # jobs a broker
ROWS = ["messages", "landed", "objects", "markers", *COUNTED, "troubled puts",
        "aimed", "rebalances", "replays", "fenced", "ended by itself", "lost",
        "doubled"]


class Storm:
    def __init__(self, args):
        self.args = args
        self.seeds = iter(range(args.seed, args.seed + args.schedules))
        self.lock = threading.Lock()
        self.results = []
        self.broker_strikes = collections.Counter()
        self.over = threading.Event()
        self.begin = time.monotonic()
        self.out = open(args.out, "a", buffering=1) if args.out else None

    def say(self, text):
        line = time.strftime("%H:%M:%S ") + text
        print(line, flush=True)
        if self.out:
            self.out.write(line + "\n")

    def next_seed(self):
        with self.lock:
            return None if self.over.is_set() else next(self.seeds, None)

    def strike(self, broker, act, for_ms):
        """Holds all of its schedules up; one at a time."""
        if not broker.striking.acquire(blocking=False):
            return
        self.broker_strikes[act] += 1
        try:
            strike(broker, act, for_ms)
        finally:
            broker.striking.release()

    def worker(self, broker, n, s3):
        p = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        set_up = {"broker": broker.way(n), "keep": self.args.keep,
                  "late": self.args.late,
                  "s3": {k: getattr(s3, k) for k in (
                      "port", "endpoint", "region", "access_key",
                      "secret_key")}}
        p.stdin.write(json.dumps(set_up) + "\n")
        while (seed := self.next_seed()) is not None:
            p.stdin.write(f"{seed}\n")
            while "broker" in (result := json.loads(
                    p.stdout.readline() or '{"faults": ["no worker"]}')):
                threading.Thread(target=self.strike, daemon=True, args=(
                    broker, result["broker"], result["for_ms"])).start()
            self.take(seed, result)
            if p.poll() is not None:
                break
        p.stdin.close()
        p.wait()

    def take(self, seed, result):
        with self.lock:
            self.results.append(result)
            done = len(self.results)
            if self.out:
                with open(self.args.out + ".jsonl", "a") as f:
                    f.write(json.dumps(result) + "\n")
        if result["faults"]:
            self.say(f"FAULT seed {seed}: {result['faults'][0][:600]} "
                     f"kept={result.get('kept')}")
        if done % self.args.every == 0:
            self.say(self.progress())

    def total(self, key):
        return sum(r.get(key, 0) for r in self.results)

    def progress(self):
        return (f"{len(self.results)} schedules, {self.total('messages')} "
                f"messages, {self.total('kill')} kills, "
                f"{self.total('pause')} pauses, "
                f"{self.broker_strikes['kill']} broker kills, "
                f"{self.total('troubled puts')} store failures, "
                f"{self.total('rebalances')} rebalances: "
                f"{self.total('lost')} lost, {self.total('doubled')} doubled, "
                f"{sum(bool(r['faults']) for r in self.results)} with faults, "
                f"{time.monotonic() - self.begin:.0f} s")

    def table(self):
        rows = {"schedules": len(self.results)}
        rows.update((k, self.total(k)) for k in ROWS)
        rows["broker-kill"] = self.broker_strikes["kill"]
        rows["broker-pause"] = self.broker_strikes["pause"]
        rows["with faults"] = sum(bool(r["faults"]) for r in self.results)
        rows["seconds"] = round(time.monotonic() - self.begin)
        return rows

    def run(self):
        jobs = self.args.jobs
        brokers = [Shared(WAYS, free_ports(WAYS))
                   for _ in range(-(-jobs // WAYS))]
        for b in brokers:
            b.striking = threading.Lock()
        s3 = Rgw()
        try:
            with concurrent.futures.ThreadPoolExecutor() as pool:
                for f in [pool.submit(s.start) for s in [*brokers, s3]]:
                    f.result()
            threads = [threading.Thread(
                target=self.worker, args=(brokers[n // WAYS], n % WAYS, s3))
                for n in range(jobs)]
            for t in threads:
                t.start()
            for t in threads:
                while t.is_alive():
                    t.join(1)
                    if self.args.seconds and not self.over.is_set() and (
                            time.monotonic() - self.begin > self.args.seconds):
                        self.over.set()
        finally:
            for s in [*brokers, s3]:
                s.close()
        for name, value in self.table().items():
            self.say(f"{name:>16} {value:>10}")
        good = self.results and not any(r["faults"] for r in self.results)
        return 0 if good else 1


def main():
    p = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    p.add_argument("schedules", type=int)
    p.add_argument("seed", type=int)
    p.add_argument("--jobs", type=int, default=4)
    p.add_argument("--seconds", type=float, help="begin none after so long")
    p.add_argument("--every", type=int, default=10)
    p.add_argument("--out", help="lines go there too, and to OUT.jsonl")
    p.add_argument("--keep", default="build/test/chaos")
    p.add_argument("--late", choices=("amend", "separate"),
                   help="with a finalizer, whose markers are counted after")
    storm = Storm(p.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: storm.over.set())
    sys.exit(storm.run())


main()
