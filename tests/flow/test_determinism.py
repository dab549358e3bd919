"""What an object is called and what is in it is decided by the messages and the
plan alone: not by writers, sizes of blocks and fetches, memory, the processor,
or where a process died. The bytes are the same too, as long as the compression
libraries are.

Batches end by number here, at exactly what the partition has: else a batch may
end anywhere, which the plan writes down.
"""

import json
import pathlib
import random
import subprocess

import hadoop
import kafka as clients
import proof
import pytest
from flow import local_store, settings, verify, wait_done
from secor import secor_command

PARTITIONS, COUNT = 2, 500
BASE_MS = 1_767_225_600_000
GZIP, ZLIB, ZSTD, BLOCK = "gzip", "zlib", "zstd", "block"
FORMATS = {
    GZIP: {"use": "text", "compression": "gzip"},
    ZLIB: {"use": "text", "compression": "gzip", "level": 6},
    ZSTD: {"use": "text", "compression": "zstd"},
    BLOCK: {"use": "sequencefile", "compression_type": "block",
            "codec": "gzip", "block_size": "20KB"},
}
PRELOAD = pathlib.Path(__file__).parent / "preload"


def messages(seed):
    """Of many sizes, over five hours, some of them bad."""
    chance = random.Random(seed)
    words = [f"word{n:x}" for n in range(300)]
    for n in range(PARTITIONS * COUNT):
        size = chance.choice([0, 3, 10, 40, 200])
        if n % 97 == 0:
            size = 20_000
        value = {"id": n, "time": BASE_MS + n * 17_000,
                 "text": " ".join(chance.choices(words, k=size))}
        text = json.dumps(value).encode()
        if n % 89 == 7:
            text = b"[" + text
        yield n % PARTITIONS, str(n).encode(), text, value["time"]


@pytest.fixture
def topics(kafka, topic, group):
    """A topic of the same messages for each format: {format: topic}."""
    made = {f: topic(partitions=PARTITIONS, name=f"{f}-{group}")
            for f in FORMATS}
    for name in made.values():
        clients.produce(kafka.address, name, list(messages(group)))
    return made


@pytest.fixture
def preload(tmp_path):
    """preload("codec") compiles tests/flow/preload/codec.c; the environment
    that preloads it. It brings the libraries that it stands before: not every
    librdkafka does, and those of a plugin are not found from it."""
    def make(name, *flags):
        library = tmp_path / f"{name}{''.join(flags)}.so"
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-w", *flags, "-o",
                        library, PRELOAD / f"{name}.c", "-ldl",
                        "-Wl,--no-as-needed", "-lisal",
                        "-lz", "-lzstd"], check=True)
        return {"LD_PRELOAD": str(library)}
    return make


class Runs:
    """Runs over the same topics, each with a group and a store of its own."""

    def __init__(self, kafka, topics, group, secor, folder):
        self.address = kafka.address
        self.topics = topics
        self.group = group
        self.secor = secor
        self.folder = folder

    def begin(self, name, **more):
        """(process, tree) of a run that has not begun."""
        store, tree = local_store(self.folder / f"data-{name}")
        overrides = [{"match": f"^{t}$", "format": FORMATS[f]}
                     for f, t in self.topics.items()]
        config = settings(
            self.address, f"{self.group}-{name}", "-", store,
            batch={"max_messages": COUNT, "max_age": "1h"},
            bad_messages={"halt_above": "100%"}, overrides=overrides, **more)
        config["kafka"]["topics"] = list(self.topics.values())
        config["kafka"]["properties"].update(more.get("properties", {}))
        config.pop("properties", None)
        return self.secor(config, name=name), tree

    def finish(self, process, env=None):
        process.start(env=env)
        for t in self.topics.values():
            wait_done(self.address, f"{self.group}-{process.name}", t,
                      PARTITIONS, timeout=90)
        assert process.stop() == 0

    def run(self, name, env=None, **more):
        process, tree = self.begin(name, **more)
        self.finish(process, env)
        return tree


@pytest.fixture
def runs(kafka, topics, group, secor, tmp_path):
    return Runs(kafka, topics, group, secor, tmp_path)


def stored(tree, bytes_too=True):
    """{key: what must be the same} of all that is stored. Manifests without the
    time when they were written, and without sizes and sums of bytes where those
    may differ."""
    found = {} if bytes_too else records(tree, proof.object_keys(tree))
    for key in tree.keys():
        if key.startswith("_manifests/") and key.endswith(".json"):
            found[key] = json.loads(tree.get(key))
            found[key].pop("written_ms")
            for o in [] if bytes_too else found[key]["objects"]:
                o.pop("bytes")
                o.pop("crc32c")
        elif key not in found:
            found[key] = tree.get(key)
    return found


def records(tree, keys):
    """{key: its records}, SequenceFiles read by Hadoop."""
    blocks = [k for k in keys if k.startswith(BLOCK + "-")]
    dumps = hadoop.seq_dump([str(tree.root / k) for k in blocks])
    found = {k: d["records"] for k, d in zip(blocks, dumps)}
    found.update((k, proof.lines(tree, k)) for k in keys if k not in found)
    return found


def differing(a, b):
    assert a.keys() == b.keys()
    return [k for k in a if a[k] != b[k]]


def some_properties(chance):
    """Fetches and queues of other sizes, so that messages come in other
    portions."""
    return {"fetch.message.max.bytes": chance.choice([1000, 30_000, 500_000]),
            "fetch.wait.max.ms": chance.choice([5, 100]),
            "queued.min.messages": chance.choice([1, 20, 1000]),
            "queued.max.messages.kbytes": chance.choice([1, 64, 2000])}


def test_writers_blocks_memory_and_kill_points_change_no_byte(runs):
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    print("seed", seed)
    first = stored(runs.run("one", engine={"writers": 1}))
    # two objects a partition and hour, and one of dead letters, at least
    assert len(first) > len(FORMATS) * PARTITIONS * 4
    eight = runs.run("eight", engine={"writers": 8},
                     properties=some_properties(chance))
    assert differing(first, stored(eight)) == []
    small = runs.run("small", properties=some_properties(chance),
                     engine={"writers": chance.choice([2, 3, 5]),
                             "memory": "24MiB", "open_files": 8})
    assert differing(first, stored(small)) == []
    process, killed = runs.begin("killed", engine={"writers": 8})
    process.start(env={"SECOR_STOP_AT": chance.choice(
        ["sealed", "plan-acked", "put-done:5", "manifest-done", "final-sent"])})
    process.wait_stopped()
    process.kill9()
    runs.finish(process)
    assert differing(first, stored(killed)) == []


def test_other_processors_change_no_record(runs, preload):
    first = runs.run("here")
    sse = runs.run("sse", env=preload("portable", "-DSSE"))
    assert differing(stored(first), stored(sse)) == []
    portable = runs.run("portable", env=preload("portable"))
    assert differing(stored(first, False), stored(portable, False)) == []
    # ISA-L's portable code finds other matches, the other libraries have none
    others = differing(stored(first), stored(portable))
    assert others
    for key in others:
        assert key.startswith((f"{GZIP}-", f"{BLOCK}-", "_manifests/"))


def test_replay_by_another_codec_version_is_accepted(runs, preload):
    other = preload("codec")
    process, tree = runs.begin("two")
    process.start(env={"SECOR_STOP_AT": "put-done:6"})
    process.wait_stopped()
    process.kill9()
    before = {k: tree.get(k) for k in proof.object_keys(tree)}
    same = records(tree, before)
    assert len(before) >= 3
    runs.finish(process, env=other)
    process.wait_for("replay=1")
    assert records(tree, before) == same
    for key, data in before.items():
        assert tree.get(key) != data, f"{key} was not made by another codec"
    assert ids(records(tree, proof.object_keys(tree))) == good_ids(runs)
    verify(process)
    # a process of the old version comes late: other bytes, the same records
    for key, data in before.items():
        (tree.root / key).write_bytes(data)
    done = secor_command("verify", process.config, "--deep", "--json",
                         cwd=process.dir, env=other)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["findings"] == []
    assert {n["key"] for n in told["notes"]
            if n["kind"] == "other-bytes"} == set(before)


def good_ids(runs):
    return sorted((t, n) for t in runs.topics.values()
                  for n in range(PARTITIONS * COUNT) if n % 89 != 7)


def ids(found):
    """Sorted (topic, id) of records()."""
    return sorted(
        (key.split("/")[0],
         json.loads(r[1] if key.startswith(BLOCK + "-") else r)["id"])
        for key, rows in found.items() for r in rows)
