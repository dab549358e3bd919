"""Brokers that can be struck, as run.Run wants them.

Each has address, proxied_address, proxy, copies; join(group) says who will be
there; strike(act, for_ms) kills or pauses a broker for so long in the
background and says whether it does; calm() returns when all of them are up
again.
"""

import threading
import time

import kafka as clients
from proxy import TcpProxy
from servers import Kafka


def strike(node, act, for_ms):
    """Pauses this broker, or kills it, for so long."""
    if act == "pause":
        node.pause()
        time.sleep(for_ms / 1000)
        node.cont()
    else:
        node.kill9()
        time.sleep(for_ms / 1000)
        node.start()


class Own:
    """A servers.Kafka or cluster.Cluster of this schedule alone. Of a cluster
    the coordinator of the group is struck, which leads a partition too."""

    def __init__(self, server):
        self.server, self.group = server, None
        self.nodes = getattr(server, "nodes", [server])
        self.copies = len(self.nodes)
        self.address = server.address
        self.proxied_address = server.proxied_address
        self.proxy = server.proxy
        self._busy = None

    def _node(self):
        """Whom it hits most."""
        found = self.copies > 1 and clients.coordinator(
            self.address, self.group)
        for n in self.nodes:
            if n.address == found:
                return n
        return self.nodes[0]

    def join(self, group):
        self.group = group

    def strike(self, act, for_ms):
        if self._busy and self._busy.is_alive():
            return False
        self._busy = threading.Thread(
            target=strike, args=(self._node(), act, for_ms))
        self._busy.start()
        return True

    def calm(self):
        if self._busy:
            self._busy.join()


class Shared(Kafka):
    """One broker for several schedules at a time. Each has a way in of its own,
    whose proxy is at ways[n] and listens for a process that needs it."""

    def __init__(self, ways, ports):
        self.ways = [f"WAY{n}" for n in range(ways)]
        self.protocols = {**Kafka.protocols,
                          **dict.fromkeys(self.ways, "PLAINTEXT")}
        super().__init__({self.session: "1500"})  # it dies often
        self.ports = ports
        urls = [f"PLAINTEXT://{self.address}"] + [
            f"{w}://127.0.0.1:{p}" for w, p in zip(self.ways, ports)]
        with self.config.open("a") as f:
            f.write(f"advertised.listeners={','.join(urls)}\n")

    def way(self, n):
        """(address, port of the listener, port of the proxy)."""
        return (self.address, self.listeners[self.ways[n]], self.ports[n])


class Way:
    """A way into a Shared of another process; ask(text) passes a wish on to
    it. What it is asked hits the schedules beside this one as well."""

    copies = 1

    def join(self, group):
        pass

    def __init__(self, address, listener, port, ask):
        self.address, self.ask = address, ask
        self.proxy = TcpProxy(listener, port)
        self.proxied_address = f"127.0.0.1:{self.proxy.port}"

    def strike(self, act, for_ms):
        self.ask({"broker": act, "for_ms": for_ms})
        return True

    def calm(self):
        pass
