"""Hadoop, Hive, gzip and zstd of others judge what the engine's code makes.

build/release/oracle (tests/oracle/oracle.c) runs the engine's escaping and the
format plugins without a broker.
"""

import gzip
import itertools
import os
import random
import subprocess

import pytest
import zstandard

import hadoop
import secor

ORACLE = secor.BUILD.resolve() / "oracle"
SPECIAL = set("\"#%'*/:=?\\{[]^\x7f") | {chr(i) for i in range(1, 32)}


def oracle(*args, data=""):
    env = {**os.environ, "SECOR_PLUGINS": str(ORACLE.parent / "plugins")}
    done = subprocess.run([str(ORACLE), *map(str, args)], input=data, env=env,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def escape(values):
    lines = oracle("escape", data="".join(v.hex() + "\n" for v in values))
    return [bytes.fromhex(x) for x in lines]


def test_path_values_are_escaped_as_hive_does():
    rng = random.Random(1)
    alphabet = [chr(i) for i in range(1, 0x250)] + ["\u20ac", "\U0001f600"]
    values = [c for c in alphabet if c != "."]
    values += [a + b for a, b in itertools.product(SPECIAL, "x%\u00e9")]
    values += ["".join(rng.choices(alphabet, k=rng.randint(2, 40)))
               for _ in range(2000)]
    values += ["", "__HIVE_DEFAULT_PARTITION__", "..a", "a..", "2026-01-01"]
    ours = [v.decode() for v in escape([v.encode() for v in values])]
    assert ours == hadoop.hive_escape(values)


def test_path_values_beyond_hive_are_safe():
    assert escape([b".", b"..", b"\0", b"a\xff"]) == [
        b"%2E", b"%2E%2E", b"%00", b"a%FF"]


def records(count, seed=1, longest=3000):
    """(offset, value) with gaps, empty values and values of every size."""
    rng = random.Random(seed)
    offset, found = 2**33, []
    for i in range(count):
        offset += rng.choice([1, 1, 1, 2, 50])
        size = rng.choice([0, 1, 10, 100, rng.randint(0, longest)])
        half = rng.randbytes(size // 2)
        found.append((offset, half + b"ab" * ((size - len(half)) // 2)))
    return found


def write(path, form, rows, *settings):
    data = "".join(f"{o} {v.hex()}\n" for o, v in rows)
    oracle("write", path, form, *settings, data=data)
    return path


SEQUENCES = [("none", "default", ()), ("record", "default", ()),
             ("record", "gzip", ()), ("block", "default", ()),
             ("block", "gzip", ()), ("block", "default", ("level=6",)),
             ("block", "gzip", ("block_size=1000",)),
             ("record", "default", ("level=9",))]


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_hadoop_reads_our_sequence_files(tmp_path, count):
    rows = records(count)
    files = [write(tmp_path / f"{i}.seq", "sequencefile", rows,
                   f"compression_type={t}", f"codec={c}", *more)
             for i, (t, c, more) in enumerate(SEQUENCES)]
    expected = [(o.to_bytes(8, "big"), v) for o, v in rows]
    for (kind, codec, _), dump in zip(SEQUENCES, hadoop.seq_dump(files)):
        assert dump["records"] == expected, (kind, codec)
        assert dump["type"] == kind.upper()
        assert dump["key"] == "org.apache.hadoop.io.LongWritable"
        assert dump["value"] == "org.apache.hadoop.io.BytesWritable"


def test_a_large_value_survives_every_sequence_type(tmp_path):
    rows = [(7, os.urandom(3_000_000)), (9, b"x" * 5_000_000), (10, b"end")]
    files = [write(tmp_path / f"{i}.seq", "sequencefile", rows,
                   f"compression_type={t}", f"codec={c}", *more)
             for i, (t, c, more) in enumerate(SEQUENCES)]
    for dump in hadoop.seq_dump(files):
        assert [v for _, v in dump["records"]] == [v for _, v in rows]


def test_we_read_what_hadoop_wrote(tmp_path):
    files = [f for f in hadoop.seq_write(tmp_path, 500)
             if f.name.startswith("lb")
             and any(c in f.name for c in ("Default", "Gzip", "Deflate"))]
    assert len(files) == 7
    expected = [f"{i + 42} " + f"value-{i}-{'x' * (i % 97)}".encode().hex()
                for i in range(500)]
    for f in files:
        assert oracle("read", f, "sequencefile") == expected, f.name


def test_we_read_our_own_sequence_files(tmp_path):
    rows = records(1000, seed=2)
    for kind, codec, more in SEQUENCES:
        f = write(tmp_path / "own.seq", "sequencefile", rows,
                  f"compression_type={kind}", f"codec={codec}", *more)
        assert oracle("read", f, "sequencefile") == [
            f"{o} {v.hex()}" for o, v in rows]


@pytest.mark.parametrize("level", [1, 3, 6])
@pytest.mark.parametrize("compression", ["none", "gzip", "zstd"])
def test_others_decompress_our_text(tmp_path, compression, level):
    rows = [(o, v.replace(b"\n", b" ")) for o, v in records(3000, seed=3)]
    f = write(tmp_path / "text", "text", rows, f"compression={compression}",
              f"level={level}")
    data = f.read_bytes()
    if compression == "gzip":
        subprocess.run(["gzip", "-t"], input=data, check=True)
        data = gzip.decompress(data)
    elif compression == "zstd":
        data = zstandard.ZstdDecompressor().stream_reader(
            data, read_across_frames=True).read()
    assert data == b"".join(v + b"\n" for _, v in rows)
