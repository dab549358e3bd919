"""The permissions of docs/KAFKA.md and docs/S3.md are enough; without one of
them the log says which, and nothing is lost or stored twice."""

import concurrent.futures
import json
import re
import subprocess

import kafka as clients
import proof
import pytest
from confluent_kafka.admin import (AclBinding, AclBindingFilter, AclOperation,
                                   AclPermissionType, AdminClient,
                                   ResourcePatternType, ResourceType)
from flow import wait_done
from s3 import s3_client
from secor import ROOT, base_config, secor_command
from secure import SecureKafka
from servers import wait_until

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
TOPIC, GROUP = "events-1", "events-to-s3"


def blocks(page, kind):
    text = (ROOT / "docs" / page).read_text()
    return [body for k, body in BLOCK.findall(text) if k == kind]


def secor_says(process, *args, env=None):
    done = secor_command(*args, cwd=process.dir, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


# ---- Kafka ----

def give(broker, *numbers):
    """Runs the page's commands of these numbers for the rig's user alice."""
    lines = [line for text in blocks("KAFKA.md", "sh")
             for line in text.splitlines() if line.startswith("kafka-acls.sh")]
    assert len(lines) == 2
    commands = []
    for number in numbers:
        words = lines[number].replace("User:secor", "User:alice").split()
        assert words[1:3] == ["--bootstrap-server", "kafka-1:9092"]
        commands.append(broker.java(
            "kafka.admin.AclCommand", "--bootstrap-server", broker.address,
            *words[3:]))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(broker.run, commands))


def take_from_topics(broker, operation):
    """Takes one operation on the page's topics from alice again; waits until
    the broker, who hears of it behind its controller, acts on that."""
    admin = AdminClient({"bootstrap.servers": broker.address})
    taken = AclBindingFilter(
        ResourceType.TOPIC, "events", ResourcePatternType.PREFIXED,
        "User:alice", None, operation, AclPermissionType.ALLOW)
    for done in admin.delete_acls([taken]).values():
        assert len(done.result(90)) == 1
    wait_until("it is taken", lambda: not admin.describe_acls(
        taken).result(90), 90)


@pytest.fixture
def guarded(own_kafka, secor):
    """(broker that asks for permissions, a process of alice)"""
    broker = own_kafka({
        "authorizer.class.name":
            "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS"}, kind=SecureKafka)
    clients.create_topic(broker.address, TOPIC, 2)
    return broker, secor(base_config(
        broker.address_of("SASL_PLAIN"), GROUP, TOPIC,
        kafka={"session_timeout": "30s",
               "properties": {"security.protocol": "sasl_plaintext",
                              "sasl.mechanism": "PLAIN",
                              "sasl.username": "alice",
                              "sasl.password": "alice-secret"}}))


def test_permissions_in_kafka_are_enough(guarded):
    broker, process = guarded
    process.start()
    process.wait_for("Group authorization failed")
    give(broker, 1)
    process.wait_for("Topic authorization failed")
    give(broker, 0)
    assert process.stop() == 0
    ids = clients.produce_json(broker.address, TOPIC, 100, 2)
    process.start()
    wait_done(broker.address, GROUP, TOPIC, 2)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, proof.LocalTree(process.dir / "out"))
    secor_says(process, "verify", process.config)
    secor_says(process, "offsets", "show", process.config)
    secor_says(process, "offsets", "adopt", process.config, TOPIC, "0",
               "--current", "--yes")


def test_refused_commit_halts_until_it_is_allowed(guarded):
    broker, process = guarded
    give(broker, 0, 1)
    ids = clients.produce_json(broker.address, TOPIC, 100, 1)
    take_from_topics(broker, AclOperation.DESCRIBE_CONFIGS)
    process.start(env={"SECOR_STOP_AT": "read-back"})
    process.wait_stopped("read-back")
    take_from_topics(broker, AclOperation.READ)
    admin = AdminClient({"bootstrap.servers": broker.address})
    given = (ResourceType.TOPIC, TOPIC, ResourcePatternType.LITERAL,
             "User:alice", "*", AclOperation.DESCRIBE,
             AclPermissionType.ALLOW)
    for done in admin.create_acls([AclBinding(*given)]).values():
        done.result(90)
    wait_until("it is given", lambda: admin.describe_acls(
        AclBindingFilter(*given)).result(90), 90)
    process.cont()
    process.wait_for(f"partition halted topic={TOPIC} partition=0 .*"
                     "reason=commit-refused")
    process.wait_for("^warn .*retention not known topics=1 topic=events-1 "
                     ".*DescribeConfigs")
    assert process.stop() == 0
    assert process.text().count("retention not known") == 1
    tree = proof.LocalTree(process.dir / "out")
    assert not tree.keys()
    give(broker, 0)
    process.start()
    wait_done(broker.address, GROUP, TOPIC, 2)
    assert process.stop() == 0
    proof.assert_exactly_once(ids, tree)


# ---- S3 ----

@pytest.fixture
def guest(rgw):
    """A user who may do nothing by himself: his environment."""
    done = subprocess.run(
        ["radosgw-admin", "-n", "client.rgw", "-c", rgw.conf, "user",
         "create", "--uid=guest", "--display-name=guest",
         "--access-key=AKIAGUEST", "--secret-key=guest-secret"],
        env=rgw.env, capture_output=True, text=True)
    assert done.returncode == 0 or "exist" in done.stderr, done.stderr
    return {"AWS_ACCESS_KEY_ID": "AKIAGUEST",
            "AWS_SECRET_ACCESS_KEY": "guest-secret"}


def stored(rgw, guest, tree):
    """What is in the bucket, which only its writer may read."""
    allow(rgw, tree.bucket)
    client = s3_client(rgw, access_key=guest["AWS_ACCESS_KEY_ID"],
                       secret_key=guest["AWS_SECRET_ACCESS_KEY"])
    return proof.S3Tree(client, tree.bucket, "raw/")


def allow(rgw, bucket, without=None):
    """The page's policy for the guest, perhaps without one statement."""
    text = blocks("S3.md", "json")[0].replace("arn:aws:s3:::logs",
                                              f"arn:aws:s3:::{bucket}")
    policy = json.loads(text)
    assert len(policy["Statement"]) == 3
    policy["Statement"] = [
        {**one, "Principal": {"AWS": ["arn:aws:iam:::user/guest"]}}
        for one in policy["Statement"] if one["Sid"] != without]
    s3_client(rgw).put_bucket_policy(Bucket=bucket,
                                     Policy=json.dumps(policy))


@pytest.fixture
def as_guest(kafka, topic, group, rgw, bucket, guest, secor):
    """(process, topic, tree) with 100 messages, and no permission yet."""
    name, tree = topic(2), bucket(rgw)
    clients.produce_json(kafka.address, name, 100, 2)
    process = secor(base_config(
        kafka.address, group, name,
        store={"use": "s3", "bucket": tree.bucket, "prefix": "raw",
               "endpoint": rgw.endpoint, "region": rgw.region,
               "multipart_threshold": "5MiB"}), env=guest)
    return process, name, tree


def test_permissions_in_s3_are_enough(as_guest, kafka, group, rgw, guest):
    process, name, tree = as_guest
    process.start()
    process.wait_for("AccessDenied")
    assert process.wait() == 3
    allow(rgw, tree.bucket)
    process.start()
    wait_done(kafka.address, group, name, 2)
    assert process.stop() == 0
    proof.assert_exactly_once(list(range(100)), stored(rgw, guest, tree))
    secor_says(process, "verify", process.config, env=guest)
    secor_says(process, "offsets", "adopt", process.config, name, "0",
               "--from-manifests", "--yes", env=guest)


def test_unlisted_store_halts_a_new_partition_until_it_is_said_new(
        as_guest, kafka, group, rgw, guest):
    process, name, tree = as_guest
    allow(rgw, tree.bucket, without="FindManifestsOfLostOffsets")
    process.start()
    process.wait_for("partition halted topic=.* reason=store-list-refused",
                     count=2)
    assert clients.committed(kafka.address, group, name) == (None, None)
    assert process.stop() == 0
    process.start("--assume-new")
    wait_done(kafka.address, group, name, 2)
    assert process.stop() == 0
    # the offset is known now: nobody asks again
    process.start()
    process.wait_for("consumption begins halted=0")
    assert process.stop() == 0
    proof.assert_exactly_once(list(range(100)), stored(rgw, guest, tree))
