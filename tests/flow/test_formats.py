"""Objects of the format plugins, judged by readers and writers of others:
Hadoop's SequenceFile and codecs, Python's gzip, zlib, bz2 and json, cramjam,
zstandard, pyarrow, DuckDB."""

import base64
import bz2
import gzip
import itertools
import json
import pathlib
import struct
import subprocess
import zlib

import cramjam
import duckdb
import hadoop
import msgpack
import pyarrow as pa
import pytest
import zstandard

BUILD = pathlib.Path(__file__).resolve().parents[2] / "build/release"
ORACLE = BUILD / "tests/oracle/format"


def run(plugin, what, options, data):
    return subprocess.run(
        [ORACLE, BUILD / f"plugins/format/{plugin}.so", what,
         *(f"{k}={v}" for k, v in options.items())],
        input=data, capture_output=True, timeout=60)


def packed(records):
    """(offset, bytes or None) as the program takes them."""
    return b"".join(
        struct.pack(">qi", o, -1 if v is None else len(v)) + (v or b"")
        for o, v in records)


def unpacked(data):
    records, at = [], 0
    while at < len(data):
        o, n = struct.unpack_from(">qi", data, at)
        records.append((o, data[at + 12:at + 12 + n]))
        at += 12 + n
    assert at == len(data)
    return records


def make(plugin, options, records):
    done = run(plugin, "make", options, packed(records))
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(plugin, options, data):
    done = run(plugin, "read", options, data)
    assert done.returncode == 0, done.stderr
    return unpacked(done.stdout)


def refused(plugin, options, data):
    """Why the file is not read."""
    done = run(plugin, "read", options, data)
    assert done.returncode == 1, done.returncode
    return done.stderr.decode()


def logs(n):
    return [(i * 3 + 7, json.dumps({"id": i, "path": f"/a/{i % 31}",
                                    "pad": "x" * (i % 300)}).encode())
            for i in range(n)]


HARD = [(0, b""), (1, None), (2, bytes(range(256))), (2**62, b"\xff" * 4),
        (2**62 + 1, bytes(range(256)) * 20000), (2**63 - 1, b"last")]

LEVELS = [("none", 1), ("gzip", 1), ("gzip", 2), ("gzip", 3), ("gzip", 4),
          ("gzip", 9), ("deflate", 1), ("deflate", 6), ("zstd", -5),
          ("zstd", 1), ("zstd", 19), ("lz4", 1), ("lz4", 9), ("snappy", 1),
          ("hadoop-lz4", 1), ("hadoop-lz4", 12), ("hadoop-snappy", 1),
          ("bzip2", 1), ("bzip2", 9)]


def hadoop_blocks(data, unpacked_piece):
    """As Hadoop's BlockDecompressorStream reads them."""
    out, at = b"", 0
    while at < len(data):
        size, = struct.unpack_from(">I", data, at)
        at, block = at + 4, b""
        while len(block) < size:
            n, = struct.unpack_from(">I", data, at)
            block += unpacked_piece(data[at + 4:at + 4 + n],
                                    size - len(block))
            at += 4 + n
        assert len(block) == size and size <= 256 << 10
        out += block
    return out


def lz4_piece(piece, room):
    return bytes(cramjam.lz4.decompress_block(piece, output_len=room))


def snappy_piece(piece, _):
    return bytes(cramjam.snappy.decompress_raw(piece))


PLAIN = {
    "none": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().stream_reader(
        data, read_across_frames=True).read(),
    "lz4": lambda data: bytes(cramjam.lz4.decompress(data)),
    "hadoop-lz4": lambda data: hadoop_blocks(data, lz4_piece),
    "snappy": lambda data: bytes(cramjam.snappy.decompress(data)),
    "hadoop-snappy": lambda data: hadoop_blocks(data, snappy_piece),
    "bzip2": bz2.decompress,
}


def plain(compression, data):
    return PLAIN[compression](data)


@pytest.mark.parametrize("compression,level", LEVELS)
@pytest.mark.parametrize("count", [0, 1, 20000])
def test_text_in_every_codec_is_read_by_others(compression, level, count):
    records = logs(count)
    options = {"compression": compression, "level": level}
    data = make("text", options, records)
    lines = plain(compression, data).split(b"\n")
    assert lines.pop() == b""
    assert lines == [v for _, v in records]
    assert read("text", options, data) == [(-1, v) for _, v in records]


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_text_is_read_by_pyarrow(compression):
    records = logs(20000)
    data = make("text", {"compression": compression}, records)
    stream = pa.CompressedInputStream(pa.BufferReader(data), compression)
    assert stream.read() == b"".join(v + b"\n" for _, v in records)


def test_text_is_read_by_duckdb(tmp_path):
    for compression, end in (("none", ""), ("gzip", ".gz"), ("zstd", ".zst")):
        (tmp_path / f"a.json{end}").write_bytes(
            make("text", {"compression": compression}, logs(20000)))
    rows = duckdb.sql(
        f"select filename, count(*), count(distinct id), sum(id) "
        f"from read_json('{tmp_path}/a.json*', filename=true, "
        f"format='newline_delimited') group by all").fetchall()
    assert len(rows) == 3
    for _, *sums in rows:
        assert sums == [20000, 20000, 20000 * 19999 // 2]


def test_text_reads_what_gzip_and_zstandard_write():
    lines = b"".join(v + b"\n" for _, v in logs(5000))
    values = [(-1, v) for _, v in logs(5000)]
    half = lines.index(b"\n", len(lines) // 2) + 1
    members = gzip.compress(lines[:half]) + gzip.compress(lines[half:])
    assert read("text", {"compression": "gzip"}, members) == values
    z = zstandard.ZstdCompressor()
    frames = z.compress(lines[:half]) + z.compress(lines[half:])
    assert read("text", {"compression": "zstd"}, frames) == values


@pytest.mark.parametrize("compression", ["gzip", "zstd"])
def test_text_that_was_cut_short_is_refused(compression):
    options = {"compression": compression}
    data = make("text", options, logs(3000))
    assert "ends too early" in refused("text", options, data[:-1])
    assert "ends too early" in refused("text", options, data[:len(data) // 2])


def varint_at(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


@pytest.mark.parametrize("framing", ["u32be", "u32le", "varint"])
def test_text_with_lengths_is_read_by_a_loop_of_ten_lines(framing):
    options = {"framing": framing, "compression": "gzip"}
    data = gzip.decompress(make("text", options, HARD))
    values, at = [], 0
    while at < len(data):
        if framing == "varint":
            n, at = varint_at(data, at)
        else:
            order = ">I" if framing == "u32be" else "<I"
            n, at = struct.unpack_from(order, data, at)[0], at + 4
        values.append(data[at:at + n])
        at += n
    assert values == [v or b"" for _, v in HARD]


HADOOP = {"gzip": "GzipCodec", "deflate": "DefaultCodec",
          "hadoop-lz4": "Lz4Codec", "hadoop-snappy": "SnappyCodec",
          "bzip2": "BZip2Codec"}


def test_text_is_read_by_the_codecs_of_hadoop(tmp_path):
    cases = [(c, level, n) for c, level in LEVELS if c in HADOOP
             for n in (0, 1, 20000)]
    packed = []
    for i, (codec, level, n) in enumerate(cases):
        file = tmp_path / str(i)
        file.write_bytes(
            make("text", {"compression": codec, "level": level}, logs(n)))
        packed.append((HADOOP[codec], file))
    for case, data in zip(cases, hadoop.unpack(packed), strict=True):
        assert data == b"".join(v + b"\n" for _, v in logs(case[2])), case


def test_text_reads_what_the_codecs_of_hadoop_write(tmp_path):
    ends = {".gz": "gzip", ".deflate": "deflate", ".bz2": "bzip2",
            ".snappy": "hadoop-snappy", ".lz4": "hadoop-lz4"}
    files = [f for f in hadoop.seq_write(tmp_path, 1) if f.stem == "lines"]
    assert {f.suffix for f in files} == set(ends)
    values = [(-1, b'{"n":%d}' % n) for n in range(60000)]
    for file in files:
        options = {"compression": ends[file.suffix]}
        assert read("text", options, file.read_bytes()) == values, file


def test_text_reads_what_cramjam_writes():
    lines = b"".join(v + b"\n" for _, v in logs(5000))
    values = [(-1, v) for _, v in logs(5000)]
    for name, codec in (("lz4", cramjam.lz4), ("snappy", cramjam.snappy),
                        ("bzip2", cramjam.bzip2)):
        once = bytes(codec.compress(lines))
        options = {"compression": name}
        assert read("text", options, once) == values
        assert read("text", options, once + once) == values + values


MODES = [{"compression_type": "none"}] + [
    {"compression_type": t, "codec": c, "level": level, "block_size": 50000}
    for t, c, level in itertools.product(
        ("record", "block"), ("default", "gzip"), (1, 3, 4, 9))] + [
    {"compression_type": t, "codec": c, "level": 1, "block_size": 50000}
    for t in ("record", "block") for c in ("bzip2", "lz4", "snappy")]


def test_sequencefiles_of_every_mode_are_read_by_hadoop(tmp_path):
    kinds = {"none": "NONE", "record": "RECORD", "block": "BLOCK"}
    codecs = {"default": "DefaultCodec", "gzip": "GzipCodec",
              "bzip2": "BZip2Codec", "lz4": "Lz4Codec",
              "snappy": "SnappyCodec"}
    inputs = [[], [(42, b"one")], HARD, logs(3000)]
    wanted = []
    for i, (mode, records) in enumerate(itertools.product(MODES, inputs)):
        if mode.get("codec") == "bzip2":
            records = records[:4]  # Java's decoder takes its time
        file = tmp_path / f"{i}.seq"
        file.write_bytes(make("sequencefile", mode, records))
        wanted.append((file, mode, records))
    dumps = hadoop.seq_dump([file for file, *_ in wanted])
    for (file, mode, records), dump in zip(wanted, dumps, strict=True):
        assert dump["key"] == "org.apache.hadoop.io.LongWritable"
        assert dump["value"] == "org.apache.hadoop.io.BytesWritable"
        assert dump["type"] == kinds[mode["compression_type"]]
        if "codec" in mode:
            assert dump["codec"].endswith(codecs[mode["codec"]])
        assert dump["records"] == [
            (struct.pack(">q", o), v or b"") for o, v in records], mode
        assert read("sequencefile", {}, file.read_bytes()) == [
            (o, v or b"") for o, v in records], mode


def test_sequencefiles_of_hadoop_are_read(tmp_path):
    files = hadoop.seq_write(tmp_path, 300)
    files = [f for f in files if f.suffix == ".seq"]
    dumps = hadoop.seq_dump(files)
    seen = set()
    for file, dump in zip(files, dumps, strict=True):
        codec = dump["codec"].rpartition(".")[2]
        offsets = dump["key"].endswith("LongWritable")
        assert len(dump["records"]) == 300
        assert read("sequencefile", {}, file.read_bytes()) == [
            (struct.unpack(">q", k)[0] if offsets else -1, v)
            for k, v in dump["records"]], file
        seen.add((dump["key"], dump["type"], codec))
    assert len(seen) == 3 * (1 + 2 * 6), sorted(seen)


def vint(data, at):
    """Hadoop's WritableUtils.readVInt: the value and what is behind it."""
    first, = struct.unpack_from(">b", data, at)
    if first >= -112:
        return first, at + 1
    n = -112 - first if first >= -120 else -120 - first
    value = int.from_bytes(data[at + 1:at + 1 + n], "big")
    return (value if first >= -120 else ~value), at + 1 + n


def block_records(data, unpack):
    """Keys and values of a SequenceFile of blocks, sections by `unpack`."""
    at = 4
    for _ in range(2):
        n, at = vint(data, at)
        at += n
    assert data[at:at + 2] == b"\1\1"
    n, at = vint(data, at + 2)
    codec, at = data[at:at + n].decode(), at + n + 4
    sync, at, records = data[at:at + 16], at + 16, []
    while at < len(data):
        assert data[at:at + 20] == b"\xff" * 4 + sync
        count, at = vint(data, at + 20)
        sections = []
        for _ in range(4):
            n, at = vint(data, at)
            sections.append(unpack(data[at:at + n]))
            at += n
        places = [0] * 4
        for _ in range(count):
            pair = []
            for lengths in (0, 2):
                n, places[lengths] = vint(sections[lengths], places[lengths])
                begin = places[lengths + 1]
                pair.append(sections[lengths + 1][begin:begin + n])
                places[lengths + 1] += n
            records.append((pair[0], pair[1][4:]))
        assert places == [len(s) for s in sections]
    return codec.rpartition(".")[2], records


@pytest.mark.parametrize("codec,name,whole", [
    ("zstd", "ZStandardCodec", "zstd"), ("lz4", "Lz4Codec", "hadoop-lz4"),
    ("snappy", "SnappyCodec", "hadoop-snappy")])
def test_blocks_of_codecs_that_are_native_in_hadoop(codec, name, whole):
    options = {"compression_type": "block", "codec": codec,
               "block_size": 300000}
    records = logs(20000)
    data = make("sequencefile", options, records)
    assert block_records(data, PLAIN[whole]) == (
        name, [(struct.pack(">q", o), v) for o, v in records])
    assert read("sequencefile", {}, data) == records


def test_messagepack_keys_are_read_by_hadoop(tmp_path):
    wanted = []
    for i, kind in enumerate(("none", "record", "block")):
        options = {"key": "messagepack", "compression_type": kind}
        messages = [(o, t, 0, k or None, v or b"", [])
                    for o, t, _, k, v, _ in messages_of(3000)]
        file = tmp_path / f"{i}.seq"
        file.write_bytes(full_make("sequencefile", options, messages))
        wanted.append((file, messages))
        assert full_read("sequencefile", {}, file.read_bytes()) == messages
    for (_, messages), dump in zip(
            wanted, hadoop.seq_dump([f for f, _ in wanted]), strict=True):
        assert dump["key"] == "org.apache.hadoop.io.BytesWritable"
        assert dump["records"] == [
            (msgpack.packb({1: o} | ({3: t} if t is not None else {}) |
                           ({2: k} if k else {}), use_bin_type=True), v)
            for o, t, _, k, v, _ in messages]


def field(data):
    return struct.pack(">i", -1) if data is None else \
        struct.pack(">i", len(data)) + data


def full_packed(messages):
    """(offset, timestamp or None, type, key, value, headers) each."""
    return b"".join(
        struct.pack(">qqi", offset, -2**63 if time is None else time, kind) +
        field(key) + field(value) + struct.pack(">i", len(headers)) +
        b"".join(field(n) + field(v) for n, v in headers)
        for offset, time, kind, key, value, headers in messages)


def full_unpacked(data):
    at, messages = 0, []

    def take(form):
        nonlocal at
        values = struct.unpack_from(form, data, at)
        at += struct.calcsize(form)
        return values

    def take_bytes():
        nonlocal at
        n, = take(">i")
        at += max(n, 0)
        return None if n < 0 else data[at - n:at]

    while at < len(data):
        offset, time, kind = take(">qqi")
        key, value, (n,) = take_bytes(), take_bytes(), take(">i")
        headers = [(take_bytes(), take_bytes()) for _ in range(n)]
        messages.append((offset, None if time == -2**63 else time, kind, key,
                         value, headers))
    return messages


def full_make(plugin, options, messages):
    done = run(plugin, "make", {**options, "full": 1}, full_packed(messages))
    assert done.returncode == 0, done.stderr
    return done.stdout


def full_read(plugin, options, data):
    done = run(plugin, "read", {**options, "full": 1}, data)
    assert done.returncode == 0, done.stderr
    return full_unpacked(done.stdout)


def messages_of(count):
    """Of every kind that JSON can hold."""
    return [(i, None if i % 9 == 8 else 1700000000000 + i,
             0 if i % 9 == 8 else 1 + i % 2,
             None if i % 3 == 0 else b"" if i % 3 == 1 else b"k%d" % i,
             None if i % 11 == 10 else
             json.dumps({"i": i, "t": '\u00e9"\n\t\x01' * (i % 5)},
                        ensure_ascii=i % 2 == 0).encode(),
             [(b"h\xc3\xa9", b"v"), (b"h\xc3\xa9", None), (b"", b"")][:i % 4])
            for i in range(count)]


def framed(data, topic=b"events", start=0):
    """A reader of framed files, from docs/FORMATS.md."""
    def checked(at):
        n, = struct.unpack_from("<I", data, at)
        return data[at + 4:at + 4 + n], at + 8 + n

    assert data[:8] == b"SECORFR1"
    about, at = checked(8)
    assert about == struct.pack("<iq", 0, start) + topic
    messages = []
    while data[at:at + 4] != bytes(4):
        body, at = checked(at)
        flags, kind, headers, offset, time, k, v = struct.unpack_from(
            "<BBxxIqqII", body)
        key, value, rest = body[32:32 + k], body[32 + k:32 + k + v], 32 + k + v
        pairs = []
        for _ in range(headers):
            n, v = struct.unpack_from("<II", body, rest)
            name, rest = body[rest + 8:rest + 8 + n], rest + 8 + n
            if v == 2**32 - 1:
                pairs.append((name, None))
            else:
                pairs.append((name, body[rest:rest + v]))
                rest += v
        assert rest == len(body)
        messages.append((offset, time if flags & 4 else None, kind,
                         key if flags & 1 else None,
                         value if flags & 2 else None, pairs))
    assert data[at:] == bytes(4) + b"SECOREND"
    return messages


@pytest.mark.parametrize("compression", PLAIN)
def test_framed_keeps_all_of_a_message(compression):
    odd = [(2**63 - 1, 0, 2, b"\0\xff", bytes(range(256)) * 300,
            [(b"x", b"\0")] * 50)]
    messages = messages_of(5000) + odd
    options = {"compression": compression}
    data = full_make("framed", options, messages)
    assert framed(plain(compression, data)) == messages
    assert full_read("framed", options, data) == messages


TYPES = ["none", "create", "append"]


@pytest.mark.parametrize("way", ["json", "string", "base64"])
def test_json_envelopes_are_read_by_json_and_duckdb(way, tmp_path):
    messages = messages_of(5000)
    options = {"value": way, "key": "base64" if way == "base64" else "string",
               "compression": "gzip"}
    data = full_make("json-envelope", options, messages)
    assert full_read("json-envelope", options, data) == messages
    lines = gzip.decompress(data).split(b"\n")
    assert lines.pop() == b""
    for line, (offset, time, kind, key, value, headers) in zip(
            lines, messages, strict=True):
        row = json.loads(line)
        assert list(row) == ["topic", "partition", "offset", "timestamp",
                             "timestamp_type", "key", "headers", "value"]
        assert (row["topic"], row["partition"]) == ("events", 0)
        assert (row["offset"], row["timestamp"]) == (offset, time)
        assert row["timestamp_type"] == TYPES[kind]
        if way == "base64":
            back = {n: None if row[n] is None else base64.b64decode(row[n])
                    for n in ("key", "value")}
        else:
            back = {"key": row["key"] and row["key"].encode(),
                    "value": row["value"] and row["value"].encode()
                    if way == "string" else value}
            if way == "json":
                assert row["value"] == (value and json.loads(value))
            if key == b"":
                assert row["key"] == ""
                back["key"] = b""
        assert (back["key"], back["value"]) == (key, value)
        assert [(h["name"].encode(), h["value"] if h["value"] is None
                 else h["value"].encode()) for h in row["headers"]] == headers
    (tmp_path / "a.jsonl.gz").write_bytes(data)
    found = duckdb.sql(
        f"select count(*), sum(\"offset\"), count(value) "
        f"from read_json('{tmp_path}/a.jsonl.gz', "
        f"format='newline_delimited')").fetchall()
    assert found == [(5000, 4999 * 2500,
                      sum(m[4] is not None for m in messages))]
