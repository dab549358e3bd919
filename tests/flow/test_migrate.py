"""secor migrate: the samples of tests/migrate, and one of them all the way from
a property file, over the offsets of the old group, to objects."""

import gzip
import hashlib
import json
import pathlib
import re

import kafka as clients
import proof
import pytest
from flow import wait_done
from secor import BUILD, Secor, secor_command

SAMPLES = pathlib.Path(__file__).resolve().parents[1] / "migrate"
# what `check` needs of them; common, prod and dev are only included
NAMES = sorted(p.stem for p in SAMPLES.glob("*.yaml"))
SECRETS = {"AZURE_STORAGE_KEY": "x", "SWIFT_PASSWORD": "x",
           "SECOR_S3_CUSTOMER_KEY":
           "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="}


def missing_plugins(yaml):
    """kind and name of each plugin in the YAML that this build does not have."""
    kinds, missing = "", []
    for line in yaml.splitlines():
        if re.match(r"\w+:", line):
            kinds = line.split(":")[0].removesuffix("s")
        found = re.match(r"  (?:- )?use: ([\w-]+)$", line)
        if found and not (BUILD / "plugins" / kinds /
                          f"{found[1]}.so").exists():
            missing.append((kinds, found[1]))
    return missing


def test_samples_are_those_of_the_original():
    for name in ("prod_backup", "prod_partition", "dev_backup",
                 "dev_partition", "dev_hourly", "dev_gs", "dev_azure",
                 "kubernetes"):
        assert name in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_sample_is_accepted_or_refused_by_name(name, tmp_path):
    yaml = tmp_path / "new.yaml"
    done = secor_command("migrate", SAMPLES / f"{name}.properties",
                         "--output", yaml)
    text = yaml.read_text()
    missing = missing_plugins(text)
    checked = secor_command("check", yaml,
                            env={**SECRETS, "HOME": str(tmp_path)})
    for kind, plugin in missing:
        assert f"the {kind} '{plugin}' is not there" in done.stderr
        assert f"no {kind} '{plugin}'" in checked.stderr
    if missing:
        assert (done.returncode, checked.returncode) == (1, 2)
    else:
        assert checked.returncode == 0, checked.stderr
    if "error: " not in done.stderr:
        assert done.returncode == 0
    # as it lies beside the property file, but for what is not there yet
    golden = (SAMPLES / f"{name}.yaml").read_text()
    if done.returncode == 0:
        assert text == golden


def test_the_traps_of_the_samples_are_told():
    def told(name):
        return secor_command("migrate", SAMPLES / f"{name}.properties").stderr

    hourly = told("dev_hourly")
    assert re.search(r"dev_hourly.properties:4: warning: "
                     r"partitioner.granularity.hour is set again, without "
                     r"effect: the first definition counts "
                     r"\(.*common.properties:\d+\)", hourly)
    assert ("secor.upload.manager.class is set again, without effect"
            in told("dev_gs"))
    assert ("secor.upload.manager.class is set again, without effect"
            in told("dev_azure"))
    chart = told("kubernetes")
    assert "would not start with this file" in chart
    assert "secor.upload.on.shutdown" in chart


@pytest.mark.parametrize("text, args, code, says", [
    ("include=nowhere.properties\n", [], 2, ":1: error: include nowhere"),
    ("a=${a}\n", [], 2, ":1: error: a: ${a} stands for itself"),
    ("", ["-D"], 2, "-D is followed by KEY=VALUE"),
    ("", ["-Dx"], 2, "-D is followed by KEY=VALUE"),
    ("", ["--leftovers", "x.yaml", "--from-group", "g"], 2,
     "--leftovers needs"),
    ("", ["--output", "/nowhere/x.yaml"], 3, "/nowhere/x.yaml: No such file"),
    ("secor.generation=3\n", [], 1, "error: kafka.seed.broker.host"),
    ("secor.kafka.grup=x\n", [], 1, "did you mean 'secor.kafka.group'?"),
])
def test_exit_codes_and_complaints(text, args, code, says, tmp_path):
    path = tmp_path / "old.properties"
    path.write_text(text)
    done = secor_command("migrate", path, *args)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    if code >= 2:
        assert done.stdout == ""


def test_a_missing_file_is_the_environments():
    done = secor_command("migrate", "/nowhere/x.properties")
    assert done.returncode == 3 and "/nowhere/x.properties" in done.stderr


def test_output_is_never_written_over(tmp_path):
    there = tmp_path / "mine.yaml"
    there.write_text("mine\n")
    done = secor_command("migrate", SAMPLES / "dev_backup.properties",
                         "--output", there)
    assert done.returncode == 3 and there.read_text() == "mine\n"


def test_defines_and_paths_are_those_of_the_command_line(tmp_path):
    path = tmp_path / "old.properties"
    path.write_text("include=dev_backup.properties\n")
    done = secor_command(
        "migrate", path, "--path", f"/nowhere:{SAMPLES}",
        "-Dsecor.kafka.group=other", "-D", "secor.generation=6")
    assert done.returncode == 0, done.stderr
    assert "\n  group: other-g7\n" in done.stdout
    assert "\n  generation: 7\n" in done.stdout


# ---- all the way ----

# milliseconds of the message, and its path in Asia/Kolkata as the original
# makes it: date and hour of the parser's zone, 1970 without a time
PATHS = [
    ('"1405911096123"', "dt=2014-07-21/hr=08"),
    ("1405911096", "dt=2014-07-21/hr=08"),      # seconds
    ("1405911096123456", "dt=2014-07-21/hr=08"),  # microseconds
    ("1405970352.9", "dt=2014-07-22/hr=00"),
    ("1.405970352123E12", "dt=2014-07-22/hr=00"),
    ("0", "dt=1970-01-01/hr=05"),
    (None, "dt=1970-01-01/hr=05"),
]


def message(i, created):
    meta = "{}" if created is None else '{"created":%s}' % created
    return '{"id":%d,"meta_data":%s}' % (i, meta)


def old_file(tmp_path, kafka, versity, bucket, group, topic):
    path = tmp_path / "old.properties"
    host, port = kafka.address.rsplit(":", 1)
    path.write_text(f"""\
kafka.seed.broker.host={host}
kafka.seed.broker.port={port}
kafka.offsets.storage=kafka
secor.kafka.group={group}
secor.kafka.topic_filter={topic.replace("-", chr(92) * 2 + "-")}
secor.s3.bucket={bucket}
secor.local.path={tmp_path}/stage
secor.max.file.age.seconds=2
aws.endpoint={versity.endpoint}
aws.client.pathstyleaccess=true
aws.access.key={versity.access_key}
aws.secret.key={versity.secret_key}
aws.region={versity.region}
ostrich.port=0
include={SAMPLES}/hourly.properties
""")
    return path


def test_a_migrated_service_writes_the_originals_paths(
        kafka, versity, topic, bucket, group, tmp_path):
    name = topic(2)
    tree = bucket(versity)
    sent = [(p, i, created, path) for p in (0, 1)
            for i, (created, path) in enumerate(PATHS * 2)]
    clients.produce(kafka.address, name, [
        (p, None, message(p * 100 + i, created)) for p, i, created, _ in sent])
    # the old service committed 3 of partition 0, and nothing of 1; an upload
    # from there on was under way when it died
    clients.commit(kafka.address, group, name, 0, 3)
    base = f"raw_logs/hourly/{name}/dt=2014-07-22/hr=00"
    for at in (0, 3, 5):
        tree.client.put_object(
            Bucket=tree.bucket, Key=f"{base}/1_0_{at:020}.gz", Body=b"old")
    env = {"AWS_SECRET_ACCESS_KEY": versity.secret_key}
    secor = Secor(tmp_path / "run", "", env)
    secor.config.unlink()
    done = secor_command(
        "migrate", old_file(tmp_path, kafka, versity, tree.bucket, group, name),
        "--output", secor.config)
    assert done.returncode == 1  # of the secret alone
    errors = [x for x in done.stderr.splitlines() if "error: " in x]
    assert len(errors) == 1 and "set AWS_SECRET_ACCESS_KEY" in errors[0]
    assert versity.secret_key not in secor.config.read_text()
    secor.reconfigure(secor.config.read_text().replace(
        "listen: 0.0.0.0:0", "listen: 127.0.0.1:0"))
    # step by step as it says
    steps = done.stderr
    assert f"secor offsets import {secor.config} --from-group {group}" in steps
    told = secor_command("offsets", "import", secor.config, "--from-group",
                         group, "--yes", env=env)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"secor migrate --leftovers {secor.config} --from-group {group}" \
        in steps
    told = secor_command("migrate", "--leftovers", secor.config,
                         "--from-group", group, env=env)
    assert told.returncode == 1
    assert told.stdout.splitlines() == [
        f"s3://{tree.bucket}/{base}/1_0_{at:020}.gz" for at in (3, 5)]
    csv = tmp_path / "offsets.csv"
    csv.write_text(f"{name},0,6\n{name},1,0\n")
    told = secor_command("migrate", "--leftovers", secor.config, csv, env=env)
    assert (told.returncode, told.stdout) == (0, "")
    secor.start()
    wait_done(kafka.address, f"{group}-g2", name, 2)
    assert secor.stop() == 0
    found = {}
    for key in proof.object_keys(tree):
        one = re.fullmatch(
            rf"raw_logs/hourly/{name}/(dt=[^/]+/hr=\d\d)/2_(\d)_(\d{{20}})\.gz",
            key)
        if one is None:
            assert "/1_0_" in key
            continue
        for line in gzip.decompress(tree.get(key)).decode().splitlines():
            assert line not in found
            found[line] = (one[1], int(one[2]), int(one[3]))
    wanted = {message(p * 100 + i, created): (path, p, i)
              for p, i, created, path in sent if p == 1 or i >= 3}
    assert found.keys() == wanted.keys()
    for line, (path, partition, offset) in wanted.items():
        assert found[line][:2] == (path, partition), line
        assert found[line][2] <= offset
    # the first batch begins where the old group ended
    assert found[message(3, PATHS[3][0])] == ("dt=2014-07-22/hr=00", 0, 3)
    assert found[message(100, PATHS[0][0])] == ("dt=2014-07-21/hr=08", 1, 0)


def test_leftovers_are_found_under_md5_and_other_prefixes(
        versity, bucket, tmp_path):
    tree = bucket(versity)
    new = tmp_path / "new.yaml"
    old = tmp_path / "old.properties"
    old.write_text(
        f"aws.endpoint={versity.endpoint}\naws.access.key="
        f"{versity.access_key}\naws.client.pathstyleaccess=true\n"
        f"secor.s3.bucket={tree.bucket}\naws.region={versity.region}\n"
        f"include={SAMPLES}/md5.properties\n")
    secor_command("migrate", old, "--output", new)
    days = {"dt=2014-07-21": "raw_logs", "dt=2020-01-01": "new_logs"}
    keys = {}
    for day, prefix in days.items():
        md5 = hashlib.md5(f"t/{day}".encode()).hexdigest()[:4]
        for at in (9, 10):
            keys[day, at] = f"{md5}/{prefix}/t/{day}/1_0_{at:020}"
            tree.client.put_object(
                Bucket=tree.bucket, Key=keys[day, at], Body=b"old")
    assert keys["dt=2014-07-21", 9].startswith("d363/raw_logs/t/")
    csv = tmp_path / "offsets.csv"
    csv.write_text("t,0,10\n")
    told = secor_command(
        "migrate", "--leftovers", new, csv,
        env={"HOME": str(tmp_path),
             "AWS_SECRET_ACCESS_KEY": versity.secret_key})
    assert told.returncode == 1, told.stderr
    assert sorted(told.stdout.splitlines()) == sorted(
        f"s3://{tree.bucket}/{k}" for (_, at), k in keys.items() if at == 10)


# ---- paths, message by message ----

# the original's, computed by its own classes: parser and keys, then messages
# with what becomes of them (None: a bad message)
VECTORS = {
    "json_day": ("Json", "", [
        ('{"timestamp":"1405911096"}', "dt=2014-07-21"),
        ('{"timestamp":1405911096123}', "dt=2014-07-21"),
        ('{"timestamp":1405970352.9}', "dt=2014-07-21"),
        ('{"timestamp":-1}', "dt=1969-12-31"),
        ('{"timestamp":0}', "dt=1970-01-01"),
        ('{"other":1}', "dt=1970-01-01"),
        ('{"timestamp":"abc"}', None),
        ("[1]", None)]),
    "json_minute_kathmandu": (
        "Json", "partitioner.granularity.minute=true\n"
        "secor.parser.timezone=Asia/Kathmandu\n", [
            ('{"timestamp":1405911096123}', "dt=2014-07-21/hr=08/min=36")]),
    "json_hour_pst": (
        "Json", "partitioner.granularity.hour=true\n"
        "secor.parser.timezone=PST\n", [
            ('{"timestamp":1405911096123}', "dt=2014-07-20/hr=19")]),
    "json_hour_est": (
        "Json", "partitioner.granularity.hour=true\n"
        "secor.parser.timezone=EST\n", [
            ('{"timestamp":1405911096123}', "dt=2014-07-20/hr=21")]),
    "json_name_with_a_dot": (
        "Json", "message.timestamp.name=meta_data.created\n", [
            ('{"meta_data.created":1405911096123}', "dt=2014-07-21"),
            ('{"meta_data":{"created":1405911096123}}', "dt=1970-01-01")]),
    "iso8601": ("Iso8601", "message.timestamp.required=false\n", [
        ('{"timestamp":"2014-07-30T10:53:20.001Z"}', "dt=2014-07-30"),
        ('{"timestamp":"2006-01-02T23:59:59.999999999Z"}', "dt=2006-01-02"),
        ('{"timestamp":"2014-07-30T24:00:00Z"}', "dt=2014-07-31"),
        ('{"timestamp":"soon"}', "dt=1970-01-01"),
        ("{}", "dt=1970-01-01")]),
    "iso8601_required": ("Iso8601", "", [
        ('{"timestamp":"2014-07-29T10:53:20Z"}', "dt=2014-07-29"),
        ('{"timestamp":"soon"}', None),
        ("{}", None)]),
    "date": (
        "Date", "message.timestamp.input.pattern=yyyy-MM-dd HH:mm:ss\n", [
            ('{"timestamp":"2014-07-30 10:53:20"}', "dt=2014-07-30"),
            ('{"timestamp":"2014-02-30 10:53:20"}', "dt=2014-03-02"),
            ('{"timestamp":"soon"}', "dt=1970-01-01"),
            ("{}", "dt=1970-01-01")]),
    "date_levels": (
        "Date", "message.timestamp.input.pattern=yyyy-MM-dd HH:mm:ss\n"
        "partitioner.granularity.date.prefix=\n"
        "partitioner.granularity.date.format="
        "'yr='yyyy'/mo='MM'/dy='dd'/hr='HH\n", [
            ('{"timestamp":"2014-07-30 10:53:20"}',
             "yr=2014/mo=07/dy=30/hr=10")]),
    "date_prefix": (
        "Date", "message.timestamp.input.pattern=yyyy-MM-dd HH:mm:ss\n"
        "partitioner.granularity.date.prefix=foo\n", [
            ('{"timestamp":"2014-07-30 10:53:20"}', "foo2014-07-30")]),
    "regex": ("Regex", r"message.timestamp.input.pattern=ts=(\\d+)" + "\n", [
        ("a ts=1442960340123 c", "dt=2015-09-22"),
        ("ts=", None)]),
    "split": ("SplitByField", "message.split.field.name=type\n"
              "partitioner.granularity.hour=true\n", [
        ('{"type":"event1","timestamp":"1405911096000"}',
         "event1/dt=2014-07-21/hr=02"),
        ('{"type":5,"timestamp":"1405911096000"}', "5/dt=2014-07-21/hr=02"),
        ('{"type":"event1"}', None),
        ('{"type":null,"timestamp":"1405911096000"}', None),
        ('{"timestamp":"1405911096000"}', None)]),
    "offset": ("Offset", "secor.offsets.per.partition=2\n", [
        (m, f"offset={i - i % 2}") for i, m in enumerate("abcde")]),
    "kafka_time": ("Json", "kafka.useTimestamp=true\n", [
        ("garbage", "dt=2014-07-21")]),
}


@pytest.mark.parametrize("name", VECTORS)
def test_messages_go_where_the_original_put_them(name, tmp_path):
    parser, keys, vectors = VECTORS[name]
    old = tmp_path / "old.properties"
    old.write_text(
        f"secor.message.parser.class=com.pinterest.secor.parser.{parser}"
        f"MessageParser\n{keys}include={SAMPLES}/dev_backup.properties\n")
    new = tmp_path / "new.yaml"
    done = secor_command("migrate", old, "--output", new)
    assert done.returncode == 0, done.stderr
    env = {"HOME": str(tmp_path)}
    told = secor_command(
        "try", new, "--json", "--topic", "t", "--timestamp", "1405911096123",
        stdin="".join(f"{m}\n" for m, _ in vectors), env=env)
    got = [json.loads(x) for x in told.stdout.splitlines()]
    assert len(got) == len(vectors), told.stderr
    for one, (text, path) in zip(got, vectors):
        assert one.get("path") == path, (text, one)
        assert (path is None) == ("reject" in one)
