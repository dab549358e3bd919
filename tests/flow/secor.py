"""The secor binary under test: start, watch its log, stop it, kill it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time

from servers import Process, RigError, wait_until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SECOR_BUILD") or ROOT / "build/release")
BINARY = BUILD.resolve() / "secor"
NEWEST = ROOT / "build/newest/secor"  # with the newest librdkafka


def base_config(broker, group, topics, **sections):
    """A quick test's config: JSON messages with "time" in ms, days and hours as
    paths, gzip text, batches of a second, a local store in `out` beside the
    config. A section that is a dict adds to these; anything else, and a dict
    with `use`, replaces."""
    config = {
        "kafka": {"brokers": [broker], "group": group,
                  "topics": topics if isinstance(topics, list) else [topics],
                  "session_timeout": "2s"},
        "parser": {"use": "json", "time_field": "time"},
        "partitioner": {"use": "date", "granularity": "hour"},
        "format": {"use": "text", "compression": "gzip"},
        "stage": {"dir": "stage"},
        "batch": {"max_bytes": "1MiB", "max_age": "1s"},
        "store": {"use": "local", "dir": "out"},
    }
    for name, section in sections.items():
        if isinstance(section, dict) and "use" not in section:
            config[name] = {**config.get(name, {}), **section}
        else:
            config[name] = section
    return config


def who_reads():
    """Where the config does not say it, and permits both."""
    return os.environ.get("SECOR_FETCH") or "own"


def write_config(path, config):
    """Writes a config, a dict or YAML text. JSON is YAML, so no library."""
    who = os.environ.get("SECOR_FETCH")
    if who and isinstance(config, dict) and "kafka" in config:
        config = {**config, "kafka": {"fetch": who, **config["kafka"]}}
    text = config if isinstance(config, str) else json.dumps(config, indent=2)
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


def secor_command(*args, cwd=None, stdin=None, env=None, timeout=150):
    """Runs a subcommand to its end; the CompletedProcess, with text."""
    return subprocess.run(
        [str(BINARY), *map(str, args)], capture_output=True, text=True,
        cwd=cwd, input=stdin, timeout=timeout, env={**os.environ, **(env or {})})


def catches(pid, sig):
    """Whether the process has a handler for the signal."""
    try:
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
    caught = re.search(r"^SigCgt:\s*([0-9a-f]+)$", status, re.M)
    return bool(int(caught[1], 16) >> (sig - 1) & 1)


def at_step(step):
    """What the log says there; the step as SECOR_STOP_AT has it, "cut:2"."""
    name = step.split(":")[0]
    return rf"stopped at step step={name}\b" if name else "stopped at step"


class Secor:
    """One `secor run` in a folder of its own. start() again after an end goes
    on with the same folder, so the same stage.

    Its log is appended to self.log; wait_for looks from where the last start
    began.
    """

    def __init__(self, folder, config, env=None, name="secor"):
        self.dir = pathlib.Path(folder)
        self.dir.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.env = dict(env or {})
        self.config = write_config(self.dir / f"{name}.yaml", config)
        self.log = self.dir / f"{name}.log"
        self.process = None
        self.binary = BINARY
        self.mark = 0

    def start(self, *args, env=None):
        if not self.binary.exists():
            raise RigError(f"{self.binary} is not there: make builds it")
        self.mark = self.log.stat().st_size if self.log.exists() else 0
        self.process = Process(
            self.name, [self.binary, "run", self.config, *args], self.log,
            env={**os.environ, **self.env, **(env or {})}, cwd=self.dir)
        return self

    def reconfigure(self, config):
        write_config(self.config, config)

    def text(self):
        """The log since the last start; whole lines, as long as more may come:
        one can be seen half, up to the end of a page of the file."""
        if not self.log.exists():
            return ""
        alive = self.running()
        with open(self.log, "rb") as f:
            f.seek(self.mark)
            data = f.read()
        if alive:
            data = data[:data.rfind(b"\n") + 1]
        return data.decode(errors="replace")

    def wait_for(self, regex, timeout=90, count=1):
        """Waits until the log since the last start has `count` matches; the
        last of them. An end of the process without them is an error."""
        pattern = re.compile(regex, re.M)
        end = time.monotonic() + timeout
        while True:
            alive = self.running()
            found = list(pattern.finditer(self.text()))
            if len(found) >= count:
                return found[count - 1]
            if not alive or time.monotonic() > end:
                why = (f"not within {timeout} s" if alive else
                       f"it ended with {self.process.child.returncode}")
                raise RigError(f"{self.name}: no {regex!r} in the log, {why}\n"
                               + self.process.tail(40))
            time.sleep(0.02)

    def stopped_at(self, step=""):
        """Whether it has stopped itself at the step, or at any. It says so
        before it does: until every thread stands it works on, and a SIGCONT
        would come before its SIGSTOP."""
        return (re.search(at_step(step), self.text()) is not None
                and self.process.stands())

    def wait_stopped(self, step="", timeout=90):
        self.wait_for(at_step(step), timeout)
        self.process.wait_stands()

    def running(self):
        return self.process is not None and self.process.running()

    def stop(self, sig=signal.SIGTERM, timeout=90):
        """The exit code. The signal waits until the process catches it: before
        that it ends every program, as it should."""
        wait_until(f"{self.name} catches signal {sig}", lambda: catches(
            self.process.pid, sig) or not self.running(), 60)
        return self.process.stop(sig, timeout)

    def wait(self, timeout=90):
        """Waits for an end that it comes to by itself; the exit code."""
        return self.process.wait(timeout)

    def kill9(self):
        return self.process.kill9()

    def pause(self):
        self.process.pause()

    def cont(self):
        self.process.cont()

    def close(self):
        if self.process:
            self.process.kill9()
