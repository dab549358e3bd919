"""`secor redrive`: dead letters of a wrong configuration through a right one,
each once, whatever is killed, repeated or run at once.

One service fills a tree; every test works on a copy of it.
"""

import copy as copying
import json
import os
import shutil
import signal
import subprocess

import pytest

import kafka as clients
import proof
from secor import BINARY, Secor, base_config, secor_command, write_config
from servers import wait_until

TOPIC, GROUP, PARTITIONS = "redrive", "redrive", 2
TIME = 1_767_225_600_000
GOOD, LATER, NEVER = 20, 9, 1  # a batch: good at once, good when mended, never


def rows(partition, n):
    """One batch: messages with `ts`, without it, and no JSON at all."""
    first = partition * 1000 + n * 100
    at = TIME + n * 3_600_000

    def one(i, **more):
        return (partition, b"key", json.dumps(
            {"id": first + i, "time": at + i * 400_000, **more}).encode(), at)
    return ([one(i, ts=at) for i in range(GOOD)]
            + [one(GOOD + i) for i in range(LATER)]
            + [(partition, b"key", b"never \xff", at)])


def ids_of(produced, whole=True):
    found = [json.loads(r[2]) for r in produced if not r[2].startswith(b"never")]
    return [m["id"] for m in found if whole or "ts" in m]


@pytest.fixture(scope="module")
def dead(kafka, tmp_path_factory):
    """(folder, configuration that is right, ids good at once, ids of all)."""
    folder = tmp_path_factory.mktemp("redrive")
    wrong = base_config(
        kafka.address, GROUP, TOPIC, parser={"time_field": "ts"},
        batch={"max_messages": GOOD + LATER + NEVER, "max_age": "30s"},
        bad_messages={"action": "dead_letter", "halt_above": "100%"})
    service = Secor(folder, wrong)
    clients.create_topic(kafka.address, TOPIC, PARTITIONS)
    rounds = [rows(0, n) + rows(1, n) for n in range(2)]
    produced = rounds[0] + rounds[1]
    try:
        service.start()
        for round in rounds:  # a batch each
            clients.produce(kafka.address, TOPIC, round)
            clients.wait_committed(
                kafka.address, GROUP, TOPIC,
                [clients.watermarks(kafka.address, TOPIC, p)[1]
                 for p in range(PARTITIONS)])
        assert service.stop() == 0
    finally:
        service.close()
    right = copying.deepcopy(wrong)
    right["parser"]["time_field"] = "time"
    yield folder, right, ids_of(produced, False), ids_of(produced)


class Mended:
    """A copy of the tree, and the mended configuration beside it."""

    def __init__(self, folder, config, ids):
        self.folder, self.right, self.ids = folder, config, ids
        self.tree = proof.LocalTree(folder / "out")
        self.config = write_config(folder / "right.yaml", config)

    def other(self, **sections):
        """Another configuration of the same store."""
        config = copying.deepcopy(self.right)
        for name, section in sections.items():
            config[name] = {**config[name], **section}
        return write_config(self.folder / "other.yaml", config)

    def run(self, *args, config=None):
        return secor_command("redrive", config or self.config, TOPIC, *args)

    def drive(self, *args, config=None, code=1):
        """What it says as JSON. Code 1: some of them are bad for ever."""
        done = self.run("--yes", "--json", *args, config=config)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def begin(self, *args, stop_at=None):
        env = dict(os.environ)
        if stop_at:
            env["SECOR_STOP_AT"] = stop_at
        return subprocess.Popen(
            [BINARY, "redrive", self.config, TOPIC, "--yes", "--json", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def stopped(self, step, *args):
        """A redrive that has stopped itself at the step."""
        process = self.begin(*args, stop_at=step)
        wait_until(lambda: state(process.pid) in "TZ", 60, step)
        assert state(process.pid) == "T", process.communicate()
        return process

    def verify(self, *args, code=0):
        done = secor_command("verify", self.config, "--json", *args)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def side(self):
        """Names of receipts, plans and claims."""
        return sorted(k.rsplit("/", 1)[1] for k in self.tree.keys()
                      if "/redrive/" in k)

    def assert_whole(self):
        """Every message that is good now is stored once, and all is told."""
        proof.assert_exactly_once(self.ids, self.tree)
        told = self.verify("--deep", "--kafka")
        assert told["notes"] == []
        assert told["totals"]["redriven"] == 4 * LATER
        assert len(self.side()) == len([n for n in self.side()
                                        if not n.endswith("_plan.json")
                                        and not n.endswith("_claim")])


def state(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(")", 1)[1].split()[0]


def end(process, sig=signal.SIGKILL):
    process.send_signal(sig)
    out, err = process.communicate(timeout=90)
    return process.returncode, out, err


@pytest.fixture
def mended(dead, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(dead[0], folder)
    return Mended(folder, dead[1], dead[3])


def test_dead_letters_that_are_good_now_are_stored_once(mended, dead):
    before = {k: mended.tree.get(k) for k in mended.tree.keys()}
    proof.assert_exactly_once(dead[2], mended.tree)
    dry = mended.drive("--dry-run")
    assert dry["totals"]["stored"] == 4 * LATER and dry["dry_run"]
    assert {k: mended.tree.get(k) for k in mended.tree.keys()} == before
    told = mended.drive()
    assert told["totals"] == {
        "batches": 4, "dead_letters": 4 * (LATER + NEVER),
        "stored": 4 * LATER, "objects": 8, "still_bad": 4 * NEVER,
        "filtered": 0, "stored_before": 0, "left_out": 0, "gone": 0,
        "finished": 0, "abandoned": 0, "refused": 0}
    assert [r["count"] for r in told["still_bad"]] == [4]
    mended.assert_whole()
    after = {k: mended.tree.get(k) for k in mended.tree.keys()}
    assert all(after[k] == v for k, v in before.items())
    again = mended.drive()["totals"]
    assert again["stored"] == 0 and again["stored_before"] == 4 * LATER
    assert {k: mended.tree.get(k) for k in mended.tree.keys()} == after
