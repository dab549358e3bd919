"""Stand-ins for what hands out AWS credentials: the agent of a container, the
metadata of an EC2 instance, STS."""

import hashlib
import http.server
import json
import re
import time
import urllib.parse
import xml.sax.saxutils

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from standin import StandIn


def after(seconds):
    """(text, time.time()) of so many seconds from now, as AWS writes it."""
    at = int(time.time() + seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)), at


def signature_fault(url, service, headers, body, keys):
    """What is wrong with the signature of a POST, (code, text) or None: it is
    computed anew by botocore. `keys` is {access key: Credentials}."""
    found = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/"
        r"aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})",
        headers.get("Authorization", ""))
    if not found:
        return "IncompleteSignature", "no signature"
    access_key, day, region, of, names, signature = found.groups()
    names = names.split(";")
    if access_key not in keys:
        return "InvalidClientTokenId", "the token is invalid"
    if of != service or not headers["x-amz-date"].startswith(day):
        return "SignatureDoesNotMatch", "another service or day"
    if not {"host", "x-amz-date"} <= set(names):
        return "SignatureDoesNotMatch", "host or date is not signed"
    request = AWSRequest("POST", url, data=body,
                         headers={n: headers[n] for n in names})
    request.context["timestamp"] = headers["x-amz-date"]
    signer = SigV4Auth(keys[access_key], service, region)
    right = signer.signature(signer.string_to_sign(
        request, signer.canonical_request(request)), request)
    return None if right == signature else (
        "SignatureDoesNotMatch", "the signature is another")


class KeyServer(StandIn):
    """Gives out `key`, an access key and its secret, for `seconds`. `status`
    other than 200 is the answer to everything. `expires` is when each access
    key does, by time.time()."""

    def __init__(self, access_key, secret_key, seconds):
        self.key = (access_key, secret_key)
        self.seconds = seconds
        self.status = 200
        self.expires = {}
        self.listen(type("Handler", (_Handler,), {"owner": self}))

    @property
    def used(self):
        return set(self.expires)

    def give(self):
        """(access key, secret, expiration)"""
        access_key, secret_key = self.key
        text, at = after(self.seconds)
        self.expires[access_key] = at
        return access_key, secret_key, text

    def as_json(self):
        access_key, secret_key, expires = self.give()
        return json.dumps({
            "Code": "Success", "AccessKeyId": access_key,
            "SecretAccessKey": secret_key, "Expiration": expires}).encode()


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner = None

    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        status, text = self.owner.status, b""
        if status == 200:
            status, text = self.owner.reply(
                self.command, self.path, self.headers, body)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_PUT = do_POST = answer

    def log_message(self, *_):
        pass


class Container(KeyServer):
    """AWS_CONTAINER_CREDENTIALS_FULL_URI is its `url`."""

    def reply(self, *_request):
        return 200, self.as_json()


class Metadata(KeyServer):
    """AWS_EC2_METADATA_SERVICE_ENDPOINT is its `url`; IMDSv2 only."""

    role = "/latest/meta-data/iam/security-credentials/"

    def reply(self, method, path, headers, _body):
        if (method, path) == ("PUT", "/latest/api/token"):
            has = "X-aws-ec2-metadata-token-ttl-seconds" in headers
            return (200, b"session") if has else (400, b"")
        if headers.get("X-aws-ec2-metadata-token") != "session":
            return 401, b""
        if path == self.role:
            return 200, b"instance-role"
        if path == self.role + "instance-role":
            return 200, self.as_json()
        return 404, b""


class Sts(KeyServer):
    """AssumeRole of a `role` under an `external_id`, for who signs with one of
    `askers` ({access key: secret}); the signature is computed anew by botocore.
    `sessions` are the names of the sessions that it has opened."""

    def __init__(self, *key, role, external_id, askers):
        self.role, self.external_id = role, external_id
        self.askers = askers
        self.sessions = []
        super().__init__(*key)

    def reply(self, _method, _path, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        fault = self.fault(headers, body) or self.no(form)
        if fault:
            return 403, (f"<ErrorResponse><Error><Code>{fault[0]}</Code>"
                         f"<Message>{fault[1]}</Message></Error>"
                         "</ErrorResponse>").encode()
        self.sessions.append(form["RoleSessionName"])
        access_key, secret_key, expires = map(
            xml.sax.saxutils.escape, self.give())
        return 200, (
            '<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/'
            '2011-06-15/"><AssumeRoleResult><Credentials>'
            f"<AccessKeyId>{access_key}</AccessKeyId>"
            f"<SecretAccessKey>{secret_key}</SecretAccessKey>"
            "<SessionToken></SessionToken>"
            f"<Expiration>{expires}</Expiration></Credentials>"
            "</AssumeRoleResult></AssumeRoleResponse>").encode()

    def no(self, form):
        if (form.get("Action"), form.get("Version")) != (
                "AssumeRole", "2011-06-15"):
            return "InvalidAction", "only AssumeRole is here"
        if form.get("RoleArn") != self.role or (
                form.get("ExternalId") != self.external_id):
            return "AccessDenied", "not authorized to perform: sts:AssumeRole"
        return None

    def fault(self, headers, body):
        if headers.get("x-amz-content-sha256") != hashlib.sha256(
                body).hexdigest():
            return "SignatureDoesNotMatch", "another body"
        return signature_fault(self.url + "/", "sts", headers, body,
                               {k: Credentials(k, s)
                                for k, s in self.askers.items()})
