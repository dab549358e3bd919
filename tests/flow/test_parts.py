"""Parts of an upload that are under way at once, at real servers: behind a proxy
that holds parts back until as many are there as should be, so that nothing
depends on who is quicker.
"""

import re
import threading

import kafka as clients
import proof
import pytest
from flow import settings, verify, wait_done
from proxy import CUT
from stores import (  # fixtures among them
    FATAL, MIB, OK, RETRY, SMALL_PARTS, s3, server, tool)

LONG_S = 90


class Gate:
    """For HttpProxy.before: parts wait until `count` of them are here, and are
    passed on from the highest number down. Then each that comes is passed on
    at once, unless `shut`."""

    def __init__(self, count, rule=lambda part, attempt: None, shut=False):
        self.count, self.rule, self.shut = count, rule, shut
        self.moved = threading.Condition()
        self.here, self.most, self.opened = set(), 0, False
        self.attempts = {}

    def __call__(self, method, path, _headers):
        found = re.search(r"partNumber=(\d+)", path)
        if method != "PUT" or not found:
            return None
        part = int(found[1])
        with self.moved:
            self.attempts[part] = self.attempts.get(part, 0) + 1
            answer = self.rule(part, self.attempts[part])
            self.here.add(part)
            self.most = max(self.most, len(self.here))
            self.opened |= len(self.here) >= self.count
            self.moved.notify_all()
            assert self.moved.wait_for(
                lambda: self.opened and (answer is not None or not self.shut
                                         and part == max(self.here)), LONG_S)
            self.here.discard(part)
            self.moved.notify_all()
        return answer

    def wait(self):
        with self.moved:
            assert self.moved.wait_for(lambda: self.opened, LONG_S)

    def open(self):
        with self.moved:
            self.opened, self.shut = True, False
            self.moved.notify_all()


@pytest.fixture
def five(tmp_path):
    """Five parts, the last one short."""
    path = tmp_path / "five"
    path.write_bytes(bytes(range(256)) * (20 * MIB // 256) + b"end")
    return path


@pytest.fixture
def at(s3, http_proxy):
    """Factory: at(server, gate, options) gives (store, tree)."""
    gates = []

    def make(server, gate, *options):
        gates.append(gate)
        proxy = http_proxy(server, before=gate)
        return s3(server, *SMALL_PARTS, *options, endpoint=proxy.endpoint)
    yield make
    for gate in gates:
        gate.open()


def no_uploads(tree):
    return "Uploads" not in tree.client.list_multipart_uploads(
        Bucket=tree.bucket)


def test_parts_land_in_any_order(at, server, five):
    gate = Gate(4)
    store, tree = at(server, gate, "parallel_parts=4")
    r = store.run("put", "k", five)
    assert r.status == OK, r
    assert gate.most == 4 and sorted(gate.attempts) == [1, 2, 3, 4, 5]
    assert r.counters["part_requests"] == 5
    assert tree.get("raw/k") == five.read_bytes()
    assert store.run("get", "k").out == five.read_bytes()
    assert no_uploads(tree)


@pytest.mark.parametrize("answer", [
    (503, b"<Error><Code>SlowDown</Code></Error>"), CUT], ids=["503", "cut"])
def test_part_that_fails_is_repeated_by_itself(at, rgw, five, answer):
    gate = Gate(3, lambda part, attempt:
                answer if part == 2 and attempt <= 2 else None)
    store, tree = at(rgw, gate, "parallel_parts=3")
    r = store.run("put", "k", five)
    assert r.status == OK, r
    assert gate.attempts == {1: 1, 2: 3, 3: 1, 4: 1, 5: 1}
    assert r.counters["retries"] == 2
    assert tree.get("raw/k") == five.read_bytes()


def test_part_that_is_refused_stops_the_others(at, rgw, five):
    refusal = 403, b"<Error><Code>AccessDenied</Code></Error>"
    gate = Gate(4, lambda part, attempt: refusal if part == 3 else None,
                shut=True)
    store, tree = at(rgw, gate, "parallel_parts=4")
    r = store.run("put", "k", five)
    assert r.status == FATAL and "AccessDenied" in r.err, r
    assert r.counters["part_requests"] == 4, "the fifth was never begun"
    assert r.counters["abort_requests"] == 1
    assert "complete_requests" not in r.counters
    assert tree.keys() == [] and no_uploads(tree)


def test_parts_stop_when_the_put_may_not_go_on(s3, rgw, five):
    """Whenever that is: nothing is there, and nothing is left."""
    store, tree = s3(rgw, *SMALL_PARTS, "parallel_parts=4")
    for left in (0, 3, 9, 20, 40):
        r = store.run("put", "k", five, options=["--go-on", str(left)])
        assert r.status == RETRY and "no longer sure" in r.err, (left, r)
    assert tree.keys() == [] and no_uploads(tree)


def test_killed_with_parts_under_way_loses_nothing(
        kafka, rgw, topic, group, bucket, secor, http_proxy):
    gate = Gate(3, shut=True)
    name, tree = topic(), bucket(rgw)
    proxy = http_proxy(rgw, before=gate)
    process = secor(settings(
        kafka.address, group, name, {
            "use": "s3", "bucket": tree.bucket, "endpoint": proxy.endpoint,
            "region": rgw.region, "access_key": rgw.access_key,
            "secret_key": rgw.secret_key, "multipart_threshold": "5MiB",
            "part_size": "5MiB", "parallel_parts": 3},
        batch={"max_messages": 60, "max_age": "1h"}))
    ids = clients.produce_json(
        kafka.address, name, 60, extra=lambda i: {"pad": "x" * 300_000})
    process.start()
    gate.wait()
    process.kill9()
    gate.open()
    clients.bury(kafka.address, group)
    process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(process)
    assert max(gate.attempts) >= 4 and gate.attempts[1] >= 2
