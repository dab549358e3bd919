"""Unclean elections: a broker leads that lacks the end of the log, and gives
the offsets of what it lacks to other messages (KIP-320). Kafka has lost the
first ones; Secor neither misses the others nor stores anything twice."""

import kafka as clients
import pytest
from cluster import Cluster
from confluent_kafka.admin import AdminClient
from halting import Case
from servers import free_ports, wait_until
from watch import metric

KEPT, LOST, OTHERS = 100, 100, 160
FIRST, SECOND = 1, 2  # of cluster.nodes: who leads, and who lags behind


def in_sync(address, topic):
    admin = AdminClient({"bootstrap.servers": address})
    return admin.list_topics(topic, timeout=60).topics[topic].partitions[0].isrs


def lose_the_end(cluster, cases, wait_read):
    """The second lags, the first takes LOST more, which are read, and dies;
    the second leads. Whoever reads is paused until it has OTHERS at the offsets
    of those and behind them."""
    cluster.nodes[SECOND].kill9()
    for c in cases:
        wait_until("one copy", lambda c=c: in_sync(
            cluster.nodes[0].address, c.topic) == [FIRST + 1], 90)
        c.produce(LOST)
    wait_read()
    for c in cases:
        c.process.pause()
    cluster.nodes[FIRST].kill9()
    cluster.nodes[SECOND].start()
    for c in cases:
        wait_until("another leader", lambda c=c: clients.leader(
            cluster.nodes[0].address, c.topic) == SECOND + 1, 90)
        c.produce(OTHERS)
    for c in cases:
        c.process.cont()


@pytest.mark.deep
@pytest.mark.timeout(400)
def test_log_that_was_cut_and_grew_again(group, secor, tmp_path):
    with Cluster() as cluster:
        def case(name, **config):
            # two copies, of which one is enough to go on
            clients.create_topic(
                cluster.address, name, replicas=[[FIRST + 1, SECOND + 1]],
                config={"unclean.leader.election.enable": "true",
                        "min.insync.replicas": "1"})
            http = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
            one = Case(cluster.address, f"{group}-{name}", name,
                       lambda config: secor(config, name=name),
                       tmp_path / name, http=http, **config)
            one.produce(KEPT)
            one.start()
            return one

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
        stored.config["layout"] = {"generation": 2}
        stored.process.reconfigure(stored.config)
        stored.offsets("adopt", "--offset", str(KEPT), "--yes")
        stored.run_to_the_end()
        stored.exactly_once()
        stored.verify()

        read.process.wait_for("log was cut")
        read.wait_done()
        assert metric(read.process, "secor_log_cuts_total") == 1
        read.stop()
        read.exactly_once(read.ids[:KEPT] + read.ids[KEPT + LOST:])
        read.verify()
