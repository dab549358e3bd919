"""The notifier qubole against a stand-in for Qubole that checks token and
headers and executes HiveQL."""

import random
import re
import time

import pytest
from qubole import Hive, HiveError, Parser, Qubole, statements
from secure import tls_server
from test_finalize import Paths, dt
from test_layouts import escape
from test_notifiers import HOUR, driver  # noqa: F401
from test_notifiers import batch as batch_of


@pytest.fixture
def qubole():
    with Qubole("t0ken") as q:
        q.hive.create("logs_t", ["dt", "hr"])
        yield q


def batch(*paths, topic="t"):
    """As the other notifiers' tests have it, with paths as the engine makes
    them."""
    made = batch_of(*paths, topic=topic)
    for o in made["objects"]:
        o["path"] = "/".join(f"{n}={escape(v)}" for n, v in o["levels"])
    return made


def options(qubole, **more):
    return {"base_url": qubole.url, "token": "t0ken", "table": "logs_{topic}",
            "poll_interval": "5ms", **more}


def test_path_becomes_a_partition_once(driver, qubole):
    other = [("dt", "2014-07-21"), ("hr", "03")]
    assert driver("qubole", options(qubole), [
        batch(HOUR, HOUR), batch(HOUR, other)]) == ["OK", "OK"]
    assert qubole.hive.partitions["logs_t"] == {
        ("2014-07-21", "02"): None, ("2014-07-21", "03"): None}
    assert qubole.queries == [
        "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION "
        f"(dt='2014-07-21',hr='{h}')" for h in ("02", "03")]


def test_another_process_adds_again_and_nothing_breaks(driver, qubole):
    for _ in range(2):
        assert driver("qubole", options(qubole), [batch(HOUR)]) == ["OK"]
    assert len(qubole.commands) == 2
    assert list(qubole.hive.partitions["logs_t"]) == [("2014-07-21", "02")]


HOSTILE = ["x'); DROP TABLE t; --", "'", "''", "\\", "\\'", "\\\\'", "a\\nb",
           "a\nb", "\r\n-- comment", ";", ";;", "a;b", '"', '"; DROP', "`",
           "${env:HOME}", "${hiveconf:x}", "$date$", "\\u0041", "\\101",
           "\\073", "%", "_", "=", "a/b", "gr\u00fc\u00df \u20ac \U0001f600",
           "\x01\x1a\x7f", "'''''", "')", "x' OR '1'='1", " ", "NULL", ".",
           ".."]


def expect_values(hive, values):
    """Each value is one partition, with the folder of its objects where it
    could not be written without escapes."""
    assert hive.refused == []
    found = hive.partitions["logs_v"]
    assert len(found) == len(values)
    if hive.typecheck:
        assert set(found) == {(v,) for v in values}
    named = {where for where in found.values() if where}
    for value in values:
        escaped = re.search(
            r"[\\;\x00-\x1f\x7f]|\$\{|'.*\"|\".*'|^\.+$", value, re.S)
        assert ((value,) in found and found[(value,)] is None) or \
            "s3://b/raw/t/v=" + value in named
        assert bool(escaped) == ("s3://b/raw/t/v=" + value in named)


@pytest.mark.parametrize("typecheck", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_hostile_values_stay_values(driver, qubole, typecheck, whole):
    qubole.whole, qubole.hive.typecheck = whole, typecheck
    qubole.hive.create("logs_v", ["v"])
    assert driver("qubole", options(qubole), [
        batch(*([("v", v)] for v in HOSTILE), topic="v")]) == ["OK"]
    expect_values(qubole.hive, HOSTILE)


def test_random_values_stay_values(driver, qubole):
    rng = random.Random(7)
    alphabet = "'\\;$\"`\n\t -{}()0137uxZ_\u00e9\U0001f600"
    values = {"".join(rng.choice(alphabet) for _ in range(rng.randint(1, 12)))
              for _ in range(300)}
    qubole.polls = 0
    qubole.hive.create("logs_v", ["v"])
    assert driver("qubole", options(qubole), [
        batch(*([("v", v)] for v in sorted(values)), topic="v")]) == ["OK"]
    expect_values(qubole.hive, values)


def test_location_is_the_folder(driver, qubole):
    assert driver("qubole", options(qubole, location="true"),
                  [batch(HOUR)]) == ["OK"]
    assert qubole.hive.partitions["logs_t"] == {
        ("2014-07-21", "02"): "s3://b/raw/t/dt=2014-07-21/hr=02"}


def test_reserved_names_are_taken_as_names(driver, qubole):
    qubole.hive.create("_db.table", ["date", "9th"])
    assert driver("qubole", options(qubole, tables="{t: _db.table}"),
                  [batch([("date", "x"), ("9th", "y")])]) == ["OK"]
    assert list(qubole.hive.partitions["_db.table"]) == [("x", "y")]


def test_wrong_token_is_retried_and_not_told(driver, qubole):
    answer, = driver("qubole", options(qubole, token="wr0ng"), [batch(HOUR)])
    assert answer.startswith("RETRY ") and "the token is refused" in answer
    assert "wr0ng" not in answer


def test_missing_table_is_retried_until_it_is_there(driver, qubole):
    answer, = driver("qubole", options(qubole), [batch(HOUR, topic="new")])
    assert answer.startswith("RETRY ") and "status error" in answer
    qubole.hive.create("logs_new", ["dt", "hr"])
    assert driver("qubole", options(qubole),
                  [batch(HOUR, topic="new")]) == ["OK"]


HUGE = b'{"id": 1, "status": "done", "x": "' + b"x" * (2 << 20) + b'"}'
DEEP = b'{"x":' * 100_000


SUBMISSIONS = [
    (301, "redirects are not followed"),
    ((302, {"Location": "https://127.0.0.1:1/"}), "redirects are not"),
    (401, "the token is refused"),
    (403, "the token is refused"),
    (404, "HTTP 404"),
    (408, "HTTP 408"),
    (429, "HTTP 429"),
    ((429, {"Retry-After": "301"}), "HTTP 429"),
    (500, "HTTP 500"),
    (502, "HTTP 502"),
    (503, "HTTP 503"),
    (b"<html>maintenance</html>", "no JSON object"),
    (b"", "no JSON object"),
    (b"[1]", "no JSON object"),
    (b"null", "no JSON object"),
    (b'{"id": 1', "no JSON object"),
    (b'{"id": "\xff"}', "no JSON object"),
    (DEEP, "no JSON object"),
    (HUGE, "127.0.0.1"),
    ("cut", "127.0.0.1"),
    ("short", "127.0.0.1"),
    ({"id": None}, "names no command id"),
    ({"id": "1"}, "names no command id"),
    ({"id": 1.5}, "names no command id"),
    ({"id": 0}, "names no command id"),
    ({"status": "error"}, "status error"),
    ({"status": "cancelled"}, "was cancelled"),
    ({"status": "unheard-of"}, "which is not known")]


def test_trouble_at_the_submission_is_told_and_passes(driver, qubole):
    qubole.polls = 0
    events = []
    for n, (fault, _) in enumerate(SUBMISSIONS):
        # a request that finds a kept connection cut is sent again
        qubole.fail(*[fault] * (2 if fault == "cut" else 1), None, None)
        events += [batch([("dt", "x"), ("hr", str(n))])] * 2
    answers = driver("qubole", options(qubole), events)
    for n, (_, want) in enumerate(SUBMISSIONS):
        first, second = answers[2 * n:2 * n + 2]
        assert first.startswith(f"RETRY table logs_t, path dt=x/hr={n}: ")
        assert want in first
        assert second == "OK"
    assert list(qubole.hive.partitions["logs_t"]) == [
        ("x", str(n)) for n in range(len(SUBMISSIONS))]


@pytest.mark.parametrize("fault,want", [
    (404, "command 1 is not known"),
    ({"status": "error"}, "command 1 ended in status error"),
    ({"status": "cancelled"}, "command 1 was cancelled"),
    ({"status": "unheard-of"}, "status 'unheard-of', which is not known")])
def test_command_that_ends_badly_is_submitted_again(
        driver, qubole, fault, want):
    qubole.fail(None, None, fault)
    qubole.polls = 2
    first, second = driver("qubole", options(qubole),
                           [batch(HOUR), batch(HOUR)])
    assert first.startswith("RETRY ") and want in first
    assert second == "OK"
    assert len(qubole.commands) == 2


def test_trouble_between_looks_is_waited_out(driver, qubole):
    faults = [301, 400, 401, 403, 408, 422, 429, 500, 503,
              (429, {"Retry-After": "1"}), b"<html>", b"", b"[]", b"{}", HUGE,
              "cut", "short", {"status": None}, {"status": ["done"]},
              {"status": "waiting"}, {"status": "queued"},
              {"status": "running"}, {"status": "cancelling"}]
    qubole.polls = len(faults)
    qubole.fail(None, *faults)
    begin = time.monotonic()
    assert driver("qubole", options(qubole), [batch(HOUR)]) == ["OK"]
    assert len(qubole.commands) == 1
    assert time.monotonic() - begin >= 1  # what was asked for


def test_patience_that_is_asked_for_is_had(driver, qubole):
    qubole.fail((429, {"Retry-After": "1"}), (503, {"Retry-After": "1"}))
    begin = time.monotonic()
    assert driver("qubole", options(qubole), [batch(HOUR)]) == ["OK"]
    assert len(qubole.commands) == 1
    assert time.monotonic() - begin >= 2


def test_nobody_at_the_address_is_told(driver, qubole):
    answer, = driver("qubole", options(qubole, base_url="http://127.0.0.1:1"),
                     [batch(HOUR)])
    assert answer.startswith("RETRY ") and "127.0.0.1" in answer


def test_tls_is_verified(driver, tmp_path):
    context, cert = tls_server(tmp_path)
    with Qubole("t0ken", context=context) as q:
        q.hive.create("logs_t", ["dt", "hr"])
        answer, = driver("qubole", options(q), [batch(HOUR)])
        assert answer.startswith("RETRY ") and "TLS" in answer
        assert q.requests == []
        assert driver("qubole", options(q, ca_file=cert),
                      [batch(HOUR)]) == ["OK"]


@pytest.mark.parametrize("status", [400, 422])
def test_refused_command_is_rejected(driver, qubole, status):
    qubole.fail(status)
    answer, = driver("qubole", options(qubole), [batch(HOUR)])
    assert answer.startswith("REJECT ") and f"HTTP {status}" in answer


@pytest.mark.parametrize("before", [0, 1])
def test_slow_server_is_given_up_at_the_time_limit(driver, qubole, before):
    qubole.fail(*[None] * before, ("slow", 300))
    begin = time.monotonic()
    answer, = driver("qubole", options(qubole, timeout="300ms"),
                     [batch(HOUR)])
    assert answer.startswith("RETRY ")
    assert time.monotonic() - begin < 50


def test_bare_level_is_rejected_and_the_others_are_added(driver, qubole):
    answer, = driver("qubole", options(qubole), [batch([("", "x")], HOUR)])
    assert answer.startswith("REJECT ") and "without a name" in answer
    assert list(qubole.hive.partitions["logs_t"]) == [("2014-07-21", "02")]


# ---- paths, and statements by template ----

def path(levels, event="path_finalized", topic="t", **more):
    """A path with one object in it."""
    one = batch(levels, topic=topic)["objects"]
    return {"event": event, "topic": topic, "path": one[0]["path"],
            "levels": levels, "url": one[0]["url"].rsplit("/", 1)[0],
            "objects": one, "total_objects": 3, "total_records": 2**40,
            "total_bytes": 17, **more}


STATISTICS = ("ALTER TABLE {table} PARTITION ({partition}) UPDATE STATISTICS "
              "SET ('numRows'='{total_records}','rawDataSize'='{total_bytes}')")
ANALYZE = "ANALYZE TABLE {table} PARTITION ({partition}) COMPUTE STATISTICS"


def test_partition_is_added_when_its_path_is_complete(driver, qubole):
    assert driver("qubole", options(qubole, add="finalized"), [
        batch(HOUR), path(HOUR), path(HOUR),
        path([("dt", "2014-07-21")], objects=batch(HOUR)["objects"]),
        path(HOUR, "path_amended")]) == ["OK"] * 5
    assert qubole.queries == [
        "ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION "
        "(dt='2014-07-21',hr='02')"]


def test_amended_path_of_another_process_is_a_partition(driver, qubole):
    assert driver("qubole", options(qubole, add="finalized"),
                  [path(HOUR, "path_amended")]) == ["OK"]
    assert list(qubole.hive.partitions["logs_t"]) == [("2014-07-21", "02")]


def test_statements_run_in_their_order(driver, qubole):
    assert driver("qubole", options(
        qubole, finalized_statements=[STATISTICS, ANALYZE],
        amended_statements=[STATISTICS, "ALTER TABLE {table} SET TBLPROPERTIES"
                            " ('new'='{objects} {records} {bytes}')"]), [
            path(HOUR),  # before its objects: another thread tells of them
            batch(HOUR), path(HOUR, "path_amended", total_records=5, objects=[
                {**o, "records": 4, "bytes": 2**40}
                for o in batch(HOUR, HOUR)["objects"]])]) == ["OK"] * 3
    where = "(dt='2014-07-21',hr='02')"
    assert qubole.queries == [
        f"ALTER TABLE logs_t ADD IF NOT EXISTS PARTITION {where}",
        f"ALTER TABLE logs_t PARTITION {where} UPDATE STATISTICS SET "
        f"('numRows'='{2**40}','rawDataSize'='17')",
        f"ANALYZE TABLE logs_t PARTITION {where} COMPUTE STATISTICS",
        f"ALTER TABLE logs_t PARTITION {where} UPDATE STATISTICS SET "
        "('numRows'='5','rawDataSize'='17')",
        f"ALTER TABLE logs_t SET TBLPROPERTIES ('new'='2 8 {2**41}')"]
    assert qubole.hive.statistics == {
        ("logs_t", "2014-07-21", "02"): {"numRows": 5, "rawDataSize": 17}}
    assert qubole.hive.analyzed == [("logs_t", "2014-07-21", "02")]


def test_failed_statement_begins_the_list_again(driver, qubole):
    qubole.polls = 0
    qubole.fail(None, None, None, None, None, {"status": "cancelled"})
    first, second = driver("qubole", options(
        qubole, finalized_statements=[STATISTICS, ANALYZE]),
        [path(HOUR), path(HOUR)])
    assert first == ("RETRY table logs_t, path dt=2014-07-21/hr=02: "
                     "statement 2: command 3 was cancelled")
    assert second == "OK"
    assert [q.split()[0] for q in qubole.queries] == [
        "ALTER", "ALTER", "ANALYZE"] * 2
    # the partition again, too: it may be what failed
    assert [" ADD " in q for q in qubole.queries] == [True, False, False] * 2


def test_other_statements_add_the_partition(driver, qubole):
    qubole.hive.create("logs_v", ["v"])
    assert driver("qubole", options(qubole, statements=[
        "ALTER TABLE {table} ADD IF NOT EXISTS PARTITION (v={level:v}) "
        "LOCATION {location}",
        "MSCK REPAIR TABLE {table}",
        "ALTER TABLE {table} SET TBLPROPERTIES ('topic'={topic}, {path}='x')"
        ]),
        [batch([("v", "it's")], topic="v")]) == ["OK"]
    assert qubole.hive.partitions["logs_v"] == {
        ("it's",): "s3://b/raw/t/v=it's"}
    assert qubole.hive.repaired == ["logs_v"]
    assert qubole.hive.properties["logs_v"] == {"topic": "v",
                                                 "v=it%27s": "x"}


def test_escaped_value_wants_a_location(driver, qubole):
    qubole.hive.create("logs_v", ["v"])
    add = "ALTER TABLE {table} ADD IF NOT EXISTS PARTITION ({partition})"
    answers = driver("qubole", options(
        qubole, statements=[add]),
        [batch([("v", "plain")], topic="v"), batch([("v", "a;b")], topic="v")])
    assert answers[0] == "OK"
    assert answers[1].startswith("REJECT ")
    assert "must say LOCATION {location}" in answers[1]
    assert driver("qubole", options(
        qubole, statements=[add + " LOCATION {location}"]),
        [batch([("v", "a;b")], topic="v")]) == ["OK"]
    assert qubole.hive.partitions["logs_v"] == {
        ("plain",): None, ("a;b",): "s3://b/raw/t/v=a;b"}


@pytest.mark.parametrize("whole", [True, False])
def test_hostile_values_stay_values_in_statements(driver, qubole, whole):
    """Topics too, though Kafka has none like these."""
    qubole.whole = whole
    qubole.hive.create("logs_v", ["v"])
    tables = {v: "logs_v" for v in HOSTILE}
    rng = random.Random(11)
    events, want = [], {}
    for value in HOSTILE:
        topic = rng.choice(HOSTILE)
        events.append(path([("v", value)], topic=topic))
        want["v=" + escape(value)] = topic
    assert driver("qubole", options(
        qubole, add="finalized", tables=tables, finalized_statements=[
            STATISTICS, ANALYZE, "ALTER TABLE {table} SET TBLPROPERTIES "
            "({path}={topic}, {level:v} = {location})"]),
        events) == ["OK"] * len(events)
    assert qubole.hive.refused == []
    assert set(qubole.hive.partitions["logs_v"]) == {(v,) for v in HOSTILE}
    assert qubole.hive.analyzed == [("logs_v", v) for v in HOSTILE]
    assert set(qubole.hive.statistics) == {("logs_v", v) for v in HOSTILE}
    assert qubole.hive.properties["logs_v"] == {
        **want, **{v: "s3://b/raw/t/v=" + v for v in HOSTILE}}


# ---- in the service ----

def test_service_tells_of_complete_and_amended_paths(
        kafka, topic, group, secor, tmp_path):
    with Qubole("t0ken-of-qubole") as q:
        q.polls = 0
        q.hive.create("logs", ["dt", "hr"])
        p = Paths(kafka, topic, group, secor, tmp_path, q, notifiers=[{
            "use": "qubole", "token": q.token, "base_url": q.url,
            "table": "logs", "add": "finalized", "poll_interval": "5ms",
            "finalized_statements": [STATISTICS, ANALYZE],
            "amended_statements": [STATISTICS]}])
        p.produce([0, 1, 2])
        p.store_all()
        p.finalize()
        hours = [dt(h) for h in (0, 1, 2)]
        names = [tuple(part.split("=")[1] for part in h.split("/"))
                 for h in hours]
        assert list(q.hive.partitions["logs"]) == names
        assert q.hive.analyzed == [("logs", *n) for n in names]
        p.produce([1])
        p.store_all()
        q.fail(500, (429, {"Retry-After": "1"}))
        p.finalize(code=1)
        p.finalize()
        assert list(q.hive.partitions["logs"]) == names
        assert q.hive.refused == []
        for name, hour in zip(names, hours):
            assert q.hive.statistics[("logs", *name)]["numRows"] == \
                p.records(hour)


# ---- the stand-in itself ----

@pytest.mark.parametrize("text", [
    "DROP TABLE t",
    "ALTER TABLE t SET LOCATION 'x'",
    "ALTER TABLE t DROP PARTITION (a='x')",
    "ALTER TABLE t ADD PARTITION (a='x')",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a=x)",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x'",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION ()",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x') b",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x',)",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x''y')",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x\\')",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (date='x')",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (1='x')",
    "ALTER TABLE my-t ADD IF NOT EXISTS PARTITION (a='x')",
    "ALTER TABLE a.b.c ADD IF NOT EXISTS PARTITION (a='x')",
    "ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x') LOCATION",
])
def test_stand_in_refuses_what_is_no_such_statement(text):
    with pytest.raises(HiveError):
        Parser(text).statement()


def test_stand_in_hands_on_how_values_are_spelled():
    escapes = r"\'\"\\\n\t\0\073\u20ac\%\q"
    statement = ("alter table `T` add if not exists partition "
                 f"""(a = '{escapes}', b="it's") """
                 f"LOCATION '{escapes}' -- end")
    plain = "'\"\\\n\t\0;\u20ac\\%q"
    assert Parser(statement).statement() == (
        "add", "t", [("a", escapes), ("b", "it's")], plain)
    for typecheck, value in ((True, plain), (False, escapes)):
        hive = Hive(typecheck)
        hive.create("t", ["a", "b"])
        hive.run(statement)
        assert hive.partitions["t"] == {(value, "it's"): plain}


def test_stand_in_splits_and_substitutes_inside_literals():
    with Qubole() as q:
        q.hive.create("t", ["a"])
        add = "ALTER TABLE t ADD IF NOT EXISTS PARTITION "
        with pytest.raises(HiveError):
            q.execute(add + "(a='x\\'); DROP TABLE t; --')")
        q.execute(add + "(a='${env:HOME}')")
        q.execute(add + "(a='x\\;y')")
        q.whole = True
        q.execute(add + "(a='w\\;y')")
        assert list(q.hive.partitions["t"]) == [
            ("SUBSTITUTED",), ("x;y",), ("w;y",)]
    assert list(statements("a;b\\;c; ;d")) == ["a", "b;c", "d"]


@pytest.mark.parametrize("text", [
    "ANALYZE TABLE t PARTITION (a='y') COMPUTE STATISTICS",
    "ALTER TABLE t PARTITION (a='y') SET LOCATION 's3://b/x'",
    "ALTER TABLE t PARTITION (a='x') SET TBLPROPERTIES ('a'='b')",
    "ALTER TABLE t PARTITION (a='x') UPDATE STATISTICS SET ('totalSize'='1')",
    "ALTER TABEL t", "MSCK REPAIR TABLE u"])
def test_stand_in_refuses_what_hive_refuses(text):
    hive = Hive()
    hive.create("t", ["a"])
    hive.run("ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x')")
    with pytest.raises(HiveError):
        hive.run(text)
    assert len(hive.refused) == 1
