"""A stand-in for a schema registry: schemas by id and by subject and version."""

import http.server
import json
import re
import threading
import time
import urllib.parse

from standin import StandIn


class Registry(StandIn):
    """Answers while it is up. `schemas`: by id a schema, or (type, text,
    references); `subjects`: by (subject, version). `status` other than 200 is
    the answer to everything."""

    def __init__(self, schemas, subjects=None, port=0):
        self.schemas = schemas
        self.subjects = subjects or {}
        self.status = 200
        self.requests = 0
        self.lock = threading.Lock()
        self.authorizations = set()
        handler = type("Handler", (_Handler,), {"registry": self})
        self.listen(handler, port)

    def wait_requests(self, more, timeout=90):
        """Until it was asked so many times more."""
        until, end = self.requests + more, time.monotonic() + timeout
        while self.requests < until:
            assert time.monotonic() < end, f"{self.requests} requests"
            time.sleep(0.05)

    def find(self, path):
        found = re.fullmatch(r"/schemas/ids/(\d+)", path)
        if found:
            return self.schemas.get(int(found[1]))
        found = re.fullmatch(r"/subjects/([^/]+)/versions/(\d+)", path)
        if found:
            return self.subjects.get(
                (urllib.parse.unquote(found[1]), int(found[2])))
        return None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    registry = None

    def do_GET(self):
        r = self.registry
        with r.lock:
            r.requests += 1
        if "Authorization" in self.headers:
            r.authorizations.add(self.headers["Authorization"])
        status = r.status  # before the schemas, which come before it changes
        schema = r.find(self.path)
        if status == 200 and schema is None:
            status = 404
        if isinstance(schema, tuple):
            answer = dict(zip(("schemaType", "schema", "references"), schema))
        else:
            answer = {"schema": json.dumps(schema)}
        if status != 200:
            answer = {"error_code": status, "message": "no"}
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type",
                         "application/vnd.schemaregistry.v1+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass
