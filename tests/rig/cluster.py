"""Three Kafka brokers that replicate, with fail-over.

Each is broker and controller; topics and offsets have three copies, two of
which must be there for an acknowledged write. Broker N is in "rack-N".
"""

import concurrent.futures

from servers import Kafka

NODES = 3


class Ways:
    """The proxies of all brokers as one."""

    def __init__(self, proxies):
        self.proxies = proxies

    def __getattr__(self, name):
        def all_of_them(*args):
            for p in self.proxies:
                getattr(p, name)(*args)
        return all_of_them


class Cluster:
    """Like servers.Kafka, as far as tests use both: address, proxied_address
    and proxy mean all brokers. `nodes` has them one by one."""

    def __init__(self, properties=None):
        copies = {
            "default.replication.factor": NODES,
            "min.insync.replicas": NODES - 1,
            "offsets.topic.replication.factor": NODES,
            "transaction.state.log.replication.factor": NODES,
            "transaction.state.log.min.isr": NODES - 1,
            "unclean.leader.election.enable": "false",
            Kafka.session: "1500",  # others lead soon after
            **(properties or {})}
        self.nodes = [Kafka({**copies, "node.id": n + 1,
                             "broker.rack": f"rack-{n + 1}"}, proxied=True)
                      for n in range(NODES)]
        voters = ",".join(f"{n + 1}@{node.address_of('CONTROLLER')}"
                          for n, node in enumerate(self.nodes))
        for node in self.nodes:
            with node.config.open("a") as f:
                f.write(f"controller.quorum.voters={voters}\n")
        self.address = ",".join(n.address for n in self.nodes)
        self.proxied_address = ",".join(n.proxied_address for n in self.nodes)
        self.proxy = Ways([n.proxy for n in self.nodes])

    def start(self):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for done in [pool.submit(n.start) for n in self.nodes]:
                done.result()
        return self

    def close(self):
        for n in self.nodes:
            n.close()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()
