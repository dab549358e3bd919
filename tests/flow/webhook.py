"""A webhook receiver that writes down what it hears, and can be out of order."""

import hashlib
import hmac
import http.server
import json
import threading
import time

from standin import StandIn


class Webhook(StandIn):
    """The server; `events` holds what was answered with 200. `status` is the
    answer to everything, from when it is set on; while `open` is not set
    requests hang."""

    def __init__(self, secret=None):
        self.secret = secret
        self.events = []
        self.requests = 0
        self._status = 200
        self.refuses = lambda event: False  # 503 for these alone
        self.open = threading.Event()
        self.open.set()
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"webhook": self})
        self.listen(handler)
        self.url += "/hook"

    @property
    def status(self):
        return self._status

    @status.setter
    def status(self, status):
        with self.lock:
            self._status = status

    def __exit__(self, *why):
        self.open.set()
        super().__exit__(*why)

    def signed(self, headers, body):
        if self.secret is None:
            return True
        want = "sha256=" + hmac.new(self.secret.encode(), body,
                                    hashlib.sha256).hexdigest()
        return hmac.compare_digest(
            want, headers.get("X-Secor-Signature", ""))

    def heard(self, topic):
        """{partition: [(start, end), ...]} in the order heard."""
        found = {}
        with self.lock:
            for e in self.events:
                if e["topic"] == topic:
                    found.setdefault(e["partition"], []).append(
                        (e["start"], e["end"]))
        return found

    def wait(self, condition, timeout=90):
        """Waits until condition(self) is true."""
        end = time.monotonic() + timeout
        while not condition(self):
            assert time.monotonic() < end, \
                f"not heard within {timeout} s: {len(self.events)} events, " \
                f"{self.requests} requests"
            time.sleep(0.02)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    webhook = None

    def do_POST(self):
        w = self.webhook
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with w.lock:
            w.requests += 1
        w.open.wait()
        signed, event = w.signed(self.headers, body), json.loads(body)
        with w.lock:
            status = 503 if w.refuses(event) else w.status if signed else 403
            if status == 200:
                w.events.append(event)
        try:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
        except OSError:
            pass  # the client has given up

    def log_message(self, *args):
        pass
