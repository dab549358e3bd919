"""Runs one schedule against real servers, and has it judged.

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

import judge
import kafka as clients
import proof
from group import Group
from judge import PATIENCE
from s3 import s3_client
from secor import BINARY

from schedule import SIGHTS, STEPS
from sight import LocalSight, S3Sight

MEMBERS = 5  # processes at most
AT_LEAST = 6  # strikes, also where the messages are through before
COUNTED = ("kill", "pause", "beyond session", "step", "term", "add", "remove",
           "cut", "stall", "mute", "roll", "broker-kill", "broker-pause",
           "hold", "refuse", "break", "forget", "slow")


class Run(Group):
    def __init__(self, schedule, broker, folder, server=None, late=None):
        """broker: see brokers. server: of S3, where the schedule asks for
        it. late: of `finalize`; None: there is none."""
        self.schedule, self.broker, self.late = schedule, broker, late
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

    def finish(self, ends):
        """Waits until all is stored. None, or who is stuck."""
        until = time.monotonic() + PATIENCE
        while not judge.is_stored(self.broker.address, self.name, ends):
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

    def judge(self, ends):
        """What is wrong, sentences."""
        truth = judge.truth(self.broker.address, self.name, ends)
        self.messages = truth.total()
        self.lost, self.doubled, faults = judge.count(truth, self.tree)
        if self.sight.seen.changed:
            faults.append("objects changed: "
                          f"{dict(list(self.sight.seen.changed.items())[:5])}")
        if self.late:
            markers, wrong = judge.markers(self.members[0].secor, self.tree)
            self.counts["markers"] = markers
            faults += wrong
        return faults + judge.verify(self.members[0].secor)

    def run(self):
        """The result, a dict; `faults` is empty when all is well."""
        s, faults = self.schedule, []
        self.messages = self.lost = self.doubled = 0
        judge.make_topic(self.broker.address, self.name, s.partitions,
                         self.broker.copies)
        producer = None
        try:
            for _ in range(s.processes):
                self.add()
            self.members[0].secor.wait_for("consumption begins", PATIENCE)
            producer = self.produce()
            self.strikes(producer)
            self.calm()
            producer.wait(PATIENCE)  # what it gave up is not in the topic
            ends = judge.ends(self.broker.address, self.name, s.partitions)
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
                "messages": self.messages, **self.counts,
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
    shutil.copytree(run.folder, target, symlinks=True,
                    ignore=shutil.ignore_patterns("stage"))
    (target / "account.txt").write_text(
        run.account() + "\n\n" + "\n".join(result["faults"]) + "\n")
    return target
