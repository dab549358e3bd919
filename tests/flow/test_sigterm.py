"""SIGTERM in any step of the protocol, with all well or with a neighbour away:
the process ends within stop_timeout, and the next start goes on, with each
message in exactly one object.

Each process stops itself (SIGSTOP) at its step, gets SIGTERM there, and goes on.
"""

import itertools
import re
import signal
import threading

import kafka as clients
import proof
import pytest
from flow import local_store, settings, verify
from proxy import CUT
from secor import BUILD
from test_groups import wait_all
from watch import wait_metric

STEPS = ["assigned", "opened", "first-message", "cut", "sealed", "read-back",
         "plan-sent", "plan-acked", "put-begin", "put-done", "put-done:3",
         "puts-done", "manifest-begin", "manifest-done", "final-sent",
         "final-acked", "files-deleted", "notified"]
# behind a plan whose process was killed, and behind a gap
REPLAY_STEPS = ["recommit-sent", "recommit-acked", "replay-cut", "put-done",
                "final-sent"]
GAP_STEPS = ["gap-planned", "manifest-done"]
TIME = 1_767_225_600_000
_numbers = itertools.count(1)
SLACK = 60  # for a machine that is busy; what is measured is an end in time


class Stop:
    """A topic of one partition, and a process that gets SIGTERM at a step."""

    def __init__(self, broker, name, secor, store, tree, timeout="40s", **more):
        self.broker, self.name, self.tree = broker, name, tree
        self.step = name.split("/")[-1]
        self.group = self.topic = (  # cases of a test share their steps
            f"sigterm-{next(_numbers)}-" + re.sub(r"\W", "-", name))
        self.timeout = int(timeout[:-1])
        clients.create_topic(broker.address, self.topic)
        config = settings(
            broker.proxied_address, self.group, self.topic, store, **more)
        config["kafka"]["session_timeout"] = "4s"
        config["engine"]["stop_timeout"] = timeout
        self.process = secor(config, name=self.group)
        self.ids, self.gone = [], 0

    def produce(self, count=300):
        self.ids += clients.produce_json(
            self.broker.address, self.topic, count, first_id=len(self.ids),
            time_ms=TIME + len(self.ids) * 60_000, step_ms=60_000)

    def start(self):
        self.process.start(env={"SECOR_STOP_AT": self.step})

    def stopped(self):
        return self.process.stopped_at(self.step)

    def terminate(self):
        """SIGTERM waits until the process goes on."""
        self.process.process.send(signal.SIGTERM)
        self.process.cont()

    def ended(self):
        """It ends by itself and in time, with 0: nobody has to look at it."""
        code = self.process.wait(self.timeout + SLACK)
        assert code == 0, f"{self.name}: {code}\n{self.process.text()}"

    def record(self):
        return clients.committed(self.broker.address, self.group, self.topic)

    def done(self):
        offset, metadata = self.record()
        return offset == len(self.ids) and " plan " not in f" {metadata} "

    def left_in_order(self):
        """It had the time to finish what was planned, unless it had lost the
        partition while it stood still."""
        text = self.process.text()
        if re.search("partition lost|joins the group again|lost=1", text):
            return
        assert re.search("^info .* stopped$", text, re.M), text
        assert "stop_timeout is over" not in text, text
        assert " plan " not in f" {self.record()[1]} ", text

    def judge(self):
        assert self.process.stop() == 0
        proof.assert_exactly_once(self.ids[self.gone:], self.tree)
        verify(self.process)


def run_on(stops):
    """Started again, with more messages: all of it gets done."""
    for s in stops:
        s.produce()
        s.process.start()
    wait_all("done after the start", {s.name: s.done for s in stops}, 90)
    for s in stops:
        s.judge()


def stop_all(stops, before=lambda: None):
    for s in stops:
        s.start()
    wait_all("stopped", {s.name: s.stopped for s in stops}, 120)
    before()
    for s in stops:
        s.terminate()
    for s in stops:
        s.ended()


def local_stops(kafka, secor, tmp_path, steps, kind, **more):
    stops = []
    for step in steps:
        name = f"{kind}/{step}"
        store, tree = local_store(tmp_path / "data" / name)
        stops.append(Stop(kafka, name, secor, store, tree, **more))
        stops[-1].produce()
    return stops


def kill_at(stops, step):
    """What the steps of a repeat need: somebody was killed before them."""
    for s in stops:
        s.process.start(env={"SECOR_STOP_AT": step})
    for s in stops:
        s.process.wait_stopped()
        s.process.kill9()


@pytest.mark.parametrize("on_stop", [
    "drop", pytest.param("finish", marks=pytest.mark.deep)])
def test_stopped_in_any_step_ends_in_order(on_stop, kafka, secor, tmp_path):
    def make(kind, steps):
        return local_stops(kafka, secor, tmp_path, steps, f"{on_stop}-{kind}",
                           batch={"max_age": "400ms", "on_stop": on_stop})
    gaps, replays = make("gap", GAP_STEPS), make("replay", REPLAY_STEPS)
    kill_at(gaps, "first-message")
    for s in gaps:
        clients.delete_records(kafka.address, s.topic, 0, 50)
        s.gone = 50
    kill_at(replays, "plan-acked")
    plain = make("plain", STEPS)
    stop_all(gaps + replays + plain)
    for s in plain:
        s.left_in_order()
    run_on(gaps + replays + plain)


def test_stopped_while_it_gives_partitions_back(kafka, secor, tmp_path):
    """The stop itself is what takes the partition away."""
    s, = local_stops(kafka, secor, tmp_path, ["revoked"], "leaving",
                     batch={"max_age": "400ms"})
    s.start()
    wait_all("stored", {s.name: s.done}, 120)
    s.process.process.send(signal.SIGTERM)
    wait_all("stopped", {s.name: s.stopped}, 120)
    s.process.cont()
    s.ended()
    s.left_in_order()
    run_on([s])


class Store:
    """A bucket that, from `fail` on, lets nothing in."""

    def __init__(self, kind, rgw, bucket, http_proxy):
        self.kind, self.failing = kind, False
        self.gate = threading.Event()
        self.tree = bucket(rgw)
        self.proxy = http_proxy(rgw, self.before)
        self.rgw = rgw

    def before(self, method, _path, _headers):
        if not self.failing or method not in ("PUT", "POST"):
            return None
        if self.kind == "503":
            return 503, b"<Error><Code>SlowDown</Code></Error>"
        self.gate.wait(120)
        return None if self.kind == "late" else CUT

    def fail(self, failing=True):
        self.failing = failing
        if not failing:
            self.gate.set()

    def of(self, name):
        prefix = name.replace("/", "-").replace(":", "-")
        config = {"use": "s3", "bucket": self.tree.bucket, "prefix": prefix,
                  "endpoint": self.proxy.endpoint, "region": self.rgw.region,
                  "path_style": True, "access_key": self.rgw.access_key,
                  "secret_key": self.rgw.secret_key}
        return config, proof.S3Tree(self.tree.client, self.tree.bucket,
                                    prefix + "/")


HUNG = ["sealed", "plan-sent", "plan-acked", "put-begin", "put-done",
        "manifest-begin"]


def store_stops(kind, steps, on_stop, broker, rgw, bucket, secor, http_proxy):
    store = Store(kind, rgw, bucket, http_proxy)
    stops = []
    for step in steps:
        name = f"{kind}-{on_stop}-of-{len(steps)}/{step}"
        config, tree = store.of(name)
        stops.append(Stop(broker, name, secor, config, tree, timeout="3s",
                          batch={"max_age": "400ms", "on_stop": on_stop}))
        stops[-1].produce()
    return store, stops


@pytest.mark.parametrize("kind, steps, on_stop", [
    ("late", ["plan-acked", "put-done", "manifest-begin"], "drop"),
    *(pytest.param(kind, HUNG, on_stop, marks=pytest.mark.deep)
      for kind in ("late", "cut", "503") for on_stop in ("drop", "finish"))])
def test_stopped_while_the_store_takes_nothing(
        kind, steps, on_stop, kafka, rgw, bucket, secor, http_proxy):
    """It hangs (what was sent arrives late, or never), or says 503."""
    store, stops = store_stops(kind, steps, on_stop, kafka, rgw, bucket, secor,
                               http_proxy)
    stop_all(stops, store.fail)
    planned = [s for s in stops if " plan " in f" {s.record()[1]} "]
    assert planned, "no stop met the store"
    store.fail(False)
    run_on(stops)


@pytest.fixture
def way_in(kafka):
    """The broker's second way in, which is open again after the test."""
    yield kafka.proxy
    kafka.proxy.refuse(False)
    kafka.proxy.go_on()


GONE = ["opened", "first-message", "sealed", "read-back", "plan-sent",
        "plan-acked", "put-done", "puts-done", "manifest-done", "final-sent"]


@pytest.mark.parametrize("way, steps, on_stop", [
    ("refuse", ["plan-sent", "manifest-done"], "drop"),
    *(pytest.param(way, GONE, on_stop, marks=pytest.mark.deep)
      for way in ("refuse", "stall") for on_stop in ("drop", "finish"))])
def test_stopped_while_the_broker_is_away(
        way, steps, on_stop, kafka, way_in, secor, tmp_path):
    """No connection is let in, or all of them fall silent. One process never
    saw a broker at all."""
    stops = local_stops(kafka, secor, tmp_path, steps, f"{way}-{on_stop}",
                        timeout="3s",
                        batch={"max_age": "400ms", "on_stop": on_stop})
    never, = local_stops(kafka, secor, tmp_path, ["never"],
                         f"{way}-{on_stop}", timeout="3s")

    def away():
        getattr(way_in, way)()
        never.process.start()
        never.process.wait_for("kafka not reachable")

    stop_all(stops, away)
    never.terminate()
    never.ended()
    way_in.refuse(False)
    way_in.go_on()
    run_on([*stops, never])


def test_stopped_while_a_parser_hangs(kafka, topic, group, secor, tmp_path):
    """The consumer thread itself stands still: the process ends all the same,
    and what the parser hung at is read again."""
    name = topic()
    store, tree = local_store(tmp_path / "data")
    hangs = {"use": str(BUILD.resolve() / "tests/plugins/parser/crashes.so")}
    process = secor(settings(kafka.address, group, name, store, parser=hangs,
                             engine={"stop_timeout": "2s"}))
    clients.produce(kafka.address, name, [
        (0, None, b'{"id": 1}', TIME), (0, None, b"hang", TIME + 1)])
    process.start()
    process.wait_for("^crashes: hangs")
    assert process.stop(timeout=2 + SLACK) == 0
    assert "stop_timeout is over, ends at once" in process.text()
    assert tree.keys() == []
    process.reconfigure(settings(
        kafka.address, group, name, store,
        batch={"max_messages": 2, "max_age": "1h"},
        parser={"use": "raw", "time_source": "kafka"},
        partitioner={"use": "offset", "per_partition": 1000}))
    process.start()
    wait_metric(process, "secor_batches_total", 1)
    assert process.stop() == 0
    key, = proof.object_keys(tree)
    assert proof.lines(tree, key) == [b'{"id": 1}', b"hang"]
    verify(process)
