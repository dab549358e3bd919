"""What the rows share: paths, the product's configuration, processes and what
they have used."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build/release"
BIN = BUILD / "bench"
SECOR = BUILD / "secor"
RUNS = int(os.environ.get("BENCH_RUNS", 5))
MEGABYTES = float(os.environ.get("BENCH_MB", 800))
CORES = sorted(os.sched_getaffinity(0))[-2:]

FORMATS = {
    "text": {"use": "text"},
    "gzip": {"use": "text", "compression": "gzip"},
    "zstd": {"use": "text", "compression": "zstd"},
    "sequencefile": {"use": "sequencefile"},
}

BY_LIBRDKAFKA = {"fetch": "librdkafka"}

# librdkafka's queue in rows "bare-ref": large enough never to be what limits.
# The bytes of a fetch are librdkafka's own default.
REFERENCE = {"queued.min.messages": "10000000",
             "queued.max.messages.kbytes": "16384",
             "max.partition.fetch.bytes": "1048576"}


class BenchError(Exception):
    """A row could not be measured; the text says why."""


class Folder:
    """A folder for staged files and objects: new for each run, gone after it.
    In memory where thousands of files come and go: ext4 looks long for an inode
    when many were freed a moment ago."""

    def __init__(self, in_memory=False):
        top = (os.environ.get("BENCH_DIR") or os.environ.get("TMPDIR")
               or "/var/tmp")
        self.path = pathlib.Path(tempfile.mkdtemp(
            prefix="secor-bench.", dir="/dev/shm" if in_memory else top))

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path, ignore_errors=True)


def config(folder, **sections):
    """Writes the product's configuration; sections replace, or add to, those of
    the row "text". Returns the file."""
    all_of_it = {
        "kafka": {"brokers": ["${BENCH_BROKER}"], "group": "bench",
                  "topics": ["bench"]},
        "parser": {"use": "json", "time_field": "timestamp"},
        "partitioner": {"use": "date", "granularity": "hour"},
        "format": FORMATS["text"],
        "batch": {"max_bytes": "64MiB", "max_age": "1h", "on_stop": "finish"},
        "stage": {"dir": str(folder / "stage")},
        "store": {"use": str(BIN / "drop.so")},
        "http": {"listen": "${BENCH_HTTP}"},
        "engine": {"log_level": "warn"},
    }
    for name, section in sections.items():
        if isinstance(section, dict) and "use" not in section:
            section = {**all_of_it.get(name, {}), **section}
        all_of_it[name] = section
    path = folder / "bench.yaml"
    path.write_text(json.dumps(all_of_it, indent=1))  # JSON is YAML
    path.chmod(0o600)
    return path


def pinned(cores, command):
    cpus = CORES[-1:] if cores == 1 else CORES
    return ["taskset", "-c", ",".join(map(str, cpus)), *map(str, command)]


def properties(name):
    """What the bare loop of this name is told beyond the product's settings."""
    pairs = REFERENCE.items() if name.endswith("-ref") else ()
    return [word for pair in pairs for word in pair]


def figures(text):
    """key=value pairs as a dict of numbers."""
    return {k: float(v) for k, v in
            (pair.split("=") for pair in text.split() if "=" in pair)}


def run(command, timeout=180, env=None):
    """Runs to the end; its standard output."""
    done = subprocess.run([str(a) for a in command], capture_output=True,
                          text=True, timeout=timeout,
                          env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise BenchError(f"{command[0]} ended with {done.returncode}: "
                         f"{done.stdout[-500:]}{done.stderr[-500:]}")
    return done.stdout


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def until(what, check, timeout=90):
    """Calls check every 5 ms until it is true, and returns what it returned."""
    end = time.monotonic() + timeout
    while not (found := check()):
        if time.monotonic() > end:
            raise BenchError(f"{what}: not within {timeout} s")
        time.sleep(0.005)
    return found


class Service:
    """A `secor run`. Lines of its log are kept with the time they came at."""

    def __init__(self, yaml, broker, prefix=(), binary=SECOR):
        self.http = free_port()
        self.log = []
        self.usage = None
        self.child = subprocess.Popen(
            [*prefix, str(binary), "run", str(yaml)], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "BENCH_BROKER": broker,
                 "BENCH_HTTP": f"127.0.0.1:{self.http}"})
        self.pid = self.child.pid
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.child.stdout:
            self.log.append((time.monotonic(), line.rstrip("\n")))

    def when(self, text, after=0.0, timeout=90):
        """When the first line with this text came after a moment."""
        def check():
            for at, line in list(self.log):
                if at > after and text in line:
                    return at
            if self.usage is None and os.waitid(
                    os.P_PID, self.pid,
                    os.WEXITED | os.WNOHANG | os.WNOWAIT):
                raise BenchError("secor ended: " + self.tail())
            return None
        return until(f"'{text}' in the log", check, timeout)

    def tail(self):
        return "\n".join(line for _, line in self.log[-10:])

    def metrics(self):
        """{name with labels: value}; empty while it does not answer."""
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.http}/metrics", timeout=5) as r:
                text = r.read().decode()
        except OSError:
            return {}
        return {k: float(v) for k, v in
                (line.rsplit(" ", 1) for line in text.splitlines()
                 if line and line[0] != "#")}

    def taken(self):
        return self.metrics().get("secor_messages_total", 0)

    def cpu(self):
        """CPU seconds so far, of all its threads."""
        tasks = pathlib.Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(t.read_text().split()[0]) for t in tasks) / 1e9

    def resident_mb(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def wait(self):
        """Waits for its end; what it has used in all, as os.wait4 says."""
        _, status, self.usage = os.wait4(self.pid, 0)
        self.child.returncode = os.waitstatus_to_exitcode(status)
        return self.usage

    def end(self, sig=signal.SIGTERM):
        """Ends it; what it has used in all."""
        if self.usage is None:
            os.kill(self.pid, sig)
            self.wait()
            if sig == signal.SIGTERM and self.child.returncode != 0:
                raise BenchError("secor failed: " + self.tail())
        return self.usage

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)


def seconds(usage):
    return usage.ru_utime + usage.ru_stime


class Replay:
    """The replaying broker alone, for a client that somebody else starts."""

    def __init__(self, partitions, messages, size=300):
        self.child = subprocess.Popen(
            [BIN / "broker/broker", "--size", str(size), "--messages",
             str(messages), "--partitions", str(partitions), "--timeout",
             "600", "sh", "-c", "echo $BENCH_BROKER; exec cat >/dev/null"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.address = self.child.stdout.readline().strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.communicate()


class Sink:
    """An S3 server that keeps nothing."""

    def __init__(self, folder, tls=False, options=()):
        command = [BIN / "sink", *options]
        self.store = {"use": "s3", "bucket": "bench", "access_key": "k",
                      "secret_key": "${BENCH_SECRET}"}
        os.environ["BENCH_SECRET"] = "s"
        if tls:
            key, self.ca = folder / "key.pem", folder / "cert.pem"
            run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                 "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                 "-subj", "/CN=127.0.0.1", "-addext",
                 "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
                 self.ca])
            command += [self.ca, key]
            self.store["ca_file"] = str(self.ca)
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, text=True)
        port = self.child.stdout.readline().strip()
        self.store["endpoint"] = (f"http{'s' if tls else ''}"
                                  f"://127.0.0.1:{port}")
        self.seen = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.seen = figures(self.child.communicate()[0])
