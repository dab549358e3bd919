"""Messages of Kafka end in exactly one object each, whatever is killed, paused
or lost on the way: random times here, named steps in test_steps.py."""

import collections
import re
import time

import kafka as clients
import pytest
from proof import LocalTree, assert_exactly_once, manifests
from proxy import CUT
from secor import base_config

QUICK = {"max_age": "200ms"}


def s3_store(server, tree, endpoint=None):
    return {"use": "s3", "bucket": tree.bucket, "prefix": "raw",
            "endpoint": endpoint or server.endpoint,
            "region": server.region, "access_key": server.access_key,
            "secret_key": "${RIG_SECRET}"}


def assert_chained(tree, topic, ends):
    """The manifests of each partition cover [0, end) without gap or overlap."""
    found = manifests(tree, topic)
    assert sorted(found) == list(range(len(ends)))
    for partition, end in enumerate(ends):
        at = 0
        for start, manifest in found[partition]:
            assert start == manifest["start"] == at, (partition, start, at)
            at = manifest["end"]
        assert at == end


def test_messages_are_stored_exactly_once(kafka, topic, group, secor):
    t = topic(partitions=3)
    ids = clients.produce_json(kafka.address, t, 3000, partitions=3)
    s = secor(base_config(kafka.address, group, t)).start()
    clients.wait_committed(kafka.address, group, t, [1000] * 3)
    assert s.stop() == 0
    tree = LocalTree(s.dir / "out")
    assert_exactly_once(ids, tree)
    assert_chained(tree, t, [1000] * 3)


def test_killed_at_any_time_nothing_is_lost_or_doubled(
        kafka, topic, group, secor):
    t = topic(partitions=2)
    s = secor(base_config(kafka.address, group, t, batch=QUICK))
    ids = []
    for turn in range(6):
        s.start()
        ids += clients.produce_json(kafka.address, t, 1000, partitions=2,
                                    first_id=1000 * turn)
        time.sleep(0.3 + 0.35 * turn)
        s.kill9()
    s.start()
    clients.wait_committed(kafka.address, group, t, [3000] * 2)
    assert s.stop() == 0
    tree = LocalTree(s.dir / "out")
    assert_exactly_once(ids, tree)
    assert_chained(tree, t, [3000] * 2)


def test_two_processes_come_and_go(kafka, topic, group, secor, tmp_path):
    t = topic(partitions=4)
    out = tmp_path / "out"
    config = base_config(kafka.address, group, t, batch=QUICK,
                         store={"use": "local", "dir": str(out)})
    a, b = secor(config, name="a").start(), secor(config, name="b")
    ids = []
    for turn in range(4):
        ids += clients.produce_json(kafka.address, t, 1000, partitions=4,
                                    first_id=1000 * turn)
        if turn % 2 == 0:
            b.start()
        else:
            assert b.stop() == 0
        time.sleep(1)
    clients.wait_committed(kafka.address, group, t, [1000] * 4)
    assert a.stop() == 0
    assert_exactly_once(ids, LocalTree(out))
    assert_chained(LocalTree(out), t, [1000] * 4)


def test_a_zombie_that_wakes_up_changes_nothing(
        kafka, topic, group, secor, tmp_path):
    t = topic(partitions=2)
    out = tmp_path / "out"
    config = base_config(kafka.address, group, t, batch=QUICK,
                         store={"use": "local", "dir": str(out)})
    zombie, heir = secor(config, name="zombie"), secor(config, name="heir")
    zombie.start()
    ids = clients.produce_json(kafka.address, t, 2000, partitions=2)
    clients.wait_committed(kafka.address, group, t, [1] * 2, clean=False)
    zombie.pause()
    ids += clients.produce_json(kafka.address, t, 2000, partitions=2,
                                first_id=2000)
    heir.start()
    clients.wait_committed(kafka.address, group, t, [2000] * 2)
    zombie.cont()
    ids += clients.produce_json(kafka.address, t, 2000, partitions=2,
                                first_id=4000)
    clients.wait_committed(kafka.address, group, t, [3000] * 2)
    heir.stop()
    zombie.stop()
    assert_exactly_once(ids, LocalTree(out))
    assert_chained(LocalTree(out), t, [3000] * 2)


@pytest.mark.parametrize("name", ["rgw", "weed"])
def test_s3_holds_each_message_once(name, request, kafka, topic, group, bucket,
                                    secor):
    server = request.getfixturevalue(name)
    tree = bucket(server)
    t = topic(partitions=2)
    ids = clients.produce_json(kafka.address, t, 4000, partitions=2)
    s = secor(base_config(kafka.address, group, t,
                          store=s3_store(server, tree)),
              env={"RIG_SECRET": server.secret_key}).start()
    clients.wait_committed(kafka.address, group, t, [2000] * 2)
    assert s.stop() == 0
    assert_exactly_once(ids, tree)
    assert_chained(tree, t, [2000] * 2)


def test_lost_answers_and_busy_servers_double_nothing(
        kafka, topic, group, rgw, bucket, http_proxy, secor):
    tree = bucket(rgw)
    t = topic(partitions=2)
    tries = collections.Counter()

    def busy(method, path, _):
        tries[path] += method == "PUT"
        return (503, b"") if tries[path] == 1 else None

    def lost(method, path, _):
        return CUT if method == "PUT" and tries[path] == 2 else None

    proxy = http_proxy(rgw, before=busy, after=lost)
    ids = clients.produce_json(kafka.address, t, 2000, partitions=2)
    s = secor(base_config(kafka.address, group, t, batch=QUICK,
                          kafka={"session_timeout": "30s"},
                          store=s3_store(rgw, tree, proxy.endpoint)),
              env={"RIG_SECRET": rgw.secret_key}).start()
    clients.wait_committed(kafka.address, group, t, [1000] * 2, timeout=90)
    assert s.stop() == 0
    statuses = [s for m, _, s in proxy.requests if m == "PUT"]
    # the server knows that it has the object, or puts it once more
    good = statuses.count(200) + statuses.count(412)
    assert statuses.count(503) == statuses.count(0) == good > 2
    assert_exactly_once(ids, tree)
    assert_chained(tree, t, [1000] * 2)


def test_a_broker_that_is_killed_costs_nothing(own_kafka, group, secor):
    broker = own_kafka()
    t = clients.create_topic(broker.address, "events", 2)
    s = secor(base_config(broker.address, group, t, batch=QUICK)).start()
    ids = clients.produce_json(broker.address, t, 1000, partitions=2)
    clients.wait_committed(broker.address, group, t, [1] * 2, clean=False)
    broker.restart()
    ids += clients.produce_json(broker.address, t, 1000, partitions=2,
                                first_id=1000)
    clients.wait_committed(broker.address, group, t, [1000] * 2, timeout=90)
    assert s.stop() == 0
    assert not re.search(r"^fatal", s.text(), re.M)
    assert_exactly_once(ids, LocalTree(s.dir / "out"))
    assert_chained(LocalTree(s.dir / "out"), t, [1000] * 2)
