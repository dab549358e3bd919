"""kill -9 at each named step of the protocol, then a restart.

The process stops itself (SIGSTOP) at the step, is looked at, and killed; the
next one must lose nothing, double nothing, and leave every object that was
there under the same name with the same records.
"""


import kafka as clients
import proof
import pytest
from flow import contents, local_store, settings, verify, wait_done

STEPS = ["assigned", "opened", "first-message", "cut", "sealed", "read-back",
         "plan-sent", "plan-acked", "mark-done", "put-begin", "put-done",
         "put-done:3", "puts-done", "manifest-begin", "manifest-done",
         "final-sent", "final-acked", "final-acked:2", "files-deleted",
         "notified"]
REPLAY_STEPS = ["recommit-sent", "recommit-acked", "replay-cut", "put-begin",
                "put-done", "puts-done", "manifest-done", "final-sent",
                "final-acked"]
COUNT, PARTITIONS = 3000, 2


def run_to_the_end(process, kafka, group, name):
    process.start()
    process.wait_for(r"consumption begins")  # may be done before it runs
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0


def marked(steps, chosen):
    """The chosen ones also run under sanitizers and with another librdkafka."""
    marks = [pytest.mark.sanitize, pytest.mark.librdkafka]
    return [pytest.param(s, marks=marks) if s in chosen else s for s in steps]


@pytest.mark.parametrize("step", marked(STEPS, ["sealed", "put-done:3"]))
def test_killed_at_step_loses_and_doubles_nothing(
        step, kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    ids = clients.produce_json(kafka.address, name, COUNT, PARTITIONS,
                               step_ms=4000)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             batch={"max_age": "400ms",
                                    "max_messages": 400}))
    process.start(env={"SECOR_STOP_AT": step})
    process.wait_stopped(step)
    before = contents(tree, name)
    process.kill9()
    clients.bury(kafka.address, group)
    run_to_the_end(process, kafka, group, name)
    proof.assert_exactly_once(ids, tree)
    after = contents(tree, name)
    for key, found in before.items():
        assert after[key] == found, f"{key} has other records than before"
    verify(process)


@pytest.mark.parametrize("step", marked(REPLAY_STEPS, ["replay-cut"]))
def test_killed_in_replay_loses_and_doubles_nothing(
        step, kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    ids = clients.produce_json(kafka.address, name, COUNT, PARTITIONS,
                               step_ms=4000)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             batch={"max_age": "300ms"}))
    process.start(env={"SECOR_STOP_AT": "put-done:2"})
    process.wait_stopped("put-done")
    before = contents(tree, name)
    process.kill9()
    clients.bury(kafka.address, group)
    process.start(env={"SECOR_STOP_AT": step})
    process.wait_stopped(step)
    process.kill9()
    clients.bury(kafka.address, group)
    run_to_the_end(process, kafka, group, name)
    proof.assert_exactly_once(ids, tree)
    after = contents(tree, name)
    assert before and all(after[k] == v for k, v in before.items())
    verify(process)
