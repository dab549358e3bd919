"""Rows on a real Kafka broker: the product beside the bare loop, and several
processes in one group. The broker is started with the first of them."""

import os
import signal
import sys
import time

import lib
from scenes import Scene, at_rest

sys.path.insert(0, str(lib.ROOT / "tests/rig"))

SIZE = 300
WIDE, MANY = 16, 64  # partitions of a topic; topics
SESSION_S = 6
PLAIN_SHARE, GROUP_SHARE = 0.1, 0.3

_kafka = None
_filled = {}
_groups = iter(range(1 << 30))


def kafka():
    """The broker. A group's first members are waited for, so that a run does
    not begin with a rebalance for each of them."""
    global _kafka
    if _kafka is None:
        import servers
        if not servers.Kafka.libs.exists():
            raise lib.BenchError("Kafka is not there: make check installs it")
        _kafka = servers.Kafka({"group.initial.rebalance.delay.ms": "2000",
                                "log.index.size.max.bytes": "1048576"})
        _kafka.start()
    return _kafka


def close():
    global _kafka
    if _kafka is not None:
        _kafka.close()
        _kafka = None


def fill(topics, partitions, megabytes):
    """Makes and fills topics once; how many messages they have in all."""
    if topics[0] not in _filled:
        wanted = int(megabytes * 1e6 / SIZE / partitions / len(topics))
        each = int(lib.run([lib.BIN / "fill", kafka().address, SIZE, wanted,
                            partitions, *topics]))
        _filled[topics[0]] = each * partitions * len(topics)
    return _filled[topics[0]]


def figures(usages, messages, **more):
    return {"cpu_s": sum(map(lib.seconds, usages)),
            "rss_mb": max(u.ru_maxrss for u in usages) / 1024,
            "bytes": messages * SIZE, "messages": messages, **more}


# ---- one client ----


def client(command, messages):
    pid = os.posix_spawn(command[0], list(map(str, command)), {
        **os.environ, "BENCH_BROKER": kafka().address,
        "BENCH_MESSAGES": str(messages)})
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise lib.BenchError(f"{command[0]} ended with {status:#x}")
    return figures([usage], messages)


def bare(name):
    return lambda: client([lib.BIN / "bare", "4", *lib.properties(name)],
                          fill(["bench"], 4, lib.MEGABYTES))


def plain(kind):
    def run():
        total = fill(["bench"], 4, lib.MEGABYTES)
        with lib.Folder() as folder:
            return client([lib.BIN / "plain", folder, kind],
                          int(total * PLAIN_SHARE))
    return run


def group_config(folder, topics, **kafka_options):
    return lib.config(
        folder, engine={"log_level": "info"},
        kafka={"topics": topics, "group": f"bench-{next(_groups)}",
               "session_timeout": f"{SESSION_S}s", **kafka_options})


def product(format_name, **kafka_options):
    def run():
        total = fill(["bench"], 4, lib.MEGABYTES)
        with lib.Folder() as folder:
            yaml = lib.config(
                folder, format=lib.FORMATS[format_name],
                kafka={"group": f"bench-{next(_groups)}", **kafka_options})
            with lib.Service(yaml, kafka().address) as service:
                wait_taken([service], total)
                return figures([service.end()], total)
    return run


# ---- groups ----


def wait_taken(services, total):
    def check():
        time.sleep(0.2)
        return sum(s.taken() for s in services) >= total
    lib.until("all messages", check, 120)


def group(processes, topics=("wide",)):
    """All of the topics, by so many processes that begin together."""
    def run():
        total = fill(list(topics), WIDE, lib.MEGABYTES * GROUP_SHARE)
        services = []
        with lib.Folder() as folder:
            yaml = group_config(folder, list(topics))
            try:
                for _ in range(processes):
                    services.append(lib.Service(yaml, kafka().address))
                begun = max(s.when("partitions assigned") for s in services)
                wait_taken(services, total)
                took = time.monotonic() - begun
                return figures([s.end() for s in services], total,
                               wall_s=took)
            finally:
                for s in services:
                    s.end(signal.SIGKILL)
    return run


def settled(service, count, since=0.0):
    """When it began to read after it was assigned so many partitions."""
    assigned = service.when(f"partitions assigned count={count}", since)
    return service.when("consumption begins", assigned)


def takeover(topics=("wide",)):
    """Two processes; one is killed, then started again and told to end. For
    each the time until the other has all partitions and reads them."""
    def run():
        fill(list(topics), WIDE, lib.MEGABYTES * GROUP_SHARE)
        everything = WIDE * len(topics)
        services = []

        def start(yaml):
            services.append(lib.Service(yaml, kafka().address))
            return services[-1]

        with lib.Folder() as folder:
            yaml = group_config(folder, list(topics))
            try:
                one, other = start(yaml), start(yaml)
                for service in (one, other):
                    settled(service, everything // 2)
                killed = time.monotonic()
                other.end(signal.SIGKILL)
                after_kill = settled(one, everything, killed) - killed
                again = time.monotonic()
                other = start(yaml)
                for service in (one, other):
                    settled(service, everything // 2, again)
                stopped = time.monotonic()
                other.end()
                after_stop = settled(one, everything, stopped) - stopped
                rest = at_rest(one) if len(topics) > 1 else {}
                return {"kill_s": after_kill, "session_s": SESSION_S,
                        "stop_s": after_stop, "partitions": everything,
                        **rest}
            finally:
                for s in services:
                    s.end(signal.SIGKILL)
    return run


def rows():
    many = [f"many-{i:02}" for i in range(MANY)]
    bares = ["kafka bare", "kafka bare-ref"]
    return [
        *(Scene(name, bare(name), most_runs=5) for name in bares),
        *(Scene(f"kafka {name}", product(name), bares, 5)
          for name in ("text", "gzip")),
        *(Scene(f"kafka {name}-librdkafka",
                product(name, **lib.BY_LIBRDKAFKA), bares, 5)
          for name in ("text", "gzip")),
        *(Scene(f"kafka plain-{kind}", plain(kind), bares, 2)
          for kind in ("text", "gzip")),
        *(Scene(f"group {n}", group(n), ["group 1"], 2) for n in (1, 2, 4)),
        Scene("group takeover", takeover()),
        Scene("group topics-64", group(1, many), ["group 1"], 1),
        Scene("group topics-64-takeover", takeover(many)),
    ]
