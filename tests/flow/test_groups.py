"""Several processes in one group: joined, killed, paused, in any step."""

import json
import signal
import subprocess
import time
import urllib.request

import kafka as clients
import proof
import pytest
from flow import Beside, local_store, settings, verify, wait_done
from secor import BINARY, Secor, secor_command
from servers import free_ports
from watch import address, metric, metrics, wait_metric

SESSION = 1.5
# Where a process stops itself; the rest of the group takes over meanwhile.
STEPS = ["first-message", "sealed", "read-back", "plan-sent", "plan-acked",
         "put-begin", "put-done", "puts-done", "manifest-done", "final-sent",
         "final-acked"]


def group_settings(address, group, topic, store, **more):
    config = settings(address, group, topic, store,
                      batch={"max_age": "1s"},
                      # the second and the third process take the next ones
                      http={"listen": f"127.0.0.1:{free_ports(1, 1, 2)[0]}"},
                      parser={"use": "json", "time_field": "ts"})
    config["kafka"]["session_timeout"] = f"{int(SESSION * 1000)}ms"
    for section, keys in more.items():
        config[section] = {**config[section], **keys}
    return config


def member(secor, config, name, file=None):
    """A process of the group; with `file` on the same YAML file as others."""
    made = secor(config, name=name)
    if file is not None:
        made.config = file
    return made


class LateMessages(Beside):
    """`secor produce`: one in twenty is up to 3 h late. So many messages, and
    more until it is left; `sent` of them."""

    def __init__(self, address, topic, count, rate):
        super().__init__()
        self.address, self.topic = address, topic
        self.count, self.rate = count, rate
        self.sent = 0

    def go_on(self):
        while self.sent < self.count or not self.over.is_set():
            more = self.rate if self.sent else self.count
            subprocess.run(
                [BINARY, "produce", "--brokers", self.address, self.topic,
                 "--first", str(self.sent), "--count", str(more), "--rate",
                 str(self.rate), "--late", "5%", "--size", "200"],
                check=True, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            self.sent += more


def stored(process, since=0):
    return process.text().count("object stored", since)


def wait_stored_since(process, mark, timeout=90):
    """Waits for an object that it stores behind this place in its log."""
    end = time.monotonic() + timeout
    while stored(process, mark) == 0:
        assert time.monotonic() < end, f"{process.name} stores nothing"
        time.sleep(0.05)


def chaos(kafka, topic, group, secor, tmp_path, count, rate):
    """The run that others break in: see the test. Messages come as long as it
    lasts, so that each has something to store whenever it is his turn."""
    name = topic(partitions=4)
    store, tree = local_store(tmp_path / "data")
    config = group_settings(kafka.address, group, name, store)
    a = member(secor, config, "a")
    b = member(secor, config, "b", a.config)
    c = member(secor, config, "c", a.config)
    third = count / rate / 4
    a.start()
    b.start()
    a.wait_for(r"partitions assigned count=2")
    with LateMessages(kafka.address, name, count, rate) as messages:
        wait_stored_since(a, 0)
        wait_stored_since(b, 0)
        time.sleep(third)
        c.start()
        wait_stored_since(c, 0)
        b.kill9()
        time.sleep(third)
        seen = len(a.text())
        c.pause()
        wait_all("one owns all", {"": lambda: "partitions assigned count=4"
                                  in a.text()[seen:]}, 120)
        mark = len(c.text())
        c.cont()
        wait_stored_since(c, mark)
    wait_done(kafka.address, group, name, 4, 120)
    return a, c, tree, messages.sent


def judge(a, c, tree, count):
    assert a.stop() == 0 and c.stop() == 0
    pairs = proof.read_ids(tree)
    proof.assert_exactly_once(range(count), pairs)
    verify(a)
    return pairs


def test_added_killed_and_paused_processes_lose_and_double_nothing(
        kafka, topic, group, secor, tmp_path):
    """Two processes, one added, one killed, one paused for longer than its
    session, batches of a second, 5 % late data."""
    a, c, tree, count = chaos(
        kafka, topic, group, secor, tmp_path, 30000, 1500)
    kept = metric(a, "secor_kept_stages_total")
    pairs = judge(a, c, tree, count)
    starts = {}
    for key in proof.object_keys(tree):
        d = proof.parse_name(key, key.split("/")[0])
        starts.setdefault((d["partition"], d["start"]), []).append(key)
    assert max(map(len, starts.values())) > 1, "no batch spans several hours"
    assert len({k for k, _ in pairs}) > 40
    assert kept > 0, "no stage outlived a rebalance"


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_a_million_in_a_restless_group(kafka, topic, group, secor, tmp_path):
    a, c, tree, count = chaos(
        kafka, topic, group, secor, tmp_path, 1000000, 20000)
    judge(a, c, tree, count)


def test_two_processes_on_one_file_just_work(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=2)
    store, tree = local_store(tmp_path / "data")
    config = group_settings(kafka.address, group, name, store,
                            kafka={"session_timeout": "30s"})
    a = member(secor, config, "a")
    b = member(secor, config, "b", a.config)
    a.start()
    first = a.wait_for(r"http listens address=\S+:(\d+)")
    b.start()
    second = b.wait_for(r"http listens address=\S+:(\d+)")
    assert int(second[1]) > int(first[1])
    a.wait_for("partitions assigned count=1")
    b.wait_for("partitions assigned count=1")
    ids = clients.produce_json(kafka.address, name, 1000, 2,
                               extra=lambda i: {"ts": 1_767_225_600_000})
    wait_done(kafka.address, group, name, 2)
    assert stored(a) > 0 and stored(b) > 0
    assert a.stop() == 0 and b.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(a)


def held(process):
    """{partition: messages that it collects} of its partitions."""
    with urllib.request.urlopen(f"http://{address(process)}/status",
                                timeout=60) as r:
        return {p["partition"]: p.get("collecting", {}).get("messages", 0)
                for p in json.load(r)["partitions"] if p["state"] != "opening"}


def counts(process):
    """(messages that it has read, stages that it has kept)"""
    m = metrics(process)
    return m["secor_messages_total"], m["secor_kept_stages_total"]


def visit(first, guest, leave, kept_by_guest):
    """The guest joins and leaves. What the first one holds of the partitions
    that stay is read once, as its own count says; those that went and came back
    are read again, unless the guest has stored them."""
    before, (read, kept) = held(first), counts(first)
    guest.start()
    wait_all("shared", {"": lambda: len(held(first)) == 2
                        and {**held(first), **held(guest)} == before}, 120)
    assert counts(first) == (read, kept + 2)
    theirs = held(guest)
    assert counts(guest) == (sum(theirs.values()), 0)
    leave(guest)
    if kept_by_guest:
        theirs = dict.fromkeys(theirs, 0)
    after = {**before, **theirs}
    wait_all("alone", {"": lambda: held(first) == after}, 120)
    assert counts(first) == (read + sum(theirs.values()), kept + 4)


@pytest.mark.librdkafka
def test_joining_and_leaving_makes_nobody_read_again_what_he_holds(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=4)
    store, tree = local_store(tmp_path / "data")
    ids = []

    def produce(count):
        ids.extend(clients.produce_json(
            kafka.address, name, count, 4, first_id=len(ids),
            extra=lambda i: {"ts": 1_767_225_600_000 + i}))

    def one(process, on_stop, session="60s"):
        return member(secor, group_settings(
            kafka.address, group, name, store,
            kafka={"session_timeout": session},
            batch={"max_age": "1h", "on_stop": on_stop}), process)
    a = one("a", "finish")
    produce(8000)
    a.start()
    wait_all("held", {"": lambda: held(a) == dict.fromkeys(range(4), 2000)}, 120)
    visit(a, one("b", "drop"), Secor.stop, False)
    assert proof.object_keys(tree) == []
    visit(a, one("c", "finish"), Secor.stop, True)
    produce(400)
    wait_all("read", {"": lambda: sum(held(a).values()) == 4400}, 120)
    visit(a, one("d", "finish", "6s"), Secor.kill9, False)
    assert a.stop() == 0
    proof.assert_exactly_once(ids, tree)
    batches = [m["messages"] for p in proof.manifests(tree, name).values()
               for _, m in p]
    assert sorted(batches) == [100, 100, 2000, 2000, 2100, 2100]
    verify(a)


def test_plan_that_comes_back_is_put_from_its_files(
        kafka, topic, group, secor, rgw, bucket, http_proxy):
    """The store refuses all puts while somebody joins. The plan that moves is
    replayed; the one that comes back is not: its files are still there."""
    name, tree, broken = topic(partitions=2), bucket(rgw), [True]
    proxy = http_proxy(rgw, before=lambda method, *_: (
        (503, b"") if method == "PUT" and broken[0] else None))
    store = {"use": "s3", "bucket": tree.bucket, "region": rgw.region,
             "endpoint": proxy.endpoint, "access_key": rgw.access_key,
             "secret_key": rgw.secret_key, "max_attempts": 1}
    ids = clients.produce_json(kafka.address, name, 2000, 2,
                               extra=lambda i: {"ts": 1_767_225_600_000 + i})
    config = group_settings(kafka.address, group, name, store,
                            kafka={"session_timeout": "30s"},
                            engine={"revoke_grace": "500ms"})
    a = member(secor, config, "a")
    b = member(secor, config, "b", a.config)
    a.start()
    a.wait_for("store waits", count=2)
    b.start()
    a.wait_for("partitions assigned count=1")
    b.wait_for("replay begins")
    a.wait_for("consumption begins", count=2)
    wait_metric(b, "secor_messages_total", 1000)
    assert proof.object_keys(tree) == []
    broken[0] = False
    wait_done(kafka.address, group, name, 2)
    assert metric(a, "secor_messages_total") == 2000
    assert "replay begins" not in a.text()
    assert stored(a) > 0 and stored(b) > 0
    assert a.stop() == 0 and b.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(a)


def test_kept_plan_puts_what_was_removed_meanwhile(
        kafka, topic, group, secor, rgw, bucket, http_proxy):
    """Half of a plan is stored when its partition is revoked in good order, and
    the process pauses. A person resolves the plan, which removes that half. The
    process comes back with its files to the record that it left."""
    name, tree, broken = topic(), bucket(rgw), [True]
    proxy = http_proxy(rgw, before=lambda method, path, _: (
        (503, b"") if method == "PUT" and "hr%3D01" in path and broken[0]
        else None))
    store = {"use": "s3", "bucket": tree.bucket, "region": rgw.region,
             "endpoint": proxy.endpoint, "access_key": rgw.access_key,
             "secret_key": rgw.secret_key, "max_attempts": 1}
    ids = clients.produce_json(kafka.address, name, 1000, extra=lambda i: {
        "ts": 1_767_225_600_000 + i % 2 * 3_600_000})
    config = group_settings(kafka.address, group, name, store,
                            kafka={"session_timeout": "30s"},
                            engine={"revoke_grace": "500ms"})
    a = member(secor, config, "a")
    b = member(secor, config, "b", a.config)
    a.start(env={"SECOR_STOP_AT": "revoked"})
    a.wait_for("object stored")
    a.wait_for("store waits")
    b.start()
    a.wait_stopped("revoked")
    b.kill9()
    clients.bury(kafka.address, group)  # the one that is paused, too
    assert len(proof.object_keys(tree)) == 1
    done = secor_command("offsets", "resolve", a.config, name, "0", "--again",
                         "--yes", cwd=a.dir)
    assert done.returncode == 0, done.stdout + done.stderr
    assert proof.object_keys(tree) == []
    broken[0] = False
    a.cont()
    wait_done(kafka.address, group, name, 1)
    assert metric(a, "secor_kept_stages_total") == 1
    assert metric(a, "secor_messages_total") == 1000  # not read again
    assert a.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(a)


def wait_all(what, checks, timeout):
    """Waits until each of {name: check} was true; says which were not."""
    end = time.monotonic() + timeout
    left = dict(checks)
    while left := {n: check for n, check in left.items() if not check()}:
        assert time.monotonic() < end, f"{what}: not {sorted(left)}"
        time.sleep(0.1)


class Pair:
    """One process that stops itself at a step, another that takes over."""

    def __init__(self, step, kafka, topic, group, secor, tmp_path):
        self.step, self.kafka, self.group = step, kafka, f"{group}-{step}"
        self.topic = topic()
        store, self.tree = local_store(tmp_path / f"data-{step}")
        config = group_settings(kafka.address, self.group, self.topic, store)
        self.a = member(secor, config, f"{step}-a")
        self.b = member(secor, config, f"{step}-b", self.a.config)
        self.ids = []

    def produce(self):
        self.ids += clients.produce_json(
            self.kafka.address, self.topic, 300, first_id=len(self.ids),
            extra=lambda i: {"ts": 1_767_225_600_000 + i * 60000})

    def stopped(self):
        return self.a.stopped_at(self.step)

    def done(self):
        high = len(self.ids)
        offset, metadata = clients.committed(
            self.kafka.address, self.group, self.topic)
        return offset == high and " plan " not in f" {metadata} "


@pytest.mark.librdkafka
def test_paused_at_any_step_loses_and_doubles_nothing(
        kafka, topic, group, secor, tmp_path):
    """SIGSTOP in the middle of the protocol, for longer than the session: the
    other process takes over and ends the batch; then the first one goes on as
    if nothing had been, and must find that it is not the owner any more."""
    pairs = [Pair(s, kafka, topic, group, secor, tmp_path) for s in STEPS]
    for p in pairs:
        p.produce()
        p.a.start(env={"SECOR_STOP_AT": p.step})
    wait_all("stopped", {p.step: p.stopped for p in pairs}, 120)
    for p in pairs:
        p.b.start()
    wait_all("taken over", {p.step: p.done for p in pairs}, 120)
    for p in pairs:
        p.a.cont()
    for p in pairs:
        p.a.wait_for("partitions (revoked|lost)")
    for p in pairs:
        p.produce()
    wait_all("gone on", {p.step: p.done for p in pairs}, 120)
    for p in pairs:
        p.b.process.send(signal.SIGTERM)
    for p in pairs:
        assert p.b.wait() == 0
        p.produce()
    # alone again, the one that was paused works as before
    wait_all("alone", {p.step: p.done for p in pairs}, 120)
    for p in pairs:
        p.a.process.send(signal.SIGTERM)
    for p in pairs:
        assert p.a.wait() == 0, p.step
        proof.assert_exactly_once(p.ids, p.tree)
        verify(p.a)


@pytest.mark.deep
def test_suspended_for_over_a_minute_with_a_commit_out_goes_on(
        kafka, topic, group, secor, tmp_path):
    """As a laptop that was closed: no time has passed for who did not run, so
    the answer that has not been heard yet is no reason to end."""
    alone = [Pair(s, kafka, topic, group, secor, tmp_path)
             for s in ("plan-sent", "final-sent")]
    for p in alone:
        p.produce()
        p.a.start(env={"SECOR_STOP_AT": p.step})
    wait_all("stopped", {p.step: p.stopped for p in alone}, 120)
    time.sleep(65)
    for p in alone:
        p.a.cont()
        p.produce()
    wait_all("gone on", {p.step: p.done for p in alone}, 120)
    for p in alone:
        assert p.a.stop() == 0, p.step
        proof.assert_exactly_once(p.ids, p.tree)
        verify(p.a)
