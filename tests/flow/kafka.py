"""Independent Kafka clients of the tests: producer, offsets, log ends."""

import json
import socket
import struct
import time

from confluent_kafka import (Consumer, KafkaError, KafkaException, Producer,
                             TopicPartition)
from confluent_kafka.admin import AdminClient, NewTopic


def _consumer(address, group, config=None):
    return Consumer({"bootstrap.servers": address, "group.id": group,
                     "enable.auto.commit": False, **(config or {})})


# Nobody has answered, or somebody who is not in charge (yet).
AGAIN = (KafkaError._DESTROY_BROKER, KafkaError._TRANSPORT,
         KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
         KafkaError.COORDINATOR_NOT_AVAILABLE, KafkaError.NOT_COORDINATOR,
         KafkaError.NOT_LEADER_FOR_PARTITION)


def result_of(ask):
    """The result of the future that ask() gives, who is asked until there is
    one: for questions, and for what may be done twice."""
    end = time.monotonic() + 90
    while True:
        try:
            return ask().result(90)
        except KafkaException as e:
            if e.args[0].code() not in AGAIN or time.monotonic() > end:
                raise
            time.sleep(0.1)


def create_topic(address, topic, partitions=1, config=None, copies=1,
                 replicas=None):
    """Creates the topic and waits until clients see all its partitions. With
    `replicas` it says which brokers have each, the leader first."""
    admin = AdminClient({"bootstrap.servers": address})
    place = ({"replica_assignment": replicas} if replicas else
             {"replication_factor": copies})
    asked = False  # and it may be there
    end = time.monotonic() + 90
    while True:
        try:
            admin.create_topics([NewTopic(
                topic, partitions, config=config or {}, **place)],
                operation_timeout=60)[topic].result(90)
            break
        except KafkaException as e:
            code = e.args[0].code()
            if asked and code == KafkaError.TOPIC_ALREADY_EXISTS:
                break
            # the client lost its handle of the broker before the answer came
            asked |= code == KafkaError._DESTROY_BROKER
            # or a controller that has not heard of its brokers for a while
            if code not in (KafkaError._DESTROY_BROKER,
                            KafkaError.INVALID_REPLICATION_FACTOR) \
                    or time.monotonic() > end:
                raise
            time.sleep(0.1)
    while True:
        seen = admin.list_topics(topic, timeout=60).topics.get(topic)
        if seen and not seen.error and len(seen.partitions) == partitions \
                and all(p.leader >= 0 for p in seen.partitions.values()):
            return topic
        assert time.monotonic() < end, f"topic {topic} does not appear"
        time.sleep(0.05)


def joins(properties):
    """Does a client with these properties get in? Its first error says no."""
    errors = []
    c = Producer({"log_level": 0, "error_cb": errors.append, **properties})
    end = time.monotonic() + 90
    while time.monotonic() < end:
        try:
            return bool(c.list_topics(timeout=0.3).brokers)
        except KafkaException:
            c.poll(0)
        if errors:
            return False
    raise AssertionError("neither an answer nor an error")


def leader(address, topic, partition=0):
    """The number of the broker that leads the partition. A broker may not have
    heard of it yet."""
    admin = AdminClient({"bootstrap.servers": address})
    end = time.monotonic() + 90
    while True:
        seen = admin.list_topics(topic, timeout=60).topics[topic].partitions
        if partition in seen and seen[partition].leader >= 0:
            return seen[partition].leader
        assert time.monotonic() < end, f"{topic}/{partition} has no leader"
        time.sleep(0.05)


def delete_topic(address, topic):
    """Asks for it; the broker takes its time."""
    admin = AdminClient({"bootstrap.servers": address})
    admin.delete_topics([topic])[topic].result(90)


def delete_records(address, topic, partition, before):
    """Moves the partition's low watermark to the offset `before`."""
    admin = AdminClient({"bootstrap.servers": address})
    wanted = TopicPartition(topic, partition, before)
    result_of(lambda: admin.delete_records([wanted])[wanted])


def produce(address, topic, messages, config=None):
    """Sends each (partition, key, value[, timestamp_ms[, headers]]) and waits
    for the acknowledgements; [(partition, offset)] in the order sent, which is
    that of a partition's offsets too: with one request at a time none overtakes
    one that has to be repeated, as it may to a topic that was just made."""
    places = [None] * len(messages)
    failed = []

    def acked(i):
        def done(error, m):
            if error:
                failed.append(error)
            else:
                places[i] = (m.partition(), m.offset())
        return done

    p = Producer({"bootstrap.servers": address, "linger.ms": 5,
                  "max.in.flight.requests.per.connection": 1,
                  **(config or {})})
    for i, m in enumerate(messages):
        partition, key, value = m[:3]
        extra = {}
        if len(m) > 3 and m[3] is not None:
            extra["timestamp"] = m[3]
        if len(m) > 4:
            extra["headers"] = m[4]
        while True:
            try:
                p.produce(topic, value=value, key=key, partition=partition,
                          on_delivery=acked(i), **extra)
                break
            except BufferError:
                p.poll(0.1)
        p.poll(0)
    assert p.flush(120) == 0 and not failed, f"not all produced: {failed[:1]}"
    return places


def produce_json(address, topic, count, partitions=1, first_id=0,
                 time_ms=1_767_225_600_000, step_ms=1000, extra=None):
    """Sends `count` JSON messages {"id", "time", ...}, round robin over the
    partitions, one every step_ms from time_ms (2026-01-01 UTC) on. Returns
    their ids."""
    ids = list(range(first_id, first_id + count))
    messages = []
    for n, i in enumerate(ids):
        at = time_ms + n * step_ms
        value = {"id": i, "time": at, **(extra(i) if extra else {})}
        messages.append((i % partitions, str(i).encode(),
                         json.dumps(value).encode(), at))
    produce(address, topic, messages)
    return ids


class Transactions:
    """A transactional producer for partition 0 of a topic, one of several when
    it has a name."""

    def __init__(self, address, topic, name="tx", config=None):
        self.address, self.topic = address, topic
        self.producer = Producer({"bootstrap.servers": address,
                                  "transactional.id": f"{name}-{topic}",
                                  "transaction.timeout.ms": 600_000,
                                  **(config or {})})
        self.producer.init_transactions(90)

    def begin(self, ids):
        """A transaction with messages {"id", "time"}, left open."""
        self.producer.begin_transaction()
        self.send(ids)

    def send(self, ids):
        """More messages of the open one."""
        for i in ids:
            value = {"id": i, "time": 1_767_225_600_000 + i * 1000}
            self.producer.produce(self.topic, json.dumps(value).encode(),
                                  partition=0)
        assert self.producer.flush(90) == 0

    def end(self, commit, last=True):
        """Ends it. `last`: waits for its marker; no other one may be open."""
        if commit:
            self.producer.commit_transaction(90)
        else:
            self.producer.abort_transaction(90)
        if last:
            self.wait_ended()

    def wait_ended(self):
        """Waits until none is open: brokers write markers after they have
        answered the producer."""
        stop = time.monotonic() + 120
        while watermarks(self.address, self.topic) != watermarks(
                self.address, self.topic, isolation="read_uncommitted"):
            assert time.monotonic() < stop, f"{self.topic}: no marker"
            time.sleep(0.05)

    def run(self, ids, commit):
        self.begin(ids)
        self.end(commit)


def _text(value):
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def _ask(address, key, version, body):
    """One request of the Kafka protocol; the answer behind its head."""
    host, port = address.split(",")[0].rsplit(":", 1)
    head = struct.pack(">hhi", key, version, 1) + _text("tests")
    with socket.create_connection((host, int(port)), timeout=60) as s:
        s.sendall(struct.pack(">i", len(head + body)) + head + body)
        with s.makefile("rb") as f:
            size, = struct.unpack(">i", f.read(4))
            return f.read(size)[4:]


def _read_offsets(answer, topic):
    """(error, {partition: (offset, metadata)}) of an answer to OffsetFetch."""
    at = 4 + 2 + len(topic.encode())
    count, = struct.unpack_from(">i", answer, at)
    at += 4
    found = {}
    for _ in range(count):
        p, offset, size = struct.unpack_from(">iqh", answer, at)
        at += 14
        metadata = answer[at:at + max(size, 0)].decode("latin-1")
        at += max(size, 0)
        error, = struct.unpack_from(">h", answer, at)
        at += 2
        if error:
            return error, {}
        found[p] = (offset, metadata)
    return 0, found


def coordinator(address, group):
    """host:port of the group's coordinator, as the first broker that answers
    knows it; asking makes one. None while there is none."""
    for one in address.split(","):
        try:
            answer = _ask(one, 10, 0, _text(group))
        except OSError:
            continue
        error, _, size = struct.unpack_from(">hih", answer)
        port, = struct.unpack_from(">i", answer, 8 + size)
        return None if error else f"{answer[8:8 + size].decode()}:{port}"
    return None


def fetch_offsets(address, group, topic, partitions):
    """{partition: (offset, metadata)} of the group, offset -1 without one.

    OffsetFetch by hand: confluent_kafka takes metadata for NUL-terminated,
    which they are not, and reads behind their end. Of several brokers the
    coordinator is looked for; a single one must answer.
    """
    asked = address.split(",")[0]
    body = (_text(group) + struct.pack(">i", 1) + _text(topic)
            + struct.pack(f">i{len(partitions)}i", len(partitions),
                          *partitions))
    end = time.monotonic() + 90
    while True:
        try:
            error, found = _read_offsets(_ask(asked, 9, 1, body), topic)
        except (OSError, struct.error):
            if "," not in address or time.monotonic() > end:
                raise
            error, found = 16, {}
        if not error:
            return found
        if error not in (14, 15, 16) or time.monotonic() > end:
            raise KafkaException(KafkaError(error))
        asked = coordinator(address, group) or asked
        time.sleep(0.05)


def committed(address, group, topic, partition=0):
    """(offset, metadata) of the group's record; (None, None) without one."""
    offset, metadata = fetch_offsets(address, group, topic,
                                     [partition])[partition]
    return (None, None) if offset < 0 else (offset, metadata)


def commit(address, group, topic, partition, offset, metadata=""):
    """Commits from outside the group; the group must have no member.

    OffsetCommit by hand: confluent_kafka commits metadata with a NUL behind
    them, so no record of secor's can be made with it.
    """
    body = (_text(group) + struct.pack(">i", -1) + _text("")
            + struct.pack(">qi", -1, 1) + _text(topic)
            + struct.pack(">iiq", 1, partition, offset) + _text(metadata))
    end = time.monotonic() + 90
    while True:
        answer = _ask(address, 8, 2, body)
        error, = struct.unpack(">h", answer[-2:])
        if not error:
            return
        if error not in (14, 15, 16) or time.monotonic() > end:
            raise KafkaException(KafkaError(error))
        _ask(address, 10, 0, _text(group))
        time.sleep(0.05)


def bury(address, group):
    """Takes the members of a group out of it, whose processes are dead: the
    next one need not wait until their session ends."""
    admin = AdminClient({"bootstrap.servers": address})
    end = time.monotonic() + 90
    while True:
        found = result_of(
            lambda: admin.describe_consumer_groups([group])[group])
        if not found.members:
            return
        assert time.monotonic() < end, f"{group} has {found.members}"
        for m in found.members:
            _ask(address, 13, 0, _text(group) + _text(m.member_id))


def watermarks(address, topic, partition=0, isolation="read_committed"):
    """(low, high) of the partition; high is its last stable offset, or the high
    watermark for "read_uncommitted"."""
    c = _consumer(address, "watermarks", {"isolation.level": isolation})
    try:
        return c.get_watermark_offsets(TopicPartition(topic, partition),
                                       timeout=60)
    finally:
        c.close()


def wait_committed(address, group, topic, ends, timeout=90, clean=True):
    """Waits until the record of partition p is at least ends[p], and clean (no
    open plan). `ends` is a dict or, for all partitions, a list."""
    ends = dict(enumerate(ends)) if not isinstance(ends, dict) else ends
    stop = time.monotonic() + timeout
    while True:
        got = fetch_offsets(address, group, topic, list(ends))
        if all(offset >= ends[p] and
               not (clean and " plan " in f" {metadata} ")
               for p, (offset, metadata) in got.items()):
            return
        if time.monotonic() > stop:
            raise AssertionError(
                f"{group}: not at {ends} within {timeout} s: {got}")
        time.sleep(0.1)


def read_to_end(address, topic, begin=0, config=None):
    """The messages of partition 0 from this offset on, until the broker says
    that there are no more: any other error passes."""
    c = _consumer(address, "to-end", {"enable.partition.eof": True,
                                      **(config or {})})
    try:
        c.assign([TopicPartition(topic, 0, begin)])
        while True:
            m = c.poll(60)
            assert m is not None, f"{topic} cannot be read"
            if not m.error():
                yield m
            elif m.error().code() == KafkaError._PARTITION_EOF:
                return
    finally:
        c.close()


def read_all(address, topic, ends):
    """[(partition, offset, value)] of all messages before ends[partition]."""
    found, left = [], {p: e for p, e in ends.items() if e > 0}
    c = _consumer(address, "reader")
    try:
        c.assign([TopicPartition(topic, p, 0) for p in left])
        stop = time.monotonic() + 120
        while left:
            assert time.monotonic() < stop, f"{topic} cannot be read: {left}"
            for m in c.consume(1000, 0.2):
                if m.error():
                    continue
                p = m.partition()
                if m.offset() < ends[p]:
                    found.append((p, m.offset(), m.value()))
                if m.offset() + 1 >= ends[p]:
                    left.pop(p, None)
    finally:
        c.close()
    return found
