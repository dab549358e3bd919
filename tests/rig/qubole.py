"""A stand-in for Qubole's API: a server on 127.0.0.1 that reads HiveQL.

It checks token and headers, takes commands as Hive's old command line does
(replaces ${variables}, splits at every ';' that has no backslash before it,
whatever quotes are around it), and parses

    ALTER TABLE [db.]table ADD IF NOT EXISTS
        PARTITION (column = 'value', ...) [LOCATION 'folder']

with Hive's rules for names and literals. As in Hive itself (seen with 4.0.1),
escapes are undone in LOCATION but not in the values of a partition. Anything
else ends in status error and is kept in `refused`. Trouble is ordered by fail().

    python3 tests/rig/qubole.py --token T --table logs_t=dt,hr [--port N]
"""

import argparse
import collections
import http.server
import json
import re
import threading
import time

from standin import StandIn

RESERVED = set("""all alter and array as authorization between bigint binary
boolean both by case cast char column conf create cross cube current_date
current_timestamp cursor database date decimal delete describe distinct double
drop else end exchange exists extended external false fetch float following for
from full function grant group grouping having if import in inner insert int
intersect interval into is join lateral left less like local macro map more none
not null of on or order out outer over partialscan partition percent preceding
preserve procedure range reads reduce revoke right rollup row rows select set
smallint table tablesample then timestamp to transform trigger true truncate
unbounded union uniquejoin update user using utc_timestamp values varchar when
where window with""".split())

TOKEN = re.compile(r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
  | (?P<quoted>`(?:[^`]|``)+`)
  | (?P<word>[A-Za-z0-9][A-Za-z0-9_]*)
  | (?P<sign>[(),.=])""", re.X | re.S)

ESCAPES = {"0": "\0", "'": "'", '"': '"', "b": "\b", "n": "\n", "r": "\r",
           "t": "\t", "Z": "\x1a", "\\": "\\", "%": "\\%", "_": "\\_"}


class HiveError(Exception):
    pass


def unescape(body):
    """What the escapes in a literal (without its quotes) stand for."""
    out = []
    i = 0
    while i < len(body):
        rest = body[i + 1:]
        if body[i] != "\\":
            out.append(body[i])
            i += 1
        elif re.match(r"u[0-9a-fA-F]{4}", rest):
            out.append(chr(int(rest[1:5], 16)))
            i += 6
        elif re.match(r"[01][0-7]{2}", rest):
            out.append(chr(int(rest[:3], 8)))
            i += 4
        else:
            out.append(ESCAPES.get(rest[0], rest[0]))
            i += 2
    return "".join(out)


class Parser:
    """One ALTER TABLE ... ADD IF NOT EXISTS PARTITION statement."""

    def __init__(self, text):
        self.tokens = []
        at = 0
        while at < len(text):
            m = TOKEN.match(text, at)
            if not m:
                raise HiveError(f"cannot read {text[at:at + 20]!r}")
            if m.lastgroup != "space":
                self.tokens.append((m.lastgroup, m.group()))
            at = m.end()

    def next(self, what):
        if not self.tokens:
            raise HiveError(f"the statement ends before {what}")
        return self.tokens.pop(0)

    def keywords(self, text):
        for word in text.split():
            kind, got = self.next(word)
            if kind != "word" or got.upper() != word:
                raise HiveError(f"{got!r} instead of {word}")

    def peek(self, text):
        return bool(self.tokens) and self.tokens[0][1].upper() == text and \
            self.tokens[0][0] in ("word", "sign")

    def sign(self, text):
        kind, got = self.next(text)
        if kind != "sign" or got != text:
            raise HiveError(f"{got!r} instead of {text!r}")

    def name(self):
        kind, got = self.next("a name")
        if kind == "quoted":
            return got[1:-1].replace("``", "`").lower()
        if kind != "word" or got.isdigit() or got.lower() in RESERVED:
            raise HiveError(f"{got!r} is no name")
        return got.lower()

    def string(self):
        kind, got = self.next("a string")
        if kind != "string":
            raise HiveError(f"{got!r} is no string")
        return got[1:-1]

    def table(self):
        name = self.name()
        if self.peek("."):
            self.sign(".")
            return f"{name}.{self.name()}"
        return name

    def partition(self):
        self.sign("(")
        spec = []
        while True:
            column = self.name()
            self.sign("=")
            spec.append((column, self.string()))
            if not self.peek(","):
                break
            self.sign(",")
        self.sign(")")
        return spec

    def statement(self):
        self.keywords("ALTER TABLE")
        table = self.table()
        self.keywords("ADD IF NOT EXISTS PARTITION")
        spec = self.partition()
        location = None
        if self.peek("LOCATION"):
            self.keywords("LOCATION")
            location = unescape(self.string())
        if self.tokens:
            raise HiveError(f"{self.tokens[0][1]!r} behind the end")
        return table, spec, location


class Hive:
    """Tables with partitions: {table: {(value, ...): location or None}}."""

    def __init__(self):
        self.columns = {}
        self.partitions = {}
        self.refused = []  # statements that were not understood

    def create(self, table, columns):
        self.columns[table] = list(columns)
        self.partitions[table] = {}

    def run(self, query):
        query = re.sub(r"\$\{[^}$ ]+\}", "SUBSTITUTED", query)
        begun = ""
        for text in query.split(";"):
            if text.endswith("\\"):
                begun += text[:-1] + ";"
                continue
            text, begun = begun + text, ""
            if not text.strip():
                continue
            try:
                self.add(*Parser(text).statement())
            except HiveError as e:
                self.refused.append(f"{text}: {e}")
                raise

    def add(self, table, spec, location):
        if table not in self.columns:
            raise HiveError(f"no table {table}")
        columns = [c for c, _ in spec]
        if columns != self.columns[table]:
            raise HiveError(f"columns {columns} are not those of {table}")
        self.partitions[table].setdefault(
            tuple(v for _, v in spec), location)


class Qubole(StandIn):
    """The server. `requests` holds (method, path, headers, body)."""

    def __init__(self, token="token", port=0, polls=1):
        self.token = token
        self.polls = polls  # looks at a command before it has ended
        self.hive = Hive()
        self.requests = []
        self.commands = []  # [status at the end, looks left]
        self.faults = collections.deque()
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"qubole": self})
        self.listen(handler, port)
        self.url += "/api/v1.2"

    def fail(self, *faults):
        """The next requests, one fault each: an HTTP status (int), "html" (no
        JSON), "cut" (connection closed), ("slow", seconds), "error" or
        "cancelled" (the status of the command), None (no fault)."""
        with self.lock:
            self.faults.extend(faults)

    def answer(self, method, path, headers, body):
        """(HTTP status, body); called with the lock."""
        if headers.get("X-AUTH-TOKEN") != self.token:
            return 401, {"error": "token"}
        for name in ("Content-Type", "Accepts"):
            if headers.get(name) != "application/json":
                return 400, {"error": name}
        if method == "POST" and path == "/api/v1.2/commands":
            return self.submit(body)
        m = re.fullmatch(r"/api/v1\.2/commands/(\d+)", path)
        if method != "GET" or not m or \
                not 1 <= int(m.group(1)) <= len(self.commands):
            return 404, {"error": path}
        return self.look(int(m.group(1)))

    def submit(self, body):
        try:
            query = json.loads(body)["query"]
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "no query"}
        status = "done"
        try:
            self.hive.run(query)
        except HiveError:
            status = "error"
        self.commands.append([status, self.polls])
        return 200, {"id": len(self.commands), "status": "waiting"}

    def look(self, number):
        command = self.commands[number - 1]
        status = command[0] if command[1] == 0 else "running"
        command[1] = max(0, command[1] - 1)
        return 200, {"id": number, "status": status}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536  # an answer is one packet
    disable_nagle_algorithm = True
    qubole = None

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        q = self.qubole
        with q.lock:
            q.requests.append((self.command, self.path, self.headers, body))
            fault = q.faults.popleft() if q.faults else None
        if fault == "cut":
            self.close_connection = True
            return
        if isinstance(fault, tuple):
            time.sleep(fault[1])
        if isinstance(fault, int):
            self.reply(fault, b"out of order")
            return
        if fault == "html":
            self.reply(200, b"<html>maintenance</html>")
            return
        with q.lock:
            status, answer = q.answer(
                self.command, self.path, self.headers, body)
        if fault in ("error", "cancelled"):
            answer["status"] = fault
        self.reply(status, json.dumps(answer).encode())

    do_GET = do_POST = serve

    def reply(self, status, body):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass  # the client has given up

    def log_message(self, *args):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--token", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--table", action="append", default=[],
                        help="name=column,column")
    args = parser.parse_args()
    qubole = Qubole(args.token, args.port)
    for table in args.table:
        name, _, columns = table.partition("=")
        qubole.hive.create(name, columns.split(","))
    print(qubole.url, flush=True)
    try:
        qubole.server.serve_forever()
    except KeyboardInterrupt:
        print(json.dumps({t: sorted(map(list, p)) for t, p in
                          qubole.hive.partitions.items()}))


if __name__ == "__main__":
    main()
