"""Binary messages of the libraries of others, through `secor try`: the paths,
times and fields that those libraries mean."""

import datetime
import io
import json
import pathlib
import random
import struct
import subprocess

import fastavro
import msgpack
import pytest
import registry
import secor
from google.protobuf import (descriptor_pb2, descriptor_pool, json_format,
                             message, message_factory)
from thrift.protocol import TBinaryProtocol, TCompactProtocol
from thrift.protocol.TProtocol import TProtocolException
from thrift.Thrift import TType
from thrift.transport import TTransport

NOW = 1405970352123  # what Kafka says, in ms


def asked(tmp_path, parser, fields, messages, extra=""):
    """What `secor try` says of each message."""
    partitioner = [{"use": "date"}]
    if fields:
        partitioner.append(
            {"use": "field", "fields": fields, "missing": "default",
             "names": {f: f"f{i}" for i, f in enumerate(fields)}})
    config = tmp_path / "try.yaml"
    config.write_text(
        "kafka: {brokers: ['127.0.0.1:9'], group: g, topics: [t]}\n"
        f"parser: {json.dumps(parser)}\n"
        f"partitioner: {json.dumps(partitioner)}\n"
        "format: {use: text}\n"
        f"store: {{use: local, dir: {json.dumps(str(tmp_path / 'out'))}}}\n"
        f"stage: {{dir: {json.dumps(str(tmp_path / 'stage'))}}}\n" + extra)
    done = subprocess.run(
        [secor.BUILD / "secor", "try", config, "--encoding", "hex", "--json",
         "--timestamp", str(NOW)],
        input="".join(m.hex() + "\n" for m in messages), text=True,
        capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(messages)
    return answers


def damaged(rng, message):
    """Cut off, with a bit turned over, or with bytes behind it."""
    what = rng.randrange(3)
    if what == 0 and message:
        return message[:rng.randrange(len(message))]
    if what == 1 and message:
        at = rng.randrange(len(message))
        return (message[:at] + bytes([message[at] ^ (1 << rng.randrange(8))]) +
                message[at + 1:])
    return message + rng.randbytes(1 + rng.randrange(4))


# ---- MessagePack ----

def some_value(rng, depth):
    kinds = [
        lambda: rng.choice([None, True, False]),
        lambda: rng.randrange(-2**63, 2**64),
        lambda: rng.randrange(-200, 70000),
        lambda: rng.uniform(-1e9, 1e12),
        lambda: rng.choice(["", "de", "ü" * rng.randrange(40), "x" * 99]),
        lambda: b"bytes",
        lambda: msgpack.Timestamp(rng.randrange(2**31), rng.randrange(10**9)),
        lambda: msgpack.ExtType(7, b"e" * rng.randrange(20)),
    ]
    if depth < 4:
        kinds += 2 * [
            lambda: [some_value(rng, depth + 1)
                     for _ in range(rng.randrange(20))],
            lambda: {some_key(rng): some_value(rng, depth + 1)
                     for _ in range(rng.randrange(20))},
        ]
    return rng.choice(kinds)()


def some_key(rng):
    return rng.choice(["a", "b", "country", 0, 1, 7, "k" * 40])


def value_at(value, path):
    """The value at a path, or None."""
    for name in path.split("."):
        if isinstance(value, dict):
            # 1 is a key as well as a place
            value = value.get(name, value.get(int(name))
                              if name.isdigit() else None)
        elif isinstance(value, list) and name.isdigit():
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def clock(ns):
    """A time as text, to the millisecond."""
    at = (datetime.datetime(1970, 1, 1) +
          datetime.timedelta(milliseconds=ns // 10**6))
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + \
        f"{at.microsecond // 1000:03}Z"


def text_of(value):
    """The text of a field; a list: there is none."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, msgpack.Timestamp):
        return clock(value.to_unix_nano())
    if isinstance(value, (dict, list, msgpack.ExtType)):
        return []
    return value


def same_text(said, value):
    if isinstance(value, float):
        return float(said) == value
    return said == (str(value) if isinstance(value, int) else value)


def test_msgpack_is_read_as_python_reads_it(tmp_path):
    rng = random.Random(1)
    fields = ["a", "country", "b.a", "a.1", "a.b.7"]
    values = [{"ts": rng.choice([NOW, NOW // 1000, str(NOW),
                                 msgpack.Timestamp.from_unix_nano(
                                     NOW * 10**6)]),
               **{some_key(rng): some_value(rng, 0) for _ in range(4)}}
              for _ in range(1000)]
    answers = asked(
        tmp_path, {"use": "msgpack", "time_field": "ts"}, fields,
        [msgpack.packb(v) for v in values])
    good = 0
    for value, said in zip(values, answers):
        wanted = [text_of(value_at(value, f)) for f in fields]
        if [] in wanted:
            assert said["reject"].endswith(
                ("is no single value", "is of an extension type")), said
            continue
        good += 1
        assert said["time_ms"] // 1000 == NOW // 1000, said
        for field, want in zip(fields, wanted):
            assert same_text(said["fields"][field], want), (field, value)
    assert good > 300


def test_msgpack_that_is_damaged_is_rejected_or_read_as_python_reads_it(
        tmp_path):
    rng = random.Random(2)
    messages = [damaged(rng, msgpack.packb(
        {"ts": NOW, "a": some_value(rng, 1), "b": {"c": i}}))
        for i in range(1000)]
    answers = asked(tmp_path, {"use": "msgpack", "time_field": "ts"},
                    ["b.c"], messages)
    rejected = 0
    for message, said in zip(messages, answers):
        try:
            msgpack.unpackb(message, strict_map_key=False,
                            object_pairs_hook=list,
                            unicode_errors="surrogateescape")
            none = False
        except (msgpack.ExtraData, msgpack.FormatError, msgpack.StackError):
            none = True
        except ValueError as why:
            if not any(w in str(why) for w in ("incomplete", "exceeds max")):
                continue  # an extension that Python has no class for
            none = True
        rejected += none
        assert none == said.get("reject", "").startswith(
            "the value is no MessagePack: "), (message, said)
    assert 300 < rejected < 1000


# ---- Thrift ----

PROTOCOLS = {"binary": TBinaryProtocol.TBinaryProtocol,
             "compact": TCompactProtocol.TCompactProtocol}


class Thrift:
    """Structs drawn by lot, written by Thrift's own library."""

    def __init__(self, protocol, rng):
        self.rng = rng
        self.out = TTransport.TMemoryBuffer()
        self.p = PROTOCOLS[protocol](self.out)

    def put(self, kind, depth):
        """Writes a value; what it is as a field, [] when it is none."""
        p, rng = self.p, self.rng
        if kind == TType.BOOL:
            value = rng.random() < 0.5
            p.writeBool(value)
            return "true" if value else "false"
        bits = {TType.BYTE: 8, TType.I16: 16, TType.I32: 32, TType.I64: 64}
        if kind in bits:
            value = rng.randrange(-2**(bits[kind] - 1), 2**(bits[kind] - 1))
            {TType.BYTE: p.writeByte, TType.I16: p.writeI16,
             TType.I32: p.writeI32, TType.I64: p.writeI64}[kind](value)
            return str(value)
        if kind == TType.DOUBLE:
            value = rng.uniform(-1e9, 1e9)
            p.writeDouble(value)
            return value
        if kind == TType.STRING:
            value = rng.choice(["", "de", "ü" * rng.randrange(40)])
            p.writeString(value)
            return value
        if kind == TType.STRUCT:
            return self.struct(depth + 1)
        inner = self.kind(depth + 1)
        n = rng.randrange(20)
        if kind == TType.MAP:
            p.writeMapBegin(TType.STRING, inner, n)
            for i in range(n):
                p.writeString(f"k{i}")
                self.put(inner, depth + 1)
            p.writeMapEnd()
            return []
        begin, end = ((p.writeListBegin, p.writeListEnd)
                      if kind == TType.LIST else
                      (p.writeSetBegin, p.writeSetEnd))
        begin(inner, n)
        values = {i: self.put(inner, depth + 1) for i in range(n)}
        end()
        return values

    def kind(self, depth):
        kinds = [TType.BOOL, TType.BYTE, TType.I16, TType.I32, TType.I64,
                 TType.DOUBLE, TType.STRING]
        if depth < 4:
            kinds += [TType.STRUCT, TType.MAP, TType.SET, TType.LIST]
        return self.rng.choice(kinds)

    def field(self, number, kind, depth):
        self.p.writeFieldBegin("", kind, number)
        value = self.put(kind, depth)
        self.p.writeFieldEnd()
        return value

    def struct(self, depth, time=None):
        ids = self.rng.sample([1, 2, 3, 4, 17, 300, 32767, -5],
                              self.rng.randrange(8))
        self.p.writeStructBegin("")
        values = {}
        if time is not None:
            self.p.writeFieldBegin("", TType.I64, 9)
            self.p.writeI64(time)
            self.p.writeFieldEnd()
        for number in ids:
            values[number] = self.field(number, self.kind(depth), depth)
        self.p.writeFieldStop()
        self.p.writeStructEnd()
        return values

    def bytes(self):
        return self.out.getvalue()


def some_struct(protocol, rng):
    one = Thrift(protocol, rng)
    return one.struct(0, NOW), one.bytes()


def thrift_at(values, path):
    for number in path.split("."):
        if not isinstance(values, dict):
            return None
        values = values.get(int(number))
    return [] if isinstance(values, dict) else values


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_thrift_is_read_as_its_library_wrote_it(tmp_path, protocol):
    rng = random.Random(3)
    fields = ["1", "2", "3.1", "4.0", "1.2.3", "32767"]
    structs = [some_struct(protocol, rng) for _ in range(1000)]
    answers = asked(
        tmp_path, {"use": "thrift", "time_field": "9", "protocol": protocol},
        fields, [b for _, b in structs])
    good = 0
    for (values, _), said in zip(structs, answers):
        wanted = [thrift_at(values, f) for f in fields]
        if [] in wanted:
            assert said["reject"].endswith("is no single value"), said
            continue
        good += 1
        assert said["time_ms"] == NOW
        for field, want in zip(fields, wanted):
            assert same_text(said["fields"][field], want), (field, values)
    assert good > 300


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_thrift_that_is_damaged_is_rejected_where_its_library_rejects_it(
        tmp_path, protocol):
    rng = random.Random(4)
    messages = [damaged(rng, some_struct(protocol, rng)[1])
                for _ in range(1000)]
    answers = asked(
        tmp_path, {"use": "thrift", "time_field": "9", "protocol": protocol,
                   "time_missing": "kafka", "time_invalid": "kafka"},
        [], messages)
    rejected = 0
    for message, said in zip(messages, answers):
        no = said.get("reject", "").startswith("the value is no Thrift struct")
        transport = TTransport.TMemoryBuffer(message)
        try:
            PROTOCOLS[protocol](transport).skip(TType.STRUCT)
            whole = transport.cstringio_buf.tell() == len(message)
            assert whole != no, (message.hex(), said)
        except UnicodeDecodeError:
            continue  # text that nobody wants may be any bytes
        except (EOFError, TProtocolException, KeyError, AssertionError,
                TTransport.TTransportException):
            assert no, (message.hex(), said)
        rejected += no
    assert 300 < rejected < 1000


# ---- protobuf ----

EVENT_PB = (pathlib.Path(__file__).resolve().parents[1] /
            "unit/plugins/parser/samples/event.pb")


def event_class():
    """logs.v1.Event as Google's library makes it of the same file."""
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(
            EVENT_PB.read_bytes()).file:
        pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("logs.v1.Event"))


def some_event(rng, event):
    chance = rng.random
    e = event(country=rng.choice(["", "de", "ü"]),
              change=rng.randrange(-2**63, 2**63),
              score=rng.uniform(-1e9, 1e9), good=chance() < 0.5,
              big=rng.randrange(2**64), small=rng.randrange(-2**31, 2**31),
              ratio=rng.uniform(-10, 10), kind=rng.choice([0, 5, 77]),
              tags=["t"] * rng.randrange(4), raw=b"raw",
              sint=rng.randrange(-2**31, 2**31), wide=rng.randrange(2**64),
              counts={"a": 1}, snake_case=rng.randrange(-9, 9))
    if chance() < 0.5:
        e.maybe = rng.randrange(3)
    if chance() < 0.5:
        e.text_id = "id"
    elif chance() < 0.5:
        e.number_id = rng.randrange(-9, 9)
    if chance() < 0.7:
        e.inner.id = rng.randrange(9)
    at = e.meta
    for _ in range(rng.randrange(1, 4)):
        at.created.FromMilliseconds(NOW)
        at.millis = rng.randrange(-2**40, 2**40)
        at = at.parent
    return e


def protobuf_at(e, path):
    *above, last = path.split(".")
    for name in above:
        if not e.HasField(name):
            return None
        e = getattr(e, name)
    field = e.DESCRIPTOR.fields_by_name[last]
    if field.has_presence and not e.HasField(last):
        return None
    value = getattr(e, last)
    if field.enum_type is not None:
        name = field.enum_type.values_by_number.get(value)
        return name.name if name else value
    return text_of(value)


def test_protobuf_is_read_as_googles_library_reads_it(tmp_path):
    rng = random.Random(5)
    event = event_class()
    events = [some_event(rng, event) for _ in range(1000)]
    fields = ["country", "change", "score", "good", "big", "small", "ratio",
              "kind", "raw", "sint", "wide", "maybe", "text_id", "number_id",
              "inner.id", "meta.millis", "meta.parent.millis",
              "meta.parent.parent.millis", "snake_case"]
    for framing, front, some in (
            ("none", b"", fields[:7]),
            ("confluent", bytes.fromhex("00000000010202"), fields[7:14]),
            ("none", b"", fields[14:])):
        answers = asked(
            tmp_path, {"use": "protobuf", "time_field": "meta.created",
                       "descriptor_set": str(EVENT_PB), "framing": framing,
                       "message": "logs.v1.Event"},
            some, [front + e.SerializeToString() for e in events])
        for e, said in zip(events, answers):
            assert said.get("time_ms") == NOW, said
            for field in some:
                want, got = protobuf_at(e, field), said["fields"][field]
                if field == "ratio":
                    assert struct.pack("f", float(got)) == struct.pack(
                        "f", want), (got, want)
                else:
                    assert same_text(got, want), (field, want, got)


def test_protobuf_that_is_damaged_is_rejected_where_googles_library_rejects_it(
        tmp_path):
    rng = random.Random(6)
    event = event_class()
    messages = [damaged(rng, some_event(rng, event).SerializeToString())
                for _ in range(1000)]
    answers = asked(
        tmp_path, {"use": "protobuf", "time_field": "meta.created",
                   "descriptor_set": str(EVENT_PB), "message": "logs.v1.Event",
                   "time_missing": "kafka", "time_invalid": "kafka"},
        ["meta.parent.millis"], messages)
    rejected = 0
    for data, said in zip(messages, answers):
        no = said.get("reject", "").startswith("the value is no protobuf")
        rejected += no
        try:
            json_format.MessageToDict(event.FromString(data))
            assert not no, (data.hex(), said)
        except (message.DecodeError, ValueError):
            pass  # also for what nobody wants: UTF-8, nested messages
    assert 200 < rejected < 1000


# ---- Avro ----

AVRO = {
    "type": "record", "name": "Event", "namespace": "logs", "fields": [
        {"name": "nothing", "type": "null"},
        {"name": "when", "type": {"type": "long",
                                  "logicalType": "timestamp-millis"}},
        {"name": "country", "type": ["null", "string"]},
        {"name": "meta", "type": {"type": "record", "name": "Meta", "fields": [
            {"name": "n", "type": "int"},
            {"name": "up", "type": ["null", "Meta"]},
            {"name": "day", "type": {"type": "int", "logicalType": "date"}},
            {"name": "list", "type": {"type": "array", "items": "long"}}]}},
        {"name": "kind", "type": {"type": "enum", "name": "Kind",
                                  "symbols": ["VIEW", "CLICK"]}},
        {"name": "hash", "type": {"type": "fixed", "name": "Hash",
                                  "size": 4}},
        {"name": "many", "type": {"type": "map", "values": [
            "string", "double", "boolean"]}},
        {"name": "nulls", "type": {"type": "array", "items": "null"}},
        {"name": "ratio", "type": "float"},
        {"name": "raw", "type": "bytes"},
        {"name": "micros", "type": {"type": "long",
                                    "logicalType": "timestamp-micros"}},
        {"name": "other", "type": ["null", "Kind", "Hash"]}]}


def some_meta(rng, depth=0):
    return {"n": rng.randrange(-2**31, 2**31),
            "up": some_meta(rng, depth + 1)
            if depth < 3 and rng.random() < 0.6 else None,
            "day": datetime.date(2014, 7, 21),
            "list": [rng.randrange(-2**63, 2**63)
                     for _ in range(rng.randrange(5))]}


def some_avro(rng):
    utc = datetime.timezone.utc
    now = datetime.datetime.fromtimestamp(NOW // 1000, utc).replace(
        microsecond=NOW % 1000 * 1000)
    return {"nothing": None, "when": now,
            "country": rng.choice([None, "de", "ü" * 9]),
            "meta": some_meta(rng), "kind": rng.choice(["VIEW", "CLICK"]),
            "hash": b"hash", "nulls": [None] * rng.randrange(1000),
            "many": {rng.choice("abc"): rng.choice(["s", 2.5, True])
                     for _ in range(rng.randrange(5))},
            "ratio": 0.5, "raw": b"raw", "micros": now,
            "other": rng.choice([None, "CLICK", b"hash"])}


def avro_bytes(record):
    out = io.BytesIO()
    fastavro.schemaless_writer(out, fastavro.parse_schema(AVRO), record)
    return out.getvalue()


def avro_text(value):
    if isinstance(value, datetime.datetime):
        return clock(round(value.timestamp() * 1000) * 10**6)
    if isinstance(value, datetime.date):
        return value.isoformat()
    return text_of(value)


AVRO_FIELDS = ["country", "meta.up.n", "meta.up.list.1", "kind", "many.a",
               "other", "meta.day", "nothing", "hash", "ratio", "raw",
               "micros", "meta.up.up.day"]


@pytest.mark.parametrize("some", [AVRO_FIELDS[:7], AVRO_FIELDS[7:]])
def test_avro_is_read_as_fastavro_wrote_it(tmp_path, some):
    rng = random.Random(7)
    records = [some_avro(rng) for _ in range(500)]
    (tmp_path / "event.avsc").write_text(json.dumps(AVRO))
    parser = {"use": "avro", "time_field": "when", "schema_file": "event.avsc"}
    plain = asked(tmp_path, parser, some, [avro_bytes(r) for r in records])
    with registry.Registry({7: AVRO}) as server:
        framed = asked(
            tmp_path, {"use": "avro", "time_field": "when",
                       "framing": "confluent", "registry": server.url},
            some, [b"\0\0\0\0\7" + avro_bytes(r) for r in records])
    assert plain == framed and server.requests == 1
    for record, said in zip(records, plain):
        assert said.get("time_ms") == NOW, said
        for field in some:
            assert same_text(said["fields"][field],
                             avro_text(value_at(record, field))), (field, said)


def test_avro_that_is_damaged_is_rejected_where_fastavro_rejects_it(tmp_path):
    rng = random.Random(8)
    (tmp_path / "event.avsc").write_text(json.dumps(AVRO))
    messages = [damaged(rng, avro_bytes(some_avro(rng))) for _ in range(1000)]
    answers = asked(
        tmp_path, {"use": "avro", "time_field": "when",
                   "schema_file": "event.avsc", "time_missing": "kafka",
                   "time_invalid": "kafka"}, [], messages)
    schema = fastavro.parse_schema(AVRO)
    rejected = 0
    for data, said in zip(messages, answers):
        no = said.get("reject", "").startswith("the value is not of its Avro")
        rejected += no
        source = io.BytesIO(data)
        try:
            fastavro.schemaless_reader(source, schema)
        except (EOFError, IndexError, ValueError, OverflowError, MemoryError,
                UnicodeDecodeError, TypeError):
            continue  # also for text that nobody wants, and years
        if source.tell() != len(data):
            assert no, (data.hex(), said)
    assert 300 < rejected < 1000


def test_schema_that_is_unknown_or_unusable_is_a_bad_message(tmp_path):
    rng = random.Random(9)
    point = {"type": "record", "name": "Point", "fields": [
        {"name": "ts", "type": "Stamp"}]}
    stamp = {"type": "record", "name": "Stamp", "fields": [
        {"name": "s", "type": "long"}]}
    with registry.Registry({
            1: AVRO, 2: {"type": "nonsense"},
            3: ("PROTOBUF", "syntax"), 4: ("AVRO", json.dumps(point), [
                {"name": "Stamp", "subject": "a/b c", "version": 2}])},
            {("a/b c", 2): stamp}) as server:
        whole = avro_bytes(some_avro(rng))
        answers = asked(
            tmp_path, {"use": "avro", "time_field": "ts.s",
                       "framing": "confluent", "registry": server.url,
                       "time_missing": "kafka", "registry_user": "me",
                       "registry_password": "pass", "unknown_schema_wait":
                       "1s"}, [],
            [b"\0\0\0\0\1" + whole, b"\0\0\0\0\2" + whole,
             b"\0\0\0\0\3" + whole, b"\0\0\0\0\4\x0a",
             b"\0\0\0\0\5" + whole, b"\0\0\0\0\5" + whole,
             b"\1" + whole, b"", b"\0\0"])
        assert server.authorizations == {"Basic bWU6cGFzcw=="}
    said = [a.get("reject") or a["time_ms"] for a in answers]
    assert said == [
        NOW, "unusable schema: id 2: there is no type 'nonsense'",
        "unusable schema: id 3: schema registry: the schema is not Avro's",
        5000, "unknown schema: the registry has no id 5",
        "unknown schema: the registry has no id 5",
        "the value has no frame: its first byte is not 0",
        "the value has no frame: it is empty",
        "the value has no frame: it is cut off"]
