"""Rows that read from the replaying broker: one client, one run to the end."""

import lib

MANY_FILES = ("partitions-", "objects-", "batches")
PLAIN, FEW = 0.1, 0.3  # of BENCH_MB, where a run is long or needs no more


class Replayed:
    """A row "CORES BYTES NAME". `share` is its part of BENCH_MB."""

    def __init__(self, cores, size, name, prepare=None, partitions=4,
                 share=1.0, most_runs=100):
        self.name = f"{cores} {size} {name}"
        self.needs = [f"{cores} {size} bare", f"{cores} {size} bare-ref"]
        self.cores, self.size, self.row = cores, size, name
        self.partitions, self.share = partitions, share
        self.prepare, self.most_runs = prepare, most_runs

    def command(self, folder):
        """(arguments for the broker, the client's command, what to close)"""
        name = self.row
        if name.startswith("plain-"):
            return [], [lib.BIN / "plain", folder,
                        name[len("plain-"):]], None
        if self.prepare is None:
            loop = "bare-mi" if name.startswith("bare-mi") else "bare"
            return [], [lib.BIN / loop, self.partitions,
                        *lib.properties(name)], None
        binary, sections, closes = self.prepare(folder)
        return ["--http"], [binary, "run",
                            lib.config(folder, **sections)], closes

    def run(self):
        messages = int(lib.MEGABYTES * self.share * 1e6 / self.size
                       / self.partitions)
        with lib.Folder(self.row.startswith(MANY_FILES)) as folder:
            args, command, closes = self.command(folder)
            try:
                out = lib.run(lib.pinned(self.cores, [
                    lib.BIN / "broker/broker", "--size", self.size,
                    "--messages", messages, "--partitions", self.partitions,
                    *args, *command]))
            finally:
                if closes:
                    closes.__exit__()
        found = lib.figures(out)
        if closes:
            found.update(closes.seen)
        return found


def product(**sections):
    """The product with these sections."""
    return lambda folder: (lib.SECOR, sections, None)


def local(folder):
    return lib.SECOR, {"store": {"use": "local",
                                 "dir": str(folder / "out")}}, None


def uploads(format_name, tls=False):
    def prepare(folder):
        sink = lib.Sink(folder, tls)
        return lib.SECOR, {"format": lib.FORMATS[format_name],
                           "store": sink.store}, sink
    return prepare


def batches(binary):
    """Many small batches: what one of them costs."""
    return lambda folder: (binary, {"batch": {
        "max_messages": 1, "max_age": "1h", "on_stop": "finish"}}, None)


def spin(ns):
    return product(parser={"use": str(lib.BIN / "spin.so"), "spin": ns})


def by_field(field):
    return product(partitioner={"use": "field", "fields": [field]},
                   batch={"max_bytes": "1GiB"})


def one_batch():
    """Nothing is cut, so that few partitions write into new files as many do: a
    file that is written over costs a third."""
    return product(batch={"max_bytes": "1GiB"})


def rows():
    found = []
    for cores in (1, 2)[:len(lib.CORES)]:
        def add(size, name, prepare=None, *more):
            found.append(Replayed(cores, size, name, prepare, *more))
        def add_formats(size, names):
            add(size, "bare")
            for name in names:
                add(size, name, product(format=lib.FORMATS[name]))
        def add_librdkafka(size, names):
            """The product, but librdkafka reads for it."""
            for name in names:
                add(size, name + "-librdkafka", product(
                    format=lib.FORMATS[name], kafka=lib.BY_LIBRDKAFKA))
        add_formats(300, ["text", "sequencefile", "gzip", "zstd"])
        add_librdkafka(300, ["text", "gzip"])
        add(300, "bare-ref")
        add(300, "bare-mi")
        add(300, "text-local", local)
        add_formats(100, ["text", "gzip"])
        add_formats(1024, ["text", "gzip"])
        if cores == 1:
            add(100, "bare-ref")
            add_librdkafka(100, ["text"])
            add(1024, "bare-ref")
            add(300, "plain-text", None, 4, PLAIN, 3)
            add(300, "plain-gzip", None, 4, PLAIN, 3)
            add(300, "text-s3", uploads("text"))
            add(300, "text-s3-tls", uploads("text", tls=True))
            add(300, "gzip-s3-tls", uploads("gzip", tls=True))
            add(300, "text-parts", product(), 512, FEW, 3)
            add(300, "text-objects", product(partitioner=[
                {"use": "date", "granularity": "hour"},
                {"use": "field", "fields": ["status"]}]), 20, FEW, 3)
            for more, share in (("", FEW / 2), ("-more", 3 * FEW / 2)):
                for n in (1, 512):
                    add(300, f"partitions-{n}" + more, one_batch(), n, share,
                        3)
                    add(300, f"partitions-{n}-bare" + more, None, n, share, 3)
                add(300, "objects-1" + more, by_field("dc"), 1, share, 3)
                add(300, "objects-1000" + more, by_field("host"), 1, share, 3)
            add(300, "batches", batches(lib.SECOR), 512, FEW, 3)
            add(300, "batches-no-protocol",
                batches(lib.BIN / "noprotocol/secor"), 512, FEW, 3)
        else:
            add(300, "spin-0", spin(0), 4, FEW, 3)
            add(300, "spin-2000", spin(2000), 4, FEW, 3)
    return found
