"""verify on a tree that is whole: no finding, also of transactions and of a
compacted topic; what is a note only; what is gone on purpose; and what only
the topic itself can tell."""

import gzip
import json

import pytest

import kafka as clients
from faults import (COMPACT, GROUP, GZIP, LATE, SEQ, TEXT, TX, Tree, brief,
                    flip, stored_offsets, whole)
from secor import secor_command
from test_faults import (add, batch_removed, first_batch_removed, object_edit)


# ---- the clean tree ----

@pytest.mark.parametrize("topic", [TEXT, GZIP, SEQ, TX, COMPACT, LATE])
def test_clean_topic_has_no_finding(filled, topic):
    broker, folder = filled
    offsets, _ = stored_offsets(broker.address, topic)
    # another test may have written behind it
    high, _ = clients.committed(broker.address, GROUP, topic)
    offsets = [offset for offset in offsets if offset < high]
    if topic in (TX, COMPACT):
        assert len(offsets) < high - 3, "no offset without a message"
    clean = Tree(folder)
    assert len(clean.batches(topic)) >= (1 if topic == COMPACT else 3)
    plain = clean.verify(topic)
    assert plain["findings"] == []
    deep = clean.verify(topic, "--deep", "--kafka")
    assert deep["findings"] == []
    totals = deep["totals"]
    assert totals["messages"] == totals["read"] == len(offsets)
    assert totals["confirmed_offsets"] == high - len(offsets)
    assert {n["kind"] for n in deep["notes"]} <= {"skipped"}


def test_deep_says_what_it_looked_at(filled):
    done = secor_command("verify", filled[1] / "secor.yaml", "--deep",
                         "--kafka", "--topic", COMPACT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "records were read back" in done.stdout
    assert "no message in Kafka" in done.stdout


def test_offsets_of_a_manifest_are_held_against_a_sequence_file(copy):
    """Not in any hash, and inside of the batch: only reading finds it."""
    copy.edit_manifest(SEQ, 1, object_edit(add("last_offset", -1)))
    assert copy.verify(SEQ)["findings"] == []
    found = copy.verify(SEQ, "--deep")["findings"]
    assert brief(found) == [
        ("offsets", copy.data(SEQ, 1)["key"], *whole(copy, SEQ, 1))]


def test_other_bytes_with_the_same_records_are_a_note(copy):
    """As another version of the library, or another level, makes them."""
    o = copy.data(GZIP, 1)
    copy.edit(o["key"], lambda b: gzip.compress(gzip.decompress(b), 9))
    assert [f["kind"] for f in copy.verify(GZIP)["findings"]] in (
        ["size"], ["crc32c"])
    told = copy.verify(GZIP, "--deep")
    assert told["findings"] == []
    assert [(n["kind"], n["key"]) for n in told["notes"]] == [
        ("other-bytes", o["key"])]


def test_objects_of_another_configuration_are_not_misread(copy):
    config = json.loads(copy.config.read_text())
    config["overrides"][0]["format"] = {"use": "sequencefile"}  # was .gz
    config["overrides"][1]["format"] = {"use": "text"}  # "" as before
    copy.config.write_text(json.dumps(config))
    for topic in (GZIP, SEQ):
        told = copy.verify(topic, "--deep")
        assert told["findings"] == []
        assert {n["kind"] for n in told["notes"]} == {"not-read"}
    o = copy.data(SEQ, 0)
    copy.edit(o["key"], flip(-2))
    assert ("crc32c", o["key"]) in [
        (f["kind"], f["key"]) for f in copy.verify(SEQ, "--deep")["findings"]]


# ---- what is gone on purpose ----

def test_from_accepts_an_expired_beginning(copy):
    _, found = first_batch_removed(copy)
    end = found[0][3]
    assert copy.verify(TEXT)["findings"]
    assert copy.verify(TEXT, "--from", end)["findings"] == []
    assert copy.verify(TEXT, "--from", f"0:{end}")["findings"] == []
    assert copy.verify(TEXT, "--from", f"1:{end}")["findings"]
    early = copy.verify(TEXT, "--from", end - 3)["findings"]
    assert [(f["kind"], f["start"], f["end"]) for f in early] == [
        ("missing-before", end - 3, end)]
    # what is behind it counts as ever
    copy.path(copy.data(TEXT, -1)["key"]).unlink()
    assert [f["kind"] for f in copy.verify(TEXT, "--from", end)["findings"]] \
        == ["missing-object"]


def test_from_passes_over_what_is_still_there(copy):
    o = copy.data(TEXT, 0)
    copy.path(o["key"]).unlink()
    end = copy.batch(TEXT, 0)["end"]
    assert copy.verify(TEXT)["findings"]
    told = copy.verify(TEXT, "--from", end)
    assert told["findings"] == []
    assert [p["first"] for p in told["partitions"]] == [end]


def test_removed_before_accepts_what_a_lifecycle_rule_took(copy):
    copy.path(copy.data(TEXT, 1)["key"]).unlink()
    first = copy.batch(TEXT, 0)
    copy.path(copy.manifest_key(TEXT, 0)).unlink()
    assert copy.verify(TEXT, "--removed-before", "2020-01-01")["findings"]
    assert copy.verify(TEXT, "--removed-before", "1d")["findings"]
    told = copy.verify(TEXT, "--removed-before", "2999-01-01T00:00:00Z")
    assert told["findings"] == []
    # the manifests before it, the object, objects whose manifest is gone
    assert [n["kind"] for n in told["notes"]] == ["removed"] * (
        2 + len(first["objects"]))


def test_removed_before_does_not_excuse_a_hole(copy):
    _, found = batch_removed(copy)
    told = copy.verify(SEQ, "--removed-before", "2999-01-01")
    assert brief(told["findings"]) == found


@pytest.mark.parametrize("option", [
    ["--from", "x"], ["--from", "1:"], ["--from", "1,,2"],
    ["--removed-before", "soon"], ["--kafka", "--no-kafka"]])
def test_options_that_say_nothing_are_refused(copy, option):
    done = secor_command("verify", copy.config, *option)
    assert done.returncode == 2 and option[0] in done.stderr


# ---- the topic asked again ----

def test_kafka_finds_messages_that_were_passed_over(filled, copy):
    """The group is set behind messages that nobody stored; the chain alone
    takes them for markers."""
    broker, _ = filled
    end = copy.batch(LATE, -1)["end"]
    clients.produce_json(broker.address, LATE, 5)
    offset, metadata = clients.committed(broker.address, GROUP, LATE)
    assert offset == end
    clients.commit(broker.address, GROUP, LATE, 0, end + 5, metadata)
    try:
        told = copy.verify(LATE)
        assert told["findings"] == []
        assert [n["kind"] for n in told["notes"]] == ["skipped"]
        found = copy.verify(LATE, "--kafka")["findings"]
        assert brief(found) == [("unstored", "", end, end + 5)]
        assert "5 messages" in found[0]["text"]
    finally:
        clients.commit(broker.address, GROUP, LATE, 0, end, metadata)
