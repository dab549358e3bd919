"""Avro container files by the registry's schemas: one object a schema id, its
own text in the header, its id in the name; judged by fastavro."""

import base64
import collections
import io
import json

import fastavro
import kafka as clients
import proof
import pytest
import registry
from flow import local_store, settings, verify, wait_done
from secor import secor_command
from test_registry import EVENT, TIME, WIDER, framed

KEY = {"type": "record", "name": "Key", "namespace": "org.example", "fields": [
    {"name": "a", "type": "int"}, {"name": "next", "type": ["null", "Key"]}]}
REFERS = {"type": "record", "name": "Event", "namespace": "org.example",
          "fields": EVENT["fields"] + [
              {"name": "key", "type": "Key"},
              {"name": "keys", "type": {"type": "array", "items": "Key"}}]}
SCHEMAS = {1: EVENT, 2: WIDER}


def config(address, group, topic, store, server, **more):
    where = f"http://127.0.0.1:{server.port}"
    framing = {"framing": "confluent", "registry": where,
               "unknown_schema_wait": "0s"}
    return settings(address, group, topic, store, **{
        "parser": {"use": "avro", "time_field": "ts", **framing},
        "format": {"use": "avro", **framing, "codec": "deflate"}, **more})


def number_of(event):
    """Every third message is of the wider schema."""
    return 2 if event % 3 == 0 else 1


def mixed(kafka, topic, count):
    """All in one hour."""
    values = [framed(number_of(i), SCHEMAS[number_of(i)],
                     {"id": i, "ts": TIME + i}) for i in range(count)]
    clients.produce(kafka.address, topic, [
        (i % 2, None, value, TIME) for i, value in enumerate(values)])
    return values


def referring(count):
    """Values of a schema that stands in the registry in two parts."""
    known = {}
    fastavro.parse_schema(KEY, named_schemas=known)
    schema = fastavro.parse_schema(REFERS, named_schemas=known)
    events = [{"id": i, "ts": TIME + i, "key": {"a": i, "next": None},
               "keys": [{"a": 1, "next": {"a": 2, "next": None}}] * (i % 3)}
              for i in range(count)]
    return events, [framed(5, schema, event) for event in events]


def files_of(tree):
    """[(key, id, rows)], id and schema by the header alone."""
    for key in proof.object_keys(tree):
        reader = fastavro.reader(io.BytesIO(tree.get(key)))
        number = int(reader.metadata["secor.schema.id"])
        assert key.endswith(f".id{number}.avro"), key
        if number in SCHEMAS:
            assert reader.metadata["avro.schema"] == json.dumps(
                SCHEMAS[number])
        yield key, number, list(reader)


def ids_of(tree):
    """{path: {id of the schema: event ids}}."""
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    for key, number, rows in files_of(tree):
        found[key.rpartition("/")[0]][number] += [r["id"] for r in rows]
    return {path: {n: sorted(ids) for n, ids in of.items()}
            for path, of in found.items()}


def wanted(topic, count, more=None):
    ids = {n: [i for i in range(count) if number_of(i) == n] for n in SCHEMAS}
    return {f"{topic}/dt=2014-07-21/hr=02": {**ids, **(more or {})}}


def command(process, *args):
    done = secor_command(*args, cwd=process.dir)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rewrite(file):
    """The same records by another writer."""
    with open(file, "rb") as f:
        reader = fastavro.reader(f)
        schema, meta = reader.writer_schema, dict(reader.metadata)
        rows = list(reader)
    out = io.BytesIO()
    fastavro.writer(out, schema, rows, codec="deflate", metadata={
        "secor.schema.id": meta["secor.schema.id"]})
    assert out.getvalue() != file.read_bytes()
    file.write_bytes(out.getvalue())


def test_avro_by_registry_has_an_object_a_schema(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=2)
    store, tree = local_store(tmp_path / "data")
    events, referred = referring(30)
    refers = ("AVRO", json.dumps(REFERS),
              [{"name": "org.example.Key", "subject": "key", "version": 1}])
    values = mixed(kafka, name, 300)
    # of a schema in two parts; of one that nobody knows; cut off
    clients.produce(kafka.address, name, [
        (i % 2, None, value, TIME) for i, value in enumerate(
            [*referred, framed(9, EVENT, {"id": 1, "ts": TIME}), b"\0\0\0"])])
    with registry.Registry({**SCHEMAS, 5: refers},
                           {("key", 1): KEY}) as server:
        server.status = 503
        process = secor(config(
            kafka.address, group, name, store, server,
            parser={"use": "raw", "time_source": "kafka"}))
        process.start()
        # the format's own wait: this parser asks nobody
        process.wait_for(rf"^warn .*plugin waits topic={name} .*avro")
        server.status = 200
        wait_done(kafka.address, group, name, 2)
        assert process.stop() == 0
        assert ids_of(tree) == wanted(name, 300, {5: list(range(30))})
        rows = [r for _, n, rows in files_of(tree) for r in rows if n == 5]
        rows.sort(key=lambda r: r["id"])
        assert [(r["key"], r["keys"]) for r in rows] == [
            (e["key"], e["keys"]) for e in events]
        reasons = [json.loads(line)["reason"]
                   for key in proof.dead_letter_keys(tree)
                   for line in proof.lines(tree, key)]
        assert sorted(reasons) == [
            "the value has no schema id before it",
            "unknown schema: the registry has no id 9"]
        # whoever reads asks no registry, and gets what was sent
        server.status = 503
        printed = command(process, "print", "--json", "--config",
                          process.config, *proof.object_keys(tree))
        records = [json.loads(line) for line in printed.splitlines()]
        assert sorted(base64.b64decode(r["value_base64"])
                      if "value_base64" in r else r["value"].encode()
                      for r in records) == sorted(values + referred)
        verify(process)
        command(process, "verify", process.config, "--deep")
        # other bytes with the same records: seen by encoding them once more
        server.status = 200
        rewrite(tmp_path / "data" / next(
            k for k in proof.object_keys(tree) if k.endswith(".id2.avro")))
        assert "the same records" in command(
            process, "verify", process.config, "--deep")


@pytest.mark.deep
def test_avro_by_registry_is_replayed_while_it_comes_back(
        kafka, topic, group, secor, tmp_path):
    """Killed when some objects are there; what is replayed has their names and
    their bytes."""
    name = topic(partitions=2)
    store, tree = local_store(tmp_path / "data")
    mixed(kafka, name, 300)
    with registry.Registry(dict(SCHEMAS)) as server:
        process = secor(config(kafka.address, group, name, store, server))
        process.start(env={"SECOR_STOP_AT": "put-done"})
        process.wait_stopped(timeout=60)
        process.kill9()
        before = {k: tree.get(k) for k in proof.object_keys(tree)}
        server.status = 500
        process.start()
        server.wait_requests(1)
        server.status = 200
        wait_done(kafka.address, group, name, 2)
        assert process.stop() == 0
    verify(process)
    after = {k: tree.get(k) for k in proof.object_keys(tree)}
    assert before and all(after[k] == v for k, v in before.items())
    assert ids_of(tree) == wanted(name, 300)


@pytest.mark.deep
@pytest.mark.parametrize("step", ["first-message", "sealed", "plan-acked",
                                  "put-done:2", "manifest-done"])
def test_avro_by_registry_is_as_if_nobody_died(
        step, kafka, topic, group, secor, tmp_path):
    name = topic(partitions=2)
    mixed(kafka, name, 600)
    trees = []
    with registry.Registry(dict(SCHEMAS)) as server:
        for which in ("whole", "killed"):
            store, tree = local_store(tmp_path / f"data-{which}")
            process = secor(config(
                kafka.address, f"{group}-{which}", name, store, server,
                batch={"max_age": "1h", "max_messages": 300}), name=which)
            if which == "killed":
                process.start(env={"SECOR_STOP_AT": step})
                process.wait_stopped(timeout=60)
                process.kill9()
            process.start()
            wait_done(kafka.address, f"{group}-{which}", name, 2)
            assert process.stop() == 0
            verify(process)
            trees.append({k: tree.get(k) for k in proof.object_keys(tree)})
    assert trees[0] == trees[1] and len(trees[0]) == 4
