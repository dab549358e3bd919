"""Avro container files, judged by fastavro."""

import io
import json
import struct

import fastavro
import pytest

from test_formats import make, packed, read, refused, run


SCHEMA = {
    "type": "record", "name": "Event", "namespace": "org.example",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "name", "type": ["null", "string"], "default": None},
        {"name": "small", "type": "int"},
        {"name": "yes", "type": "boolean"},
        {"name": "f", "type": "float"}, {"name": "d", "type": "double"},
        {"name": "raw", "type": "bytes"},
        {"name": "four", "type": {"type": "fixed", "name": "Four", "size": 4}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind",
                                  "symbols": ["A", "B", "C"]}},
        {"name": "list", "type": {"type": "array", "items": "long"}},
        {"name": "map", "type": {"type": "map", "values": "string"}},
        {"name": "time", "type": {"type": "long",
                                  "logicalType": "timestamp-millis"}},
        {"name": "next", "type": ["null", "Event"], "default": None}]}


def event(i, deep=0):
    return {"id": i * 2**40 - 5, "name": None if i % 3 else f"n\u00e9{i}",
            "small": -i, "yes": i % 2 == 0, "f": 0.5 * i, "d": i / 3,
            "raw": bytes([i % 256]) * (i % 9), "four": b"abcd",
            "kind": "ABC"[i % 3], "list": list(range(i % 5)),
            "map": {f"k{j}": "v" * j for j in range(i % 4)},
            "time": 1700000000000 + i,
            "next": event(i + 1, deep - 1) if deep > 0 else None}


def datum(record, schema=SCHEMA):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), record)
    return out.getvalue()


AVRO_CODECS = ["null", "deflate", "snappy", "zstandard", "bzip2"]


def plain_of(record):
    """Without what fastavro makes of logical types."""
    if isinstance(record, dict) and "time" in record:
        time = record["time"]
        return {**record, "next": plain_of(record["next"]),
                "time": time if isinstance(time, int) else
                round(time.timestamp() * 1000)}
    return record


@pytest.mark.parametrize("codec", AVRO_CODECS)
def test_avro_files_are_read_by_fastavro(codec, tmp_path):
    schema = tmp_path / "event.avsc"
    schema.write_text(json.dumps(SCHEMA, indent=2))
    options = {"schema_file": schema, "codec": codec, "block_size": 20000}
    records = [(i, datum(event(i, i % 4))) for i in range(3000)]
    data = make("avro", options, records)
    reader = fastavro.reader(io.BytesIO(data))
    assert [plain_of(r) for r in reader] == [
        event(i, i % 4) for i in range(3000)]
    assert reader.metadata["avro.codec"] == codec
    assert reader.metadata["avro.schema"] == schema.read_text()
    blocks = list(fastavro.block_reader(io.BytesIO(data)))
    assert len(blocks) > 5 and sum(b.num_records for b in blocks) == 3000
    assert read("avro", options, data) == [(-1, v) for _, v in records]
    assert make("avro", options, records) == data
    assert make("avro", {**options, "buffer": 4096}, records) == data
    empty = make("avro", options, [])
    assert list(fastavro.reader(io.BytesIO(empty))) == []
    assert "ends" in refused("avro", options, data[:-1])


@pytest.mark.parametrize("codec", AVRO_CODECS)
def test_avro_reads_what_fastavro_writes(codec, tmp_path):
    schema = tmp_path / "s.avsc"
    schema.write_text('"null"')
    out = io.BytesIO()
    events = [event(i, i % 3) for i in range(2000)]
    fastavro.writer(out, fastavro.parse_schema(SCHEMA), events, codec=codec,
                    sync_interval=9000)
    values = read("avro", {"schema_file": schema}, out.getvalue())
    assert values == [(-1, datum(e)) for e in events]


def test_avro_of_confluent_loses_its_prefix_and_gets_it_back(tmp_path):
    schema = tmp_path / "event.avsc"
    schema.write_text(json.dumps(SCHEMA))
    options = {"schema_file": schema, "framing": "confluent", "schema_id": 71}
    head = b"\0" + struct.pack(">I", 71)
    records = [(i, head + datum(event(i))) for i in range(100)]
    data = make("avro", options, records)
    assert [plain_of(r) for r in fastavro.reader(io.BytesIO(data))] == [
        event(i) for i in range(100)]
    assert read("avro", options, data) == [(-1, v) for _, v in records]
    for bad in (b"", b"\0\0\0", b"\1" + records[0][1][1:], None,
                b"\0" + struct.pack(">I", 72) + datum(event(1))):
        done = run("avro", "make", options, packed([(0, bad)]))
        assert done.returncode == 1, bad


def test_avro_that_is_not_of_the_schema_is_a_bad_message(tmp_path):
    schema = tmp_path / "event.avsc"
    schema.write_text(json.dumps(SCHEMA))
    good = datum(event(7, 2))
    bad = [good[:n] for n in range(len(good))] + [good + b"\0", None]
    for value in bad:
        done = run("avro", "make", {"schema_file": schema},
                   packed([(0, value)]))
        assert done.returncode == 1 and done.stderr.startswith(b"encode: "), \
            value


def test_avro_judges_turned_bits_as_fastavro_does(tmp_path):
    """What is taken can be read by fastavro, all of it."""
    schema = tmp_path / "event.avsc"
    schema.write_text(json.dumps(SCHEMA))
    parsed = fastavro.parse_schema(SCHEMA)
    good, taken = datum(event(10, 1)), 0
    for bit in range(0, 8 * len(good), 5):
        value = bytearray(good)
        value[bit // 8] ^= 1 << bit % 8
        done = run("avro", "make", {"schema_file": schema},
                   packed([(0, bytes(value))]))
        if done.returncode == 0:
            source = io.BytesIO(bytes(value))
            fastavro.schemaless_reader(source, parsed)
            assert source.tell() == len(value)
            taken += 1
    assert taken > 10
