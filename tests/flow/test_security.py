"""TLS, SASL and tokens against a real Kafka: what is set up rightly works, in
the service and in the tools; what is not is a wait that says why."""

import json
import re
import ssl

import fetching
import kafka as clients
import proof
import pytest
from confluent_kafka.admin import (AdminClient, ScramCredentialInfo,
                                   ScramMechanism,
                                   UserScramCredentialUpsertion)
from flow import wait_done
from kerberos import REALM, Kerberos, KerberosKafka
from secor import base_config, secor_command, who_reads
from secure import SecureKafka
from servers import wait_until
from tokens import MSK, Provider, TokenKafka

TOPIC = "guarded"
MSK_ENV = {"AWS_ACCESS_KEY_ID": MSK["access_key"],
           "AWS_SECRET_ACCESS_KEY": MSK["secret_key"],
           "AWS_SESSION_TOKEN": MSK["session_token"],
           "AWS_REGION": MSK["region"]}


@pytest.fixture(scope="module")
def guard():
    """The broker, with a topic of 40 messages."""
    with TokenKafka() as broker:
        clients.create_topic(broker.address, TOPIC, 1)
        clients.produce_json(broker.address, TOPIC, 40)
        yield broker


def config(broker, listener, group, topic=TOPIC, tls=None, sasl=None, **more):
    kafka = {"session_timeout": "10s",
             "properties": {"reconnect.backoff.max.ms": 500}}
    if tls is not None:
        kafka["tls"] = {"ca": str(broker.tls / "ca.pem"), **tls}
    if sasl is not None:
        kafka["sasl"] = sasl
    return base_config(broker.address_of(listener), group, topic, kafka=kafka,
                       **more)


def plain(password="alice-secret"):
    return {"mechanism": "PLAIN", "username": "alice", "password": password}


def scram(bits, password="bob-secret"):
    return {"mechanism": f"SCRAM-SHA-{bits}", "username": "bob",
            "password": password}


def client_files(broker, name="client"):
    (broker.tls / f"{name}.key").chmod(0o600)
    return {"certificate": str(broker.tls / f"{name}.pem"),
            "key": str(broker.tls / f"{name}.key")}


def run_whole(broker, process, group, into=None, fetch=None):
    """All of TOPIC is stored, and the tools see it. `into`: and told there.
    `fetch`: who reads."""
    fetch = fetch or who_reads()
    process.start()
    process.wait_for(rf"joins the group .*\bfetch={fetch}\b")
    wait_done(broker.address, group, TOPIC, 1)
    if into:
        wait_until("events", lambda: told(broker, into) == 40, 90)
    assert process.stop() == 0
    proof.assert_exactly_once(list(range(40)),
                              proof.LocalTree(process.dir / "out"))
    done = secor_command("verify", "--kafka", process.config, cwd=process.dir,
                         env=process.env)
    assert done.returncode == 0, done.stdout + done.stderr


def keystore(broker):
    """Certificate and key of the client in one PKCS#12 file."""
    path = broker.tls / "client.p12"
    if not path.exists():
        broker.run(["openssl", "pkcs12", "-export", "-passout", "pass:p12-pass",
                    "-in", broker.tls / "client.pem", "-inkey",
                    broker.tls / "client.key", "-out", path])
        path.chmod(0o600)
    return {"keystore": str(path), "keystore_password": "p12-pass"}


def locked(broker):
    """The client's key behind a password."""
    path = broker.tls / "locked.key"
    if not path.exists():
        broker.run(["openssl", "pkcs8", "-topk8", "-passout", "pass:key-pass",
                    "-in", broker.tls / "client.key", "-out", path])
        path.chmod(0o600)
    return {**client_files(broker), "key": str(path),
            "key_password": "key-pass"}


WAYS = {
    "tls-both-sides": lambda b: ("SSL", client_files(b), None),
    "tls-keystore": lambda b: ("SSL", keystore(b), None),
    "tls-key-password": lambda b: ("SSL", locked(b), None),
    "tls-plain": lambda b: ("SASL_SSL", {}, plain()),
    "tls-scram-256": lambda b: ("SASL_SSL", {}, scram(256)),
    "scram-512": lambda b: ("SASL_PLAIN", None, scram(512)),
    # the stand-in judges the token as Amazon describes it
    "msk": lambda b: ("MSK", None, {"mechanism": "AWS_MSK_IAM"}),
}


def test_secure_kafka_lets_in_whom_it_should(guard):
    broker = guard
    alice = {"sasl_mechanism": "PLAIN", "sasl_username": "alice",
             "sasl_password": "alice-secret"}
    bob = {"sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "bob",
           "sasl_password": "bob-secret"}
    assert clients.joins(broker.client("SSL"))
    assert clients.joins(broker.client("SASL_PLAIN", **alice))
    assert clients.joins(broker.client("SASL_SSL", **bob))
    rogue = str(broker.tls / "rogue.pem")
    assert not clients.joins(broker.client("SSL", ssl_ca_location=rogue))
    assert not clients.joins(broker.client("SSL", ssl_certificate_location=None,
                                    ssl_key_location=None))
    bob["sasl_password"] = "wrong"
    assert not clients.joins(broker.client("SASL_SSL", **bob))


def enter(broker, group, secor, way):
    listener, tls, sasl = WAYS[way](broker)
    into = clients.create_topic(broker.address, f"{group}-events", 1)
    run_whole(broker, secor(
        config(broker, listener, group, tls=tls, sasl=sasl, notifiers=[
            {"use": "kafka", "topic": into, "events": ["batch"]}]),
        MSK_ENV, way), group, into)


def test_certificate_password_and_token_let_the_service_in(
        guard, group, secor):
    for way in ("tls-both-sides", "tls-scram-256", "msk"):
        enter(guard, f"{group}-{way}", secor, way)


@pytest.mark.deep
@pytest.mark.parametrize("way", WAYS)
def test_way_in_works_for_service_and_tools(guard, group, secor, way):
    enter(guard, group, secor, way)


WRONG = {
    "rogue-certificate": (
        lambda b: ("SSL", client_files(b, "rogue"), None),
        "code=_SSL|code=_ALL_BROKERS_DOWN|handshake"),
    "unknown-authority": (
        lambda b: ("SASL_SSL", {"ca": str(b.tls / "rogue.pem")}, plain()),
        "certificate verify failed"),
    "no-certificate": (
        lambda b: ("SSL", {}, None), "bad certificate|certificate required"),
    "wrong-password": (
        lambda b: ("SASL_SSL", {}, scram(512, "not-bobs")),
        "code=_AUTHENTICATION .*Authentication failed"),
    "no-tls": (
        lambda b: ("SASL_SSL", None, plain()), "Disconnected|down"),
}


@pytest.mark.deep
@pytest.mark.parametrize("wrong", WRONG)
def test_wrong_way_in_is_a_wait_that_says_why(guard, group, secor, wrong):
    how, says = WRONG[wrong]
    listener, tls, sasl = how(guard)
    process = secor(config(guard, listener, group, tls=tls, sasl=sasl))
    process.start()
    process.wait_for(f"^(warn|error) .*({says})")
    assert process.running()
    assert process.stop() == 0
    assert "not-bobs" not in process.text()


def tokens_config(broker, provider, group, topic):
    return config(
        broker, "OAUTH", group, topic, sasl={"mechanism": "OAUTHBEARER"},
        token={"use": "oidc", "endpoint": provider.url, "client_id": "secor",
               "client_secret": "${OIDC_SECRET}", "scope": "kafka",
               "parameters": {"audience": "a b"},
               "extensions": {"poolId": "p1"}})


OIDC_ENV = {"OIDC_SECRET": "s3cret of+oidc"}


def test_tokens_of_a_provider_are_renewed(guard, group, secor):
    topic = clients.create_topic(guard.address, "renewed", 1)
    with Provider(guard.signer, "secor", OIDC_ENV["OIDC_SECRET"],
                  3) as provider:
        provider.failing = 401, {"error": "invalid_client",
                                 "error_description": "nobody yet"}
        process = secor(tokens_config(guard, provider, group, topic),
                        env=OIDC_ENV)
        process.start()
        process.wait_for("^error .*token not fetched source=oidc .*HTTP 401 "
                         "invalid_client: nobody yet")
        ids = clients.produce_json(guard.address, topic, 50)
        provider.failing = None
        process.wait_for("^info .*token fetched source=oidc principal=secor")
        process.wait_for(
            rf"joins the group .*\bfetch={who_reads()}\b")
        provider.wait_given(2)
        ids += clients.produce_json(guard.address, topic, 50, first_id=50)
        wait_done(guard.address, group, topic, 1)
        assert process.stop() == 0
        for args in (("offsets", "show"), ("verify", "--kafka")):
            done = secor_command(*args, process.config, cwd=process.dir,
                                 env=process.env)
            assert done.returncode == 0, done.stdout + done.stderr
    proof.assert_exactly_once(ids, proof.LocalTree(process.dir / "out"))
    assert provider.asked[0] == {"grant_type": "client_credentials",
                                 "scope": "kafka", "audience": "a b"}
    for secret in ("s3cret", *provider.given):
        assert secret not in process.text()


@pytest.mark.deep
def test_events_are_written_with_the_tokens_of_the_service(
        guard, group, secor):
    topic = clients.create_topic(guard.address, "told", 1)
    into = clients.create_topic(guard.address, "told-events", 1)
    with Provider(guard.signer, "secor", OIDC_ENV["OIDC_SECRET"],
                  2) as provider:
        settings = tokens_config(guard, provider, group, topic)
        settings["notifiers"] = [{"use": "kafka", "topic": into,
                                  "events": ["batch"], "timeout": "60s"}]
        process = secor(settings, env=OIDC_ENV)
        process.start()
        sent = 0
        for _ in range(2):
            # its tokens expire, and are renewed while it is told nothing
            provider.wait_given(len(provider.given) + 3 if sent else 0)
            sent += len(clients.produce_json(guard.address, topic, 50,
                                             first_id=sent))
            wait_until("events", lambda: told(guard, into) == sent, 90)
        assert process.stop() == 0
    assert "notifier fails" not in process.text()
    assert all(t not in process.text() for t in provider.given)


def told(broker, topic):
    """Messages in the batches that events are about, each once."""
    ends = {0: clients.watermarks(broker.address, topic)[1]}
    events = [json.loads(value) for *_, value in clients.read_all(
        broker.address, topic, ends)]
    return sum(e["messages"] for e in {e["id"]: e for e in events}.values())


@pytest.mark.deep
def test_token_expires_while_the_provider_is_down(guard, group, secor):
    topic = clients.create_topic(guard.address, "expired", 1)
    with Provider(guard.signer, "secor", OIDC_ENV["OIDC_SECRET"],
                  4) as provider:
        process = secor(tokens_config(guard, provider, group, topic),
                        env=OIDC_ENV)
        process.start()
        ids = clients.produce_json(guard.address, topic, 50)
        wait_done(guard.address, group, topic, 1)
        provider.failing = 503, {}
        process.wait_for("^error .*token not fetched .*HTTP 503. left_s=0")
        process.wait_for("^error .*code=_AUTHENTICATION .*invalid_token")
        ids += clients.produce_json(guard.address, topic, 50, first_id=50)
        provider.failing = None
        wait_done(guard.address, group, topic, 1)
        assert process.stop() == 0
    # once a change, however often it is tried
    assert len(re.findall("^error .*token not fetched", process.text(),
                          re.M)) == 1
    proof.assert_exactly_once(ids, proof.LocalTree(process.dir / "out"))


@pytest.mark.deep
def test_tokens_over_tls_from_a_provider_of_ones_own_authority(
        guard, group, secor):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(guard.tls / "broker.pem", guard.tls / "broker.key")
    with Provider(guard.signer, "secor", OIDC_ENV["OIDC_SECRET"], 60,
                  context) as provider:
        made = tokens_config(guard, provider, group, TOPIC)
        process = secor(made, env=OIDC_ENV)
        process.start()
        process.wait_for("^error .*token not fetched .*certificate")
        assert process.stop() == 0
        assert not provider.given
        made["token"]["ca_file"] = str(guard.tls / "ca.pem")
        process.reconfigure(made)
        run_whole(guard, process, group)


@pytest.mark.deep
def test_wrong_secret_for_msk_is_a_wait_that_says_why(guard, group, secor):
    process = secor(
        config(guard, "MSK", group, sasl={"mechanism": "AWS_MSK_IAM"}),
        env={**MSK_ENV, "AWS_SECRET_ACCESS_KEY": "another"})
    process.start()
    process.wait_for("^error .*code=_AUTHENTICATION .*invalid_token")
    assert process.stop() == 0


def change_password(broker, password):
    mechanism = ScramMechanism.SCRAM_SHA_512
    admin = AdminClient({"bootstrap.servers": broker.address})
    for done in admin.alter_user_scram_credentials([
            UserScramCredentialUpsertion(
                "bob", ScramCredentialInfo(mechanism, 4096),
                password.encode())]).values():
        done.result(60)


@pytest.mark.deep
@pytest.mark.parametrize("way", fetching.WAYS)
def test_password_that_is_wrong_for_a_while_delays_and_loses_nothing(
        own_kafka, group, secor, way):
    """Changed under a process that reads; the broker ends its connections."""
    broker = own_kafka(kind=SecureKafka)
    topic = clients.create_topic(broker.address, "relocked", 1)
    made = config(broker, "SASL_SSL", group, topic, tls={}, sasl=scram(512))
    made["kafka"]["fetch"] = way
    process = secor(made)
    process.start()
    process.wait_for(rf"joins the group .*\bfetch={way}\b")
    ids = clients.produce_json(broker.address, topic, 50)
    wait_done(broker.address, group, topic, 1)
    change_password(broker, "another")
    broker.restart()
    process.wait_for("^error .*code=_AUTHENTICATION .*Authentication failed")
    ids += clients.produce_json(broker.address, topic, 50, first_id=50)
    change_password(broker, "bob-secret")
    wait_done(broker.address, group, topic, 1)
    assert process.stop() == 0
    assert "bob-secret" not in process.text()
    proof.assert_exactly_once(ids, proof.LocalTree(process.dir / "out"))


# ---- Kerberos ----

@pytest.fixture(scope="module")
def realm():
    """(KDC, broker, keytab of secor), with a topic of 40 messages."""
    with Kerberos() as kerberos:
        keytab = kerberos.keytab("secor")
        with KerberosKafka(kerberos) as broker:
            clients.create_topic(broker.address, TOPIC, 1)
            clients.produce_json(broker.address, TOPIC, 40)
            yield kerberos, broker, keytab


def kerberos_config(broker, group, keytab, **sasl):
    return base_config(
        broker.address_of("KRB"), group, TOPIC,
        kafka={"session_timeout": "10s",
               "sasl": {"mechanism": "GSSAPI", "principal": f"secor@{REALM}",
                        "keytab": str(keytab), **sasl}})


@pytest.mark.deep
def test_kerberos_works_for_service_and_tools(realm, group, secor):
    kerberos, broker, keytab = realm
    run_whole(broker, secor(kerberos_config(broker, group, keytab),
                            env=kerberos.env), group, fetch="librdkafka")


@pytest.mark.deep
def test_kerberos_ticket_of_somebody_elses_care_is_enough(
        realm, group, secor):
    kerberos, broker, keytab = realm
    broker.run(["kinit", "-k", "-t", keytab, f"secor@{REALM}"],
               env=kerberos.own)
    made = kerberos_config(broker, group, keytab)
    made["kafka"]["sasl"] = {"mechanism": "GSSAPI"}
    run_whole(broker, secor(made, env=kerberos.env), group,
              fetch="librdkafka")


@pytest.mark.deep
def test_wrong_keytab_is_a_wait_that_says_why(realm, group, secor, tmp_path):
    kerberos, broker, _ = realm
    other = kerberos.keytab("stranger")
    env = {**kerberos.env, "KRB5CCNAME": f"FILE:{tmp_path}/none"}
    process = secor(kerberos_config(broker, group, other), env=env)
    process.start()
    process.wait_for("^(warn|error) .*(SASLREFRESH|code=_AUTHENTICATION)")
    assert process.running()
    assert process.stop() == 0
