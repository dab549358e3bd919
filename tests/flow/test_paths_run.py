"""Paths of the running service, computed again from what Kafka has."""

import datetime
import hashlib
import hmac
import json
import random

import kafka as clients
import proof
import pytest
from flow import local_store, settings, verify, wait_done
from secor import secor_command
from test_layouts import murmur2
from watch import metric, wait_metric

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
    process.wait_stopped("put-begin")
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


def murmur2_share(data):
    return murmur2(data) / 2**31


def redact(value, secret):
    """What `redact` of the test below leaves, by Python's json."""
    if isinstance(value, list):
        return [redact(v, secret) for v in value]
    if not isinstance(value, dict):
        return value
    out = {}
    for name, v in value.items():
        if name == "token":
            continue
        if name == "email" and v is not None:
            text = v if isinstance(v, str) else json.dumps(v)
            v = hmac.new(secret, text.encode(), "sha256").hexdigest()
        if name == "name" and v is not None:
            v = "***"
        out[name] = v
    return out


def test_filtered_and_redacted_messages_are_accounted_for(
        kafka, topic, group, secor, tmp_path):
    """A chain of filters and a redaction, judged by Python; `verify` counts
    what is not stored, and metrics what was filtered."""
    rng, name, secret = random.Random(13), topic(), "s\u00e9cret"
    sent = [(f"user-{rng.randrange(500)}".encode(), {
        "id": i, "time": TIME + i, "level": rng.choice(["debug", "info"]),
        "user": rng.choice([
            {"email": f"{i % 7}@\u00fc.org", "name": "N", "token": [1, {}]},
            [{"email": i % 5, "x": "\\\"}"}, {"name": None, "token": ""}],
            {"email": None}, "plain"])}) for i in range(3000)]
    clients.produce(kafka.address, name, [
        (0, key, json.dumps(m, ensure_ascii=rng.random() < 0.5).encode())
        for key, m in sent] + [(0, b"user-1", b"no JSON")])
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store,
        kafka={"session_timeout": "30s"}, transformers=[
            {"use": "filter", "of": "key", "sample": "30%", "action": "keep"},
            {"use": "filter", "of": "field", "field": "level",
             "equals": ["debug"]},
            {"use": "redact", "drop": ["user.token"], "hash": ["user.email"],
             "mask": ["user.name"], "secret": secret}]))
    process.start()
    wait_done(kafka.address, group, name, 1)
    kept = [m for key, m in sent
            if murmur2_share(key) < 0.3 and m["level"] != "debug"]
    odd = murmur2_share(b"user-1") < 0.3
    filtered = len(sent) - len(kept) + (not odd)
    assert metric(process, "secor_filtered_total") == filtered
    assert process.stop() == 0
    stored = [json.loads(line) for key in proof.object_keys(tree)
              for line in proof.lines(tree, key)]
    want = [{**m, "user": redact(m["user"], secret.encode())} for m in kept]
    assert sorted(stored, key=lambda m: m["id"]) == want
    found = [m for _, m in proof.manifests(tree, name)[0]]
    assert sum(m["filtered"] for m in found) == filtered
    assert sum(m["bad"] for m in found) == odd
    for args in ([], ["--deep", "--kafka"]):
        done = secor_command("verify", process.config, *args, cwd=process.dir)
        assert done.returncode == 0, done.stdout + done.stderr


def test_a_burst_of_bad_messages_halts_by_the_window(
        kafka, topic, group, secor, tmp_path):
    """30 bad ones behind 3,000 good ones are too many of the latest 200, and
    too few of the latest 2,000."""
    name = topic()
    good = [json.dumps({"id": i, "time": TIME}).encode() for i in range(3000)]
    clients.produce(kafka.address, name,
                    [(0, None, v) for v in good + [b"bad"] * 30])
    for window in (200, 2000):
        store, tree = local_store(tmp_path / f"data-{window}")
        process = secor(settings(
            kafka.address, f"{group}-{window}", name, store,
            batch={"max_age": "1h" if window == 200 else "2s"},
            bad_messages={"halt_above": "10%", "window": window}),
            name=f"w{window}")
        process.start()
        if window == 200:
            process.wait_for(r"of the last \d+ messages are bad")
            assert proof.dead_letter_keys(tree) == []
        else:
            wait_done(kafka.address, f"{group}-{window}", name, 1)
            assert wait_metric(process, "secor_bad_share", 0.009) < 0.03
        process.stop()
