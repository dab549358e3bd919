"""Faults between a client and a real server.

TcpProxy: cut, refuse, stall, delay, slow down whole connections, or reset them
behind a number of bytes. KafkaProxy: also gives other answers than the broker
did. HttpProxy: decide about
single requests of an S3 client: answer in the server's place, or let the server
do its work and lose the answer. ForwardProxy: one that clients are told of.
"""

import contextlib
import http.client
import http.server
import socket
import struct
import threading
import time
import urllib.parse

from standin import StandIn


class TcpProxy:
    """Listens on self.port, which may be given, and passes bytes to a port of
    127.0.0.1."""

    def __init__(self, target_port, port=0):
        self.target_port = target_port
        self.delay = 0.0
        self.rate = 0  # bytes a second, each way; 0: no limit
        self.cuts = 0  # connections that reset_after() has ended
        self.answered = 0  # bytes of the server's
        self._limits = (None, None)
        self._stalled = self._mute = False
        self._gate = threading.Condition()
        self._passing = 0  # pumps that are through the gate
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
            if self._refusing:  # since it was let in
                self._drop(pair)
                continue
            for a, b in (pair, pair[::-1]):
                threading.Thread(target=self._pump, args=(a, b, pair),
                                 daemon=True).start()

    def _pump(self, source, sink, pair):
        up = source is pair[0]
        passed, rest = 0, b""
        try:
            while data := source.recv(65536):
                if self.delay:
                    time.sleep(self.delay)
                if self.rate:
                    time.sleep(len(data) / self.rate)
                with self._through(up):
                    limit = self._limits[0 if up else 1]
                    if limit is not None and passed + len(data) > limit:
                        sink.sendall(rest + data[:max(0, limit - passed)])
                        self._reset(pair)
                        self.cuts += 1
                        return
                    passed += len(data)
                    if not up:
                        self.answered += len(data)
                    data, rest = self.pass_on(pair, up, rest + data)
                    sink.sendall(data)
        except OSError:
            pass
        self._drop(pair)

    @contextlib.contextmanager
    def _through(self, up):
        """The gate at which bytes are held back."""
        with self._gate:
            self._gate.wait_for(
                lambda: not (self._stalled or self._mute and not up))
            self._passing += 1
        try:
            yield
        finally:
            with self._gate:
                self._passing -= 1
                self._gate.notify_all()

    def _shut(self):
        """Waits until those are done that came through the gate before. Whom
        nobody takes his bytes from is not waited for: they are on their way."""
        self._gate.wait_for(lambda: self._passing == 0, 5)

    def pass_on(self, pair, up, data):
        """(what goes on now, what waits for more to come)."""
        return data, b""

    def _reset(self, pair):
        """Both sides see a reset, not an end."""
        for s in pair:
            with contextlib.suppress(OSError):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                             struct.pack("ii", 1, 0))
                s.shutdown(socket.SHUT_RD)  # else who waits for it has it
                s.close()
        with self._lock:
            self._pairs.discard(pair)

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

    def reset_after(self, up=None, down=None):
        """Resets each connection behind so many bytes to or from the server,
        until reset_after()."""
        self._limits = (up, down)

    def stall(self):
        """Holds all bytes back, both ways, until go_on()."""
        with self._gate:
            self._stalled = True
            self._shut()

    def stall_answers(self):
        """Holds back what the server says, until go_on()."""
        with self._gate:
            self._mute = True
            self._shut()

    def go_on(self):
        with self._gate:
            self._stalled = self._mute = False
            self._gate.notify_all()

    def close(self):
        self._closed = True
        self.go_on()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()


class KafkaProxy(TcpProxy):
    """Knows requests from answers, and changes answers:

    While `commit_error` is not 0, the answer to each OffsetCommit is this error
    of Kafka, whatever the broker did; `commits` counts them. While there are
    bytes `spoil`, one bit of them is wrong in each answer to a Fetch that has
    them; `spoilt` counts those. With `fetch_most` the broker seems to know no
    Fetch above that version."""

    FETCH, COMMIT, VERSIONS = 1, 8, 18

    def __init__(self, target_port, port=0):
        super().__init__(target_port, port)
        self.commit_error = 0
        self.commits = 0
        self.spoil = b""
        self.spoilt = 0
        self.fetch_most = None
        self._asked = {}  # {(pair, correlation id): (key, version)}
        self._changes = {self.COMMIT: self._commit, self.FETCH: self._fetch,
                         self.VERSIONS: self._versions}

    def pass_on(self, pair, up, data):
        out = b""
        while len(data) >= 4:
            size, = struct.unpack_from(">i", data)
            if len(data) < 4 + size:
                break
            out += self._frame(pair, up, data[:4 + size])
            data = data[4 + size:]
        return out, data

    def _frame(self, pair, up, frame):
        if up:
            key, version, number = struct.unpack_from(">hhi", frame, 4)
            if key in self._changes:
                self._asked[pair, number] = key, version
            return frame
        number, = struct.unpack_from(">i", frame, 4)
        key, version = self._asked.pop((pair, number), (None, None))
        return frame if key is None else self._changes[key](version, frame)

    def _commit(self, version, frame):
        if not self.commit_error:
            return frame
        self.commits += 1
        # the error of the last partition; three empty lists of tags behind it
        # from version 8 on
        at = len(frame) - (2 if version < 8 else 5)
        return (frame[:at] + struct.pack(">h", self.commit_error)
                + frame[at + 2:])

    def _fetch(self, _version, frame):
        at = frame.find(self.spoil) if self.spoil else -1
        if at < 0:
            return frame
        self.spoilt += 1
        return frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1:]

    def _versions(self, _version, frame):
        if self.fetch_most is None:
            return frame
        # the first that is told of, behind an error and a count: Produce, in
        # six bytes and, from version 3 on, an empty list of tags; then Fetch
        at = frame.index(struct.pack(">hh", self.FETCH, 0), 8)
        return frame[:at + 4] + struct.pack(">h", self.fetch_most) \
            + frame[at + 6:]


CUT = object()
OWN = ("connection", "proxy-connection", "proxy-authorization", "expect")


def forward(client, address, path, body):
    """What the server says to the client's request, or CUT."""
    server = http.client.HTTPConnection(address, timeout=60)
    try:
        server.putrequest(client.command, path, skip_host=True,
                          skip_accept_encoding=True)
        for name, value in client.headers.items():
            if name.lower() not in OWN:
                server.putheader(name, value)
        server.endheaders(body)
        r = server.getresponse()
        return r.status, r.read(), r.getheaders()
    except OSError:
        return CUT
    finally:
        server.close()


def answer_with(client, status, body, headers=()):
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


class _Server(http.server.ThreadingHTTPServer):
    """`busy`: connections that were let in and are not over."""

    request_queue_size = 128  # a connection beyond it waits a second
    daemon_threads = True
    busy = 0
    lock = threading.Lock()

    def process_request(self, request, client_address):
        with self.lock:
            self.busy += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request):
        super().shutdown_request(request)
        with self.lock:
            self.busy -= 1


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    passes = None  # what becomes of a request

    def log_message(self, *_):
        pass

    def handle_any(self):
        self.passes(self)
    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


def handler(passes):
    return type("Handler", (_Handler,), {"passes": staticmethod(passes)})


class HttpProxy:
    """Passes HTTP requests to a server of 127.0.0.1 and keeps self.requests,
    a list of (method, path, status), status 0 for a cut one.

    before(method, path, headers) may return None (pass it on), (status, body)
    to answer in the server's place, or CUT to close the connection before the
    server sees the request. after(method, path, status) may return CUT: the
    server has done its work, the client never learns.

    The Host header stays what the client signed, so sign for self.endpoint's
    host and port. `context`: TLS.
    """

    def __init__(self, target_port, before=None, after=None, context=None):
        self.target_port = target_port
        self.before = before or (lambda *_: None)
        self.after = after or (lambda *_: None)
        self.requests = []
        self._server = _Server(("127.0.0.1", 0),
                               handler(self._handle))
        if context:  # before anybody listens to it
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        scheme = "https" if context else "http"
        self.endpoint = f"{scheme}://127.0.0.1:{self.port}"
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
                answer_with(client, *answer)

    def _forward(self, client, body):
        return forward(client, f"127.0.0.1:{self.target_port}", client.path,
                       body)

    @property
    def busy(self):
        """Connections whose requests the server may not have seen yet, or may
        still be at."""
        return self._server.busy

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class ForwardProxy(StandIn):
    """A proxy for http:// that clients are told of by its `url`; `requests`
    are (method, host:port, path) of what has gone by it."""

    def __init__(self):
        self.requests = []
        self.listen(handler(self._pass))

    def _pass(self, client):
        to = urllib.parse.urlsplit(client.path)
        size = int(client.headers.get("Content-Length") or 0)
        body = client.rfile.read(size)
        path = to._replace(scheme="", netloc="").geturl()
        self.requests.append((client.command, to.netloc, path))
        answer = forward(client, to.netloc, path, body)
        client.close_connection = True
        with contextlib.suppress(OSError):  # nobody waits any more
            answer_with(client, *((502, b"") if answer is CUT else answer))
