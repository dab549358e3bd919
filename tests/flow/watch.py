"""Looking at a running process: its metrics, memory and open files."""

import http.client
import os
import pathlib
import re
import time

from flow import Beside

LINE = re.compile(r"^(\w+)(\{.*\})? (\S+)$", re.M)


def address(process):
    return process.wait_for(r"http listens address=(\S+)")[1]


def get(process, path, method="GET"):
    """(status, content type, text)"""
    connection = http.client.HTTPConnection(address(process), timeout=60)
    try:
        connection.request(method, path)
        r = connection.getresponse()
        return r.status, r.getheader("Content-Type"), r.read().decode()
    finally:
        connection.close()


def metrics(process):
    """{name with its labels: value} of /metrics."""
    _, _, text = get(process, "/metrics")
    return {m[1] + (m[2] or ""): float(m[3]) for m in LINE.finditer(text)}


def metric(process, name):
    """One with labels as /metrics has it; without, the sum over its labels. 0
    when it is not there."""
    return sum(v for k, v in metrics(process).items()
               if name in (k, k.split("{")[0]))


def group_moves(process):
    """What a process that keeps its place in the group has none of."""
    return {n: metric(process, f"secor_{n}_total")
            for n in ("rebalances", "assignments_lost", "rejoins")}


def wait_metric(process, name, value, timeout=90):
    """Waits until the metric is `value` at least; what it is then."""
    end = time.monotonic() + timeout
    while (now := metric(process, name)) < value:
        assert time.monotonic() < end, \
            f"{name} of {process.name} is {now}, not {value}"
        time.sleep(0.05)
    return now


class Footprint(Beside):
    """The most memory and open files of a process."""

    def __init__(self, process):
        super().__init__()
        self.proc = pathlib.Path(f"/proc/{process.process.pid}")
        self.rss = self.files = 0

    def go_on(self):
        page = os.sysconf("SC_PAGE_SIZE")
        while not self.over.wait(0.02):
            try:
                resident = int((self.proc / "statm").read_text().split()[1])
                self.rss = max(self.rss, resident * page)
                self.files = max(self.files,
                                 len(os.listdir(self.proc / "fd")))
            except (OSError, IndexError):
                return
