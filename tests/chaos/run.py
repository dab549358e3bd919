"""Runs one schedule against real servers, and judges what came of it.

The judge counts ids in the objects by itself, reading what is in the topic as
any consumer does; asks `secor verify --deep --kafka`; and knows from the sight
whether an object was ever replaced by another.
"""

import collections
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import time

import kafka as clients
import proof
from flow import settings
from s3 import s3_client
from secor import BINARY, Secor, secor_command, write_config

from schedule import SIGHTS, STEPS
from sight import LocalSight, S3Sight

PATIENCE = float(os.environ.get("CHAOS_PATIENCE", 120))
MEMBERS = 5  # processes at most
AT_LEAST = 6  # strikes, also where the messages are through before
COUNTED = ("kill", "pause", "beyond session", "step", "term", "add", "remove",
           "cut", "stall", "mute", "roll", "broker-kill", "broker-pause",
           "hold", "refuse", "break", "forget", "slow")


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


class Run:
    def __init__(self, schedule, broker, folder, server=None):
        """broker: see brokers. server: of S3, where the schedule asks for
        it."""
        self.schedule, self.broker = schedule, broker
        self.folder = pathlib.Path(folder)
        self.name = f"chaos-{schedule.seed}-{os.getpid()}"
        self.events = queue.Queue()
        self.members = []
        self.timers = []  # [when, what]
        self.said = []  # what was done, for the reader of a failure
        self.counts = collections.Counter(dict.fromkeys(COUNTED, 0))
        self.aimed = 0
        self.ends = []  # that nobody asked for
        self.version = 0
        self.begin = time.monotonic()
        broker.join(self.name)
        self._open_store(server)

    def _open_store(self, server):
        s = self.schedule
        if s.store == "local":
            root = self.folder / "data"
            root.mkdir(parents=True)
            self.tree = proof.LocalTree(root)
            self.sight = LocalSight(root, self.name, s.partitions, self.pids,
                                    self.events)
            self.store = {"use": "local", "dir": str(root)}
            return
        client = s3_client(server)
        client.create_bucket(Bucket=self.name)
        self.tree = proof.S3Tree(client, self.name)
        self.sight = S3Sight(server, self.events)
        self.store = {
            "use": "s3", "bucket": self.name, "region": server.region,
            "access_key": server.access_key, "secret_key": server.secret_key,
            "stall_timeout": "3s", "max_attempts": 2, "retry_delay": "200ms"}

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
            engine={"log_level": "info", "revoke_grace": "700ms",
                    "stop_timeout": "5s", "memory": "32MiB"})
        del config["http"]
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

    # ---- strikes ----

    def wait(self, strike):
        """Until its time has come; the writer that was seen, or None."""
        now, seen = time.monotonic(), None
        if strike.wait == "time":
            self.serve(now + strike.delay_ms / 1000)
            return None
        self.drain()
        for _ in range(strike.skip + 1):
            seen = self.serve(now + 1.5, (strike.wait,))
            if seen is None:
                return None
        if strike.delay_ms:
            time.sleep(strike.delay_ms / 1000)
        return seen[1]

    def victim(self, strike, writer):
        running = [m for m in self.members if m.secor.running()
                   and not (m.stopped or m.removed or m.ending)]
        if strike.victim == "writer":
            for m in running:
                if m.name == writer:
                    self.aimed += 1
                    return m
        return running[strike.pick % len(running)] if running else None

    def strike(self, strike):
        writer = self.wait(strike)
        member = self.victim(strike, writer)
        act = getattr(self, "do_" + strike.act.replace("-", "_"))
        done = act(strike, member)
        self.say(f"{strike.act} {member.name if member else '-'} for "
                 f"{strike.for_ms} ms" + ("" if done else ": not now"))
        if done and strike.act != "step":
            self.counts[strike.act] += 1

    def do_kill(self, strike, member):
        if member:
            self.end(member, signal.SIGKILL)
            self.later(strike.for_ms, lambda: self.start(member))
        return member

    def do_pause(self, strike, member):
        """Longer than the session, mostly; one in four dies of it."""
        if member:
            member.secor.pause()
            member.stopped = True
            if strike.for_ms > self.schedule.session_ms:
                self.counts["beyond session"] += 1
            self.later(strike.for_ms, lambda: (
                self.end(member, signal.SIGKILL), self.start(member))
                if strike.pick % 4 == 0 else self.go_on(member))
        return member

    def do_step(self, strike, member):
        """Killed, and started so that it stops itself at a step."""
        if member:
            self.end(member, signal.SIGKILL)
            self.counts["kill"] += 1
            step = STEPS[strike.pick % len(STEPS)]
            self.start(member, f"{step}:{strike.count % 2 + 1}")
            member.step = (strike.for_ms, strike.pick % 3 == 0)
        return member

    def do_term(self, strike, member):
        if member:
            self.end(member, signal.SIGTERM)
            self.later(strike.for_ms, lambda: self.start_when_over(member))
        return member

    def start_when_over(self, member):
        if member.secor.running():
            self.later(200, lambda: self.start_when_over(member))
        else:
            self.start(member)

    def do_add(self, strike, member):
        idle = [m for m in self.members if m.removed
                and not m.secor.running()]
        if idle:
            idle[0].removed = False
            self.start(idle[0])
            return True
        return len(self.members) < MEMBERS and self.add()

    def do_remove(self, strike, member):
        if not member or sum(not m.removed for m in self.members) < 2:
            return None
        member.removed = True
        self.end(member, signal.SIGTERM)
        return True

    def do_cut(self, strike, member):
        self.broker.proxy.cut()
        return True

    def do_stall(self, strike, member):
        self.broker.proxy.stall()
        self.later(strike.for_ms, self.broker.proxy.go_on)
        return True

    def do_mute(self, strike, member):
        self.broker.proxy.stall_answers()
        self.later(strike.for_ms, self.broker.proxy.go_on)
        return True

    def do_broker_kill(self, strike, member):
        return self.broker.strike("kill", strike.for_ms)

    def do_broker_pause(self, strike, member):
        return self.broker.strike("pause", strike.for_ms)

    def do_refuse(self, strike, member):
        self.sight.trouble.add(strike.act, strike.count, strike.for_ms)
        return True

    do_break = do_forget = do_slow = do_refuse

    def do_hold(self, strike, member):
        """Its next put arrives late, and it is paused or killed meanwhile."""
        if not member:
            return None
        self.sight.trouble.add("hold", 1, strike.for_ms, member.name)
        if self.serve(time.monotonic() + 2, SIGHTS[:1]) is None:
            return None
        if strike.pick % 2:
            self.counts["pause"] += 1
            return self.do_pause(strike, member)
        self.counts["kill"] += 1
        return self.do_kill(strike, member)

    def do_roll(self, strike, member):
        """A new configuration, process after process, under load."""
        change = (1, 2, 4)[strike.pick % 3]
        if self.version & 6 and change != 1:
            return None
        self.version ^= change
        for n, m in enumerate(self.members):
            self.later(n * 400, lambda m=m: self.roll(m))
        return True

    def roll(self, member):
        if not member.secor.running() or member.version == self.version:
            return
        if member.stopped:
            self.end(member, signal.SIGKILL)
            self.start(member)
        else:
            self.end(member, signal.SIGTERM)
            self.start_when_over(member)

    # ---- the whole ----

    def produce(self):
        s = self.schedule
        return subprocess.Popen(
            [BINARY, "produce", "--brokers", self.broker.address, self.name,
             "--count", str(s.messages), "--rate", str(s.rate), "--late",
             "5%", "--size", "120"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def strikes(self, producer):
        look = time.monotonic()
        for n, strike in enumerate(self.schedule.strikes):
            if n >= AT_LEAST and producer.poll() is not None:
                return
            self.strike(strike)
            if time.monotonic() - look > 1:
                self.sight.look()
                look = time.monotonic()

    def calm(self):
        """Nothing is done to anybody any more, and all of them run."""
        self.broker.proxy.go_on()
        self.broker.calm()
        if self.schedule.store == "s3":
            self.sight.trouble.end()
        self.say("calm")
        self.serve(time.monotonic() + 0.2)
        for m in self.members:
            m.step = None
            if m.stopped:
                self.go_on(m)

    def committed(self, ends):
        try:
            got = clients.fetch_offsets(self.broker.address, self.name,
                                        self.name, list(ends))
        except (OSError, clients.KafkaException, clients.struct.error):
            return False
        return all(o >= ends[p] and " plan " not in f" {m} "
                   for p, (o, m) in got.items())

    def finish(self, ends):
        """Waits until all is stored. None, or who is stuck."""
        until = time.monotonic() + PATIENCE
        while not self.committed(ends):
            if time.monotonic() > until:
                return "stuck: " + str(clients.fetch_offsets(
                    self.broker.address, self.name, self.name, list(ends)))
            self.serve(time.monotonic() + 0.3)
            for m in self.members:  # stopped itself, or is of before a roll
                if not m.stopped and m.secor.running() and (
                        m.state() == "T" or m.version != self.version):
                    self.end(m, signal.SIGKILL)
                if not m.secor.running() and not self.timers:
                    self.start(m)
        return None

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

    def truth(self, ends):
        """Counter of the ids that are in the topic, read as anybody does."""
        found = collections.Counter()
        for _, _, value in clients.read_all(self.broker.address, self.name,
                                            ends):
            found[clients.json.loads(value)["id"]] += 1
        return found

    def judge(self, ends):
        stored = collections.Counter(i for _, i in proof.read_ids(self.tree))
        truth = self.truth(ends)
        lost, doubled = truth - stored, stored - truth
        self.lost, self.doubled = lost.total(), doubled.total()
        faults = []
        if lost:
            faults.append(f"{self.lost} lost: {sorted(lost)[:10]}")
        if doubled:
            faults.append(f"{self.doubled} doubled: {sorted(doubled)[:10]}")
        self.sight.settle()
        if self.sight.seen.changed:
            faults.append("objects changed: "
                          f"{dict(list(self.sight.seen.changed.items())[:5])}")
        done = secor_command("verify", "--deep", "--kafka",
                             self.members[0].secor.config,
                             cwd=self.members[0].secor.dir)
        if done.returncode:
            faults.append(f"verify: {done.stdout[-2000:]}{done.stderr[-2000:]}")
        return faults

    def run(self):
        """The result, a dict; `faults` is empty when all is well."""
        s, faults = self.schedule, []
        self.lost = self.doubled = 0
        clients.create_topic(self.broker.address, self.name, s.partitions,
                             copies=self.broker.copies)
        producer = None
        try:
            for _ in range(s.processes):
                self.add()
            self.members[0].secor.wait_for("consumption begins", PATIENCE)
            producer = self.produce()
            self.strikes(producer)
            self.calm()
            if producer.wait(PATIENCE):
                faults.append("the producer failed")
            ends = {p: clients.watermarks(self.broker.address, self.name, p)[1]
                    for p in range(s.partitions)}
            stuck = self.finish(ends)
            faults += self.stop_all()
            self.sight.settle()
            faults += [stuck] if stuck else self.judge(ends)
            faults += [f"{who} ended by itself with {code}"
                       for who, code in self.ends if code != 3]
        finally:
            if producer:
                producer.kill()
                producer.wait()
            for m in self.members:
                m.secor.close()
            self.sight.close()
        return self.result(faults)

    def logs(self, phrase):
        return sum(m.secor.log.read_text(errors="replace").count(phrase)
                   for m in self.members)

    def result(self, faults):
        trouble = getattr(self.sight, "trouble", None)
        return {"seed": self.schedule.seed, "store": self.schedule.store,
                "messages": self.schedule.messages, **self.counts,
                "troubled puts": sum(trouble.done.values()) if trouble else 0,
                "aimed": self.aimed, "landed": self.sight.seen.landed,
                "objects": len(self.sight.seen.first),
                "rebalances": self.logs("partitions revoked"),
                "replays": self.logs("replay begins"),
                "fenced": self.logs("partition lost"),
                "ended by itself": len(self.ends),
                "lost": self.lost, "doubled": self.doubled,
                "seconds": round(time.monotonic() - self.begin, 1),
                "faults": faults}

    def account(self):
        """What a person needs who looks into a failure."""
        return "\n".join([str(self.schedule), "what was done:"] + self.said)


def keep(run, result, folder):
    """Copies logs and the account of a run that failed."""
    target = pathlib.Path(folder) / f"seed-{result['seed']}"
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(run.folder, target, symlinks=True)
    (target / "account.txt").write_text(
        run.account() + "\n\n" + "\n".join(result["faults"]) + "\n")
    return target
