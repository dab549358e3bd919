"""The notifier glue against moto's Data Catalog, behind a door that computes
signatures anew and checks requests by AWS's model; read by boto3."""

import itertools

import pytest
from aws import Container, Sts
from botocore.credentials import Credentials
from glue import KEY, REGION, Glue
from servers import wait_until
from test_finalize import Paths, dt
from test_notifiers import HOUR, batch, driver  # noqa: F401

NULL = "__HIVE_DEFAULT_PARTITION__"
OTHER = [("dt", "2014-07-21"), ("hr", "03")]
HOSTILE = ["x'); DROP TABLE t; --", "'", '"', "\\", "a\nb", "\r\n", ";", "`",
           "${env:HOME}", "\\u0041", "%", "%2F", "=", "a/b", "/", "..", "\x01",
           "gr\u00fc\u00df \u20ac \U0001f600", " ", "NULL", "v" * 1024,
           "</Location>", '"}]}', "\x7f", "a\tb"]
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server():
    with Glue() as g:
        yield g


@pytest.fixture
def glue(server):
    """The server, as new, with a database of the test's own."""
    server.reset()
    server.database = f"db_{next(_numbers)}"
    server.storage = server.create(server.database, "logs_t", ["dt", "hr"])
    return server


def options(glue, **more):
    """Of the notifier; None takes one away."""
    given = {"endpoint": glue.url, "region": REGION,
             "access_key": KEY.access_key, "secret_key": KEY.secret_key,
             "database": glue.database, "table": "logs_{topic}",
             "retry_delay": "1ms", **more}
    return {k: v for k, v in given.items() if v is not None}


def found(glue, table="logs_t"):
    return glue.partitions(glue.database, table)


def path(event, levels, records, size, objects=1, topic="t"):
    """A path that is finalized or amended."""
    one = batch(levels, topic=topic)["objects"][0]
    return {"event": event, "topic": topic, "path": one["path"],
            "url": one["url"].rpartition("/")[0], "levels": levels,
            "total_objects": objects, "total_records": records,
            "total_bytes": size, "objects": [one]}


def statistics(partition):
    return {k: partition["Parameters"].get(k) for k in (
        "recordCount", "numRows", "objectCount", "numFiles", "sizeKey",
        "totalSize")}


def sums(records, objects, size):
    return {"recordCount": str(records), "numRows": str(records),
            "objectCount": str(objects), "numFiles": str(objects),
            "sizeKey": str(size), "totalSize": str(size)}


def hours(count):
    return [[("dt", f"d{i // 24:03}"), ("hr", f"{i % 24:02}")]
            for i in range(count)]


# ---- paths of batches ----

def test_path_becomes_a_partition_once_by_the_tables_descriptor(driver, glue):
    assert driver("glue", options(glue), [
        batch(HOUR, HOUR), batch(HOUR, OTHER)]) == ["OK", "OK"]
    assert glue.names() == ["GetTable", "BatchCreatePartition",
                            "BatchCreatePartition"]
    assert list(found(glue)) == [("2014-07-21", "02"), ("2014-07-21", "03")]
    for (day, hour), p in found(glue).items():
        where = f"s3://b/raw/t/dt={day}/hr={hour}"
        assert p["StorageDescriptor"] == {**glue.storage, "Location": where}
        assert p["Parameters"] == {}


def test_another_process_finds_it_and_changes_nothing(driver, glue):
    assert driver("glue", options(glue), [batch(HOUR)]) == ["OK"]
    before = found(glue)
    glue.calls.clear()
    assert driver("glue", options(glue),
                  [batch(HOUR, OTHER), batch(HOUR, OTHER)]) == ["OK", "OK"]
    assert glue.names() == ["GetTable", "BatchCreatePartition",
                            "BatchGetPartition"]
    assert found(glue)[("2014-07-21", "02")] == before[("2014-07-21", "02")]
    assert len(found(glue)) == 2


@pytest.mark.parametrize("where", ["s3://b/raw/t/dt=2014-07-21/hr=02/",
                                   "s3a://b/raw/t/dt=2014-07-21/hr=02"])
def test_location_is_the_same_under_another_spelling(driver, glue, where):
    glue.client.create_partition(
        DatabaseName=glue.database, TableName="logs_t",
        PartitionInput={"Values": ["2014-07-21", "02"],
                        "StorageDescriptor": {"Location": where}})
    assert driver("glue", options(glue), [batch(HOUR)]) == ["OK"]


def test_partition_elsewhere_is_rejected_with_both_and_left_alone(
        driver, glue):
    glue.client.create_partition(
        DatabaseName=glue.database, TableName="logs_t",
        PartitionInput={"Values": ["2014-07-21", "02"],
                        "StorageDescriptor": {"Location": "s3://else/where"}})
    before = found(glue)
    answers = driver("glue", options(glue), [
        batch(HOUR, OTHER), path("path_finalized", HOUR, 5, 6)])
    for answer in answers:
        assert answer.startswith(
            "REJECT table logs_t, path dt=2014-07-21/hr=02: ")
        assert "s3://else/where, not s3://b/raw/t/dt=2014-07-21/hr=02" \
            in answer
    after = found(glue)
    assert after.pop(("2014-07-21", "03"))
    assert after == before
    assert "UpdatePartition" not in glue.names()


def test_many_paths_go_a_hundred_a_call(driver, glue):
    paths = hours(250)
    assert driver("glue", options(glue), [batch(*paths)]) == ["OK"]
    assert [len(r["PartitionInputList"])
            for r in glue.requests("BatchCreatePartition")] == [100, 100, 50]
    assert set(found(glue)) == {tuple(v for _, v in p) for p in paths}
    glue.calls.clear()
    glue.at_once = 30  # the others are UnprocessedKeys
    assert driver("glue", options(glue), [batch(*paths)]) == ["OK"]
    assert [len(r["PartitionsToGet"])
            for r in glue.requests("BatchGetPartition")] == [
        100, 70, 40, 10, 100, 70, 40, 10, 50, 20]
    assert len(found(glue)) == 250


def test_keys_that_are_never_processed_are_told_later(driver, glue):
    assert driver("glue", options(glue), [batch(HOUR)]) == ["OK"]
    glue.at_once = 0
    answer, = driver("glue", options(glue), [batch(HOUR)])
    assert answer.startswith("RETRY ") and "does not tell" in answer


def test_values_of_others_stay_values(driver, glue):
    glue.create(glue.database, "logs_v", ["v"])
    assert driver("glue", options(glue), [batch(
        *([("v", v)] for v in HOSTILE), topic="v")]) == ["OK"]
    there = found(glue, "logs_v")
    assert set(there) == {(v,) for v in HOSTILE}


def test_no_value_is_the_default_partition(driver, glue):
    glue.create(glue.database, "logs_v", ["v"])
    assert driver("glue", options(glue), [
        batch([("v", None)], topic="v")]) == ["OK"]
    assert set(found(glue, "logs_v")) == {(NULL,)}


@pytest.mark.parametrize("levels,want", [
    ([("", "x")], "without a name"),
    ([("dt", "v" * 1025), ("hr", "1")], "longer than the 1024 bytes"),
    ([("hr", "1"), ("dt", "2")],
     "partitioned by (dt, hr), the path by (hr, dt)"),
    ([("dt", "2")], "partitioned by (dt, hr), the path by (dt)"),
    ([("dt", "1"), ("hr", "2"), ("c", "3")],
     "partitioned by (dt, hr), the path by (dt, hr, c)")])
def test_path_that_is_no_partition_is_rejected_and_the_others_are_added(
        driver, glue, levels, want):
    answer, = driver("glue", options(glue), [batch(levels, HOUR)])
    assert answer.startswith("REJECT ") and want in answer
    assert set(found(glue)) == {("2014-07-21", "02")}


def test_table_made_anew_with_other_keys_is_read_again(driver, glue):
    glue.create(glue.database, "logs_n", ["dt"])

    def remake(operation, _):
        if operation == "GetTable" and len(glue.calls) > 1:
            glue.client.delete_table(DatabaseName=glue.database,
                                     Name="logs_n")
            glue.create(glue.database, "logs_n", ["dt", "hr"])
    glue.before = remake
    assert driver("glue", options(glue), [
        batch([("dt", "1")], topic="n"), batch(HOUR, topic="n")]) == [
            "OK", "OK"]
    assert glue.names() == ["GetTable", "BatchCreatePartition"] * 2
    assert set(found(glue, "logs_n")) == {("2014-07-21", "02")}


def test_topic_without_a_table_is_left_alone(driver, glue):
    assert driver("glue", options(glue, table=None, tables="{x: logs_t}"),
                  [batch(HOUR)]) == ["OK"]
    assert glue.calls == []


def test_database_and_catalog_are_named(driver, glue):
    assert driver("glue", options(
        glue, table=f"{glue.database}.logs_t", database="nowhere",
        catalog_id="123456789012"), [batch(HOUR)]) == ["OK"]
    assert [(r["CatalogId"], r["DatabaseName"]) for _, r in glue.calls] == [
        ("123456789012", glue.database)] * 2


# ---- trouble ----

def test_throttling_passes_within_the_call(driver, glue):
    slow = ("ThrottlingException", "Rate exceeded")
    glue.fail(slow, slow, None, slow, ("OperationTimeoutException", ""), 429)
    assert driver("glue", options(glue), [batch(HOUR)]) == ["OK"]
    assert glue.names() == ["GetTable"] * 3 + ["BatchCreatePartition"] * 4
    assert len(found(glue)) == 1


@pytest.mark.parametrize("fault,want", [
    (("ThrottlingException", "Rate exceeded"),
     "HTTP 400 ThrottlingException: Rate exceeded"),
    (("InternalServiceException", "oh"), "InternalServiceException: oh"),
    (("ConcurrentModificationException", "c"), "ConcurrentModification"),
    (("ResourceNumberLimitExceededException", "q"), "LimitExceeded"),
    (("NewException", "a\nb"), "HTTP 400 NewException: a b"),
    (500, "HTTP 500"), (503, "HTTP 503"), (429, "HTTP 429"),
    (404, "HTTP 404"), (403, "HTTP 403"), (302, "HTTP 302"),
    ("html", "no JSON object"), ("cut", "127.0.0.1")])
@pytest.mark.parametrize("at", ["GetTable", "BatchCreatePartition"])
def test_trouble_is_told_later_and_passes(driver, glue, at, fault, want):
    first = [] if at == "GetTable" else [None]
    # a connection that was kept may be dead: then it is sent once more
    glue.fail(*first, *[fault] * (1 if fault != "cut" or not first else 2))
    first, second = driver("glue", options(glue, max_attempts=1),
                           [batch(HOUR), batch(HOUR)])
    assert first.startswith("RETRY table logs_t, path dt=2014-07-21/hr=02: ")
    assert at in first and want in first
    assert second == "OK"
    assert set(found(glue)) == {("2014-07-21", "02")}


def test_errors_of_some_are_theirs_alone(driver, glue):
    paths = hours(5)
    glue.partial = {("d000", "01"): "ThrottlingException",
                    ("d000", "03"): "InvalidInputException"}
    first, second = driver("glue", options(glue),
                           [batch(*paths), batch(*paths)])
    assert first.startswith("RETRY table logs_t, path dt=d000/hr=01: "
                            "BatchCreatePartition: ThrottlingException: as")
    assert first.endswith("(and 1 more)")
    assert second == "OK"
    creates = glue.requests("BatchCreatePartition")
    # what was created is not asked for again
    assert [len(r["PartitionInputList"]) for r in creates] == [3, 2]
    assert len(found(glue)) == 5


def test_refused_partition_is_rejected_and_the_others_are_added(driver, glue):
    paths = hours(5)
    glue.partial = {("d000", "03"): "InvalidInputException"}
    answer, = driver("glue", options(glue), [batch(*paths)])
    assert answer.startswith("REJECT table logs_t, path dt=d000/hr=03: ")
    assert len(found(glue)) == 4


def test_one_that_has_the_whole_call_refused_is_found(driver, glue):
    paths = hours(24)
    glue.bad_value = '"d000", "17"'
    answer, = driver("glue", options(glue), [batch(*paths)])
    assert answer.startswith("REJECT table logs_t, path dt=d000/hr=17: ")
    assert "InvalidInputException" in answer
    assert len(found(glue)) == 23


def test_missing_right_is_named_and_the_secret_is_not(driver, glue):
    glue.denied = {"BatchCreatePartition"}
    answer, = driver("glue", options(glue), [batch(HOUR)])
    assert answer.startswith("RETRY ")
    assert "AccessDeniedException" in answer
    assert f"the access key {KEY.access_key}, from configuration, needs " \
        "glue:BatchCreatePartition" in answer
    assert KEY.secret_key not in answer


def test_wrong_secret_is_told_later(driver, glue):
    answer, = driver("glue", options(glue, secret_key="wr0ng"), [batch(HOUR)])
    assert answer.startswith("RETRY ")
    assert "InvalidSignatureException" in answer and "wr0ng" not in answer
    assert found(glue) == {}


def test_missing_table_is_waited_for_or_dropped(driver, glue):
    new = batch(HOUR, topic="new")
    answer, = driver("glue", options(glue), [new])
    assert answer.startswith("RETRY ") and "EntityNotFoundException" in answer
    answer, = driver("glue", options(glue, on_error="reject"), [new])
    assert answer.startswith("REJECT ")
    answer, = driver("glue", options(glue, database="nowhere"), [new])
    assert answer.startswith("RETRY ") and "nowhere" in answer
    glue.create(glue.database, "logs_new", ["dt", "hr"])
    assert driver("glue", options(glue), [new]) == ["OK"]


# ---- keys ----

def test_expired_key_is_renewed_at_once(driver, glue, monkeypatch):
    with Container("AKIDOLD", "old", 3600) as agent:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", agent.url)
        glue.keys = {"AKIDOLD": Credentials("AKIDOLD", "old"),
                     "AKIDNEW": Credentials("AKIDNEW", "new")}

        def expire(operation, _):
            if operation == "BatchCreatePartition":
                glue.expired.add("AKIDOLD")
                agent.key = ("AKIDNEW", "new")
        glue.before = expire
        assert driver("glue", options(glue, access_key=None, secret_key=None),
                      [batch(HOUR)]) == ["OK"]
        assert agent.used == {"AKIDOLD", "AKIDNEW"}
    assert len(found(glue)) == 1


def test_key_that_stays_expired_is_told_later(driver, glue):
    glue.expired.add(KEY.access_key)
    answer, = driver("glue", options(glue), [batch(HOUR)])
    assert answer.startswith("RETRY ") and "ExpiredTokenException" in answer
    assert glue.names() == ["GetTable"] * 2


def test_role_is_assumed(driver, glue):
    role = "arn:aws:iam::123456789012:role/glue"
    glue.keys = {"ASIAROLE": Credentials("ASIAROLE", "of-role")}
    with Sts("ASIAROLE", "of-role", 3600, role=role, external_id="agreed",
             askers={KEY.access_key: KEY.secret_key}) as sts:
        assert driver("glue", options(
            glue, role_arn=role, external_id="agreed",
            role_session_name="catalog", sts_endpoint=sts.url),
            [batch(HOUR)]) == ["OK"]
        assert sts.sessions == ["catalog"]


def test_session_token_is_signed(driver, glue):
    glue.keys = {"ASIA": Credentials("ASIA", "s3", "t0ken+/=")}
    assert driver("glue", options(
        glue, access_key="ASIA", secret_key="s3", session_token="t0ken+/="),
        [batch(HOUR)]) == ["OK"]
    answer, = driver("glue", options(
        glue, access_key="ASIA", secret_key="s3", session_token="an0ther"),
        [batch(OTHER)])
    assert "UnrecognizedClientException" in answer and "an0ther" not in answer


# ---- paths that are complete ----

def test_finalized_and_amended_paths_have_statistics(driver, glue):
    assert driver("glue", options(glue), [
        batch(HOUR), path("path_finalized", HOUR, 5, 1000, 2),
        path("path_finalized", HOUR, 5, 1000, 2)]) == ["OK"] * 3
    first = found(glue)[("2014-07-21", "02")]
    assert statistics(first) == sums(5, 2, 1000)
    assert glue.names().count("UpdatePartition") == 1  # the same: no write
    glue.client.update_partition(
        DatabaseName=glue.database, TableName="logs_t",
        PartitionValueList=["2014-07-21", "02"], PartitionInput={
            "Values": first["Values"],
            "StorageDescriptor": first["StorageDescriptor"],
            "Parameters": {**first["Parameters"], "owner": "data team"}})
    stored = glue.stored(glue.database, "logs_t", ["2014-07-21", "02"])
    stored["LastAnalyzedTime"] = 1770091506.25
    stored["StorageDescriptor"]["NumberOfBuckets"] = 7
    assert driver("glue", options(glue), [
        path("path_amended", HOUR, 6, 1200, 3)]) == ["OK"]
    after = found(glue)[("2014-07-21", "02")]
    assert statistics(after) == sums(6, 3, 1200)
    assert after["Parameters"]["owner"] == "data team"
    assert after["StorageDescriptor"] == {
        **first["StorageDescriptor"], "NumberOfBuckets": 7}
    assert after["LastAnalyzedTime"].timestamp() == 1770091506.25


def test_finalized_path_that_is_not_there_is_created_with_statistics(
        driver, glue):
    assert driver("glue", options(glue, add="finalized"), [
        batch(HOUR), path("path_finalized", HOUR, 2**53 + 1, 2**62, 2)]) == [
            "OK", "OK"]
    assert glue.names() == ["GetTable", "BatchCreatePartition"]
    assert statistics(found(glue)[("2014-07-21", "02")]) == sums(
        2**53 + 1, 2, 2**62)


def test_level_above_partitions_is_none(driver, glue):
    day = path("path_finalized", HOUR, 5, 6)
    day |= {"path": "dt=2014-07-21", "levels": HOUR[:1]}
    assert driver("glue", options(glue), [day]) == ["OK"]
    assert glue.calls == []


def test_partition_dropped_between_is_told_again(driver, glue):
    def drop(operation, _):
        if operation == "UpdatePartition" and glue.before:
            glue.before = None
            glue.client.delete_partition(
                DatabaseName=glue.database, TableName="logs_t",
                PartitionValues=["2014-07-21", "02"])
    glue.before = drop
    done = path("path_finalized", HOUR, 5, 6)
    first, second, third = driver("glue", options(glue, on_error="reject"), [
        batch(HOUR), done, done])
    assert (first, third) == ("OK", "OK")
    assert second.startswith("RETRY ") and "UpdatePartition" in second
    assert statistics(found(glue)[("2014-07-21", "02")]) == sums(5, 1, 6)


# ---- the service ----

def values(hour):
    return tuple(level.partition("=")[2] for level in dt(hour).split("/"))


def rows(glue, hour):
    there = found(glue).get(values(hour), {"Parameters": {}})
    return there["Parameters"].get("numRows")


def test_catalog_that_is_down_holds_up_nothing_and_has_all_later(
        kafka, topic, group, secor, tmp_path, glue):
    """Paths appear when it is back, are finalized, and amended."""
    p = Paths(kafka, topic, group, secor, tmp_path, glue,
              finalize={"delay": "10m", "interval": "1s"},
              notifiers=[{"use": "glue", **options(
                  glue, table="logs_t", max_attempts=1)}])
    glue.down = 503
    p.produce([0, 1])
    p.process.start()
    p.wait_done()
    p.process.wait_for("notifier fails notifier=glue")
    assert found(glue) == {}
    glue.down = None
    wait_until("statistics", lambda: (rows(glue, 0), rows(glue, 1)) == (
        "20", "20"), 90)
    p.produce([0], [0])
    wait_until("amended statistics", lambda: rows(glue, 0) == "30", 90)
    assert p.process.stop() == 0
    assert rows(glue, 1) == "20"
    assert set(found(glue)) == {values(0), values(1)}
    for hour in (0, 1):
        where = found(glue)[values(hour)]["StorageDescriptor"]["Location"]
        assert where.endswith(f"{tmp_path}/data/{p.topic}/{dt(hour)}")
