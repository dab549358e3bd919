"""A schema registry that is down is a wait: nothing is lost, doubled or taken
for a bad message."""

import io

import fastavro
import kafka as clients
import proof
import registry
from flow import local_store, settings, verify, wait_done
from servers import free_ports

TIME = 1405908000000
EVENT = {"type": "record", "name": "Event", "fields": [
    {"name": "id", "type": "long"},
    {"name": "ts", "type": {"type": "long",
                            "logicalType": "timestamp-millis"}}]}
WIDER = {**EVENT, "fields": EVENT["fields"] + [
    {"name": "more", "type": ["null", "string"], "default": None}]}


def framed(number, schema, event):
    out = io.BytesIO(b"\0" + number.to_bytes(4, "big"))
    out.seek(5)
    fastavro.schemaless_writer(out, fastavro.parse_schema(schema), event)
    return out.getvalue()


def produce(kafka, topic, ids, number, schema):
    clients.produce(kafka.address, topic, [
        (i % 2, None, framed(number, schema, {"id": i, "ts": TIME + i}), TIME)
        for i in ids])


def test_registry_that_is_down_is_waited_for(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=2)
    store, tree = local_store(tmp_path / "data")
    port, = free_ports(1)
    produce(kafka, name, range(1000), 1, EVENT)
    process = secor(settings(
        kafka.address, group, name, store, format={"use": "sequencefile"},
        parser={"use": "avro", "time_field": "ts", "framing": "confluent",
                "registry": f"http://127.0.0.1:{port}",
                "unknown_schema_wait": "0s"}))
    process.start()
    process.wait_for(r"^warn .*schema registry does not answer .*id=1 ")
    process.wait_for(rf"^warn .*plugin waits topic={name} partition=0 ")
    process.wait_for(rf"^warn .*plugin waits topic={name} partition=1 ")
    with registry.Registry({1: EVENT}, port=port) as server:
        # ten seconds of it: it is asked once a second
        server.status = 503
        server.wait_requests(6)
        server.status = 401
        server.wait_requests(3)
        assert [clients.committed(kafka.address, group, name, p)[0]
                for p in (0, 1)] == [0, 0]
        server.status = 200
        process.wait_for(rf"^info .*plugin goes on topic={name} partition=0 ")
        wait_done(kafka.address, group, name, 2)
        # another schema while it is down again
        server.status = 500
        produce(kafka, name, range(1000, 1500), 2, WIDER)
        server.wait_requests(1)
        server.schemas[2] = WIDER
        server.status = 200
        wait_done(kafka.address, group, name, 2)
    assert process.stop() == 0
    assert proof.dead_letter_keys(tree) == []
    verify(process)
    stored = [m["messages"] for of in proof.manifests(tree, name).values()
              for _, m in of]
    assert sum(stored) == 1500, stored
