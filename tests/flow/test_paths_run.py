"""Paths of the running service, computed again from what Kafka has."""

import datetime
import hashlib
import json
import random

import kafka as clients
import proof
import pytest
from flow import local_store, settings, verify, wait_done
from secor import secor_command

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


def want_key(name, special, md5, m, start):
    """Where the layout of the test below puts a message, and in which path."""
    when = datetime.datetime.fromtimestamp(m["time"] / 1000, datetime.UTC)
    path = f"{when:dt=%Y-%m-%d/hr=%H}"
    base = "new/base" if f"{when:%Y-%m-%d}" >= "2026-01-02" else "raw"
    folder = "special/one" if name == special else f"logs/{name}.d"
    first = hashlib.md5(f"{name}/{path}".encode()).hexdigest()[:4] + "/"
    return (f"{first if md5 else ''}{base}/{folder}/{path}/"
            f"1_0_{start:020d}.log")


@pytest.mark.parametrize(
    "md5", [pytest.param(False, marks=pytest.mark.deep), True])
def test_layouts_put_objects_where_they_say_and_tools_find_them(
        md5, kafka, topic, group, secor, tmp_path):
    names = [topic(), topic()]
    sent = {n: [{"id": i, "time": TIME + i * 600_000} for i in range(300)]
            for n in names}
    for name in names:
        send(kafka, name, sent[name])
    store, tree = local_store(tmp_path / "data")
    config = settings(
        kafka.address, group, names[0], store,
        layout={"prefix": "raw", "md5_prefix": md5,
                "alternative_prefix": "new/base",
                "alternative_from": "2026-01-02", "extension": ".log",
                "topics": {names[0]: "special/one", "*": "logs/{topic}.d"}})
    config["kafka"]["topics"] = names
    process = secor(config)
    process.start()
    for name in names:
        wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    want = {}
    for name in names:
        for start, m in proof.manifests(tree, name)[0]:
            for one in sent[name][start:m["end"]]:
                key = want_key(name, names[0], md5, one, start)
                want.setdefault(key, []).append(one["id"])
    found = {}
    for key, one in proof.read_ids(tree):
        found.setdefault(key, []).append(one)
    assert found == want
    verify(process)
    some = sorted(k for k in want if names[1] in k)[0]
    told = secor_command("why", process.config, some, cwd=process.dir)
    assert told.returncode == 0 and names[1] in told.stdout
    told = secor_command("print", "--config", process.config, some, "--json",
                         cwd=process.dir)
    assert len(told.stdout.splitlines()) == len(want[some]), told.stderr
    strange = f"{some.rsplit('/', 1)[0]}/0_0_{7:020d}.log"
    (tmp_path / "data" / strange).write_bytes(b"x\n")
    told = secor_command("verify", process.config, cwd=process.dir)
    assert told.returncode == 1 and strange in told.stdout, told.stdout
