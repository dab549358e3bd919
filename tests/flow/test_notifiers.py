"""The notifiers as the engine loads them, against servers that judge what they
are sent: a webhook receiver that checks signatures (qubole: test_qubole.py)."""

import hashlib
import hmac
import http.server
import json
import subprocess
import time
import urllib.parse
from xml.etree import ElementTree

import pytest

from secor import BUILD
from secure import tls_server
from standin import StandIn


DRIVER = BUILD / "tests/oracle/notify"


@pytest.fixture
def driver():
    """Factory: driver(name, options, events) tells a notifier of events; the
    answers, one line an event."""
    def text(value):
        return json.dumps(value) if isinstance(value, (list, dict)) else value

    def run(name, options, events):
        done = subprocess.run(
            [DRIVER, BUILD / "plugins", name,
             *(f"{k}={text(v)}" for k, v in options.items())],
            input="".join(json.dumps(e) + "\n" for e in events),
            capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return [line.rstrip() for line in done.stdout.splitlines()]
    return run


def batch(*paths, topic="t"):
    """A finished batch with one object a path, a list of (name, value)."""
    return {"topic": topic, "partition": 0, "start": 0, "end": 9, "objects": [
        {"path": "/".join(f"{n}={v}" for n, v in levels), "levels": levels,
         "key": "raw/t/x", "url": "s3://b/raw/t/" + "/".join(
             f"{n}={v}" for n, v in levels) + "/1_0_00.gz"}
        for levels in paths]}


HOUR = [("dt", "2014-07-21"), ("hr", "02")]


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
    context, cert = tls_server(tmp_path)
    with Receiver(context=context) as r:
        answer, = driver("webhook", {"url": r.url}, [batch(HOUR)])
        assert answer.startswith("RETRY ") and "TLS" in answer
        assert r.events == []
        assert driver("webhook", {"url": r.url, "ca_file": cert},
                      [batch(HOUR)]) == ["OK"]
        assert len(r.events) == 1
