"""How long until Kafka's retention reaches what is not stored: the number, the
alarm, and who may ask for it."""

import time

import halting
import kafka as clients
import proof
from halting import Case
from servers import free_ports
from watch import metrics

HOUR = 3_600_000


def listening():
    return {"listen": f"127.0.0.1:{free_ports(1)[0]}"}


def left(process, topic):
    """{by: seconds} of partition 0."""
    head = f'secor_retention_seconds{{topic="{topic}",partition="0",by="'
    return {k[len(head):-2]: v for k, v in metrics(process).items()
            if k.startswith(head)}


def wait_left(process, topic, check, timeout=90):
    end = time.monotonic() + timeout
    while not check(now := left(process, topic)):
        assert time.monotonic() < end, now
        time.sleep(0.1)
    return now


def old_messages(case, count, minutes, pad=0):
    """Messages with Kafka timestamps of this long ago."""
    first = len(case.ids)
    at = int(time.time() * 1000) - minutes * 60_000
    case.ids += clients.produce_json(
        case.address, case.topic, count, first_id=first, time_ms=at, step_ms=0,
        extra=lambda i: {"pad": "x" * pad})


def test_what_is_left_is_told_and_alarms_once(
        kafka, topic, group, secor, tmp_path):
    """900 kB of 1 MB, and 50 minutes of an hour, that are collected only;
    another topic keeps for ever."""
    name, ever = topic(config={"retention.ms": HOUR,
                               "retention.bytes": 1_000_000}), topic()
    c = Case(kafka.address, group, name, secor, tmp_path, http=listening(),
             kafka={"session_timeout": "30s"}, batch={"max_age": "1h", "max_messages": 1000})
    c.config["kafka"]["topics"] = [name, ever]
    c.process.reconfigure(c.config)
    old_messages(c, 900, 50, pad=900)
    clients.produce_json(kafka.address, ever, 10, first_id=10_000)
    c.start()
    now = wait_left(c.process, name, lambda x: len(x) == 2 and
                    x["time"] < 700)
    assert 400 < now["time"] <= 601
    for by in ("time", "bytes"):
        c.process.wait_for(rf"^warn .*retention comes near topic={name} "
                           rf"partition=0 offset=0 by={by} ")
    assert left(c.process, ever) == {}
    old_messages(c, 100, 50)
    clients.wait_committed(kafka.address, group, name, [1000])
    for by in ("time", "bytes"):
        c.process.wait_for(rf"^info .*retention is far again topic={name} "
                           rf"partition=0 by={by} ")
    now = left(c.process, name)
    assert 3590 < now["time"] <= 3600 and now["bytes"] > 0
    c.stop()
    assert c.process.text().count("retention comes near") == 2
    proof.assert_exactly_once(c.ids, c.tree)


def test_halted_partition_tells_its_age_without_reading(
        kafka, topic, group, secor, tmp_path):
    """Nobody has its first message: Kafka is asked how old it is."""
    name = topic(config={"retention.ms": HOUR})
    c = Case(kafka.address, group, name, secor, tmp_path, http=listening())
    old_messages(c, 200, 59)
    c.run_to_the_end()
    old_messages(c, 200, 50)
    halting.commit_record(kafka.address, group, name, 200, "somebody")
    c.start()
    c.halted("foreign-record")
    now = wait_left(c.process, name, lambda x: x.get("time", HOUR) < 1000)
    # halving stops at a second of the hour
    assert 400 < now["time"] <= 602
    c.process.wait_for("^warn .*retention comes near .* offset=200 by=time ")
    c.stop()
