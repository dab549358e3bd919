"""Independent readers of what secor stored, and the proof of exactly once.

A tree is a local folder or a bucket; both give {key: bytes}. Nothing here
shares code with secor: gzip from Python, zstd from zstandard, the counting in
DuckDB, SequenceFiles from Hadoop.
"""

import collections
import gzip
import json
import pathlib
import re
import zlib

import duckdb
import pyarrow
import zstandard

import hadoop

NAME = (r"(?:^|/)%s/(?:(?P<path>.*)/)?(?P<generation>\d+)_(?P<partition>\d+)_"
        r"(?P<start>\d{20})(?P<extension>(?:\.[^/]*)?)$")
SIDE = ("_manifests/", "_dead_letters/")


class LocalTree:
    """The files of a folder. What lies in .tmp is still being written and no
    object."""

    def __init__(self, folder, prefix=""):
        self.root = pathlib.Path(folder)
        self.prefix = prefix

    def keys(self):
        found = []
        for f in self.root.rglob("*"):
            key = f.relative_to(self.root).as_posix()
            if f.is_file() and key.startswith(self.prefix) \
                    and not key.startswith(".tmp/"):
                found.append(key)
        return sorted(found)

    def get(self, key):
        return (self.root / key).read_bytes()


class S3Tree:
    """The objects of a bucket, through boto3."""

    def __init__(self, client, bucket, prefix=""):
        self.client = client
        self.bucket = bucket
        self.prefix = prefix

    def keys(self):
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix)
        return sorted(o["Key"] for p in pages for o in p.get("Contents", []))

    def get(self, key):
        return self.client.get_object(
            Bucket=self.bucket, Key=key)["Body"].read()


def _is_side(key):
    return key.startswith(SIDE) or any("/" + s in key for s in SIDE)


def object_keys(tree):
    """Keys of data objects: no manifests, no dead letters, no markers."""
    return [k for k in tree.keys()
            if not _is_side(k) and not k.endswith("/_SUCCESS")]


def dead_letter_keys(tree):
    return [k for k in tree.keys() if "_dead_letters/" in k]


def parse_name(key, topic):
    """path, generation, partition, start, extension of a topic's key."""
    m = re.search(NAME % re.escape(topic), key)
    assert m, f"{key} is not the name of an object of {topic}"
    d = m.groupdict()
    for n in ("generation", "partition", "start"):
        d[n] = int(d[n])
    return d


def lines(tree, key):
    """The lines of a text object, decompressed by its extension. A cut or
    damaged object is an error."""
    data = tree.get(key)
    if key.endswith(".gz"):
        data = gzip.decompress(data)
    elif key.endswith((".zst", ".zstd")):
        with zstandard.ZstdDecompressor().stream_reader(
                data, read_across_frames=True) as r:
            data = r.read()
    elif key.endswith((".deflate", ".zlib")):
        data = zlib.decompress(data)
    if not data:
        return []
    assert data.endswith(b"\n"), f"{key}: the last line has no end"
    return data[:-1].split(b"\n")


def read_ids(tree, keys=None, field="id"):
    """[(key, id)] of every JSON record of the text objects."""
    keys = object_keys(tree) if keys is None else keys
    return [(k, json.loads(line)[field]) for k in keys
            for line in lines(tree, k)]


def read_sequence_ids(local_tree, keys=None, field="id"):
    """[(key, id)] of SequenceFiles of a LocalTree, read by Hadoop."""
    keys = object_keys(local_tree) if keys is None else keys
    dumps = hadoop.seq_dump([str(local_tree.root / k) for k in keys])
    return [(k, json.loads(value)[field])
            for k, d in zip(keys, dumps) for _, value in d["records"]]


def count_ids(pairs):
    """{id: how often}, counted by DuckDB."""
    table = pyarrow.table({"id": [i for _, i in pairs]})
    rows = duckdb.connect().from_arrow(table).aggregate(
        "id, count(*)", "id").fetchall() if pairs else []
    return dict(rows)


def assert_exactly_once(expected, pairs):
    """Every expected id is in exactly one place and nothing else is there.

    pairs: [(key, id)] as read_ids gives them, or a tree of text objects.
    """
    if hasattr(pairs, "keys"):
        pairs = read_ids(pairs)
    expected = collections.Counter(expected)
    assert max(expected.values(), default=1) == 1, "expected ids repeat"
    counts = count_ids(pairs)
    lost = sorted(set(expected) - set(counts))
    strange = sorted(set(counts) - set(expected))
    twice = sorted(i for i, n in counts.items() if n > 1)
    where = {i: [k for k, j in pairs if j == i] for i in (twice + strange)[:5]}
    assert not (lost or twice or strange), (
        f"{len(lost)} lost {lost[:10]}, {len(twice)} doubled {twice[:10]}, "
        f"{len(strange)} unexpected {strange[:10]}; in {where}")


def manifests(tree, topic):
    """Manifests of a topic: {partition: [(start, dict), ...]} by start."""
    pattern = re.compile(r"(?:^|/)_manifests/" + re.escape(topic)
                         + r"/(\d+)/(\d+)_(\d+)\.json$")
    found = collections.defaultdict(list)
    for key in tree.keys():
        m = pattern.search(key)
        if m:
            found[int(m[1])].append((int(m[3]), json.loads(tree.get(key))))
    return {p: sorted(ms, key=lambda x: x[0]) for p, ms in found.items()}


def count_batches(tree, topic):
    """Those that are stored: one manifest each."""
    return sum(map(len, manifests(tree, topic).values()))
