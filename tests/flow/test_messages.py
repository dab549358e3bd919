"""Messages that are not as one would wish: nulls, headers, garbage, 20 MB,
values that no path can hold, and more open paths than files."""

import base64
import json
import pathlib
import random
import shutil
import tempfile

import hadoop
import kafka as clients
import proof
import pytest
from flow import local_store, settings, verify, wait_done
from watch import Footprint, wait_metric

TIME = 1_767_225_600_000
MIB = 1 << 20


def field_settings(kafka, group, topic, store, **more):
    return settings(kafka.address, group, topic, store,
                    partitioner={"use": "field", "fields": ["c"]}, **more)


def message(i, **extra):
    return json.dumps({"id": i, "time": TIME + i * 1000, **extra}).encode()


def dead_letters(tree):
    return [json.loads(line) for k in proof.dead_letter_keys(tree)
            for line in proof.lines(tree, k)]


def run_to_end(process, kafka, group, name, partitions=1, timeout=90):
    process.start()
    wait_done(kafka.address, group, name, partitions, timeout)
    assert process.stop() == 0
    verify(process)


def text(data):
    return None if data is None else base64.b64encode(data).decode()


def test_bad_messages_are_kept_whole(kafka, topic, group, secor, tmp_path):
    """Every byte of a dead letter: key, value, timestamp, headers in order,
    with nulls that stay null."""
    name = topic()
    headers = [("a", b"1"), ("trace", b"\x00\xff"), ("a", b""), ("n", None),
               ("\u20ac", b"x")]
    bad = [(b"k", None, headers), (None, None, []), (b"", b"", []),
           (b"\xff\x00", b"\x00garbage\n\xff", headers), (None, b"{", []),
           (b"k", b'{"id":1}', []), (None, b'{"time":"never"}', headers)]
    messages = [(0, b"k" if i % 2 else None, message(i), TIME)
                for i in range(200)]
    for n, (key, value, hs) in enumerate(bad):
        messages.insert(20 + 10 * n, (0, key, value, TIME + n, hs))
    clients.produce(kafka.address, name, messages)
    store, tree = local_store(tmp_path / "data")
    run_to_end(secor(settings(kafka.address, group, name, store)),
               kafka, group, name)
    proof.assert_exactly_once(range(200), tree)
    found = sorted(dead_letters(tree), key=lambda d: d["offset"])
    assert len(found) == len(bad)
    for n, ((key, value, hs), d) in enumerate(zip(bad, found)):
        assert (d["topic"], d["partition"], d["offset"]) == (
            name, 0, 20 + 10 * n)
        assert (d["timestamp"], d["timestamp_type"]) == (TIME + n, "create")
        assert (d["key"], d["value"]) == (text(key), text(value))
        assert d["headers"] == [{"name": h, "value": text(v)} for h, v in hs]
        assert d["plugin"] == "json" and d["reason"]


@pytest.mark.parametrize("use", ["text", "sequencefile"])
def test_null_values_without_a_parser_are_kept(
        use, kafka, topic, group, secor, tmp_path):
    """`raw` takes what has no value: an empty line, an empty BytesWritable."""
    name = topic()
    values = [b"a", None, b"", b"b"]
    clients.produce(kafka.address, name, [
        (0, None, v, TIME) for v in values])
    store, tree = local_store(tmp_path / "data")
    run_to_end(secor(settings(
        kafka.address, group, name, store, format={"use": use},
        batch={"max_messages": len(values), "max_age": "1h"},
        parser={"use": "raw", "time_source": "kafka"})), kafka, group, name)
    key, = proof.object_keys(tree)
    if use == "text":
        assert tree.get(key) == b"a\n\n\nb\n"
    else:
        dump, = hadoop.seq_dump([tree.root / key])
        assert [(int.from_bytes(k, "big"), v) for k, v in dump["records"]] == [
            (0, b"a"), (1, b""), (2, b""), (3, b"b")]
    assert dead_letters(tree) == []


def test_twenty_megabytes_need_no_setting_of_ours(
        kafka, topic, group, secor, tmp_path):
    """What a user must set is the topic's max.message.bytes and his producer's
    message.max.bytes. The client takes a message that is larger than
    max.partition.fetch.bytes and fetch.max.bytes, as long as it is below
    receive.message.max.bytes (100 MB)."""
    name = topic(config={"max.message.bytes": 25 * MIB})
    messages = [(0, None, message(i)) for i in range(10)]
    messages.insert(3, (0, None, message(10, pad="x" * 20 * MIB)))
    messages.insert(6, (0, None, b"y" * 20 * MIB))
    clients.produce(kafka.address, name, messages,
                    {"message.max.bytes": 25 * MIB})
    store, tree = local_store(tmp_path / "data")
    run_to_end(secor(settings(kafka.address, group, name, store,
                              engine={"memory": "64MiB"})),
               kafka, group, name)
    proof.assert_exactly_once(range(11), tree)
    assert [base64.b64decode(d["value"]) for d in dead_letters(tree)] == [
        b"y" * 20 * MIB]


def hostile_values():
    rng = random.Random(7)
    alphabet = [chr(i) for i in range(1, 0x180)] + list("\u20ac\U0001f600")
    values = [c for c in alphabet if c != "."]
    values += ["".join(rng.choices(alphabet, k=rng.randint(2, 20)))
               for _ in range(300)]
    return values + ["", "x'); DROP TABLE t; --", "a/b", "../../etc/passwd",
                     "a=b", "%2F", " lead", "trail ", "..a", "a\nb",
                     "__HIVE_DEFAULT_PARTITION"]


def test_folders_are_named_as_hive_does(kafka, topic, group, secor, tmp_path):
    """Each hostile value in the folder that Hive's own FileUtils would give."""
    name, values = topic(), hostile_values()
    clients.produce(kafka.address, name, [
        (0, None, message(i, c=v)) for i, v in enumerate(values)])
    store, tree = local_store(tmp_path / "data")
    run_to_end(secor(field_settings(kafka, group, name, store)),
               kafka, group, name)
    want = {}
    for i, folder in enumerate(hadoop.hive_escape(values)):
        want.setdefault(f"c={folder}", set()).add(i)
    found = {}
    for key, i in proof.read_ids(tree):
        found.setdefault(proof.parse_name(key, name)["path"], set()).add(i)
    assert found == want


def test_value_that_no_path_holds_is_a_dead_letter(
        kafka, topic, group, secor, tmp_path):
    """c= and the value, escaped, are one name of at most 255 bytes."""
    name = topic()
    values = {0: "x" * 5000, 1: "x" * 253, 2: "x" * 254, 3: "/" * 84,
              4: "/" * 85, 5: "\u20ac" * 84, 6: "\u20ac" * 85, 7: "ok"}
    clients.produce(kafka.address, name, [
        (0, None, message(i, c=v)) for i, v in values.items()])
    store, tree = local_store(tmp_path / "data")
    run_to_end(secor(field_settings(kafka, group, name, store)),
               kafka, group, name)
    proof.assert_exactly_once([1, 3, 5, 7], tree)
    found = dead_letters(tree)
    assert sorted(d["offset"] for d in found) == [0, 2, 4, 6]
    assert all("255" in d["reason"] for d in found), found[0]["reason"]


@pytest.fixture
def quick(tmp_path):
    """A folder for very many files, in memory where there is room."""
    shm = pathlib.Path("/dev/shm")
    if not shm.is_dir() or shutil.disk_usage(shm).free < 512 * MIB:
        yield tmp_path
        return
    folder = pathlib.Path(tempfile.mkdtemp(dir=shm, prefix="secor-"))
    yield folder
    shutil.rmtree(folder)


PATHS, EACH = 10000, 8
FORMS = {"text": {"use": "text", "compression": "gzip"},
         "sequencefile": {"use": "sequencefile", "compression_type": "block"}}


def assert_all_stored(use, tree, name):
    """Reading ten thousand SequenceFiles takes too long: some, and a count."""
    keys = proof.object_keys(tree)
    assert len({proof.parse_name(k, name)["path"] for k in keys}) == PATHS
    if use == "text":
        proof.assert_exactly_once(range(PATHS * EACH), tree)
        return
    some = keys[::50]
    for key, i in proof.read_sequence_ids(tree, some):
        assert proof.parse_name(key, name)["path"] == f"c={i % PATHS}"
    assert sum(o["records"] for _, m in proof.manifests(tree, name)[0]
               for o in m["objects"]) == PATHS * EACH


@pytest.mark.parametrize("use", FORMS)
def test_ten_thousand_open_paths_stay_in_their_bounds(
        use, kafka, topic, group, secor, quick):
    """256 MiB of memory, 256 open files, 10,000 objects that grow at once. Each
    is larger than its share of the buffers, so all have staged files. Where
    memory is short, batches end earlier."""
    name = topic()
    pad = "".join(random.Random(1).choices("0123456789abcdef", k=1500))
    clients.produce(kafka.address, name, [
        (0, None, message(i, c=str(i % PATHS), pad=pad))
        for i in range(PATHS * EACH)], {"linger.ms": 50})
    store, tree = local_store(quick / "data")
    process = secor(field_settings(
        kafka, group, name, store, format=FORMS[use],
        stage={"dir": str(quick)},
        batch={"max_age": "10s", "max_objects": 0,
               "max_messages": PATHS * EACH},
        engine={"memory": "256MiB", "open_files": 256, "log_level": "info"}))
    process.start()
    with Footprint(process) as seen:
        wait_metric(process, "secor_open_objects", PATHS, 60)
        wait_done(kafka.address, group, name, 1, 120)
    assert process.stop() == 0
    assert seen.files < 256 + 64
    print(seen.rss // MIB, "MiB", seen.files, "files")
    assert seen.rss < (256 + 64) * MIB
    assert_all_stored(use, tree, name)
    verify(process)
