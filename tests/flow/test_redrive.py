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
from servers import states, wait_until

TOPIC, GROUP, PARTITIONS = "mended", "mended", 2
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


@pytest.fixture(scope="session")  # its topic can be made but once
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
        self.folder, self.ids = folder, ids
        self.right = copying.deepcopy(config)
        self.tree = proof.LocalTree(folder / "out")
        self.config = write_config(folder / "right.yaml", config)
        self.begun = []

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
        self.begun.append(subprocess.Popen(
            [BINARY, "redrive", self.config, TOPIC, "--yes", "--json", *args],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env))
        return self.begun[-1]

    def stopped(self, step, *args):
        """A redrive that has stopped itself at the step."""
        process = self.begin(*args, stop_at=step)
        wait_until(f"it stops at {step}",
                   lambda: set(states(process.pid)) in ({"T"}, {"Z"}), 60)
        assert set(states(process.pid)) == {"T"}, process.communicate()
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
        assert told["notes"] == [], told["notes"]
        assert told["totals"]["redriven"] == 4 * LATER
        assert len(self.side()) == len([n for n in self.side()
                                        if not n.endswith("_plan.json")
                                        and not n.endswith("_claim")])


def end(process, sig=signal.SIGKILL):
    process.send_signal(sig)
    out, err = process.communicate(timeout=90)
    return process.returncode, out, err


@pytest.fixture
def mended(dead, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(dead[0], folder)
    made = Mended(folder, dead[1], dead[3])
    yield made
    for process in made.begun:
        if process.poll() is None:
            process.kill()


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


def offsets_of(tree, key):
    return [json.loads(line)["offset"] for line in tree.get(key).splitlines()]


def test_where_and_why_know_what_was_redriven(mended):
    key = proof.dead_letter_keys(mended.tree)[0]
    offsets = offsets_of(mended.tree, key)

    def where(offset):
        done = secor_command("where", mended.config, TOPIC, 0, offset, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["generations"][0]

    assert {where(o)["state"] for o in offsets[:2]} == {"dead-letter"}
    mended.drive()
    told = where(offsets[0])
    assert told["state"] == "redriven"
    assert [o["dead_letter"] for o in told["objects"]] == [True, False]
    made = told["objects"][1]["key"]
    assert "/redrive1_1_0_" in made
    assert where(offsets[-1])["state"] == "dead-letter"  # never
    why = secor_command("why", mended.config, made, "--json")
    assert why.returncode == 0, why.stderr
    why = json.loads(why.stdout)
    assert why["dead_letters"] == key and why["redrive"] == 1
    assert why["object"]["first_offset"] <= offsets[0]
    lines = secor_command("why", mended.config, key)
    assert f"redriven   {LATER} of them" in lines.stdout
    assert "redrive    receipt 1" in secor_command(
        "why", mended.config, made).stdout
    words = secor_command("where", mended.config, TOPIC, 0, offsets[0])
    assert "a redrive stored it since (redriven)" in words.stdout
    assert made in words.stdout


def test_selection_stores_the_rest_later(mended):
    key = proof.dead_letter_keys(mended.tree)[0]
    offsets = offsets_of(mended.tree, key)
    none = mended.drive("--reason", "^no such reason", code=0)
    assert none["totals"]["left_out"] == 4 * (LATER + NEVER)
    two = mended.drive("0", "--from", offsets[1], "--to", offsets[2], code=0)
    assert two["totals"]["stored"] == 2
    one = mended.drive("1", "--reason", "time|field", code=0)
    assert one["totals"]["stored"] == 2 * LATER
    rest = mended.drive()
    assert rest["totals"]["stored"] == 2 * LATER - 2
    assert rest["totals"]["stored_before"] == 2 * LATER + 2
    mended.assert_whole()


@pytest.mark.deep
def test_it_asks_first_and_takes_no_for_an_answer(mended):
    before = mended.tree.keys()
    done = secor_command("redrive", mended.config, TOPIC, stdin="no\n")
    assert done.returncode == 1 and "nothing was done" in done.stdout
    assert f"Store {4 * LATER} dead letters in 8 objects?" in done.stdout
    assert mended.tree.keys() == before
    done = secor_command("redrive", mended.config, TOPIC, stdin="yes\n")
    assert f"{4 * LATER} stored in 8 objects" in done.stdout
    mended.assert_whole()


@pytest.mark.parametrize("args, text", [
    (["--json"], "--json goes with"), (["--reason", "("], "--reason"),
    (["x"], "is not a partition"), (["--from", "2", "--to", "1"], "behind")])
def test_what_makes_no_sense_is_refused(mended, args, text):
    done = secor_command("redrive", mended.config, TOPIC, *args)
    assert done.returncode == 2 and text in done.stderr


STEPS = ["redrive-claimed", "redrive-planned", "redrive-put-begin",
         "redrive-put-done", "redrive-put-done:3", "redrive-puts-done",
         "redrive-done", "redrive-ended", "redrive-ended:2"]


def marked(steps, always):
    return [s if s in always else pytest.param(s, marks=pytest.mark.deep)
            for s in steps]


@pytest.mark.parametrize("step", marked(STEPS, [
    "redrive-planned", "redrive-put-done:3"]))
def test_killed_at_a_step_loses_and_doubles_nothing(step, mended):
    end(mended.stopped(step))
    objects = set(proof.object_keys(mended.tree))
    told = mended.verify()
    assert {n["kind"] for n in told["notes"]} <= {"not-final"}
    mended.drive()
    assert objects <= set(proof.object_keys(mended.tree))
    mended.assert_whole()


@pytest.mark.parametrize("step", marked(
    ["redrive-claimed", "redrive-planned", "redrive-put-done",
     "redrive-done"], ["redrive-planned"]))
def test_the_same_twice_at_once_stores_each_once(step, mended):
    first = mended.stopped(step)
    second = mended.drive()["totals"]
    code, out, err = end(first, signal.SIGCONT)
    assert code == 1, out + err
    first = json.loads(out)["totals"]
    assert first["refused"] == second["refused"] == 0
    assert first["stored"] + first["stored_before"] >= 4 * LATER
    mended.assert_whole()


@pytest.mark.deep
def test_two_at_once_all_the_way(mended):
    both = [mended.begin(), mended.begin()]
    for process in both:
        out, err = process.communicate(timeout=90)
        assert process.returncode == 1, out + err
    mended.drive()
    mended.assert_whole()


def test_another_one_waits_for_who_has_claimed(mended):
    first = mended.stopped("redrive-claimed")
    told = mended.drive("--to", 25)
    assert told["totals"]["refused"] == 1  # of partition 0; the other has none
    assert "another redrive is at work" in told["batches"][0]["text"]
    code, out, err = end(first, signal.SIGCONT)
    assert code == 1 and json.loads(out)["totals"]["refused"] == 0, err
    mended.assert_whole()


@pytest.mark.deep
def test_another_one_finishes_what_was_planned(mended):
    first = mended.stopped("redrive-planned", "--to", "22")
    told = mended.drive()["totals"]
    assert told["finished"] == 1 and told["stored"] == 4 * LATER
    code, out, err = end(first, signal.SIGCONT)
    assert code == 0, out + err
    assert json.loads(out)["totals"]["refused"] == 0
    mended.assert_whole()


def test_another_configuration_takes_the_plan_back_first(mended):
    end(mended.stopped("redrive-put-done"))
    other = mended.other(partitioner={"granularity": "day"})
    told = mended.drive(config=other)
    assert told["totals"]["refused"] == 1
    assert "--abandon" in told["batches"][0]["text"]
    assert mended.verify()["notes"][0]["kind"] == "not-final"
    objects = [k for k in proof.object_keys(mended.tree) if "/redrive1_" in k]
    for step in ("abandon-begun", "abandon-objects"):
        end(mended.stopped(step, "--abandon"))
    told = mended.drive("--abandon", config=other, code=0)
    assert told["totals"]["abandoned"] == 1
    assert objects and mended.side()
    assert "nothing to take back" in mended.run(
        "--abandon", "--yes", config=other).stdout
    mended.drive(config=other)
    mended.assert_whole()


def test_taken_back_at_its_pointers_is_not_stored(mended):
    """The objects are gone: a receipt would be a loss."""
    first = mended.stopped("redrive-pointed")
    mended.drive("--abandon", code=0)
    code, out, err = end(first, signal.SIGCONT)
    told = json.loads(out)
    assert code == 1 and told["totals"]["refused"] == 1, out + err
    assert "abandoned meanwhile" in told["batches"][0]["text"]
    mended.drive()
    mended.assert_whole()


def test_on_s3(mended, versity, bucket):
    remote = bucket(versity)
    for key in mended.tree.keys():
        remote.client.put_object(
            Bucket=remote.bucket, Key=key, Body=mended.tree.get(key))
    mended.right["store"] = {
        "use": "s3", "bucket": remote.bucket, "endpoint": versity.endpoint,
        "region": "us-east-1", "path_style": True,
        "access_key": versity.access_key, "secret_key": versity.secret_key}
    mended.config = write_config(mended.folder / "s3.yaml", mended.right)
    mended.tree = remote
    end(mended.stopped("redrive-put-done:2"))
    mended.drive()
    mended.assert_whole()


def test_dead_letters_that_are_gone_are_named(mended):
    gone, changed = proof.dead_letter_keys(mended.tree)[:2]
    (mended.folder / "out" / gone).unlink()
    (mended.folder / "out" / changed).write_bytes(b"{}\n")
    told = mended.drive()
    assert told["totals"]["gone"] == LATER + NEVER
    assert told["totals"]["refused"] == 1
    states = {b["key"]: b["state"] for b in told["batches"]}
    assert states.pop(gone) == "gone" and states.pop(changed) == "refused"
    assert set(states.values()) == {"stored"}
    lines = mended.run("--yes").stdout
    assert f"its {LATER + NEVER} dead letters are gone: {gone}" in lines


@pytest.mark.deep
def test_dead_letters_that_are_gone_leave_a_plan_to_take_back(mended):
    end(mended.stopped("redrive-planned"))
    gone = proof.dead_letter_keys(mended.tree)[0]
    (mended.folder / "out" / gone).unlink()
    told = mended.drive()["batches"][0]
    assert told["state"] == "refused" and "are gone" in told["text"]


# ---- what verify finds: each changes a redriven tree ----

def receipt_of(mended):
    return next(mended.folder.glob(f"out/_manifests/{TOPIC}/0/redrive/*.json"))


def edit(mended, change, name=None):
    """Writes the receipt with another content, maybe under another name."""
    path = receipt_of(mended)
    receipt = json.loads(path.read_text())
    change(receipt)
    path.with_name(name or path.name).write_text(json.dumps(receipt))
    return receipt


def again(mended):
    """The same offsets in a second receipt, with objects of its own."""
    first = receipt_of(mended)

    def change(receipt):
        receipt["number"] = 2
        for o in receipt["objects"]:
            made = o["key"].replace("/redrive1_", "/redrive2_")
            shutil.copy(mended.folder / "out" / o["key"],
                        mended.folder / "out" / made)
            o["key"] = made
    edit(mended, change, first.name.replace("_1.json", "_2.json"))
    return {"redriven-twice", "altered"}


def not_dead(mended):
    """A message of the batch that never was a dead letter."""
    def change(receipt):
        o = receipt["objects"][0]
        o["offsets"][0][0] -= 1
        o["records"] += 1
    edit(mended, change)
    return {"not-dead", "altered"}


def object_gone(mended):
    key = json.loads(receipt_of(mended).read_text())["objects"][0]["key"]
    (mended.folder / "out" / key).unlink()
    return {"missing-object"}


def object_changed(mended):
    key = json.loads(receipt_of(mended).read_text())["objects"][0]["key"]
    path = mended.folder / "out" / key
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    return {"crc32c"}


def receipt_gone(mended):
    receipt_of(mended).unlink()
    return {"foreign-object"}


def receipt_broken(mended):
    receipt_of(mended).write_text("{}")
    return {"receipt", "foreign-object"}


def receipt_of_no_batch(mended):
    path = receipt_of(mended)
    path.rename(path.with_name("1_00000000000000000007_1.json"))
    return {"receipt", "foreign-object"}


def another_key(mended):
    edit(mended, lambda r: r["objects"][0].update(path="dt=2026-01-09"))
    return {"object-name", "altered"}


@pytest.mark.parametrize("fault", [
    again, not_dead, object_gone, object_changed, receipt_gone,
    receipt_broken, receipt_of_no_batch, another_key])
def test_fault_is_found(fault, redriven, tmp_path):
    folder = tmp_path / "fault"
    shutil.copytree(redriven.folder, folder)
    mine = Mended(folder, redriven.right, redriven.ids)
    expected = fault(mine)
    told = mine.verify("--no-kafka", code=1)
    assert {f["kind"] for f in told["findings"]} == expected, told["findings"]


@pytest.fixture(scope="session")
def redriven(dead, tmp_path_factory):
    folder = tmp_path_factory.mktemp("redriven") / "tree"
    shutil.copytree(dead[0], folder)
    made = Mended(folder, dead[1], dead[3])
    made.drive()
    return made
