"""A JVM that answers questions, a line of JSON each, for as long as it is used."""

import json
import select
import subprocess

from servers import JVM, RigError, watchdog


class Jvm:
    """`what` names it in errors; `args` are those of java."""

    def __init__(self, what, args, log, **more):
        self.what = what
        self.log = open(log, "ab")
        self.child = subprocess.Popen(
            [*JVM, *args], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, start_new_session=True, **more)
        watchdog().add_group(self.child.pid)

    def ask(self, question, about):
        """Its answer to the question, which is about that."""
        self.child.stdin.write(json.dumps(question).encode() + b"\n")
        self.child.stdin.flush()
        if not select.select([self.child.stdout], [], [], 150)[0]:
            raise RigError(f"{self.what} is silent about {about}")
        line = self.child.stdout.readline()
        if not line:
            raise RigError(f"{self.what} has ended: {about}")
        return json.loads(line)

    def close(self):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()
        self.log.close()
        watchdog().drop_group(self.child.pid)


def log4j(folder, level, target="SYSTEM_OUT"):
    """Its option: what it logs from this level on goes there."""
    place = folder / "log4j2.properties"
    place.write_text(
        f"rootLogger.level = {level}\nrootLogger.appenderRefs = out\n"
        "rootLogger.appenderRef.out.ref = out\n"
        "appender.out.type = Console\nappender.out.name = out\n"
        f"appender.out.target = {target}\n"
        "appender.out.layout.type = PatternLayout\n"
        "appender.out.layout.pattern = %d %p %c{1} %m%n\n")
    return f"-Dlog4j2.configurationFile={place}"
