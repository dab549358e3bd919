"""The matrix of parser, partitioner, format and codec: what each is set to, what
its messages look like, where they must go, and who reads them back."""

import base64
import collections
import io
import itertools
import json
import pathlib
import struct
import time
import zlib

import fastavro
import hadoop
import msgpack

from test_formats import PLAIN, block_records, framed, plain, varint_at

START = 1_767_225_600_000  # 2026-01-01T00:00:00Z
Event = collections.namedtuple("Event", "id time country")
CORPUS = [Event(i, START + i * 180_000, ("de", "fr", "us")[i % 3])
          for i in range(60)]

SCHEMA = fastavro.parse_schema({
    "type": "record", "name": "Event", "fields": [
        {"name": "time", "type": "long"},
        {"name": "country", "type": "string"},
        {"name": "id", "type": "long"}]})


def avro(event):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, SCHEMA, event._asdict())
    return out.getvalue()


def varint(n):
    out = b""
    while n >= 128:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def protobuf(e):
    country = e.country.encode()
    return (b"\x08" + varint(e.time) + b"\x12" + varint(len(country)) +
            country + b"\x18" + varint(e.id))


def thrift(e):
    country = e.country.encode()
    return (b"\x0a\0\1" + struct.pack(">q", e.time) +
            b"\x0b\0\2" + struct.pack(">i", len(country)) + country +
            b"\x0a\0\3" + struct.pack(">q", e.id) + b"\0")


def as_json(e):
    return json.dumps(e._asdict()).encode()


class Parser:
    """Options, messages, how its field is called, whether they are text."""

    def __init__(self, encode, options, field="country", text=False):
        self.encode, self.options = encode, options
        self.field, self.text = field, text


PARSERS = {
    "json": Parser(as_json, {"time_field": "time"}, text=True),
    "delimited": Parser(
        lambda e: f"{e.id},{e.time},{e.country}".encode(),
        {"columns": ["id", "time", "country"], "time_field": "time"},
        text=True),
    "logfmt": Parser(
        lambda e: f"id={e.id} time={e.time} country={e.country}".encode(),
        {"time_field": "time"}, text=True),
    "regex": Parser(
        lambda e: f"{e.id} {e.time} {e.country}".encode(),
        {"pattern": r"^\d+ (?<time>\d+) (?<country>\w+)$"}, text=True),
    "msgpack": Parser(lambda e: msgpack.packb(e._asdict()),
                      {"time_field": "time"}),
    "avro": Parser(avro, {"time_field": "time", "schema_file": "event.avsc"}),
    "protobuf": Parser(protobuf, {"time_field": "1"}, field="2"),
    "thrift": Parser(thrift, {"time_field": "1"}, field="2"),
    "raw": Parser(as_json, {"time_source": "kafka"}, field=None, text=True),
}


def hour(e):
    return time.strftime("dt=%Y-%m-%d/hr=%H", time.gmtime(e.time / 1000))


# what it is set to for a field, and the path of an event
PARTITIONERS = {
    "date": (lambda f: {"granularity": "hour"}, hour),
    "field": (lambda f: {"fields": [f], "names": {f: "country"}},
              lambda e: f"country={e.country}"),
    "template": (
        lambda f: {"template": ("c={%s}/" % f if f else "c=/") +
                   "t={time:%Y%m%d%H}"},
        lambda e: f"c={e.country}/" +
        time.strftime("t=%Y%m%d%H", time.gmtime(e.time / 1000))),
    "offset": (lambda f: {"per_partition": 25},
               lambda e: f"offset={e.id // 25 * 25}"),
    "hash": (lambda f: {"buckets": 4, "function": "crc32"},
             lambda e: f"bucket={zlib.crc32(key(e)) % 4}"),
    "partition": (lambda f: {}, lambda e: "partition=0"),
}
OF_A_FIELD = {"field", "template"}


def key(event):
    return b"k%d" % (event.id % 11)


SEQUENCE = ["none", *(f"{kind}-{codec}" for kind in ("record", "block")
                      for codec in ("default", "gzip", "bzip2", "lz4",
                                    "snappy")), "block-zstd"]
AVRO = ["null", "deflate", "snappy", "zstandard", "bzip2"]
CODECS = {"text": list(PLAIN), "json-envelope": list(PLAIN),
          "framed": list(PLAIN), "sequencefile": SEQUENCE, "avro": AVRO}


def format_options(parser, name, codec):
    """What the format is set to for messages of that parser."""
    text = PARSERS[parser].text
    if name == "avro":
        return {"schema_file": "event.avsc", "codec": codec}
    if name == "sequencefile":
        kind, _, codec = codec.partition("-")
        return {"compression_type": kind, **({"codec": codec} if codec else {}),
                "key": "offset" if text else "messagepack"}
    more = {"text": {} if text else {"framing": "varint"}, "framed": {},
            "json-envelope": {"value": "string" if text else "base64"}}[name]
    return {"compression": codec, **more}


def installed(listing):
    """{kind: names} of `secor plugins`; stores and others are left out."""
    kinds = collections.defaultdict(set)
    for line in listing.splitlines():
        kind, name = line.split()[:2]
        kinds[kind].add(name)
    return kinds


def all_combinations(kinds):
    """(parser, partitioner, format, codec), as far as they go together. A
    plugin that the matrix does not know is an error: give it a row."""
    for kind, known in (("parser", PARSERS), ("partitioner", PARTITIONERS),
                        ("format", CODECS)):
        assert kinds[kind] == set(known), (kind, kinds[kind] ^ set(known))
    return [(p, d, f, c) for p in PARSERS for d in PARTITIONERS
            for f in CODECS for c in CODECS[f]
            if not (PARSERS[p].field is None and d in OF_A_FIELD)
            and (f != "avro" or p == "avro")]


COMMON = {"default": "deflate", "null": "none", "zstandard": "zstd"}


def pairs_of(combination):
    """A codec is the same one in every format; records and blocks are two
    formats."""
    parser, partitioner, form, codec = combination
    if form == "sequencefile":
        kind, _, codec = codec.partition("-")
        form += f"-{kind}"
        codec = {"": "none", "lz4": "hadoop-lz4",
                 "snappy": "hadoop-snappy"}.get(codec, codec)
    return set(itertools.combinations(
        (("parser", parser), ("partitioner", partitioner), ("format", form),
         ("codec", COMMON.get(codec, codec))), 2))


def pairwise(combinations):
    """Few of them, in which every pair of values occurs that can."""
    pairs = {c: pairs_of(c) for c in combinations}
    left = set().union(*pairs.values())
    chosen = []
    while left:
        best = max(combinations, key=lambda c: len(pairs[c] & left))
        chosen.append(best)
        left -= pairs[best]
    return chosen


# ---- reading back ----

def read_text(options, data, topic, start):
    data = plain(options["compression"], data)
    if options.get("framing") != "varint":
        lines = data.split(b"\n")
        assert lines.pop() == b""
        return [(None, line) for line in lines]
    values, at = [], 0
    while at < len(data):
        n, at = varint_at(data, at)
        values.append((None, data[at:at + n]))
        at += n
    return values


def read_envelope(options, data, topic, start):
    rows = [json.loads(line) for line in
            plain(options["compression"], data).splitlines()]
    assert all(r["topic"] == topic and r["key"].encode() == key(CORPUS[r["offset"]])
               for r in rows)
    return [(r["offset"], base64.b64decode(r["value"])
             if options["value"] == "base64" else r["value"].encode())
            for r in rows]


def read_framed(options, data, topic, start):
    messages = framed(plain(options["compression"], data), topic.encode(),
                      start)
    assert all(m[1] == CORPUS[m[0]].time and m[3] == key(CORPUS[m[0]]) and
               m[5] == [(b"h", b"x")] for m in messages)
    return [(m[0], m[4]) for m in messages]


def read_avro(options, data, topic, start):
    reader = fastavro.reader(io.BytesIO(data))
    assert reader.metadata["avro.codec"] == options["codec"]
    return [(None, avro(Event(**r))) for r in reader]


READERS = {"text": read_text, "json-envelope": read_envelope,
           "framed": read_framed, "avro": read_avro}


def sequence_pair(options, pair):
    k, value = pair
    if options["key"] == "offset":
        return struct.unpack(">q", k)[0], value
    whole = msgpack.unpackb(k, strict_map_key=False)
    event = CORPUS[whole[1]]
    assert whole == {1: event.id, 3: event.time, 2: key(event)}
    return whole[1], value


def read_sequences(files):
    """[(options, file)] to a list of records each, all by one JVM; what it
    cannot read without native code by block_records."""
    native = [options.get("codec") == "zstd" for options, _ in files]
    dumps = iter(hadoop.seq_dump(
        [f for (_, f), n in zip(files, native) if not n]))
    found = []
    for (options, file), is_native in zip(files, native):
        if is_native:
            raw = block_records(pathlib.Path(file).read_bytes(),
                                PLAIN["zstd"])[1]
            if options["key"] == "messagepack":
                raw = [(k[4:], v) for k, v in raw]
        else:
            raw = next(dumps)["records"]
        found.append([sequence_pair(options, pair) for pair in raw])
    return found
