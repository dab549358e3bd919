"""Processes of one group that read in different ways: killed, joined, stopped
while messages flow."""

import kafka as clients
import proof
import pytest
from fetching import Reader
from flow import verify
from test_fetch_faults import Flow
from test_groups import wait_stored_since

PARTITIONS = 4


def member(way, name, kafka, group, topic, secor, tmp_path):
    """A process of the one group, with the one store."""
    r = Reader(way, kafka.address, group, topic, secor, tmp_path,
               kafka={"session_timeout": "2s"}, batch={"max_age": "500ms"})
    r.group = r.config["kafka"]["group"] = group
    r.tree = proof.LocalTree(tmp_path / "data")
    r.tree.root.mkdir(exist_ok=True)
    r.config["store"]["dir"] = str(r.tree.root)
    r.process = secor(r.config, name=name)
    return r


@pytest.mark.parametrize("ways", [
    ("own", "librdkafka", "own"),
    pytest.param(("librdkafka", "own", "librdkafka"), marks=pytest.mark.deep),
    pytest.param(("own", "own", "own"), marks=pytest.mark.deep)])
def test_group_of_different_readers_that_are_killed_and_join(
        ways, kafka, topic, group, secor, tmp_path):
    name = topic(PARTITIONS)
    a, b, c = [member(way, n, kafka, group, name, secor, tmp_path)
               for way, n in zip(ways, "abc")]
    with Flow(kafka.address, name, PARTITIONS) as flow:
        a.start()
        b.start()
        for r in (a, b):
            r.process.wait_for("partitions assigned count=2")
            wait_stored_since(r.process, 0)
        b.process.kill9()
        mark = len(a.process.text())
        c.start()
        wait_stored_since(c.process, 0)
        wait_stored_since(a.process, mark)
        assert a.process.stop() == 0
        wait_stored_since(c.process, len(c.process.text()))
        flow.wait_more(60)
    clients.wait_committed(kafka.address, group, name, [
        clients.watermarks(kafka.address, name, p)[1]
        for p in range(PARTITIONS)])
    assert c.process.stop() == 0
    c.exactly_once(flow.ids)
    verify(c.process)
