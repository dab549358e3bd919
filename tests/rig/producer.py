"""Kafka's own producer, of the version of the broker."""

import base64

from hadoop import classes
from jvm import Jvm
from servers import HERE, Kafka


def _text(data):
    return None if data is None else base64.b64encode(data).decode()


class JavaProducer(Jvm):
    def __init__(self, address, log):
        self.address = address
        path = f"{classes(HERE / 'java' / 'kafka', Kafka.libs)}:{Kafka.libs}/*"
        super().__init__("Kafka's producer",
                         ["-Xmx512m", "-cp", path, "Send"], log)

    def send(self, topic, messages, properties):
        """Sends each (partition, key, value, timestamp_ms, headers), as
        kafka.produce() does; [(partition, offset)] in that order."""
        return [tuple(p) for p in self.ask({
            "topic": topic, "properties": {
                "bootstrap.servers": self.address, "acks": "all",
                **properties},
            "messages": [[p, _text(k), _text(v), at,
                          [[n, _text(h)] for n, h in headers]]
                         for p, k, v, at, headers in messages]}, topic)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
