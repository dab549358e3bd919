"""A Kerberos realm of the tests' own, and a Kafka that asks for its tickets.

MIT's KDC on a free port of 127.0.0.1, all its files in the server's folder; the
broker's listener KRB takes GSSAPI. `Kerberos.env` is what a client needs.
"""

import os
import socket

from servers import Kafka, Server, SYSTEM_PATH, free_ports

REALM = "RIG.TEST"


def _listens(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


class Kerberos(Server):
    name = "krb5kdc"

    def __init__(self):
        super().__init__()
        self.port = free_ports(1)[0]
        self.conf = self.dir / "krb5.conf"
        # Java's parser wants the realms in many lines
        self.conf.write_text(f"""\
[libdefaults]
 default_realm = {REALM}
 dns_lookup_kdc = false
 dns_lookup_realm = false
 dns_canonicalize_hostname = false
 rdns = false
 udp_preference_limit = 1
[realms]
 {REALM} = {{
  kdc = 127.0.0.1:{self.port}
 }}
""")
        (self.dir / "kdc.conf").write_text(f"""\
[kdcdefaults]
 kdc_listen = 127.0.0.1:{self.port}
 kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
 {REALM} = {{
  database_name = {self.dir}/principal
  key_stash_file = {self.dir}/stash
  acl_file = {self.dir}/acl
 }}
[logging]
 kdc = FILE:{self.dir}/kdc.log
""")
        self.env = {"KRB5_CONFIG": str(self.conf),
                    "KRB5CCNAME": f"FILE:{self.dir}/tickets"}
        self.own = {**os.environ, **self.env, "PATH": SYSTEM_PATH,
                    "KRB5_KDC_PROFILE": str(self.dir / "kdc.conf")}

    def keytab(self, principal):
        """A new principal; the file of its keys."""
        path = self.dir / (principal.replace("/", "-") + ".keytab")
        for query in (f"addprinc -randkey {principal}",
                      f"ktadd -k {path} {principal}"):
            self.run(["kadmin.local", "-q", query], env=self.own)
        return path

    def start(self):
        if not (self.dir / "stash").exists():
            self.run(["kdb5_util", "create", "-s", "-P", "master"],
                     env=self.own)
        self.process = self.spawn(["krb5kdc", "-n"], env=self.own)
        self.wait_ready(lambda: _listens(self.port))
        return self


class KerberosKafka(Kafka):
    protocols = {**Kafka.protocols, "KRB": "SASL_PLAINTEXT"}

    def __init__(self, kerberos):
        self.kerberos = kerberos
        at = "listener.name.krb"
        login = ("com.sun.security.auth.module.Krb5LoginModule required "
                 "useKeyTab=true storeKey=true "
                 f'keyTab="{kerberos.keytab("kafka/127.0.0.1")}" '
                 f'principal="kafka/127.0.0.1@{REALM}";')
        super().__init__({
            "sasl.enabled.mechanisms": "GSSAPI",
            f"{at}.sasl.enabled.mechanisms": "GSSAPI",
            f"{at}.sasl.kerberos.service.name": "kafka",
            f"{at}.gssapi.sasl.jaas.config": login})

    def java(self, *args):
        argv = super().java(*args)
        return [argv[0], f"-Djava.security.krb5.conf={self.kerberos.conf}",
                *argv[1:]]
