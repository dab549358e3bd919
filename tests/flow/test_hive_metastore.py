"""The notifier hive-metastore against a real metastore, judged by Hive's own
client: every path is one partition, where its objects are, with what is in it,
whatever dies meanwhile."""

import json
import random
import re
import time

import kafka as clients
import proof
import pytest
from flow import BEGIN, Beside
from hive import SOON, Stored
from metastore import Metastore
from proxy import TcpProxy
from servers import free_ports
from watch import wait_metric


@pytest.fixture
def stored(kafka, topic, group, secor, tmp_path):
    def make(metastore, **more):
        return Stored(kafka, topic, group, secor, tmp_path, metastore, **more)
    return make


@pytest.fixture
def own_metastore():
    """A factory of metastores of the test's own."""
    made = []

    def make(secure=False):
        made.append(Metastore(secure))
        return made[-1].start()
    yield make
    for m in made:
        m.close()


HOSTILE = ["x'); DROP TABLE t; --", "'", '"', "\\", "a\nb", ";", "`",
           "${hiveconf:x}", "a/b", "gr\u00fc\u00df \u20ac", "\x01", "NULL", "..",
           "100%", "%2F", "a=b", " b ", "*", None, "\U0001f4a5"]


def test_each_path_is_a_partition_with_what_is_in_it(stored, metastore):
    s = stored(metastore, partitioner=[
        {"use": "field", "fields": ["country"], "missing": "default"},
        {"use": "date", "granularity": "hour"}])
    s.create(["country", "dt", "hr"])
    # one is there already, of somebody else
    day = time.strftime("%Y-%m-%d", time.gmtime(BEGIN / 1000))
    hour = time.strftime("%H", time.gmtime(BEGIN / 1000))
    foreign = ("a/b", day, hour)
    place = f"file:{s.tree.root}/{s.topic}/country=a%2Fb/dt={day}/hr={hour}"
    metastore.ask("add", db="default", table=s.table, values=foreign,
                  location=place, parameters={"of": "rig", "numRows": "7"})
    before = metastore.partitions(s.table)[foreign]
    s.process.start()
    s.produce([{"country": c, "hour": h} for h in (0, 1) for c in HOSTILE * 2])
    s.wait_done()
    want = s.wait_there()
    assert len(want) == 2 * len(HOSTILE)
    assert wait_metric(s.process, "secor_hive_metastore_partitions_total",
                       len(want) - 1) == len(want) - 1
    # late data
    s.produce([{"country": c, "hour": 1} for c in HOSTILE[:3]])
    s.wait_done()
    assert s.wait_there() != want
    assert s.process.stop() == 0
    after = metastore.partitions(s.table)[foreign]
    assert after["createTime"] == before["createTime"]
    assert after["parameters"]["of"] == "rig"
    assert after["sd"] == before["sd"]
    table = metastore.ask("table", db="default", table=s.table)
    for p in metastore.partitions(s.table).values():
        assert {**p["sd"], "location": None} == {
            **table["sd"], "location": None}
    assert "refuses" not in s.process.text()


@pytest.mark.deep
def test_metastore_that_is_away_gets_all_partitions_later(stored, metastore):
    nobody, = free_ports(1)
    way = TcpProxy(metastore.port)
    try:
        s = stored(metastore, notifier={
            "uris": [f"thrift://127.0.0.1:{nobody}",
                     f"thrift://127.0.0.1:{way.port}"],
            "connect_timeout": "5s", "timeout": "5s", "user": "secor"})
        s.create()
        way.refuse()
        s.process.start()
        s.produce([{"hour": i % 8} for i in range(80)])
        s.wait_done()
        s.process.wait_for("^warn .* notifier fails notifier=hive-metastore")
        s.process.wait_for("^warn .* path not finalized")
        assert s.there() == {}
        s.process.kill9()
        # cut behind so many bytes of an answer: what came of it is not known
        way.reset_after(down=40)
        way.refuse(False)
        s.process.start()
        end = time.monotonic() + SOON
        while way.cuts < 2:
            assert time.monotonic() < end, "nobody asks"
            time.sleep(0.1)
        way.reset_after()
        s.wait_there()
        assert s.process.stop() == 0
        assert "refuses" not in s.process.text()
    finally:
        way.close()


def test_what_does_not_fit_is_refused_and_named(
        stored, metastore, topic, kafka, group):
    """Three topics of one service: keys in another order, a partition that is
    elsewhere, and a table that is not there, which is made."""
    other, fresh = topic(), topic()
    names = {n: "t_" + n.replace("-", "_") for n in (other, fresh)}
    s = stored(metastore, notifier={})
    config = json.loads(s.process.config.read_text())
    config["kafka"]["topics"] = [s.topic, other, fresh]
    config["notifiers"][0].update(
        tables={s.topic: s.table, **names}, create_table=True,
        stored_as="sequencefile", serde_parameters={"field.delim": "|"},
        columns={"zeta": "bigint", "alpha": "array<string>",
                 "m": "struct<a:int,b:string>"})
    s.process.reconfigure(config)
    s.create(["hr", "dt"])
    metastore.table(names[other], ["dt", "hr"], f"file:{s.tree.root}/{other}")
    day, hour = time.strftime("%Y-%m-%d %H",
                              time.gmtime(BEGIN / 1000)).split()
    metastore.ask("add", db="default", table=names[other],
                  values=[day, hour], location="file:/else/where",
                  parameters={})
    s.process.start()
    value = json.dumps({"id": 0, "time": BEGIN}).encode()
    for name in (s.topic, other, fresh):
        clients.produce(kafka.address, name, [(0, None, value)])
    lines = {name: s.process.wait_for(
        rf"^error .* notifier refuses a path .*topic={name}\b.*hr=.*")[0]
        for name in (s.topic, other)}
    assert re.search(r"partition keys \(hr/dt\)", lines[s.topic])
    assert "/else/where" in lines[other]
    assert f"{s.tree.root}/{other}/dt={day}/hr={hour}" in lines[other]
    s.process.wait_for(rf"path finalized topic={fresh} path=dt=\S+/hr=")
    assert s.process.stop() == 0
    assert s.there() == {}
    assert [p["sd"]["location"] for p in
            metastore.partitions(names[other]).values()] == ["file:/else/where"]
    made = metastore.ask("table", db="default", table=names[fresh])
    assert [(c["name"], c["type"]) for c in made["sd"]["cols"]] == [
        ("zeta", "bigint"), ("alpha", "array<string>"),
        ("m", "struct<a:int,b:string>")]
    assert [(k["name"], k["type"]) for k in made["partitionKeys"]] == [
        ("dt", "string"), ("hr", "string")]
    assert made["sd"]["location"] == f"file:{s.tree.root}/{fresh}"
    assert made["tableType"] == "EXTERNAL_TABLE"
    assert made["sd"]["inputFormat"].endswith("SequenceFileInputFormat")
    assert made["sd"]["serdeInfo"]["parameters"] == {"field.delim": "|"}
    assert list(metastore.partitions(names[fresh])) == [(day, hour)]


class Ups(Beside):
    """Kills the metastore and starts it again."""

    def __init__(self, metastore, down_s, up_s, seed):
        super().__init__()
        self.metastore, self.rng = metastore, random.Random(seed)
        self.down_s, self.up_s = down_s, up_s
        self.times = 0

    def go_on(self):
        while not self.over.is_set():
            self.metastore.kill9()
            self.over.wait(self.rng.uniform(*self.down_s))
            self.metastore.start()
            self.times += 1
            self.over.wait(self.rng.uniform(*self.up_s))


@pytest.mark.deep
@pytest.mark.timeout(1200)
def test_no_path_is_forgotten_while_everything_is_killed(
        stored, own_metastore):
    """1,000 hours of two Kafka partitions; kill -9 of the service at any
    moment, and a metastore that is away for a minute and more."""
    hours, rounds, rng = 1000, 10, random.Random(7)
    hive = own_metastore()
    s = stored(hive, finalize={"delay": "10m", "interval": "1s",
                               "lookback": "60d"})
    s.create()
    s.process.start()
    with Ups(hive, (20, 75), (5, 15), 7) as ups:
        for n in range(rounds):
            per = hours // rounds
            s.produce([{"hour": -(n * per + i % per)} for i in range(4 * per)])
            time.sleep(rng.uniform(1, 12))
            s.process.kill9()
            s.process.start()
        s.wait_done(240)
        while ups.times < 3:
            time.sleep(1)
    s.process.kill9()
    s.process.start()
    s.wait_there(300)
    assert len(s.wanted()) == hours
    assert s.process.stop() == 0
    proof.assert_exactly_once(range(s.sent), s.tree)


@pytest.mark.deep
def test_metastore_and_service_are_killed_and_no_path_is_forgotten(
        stored, own_metastore):
    """Through TLS and frames. Who is not vouched for is told nothing."""
    hive = own_metastore(secure=True)
    s = stored(hive, notifier={"timeout": "5s", "tls": True, "framed": True,
                               "ca_file": str(hive.tls / "rogue.pem")})
    s.create()
    s.process.start()
    s.produce([{"hour": -i % 30} for i in range(120)])
    s.process.wait_for("^warn .* notifier fails .*TLS: unable to get local "
                       "issuer certificate")
    s.process.kill9()
    assert s.there() == {}
    config = json.loads(s.process.config.read_text())
    config["notifiers"][0]["ca_file"] = str(hive.tls / "ca.pem")
    s.process.reconfigure(config)
    s.process.start()
    s.process.wait_for("hive partition added")
    hive.kill9()
    s.produce([{"hour": 30 + i % 10} for i in range(40)])
    s.wait_done()
    s.process.kill9()
    s.process.start()
    s.process.wait_for("^warn .* (notifier fails|path not finalized)")
    hive.start()
    s.wait_there()
    assert len(s.wanted()) == 40
    assert s.process.stop() == 0
