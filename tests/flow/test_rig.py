"""The rig itself: what the other flow tests stand on."""

import gzip
import json
import os
import pathlib
import socket
import subprocess
import sys
import threading
import time

import pytest

import hadoop
import kafka as clients
import proof
import secor as secor_module
import servers
from confluent_kafka import Consumer
from flow import local_store, settings
from proxy import CUT, TcpProxy
from s3 import s3_client

RIG = pathlib.Path(servers.__file__).parent


def test_kafka_gives_back_what_was_produced(kafka, topic, group):
    t = topic(partitions=2)
    ids = clients.produce_json(kafka.address, t, 100, partitions=2)
    assert clients.watermarks(kafka.address, t, 0) == (0, 50)
    c = Consumer({"bootstrap.servers": kafka.address, "group.id": group,
                  "auto.offset.reset": "earliest",
                  "session.timeout.ms": 600, "heartbeat.interval.ms": 200,
                  "enable.auto.commit": False})
    c.subscribe([t])
    got = {}  # by place: behind its session it reads from the beginning again
    end = time.monotonic() + 90
    while len(got) < 100 and time.monotonic() < end:
        got.update({(m.partition(), m.offset()): json.loads(m.value())["id"]
                    for m in c.consume(100, 0.2) if not m.error()})
    c.close()
    assert sorted(got.values()) == ids


def test_committed_record_keeps_its_metadata(kafka, topic, group):
    t = topic()
    clients.produce_json(kafka.address, t, 10)
    assert clients.committed(kafka.address, group, t) == (None, None)
    clients.commit(kafka.address, group, t, 0, 7, "s1 clean g=x")
    assert clients.committed(kafka.address, group, t) == (7, "s1 clean g=x")
    clients.wait_committed(kafka.address, group, t, [7])
    clients.commit(kafka.address, group, t, 0, 7, "s1 plan g=x e=9")
    with pytest.raises(AssertionError):
        clients.wait_committed(kafka.address, group, t, [7], timeout=0.3)


def test_deleted_records_move_the_low_watermark(kafka, topic):
    t = topic()
    clients.produce_json(kafka.address, t, 10)
    clients.delete_records(kafka.address, t, 0, 4)
    assert clients.watermarks(kafka.address, t) == (4, 10)


def test_kafka_killed_and_started_keeps_its_messages(own_kafka):
    broker = own_kafka()
    clients.create_topic(broker.address, "kept")
    clients.produce_json(broker.address, "kept", 10)
    broker.restart()
    assert clients.watermarks(broker.address, "kept") == (0, 10)


@pytest.mark.parametrize("name", ["rgw", "weed"])
def test_s3_gives_back_what_was_put(name, request, bucket):
    tree = bucket(request.getfixturevalue(name))
    tree.client.put_object(Bucket=tree.bucket, Key="a/b=c d", Body=b"x\ny\n")
    assert tree.keys() == ["a/b=c d"]
    assert proof.lines(tree, "a/b=c d") == [b"x", b"y"]


def test_rgw_paused_does_not_answer_and_goes_on(rgw, bucket):
    tree = bucket(rgw)
    rgw.pause()
    try:
        assert servers._http_code(rgw.port) == 0
    finally:
        rgw.cont()
    assert tree.keys() == []


def test_who_is_paused_stands_with_all_its_threads(rgw):
    for _ in range(20):
        rgw.pause()
        try:
            assert set(servers.states(rgw.process.pid)) == {"T"}
        finally:
            rgw.cont()
        time.sleep(0.05)


def test_tcp_proxy_refuses_and_lets_in_again(own_kafka):
    broker = own_kafka(proxied=True)
    way = {"bootstrap.servers": broker.proxied_address}
    assert clients.joins(way)
    broker.proxy.refuse()
    assert not clients.joins(way)
    broker.proxy.refuse(False)
    assert clients.joins(way)


class Slow(TcpProxy):
    passed = 0

    def pass_on(self, pair, up, data):
        time.sleep(0.005)
        self.passed += len(data)
        return data, b""


@pytest.mark.parametrize("verb", ["stall", "stall_answers"])
def test_tcp_proxy_that_stalls_lets_nothing_pass(verb):
    """Whoever was about to pass it has done so when the call is back."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        proxy = Slow(server.getsockname()[1])
        with socket.create_connection(("127.0.0.1", proxy.port)) as client:
            talker, _ = server.accept()
            over = threading.Event()

            def talk():
                while not over.is_set():
                    talker.sendall(b"x" * 100)

            def listen():
                while client.recv(65536):
                    pass
            threads = [threading.Thread(target=t) for t in (talk, listen)]
            for t in threads:
                t.start()
            for _ in range(10):
                getattr(proxy, verb)()
                before = proxy.passed
                time.sleep(0.02)
                assert proxy.passed == before
                proxy.go_on()
                servers.wait_until("it goes on",
                                   lambda: proxy.passed > before, 90)
            over.set()
            threads[0].join()
            talker.close()
            threads[1].join()
        proxy.close()


def test_http_proxy_loses_the_answer_but_not_the_put(rgw, bucket, http_proxy):
    tree = bucket(rgw)
    proxy = http_proxy(
        rgw, before=lambda m, p, h: (503, b"") if "busy" in p else None,
        after=lambda m, p, s: CUT if "lost" in p else None)
    client = s3_client(rgw, proxy.endpoint)
    client.put_object(Bucket=tree.bucket, Key="a b", Body=b"x")
    with pytest.raises(Exception):
        client.put_object(Bucket=tree.bucket, Key="lost", Body=b"x")
    with pytest.raises(Exception):
        client.put_object(Bucket=tree.bucket, Key="busy", Body=b"x")
    assert tree.keys() == ["a b", "lost"]
    assert client.get_object(Bucket=tree.bucket,
                             Key="a b")["Body"].read() == b"x"
    assert {s for _, _, s in proxy.requests} == {200, 0, 503}


def test_hadoop_reads_what_hadoop_wrote(tmp_path):
    files = [f for f in hadoop.seq_write(tmp_path, 30) if f.suffix == ".seq"]
    dumps = hadoop.seq_dump(files)
    assert len(files) == len(dumps) == 39
    for f, d in zip(files, dumps):
        first = (42).to_bytes(8, "big") if f.name.startswith("lb") else b"k0"
        assert d["records"][0] == (first, b"value-0-"), f
        assert len(d["records"]) == 30 and d["meta"] == {"origin": "rig"}


def test_hadoop_refuses_a_cut_file(tmp_path):
    whole = [f for f in hadoop.seq_write(tmp_path, 30)
             if f.name == "lb-BLOCK-GzipCodec.seq"][0]
    cut = tmp_path / "cut.seq"
    cut.write_bytes(whole.read_bytes()[:-9])
    with pytest.raises(servers.RigError):
        hadoop.seq_dump([cut])


def test_hive_escapes_path_names():
    values = ["a/b:c=d", "", "plain", "\x01 %", "é", "x\x7f", "{}", "."]
    assert hadoop.hive_escape(values) == [
        "a%2Fb%3Ac%3Dd", "__HIVE_DEFAULT_PARTITION__", "plain", "%01 %25",
        "é", "x%7F", "%7B}", "."]


def _store(folder, key, text):
    f = folder / key
    f.parent.mkdir(parents=True, exist_ok=True)
    f.write_bytes(gzip.compress(text) if key.endswith(".gz") else text)


def test_exactly_once_sees_loss_doubles_and_strangers(tmp_path):
    name = "raw/t/dt=2026-01-01/1_0_%020d.gz"
    _store(tmp_path, name % 0, b'{"id":1}\n{"id":2}\n')
    _store(tmp_path, name % 2, b'{"id":3}\n')
    _store(tmp_path, "raw/_manifests/t/0/1_2.json", b'{"end":3}')
    tree = proof.LocalTree(tmp_path)
    proof.assert_exactly_once([1, 2, 3], tree)
    for wrong in ([1, 2, 3, 4], [1, 2], [1, 2, 4]):
        with pytest.raises(AssertionError):
            proof.assert_exactly_once(wrong, tree)
    _store(tmp_path, name % 3, b'{"id":3}\n')
    with pytest.raises(AssertionError, match="1 doubled"):
        proof.assert_exactly_once([1, 2, 3], tree)
    assert proof.manifests(tree, "t") == {0: [(2, {"end": 3})]}
    assert proof.parse_name(proof.object_keys(tree)[1], "t") == {
        "path": "dt=2026-01-01", "generation": 1, "partition": 0, "start": 2,
        "extension": ".gz"}


def test_secor_helper_watches_and_kills(tmp_path, monkeypatch):
    fake = tmp_path / "secor"
    fake.write_text("#!/bin/sh\ntrap 'exit 7' TERM\necho up\n"
                    "sleep 100 &\nwait\n")
    fake.chmod(0o755)
    monkeypatch.setattr(secor_module, "BINARY", fake)
    s = secor_module.Secor(tmp_path / "run", {"kafka": {}})
    s.start().wait_for("^up$")
    with pytest.raises(servers.RigError, match="not within"):
        s.wait_for("never", 0.2)
    assert s.stop() == 7
    s.start()
    s.kill9()
    with pytest.raises(servers.RigError, match="ended with -9"):
        s.wait_for("never", 10)


def test_servers_end_when_their_owner_is_killed(tmp_path):
    code = (f"import sys; sys.path.insert(0, {str(RIG)!r})\n"
            "import servers, time\n"
            "d = servers.temp_dir('orphan')\n"
            "p = servers.Process('sleep', ['sleep', '60'], d / 'log')\n"
            "print(p.pid, d, flush=True)\n"
            "time.sleep(60)\n")
    env = {k: v for k, v in os.environ.items() if k != "RIG_KEEP"}
    owner = subprocess.Popen([sys.executable, "-c", code], env=env,
                             stdout=subprocess.PIPE, text=True)
    pid, folder = owner.stdout.readline().split()
    assert pathlib.Path(folder).exists()
    owner.kill()
    owner.wait()
    owner.stdout.close()

    def gone():
        dead = set(servers.states(pid)) <= {"Z"}
        return dead and not pathlib.Path(folder).exists()
    servers.wait_until("the orphan is gone", gone, 90)


@pytest.mark.librdkafka
def test_librdkafka_that_runs_is_the_one_that_was_meant(
        kafka, topic, group, secor, tmp_path):
    """Debian's, or with SECOR_LIBRDKAFKA that version."""
    meant = os.environ.get("SECOR_LIBRDKAFKA") or subprocess.run(
        ["pkg-config", "--modversion", "rdkafka"], capture_output=True,
        text=True, check=True).stdout.strip()
    said = secor_module.secor_command("version").stdout
    assert f"librdkafka {meant}\n" in said
    store, _ = local_store(tmp_path / "data")
    process = secor(settings(kafka.address, group, topic(), store))
    process.start()
    line = process.wait_for(r"joins the group .* librdkafka=(\S+) ")
    assert line[1] == meant
    maps = pathlib.Path(f"/proc/{process.process.pid}/maps").read_text()
    assert len({m.split()[-1] for m in maps.splitlines()
                if "librdkafka" in m}) == 1
    assert process.stop() == 0
