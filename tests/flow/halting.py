"""What the tests of halts share: one partition, its halt, its next owner."""

import re
import struct
import time

import kafka as clients
import proof
from confluent_kafka.admin import AdminClient
from flow import local_store, settings, verify, wait_done
from secor import secor_command
from servers import RigError, wait_until


class Case:
    """A topic of one partition, a local store, a process that was not
    started, and the ids that were produced."""

    def __init__(self, address, group, topic, secor, folder, **config):
        self.address, self.group, self.topic = address, group, topic
        store, self.tree = local_store(folder / "data")
        config = {"batch": {"max_age": "300ms"}, **config}
        self.config = settings(address, group, topic, store, **config)
        self.config["kafka"]["session_timeout"] = config.get(
            "kafka", {}).get("session_timeout", "2s")
        self.process = secor(self.config)
        self.ids = []

    def produce(self, count, **more):
        self.ids += clients.produce_json(
            self.address, self.topic, count, first_id=len(self.ids),
            time_ms=1_767_225_600_000 + len(self.ids) * 1000, **more)

    def start(self, *args, **more):
        self.process.start(*args, **more)
        return self.process

    def start_at(self, step):
        """Runs until the process stops itself at the step."""
        self.start(env={"SECOR_STOP_AT": step})
        self.process.wait_stopped(step)

    def kill9(self):
        """The group is told of it: others do not wait for the session."""
        self.process.kill9()
        clients.bury(self.address, self.group)

    def stop(self):
        code = self.process.stop()
        assert code == 0, self.process.text()

    def wait_done(self):
        wait_done(self.address, self.group, self.topic, 1)

    def run_to_the_end(self, *args):
        self.start(*args)
        self.process.wait_for("consumption begins")
        self.wait_done()
        self.stop()

    def record(self):
        return clients.committed(self.address, self.group, self.topic)

    def halted(self, reason, timeout=90):
        """Waits for the halt; what it says about it."""
        found = self.process.wait_for(
            rf"^error \S+ partition halted topic={re.escape(self.topic)} "
            r"partition=0 offset=\S+ reason=(\S+) what=(.*)$", timeout)
        assert found[1] == reason, found[0]
        remedy = self.process.wait_for(
            r"^error \S+ partition halted: remedy .* remedy=\"(.*)\"")[1]
        for command in ("adopt", "resolve"):
            if f"secor offsets {command}" in remedy:
                assert (f"secor offsets {command} {self.process.config} "
                        f"{self.topic} 0") in remedy
        return found[2]

    def next_owner_halts(self, reason):
        """Whoever comes next sees the same halt, and stores nothing."""
        before = self.tree.keys()
        self.stop()
        self.start()
        self.halted(reason)
        self.stop()
        assert self.tree.keys() == before

    def offsets(self, verb, *how):
        """`secor offsets adopt|resolve ... --yes`; what it said."""
        done = secor_command("offsets", verb, self.process.config, self.topic,
                             "0", *how, cwd=self.process.dir)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def gaps(self):
        """[(start, end)] of the gap manifests."""
        return [(start, m["end"]) for start, m in
                proof.manifests(self.tree, self.topic).get(0, [])
                if m["cut"] == "gap"]

    def exactly_once(self, ids=None):
        proof.assert_exactly_once(self.ids if ids is None else ids, self.tree)

    def verify(self):
        verify(self.process)


def wait_empty(address, group, timeout=90):
    """Waits until the group has no member."""
    admin = AdminClient({"bootstrap.servers": address})
    end = time.monotonic() + timeout
    while True:
        state = clients.result_of(
            lambda: admin.describe_consumer_groups([group])[group]).state
        if state.name in ("EMPTY", "DEAD"):
            return admin
        if time.monotonic() > end:
            raise RigError(f"{group} is {state.name} after {timeout} s")
        time.sleep(0.1)


def delete_group(address, group):
    admin = wait_empty(address, group)  # lives until the result is there
    admin.delete_consumer_groups([group])[group].result(60)


def delete_topic(address, topic):
    admin = AdminClient({"bootstrap.servers": address})
    admin.delete_topics([topic])[topic].result(60)
    end = time.monotonic() + 90
    while topic in admin.list_topics(timeout=60).topics:
        assert time.monotonic() < end, f"{topic} does not go away"
        time.sleep(0.05)


def create_again(address, topic, partitions=1):
    delete_topic(address, topic)
    clients.create_topic(address, topic, partitions)


# ---- commits by hand: confluent_kafka adds a NUL to the metadata ----

def _place(topic, offset, metadata):
    """One topic, its partition 0, an offset."""
    return (struct.pack(">i", 1) + clients._text(topic)
            + struct.pack(">iiq", 1, 0, offset) + clients._text(metadata))


def _error(answer, at):
    error, = struct.unpack_from(">h", answer, at)
    if error:
        raise RigError(f"Kafka's error {error}")


def commit_record(address, group, topic, offset, metadata):
    """Commits exactly this for partition 0; the group must have no member."""
    wait_empty(address, group)
    answer = clients._ask(
        address, 8, 2, clients._text(group) + struct.pack(">i", -1)
        + clients._text("") + struct.pack(">q", -1)
        + _place(topic, offset, metadata))
    _error(answer, len(answer) - 2)


def commit_in_transaction(address, group, topic, offset, metadata=""):
    """Commits as a transactional producer does that says nothing of the
    group's generation: Kafka takes it although the group has members. Waits
    until it counts: brokers write markers after they have answered."""
    text = clients._text(f"{group}-stranger")

    def ask(key, body, at, version=0):
        end = time.monotonic() + 90
        while True:  # the coordinator may be busy or loading
            answer = clients._ask(address, key, version, body)
            try:
                _error(answer, at if at >= 0 else len(answer) + at)
                return answer
            except RigError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)

    ask(10, text + b"\1", 4, version=1)  # makes the coordinator's topic
    answer = ask(22, text + struct.pack(">i", 60000), 4)
    producer = answer[6:16]  # id and epoch
    ask(25, text + producer + clients._text(group), 4)
    ask(28, text + clients._text(group) + producer
        + _place(topic, offset, metadata), -2)
    ask(26, text + producer + b"\1", 4)
    wait_until("the commit counts", lambda: clients.committed(
        address, group, topic) == (offset, metadata), 90)
