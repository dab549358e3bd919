"""The tools against what a real run left: try, print, verify, offsets, produce.

verify must find each planted fault by name, with its object and offsets; the
expectations are made here from the files, not from what verify says.
"""

import base64
import gzip
import json
import shutil

import pytest

import kafka as clients
import proof
from halting import delete_group
from secor import base_config, secor_command, write_config

COUNT = 600
PARTITIONS = 2


def run_json(*args, code=0, **more):
    done = secor_command(*args, "--json", **more)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("words, says", [
    (["ofsets", "x"], "no command 'ofsets'; did you mean 'offsets'?"),
    (["status", "x"], "no command 'status'"),
    (["--verbose"], "no command '--verbose'"),
    (["status"], "no command and no file 'status'"),
    (["chek"], "no command and no file 'chek'; did you mean 'check'?")])
def test_command_that_is_none_is_named(words, says, tmp_path):
    done = secor_command(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"secor: {says}\n"), done.stderr
    assert "usage: secor COMMAND" in done.stderr


def test_unknown_key_of_a_plugin_is_told_where_its_keys_are(tmp_path):
    config = write_config(tmp_path / "secor.yaml", base_config(
        "localhost:9092", "g", "t",
        notifiers=[{"use": "kafka", "topic": "x", "wibble": 1}]))
    done = secor_command("check", config)
    assert done.returncode == 2
    assert "no key 'wibble'; 'secor plugins kafka' has all" in done.stderr, \
        done.stderr


@pytest.fixture(scope="session")  # its topic can be made but once
def filled(kafka, tmp_path_factory):
    """A folder with a config and a store that a real run filled: bad messages,
    late ones, several batches a partition. (folder, topic, group, ids)"""
    from secor import Secor
    topic, group = "tools", "tools"
    clients.create_topic(kafka.address, topic, PARTITIONS)
    folder = tmp_path_factory.mktemp("tools")
    config = base_config(
        kafka.address, group, topic, batch={"max_messages": 100},
        bad_messages={"action": "dead_letter", "halt_above": "100%"})
    service = Secor(folder, config)
    service.start()
    ids = []
    try:
        for n in range(3):
            ids += clients.produce_json(
                kafka.address, topic, COUNT // 3, PARTITIONS,
                first_id=n * COUNT // 3, step_ms=60_000)
            clients.produce(kafka.address, topic, [
                (p, b"key", b"not JSON \xff", 1_767_225_600_000,
                 [("h", b"\x00")]) for p in range(PARTITIONS)])
            ends = [clients.watermarks(kafka.address, topic, p)[1]
                    for p in range(PARTITIONS)]
            clients.wait_committed(kafka.address, group, topic, ends)
        assert service.stop() == 0
    finally:
        service.close()
    return folder, topic, group, ids


@pytest.fixture
def store(filled, tmp_path):
    """A copy of that folder of the test's own: (config file, LocalTree)."""
    folder, topic, group, ids = filled
    mine = tmp_path / "copy"
    shutil.copytree(folder, mine, symlinks=True)
    return mine / "secor.yaml", proof.LocalTree(mine / "out")


def objects(tree, topic="tools"):
    """[(manifest, object)] of every manifest of the tree."""
    return [(m, o) for ms in proof.manifests(tree, topic).values()
            for _, m in ms for o in m["objects"]]


def findings(config, *more):
    return run_json("verify", config, *more, code=1)["findings"]


def test_verify_accounts_for_every_offset(store, filled):
    config, tree = store
    told = run_json("verify", config)
    assert told["ok"] and told["findings"] == []
    assert told["totals"]["messages"] == COUNT + 3 * PARTITIONS
    assert told["totals"]["records"] == COUNT
    assert told["totals"]["bad"] == 3 * PARTITIONS
    assert {(p["partition"], p["first"]) for p in told["partitions"]} == {
        (p, 0) for p in range(PARTITIONS)}
    assert told["totals"]["manifests"] >= 6
    proof.assert_exactly_once(filled[3], tree)


def test_verify_finds_a_deleted_object(store):
    config, tree = store
    manifest, gone = objects(tree)[1]
    (tree.root / gone["key"]).unlink()
    found = findings(config)
    assert [(f["kind"], f["key"], f["start"], f["end"]) for f in found] == [
        ("missing-object", gone["key"], manifest["start"], manifest["end"])]
    text = secor_command("verify", config)
    assert text.returncode == 1 and gone["key"] in text.stdout


def test_verify_finds_a_truncated_and_a_changed_object(store):
    config, tree = store
    (_, short), (_, changed) = objects(tree)[:2]
    data = tree.get(short["key"])
    (tree.root / short["key"]).write_bytes(data[:-1])
    data = bytearray(tree.get(changed["key"]))
    data[len(data) // 2] ^= 1
    (tree.root / changed["key"]).write_bytes(data)
    found = {f["key"]: f["kind"] for f in findings(config)}
    assert found == {short["key"]: "size", changed["key"]: "crc32c"}


def test_verify_finds_a_removed_manifest(store):
    config, tree = store
    (start, manifest), = proof.manifests(tree, "tools")[0][1:2]
    (tree.root / f"_manifests/tools/0/{manifest['generation']}_{start:020}"
     ".json").unlink()
    found = findings(config)
    assert ("hole", 0, start, manifest["end"]) in [
        (f["kind"], f["partition"], f["start"], f["end"]) for f in found]
    assert {f["key"] for f in found if f["kind"] == "foreign-object"} == {
        o["key"] for o in manifest["objects"]}


def test_verify_finds_the_last_manifest_removed_by_the_group(store):
    config, tree = store
    start, manifest = proof.manifests(tree, "tools")[1][-1]
    (tree.root / f"_manifests/tools/1/{manifest['generation']}_{start:020}"
     ".json").unlink()
    assert ("hole", 1, start) in [
        (f["kind"], f["partition"], f["start"]) for f in findings(config)]
    blind = secor_command("verify", config, "--no-kafka", "--json")
    assert "hole" not in [f["kind"]
                          for f in json.loads(blind.stdout)["findings"]]


def test_verify_finds_an_overlap_and_a_foreign_object(store):
    config, tree = store
    start, manifest = next((start, m) for start, m in
                           proof.manifests(tree, "tools")[0]
                           if m["end"] - start > 1)  # or the twin is empty
    twin = dict(manifest, start=start + 1)
    name = f"_manifests/tools/0/{manifest['generation']}_{start + 1:020}.json"
    (tree.root / name).write_text(json.dumps(twin))
    stray = f"tools/dt=2026-01-01/hr=00/{manifest['generation']}_0_{3:020}.gz"
    (tree.root / stray).write_bytes(b"x")
    found = findings(config)
    kinds = {f["kind"] for f in found}
    assert {"overlap", "altered", "foreign-object"} <= kinds
    assert [f["key"] for f in found if f["kind"] == "foreign-object"] == [stray]


def test_verify_without_its_broker_says_so(store):
    config, _ = store
    broken = json.loads(config.read_text())
    broken["kafka"]["brokers"] = ["127.0.0.1:1"]
    write_config(config, broken)
    done = secor_command("verify", config)
    assert done.returncode == 3 and "127.0.0.1:1" in done.stderr


def test_print_gives_back_records_and_dead_letters(store, filled):
    config, tree = store
    manifest, some = next((m, o) for m, o in objects(tree)
                          if not o.get("dead_letter"))
    told = secor_command("print", "--config", config, "--json", some["key"])
    values = [json.loads(json.loads(l)["value"])
              for l in told.stdout.splitlines()]
    lines = gzip.decompress(tree.get(some["key"])).decode().splitlines()
    assert values == [json.loads(l) for l in lines] and values
    local = secor_command("print", "--config", config, tree.root / some["key"])
    assert local.stdout.splitlines() == lines
    dead = proof.dead_letter_keys(tree)
    assert dead
    told = secor_command("print", "--config", config, "--json", *dead)
    letters = [json.loads(l) for l in told.stdout.splitlines()]
    assert len(letters) == 3 * PARTITIONS
    assert all(base64.b64decode(l["value_base64"]) == b"not JSON \xff"
               and l["key"] == "key" and l["timestamp"] == 1_767_225_600_000
               and l["reason"] for l in letters)
    raw = json.loads(tree.get(dead[0]).splitlines()[0])
    assert raw["headers"] == [{"name": "h", "value": "AA=="}]


def test_print_of_what_is_not_there_names_it(store):
    config, _ = store
    done = secor_command("print", "--config", config, "tools/none.gz")
    assert done.returncode == 1 and "tools/none.gz" in done.stderr


def test_try_answers_as_the_service_would(store):
    config, _ = store
    lines = ['{"time": 1405908800000, "x": 1}', "nonsense", ""]
    done = secor_command("try", config, "--json", stdin="\n".join(lines) + "\n")
    first, second, third = map(json.loads, done.stdout.splitlines())
    assert first == {"path": "dt=2014-07-21/hr=02", "time_ms": 1405908800000,
                     "fields": {}}
    assert list(second) == list(third) == ["reject"]
    coded = secor_command("try", config, "--json", "--encoding", "base64",
                          stdin=base64.b64encode(lines[0].encode()).decode()
                          + "\n")
    assert json.loads(coded.stdout) == first


def test_produce_sends_each_id_once(kafka, tmp_path):
    done = secor_command("produce", "--brokers", kafka.address, "produced",
                         "--count", 500, "--partitions", 2, "--size", 200,
                         "--late", "5%")
    assert done.returncode == 0, done.stderr
    seen = clients.watermarks(kafka.address, "produced", 0)[1] \
        + clients.watermarks(kafka.address, "produced", 1)[1]
    assert seen == 500
    missing = secor_command("produce", "--brokers", kafka.address, "no-such")
    assert missing.returncode == 3 and "no-such" in missing.stderr


# ---- offsets ----

@pytest.fixture
def halted(kafka, topic, group, tmp_path):
    """Factory: a topic of 100 messages, a config, and a foreign offset."""
    name = topic()
    clients.produce_json(kafka.address, name, 100)

    def make(offset, **sections):
        clients.commit(kafka.address, group, name, 0, offset, "not ours")
        path = write_config(tmp_path / "halted.yaml", base_config(
            kafka.address, group, name, **sections))
        return path, name
    return make


def record(kafka, group, topic):
    return clients.committed(kafka.address, group, topic)


def test_offsets_show_says_what_is_wrong(halted):
    config, name = halted(40)
    one, = run_json("offsets", "show", config)["partitions"]
    assert (one["state"], one["offset"], one["lag"], one["halt"]) == (
        "foreign", 40, 60, "foreign-record")
    text = secor_command("offsets", "show", config).stdout
    assert f"{name}/0" in text and "adopt" in text


def test_adopt_asks_and_then_commits_a_clean_record(kafka, group, halted):
    config, name = halted(40)
    no = secor_command("offsets", "adopt", config, name, 0, "--current",
                       stdin="no\n")
    assert no.returncode == 1 and record(kafka, group, name)[1] == "not ours"
    yes = secor_command("offsets", "adopt", config, name, 0, "--current",
                        stdin="yes\n")
    assert yes.returncode == 0, yes.stderr
    offset, metadata = record(kafka, group, name)
    assert offset == 40 and metadata.startswith("s1 clean g=")


def test_adopt_further_on_records_the_gap(kafka, group, halted, tmp_path):
    config, name = halted(40)
    adopt = ("offsets", "adopt", config, name, 0, "--yes")
    assert secor_command(*adopt, "--current").returncode == 0
    done = secor_command(*adopt, "--offset", 60)
    assert done.returncode == 0 and "40..59" in done.stdout
    assert record(kafka, group, name)[0] == 60
    (start, gap), = proof.manifests(
        proof.LocalTree(tmp_path / "out"), name)[0]
    assert (start, gap["end"], gap["messages"], gap["cut"]) == (
        40, 60, 0, "gap")
    told = run_json("verify", config)
    assert told["totals"]["lost_offsets"] == 20
    # and never back over it under the same names
    back = secor_command(*adopt, "--offset", 50)
    assert back.returncode == 2 and "layout.generation" in back.stderr
    assert record(kafka, group, name)[0] == 60


def run_to_the_end(service, kafka, group, name):
    service.start()
    end = clients.watermarks(kafka.address, name)[1]
    clients.wait_committed(kafka.address, group, name, [end])
    assert service.stop() == 0


def test_adopt_from_manifests_after_the_group_was_deleted(
        secor, kafka, group, topic):
    name = topic()
    service = secor(base_config(kafka.address, group, name,
                                batch={"max_messages": 40}))
    ids = clients.produce_json(kafka.address, name, 200)
    run_to_the_end(service, kafka, group, name)
    delete_group(kafka.address, group)
    assert [f["kind"] for f in findings(service.config)] == ["record"]
    told = secor_command("offsets", "adopt", service.config, name, 0,
                         "--from-manifests", "--yes")
    assert told.returncode == 0 and "nothing doubled" in told.stdout
    ids += clients.produce_json(kafka.address, name, 100, first_id=200)
    run_to_the_end(service, kafka, group, name)
    told = run_json("verify", service.config)
    assert told["ok"] and told["totals"]["messages"] == 300
    proof.assert_exactly_once(ids, proof.LocalTree(service.dir / "out"))


def test_adopt_back_in_another_generation_stores_all_of_it_again(
        secor, kafka, group, topic):
    name = topic()
    config = base_config(kafka.address, group, name,
                         batch={"max_messages": 40})
    service = secor(config)
    ids = clients.produce_json(kafka.address, name, 100)
    run_to_the_end(service, kafka, group, name)
    service.reconfigure({**config, "layout": {"generation": 2}})
    told = secor_command("offsets", "adopt", service.config, name, 0,
                         "--offset", 0, "--yes")
    assert told.returncode == 0 and "doubled: offsets 0..99" in told.stdout
    run_to_the_end(service, kafka, group, name)
    tree = proof.LocalTree(service.dir / "out")
    by_generation = {g: [(k, i) for k, i in proof.read_ids(tree)
                         if proof.parse_name(k, name)["generation"] == g]
                     for g in (1, 2)}
    for pairs in by_generation.values():
        proof.assert_exactly_once(ids, pairs)
    told = run_json("verify", service.config)
    assert told["ok"] and [n["kind"] for n in told["notes"]] == ["again"]
    assert run_json("verify", service.config, "--generation", 2)["ok"]


def test_adopt_refuses_objects_that_were_never_final(kafka, group, halted,
                                                     tmp_path):
    config, name = halted(40)
    stray = tmp_path / "out" / name / "dt=1" / f"1_0_{40:020}.gz"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"x")
    adopt = ("offsets", "adopt", config, name, 0, "--current", "--yes")
    refused = secor_command(*adopt)
    assert refused.returncode == 2 and stray.name in refused.stderr
    assert stray.exists()
    assert secor_command(*adopt, "--remove-unfinished").returncode == 0
    assert not stray.exists() and record(kafka, group, name)[0] == 40


@pytest.fixture
def planned(kafka, group, halted, tmp_path):
    """A clean record at 40, an open plan of 40..59 in its place, and one
    object of it. (config, topic, the object's file)"""
    config, name = halted(40)
    assert secor_command("offsets", "adopt", config, name, 0, "--current",
                         "--yes").returncode == 0
    clean = record(kafka, group, name)[1]
    clients.commit(
        kafka.address, group, name, 0, 40,
        clean.replace("s1 clean", "s1 plan") + " e=60 n=20"
        " i=0000000000000001 o=0000000000000002 f=0000000000000003 c=age")
    stored = tmp_path / "out" / name / "dt=1" / f"1_0_{40:020}.gz"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(gzip.compress(b"{}\n"))
    return config, name, stored


def resolve(planned, *how, code=0):
    config, name, _ = planned
    done = secor_command("offsets", "resolve", config, name, 0, *how, "--yes")
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_resolve_says_what_each_way_costs_and_does_nothing(
        kafka, group, planned):
    config, name, stored = planned
    before = record(kafka, group, name)
    told = resolve(planned, code=1)
    assert "40..59" in told and stored.name in told
    for way in "--again", "--as-stored", "--skip-plan":
        assert way in told
    assert record(kafka, group, name) == before and stored.exists()
    one, = run_json("offsets", "show", config)["partitions"]
    assert one["plan"] == {"end": 60, "messages": 20, "cut": "age"}
    adopt = secor_command("offsets", "adopt", config, name, 0, "--current",
                          "--yes")
    assert adopt.returncode == 2 and "resolve" in adopt.stderr


def test_resolve_again_reads_from_the_plans_start(kafka, group, planned):
    config, name, stored = planned
    resolve(planned, "--again")
    offset, metadata = record(kafka, group, name)
    assert offset == 40 and metadata.startswith("s1 clean ")
    assert not stored.exists()


def test_resolve_as_stored_lists_what_is_there(kafka, group, planned, tmp_path):
    config, name, stored = planned
    resolve(planned, "--as-stored")
    offset, metadata = record(kafka, group, name)
    assert offset == 60 and metadata.startswith("s1 clean ")
    (start, gap), = proof.manifests(
        proof.LocalTree(tmp_path / "out"), name)[0]
    assert (start, gap["end"], gap["cut"]) == (40, 60, "gap")
    assert [o["key"] for o in gap["objects"]] == [
        f"{name}/dt=1/{stored.name}"]
    assert run_json("verify", config)["ok"]
    stored.write_bytes(b"other")
    assert [f["kind"] for f in findings(config)] == ["size"]


def test_resolve_skip_plan_gives_all_of_it_up(kafka, group, planned):
    config, name, stored = planned
    resolve(planned, "--skip-plan")
    assert record(kafka, group, name)[0] == 60 and not stored.exists()
    told = run_json("verify", config)
    assert told["ok"] and told["totals"]["lost_offsets"] == 20


def test_verify_finds_nothing_while_the_service_runs(secor, kafka, group,
                                                     topic):
    name = topic(partitions=2)
    service = secor(base_config(kafka.address, group, name,
                                batch={"max_messages": 50})).start()
    for n in range(6):
        clients.produce_json(kafka.address, name, 400, 2, first_id=400 * n,
                             step_ms=30_000)
        told = run_json("verify", service.config)
        assert told["ok"], told["findings"]
    clients.wait_committed(kafka.address, group, name, [1200, 1200])
    assert service.stop() == 0
    told = run_json("verify", service.config)
    assert told["totals"]["messages"] == 2400 and told["notes"] == []


def test_transaction_markers_are_no_holes(secor, kafka, group, topic):
    name = topic()
    service = secor(base_config(kafka.address, group, name)).start()
    tx = clients.Transactions(kafka.address, name)
    ids = []
    for n, commits in enumerate((True, False, True, False)):
        tx.run(range(10 * n, 10 * n + 10), commits)
        ids += range(10 * n, 10 * n + 10) if commits else []
        end = clients.watermarks(kafka.address, name)[1]
        clients.wait_committed(kafka.address, group, name, [end])
    assert service.stop() == 0
    told = run_json("verify", service.config)
    assert told["ok"] and told["totals"]["messages"] == 20
    assert told["partitions"][0]["committed"] == 44
    proof.assert_exactly_once(ids, proof.LocalTree(service.dir / "out"))


def test_offsets_refuse_members_that_they_cannot_ask(secor, kafka, group,
                                                     topic, tmp_path):
    name = topic()
    clients.produce_json(kafka.address, name, 10)
    service = secor(base_config(
        kafka.address, group, name, kafka={"session_timeout": "30s"})).start()
    clients.wait_committed(kafka.address, group, name, [10])
    before = record(kafka, group, name)
    elsewhere = write_config(tmp_path / "elsewhere.yaml", base_config(
        kafka.address, group, name, stage={"dir": "nowhere"},
        store={"use": "local", "dir": str(service.dir / "out")}))
    done = secor_command("offsets", "adopt", elsewhere, name, 0,
                         "--current", "--yes")
    assert done.returncode == 2 and "belongs to a member" in done.stderr
    assert record(kafka, group, name) == before
    assert service.stop() == 0
