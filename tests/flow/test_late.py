"""finalize.late: separate. Where each message goes is foretold here from the
messages alone; whatever happens to processes and batches, it goes there."""

import json
import random
import re
import time
import urllib.request

import kafka as clients
import proof
import pytest
from flow import (BEGIN, HOUR, contents, local_store, settings, verify,
                  wait_done)
from secor import secor_command
from test_finalize import Paths, dt, webhook  # noqa: F401

DELAY = 10 * 60_000
PARTITIONS = 2
FINALIZE = {"delay": "10m", "late": "separate"}


def path_of(time_ms, late):
    at = time.gmtime(time_ms / 1000)
    return time.strftime(f"late={'true' if late else 'false'}/"
                         "dt=%Y-%m-%d/hr=%H", at)


class Stream:
    """Messages {"id", "time"}, some of them late, one in a hundred from the
    future; and where each must go. Now and then the time jumps, and a row of
    late ones follows: a batch that begins there with a wrong clock shows."""

    def __init__(self, address, topic, seed=7):
        self.address, self.topic = address, topic
        self.any = random.Random(seed)
        self.clock = [None] * PARTITIONS  # as docs/DOWNSTREAM.md has it
        self.now, self.row = BEGIN, 0
        self.expected = {}  # id: path

    def place(self, partition, time_ms, kafka_ms):
        clock = self.clock[partition]
        over = time_ms // HOUR * HOUR + HOUR + DELAY
        late = clock is not None and over <= clock
        seen = min(time_ms, kafka_ms)
        self.clock[partition] = seen if clock is None else max(clock, seen)
        return path_of(time_ms, late)

    def trickle(self, count):
        """So that there are many batches, and two at a time."""
        for _ in range(0, count, 50):
            self.produce(50)

    def produce(self, count):
        messages, times, row = [], [], self.row
        for one in range(len(self.expected), len(self.expected) + count):
            partition = self.any.randrange(PARTITIONS)
            self.now += self.any.randrange(12_000)
            dice = self.any.random()
            row -= 1
            if dice < 0.012:
                self.now += HOUR + DELAY
                row = 40
            time_ms = self.now
            if row in range(40):
                time_ms -= HOUR + DELAY + self.any.randrange(HOUR // 2)
            elif dice < 0.1:
                time_ms -= self.any.randrange(4 * HOUR)
            elif dice > 0.99:
                time_ms += 5 * HOUR
            value = json.dumps({"id": one, "time": time_ms}).encode()
            messages.append((partition, None, value, self.now))
            times.append((one, time_ms, self.now))
        self.row = row
        places = clients.produce(self.address, self.topic, messages)
        # a producer that repeats a request may change their order
        for (partition, _), (one, time_ms, kafka_ms) in sorted(
                zip(places, times)):
            self.expected[one] = self.place(partition, time_ms, kafka_ms)

    def check(self, tree):
        """Each message once, in the path that was foretold."""
        found = list(proof.read_ids(tree))
        proof.assert_exactly_once(list(self.expected), found)
        head = self.topic + "/"
        for key, one in found:
            path = key[len(head):key.rindex("/")]
            assert path == self.expected[one], (one, key)
        late = sum("late=true" in p for p in self.expected.values())
        assert 0 < late < len(self.expected) / 2


def small(**more):
    return {"finalize": FINALIZE,
            "batch": {"max_age": "400ms", "max_messages": 30}, **more}


def metrics(process):
    m = process.wait_for(r"http listens.*?(127\.0\.0\.1:\d+)")
    with urllib.request.urlopen(f"http://{m.group(1)}/metrics",
                                timeout=30) as answer:
        return answer.read().decode()


STEPS = ["cut", "plan-sent", "plan-acked", "put-begin", "put-done",
         "put-done:3", "puts-done", "manifest-done", "final-sent",
         "final-acked", "files-deleted"]


@pytest.mark.parametrize("step", [
    step if step == "put-done:3" else pytest.param(
        step, marks=pytest.mark.deep) for step in STEPS])
def test_killed_with_late_messages_makes_the_same_objects(
        step, kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    stream = Stream(kafka.address, name)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store, **small()))
    stream.produce(300)
    process.start()
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    process.start(env={"SECOR_STOP_AT": step})
    stream.trickle(900)  # the clock of these begins where it was
    process.wait_stopped(step)
    before = contents(tree, name)
    process.kill9()
    clients.bury(kafka.address, group)
    process.start()
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    after = contents(tree, name)
    for key, found in before.items():
        assert after[key] == found, f"{key} has other records than before"
    stream.check(tree)
    verify(process)


@pytest.mark.parametrize("killed", [False, True])
def test_clock_goes_on_behind_a_batch_that_is_not_stored_yet(
        killed, kafka, topic, group, secor, tmp_path):
    name = topic()
    store, tree = local_store(tmp_path / "data")
    wall = tree.root / name
    wall.write_text("a file where the topic's folder would be")
    process = secor(settings(kafka.address, group, name, store, **small(
        batch={"max_age": "1h", "max_messages": 10},  # of one hour each
        kafka={"session_timeout": "30s"})))  # each is read once

    def produce(first, hour):
        clients.produce(kafka.address, name, [
            (0, None, json.dumps({"id": first + i,
                                  "time": BEGIN + hour * HOUR}).encode())
            for i in range(10)])
    process.start()
    produce(0, 5)
    process.wait_for("store waits")  # nothing of hour 5 is committed
    produce(10, 0)
    deadline = time.monotonic() + 90
    while not re.search(r"^secor_messages_total 20$", metrics(process), re.M):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    if killed:
        process.kill9()
        clients.bury(kafka.address, group)
    wall.unlink()
    if killed:
        process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    found = {one: key.split("/")[1] for key, one in proof.read_ids(tree)}
    assert found == {i: f"late={'false' if i < 10 else 'true'}"
                     for i in range(20)}
    verify(process)


@pytest.mark.deep
def test_rebalances_change_no_path(kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    stream = Stream(kafka.address, name, seed=8)
    store, tree = local_store(tmp_path / "data")
    config = settings(kafka.address, group, name, store, **small())
    a, b = secor(config, name="a"), secor(config, name="b")
    a.start()
    stream.trickle(300)
    a.wait_for("object stored", count=3)
    b.start()  # while a stores and collects
    stream.trickle(300)
    b.wait_for(r"partitions assigned.*count=[12]")
    stream.trickle(300)
    a.kill9()  # b takes over what a has planned, or collected
    stream.trickle(300)
    wait_done(kafka.address, group, name, PARTITIONS)
    assert b.stop() == 0
    stream.check(tree)
    verify(b)


@pytest.fixture
def paths(kafka, topic, group, secor, tmp_path, webhook):  # noqa: F811
    def make(**more):
        return Paths(kafka, topic, group, secor, tmp_path, webhook,
                     **{"finalize": FINALIZE, **more})
    return make


def raw_markers(p):
    return {key: p.tree.get(key) for key in p.tree.keys()
            if key.endswith("/_SUCCESS")}


def why(p, path):
    """What `secor why` says of the first object in the path."""
    keys = sorted(k for k, _ in proof.read_ids(p.tree)
                  if k.startswith(f"{p.topic}/{path}/"))
    done = secor_command("why", p.process.config, keys[0], cwd=p.process.dir)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_marked_path_stays_as_it_is_when_late_data_comes(paths):
    p = paths(session="30s")  # each is read once
    p.produce([0, 1, 2])
    p.store_all()
    told, _ = p.finalize()
    assert {f"late=false/{dt(h)}" for h in range(3)} <= {
        t["path"] for t in told}
    before = raw_markers(p)
    p.produce([0, 2])  # hour 0 is over, hour 2 is not
    p.process.start()
    p.wait_done()
    assert 'secor_late_messages_total{topic="%s"} 20' % p.topic in metrics(
        p.process)
    p.webhook.wait(lambda w: f"late=true/{dt(0)}" in {
        o["path"] for e in w.events if e["event"] == "batch_done"
        for o in e["objects"]})
    assert p.process.stop() == 0
    assert p.records(f"late=false/{dt(0)}") == 20
    assert p.records(f"late=true/{dt(0)}") == 20
    assert p.records(f"late=false/{dt(2)}") == 40
    told, _ = p.finalize()
    # the partitions had been idle, which counts as "now": hour 2 was marked
    # before it was over by their own clocks
    assert [(t["did"], t["path"], t["new_records"]) for t in told
            if "hr=" in t["path"]] == [("amended", f"late=false/{dt(2)}", 20)]
    after = raw_markers(p)
    hour = f"{p.topic}/late=false/{dt(0)}/_SUCCESS"
    assert after[hour] == before[hour]
    assert not [key for key in after if "late=true" in key]
    assert "late       yes: its path is over at" in why(
        p, f"late=true/{dt(0)}")
    assert "before the batch began" in why(p, f"late=true/{dt(0)}")
    assert "late       no: " in why(p, f"late=false/{dt(1)}")
    verify(p.process)


def test_broker_that_stamps_leaves_nothing_to_amend(
        kafka, topic, group, secor, tmp_path, webhook):  # noqa: F811
    def stamped(partitions):
        return topic(partitions, {"message.timestamp.type": "LogAppendTime"})
    p = Paths(kafka, stamped, group, secor, tmp_path, webhook,
              finalize=FINALIZE)
    value = json.dumps({"id": 0, "time": int(time.time() * 1000)}).encode()
    clients.produce(p.kafka.address, p.topic, [(0, None, value)])
    p.sent = 1
    p.produce([0, 1])  # two days ago: over when they came, though all is idle
    p.store_all()
    assert p.records("late=false") == 1
    assert p.records("late=true") == 40
    p.finalize()
    assert not [key for key in raw_markers(p) if "late=true" in key]
    assert "broker's timestamps" in why(p, f"late=true/{dt(0)}")
    verify(p.process)


def test_redriven_dead_letters_are_late(paths):
    p = paths()
    p.produce([0])
    clients.produce(p.kafka.address, p.topic, [(
        0, None, json.dumps({"id": 20, "at": BEGIN}).encode())])
    p.store_all()
    p.finalize()
    before = raw_markers(p)
    p.process.reconfigure(settings(
        p.kafka.address, p.group, p.topic,
        {"use": "local", "dir": str(p.tree.root)}, finalize=FINALIZE,
        parser={"use": "json", "time_field": "at"}))
    done = secor_command("redrive", p.process.config, p.topic, "--yes",
                         cwd=p.process.dir)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "amends" not in done.stdout and "late=true" in done.stdout
    assert p.records("late=true") == 1 == p.records(f"late=true/{dt(0)}")
    p.finalize()
    assert raw_markers(p) == before
    verify(p.process)


@pytest.mark.deep
def test_plans_of_amend_are_finished_as_they_were_made(
        kafka, topic, group, secor, tmp_path):
    """The other way round too: the component is part of the fingerprint."""
    name = topic(partitions=PARTITIONS)
    stream = Stream(kafka.address, name)
    stream.produce(600)
    store, tree = local_store(tmp_path / "data")
    config = settings(kafka.address, group, name, store, **small(
        finalize={"delay": "10m"}))
    process = secor(config)
    process.start(env={"SECOR_STOP_AT": "put-done:3"})
    process.wait_stopped("put-done")
    process.kill9()
    clients.bury(kafka.address, group)
    old = process.dir / "old.yaml"
    old.write_bytes(process.config.read_bytes())
    process.reconfigure({**config, "finalize": FINALIZE})
    process.start()
    process.wait_for("partition halted.*plan-fingerprint|plan-fingerprint")
    assert process.stop() == 0
    stream.produce(200)
    process.start("--finish-plans-with", str(old))
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    proof.assert_exactly_once(list(stream.expected), proof.read_ids(tree))
    heads = {key.split("/")[1].split("=")[0] for key, _ in
             proof.read_ids(tree)}
    assert heads == {"dt", "late"}
    verify(process)
