"""Neighbours that fail: a store that takes nothing or refuses, brokers that are
all gone, a broken disk. Nothing is lost or doubled, the process keeps its place
in the group where it can, stays within its budgets, says what it waits for once
and not more, and comes back by itself.

SECOR_STORE_OUTAGE_S and SECOR_BROKER_OUTAGE_S are how long the deep ones last.
"""

import errno
import os
import pathlib
import re
import subprocess
import threading
import time

import kafka as clients
import proof
import pytest
from flow import Beside, local_store, settings, verify, wait_done
from proxy import TcpProxy
from servers import Kafka, free_ports, wait_until
from watch import Footprint, group_moves, metric, wait_metric

MIB = 1 << 20
STORE_OUTAGE_S = int(os.environ.get("SECOR_STORE_OUTAGE_S", 600))
BROKER_OUTAGE_S = int(os.environ.get("SECOR_BROKER_OUTAGE_S", 300))


def deep(seconds):
    return pytest.param(seconds, marks=[
        pytest.mark.deep, pytest.mark.timeout(seconds + 600)])


@pytest.fixture(scope="module")
def broker():
    """A broker that may be killed, with a second way in that can be cut."""
    one = Kafka(proxied=True).start()
    yield one
    one.close()


def watched(config):
    """With a port of its own: /metrics is looked at before the log is."""
    config["http"] = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
    return config


class Feed(Beside):
    """Sends messages that no codec makes small, at a steady rate."""

    def __init__(self, address, topic, partitions, bytes_s):
        super().__init__()
        self.address, self.topic = address, topic
        self.partitions, self.bytes_s = partitions, bytes_s
        self.ids = []

    def go_on(self):
        while not self.over.wait(0.5):
            self.ids += clients.produce_json(
                self.address, self.topic, max(1, self.bytes_s // 40_000),
                self.partitions, first_id=len(self.ids), step_ms=1,
                extra=lambda i: {"pad": os.urandom(10_000).hex()})


class StageSize(Beside):
    """The most bytes that lay in a stage."""

    def __init__(self, folder):
        super().__init__()
        self.folder = pathlib.Path(folder)
        self.most = 0

    def go_on(self):
        while not self.over.wait(0.1):
            total = 0
            for f in self.folder.rglob("*"):
                try:
                    total += f.stat().st_size if f.is_file() else 0
                except OSError:
                    pass
            self.most = max(self.most, total)


def said(process, what):
    return len(re.findall(rf"^\w+ +\S+ {what}", process.text(), re.M))


@pytest.mark.parametrize("seconds", [5, deep(STORE_OUTAGE_S)])
def test_store_that_fails_for_long_costs_nothing_but_time(
        seconds, kafka, rgw, topic, group, bucket, secor, http_proxy):
    """Fed with many times what the budgets hold, the process stays within
    them, and in the group."""
    memory = 32 * MIB
    # each of two partitions fills two batches: more than the stage may hold
    stage, bytes_s = (8 * MIB, 2 * MIB) if seconds < 60 else (
        16 * MIB, MIB // 2)
    name, tree = topic(partitions=2), bucket(rgw)
    failing = threading.Event()
    proxy = http_proxy(rgw, before=lambda method, *_: (
        503, b"<Error><Code>SlowDown</Code></Error>")
        if failing.is_set() and method in ("PUT", "POST") else None)
    process = secor(watched(settings(
        kafka.address, group, name, {
            "use": "s3", "bucket": tree.bucket, "endpoint": proxy.endpoint,
            "region": rgw.region, "path_style": True, "max_attempts": 2,
            "access_key": rgw.access_key, "secret_key": rgw.secret_key,
            "retry_delay": "50ms"},
        batch={"max_bytes": stage * 3 // 8, "max_age": "60s",
               "on_stop": "finish"},
        stage={"max_bytes": f"{stage // MIB}MiB"},
        engine={"memory": f"{memory // MIB}MiB", "stop_timeout": "60s"},
        kafka={"session_timeout": "6s", "properties": {
            "queued.max.messages.kbytes": 8192}}))).start()
    wait_metric(process, "secor_partitions_assigned", 2)
    before = group_moves(process)
    with Feed(kafka.address, name, 2, bytes_s) as feed, \
            Footprint(process) as foot, \
            StageSize(process.dir / "stage") as staged:
        wait_metric(process, "secor_batches_total", 1, 90)
        usual = foot.rss
        failing.set()
        began = time.monotonic()
        process.wait_for("^warn .*store waits .*next=retry", 90)
        objects = tree.keys()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(1)
            assert process.running()
        process.wait_for("^warn .*intake waits for=stage", 120)
        assert tree.keys() == objects
        waited = metric(process, "secor_uploads_total")
        lines = said(process, "store waits")
        failing.clear()
        outage = time.monotonic() - began
    print(f"{outage:.0f} s without a store: {len(feed.ids)} messages, "
          f"rss {usual / MIB:.0f} MiB, then {foot.rss / MIB:.0f}, stage "
          f"{staged.most / MIB:.1f} of {stage / MIB:.0f} MiB, "
          f"{waited:.0f} puts tried, {lines} lines of it")
    # one that waits says so once a minute; a new batch does at once
    assert 1 <= lines <= 2 * (outage / 60 + 2)
    process.wait_for("^info .*store goes on", 90)
    process.wait_for("^warn .*intake goes on", 90)
    ends = [clients.watermarks(kafka.address, name, p)[1] for p in (0, 1)]
    wait_metric(process, "secor_messages_total", sum(ends), 120 + seconds / 4)
    assert group_moves(process) == before
    # what comes out of the last buffers is over the limit, not more
    assert staged.most <= stage + 4 * MIB
    # the queue of the client is beside the budget, as docs/KAFKA.md says
    assert foot.rss <= 64 * MIB + memory + 2 * 8 * MIB
    assert process.stop(timeout=90) == 0
    clients.wait_committed(kafka.address, group, name, ends, 1)
    proof.assert_exactly_once(feed.ids, tree)
    verify(process)


@pytest.mark.parametrize("seconds", [deep(BROKER_OUTAGE_S)])
def test_all_brokers_gone_for_minutes(broker, group, secor, tmp_path, seconds):
    """Killed, not only unreachable, in the middle of a batch: the same process
    goes on by itself when they are back."""
    name = clients.create_topic(broker.address, f"gone-{group}", 2)
    store, tree = local_store(tmp_path / "data")
    process = secor(watched(settings(
        broker.address, group, name, store,
        kafka={"session_timeout": "6s"}))).start()
    wait_metric(process, "secor_partitions_assigned", 2)
    ids = clients.produce_json(broker.address, name, 3000, 2)
    wait_done(broker.address, group, name, 2)
    ids += clients.produce_json(broker.address, name, 3000, 2, first_id=3000)
    wait_metric(process, "secor_messages_total", 3001)
    pid = process.process.pid
    broker.kill9()
    try:
        process.wait_for("kafka error code=(_ALL_BROKERS_DOWN|_TRANSPORT)")
        with Footprint(process) as foot:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                time.sleep(1)
                assert process.running()
        before = tree.keys()
        lines = len(process.text().splitlines())
    finally:
        broker.start()
    began = time.monotonic()
    ids += clients.produce_json(broker.address, name, 1000, 2, first_id=6000)
    wait_done(broker.address, group, name, 2, 120)
    print(f"{seconds} s without a broker: back after "
          f"{time.monotonic() - began:.0f} s, rss {foot.rss / MIB:.0f} MiB, "
          f"{lines} log lines, {len(before)} objects before")
    assert process.process.pid == pid
    assert lines < 200 + seconds
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(process)


# ---- what a store may answer, and where a connection may break ----

def s3_process(kafka, server, group, name, tree, secor, endpoint, **store):
    """A process with a store behind a proxy, small pauses between attempts."""
    return secor(watched(settings(
        kafka.address, group, name, {
            "use": "s3", "bucket": tree.bucket, "endpoint": endpoint,
            "region": server.region, "path_style": True, "max_attempts": 2,
            "access_key": server.access_key,
            "secret_key": server.secret_key, "retry_delay": "50ms", **store},
        batch={"max_age": "300ms"}, kafka={"session_timeout": "10s"})))


def xml(code):
    return b"<Error><Code>%s</Code></Error>" % code.encode()


# what the log says: the level, and the answer
REFUSALS = {
    "too-many-requests": ((429, b""), "warn", "HTTP 429"),
    "forbidden": ((403, xml("AccessDenied")), "error", "AccessDenied"),
    "expired-token": ((400, xml("ExpiredToken")), "error", "ExpiredToken"),
    "clock": ((403, xml("RequestTimeTooSkewed")), "error", "clock"),
    "ok-that-is-an-error": ((200, xml("InternalError")), "warn",
                            "InternalError"),
}


def few(names, *kinds):
    """All of them, those that are not named in the deep target only."""
    return [n if n in kinds else pytest.param(n, marks=pytest.mark.deep)
            for n in names]


@pytest.mark.parametrize(
    "kind", few(REFUSALS, "forbidden", "ok-that-is-an-error"))
def test_store_that_refuses_in_the_middle_of_the_day(
        kind, kafka, rgw, topic, group, bucket, secor, http_proxy):
    """It is asked again and again, also where only a person can mend it: that
    is an error line. Large objects, for an answer that comes at their end."""
    answer, level, says = REFUSALS[kind]
    refusing = threading.Event()
    name, tree = topic(), bucket(rgw)
    proxy = http_proxy(rgw, before=lambda method, path, _: answer if
                       refusing.is_set() and method in ("PUT", "POST") and
                       ("uploadId=" in path and method == "POST"
                        or answer[0] != 200) else None)
    process = s3_process(kafka, rgw, group, name, tree, secor, proxy.endpoint,
                         multipart_threshold="5MiB", part_size="5MiB").start()
    ids = clients.produce_json(kafka.address, name, 100)
    wait_done(kafka.address, group, name, 1)
    before, objects = group_moves(process), proof.object_keys(tree)
    refusing.set()
    ids += clients.produce_json(
        kafka.address, name, 24, first_id=100,
        extra=lambda i: {"pad": os.urandom(150_000).hex()})
    process.wait_for(f"^{level} .*store waits .*{says}")
    wait_metric(process, 'secor_partitions_waiting{for="store"}', 1)
    assert proof.object_keys(tree) == objects
    assert clients.committed(kafka.address, group, name)[0] == 100
    refusing.clear()
    process.wait_for("^info .*store goes on")
    wait_done(kafka.address, group, name, 1)
    assert group_moves(process) == before
    assert process.stop() == 0
    assert said(process, "store waits") == 1
    proof.assert_exactly_once(ids, tree)
    verify(process)


@pytest.mark.deep
def test_connections_to_the_store_break_at_any_byte(
        kafka, rgw, topic, group, bucket, secor):
    """In the request's head, its body, behind it, in the answer; and a line
    that is slow, but moves, is waited for."""
    name, tree = topic(), bucket(rgw)
    proxy = TcpProxy(rgw.port)
    process = s3_process(
        kafka, rgw, group, name, tree, secor, f"http://127.0.0.1:{proxy.port}",
        stall_timeout="10s").start()
    wait_metric(process, "secor_partitions_assigned", 1)
    before, ids = group_moves(process), []

    def produce():
        ids.extend(clients.produce_json(
            kafka.address, name, 40, first_id=len(ids),
            extra=lambda i: {"pad": os.urandom(2500).hex()}))

    for limits in ([{"up": n} for n in (0, 1, 100, 600, 1500, 70_000, 200_000,
                                        202_000)]
                   + [{"down": n} for n in (0, 1, 20, 100)]):
        cuts = proxy.cuts
        proxy.reset_after(**limits)
        produce()
        wait_until(f"a reset after {limits}", lambda: proxy.cuts > cuts + 1,
                   90)
        proxy.reset_after()
        wait_done(kafka.address, group, name, 1)
    proxy.rate = 100_000
    produce()
    waits = said(process, "store waits")
    wait_done(kafka.address, group, name, 1)
    assert said(process, "store waits") == waits
    assert group_moves(process) == before
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(process)
    proxy.close()


# ---- the stage's disk ----

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What $STAGE_FAULT says, "CALL ERRNO": the error of this call, or 0. */
static int
fault(const char *call)
{
	char text[64] = "", name[16];
	int code, fd = (int)syscall(SYS_openat, AT_FDCWD, getenv("STAGE_FAULT"),
	    O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (syscall(SYS_read, fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)syscall(SYS_close, fd);
	return sscanf(text, "%15s %d", name, &code) == 2 &&
		       strcmp(name, call) == 0
		   ? code
		   : 0;
}

static int
staged(int fd)
{
	char link[64], path[4096] = "";
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, path, sizeof(path) - 1) > 0 &&
	       strstr(path, "/stage/") != NULL;
}

#define NEXT(type, name) ((type)dlsym(RTLD_NEXT, name))

ssize_t
write(int fd, const void *bytes, size_t n)
{
	int code = staged(fd) ? fault("write") : 0;

	if (code != 0)
		return errno = code, -1;
	return NEXT(ssize_t(*)(int, const void *, size_t), "write")(
	    fd, bytes, n);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	int code = staged(fd) ? fault("write") : 0;

	if (code != 0)
		return errno = code, -1;
	return NEXT(ssize_t(*)(int, const void *, size_t, off_t), "pwrite")(
	    fd, bytes, n, at);
}

ssize_t
pread(int fd, void *bytes, size_t n, off_t at)
{
	int code = staged(fd) ? fault("read") : 0;

	if (code != 0)
		return errno = code, -1;
	return NEXT(ssize_t(*)(int, void *, size_t, off_t), "pread")(
	    fd, bytes, n, at);
}

int
open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;
	int code = strstr(path, "/stage/") != NULL &&
			   (flags & O_ACCMODE) != O_RDONLY
		       ? fault("open")
		       : 0;

	va_start(ap, flags);
	if (flags & O_CREAT)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	if (code != 0)
		return errno = code, -1;
	return NEXT(int (*)(const char *, int, ...), "open")(
	    path, flags, mode);
}
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    """A library that lets calls on files of a stage fail as a file says."""
    folder = tmp_path_factory.mktemp("shim")
    (folder / "shim.c").write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-Wall", "-Werror", "-o",
                    folder / "shim.so", folder / "shim.c", "-ldl"], check=True)
    return folder / "shim.so"


# call, errno, what the log says; no root needed, as a mount would
DISKS = {"write-EIO": ("write", errno.EIO, "Input/output error"),
         "read-only": ("open", errno.EROFS, "Read-only file system"),
         "read-EIO": ("read", errno.EIO, "Input/output error"),
         "quota": ("write", errno.EDQUOT, "[Qq]uota")}


@pytest.mark.parametrize("disk", few(DISKS, "write-EIO", "read-only"))
def test_stage_that_fails_is_waited_for(
        disk, shim, kafka, topic, group, secor, tmp_path):
    """Longer than the session. It fails again and again, which is said once."""
    call, code, text = DISKS[disk]
    session = 6
    name = topic(partitions=1)
    store, tree = local_store(tmp_path / "data")
    process = secor(watched(settings(
        kafka.address, group, name, store, batch={"max_age": "300ms"},
        kafka={"session_timeout": f"{session}s"})))
    switch = tmp_path / "fault"
    process.start(env={"LD_PRELOAD": str(shim), "STAGE_FAULT": str(switch)})
    ids = clients.produce_json(kafka.address, name, 200)
    wait_done(kafka.address, group, name, 1)
    before = group_moves(process)
    (tmp_path / "new").write_text(f"{call} {code}\n")
    (tmp_path / "new").rename(switch)
    began = time.monotonic()
    ids += clients.produce_json(kafka.address, name, 200, first_id=200)
    process.wait_for(f"^error .*stage failed .*{text}.* next=retry")
    wait_metric(process, 'secor_partitions_waiting{for="stage"}', 1)
    offset, record = clients.committed(kafka.address, group, name)
    assert offset == 200
    if call != "read":  # a put reads, so there is a plan
        assert " clean " in record
    # the second attempt, at least
    wait_metric(process, "secor_messages_total", 600)
    time.sleep(max(0, began + session + 1 - time.monotonic()))
    switch.unlink()
    process.wait_for("^info .*stage goes on")
    wait_done(kafka.address, group, name, 1)
    assert group_moves(process) == before
    assert process.stop() == 0
    assert said(process, "stage failed") == 1
    proof.assert_exactly_once(ids, tree)
    verify(process)


# ---- the budget ----

@pytest.mark.deep
def test_memory_that_is_short_ends_batches_earlier(
        kafka, topic, group, secor, tmp_path):
    """4,000 open objects on the least memory there is."""
    name, paths, memory = topic(), 4000, 16 * MIB
    store, tree = local_store(tmp_path / "data")
    pad = "x" * 3000
    ids = clients.produce_json(
        kafka.address, name, 3 * paths, step_ms=0,
        extra=lambda i: {"c": str(i % paths), "pad": pad})
    process = secor(watched(settings(
        kafka.address, group, name, store,
        partitioner={"use": "field", "fields": ["c"]},
        batch={"max_age": "60s", "max_objects": 0, "on_stop": "finish"},
        engine={"memory": f"{memory // MIB}MiB", "open_files": 64,
                "log_level": "info", "stop_timeout": "60s"},
        kafka={"session_timeout": "10s", "properties": {
            "queued.max.messages.kbytes": 8192}}))).start()
    with Footprint(process) as foot:
        wait_metric(process, 'secor_cuts_total{reason="memory"}', 1, 60)
        wait_metric(process, "secor_messages_total", 3 * paths, 120)
        before = group_moves(process)
        assert process.stop(timeout=90) == 0
    assert set(before.values()) == {0}
    print(f"rss {foot.rss / MIB:.0f} MiB, {foot.files} files")
    assert foot.rss <= 64 * MIB + memory + 2 * 8 * MIB
    assert clients.committed(kafka.address, group, name)[0] == 3 * paths
    proof.assert_exactly_once(ids, tree)
    verify(process)
