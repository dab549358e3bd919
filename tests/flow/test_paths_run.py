"""Paths of the running service, computed again from what Kafka has."""

import json
import random

import kafka as clients
import proof
from flow import local_store, settings, verify, wait_done

TIME = 1_767_225_600_000


def send(kafka, name, messages):
    clients.produce(kafka.address, name,
                    [(0, None, json.dumps(m).encode()) for m in messages])


def by_path(tree, name):
    """{(S, path): [id]} as stored, ids in the order of the object."""
    found = {}
    for key, one in proof.read_ids(tree):
        parts = proof.parse_name(key, name)
        found.setdefault((parts["start"], parts["path"]), []).append(one)
    return found


def test_values_behind_the_first_so_many_of_a_batch_share_a_path(
        kafka, topic, group, secor, tmp_path):
    """max_values, judged by counting values from the start of each batch; the
    process is killed with a plan, so a batch is collected twice."""
    rng, name = random.Random(11), topic()
    sent = [{"id": i, "time": TIME + rng.randrange(2) * 3_600_000,
             "user": f"u{int(rng.expovariate(0.05))}"} for i in range(5000)]
    send(kafka, name, sent)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store,
        partitioner=[
            {"use": "field", "fields": "user", "max_values": 20,
             "overflow_value": "others"},
            {"use": "date", "granularity": "hour"}],
        batch={"max_messages": 1000}))
    process.start(env={"SECOR_STOP_AT": "put-begin"})
    process.wait_for(r"stopped at step step=put-begin\b")
    process.kill9()
    process.start()
    wait_done(kafka.address, group, name, 1)
    verify(process)
    ranges = [(s, m["end"]) for s, m in proof.manifests(tree, name)[0]]
    want = {}
    for start, end in ranges:
        own = []
        for m in sent[start:end]:
            if m["user"] not in own and len(own) < 20:
                own.append(m["user"])
            user = m["user"] if m["user"] in own else "others"
            hour = (m["time"] - TIME) // 3_600_000
            path = f"user={user}/dt=2026-01-01/hr={hour:02d}"
            want.setdefault((start, path), []).append(m["id"])
    assert len(ranges) >= 2
    assert sum("others" in path for _, path in want) > len(ranges)
    assert by_path(tree, name) == want
