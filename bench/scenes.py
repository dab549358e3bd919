"""Rows that are no single run to the end: doing nothing, the first object, and
the store alone."""

import os
import time

import lib

IDLE_PARTITIONS = 1000
IDLE_SECONDS = 8
PUTS = 8
PUT_MIB = 64
FAR_MIB = 256  # 16 parts, once
FAR = ["-d", "30", "-r", "40"]  # ms to each answer, MB/s a connection


class Scene:
    """One row that a function measures."""

    def __init__(self, name, function, needs=None, most_runs=1):
        self.name, self.run = name, function
        self.needs, self.most_runs = needs or [name], most_runs


def assigned(service, count):
    return service.metrics().get("secor_partitions_assigned", 0) == count


def at_rest(service, wait_s=3):
    """CPU share of a core and resident memory while nothing is to do."""
    time.sleep(wait_s)
    cpu, since = service.cpu(), time.monotonic()
    time.sleep(IDLE_SECONDS)
    return {"core": (service.cpu() - cpu) / (time.monotonic() - since),
            "rss_mb": service.resident_mb()}


def idle(partitions):
    def run():
        with lib.Folder() as folder, \
                lib.Replay(partitions, 0) as broker, \
                lib.Service(lib.config(folder), broker.address) as service:
            lib.until("the assignment", lambda: assigned(service, partitions))
            found = at_rest(service)
            service.end()
        return found
    return run


def first_object():
    """From the assignment to the first object in a local store, where the
    policy cuts as early as it can."""
    with lib.Folder() as folder, lib.Replay(4, 100) as broker:
        yaml = lib.config(folder, batch={"max_messages": 1},
                          store={"use": "local", "dir": str(folder / "out")},
                          engine={"log_level": "info"})
        with lib.Service(yaml, broker.address) as service:
            begun = service.when("partitions assigned")
            stored = service.when("object stored")
            service.end()
    return {"first_s": stored - begun}


def puts(tls, far=(), **options):
    """The store's plugin alone, object after object."""
    count, mib = (1, FAR_MIB) if far else (PUTS, PUT_MIB)

    def run():
        with lib.Folder() as folder:
            data = folder / "object"
            with open(data, "wb") as out:
                for _ in range(mib):
                    out.write(os.urandom(1 << 20))
            with lib.Sink(folder, tls, far) as sink:
                store = {**sink.store, **options,
                         "secret_key": os.environ["BENCH_SECRET"]}
                del store["use"]
                found = lib.figures(lib.run([
                    lib.BIN / "put", lib.BUILD, "s3", data, count,
                    *(f"{k}={v}" for k, v in store.items())]))
            return {**found, **sink.seen}
    return run


def rows():
    whole = {"multipart_threshold": "1GiB"}
    parts = {"multipart_threshold": "16MiB"}
    kinds = {
        "put http": puts(False, **whole),
        "put http-unsigned": puts(False, payload_hash="unsigned", **whole),
        "put https": puts(True, **whole),
        "put https-sha256": puts(True, payload_hash="sha256", **whole),
        "put https-md5": puts(True, checksum="md5", **whole),
        **{f"put https-parts-{n}": puts(True, parallel_parts=n, **parts)
           for n in (1, 2, 4)},
        "put far-https": puts(True, FAR, **whole),
        **{f"put far-https-parts-{n}": puts(True, FAR, parallel_parts=n,
                                            **parts)
           for n in (1, 2, 4, 8, 16)},
    }
    return [Scene("idle 1000", idle(IDLE_PARTITIONS)),
            Scene("idle 4", idle(4)),
            Scene("first object", first_object, most_runs=3),
            *(Scene(name, run, most_runs=2) for name, run in kinds.items())]
