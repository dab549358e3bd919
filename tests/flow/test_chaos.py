"""Everything at once: see tests/chaos. Processes that are killed, paused for
longer than their session, added and removed, brokers that die, a store that
fails, loses answers and sees requests late, configurations rolled out under
load; and the same without the plan step, which must not survive it."""

import concurrent.futures
import os
import re
import subprocess

import pytest
from brokers import Own
from cluster import Cluster
from run import Run
from schedule import make
from secor import ROOT, secor_command
from servers import Kafka

SEEDS = [int(s) for s in os.environ.get("CHAOS_SEEDS", "1 2 3 4").split()]
NO_PLAN = ROOT / "build/noplan"
NO_BROKER = {"broker-kill": 0, "broker-pause": 0}


def perform(schedule, broker, folder, server=None):
    run = Run(schedule, broker, folder, server)
    result = run.run()
    print(run.account(), result)
    assert not result["faults"], "\n".join(result["faults"])
    return result


@pytest.mark.timeout(600)
def test_two_short_schedules_lose_and_double_nothing(kafka, rgw, tmp_path):
    schedules = [make(11, "local", 3, NO_BROKER), make(12, "s3", 3, NO_BROKER)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda s: perform(
            s, Own(kafka), tmp_path / str(s.seed), rgw), schedules))


def test_a_seed_is_one_schedule():
    assert str(make(7)) == str(make(7)) != str(make(8))


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", SEEDS)
def test_chaos_with_a_dying_broker(seed, own_kafka, rgw, tmp_path):
    schedule = make(seed, seconds=40, weights={"broker-kill": 6})
    broker = own_kafka({Kafka.session: "1500"}, proxied=True)  # it dies often
    perform(schedule, Own(broker), tmp_path / "run", rgw)


@pytest.fixture
def cluster():
    made = Cluster().start()
    yield made
    made.close()


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_chaos_with_three_brokers_and_fail_over(cluster, rgw, tmp_path):
    """The group's coordinator is killed and paused again and again."""
    schedules = [make(s, seconds=60, weights={
        "broker-kill": 20, "broker-pause": 12}) for s in SEEDS]
    results = []
    for s in schedules:
        run = tmp_path / str(s.seed)
        results.append(perform(s, Own(cluster), run, rgw))
    assert sum(r["broker-kill"] for r in results) > len(SEEDS), results


def storm(build, schedules, seed, folder):
    """The closing table of many schedules at a time, {row: number}."""
    done = subprocess.run(
        ["bash", str(ROOT / "tests/chaos/run.sh"), str(schedules), str(seed),
         "--keep", str(folder)], capture_output=True, text=True, timeout=900,
        env={**os.environ, "SECOR_BUILD": str(build)})
    rows = dict(re.findall(r"^[\d:]+ +(\S[\w -]*?) +(\d+)$", done.stdout,
                           re.M))
    assert "with faults" in rows, done.stdout[-3000:] + done.stderr[-3000:]
    print(done.stdout)
    return done.returncode, {k: int(v) for k, v in rows.items()}


@pytest.mark.deep
@pytest.mark.timeout(1000)
def test_many_schedules_lose_and_double_nothing(tmp_path):
    code, rows = storm(ROOT / "build/release", 24, 1, tmp_path)
    assert (code, rows["schedules"]) == (0, 24), rows
    assert (rows["lost"], rows["doubled"], rows["with faults"]) == (0, 0, 0)


@pytest.mark.deep
@pytest.mark.timeout(1000)
def test_without_the_plan_the_same_chaos_loses_or_doubles(tmp_path):
    """A harness that finds nothing here would prove nothing above. Mostly it
    is doubles, and objects that change: what is lost has to be overwritten by
    a shorter object."""
    code, rows = storm(NO_PLAN, 24, 1, tmp_path)
    assert (code, rows["schedules"]) == (1, 24), rows
    assert rows["lost"] + rows["doubled"] > 0, rows
    assert rows["with faults"] >= 12, rows


@pytest.mark.deep
def test_only_a_build_for_tests_is_without_the_plan():
    built = subprocess.run([NO_PLAN / "secor", "version"], check=True,
                           capture_output=True, text=True).stdout
    assert "without the plan step" in built
    assert "plan" not in secor_command("version").stdout
