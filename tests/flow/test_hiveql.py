"""The notifier qubole against a stand-in whose statements are executed by Hive
itself, against a real metastore."""

import json

import kafka as clients
import proof
import pytest
from flow import local_store, settings, wait_done
from hiveql import HiveQL
from qubole import HiveError, Qubole
from test_finalize import Paths, dt
from test_layouts import escape
from test_notifiers import driver  # noqa: F401
from test_notify_run import HOSTILE as FIELDS
from test_qubole import (ANALYZE, HOSTILE, STATISTICS, batch, options,
                         path)
from watch import wait_metric

pytestmark = pytest.mark.deep


@pytest.fixture
def hive(metastore):
    with HiveQL(metastore.uri) as h:
        yield h


@pytest.fixture
def table(metastore, request, tmp_path):
    """A table of this test's own, with these partition columns."""
    made = []

    def make(*columns, location=tmp_path / "table"):
        made.append(f"{request.node.originalname}_{len(made)}")
        metastore.table(made[-1], columns, f"file://{location}")
        return made[-1]

    yield make
    for name in made:
        metastore.ask("drop_table", db="default", table=name)


def by_hive(hive, **more):
    return Qubole("t0ken", hive=hive, **more)


@pytest.mark.parametrize("typecheck", ["true", "false"])
def test_hive_undoes_escapes_of_values_while_it_checks_types(
        metastore, table, tmp_path, typecheck):
    """What the stand-in does, and why LOCATION is said."""
    t = table("v")
    with HiveQL(metastore.uri, {"hive.typecheck.on.insert": typecheck}) as h:
        h.run(f"ALTER TABLE {t} ADD IF NOT EXISTS PARTITION "
              f"(v='a\\;\\'b') LOCATION 'file://{tmp_path}/x\\;'")
    (value,), made = metastore.partitions(t).popitem()
    assert value == ("a;'b" if typecheck == "true" else "a\\;\\'b")
    assert made["sd"]["location"] == f"file:{tmp_path}/x;"


def test_hive_reads_what_the_service_has_stored(
        kafka, topic, group, secor, metastore, table, hive, tmp_path):
    name = topic(partitions=2)
    store, tree = local_store(tmp_path / "data")
    t = table("country", "dt", location=tmp_path / "data" / name)
    with by_hive(hive) as q:
        process = secor(settings(
            kafka.address, group, name, store,
            partitioner=[{"use": "field", "fields": ["country"]},
                         {"use": "date", "granularity": "day"}],
            notifiers=[{"use": "qubole", "token": q.token, "base_url": q.url,
                        "tables": {name: t}, "poll_interval": "5ms"}]))
        process.start()
        ids = clients.produce_json(
            kafka.address, name, 10 * len(FIELDS), 2,
            extra=lambda i: {"country": FIELDS[i % len(FIELDS)]})
        wait_done(kafka.address, group, name, 2)
        wait_metric(process, "secor_notifier_told_total",
                    proof.count_batches(tree, name))
        assert process.stop() == 0
    assert hive.refused == []
    made = metastore.partitions(t)
    assert {v for v, _ in made} == set(FIELDS)
    read = []
    for row in hive.run(f"SELECT * FROM {t}"):
        line, country, _ = row.split("\t")
        record = json.loads(line)
        assert record["country"] == country  # in the partition of its value
        read.append(record["id"])
    assert sorted(read) == sorted(ids)


@pytest.mark.parametrize("whole", [True, False])
def test_hostile_values_stay_values_in_hive(
        driver, metastore, table, hive, tmp_path, whole):  # noqa: F811
    t = table("v")
    events = []
    for n, value in enumerate(HOSTILE):
        events.append(path([("v", value)], topic=HOSTILE[-n],
                           url=f"file://{tmp_path}/it's;{n}"))
    with by_hive(hive, whole=whole) as q:
        q.polls = 0
        assert driver("qubole", options(
            q, table=None, add="finalized", location="true",
            tables={v: t for v in HOSTILE}, finalized_statements=[
                STATISTICS, ANALYZE + " NOSCAN",
                "ALTER TABLE {table} SET TBLPROPERTIES "
                "({path}={topic}, {level:v} = {location})"]),
            events) == ["OK"] * len(events)
    assert hive.refused == []
    made = metastore.partitions(t)
    assert set(made) == {(v,) for v in HOSTILE}
    parameters = metastore.ask(
        "table", db="default", table=t)["parameters"]
    for n, value in enumerate(HOSTILE):
        assert made[(value,)]["sd"]["location"] == \
            f"file:{tmp_path}/it's;{n}"
        assert made[(value,)]["parameters"]["numRows"] == str(2**40)
        assert parameters["v=" + escape(value)] == HOSTILE[-n]
        assert parameters[value] == f"file://{tmp_path}/it's;{n}"


def test_paths_that_are_complete_and_amended_are_so_in_hive(
        kafka, topic, group, secor, metastore, table, hive, tmp_path, request):
    with by_hive(hive) as q:
        p = Paths(kafka, topic, group, secor, tmp_path, q, notifiers=[{
            "use": "qubole", "token": q.token, "base_url": q.url,
            "table": f"{request.node.originalname}_0", "add": "finalized",
            "poll_interval": "5ms",
            "finalized_statements": [ANALYZE],  # Hive counts by itself
            "amended_statements": [STATISTICS]}])
        t = table("dt", "hr", location=tmp_path / "data" / p.topic)
        p.produce([0, 1, 2])
        p.store_all()
        p.finalize()
        p.produce([1])
        p.store_all()
        p.finalize()
    assert hive.refused == []
    made = metastore.partitions(t)
    assert len(made) == 3
    for hour in (0, 1, 2):
        values = tuple(part.split("=")[1] for part in dt(hour).split("/"))
        assert made[values]["parameters"]["numRows"] == \
            str(p.records(dt(hour)))
    assert len(hive.run(f"SELECT line FROM {t}")) == 80


def test_statement_that_is_no_hiveql_ends_in_error(
        driver, table, hive):  # noqa: F811
    t = table("v")
    with by_hive(hive) as q:
        answer, = driver("qubole", options(
            q, tables={"v": t}, statements=["ALTER TABEL {table}"]),
            [batch([("v", "x")], topic="v")])
        assert answer.startswith("RETRY ")
        assert "statement 1: command 1 ended in status error" in answer
        answer, = driver("qubole", options(q, on_error="reject", tables={
            "v": "no_such_table"}), [batch([("v", "x")], topic="v")])
        assert answer.startswith("REJECT ")
    assert "ParseException" in hive.refused[0]
    assert "no_such_table" in hive.refused[1]
    with pytest.raises(HiveError):
        hive.run("SELECT * FROM no_such_table")
