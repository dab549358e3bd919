"""Runs schedules for storm.py: seeds come on stdin, results go to stdout.

Its first line is JSON: {"broker": [address, listener, port], "s3": {...},
"keep": folder, "late": see storm.py}. Then a seed a line; the answer is one
line of JSON. A line with "broker" asks for a strike at the broker, and has no
answer.
"""

import json
import os
import pathlib
import sys
import threading
import traceback
import types

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "flow"), str(HERE.parent / "rig")]
import kafka as clients  # noqa: E402
import servers  # noqa: E402
from brokers import Way  # noqa: E402
from run import Run, keep  # noqa: E402
from schedule import make  # noqa: E402

_out = threading.Lock()


def tell(message):
    with _out:
        print(json.dumps(message), flush=True)


def tidy(run, broker, server):
    """Old topics cost the broker memory, old buckets the server."""
    try:
        clients.delete_topic(broker.address, run.name)
        if run.schedule.store == "s3":
            for key in run.tree.keys():
                run.tree.client.delete_object(Bucket=run.name, Key=key)
            run.tree.client.delete_bucket(Bucket=run.name)
    except Exception:  # noqa: BLE001: the next run has its own
        traceback.print_exc()


def one(seed, broker, server, set_up):
    home = servers.temp_dir(f"chaos-{seed}")
    run = Run(make(seed), broker, home, server, set_up["late"])
    folder = set_up["keep"]
    try:
        result = run.run()
    except Exception:  # noqa: BLE001: it is the result
        result = run.result(["harness: " + traceback.format_exc()])
    if result["faults"]:
        result["kept"] = str(keep(run, result, folder))
    tidy(run, broker, server)
    servers.watchdog().drop_dir(home)
    return result


def main():
    set_up = json.loads(sys.stdin.readline())
    broker = Way(*set_up["broker"], tell)
    server = types.SimpleNamespace(**set_up["s3"])
    os.makedirs(set_up["keep"], exist_ok=True)
    for line in sys.stdin:
        tell(one(int(line), broker, server, set_up))


if __name__ == "__main__":
    main()
