"""What the original makes of a message: its parsers and partitions, vector by
vector (the number is the first column), through `secor try`. Each is

  ORIGINAL       the same here, always
  COMPAT, other  the same under `compat: secor`, and `other` without it
  BETTER, other  `other` in both, for the reason beside it

A path of None is a bad message. Vectors of times alone are in the unit tests
when_test, when_compat_test and when_pattern_test, those of names of objects in
path_test and, read back (177 to 188), in verify_strangers_test, of paths back in
time (152 to 172) in date_back_test, of MessagePack, Thrift, Protobuf and Avro in
msgpack_test, thrift_test, protobuf_test and test_encodings, of SequenceFiles (231,
232, 257 to 278) in golden_test, of property files (195 to 204) in properties_test
and migration_test."""

import json
import subprocess

import pytest
import secor

ORIGINAL, COMPAT, BETTER = "as the original", "compat: secor", "better"

DAY = [{"use": "date"}]
HOUR = [{"use": "date", "granularity": "hour"}]
MINUTE = [{"use": "date", "granularity": "minute"}]


def date(granularity="hour", **options):
    return [{"use": "date", "granularity": granularity, **options}]


def by_json(field="timestamp", **options):
    return {"use": "json", "time_field": field, **options}


# the JSON parser of the original takes 1970 for a missing time
JSON = by_json(time_missing="1970-01-01")
STRICT = by_json()
NESTED = by_json("meta_data.created", time_missing="1970-01-01")
STAMP = '{"timestamp":"1405911096"}'
MILLIS = '{"timestamp":1405911096123}'
D1970 = "dt=1970-01-01"
D = "dt=2014-07-21"


def by_date(pattern, **options):
    return by_json(time_format=pattern, **options)


def split(granularity, **options):
    return [{"use": "field", "fields": ["type"], "bare": True},
            {"use": "date", "granularity": granularity, **options}]


def regex(pattern):
    return {"use": "regex", "pattern": pattern}


VECTORS = [
    (18, JSON, DAY, STAMP, D, ORIGINAL),
    # 1970 has to be asked for
    (21, JSON, DAY, '{"a":1}', D1970, ORIGINAL),
    (21, STRICT, DAY, '{"a":1}', D1970, BETTER, None),
    (22, NESTED, DAY, '{"meta_data":{"created":"1405911096123"}}', D,
     ORIGINAL),
    (24, by_json(time_source="kafka"), DAY, '{"timestamp":"1"}', D, ORIGINAL),
    (24, by_json(time_source="kafka"), DAY, '{}', D, ORIGINAL),
    (25, JSON, DAY, MILLIS, D, ORIGINAL),
    (27, JSON, date(timezone="IST"), STAMP, D + "/hr=08", ORIGINAL),
    (28, JSON, MINUTE, MILLIS, D + "/hr=02/min=51", ORIGINAL),
    (31, JSON, date("minute", timezone="Asia/Kathmandu"), MILLIS,
     D + "/hr=08/min=36", ORIGINAL),
    (32, JSON, date(timezone="America/Los_Angeles"), MILLIS,
     "dt=2014-07-20/hr=19", ORIGINAL),
    (32, JSON, date(timezone="PST"), MILLIS, "dt=2014-07-20/hr=19", ORIGINAL),
    (34, JSON, date(timezone="EST"), MILLIS, "dt=2014-07-20/hr=21", ORIGINAL),
    (37, JSON, DAY, '{"timestamp":1405970352.9}', D, ORIGINAL),
    (38, JSON, DAY, '{"timestamp":1.405970352123E12}', D, ORIGINAL),
    (41, JSON, DAY, '{"timestamp":-1}', "dt=1969-12-31", ORIGINAL),
    (42, JSON, DAY, '{"timestamp":0}', D1970, ORIGINAL),
    (44, JSON, DAY, '{"timestamp":"Infinity"}', "dt=2262-04-11", COMPAT, None),
    (45, JSON, DAY, '{"timestamp":"1e3d"}', D1970, COMPAT, None),
    (47, JSON, DAY, '{"timestamp":"abc"}', None, ORIGINAL),
    (47, JSON, DAY, '{"timestamp":""}', None, ORIGINAL),
    (47, JSON, DAY, '{"timestamp":true}', None, ORIGINAL),
    (47, JSON, DAY, '{"timestamp":[1]}', None, ORIGINAL),
    (47, JSON, DAY, '{"timestamp":"0x10"}', None, ORIGINAL),
    (48, JSON, DAY, "{bad json", None, ORIGINAL),
    (48, JSON, DAY, '{"timestamp":1405970352', None, ORIGINAL),
    (48, JSON, DAY, "null", None, ORIGINAL),
    # what is no JSON is a bad message
    (51, JSON, DAY, "{'timestamp':1405970352}", D, BETTER, None),
    (51, JSON, DAY, "{timestamp:1405970352}", D, BETTER, None),
    (52, JSON, DAY, '{"timestamp":1405970352} trailing', D, BETTER, None),
    (54, NESTED, DAY, '{"meta_data":{}}', D1970, ORIGINAL),
    (54, NESTED, DAY, "{}", D1970, ORIGINAL),
    (54, NESTED, DAY, '{"meta_data.created":1405911096123}', D1970, ORIGINAL),
    # a null on the way is a missing time as any other
    (55, NESTED, DAY, '{"meta_data":null}', None, BETTER, D1970),
    (57, by_json("meta_data\\.created"), DAY,
     '{"meta_data.created":1405911096123}', D, ORIGINAL),
    (58, by_json("meta_data\\.created", time_missing="1970-01-01"), DAY,
     '{"meta_data":{"created":1405911096123}}', D1970, ORIGINAL),

    (87, by_date("yyyy-MM-dd HH:mm:ss"), DAY, "2014-07-30 10:53:20",
     "dt=2014-07-30", ORIGINAL),
    (88, by_date("yyyy/MM/d"), DAY, "2014/10/25", "dt=2014-10-25", ORIGINAL),
    # what stands behind may be a zone: it is not passed over
    (91, by_date("yyyy-MM-dd'T'HH:mm:ss"), DAY, "2006-01-02T15:04:05Z",
     "dt=2006-01-02", COMPAT, None),
    (92, by_date("yyyy-MM-dd'T'HH:mm:ss"), DAY,
     "2006-01-02T23:59:59.999999999Z", "dt=2006-01-02", COMPAT, None),
    (94, by_date("yyy-MM-dd :s", time_invalid="1970-01-01"), DAY,
     "2014-07-30 10:53:20", D1970, ORIGINAL),
    (95, by_date("yyyy-MM-dd HH:mm:ss"),
     date("day", date_name="", date_format="'foo'yyyy-MM-dd"),
     "2014-07-30 10:53:20", "foo2014-07-30", ORIGINAL),
    (97, by_date("yyyy-MM-dd HH:mm:ss"),
     date("day", date_name="",
          date_format="'yr='yyyy'/mo='MM'/dy='dd'/hr='HH"),
     "2014-07-30 10:53:20", "yr=2014/mo=07/dy=30/hr=10", ORIGINAL),
    # nine digits of a fraction are no days
    (98, by_date("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"), DAY,
     "2006-01-02T23:59:59.999999999Z", "dt=2006-01-14", COMPAT,
     "dt=2006-01-02"),
    (101, by_date("yyyy-MM-dd'T'HH:mm:ss.SSSZ"), DAY,
     "2020-12-08T23:11:55.019-0300", "dt=2020-12-09", ORIGINAL),
    # no day that does not exist
    (102, by_date("yyyy-MM-dd"), DAY, "2014-02-30", "dt=2014-03-02", COMPAT,
     None),
    (104, by_date("yy-MM-dd"), DAY, "14-07-30", "dt=2014-07-30", ORIGINAL),
    (105, by_date("EEE MMM dd HH:mm:ss yyyy"), DAY,
     "Sat Jul 23 02:16:57 2005", "dt=2005-07-23", ORIGINAL),
    (107, by_date("MM/dd/yyyy HH:mm:ss"), DAY, "04/26/2017 14:59:50",
     "dt=2017-04-26", ORIGINAL),
    (108, by_date("dd/MMM/yyyy:HH:mm:ss Z"), DAY,
     "10/Oct/2000:13:55:36 -0700", "dt=2000-10-10", ORIGINAL),
    (111, by_date("DDDyyyy"), DAY, "2112014", "dt=2014-07-30", ORIGINAL),
    (112, by_date("YYYY-'W'ww-u"), DAY, "2014-W31-3", "dt=2014-07-30",
     ORIGINAL),
    (114, by_date("yyyy-MM-dd HH:mm:ss", timezone="America/New_York"),
     date("day", timezone="America/New_York"), "2014-07-30 23:53:20",
     "dt=2014-07-30", ORIGINAL),
    (115, by_date("yyyy-MM-dd", time_missing="1970-01-01"), DAY, "{}", D1970,
     ORIGINAL),
    # the prefix is that of all days
    (115, by_date("yyyy-MM-dd", time_missing="1970-01-01"),
     date("day", date_name="", date_format="'foo'yyyy-MM-dd"), "{}", D1970,
     BETTER, "foo1970-01-01"),
    # what is no JSON is a bad message
    (115, by_date("yyyy-MM-dd", time_missing="1970-01-01"), DAY, "{broken",
     D1970, BETTER, None),

    (131, regex(r"ts=(?<time>\d+)"), DAY, "a\nb ts=1442960340123 c",
     "dt=2015-09-22", ORIGINAL),
    (132, regex(r"^ts=(?<time>\d+)$"), DAY, "x\nts=1442960340123", None,
     ORIGINAL),
    (134, regex(r"ts=(?<time>\d*)"), DAY, "ts=", None, ORIGINAL),
    (134, regex(r"ts=(?<time>\d+)?"), DAY, "ts=", None, ORIGINAL),
    (137, STRICT, split("day"),
     '{"type":"event1","timestamp":"1405911096000"}', "event1/" + D, ORIGINAL),
    (137, STRICT, split("hour"),
     '{"type":"event1","timestamp":"1405911096000"}', f"event1/{D}/hr=02",
     ORIGINAL),
    (137, STRICT, split("hour", timezone="IST"),
     '{"type":"event1","timestamp":"1405911096000"}', f"event1/{D}/hr=08",
     ORIGINAL),
    (138, STRICT, split("day"), '{"type":"event1"}', None, ORIGINAL),
    (138, STRICT, split("day"), STAMP, None, ORIGINAL),
    (141, STRICT, split("day"), '{"type":null,"timestamp":1405911096}', None,
     ORIGINAL),
    (142, STRICT, split("day"), '{"type":5,"timestamp":1405911096}', "5/" + D,
     ORIGINAL),
    # an object is no name of a folder
    (142, STRICT, split("day"), '{"type":{"a":1},"timestamp":1405911096}',
     '{"a":1}/' + D, BETTER, None),
    # a value is one level
    (142, STRICT, split("day"), '{"type":"a/b","timestamp":1405911096}',
     "a/b/" + D, BETTER, "a%2Fb/" + D),
    # and it has a name
    (142, STRICT, split("day"), '{"type":"","timestamp":1405911096}',
     "/" + D, BETTER, "__HIVE_DEFAULT_PARTITION__/" + D),
    # Kafka's time, not that of a clock, which a retry reads again
    (151, {"use": "raw", "time_source": "kafka"}, MINUTE, "x",
     "dt=2026-11-23/hr=00/min=55", BETTER, D + "/hr=02/min=51"),
]


def path_of(tmp_path, parser, partitioner, message, compat, offset=0):
    config = tmp_path / "try.yaml"
    config.write_text(
        ("compat: secor\n" if compat else "") +
        "kafka: {brokers: ['127.0.0.1:9'], group: g, topics: [t]}\n"
        f"parser: {json.dumps({**parser, 'accept_time': ANY_TIME})}\n"
        f"partitioner: {json.dumps(partitioner)}\n"
        "format: {use: text}\n"
        f"store: {{use: local, dir: {json.dumps(str(tmp_path / 'out'))}}}\n"
        f"stage: {{dir: {json.dumps(str(tmp_path / 'stage'))}}}\n")
    done = subprocess.run(
        [secor.BUILD / "secor", "try", config, "--encoding", "hex", "--json",
         "--timestamp", "1405911096123", "--offset", str(offset)],
        input=message.encode().hex() + "\n", text=True, capture_output=True,
        timeout=60)
    assert done.stdout, done.stderr
    return json.loads(done.stdout).get("path")


ANY_TIME = {"future": "unlimited"}


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: str(v[0]))
def test_vector(tmp_path, vector):
    number, parser, partitioner, message, original, mark, *other = vector
    if parser.get("use") == "json" and not message.startswith("{") and \
            message != "null":
        message = json.dumps({"timestamp": message})
    ours = other[0] if other else original
    assert mark == ORIGINAL or ours != original
    assert path_of(tmp_path, parser, partitioner, message, True) == \
        (ours if mark == BETTER else original)
    assert path_of(tmp_path, parser, partitioner, message, False) == ours


@pytest.mark.parametrize("offset, path", [
    (0, "offset=0"), (9, "offset=0"), (10, "offset=10"), (25, "offset=20"),
    (99, "offset=90"), (100, "offset=100")])
def test_vector_148(tmp_path, offset, path):
    for compat in False, True:
        assert path_of(tmp_path, {"use": "raw", "time_source": "kafka"},
                       [{"use": "offset", "per_partition": 10}], "x", compat,
                       offset) == path


# 35: an unknown zone was GMT there; 135: a pattern without a group was an error
# for each message. Here they are none of a configuration.
@pytest.mark.parametrize("parser, partitioner, text", [
    (JSON, date(timezone="Nonsense/Zone"), "there is no such time zone"),
    (JSON, date(timezone=""), "there is no such time zone"),
    (regex(r"ts=\d+"), DAY, "has no group 'time'"),
])
def test_configuration_that_cannot_work_is_refused(tmp_path, parser,
                                                   partitioner, text):
    with pytest.raises(AssertionError, match=text):
        path_of(tmp_path, parser, partitioner, "x", True)
