"""A million messages to S3, and SequenceFiles of all modes, read by others."""

import concurrent.futures
import json
import pathlib

import duckdb
import hadoop
import kafka as clients
import proof
import pytest
from flow import settings, verify, wait_done
from secor import secor_command

MILLION = 1_000_000
PARTITIONS = 4
# compression_type, codec: what the name ends in
MODES = {("none", "default"): "", ("record", "default"): "",
         ("record", "gzip"): "", ("block", "default"): ".deflate",
         ("block", "gzip"): ".gz"}


def s3_store(server, tree, **more):
    return {"use": "s3", "bucket": tree.bucket, "prefix": "raw",
            "endpoint": server.endpoint, "region": server.region,
            "access_key": server.access_key, "secret_key": server.secret_key,
            **more}


def download(tree, keys, folder):
    """The objects as files below folder."""
    def one(key):
        path = pathlib.Path(folder) / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tree.get(key))
        return path
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, keys))


def produce(address, topic, count, *more):
    done = secor_command("produce", "--brokers", address, topic, "--count",
                         count, "--size", 300, *more, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=["rgw", "weed"])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.mark.timeout(600)
def test_a_million_messages_are_each_in_one_object(
        kafka, topic, group, secor, server, bucket, tmp_path):
    name, tree = topic(partitions=PARTITIONS), bucket(server)
    produce(kafka.address, name, MILLION, "--late", "20%")
    process = secor(settings(
        kafka.address, group, name, s3_store(server, tree),
        parser={"use": "json", "time_field": "ts"},
        format={"use": "text", "compression": "gzip"},
        batch={"max_age": "2s"}))
    process.start()
    wait_done(kafka.address, group, name, PARTITIONS, 200)
    assert process.stop() == 0
    keys = proof.object_keys(tree)
    hours = {proof.parse_name(k, name)["path"] for k in keys}
    assert len(hours) >= 4, hours
    download(tree, keys, tmp_path / "read")
    found = duckdb.sql(f"""
        SELECT count(*), count(DISTINCT id), min(id), max(id),
               count(*) FILTER (strftime(make_timestamp(ts * 1000),
                                'dt=%Y-%m-%d/hr=%H') <> path)
        FROM (SELECT *, regexp_extract(filename, 'dt=[^/]*/hr=[^/]*') AS path
              FROM read_json('{tmp_path}/read/**/*.gz', filename = true,
                             format = 'newline_delimited', columns =
                             {{'id': 'BIGINT', 'ts': 'BIGINT'}}))
        """).fetchall()[0]
    assert found == (MILLION, MILLION, 0, MILLION - 1, 0)
    verify(process)


def seq_settings(address, group, prefix, store):
    config = settings(
        address, group, f"^{prefix}-", store,
        format={"use": "sequencefile"},
        parser={"use": "json", "time_field": "ts"},
        batch={"max_age": "1s", "max_messages": 1000})
    config["overrides"] = [
        {"match": f"^{prefix}-{kind}-{codec}$", "format": {
            "use": "sequencefile", "compression_type": kind, "codec": codec,
            "block_size": 20000}} for kind, codec in MODES]
    return config


def test_sequence_files_of_all_modes_are_read_by_hadoop(
        kafka, topic, group, secor, weed, bucket, tmp_path):
    """Keys are the offsets, each once; values are the messages."""
    tree, names = bucket(weed), {}
    for kind, codec in MODES:
        names[kind, codec] = topic(2, name=f"{group}-{kind}-{codec}")
        produce(kafka.address, names[kind, codec], 3000, "--late", "10%")
    process = secor(seq_settings(kafka.address, group, group,
                                 s3_store(weed, tree)))
    process.start()
    for name in names.values():
        wait_done(kafka.address, group, name, 2)
    assert process.stop() == 0
    keys = proof.object_keys(tree)
    files = download(tree, keys, tmp_path / "read")
    found = {name: [] for name in names.values()}
    for key, dump in zip(keys, hadoop.seq_dump(files)):
        name = key.split("/")[1]
        at = proof.parse_name(key, name)
        mode = next(m for m, n in names.items() if n == name)
        assert (dump["type"].lower(), at["extension"]) == (
            mode[0], MODES[mode]), key
        assert dump["key"].endswith("LongWritable")
        assert dump["value"].endswith("BytesWritable")
        found[name] += [(at["partition"], int.from_bytes(k, "big"), v)
                        for k, v in dump["records"]]
    for name, records in found.items():
        places = sorted((p, o) for p, o, _ in records)
        assert places == [(p, o) for p in (0, 1) for o in range(1500)], name
        # id N is message N / 2 of partition N modulo 2
        assert all(json.loads(v)["id"] == 2 * o + p for p, o, v in records)
    verify(process)
