"""A Hive metastore, and Hive's own client of it as an independent judge."""

import contextlib

from hadoop import classes
from jvm import Jvm, log4j
from kerberos import REALM
from secure import openssl, make_certificates
from servers import CACHE, HERE, JVM, RigError, Server, _listens, free_ports

LIBS = CACHE / "hive" / "libs"

SITE = """\
<configuration>
<property><name>javax.jdo.option.ConnectionURL</name>
 <value>jdbc:derby:;databaseName={dir}/db;create=true</value></property>
<property><name>javax.jdo.option.ConnectionDriverName</name>
 <value>org.apache.derby.jdbc.EmbeddedDriver</value></property>
<property><name>datanucleus.schema.autoCreateAll</name>
 <value>true</value></property>
<property><name>metastore.schema.verification</name>
 <value>false</value></property>
<property><name>metastore.warehouse.dir</name>
 <value>file:{dir}/warehouse</value></property>
<property><name>metastore.warehouse.external.dir</name>
 <value>file:{dir}/external</value></property>
<property><name>metastore.expression.proxy</name>
 <value>org.apache.hadoop.hive.metastore.DefaultPartitionExpressionProxy</value>
</property>
<property><name>metastore.task.threads.always</name>
 <value>org.apache.hadoop.hive.metastore.events.EventCleanerTask</value>
</property>
<property><name>metastore.task.threads.remote</name><value></value></property>
<property><name>metastore.thrift.bind.host</name>
 <value>127.0.0.1</value></property>
<property><name>metastore.event.db.notification.api.auth</name>
 <value>false</value></property>
{more}</configuration>
"""


def _rows(properties):
    return "".join(
        f"<property><name>{k}</name><value>{v}</value></property>\n"
        for k, v in properties.items())


class HiveClient(Jvm):
    """Hive's Java client, one JVM for as long as it is used: every question is
    a call by name, judge("partitions", db="default", table="t"). `login`: its
    principal and the keytab of that; `more` are arguments of java."""

    def __init__(self, uri, folder, login=(), more=()):
        super().__init__(
            "Hive's client", ["-Xmx128m", *more, "-cp", f"{folder}/conf:"
                              f"{classes(HERE / 'java' / 'hive', LIBS)}:"
                              f"{LIBS}/*", "HiveClient", uri,
                              *map(str, login)],
            folder / "client.log")

    def ask(self, what, **more):
        """The answer, or RigError with the name of Hive's exception."""
        said = super().ask({"do": what, **more}, what)
        if "error" in said:
            raise RigError(f"{said['error']}: {said['text']}")
        return said["ok"]


class Metastore(Server):
    """Hive's metastore on Derby. `ask` is its own client, see HiveClient;
    tables of tests have names of their own. secure=True: TLS, by the authority
    self.tls/ca.pem, and framed transport. kerberos: a rig's Kerberos that it and
    its client log in to, with Hadoop's rpc protection."""

    name = "metastore"

    def __init__(self, secure=False, kerberos=None,
                 protection="authentication"):
        super().__init__()
        self.port, = free_ports(1)
        self.uri = f"thrift://127.0.0.1:{self.port}"
        self.client = None
        conf = self.dir / "conf"
        conf.mkdir()
        self.java, self.login = [], ()
        properties = self._secure() if secure else {}
        if kerberos:
            properties.update(self._guarded(kerberos))
            (conf / "core-site.xml").write_text(
                "<configuration>\n" + _rows({
                    "hadoop.security.authentication": "kerberos",
                    "hadoop.rpc.protection": protection,
                }) + "</configuration>\n")
        (conf / "metastore-site.xml").write_text(SITE.format(
            dir=self.dir, more=_rows(properties)))
        self.log4j = log4j(conf, "warn")

    def _secure(self):
        self.tls = self.dir / "tls"
        make_certificates(self.tls)
        keys, trust = self.tls / "keys.p12", self.tls / "trust.p12"
        openssl("pkcs12", "-export", "-out", keys, "-passout", "pass:secret",
                 "-inkey", self.tls / "broker.key",
                 "-in", self.tls / "broker.pem")
        self.run(["keytool", "-importcert", "-noprompt", "-alias", "ca",
                  "-file", self.tls / "ca.pem", "-keystore", trust,
                  "-storetype", "PKCS12", "-storepass", "secret"])
        return {"metastore.use.SSL": "true",
                "metastore.thrift.framed.transport.enabled": "true",
                "metastore.keystore.path": keys,
                "metastore.keystore.type": "PKCS12",
                "metastore.keystore.password": "secret",
                "metastore.truststore.path": trust,
                "metastore.truststore.type": "PKCS12",
                "metastore.truststore.password": "secret"}

    def _guarded(self, kerberos):
        self.java = [f"-Djava.security.krb5.conf={kerberos.conf}"]
        self.login = f"judge@{REALM}", kerberos.keytab("judge")
        return {"metastore.sasl.enabled": "true",
                "metastore.kerberos.principal": f"hive/127.0.0.1@{REALM}",
                "metastore.kerberos.keytab.file":
                    kerberos.keytab("hive/127.0.0.1")}

    def start(self):
        # a lock of a Derby that was killed is not one
        with contextlib.suppress(FileNotFoundError):
            (self.dir / "db" / "db.lck").unlink()
        self.process = self.spawn(
            [*JVM, *self.java, "-Xmx384m",
             f"-Dderby.stream.error.file={self.dir}/derby.log",
             self.log4j,
             "-cp", f"{self.dir}/conf:{LIBS}/*",
             "org.apache.hadoop.hive.metastore.HiveMetaStore",
             "-p", self.port])
        self.wait_ready(lambda: _listens(self.port))
        return self

    def ask(self, what, **more):
        """A question to Hive's client, at this server."""
        if self.client is None:
            self.client = HiveClient(self.uri, self.dir, self.login,
                                     self.java)
        return self.client.ask(what, **more)

    def table(self, name, keys, location, db="default"):
        """Creates an external table of text, partitioned by `keys`."""
        self.ask("create_table", db=db, table=name, location=location,
                 columns={"line": "string"}, keys=dict.fromkeys(keys, "string"))

    def partitions(self, table, db="default"):
        """{values: partition as Thrift has it}; RigError if one is there
        twice."""
        rows = self.ask("partitions", db=db, table=table)
        found = {tuple(r["values"]): r for r in rows}
        if len(found) != len(rows):
            raise RigError(f"partitions of {table} that are there twice: "
                           f"{[r['values'] for r in rows]}")
        return found

    def _forget_client(self):
        if self.client:
            self.client.close()
            self.client = None

    def stop(self, timeout=90):
        self._forget_client()
        super().stop(timeout)

    def kill9(self):
        self._forget_client()
        super().kill9()

    def close(self):
        self._forget_client()
        super().close()
