"""Notifiers that hear of paths side by side: one that hangs or fails holds up
neither another one nor another topic."""

import collections
import copy
import time

import kafka as clients
import pytest
from test_finalize import Paths, day, dt
from webhook import Webhook

HOURS = range(3)


class Pair:
    """Two topics, `one` and `other`, and two notifiers, `left` and `right`."""

    def __init__(self, kafka, topic, group, secor, folder, hooks):
        self.left, self.right = hooks
        names = [topic(partitions=2), topic(partitions=2)]

        def both(config):
            return secor({**config, "kafka": {
                **config["kafka"], "topics": names, "session_timeout": "30s"}})
        self.one = Paths(
            kafka, lambda partitions: names[0], group, both, folder,
            self.right, finalize={"delay": "10m", "interval": "1s"},
            notifiers=[{"use": "webhook", "url": hook.url, "timeout": "300s"}
                       for hook in hooks])
        self.process = self.one.process
        self.other = copy.copy(self.one)
        self.other.topic = names[1]
        self.both = [self.one, self.other]
        self.expected = {(name, path) for name in names for hour in HOURS
                         for path in (dt(hour), day(hour))}

    def produce(self):
        for paths in self.both:
            paths.produce(HOURS)

    def told(self):
        """{(topic, path)} that have their tally."""
        found = set()
        for key in self.one.tree.keys():
            head, _, path = key.partition("/_paths/")
            if path.endswith("/_path.json"):
                path = path.removesuffix("/_path.json").partition("/")[2]
                found.add((head.split("/")[-1], path))
        return found

    def wait_told(self, timeout=120):
        end = time.monotonic() + timeout
        while self.told() != self.expected:
            assert time.monotonic() < end, self.told()
            time.sleep(0.1)

    def wait_heard(self, hook, event="path_finalized", expected=None):
        expected = expected or self.expected
        hook.wait(lambda w: expected <= set(heard(w, event)), 120)

    def check(self):
        """Every marker has what is stored, and nothing is left to do."""
        for paths in self.both:
            for path, marker in paths.markers().items():
                assert marker["records"] == paths.records(path), path
        assert self.one.finalize(self.one.topic)[0] == []
        assert self.one.finalize(self.other.topic)[0] == []


def heard(hook, event):
    """{(topic, path): times}"""
    with hook.lock:
        return collections.Counter((e["topic"], e["path"])
                                   for e in hook.events if e["event"] == event)


@pytest.fixture
def pair(kafka, topic, group, secor, tmp_path):
    with Webhook() as left, Webhook() as right:
        yield Pair(kafka, topic, group, secor, tmp_path, [left, right])


@pytest.mark.sanitize
def test_notifier_that_hangs_holds_up_no_other_and_loses_nothing(pair):
    pair.left.open.clear()
    pair.produce()
    pair.process.start()
    pair.wait_heard(pair.right)
    assert pair.told() == set()  # not everybody has heard of them
    pair.process.kill9()
    clients.bury(pair.one.kafka.address, pair.one.group)
    pair.left.open.set()
    pair.process.start()
    pair.wait_told()
    assert pair.process.stop() == 0
    pair.wait_heard(pair.left)
    # once by each process, at most
    assert set(heard(pair.right, "path_finalized").values()) <= {1, 2}
    pair.check()


@pytest.mark.deep
def test_notifier_that_fails_is_told_again_alone(pair):
    pair.left.status = 503
    pair.produce()
    pair.process.start()
    pair.wait_heard(pair.right)
    pair.one.produce([0], [0])  # late, while nothing is settled
    pair.one.wait_done()
    assert pair.told() == set()
    pair.left.status = 200
    pair.wait_told()
    late = {(pair.one.topic, path) for path in (dt(0), day(0))}
    for hook in pair.left, pair.right:
        pair.wait_heard(hook, "path_amended", late)
    pair.process.wait_for(rf"path amended topic={pair.one.topic} "
                          rf"path={dt(0)} ")
    pair.process.wait_for(rf"path amended topic={pair.one.topic} "
                          rf"path={day(0)} ")
    assert pair.process.stop() == 0
    for hook in pair.left, pair.right:
        assert heard(hook, "path_finalized") == dict.fromkeys(
            pair.expected, 1)
        assert heard(hook, "path_amended") == dict.fromkeys(late, 1)
    pair.check()
