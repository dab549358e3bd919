"""Hive itself: HiveQL that runs in a process against a metastore, as an engine
for the stand-in of Qubole. `deploy/deps.sh deep` fetches it."""

import metastore
from hadoop import classes
from jvm import Jvm, log4j
from qubole import HiveError
from servers import CACHE, HERE, RigError, temp_dir, watchdog

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
        self.refused = []
        settings = {"hive.metastore.uris": uri, **(settings or {})}
        place = classes(HERE / "java" / "hiveql", *LIBS)
        self.jvm = Jvm(
            "Hive", [*OPENS, "-Xmx512m",
                     log4j(self.dir, "error", "SYSTEM_ERR"), "-cp",
                     ":".join([str(place), *(f"{lib}/*" for lib in LIBS)]),
                     "HiveQL", str(self.dir),
                     *(f"{k}={v}" for k, v in settings.items())],
            self.dir / "out.log", cwd=self.dir)

    def run(self, statement):
        said = self.jvm.ask(statement, statement)
        if "error" in said:
            self.refused.append(f"{statement}: {said['error']}")
            raise HiveError(said["error"])
        return said.get("rows", [])

    def __enter__(self):
        return self

    def __exit__(self, *why):
        self.jvm.close()
        watchdog().drop_dir(self.dir)
