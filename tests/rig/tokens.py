"""A Kafka that asks for tokens, and an OpenID provider that gives them.

Listeners besides those of SecureKafka: OAUTH, whose tokens Kafka's own
validator checks against the provider's keys (a JWKS file), and MSK, whose
tokens the stand-in java/kafka/MskIamValidator.java checks as Amazon describes
it. A connection lives no longer than its token.
"""

import base64
import http.server
import json
import pathlib
import subprocess
import threading
import time
import urllib.parse

from hadoop import classes
from secure import SecureKafka
from servers import HERE, RigError, wait_until
from standin import StandIn

JAVA = HERE / "java" / "kafka"
AUDIENCE = "kafka-of-tests"
MSK = {"access_key": "AKIDMSK", "secret_key": "msk/secret+key",
       "session_token": "session/token+with=signs", "region": "eu-west-1"}


def _b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*args, data=b""):
    done = subprocess.run(["openssl", *map(str, args)], input=data,
                          capture_output=True)
    if done.returncode != 0:
        raise RigError(f"openssl {args[0]} failed: {done.stderr.decode()}")
    return done.stdout


class Signer:
    """An RSA key: JWTs by it, and its public half as JWKS."""

    def __init__(self, folder, name):
        self.name = name
        self.key = pathlib.Path(folder) / f"{name}.key"
        _openssl("genrsa", "-out", self.key, 2048)
        modulus = _openssl("rsa", "-in", self.key, "-noout", "-modulus")
        number = bytes.fromhex(modulus.decode().strip().split("=")[1])
        self.jwks = {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256",
                               "kid": name, "n": _b64(number),
                               "e": _b64(b"\x01\x00\x01")}]}

    def jwt(self, subject, life, audience=AUDIENCE):
        now = time.time()
        head = {"alg": "RS256", "typ": "JWT", "kid": self.name}
        claims = {"sub": subject, "aud": audience, "scope": "kafka",
                  "iat": int(now), "exp": now + life}
        text = ".".join(_b64(json.dumps(part).encode())
                        for part in (head, claims)).encode()
        mine = _openssl("dgst", "-sha256", "-sign", self.key, data=text)
        return f"{text.decode()}.{_b64(mine)}"


class Provider(StandIn):
    """Gives tokens by client credentials. `failing`: an HTTP status, and the
    body with it; `life` in seconds; `asked`: the forms of all requests."""

    def __init__(self, signer, client, secret, life=3600, context=None):
        self.signer, self.client, self.secret = signer, client, secret
        self.life, self.failing, self.asked, self.given = life, None, [], []
        self.lock = threading.Lock()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                size = int(self.headers["Content-Length"])
                form = self.rfile.read(size).decode()
                status, answer = provider.answer(
                    form, self.headers.get("Authorization"))
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass
        self.listen(Handler, context=context)
        self.url += "/token"

    def answer(self, form, authorization):
        fields = dict(urllib.parse.parse_qsl(form, strict_parsing=True))
        with self.lock:
            self.asked.append(fields)
        if failing := self.failing:  # it may end right now
            return failing
        pair = base64.b64encode("{}:{}".format(
            *(urllib.parse.quote(t, safe="")
              for t in (self.client, self.secret))).encode()).decode()
        if authorization != f"Basic {pair}":
            return 401, {"error": "invalid_client",
                         "error_description": "who is that?"}
        if fields.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        token = self.signer.jwt(self.client, self.life)
        with self.lock:
            self.given.append(token)
        return 200, {"access_token": token, "token_type": "Bearer",
                     "expires_in": self.life}

    def wait_given(self, count, timeout=60):
        wait_until(f"{count} tokens", lambda: len(self.given) >= count,
                   timeout)


class TokenKafka(SecureKafka):
    protocols = {**SecureKafka.protocols, "OAUTH": "SASL_PLAINTEXT",
                 "MSK": "SASL_PLAINTEXT"}

    def __init__(self, properties=None, proxied=False):
        super().__init__(properties, proxied)
        self.signer = Signer(self.tls, "provider")
        self.jwks = self.dir / "jwks.json"
        self.jwks.write_text(json.dumps(self.signer.jwks))
        module = "org.apache.kafka.common.security.oauthbearer"
        login = f"{module}.OAuthBearerLoginModule required"
        keys = " ".join(f'{k}="{v}"' for k, v in MSK.items())
        lines = {
            "sasl.oauthbearer.jwks.endpoint.url": self.jwks.as_uri(),
            "sasl.oauthbearer.expected.audience": AUDIENCE,
            "sasl.oauthbearer.clock.skew.seconds": "0",
        }
        for name, options, judge in (
                ("oauth", "", f"{module}.OAuthBearerValidatorCallbackHandler"),
                ("msk", " " + keys, "MskIamValidator")):
            at = f"listener.name.{name}"
            lines[f"{at}.sasl.enabled.mechanisms"] = "OAUTHBEARER"
            lines[f"{at}.connections.max.reauth.ms"] = "3600000"
            lines[f"{at}.oauthbearer.connections.max.reauth.ms"] = "3600000"
            lines[f"{at}.oauthbearer.sasl.jaas.config"] = login + options + ";"
            lines[f"{at}.oauthbearer.sasl.server.callback.handler.class"] = (
                judge)
            lines[f"{at}.oauthbearer.sasl.login.callback.handler.class"] = (
                "MskIamValidator")
        text = self.config.read_text().replace(
            "sasl.enabled.mechanisms=PLAIN", "sasl.enabled.mechanisms="
            "OAUTHBEARER,PLAIN", 1)
        self.config.write_text(
            text + "".join(f"{k}={v}\n" for k, v in lines.items()))

    def java(self, *args):
        argv = super().java(*args)
        path = argv.index("-cp") + 1
        argv[path] = f"{classes(JAVA, self.libs)}:{argv[path]}"
        return [argv[0], "-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls="
                + self.jwks.as_uri(), *argv[1:]]

