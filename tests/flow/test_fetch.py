"""What is stored is what was sent: every codec of two producers that share no
code, transactions, the log's times, and what the broker deleted, whoever reads:
secor's own connections, or librdkafka."""

import itertools
import random

import kafka as clients
import pytest
from fetching import envelope, envelopes, readers, whole
from flow import BEGIN
from halting import wait_empty
from producer import JavaProducer
from servers import wait_until
from watch import wait_metric

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
MIB = 1 << 20


# ---- codecs ----

def mixture(partition, seed):
    """All kinds of messages, their times not in order."""
    rng = random.Random(seed)
    kinds = [
        lambda: (None, None, []), lambda: (b"", b"", [("", b"")]),
        lambda: (b"key", None, [("a", None), ("a", b"1"), ("\u20ac", b"")]),
        lambda: (b"\x00\xff", b"\x00line\nend\r\xfe", []),
        lambda: (None, b"x" * rng.randrange(300), []),
        lambda: (rng.randbytes(9), rng.randbytes(rng.randrange(3000)),
                 [(f"h{i}", rng.randbytes(i)) for i in range(20)])]
    # larger than an answer may be, and what is as large when it is plain
    large = {100: rng.randbytes(MIB + 4321), 101: b"plain" * (MIB // 2),
             400: b"z" * (3 * MIB)}
    for n in range(600):
        key, value, headers = rng.choice(kinds)()
        yield (partition, key, large.get(n, value),
               BEGIN + rng.randrange(2 * 3_600_000), headers)
    for n in range(1500):
        yield partition, None, b"%d" % n, BEGIN + n, []


def one_a_batch(partition):
    for n in range(40):
        yield partition, b"%d" % n, b"alone %d" % n, BEGIN + n, [("n", b"1")]


class Sent:
    """What was sent, by its places."""

    def __init__(self, address, topic):
        self.address, self.topic, self.found = address, topic, {}

    def add(self, messages, places, kind="create"):
        for (_, key, value, at, headers), (p, offset) in zip(
                messages, places, strict=True):
            assert (self.topic, p, offset) not in self.found
            self.found[self.topic, p, offset] = envelope(
                key, value, at, headers, kind)

    def by_librdkafka(self, codec, messages, **config):
        self.add(messages, clients.produce(
            self.address, self.topic, messages,
            {"compression.type": codec, "linger.ms": 20,
             "message.max.bytes": 8 * MIB, **config}))

    def by_java(self, java, codec, messages, **config):
        self.add(messages, java.send(self.topic, messages, {
            "compression.type": codec, "linger.ms": "20",
            "batch.size": "200000", "max.request.size": str(8 * MIB),
            **config}))


def assert_same(found, sent, way):
    assert found.keys() == sent.keys(), (
        way, sorted(sent.keys() - found.keys())[:5],
        sorted(found.keys() - sent.keys())[:5])
    wrong = [p for p in sent if found[p] != sent[p]]
    assert not wrong, (way, wrong[:5], str(found[wrong[0]])[:300],
                       str(sent[wrong[0]])[:300])


@pytest.mark.sanitize
@pytest.mark.librdkafka
def test_all_codecs_of_two_producers_come_as_they_were_sent(
        kafka, topic, group, secor, tmp_path):
    """One partition for each codec and producer. Half is there before, half
    comes while it is read."""
    name = topic(2 * len(CODECS), {"max.message.bytes": 8 * MIB})
    sent = Sent(kafka.address, name)
    both = readers(kafka.address, group, name, secor, tmp_path, **whole())
    with JavaProducer(kafka.address, tmp_path / "java.log") as java:
        for p, codec in enumerate(CODECS):
            sent.by_librdkafka(codec, list(mixture(p, codec)))
            sent.by_librdkafka(codec, list(one_a_batch(p)),
                               **{"batch.num.messages": 1})
        for r in both:
            r.start()
        for p, codec in enumerate(CODECS, len(CODECS)):
            sent.by_java(java, codec, list(mixture(p, codec)))
            sent.by_java(java, codec, list(one_a_batch(p)),
                         **{"batch.size": "0"})
    for r in both:
        r.wait_done(2 * len(CODECS))
        r.stop()
        assert_same(envelopes(r.tree), sent.found, r.way)


# ---- transactions ----

class Several:
    """Producers of transactions in one partition, and one without."""

    def __init__(self, address, topic, count=3):
        codecs = itertools.cycle(("none", "lz4", "zstd"))
        self.address, self.topic = address, topic
        self.producers = [clients.Transactions(
            address, topic, f"tx{n}", {"compression.type": next(codecs)})
            for n in range(count)]
        self.open = {}  # {producer: ids}
        self.next, self.good = 0, []

    def take(self, count):
        self.next += count
        return list(range(self.next - count, self.next))

    def send(self, producer, count):
        ids = self.take(count)
        if producer in self.open:
            producer.send(ids)
        else:
            producer.begin(ids)
        self.open.setdefault(producer, []).extend(ids)

    def end(self, producer, commit):
        ids = self.open.pop(producer)
        producer.end(commit, last=False)
        self.good += ids if commit else []

    def plain(self, count):
        ids = clients.produce_json(self.address, self.topic, count,
                                   first_id=self.take(count)[0])
        self.good += ids

    def storm(self, rng, steps):
        """Begun, gone on with and ended in any order; all are ended then."""
        for _ in range(steps):
            one = rng.choice(self.producers)
            what = rng.random()
            if what < 0.2:
                self.plain(rng.randrange(1, 4))
            elif one in self.open and what < 0.6:
                self.end(one, rng.random() < 0.5)
            else:
                self.send(one, rng.randrange(1, 20))
        for one in list(self.open):
            self.end(one, rng.random() < 0.5)
        self.wait_ended()

    def wait_ended(self):
        self.producers[0].wait_ended()


@pytest.mark.parametrize("steps, seed", [
    pytest.param(60, 1, marks=pytest.mark.sanitize), *(pytest.param(200, s, marks=pytest.mark.deep)
               for s in range(2, 6))])
def test_transactions_of_several_producers_and_no_aborted_message(
        steps, seed, kafka, topic, group, secor, tmp_path):
    """Small batches and small answers, so that both end everywhere between
    markers; killed with a plan, which is replayed. The log ends in an aborted
    transaction, and an open one holds the end back."""
    name, rng = topic(), random.Random(seed)
    several = Several(kafka.address, name)
    both = readers(kafka.address, group, name, secor, tmp_path,
                   batch={"max_messages": 7, "max_age": "300ms"}, kafka={
                       "properties": {"max.partition.fetch.bytes": 1500}})
    several.storm(rng, steps // 2)
    for r in both:
        r.start(env={"SECOR_STOP_AT": "put-done"})
        r.process.wait_stopped("put-done")
        r.process.kill9()
        clients.bury(kafka.address, r.group)
        r.start()
    several.storm(rng, steps // 2)
    one = several.producers[0]
    several.send(one, 30)
    several.end(one, False)
    several.wait_ended()
    for r in both:
        r.wait_done()
        r.exactly_once(several.good)
    several.send(one, 10)
    stable = clients.watermarks(kafka.address, name)[1]
    before = list(several.good)
    several.plain(10)
    for r in both:
        clients.wait_committed(kafka.address, r.group, name, [stable])
        r.exactly_once(before)
    several.end(one, False)
    several.wait_ended()
    for r in both:
        r.wait_done()
        assert clients.committed(kafka.address, r.group, name)[0] \
            == clients.watermarks(kafka.address, name)[1]
        r.stop()
        r.exactly_once(several.good)


# ---- the log ----

def read_log(address, topic):
    """{place: envelope} of partition 0, as another client reads it."""
    assert clients.watermarks(address, topic)[1]
    found = {}
    for m in clients.read_to_end(address, topic):
        kind, at = m.timestamp()
        found[topic, 0, m.offset()] = envelope(
            m.key(), m.value(), at, m.headers() or [],
            ("none", "create", "append")[kind])
    return found


def test_times_of_the_broker_are_told_as_such(
        kafka, topic, group, secor, tmp_path):
    name = topic(config={"message.timestamp.type": "LogAppendTime"})
    for codec in CODECS:
        clients.produce(kafka.address, name, [
            (0, b"k", b"%d" % n, BEGIN + n) for n in range(50)],
            {"compression.type": codec})
    both = readers(kafka.address, group, name, secor, tmp_path, **whole())
    log = read_log(kafka.address, name)
    assert len(log) == 5 * 50 and {m[4] for m in log.values()} == {"append"}
    assert min(m[3] for m in log.values()) > BEGIN + 3_600_000
    for r in both:
        r.start()
    for r in both:
        r.wait_done()
        r.stop()
        assert_same(envelopes(r.tree), log, r.way)


@pytest.mark.deep
def test_compacted_topic_is_read_over_its_holes(
        own_kafka, group, secor, tmp_path):
    """Offsets that are missing between batches, in them, and at the end."""
    broker = own_kafka({"log.cleaner.backoff.ms": 200})
    name = clients.create_topic(broker.address, "compacted", 1, {
        "cleanup.policy": "compact", "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001"})
    at = itertools.count(BEGIN, 200)  # each may begin a segment
    for codec in CODECS:
        clients.produce(broker.address, name, [
            (0, b"%d" % (i % 23 if i % 5 else i), b"%d" % i, next(at))
            for i in range(200)], {"compression.type": codec})

    def few():
        clients.produce(broker.address, name, [(0, b"0", b"end", next(at))])
        return len(read_log(broker.address, name)) < 200
    wait_until("it is compacted", few, 120)
    both = readers(broker.address, group, name, secor, tmp_path, **whole(
        kafka={"compacted": "allow"}, batch={"max_messages": 30}))
    for r in both:
        r.start()
    for r in both:
        r.wait_done()
        r.stop()
        found = envelopes(r.tree)
        last = read_log(broker.address, name)
        # what is cleaned later was there when it was read
        assert last.keys() <= found.keys(), r.way
        assert all(found[p] == m for p, m in last.items()), r.way


def test_records_that_are_deleted_before_they_are_read_leave_the_same_gap(
        kafka, topic, group, secor, tmp_path):
    """What is held is stored, what is gone is a gap, the rest follows."""
    name = topic()
    both = readers(kafka.address, group, name, secor, tmp_path,
                   batch={"max_age": "1h"}, kafka={"session_timeout": "30s"})
    ids = clients.produce_json(kafka.address, name, 20)
    for r in both:
        r.start()
        wait_metric(r.process, "secor_messages_total", 20)
        r.process.kill9()
        clients.bury(kafka.address, r.group)
    wait_empty(kafka.address, both[0].group)
    ids += clients.produce_json(kafka.address, name, 100, first_id=20)
    clients.delete_records(kafka.address, name, 0, 50)
    for r in both:
        r.config["batch"]["max_age"] = "300ms"
        r.process.reconfigure(r.config)
        r.start()
        r.process.wait_for("^error .* data loss .* start=0 end=50 ")
    ids += clients.produce_json(kafka.address, name, 30, first_id=120)
    for r in both:
        r.wait_done()
        r.stop()
        r.exactly_once(ids[50:])
