"""Real servers on free ports of 127.0.0.1: Kafka, Ceph RGW, SeaweedFS.

Each server has its own temporary folder and process groups. Whatever ends this
process, also kill -9, ends the servers and removes the folders: a watchdog
process holds the other end of a pipe and acts when the pipe closes.
"""

import atexit
import contextlib
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid

from proxy import TcpProxy

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(
    os.environ.get("SECOR_CACHE")
    or pathlib.Path(os.environ.get("XDG_CACHE_HOME")
                    or pathlib.Path.home() / ".cache") / "secor-c")
JVM = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto"]
SYSTEM_PATH = "/usr/bin:/bin:/usr/sbin:/sbin"


class RigError(Exception):
    """A server did not do what it was asked; the text says which and why."""


class Watchdog:
    """Kills process groups and removes folders when this process ends."""

    def __init__(self):
        self.groups = set()
        self.dirs = set()
        self.pid = os.getpid()
        self.child = subprocess.Popen(
            [sys.executable, str(HERE / "watchdog.py")],
            stdin=subprocess.PIPE, start_new_session=True)
        atexit.register(self.end)

    def _tell(self, line):
        self.child.stdin.write(line.encode() + b"\n")
        self.child.stdin.flush()

    def add_group(self, pgid):
        self.groups.add(pgid)
        self._tell(f"+group {pgid}")

    def drop_group(self, pgid):
        self.groups.discard(pgid)
        self._tell(f"-group {pgid}")

    def add_dir(self, path):
        self.dirs.add(str(path))
        self._tell(f"+dir {path}")

    def drop_dir(self, path):
        shutil.rmtree(path, ignore_errors=True)
        self.dirs.discard(str(path))
        self._tell(f"-dir {path}")

    def end(self):
        if os.getpid() == self.pid:
            self.child.stdin.close()
            self.child.wait()


_watchdog = None


def watchdog():
    global _watchdog
    if _watchdog is None or _watchdog.pid != os.getpid():
        _watchdog = Watchdog()
    return _watchdog


def temp_dir(prefix):
    """A folder that is gone when this process is, unless RIG_KEEP is set."""
    path = pathlib.Path(tempfile.mkdtemp(prefix=f"secor-{prefix}-"))
    if not os.environ.get("RIG_KEEP"):
        watchdog().add_dir(path)
    return path


_mine = []  # one socket for each port that this process has taken


def _take(port):
    """Whether the port was free; now it is ours until this process ends. Who
    will listen there does so seconds later: until then a name of the kernel's,
    which one process can have, keeps other workers from choosing it too."""
    name = socket.socket(socket.AF_UNIX)
    with socket.socket() as s:
        try:
            name.bind(f"\0secor-tests-port-{port}")
            s.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            return False
    _mine.append(name)
    return True


def free_ports(n, *also):
    """n free ports below the range of outgoing connections; those that are so
    much above each are free too."""
    found = []
    while len(found) < n:
        port = random.randint(10000, 22000)
        if all(_take(port + above) for above in (0, *also)):
            found.append(port)
    return found


def wait_until(what, check, timeout):
    """Calls check until it is true; RigError with what after the timeout."""
    end = time.monotonic() + timeout
    while not check():
        if time.monotonic() > end:
            raise RigError(f"{what}: not within {timeout} s")
        time.sleep(0.05)


def states(pid):
    """The state of each of its threads, as /proc says it: R, S, D, T, ..."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                yield stat.read_text().rsplit(")", 1)[1].split()[0]


class Process:
    """A child in its own process group, with its output in a file."""

    def __init__(self, name, argv, log, env=None, cwd=None):
        self.name = name
        self.log = pathlib.Path(log)
        with open(log, "ab") as out:
            self.child = subprocess.Popen(
                [str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, env=env, cwd=cwd,
                start_new_session=True)
        self.pid = self.child.pid
        watchdog().add_group(self.pid)

    def running(self):
        return self.child.poll() is None

    def send(self, sig):
        if self.running():
            with contextlib.suppress(ProcessLookupError):  # just over
                os.killpg(self.pid, sig)

    def wait(self, timeout=90):
        """The exit code; after the timeout kill -9 and RigError."""
        try:
            code = self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill9()
            raise RigError(f"{self.name} did not end within {timeout} s")
        watchdog().drop_group(self.pid)
        return code

    def stop(self, sig=signal.SIGTERM, timeout=90):
        self.send(sig)
        return self.wait(timeout)

    def kill9(self):
        self.send(signal.SIGKILL)
        code = self.child.wait()
        watchdog().drop_group(self.pid)
        return code

    def pause(self):
        """Returns when every thread stands: kill() comes back as soon as one
        of them has been told, and a server with hundreds of them goes on
        answering until the last has heard of it."""
        self.send(signal.SIGSTOP)
        self.wait_stands()

    def stands(self):
        return all(state in "TtZX" for state in states(self.pid))

    def wait_stands(self, timeout=60):
        wait_until(f"{self.name} stands still",
                   lambda: self.stands() or not self.running(), timeout)

    def cont(self):
        self.send(signal.SIGCONT)

    def tail(self, lines=20):
        text = self.log.read_text(errors="replace").splitlines()
        return "\n".join(text[-lines:])


class Server:
    """start, then any of stop, kill9, pause, cont, start; close at the end.

    A server keeps its ports and its data from one start to the next.
    """

    name = "server"
    start_timeout = 120

    def __init__(self):
        self.dir = temp_dir(self.name)
        self.process = None

    def spawn(self, argv, log="out.log", env=None):
        return Process(self.name, argv, self.dir / log, env=env)

    def wait_ready(self, ready):
        def check():
            if not self.process.running():
                raise RigError(f"{self.name} ended at once:\n"
                               + self.process.tail())
            return ready()
        try:
            wait_until(f"{self.name} answers", check, self.start_timeout)
        except RigError as e:
            raise RigError(f"{e}\n{self.process.tail()}") from None

    def run(self, argv, timeout=150, env=None):
        """Runs a set-up command to its end; RigError with its output."""
        done = subprocess.run([str(a) for a in argv], capture_output=True,
                              text=True, timeout=timeout, env=env)
        if done.returncode != 0:
            raise RigError(f"{self.name}: {argv[0]} failed:\n"
                           f"{done.stdout}{done.stderr}")
        return done.stdout

    def stop(self, timeout=90):
        self.process.stop(timeout=timeout)

    def kill9(self):
        self.process.kill9()

    def pause(self):
        self.process.pause()

    def cont(self):
        self.process.cont()

    def restart(self):
        self.kill9()
        self.start()

    def close(self):
        if self.process:
            self.process.kill9()
        if not os.environ.get("RIG_KEEP"):
            watchdog().drop_dir(self.dir)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()


def _listens(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def _knows_brokers(port):
    """Whether a Kafka broker answers there, and is one that partitions can be
    given to: it listens before its controller has let it in."""
    head = struct.pack(">hhih", 3, 1, 1, -1)  # Metadata, of no topic
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
            s.sendall(struct.pack(">i", len(head) + 4) + head
                      + struct.pack(">i", 0))
            with s.makefile("rb") as f:
                answer = f.read(12)
    except OSError:
        return False
    return len(answer) == 12 and struct.unpack(">iii", answer)[2] > 0


def _http_code(port, path="/"):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}",
                                    timeout=2) as r:
            return r.status
    except urllib.error.HTTPError as e:
        return e.code
    except OSError:
        return 0


class Kafka(Server):
    """One KRaft process, broker and controller. `properties` go last.

    With proxied=True there is a second way in, self.proxied_address, on which
    every connection passes self.proxy (a proxy.TcpProxy; proxied=KafkaProxy:
    one of these).

    A broker is taken for dead when its controller has not heard of it for the
    session's time. Who is started again waits for the end of its old session,
    which therefore is short. At the first start there is none to wait for, and
    a machine that is busy must not make it look dead; only where others have to
    notice its death `properties` say how soon.
    """

    name = "kafka"
    libs = CACHE / "kafka" / "libs"
    protocols = {"CONTROLLER": "PLAINTEXT", "PLAINTEXT": "PLAINTEXT",
                 "PROXIED": "PLAINTEXT"}
    format_options = ()
    session = "broker.session.timeout.ms"

    def __init__(self, properties=None, proxied=False):
        super().__init__()
        self.first = () if self.session in (properties or {}) else (
            "--override", f"{self.session}=60000",
            "--override", "broker.heartbeat.interval.ms=1000")
        self.config = self.dir / "server.properties"
        self.listeners = dict(zip(self.protocols,
                                  free_ports(len(self.protocols))))
        self.proxy = None
        advertised = {n: p for n, p in self.listeners.items()
                      if n != "CONTROLLER"}
        if proxied:
            make = TcpProxy if proxied is True else proxied
            self.proxy = make(self.listeners["PROXIED"])
            self.proxied_address = f"127.0.0.1:{self.proxy.port}"
            advertised["PROXIED"] = self.proxy.port
        self.address = self.address_of("PLAINTEXT")

        def urls(ports):
            return ",".join(f"{n}://127.0.0.1:{p}" for n, p in ports.items())
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters":
                "1@" + self.address_of("CONTROLLER"),
            "listeners": urls(self.listeners),
            "advertised.listeners": urls(advertised),
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": ",".join(
                f"{n}:{p}" for n, p in self.protocols.items()),
            "log.dirs": f"{self.dir}/data",
            "num.partitions": "4",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "4",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "4",
            "group.initial.rebalance.delay.ms": "0",
            "group.min.session.timeout.ms": "500",
            self.session: "5000",
            "broker.heartbeat.interval.ms": "200",
            "log.initial.task.delay.ms": "1000",
            # Tests use fixed event times, which are older than any retention.
            "log.retention.ms": "-1",
            "log.retention.check.interval.ms": "1000",
        }
        settings.update(properties or {})
        self.config.write_text(
            "".join(f"{k}={v}\n" for k, v in settings.items()))
        (self.dir / "log4j.properties").write_text(
            "log4j.rootLogger=WARN, f\n"
            "log4j.appender.f=org.apache.log4j.FileAppender\n"
            f"log4j.appender.f.File={self.dir}/kafka.log\n"
            "log4j.appender.f.layout=org.apache.log4j.PatternLayout\n"
            "log4j.appender.f.layout.ConversionPattern=%d %p %c %m%n\n")

    def address_of(self, listener):
        return f"127.0.0.1:{self.listeners[listener]}"

    def java(self, *args):
        log4j = f"-Dlog4j.configuration=file:{self.dir}/log4j.properties"
        return [*JVM, "-Xmx512m", log4j, "-cp", f"{self.libs}/*", *args]

    def start(self):
        options = ()
        if not (self.dir / "data").exists():
            self.run(self.java("kafka.tools.StorageTool", "format",
                               "-t", "MkU3OEVBNTcwNTJENDM2Qg",
                               "-c", self.config, *self.format_options))
            options = self.first
        self.process = self.spawn(
            self.java("kafka.Kafka", self.config, *options))
        # It opens one listener after the other.
        self.wait_ready(
            lambda: _knows_brokers(self.listeners["PLAINTEXT"])
            and all(map(_listens, self.listeners.values())))
        return self

    def close(self):
        if self.proxy:
            self.proxy.close()
        super().close()


class Rgw(Server):
    """Ceph's S3 gateway over one monitor and one OSD in memory.

    stop, kill9, pause and cont mean the gateway; monitor and OSD stay.
    """

    name = "rgw"
    access_key = "AKIATESTKEY"
    secret_key = "testsecret"
    region = "us-east-1"
    kms_key = "testkey-1"

    def __init__(self):
        super().__init__()
        self.port, self.v1, self.v2 = free_ports(3)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.conf = self.dir / "ceph.conf"
        self.env = {**os.environ, "PATH": SYSTEM_PATH,
                    "CEPH_CONF": str(self.conf)}
        self.cluster = []

    def _write_conf(self, fsid):
        d = self.dir
        self.conf.write_text(f"""\
[global]
fsid = {fsid}
mon host = v2:127.0.0.1:{self.v2},v1:127.0.0.1:{self.v1}
mon initial members = a
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
mon allow pool size one = true
osd pool default pg num = 4
osd pool default pgp num = 4
osd crush chooseleaf type = 0
mon max pg per osd = 1000
run dir = {d}/out
log file = {d}/out/$name.log
admin socket = {d}/out/$name.$pid.asok
pid file = {d}/out/$name.pid
crash dir = {d}/out
ms bind ipv4 = true
public addr = 127.0.0.1
cluster addr = 127.0.0.1
[mon]
mon data = {d}/mon
mon data avail warn = 1
mon data avail crit = 1
paxos propose interval = 0.02
paxos min wait = 0.01
[osd]
osd data = {d}/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd memory target = 939524096
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:{self.port}
rgw enable usage log = false
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = {self.kms_key}=MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=
ms mon client mode = crc secure
rgw s3 auth use sts = true
rgw s3 auth order = local, sts
rgw sts key = abcdefghijklmnop
""")

    def _daemon(self, log, *argv):
        p = self.spawn([*argv, "-f", "-c", self.conf], log, self.env)
        self.cluster.append(p)
        return p

    def _start_cluster(self):
        for sub in ("mon", "osd", "out"):
            (self.dir / sub).mkdir()
        fsid = str(uuid.uuid4())
        self._write_conf(fsid)
        addr = f"[v2:127.0.0.1:{self.v2},v1:127.0.0.1:{self.v1}]"
        monmap = self.dir / "monmap"
        self.run(["monmaptool", "--create", "--clobber", "--addv", "a", addr,
                  "--fsid", fsid, monmap], env=self.env)
        self.run(["ceph-mon", "--mkfs", "-i", "a", "--monmap", monmap,
                  "-c", self.conf], env=self.env)
        self._daemon("mon.out", "ceph-mon", "-i", "a")
        osd = str(uuid.uuid4())
        self.run(["ceph", "-c", self.conf, "osd", "new", osd], env=self.env)
        self.run(["ceph-osd", "-i", "0", "-c", self.conf, "--mkfs",
                  "--osd-uuid", osd], env=self.env)
        self._daemon("osd.out", "ceph-osd", "-i", "0")

    def start(self):
        first = not self.cluster
        if first:
            self._start_cluster()
        self.process = self.spawn(
            ["radosgw", "-f", "-n", "client.rgw", "-c", self.conf],
            "rgw.out", self.env)
        self.wait_ready(lambda: _http_code(self.port) == 200)
        if first:
            self.admin("user", "create", "--uid=test", "--display-name=test",
                       f"--access-key={self.access_key}",
                       f"--secret-key={self.secret_key}")
        return self

    def admin(self, *words):
        return self.run(["radosgw-admin", "-n", "client.rgw", "-c", self.conf,
                         *words], env=self.env)

    def close(self):
        for p in self.cluster:
            p.kill9()
        super().close()


class SeaweedFS(Server):
    """`weed server` with its S3 gateway and one identity."""

    name = "weed"
    access_key = "AKIATESTKEY"
    secret_key = "testsecret"
    region = "us-east-1"
    binary = CACHE / "venv" / "bin" / "weed"

    def __init__(self):
        super().__init__()
        ports = free_ports(4, 10000)
        self.port, self.master, self.volume, self.filer = ports
        self.endpoint = f"http://127.0.0.1:{self.port}"
        (self.dir / "s3.json").write_text(
            '{"identities":[{"name":"test","credentials":[{"accessKey":'
            f'"{self.access_key}","secretKey":"{self.secret_key}"}}],'
            '"actions":["Admin","Read","Write","List","Tagging"]}]}')
        (self.dir / "data").mkdir()

    def start(self):
        self.process = self.spawn([
            self.binary, "-logtostderr=true", "server",
            f"-dir={self.dir}/data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            f"-master.port={self.master}", f"-volume.port={self.volume}",
            "-filer", f"-filer.port={self.filer}",
            "-s3", f"-s3.port={self.port}", "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={self.dir}/s3.json",
            "-master.electionTimeout=300ms", "-master.heartbeatInterval=100ms",
            "-master.volumeSizeLimitMB=64", "-volume.max=200"])
        # The gateway listens before a volume server has joined, and would let
        # the first put wait for it.
        self.wait_ready(lambda: _http_code(self.port) in (200, 403) and
                        _http_code(self.master, "/dir/assign") == 200)
        return self
