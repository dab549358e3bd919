"""Servers that fail for a while: secor waits, says so, comes back by itself,
and every message is in exactly one object.
"""

import json
import threading
import time
import urllib.error
import urllib.request

import kafka as clients
import proof
import pytest
from flow import contents, settings, wait_done
from halting import Case
from proxy import CUT, KafkaProxy
from servers import Kafka, free_ports, wait_until
from watch import group_moves, wait_metric

COUNT, PARTITIONS = 2000, 2


@pytest.fixture(scope="module")
def broker():
    """A broker that may be killed, with a second way in that can be cut."""
    one = Kafka(proxied=KafkaProxy).start()
    yield one
    one.close()


@pytest.fixture
def many(broker, group, secor, tmp_path):
    """Factory: a Case on that broker, of a new topic of one partition."""
    def make(address=None, **config):
        name = clients.create_topic(broker.address, f"outages-{group}")
        c = Case(broker.address, group, name, secor, tmp_path, **config)
        c.config["kafka"]["brokers"] = [address or broker.address]
        c.process.reconfigure(c.config)
        return c
    return make


# ---- the store ----

def s3_case(kafka, rgw, topic, group, bucket, secor, proxy, **config):
    """(process, tree, name, ids) of a run whose puts pass the proxy."""
    name = topic(partitions=PARTITIONS)
    tree = bucket(rgw)
    ids = clients.produce_json(kafka.address, name, COUNT, PARTITIONS,
                               step_ms=10_000)
    process = secor(settings(kafka.address, group, name, {
        "use": "s3", "bucket": tree.bucket, "endpoint": proxy.endpoint,
        "region": rgw.region, "path_style": True,
        "access_key": rgw.access_key, "secret_key": rgw.secret_key,
        "stall_timeout": "1s", "max_attempts": 2, "retry_delay": "50ms"}, **config))
    return process, tree, name, ids


ERROR = (b'<?xml version="1.0"?><Error><Code>%s</Code>'
         b"<Message>for a test</Message></Error>")


class Trouble:
    """What happens to the puts until it is over."""

    def __init__(self, kind):
        self.kind = kind
        self.on = True
        self.seen = 0
        self.gate = threading.Event()

    def _hits(self, method):
        hit = self.on and method in ("PUT", "POST")
        self.seen += hit
        return hit

    def before(self, method, _path, _headers):
        if self.kind == "answer lost" or not self._hits(method):
            return None
        if self.kind == "500":
            return 500, ERROR % b"InternalError"
        if self.kind == "503":
            return 503, ERROR % b"SlowDown"
        if self.kind == "stall":
            self.gate.wait(30)
        return CUT

    def after(self, method, _path, _status):
        return CUT if self.kind == "answer lost" and self._hits(
            method) else None

    def end(self):
        self.on = False
        self.gate.set()


@pytest.mark.parametrize("kind", ["500", "503", "reset", "stall",
                                  "answer lost"])
def test_store_in_trouble_delays_and_does_no_harm(
        kind, kafka, rgw, topic, group, bucket, secor, http_proxy):
    trouble = Trouble(kind)
    proxy = http_proxy(rgw, trouble.before, trouble.after)
    process, tree, name, ids = s3_case(kafka, rgw, topic, group, bucket,
                                       secor, proxy)
    process.start()
    process.wait_for("^error .*store not reachable .*next=retry")
    process.wait_for("^warn .*store waits .*next=retry")
    assert trouble.seen >= 2
    assert clients.committed(kafka.address, group, name, 0)[0] == 0
    if kind != "answer lost":
        assert tree.keys() == []
    trouble.end()
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


def test_store_that_lists_nothing_is_why_nothing_begins(
        kafka, rgw, topic, group, bucket, secor, http_proxy):
    trouble = Trouble("503")
    proxy = http_proxy(rgw, lambda method, *_: (
        503, ERROR % b"SlowDown") if trouble.on and method == "GET" else None,
        trouble.after)
    port, = free_ports(1)
    process, tree, name, ids = s3_case(
        kafka, rgw, topic, group, bucket, secor, proxy,
        http={"listen": f"127.0.0.1:{port}"})
    process.start()
    process.wait_for("^warn .*store not listed .*next=retry")
    wait_until("the reason", lambda: why_not_ready(port) == [
        "no assignment: the store does not list what it has"], 90)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/status",
                                timeout=30) as answer:
        parts = json.load(answer)["partitions"]
    assert [p.get("waits_for") for p in parts] == [["store"]] * PARTITIONS
    trouble.end()
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


@pytest.mark.parametrize("step", ["read-back", "plan-acked"])
def test_staged_files_that_vanish_are_made_again(step, many):
    """As by a cleaner of temporary files: before the plan, and after it."""
    c = many()
    c.produce(1000, step_ms=10_000)
    c.start_at(step)
    gone = [f for f in (c.process.dir / "stage").rglob("*")
            if f.is_file() and f.stat().st_size > 0]
    assert gone
    for f in gone:
        f.unlink()
    c.process.cont()
    c.process.wait_for("^error .*stage failed .*next=retry")
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()


# ---- Kafka ----

@pytest.mark.librdkafka
def test_broker_killed_and_restarted_loses_nothing(many, broker):
    c = many()
    c.start()
    c.produce(500)
    c.wait_done()
    c.produce(2000)
    c.process.wait_for(r"batch cut .*start=500 ")
    broker.kill9()
    c.process.wait_for("kafka error code=(_ALL_BROKERS_DOWN|_TRANSPORT)")
    time.sleep(2)
    broker.start()
    c.produce(500)
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()


def why_not_ready(port):
    try:
        with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/health/ready", timeout=30) as answer:
            return json.load(answer)["reasons"]
    except urllib.error.HTTPError as error:
        return json.load(error)["reasons"]


@pytest.mark.parametrize("seconds", [
    5, pytest.param(20, marks=pytest.mark.deep)])
def test_all_brokers_gone_for_a_while(many, broker, seconds):
    """Longer than the session: nothing is put meanwhile, and the pages say
    why."""
    port, = free_ports(1)
    c = many(broker.proxied_address, http={"listen": f"127.0.0.1:{port}"})
    c.start()
    c.produce(500)
    c.wait_done()
    broker.proxy.refuse()
    try:
        c.produce(1500)
        before = c.tree.keys()
        time.sleep(seconds)
        wait_until("the reason", lambda: why_not_ready(port) == [
            "no assignment: all brokers were down"], 90)
        assert c.tree.keys() == before and c.process.running()
    finally:
        broker.proxy.refuse(False)
    c.wait_done()
    wait_until("ready", lambda: why_not_ready(port) == [], 90)
    c.stop()
    c.exactly_once()
    c.verify()


def test_record_that_cannot_be_read_is_asked_for_until_it_can(many, broker):
    """No partition begins anywhere but at its record, however long that takes
    to read."""
    c = many(broker.proxied_address)
    c.produce(400)
    c.run_to_the_end()
    before = contents(c.tree, c.topic)
    c.produce(400)
    c.start_at("assigned")
    broker.proxy.refuse()
    try:
        c.process.cont()
        c.process.wait_for("kafka not reachable|kafka error")
        assert contents(c.tree, c.topic) == before
    finally:
        broker.proxy.refuse(False)
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()


def wait_for_kind(c, kind):
    end = time.monotonic() + 90
    while f" {kind} " not in f" {c.record()[1]} ":
        assert time.monotonic() < end, "the commit does not arrive"
        time.sleep(0.05)


def settled(c):
    """The record when nothing is on its way to it any more."""
    was = None
    while was != (now := c.record()):
        was = now
        time.sleep(0.5)
    return was


@pytest.mark.parametrize("step", ["plan-sent", "final-sent"])
@pytest.mark.parametrize("loss", ["before the broker", "behind the broker"])
def test_answer_to_a_commit_is_lost(many, broker, step, loss):
    """The connection goes with the commit on its way: to the broker (never
    written), or with the answer (written). Both look the same from here."""
    c = many(broker.proxied_address, kafka={"session_timeout": "10s"})
    c.produce(1000)
    c.start_at(step)
    try:
        if loss == "behind the broker":
            broker.proxy.stall_answers()
            c.process.cont()
            # it may be there before the process has stopped
            wait_for_kind(c, "plan" if step == "plan-sent" else "clean")
        else:
            broker.proxy.stall()
            was = settled(c)  # it may be there already
            c.process.cont()
            time.sleep(0.5)
            assert c.record() == was
        broker.proxy.cut()
    finally:
        broker.proxy.go_on()
    c.produce(500)
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()


def test_commits_that_lack_replicas_are_repeated(many, broker):
    """NOT_ENOUGH_REPLICAS_AFTER_APPEND, which the coordinator tells as
    COORDINATOR_NOT_AVAILABLE: the record is in the log, but who asked does not
    know from the answer. The client connects to the coordinator anew each time,
    ever later, so the session is not a short one."""
    c = many(broker.proxied_address, kafka={"session_timeout": "30s"},
             http={"listen": f"127.0.0.1:{free_ports(1)[0]}"})
    c.start()
    c.produce(200)
    c.wait_done()
    before = group_moves(c.process)
    broker.proxy.commit_error = 15
    try:
        c.produce(500)
        c.process.wait_for("^warn .*commit waits .*offset=200 "
                           "answer=COORDINATOR_NOT_AVAILABLE next=retry")
        wait_metric(c.process, 'secor_partitions_waiting{for="commit"}', 1)
        wait_until("commits", lambda: broker.proxy.commits >= 3, 90)
        assert " plan " in c.record()[1]
        assert not [k for k, i in proof.read_ids(c.tree) if i >= 200]
    finally:
        broker.proxy.commit_error = 0
    c.process.wait_for("^info .*commit goes on .*offset=200 ")
    c.wait_done()
    assert group_moves(c.process) == before
    c.stop()
    assert c.process.text().count("commit waits ") == 1
    c.exactly_once()
    c.verify()


def test_network_that_swallows_everything_for_longer_than_the_session(
        many, broker):
    """No connection breaks; bytes just stop, and then arrive late."""
    c = many(broker.proxied_address)
    c.start()
    c.produce(500)
    c.wait_done()
    broker.proxy.stall()
    try:
        c.produce(1500)
        time.sleep(6)
    finally:
        broker.proxy.go_on()
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()
