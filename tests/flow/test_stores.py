"""The store plugins against real servers, without Kafka.

Every call is one run of tests/oracle/store_tool.c, which loads the plugin as
the engine does; what it stored is read back through boto3.
"""

import concurrent.futures
import os
import re
import signal
import time

import pytest

from proof import LocalTree
from proxy import CUT, HttpProxy
from stores import (  # fixtures among them
    FATAL, MIB, OK, REJECT, RETRY, SMALL_PARTS, Store, big,
    clean_env, deep, s3, server, small, tls, tool)


def crc32c(data):
    """Bit by bit as the standard defines it, with a table."""
    table = []
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
        table.append(n)
    crc = 0xFFFFFFFF
    for b in data:
        crc = crc >> 8 ^ table[(crc ^ b) & 0xFF]
    return crc ^ 0xFFFFFFFF


# ---- what goes in comes out ----

def test_object_is_put_read_looked_at_and_removed(s3, server, small):
    store, tree = s3(server)
    before = time.time() - 5
    assert store.run("probe").status == OK
    assert tree.keys() == []
    assert store.run("put", "t/a b+c%.gz", small).status == OK
    assert tree.keys() == ["raw/t/a b+c%.gz"]
    assert tree.get("raw/t/a b+c%.gz") == small.read_bytes()
    assert store.run("get", "t/a b+c%.gz").out == small.read_bytes()
    exists, length, crc, modified = store.run(
        "head", "t/a b+c%.gz").out.split()
    assert (exists, length) == (b"1", b"9")
    assert crc in (b"-", b"%08x" % crc32c(small.read_bytes()))
    assert before < int(modified) / 1000 < time.time() + 5
    assert store.run("remove", "t/a b+c%.gz").status == OK
    assert store.run("remove", "t/a b+c%.gz").status == OK
    assert tree.keys() == []
    assert store.run("head", "t/a b+c%.gz").out.startswith(b"0 ")
    assert store.run("get", "t/a b+c%.gz").status == REJECT


@pytest.mark.parametrize("options", [
    ["checksum=md5"], ["checksum=none"], ["payload_hash=unsigned"],
    ["checksum=md5", "payload_hash=unsigned"]], ids=" ".join)
def test_large_object_goes_in_parts(s3, server, big, options):
    store, tree = s3(server, *SMALL_PARTS, *options)
    r = store.run("put", "big", big)
    assert r.status == OK, r
    assert r.counters["part_requests"] == 3
    assert tree.get("raw/big") == big.read_bytes()
    assert store.run("get", "big").out == big.read_bytes()
    assert "Uploads" not in tree.client.list_multipart_uploads(
        Bucket=tree.bucket)


@pytest.mark.parametrize("name", ["weed", deep("versity")])
def test_server_keeps_the_checksum_of_a_large_object(s3, request, big, name):
    store, tree = s3(request.getfixturevalue(name), *SMALL_PARTS)
    assert store.run("put", "big", big).status == OK
    crc = b"%08x" % crc32c(big.read_bytes())
    assert store.run("head", "big").out.split()[2] == crc


def test_empty_object_is_an_object(s3, server, tmp_path):
    store, tree = s3(server)
    empty = tmp_path / "empty"
    empty.touch()
    assert store.run("put", "empty", empty).status == OK
    assert tree.get("raw/empty") == b""
    assert store.run("head", "empty").out.startswith(b"1 0 ")


HOSTILE = ["a-b", "a/b", "a0", "a b", "a+b", "a%2Fb", "x=1/y&z?", "é/€",
           "~!*'()", "b/c/d/e", "b/c-", "B", "#;:@$,"]


def test_keys_are_listed_in_byte_order(s3, server, small):
    store, tree = s3(server)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for r in pool.map(lambda k: store.run("put", k, small), HOSTILE):
            assert r.status == OK, r
    want = sorted(HOSTILE, key=str.encode)
    assert tree.keys() == sorted("raw/" + k for k in want)
    assert store.keys() == want
    assert store.keys("a") == [k for k in want if k.startswith("a")]
    assert store.keys("a/") == ["a/b"]
    assert store.keys("-", "a-b") == [k for k in want if k > "a-b"]
    assert store.keys("b/", "b/c-") == ["b/c/d/e"]
    assert store.keys("none") == []


def test_long_listings_go_on_page_by_page(s3, rgw):
    store, tree = s3(rgw)
    want = [f"k{n:05}" for n in range(1100)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda k: tree.client.put_object(
            Bucket=tree.bucket, Key="raw/" + k, Body=b""), want))
    for listing in ("sorted", "streamed"):
        r = store.run("list", "-", "-", options=[f"listing={listing}"])
        assert r.counters["list_requests"] == 2
        assert r.out.decode().split() == [
            w for k in want for w in (k, "0")]
    assert store.keys("-", "k00998", ["listing=streamed"]) == want[999:]


# ---- bytes that changed on the way ----

class Flipping(HttpProxy):
    """Changes a byte of the body of the nth PUT."""

    def __init__(self, target_port, nth):
        super().__init__(target_port)
        self.left = nth

    def _forward(self, client, body):
        if client.command == "PUT":
            self.left -= 1
            if self.left == 0:
                body = bytes([body[0] ^ 1]) + body[1:]
        return super()._forward(client, body)


@pytest.mark.parametrize("name,option,code", [
    ("rgw", "payload_hash=sha256", "XAmzContentSHA256Mismatch"),
    ("rgw", "checksum=md5", "(BadDigest|XAmzContentSHA256Mismatch)"),
    ("weed", "payload_hash=unsigned", "BadDigest|hecksum"),
    deep("versity", "payload_hash=unsigned", "BadDigest|hecksum"),
    deep("versity", "payload_hash=sha256", "XAmzContentSHA256Mismatch")])
def test_changed_bytes_are_refused_by_the_server(
        s3, request, small, name, option, code):
    server = request.getfixturevalue(name)
    proxy = Flipping(server.port, 1)
    store, tree = s3(server, option, endpoint=proxy.endpoint)
    r = store.run("put", "k", small)
    assert r.status == RETRY and re.search(code, r.err), r
    assert tree.keys() == []
    assert store.run("put", "k", small).status == OK
    assert tree.get("raw/k") == small.read_bytes()
    proxy.close()


@pytest.mark.parametrize("name,option", [
    ("rgw", "payload_hash=sha256"), ("weed", "payload_hash=unsigned"),
    deep("versity", "payload_hash=unsigned")])
def test_changed_part_ends_the_upload_and_leaves_nothing(
        s3, request, big, name, option):
    server = request.getfixturevalue(name)
    proxy = Flipping(server.port, 2)
    store, tree = s3(server, option, *SMALL_PARTS, endpoint=proxy.endpoint)
    r = store.run("put", "k", big)
    assert r.status == RETRY, r
    assert tree.keys() == []
    assert "Uploads" not in tree.client.list_multipart_uploads(
        Bucket=tree.bucket)
    assert store.run("put", "k", big).status == OK
    assert tree.get("raw/k") == big.read_bytes()
    proxy.close()


def test_other_bytes_than_were_written_are_not_sent(s3, server, small):
    store, tree = s3(server)
    r = store.run("put", "k", small, options=["--crc", "12345678"])
    assert r.status == RETRY and "CRC32C" in r.err, r
    assert tree.keys() == []


# ---- lost requests and answers ----

def first_only(what):
    seen = []

    def decide(method, path, *_):
        if what(method, path) and not seen:
            seen.append(path)
            return CUT
        return None
    return decide


@pytest.mark.parametrize("when", ["before", "after"])
def test_lost_put_is_repeated(s3, rgw, http_proxy, small, when):
    proxy = http_proxy(rgw, **{when: first_only(lambda m, _: m == "PUT")})
    store, tree = s3(rgw, endpoint=proxy.endpoint)
    r = store.run("put", "k", small)
    assert r.status == OK and r.counters["retries"] == 1, r
    assert tree.get("raw/k") == small.read_bytes()


def test_lost_answer_to_complete_ends_whole(s3, server, http_proxy, big):
    proxy = http_proxy(server, after=first_only(
        lambda m, p: m == "POST" and "uploadId=" in p))
    store, tree = s3(server, *SMALL_PARTS, endpoint=proxy.endpoint)
    r = store.run("put", "k", big)
    assert r.status in (OK, RETRY), r
    assert tree.get("raw/k") == big.read_bytes()
    assert store.run("put", "k", big).status == OK
    assert tree.get("raw/k") == big.read_bytes()


def test_server_that_hangs_is_given_up(s3, rgw, small):
    store, tree = s3(rgw, "stall_timeout=300ms", "max_attempts=2")
    rgw.pause()
    try:
        r = store.run("put", "k", small)
    finally:
        rgw.cont()
    assert r.status == RETRY and "nothing moved for 300 ms" in r.err, r
    assert store.run("put", "k", small,
                     options=["stall_timeout=60s"]).status == OK


def test_server_that_is_not_there_is_a_retry(tool, small):
    store = Store(tool, "s3", ["bucket=logs", "endpoint=http://127.0.0.1:9",
                               "access_key=a", "secret_key=s",
                               "max_attempts=2", "retry_delay=1ms"])
    r = store.run("put", "k", small)
    assert r.status == RETRY and "127.0.0.1:9" in r.err, r


def test_nothing_is_sent_when_no_longer_allowed(s3, server, small, big):
    store, tree = s3(server, *SMALL_PARTS)
    for name, left in ((small, 0), (big, 0), (big, 12)):
        r = store.run("put", "k", name, options=["--go-on", str(left)])
        assert r.status == RETRY and "no longer sure" in r.err, r
    assert tree.keys() == []
    assert "Uploads" not in tree.client.list_multipart_uploads(
        Bucket=tree.bucket)


# ---- what a person must mend ----

@pytest.mark.parametrize("options,command,words", [
    (["secret_key=wrong"], "put", "SignatureDoesNotMatch: the secret key"),
    (["secret_key=wrong"], "probe", "SignatureDoesNotMatch: the secret key"),
    (["access_key=NOBODY"], "probe", "does not know the access key NOBODY"),
    (["bucket=missing-bucket"], "put", "there is no bucket missing-bucket"),
    (["bucket=missing-bucket"], "probe", "there is no bucket missing-bucket"),
], ids=str)
def test_what_a_person_must_mend_is_said(
        s3, rgw, small, options, command, words):
    store, _ = s3(rgw, *options)
    r = store.run(*{"put": ["put", "k", small], "probe": ["probe"]}[command])
    assert r.status == FATAL and words in r.err, r
    assert "retries" not in r.counters, "a refusal is not repeated"
    assert rgw.secret_key not in r.err


@pytest.mark.parametrize("hours", [-1, 1])
def test_wrong_clock_is_corrected_and_said(s3, server, small, hours):
    store, tree = s3(server)
    r = store.run("put", "k", small,
                  options=["--skew-ms", str(hours * 3600000)])
    assert r.status == OK, r
    said = re.search(r"log 1 clock differs from the S3 server's "
                     r"skew_ms=(-?\d+)$", r.err, re.M)
    assert abs(int(said[1]) + hours * 3600000) < 60000
    assert tree.get("raw/k") == small.read_bytes()


def test_no_credentials_says_where_it_looked(tool, rgw, small):
    store = Store(tool, "s3", ["bucket=b", f"endpoint={rgw.endpoint}"])
    r = store.run("put", "k", small)
    assert r.status == FATAL and "no AWS credentials" in r.err, r


def test_credentials_come_from_environment_and_profile(
        tool, rgw, bucket, small, tmp_path):
    tree = bucket(rgw)
    options = [f"bucket={tree.bucket}", f"endpoint={rgw.endpoint}"]
    env = clean_env(AWS_ACCESS_KEY_ID=rgw.access_key,
                    AWS_SECRET_ACCESS_KEY=rgw.secret_key)
    assert Store(tool, "s3", options, env).run(
        "put", "env", small).status == OK
    shared = tmp_path / "credentials"
    shared.write_text(f"[team]\naws_access_key_id = {rgw.access_key}\n"
                      f"aws_secret_access_key = {rgw.secret_key}\n")
    env = clean_env(AWS_SHARED_CREDENTIALS_FILE=str(shared))
    assert Store(tool, "s3", [*options, "profile=team"], env).run(
        "put", "profile", small).status == OK
    assert tree.keys() == ["env", "profile"]


def test_tls_is_verified(s3, rgw, tls, small):
    proxy, pem = tls
    endpoint = f"https://127.0.0.1:{proxy.port}"
    store, tree = s3(rgw, endpoint=endpoint)
    r = store.run("put", "k", small)
    assert r.status == FATAL and "`ca_file`" in r.err, r
    r = store.run("put", "k", small, options=["ca_file=/nowhere.pem"])
    assert r.status == FATAL and "/nowhere.pem" in r.err, r
    assert tree.keys() == [] and proxy.hashes == []
    r = store.run("put", "k", small, options=[f"ca_file={pem}"])
    assert r.status == OK, r
    assert proxy.hashes == ["UNSIGNED-PAYLOAD"]
    assert tree.get("raw/k") == small.read_bytes()


# ---- local ----

def test_local_put_that_is_killed_leaves_no_object(tool, tmp_path):
    folder = tmp_path / "objects"
    source = tmp_path / "source"
    with open(source, "wb") as f:
        f.truncate(1024 * MIB)
    store = Store(tool, "local", [f"dir={folder}"])
    child = store.spawn("put", "t/k", source)
    end = time.monotonic() + 90
    while not list(folder.glob(".tmp/*")):
        assert child.poll() is None and time.monotonic() < end
        time.sleep(0.001)
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert LocalTree(folder).keys() == [] and store.keys() == []
    assert len(list(folder.glob(".tmp/*"))) == 1
    assert store.run("probe").status == OK
    assert list(folder.glob(".tmp/*")) == []


def test_local_object_is_put_read_looked_at_and_removed(
        tool, tmp_path, small, big):
    store = Store(tool, "local", [f"dir={tmp_path}/objects"])
    tree = LocalTree(tmp_path / "objects")
    assert store.run("put", "t/dt=1/k.gz", small).status == OK
    assert store.run("put", "t/dt=1/k.gz", big).status == OK
    assert tree.keys() == ["t/dt=1/k.gz"]
    assert tree.get("t/dt=1/k.gz") == big.read_bytes()
    assert store.run("get", "t/dt=1/k.gz").out == big.read_bytes()
    assert store.run("head", "t/dt=1/k.gz").out.startswith(
        b"1 %d - " % big.stat().st_size)
    assert store.run("get", "t").status == REJECT
    assert store.run("remove", "t/dt=1/k.gz").status == OK
    assert store.keys() == []
