"""What objects in S3 are born with, customer keys, conditional puts and the way
by a proxy, against real servers; what arrived is asked through boto3.
"""

import base64
import contextlib
import datetime
import http.server
import json
import socket
import threading

import botocore.exceptions
import pytest

import kafka as clients
from flow import wait_done
from proof import S3Tree, object_keys
from s3 import s3_client
from secor import base_config, secor_command
from standin import StandIn
from stores import (  # fixtures among them
    FATAL, OK, SMALL_PARTS, Store, big, deep, options_of, s3, server, small,
    tls, tool)

KEY = base64.b64encode(bytes(range(32))).decode()
OTHER_KEY = base64.b64encode(bytes(32)).decode()
BATCH = ["--batch", "0-9.1.2.3"]
OTHER_BATCH = ["--batch", "0-8.1.2.3"]


def customer(key):
    return {"SSECustomerAlgorithm": "AES256",
            "SSECustomerKey": base64.b64decode(key)}


# ---- what an object is born with ----

def kept(server, small, big):
    """Ceph RGW 16 keeps neither tags nor locks of uploads in parts."""
    return [small] if server.name == "rgw" else [small, big, big]


def test_tags_arrive(s3, server, small, big):
    store, tree = s3(server, *SMALL_PARTS,
                     "tags={team: data + co, path: a/b=c+d}")
    for name in kept(server, small, big):
        r = store.run("put", "k", name)
        assert r.status == OK, r
        assert tree.get("raw/k") == name.read_bytes()
        tags = tree.client.get_object_tagging(Bucket=tree.bucket, Key="raw/k")
        assert {t["Key"]: t["Value"] for t in tags["TagSet"]} == {
            "team": "data + co", "path": "a/b=c+d"}


def test_acl_arrives(s3, rgw, small, big):
    store, tree = s3(rgw, *SMALL_PARTS, "acl=public-read")
    for name in (small, big):
        assert store.run("put", "k", name).status == OK
        acl = tree.client.get_object_acl(Bucket=tree.bucket, Key="raw/k")
        assert [g["Permission"] for g in acl["Grants"]
                if g["Grantee"].get("URI", "").endswith("/AllUsers")] == [
                    "READ"]


@pytest.mark.parametrize("name", ["rgw", deep("versity")])
def test_lock_arrives_and_a_repeated_put_has_its_own(
        tool, request, small, big, name):
    server = request.getfixturevalue(name)
    client = s3_client(server)
    bucket = f"locked-{server.port}"
    client.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    tree = S3Tree(client, bucket)
    store = Store(tool, "s3", options_of(
        server, tree, *SMALL_PARTS, "lock_mode=governance", "lock_for=2d",
        "legal_hold=true"))
    assert store.run("probe").status == OK
    for name in kept(server, small, big):
        before = datetime.datetime.now(datetime.timezone.utc)
        r = store.run("put", "k", name)
        assert r.status == OK, r
        head = client.head_object(Bucket=bucket, Key="raw/k")
        held = head["ObjectLockRetainUntilDate"] - before
        assert datetime.timedelta(days=2, seconds=-2) < held
        assert held < datetime.timedelta(days=2, seconds=90)
        assert head["ObjectLockMode"] == "GOVERNANCE"
        assert head["ObjectLockLegalHoldStatus"] == "ON"
        with pytest.raises(botocore.exceptions.ClientError):
            client.delete_object(Bucket=bucket, Key="raw/k",
                                 VersionId=head["VersionId"])
    versions = client.list_object_versions(Bucket=bucket)["Versions"]
    assert len(versions) == len(kept(server, small, big))


def test_kms_encrypts(s3, rgw, small, big):
    store, tree = s3(rgw, *SMALL_PARTS, "encryption=aws:kms",
                     f"kms_key={rgw.kms_key}", "kms_context={team: data}")
    for name in (small, big):
        r = store.run("put", "k", name)
        assert r.status == OK, r
        head = tree.client.head_object(Bucket=tree.bucket, Key="raw/k")
        assert head["ServerSideEncryption"] == "aws:kms"
        assert head["SSEKMSKeyId"] == rgw.kms_key
        assert store.run("get", "k").out == name.read_bytes()


@pytest.mark.parametrize("name", ["rgw", "weed"])
def test_customer_key_is_needed_to_read(s3, request, small, big, name):
    store, tree = s3(request.getfixturevalue(name), *SMALL_PARTS)
    mine = [f"customer_key={KEY}"]
    for name in (small, big):
        r = store.run("put", "k", name, options=mine)
        assert r.status == OK, r
        assert tree.client.get_object(
            Bucket=tree.bucket, Key="raw/k", **customer(KEY)
        )["Body"].read() == name.read_bytes()
        with pytest.raises(botocore.exceptions.ClientError):
            tree.get("raw/k")
        assert store.run("get", "k", options=mine).out == name.read_bytes()
        length = str(name.stat().st_size).encode()
        assert store.run("head", "k", options=mine).out.split()[1] == length
    for command in ("get", "head"):
        r = store.run(command, "k", options=[f"customer_key={OTHER_KEY}"])
        assert r.status == FATAL and "another `customer_key`" in r.err, r
        r = store.run(command, "k")
        assert r.status == FATAL and "Then set `customer_key`" in r.err, r
        assert KEY not in r.err and OTHER_KEY not in r.err


# ---- conditional puts ----

def test_object_of_another_stays_untouched(s3, server, small, big):
    store, tree = s3(server, *SMALL_PARTS)
    for mine in (small, big):
        key = f"k{mine.name}"
        tree.client.put_object(Bucket=tree.bucket, Key="raw/" + key,
                               Body=b"foreign")
        r = store.run("put", key, mine, options=BATCH)
        assert r.status == FATAL, r
        assert f"raw/{key}: another object is there" in r.err
        assert tree.get("raw/" + key) == b"foreign"
        tree.client.delete_object(Bucket=tree.bucket, Key="raw/" + key)
        r = store.run("put", key, mine, options=BATCH)
        assert r.status == OK and "If-None-Match" not in r.err, r
        assert tree.get("raw/" + key) == mine.read_bytes()
        r = store.run("put", key, mine, options=BATCH)
        assert r.status == OK and r.counters["found"] == 1, r


def test_bytes_of_another_build_are_written_over(s3, server, small, big):
    store, tree = s3(server, *SMALL_PARTS)
    assert store.run("put", "k", big, options=BATCH).status == OK
    for mine in (small, big):
        r = store.run("put", "k", mine, options=OTHER_BATCH)
        assert r.status == FATAL, r
        r = store.run("put", "k", mine, options=BATCH)
        assert r.status == OK and "in other bytes" in r.err, r
        assert tree.get("raw/k") == mine.read_bytes()


# ---- the way by a proxy ----

class ConnectProxy(StandIn):
    """Tunnels, and keeps what was asked for and with which password."""

    def __init__(self):
        self.asked = asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_CONNECT(self):
                asked.append((self.path,
                              self.headers.get("Proxy-Authorization")))
                host, port = self.path.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as there:
                    self.send_response_only(200)
                    self.end_headers()
                    back = threading.Thread(
                        target=pump, args=(there, self.connection))
                    back.start()
                    pump(self.connection, there)
                    back.join()
        self.listen(Handler)


def pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_requests_go_by_the_proxy(s3, rgw, tls, small):
    ends_tls, pem = tls
    with ConnectProxy() as proxy:
        store, tree = s3(
            rgw, f"proxy=http://me:pass@127.0.0.1:{proxy.port}", "no_proxy=",
            f"ca_file={pem}", endpoint=f"https://127.0.0.1:{ends_tls.port}")
        r = store.run("put", "k", small)
        assert r.status == OK, r
        assert proxy.asked == [(f"127.0.0.1:{ends_tls.port}", "Basic " +
                                base64.b64encode(b"me:pass").decode())]
        assert tree.get("raw/k") == small.read_bytes()
        r = store.run("put", "k", small, options=["no_proxy=127.0.0.1"])
        assert r.status == OK and len(proxy.asked) == 1, r


# ---- all the way ----

def test_foreign_object_holds_a_batch_up_and_readers_have_the_key(
        kafka, topic, group, rgw, bucket, secor):
    name, tree = topic(1), bucket(rgw)
    ids = clients.produce_json(kafka.address, name, 50)
    store = {"use": "s3", "bucket": tree.bucket, "endpoint": rgw.endpoint,
             "access_key": rgw.access_key, "secret_key": rgw.secret_key,
             "retry_delay": "10ms"}

    def config(**more):
        return base_config(kafka.address, group, name,
                           batch={"max_messages": 50, "max_age": "1h"},
                           store={**store, **more})
    key = f"{name}/dt=2026-01-01/hr=00/1_0_{0:020}.gz"
    tree.client.put_object(Bucket=tree.bucket, Key=key, Body=b"foreign")
    process = secor(config())
    process.start()
    process.wait_for("put s3://.*" + key + ": another object is there")
    process.kill9()  # a stop would wait for what is planned
    assert tree.get(key) == b"foreign"
    assert object_keys(tree) == [key]
    # the plan is finished when the key is free, by whoever has the plan
    tree.client.delete_object(Bucket=tree.bucket, Key=key)
    process.reconfigure(config(customer_key=KEY))
    process.start()
    wait_done(kafka.address, group, name, 1)
    assert process.stop() == 0
    printed = secor_command("print", "--config",
                            process.config, key, cwd=process.dir)
    assert printed.returncode == 0, printed.stderr
    assert [json.loads(line)["id"]
            for line in printed.stdout.splitlines()] == ids
    deep_verify = secor_command("verify", "--deep", process.config,
                                cwd=process.dir)
    assert deep_verify.returncode == 0, deep_verify.stdout
    process.reconfigure(config(customer_key=OTHER_KEY))
    printed = secor_command("print", "--config",
                            process.config, key, cwd=process.dir)
    assert printed.returncode == 3
    assert "another `customer_key`" in printed.stderr, printed.stderr
