"""Events in a Kafka topic: what others read there is what the manifests say, at
least once whatever dies or is away, in order for each path."""

import json
import re
import subprocess
import time

import kafka as clients
import proof
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import (AclBinding, AclOperation,
                                   AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType)
from flow import (BEGIN, HOUR, local_store, send_until_stopped, settings,
                  wait_done)
from secure import SecureKafka
from watch import wait_metric

PARTITIONS = 2


@pytest.fixture
def proxied(kafka):
    """The address of the broker behind a proxy, which is mended afterwards."""
    yield kafka.proxied_address
    kafka.proxy.refuse(False)
    kafka.proxy.go_on()


class Events:
    """A topic whose events are written to another one."""

    def __init__(self, kafka, topic, group, secor, folder, options=None,
                 events_topic=None, session="3s", **more):
        self.kafka, self.group = kafka, group
        self.topic = topic(partitions=PARTITIONS)
        self.into = events_topic or topic(partitions=3)
        store, self.tree = local_store(folder / "data")
        self.process = secor(settings(
            kafka.address, group, self.topic, store,
            notifiers=[{"use": "kafka", "brokers": kafka.address,
                        "topic": self.into, "timeout": "30s",
                        **(options or {})}],
            **{"batch": {"max_age": "300ms", "max_messages": 100},
               "kafka": {"session_timeout": session}, **more}))
        self.ids = []

    def produce(self, count, step_ms=60_000):
        self.ids += clients.produce_json(
            self.kafka.address, self.topic, count, PARTITIONS,
            first_id=len(self.ids), time_ms=BEGIN, step_ms=step_ms)

    def wait_done(self):
        wait_done(self.kafka.address, self.group, self.topic, PARTITIONS)

    def stored(self):
        """{key: what its manifest says of it}."""
        return {o["key"]: {**o, "partition": p, "start": m["start"],
                           "end": m["end"]}
                for p, ms in proof.manifests(self.tree, self.topic).items()
                for _, m in ms for o in m["objects"]}

    def end_of(self, consumer, partition, until):
        """Of a topic that may just have been made: asked for until it is
        known."""
        while True:
            try:
                return consumer.get_watermark_offsets(
                    TopicPartition(self.into, partition), timeout=60)[1]
            except KafkaException:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def read(self):
        """[(partition, key, headers, event)] of all that was written."""
        found = []
        c = Consumer({"bootstrap.servers": self.kafka.address,
                      "group.id": "events", "enable.auto.commit": False,
                      "fetch.wait.max.ms": 20})
        try:
            end = time.monotonic() + 90
            ends = [self.end_of(c, p, end) for p in range(3)]
            c.assign([TopicPartition(self.into, p, 0) for p in range(3)])
            while len(found) < sum(ends):
                assert time.monotonic() < end, f"{len(found)} of {ends}"
                for m in c.consume(1000, 0.05):
                    assert not m.error(), m.error()
                    if m.offset() < ends[m.partition()]:
                        found.append((m.partition(), m.key().decode(),
                                      dict(m.headers()),
                                      json.loads(m.value())))
        finally:
            c.close()
        return found

    def wait_events(self, want, name="object_stored", timeout=90):
        """Waits until events of this name are about all of `want()`."""
        end = time.monotonic() + timeout
        field = "key" if name == "object_stored" else "path"
        while True:
            found = {e[field] for _, _, _, e in self.read()
                     if e["event"] == name}
            if want() <= found:
                return
            assert time.monotonic() < end, (want() - found, self.process.text())
            time.sleep(0.1)

    def wait_totals(self, timeout=90):
        """Waits until the last event of each path, finalized or amended, says
        what is stored in it."""
        stored = {}
        for o in self.stored().values():
            for path in (o["path"], o["path"].split("/")[0]):
                stored[path] = stored.get(path, 0) + o["records"]
        end = time.monotonic() + timeout
        while True:
            told = {e["path"]: e["total_records"]
                    for _, _, _, e in self.read()
                    if e["event"].startswith("path_")}
            if told == stored:
                return
            assert time.monotonic() < end, (stored, told, self.process.text())
            time.sleep(0.1)

    def assert_told(self, once=False):
        """Each object by the same id each time, as its manifest has it."""
        said = [e for _, _, _, e in self.read()
                if e["event"] == "object_stored"]
        if once:
            assert len({e["id"] for e in said}) == len(said)
        by_id = {e["id"]: e for e in said}
        stored = self.stored()
        assert {e["key"] for e in by_id.values()} == set(stored)
        assert len(by_id) == len(stored)
        for e in said:
            o = stored[e["key"]]
            for field in ("path", "records", "bytes", "partition", "start",
                          "end", "first_offset", "last_offset", "crc32c"):
                assert e[field] == o[field], (field, e, o)
            assert e["topic"] == self.topic
        proof.assert_exactly_once(self.ids, self.tree)


@pytest.fixture
def events(kafka, topic, group, secor, tmp_path):
    def make(**more):
        return Events(kafka, topic, group, secor, tmp_path, **more)
    return make


@pytest.mark.sanitize
def test_others_read_what_the_manifests_say(events):
    t = events(finalize={"delay": "10m", "interval": "1s"}, session="30s")
    t.process.start()
    for _ in range(2):
        t.produce(200, step_ms=HOUR // 50)
        t.wait_done()
    t.wait_events(lambda: set(t.stored()))
    t.wait_totals()
    # counted once they are acknowledged, which readers may see before
    count = len(t.read())
    assert wait_metric(t.process, "secor_kafka_events_total", count) == count
    assert t.process.stop() == 0
    t.assert_told(once=True)
    places, last = {}, {}
    for p, key, headers, e in t.read():
        assert headers == {"secor-event": e["event"].encode(),
                           "content-type": b"application/json"}
        assert key == f"{t.topic}/{e['path']}"
        assert places.setdefault(key, p) == p
        if e["event"] == "object_stored":
            source = (key, e["partition"])
            assert last.get(source, -1) < e["start"], "not in order"
            last[source] = e["start"]
    # and by a client of another make
    out = subprocess.run(
        ["kcat", "-C", "-b", t.kafka.address, "-t", t.into, "-e", "-q", "-f",
         "%k\\t%s\\n"], capture_output=True, text=True, timeout=90, check=True)
    lines = [line.split("\t", 1) for line in out.stdout.splitlines()]
    assert sorted((k, json.loads(v)["id"]) for k, v in lines) == sorted(
        (key, e["id"]) for _, key, _, e in t.read())


def test_event_that_the_topic_does_not_take_is_dropped_alone(events, topic):
    into = topic(partitions=3, config={"max.message.bytes": "1300"})
    t = events(events_topic=into, session="30s", partitioner=[
        {"use": "field", "fields": ["kind"]},
        {"use": "date", "granularity": "hour"}])
    t.process.start()
    for _ in range(2):
        t.ids += clients.produce_json(
            t.kafka.address, t.topic, 200, PARTITIONS, first_id=len(t.ids),
            time_ms=BEGIN, step_ms=HOUR // 50, extra=lambda i: {
                "kind": "x" * 200 if i % 50 < PARTITIONS else "short"})
        t.wait_done()
    large = {k for k in t.stored() if "x" * 200 in k}
    assert len(large) >= 8 and len(t.stored()) > len(large)
    t.wait_events(lambda: set(t.stored()) - large)
    dropped = wait_metric(t.process, "secor_kafka_refused_total", len(large))
    assert dropped == len(large)
    assert t.process.stop() == 0
    assert {e["key"] for *_, e in t.read()} == set(t.stored()) - large
    assert re.search(
        rf"^error .* event dropped plugin=kafka topic={into} "
        rf"event=object_stored key=\"{t.topic}/kind=x+/dt=[0-9-]+/hr=[0-9]+\" "
        r'reason="[0-9]+ bytes: .*MSG_SIZE_TOO_LARGE.*max.message.bytes',
        t.process.text(), re.M)
    assert "notifier refuses a batch notifier=kafka" in t.process.text()
    proof.assert_exactly_once(t.ids, t.tree)


@pytest.mark.deep
def test_record_that_the_topic_never_takes_is_dropped(events, topic):
    into = topic(partitions=3, config={"cleanup.policy": "compact"})
    t = events(events_topic=into, options={"key": "none"})
    t.process.start()
    t.produce(200, step_ms=HOUR // 50)
    t.wait_done()
    count = len(t.stored())
    assert wait_metric(
        t.process, "secor_kafka_refused_total", count) == count
    assert t.process.stop() == 0
    assert t.read() == []
    assert re.search("^error .* event dropped .*INVALID_RECORD",
                     t.process.text(), re.M)
    proof.assert_exactly_once(t.ids, t.tree)


@pytest.mark.parametrize("step", [
    "final-acked:2", pytest.param("notified", marks=pytest.mark.deep)])
def test_killed_at_any_time_no_event_is_lost(events, step):
    t = events()
    t.process.start(env={"SECOR_STOP_AT": step})
    send_until_stopped(t.process, lambda: t.produce(200))
    t.process.kill9()
    t.process.start()
    t.wait_done()
    t.wait_events(lambda: set(t.stored()))
    assert t.process.stop() == 0
    t.assert_told()


@pytest.mark.deep
@pytest.mark.parametrize("how", ["refuse", "stall"])
def test_brokers_that_are_away_hold_up_nothing_and_hear_all_later(
        events, kafka, proxied, how):
    t = events(options={"brokers": proxied, "timeout": "1s"})
    t.process.start()
    t.produce(200)
    t.wait_done()
    t.wait_events(lambda: set(t.stored()))
    getattr(kafka.proxy, how)()
    t.produce(600)
    t.wait_done()  # all is stored meanwhile
    t.process.wait_for("^warn .* notifier fails notifier=kafka "
                       f'error="?topic {t.into}: not acknowledged within 1 s')
    kafka.proxy.refuse(False)
    kafka.proxy.go_on()
    t.wait_events(lambda: set(t.stored()))
    assert t.process.stop() == 0
    t.assert_told()


@pytest.mark.deep
def test_stop_does_not_wait_for_brokers_that_are_away(events, kafka, proxied):
    t = events(options={"brokers": proxied, "timeout": "60s"},
               engine={"stop_timeout": "3s"})
    kafka.proxy.stall()
    t.process.start()
    t.produce(200)
    t.wait_done()
    begin = time.monotonic()
    assert t.process.stop() == 0
    assert time.monotonic() - begin < 3 + 30  # not the 60 s of the notifier
    kafka.proxy.go_on()
    t.process.start()
    t.wait_events(lambda: set(t.stored()))
    assert t.process.stop() == 0
    t.assert_told()


@pytest.mark.deep
def test_topic_that_is_not_there_is_named_and_waited_for(
        events, kafka, topic, group):
    into = f"events-of-{group}"
    t = events(events_topic=into)
    t.process.start()
    t.produce(100)
    t.wait_done()
    t.process.wait_for(f"^warn .* notifier fails notifier=kafka .*topic {into}: "
                       ".*nknown topic")
    topic(partitions=3, name=into)
    t.wait_events(lambda: set(t.stored()))
    assert t.process.stop() == 0
    t.assert_told()


@pytest.mark.deep
def test_topic_that_takes_little_gets_events_in_parts(events, topic):
    into = topic(partitions=3, config={"max.message.bytes": "10000"})
    t = events(events_topic=into, batch={"max_age": "300ms"},
               options={"events": ["batch"], "key": "partition"})
    t.produce(160, step_ms=HOUR // 2)
    t.process.start()
    t.wait_done()
    end = time.monotonic() + 90
    while True:
        said = t.read()
        told = {o["key"] for *_, e in said for o in e["objects"]}
        if told == set(t.stored()):
            break
        assert time.monotonic() < end, t.process.text()
        time.sleep(0.1)
    assert t.process.stop() == 0
    assert any(e.get("parts", 1) > 1 for *_, e in said)
    for _, key, _, e in said:
        assert key == f"{t.topic}/{e['partition']}"
        assert e["event"] == "batch_done" and len(json.dumps(e)) < 10000
    proof.assert_exactly_once(t.ids, t.tree)


@pytest.mark.deep
def test_login_and_permission_are_named_until_they_are_right(
        own_kafka, group, secor, tmp_path):
    broker = own_kafka({
        "authorizer.class.name":
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS"}, kind=SecureKafka)

    def topic(partitions, name=[]):
        name.append(f"guarded-{len(name)}")
        return clients.create_topic(broker.address, name[-1], partitions)

    def options(password):
        return {"brokers": broker.address_of("SASL_SSL"), "timeout": "2s",
                "tls": {"ca": str(broker.tls / "ca.pem")},
                "sasl": {"mechanism": "SCRAM-SHA-256", "username": "bob",
                         "password": password}}

    t = Events(broker, topic, group, secor, tmp_path,
               options=options("not-bobs"))
    t.process.start()
    t.produce(100)
    t.wait_done()
    t.process.wait_for("^warn .* notifier fails notifier=kafka .*"
                       "Authentication failed")
    assert t.process.stop() == 0
    config = t.process.config.read_text()
    assert "not-bobs" not in t.process.text()
    t.process.config.write_text(config.replace("not-bobs", "bob-secret"))
    t.process.start()
    t.process.wait_for(f"^warn .* notifier fails notifier=kafka .*topic "
                       f"{t.into}: .*Topic authorization failed")
    admin = AdminClient({"bootstrap.servers": broker.address})
    for done in admin.create_acls([AclBinding(
            ResourceType.TOPIC, t.into, ResourcePatternType.LITERAL,
            "User:bob", "*", AclOperation.WRITE,
            AclPermissionType.ALLOW)]).values():
        done.result(90)
    t.wait_events(lambda: set(t.stored()))
    assert t.process.stop() == 0
    t.assert_told()
