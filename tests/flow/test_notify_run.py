"""Notifiers of a running service: every finished batch is heard, in order
within a Kafka partition, at least once, and whoever does not listen holds up
nobody."""

import signal
import threading
import time

import kafka as clients
import proof
import pytest
from flow import local_store, send_until_stopped, settings, wait_done
from qubole import Qubole
from secor import secor_command
from watch import metric, wait_metric
from webhook import Webhook

PARTITIONS = 2
SLACK = 45  # for a machine that is busy; what is measured is an end in time


@pytest.fixture
def webhook():
    with Webhook("s3cret-of-hook") as w:
        yield w


class Told:
    """A topic whose batches of 100 messages a webhook hears of."""

    def __init__(self, kafka, topic, group, secor, folder, webhook,
                 partitions=PARTITIONS, options=None, session="3s", **more):
        self.kafka, self.group, self.webhook = kafka, group, webhook
        self.partitions = partitions
        self.topic = topic(partitions=partitions)
        store, self.tree = local_store(folder / "data")
        hook = {"use": "webhook", "url": webhook.url,
                "secret": webhook.secret, "timeout": "300s",
                **(options or {})}
        more = {"batch": {"max_age": "300ms", "max_messages": 100},
                "kafka": {"session_timeout": session},
                "notifiers": [hook], **more}
        self.process = secor(settings(
            kafka.address, group, self.topic, store, **more))
        self.ids = []

    def produce(self, count, **more):
        self.ids += clients.produce_json(
            self.kafka.address, self.topic, count, self.partitions,
            first_id=len(self.ids), step_ms=2000, **more)

    def rounds(self, count, messages=200):
        """So many batches a partition at least: one after the other."""
        for _ in range(count):
            self.produce(messages)
            self.wait_done()

    def wait_done(self, timeout=90):
        wait_done(self.kafka.address, self.group, self.topic,
                  self.partitions, timeout)

    def finished(self):
        """{partition: [(start, end), ...]} as the manifests have it."""
        return {p: [(m["start"], m["end"]) for _, m in ms]
                for p, ms in proof.manifests(self.tree, self.topic).items()}

    def wait_heard(self, timeout=90):
        """Waits until every finished batch is heard."""
        want = {(p, r) for p, rs in self.finished().items() for r in rs}
        self.webhook.wait(lambda w: want <= {
            (p, r) for p, rs in w.heard(self.topic).items() for r in rs},
            timeout)

    def assert_heard(self, once=False):
        """In order for the first time, perhaps again; `once`: never again."""
        heard = self.webhook.heard(self.topic)
        if not once:
            heard = {p: list(dict.fromkeys(rs)) for p, rs in heard.items()}
        assert heard == self.finished()
        proof.assert_exactly_once(self.ids, self.tree)


@pytest.fixture
def told(kafka, topic, group, secor, tmp_path, webhook):
    def make(**more):
        return Told(kafka, topic, group, secor, tmp_path, webhook, **more)
    return make


@pytest.mark.sanitize
def test_webhook_hears_every_batch_once_and_in_order(told):
    t = told(session="30s")
    t.process.start()
    for _ in range(3):
        t.produce(600)
        t.wait_done()
    t.wait_heard()
    assert t.process.stop() == 0
    t.assert_heard(once=True)
    events = [o for e in t.webhook.events for o in e["objects"]]
    stored = proof.object_keys(t.tree)
    assert sorted(o["key"] for o in events) == stored
    for o in events:
        data = t.tree.get(o["key"])
        assert (o["bytes"], o["records"]) == (len(data), data.count(b"\n"))
        assert o["path"] == f"dt=2026-01-01/hr={o['levels'][1]['value']}"


@pytest.mark.parametrize("step", ["final-acked:3", "files-deleted",
                                  "notified"])
def test_killed_before_it_is_heard_is_heard_after_the_restart(told, step):
    t = told()
    t.process.start(env={"SECOR_STOP_AT": step})
    send_until_stopped(t.process, lambda: t.produce(200))
    t.process.wait_stopped(step)
    t.process.kill9()
    before = t.webhook.heard(t.topic)
    done = t.finished()
    if step != "notified":  # there is one that nobody has heard of
        assert sum(map(len, done.values())) > sum(map(len, before.values()))
    t.process.start()
    t.wait_done()
    t.wait_heard()
    assert t.process.stop() == 0
    t.assert_heard()


def test_killed_with_a_deaf_notifier_catches_up_from_manifests(told):
    t = told()
    t.webhook.status = 503
    t.process.start()
    t.rounds(4)
    t.wait_done()
    t.process.kill9()
    assert t.webhook.events == []
    t.webhook.status = 200
    t.process.start()
    t.wait_heard()
    assert t.process.stop() == 0
    t.assert_heard()
    assert len(t.finished()[0]) >= 4


def test_notifier_that_is_down_holds_up_nothing_and_hears_all_later(told):
    t = told(session="30s")
    t.process.start()
    t.produce(400)
    t.wait_done()
    t.wait_heard()
    t.webhook.status = 503
    t.rounds(3)
    t.wait_done()
    t.process.wait_for("^warn .* notifier fails notifier=webhook "
                       'error="?HTTP 503')
    assert len(t.webhook.heard(t.topic)[0]) < len(t.finished()[0])
    assert wait_metric(t.process, "secor_notifier_retries_total", 1) >= 1
    t.webhook.status = 200
    t.wait_heard()
    t.process.wait_for("notifier works again notifier=webhook")
    assert t.process.stop() == 0
    t.assert_heard(once=True)


def test_notifier_that_stalls_holds_up_nothing_and_hears_all_later(told):
    t = told(session="30s")
    t.webhook.open.clear()
    t.process.start()
    t.rounds(3)
    t.wait_done()
    proof.assert_exactly_once(t.ids, t.tree)
    assert t.webhook.events == []
    t.webhook.open.set()
    t.wait_heard()
    assert t.process.stop() == 0
    t.assert_heard(once=True)


def test_what_overflows_the_queue_is_heard_from_manifests(told):
    t = told(partitions=50, batch={"max_age": "10s", "max_messages": 1},
             session="30s")
    t.webhook.open.clear()
    t.process.start()
    t.process.wait_for("consumption begins")
    for n in range(1, 24):  # a batch each time, of which 1000 in all are kept
        t.produce(t.partitions)
        clients.wait_committed(t.kafka.address, t.group, t.topic,
                               [n] * t.partitions)
    assert proof.count_batches(t.tree, t.topic) == 1150
    proof.assert_exactly_once(t.ids, t.tree)
    t.webhook.open.set()
    t.wait_heard(90)
    assert t.process.stop() == 0
    t.assert_heard(once=True)


@pytest.mark.parametrize("answers", [False, True])
def test_stop_does_not_wait_for_a_hanging_notifier(told, answers):
    t = told(engine={"stop_timeout": "300s" if answers else "4s"})
    t.webhook.open.clear()
    t.process.start()
    t.produce(300)
    t.wait_done()
    t.webhook.wait(lambda w: w.requests > 0)
    if answers:  # in time: then nothing is waited for
        t.process.process.send(signal.SIGTERM)
        t.process.wait_for("waits for notifier notifier=webhook")
        t.webhook.open.set()
        begin = time.monotonic()
        assert t.process.wait() == 0
        assert time.monotonic() - begin < SLACK
    else:
        begin = time.monotonic()
        assert t.process.stop() == 0
        assert time.monotonic() - begin < 4 + SLACK  # nor the hook's 300 s
        t.process.wait_for("waits for notifier notifier=webhook")
        t.webhook.open.set()
    t.process.start()
    t.wait_heard()
    assert t.process.stop() == 0
    t.assert_heard()


def test_second_signal_ends_at_once(told):
    t = told(engine={"stop_timeout": "300s"})
    t.webhook.open.clear()
    t.process.start()
    t.produce(300)
    t.wait_done()
    t.webhook.wait(lambda w: w.requests > 0)
    t.process.process.send(signal.SIGTERM)
    t.process.wait_for("waits for notifier notifier=webhook")
    begin = time.monotonic()
    t.process.stop()
    assert time.monotonic() - begin < SLACK
    t.webhook.open.set()
    t.process.start()
    t.wait_heard()
    assert t.process.stop() == 0
    t.assert_heard()


@pytest.mark.parametrize("how", ["kill9", "stop"])
def test_what_one_process_has_not_told_the_next_owner_tells(
        told, secor, tmp_path, how):
    t = told(engine={"stop_timeout": "2s"})
    heir = secor({}, name="heir")
    heir.config, heir.dir = t.process.config, t.process.dir
    t.webhook.open.clear()
    t.process.start()
    t.rounds(2)
    t.wait_done()
    heir.start()
    heir.wait_for("consumption begins")
    t.rounds(2)
    getattr(t.process, how)()
    t.webhook.open.set()
    t.wait_done()
    t.wait_heard()
    assert heir.stop() == 0
    t.assert_heard()
    assert sorted(t.finished()) == [0, 1]


def test_stop_does_not_wait_for_a_hanging_store(
        kafka, topic, group, secor, bucket, rgw, http_proxy):
    name = topic(partitions=PARTITIONS)
    tree = bucket(rgw)
    hanging = threading.Event()
    free = threading.Event()

    def before(method, path, _):
        if method == "PUT" and not free.is_set():
            hanging.set()
            free.wait(300)

    proxy = http_proxy(rgw, before)
    process = secor(settings(
        kafka.address, group, name,
        {"use": "s3", "bucket": tree.bucket, "endpoint": proxy.endpoint,
         "region": rgw.region, "access_key": rgw.access_key,
         "secret_key": rgw.secret_key},
        engine={"stop_timeout": "3s"}))
    process.start()
    ids = clients.produce_json(kafka.address, name, 200, PARTITIONS)
    assert hanging.wait(90)
    begin = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begin < 3 + SLACK
    free.set()
    process.start()
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


# ---- qubole ----

HOSTILE = ["x'); DROP TABLE t; --", "'", "\\", "a\nb", ";", '"; DROP', "`",
           "${hiveconf:x}", "a/b", "gr\u00fc\u00df \u20ac", "\x01", "NULL",
           "..", "100%", "a=b"]


def test_qubole_adds_each_partition_once_and_values_stay_values(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, tree = local_store(tmp_path / "data")
    with Qubole("t0ken-of-qubole") as q:
        q.hive.create("logs_v", ["country", "dt"])
        process = secor(settings(
            kafka.address, group, name, store,
            partitioner=[{"use": "field", "fields": ["country"]},
                         {"use": "date", "granularity": "day"}],
            notifiers=[{"use": "qubole", "token": q.token,
                        "base_url": q.url, "tables": {name: "logs_v"},
                        "poll_interval": "5ms"}]))
        process.start()
        ids = []
        for n in range(3):  # the same paths again and again
            ids += clients.produce_json(
                kafka.address, name, 10 * len(HOSTILE), PARTITIONS,
                first_id=len(ids),
                extra=lambda i: {"country": HOSTILE[i % len(HOSTILE)]})
            wait_done(kafka.address, group, name, PARTITIONS)
        done = proof.count_batches(tree, name)
        wait_metric(process, "secor_notifier_told_total", done)
        assert metric(process, "secor_qubole_partitions_total") \
            == len(HOSTILE)
        assert process.stop() == 0
        assert q.hive.refused == []
        assert {v for v, _ in q.hive.partitions["logs_v"]} == set(HOSTILE)
        assert len(q.hive.partitions["logs_v"]) == len(HOSTILE)
        assert len(q.queries) == len(set(q.queries)) == len(HOSTILE)
    proof.assert_exactly_once(ids, tree)


def test_qubole_that_is_down_holds_up_nothing(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, tree = local_store(tmp_path / "data")
    with Qubole("t0ken-of-qubole") as q:
        q.hive.create("logs", ["dt", "hr"])
        q.fail(500, "cut", b"<html>", *[503] * 1000)
        process = secor(settings(
            kafka.address, group, name, store,
            notifiers={"use": "qubole", "token": q.token,
                       "base_url": q.url, "table": "logs",
                       "poll_interval": "5ms", "timeout": "1s"}))
        process.start()
        ids = clients.produce_json(kafka.address, name, 1000, PARTITIONS,
                                   step_ms=60_000)
        wait_done(kafka.address, group, name, PARTITIONS)
        proof.assert_exactly_once(ids, tree)
        assert q.hive.partitions["logs"] == {}
        q.faults.clear()
        done = proof.count_batches(tree, name)
        wait_metric(process, "secor_notifier_told_total", done)
        assert process.stop() == 0
        paths = {proof.parse_name(k, name)["path"]
                 for k in proof.object_keys(tree)}
        assert {f"dt={d}/hr={h}" for d, h in q.hive.partitions["logs"]} \
            == paths
        assert not q.hive.refused


def test_notifier_with_a_wrong_option_is_told_by_check(
        kafka, topic, group, secor, tmp_path):
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, "t", store,
        notifiers=[{"use": "webhook", "url": "ftp://x"},
                   {"use": "qubole", "base_url": "http://x"}]))
    done = secor_command("check", process.config, cwd=process.dir)
    assert done.returncode == 2
    assert "url" in done.stderr and "token" in done.stderr
