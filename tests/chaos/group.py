"""The processes of one group under a schedule, and the time that passes.

Everything that is done to a process is done by one thread, which also does what
is due meanwhile: goes on with who was paused, starts who was killed.
"""

import pathlib
import queue
import signal
import time

from flow import settings
from judge import PATIENCE
from secor import Secor, write_config


class Member:
    """One process of the group and what is due with it."""

    def __init__(self, name, secor):
        self.name, self.secor = name, secor
        self.stopped = False  # by us
        self.step = None  # (for_ms, kill): what follows when it stops itself
        self.removed = False
        self.ending = False  # it was asked to; twice would be at once
        self.expected = set()  # exit codes
        self.version = 0  # of the configuration it was started with

    def state(self):
        try:
            stat = pathlib.Path(f"/proc/{self.secor.process.pid}/stat")
            return stat.read_text().rsplit(")", 1)[1].split()[0]
        except OSError:
            return "X"


class Group:
    """Wants of its heir: schedule, broker, folder, name, store, late, sight,
    events, members, timers, said, counts, ends, version, begin."""

    # ---- processes ----

    def pids(self):
        return {m.name: m.secor.process.pid for m in self.members
                if m.secor.running()}

    def config(self, member_store, version=None):
        """Version 1 changes nothing that decides the output, 2 does."""
        s, version = self.schedule, self.version if version is None else version
        config = settings(
            self.broker.proxied_address, self.name, self.name, member_store,
            parser={"use": "json", "time_field": "ts"},
            batch={"max_age": f"{s.age_ms}ms", "max_messages": s.batch},
            engine={"log_level": "debug", "revoke_grace": "700ms",
                    "stop_timeout": "5s", "memory": "32MiB"})
        del config["http"]
        if self.late:
            config["finalize"] = {"delay": "10m", "interval": "1s",
                                  "late": self.late}
        config["kafka"]["session_timeout"] = f"{s.session_ms}ms"
        config["kafka"]["max_poll_interval"] = "10s"
        if version & 1:
            config["engine"]["writers"] = 2
            config["engine"]["uploaders"] = 1
            config["batch"]["max_age"] = f"{s.age_ms * 2}ms"
        if version & 2:
            config["format"] = {"use": "text", "compression": "gzip"}
        if version & 4:
            config["layout"] = {"generation": 2}
        return config

    def add(self):
        name = f"p{len(self.members)}"
        store = self.store
        if self.schedule.store == "s3":
            store = {**store, "endpoint": self.sight.way(name)}
        member = Member(name, Secor(self.folder / name, self.config(store),
                                    name=name))
        member.store = store
        self.members.append(member)
        self.start(member)
        return member

    def start(self, member, step=None):
        if member.secor.running() or member.removed:
            return
        member.expected = set()
        member.stopped, member.step = False, None
        member.ending = False
        member.version = self.version
        args = []
        secor = member.secor
        secor.reconfigure(self.config(member.store))
        if self.version & 6:  # what decides the output has changed
            old = write_config(secor.dir / "old.yaml",
                               self.config(member.store, 0))
            args = ["--finish-plans-with", old]
        env = {"SECOR_STOP_AT": step} if step else None
        secor.start(*args, env=env)

    def end(self, member, sig):
        """kill -9, or SIGTERM, which a stopped one gets when it goes on."""
        # 3: it was asked twice, or stopped for longer than stop_timeout;
        # -15: it had hardly begun
        member.expected |= {-9} if sig == signal.SIGKILL else {0, 3, -9, -15}
        if sig == signal.SIGKILL:
            member.secor.kill9()
            member.stopped, member.step = False, None
        else:
            member.ending = True
            member.secor.process.send(sig)

    def supervise(self):
        """Starts again who ended by itself, as a supervisor does; goes on with
        who stopped itself at a step."""
        for m in self.members:
            if m.secor.process.child.poll() is None:
                if m.step and m.state() == "T" and not m.stopped:
                    (for_ms, kill), m.step = m.step, None
                    self.counts["step"] += 1
                    m.stopped = True
                    self.later(for_ms, lambda m=m, kill=kill: (
                        self.end(m, signal.SIGKILL), self.start(m))
                        if kill else self.go_on(m))
            elif not m.removed and self.known_end(m):
                self.later(300, lambda m=m: self.start(m))

    def known_end(self, member):
        """True once for an end that nobody waits for already."""
        code = member.secor.process.child.returncode
        if code in member.expected or member.expected == {"seen"}:
            return False
        self.ends.append((member.name, code))
        member.expected = {"seen"}
        return True

    def go_on(self, member):
        member.stopped = False
        member.secor.cont()

    # ---- time ----

    def say(self, text):
        self.said.append(f"{time.monotonic() - self.begin:7.3f} {text}")

    def later(self, for_ms, what):
        self.timers.append((time.monotonic() + for_ms / 1000, what))

    def serve(self, until, sights=()):
        """Does what is due until then or until one of these sights, which is
        returned as (kind, writer)."""
        while True:
            now = time.monotonic()
            for timer in [t for t in self.timers if t[0] <= now]:
                self.timers.remove(timer)
                timer[1]()
            self.supervise()
            if now >= until:
                return None
            soon = min([until, now + 0.1] + [t[0] for t in self.timers])
            try:
                seen = self.events.get(timeout=max(soon - now, 0.001))
            except queue.Empty:
                continue
            if seen[0] in sights:
                return seen

    def drain(self):
        while not self.events.empty():
            self.events.get_nowait()

    def stop_all(self):
        faults = []
        for m in self.members:
            m.secor.cont()
            if not m.ending:
                self.end(m, signal.SIGTERM)
        until = time.monotonic() + PATIENCE
        while any(m.secor.running() for m in self.members):
            if time.monotonic() > until:
                return ["does not end: " + ", ".join(
                    m.name for m in self.members if m.secor.running())]
            for m in self.members:
                if m.state() == "T":  # at its step, this late
                    m.secor.cont()
            time.sleep(0.05)
        for m in self.members:
            code = m.secor.process.child.returncode
            if code not in m.expected | {0}:
                faults.append(f"{m.name} ended with {code}")
        return faults
