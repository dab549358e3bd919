"""Paths of the engine that a careful reader doubted: each was wrong once."""

import json
import os
import re
import struct
import subprocess
import time

import kafka as clients
import proof
import pytest
from flow import local_store, settings, shut, verify, wait_done
from halting import wait_empty
from secor import ROOT, write_config
from servers import free_ports, wait_until
from test_groups import held
from watch import wait_metric


def wait_offset(kafka, group, name, offset, timeout=120):
    """Waits until the record is at least there, with or without a plan."""
    clients.wait_committed(kafka.address, group, name, [offset], timeout,
                           clean=False)


@pytest.mark.sanitize
def test_partition_paused_at_its_revoke_flows_when_it_comes_back(
        kafka, topic, group, secor, tmp_path):
    """librdkafka keeps an application's pause across assignments: a partition
    that was taken away while both batch slots were full was silent for ever
    when its process got it back."""
    name = topic()
    ids = clients.produce_json(kafka.address, name, 6000)
    store, tree = local_store(tmp_path / "data")
    config = settings(kafka.address, group, name, store,
                      batch={"max_age": "300ms", "max_messages": 500})
    a = secor(config, name="a")
    b = secor(config, name="b")
    a.start(env={"SECOR_STOP_AT": "manifest-begin"})
    a.wait_stopped()
    b.start()
    wait_done(kafka.address, group, name, 1)
    assert b.stop() == 0
    a.cont()
    a.wait_for("consumption begins", count=2)
    ids += clients.produce_json(kafka.address, name, 100, first_id=6000)
    wait_done(kafka.address, group, name, 1)
    assert a.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(a)


def test_store_that_takes_nothing_is_named_at_once(
        kafka, topic, group, secor, tmp_path):
    """Attempts were counted twice, so the first one was never the first, and
    the line came after ten of them: minutes later."""
    name = topic()
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             kafka={"session_timeout": "30s"}))
    process.start()
    process.wait_for("consumption begins")
    closed = shut(tree, tmp_path / "away")
    ids = clients.produce_json(kafka.address, name, 20, step_ms=3600000)
    process.wait_for("store waits .*tries=1")
    closed.unlink()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    assert process.text().count("store waits") == 1
    proof.assert_exactly_once(ids, tree)


def big_messages(kafka, name, count, first_id=0):
    """Messages of 10 kB that a codec could not make small."""
    return clients.produce_json(
        kafka.address, name, count, first_id=first_id, step_ms=1,
        extra=lambda i: {"pad": os.urandom(5000).hex()})


def test_small_stage_flows(kafka, topic, group, secor, tmp_path):
    """Once full, the intake went on at 64 MiB of room, which a stage of 20 MiB
    never has. The last of its batches, of up to 20 MiB, may stay open."""
    name = topic()
    ids = big_messages(kafka, name, 5000)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             stage={"max_bytes": "20MiB"},
                             batch={"max_bytes": "20MiB", "max_age": "0s"}))
    process.start()
    wait_offset(kafka, group, name, 3000)
    assert process.stop() == 0
    process.reconfigure(settings(kafka.address, group, name, store))
    process.start()
    process.wait_for("consumption begins")
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


def test_replay_ignores_a_stage_that_became_too_small(
        kafka, topic, group, secor, tmp_path):
    """On a smaller machine than the one that planned. The plan's end is fixed;
    a replay that waits for room waits for ever."""
    name = topic()
    ids = big_messages(kafka, name, 3000)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             batch={"max_bytes": "25MiB", "max_age": "0s"}))
    process.start(env={"SECOR_STOP_AT": "plan-acked"})
    process.wait_stopped()
    process.kill9()
    process.reconfigure(settings(
        kafka.proxied_address, group, name, store, stage={"max_bytes": "2MiB"},
        batch={"max_bytes": "1MiB", "max_age": "500ms"},
        engine={"memory": "16MiB", "open_files": 8, "writers": 1},
        kafka={"session_timeout": "30s"}))
    kafka.proxy.rate = 20_000_000  # it lasts over many looks at the limits
    try:
        process.start()
        wait_done(kafka.address, group, name, 1)
    finally:
        kafka.proxy.rate = 0
    assert "replay goes on over the limits" in process.text()
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(process)


GATE = r"""
#include <secor/transformer.h>
#include <stdlib.h>
#include <unistd.h>

static int
gate_open(const struct secor_open *with, void **self, struct secor_err *err)
{
	(void)with;
	(void)err;
	*self = getenv("GATE");
	return SECOR_OK;
}

static int
gate_transform(void *self, const struct secor_message *in,
    struct secor_message *out, int *keep, struct secor_err *err)
{
	(void)out;
	(void)keep;
	if (in->offset >= 50 && access(self, F_OK) == 0)
		return secor_fail(err, SECOR_RETRY, "the gate is shut");
	return SECOR_OK;
}

static void
gate_close(void *self)
{
	(void)self;
}

static const struct secor_transformer_ops gate_ops = {
    sizeof(gate_ops), 0, gate_open, gate_transform, gate_close};
static const struct secor_plugin gate = {SECOR_PLUGIN_HEAD,
    SECOR_TRANSFORMER, "gate", "1.0", "waits while a file is there", 1,
    SECOR_NO_OPTIONS, 0, NULL, &gate_ops};

const struct secor_plugin *
secor_plugin_entry(void)
{
	return &gate;
}
"""


@pytest.fixture
def gate(tmp_path):
    """A transformer that says RETRY from offset 50 on while this file is
    there; (plugin, file)."""
    source, plugin = tmp_path / "gate.c", tmp_path / "gate.so"
    source.write_text(GATE)
    subprocess.run(["cc", "-shared", "-fPIC", "-I", ROOT / "include",
                    source, "-o", plugin], check=True)
    plugin.chmod(0o700)
    return plugin, tmp_path / "shut"


def test_message_that_waits_is_taken_once(
        kafka, topic, group, secor, tmp_path, gate):
    plugin, shut = gate
    name = topic()
    ids = clients.produce_json(kafka.address, name, 200)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             transformers=[{"use": str(plugin)}]),
                    env={"GATE": str(shut)})
    shut.touch()
    process.start()
    process.wait_for("plugin waits .*offset=50")
    wait_offset(kafka, group, name, 50)
    ids += clients.produce_json(kafka.address, name, 50, first_id=200)
    shut.unlink()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


@pytest.mark.sanitize
def test_replay_that_waits_does_not_end_at_the_log_end(
        kafka, topic, group, secor, tmp_path, gate):
    """The end of the log arrives while messages are held back (in one array,
    hence the short fetches): the replay was compared with its plan without
    them, and the partition halted."""
    plugin, shut = gate
    name = topic()
    ids = clients.produce_json(kafka.address, name, 200)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             kafka={"properties": {"fetch.wait.max.ms": 10}},
                             transformers=[{"use": str(plugin)}]),
                    env={"GATE": str(shut)})
    process.start(env={"SECOR_STOP_AT": "plan-acked"})
    process.wait_stopped()
    process.kill9()
    shut.touch()
    process.start()
    process.wait_for("plugin waits .*offset=50")
    time.sleep(2)
    shut.unlink()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    assert "partition halted" not in process.text()
    proof.assert_exactly_once(ids, tree)


def test_halt_while_the_final_commit_is_out_is_committed(
        kafka, topic, group, secor, tmp_path):
    """Batch 2 meets a bad message before the final commit of batch 1 is
    answered: the record was a plan when it halted, and nobody asked again."""
    name = topic()
    ids = clients.produce_json(kafka.address, name, 50)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             batch={"max_messages": 50, "max_age": "1h"},
                             bad_messages={"action": "halt"}))
    process.start(env={"SECOR_STOP_AT": "final-sent"})
    process.wait_stopped()
    clients.produce(kafka.address, name, [(0, None, b"{}")])
    time.sleep(0.5)
    process.cont()
    process.wait_for("partition halted")
    end = time.monotonic() + 90
    while " halt " not in (record := clients.committed(
            kafka.address, group, name))[1]:
        assert time.monotonic() < end, record
        time.sleep(0.1)
    assert record[0] == 50
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


@pytest.mark.sanitize
def test_what_was_read_before_retention_is_stored_before_the_gap(
        kafka, topic, group, secor, tmp_path):
    """Messages that were read, and are staged, are not part of the gap that
    begins behind them."""
    name = topic()
    ids = clients.produce_json(kafka.address, name, 100)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store, batch={"max_age": "1h"},
        kafka={"session_timeout": "60s"},
        http={"listen": f"127.0.0.1:{free_ports(1)[0]}"}))
    process.start()
    wait_metric(process, "secor_messages_total", 100)
    process.pause()
    ids += clients.produce_json(kafka.address, name, 3, first_id=100,
                                extra=lambda i: {"pad": "x" * 900_000})
    ids += clients.produce_json(kafka.address, name, 97, first_id=103)
    clients.delete_records(kafka.address, name, 0, 150)
    process.cont()
    process.wait_for("data loss .*start=1.. end=150")
    wait_offset(kafka, group, name, 150)
    assert process.stop() == 0
    process.reconfigure(settings(kafka.address, group, name, store))
    process.start()
    process.wait_for("consumption begins")
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    found = {i for _, i in proof.read_ids(tree)}
    assert found >= set(ids[:100]) | set(ids[150:])
    verify(process)


def first_offset(log, at):
    """Of the record batch in which this place of the file is."""
    begin = 0
    while True:
        offset, size = struct.unpack_from(">qi", log, begin)
        begin += 12 + size
        if at < begin:
            return offset


def test_batch_that_is_damaged_in_the_log_is_never_passed(
        kafka, topic, group, secor, tmp_path):
    """A record batch with a wrong checksum, and good ones behind it: nothing
    behind it is taken in until it can be read."""
    name = topic()
    ids = []
    for _ in range(5):
        ids += clients.produce_json(kafka.address, name, 100,
                                    first_id=len(ids))
    log, = kafka.dir.glob(f"data/{name}-0/*.log")
    whole = log.read_bytes()
    at = whole.index(b'"id": 150,')
    first = first_offset(whole, at)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store))

    def write(byte):
        with open(log, "r+b") as f:
            f.seek(at)
            f.write(byte)
    write(b"'")
    process.start()
    process.wait_for("kafka error .*code=_BAD_MSG")
    time.sleep(4)
    offset, _ = clients.committed(kafka.address, group, name)
    write(whole[at:at + 1])
    assert offset <= first, "it went on behind what it could not read"
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


def test_record_that_went_back_between_two_ownerships_is_not_followed(
        kafka, topic, group, secor, tmp_path):
    """The same process gets the partition again and reads an older record than
    it committed itself: to begin there would store messages twice."""
    name = topic()
    ids = clients.produce_json(kafka.address, name, 100)
    store, tree = local_store(tmp_path / "data")
    config = settings(kafka.address, group, name, store)
    config["kafka"]["session_timeout"] = "1500ms"
    process = secor(config)
    process.start()
    wait_done(kafka.address, group, name, 1)
    process.pause()
    wait_empty(kafka.address, group)
    _, text = clients.committed(kafka.address, group, name)
    clients.commit(kafka.address, group, name, 0, 60, text)
    process.cont()
    process.wait_for("partition halted .*reason=record-older")
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


def test_new_generation_begins_after_an_old_plan_is_finished(
        kafka, topic, group, secor, tmp_path):
    """The record went on with the old generation's name while objects got the
    new one's; and a bump forgot the chain, which `verify` then missed."""
    name = topic()
    ids = clients.produce_json(kafka.address, name, 100)
    store, tree = local_store(tmp_path / "data")
    config = settings(kafka.address, group, name, store)
    process = secor(config)
    old = write_config(process.dir / "old.yaml", config)
    process.start(env={"SECOR_STOP_AT": "plan-acked"})
    process.wait_stopped()
    process.kill9()
    process.reconfigure(settings(kafka.address, group, name, store,
                                 layout={"generation": 2}))
    process.start("--finish-plans-with", old)
    wait_done(kafka.address, group, name, 1)
    ids += clients.produce_json(kafka.address, name, 100, first_id=100)
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    _, text = clients.committed(kafka.address, group, name)
    assert re.search(r" g=[0-9a-f]{16}\.2 ", text), text
    proof.assert_exactly_once(ids, tree)
    verify(process)
    process.reconfigure(settings(kafka.address, group, name, store,
                                 layout={"generation": 3}))
    ids += clients.produce_json(kafka.address, name, 100, first_id=200)
    process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)
    verify(process)


@pytest.mark.sanitize
def test_file_that_fails_early_is_not_waited_for(
        kafka, topic, group, secor, tmp_path):
    """A staged file failed, and the batch collected on for nothing, in silence,
    until it was cut."""
    name = topic()
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             batch={"max_age": "1h", "on_stop": "finish"}))
    process.start()
    process.wait_for("consumption begins")
    folder, = [f for f in (process.dir / "stage").iterdir() if f.is_dir()]
    away = folder.with_name("away")
    folder.rename(away)
    ids = big_messages(kafka, name, 200)
    process.wait_for("stage failed .*removed the folder")
    away.rename(folder)
    wait_until("all is read again", lambda: held(process) == {0: 200}, 90)
    assert process.stop() == 0
    assert process.text().count("stage failed") < 4
    wait_done(kafka.address, group, name, 1, 1)
    proof.assert_exactly_once(ids, tree)


def test_dead_letter_keeps_all_headers(kafka, topic, group, secor, tmp_path):
    name = topic()
    store, tree = local_store(tmp_path / "data")
    headers = [(f"h{i}", str(i).encode()) for i in range(300)]
    clients.produce(kafka.address, name, [(0, None, b"no json", None,
                                           headers)])
    process = secor(settings(kafka.address, group, name, store))
    process.start()
    wait_done(kafka.address, group, name, 1)
    process.wait_for("joins the group")
    assert process.stop() == 0
    line, = (tmp_path / "data/_dead_letters").rglob("*.jsonl")
    letter = json.loads(line.read_text())
    assert [h["name"] for h in letter["headers"]] == [h for h, _ in headers]
