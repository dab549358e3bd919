"""where and why against what a real run left."""

import json

import proof
from faults import SEQ, TEXT, TX, stored_offsets
from secor import secor_command
from test_faults import foreign_object, manifest_removed


def ask(code, *args):
    done = secor_command(*args, "--json")
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def where(c, topic, offset, code=0):
    one, = ask(code, "where", c.config, topic, 0, offset)["generations"]
    return one


def as_offset(record):
    return int.from_bytes(record[0], "big")


def test_where_finds_messages_of_a_sequence_file(copy):
    for m in copy.batches(SEQ):
        keys = [o["key"] for o in m["objects"] if not o.get("dead_letter")]
        dumps = proof.hadoop.seq_dump([str(copy.path(k)) for k in keys])
        for key, dump in zip(keys, dumps):
            for offset in (as_offset(dump["records"][0]),
                           as_offset(dump["records"][-1])):
                told = where(copy, SEQ, offset)
                assert told["state"] == "stored"
                assert [(o["key"], o["exact"]) for o in told["objects"]] == [
                    (key, True)]
                assert (told["start"], told["end"]) == (m["start"], m["end"])


def test_where_knows_dead_letters_and_candidates_of_text(copy):
    n, dead = copy.dead(TEXT)
    for line in copy.tree.get(dead["key"]).splitlines():
        told = where(copy, TEXT, json.loads(line)["offset"])
        assert told["state"] == "dead-letter"
        assert [(o["key"], o["exact"]) for o in told["objects"]] == [
            (dead["key"], True)]
    for o in copy.batch(TEXT, 1)["objects"]:
        told = where(copy, TEXT, o["first_offset"])
        assert told["state"] in ("stored", "one-of", "dead-letter")
        assert o["key"] in [p["key"] for p in told["objects"]]


def test_where_tells_why_there_is_no_object(filled, copy):
    offsets, high = stored_offsets(filled[0].address, TX)
    none = sorted(set(range(high)) - set(offsets))
    for offset in none[:3] + none[-1:]:
        if offset < copy.batch(TX, -1)["end"]:
            assert where(copy, TX, offset)["state"] == "no-message"
    assert where(copy, TX, high + 10, 1)["state"] == "not-stored"
    m = copy.batch(TEXT, 1)
    manifest_removed(copy)
    assert where(copy, TEXT, m["start"], 1)["state"] == "hole"
    assert ask(1, "where", copy.config, TEXT, 7, 0)["generations"] == []
    bad = secor_command("where", copy.config, TEXT, "x", 0)
    assert bad.returncode == 2 and "partition" in bad.stderr


def test_where_says_it_in_words(copy):
    o = copy.data(SEQ, 1)
    done = secor_command("where", copy.config, SEQ, 0, o["first_offset"])
    assert done.returncode == 0
    assert str(copy.path(o["key"])) in done.stdout
    assert copy.manifest_key(SEQ, 1) in done.stdout


def test_why_tells_what_is_in_an_object_and_beside_it(copy):
    before, m, after = (copy.batch(TEXT, n) for n in range(3))
    o = copy.data(TEXT, 1)
    told = ask(0, "why", copy.config, o["key"])
    assert told["object"]["key"] == o["key"]
    assert told["object"]["records"] == o["records"] == len(
        proof.lines(copy.tree, o["key"]))
    assert (told["start"], told["end"], told["cut"]) == (
        m["start"], m["end"], "messages")
    assert "max_messages" in told["why"]
    for name, one, n in (("before", before, 0), ("after", after, 2)):
        assert told[name] == {
            "manifest": copy.manifest_key(TEXT, n), "start": one["start"],
            "end": one["end"], "linked": True}
    url = secor_command("why", copy.config, copy.path(o["key"]))
    assert url.returncode == 0 and "max_messages" in url.stdout
    batch = ask(0, "why", copy.config, copy.manifest_key(TEXT, 0))
    assert batch["before"] is None and "object" not in batch
    _, dead = copy.dead(TEXT)
    assert ask(0, "why", copy.config, dead["key"])["object"]["dead_letter"]


def test_why_of_what_is_in_no_manifest_says_so(copy):
    topic, found = foreign_object(copy)
    done = secor_command("why", copy.config, found[0][1])
    assert done.returncode == 1 and found[0][1] in done.stderr
    done = secor_command("why", copy.config, "readme")
    assert done.returncode == 1 and "readme" in done.stderr
