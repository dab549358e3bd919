"""Every planted fault is found by `secor verify`, with the object and the
offsets; what is expected is made here, from the files."""

import gzip
import json
import pathlib
import shutil

import pytest

from faults import (GENERATION, GZIP, SEQ, TEXT, brief, flip, in_order, whole)


# ---- faults: each changes a copy and gives (topic, what must be found) ----

def missing_object(c):
    o = c.data(TEXT, 1)
    c.path(o["key"]).unlink()
    return TEXT, [("missing-object", o["key"], *whole(c, TEXT, 1))]


def empty_object(c):
    o = c.data(TEXT, 1)
    c.path(o["key"]).write_bytes(b"")
    at = whole(c, TEXT, 1)
    return TEXT, [("size", o["key"], *at)], [
        ("records", o["key"], *at), ("size", o["key"], *at)]


def truncated_gzip(c):
    o = c.data(GZIP, 0)
    c.edit(o["key"], lambda b: b[:-5])
    at = whole(c, GZIP, 0)
    return GZIP, [("size", o["key"], *at)], [
        ("size", o["key"], *at), ("unreadable", o["key"], *at)]


def byte_changed_in_gzip(c):
    o = c.data(GZIP, 1)
    c.edit(o["key"], flip(o["bytes"] // 2))
    at = whole(c, GZIP, 1)
    return GZIP, [("crc32c", o["key"], *at)], [
        ("crc32c", o["key"], *at), ("unreadable", o["key"], *at)]


def byte_changed_in_text(c):
    o = c.data(TEXT, 1)
    c.edit(o["key"], flip(3))
    return TEXT, [("crc32c", o["key"], *whole(c, TEXT, 1))]


def byte_changed_in_a_value_of_a_sequence_file(c):
    o = c.data(SEQ, 1)
    c.edit(o["key"], flip(-2))
    return SEQ, [("crc32c", o["key"], *whole(c, SEQ, 1))]


def doubled_under_another_path(c):
    o = c.data(TEXT, 1)
    twin = o["key"].replace("dt=2026-01-01", "dt=2026-01-02")
    c.path(twin).parent.mkdir(parents=True)
    shutil.copy(c.path(o["key"]), c.path(twin))
    return TEXT, [("foreign-object", twin, c.batch(TEXT, 1)["start"], None)]


def doubled_under_no_name_of_ours(c):
    o = c.data(TEXT, 1)
    twin = str(pathlib.PurePosixPath(o["key"]).parent / "copy.txt")
    shutil.copy(c.path(o["key"]), c.path(twin))
    return TEXT, [("stranger", twin, None, None)]


def wrong_extension(c):
    o = c.data(GZIP, 1)
    other = o["key"][:-3] + ".bz2"
    c.path(o["key"]).rename(c.path(other))
    return GZIP, [
        ("foreign-object", other, c.batch(GZIP, 1)["start"], None),
        ("missing-object", o["key"], *whole(c, GZIP, 1))]


def generation_mixed(c):
    o = c.data(SEQ, 1)
    other = o["key"].replace("/3_0_", "/4_0_")
    c.path(o["key"]).rename(c.path(other))
    return SEQ, [
        ("foreign-object", other, c.batch(SEQ, 1)["start"], None),
        ("missing-object", o["key"], *whole(c, SEQ, 1))]


def foreign_object(c):
    stray = f"{TEXT}/dt=2026-01-01/hr=00/{GENERATION}_0_{3:020}"
    c.path(stray).write_bytes(b"x\n")
    return TEXT, [("foreign-object", stray, 3, None)]


def object_of_a_future_batch(c):
    end = c.batch(TEXT, -1)["end"]
    stray = f"{TEXT}/dt=2026-01-01/hr=00/{GENERATION}_0_{end + 40:020}"
    c.path(stray).write_bytes(b"x\n")
    return TEXT, [("future-object", stray, end + 40, None)]


def object_where_the_next_batch_begins(c):
    end = c.batch(TEXT, -1)["end"]
    stray = f"{TEXT}/dt=2026-01-01/hr=00/{GENERATION}_0_{end:020}"
    c.path(stray).write_bytes(b"x\n")
    return TEXT, [("future-object", stray, end, None)]


def foreign_dead_letter(c):
    stray = f"_dead_letters/{TEXT}/{GENERATION}_0_{7:020}.jsonl"
    c.path(stray).write_bytes(b"{}\n")
    return TEXT, [("foreign-object", stray, 7, None)]


def dead_letter_removed(c):
    n, o = c.dead(TEXT)
    c.path(o["key"]).unlink()
    return TEXT, [("missing-object", o["key"], *whole(c, TEXT, n))]


def dead_letter_changed(c):
    n, o = c.dead(TEXT)
    c.edit(o["key"], lambda b: b.replace(b'"YmFkIG9uZQ=="',
                                         b'"YmFkIHR3bw=="', 1))
    return TEXT, [("crc32c", o["key"], *whole(c, TEXT, n))]


def dead_letter_doubled(c):
    n, o = c.dead(TEXT)
    c.edit(o["key"], lambda b: b + b.splitlines(True)[0])
    at, first = whole(c, TEXT, n), o["first_offset"]
    return TEXT, [("size", o["key"], *at)], [
        ("doubled", o["key"], first, first + 1),
        ("records", o["key"], *at), ("size", o["key"], *at)]


def record_removed_from_text(c):
    o = c.data(TEXT, 1)
    c.edit(o["key"], lambda b: b"".join(b.splitlines(True)[1:]))
    at = whole(c, TEXT, 1)
    return TEXT, [("size", o["key"], *at)], [
        ("records", o["key"], *at), ("size", o["key"], *at)]


def record_doubled_in_text(c):
    o = c.data(TEXT, 1)
    c.edit(o["key"], lambda b: b + b.splitlines(True)[0])
    at = whole(c, TEXT, 1)
    return TEXT, [("size", o["key"], *at)], [
        ("records", o["key"], *at), ("size", o["key"], *at)]


def record_replaced_in_gzip(c):
    """Whole, with as many records: but encoded once more they differ."""
    o = c.data(GZIP, 1)
    c.edit(o["key"], lambda b: gzip.compress(
        gzip.decompress(b).replace(b'"id": 1', b'"id": 7', 1)))
    at = whole(c, GZIP, 1)
    kind = "size" if c.path(o["key"]).stat().st_size != o["bytes"] else "crc32c"
    return GZIP, [(kind, o["key"], *at)]


def sequence_offsets(data):
    """{offset: where its 8 bytes are} of a SequenceFile without compression:
    found by value, which is the record's JSON."""
    return {o: data.index(o.to_bytes(8, "big"), 100)
            for o in range(200) if o.to_bytes(8, "big") in data[100:]}


def set_offset(old, new):
    def change(data):
        at = sequence_offsets(data)[old]
        return data[:at] + new.to_bytes(8, "big") + data[at + 8:]
    return change


def sequence_offset_doubled(c):
    o = c.data(SEQ, 1)
    old = o["first_offset"]
    c.edit(o["key"], set_offset(old, old + 1))
    at = whole(c, SEQ, 1)
    return SEQ, [("crc32c", o["key"], *at)], [
        ("crc32c", o["key"], *at), ("doubled", o["key"], old + 1, old + 2)]


def sequence_offset_of_another_batch(c):
    o = c.data(SEQ, 1)
    start, end = whole(c, SEQ, 1)
    c.edit(o["key"], set_offset(o["first_offset"], end))
    return SEQ, [("crc32c", o["key"], start, end)], [
        ("crc32c", o["key"], start, end), ("outside", o["key"], end, end + 1)]


def contents_swapped(c):
    """Two objects of one batch: each has offsets of the other."""
    a, b = c.data(SEQ, 0, 0), c.data(SEQ, 0, 1)
    one, two = c.tree.get(a["key"]), c.tree.get(b["key"])
    c.path(a["key"]).write_bytes(two)
    c.path(b["key"]).write_bytes(one)
    at = whole(c, SEQ, 0)
    kind = "size" if len(one) != len(two) else "crc32c"
    plain = [(kind, o["key"], *at) for o in (a, b)]
    other = "records" if a["records"] != b["records"] else "offsets"
    return SEQ, plain, plain + [(other, o["key"], *at) for o in (a, b)]


def manifest_removed(c):
    m = c.batch(TEXT, 1)
    after = c.manifest_key(TEXT, 2)
    c.path(c.manifest_key(TEXT, 1)).unlink()
    return TEXT, [("hole", after, m["start"], m["end"])] + [
        ("foreign-object", o["key"], m["start"], None) for o in m["objects"]]


def batch_removed(c):
    m = c.batch(SEQ, 1)
    after = c.manifest_key(SEQ, 2)
    c.path(c.manifest_key(SEQ, 1)).unlink()
    for o in m["objects"]:
        c.path(o["key"]).unlink()
    return SEQ, [("hole", after, m["start"], m["end"])]


def first_batch_removed(c):
    m = c.batch(TEXT, 0)
    after = c.manifest_key(TEXT, 1)
    c.path(c.manifest_key(TEXT, 0)).unlink()
    for o in m["objects"]:
        c.path(o["key"]).unlink()
    return TEXT, [("missing-before", after, None, m["end"])]


def last_batch_removed(c):
    m = c.batch(TEXT, -1)
    c.path(c.manifest_key(TEXT, -1)).unlink()
    for o in m["objects"]:
        c.path(o["key"]).unlink()
    return TEXT, [("hole", "", m["start"], m["end"])]


def everything_removed(c):
    end = c.batch(TEXT, -1)["end"]
    shutil.rmtree(c.path(TEXT))
    shutil.rmtree(c.path(f"_manifests/{TEXT}"))
    shutil.rmtree(c.path(f"_dead_letters/{TEXT}"))
    return TEXT, [("missing-before", "", None, end)]


def manifest_renamed(c):
    m = c.batch(TEXT, 1)
    after = c.manifest_key(TEXT, 2)
    other = f"_manifests/{TEXT}/0/{GENERATION}_{m['start'] + 1:020}.json"
    c.path(c.manifest_key(TEXT, 1)).rename(c.path(other))
    return TEXT, [("manifest", other, None, None),
                  ("hole", after, m["start"], m["end"])] + [
        ("foreign-object", o["key"], m["start"], None) for o in m["objects"]]


def manifest_doubled(c):
    m = c.batch(TEXT, 1)
    other = f"_manifests/{TEXT}/0/{GENERATION}_{m['start'] + 1:020}.json"
    shutil.copy(c.path(c.manifest_key(TEXT, 1)), c.path(other))
    return TEXT, [("manifest", other, None, None)]


def manifest_of_another_topic(c):
    m = c.batch(TEXT, 0)
    other = f"_manifests/{TEXT}/0/{GENERATION}_{m['end'] + 1:020}.json"
    shutil.copy(c.path(c.manifest_key(GZIP, 0)), c.path(other))
    return TEXT, [("manifest", other, None, None)]


def manifest_of_a_generation_to_come(c):
    m = dict(c.batch(TEXT, 0), generation=GENERATION + 1)
    other = f"_manifests/{TEXT}/0/{GENERATION + 1}_{0:020}.json"
    c.path(other).write_text(json.dumps(m))
    at = m["start"], m["end"]
    return TEXT, [("altered", other, *at), ("generation", other, *at)] + [
        ("object-name", other, *at)] * len(m["objects"]) + [
        # its end is where the group would go on
        ("hole", "", m["end"], c.batch(TEXT, -1)["end"])]


def range_overlapped(c):
    m = c.batch(TEXT, 1)
    twin = dict(m, start=m["start"] + 1, objects=[])
    twin.update(messages=0, bad=0, filtered=0)
    other = f"_manifests/{TEXT}/0/{GENERATION}_{m['start'] + 1:020}.json"
    c.path(other).write_text(json.dumps(twin))
    at = twin["start"], twin["end"]
    plain = [("altered", other, *at), ("overlap", other, *at)]
    # and it accounts for none of its messages
    return TEXT, plain, plain + [("unstored", "", *at)]


def manifest_empty(c):
    m = c.batch(TEXT, 1)
    key, after = c.manifest_key(TEXT, 1), c.manifest_key(TEXT, 2)
    c.path(key).write_bytes(b"")
    return TEXT, [("manifest", key, None, None),
                  ("hole", after, m["start"], m["end"])] + [
        ("foreign-object", o["key"], m["start"], None) for o in m["objects"]]


def manifest_not_json(c):
    m = c.batch(TEXT, 1)
    key, after = c.manifest_key(TEXT, 1), c.manifest_key(TEXT, 2)
    c.edit(key, lambda b: b[:-20])
    return TEXT, [("manifest", key, None, None),
                  ("hole", after, m["start"], m["end"])] + [
        ("foreign-object", o["key"], m["start"], None) for o in m["objects"]]


def manifest_with_a_field_less(c):
    m = c.batch(TEXT, 1)
    after = c.manifest_key(TEXT, 2)
    key = c.edit_manifest(TEXT, 1, lambda m: m.pop("input_hash"))
    return TEXT, [("manifest", key, None, None),
                  ("hole", after, m["start"], m["end"])] + [
        ("foreign-object", o["key"], m["start"], None) for o in m["objects"]]


def object_left_out_of_the_manifest(c):
    m = c.batch(TEXT, 1)
    gone = m["objects"][-1]
    key = c.edit_manifest(TEXT, 1, lambda m: m["objects"].pop())
    at = whole(c, TEXT, 1)
    return TEXT, [("altered", key, *at), ("count", key, *at),
                  ("foreign-object", gone["key"], m["start"], None)]


FAULTS = [
    missing_object, empty_object, truncated_gzip, byte_changed_in_gzip,
    byte_changed_in_text, byte_changed_in_a_value_of_a_sequence_file,
    doubled_under_another_path, doubled_under_no_name_of_ours,
    wrong_extension, generation_mixed, foreign_object,
    object_of_a_future_batch, object_where_the_next_batch_begins,
    foreign_dead_letter, dead_letter_removed, dead_letter_changed,
    dead_letter_doubled, record_removed_from_text, record_doubled_in_text,
    record_replaced_in_gzip, sequence_offset_doubled,
    sequence_offset_of_another_batch, contents_swapped, manifest_removed,
    batch_removed, first_batch_removed, last_batch_removed,
    everything_removed, manifest_renamed, manifest_doubled,
    manifest_of_another_topic, manifest_of_a_generation_to_come,
    range_overlapped, manifest_empty, manifest_not_json,
    manifest_with_a_field_less, object_left_out_of_the_manifest,
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.__name__)
def test_planted_fault_is_found(copy, fault):
    """Exactly what was planted, with the object and the offsets; --deep, too,
    finds that and says more where it can."""
    topic, plain, *deep = fault(copy)
    assert brief(copy.verify(topic)["findings"]) == in_order(plain)
    told = copy.verify(topic, "--deep", "--kafka")
    assert brief(told["findings"]) == in_order(deep[0] if deep else plain)


def add(name, n=1):
    return lambda m: m.update({name: m[name] + n})


def hashed(name):
    """One digit of a hash is another one."""
    return lambda m: m.update({name: m[name][:-1] + "0123456789abcdef"[
        (int(m[name][-1], 16) + 1) % 16]})


def object_edit(change):
    """Edits the first object that is no dead letter."""
    return lambda m: change(next(o for o in m["objects"]
                                 if not o.get("dead_letter")))


# what is edited in the manifest of a middle batch -> kinds that name it
EDITS = {
    "messages": (add("messages"), {"altered", "count"}),
    "filtered": (add("filtered"), {"altered", "count"}),
    "bad": (add("bad"), {"altered", "count"}),
    "cut": (lambda m: m.update(cut="size"), {"altered"}),
    "gap": (lambda m: m.update(cut="gap"), {"altered"}),
    "watermark": (add("watermark_ms"), {"altered"}),
    "input": (hashed("input_hash"), {"altered"}),
    "output": (hashed("output_hash"), {"altered"}),
    "fingerprint": (hashed("fingerprint"), {"altered"}),
    "previous": (hashed("previous"), {"altered", "chain"}),
    "chain": (hashed("chain"), {"altered", "chain"}),
    "topic": (lambda m: m.update(topic="x"), {"manifest", "hole"}),
    "partition": (add("partition"), {"manifest", "hole"}),
    "generation": (add("generation"), {"manifest", "hole"}),
    "start": (add("start"), {"manifest", "hole"}),
    "end-less": (add("end", -1), {"altered", "object-range"}),
    "end-more": (add("end"), {"altered", "overlap"}),
    "records": (object_edit(add("records")), {"altered", "count"}),
    "key": (object_edit(lambda o: o.update(key=o["key"] + "x")),
            {"altered", "missing-object", "foreign-object"}),
    "path": (object_edit(lambda o: o.update(path="dt=2020-01-01/hr=00")),
             {"object-name"}),
    "dead-letter": (object_edit(lambda o: o.update(dead_letter=True)),
                    {"object-name", "count"}),
    "offsets-hash": (object_edit(hashed("offsets_hash")), {"altered"}),
    "first-offset": (object_edit(add("first_offset", -30)),
                     {"object-range"}),
    "last-offset": (object_edit(add("last_offset", 1000)), {"object-range"}),
    "bytes": (object_edit(add("bytes")), {"size"}),
    "crc32c": (object_edit(lambda o: o.update(crc32c="00000000")),
               {"crc32c"}),
}


@pytest.mark.parametrize("field", EDITS)
def test_each_field_of_a_manifest_counts(copy, field):
    change, kinds = EDITS[field]
    key = copy.edit_manifest(TEXT, 1, change)
    found = copy.verify(TEXT)["findings"]
    assert kinds <= {f["kind"] for f in found}
    # a cut end is told of the manifest behind it, too
    near = {key, copy.manifest_key(TEXT, 2)} if (
        copy.path(key).exists()) else {key}
    objects = {o["key"] for o in json.loads(copy.tree.get(key))["objects"]}
    assert any(f["key"] in near | objects for f in found)
