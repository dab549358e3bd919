"""Which topics and partitions are read, and from where: patterns, exclusion,
the first start, what appears later, transactions."""

import json
import time

import kafka as clients
import proof
import pytest
from confluent_kafka.admin import AdminClient, NewPartitions
from flow import local_store, settings, verify, wait_done

QUICK = {"topic.metadata.refresh.interval.ms": 500}


def topic_settings(broker, group, topics, store, **more):
    config = settings(broker.address, group, topics, store, **more)
    config["kafka"]["topics"] = topics if isinstance(topics, list) \
        else [topics]
    config["kafka"]["properties"] = QUICK
    return config


def add_partitions(address, topic, count):
    admin = AdminClient({"bootstrap.servers": address})
    admin.create_partitions([NewPartitions(topic, count)])[topic].result(30)
    end = time.monotonic() + 90
    while len(admin.list_topics(topic).topics[topic].partitions) != count:
        assert time.monotonic() < end
        time.sleep(0.05)


def produce_to(address, topic, first_id, partitions, each=50):
    """`each` messages to each of these partitions; their ids."""
    ids = []
    for p in partitions:
        messages = []
        for _ in range(each):
            ids.append(first_id + len(ids))
            value = {"id": ids[-1], "time": 1_767_225_600_000 + ids[-1] * 1000}
            messages.append((p, None, json.dumps(value).encode(),
                             value["time"]))
        produce_to_new(address, topic, messages)
    return ids


def produce_to_new(address, topic, messages):
    """Messages of one partition. A client that does not see it yet has sent
    none of them."""
    while True:
        try:
            clients.produce(address, topic, messages)
            return
        except AssertionError as e:
            if "_UNKNOWN_PARTITION" not in str(e):
                raise
            time.sleep(0.1)


def wait_reading(process, group, kafka, topic, partitions):
    """Waits until each partition has a committed record."""
    clients.wait_committed(kafka.address, group, topic, [0] * partitions)


def test_what_appears_later_begins_at_its_beginning(
        kafka, topic, group, secor, tmp_path):
    """`start: latest` is for the first start alone, and for all partitions that
    were there; a topic or a partition that appears then is read whole, though
    its messages were there before it was seen."""
    store, tree = local_store(tmp_path / "data")
    first = topic(8, name=f"{group}-first")
    also = topic(2, name=f"{group}-also")
    left_out = topic(1, name=f"{group}-tmp-x")
    address = kafka.address
    produce_to(address, first, 10000, range(8))
    produce_to(address, also, 20000, range(2))
    produce_to(address, left_out, 30000, [0])
    process = secor(topic_settings(
        kafka, group, f"^{group}-", store,
        kafka={"start": "latest", "exclude": [f"^{group}-tmp"],
               "session_timeout": "30s"}))
    process.start()
    wait_reading(process, group, kafka, first, 8)
    wait_reading(process, group, kafka, also, 2)
    ids = produce_to(address, first, 0, range(8))
    ids += produce_to(address, also, len(ids), range(2))
    wait_done(address, group, first, 8)
    topic(2, name=f"{group}-later")
    ids += produce_to(address, f"{group}-later", len(ids), range(2))
    add_partitions(address, first, 10)
    ids += produce_to(address, first, len(ids), [8, 9, 0])
    topic(1, name=f"{group}-tmp-y")
    produce_to(address, f"{group}-tmp-y", 40000, [0])
    wait_done(address, group, f"{group}-later", 2)
    wait_done(address, group, first, 10)
    wait_done(address, group, also, 2)
    assert process.stop() == 0
    # the group has a past now: also a topic that came while it was away
    topic(1, name=f"{group}-away")
    ids += produce_to(address, f"{group}-away", len(ids), [0])
    process.start()
    wait_done(address, group, f"{group}-away", 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    assert clients.committed(address, group, left_out) == (None, None)
    verify(process)


def test_start_earliest_reads_all(kafka, topic, group, secor, tmp_path):
    store, tree = local_store(tmp_path / "data")
    names = [topic(2), topic(1)]
    ids = produce_to(kafka.address, names[0], 0, range(2))
    ids += produce_to(kafka.address, names[1], len(ids), [0])
    process = secor(topic_settings(kafka, group, names, store))
    process.start()
    wait_done(kafka.address, group, names[0], 2)
    wait_done(kafka.address, group, names[1], 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


@pytest.mark.parametrize("last", ["committed", "aborted"])
def test_aborted_messages_are_never_stored(
        last, kafka, topic, group, secor, tmp_path):
    """The log ends in a transaction's marker, or in aborted messages: the end
    is committed clean all the same. Then it goes on behind them."""
    store, tree = local_store(tmp_path / "data")
    name = topic()
    process = secor(topic_settings(kafka, group, name, store))
    tx = clients.Transactions(kafka.address, name)
    tx.run(range(0, 50), False)
    tx.run(range(50, 150), True)
    tx.run(range(150, 200), False)
    if last == "committed":
        tx.run(range(200, 250), True)
    process.start()
    wait_done(kafka.address, group, name, 1)
    high = clients.watermarks(kafka.address, name)[1]
    assert clients.committed(kafka.address, group, name)[0] == high
    tx.run(range(250, 300), last != "committed")
    tx.run(range(300, 350), True)
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    ids = [*range(50, 150), *range(300, 350)]
    ids += range(200, 250) if last == "committed" else range(250, 300)
    proof.assert_exactly_once(ids, tree)
    verify(process)


@pytest.mark.librdkafka
def test_replay_over_aborted_messages_ends_at_the_plan(
        kafka, topic, group, secor, tmp_path):
    """Killed with a plan whose end lies before aborted messages."""
    store, tree = local_store(tmp_path / "data")
    name = topic()
    tx = clients.Transactions(kafka.address, name)
    tx.run(range(0, 50), False)
    tx.run(range(50, 100), True)
    tx.run(range(100, 150), False)
    process = secor(topic_settings(kafka, group, name, store))
    process.start(env={"SECOR_STOP_AT": "put-done"})
    process.wait_stopped()
    process.kill9()
    tx.run(range(150, 200), True)
    process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once([*range(50, 100), *range(150, 200)], tree)
    verify(process)


def test_open_transaction_is_waited_for(
        kafka, topic, group, secor, tmp_path):
    """Behind the first message of an open transaction nothing is stored, also
    not what others have written since; when it ends, all of it."""
    store, tree = local_store(tmp_path / "data")
    name = topic()
    tx = clients.Transactions(kafka.address, name)
    tx.run(range(0, 50), True)
    tx.begin(range(50, 60))
    ids = produce_to(kafka.address, name, 60, [0])
    process = secor(topic_settings(kafka, group, name, store))
    process.start()
    clients.wait_committed(kafka.address, group, name, [51])
    time.sleep(2)  # twice the time that a batch or an idle end would take
    assert clients.committed(kafka.address, group, name)[0] == 51
    proof.assert_exactly_once(range(50), tree)
    tx.end(True)
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once([*range(60), *ids], tree)
    verify(process)
