"""Credentials that somebody else hands out: roles, chains of roles, keys that
expire, are wrong or are not to be had for a while. Whatever happens, the log
says it in one sentence and every message is in exactly one object."""

import concurrent.futures
import contextlib
import json
import logging
import re
import sys
import textwrap
import threading
import time

import boto3
import kafka as clients
import proof
import pytest
from aws import Container, Metadata, Sts
from flow import settings, wait_done
from moto.server import ThreadedMotoServer
from proxy import ForwardProxy
from secor import ROOT
from servers import wait_until

ENTRY, WRITER = "arn:aws:iam:::role/entry", "arn:aws:iam:::role/writer"


class Run:
    """A process whose store has no keys of its own, and its messages."""

    def __init__(self, address, group, topic, process, tree, partitions):
        self.address, self.group, self.topic = address, group, topic
        self.partitions = partitions
        self.process, self.tree = process, tree
        self.sent = []

    def produce(self, count=20):
        self.sent += clients.produce_json(
            self.address, self.topic, count, self.partitions,
            first_id=len(self.sent))

    def until(self, regex, count=1):
        """Sends messages until the log has so many matches."""
        def seen():
            self.produce(2)
            assert self.process.running(), self.process.process.tail()
            return len(re.findall(regex, self.process.text(), re.M)) >= count
        wait_until(f"{regex!r} in the log", seen, 180)

    def done(self):
        wait_done(self.address, self.group, self.topic, self.partitions)

    def check(self):
        self.done()
        assert self.process.stop() == 0
        proof.assert_exactly_once(self.sent, self.tree)


@pytest.fixture
def case(kafka, topic, group, bucket, rgw, secor):
    """Factory: case(env, endpoint=None, **store), a Run with as many uploaders
    as partitions."""
    def make(env=None, endpoint=None, partitions=1, **store):
        name, tree = topic(partitions), bucket(rgw)
        process = secor(settings(kafka.address, group, name, {
            "use": "s3", "bucket": tree.bucket, "prefix": "raw",
            "endpoint": endpoint or rgw.endpoint, "region": rgw.region,
            "max_attempts": 2, "retry_delay": "20ms", **store},
            engine={"uploaders": partitions, "stop_timeout": "10s"}),
            env=env)
        return Run(kafka.address, group, name, process, proof.S3Tree(
            tree.client, tree.bucket, "raw/"), partitions)
    return make


# ---- roles of a real server ----

def trust(who):
    return json.dumps({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": [who]},
        "Action": ["sts:AssumeRole"]}]})


def page_policy():
    """The policy of docs/S3.md, for any bucket."""
    text = (ROOT / "docs/S3.md").read_text()
    block = re.search(r"^```json\n(.*?)^```$", text, re.M | re.S)[1]
    return block.replace("arn:aws:s3:::logs", "arn:aws:s3:::*")


def make_role(rgw, arn, who, policy):
    name = arn.rpartition("/")[2]
    rgw.admin("role", "create", f"--role-name={name}",
              f"--assume-role-policy-doc={trust(who)}")
    rgw.admin("role-policy", "put", f"--role-name={name}",
              "--policy-name=all", f"--policy-doc={policy}")


def test_roles_are_assumed_in_a_chain(case, rgw):
    """A program gives the keys of a user, who may become entry, who may become
    writer, who may do what the page says."""
    run = case(
        credential_process=f"'{sys.executable}' keys.py \"a b\"",
        role_arn=[ENTRY, WRITER], sts_endpoint=rgw.endpoint)
    (run.process.dir / "keys.py").write_text(textwrap.dedent(f"""\
        import json, sys
        assert sys.argv[1:] == ["a b"]
        print(json.dumps({{
            "Version": 1, "AccessKeyId": "{rgw.access_key}",
            "SecretAccessKey": "{rgw.secret_key}"}}))
        """))
    process = run.process
    run.produce()
    process.start()
    process.wait_for(f"assume role {ENTRY}: NoSuchEntity: there is no such "
                     f"role .access key {rgw.access_key}, from "
                     "credential_process asked 127.0.0.1")
    assert process.wait() == 3
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(lambda a: make_role(rgw, *a), [
            (ENTRY, "arn:aws:iam:::user/test", json.dumps({
                "Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Action": ["sts:AssumeRole"],
                    "Resource": ["*"]}]})),
            (WRITER, ENTRY, page_policy())]))
    process.start()
    process.wait_for("^info .*AWS credentials taken .*from=\"role writer\"")
    run.check()


# ---- keys that expire ----

def only_while_they_live(container):
    """For HttpProxy: what AWS says to a key that has expired."""
    def before(_method, _path, headers):
        used = re.search(r"Credential=([^/]+)/", headers["Authorization"])[1]
        if time.time() < container.expires.get(used, 0):
            return None
        return 400, (b"<Error><Code>ExpiredToken</Code>"
                     b"<Message>The provided token has expired.</Message>"
                     b"</Error>")
    return before


KEYS = [("AKIAONE", "one"), ("AKIATWO", "two")]


@pytest.fixture(scope="session")
def user(rgw):
    """The rig's user has these keys, too."""
    for access_key, secret_key in KEYS:
        rgw.admin("key", "create", "--uid=test", f"--access-key={access_key}",
                  f"--secret-key={secret_key}")


@pytest.fixture
def expiring(case, rgw, user, http_proxy):
    """Factory: expiring(seconds) gives (container, Run): the keys hold for so
    long, and the store knows that."""
    with contextlib.ExitStack() as stack:
        def make(seconds):
            ecs = stack.enter_context(Container(*KEYS[0], seconds))
            proxy = http_proxy(rgw, only_while_they_live(ecs))
            return ecs, case(
                {"AWS_CONTAINER_CREDENTIALS_FULL_URI": ecs.url},
                proxy.endpoint)
        yield make


TAKEN = "^info .*AWS credentials taken .*from=\"container\""


def test_keys_that_expire_are_renewed_while_messages_flow(expiring):
    ecs, run = expiring(4)
    run.process.start()
    run.until(TAKEN)
    ecs.key = KEYS[1]
    run.until(TAKEN, count=len(re.findall(
        TAKEN, run.process.text(), re.M)) + 3)
    run.check()
    assert ecs.used == {"AKIAONE", "AKIATWO"}


@pytest.mark.deep
def test_keys_that_are_wrong_or_late_are_waited_for(expiring):
    """Wrong for a while, and then not to be had for longer than they live: the
    log says so, and nothing is lost."""
    ecs, run = expiring(6)
    run.process.start()
    run.produce()
    run.done()
    ecs.key = ("AKIAONE", "of somebody else")
    run.until("^error .*store waits .*SignatureDoesNotMatch: the secret "
              "key of AKIAONE .from container. is wrong")
    ecs.key = KEYS[1]
    run.done()
    ecs.status = 500
    run.until("^warn .*store waits .*the AWS credentials from container "
              "(have expired at 2[0-9TZ:-]+|are refused): "
              "container: HTTP 500")
    ecs.status = 200
    run.check()
    assert ecs.used == {"AKIAONE", "AKIATWO"}


# ---- a key for all uploaders ----

class Meeting:
    """Its first `count` guests wait for each other."""

    def __init__(self, count):
        self.places = threading.Semaphore(count)
        self.barrier = threading.Barrier(count)

    def __call__(self):
        if self.places.acquire(blocking=False):
            self.barrier.wait(50)


def test_uploaders_ask_sts_once_and_by_the_proxy(
        case, rgw, user, http_proxy):
    """Four uploaders are under way, each with its own put, when they have taken
    a key, and when they find that it has expired: STS is asked once each time,
    and later once for each renewal, by the store's proxy. The container, whose
    key asks STS, is asked without it."""
    role = TAKEN.replace("container", "role writer")
    with Container("AKIAECS", "ecs secret", 3600) as ecs, Sts(
            *KEYS[0], 3600, role=WRITER, external_id=None,
            askers={"AKIAECS": "ecs secret"}) as sts, ForwardProxy() as way:
        lives = only_while_they_live(sts)
        meetings = {None: Meeting(4), "refused": Meeting(4)}

        def before(method, path, headers):
            answer = lives(method, path, headers)
            if method == "PUT":
                meetings[answer and "refused"]()
            return answer

        def renew(key, seconds):
            last, sts.key, sts.seconds = sts.key, key, seconds
            sts.expires[last[0]] = 0

        store = http_proxy(rgw, before)
        run = case({"AWS_CONTAINER_CREDENTIALS_FULL_URI": ecs.url},
                   store.endpoint, partitions=4, role_arn=WRITER,
                   sts_endpoint=sts.url, proxy=way.url,
                   no_proxy="nowhere.example")
        run.produce()
        run.process.start()
        run.done()
        assert len(sts.sessions) == 1
        # and one of them has found out about If-None-Match
        assert [s for *_, s in store.requests].count(412) == 1
        renew(KEYS[1], 3600)
        run.produce()
        run.done()
        assert len(sts.sessions) == 2
        renew(KEYS[0], 4)
        run.until(role, 4)
        run.check()
        assert len(sts.sessions) == len(
            re.findall(role, run.process.text(), re.M))
        asked = [to for _, to, path in way.requests if path == "/"]
        assert asked == [f"127.0.0.1:{sts.port}"] * len(sts.sessions)
        assert {to for _, to, _ in way.requests} == {
            f"127.0.0.1:{sts.port}", f"127.0.0.1:{store.port}"}
        assert not any(m.barrier.broken for m in meetings.values())


@pytest.fixture
def moto():
    """The address of moto's AWS, and a client of its S3."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    url = "http://{}:{}".format(*server.get_host_and_port())
    yield url, boto3.client(
        "s3", "us-east-1", endpoint_url=url, aws_access_key_id="READER",
        aws_secret_access_key="s3cret")
    server.stop()


@pytest.mark.deep
def test_token_and_role_are_asked_for_once_of_moto(
        moto, kafka, topic, group, secor, tmp_path):
    """The token of a web identity becomes entry, who becomes writer: moto's STS
    is asked twice by four uploaders, by the proxy."""
    url, client = moto
    client.create_bucket(Bucket="logs")
    token = tmp_path / "token"
    token.write_text("head.claims.signature\n")
    name = topic(4)
    with ForwardProxy() as way:
        process = secor(
            settings(kafka.address, group, name, {
                "use": "s3", "bucket": "logs", "prefix": "raw",
                "endpoint": url, "region": "us-east-1", "sts_endpoint": url,
                "role_arn": "arn:aws:iam::123456789012:role/writer",
                "proxy": way.url, "no_proxy": "nowhere.example"},
                engine={"uploaders": 4, "stop_timeout": "10s"}),
            env={"AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                 "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/entry"})
        run = Run(kafka.address, group, name, process,
                  proof.S3Tree(client, "logs", "raw/"), 4)
        run.produce(200)
        process.start()
        run.check()
        assert [m for m, _, path in way.requests if path == "/"] == [
            "POST"] * 2
    assert len(re.findall(TAKEN.replace("container", "role writer"),
                          process.text(), re.M)) == 1


# ---- a role of somebody else ----

@pytest.mark.deep
def test_profile_assumes_a_role_under_an_external_id(case, rgw, tmp_path):
    """The keys of the instance ask for the role; botocore finds their signature
    right. Under another external id the sentence says what to look at."""
    profile = tmp_path / "config"
    with Metadata("ASIAINSTANCE", "instance secret", 3600) as ec2, Sts(
            rgw.access_key, rgw.secret_key, 3600, role=WRITER,
            external_id="agreed/1=2",
            askers={"ASIAINSTANCE": "instance secret"}) as sts:
        run = case({"AWS_CONFIG_FILE": str(profile),
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": ec2.url,
                    "AWS_ENDPOINT_URL_STS": sts.url}, profile="logs")

        def agree(external_id):
            profile.write_text(
                f"[profile logs]\nrole_arn = {WRITER}\n"
                "credential_source = Ec2InstanceMetadata\n"
                "role_session_name = secor@here\n"
                f"external_id = {external_id}\n")
        agree("other")
        run.process.start()
        run.process.wait_for(
            f"assume role {WRITER}: AccessDenied: it may not: the role's trust "
            "policy must let it in, under this external_id .*access key "
            "ASIAINSTANCE, from EC2 metadata asked .*: not authorized to "
            "perform: sts:AssumeRole")
        assert run.process.wait() == 3
        agree("agreed/1=2")
        run.produce()
        run.process.start()
        run.process.wait_for("^info .*AWS credentials taken "
                             ".*from=\"role writer\"")
        run.check()
        assert set(sts.sessions) == {"secor@here"}
