"""How Kafka is read: from which brokers and topics, where reading begins, how
fast it goes, and as whom."""

import json
import re
import time

import kafka as clients
import proof
import pytest
from cluster import NODES, Cluster
from confluent_kafka import Consumer, TopicPartition
from flow import contents, local_store, settings, verify, wait_done
from secor import secor_command
from servers import free_ports
from watch import group_moves, metric, metrics, wait_metric

DAY_MS = 86_400_000
NOON_MS = 1_769_860_800_000  # 2026-01-31T12:00:00Z


def produce_at(address, topic, first_id, times, partition=0, size=0):
    """One message for each of the times, as Kafka's timestamp; their ids."""
    ids = list(range(first_id, first_id + len(times)))
    clients.produce(address, topic, [
        (partition, None,
         json.dumps({"id": i, "time": 1_767_225_600_000 + i * 1000,
                     "pad": "x" * size}).encode(), at)
        for i, at in zip(ids, times)])
    return ids


def reading(kafka, group, topics, store, http=False, **keys):
    more = {"listen": f"127.0.0.1:{free_ports(1)[0]}"} if http else {}
    config = settings(kafka.address, group, "-", store, http=more,
                      batch={"max_age": "300ms"})
    config["kafka"].update(topics=topics, **keys)
    return config


def wait_clean(kafka, group, names):
    for n in names:
        wait_done(kafka.address, group, n, 1)


# ---- brokers, topics ----

@pytest.mark.deep
def test_exclude_wins_by_name_and_by_regex_over_a_dead_broker(
        kafka, topic, group, secor, tmp_path):
    """Also over a topic that is named; also for topics that appear later. And a
    dead broker before the others does not matter."""
    store, tree = local_store(tmp_path / "data")

    def make(names, first_id):
        made = [topic(name=f"{group}-{n}") for n in names]
        return [i for k, n in enumerate(made) for i in clients.produce_json(
            kafka.address, n, 20, first_id=first_id + 100 * k)]
    ids = make(["a", "b"], 0)
    make(["named", "tmp", "tmp-x", "byname"], 1000)
    dead = f"127.0.0.1:{free_ports(1)[0]}"
    process = secor(reading(
        kafka, group, [f"^{group}-[ab]", f"^{group}-tmp", f"{group}-named",
                       f"{group}-byname"], store,
        exclude=[f"^{group}-tmp.*", f"^{group}-nam", f"{group}-byname",
                 f"{group}-b2"],
        brokers=[dead, kafka.address],
        properties={"topic.metadata.refresh.interval.ms": 500}))
    process.start()
    wait_clean(kafka, group, [f"{group}-a", f"{group}-b"])
    make(["b2", "tmp-y"], 2000)
    ids += make(["a2"], 3000)
    wait_clean(kafka, group, [f"{group}-a2"])
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    for n in ["named", "byname", "tmp", "tmp-x", "b2", "tmp-y"]:
        assert clients.committed(kafka.address, group, f"{group}-{n}") \
            == (None, None)


# ---- where reading begins ----

def test_each_topic_begins_where_it_is_told(
        kafka, topic, group, secor, tmp_path):
    """By the base and by overrides, in one first start. That is over when the
    places are in the records: they hold for who is told others; and what comes
    later begins at its beginning."""
    store, tree = local_store(tmp_path / "data")
    now = int(time.time() * 1000)
    kinds = ["time", "ms", "ago", "future", "latest", "base"]
    names = {k: topic(name=f"{group}-{k}") for k in kinds}
    old = [NOON_MS - DAY_MS, NOON_MS - 1]
    kept = []
    for n, k in enumerate(kinds):
        first = 100 * n
        times = [now - 2 * DAY_MS, now - 60000] if k == "ago" \
            else [*old, NOON_MS, NOON_MS - 5]
        ids = produce_at(kafka.address, names[k], first, times)
        kept += {"ago": ids[1:], "base": ids, "time": ids[2:], "ms": ids[2:],
                 "future": [], "latest": []}[k]
    config = reading(
        kafka, group, [f"^{group}-"], store, session_timeout="30s",
        properties={"topic.metadata.refresh.interval.ms": 500})
    config["overrides"] = [
        {"match": f"-{k}$", "kafka": {"start": start}} for k, start in [
            ("time", "2026-01-31T13:00:00+01:00"), ("ms", NOON_MS),
            ("ago", "-1d"), ("future", "2099-01-01"), ("latest", "latest")]]
    process = secor(config)
    process.start()
    clients.wait_committed(kafka.address, group, names["base"], [4])
    for k in kinds:
        clients.wait_committed(kafka.address, group, names[k], [0])
    process.kill9()
    clients.bury(kafka.address, group)
    for one in config["overrides"]:
        one["kafka"]["start"] = "earliest"
    process.reconfigure(config)
    process.start()
    for n, k in enumerate(kinds):
        kept += produce_at(kafka.address, names[k], 100 * n + 50, old)
    late = topic(name=f"{group}-late-latest")
    kept += produce_at(kafka.address, late, 1000, old)
    wait_clean(kafka, group, [*names.values(), late])
    assert process.stop() == 0
    proof.assert_exactly_once(kept, tree)
    verify(process)


# ---- how fast it goes ----

def test_limit_holds_back_and_neither_group_nor_stop_wait_for_it(
        kafka, topic, group, secor, tmp_path):
    """Messages for minutes wait. A second process joins and both stop at once
    all the same; without the limit all is stored, each once."""
    store, tree = local_store(tmp_path / "data")
    name = topic(2)
    began = time.monotonic()
    ids = clients.produce_json(kafka.address, name, 4000, 2)
    config = reading(kafka, group, [name], store, http=True,
                     max_messages_per_second=10)
    first, second = secor(config), secor(config, name="second")
    first.start()
    wait_metric(first, 'secor_throttled_seconds_total{by="messages"}', 1)
    wait_metric(first, 'secor_partitions_waiting{for="rate"}', 2)
    first.wait_for("^info .*rate limit holds back by=messages")
    assert metric(first, "secor_messages_total") \
        <= 10 * (time.monotonic() - began + 1)
    assert metric(first, 'secor_throttled_seconds_total{by="bytes"}') == 0
    second.start()
    second.wait_for("consumption begins")
    first.wait_for("partitions assigned count=1")
    wait_metric(second, "secor_messages_total", 1)
    for p in (first, second):
        assert p.stop() == 0
        assert "stop_timeout is over" not in p.text()
    del config["kafka"]["max_messages_per_second"]
    first.reconfigure(config)
    first.start()
    wait_done(kafka.address, group, name, 2)
    assert not [m for m in metrics(first) if "throttled" in m]
    assert first.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(first)


def test_limit_of_an_override_holds_its_topics_alone(
        kafka, topic, group, secor, tmp_path):
    """What waits is more than is held at once: the partition is paused, goes on
    and loses nothing. 27 MB against 4 MB/s: where they come at 8 MB/s or more,
    more of them wait than the 8 MiB that are held."""
    store, tree = local_store(tmp_path / "data")
    slow, fast = topic(name=f"{group}-slow"), topic(name=f"{group}-fast")
    ids = produce_at(kafka.address, slow, 0, [NOON_MS] * 300, size=90_000)
    config = reading(kafka, group, [slow, fast], store, http=True)
    config["overrides"] = [{"match": "-slow$",
                            "kafka": {"max_bytes_per_second": "4MB"}}]
    process = secor(config)
    process.start()
    wait_metric(process, 'secor_throttled_seconds_total{by="bytes"}', 0.01)
    ids += clients.produce_json(kafka.address, fast, 500, first_id=1000)
    wait_clean(kafka, group, [fast])
    wait_clean(kafka, group, [slow])
    assert metric(process, "secor_pauses_total") > 0
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(process)


# ---- as whom ----

def named(secor, kafka, group, name, store, instance, file):
    config = reading(kafka, group, [name], store, http=True,
                     instance_id="secor-${SECOR_TEST_NAME:-none}",
                     session_timeout="15s")
    return secor(config, {"SECOR_TEST_NAME": instance}, file)


def assert_fenced(process, instance):
    assert process.wait() == 2
    assert f"kafka.instance_id '{instance}' and goes on in place of this" \
        in process.text()


@pytest.mark.deep
@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_static_member_comes_back_without_a_rebalance(
        end, kafka, topic, group, secor, tmp_path):
    """Within the session timeout. A process that takes its name ends it; the other one
    of the group does not notice that either."""
    store, tree = local_store(tmp_path / "data")
    name = topic(4)
    one, two, other_two = [
        named(secor, kafka, group, name, store, instance, file)
        for instance, file in (("1", "one"), ("2", "two"), ("2", "other"))]
    for p in (one, two):
        p.start()
    for p in (one, two):
        p.wait_for("partitions assigned count=2")
    wait_metric(one, "secor_partitions_assigned", 2)
    ids = clients.produce_json(kafka.address, name, 400, 4)
    wait_done(kafka.address, group, name, 4)
    before = group_moves(one)
    getattr(two, end)()
    ids += clients.produce_json(kafka.address, name, 400, 4, 400)
    two.start()
    two.wait_for("partitions assigned count=2")
    wait_done(kafka.address, group, name, 4)
    other_two.start()
    other_two.wait_for("partitions assigned count=2")
    assert_fenced(two, "secor-2")
    ids += clients.produce_json(kafka.address, name, 400, 4, 800)
    wait_done(kafka.address, group, name, 4)
    assert group_moves(one) == before
    for p in (one, other_two):
        assert p.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(one)


@pytest.mark.deep
@pytest.mark.parametrize("step", [
    "sealed", "plan-sent", "plan-acked", "put-begin", "put-done",
    "manifest-done", "final-sent"])
def test_fenced_in_the_middle_of_a_batch_doubles_nothing(
        step, kafka, topic, group, secor, tmp_path):
    store, tree = local_store(tmp_path / "data")
    name = topic()
    first, second = [named(secor, kafka, group, name, store, "1", f)
                     for f in ("first", "second")]
    ids = clients.produce_json(kafka.address, name, 300)
    first.start(env={"SECOR_STOP_AT": step})
    first.wait_stopped()
    second.start()
    second.wait_for("consumption begins")
    wait_done(kafka.address, group, name, 1)
    ids += clients.produce_json(kafka.address, name, 300, first_id=300)
    wait_done(kafka.address, group, name, 1)
    before = contents(tree, name)
    first.cont()
    assert_fenced(first, "secor-1")
    assert contents(tree, name) == before
    assert second.running() and second.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(second)


@pytest.mark.deep
def test_rack_reads_from_the_replica_of_its_own(group, secor, tmp_path):
    """Three brokers in three places: nearly all bytes come from the one in the
    place that is named, though it does not lead."""
    store, tree = local_store(tmp_path / "data")
    with Cluster({"replica.selector.class": "org.apache.kafka.common.replica."
                  "RackAwareReplicaSelector"}) as cluster:
        name = clients.create_topic(cluster.address, "events", 1, copies=NODES)
        leader = clients.leader(cluster.address, name)
        rack = next(n for n in range(1, NODES + 1) if n != leader)
        ids = produce_at(cluster.address, name, 0, [NOON_MS] * 300, size=9000)
        config = reading(cluster, group, [name], store, rack=f"rack-{rack}",
                         brokers=[cluster.proxied_address])
        process = secor(config)
        process.start()
        clients.wait_committed(cluster.address, group, name, [300])
        passed = {n + 1: node.proxy.answered
                  for n, node in enumerate(cluster.nodes)}
        assert process.stop() == 0
        assert passed[rack] > 300 * 9000, passed
        assert passed[leader] < 300 * 9000 // 2, passed
        proof.assert_exactly_once(ids, tree)


@pytest.mark.librdkafka
def test_leader_epoch_is_committed_where_librdkafka_can(
        kafka, topic, group, secor, tmp_path):
    """Of what own connections read: whoever begins there can ask whether the
    log was cut since (KIP-320)."""
    name = topic()
    clients.produce_json(kafka.address, name, 100)
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             kafka={"fetch": "own"})).start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    version = re.search(r"librdkafka (\d+)\.(\d+)",
                        secor_command("version").stdout)
    can = tuple(map(int, version.groups())) >= (2, 1)
    reader = Consumer({"bootstrap.servers": kafka.address, "group.id": group})
    found, = reader.committed([TopicPartition(name, 0)], timeout=60)
    reader.close()
    assert (found.offset, found.leader_epoch) == (100, 0 if can else None)
