"""Faults between a client and a real server.

TcpProxy: cut, refuse, stall, delay whole connections. HttpProxy: decide about
single requests of an S3 client: answer in the server's place, or let the server
do its work and lose the answer.
"""

import contextlib
import http.client
import http.server
import socket
import threading
import time


class TcpProxy:
    """Listens on self.port, which may be given, and passes bytes to a port of
    127.0.0.1."""

    def __init__(self, target_port, port=0):
        self.target_port = target_port
        self.delay = 0.0
        self._flow = threading.Event()
        self._flow.set()
        self._answers = threading.Event()
        self._answers.set()
        self._refusing = False
        self._closed = False
        self._pairs = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._closed:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self._refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(
                    ("127.0.0.1", self.target_port), 5)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            for a, b in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(a, b, pair),
                                 daemon=True).start()

    def _pump(self, source, sink, pair):
        try:
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                self._flow.wait()
                if source is pair[1]:
                    self._answers.wait()
                sink.sendall(data)
        except OSError:
            pass
        self._drop(pair)

    def _drop(self, pair):
        with self._lock:
            self._pairs.discard(pair)
        for s in pair:
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)
            s.close()

    def cut(self):
        """Ends all connections; new ones are let in."""
        with self._lock:
            pairs = list(self._pairs)
        for p in pairs:
            self._drop(p)

    def refuse(self, yes=True):
        """Ends all connections and closes new ones at once, until
        refuse(False)."""
        self._refusing = yes
        if yes:
            self.cut()

    def stall(self):
        """Holds all bytes back, both ways, until go_on()."""
        self._flow.clear()

    def stall_answers(self):
        """Holds back what the server says, until go_on()."""
        self._answers.clear()

    def go_on(self):
        self._flow.set()
        self._answers.set()

    def close(self):
        self._closed = True
        self.go_on()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


CUT = object()


class HttpProxy:
    """Passes HTTP requests to a server of 127.0.0.1 and keeps self.requests,
    a list of (method, path, status), status 0 for a cut one.

    before(method, path, headers) may return None (pass it on), (status, body)
    to answer in the server's place, or CUT to close the connection before the
    server sees the request. after(method, path, status) may return CUT: the
    server has done its work, the client never learns.

    The Host header stays what the client signed, so sign for self.endpoint's
    host and port.
    """

    def __init__(self, target_port, before=None, after=None):
        self.target_port = target_port
        self.before = before or (lambda *_: None)
        self.after = after or (lambda *_: None)
        self.requests = []
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_any(self):
                proxy._handle(self)
            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

            def handle_expect_100(self):
                self.send_response_only(100)
                self.end_headers()
                return True

        self._server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever,
                         kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _handle(self, client):
        size = int(client.headers.get("Content-Length") or 0)
        body = client.rfile.read(size)
        answer = self.before(client.command, client.path, client.headers)
        if answer is None:
            answer = self._forward(client, body)
        if answer is not CUT and self.after(
                client.command, client.path, answer[0]) is CUT:
            answer = CUT
        status = 0 if answer is CUT else answer[0]
        self.requests.append((client.command, client.path, status))
        client.close_connection = True
        if answer is not CUT:
            with contextlib.suppress(OSError):  # nobody waits any more
                self._answer(client, *answer)

    def _forward(self, client, body):
        server = http.client.HTTPConnection("127.0.0.1", self.target_port,
                                            timeout=60)
        try:
            server.putrequest(client.command, client.path, skip_host=True,
                              skip_accept_encoding=True)
            for name, value in client.headers.items():
                if name.lower() not in ("connection", "expect"):
                    server.putheader(name, value)
            server.endheaders(body)
            r = server.getresponse()
            return r.status, r.read(), r.getheaders()
        except OSError:
            return CUT
        finally:
            server.close()

    @staticmethod
    def _answer(client, status, body, headers=()):
        client.send_response_only(status)
        length = None
        for name, value in headers:
            if name.lower() == "content-length":
                length = value
            elif name.lower() not in ("connection", "transfer-encoding"):
                client.send_header(name, value)
        head = client.command == "HEAD"
        client.send_header("Content-Length",
                           length if head and length else len(body))
        client.send_header("Connection", "close")
        client.end_headers()
        if not head:
            client.wfile.write(body)

    def close(self):
        self._server.shutdown()
        self._server.server_close()
