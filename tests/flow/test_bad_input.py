"""Bad surroundings and bad messages: each gets a clear message or a dead
letter, and nothing is lost.
"""

import base64
import errno
import json
import os
import resource
import subprocess
import time

import kafka as clients
import proof
import pytest
from flow import local_store, settings, skewed, wait_done
from halting import Case
from secor import BUILD, base_config, secor_command, write_config
from secure import SecureKafka
from servers import free_ports, wait_until
from watch import group_moves, wait_metric

PLUGINS = BUILD.resolve() / "tests/plugins/parser"
TIME = 1_767_225_600_000


@pytest.fixture
def case(kafka, topic, group, secor, tmp_path):
    """Factory: case(count=400, **sections) of a topic of one partition."""
    def make(count=400, **config):
        one = Case(kafka.address, group, topic(), secor, tmp_path, **config)
        if count:
            one.produce(count)
        return one
    return make


# ---- Kafka ----

def test_absent_broker_is_waited_for(own_kafka, group, secor, tmp_path):
    broker = own_kafka()
    clients.create_topic(broker.address, "late")
    c = Case(broker.address, group, "late", secor, tmp_path)
    c.produce(200)
    broker.kill9()
    c.start()
    said = c.process.wait_for("kafka not reachable reason=(.*) next=retry")[1]
    assert broker.address in said and "kafka.brokers" in said
    broker.start()
    c.wait_done()
    c.stop()
    c.exactly_once()


def test_wrong_tls_and_passwords_say_so_and_do_not_give_up(
        own_kafka, group, secor, tmp_path):
    broker = own_kafka(kind=SecureKafka)
    clients.create_topic(broker.address, "locked")
    c = Case(broker.address, group, "locked", secor, tmp_path)
    c.produce(100)

    def try_with(listener, **wrong):
        p = broker.client(listener, **wrong)
        c.config["kafka"]["brokers"] = [p.pop("bootstrap.servers")]
        c.config["kafka"]["properties"] = p
        c.process.reconfigure(c.config)
        c.start()
        return c.process

    process = try_with("SSL", ssl_ca_location=str(broker.tls / "rogue.pem"))
    said = process.wait_for(r"^error .*kafka error code=_SSL reason=(.*)$")[1]
    assert "verify" in said
    assert process.stop() == 0
    process = try_with("SASL_PLAIN", sasl_mechanism="PLAIN",
                       sasl_username="alice", sasl_password="wrong-secret")
    process.wait_for(r"^error .*kafka error code=_AUTHENTICATION ")
    assert "wrong-secret" not in process.text()
    assert process.stop() == 0
    try_with("SSL")
    c.wait_done()
    c.stop()
    c.exactly_once()


def test_unknown_topic_is_named_and_waited_for(kafka, group, secor, tmp_path):
    name = f"not-yet-{group}"
    c = Case(kafka.address, group, name, secor, tmp_path)
    c.start()
    c.process.wait_for(rf"kafka error .*{name}")
    clients.create_topic(kafka.address, name)
    c.produce(200)
    c.wait_done()
    c.stop()
    c.exactly_once()


# ---- store ----

def s3_store(rgw, **more):
    return {"use": "s3", "bucket": "there", "endpoint": rgw.endpoint,
            "region": rgw.region, "path_style": True,
            "access_key": rgw.access_key, "secret_key": rgw.secret_key,
            **more}


def test_wrong_bucket_secret_and_clock_each_say_what_it_is(
        kafka, rgw, topic, group, bucket, secor, tmp_path):
    name = topic()
    ids = clients.produce_json(kafka.address, name, 100)
    tree = bucket(rgw, f"there-{group}")
    process = secor(settings(kafka.address, group, name, s3_store(rgw)))

    def fails(**wrong):
        process.reconfigure(settings(kafka.address, group, name,
                                     s3_store(rgw, **wrong)))
        process.start()
        code = process.wait()
        return code, process.process.tail(3)

    code, said = fails(bucket="not-there")
    assert code == 3 and "not-there" in said and "NoSuchBucket" in said
    code, said = fails(bucket=tree.bucket, secret_key="wrongsecret")
    assert code == 3 and "SignatureDoesNotMatch" in said
    assert "wrongsecret" not in said
    process.reconfigure(settings(kafka.address, group, name,
                                 s3_store(rgw, bucket=tree.bucket)))
    process.start(env=skewed(tmp_path, -7200))
    process.wait_for("clock")
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


# ---- the stage's disk ----

@pytest.fixture
def small_disk(tmp_path):
    """A folder with a file system of 100 MB of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting needs root")
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=100m", "tmpfs", place],
                   check=True)
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(file):
    """Takes all the space that is left."""
    with open(file, "wb", buffering=0) as f:
        try:
            while True:
                f.write(bytes(65536))
        except OSError as e:
            assert e.errno == errno.ENOSPC


def test_full_stage_disk_holds_everything_up_until_there_is_space(
        case, small_disk):
    filler, stage = small_disk / "filler", small_disk / "stage"
    c = case(stage={"dir": str(stage)})
    c.start()
    c.wait_done()
    # else their room is free again behind the filler
    wait_until("staged files are gone",
               lambda: not list(stage.glob("*/[0-9]*")), 90)
    fill(filler)
    c.produce(2000)
    c.process.wait_for(
        "^warn .*intake waits for=stage |^error .*stage failed .*next=retry")
    before = c.record()
    time.sleep(1)
    assert c.record() == before and before[0] < 2400
    filler.unlink()
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()


def test_staged_files_that_cannot_grow_are_made_again(case):
    """As a full disk that nobody saw coming: writes begin to fail. The batch
    ends by number, so none is small enough."""
    c = case()
    c.run_to_the_end()
    c.config["batch"] = {"max_messages": 3000, "max_age": "1h"}
    c.process.reconfigure(c.config)
    c.start()
    c.process.wait_for("consumption begins")
    pid = c.process.process.pid
    old = resource.prlimit(pid, resource.RLIMIT_FSIZE, (100_000, -1))
    c.produce(3000, extra=lambda i: {"pad": "x" * 200})
    said = c.process.wait_for("^error .*stage failed .* reason=(.*)$")[1]
    assert "next=retry" in said
    assert c.record()[0] == 400
    resource.prlimit(pid, resource.RLIMIT_FSIZE, old)
    c.wait_done()
    c.stop()
    c.exactly_once()
    c.verify()


# ---- plugins ----

@pytest.mark.parametrize("what", ["absent", "garbage", "open-to-all"])
def test_plugin_that_cannot_be_trusted_or_read_is_named(
        what, kafka, group, secor, tmp_path):
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, "any", store,
                             parser={"use": "./mine.so"}))
    file = process.dir / "mine.so"
    if what == "garbage":
        file.write_text("not a shared object")
    elif what == "open-to-all":
        file.write_bytes((PLUGINS / "waits.so").read_bytes())
        file.chmod(0o666)
    process.start()
    assert process.wait() == 2
    said = process.text()
    assert "mine.so" in said and "secor.yaml:" in said and "error: " in said


def test_plugin_that_crashes_is_named_with_its_message(case, kafka):
    for n, word in enumerate((b"fault", b"abort")):
        c = case(count=0, batch={"max_age": "1h"},
                 parser={"use": str(PLUGINS / "crashes.so")})
        c.group = c.config["kafka"]["group"] = f"{c.group}-{n}"
        c.process.reconfigure(c.config)
        clients.produce(kafka.address, c.topic, [
            (0, None, b"fine", TIME)] * 5 + [(0, None, word, TIME)])
        c.start()
        code = c.process.wait()
        assert code < 0
        last = c.process.text().splitlines()[-1]
        assert " crash signal=" in last, last
        assert f"lost=nothing file={PLUGINS / 'crashes.so'} " in last
        assert last.endswith(f"topic={c.topic} partition=0 offset=5")
        assert proof.object_keys(c.tree) == []


@pytest.mark.parametrize("word", ["fault", "abort"])
def test_try_names_the_plugin_that_crashes(tmp_path, word):
    config = write_config(tmp_path / "secor.yaml", base_config(
        "localhost:9092", "g", "t",
        parser={"use": str(PLUGINS / "crashes.so")}))
    done = secor_command("try", config, stdin=f"fine\n{word}\nfine\n")
    assert done.returncode < 0
    assert len(done.stdout.splitlines()) == 1
    last = done.stderr.splitlines()[-1]
    assert " crash signal=" in last
    assert last.endswith(f"file={PLUGINS / 'crashes.so'} topic=t partition=0 "
                         "offset=1")


def test_parser_that_waits_pauses_its_partition_only(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=2)
    store, tree = local_store(tmp_path / "data")
    ids = clients.produce_json(kafka.address, name, 2000, 2)
    config = settings(kafka.address, group, name, store,
                      parser={"use": str(PLUGINS / "waits.so")},
                      kafka={"session_timeout": "30s"},
                      http={"listen": f"127.0.0.1:{free_ports(1)[0]}"})
    there = tmp_path / "there"
    process = secor(config)
    process.start(env={"WAITS_FOR": str(there)})
    process.wait_for(rf"^warn .*plugin waits topic={name} partition=0 "
                     r"offset=0 plugin=waits reason=.*is not there")
    clients.wait_committed(kafka.address, group, name, {1: 1000})
    assert clients.committed(kafka.address, group, name, 0)[0] == 0
    ids += clients.produce_json(kafka.address, name, 2000, 2, first_id=2000)
    clients.wait_committed(kafka.address, group, name, {1: 2000})
    assert {i % 2 for _, i in proof.read_ids(tree)} == {1}
    wait_metric(process, 'secor_partitions_waiting{for="plugin"}', 1)
    there.touch()
    process.wait_for(rf"^info .*plugin goes on topic={name} partition=0 ")
    wait_done(kafka.address, group, name, 2)
    assert set(group_moves(process).values()) == {0}
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    for key in proof.object_keys(tree):
        inside = [i for _, i in proof.read_ids(tree, [key])]
        assert inside == sorted(inside), f"{key} is out of order"


# ---- messages ----

BAD = [
    (b"not JSON \xff\x00", b"key \xfe", [("h", b"\x00\xff"), ("h", None)]),
    (b"", b"", []),
    (None, None, [("empty", b"")]),
    (b'{"id": 1}', b"no time", []),
    (b'{"id": 1, "time": "yesterday"}', b"odd time", []),
    (b"[1, 2, 3]", None, []),
]


def test_garbage_becomes_complete_dead_letters(case, kafka):
    c = case()
    clients.produce(kafka.address, c.topic, [
        (0, key, value, TIME + n, headers)
        for n, (value, key, headers) in enumerate(BAD)])
    c.produce(100)
    c.run_to_the_end()
    c.exactly_once()
    letters = [json.loads(line) for k in proof.dead_letter_keys(c.tree)
               for line in proof.lines(c.tree, k)]

    def text(data):
        return None if data is None else base64.b64encode(data).decode()

    assert [{k: v for k, v in letter.items() if k != "reason"}
            for letter in sorted(letters, key=lambda x: x["offset"])] == [
        {"topic": c.topic, "partition": 0, "offset": 400 + n,
         "timestamp": TIME + n, "timestamp_type": "create",
         "headers": [{"name": h, "value": text(v)} for h, v in headers],
         "key": text(key), "value": text(value), "plugin": "json"}
        for n, (value, key, headers) in enumerate(BAD)]
    assert all(letter["reason"] for letter in letters)
    c.verify()


def test_huge_and_hostile_messages_are_stored_or_dead(
        kafka, topic, group, secor, tmp_path):
    """20 MB in one message, and a field of 5 kB where a path is made of it."""
    name = topic(config={"max.message.bytes": str(30 << 20)})
    c = Case(kafka.address, group, name, secor, tmp_path,
             partitioner=[{"use": "field", "fields": ["place"],
                           "missing": "default"}])
    values = {0: {"place": "a", "pad": "x" * (20 << 20)},
              1: {"place": "b" * 5000}, 2: {"place": "../../etc"},
              3: {"place": None}, 4: {"place": "a"}}
    clients.produce(kafka.address, name, [
        (0, None, json.dumps({"id": i, "time": TIME, **v}).encode(), TIME)
        for i, v in values.items()], {"message.max.bytes": 40 << 20})
    c.run_to_the_end()
    c.exactly_once([0, 2, 3, 4])
    (line,), = [proof.lines(c.tree, k) for k in proof.dead_letter_keys(c.tree)]
    letter = json.loads(line)
    assert letter["offset"] == 1 and "long" in letter["reason"]
    assert json.loads(base64.b64decode(letter["value"]))["id"] == 1
    assert all(k.startswith((f"{name}/place=", "_")) and "/../" not in k
               for k in c.tree.keys())
    c.verify()


def test_mistyped_time_field_halts_and_does_not_divert_everything(case):
    c = case(count=2000, parser={"use": "json", "time_field": "tmie"})
    c.start()
    said = c.halted("bad-messages")
    assert "tmie" in said and "halt_above" in said
    c.next_owner_halts("bad-messages")
    assert c.tree.keys() == []
    c.config["parser"]["time_field"] = "time"
    c.process.reconfigure(c.config)
    assert "nothing is skipped, nothing doubled" in c.offsets(
        "adopt", "--current", "--yes")
    c.run_to_the_end()
    c.exactly_once()
    assert proof.dead_letter_keys(c.tree) == []
    c.verify()


def test_bad_message_halts_where_that_is_asked_for(case, kafka):
    c = case(bad_messages={"action": "halt"})
    c.run_to_the_end()
    clients.produce(kafka.address, c.topic, [(0, None, b"bad", TIME)])
    c.produce(10)
    c.start()
    assert "offset 400" in c.halted("bad-message")
    c.next_owner_halts("bad-message")
    c.config["bad_messages"] = {"action": "skip"}
    c.process.reconfigure(c.config)
    c.offsets("adopt", "--current", "--yes")
    c.run_to_the_end()
    c.exactly_once()
    assert proof.dead_letter_keys(c.tree) == []
