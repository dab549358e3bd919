"""The notifiers as the engine loads them, against servers that judge what they
are sent: a stand-in for Qubole that reads HiveQL, a webhook receiver that
checks signatures."""

import hashlib
import hmac
import http.server
import json
import random
import re
import ssl
import subprocess
import time
import urllib.parse
from xml.etree import ElementTree

import pytest

from qubole import Hive, HiveError, Parser, Qubole, unescape
from secor import BUILD
from standin import StandIn


DRIVER = BUILD / "tests/oracle/notify"


@pytest.fixture
def driver():
    """Factory: driver(name, options, events) tells a notifier of events; the
    answers, one line an event."""
    def run(name, options, events):
        done = subprocess.run(
            [DRIVER, BUILD / "plugins", name,
             *(f"{k}={v}" for k, v in options.items())],
            input="".join(json.dumps(e) + "\n" for e in events),
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [line.rstrip() for line in done.stdout.splitlines()]
    return run


@pytest.fixture
def qubole():
    with Qubole("t0ken") as q:
        q.hive.create("logs_t", ["dt", "hr"])
        yield q


def batch(*paths, topic="t"):
    """A finished batch with one object a path, a list of (name, value)."""
    return {"topic": topic, "partition": 0, "start": 0, "end": 9, "objects": [
        {"path": "/".join(f"{n}={v}" for n, v in levels), "levels": levels,
         "key": "raw/t/x", "url": "s3://b/raw/t/" + "/".join(
             f"{n}={v}" for n, v in levels) + "/1_0_00.gz"}
        for levels in paths]}


def options(qubole, **more):
    return {"base_url": qubole.url, "token": "t0ken", "table": "logs_{topic}",
            "poll_interval": "5ms", **more}


HOUR = [("dt", "2014-07-21"), ("hr", "02")]


# ---- qubole ----

def test_path_becomes_a_partition_once(driver, qubole):
    other = [("dt", "2014-07-21"), ("hr", "03")]
    assert driver("qubole", options(qubole), [
        batch(HOUR, HOUR), batch(HOUR, other)]) == ["OK", "OK"]
    assert qubole.hive.partitions["logs_t"] == {
        ("2014-07-21", "02"): None, ("2014-07-21", "03"): None}
    posts = [json.loads(b)["query"] for m, _, _, b in qubole.requests
             if m == "POST"]
    assert posts == [
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
           "\x01\x1a\x7f", "'''''", "')", "x' OR '1'='1", " ", "NULL"]


def expect_values(hive, values):
    """Each value is one partition: as it is where it can be written without
    escapes, else with them and with the folder of its objects."""
    assert hive.refused == []
    found = {unescape(v) if where else v: (v, where)
             for (v,), where in hive.partitions["logs_v"].items()}
    assert len(hive.partitions["logs_v"]) == len(values)
    assert set(found) == set(values)
    for value, (spelled, where) in found.items():
        assert spelled == value or where == "s3://b/raw/t/v=" + value
        if not re.search(r"[\\;\x00-\x1f\x7f]|\$\{|'.*\"|\".*'", value):
            assert where is None


def test_hostile_values_stay_values(driver, qubole):
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


@pytest.mark.parametrize("faults,want", [
    ([500], "HTTP 500"),
    ([503], "HTTP 503"),
    ([404], "HTTP 404"),
    (["html"], "no JSON object"),
    (["cut"], "127.0.0.1"),
    (["error"], "status error"),
    (["cancelled"], "was cancelled"),
    ([None, 500], "HTTP 500"),
    ([None, "html"], "no JSON object"),
    ([None, "cut", "cut"], "127.0.0.1"),  # a kept connection may be dead
    ([None, "error"], "status error"),
    ([None, None, "cancelled"], "was cancelled")])
def test_trouble_is_retried_and_passes(driver, qubole, faults, want):
    qubole.fail(*faults)
    first, second = driver("qubole", options(qubole),
                           [batch(HOUR), batch(HOUR)])
    assert first.startswith("RETRY table logs_t, path dt=2014-07-21/hr=02: ")
    assert want in first
    assert second == "OK"
    assert ("2014-07-21", "02") in qubole.hive.partitions["logs_t"]


def test_refused_command_is_rejected(driver, qubole):
    qubole.fail(400)
    answer, = driver("qubole", options(qubole), [batch(HOUR)])
    assert answer.startswith("REJECT ") and "HTTP 400" in answer


def test_slow_server_is_given_up_at_the_time_limit(driver, qubole):
    qubole.fail(("slow", 30))
    begin = time.monotonic()
    answer, = driver("qubole", options(qubole, timeout="300ms"),
                     [batch(HOUR)])
    assert answer.startswith("RETRY ")
    assert time.monotonic() - begin < 20


def test_command_that_never_ends_is_given_up(driver, qubole):
    qubole.polls = 10**6
    answer, = driver("qubole", options(qubole, timeout="300ms"),
                     [batch(HOUR)])
    assert answer.startswith("RETRY ") and "has not ended" in answer


def test_bare_level_is_rejected_and_the_others_are_added(driver, qubole):
    answer, = driver("qubole", options(qubole), [batch([("", "x")], HOUR)])
    assert answer.startswith("REJECT ") and "without a name" in answer
    assert list(qubole.hive.partitions["logs_t"]) == [("2014-07-21", "02")]


# ---- the stand-in itself ----

@pytest.mark.parametrize("text", [
    "DROP TABLE t",
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


def test_stand_in_undoes_the_escapes_of_hive_in_location_alone():
    escapes = r"\'\"\\\n\t\0\073\u20ac\%\q"
    statement = ("alter table `T` add if not exists partition "
                 f"""(a = '{escapes}', b="it's") """
                 f"LOCATION '{escapes}' -- end")
    assert Parser(statement).statement() == (
        "t", [("a", escapes), ("b", "it's")], "'\"\\\n\t\0;\u20ac\\%q")


def test_stand_in_splits_and_substitutes_inside_literals():
    hive = Hive()
    hive.create("t", ["a"])
    with pytest.raises(HiveError):
        hive.run("ALTER TABLE t ADD IF NOT EXISTS PARTITION "
                 "(a='x\\'); DROP TABLE t; --')")
    hive.run("ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='${env:HOME}')")
    hive.run("ALTER TABLE t ADD IF NOT EXISTS PARTITION (a='x\\;y')")
    assert list(hive.partitions["t"]) == [("SUBSTITUTED",), ("x;y",)]


# ---- webhook ----

class Receiver(StandIn):
    """Takes events whose signature is right, else answers 403."""

    def __init__(self, secret=None, context=None):
        receiver = self
        self.events = []
        self.raw = []  # (path, headers, body)
        self.answers = []  # statuses of the next requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = receiver.answers.pop(0) if receiver.answers else 200
                if secret is not None:
                    word, got = self.headers.get(
                        "X-Secor-Signature", "=").split("=")
                    signed = body if word == "sha256" else (
                        self.headers["X-Secor-Timestamp"].encode()
                        + b"." + body)
                    want = hmac.new(
                        secret.encode(), signed, hashlib.sha256).hexdigest()
                    if not hmac.compare_digest(want, got):
                        status = 403
                if status == 200:
                    receiver.raw.append((self.path, self.headers, body))
                    if self.headers["Content-Type"] == "application/json":
                        receiver.events.append(json.loads(body))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(b"first line\nsecond line\n")

            def log_message(self, *args):
                pass

        self.listen(Handler, context=context)
        self.url += "/hook"


def test_webhook_with_the_right_secret_is_heard(driver):
    with Receiver("s3cret") as r:
        before = time.time() * 1000
        assert driver("webhook", {"url": r.url, "secret": "s3cret"},
                      [batch(HOUR), batch([("v", "\u20ac")])]) == ["OK", "OK"]
        first, second = r.events
    assert first["event"] == "batch_done"
    assert first["id"] == "t/0/0-9"
    assert before - 1 <= first["sent_ms"] <= time.time() * 1000 + 1
    assert first["objects"][0]["levels"] == [
        {"name": "dt", "value": "2014-07-21"}, {"name": "hr", "value": "02"}]
    assert second["objects"][0]["levels"][0]["value"] == "\u20ac"


# what a topic or a field may hold; a test of each placeholder is a unit test
EVIL = "x\"}], \"y\": [{\"\\\r\n\tz: 1&a=b#%00<i>'\u20ac\U0001f600{json}"


def test_webhook_sends_a_text_of_ones_own_and_values_stay_values(driver):
    event = {**batch(HOUR, topic="t.1"), "manifest_key": EVIL}
    bodies = {
        "application/json":
            '{"text": "{topic}: {manifest_key}", "n": {objects}, '
            '"own": {manifest_key}, "all": {json}, "told": "{json}"}',
        "application/x-www-form-urlencoded":
            "key={manifest_key}&payload={json}",
        "text/xml": "<e k='{manifest_key}'>{json}</e>",
        "text/plain": "{event} {manifest_key}"}
    with Receiver("s3cret") as r:
        for kind, body in bodies.items():
            assert driver("webhook", {
                "url": r.url + "/{topic}?k={manifest_key}", "secret": "s3cret",
                "events": "[batch_done]", "headers": "{X-Key: {id}}",
                "content_type": kind, "body": body}, [event]) == ["OK"]
        said, form, xml, plain = r.raw
    for (path, headers, _), kind in zip(r.raw, bodies):
        where = urllib.parse.urlsplit(path)
        assert where.path == "/hook/t.1"
        assert urllib.parse.parse_qs(where.query) == {"k": [EVIL]}
        assert headers["Content-Type"] == kind
        assert headers["X-Key"] == "t.1/0/0-9"
        assert abs(int(headers["X-Secor-Timestamp"]) / 1000
                   - time.time()) < 600
    got = json.loads(said[2])
    assert set(got) == {"text", "n", "own", "all", "told"}
    assert got["text"] == "t.1: " + EVIL and got["own"] == EVIL
    assert got["all"] == json.loads(got["told"])
    assert got["all"]["manifest_key"] == EVIL and got["n"] == 1
    got = urllib.parse.parse_qs(form[2].decode(), strict_parsing=True)
    assert set(got) == {"key", "payload"} and got["key"] == [EVIL]
    assert json.loads(got["payload"][0])["manifest_key"] == EVIL
    got = ElementTree.fromstring(xml[2])
    assert got.attrib["k"] == EVIL and len(got) == 0
    assert json.loads(got.text)["manifest_key"] == EVIL
    assert plain[2].decode().splitlines() == [
        "batch_done " + EVIL.replace("\r", "\\x0d").replace(
            "\n", "\\n").replace("\t", "\\x09")]


def test_webhook_tells_the_wanted_events_alone(driver):
    with Receiver() as r:
        assert driver("webhook", {"url": r.url, "events": "[path_amended]"},
                      [batch(HOUR)]) == ["OK"]
        assert r.raw == []


def test_webhook_with_a_wrong_secret_is_rejected(driver):
    with Receiver("s3cret") as r:
        answer, = driver("webhook", {"url": r.url, "secret": "other"},
                         [batch(HOUR)])
        assert r.events == []
    assert answer == "REJECT HTTP 403: first line"


def test_webhook_is_patient_with_a_busy_receiver(driver):
    with Receiver() as r:
        r.answers = [500, 429]
        assert driver("webhook", {"url": r.url}, [batch(HOUR)] * 3) == [
            "RETRY HTTP 500: first line", "RETRY HTTP 429: first line", "OK"]
        assert len(r.events) == 1


def test_webhook_verifies_tls(driver, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
         "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-days", "2", "-keyout", key, "-out", cert],
        check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with Receiver(context=context) as r:
        answer, = driver("webhook", {"url": r.url}, [batch(HOUR)])
        assert answer.startswith("RETRY ") and "TLS" in answer
        assert r.events == []
        assert driver("webhook", {"url": r.url, "ca_file": cert},
                      [batch(HOUR)]) == ["OK"]
        assert len(r.events) == 1
