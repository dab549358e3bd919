"""Unclean elections: a broker leads that lacks the end of the log, and gives
the offsets of what it lacks to other messages (KIP-320). Kafka has lost the
first ones; Secor neither misses the others nor stores anything twice."""

import kafka as clients
import pytest
from cluster import Cluster
from confluent_kafka.admin import AdminClient
from halting import Case
from secor import BINARY, NEWEST
from servers import free_ports, wait_until
from watch import metric

KEPT, LOST, OTHERS = 100, 100, 160
FIRST, SECOND = 1, 2  # of cluster.nodes: who leads, and who lags behind


def in_sync(address, topic):
    admin = AdminClient({"bootstrap.servers": address})
    return admin.list_topics(topic, timeout=60).topics[topic].partitions[0].isrs


def lose_the_end(cluster, cases, wait_read, others=OTHERS):
    """The second lags, the first takes LOST more, which are read, and dies;
    the second leads. Whoever reads is paused until it has `others` at the
    offsets of those, and behind them if they are more."""
    cluster.nodes[SECOND].kill9()
    for c in cases:
        wait_until("one copy", lambda c=c: in_sync(
            cluster.nodes[0].address, c.topic) == [FIRST + 1], 90)
        c.produce(LOST)
    wait_read()
    running = [c for c in cases if c.process.running()]
    for c in running:
        c.process.pause()
    cluster.nodes[FIRST].kill9()
    cluster.nodes[SECOND].start()
    for c in cases:
        wait_until("another leader", lambda c=c: clients.leader(
            cluster.nodes[0].address, c.topic) == SECOND + 1, 90)
        c.produce(others)
    for c in running:
        c.process.cont()


def make_case(cluster, group, secor, folder):
    """Factory of cases whose topic has two copies, of which one is enough to
    go on."""
    def case(name, binary=BINARY, **config):
        clients.create_topic(
            cluster.address, name, replicas=[[FIRST + 1, SECOND + 1]],
            config={"unclean.leader.election.enable": "true",
                    "min.insync.replicas": "1"})
        http = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
        one = Case(cluster.address, f"{group}-{name}", name,
                   lambda config: secor(config, name=name),
                   folder / name, http=http, **config)
        one.process.binary = binary
        one.produce(KEPT)
        one.start()
        return one
    return case


def go_on_behind(c, offset):
    """As the runbook says."""
    c.config["layout"] = {"generation": 2}
    c.process.reconfigure(c.config)
    c.offsets("adopt", "--offset", str(offset), "--yes")
    c.run_to_the_end()
    c.exactly_once()
    c.verify()


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_log_that_was_cut_and_grew_again(group, secor, tmp_path):
    with Cluster() as cluster:
        case = make_case(cluster, group, secor, tmp_path)
        # one has stored what Kafka loses, and falls out of its group; the
        # other has only read it
        stored = case("stored")
        read = case("read", kafka={"session_timeout": "60s"}, batch={
            "max_age": "1h", "max_messages": KEPT + OTHERS})

        def wait_read():
            stored.wait_done()
            wait_until("all are read", lambda: metric(
                read.process, "secor_messages_total") == KEPT + LOST, 90)
        lose_the_end(cluster, (stored, read), wait_read)

        said = stored.halted("log-cut")
        assert f"at offset {KEPT}:" in said
        assert stored.record()[0] == KEPT + LOST
        stored.next_owner_halts("log-cut")
        go_on_behind(stored, KEPT)

        read.process.wait_for("log was cut")
        read.wait_done()
        assert metric(read.process, "secor_log_cuts_total") == 1
        read.stop()
        read.exactly_once(read.ids[:KEPT] + read.ids[KEPT + LOST:])
        read.verify()


@pytest.mark.deep
@pytest.mark.timeout(400)
@pytest.mark.parametrize("others", [0, 10])
def test_log_that_was_cut_grows_again_later(group, secor, tmp_path, others):
    """Whoever reads is told that its offset is out of range. The log grows
    beyond it before anybody else looks."""
    with Cluster() as cluster:
        c = make_case(cluster, group, secor, tmp_path)(
            "short", kafka={"session_timeout": "60s"})
        lose_the_end(cluster, [c], c.wait_done, others)
        said = c.halted("log-cut")
        assert f"at offset {KEPT}:" in said
        assert "joins the group again" not in c.process.text()
        c.produce(OTHERS)
        c.next_owner_halts("log-cut")
        go_on_behind(c, KEPT)


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_log_that_was_cut_while_nobody_read(group, secor, tmp_path):
    """Whoever starts knows the leader epoch by the committed offset: of
    librdkafka 2.1 and later."""
    with Cluster() as cluster:
        c = make_case(cluster, group, secor, tmp_path)("away", binary=NEWEST)

        def wait_stored():
            c.wait_done()
            c.stop()
        lose_the_end(cluster, [c], wait_stored)
        c.start()
        said = c.halted("log-cut")
        assert f"at offset {KEPT}:" in said
        assert c.record()[0] == KEPT + LOST
        c.next_owner_halts("log-cut")
        go_on_behind(c, KEPT)
