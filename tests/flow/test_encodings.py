"""Binary messages of the libraries of others, through `secor try`: the paths,
times and fields that those libraries mean."""

import datetime
import json
import random
import struct
import subprocess

import msgpack
import secor

NOW = 1405970352123  # what Kafka says, in ms


def asked(tmp_path, parser, fields, messages, extra=""):
    """What `secor try` says of each message."""
    partitioner = [{"use": "field", "fields": fields, "missing": "default",
                    "names": {f: f"f{i}" for i, f in enumerate(fields)}},
                   {"use": "date"}]
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
              for _ in range(3000)]
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
    assert good > 1000


def test_msgpack_that_is_damaged_is_rejected_or_read_as_python_reads_it(
        tmp_path):
    rng = random.Random(2)
    messages = [damaged(rng, msgpack.packb(
        {"ts": NOW, "a": some_value(rng, 1), "b": {"c": i}}))
        for i in range(3000)]
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
    assert 1000 < rejected < 3000
