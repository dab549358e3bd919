"""Hive itself: HiveQL that runs in a process against a metastore, as an engine
for the stand-in of Qubole. `deploy/deps.sh deep` fetches it."""

import json
import select
import subprocess

import metastore
from hadoop import classes
from qubole import HiveError
from servers import CACHE, HERE, JVM, RigError, temp_dir, watchdog

LIBS = metastore.LIBS, CACHE / "hiveql" / "libs"

OPENS = [f"--add-opens=java.base/java.{p}=ALL-UNNAMED" for p in (
    "io", "lang", "lang.reflect", "math", "net", "nio", "text", "time", "util",
    "util.concurrent", "util.concurrent.atomic", "util.regex")]


class HiveQL:
    """run(statement) gives its rows, columns joined by tabs, or HiveError.
    `settings` are Hive's own, such as hive.typecheck.on.insert."""

    def __init__(self, uri, settings=None):
        if not LIBS[1].exists():
            raise RigError("Hive is not here: deploy/deps.sh deep gets it")
        self.dir = temp_dir("hiveql")
        (self.dir / "log4j2.properties").write_text(
            "rootLogger.level = error\nrootLogger.appenderRefs = err\n"
            "rootLogger.appenderRef.err.ref = err\n"
            "appender.err.type = Console\nappender.err.name = err\n"
            "appender.err.target = SYSTEM_ERR\n"
            "appender.err.layout.type = PatternLayout\n"
            "appender.err.layout.pattern = %d %p %c{1} %m%n\n")
        self.refused = []
        self.log = open(self.dir / "out.log", "ab")
        settings = {"hive.metastore.uris": uri, **(settings or {})}
        place = classes(HERE / "java" / "hiveql", *LIBS)
        self.child = subprocess.Popen(
            [*JVM, *OPENS, "-Xmx512m",
             f"-Dlog4j2.configurationFile={self.dir}/log4j2.properties", "-cp",
             ":".join([str(place), *(f"{lib}/*" for lib in LIBS)]), "HiveQL",
             str(self.dir), *(f"{k}={v}" for k, v in settings.items())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
            cwd=self.dir, start_new_session=True)
        watchdog().add_group(self.child.pid)

    def run(self, statement):
        self.child.stdin.write(json.dumps(statement).encode() + b"\n")
        self.child.stdin.flush()
        if not select.select([self.child.stdout], [], [], 150)[0]:
            raise RigError(f"Hive is silent about {statement}")
        line = self.child.stdout.readline()
        if not line:
            raise RigError(f"Hive has ended: {statement}")
        said = json.loads(line)
        if "error" in said:
            self.refused.append(f"{statement}: {said['error']}")
            raise HiveError(said["error"])
        return said.get("rows", [])

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()
        self.log.close()
        watchdog().drop_group(self.child.pid)
        watchdog().drop_dir(self.dir)
