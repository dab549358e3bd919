"""Records that are not what they should be: each halts, or goes on, as
docs/RUNBOOK.md says, also for the next owner, and the command that the halt
names gets everything into exactly one object again.
"""

import json
import re
import time
import urllib.request

import halting
import kafka as clients
import proof
import pytest
from flow import settings
from halting import Case
from secor import ROOT, secor_command, write_config
from servers import free_ports, wait_until
from watch import get, wait_metric


@pytest.fixture
def case(kafka, topic, group, secor, tmp_path):
    """Factory: case(topic_config=None, **sections) with 400 messages."""
    def make(topic_config=None, count=400, **config):
        one = Case(kafka.address, group, topic(config=topic_config), secor,
                   tmp_path, **config)
        if count:
            one.produce(count)
        return one
    return make


# ---- the offset is gone ----

def second_process_halts(c, secor, reason):
    """One that was in the group all the time, and takes over."""
    c.start()
    c.halted(reason)
    other = secor(c.config, name="other")
    other.start()
    other.wait_for("partitions assigned|joins the group")
    c.process.kill9()
    said = other.wait_for(r"partition halted topic=\S+ .* reason=(\S+)")
    assert said[1] == reason
    assert other.stop() == 0


def test_offsets_deleted_halts_until_adopted(case, kafka, secor):
    c = case()
    c.run_to_the_end()
    halting.delete_group(kafka.address, c.group)
    c.produce(300)
    c.start()
    c.halted("offsets-lost")
    assert c.record() == (None, None)
    c.next_owner_halts("offsets-lost")
    second_process_halts(c, secor, "offsets-lost")
    said = c.offsets("adopt", "--from-manifests", "--yes")
    assert "nothing is skipped, nothing doubled" in said
    c.run_to_the_end()
    c.exactly_once()
    c.verify()


def test_offsets_deleted_before_the_first_manifest_halt_too(case, kafka):
    """Half of the first batch is stored and the group is deleted: a partition
    that were taken for a new one would end its batches elsewhere, and leave that
    half for good."""
    c = case(batch={"max_messages": 300, "max_age": "10s"})
    c.produce(1000, step_ms=20_000)
    c.start_at("put-done")
    c.kill9()
    assert len(proof.object_keys(c.tree)) >= 1 and not proof.manifests(
        c.tree, c.topic)
    halting.delete_group(kafka.address, c.group)
    c.config["batch"]["max_messages"] = 200
    c.process.reconfigure(c.config)
    c.start()
    said = c.halted("offsets-lost")
    assert "a first batch" in said
    c.next_owner_halts("offsets-lost")
    c.offsets("adopt", "--offset", "0", "--remove-unfinished", "--yes")
    c.run_to_the_end()
    c.exactly_once()
    c.verify()


def test_topic_created_again_while_stopped_needs_a_new_generation(case, kafka):
    c = case()
    c.run_to_the_end()
    halting.create_again(kafka.address, c.topic)
    c.produce(200)
    c.start()
    c.halted("offsets-lost")
    c.next_owner_halts("offsets-lost")
    c.config["layout"] = {"generation": 2}
    c.process.reconfigure(c.config)
    c.run_to_the_end()
    c.exactly_once()
    c.verify()
    generations = {proof.parse_name(k, c.topic)["generation"]
                   for k in proof.object_keys(c.tree)}
    assert generations == {1, 2} or generations == {0, 2}


def test_topic_created_again_while_running_halts(case, kafka):
    c = case()
    c.start()
    c.wait_done()
    halting.create_again(kafka.address, c.topic)
    c.produce(200)
    found = c.process.wait_for(
        r"partition halted topic=\S+ partition=0 .*reason=(\S+)", 60)[1]
    assert found in ("offsets-lost", "record-gone")
    c.next_owner_halts(found)
    generation_2(c)
    c.exactly_once()
    c.verify()


def generation_2(c):
    """What the runbook says for a topic that was created again."""
    c.config["layout"] = {"generation": 2}
    c.process.reconfigure(c.config)
    if c.record() != (None, None):
        c.offsets("adopt", "--offset", "0", "--yes")
    c.run_to_the_end()


def test_topic_created_again_while_paused_is_seen_before_the_plan(case, kafka):
    c = case(kafka={"session_timeout": "30s"})
    c.run_to_the_end()
    c.produce(100)
    first = c.ids
    c.start_at("sealed")
    halting.create_again(kafka.address, c.topic)
    c.process.cont()
    c.halted("record-gone")
    assert c.process.wait_for("commit acknowledged .*kind=3")
    c.next_owner_halts("record-gone")
    # the second hundred went with the topic
    c.ids = first[:400]
    c.ids += clients.produce_json(kafka.address, c.topic, 100, first_id=1000)
    generation_2(c)
    c.exactly_once()


def test_topic_created_again_in_a_pause_beyond_the_session(case, kafka):
    c = case()
    c.start()
    c.wait_done()
    c.process.pause()
    halting.wait_empty(kafka.address, c.group)
    halting.create_again(kafka.address, c.topic)
    c.produce(100)
    c.process.cont()
    c.halted("offsets-lost")
    c.next_owner_halts("offsets-lost")
    generation_2(c)
    c.exactly_once()


# ---- somebody else committed ----

def reset_to_earliest(kafka, group, topic):
    halting.wait_empty(kafka.address, group)
    kafka.run(kafka.java(
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        "--bootstrap-server", kafka.address, "--group", group,
        "--topic", topic, "--reset-offsets", "--to-earliest", "--execute",
        "--timeout", "60000"))


def test_group_reset_by_the_brokers_tool_halts_until_adopted(case, kafka):
    c = case()
    c.run_to_the_end()
    reset_to_earliest(kafka, c.group, c.topic)
    assert c.record() == (0, "")
    c.produce(300)
    c.start()
    c.halted("foreign-record")
    c.next_owner_halts("foreign-record")
    c.offsets("adopt", "--from-manifests", "--yes")
    c.run_to_the_end()
    c.exactly_once()
    c.verify()


@pytest.mark.librdkafka
def test_foreign_commit_while_running_halts_before_the_next_plan(case, kafka):
    c = case()
    c.start()
    c.wait_done()
    halting.commit_in_transaction(kafka.address, c.group, c.topic, 100)
    before = c.tree.keys()
    c.produce(300)
    c.halted("foreign-record")
    assert c.tree.keys() == before
    c.next_owner_halts("foreign-record")
    c.offsets("adopt", "--from-manifests", "--yes")
    c.run_to_the_end()
    c.exactly_once()


def test_record_set_back_while_running_halts_when_it_stays(case, kafka):
    c = case()
    c.start()
    c.wait_done()
    offset, text = c.record()
    older = text.replace(f"q={offset}", "q=7")
    halting.commit_in_transaction(kafka.address, c.group, c.topic, 7, older)
    c.produce(300)
    c.halted("record-older")
    c.process.wait_for("commit acknowledged .*kind=3")
    c.next_owner_halts("record-older")
    c.offsets("adopt", "--from-manifests", "--yes")
    c.run_to_the_end()
    c.exactly_once()


def test_record_of_another_group_halts(case, kafka):
    c = case()
    c.run_to_the_end()
    offset, text = c.record()
    c.config["kafka"]["group"] = c.group + "-copy"
    halting.commit_record(kafka.address, c.group + "-copy", c.topic, offset,
                          text)
    c.process.reconfigure(c.config)
    c.start()
    c.halted("other-group")
    c.next_owner_halts("other-group")


def test_log_that_was_cut_halts_until_a_new_generation_goes_on(case, kafka):
    """What an unclean election leaves: the first 300 of 400 messages, and an
    offset behind the end. New messages get the offsets of lost ones."""
    c = case()
    c.run_to_the_end()
    offset, text = c.record()
    halting.create_again(kafka.address, c.topic)
    clients.produce_json(kafka.address, c.topic, 300)
    halting.commit_record(kafka.address, c.group, c.topic, offset, text)
    c.start()
    said = c.halted("truncated")
    assert "400" in said and "300" in said
    c.next_owner_halts("truncated")
    assert c.record() == (offset, text)
    c.config["layout"] = {"generation": 2}
    c.process.reconfigure(c.config)
    c.offsets("adopt", "--offset", "300", "--yes")
    c.produce(250)
    c.run_to_the_end()
    c.exactly_once()
    names = [proof.parse_name(k, c.topic) for k in proof.object_keys(c.tree)]
    assert {n["start"] >= 300 for n in names if n["generation"] == 2} == {
        True}
    c.verify()


# ---- the configuration changed in the middle of a batch ----

def by_day(config):
    return {**config, "partitioner": {"use": "date", "granularity": "day"}}


@pytest.mark.parametrize("step", ["plan-acked", "put-done"])
@pytest.mark.parametrize("way", ["old-configuration", "finish-plans-with"])
def test_changed_configuration_does_not_finish_a_plan(case, step, way):
    c = case(count=5000)
    c.start_at(step)
    c.kill9()
    stored = {k: c.tree.get(k) for k in c.tree.keys()}
    new, old = by_day(c.config), c.config
    c.process.reconfigure(new)
    c.start()
    c.halted("plan-fingerprint")
    c.next_owner_halts("plan-fingerprint")
    assert " plan " in c.record()[1]
    if way == "old-configuration":
        c.process.reconfigure(old)
        c.run_to_the_end()
    else:
        file = write_config(c.process.dir / "old.yaml", old)
        c.run_to_the_end("--finish-plans-with", file)
    c.exactly_once()
    for key, data in stored.items():
        assert c.tree.get(key) == data
    c.verify()


# ---- messages are gone ----

@pytest.mark.librdkafka
def test_deleted_records_leave_a_gap_that_is_written_down(case, kafka):
    c = case(http={"listen": f"127.0.0.1:{free_ports(1)[0]}"})
    c.run_to_the_end()
    c.produce(200)
    clients.delete_records(kafka.address, c.topic, 0, 450)
    c.start()
    c.process.wait_for(r"^error .* data loss .* start=400 end=450 ")
    wait_metric(c.process, "secor_gaps_total", 1)
    c.wait_done()
    c.stop()
    assert c.gaps() == [(400, 450)]
    c.exactly_once(c.ids[:400] + c.ids[450:])


def test_records_deleted_under_a_running_reader_leave_a_gap(case, kafka):
    """More than the reader takes in advance, so it meets the hole."""
    c = case(count=0)
    c.produce(60, extra=lambda i: {"pad": "x" * 700_000})
    c.start_at("opened")
    clients.delete_records(kafka.address, c.topic, 0, 55)
    c.process.cont()
    c.process.wait_for(r"^error .* data loss ")
    c.wait_done()
    c.stop()
    (start, end), = c.gaps()
    assert end == 55
    c.exactly_once(c.ids[:start] + c.ids[55:])


def collected(port):
    """Messages in the batch that collects."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/status",
                                  timeout=60).read()
    return sum(p.get("collecting", {}).get("messages", 0)
               for p in json.loads(text)["partitions"])


def test_what_was_read_before_a_hole_is_stored(case, kafka):
    """Messages that are collected, but not stored, when Kafka removes them and
    more that nobody has read."""
    c = case(count=20, batch={"max_age": "1h"},
             kafka={"session_timeout": "30s"})
    c.start()
    port = c.process.wait_for(r"http listens address=\S*:(\d+)")[1]
    end = time.monotonic() + 90
    while collected(port) < 20:
        assert time.monotonic() < end
        time.sleep(0.1)
    c.process.pause()
    c.produce(6, extra=lambda i: {"pad": "x" * 700_000})
    clients.delete_records(kafka.address, c.topic, 0, 25)
    c.process.cont()
    c.process.wait_for(r"^error .* data loss .* end=25 ")
    c.process.wait_for(r"commit acknowledged .*offset=25 kind=1")
    c.stop()
    (start, end), = c.gaps()
    assert 20 <= start < end == 25
    c.config["batch"]["max_age"] = "300ms"
    c.process.reconfigure(c.config)
    c.run_to_the_end()
    c.exactly_once(c.ids[:start] + c.ids[25:])
    c.verify()


@pytest.mark.parametrize("step", ["gap-planned", "manifest-done",
                                  "final-sent"])
def test_a_gap_is_repeated_after_a_crash(case, kafka, step):
    c = case()
    c.run_to_the_end()
    c.produce(200)
    clients.delete_records(kafka.address, c.topic, 0, 450)
    c.start_at(step)
    c.kill9()
    c.run_to_the_end()
    assert c.gaps() == [(400, 450)]
    c.exactly_once(c.ids[:400] + c.ids[450:])


def test_deleted_records_halt_where_that_is_asked_for(case, kafka):
    c = case(kafka={"on_data_loss": "halt"})
    c.run_to_the_end()
    c.produce(200)
    clients.delete_records(kafka.address, c.topic, 0, 450)
    c.start()
    c.halted("data-loss")
    c.process.wait_for("commit acknowledged .*kind=3")
    c.next_owner_halts("data-loss")
    c.offsets("adopt", "--offset", "450", "--yes")
    c.run_to_the_end()
    assert c.gaps() == [(400, 450)]
    c.exactly_once(c.ids[:400] + c.ids[450:])
    c.verify()


def planned_and_gone(c, kafka, step):
    """Kills at the step and removes the first half of what was planned.
    (S, E) of the plan."""
    c.start_at(step)
    c.kill9()
    start, text = c.record()
    words = dict(w.split("=") for w in text.split() if "=" in w)
    end = int(words["e"])
    assert " plan " in text and end - start > 10
    clients.delete_records(kafka.address, c.topic, 0, (start + end) // 2)
    c.start()
    c.halted("plan-unreadable")
    c.next_owner_halts("plan-unreadable")
    assert " plan " in c.record()[1]
    return start, end


def test_unreadable_plan_is_given_up_by_a_person(case, kafka):
    c = case(count=5000)
    start, end = planned_and_gone(c, kafka, "put-done")
    assert proof.object_keys(c.tree)
    c.offsets("resolve", "--skip-plan", "--yes")
    c.run_to_the_end()
    c.exactly_once(c.ids[:start] + c.ids[end:])
    assert c.gaps() == [(start, end)]


def test_unreadable_plan_is_read_again_as_far_as_it_goes(case, kafka):
    c = case(count=5000)
    start, end = planned_and_gone(c, kafka, "put-done")
    c.offsets("resolve", "--again", "--yes")
    c.run_to_the_end()
    c.exactly_once(c.ids[:start] + c.ids[(start + end) // 2:])


def test_unreadable_plan_keeps_what_is_stored(case, kafka):
    c = case(count=5000)
    start, end = planned_and_gone(c, kafka, "put-done")
    kept = [i for _, i in proof.read_ids(c.tree)]
    c.offsets("resolve", "--as-stored", "--yes")
    c.run_to_the_end()
    c.exactly_once(sorted(kept) + [i for i in c.ids[end:]])


def test_plan_that_reads_other_messages_halts(case, kafka, secor):
    """The plan says one message more than the log has in its range."""
    c = case(count=5000)
    c.start_at("plan-acked")
    c.kill9()
    start, text = c.record()
    words = dict(w.split("=") for w in text.split() if "=" in w)
    halting.commit_record(
        kafka.address, c.group, c.topic, start, text.replace(
            f"n={words['n']}", f"n={int(words['n']) + 1}"))
    c.start()
    c.halted("plan-differs")
    c.next_owner_halts("plan-differs")
    assert not proof.object_keys(c.tree)
    c.offsets("resolve", "--again", "--yes")
    c.run_to_the_end()
    c.exactly_once()


# ---- what is refused from the start ----

def test_compacted_topic_is_refused(case):
    c = case(topic_config={"cleanup.policy": "compact"})
    c.start()
    c.halted("compacted-topic")
    c.next_owner_halts("compacted-topic")
    assert c.tree.keys() == [] and c.record() == (None, None)
    c.config["kafka"]["compacted"] = "allow"
    c.process.reconfigure(c.config)
    c.run_to_the_end()
    c.exactly_once()


def test_halt_is_seen_from_outside(case, kafka):
    c = case(topic_config={"cleanup.policy": "compact"})
    c.start()
    c.halted("compacted-topic")
    wait_until("the metric says it", lambda: "secor_partitions_halted 1"
               in get(c.process, "/metrics")[2], 90)
    wait_until("it is why nothing is ready", lambda: "halted"
               in get(c.process, "/health/ready")[2], 90)
    assert get(c.process, "/health/ready")[0] == 503
    shown = json.loads(secor_command(
        "offsets", "show", c.process.config, "--json",
        cwd=c.process.dir).stdout)
    assert shown


def test_runbook_has_every_reason_with_its_command():
    """Every name of record.c has a section that says what to do and what it
    costs."""
    source = (ROOT / "core/flow/record.c").read_text()
    names = re.search(r"halt_names\[.*?\{(.*?)\}", source, re.S)[1]
    reasons = [n for n in re.findall(r'"([a-z-]+)"', names) if n != "none"]
    assert len(reasons) >= 15
    text = (ROOT / "docs/RUNBOOK.md").read_text()
    sections = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", text,
                               re.S | re.M))
    assert list(sections) == reasons
    for reason, section in sections.items():
        for part in ("**What happened.**", "**Go on.**", "**Costs.**"):
            assert part in section, f"{reason} lacks {part}"


def test_bad_messages_behind_a_planned_batch_let_it_be_done(
        kafka, topic, group, secor, rgw, bucket, http_proxy):
    """What was planned before the bad messages is stored; the halt follows, and
    is in the record. The batch before them ends by number."""
    name = topic()
    tree = bucket(rgw)
    refuse = {"on": False}

    def before(method, path, _body):
        return (503, b"") if refuse["on"] and method == "PUT" else None

    proxy = http_proxy(rgw, before=before)
    process = secor(settings(
        kafka.address, group, name, {
            "use": "s3", "bucket": tree.bucket, "endpoint": proxy.endpoint,
            "access_key": rgw.access_key, "secret_key": rgw.secret_key,
            "region": rgw.region},
        batch={"max_messages": 500, "max_age": "1h"})).start()
    process.wait_for("consumption begins")
    refuse["on"] = True
    ids = clients.produce_json(kafka.address, name, 500)
    process.wait_for("store waits")
    clients.produce(kafka.address, name, [
        (0, None, b"{broken", 1_767_225_600_000)] * 500)
    process.wait_for("partition halts behind its batch")
    refuse["on"] = False
    process.wait_for("partition halted .*reason=bad-messages")
    assert process.stop() == 0
    offset, metadata = clients.committed(kafka.address, group, name)
    assert offset == 500 and metadata.startswith("s1 halt ")
    proof.assert_exactly_once(ids, tree)
