"""Connections that break in the middle of an answer, bytes that come damaged,
brokers that are too old, leaders that move: a message is read again, never
twice stored, and never passed over."""

import json
import time

import kafka as clients
import pytest
from cluster import Cluster
from confluent_kafka import ElectionType, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from fetching import WAYS, Reader, readers
from flow import BEGIN, Beside
from servers import wait_until
from watch import metric

MARK = b"a message that comes damaged"


def pads(address, topic, count, size, first_id=0, **config):
    """Messages that nothing makes smaller than `size`; their ids."""
    ids = list(range(first_id, first_id + count))
    clients.produce(address, topic, [
        (0, None, json.dumps({"id": i, "time": BEGIN + i,
                              "pad": "x" * size}).encode()) for i in ids],
        config)
    return ids


@pytest.fixture
def proxy(kafka):
    """What is between the broker and who comes by its proxied address."""
    yield kafka.proxy
    kafka.proxy.reset_after()
    kafka.proxy.go_on()
    kafka.proxy.rate = 0
    kafka.proxy.spoil, kafka.proxy.fetch_most = b"", None


@pytest.mark.parametrize("way", [pytest.param(
    "own", marks=pytest.mark.sanitize), pytest.param(
    "librdkafka", marks=pytest.mark.deep)])
def test_connections_that_break_in_the_middle_of_answers(
        way, kafka, proxy, topic, group, secor, tmp_path):
    """Each is reset behind one and a half answers, or in the first."""
    name = topic()
    ids = pads(kafka.address, name, 1000, 3000)
    r = Reader(way, kafka.proxied_address, group, name, secor, tmp_path)
    for down in (400_000, 60_000):
        before = proxy.cuts
        proxy.reset_after(down=down)
        if not r.process.running():
            r.start()
        wait_until("cuts", lambda: proxy.cuts >= before + 4, 90)
        ids += pads(kafka.address, name, 500, 3000, len(ids))
    proxy.reset_after()
    r.wait_done(address=kafka.address)
    r.stop()
    r.exactly_once(ids)


@pytest.mark.parametrize("codec", ["none", pytest.param(
    "snappy", marks=pytest.mark.deep)])
def test_damaged_bytes_are_asked_for_again_and_never_stored(
        codec, kafka, proxy, topic, group, secor, tmp_path):
    """A bit is wrong on the way, in the middle of what is read: what is before
    is stored, what is behind waits until the broker's own bytes come. (Debian's
    librdkafka ends the process by an assertion there.)"""
    name = topic()
    sent = clients.produce_json(kafka.address, name, 100)
    at = len(sent)
    clients.produce(kafka.address, name, [
        (0, MARK, json.dumps({"id": at, "time": BEGIN}).encode())],
        {"compression.type": codec})
    sent += [at, *clients.produce_json(kafka.address, name, 100,
                                       first_id=at + 1)]
    proxy.spoil = MARK
    r = Reader("own", kafka.proxied_address, group, name, secor, tmp_path)
    r.start()
    r.process.wait_for("kafka error .*code=_BAD_MSG")
    clients.wait_committed(kafka.address, r.group, name, [at])
    spoilt = proxy.spoilt
    wait_until("asked again", lambda: proxy.spoilt > spoilt, 90)
    assert clients.committed(kafka.address, r.group, name)[0] == at
    r.exactly_once(range(at))
    proxy.spoil = b""
    r.wait_done(address=kafka.address)
    r.stop()
    r.exactly_once(sent)


def test_broker_that_is_too_old_is_read_by_librdkafka(
        kafka, proxy, topic, group, secor, tmp_path):
    """No Fetch above version 3: messages come in the older formats, which
    librdkafka knows. What was asked for is said, and who reads instead."""
    name = topic()
    ids = clients.produce_json(kafka.address, name, 500)
    proxy.fetch_most = 3
    r = Reader("own", kafka.proxied_address, group, name, secor, tmp_path)
    r.config["kafka"]["fetch"] = "auto"
    r.process.reconfigure(r.config)
    r.process.start()
    r.process.wait_for("^warn .*librdkafka reads from now on reason=.* takes "
                       "no Fetch")
    ids += clients.produce_json(kafka.address, name, 500, first_id=500)
    r.wait_done(address=kafka.address)
    r.stop()
    r.exactly_once(ids)


@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
def test_answers_that_stall_or_trickle(
        way, kafka, proxy, topic, group, secor, tmp_path):
    """For longer than the client waits, in the middle of an answer."""
    name = topic()
    ids = pads(kafka.address, name, 800, 3000)
    r = Reader(way, kafka.proxied_address, group, name, secor, tmp_path,
               kafka={"session_timeout": "60s"})
    proxy.rate = 100_000
    r.start()
    was = proxy.answered
    wait_until("bytes", lambda: proxy.answered > was + 300_000, 90)
    proxy.stall_answers()
    time.sleep(12)  # what is asked is given up after 10
    proxy.rate = 0
    proxy.go_on()
    r.wait_done(address=kafka.address)
    r.stop()
    r.exactly_once(ids)


# ---- leaders ----

class Flow(Beside):
    """Goes on producing to all partitions; `ids` of what is acknowledged."""

    def __init__(self, address, topic, partitions):
        super().__init__()
        self.address, self.topic, self.partitions = address, topic, partitions
        self.ids = []

    def go_on(self):
        while not self.over.wait(0.05):
            first = len(self.ids)
            rows = [(i % self.partitions, None, json.dumps(
                {"id": i, "time": BEGIN + i}).encode())
                for i in range(first, first + 60)]
            clients.produce(self.address, self.topic, rows, {
                "acks": "all", "enable.idempotence": True,
                "compression.type": "lz4", "topic.metadata.refresh.interval.ms":
                1000})
            self.ids += range(first, first + 60)

    def wait_more(self, count=600):
        end = len(self.ids) + count
        wait_until("flow", lambda: len(self.ids) >= end, 120)


def prefer(address, topic, partitions):
    """The preferred replicas lead again, once they are in sync."""
    wanted = [TopicPartition(topic, p) for p in range(partitions)]
    admin = AdminClient({"bootstrap.servers": address, "log_level": 0})
    try:
        done = admin.elect_leaders(ElectionType.PREFERRED, wanted).result(60)
    except KafkaException:  # by a connection to the one that was killed
        return False
    return all(e is None or e.name() == "ELECTION_NOT_NEEDED"
               for e in done.values())


def move(cluster, topic, partitions, folder):
    """Each partition to one broker alone, by Kafka's own tool."""
    plan = folder / "plan.json"
    plan.write_text(json.dumps({"version": 1, "partitions": [
        {"topic": topic, "partition": p, "replicas": [(p + 1) % 3 + 1]}
        for p in range(partitions)]}))
    node = cluster.nodes[0]
    tool = node.java(
        "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
        "--bootstrap-server", cluster.address,
        "--reassignment-json-file", plan)
    node.run([*tool, "--execute"])
    wait_until("they have moved", lambda: "still in progress" not in node.run(
        [*tool, "--verify"]), 120)


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_leaders_that_die_and_move_lose_and_double_nothing(
        group, secor, tmp_path):
    """Each of three brokers is killed and comes back while messages flow, and
    the leaders are moved back; at last all partitions move to one broker each.
    Both readers go on by themselves."""
    partitions = 6
    with Cluster() as cluster:
        name = clients.create_topic(cluster.address, "moving", partitions,
                                    {"min.insync.replicas": "1"}, copies=3)
        both = readers(cluster.address, group, name, secor, tmp_path,
                       kafka={"session_timeout": "10s"})
        with Flow(cluster.address, name, partitions) as flow:
            for r in both:
                r.start()
            for node in cluster.nodes:
                flow.wait_more()
                node.kill9()
                flow.wait_more()
                node.start()
                wait_until("preferred leaders", lambda: prefer(
                    cluster.address, name, partitions), 120)
            flow.wait_more()
            move(cluster, name, partitions, tmp_path)
            flow.wait_more()
        for r in both:
            r.wait_done(partitions)
            if r.way == "own":  # later epochs, and nothing is missing
                assert metric(r.process, "secor_fetch_validations_total") > 0
                assert metric(r.process, "secor_log_cuts_total") == 0
            r.stop()
            r.exactly_once(flow.ids)


@pytest.mark.deep
def test_connections_cut_again_and_again_while_messages_flow(
        kafka, proxy, topic, group, secor, tmp_path):
    name, partitions = topic(4), 4
    both = readers(kafka.proxied_address, group, name, secor, tmp_path)
    with Flow(kafka.address, name, partitions) as flow:
        for r in both:
            r.start()
        for _ in range(10):
            flow.wait_more(200)
            proxy.cut()
    for r in both:
        r.wait_done(partitions, kafka.address)
        assert metric(r.process, "secor_messages_total") >= len(flow.ids)
        r.stop()
        r.exactly_once(flow.ids)
