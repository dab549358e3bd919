"""A Kafka that asks who is there: TLS, client certificates, SASL.

Listeners besides the plain one: SSL (client certificate required), SASL_PLAIN
(SASL over plain text), SASL_SSL. Users: alice for PLAIN, bob for SCRAM-SHA-256
and SCRAM-SHA-512, each with the password <name>-secret.
"""

import ssl
import subprocess

from servers import Kafka, RigError

_MODULE = "org.apache.kafka.common.security"
_SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
_CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def openssl(*args):
    done = subprocess.run(["openssl", *map(str, args)], capture_output=True,
                          text=True)
    if done.returncode != 0:
        raise RigError(f"openssl {args[0]} failed:\n{done.stderr}")


def make_certificates(folder):
    """ca, broker and client (of that ca), and rogue, which signs itself: each
    NAME.pem and NAME.key in the folder."""
    folder.mkdir()
    for name in ("ca", "rogue"):
        openssl("req", "-x509", *_CURVE, "-days", 30, "-subj", f"/CN={name}",
                 "-keyout", folder / f"{name}.key",
                 "-out", folder / f"{name}.pem")
    alt = folder / "alt"
    alt.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for name in ("broker", "client"):
        request = folder / f"{name}.csr"
        openssl("req", *_CURVE, "-subj", f"/CN={name}",
                 "-keyout", folder / f"{name}.key", "-out", request)
        openssl("x509", "-req", "-in", request, "-days", 30,
                 "-CA", folder / "ca.pem", "-CAkey", folder / "ca.key",
                 "-CAcreateserial", "-extfile", alt,
                 "-out", folder / f"{name}.pem")


def tls_server(folder):
    """(context of a server at 127.0.0.1, the certificate to trust)"""
    cert, key = folder / "cert.pem", folder / "key.pem"
    openssl("req", "-x509", *_CURVE, "-days", 2, "-subj", "/CN=127.0.0.1",
            "-addext", "subjectAltName=IP:127.0.0.1",
            "-keyout", key, "-out", cert)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context, cert


class SecureKafka(Kafka):
    protocols = {**Kafka.protocols, "SSL": "SSL",
                 "SASL_PLAIN": "SASL_PLAINTEXT", "SASL_SSL": "SASL_SSL"}
    format_options = [o for m in _SCRAM for o in (
        "--add-scram", f"{m}=[name=bob,password=bob-secret]")]

    def __init__(self, properties=None, proxied=False):
        super().__init__(properties, proxied)
        self.tls = self.dir / "tls"
        make_certificates(self.tls)
        store = self.tls / "broker-store.pem"
        store.write_text((self.tls / "broker.key").read_text()
                         + (self.tls / "broker.pem").read_text())
        mechanisms = ",".join(("PLAIN", *_SCRAM))
        lines = {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": store,
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.tls / "ca.pem",
            "listener.name.ssl.ssl.client.auth": "required",
            "sasl.enabled.mechanisms": mechanisms,
        }
        for name in ("sasl_plain", "sasl_ssl"):
            at = f"listener.name.{name}"
            lines[f"{at}.sasl.enabled.mechanisms"] = mechanisms
            lines[f"{at}.plain.sasl.jaas.config"] = (
                f"{_MODULE}.plain.PlainLoginModule required "
                'user_alice="alice-secret";')
            for m in _SCRAM:
                lines[f"{at}.{m.lower()}.sasl.jaas.config"] = (
                    f"{_MODULE}.scram.ScramLoginModule required;")
        with self.config.open("a") as f:
            f.writelines(f"{k}={v}\n" for k, v in lines.items())

    def client(self, listener, **more):
        """librdkafka's properties for a listener, dots as underscores in the
        names of `more`. A value of None takes a property out."""
        p = {"bootstrap.servers": self.address_of(listener),
             "security.protocol": self.protocols[listener].lower()}
        if "SSL" in listener:
            p["ssl.ca.location"] = str(self.tls / "ca.pem")
        if listener == "SSL":
            p["ssl.certificate.location"] = str(self.tls / "client.pem")
            p["ssl.key.location"] = str(self.tls / "client.key")
        p.update({k.replace("_", "."): v for k, v in more.items()})
        return {k: v for k, v in p.items() if v is not None}
