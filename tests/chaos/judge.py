"""What came of it, seen without any code of the product, and by `secor verify`.

A broker may be down because a schedule beside this one killed it, so questions
are asked until they are answered.
"""

import collections
import json
import os
import struct
import time

import kafka as clients
import proof
from confluent_kafka import KafkaError, KafkaException
from secor import secor_command

PATIENCE = float(os.environ.get("CHAOS_PATIENCE", 120))
AWAY = (OSError, KafkaException, struct.error, AssertionError)


def patiently(ask):
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except AWAY:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def make_topic(address, topic, partitions, copies):
    """Also where the answer to the first try was lost."""
    def once():
        try:
            clients.create_topic(address, topic, partitions, copies=copies)
        except KafkaException as e:
            if e.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
    patiently(once)


def ends(address, topic, partitions):
    """{partition: end of its log}"""
    return {p: patiently(lambda p=p: clients.watermarks(address, topic, p)[1])
            for p in range(partitions)}


def is_stored(address, name, ends):
    """Is each partition committed clean at its end? group and topic: name."""
    try:
        got = clients.fetch_offsets(address, name, name, list(ends))
    except AWAY:
        return False
    return all(o >= ends[p] and " plan " not in f" {m} "
               for p, (o, m) in got.items())


def truth(address, topic, ends):
    """Counter of the ids that are in the topic, read as anybody does."""
    return collections.Counter(
        json.loads(value)["id"] for _, _, value in patiently(
            lambda: clients.read_all(address, topic, ends)))


def count(expected, tree):
    """(how many are lost, doubled, sentences about them)"""
    stored = collections.Counter(i for _, i in proof.read_ids(tree))
    lost, doubled = expected - stored, stored - expected
    faults = [f"{ids.total()} {what}: {sorted(ids)[:10]}" for what, ids in
              (("lost", lost), ("doubled", doubled)) if ids]
    return lost.total(), doubled.total(), faults


def markers(process, tree):
    """What paths that are over say of themselves, when the finalizer has had
    the last look: (how many of them, sentences). Tallies are of a generation:
    where there are two nothing is told."""
    done = secor_command("finalize", process.config, cwd=process.dir)
    if done.returncode != 0:
        return 0, [f"finalize ends with {done.returncode}: "
                   f"{done.stdout[-1000:]}{done.stderr[-1000:]}"]
    stored, found, faults = collections.Counter(), 0, []
    for key, _ in proof.read_ids(tree):
        folder, name = key.rsplit("/", 1)
        if not name.startswith("1_"):
            return 0, []
        while folder:
            stored[folder] += 1
            folder = folder.rpartition("/")[0]
    for key in tree.keys():
        if key.endswith("/_SUCCESS"):
            found += 1
            folder, told = key[:-9], json.loads(tree.get(key))["records"]
            if told != stored[folder]:
                faults.append(f"{key}: {told} records, {stored[folder]} are "
                              "there")
    return found, faults


def verify(process):
    until = time.monotonic() + PATIENCE
    while True:
        done = secor_command("verify", "--deep", "--kafka", process.config,
                             cwd=process.dir)
        if done.returncode == 0:
            return []
        if done.returncode != 3 or time.monotonic() > until:
            return [f"verify ends with {done.returncode}: "
                    f"{done.stdout[-2000:]}{done.stderr[-2000:]}"]
        time.sleep(0.5)
