"""A topic whose paths the notifier hive-metastore keeps as partitions."""

import collections
import json
import time
import urllib.parse

import kafka as clients
import proof
from flow import BEGIN, HOUR, local_store, settings, wait_done
from secor import secor_command

NULL = "__HIVE_DEFAULT_PARTITION__"
STATISTICS = ("numFiles", "numRows", "totalSize")
SOON = 90


class Stored:
    """A topic, its table, and a service that keeps the one's paths in the
    other."""

    def __init__(self, kafka, topic, group, secor, folder, metastore, **more):
        self.kafka, self.group, self.metastore = kafka, group, metastore
        self.topic = topic(partitions=2)
        self.table = "t_" + self.topic.replace("-", "_")
        store, self.tree = local_store(folder / "data")
        notifier = {"use": "hive-metastore", "uris": metastore.uri,
                    "tables": {self.topic: self.table},
                    **more.pop("notifier", {})}
        more = {"finalize": {"delay": "10m", "interval": "1s"},
                "batch": {"max_age": "300ms"}, "notifiers": [notifier], **more}
        env = more.pop("env", None)
        self.process = secor(settings(
            kafka.address, group, self.topic, store, **more), env)
        self.sent = 0

    def create(self, keys=("dt", "hr")):
        self.metastore.table(self.table, keys,
                             f"file:{self.tree.root}/{self.topic}")

    def produce(self, values):
        """[fields of a message]; `hour` of it is since BEGIN."""
        messages = []
        for value in values:
            hour = value.pop("hour")
            value = {"id": self.sent, "time": BEGIN + hour * HOUR, **value}
            messages.append((self.sent % 2, None, json.dumps(value).encode()))
            self.sent += 1
        clients.produce(self.kafka.address, self.topic, messages)

    def wait_done(self, timeout=SOON):
        wait_done(self.kafka.address, self.group, self.topic, 2, timeout)

    def finalize(self):
        return secor_command("finalize", self.process.config,
                             cwd=self.process.dir)

    def wanted(self):
        """{values: (location, statistics)} by the objects themselves."""
        found = collections.defaultdict(lambda: [None, [0, 0, 0]])
        for key in proof.object_keys(self.tree):
            path = proof.parse_name(key, self.topic)["path"]
            values = tuple(urllib.parse.unquote(level.split("=", 1)[1])
                           for level in path.split("/"))
            data = self.tree.get(key)
            found[values][0] = f"file:{self.tree.root}/{self.topic}/{path}"
            for i, n in enumerate((1, data.count(b"\n"), len(data))):
                found[values][1][i] += n
        return {v: (location, tuple(sums))
                for v, (location, sums) in found.items()}

    def there(self):
        """The same, as Hive has it; a statistic that it lacks is -1."""
        return {values: (p["sd"]["location"],
                         tuple(int(p["parameters"].get(n, -1))
                               for n in STATISTICS))
                for values, p in self.metastore.partitions(self.table).items()}

    def wait_there(self, timeout=SOON, statistics=True):
        """Waits until Hive has what is stored and nothing else."""
        def look(found):
            return {v: (where, sums if statistics and NULL not in v else None)
                    for v, (where, sums) in found.items()}
        want, end = look(self.wanted()), time.monotonic() + timeout
        while (there := look(self.there())) != want:
            assert time.monotonic() < end, (
                f"lacks {sorted(want.items() - there.items())[:5]}, has "
                f"{sorted(there.items() - want.items())[:5]}")
            time.sleep(0.2)
        return want
