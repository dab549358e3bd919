"""Sees each write into the store while it happens, and who makes it.

Both sights put (kind, writer) into a queue, kind as schedule.SIGHTS has them,
and remember what every object was made of: an object that lands again under the
same name must be the same, byte by byte. The writer is a name, or None.
"""

import ctypes
import hashlib
import json
import os
import struct
import threading
import time

from proxy import CUT, HttpProxy
from servers import wait_until

IN_CREATE, IN_MOVED_FROM, IN_MOVED_TO = 0x100, 0x40, 0x80
_libc = ctypes.CDLL(None, use_errno=True)


class Seen:
    """What each key held when it was seen first; `changed` has the others."""

    def __init__(self):
        self.first = {}
        self.landed = 0
        self.changed = {}
        self._lock = threading.Lock()

    def note(self, key, identity):
        if key.endswith("/_SUCCESS") or "/_paths/" in key:
            return  # what the finalizer writes is written again
        with self._lock:
            self.landed += 1
            if self.first.setdefault(key, identity) != identity:
                self.changed[key] = (self.first[key], identity)


def _identity(key, data):
    """Of a file. A manifest says when it was written, which may differ."""
    if "_manifests/" in key:
        manifest = json.loads(data)
        manifest.pop("written_ms", None)
        data = json.dumps(manifest, sort_keys=True).encode()
    return hashlib.sha1(data).hexdigest()


class LocalSight:
    """Of a local store: inotify on the folder through which objects come and
    on those of the manifests."""

    def __init__(self, root, topic, partitions, pids, events):
        """pids() gives {name: pid} of the processes that run."""
        self.root, self.pids, self.events = root, pids, events
        self.seen = Seen()
        self._known = {}  # path: inode and time as scanned last
        self._writers = {}  # name in .tmp: writer
        self._fd = _libc.inotify_init1(os.O_CLOEXEC)
        assert self._fd >= 0, os.strerror(ctypes.get_errno())
        (root / ".tmp").mkdir(parents=True)
        self._tmp = self._watch(root / ".tmp", IN_CREATE | IN_MOVED_FROM)
        for p in range(partitions):
            folder = root / "_manifests" / topic / str(p)
            folder.mkdir(parents=True)
            self._watch(folder, IN_MOVED_TO)
        threading.Thread(target=self._run, daemon=True).start()

    def _watch(self, path, mask):
        n = _libc.inotify_add_watch(self._fd, os.fsencode(path), mask)
        assert n >= 0, os.strerror(ctypes.get_errno())
        return n

    def _run(self):
        while True:
            try:
                data = os.read(self._fd, 65536)
            except OSError:
                return
            at, moved = 0, {}
            while at < len(data):
                wd, mask, cookie, size = struct.unpack_from("iIII", data, at)
                name = data[at + 16:at + 16 + size].rstrip(b"\0").decode()
                at += 16 + size
                if mask & IN_CREATE:
                    who = self._writers[name] = self._writer(name)
                    self.events.put(("put", who))
                elif mask & IN_MOVED_FROM:
                    moved[cookie] = ["object", self._writers.pop(name, None)]
                elif mask & IN_MOVED_TO and cookie in moved:
                    moved[cookie][0] = "manifest"
            for kind, who in moved.values():
                self.events.put((kind, who))

    def _writer(self, name):
        """Who has this file open right now."""
        end = "/.tmp/" + name
        for who, pid in self.pids().items():
            try:
                for fd in os.scandir(f"/proc/{pid}/fd"):
                    if os.readlink(fd.path).endswith(end):
                        return who
            except OSError:
                continue
        return None

    def look(self):
        """Compares every file that is new or was replaced."""
        for folder, _, names in os.walk(self.root):
            if folder.endswith("/.tmp"):
                continue
            for name in names:
                path = os.path.join(folder, name)
                stat = os.stat(path)
                mark = (stat.st_ino, stat.st_mtime_ns)
                if self._known.get(path) == mark:
                    continue
                self._known[path] = mark
                key = os.path.relpath(path, self.root)
                with open(path, "rb") as f:
                    self.seen.note(key, _identity(key, f.read()))

    def settle(self):
        self.look()

    def close(self):
        os.close(self._fd)


class Trouble:
    """What goes wrong in the store, for everybody."""

    def __init__(self):
        self._rules = []
        self._lock = threading.Lock()
        self.done = dict.fromkeys(
            ("refuse", "break", "forget", "slow", "hold"), 0)

    def add(self, act, count, for_ms, who=None):
        with self._lock:
            self._rules.append([act, count, for_ms, who,
                                time.monotonic() + 5 + for_ms / 1000])

    def take(self, who, acts):
        """(act, for_ms) of the rule that this put falls under, or None."""
        with self._lock:
            now = time.monotonic()
            self._rules = [r for r in self._rules if r[1] > 0 and r[4] > now]
            for rule in self._rules:
                if rule[0] in acts and rule[3] in (None, who):
                    rule[1] -= 1
                    self.done[rule[0]] += 1
                    return rule[0], rule[2]
        return None

    def end(self):
        with self._lock:
            self._rules = []


class S3Sight:
    """Of an S3 server: each process has a proxy of its own to it.

    hold: the request arrives, its sender may be dead by then, and the server
    sees it much later. forget: the server did it, the answer is lost.
    """

    def __init__(self, server, events):
        self.server, self.events = server, events
        self.seen = Seen()
        self.trouble = Trouble()
        self._here = threading.local()
        self._proxies = []

    def way(self, who):
        """The endpoint for this process."""
        proxy = HttpProxy(
            self.server.port,
            lambda method, path, headers: self._before(
                who, method, path, headers),
            lambda method, path, status: self._after(who, method, path, status))
        self._proxies.append(proxy)
        return proxy.endpoint

    def _before(self, who, method, path, headers):
        if method != "PUT":
            return None
        self._here.identity = (headers["Content-Length"],
                               headers["x-amz-checksum-crc32c"])
        self.events.put(("put", who))
        hit = self.trouble.take(who, ("refuse", "break", "slow", "hold"))
        if hit is None:
            return None
        act, for_ms = hit
        if act == "refuse":
            return 503, b""
        if act == "break":
            return CUT
        time.sleep(for_ms / 1000)
        return None

    def _after(self, who, method, path, status):
        if method != "PUT" or status != 200:
            return None
        kind = "manifest" if "/_manifests/" in path else "object"
        if kind == "object":
            self.seen.note(path, self._here.identity)
        self.events.put((kind, who))
        return CUT if self.trouble.take(who, ("forget",)) else None

    def look(self):
        pass

    def settle(self):
        """Waits until the server is done with the last request, also with
        those that were held back and whose sender is dead."""
        self.trouble.end()
        wait_until("the last request arrives",
                   lambda: not any(p.busy for p in self._proxies), 90)

    def close(self):
        for p in self._proxies:
            p.close()
