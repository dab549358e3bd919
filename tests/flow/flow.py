"""What the flow tests share: a small configuration, and waiting for the end."""

import pathlib
import subprocess
import threading
import time

import kafka as clients
import proof
from secor import secor_command

HOUR = 3_600_000
# the begin of an hour, two days ago: within any lookback, and over
BEGIN = int(time.time() * 1000) // HOUR * HOUR - 48 * HOUR


def settings(address, group, topic, store, **more):
    """A configuration with short batches; keys of `more` replace sections."""
    config = {
        "kafka": {"brokers": [address], "group": group, "topics": [topic],
                  "session_timeout": "3s",
                  "properties": {"topic.metadata.refresh.interval.ms": 2000}},
        "parser": {"use": "json", "time_field": "time"},
        "partitioner": {"use": "date", "granularity": "hour"},
        "format": {"use": "text"},
        "stage": {"dir": "stage"},
        "batch": {"max_age": "500ms"},
        "store": store,
        "engine": {"log_level": "debug", "stop_timeout": "10s",
                   "revoke_grace": "2s"},
        "http": {"listen": "127.0.0.1:0"},
    }
    for section, keys in more.items():
        if isinstance(keys, dict) and "use" not in keys:
            config[section] = {**config.get(section, {}), **keys}
        else:
            config[section] = keys
    return config


def local_store(folder):
    """A local store and its tree."""
    folder.mkdir(parents=True, exist_ok=True)
    return {"use": "local", "dir": str(folder)}, proof.LocalTree(folder)


def shut(tree, away):
    """From now on nothing can be put into this local store, at which nobody is
    at work; unlink() of what is given back opens it again, all at once."""
    folder = tree.root / ".tmp"
    if folder.exists():
        folder.rename(away)
    folder.write_text("this is no folder")
    return folder


def wait_done(address, group, topic, partitions, timeout=90):
    """Waits until everything in the topic is stored and committed clean."""
    ends = [clients.watermarks(address, topic, p)[1]
            for p in range(partitions)]
    clients.wait_committed(address, group, topic, ends, timeout)


def send_until_stopped(process, send):
    """Goes on sending until the process has stopped itself at its step."""
    while not process.stopped_at():
        send()
        time.sleep(0.5)


def verify(process):
    """`secor verify` of this process's configuration finds nothing."""
    done = secor_command("verify", process.config, cwd=process.dir)
    assert done.returncode == 0, done.stdout + done.stderr


def contents(tree, topic):
    """{key: sorted ids} of the topic's objects as they are now."""
    found = {}
    for key, one in proof.read_ids(tree):
        found.setdefault(key, []).append(one)
    return {k: sorted(v) for k, v in found.items()}


def skewed(folder, seconds):
    """The environment of a process whose wall clock is so many seconds off."""
    source = pathlib.Path(__file__).parent / "preload" / "clock.c"
    shim = folder / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, source, "-ldl"],
                   check=True)
    return {"LD_PRELOAD": str(shim), "SKEW_MS": str(round(seconds * 1000))}


class Beside:
    """What goes on beside a test until it is left: `go_on` in a thread, which
    looks at `over`. What it raises is raised when it is left."""

    def __init__(self):
        self.over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._failed = None

    def _run(self):
        try:
            self.go_on()
        except Exception as e:
            self._failed = e

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self._thread.join()
        if self._failed:
            raise self._failed
