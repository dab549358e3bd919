"""Two readers of the same topics, each in a group of its own: one by secor's own
connections, one by librdkafka. Both promise the same."""

import base64
import json

import proof
from flow import local_store, settings, verify, wait_done
from servers import free_ports

WAYS = ("own", "librdkafka")


def base64_of(data):
    return None if data is None else base64.b64encode(data).decode()


class Reader:
    """A process that has not been started. Keys of `more` replace sections."""

    def __init__(self, way, address, group, topics, secor, folder, **more):
        self.way, self.address, self.group = way, address, f"{group}-{way}"
        self.topics = topics if isinstance(topics, list) else [topics]
        store, self.tree = local_store(folder / f"data-{way}")
        self.config = settings(
            address, self.group, None, store,
            http={"listen": f"127.0.0.1:{free_ports(1)[0]}"}, **more)
        self.config["kafka"].update(
            topics=self.topics, fetch=way, brokers=address.split(","),
            properties={**self.config["kafka"]["properties"],
                        "reconnect.backoff.ms": 20,
                        "reconnect.backoff.max.ms": 500,
                        **more.get("kafka", {}).get("properties", {})})
        self.process = secor(self.config, name=way)

    def start(self, **more):
        """Started, by who is to read."""
        self.process.start(**more)
        self.process.wait_for(rf"joins the group .*\bfetch={self.way}\b")
        return self

    def wait_done(self, partitions=1, address=None):
        for t in self.topics:
            wait_done(address or self.address, self.group, t, partitions)

    def stop(self):
        assert self.process.stop() == 0, self.process.text()
        verify(self.process)

    def exactly_once(self, ids):
        proof.assert_exactly_once(ids, self.tree)


def readers(address, group, topics, secor, folder, **more):
    return [Reader(w, address, group, topics, secor, folder, **more)
            for w in WAYS]


def whole(**more):
    """Sections with which all of a message is stored, whatever it is."""
    ways = dict.fromkeys(("key", "value", "headers"), "base64")
    return {"parser": {"use": "raw", "time_source": "kafka"},
            "format": {"use": "json-envelope", **ways}, **more}


def envelopes(tree):
    """{(topic, partition, offset): (key, value, headers, timestamp, type)} of
    what whole() stored, all as it is there; each message is there once."""
    found = {}
    for key in proof.object_keys(tree):
        for line in proof.lines(tree, key):
            m = json.loads(line)
            place = m["topic"], m["partition"], m["offset"]
            assert place not in found, f"{place} is there twice"
            found[place] = (
                m["key"], m["value"],
                [(h["name"], h["value"]) for h in m["headers"]],
                m["timestamp"], m["timestamp_type"])
    assert proof.dead_letter_keys(tree) == []
    return found


def envelope(key, value, at, headers, kind="create"):
    """What envelopes() has of this message."""
    return (base64_of(key), base64_of(value),
            [(n, base64_of(v)) for n, v in headers], at, kind)
