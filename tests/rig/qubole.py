"""A stand-in for Qubole's API: a server on 127.0.0.1 that reads HiveQL.

It checks token and headers, takes commands as Hive's old command line does
(replaces ${variables}, splits at every ';' that has no backslash before it,
whatever quotes are around it), and gives each statement to an engine. That is Hive itself (hiveql.py) or the
one here, which reads

    ALTER TABLE [db.]table ADD IF NOT EXISTS PARTITION (column = 'value', ...)
        [LOCATION 'folder']
    ALTER TABLE table SET TBLPROPERTIES ('key' = 'value', ...)
    ALTER TABLE table PARTITION (...) SET LOCATION 'folder'
    ALTER TABLE table PARTITION (...) UPDATE STATISTICS SET ('key' = '1', ...)
    ANALYZE TABLE table PARTITION (...) COMPUTE STATISTICS [NOSCAN]
    MSCK REPAIR TABLE table

with Hive's rules for names and literals. As in Hive itself, escapes are undone
everywhere; in the values of a partition only while hive.typecheck.on.insert is
true, as it is by default (seen with 4.0.1). Anything else ends in status error
and is kept in `refused`. Trouble is ordered by fail().

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
    """One statement; strings come as they are spelled, between their quotes."""

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

    def pairs(self, key):
        """(key = 'value', ...)"""
        self.sign("(")
        found = []
        while True:
            name = key()
            self.sign("=")
            found.append((name, self.string()))
            if not self.peek(","):
                break
            self.sign(",")
        self.sign(")")
        return found

    def partition(self):
        self.keywords("PARTITION")
        return self.pairs(self.name)

    def properties(self):
        return {unescape(k): unescape(v) for k, v in self.pairs(self.string)}

    def location(self):
        self.keywords("LOCATION")
        return unescape(self.string())

    def statement(self):
        """(what, table, partition or None, more)"""
        made = self.analyze() if self.peek("ANALYZE") else \
            self.repair() if self.peek("MSCK") else self.alter()
        if self.tokens:
            raise HiveError(f"{self.tokens[0][1]!r} behind the end")
        return made

    def analyze(self):
        self.keywords("ANALYZE TABLE")
        table, spec = self.table(), self.partition()
        self.keywords("COMPUTE STATISTICS")
        if self.peek("NOSCAN"):
            self.keywords("NOSCAN")
        return "analyze", table, spec, None

    def repair(self):
        self.keywords("MSCK REPAIR TABLE")
        return "repair", self.table(), None, None

    def alter(self):
        self.keywords("ALTER TABLE")
        table = self.table()
        if self.peek("SET"):
            self.keywords("SET TBLPROPERTIES")
            return "properties", table, None, self.properties()
        if self.peek("PARTITION"):
            return self.alter_partition(table)
        self.keywords("ADD IF NOT EXISTS")
        spec = self.partition()
        return "add", table, spec, \
            self.location() if self.peek("LOCATION") else None

    def alter_partition(self, table):
        spec = self.partition()
        if self.peek("UPDATE"):
            self.keywords("UPDATE STATISTICS SET")
            return "statistics", table, spec, self.properties()
        self.keywords("SET")
        return "location", table, spec, self.location()


class Hive:
    """Tables with partitions: {table: {(value, ...): location or None}}."""

    def __init__(self, typecheck=True):
        self.typecheck = typecheck
        self.columns = {}
        self.partitions = {}
        self.properties = {}  # table: {key: value}
        self.statistics = {}  # (table, value, ...): {key: value}
        self.analyzed = []  # (table, value, ...)
        self.repaired = []  # tables
        self.refused = []  # statements that were not understood

    def create(self, table, columns):
        self.columns[table] = list(columns)
        self.partitions[table] = {}
        self.properties[table] = {}

    def run(self, text):
        try:
            what, table, spec, more = Parser(text).statement()
            if table not in self.columns:
                raise HiveError(f"no table {table}")
            getattr(self, "do_" + what)(
                table, self.values(table, spec) if spec else None, more)
        except HiveError as e:
            self.refused.append(f"{text}: {e}")
            raise

    def values(self, table, spec):
        columns = [c for c, _ in spec]
        if columns != self.columns[table]:
            raise HiveError(f"columns {columns} are not those of {table}")
        return tuple(unescape(v) if self.typecheck else v for _, v in spec)

    def known(self, table, values):
        if values not in self.partitions[table]:
            raise HiveError(f"no partition {values} in {table}")

    def do_add(self, table, values, location):
        self.partitions[table].setdefault(values, location)

    def do_location(self, table, values, location):
        self.known(table, values)
        self.partitions[table][values] = location

    def do_statistics(self, table, values, statistics):
        self.known(table, values)
        if set(statistics) - {"numRows", "rawDataSize"}:
            raise HiveError(f"unknown statistics {statistics}")
        self.statistics[(table, *values)] = {
            k: int(v) for k, v in statistics.items()}

    def do_analyze(self, table, values, _):
        self.known(table, values)
        self.analyzed.append((table, *values))

    def do_properties(self, table, _, properties):
        self.properties[table].update(properties)

    def do_repair(self, table, _, __):
        self.repaired.append(table)


def statements(query):
    """A query as the command line reads it: one text a statement."""
    begun = ""
    for text in query.split(";"):
        if text.endswith("\\"):
            begun += text[:-1] + ";"
            continue
        text, begun = begun + text, ""
        if text.strip():
            yield text


class Qubole(StandIn):
    """The server. `requests` holds (method, path, headers, body), `queries`
    the HiveQL that was taken. `whole`: queries are not split, as the command
    line does not inside of literals since Hive 2.2."""

    def __init__(self, token="token", port=0, polls=1, hive=None, whole=False,
                 context=None):
        self.token = token
        self.polls = polls  # looks at a command before it has ended
        self.hive = hive or Hive()
        self.whole = whole
        self.requests = []
        self.queries = []
        self.commands = []  # [status at the end, looks left]
        self.killed = []  # numbers of commands that were cancelled
        self.dying = 1  # looks at a command from its cancel to its end
        self.faults = collections.deque()
        self.kill_faults = collections.deque()
        self.lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"qubole": self})
        self.listen(handler, port, context)
        self.url += "/api/v1.2"

    def fail(self, *faults):
        """The next requests, one fault each: an HTTP status (int) or one with
        headers (int, dict), the body of a 200 (bytes), "cut" (connection
        closed), "short" (in the middle of the answer), ("slow", seconds), a
        dict (what the answer says instead; None: leaves out), None (none)."""
        with self.lock:
            self.faults.extend(faults)

    def fail_kill(self, *faults):
        """The same of the next cancels."""
        with self.lock:
            self.kill_faults.extend(faults)

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
        if method not in ("GET", "PUT") or not m or \
                not 1 <= int(m.group(1)) <= len(self.commands):
            return 404, {"error": path}
        return self.look(int(m.group(1))) if method == "GET" else \
            self.kill(int(m.group(1)), body)

    def submit(self, body):
        try:
            query = json.loads(body)["query"]
        except (ValueError, KeyError, TypeError):
            return 400, {"error": "no query"}
        self.queries.append(query)
        status = "done"
        try:
            self.execute(query)
        except HiveError:
            status = "error"
        self.commands.append([status, self.polls])
        return 200, {"id": len(self.commands), "status": "waiting"}

    def execute(self, query):
        """Statement by statement, until one fails."""
        query = re.sub(r"\$\{[^}$ ]+\}", "SUBSTITUTED", query)
        for text in [query] if self.whole else statements(query):
            self.hive.run(text)

    def look(self, number):
        command = self.commands[number - 1]
        status = command[0] if command[1] == 0 else \
            "cancelling" if number in self.killed else "running"
        command[1] = max(0, command[1] - 1)
        return 200, {"id": number, "status": status}

    def kill(self, number, body):
        """PUT {"status": "kill"}: it ends a little later, unless it has."""
        try:
            if json.loads(body) != {"status": "kill"}:
                return 422, {"error": "what is to become of it?"}
        except ValueError:
            return 400, {"error": "no JSON"}
        command = self.commands[number - 1]
        if command[1] == 0 or number in self.killed:
            return 200, {"kill_succeeded": False, "result": "it has ended"}
        self.killed.append(number)
        command[:] = ["cancelled", self.dying]
        return 200, {"kill_succeeded": True, "result": "kill succeeded."}


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
            faults = q.kill_faults if self.command == "PUT" else q.faults
            fault = faults.popleft() if faults else None
        if fault == "cut":
            self.close_connection = True
            return
        if isinstance(fault, int):
            fault = fault, {}
        if isinstance(fault, tuple) and fault[0] != "slow":
            self.reply(fault[0], b"out of order", fault[1])
            return
        if isinstance(fault, tuple):
            time.sleep(fault[1])
        if isinstance(fault, bytes):
            self.reply(200, fault)
            return
        with q.lock:
            status, answer = q.answer(
                self.command, self.path, self.headers, body)
        if isinstance(fault, dict):
            answer = {k: v for k, v in {**answer, **fault}.items()
                      if v is not None}
        self.reply(status, json.dumps(answer).encode(), {}, fault == "short")

    do_GET = do_POST = do_PUT = serve

    def reply(self, status, body, headers={}, short=False):
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[:-3] if short else body)
            self.close_connection |= short
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
