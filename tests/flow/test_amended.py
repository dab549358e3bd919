"""What comes late: messages, and dead letters that are sent through again. At
the end markers, tallies and what notifiers heard say what the objects hold.
"""

import collections
import json
import os
import random
import subprocess
import time

import kafka as clients
import proof
import pytest
from flow import BEGIN, HOUR, verify
from secor import BINARY, secor_command, write_config
from servers import states, wait_until
from test_finalize import Paths, day, dt, webhook  # noqa: F401
from webhook import Webhook

NOW = 49  # an hour that is not over in this test, since BEGIN


class Late(Paths):
    """Reads by `ts`; what has `time` alone is a dead letter, until redriven."""

    PARTITIONS = 3

    def __init__(self, *args, **more):
        more = {"parser": {"time_field": "ts"},
                "bad_messages": {"action": "dead_letter",
                                 "halt_above": "100%"}, **more}
        super().__init__(*args, **more)
        self.config = self.yaml("final")
        self.right = self.yaml("right", parser={
            "use": "json", "time_field": "time"})
        self.places = {}  # of each id: (partition, offset)

    def yaml(self, name, **sections):
        """Another configuration of the same service."""
        config = json.loads(self.process.config.read_text())
        return write_config(self.process.dir / f"{name}.yaml",
                            {**config, **sections})

    def send(self, rows):
        """Of each (partition, hour, good) a message."""
        messages, first = [], self.sent
        for p, hour, good in rows:
            at = BEGIN + hour * HOUR + self.sent % 3_000_000
            value = {"id": self.sent, "time": at, **({"ts": at} if good else {})}
            messages.append((p, None, json.dumps(value).encode()))
            self.sent += 1
        places = clients.produce(self.kafka.address, self.topic, messages)
        self.places.update(zip(range(first, self.sent), places))

    def redrive(self, *args):
        done = secor_command("redrive", self.right, self.topic, "--yes",
                             "--json", *args, cwd=self.process.dir)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def stopped(self, step):
        """A redrive that has stopped itself there."""
        process = subprocess.Popen(
            [BINARY, "redrive", self.right, self.topic, "--yes"],
            stdout=subprocess.DEVNULL, cwd=self.process.dir,
            env={**os.environ, "SECOR_STOP_AT": step})
        wait_until(f"it stops at {step}",
                   lambda: set(states(process.pid)) == {"T"}, 60)
        return process

    # ---- what is there ----

    def held(self):
        """{path or level: what its objects hold}, by the objects alone."""
        found = collections.defaultdict(
            lambda: {"keys": set(), "bytes": 0, "parts": {}})
        for key, one in proof.read_ids(self.tree):
            levels = key.split("/")[1:-1]
            partition, offset = self.places[one]
            for n in range(1, len(levels) + 1):
                at = found["/".join(levels[:n])]
                if key not in at["keys"]:
                    at["keys"].add(key)
                    at["bytes"] += (self.tree.root / key).stat().st_size
                at["parts"].setdefault(partition, []).append(offset)
        return found

    def tally(self, path):
        return json.loads(self.tree.get(
            f"_manifests/{self.topic}/_paths/1/{path}/_path.json"))

    def wait_told(self, paths):
        """By their tallies, which come last."""
        folder = self.tree.root / "_manifests" / self.topic / "_paths" / "1"
        wait_until("all but those that fail are told", lambda: all(
            (folder / path / "_path.json").exists() for path in paths), 90)

    def events(self, path):
        """Those of the path, each id once."""
        return {e["id"]: e for e in self.webhook.events
                if e.get("path") == path}.values()

    def assert_told(self, open_paths=(), exact=True):
        """`exact`: nothing was killed, so that nothing was told twice."""
        held, markers = self.held(), self.markers()
        assert set(markers) == set(held) - set(open_paths)
        for path, marker in markers.items():
            self.assert_marker(path, held[path], marker)
            told = collections.Counter(
                o["key"] for e in self.events(path) for o in e["objects"])
            assert set(told) == held[path]["keys"], path
            events = [e["event"] for e in self.events(path)]
            assert all(e["objects"] for e in self.events(path)), path
            assert "path_finalized" in events
            if exact:
                assert set(told.values()) == {1}, path
                assert events.count("path_finalized") == 1
                assert events.count("path_amended") == marker["amended"], path
                assert sum(o["records"] for e in self.events(path)
                           for o in e["objects"]) == marker["records"]
        for n in (1, 2):
            level = [path for path in markers if path.count("/") == n - 1]
            assert sum(markers[p]["records"] for p in level) == sum(
                len(o) for p in level for o in held[p]["parts"].values())
        return markers

    def assert_marker(self, path, held, marker):
        for said in (marker, self.tally(path)):
            assert (said["objects"], said["bytes"], said["records"]) == (
                len(held["keys"]), held["bytes"],
                sum(map(len, held["parts"].values()))), path
            assert {q["partition"]: (q["first_offset"], q["last_offset"],
                                     q["records"])
                    for q in said["partitions"] if q["records"]} == {
                p: (min(o), max(o), len(o))
                for p, o in held["parts"].items()}, path


@pytest.fixture
def late(kafka, topic, group, secor, tmp_path, webhook):
    def make(**more):
        return Late(kafka, topic, group, secor, tmp_path, webhook, **more)
    return make


# ---- redriven ----

def test_redrive_amends_what_is_over_and_counts_in_what_is_not(late):
    p = late()
    p.send([(0, 0, True), (1, 1, True), (0, NOW, True),
            (0, 0, False), (1, 0, False), (1, 1, False), (0, NOW, False)])
    p.store_all()
    p.redrive("0")  # before anything was told
    told, _ = p.finalize()
    assert {t["did"] for t in told} == {"finalized"}
    assert p.markers()[dt(0)]["records"] == 2
    keys = {k for b in p.redrive("1")["batches"] for k in b.get("keys", [])}
    assert len(keys) == 2
    told, _ = p.finalize()
    amended = {t["path"] for t in told if t["did"] == "amended"}
    assert amended == {dt(0), dt(1), day(0), day(1)} - {
        t["path"] for t in told if t["did"] == "finalized"}
    assert {o["key"] for e in p.webhook.events for o in e.get("objects", ())
            if e["event"] == "path_amended"} == keys
    assert p.finalize()[0] == []
    p.assert_told({dt(NOW), day(NOW)})
    verify(p.process)


@pytest.mark.parametrize("step", [
    "redrive-pointed", pytest.param("redrive-done", marks=pytest.mark.deep)])
def test_redrive_that_is_killed_beside_its_receipt_amends_once(step, late):
    p = late()
    p.send([(0, 0, True), (0, 0, False)])
    p.store_all()
    p.finalize()
    process = p.stopped(step)
    process.kill()
    process.wait()
    told, _ = p.finalize()
    assert bool(told) == (step == "redrive-done")
    p.redrive()
    told += p.finalize()[0]
    assert [t["path"] for t in told] == [dt(0), day(0)]
    p.assert_told()


@pytest.fixture
def ear():
    with Webhook() as w:
        yield w


def test_finalizers_that_are_killed_or_late_leave_right_totals(
        late, ear, webhook):  # noqa: F811
    p = late(notifiers=[{"use": "webhook", "url": webhook.url,
                         "timeout": "300s"}])  # it hangs for all that is done
    other = p.yaml("other", notifiers=[{"use": "webhook", "url": ear.url}])
    p.send([(0, 0, True), (0, 0, False), (1, 0, False)])
    p.store_all()
    p.finalize()
    p.redrive("0")
    p.webhook.open.clear()
    command = [BINARY, "finalize", p.config]
    for end in ("killed", "late"):
        before = p.webhook.requests
        process = subprocess.Popen(command, cwd=p.process.dir,
                                   stdout=subprocess.DEVNULL)
        # its marker is put, the notifier hangs, its tally is not there
        p.webhook.wait(lambda w: w.requests > before)
        if end == "killed":
            process.kill()
            process.wait()
    p.redrive("1")  # another one has all of it, while that one has not
    assert secor_command("finalize", other, cwd=p.process.dir).returncode == 0
    assert p.tally(dt(0))["records"] == 3
    p.webhook.open.set()
    assert process.wait(90) == 0  # it looked again
    assert p.finalize()[0] == []
    p.webhook.events += ear.events
    p.assert_told(exact=False)
    verify(p.process)


@pytest.mark.deep
def test_service_amends_what_is_redriven_while_it_runs(late):
    p = late(finalize={"delay": "10m", "interval": "1s"})
    p.send([(0, 0, True), (0, 0, False)])
    p.process.start()
    p.wait_said("finalized", [dt(0), day(0)])
    p.redrive()
    p.wait_said("amended", [dt(0), day(0)])
    assert p.process.stop() == 0
    assert p.finalize()[0] == []
    p.assert_told()


# ---- holes ----

def test_path_that_a_notifier_refuses_is_told_by_the_next_process(late):
    p = late(finalize={"delay": "10m", "interval": "1s"})
    p.webhook.refuses = lambda event: event.get("path") == dt(2)
    p.send([(0, hour, True) for hour in range(5)])
    p.process.start()
    others = {at(h) for h in range(5) for at in (dt, day)} - {dt(2)}
    p.process.wait_for(f"path not finalized .*path={dt(2)} ")
    p.wait_told(others)
    p.process.kill9()
    p.webhook.refuses = lambda event: False
    assert [t["path"] for t in p.finalize()[0]] == [dt(2)]
    assert p.finalize()[0] == []
    p.assert_told()


def test_trouble_of_a_topic_or_a_path_stops_no_other(late, topic):
    p = late()
    other, missing = topic(), f"missing-{p.topic}"
    config = json.loads(p.process.config.read_text())
    config["kafka"]["topics"] = [p.topic, other, missing]
    p.process.reconfigure(config)
    p.config = p.process.config
    p.send([(0, hour, True) for hour in range(3)])
    clients.produce_json(p.kafka.address, other, 10, time_ms=BEGIN,
                         extra=lambda i: {"ts": BEGIN})
    p.process.start()
    p.wait_done()
    clients.wait_committed(p.kafka.address, p.group, other, [10])
    assert p.process.stop() == 0
    tally = (p.tree.root / "_manifests" / p.topic / "_paths" / "1" / dt(1)
             / "_path.json")
    tally.parent.mkdir(parents=True)
    tally.write_text("garbage")
    manifest = next((p.tree.root / "_manifests" / other / "0").glob("1_0*"))
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:-9])

    def finalize(*topics):
        return secor_command("finalize", p.config, *topics, cwd=p.process.dir)
    done = finalize(missing, other, p.topic)
    assert done.returncode == 3
    assert f"topic {missing}: " in done.stderr, done.stderr
    assert manifest.name in done.stderr and "secor verify" in done.stderr
    failed = [row for row in done.stdout.splitlines() if "failed " in row[:8]]
    assert len(failed) == 1 and f"{tally}"[-40:] in failed[0]
    assert "remove it" in failed[0]
    assert {dt(0), dt(2)} <= set(p.markers()) and dt(1) not in p.markers()
    assert finalize(p.topic).returncode == 1
    tally.unlink()
    manifest.write_bytes(whole)
    done = finalize()
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("finalized ") >= 2
    assert finalize().stdout.count("; 0 finalized, 0 amended, 0 failed") == 2


# ---- late messages ----

def simulated(seed, hours, each):
    """Messages of `hours` hours in order, one in a hundred late by hours."""
    chance = random.Random(seed)
    late = 0
    for hour in range(hours):
        for i in range(each):
            by = chance.randint(1, 40) if chance.random() < 0.01 else 0
            late += by > 0
            yield chance.randrange(Late.PARTITIONS), hour - by, True
    assert late > hours * each // 200


def steps(rows, count):
    size = len(rows) // count
    return [rows[i * size:(i + 1) * size] for i in range(count)]


SINCE = -72  # the first of 72 hours, since BEGIN: five days ago


def test_late_data_over_72_hours_is_told_with_right_totals(late):
    p = late(batch={"max_age": "100ms"}, finalize={})
    p.config = p.yaml("final", finalize={"delay": "10m"})
    rows = [(q, SINCE + hour, good) for q, hour, good in simulated(72, 72, 60)]
    times_told = collections.Counter()  # foretold: once a step with news
    p.process.start()
    for step in steps(rows, 4):
        times_told.update({at(hour) for _, hour, _ in step for at in (dt, day)})
        p.send(step)
        p.wait_done()
        p.finalize()
    assert p.process.stop() == 0
    assert p.finalize()[0] == []
    markers = p.assert_told()
    assert {path: marker["amended"] + 1
            for path, marker in markers.items()} == times_told
    assert sum(times_told.values()) > len(times_told) + 20
    proof.assert_exactly_once(range(len(rows)), p.tree)


@pytest.mark.deep
def test_late_data_over_72_hours_with_kills_and_others_at_work(late):
    p = late(batch={"max_age": "100ms"},
             finalize={"delay": "10m", "interval": "1s"})
    chance = random.Random(73)
    rows = [(q, SINCE + hour, good)
            for q, hour, good in simulated(73, 72, 600)]
    others = []
    p.process.start()
    for step in steps(rows, 24):
        p.send(step)
        time.sleep(2 * chance.random())  # the moment of the kill
        what = chance.randrange(3)
        if what == 0:
            p.process.kill9()
            p.process.start()
        others.append(subprocess.Popen(
            [BINARY, "finalize", p.config], cwd=p.process.dir,
            stdout=subprocess.DEVNULL))
        if what == 1:
            time.sleep(chance.random())
            others[-1].kill()
    for other in others:
        other.wait(90)
    p.wait_done()
    assert p.process.stop() == 0
    p.finalize()
    assert p.finalize()[0] == []
    p.assert_told(exact=False)
    proof.assert_exactly_once(range(len(rows)), p.tree)
    verify(p.process)
