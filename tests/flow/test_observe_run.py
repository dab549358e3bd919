"""The windows of a running service: metrics, health, status, reporters, log."""

import json
import pathlib
import re
import time

import kafka as clients
import prometheus
import proof
import pytest
from flow import local_store, settings, shut, wait_done
from qubole import Qubole
from s3 import s3_client
from secor import BUILD, ROOT, secor_command
from secure import SecureKafka
from servers import free_ports
from watch import address, get, wait_metric
from webhook import Webhook

PARTITIONS = 2
PLUGINS = (BUILD / "tests/plugins").resolve()


def families(process):
    status, kind, text = get(process, "/metrics")
    assert status == 200 and kind.startswith("text/plain; version=0.0.4")
    return prometheus.parse(text)


def wait_for(what, condition, timeout=90):
    end = time.monotonic() + timeout
    while not (got := condition()):
        assert time.monotonic() < end, f"{what}: not within {timeout} s"
        time.sleep(0.05)
    return got


def ready(process):
    """(HTTP status, the reasons)"""
    status, kind, text = get(process, "/health/ready")
    body = json.loads(text)
    assert kind == "application/json"
    assert body["ready"] == (status == 200) == (body["reasons"] == [])
    return status, body["reasons"]


def wait_ready(process, timeout=90):
    wait_for("ready", lambda: ready(process)[0] == 200, timeout)


def wait_not_ready(process, reason, timeout=90):
    return wait_for(reason, lambda: [
        r for r in ready(process)[1] if reason in r], timeout)[0]


def status_of(process):
    code, kind, text = get(process, "/status")
    assert code == 200 and kind == "application/json"
    return json.loads(text)


# ---- metrics ----

@pytest.mark.sanitize
def test_metrics_agree_with_what_is_stored(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store, batch={"max_age": "300ms"},
        kafka={"session_timeout": "30s"},
        engine={"memory": "64MiB"}, bad_messages={"halt_above": "100%"}))
    process.start()
    ids = clients.produce_json(kafka.address, name, 2000, PARTITIONS,
                               step_ms=10_000)
    wait_done(kafka.address, group, name, PARTITIONS)
    clients.produce(kafka.address, name, [
        (0, None, b'{"id": 1'), (1, None, b"[]"), (1, None, b'{"id": 2}')])
    wait_done(kafka.address, group, name, PARTITIONS)
    ends = [clients.watermarks(kafka.address, name, p)[1]
            for p in range(PARTITIONS)]

    def settled():
        """Counts of the last batch follow its commit, gauges once a second."""
        m = families(process)
        return m["secor_batches_total"].value() == sum(map(
            len, proof.manifests(tree, name).values())) and all(
            m[f"secor_{n}"].value(partition=str(p)) == end
            for n in ("committed_offset", "log_end_offset")
            for p, end in enumerate(ends)) and not any(
            m[f"secor_{n}"].value() for n in (
                "lag_messages", "open_objects", "stage_used_bytes")) and m
    m = wait_for("gauges", settled)
    proof.assert_exactly_once(ids, tree)
    listed = [one for ms in proof.manifests(tree, name).values()
              for _, one in ms]
    objects = [k for k in tree.keys() if "_manifests/" not in k]
    assert len(proof.dead_letter_keys(tree)) == sum(
        one["bad"] > 0 for one in listed) >= PARTITIONS
    assert m["secor_messages_total"].value() == 2003
    assert m["secor_batches_total"].value() == len(listed)
    assert m["secor_objects_total"].value() == len(objects)
    assert m["secor_object_bytes_total"].value() == sum(
        len(tree.get(k)) for k in objects)
    assert m["secor_cuts_total"].value() == len(listed)
    assert m["secor_cuts_total"].value(reason="age") == len(listed)
    assert m["secor_cuts_total"].value(reason="gap") == 0
    assert m["secor_dead_letters_total"].value() == 3
    assert m["secor_bad_messages_total"].value(
        topic=name, plugin="json") == 3
    assert len(m["secor_bad_messages_total"].samples) >= 2  # reasons
    # one at the start of each partition, then plan and end of each batch
    assert m["secor_commits_total"].value(answer="NO_ERROR") \
        == PARTITIONS + 2 * len(listed)
    assert m["secor_uploads_total"].value(result="ok") \
        == len(objects) + len(listed) + PARTITIONS  # a mark each
    assert m["secor_uploads_total"].value() \
        == m["secor_upload_seconds_count"].value()
    assert m["secor_upload_retries_total"].value() == 0
    for p in range(PARTITIONS):
        here = {"topic": name, "partition": str(p)}
        assert m["secor_committed_offset"].value(**here) == ends[p]
        assert m["secor_log_end_offset"].value(**here) == ends[p]
        assert m["secor_lag_messages"].value(**here) == 0
        assert m["secor_lag_seconds"].value(**here) == 0
        assert m["secor_halted"].value(**here) == 0
        assert m["secor_watermark_seconds"].value(**here) \
            == 1_767_225_600 + (1998 + p) * 10
    assert m["secor_partitions_assigned"].value() == PARTITIONS
    assert m["secor_partitions_halted"].value() == 0
    assert m["secor_memory_budget_bytes"].value() == 64 << 20
    assert 0 <= m["secor_memory_used_bytes"].value() < 64 << 20
    assert m["secor_open_objects"].value() == 0
    assert m["secor_stage_used_bytes"].value() == 0
    assert m["secor_rebalances_total"].value() == 0
    assert process.stop() == 0


@pytest.mark.sanitize  # its batches have no objects
def test_reasons_of_a_chatty_plugin_stay_few_and_readable(
        kafka, topic, group, secor, tmp_path):
    name = topic()
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store, kafka={"session_timeout": "30s"},
        parser={"use": str(PLUGINS / "parser/chatty.so")},
        bad_messages={"action": "skip", "halt_above": "100%"}))
    process.start()
    letters = [chr(ord("a") + n) for n in range(20)]
    reasons = [
        "field 'a' is gone", "field 'b' is gone: it's 1", "'", '"', "\\",
        "a\nb", "\u20ac" * 40, "\xff\xfe", "{x=\"y\"} 1",
        *(a + b for a in letters for b in letters)]
    clients.produce(kafka.address, name, [
        (0, None, r.encode("latin-1" if r == "\xff\xfe" else "utf-8"))
        for r in reasons])
    wait_done(kafka.address, group, name, 1)
    bad = families(process)["secor_bad_messages_total"]
    assert bad.value(plugin="chatty") == len(reasons)
    assert bad.value(reason="other") == len(reasons) - 65
    assert len(bad.samples) == 65
    assert bad.value(reason="field '*' is gone") == 2
    assert bad.value(reason='"') == bad.value(reason="a\nb") == 1
    assert process.stop() == 0


def documented():
    """{name: (type, labels, meaning, alert)} of docs/METRICS.md."""
    found = {}
    for line in (ROOT / "docs/METRICS.md").read_text().splitlines():
        if line.startswith("| `secor_"):
            name, kind, labels, meaning, alert = [
                cell.strip() for cell in line.split("|")[1:-1]]
            name = name.strip("`")
            assert name not in found, f"{name} stands twice"
            found[name] = (kind, re.findall(r"`(\w+)`", labels), meaning,
                           alert)
    return found


def families_of_a_login(kafka, topic, group, secor, store):
    """Of a process that asks for tokens, though nobody gives any."""
    port, = free_ports(1)
    process = secor(settings(
        kafka.address, group, topic(), store,
        kafka={"tls": {"enabled": False},
               "sasl": {"mechanism": "OAUTHBEARER"}},
        token={"use": "oidc", "endpoint": f"http://127.0.0.1:{port}/",
               "client_id": "secor", "client_secret": "${LOGIN_SECRET}"}),
        name="secor-login", env={"LOGIN_SECRET": "s"})
    process.start()
    process.wait_for("token not fetched")
    found = {name: family for name, family in families(process).items()
             if name.startswith("secor_token_")}
    process.kill9()
    return found


def test_every_metric_is_documented_and_every_documented_one_is_there(
        kafka, topic, group, secor, bucket, rgw, tmp_path):
    # a hundred years, so that there is something to tell
    name = topic(config={"retention.ms": 3_155_760_000_000})
    store, _ = local_store(tmp_path / "data")
    objects = bucket(rgw)
    seen = {}
    with Webhook() as hook, Qubole("t") as q:
        q.hive.create("logs", ["dt", "hr"])
        for n, (where, notifier) in enumerate([
                (store, [{"use": "webhook", "url": hook.url},
                         {"use": "glue", "region": "eu-west-1",
                          "endpoint": hook.url.removesuffix("/hook"),
                          "tables": {"of-nobody": "t"}},
                         {"use": "hive-metastore",
                          "uris": "thrift://127.0.0.1:1",
                          "tables": {"of-nobody": "t"}},
                         {"use": "kafka", "brokers": kafka.address,
                          "topic": topic()}]),
                ({"use": "s3", "bucket": objects.bucket,
                  "endpoint": rgw.endpoint, "region": rgw.region,
                  "access_key": rgw.access_key,
                  "secret_key": rgw.secret_key},
                 {"use": "qubole", "token": "t", "base_url": q.url,
                  "table": "logs", "poll_interval": "5ms"})]):
            process = secor(settings(
                kafka.address, f"{group}-{n}", name, where,
                notifiers=notifier, bad_messages={"halt_above": "100%"},
                kafka={"fetch": "own", "max_messages_per_second": 1000,
                       "max_bytes_per_second": "1MiB"},
                finalize={"delay": "0", "interval": "1s",
                          "lookback": "3650d",
                          "late": ["separate", "amend"][n]}),
                name=f"secor-{n}")
            process.start()
            clients.produce_json(kafka.address, name, 10)
            clients.produce(kafka.address, name, [(0, None, b"x")])
            wait_done(kafka.address, f"{group}-{n}", name, 1)
            wait_metric(process, "secor_notifier_told_total", 1)
            wait_metric(process, "secor_retention_seconds", 1)
            wait_metric(process, "secor_paths_finalized_total", 1)
            seen.update(families(process))
            assert process.stop() == 0
    seen.update(families_of_a_login(kafka, topic, group, secor, store))
    known = documented()
    assert (sorted(seen.keys() - known), sorted(known.keys() - seen)) \
        == ([], [])
    for metric, family in seen.items():
        kind, labels, meaning, _ = known[metric]
        assert (kind, sorted(labels)) == (family.kind, family.labels())
        assert meaning, metric
        assert (family.kind == "counter") == bool(
            re.search(r"_(total|sum|count)$", metric)), metric


def test_pages_name_no_metric_that_is_not_there():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    known = documented()
    for page in pages:
        for name in re.findall(r"secor_\w+_(?:total|seconds|messages|bytes)\b",
                               page.read_text()):
            assert name in known, f"{page.name}: {name}"


# ---- health ----

def test_lag_grows_and_readiness_ends_while_the_store_refuses(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, name, store,
                             kafka={"session_timeout": "30s"}))
    process.start()
    ids = clients.produce_json(kafka.address, name, 100, PARTITIONS)
    wait_done(kafka.address, group, name, PARTITIONS)
    wait_ready(process)
    closed = shut(tree, tmp_path / "away")
    for n in range(3):  # both slots are full: the partition is paused
        ids += clients.produce_json(kafka.address, name, 100, PARTITIONS,
                                    first_id=len(ids))
        time.sleep(1)
    process.wait_for(r"^(warn|error) .* store waits topic=\S+ .* tries=1 ")
    wait_metric(process, "secor_lag_messages", 300)
    m = families(process)
    assert m["secor_lag_messages"].value() == 300
    assert m["secor_lag_seconds"].value(partition="0") > 0
    assert m["secor_uploads_total"].value() \
        > m["secor_uploads_total"].value(result="ok")
    wait_not_ready(process, "the store has refused batches of 2 partitions")
    assert get(process, "/health/live")[0] == 200
    closed.unlink()
    wait_done(kafka.address, group, name, PARTITIONS, 90)
    wait_ready(process)
    assert families(process)["secor_upload_retries_total"].value() > 0
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


def test_halt_is_seen_everywhere_and_its_lag_grows(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store, bad_messages={"action": "halt"}))
    process.start()
    clients.produce_json(kafka.address, name, 100, PARTITIONS)
    wait_done(kafka.address, group, name, PARTITIONS)
    wait_ready(process)
    clients.produce(kafka.address, name, [(1, None, b"<b>no JSON</b>")])
    wait_not_ready(process, "1 partitions are halted")
    clients.produce(kafka.address, name, [(1, None, b"{}")] * 9)
    wait_for("lag", lambda: families(process)["secor_lag_messages"].value(
        topic=name, partition="1") == 10)
    m = families(process)
    assert m["secor_halted"].samples == {
        (("partition", "0"), ("topic", name)): 0,
        (("partition", "1"), ("topic", name)): 1}
    assert m["secor_partitions_halted"].value() == 1
    one, = wait_for("the status", lambda: [
        p for p in status_of(process)["partitions"]
        if p["state"] == "halted" and p["lag"] == 10])
    assert (one["topic"], one["partition"]) == (name, 1)
    assert one["halt"] == "bad-message" and "secor offsets" in one["remedy"]
    page = get(process, "/")[2]
    assert "not ready" in page and "bad-message" in page
    assert process.stop() == 0


def test_status_and_page_tell_of_each_partition(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store, batch={"max_age": "1h"},
        kafka={"session_timeout": "30s"}))
    process.start()
    clients.produce_json(kafka.address, name, 100, PARTITIONS)

    def collected():
        s = status_of(process)
        return sum(p.get("collecting", {}).get("messages", 0)
                   for p in s["partitions"]) == 100 and s
    status = wait_for("collected", collected)
    assert (status["group"], status["phase"]) == (group, "running")
    assert [p["partition"] for p in sorted(
        status["partitions"], key=lambda p: p["partition"])] == [0, 1]
    for p in status["partitions"]:
        assert (p["topic"], p["state"], p["committed"], p["next"]) == (
            name, "collecting", 0, 50)
    wait_metric(process, "secor_open_objects", PARTITIONS)
    wait_metric(process, "secor_lag_messages", 100)
    m = families(process)
    assert m["secor_open_objects"].value() == PARTITIONS
    assert m["secor_lag_messages"].value() == 100
    code, kind, page = get(process, "/")
    assert code == 200 and kind.startswith("text/html")
    assert name in page and "collecting" in page and "<script" not in page
    assert get(process, "/nothing")[0] == 404
    assert get(process, "/status", "POST")[0] == 405
    assert process.stop() == 0


def test_without_a_broker_it_lives_and_says_why_it_is_not_ready(
        group, secor, tmp_path):
    nobody = f"127.0.0.1:{free_ports(1)[0]}"
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(nobody, group, "t", store))
    process.start()
    assert "no assignment yet" in ready(process)[1]
    wait_not_ready(process, "no broker can be reached")
    assert get(process, "/health/live")[0] == 200
    assert status_of(process)["partitions"] == []
    families(process)
    begin = time.monotonic()
    assert process.stop() == 0
    assert time.monotonic() - begin < 60


def test_two_processes_on_one_file_have_a_window_each(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=4)
    store, tree = local_store(tmp_path / "data")
    port, = free_ports(1, 1)
    first = secor(settings(kafka.address, group, name, store,
                           kafka={"session_timeout": "30s"},
                           http={"listen": f"127.0.0.1:{port}"}))
    second = secor({}, name="second")
    second.config, second.dir = first.config, first.dir
    first.start()
    wait_ready(first)
    second.start()
    one, other = (int(address(p).split(":")[1]) for p in (first, second))
    assert one == port and port < other <= port + 20
    for p in (first, second):
        wait_for("both have partitions", lambda: families(
            p)["secor_partitions_assigned"].value() == 2)
        wait_ready(p)
    ids = clients.produce_json(kafka.address, name, 1000, 4)
    wait_done(kafka.address, group, name, 4)
    parts = [dict(k)["partition"] for p in (first, second)
             for k in families(p)["secor_lag_messages"].samples]
    assert sorted(parts) == ["0", "1", "2", "3"]  # each tells of its own
    made = proof.count_batches(tree, name)
    got = wait_for("counts", lambda: (lambda n: sum(n) == made and n)([
        families(p)["secor_batches_total"].value()
        for p in (first, second)]))
    assert min(got) > 0
    assert families(first)["secor_rebalances_total"].value() >= 1
    assert [p.stop() for p in (first, second)] == [0, 0]
    proof.assert_exactly_once(ids, tree)


# ---- reporters and the log ----

def test_reporter_gets_snapshots_and_the_last_counts(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, tree = local_store(tmp_path / "data")
    file = tmp_path / "snapshot"
    process = secor(settings(
        kafka.address, group, name, store, kafka={"session_timeout": "30s"},
        reporters=[{"use": str(PLUGINS / "reporter/lines.so"),
                    "file": str(file), "interval": "1s"}]))
    process.start()

    def snapshot():
        lines = file.read_text().splitlines() if file.exists() else []
        return dict(line.rsplit(" ", 1) for line in lines)
    first = int(wait_for("a snapshot", snapshot)["now"])
    wait_for("another", lambda: int(snapshot().get("now", 0)) > first)
    clients.produce_json(kafka.address, name, 100, PARTITIONS)
    wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    last = snapshot()
    assert float(last["secor_messages_total{}"]) == 100
    assert float(last["secor_objects_total{}"]) \
        == len(proof.object_keys(tree))
    key = "secor_committed_offset{topic=%s,partition=%d}"
    assert [float(last[key % (name, p)]) for p in range(2)] == [50, 50]


STORED = re.compile(
    r'^info  \S+Z object stored key="?([^" ]+)"? topic=(\S+) '
    r"partition=(\d+) start=(\d+) records=(\d+) bytes=(\d+) "
    r"crc32c=[0-9a-f]{8} ms=\d+$", re.M)


def test_each_landed_object_has_one_line(
        kafka, topic, group, secor, tmp_path):
    name = topic(partitions=PARTITIONS)
    store, tree = local_store(tmp_path / "data")
    process = secor(settings(
        kafka.address, group, name, store, batch={"max_age": "300ms"},
        kafka={"session_timeout": "30s"}, engine={"log_level": "info"}))
    process.start()
    for n in range(3):
        clients.produce_json(kafka.address, name, 400, PARTITIONS,
                             first_id=400 * n, step_ms=20_000)
        wait_done(kafka.address, group, name, PARTITIONS)
    assert process.stop() == 0
    text = process.text()
    found = STORED.findall(text)
    keys = proof.object_keys(tree)
    assert sorted(f[0] for f in found) == keys
    assert len(found) == text.count("object stored")
    assert sum(int(f[4]) for f in found) == 1200
    for key, _, _, _, records, size in found:
        data = tree.get(key)
        assert (int(records), int(size)) == (data.count(b"\n"), len(data))
    for line in text.splitlines():
        assert re.match(r"(error|warn |info ) \d{4}-\d\d-\d\dT[\d:.]+Z \S",
                        line), line


def test_no_secret_is_told_to_anybody(
        own_kafka, group, secor, bucket, rgw, tmp_path):
    broker = own_kafka(kind=SecureKafka)
    objects = bucket(rgw)
    name = clients.create_topic(broker.address, "secrets", PARTITIONS)
    secret_file = tmp_path / "hook.secret"
    secret_file.write_text("s3cret-of-hook\n")
    secret_file.chmod(0o600)
    with Webhook("s3cret-of-hook") as hook, Qubole("t0ken-of-qubole") as q:
        q.hive.create("logs", ["dt", "hr"])
        process = secor(settings(
            broker.address_of("SASL_PLAIN"), group, name,
            {"use": "s3", "bucket": objects.bucket,
             "endpoint": rgw.endpoint, "region": rgw.region,
             "access_key": rgw.access_key, "secret_key": rgw.secret_key},
            kafka={"brokers": [broker.address_of("SASL_PLAIN")],
                   "group": group, "topics": [name],
                   "session_timeout": "3s",
                   "properties": {
                       "debug": "all",
                       "security.protocol": "sasl_plaintext",
                       "sasl.mechanism": "PLAIN",
                       "sasl.username": "alice",
                       "sasl.password": "${SASL_PASSWORD}"}},
            notifiers=[{"use": "webhook", "url": hook.url + "/t0ken-in-path",
                        "secret": f"file:{secret_file}",
                        "headers": {"Authorization": "Bearer h3ader-token"}},
                       {"use": "qubole", "token": "${QUBOLE_TOKEN}",
                        "base_url": q.url, "table": "logs",
                        "poll_interval": "5ms"}]),
            env={"SASL_PASSWORD": "alice-secret",
                 "QUBOLE_TOKEN": q.token})
        process.start("--log-level", "debug")
        hook.status = 503
        q.fail(401, 500)
        clients.produce_json(broker.address, name, 200, PARTITIONS)
        wait_done(broker.address, group, name, PARTITIONS)
        process.wait_for("notifier fails notifier=webhook")
        process.wait_for("notifier fails notifier=qubole")
        hook.status = 200
        hook.wait(lambda h: h.events)
        wait_metric(process, "secor_qubole_partitions_total", 1)
        told = {path: get(process, path)[2] for path in
                ("/", "/status", "/metrics", "/health/ready")}
        assert process.stop() == 0
    for command in (["check", process.config],
                    ["check", "--show", process.config]):
        done = secor_command(*command, cwd=process.dir, env=process.env)
        assert done.returncode == 0, done.stderr
        told[" ".join(map(str, command))] = done.stdout + done.stderr
    told["log"] = process.text()
    assert "librdkafka" in told["log"] and "sasl.password" in told["log"]
    for secret in ("alice-secret", rgw.secret_key, "s3cret-of-hook",
                   "t0ken-of-qubole", "h3ader-token", "t0ken-in-path"):
        for where, text in told.items():
            assert secret not in text, \
                f"{secret} in {where}: " + "\n".join(
                    line for line in text.splitlines() if secret in line)


def test_status_names_what_a_batch_waits_for(
        kafka, topic, group, secor, rgw, bucket, http_proxy):
    """Each put is held back until the status says which one it is."""
    name, tree, seen, held = topic(), bucket(rgw), [], []

    def before(method, path, headers):
        kind = ("marking" if path.endswith("_begun") else
                "listing" if "/_manifests/" in path else "putting")
        if method == "PUT":
            held.append(kind)
            end = time.monotonic() + 60
            while kind not in seen and time.monotonic() < end:
                time.sleep(0.02)
    proxy = http_proxy(rgw, before)
    process = secor(settings(kafka.address, group, name, {
        "use": "s3", "bucket": tree.bucket, "region": rgw.region,
        "endpoint": proxy.endpoint, "access_key": rgw.access_key,
        "secret_key": rgw.secret_key}))
    process.start()
    clients.produce_json(kafka.address, name, 10)
    end = time.monotonic() + 60
    while "listing" not in seen:
        assert time.monotonic() < end, (seen, held)
        for p in json.loads(get(process, "/status")[2])["partitions"]:
            if held and p["state"] == held[-1]:
                seen.append(p["state"])
        time.sleep(0.05)
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    assert list(dict.fromkeys(seen)) == ["marking", "putting", "listing"]
