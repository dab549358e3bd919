"""Windows in which the original lost or doubled messages, where no other test
looks at just that window. docs/RELIABILITY.md has a row for each of them.
"""

import collections
import threading
import time
import urllib.parse

import kafka as clients
import proof
import pytest
from flow import contents, local_store, settings, verify, wait_done
from halting import Case
from test_million import s3_store
from watch import metric

TIME = 1_767_225_600_000

def store_of(server, tree, proxy):
    """An S3 store behind the proxy, without a prefix."""
    store = {**s3_store(server, tree), "endpoint": proxy.endpoint}
    del store["prefix"]
    return store


@pytest.fixture
def case(kafka, topic, group, secor, tmp_path):
    """Factory: case(**sections) of a topic of one partition."""
    def make(**config):
        return Case(kafka.address, group, topic(), secor, tmp_path, **config)
    return make


class Late:
    """Holds the first put of an object until it is let go."""

    def __init__(self):
        self.lock, self.path = threading.Lock(), None
        self.held, self.go = threading.Event(), threading.Event()

    def before(self, method, path, _headers):
        with self.lock:
            if method != "PUT" or "/dt" not in path or self.path is not None:
                return None
            self.path = path
        self.held.set()
        self.go.wait(120)
        return None


def answered(proxy, path):
    """The server's answers to puts of it."""
    return [status for method, at, status in list(proxy.requests)
            if (method, at) == ("PUT", path)]


@pytest.mark.parametrize("conditional, answer", [("off", 200), ("auto", 412)])
def test_put_that_arrives_after_the_next_owner_brings_the_same_records(
        kafka, topic, group, rgw, bucket, http_proxy, secor, conditional,
        answer):
    """W7: the request of a dead process arrives when the next owner has long
    put and committed that object: it brings the same records, or is refused."""
    name, tree, late = topic(), bucket(rgw), Late()
    proxy = http_proxy(rgw, late.before)
    store = {**store_of(rgw, tree, proxy), "conditional_puts": conditional}
    ids = clients.produce_json(kafka.address, name, 1000, step_ms=10_000)
    first, heir = (secor(settings(kafka.address, group, name, store), name=n)
                   for n in ("first", "heir"))
    first.start()
    assert late.held.wait(60)
    first.kill9()
    ids += clients.produce_json(kafka.address, name, 1000, first_id=1000,
                                step_ms=10_000)
    heir.start()
    wait_done(kafka.address, group, name, 1)
    key = urllib.parse.unquote(late.path.split("?")[0]).split("/", 2)[2]
    before = contents(tree, name)
    assert key in before
    puts = answered(proxy, late.path)
    late.go.set()
    end = time.monotonic() + 60
    while len(answered(proxy, late.path)) == len(puts):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert answered(proxy, late.path)[-1] == answer
    assert contents(tree, name) == before
    assert heir.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(heir)


def test_batch_with_bad_messages_is_repeated_the_same(case, kafka):
    """W4: which messages could not be stored does not move a boundary."""
    c = case(bad_messages={"action": "dead_letter", "halt_above": "100%"},
             batch={"max_messages": 420, "max_age": "1h"})
    for n in range(20):
        c.produce(20)
        clients.produce(kafka.address, c.topic,
                        [(0, None, b"bad %d" % n, TIME)])
    c.start_at("put-done:2")  # the first may be the dead letters
    planned = c.record()[1]
    before = contents(c.tree, c.topic)
    c.kill9()
    c.run_to_the_end()
    c.exactly_once()
    after = contents(c.tree, c.topic)
    assert before and all(after[k] == before[k] for k in before)
    bad = collections.Counter(
        line for k in proof.dead_letter_keys(c.tree)
        for line in proof.lines(c.tree, k))
    assert len(bad) == 20 and set(bad.values()) == {1}
    assert " e=420 " in planned
    c.verify()


def test_tail_that_makes_no_object_is_committed(case, kafka):
    """W17: nothing but bad messages at the end, and none of them stored."""
    c = case(bad_messages={"action": "skip", "halt_above": "100%"},
             kafka={"session_timeout": "30s"})
    c.produce(50)
    c.run_to_the_end()
    clients.produce(kafka.address, c.topic,
                    [(0, None, b"bad", TIME)] * 70)
    c.run_to_the_end()
    assert c.record()[0] == 120
    c.produce(10)
    c.start()
    c.wait_done()
    assert metric(c.process, "secor_messages_total") == 10
    c.stop()
    c.exactly_once()
    c.verify()


def test_group_whose_store_hangs_holds_up_no_other(
        kafka, topic, group, rgw, bucket, http_proxy, secor, tmp_path):
    """W18: two groups read one topic; they share nothing."""
    name, tree, late = topic(), bucket(rgw), Late()
    proxy = http_proxy(rgw, late.before)
    hung = secor(settings(kafka.address, group, name,
                          store_of(rgw, tree, proxy)), name="hung")
    store, mine = local_store(tmp_path / "data")
    other = secor(settings(kafka.address, group + "-other", name, store),
                  name="other")
    ids = clients.produce_json(kafka.address, name, 500)
    hung.start()
    assert late.held.wait(60)
    other.start()
    wait_done(kafka.address, group + "-other", name, 1)
    assert other.stop() == 0
    proof.assert_exactly_once(ids, mine)
    late.go.set()
    wait_done(kafka.address, group, name, 1)
    assert hung.stop() == 0
    proof.assert_exactly_once(ids, tree)
