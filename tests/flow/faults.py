"""A tree that the service left, to plant faults in: three formats, dead
letters, transactions with aborted ones, and a compacted topic."""

import json
import time

import kafka as clients
import proof
from secor import Secor, base_config, secor_command
from servers import Kafka

TEXT, GZIP, SEQ = "faults-text", "faults-gzip", "faults-seq"
TX, COMPACT, LATE = "faults-tx", "faults-compact", "faults-late"
GROUP = "faults"
PER_BATCH = 40
GENERATION = 3


def stored_offsets(address, topic):
    """Offsets of the committed messages, by a client of its own."""
    low, high = clients.watermarks(address, topic)
    found = [m.offset() for m in clients.read_to_end(
        address, topic, low, {"isolation.level": "read_committed"})]
    return found, high


def fill_compacted(address):
    """100 messages of 10 keys, compacted before anybody reads them."""
    clients.create_topic(address, COMPACT, 1, {
        "cleanup.policy": "compact", "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001"})
    rows = [(0, str(i % 10).encode(), json.dumps(
        {"id": i, "time": 1_767_225_600_000 + i}).encode())
        for i in range(100)]
    clients.produce(address, COMPACT, rows)
    end = time.monotonic() + 120
    while len(stored_offsets(address, COMPACT)[0]) >= 90:
        assert time.monotonic() < end, "it is not compacted"
        time.sleep(0.2)
        clients.produce(address, COMPACT, rows[-1:])
    # nor is there anything left to compact: each key once, and the last record
    # where the log still grows
    while len(stored_offsets(address, COMPACT)[0]) > 11:
        assert time.monotonic() < end, "it is not compacted to its end"
        time.sleep(0.1)


def produce_round(broker, tx, n):
    """One batch for each topic: an hour changes within it, so two objects,
    and bad messages, so a dead-letter object."""
    address = broker.address
    for topic in (TEXT, GZIP, SEQ, LATE):
        at = 1_767_225_600_000 + n * 7_200_000
        clients.produce_json(address, topic, PER_BATCH // 2, time_ms=at,
                             first_id=n * 100, step_ms=150_000)
        clients.produce(address, topic, [
            (0, b"key", b"bad one", at), (0, b"key", b"bad two", at)])
        clients.produce_json(address, topic, PER_BATCH // 2 - 2,
                             first_id=n * 100 + 50, step_ms=1000,
                             time_ms=at + 3_600_000)
    for i in (0, 1, 2):
        first = n * 100 + i * 25
        tx.run(range(first, first + 25), (n, i) != (1, 1))


def filled_tree(folder):
    """Gives (broker, folder): a config, and a store that a real run filled.
    Where batches are counted on, nothing but their number of messages ends
    them."""
    broker = Kafka({"log.cleaner.backoff.ms": 200}).start()
    topics = [TEXT, GZIP, SEQ, TX, COMPACT, LATE]
    service = Secor(folder, base_config(
        broker.address, GROUP, topics, layout={"generation": GENERATION},
        kafka={"compacted": "allow"}, format={"use": "text"},
        batch={"max_messages": PER_BATCH, "max_age": "1h"},
        bad_messages={"action": "dead_letter", "halt_above": "100%"},
        overrides=[
            {"match": "^faults-gzip$",
             "format": {"use": "text", "compression": "gzip"}},
            {"match": "^faults-(seq|late)$",
             "format": {"use": "sequencefile"}},
            {"match": "^faults-tx$", "format": {"use": "sequencefile"},
             "batch": {"max_messages": PER_BATCH, "max_age": "1s"}},
            {"match": "^faults-compact$",
             "batch": {"max_messages": PER_BATCH, "max_age": "1s"}}]))
    try:
        for topic in (TEXT, GZIP, SEQ, TX, LATE):
            clients.create_topic(broker.address, topic)
        fill_compacted(broker.address)
        tx = clients.Transactions(broker.address, TX)
        service.start()
        for n in range(3):
            produce_round(broker, tx, n)
            for topic in topics:
                high = clients.watermarks(broker.address, topic)[1]
                clients.wait_committed(
                    broker.address, GROUP, topic, [high])
        assert service.stop() == 0
        yield broker, folder
    finally:
        service.close()
        broker.close()


class Tree:
    """Such a folder, its own or a copy of it, by topics and batches."""

    def __init__(self, folder):
        self.config = folder / "secor.yaml"
        self.tree = proof.LocalTree(folder / "out")

    def path(self, key):
        return self.tree.root / key

    def manifest_key(self, topic, n):
        start = self.batch(topic, n)["start"]
        return f"_manifests/{topic}/0/{GENERATION}_{start:020}.json"

    def batches(self, topic):
        return [m for _, m in proof.manifests(self.tree, topic)[0]]

    def batch(self, topic, n):
        return self.batches(topic)[n]

    def data(self, topic, n, which=0):
        """An object of the n-th batch that is no dead letter."""
        return [o for o in self.batch(topic, n)["objects"]
                if not o.get("dead_letter")][which]

    def dead(self, topic):
        """(number of its batch, dead-letter object)."""
        return next((n, o) for n, m in enumerate(self.batches(topic))
                    for o in m["objects"] if o.get("dead_letter"))

    def edit(self, key, change):
        data = self.path(key).read_bytes()
        self.path(key).write_bytes(change(data))

    def edit_manifest(self, topic, n, change):
        key = self.manifest_key(topic, n)
        m = json.loads(self.tree.get(key))
        change(m)
        self.path(key).write_text(json.dumps(m))
        return key

    def verify(self, topic, *more):
        done = secor_command("verify", self.config, "--topic", topic, "--json",
                             *more)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        told = json.loads(done.stdout)
        assert done.returncode == (1 if told["findings"] else 0)
        assert told["ok"] == (not told["findings"])
        return told


def whole(c, topic, n):
    """The range of the n-th batch."""
    m = c.batch(topic, n)
    return m["start"], m["end"]


def flip(at):
    """A change of one bit of the byte at `at`, from the end when negative."""
    def change(data):
        data = bytearray(data)
        data[at if at >= 0 else len(data) + at] ^= 1
        return bytes(data)
    return change


def brief(found):
    return in_order((f["kind"], f["key"] or "", f["start"], f["end"])
                    for f in found)


def in_order(rows):
    return sorted(rows, key=str)
