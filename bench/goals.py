"""What the product is to reach, beside what was measured. Each is a ratio within
one run, or a figure that other load hardly moves."""

import report


def at_least(wanted, measured, unit="{:.2f}"):
    return (">= " + unit.format(wanted), unit.format(measured),
            measured >= wanted)


def at_most(wanted, measured, unit="{:.2f}"):
    return ("<= " + unit.format(wanted), unit.format(measured),
            measured <= wanted)


ONE_CORE = {"300 text": 0.52, "300 sequencefile": 0.45, "300 gzip": 0.34,
            "300 zstd": 0.28, "100 text": 0.65, "1024 text": 0.42}
TWO_CORES = {"text": 0.95, "sequencefile": 0.88, "gzip": 0.62, "zstd": 0.48}
CPU = {"text": 1.8, "gzip": 2.8}
KAFKA = {"text": 1.25, "gzip": 1.8}
PLAIN = 8
SPIN_NS = 2000


def one_core(found):
    """The same core and broker for both. The bare loop has the product's own
    settings of librdkafka's queue, or the reference queue, with glibc's
    allocator; or mimalloc, which the product has."""
    for name, wanted in ONE_CORE.items():
        size, kind = name.split()
        for bare, what in (("bare", "bare with our queue"),
                           ("bare-ref", "bare with the reference queue"),
                           ("bare-mi", "bare with our queue and mimalloc")):
            row, bare = f"1 {size} {kind}", f"1 {size} {bare}"
            if row in found and bare in found:
                yield (f"one core, {size} {kind}: CPU ratio to {what}",
                       *at_least(wanted, found.ratio(bare, row,
                                                     report.one_core)))
    for name, wanted in CPU.items():
        if f"1 300 {name}" in found:
            yield (f"one core, {name}: CPU s/GB", *at_most(
                wanted, found.cpu(f"1 300 {name}")))


def two_cores(found):
    for bare, what in (("bare-ref", "bare with the reference queue"),
                       ("bare", "bare with our queue")):
        for name, wanted in TWO_CORES.items():
            row = f"2 300 {name}"
            if row in found and f"2 300 {bare}" in found:
                yield (f"two cores, {name}: speed to {what}", *at_least(
                    wanted, found.ratio(f"2 300 {bare}", row,
                                        report.as_timed)))


def comparisons(found):
    for bare, what in (("bare-ref", "bare with the reference queue"),
                       ("bare", "bare with our queue")):
        for name, wanted in KAFKA.items():
            row = f"kafka {name}"
            if row in found and f"kafka {bare}" in found:
                yield (f"Kafka 3.9, {name}: CPU, times {what}", *at_most(
                    wanted, found.ratio(row, f"kafka {bare}",
                                        report.cpu_per_gb)))
    for name in ("text", "gzip"):
        row = f"1 300 plain-{name}"
        if row in found and f"1 300 {name}" in found:
            yield (f"plain C program, {name}: CPU, times the product's",
                   *at_least(PLAIN, found.cpu(row)
                             / found.cpu(f"1 300 {name}"), "{:.1f}"))


def spinning(found):
    """The ideal is what it takes without the extra work, and that."""
    ideal, real = "2 300 spin-0", "2 300 spin-2000"
    if ideal in found and real in found:
        def a_message(row):
            return found.median(row, lambda r: r["wall_s"] / r["messages"])
        best = a_message(ideal) + SPIN_NS / 1e9
        yield ("2 us more a message: speed to the ideal", *at_least(
            0.85, best / a_message(real)))
        yield ("2 us more a message: RSS MB", *at_most(
            64, found.median(real, "rss_mb"), "{:.0f}"))


def growth(found):
    for one, many, wanted, what in (
            ("partitions-1", "partitions-512", 1.3, "Kafka partitions"),
            ("objects-1", "objects-1000", 2, "open objects")):
        one, many = "1 300 " + one, "1 300 " + many
        if one in found and many in found and many + "-more" in found:
            yield (f"cost of a message, {many.rsplit('-', 1)[1]} {what} to 1",
                   *at_most(wanted, found.slope(many) / found.slope(one)))


def batch_cost(found, row):
    """CPU seconds of a run for each of its batches."""
    return found.median(row, lambda r: r["cpu_s"] / r["batches"])


def protocol(found):
    whole, puts = "1 300 batches", "1 300 batches-no-protocol"
    if whole in found and puts in found and "1 300 text" in found:
        us = (batch_cost(found, whole) - batch_cost(found, puts)) * 1e6
        # 4 partitions at full speed, a batch a second of each
        second = found.median("1 300 text",
                              lambda r: r["cpu_s"] / r["wall_s"])
        yield (f"protocol, {us:.0f} us a batch: share of the CPU at a batch "
               "a partition and second", *at_most(
                   0.02, 4 * us / 1e6 / second, "{:.2%}"))


def rest(found):
    if "idle 1000" in found:
        yield ("1,000 partitions at rest: share of a core", *at_most(
            0.005, found.median("idle 1000", "core"), "{:.2%}"))
        yield ("1,000 partitions at rest: RSS MB", *at_most(
            40, found.median("idle 1000", "rss_mb"), "{:.0f}"))
    if "first object" in found:
        yield ("assignment to first object, s", *at_most(
            1, found.median("first object", "first_s")))
    if "1 300 gzip" in found:
        yield ("4 partitions under load: RSS MB", *at_most(
            100, max(found.median(f"1 300 {row}", "rss_mb")
                     for row in ("text", "gzip") if f"1 300 {row}" in found),
            "{:.0f}"))


def all_of(found):
    """(goal, wanted, measured, met) of what was measured."""
    for part in (one_core, two_cores, comparisons, spinning, growth, protocol, rest):
        yield from part(found)
