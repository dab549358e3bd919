"""Where messages go, judged by Python: times by datetime and zoneinfo, hashes
by zlib and a murmur2 of our own."""

import datetime
import json
import random
import zlib
import zoneinfo

from secor import base_config, secor_command, write_config

COUNTRIES = ["DE", "fr", "a/b", "x=y", "..", "", "\u00e9", "50%"]


def escape(value):
    """Hive's, with what goes beyond it (docs/LAYOUT.md)."""
    if value is None or value == "":
        return "__HIVE_DEFAULT_PARTITION__"
    special = set("\"#%'*/:=?\\{[]^\x7f") | {chr(i) for i in range(32)}
    if set(value) == {"."}:
        special = {"."}
    return "".join(f"%{ord(c):02X}" if c in special else c for c in value)


def murmur2(data):
    """Kafka's Utils.murmur2, without its sign bit."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) // 4 * 4
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i:i + 4], "little") * m & mask
        k = (k ^ k >> 24) * m & mask
        h = (h * m & mask) ^ k
    tail = data[whole:]
    if tail:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return (h ^ h >> 15) & 0x7FFFFFFF


def events(rng, count):
    """Messages with a time of any year, also around changes of clocks."""
    changes = [1396141200000, 1414285200000, 1394359200000, 1414918800000]
    for n in range(count):
        time = rng.choice([rng.randrange(0, 4_102_444_800_000),
                           rng.choice(changes) + rng.randrange(-4 * 10**6,
                                                               4 * 10**6)])
        yield {"time": time, "geo": {"country": rng.choice(COUNTRIES)},
               "user": f"u{rng.randrange(10**6)}", "n": n}


def paths(tmp_path, partitioner, messages, *args):
    config = write_config(tmp_path / "secor.yaml", base_config(
        "127.0.0.1:1", "g", "events", partitioner=partitioner,
        parser={"use": "json", "time_field": "time",
                "time_format": "millis",
                "accept_time": {"future": "unlimited"}}))
    done = secor_command("try", config, "--json", *args, stdin="".join(
        json.dumps(m, ensure_ascii=False) + "\n" for m in messages))
    assert done.returncode == 0, done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert not [s for s in said if "path" not in s]
    return [s["path"] for s in said]


def test_templates_give_what_python_computes(tmp_path):
    rng = random.Random(7)
    messages = list(events(rng, 4000))
    for zone in ("UTC", "America/Los_Angeles", "Asia/Kathmandu"):
        at = zoneinfo.ZoneInfo(zone)
        want = []
        for m in messages:
            when = datetime.datetime.fromtimestamp(m["time"] // 1000, at)
            want.append(f"country={escape(m['geo']['country'])}/"
                        f"{when:wk=%G-%V}/{when:dt=%Y-%m-%d}/"
                        f"u-{m['user']}-{when:%H%M}/p=3/"
                        f"off={(5000 + m['n']) // 700 * 700}")
        got = paths(tmp_path, {
            "use": "template", "timezone": zone, "template":
            "country={geo.country}/{time:wk=%G-%V/dt=%F}/u-{user}-{time:%H%M}"
            "/p={partition}/off={offset:700}"},
            messages, "--partition", "3", "--offset", "5000")
        assert got == want


def test_lists_are_joined_and_buckets_are_kafkas(tmp_path):
    rng = random.Random(8)
    messages = list(events(rng, 2000))
    at = zoneinfo.ZoneInfo("Europe/Berlin")
    want = []
    for m in messages:
        user = m["user"].encode()
        both = m["geo"]["country"].encode() + b"\0" + user
        when = datetime.datetime.fromtimestamp(m["time"] // 1000, at)
        ten = when.minute // 10 * 10
        want.append(f"b={murmur2(user) % 12}/c={zlib.crc32(both) % 1000}/"
                    f"k={murmur2(b'key of all') % 64}/"
                    f"{when:dt=%Y-%m-%d/hr=%H}/min={ten:02d}/partition=9")
    got = paths(tmp_path, [
        {"use": "hash", "fields": "user", "buckets": 12, "name": "b"},
        {"use": "hash", "fields": ["geo.country", "user"], "buckets": 1000,
         "function": "crc32", "name": "c"},
        {"use": "hash", "buckets": 64, "name": "k"},
        {"use": "date", "granularity": "10-minute",
         "timezone": "Europe/Berlin"},
        {"use": "partition"}], messages, "--partition", "9",
        "--key", "key of all")
    assert got == want


def test_months_and_minutes_are_those_of_the_calendar(tmp_path):
    rng = random.Random(9)
    messages = list(events(rng, 2000))
    at = zoneinfo.ZoneInfo("America/New_York")
    formats = {"month": "dt=%Y-%m", "day": "dt=%Y-%m-%d",
               "hour": "dt=%Y-%m-%d/hr=%H",
               "minute": "dt=%Y-%m-%d/hr=%H/min=%M"}
    for granularity, text in formats.items():
        want = [datetime.datetime.fromtimestamp(m["time"] // 1000, at)
                .strftime(text) for m in messages]
        got = paths(tmp_path, {"use": "date", "granularity": granularity,
                               "timezone": "America/New_York"}, messages)
        assert got == want
