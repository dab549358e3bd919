"""When a batch ends, what its manifest says, and how the service stops."""

import json
import signal
import time

import kafka as clients
import proof
import pytest
from flow import local_store, settings, skewed, verify, wait_done
from proxy import TcpProxy
from test_stores import crc32c
from watch import wait_metric

TIME = 1_767_225_600_000
SLACK = 45  # for a machine that is busy; what is measured is an end in time


def message(i, minutes=0):
    return json.dumps({"id": i, "time": TIME + minutes * 60000,
                       "pad": "x" * 200}).encode()


def send(kafka, name, ids, minutes=lambda i: 0):
    clients.produce(kafka.address, name,
                    [(0, None, message(i, minutes(i))) for i in ids])


def batches(tree, name, partition=0):
    """[(start, manifest)] in order."""
    return proof.manifests(tree, name).get(partition, [])


def cuts(tree, name):
    return [m["cut"] for _, m in batches(tree, name)]


def assert_manifests_are_true(tree, name):
    """Ranges join, each names the one before, and what it says of its objects
    is so, by our own CRC32C."""
    end, chain = None, None
    for start, m in batches(tree, name):
        assert m["start"] == start and m["end"] > start
        assert end is None or (start, m["previous"]) == (end, chain)
        end, chain = m["end"], m["chain"]
        good = sum(o["records"] for o in m["objects"]
                   if not o.get("dead_letter"))
        assert good + m["bad"] + m["filtered"] == m["messages"]
        keys = [o["key"] for o in m["objects"]]
        assert keys == sorted(keys, key=str.encode) and keys
        for o in m["objects"]:
            data = tree.get(o["key"])
            assert len(data) == o["bytes"]
            assert "%08x" % crc32c(data) == o["crc32c"]
            assert start <= o["first_offset"] <= o["last_offset"] < end
    listed = {o["key"] for _, m in batches(tree, name) for o in m["objects"]}
    assert listed == set(proof.object_keys(tree) + proof.dead_letter_keys(tree))


LIMITS = {
    "size": ({"max_bytes": "100KiB"}, lambda m: sum(
        o["bytes"] for o in m["objects"]) >= 100 << 10),
    "objects": ({"max_objects": 20}, lambda m: len(m["objects"]) >= 20),
    "messages": ({"max_messages": 500}, lambda m: m["messages"] >= 500),
}


def test_batches_end_at_their_limits(kafka, topic, group, secor, tmp_path):
    """Each limit by itself: batches reach it, and are not much larger (limits
    are looked at when an array of up to 1,000 messages was taken in)."""
    name = topic()
    send(kafka, name, range(6000), lambda i: i // 30)
    for n in range(3):  # bad ones count as messages
        clients.produce(kafka.address, name, [(0, None, b"bad")])
    running = {}
    for reason, (limit, _) in LIMITS.items():
        store, tree = local_store(tmp_path / f"data-{reason}")
        process = secor(settings(
            kafka.address, f"{group}-{reason}", name, store,
            partitioner={"use": "date", "granularity": "minute"},
            kafka={"session_timeout": "30s"},
            batch={"max_age": "10s", **limit}), name=reason)
        running[reason] = (process.start(), tree)
    for reason, (process, tree) in running.items():
        wait_done(kafka.address, f"{group}-{reason}", name, 1)
        assert process.stop() == 0
        proof.assert_exactly_once(range(6000), tree)
        found = batches(tree, name)
        assert len(found) >= 3, reason
        assert all(m["messages"] <= 2000 for _, m in found), reason
        by_limit = [m for _, m in found if m["cut"] == reason]
        assert len(by_limit) >= len(found) - 1
        assert all(LIMITS[reason][1](m) for m in by_limit), reason
        assert_manifests_are_true(tree, name)
        verify(process)


def test_age_counts_from_the_oldest_or_the_youngest_file(
        kafka, topic, group, secor, tmp_path):
    """New files come for twice the age: `oldest` ends in between, `youngest`
    when it has been quiet."""
    name = topic()
    found = {}
    for age_of in ("oldest", "youngest"):
        store, tree = local_store(tmp_path / f"data-{age_of}")
        process = secor(settings(
            kafka.address, f"{group}-{age_of}", name, store,
            batch={"max_age": "3s", "age_of": age_of}), name=age_of)
        found[age_of] = (process.start(), tree)
    for process, _ in found.values():
        process.wait_for("consumption begins")
    sent = []
    for i in range(12):
        send(kafka, name, [i], lambda i: i * 60)
        sent.append(time.monotonic())
        time.sleep(0.4)
    # where the machine held us up, it may have been quiet
    pauses = sum(b - a > 1.5 for a, b in zip(sent, sent[1:]))
    for age_of, (process, tree) in found.items():
        wait_done(kafka.address, f"{group}-{age_of}", name, 1)
        proof.assert_exactly_once(range(12), tree)
        assert set(cuts(tree, name)) == {"age"}
        assert process.stop() == 0
    assert len(batches(found["youngest"][1], name)) <= 1 + pauses
    assert len(batches(found["oldest"][1], name)) > 1


@pytest.mark.parametrize("on_stop", ["drop", "finish"])
def test_stop_drops_or_finishes_what_is_open(
        on_stop, kafka, topic, group, secor, tmp_path):
    name = topic()
    send(kafka, name, range(100))
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store,
        batch={"max_age": "1h", "on_stop": on_stop}))
    process.start()
    wait_metric(process, "secor_messages_total", 100)
    assert process.stop() == 0
    if on_stop == "drop":
        assert tree.keys() == []
        assert clients.committed(kafka.address, group, name)[0] == 0
        process.reconfigure(settings(kafka.address, group, name, store))
        process.start()
        wait_done(kafka.address, group, name, 1)
        assert process.stop() == 0
    proof.assert_exactly_once(range(100), tree)
    assert set(cuts(tree, name)) == {"age" if on_stop == "drop" else "stop"}
    verify(process)


@pytest.fixture
def stalled(rgw, bucket):
    """A bucket behind a way that can stall."""
    way = TcpProxy(rgw.port)
    tree = bucket(rgw)
    yield way, tree, {
        "use": "s3", "bucket": tree.bucket, "region": rgw.region,
        "endpoint": f"http://127.0.0.1:{way.port}",
        "access_key": rgw.access_key, "secret_key": rgw.secret_key}
    way.close()


def stop_in_a_put(process, kafka, name, way):
    process.start()
    process.wait_for("consumption begins")
    way.stall()
    send(kafka, name, range(100))
    process.wait_for("batch cut")
    time.sleep(0.5)


def test_stop_ends_in_time_though_the_store_hangs(
        kafka, topic, group, secor, stalled):
    """What was planned is repeated by the next start."""
    way, tree, store = stalled
    name = topic()
    process = secor(settings(kafka.address, group, name, store,
                             engine={"stop_timeout": "3s"}))
    stop_in_a_put(process, kafka, name, way)
    begun = time.monotonic()
    process.stop()
    assert time.monotonic() - begun < 3 + SLACK
    way.go_on()
    process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(range(100), tree)
    verify(process)


def test_a_long_stop_drops_nothing_that_is_counted_as_stored(
        kafka, topic, group, secor, stalled):
    """One partition's put hangs, so the stop takes longer than a batch's age;
    what the other one collected is dropped, and messages still come. Its end
    must not be taken for one with nothing in between."""
    way, tree, store = stalled
    name, ids = topic(partitions=2), iter(range(100000))

    def come(partition, count):
        clients.produce(kafka.address, name, [
            (partition, None, message(next(ids))) for _ in range(count)])
    process = secor(settings(kafka.address, group, name, store,
                             batch={"max_age": "2s"},
                             engine={"stop_timeout": "30s"},
                             kafka={"properties": {"fetch.wait.max.ms": 5}}))
    process.start()
    process.wait_for("consumption begins")
    way.stall()
    come(0, 10)
    process.wait_for("batch cut .*partition=0")
    for _ in range(10):  # it sees the end of the log behind some of them
        come(1, 1)
    wait_metric(process, "secor_messages_total", 20)
    process.process.send(signal.SIGTERM)
    process.wait_for("stopping")
    until = time.monotonic() + 3.5
    while time.monotonic() < until:
        come(1, 1)
    way.go_on()
    assert process.wait(60) == 0
    process.start()
    wait_done(kafka.address, group, name, 2)
    assert process.stop() == 0
    proof.assert_exactly_once(range(next(ids)), tree)
    verify(process)


def test_second_signal_ends_at_once(kafka, topic, group, secor, stalled):
    way, tree, store = stalled
    name = topic()
    process = secor(settings(kafka.address, group, name, store,
                             engine={"stop_timeout": "300s"}))
    stop_in_a_put(process, kafka, name, way)
    process.process.send(signal.SIGTERM)
    process.wait_for("stopping")
    begun = time.monotonic()
    process.stop(signal.SIGINT)
    assert time.monotonic() - begun < SLACK
    way.go_on()
    process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(range(100), tree)


def test_minute_marks_cut_once_a_mark(
        kafka, topic, group, secor, tmp_path):
    """Within a second or two of each full minute, and never in between. The
    process's clock stands at 50 seconds when it starts."""
    name, skew = topic(), 50 - time.time() % 60
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store,
        batch={"max_age": "1h", "at_minutes": list(range(60)),
               "on_stop": "finish"}), env=skewed(tmp_path, skew))
    ids = iter(range(100000))

    def minute():
        return int((time.time() + skew) // 60)

    def marks():
        return [m["written_ms"] for _, m in batches(tree, name)
                if m["cut"] == "minute"]
    process.start()
    send(kafka, name, [next(ids)])
    wait_metric(process, "secor_messages_total", 1)
    first, end = minute(), time.monotonic() + 150
    while first + 1 not in [ms // 60000 for ms in marks()]:
        assert time.monotonic() < end, marks()
        send(kafka, name, [next(ids)])
        time.sleep(0.3)
    for _ in range(10):
        send(kafka, name, [next(ids)])
        time.sleep(0.3)
    sent, last = next(ids), minute()
    wait_metric(process, "secor_messages_total", sent)
    assert process.stop() == 0
    proof.assert_exactly_once(range(sent), tree)
    assert {m["cut"] for _, m in batches(tree, name)[:-1]} == {"minute"}
    minutes = [ms // 60000 for ms in marks()]
    assert len(minutes) == len(set(minutes)), "a mark cut twice"
    assert set(minutes) - {first, last} == set(range(first + 1, last)) or \
        last == first + 1
    assert all(ms % 60000 < 30000 for ms in marks()
               if ms // 60000 > first)
    verify(process)


def test_quiet_topic_with_a_mistyped_field_halts(
        kafka, topic, group, secor, tmp_path):
    """Too few messages for the running count: the batch is looked at whole."""
    name = topic()
    clients.produce_json(kafka.address, name, 30)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store,
        parser={"use": "json", "time_field": "tmie"})).start()
    process.wait_for("partition halted .*reason=bad-messages")
    assert process.stop() == 0
    assert tree.keys() == []
