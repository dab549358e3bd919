"""The notifier hive-metastore against a metastore that asks for Kerberos, with
MIT's KDC, judged by Hive's own client with keys of its own: who has a ticket is
let in, whatever the calls are under; who has none waits and says why."""

import json
import re
import time

import pytest
from hive import SOON, Stored
from kerberos import REALM, Kerberos
from metastore import Metastore
from proxy import TcpProxy

SERVICE = f"hive/_HOST@{REALM}"


class Realm:
    """A KDC, keys of secor, and metastores by what their calls are under."""

    def __init__(self):
        self.kdc = Kerberos().start()
        self.keytab = self.kdc.keytab("secor")
        self.made = {}

    def metastore(self, protection):
        if protection not in self.made:
            self.made[protection] = Metastore(kerberos=self.kdc,
                                              protection=protection)
            self.made[protection].start()
        return self.made[protection]

    def options(self, **more):
        """Of the notifier; None takes one away."""
        all_ = {"service": SERVICE, "principal": f"secor@{REALM}",
                "keytab": str(self.keytab), **more}
        return {"kerberos": {k: v for k, v in all_.items() if v is not None}}

    def close(self):
        for m in self.made.values():
            m.close()
        self.kdc.close()


@pytest.fixture(scope="module")
def realm():
    made = Realm()
    yield made
    made.close()


@pytest.fixture
def stored(kafka, topic, group, secor, tmp_path, realm):
    """Its environment has no ticket."""
    def make(metastore, notifier, env=None):
        env = {**realm.kdc.env, "KRB5CCNAME": f"FILE:{tmp_path}/none",
               **(env or {})}
        return Stored(kafka, topic, group, secor, tmp_path, metastore,
                      notifier=notifier, env=env)
    return make


def keeps(s, values=3):
    s.produce([{"hour": i} for i in range(values)])
    s.wait_done()
    assert len(s.wait_there()) == values


def test_keytab_is_enough_where_calls_are_private(stored, realm):
    s = stored(realm.metastore("privacy"), realm.options())
    s.create()
    s.process.start()
    keeps(s)
    assert s.process.stop() == 0
    assert "notifier fails" not in s.process.text()


@pytest.mark.deep
@pytest.mark.parametrize("protection", ["authentication", "integrity"])
def test_calls_are_under_what_the_metastore_says(stored, realm, protection):
    s = stored(realm.metastore(protection),
               realm.options(protection=protection))
    s.create()
    s.process.start()
    keeps(s, 30)
    assert s.process.stop() == 0
    assert "notifier fails" not in s.process.text()


class Spy(TcpProxy):
    """Keeps what goes by."""

    def __init__(self, target_port):
        self.seen = b""
        super().__init__(target_port)

    def pass_on(self, pair, up, data):
        self.seen += data
        return super().pass_on(pair, up, data)


@pytest.mark.deep
@pytest.mark.parametrize("protection", ["integrity", "privacy"])
def test_private_calls_are_not_read_on_the_way(stored, realm, protection):
    metastore = realm.metastore(protection)
    way = Spy(metastore.port)
    try:
        s = stored(metastore, {**realm.options(),
                               "uris": f"thrift://127.0.0.1:{way.port}"})
        s.create()
        s.process.start()
        keeps(s)
        assert s.process.stop() == 0
        assert b"GSSAPI" in way.seen
        assert (s.table.encode() in way.seen) == (protection == "integrity")
    finally:
        way.close()


def told(s, options, **env):
    """Starts anew with these options of Kerberos, None: without it."""
    config = json.loads(s.process.config.read_text())
    config["notifiers"][0].pop("kerberos", None)
    config["notifiers"][0].update(options or {})
    s.process.reconfigure(config)
    s.process.start(env=env)


def fails(s, words):
    s.process.wait_for(rf"^warn .* notifier fails .*{words}", SOON)
    s.process.kill9()


def kinit(realm, life, env):
    realm.kdc.run(["kinit", "-l", life, "-k", "-t", realm.keytab,
                   f"secor@{REALM}"], env={**realm.kdc.own, **env})


@pytest.mark.deep
def test_ticket_of_the_environment_is_enough_while_it_lasts(
        stored, realm, tmp_path):
    env = {"KRB5CCNAME": f"FILE:{tmp_path}/tickets"}
    s = stored(realm.metastore("authentication"),
               realm.options(principal=None, keytab=None), env)
    s.create()
    s.produce([{"hour": i} for i in range(3)])
    s.process.start()
    fails(s, r"no ticket: .*\(get a ticket by kinit")
    kinit(realm, "1s", env)
    end = time.monotonic() + SOON
    while realm.kdc.spawn(["klist", "-s"],
                          env={**realm.kdc.own, **env}).wait() == 0:
        assert time.monotonic() < end, "the ticket lasts"
        time.sleep(0.2)
    s.process.start()
    fails(s, r"expired")
    kinit(realm, "1h", env)
    s.process.start()
    keeps(s)
    assert s.process.stop() == 0


@pytest.mark.deep
def test_who_is_not_let_in_waits_and_says_why(stored, realm):
    """One notifier, told one wrong thing after the other, and then what is
    right: nothing is lost."""
    metastore = realm.metastore("authentication")
    other = realm.kdc.keytab("someone/127.0.0.1")
    old = realm.kdc.keytab("changed")
    realm.kdc.run(["kadmin.local", "-q", "cpw -randkey changed"],
                  env=realm.kdc.own)
    s = stored(metastore, realm.options())
    s.create()
    s.produce([{"hour": i} for i in range(3)])
    for options, words in (
            (None, "a metastore with Kerberos does so"),
            (realm.options(service=f"hive/nobody@{REALM}"),
             r"hive/nobody@\S+ not found in Kerberos database \(kerberos.serv"),
            (realm.options(service=f"someone/127.0.0.1@{REALM}"),
             "the metastore refuses: "),
            (realm.options(principal=f"stranger@{REALM}"),
             "keytab .*: No key table entry found for stranger"),
            (realm.options(keytab=str(other)), "No key table entry found"),
            (realm.options(keytab=str(old), principal=f"changed@{REALM}"),
             r"no ticket: .*\(the keytab is not of now"),
            (realm.options(protection="privacy"),
             "offers authentication, kerberos.protection wants privacy")):
        told(s, options)
        fails(s, words)
    told(s, realm.options(), KRB5_CONFIG="/dev/null")
    fails(s, "Kerberos: ")
    assert s.there() == {}
    told(s, realm.options())
    keeps(s)
    assert s.process.stop() == 0


@pytest.mark.deep
def test_metastore_without_kerberos_is_said(stored, realm, metastore):
    s = stored(metastore, {**realm.options(), "connect_timeout": "3s"})
    s.create()
    s.produce([{"hour": 0}])
    s.process.start()
    fails(s, "does it have hive.metastore.sasl.enabled")
    told(s, None)
    keeps(s)
    assert s.process.stop() == 0


@pytest.mark.deep
def test_tickets_are_got_anew_by_the_keytab(stored, realm):
    """A ticket lasts for seconds; the connection is cut when it is over."""
    metastore = realm.metastore("privacy")
    keytab = realm.kdc.keytab("brief")
    realm.kdc.run(["kadmin.local", "-q", "modprinc -maxlife 4s brief"],
                  env=realm.kdc.own)
    way = TcpProxy(metastore.port)
    try:
        s = stored(metastore, {
            **realm.options(principal=f"brief@{REALM}", keytab=str(keytab)),
            "uris": f"thrift://127.0.0.1:{way.port}"})
        s.create()
        s.process.start()
        for n in range(3):
            keeps_more(s, n)
            time.sleep(5)  # the ticket is over, whatever the machine does
            way.cut()
        keeps_more(s, 3)
        assert s.process.stop() == 0
        tries = re.findall(r"AS_REQ .*ISSUE.* brief@",
                           (realm.kdc.dir / "kdc.log").read_text())
        assert len(tries) >= 4
    finally:
        way.close()


def keeps_more(s, hour):
    s.produce([{"hour": hour}])
    s.wait_done()
    assert len(s.wait_there()) == hour + 1
