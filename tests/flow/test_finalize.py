"""Paths that are over: marker, notifiers, late data; by whom and how often it is
done does not matter."""

import json
import threading
import time

import kafka as clients
import proof
import pytest
from flow import BEGIN, HOUR, local_store, settings, verify, wait_done
from secor import secor_command
from servers import wait_until
from webhook import Webhook


def dt(hour):
    """The path of this hour since BEGIN."""
    at = time.gmtime((BEGIN + hour * HOUR) / 1000)
    return time.strftime("dt=%Y-%m-%d/hr=%H", at)


def day(hour):
    return dt(hour).split("/")[0]


@pytest.fixture
def webhook():
    with Webhook() as w:
        yield w


class Paths:
    """A topic of two partitions whose paths a webhook hears of."""

    PARTITIONS = 2

    def __init__(self, kafka, topic, group, secor, folder, webhook,
                 session="3s", **more):
        self.kafka, self.group, self.webhook = kafka, group, webhook
        self.topic = topic(partitions=self.PARTITIONS)
        store, self.tree = local_store(folder / "data")
        more = {"finalize": {"delay": "10m"}, "batch": {"max_age": "300ms"},
                "kafka": {"session_timeout": session},
                "notifiers": [{"use": "webhook", "url": webhook.url}], **more}
        self.process = secor(settings(
            kafka.address, group, self.topic, store, **more))
        self.config = self.process.config  # of `secor finalize`
        self.sent = 0

    def produce(self, hours, partitions=(0, 1)):
        """Ten messages of each hour into each of these partitions."""
        messages = []
        for hour in hours:
            for p in partitions:
                for i in range(10):
                    value = {"id": self.sent, "time": BEGIN + hour * HOUR + i}
                    messages.append((p, None, json.dumps(value).encode()))
                    self.sent += 1
        clients.produce(self.kafka.address, self.topic, messages)

    def wait_done(self):
        wait_done(self.kafka.address, self.group, self.topic,
                  self.PARTITIONS)

    def store_all(self):
        self.process.start()
        self.wait_done()
        assert self.process.stop() == 0

    def wait_markers(self, paths, timeout=90):
        end = time.monotonic() + timeout
        while not set(paths) <= set(self.markers()):
            assert time.monotonic() < end, \
                f"{paths} not finalized: {set(self.markers())}"
            time.sleep(0.1)

    def wait_said(self, what, paths):
        """Waits until each is "finalized" or "amended", by the log: only then
        the notifiers will hear of it, also when the service stops."""
        for path in paths:
            self.process.wait_for(f"path {what} .*path={path} ")

    def finalize(self, *args, code=0):
        """(paths, topic) of what the command says."""
        done = secor_command("finalize", self.config, "--json", *args,
                             cwd=self.process.dir)
        assert done.returncode == code, done.stdout + done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return lines[:-1], lines[-1]

    def markers(self):
        """{path: what its marker holds}."""
        head, found = self.topic + "/", {}
        for key in self.tree.keys():
            if key.startswith(head) and key.endswith("/_SUCCESS"):
                found[key[len(head):-len("/_SUCCESS")]] = json.loads(
                    self.tree.get(key))
        return found

    def heard(self):
        return [(e["event"], e["path"]) for e in self.webhook.events
                if e["event"].startswith("path_")]

    def records(self, path):
        """How many records are below the path, by the objects themselves."""
        return sum(1 for key, _ in proof.read_ids(self.tree)
                   if key.startswith(f"{self.topic}/{path}/"))


@pytest.fixture
def paths(kafka, topic, group, secor, tmp_path, webhook):
    def make(**more):
        return Paths(kafka, topic, group, secor, tmp_path, webhook, **more)
    return make


def test_paths_that_are_over_are_marked_once_with_what_is_in_them(paths):
    p = paths()
    p.produce([0, 1])
    p.produce([1], [0])
    p.store_all()
    told, summary = p.finalize("--dry-run")
    assert [t["did"] for t in told] == ["would finalize"] * len(told)
    assert p.markers() == {} and p.heard() == []
    told, summary = p.finalize()
    done = [t["path"] for t in told]
    assert done[:2] == [dt(0), dt(1)] or done[1] == day(0)  # a day may end
    assert set(done) == {dt(0), dt(1), day(0), day(1)}
    assert summary["held_back_by"] is None
    markers = p.markers()
    assert set(markers) == set(done)
    for path, marker in markers.items():
        assert marker["records"] == p.records(path), path
        assert marker["path"] == path and marker["topic"] == p.topic
    assert {q["partition"]: q["records"]
            for q in markers[dt(1)]["partitions"]} == {0: 20, 1: 10}
    assert p.heard() == [("path_finalized", path) for path in done]
    told, summary = p.finalize()
    assert told == [] and summary["finalized"] == 0
    verify(p.process)


def test_late_data_amends_the_path_and_its_day(paths):
    p = paths()
    p.produce([0])
    p.store_all()
    p.finalize()
    before = p.markers()[dt(0)]
    p.produce([0], [1])
    p.store_all()
    told, summary = p.finalize()
    assert [(t["did"], t["path"], t["new_records"]) for t in told] == [
        ("amended", dt(0), 10), ("amended", day(0), 10)]
    assert summary["amended"] == 2
    marker = p.markers()[dt(0)]
    assert marker["records"] == before["records"] + 10 == p.records(dt(0))
    assert marker["amended"] == 1
    late = [e for e in p.webhook.events if e["event"] == "path_amended"][0]
    assert sum(o["records"] for o in late["objects"]) == 10
    assert p.finalize()[0] == []


def test_partition_that_lags_or_is_halted_holds_the_topic_back(paths):
    p = paths(bad_messages={"action": "halt"})
    p.produce([0, 1, 2])
    p.store_all()
    clients.produce(p.kafka.address, p.topic, [(1, None, b"not JSON")])
    told, summary = p.finalize()
    # partition 1 is at the begin of hour 2: hour 0 is over, less than the
    # delay of 10 minutes ago hour 1
    assert [t["path"] for t in told if "hr=" in t["path"]] == [dt(0)]
    assert summary["held_back_by"] == 1 and summary["why"] == "lags"
    p.process.start()
    p.process.wait_for("partition halted")
    assert p.process.stop() == 0
    _, summary = p.finalize()
    assert summary["why"] == "is halted"
    assert dt(1) not in p.markers()
    config = json.loads(p.process.config.read_text())
    config["bad_messages"]["action"] = "skip"
    p.process.reconfigure(config)
    done = secor_command("offsets", "adopt", p.process.config, p.topic, "1",
                         "--current", "--yes", cwd=p.process.dir)
    assert done.returncode == 0, done.stdout + done.stderr
    p.store_all()
    told, summary = p.finalize()
    assert {dt(1), dt(2)} <= {t["path"] for t in told}
    assert summary["held_back_by"] is None


def test_notifier_that_fails_is_told_again_and_stops_no_other_path(paths):
    p = paths()
    p.produce([0, 1])
    p.store_all()
    p.webhook.status = 503
    told, summary = p.finalize(code=1)
    assert {t["did"] for t in told} == {"failed"}
    assert summary["failed"] == len(told) and "503" in told[0]["failed"]
    p.webhook.status = 200
    again, summary = p.finalize()
    assert [t["path"] for t in again] == [t["path"] for t in told]
    assert p.heard() == [("path_finalized", t["path"]) for t in again]
    assert p.finalize()[0] == []


def test_two_at_once_and_one_that_is_killed_do_no_harm(paths):
    p = paths()
    p.produce(range(20))
    p.store_all()
    runs = [threading.Thread(target=p.finalize) for _ in range(2)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert p.finalize()[0] == []
    for path, marker in p.markers().items():
        assert marker["records"] == p.records(path), path
    assert {path for _, path in p.heard()} == set(p.markers())


def test_topic_that_ends_in_transaction_markers_is_over(paths):
    p = paths()
    tx = clients.Transactions(p.kafka.address, p.topic)
    tx.run(range(10), True)
    tx.run(range(10, 20), False)
    p.store_all()
    _, summary = p.finalize()
    assert summary["held_back_by"] is None
    tx.begin(range(20, 30))
    _, summary = p.finalize()
    assert summary["held_back_by"] == 0
    tx.end(True)


def test_composed_paths_are_over_with_their_time(paths):
    p = paths(partitioner=[{"use": "partition"},
                           {"use": "date", "granularity": "hour"}])
    p.produce([0])
    p.store_all()
    told, _ = p.finalize()
    assert {t["path"] for t in told} == {
        f"partition={n}/{level}" for n in (0, 1) for level in (day(0), dt(0))}


def test_topics_that_are_named_wrongly_are_refused(paths):
    p = paths()
    done = secor_command("finalize", p.process.config, "other",
                         cwd=p.process.dir)
    assert done.returncode == 2 and "other is no topic" in done.stderr


def test_service_finalizes_while_it_runs_and_amends(paths):
    p = paths(finalize={"delay": "10m", "interval": "1s"})
    p.produce([0, 1])
    p.process.start()
    p.wait_said("finalized", [dt(0), day(0), dt(1), day(1)])
    p.produce([1], [0])
    p.wait_done()
    for path in (dt(1), day(1)):  # the last amendment counts all
        p.process.wait_for(f"path amended .*path={path} .*"
                           f"records={p.records(path)} ")
    assert p.process.stop() == 0
    assert p.finalize()[0] == []  # all of it was done
    assert p.markers()[dt(1)]["records"] == 30 == p.records(dt(1))
    verify(p.process)


def test_killed_service_has_an_heir_and_no_path_is_forgotten(paths):
    p = paths(finalize={"delay": "10m", "interval": "1s"})
    p.webhook.open.clear()  # the first path hangs in the notifier
    p.produce(range(12))
    p.process.start()
    p.wait_markers([dt(0)])
    p.webhook.wait(lambda w: w.requests > 0)
    p.process.kill9()
    p.webhook.open.set()
    p.process.start()
    p.wait_markers([dt(h) for h in range(12)])
    p.webhook.wait(lambda w: {f"{dt(h)}" for h in range(12)} <= {
        path for _, path in p.heard()})
    assert p.process.stop() == 0
    for path, marker in p.markers().items():
        assert marker["records"] == p.records(path), path


def test_notifier_that_hangs_stalls_neither_flow_nor_stop(paths):
    p = paths(finalize={"delay": "10m", "interval": "1s"},
              engine={"stop_timeout": "3s"})
    p.webhook.open.clear()
    p.produce([0])
    p.process.start()
    p.wait_markers([dt(0)])
    p.webhook.wait(lambda w: w.requests > 0)
    p.produce([1, 2])
    p.wait_done()
    assert p.process.stop() == 0
    assert p.records(day(0)) >= 20


def test_program_hears_of_batches_and_paths_where_it_is_allowed(
        paths, tmp_path):
    told = tmp_path / "told"
    script = 'cat >> "$OUT"'
    p = paths(finalize={"delay": "10m", "interval": "1s"}, notifiers=[
        {"use": "command", "command": ["sh", "-c", script],
         "environment": {"OUT": str(told)}}])
    p.process.start()
    assert p.process.wait() == 3
    assert "--allow-commands" in p.process.text()
    p.produce([0])
    p.process.start("--allow-commands")
    p.wait_markers([dt(0)])
    p.wait_done()
    wait_until("batches are told", lambda: told.exists() and
               "batch_done" in told.read_text(), 90)
    assert p.process.stop() == 0
    p.finalize("--allow-commands")
    events = [json.loads(line) for line in told.read_text().splitlines()]
    assert {"batch_done", "path_finalized"} == {e["event"] for e in events}
    path = [e for e in events if e.get("path") == dt(0)][0]
    assert path["total_records"] == 20
    assert path["time_until_ms"] - path["time_from_ms"] == HOUR
