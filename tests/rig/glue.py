"""AWS Glue's Data Catalog on 127.0.0.1: moto's, behind a door.

The door computes each signature anew by botocore, checks each request by
botocore's model of the service (moto does neither), writes down the calls, and
plays the trouble that is ordered from it.
"""

import collections
import http.server
import json
import threading

import boto3
import botocore.session
from aws import signature_fault
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.validate import ParamValidator
from moto.core import DEFAULT_ACCOUNT_ID
from moto.glue.models import glue_backends
from moto.moto_server.werkzeug_app import create_backend_app
from standin import StandIn

REGION = "eu-west-1"
KEY = Credentials("AKIDGLUE", "glue/secret+key")
# as Glue has it: the signature's faults under its own names
CODES = {"InvalidClientTokenId": "UnrecognizedClientException",
         "IncompleteSignature": "IncompleteSignatureException",
         "SignatureDoesNotMatch": "InvalidSignatureException"}


class Glue(StandIn):
    """The server; `calls` holds (operation, request)."""

    def __init__(self):
        self.backend = create_backend_app("glue").test_client()
        self.model = botocore.session.Session().get_service_model("glue")
        self.lock = threading.Lock()
        self.reset()
        self.listen(type("Handler", (_Handler,), {"glue": self}))
        self.client = boto3.client(
            "glue", REGION, endpoint_url=self.url,
            aws_access_key_id="READER", aws_secret_access_key="s3cret",
            config=Config(retries={"max_attempts": 0}))

    def reset(self):
        """As at the beginning, but what is in the catalog stays."""
        self.keys = {KEY.access_key: KEY}
        self.calls = []
        self.faults = collections.deque()
        self.down = None  # a fault of every request
        self.denied = set()  # operations
        self.expired = set()  # access keys
        self.partial = {}  # {values: code}: once each, of BatchCreatePartition
        self.bad_value = None  # a call with it is refused as a whole
        self.at_once = 1000  # partitions in an answer of BatchGetPartition
        self.before = None  # before(operation, request)

    def fail(self, *faults):
        """The next requests, one fault each: an HTTP status without JSON (int),
        "html", "cut" (connection closed), (code, message), None."""
        self.faults.extend(faults)

    def names(self):
        """The operations, in order."""
        return [name for name, _ in self.calls]

    def requests(self, operation):
        return [r for name, r in self.calls if name == operation]

    # ---- the catalog, by a client of others ----

    def create(self, database, table, keys, **more):
        """A table of JSON lines, partitioned by these keys."""
        try:
            self.client.create_database(DatabaseInput={"Name": database})
        except self.client.exceptions.AlreadyExistsException:
            pass
        storage = {
            "Columns": [{"Name": "id", "Type": "bigint"}],
            "Location": f"s3://b/raw/{table}",
            "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
            "SerdeInfo": {"SerializationLibrary": "org.openx.JsonSerDe",
                          "Parameters": {"ignore.malformed.json": "true"}},
            **more}
        self.client.create_table(DatabaseName=database, TableInput={
            "Name": table, "StorageDescriptor": storage,
            "PartitionKeys": [{"Name": k, "Type": "string"} for k in keys]})
        return storage

    def partitions(self, database, table):
        """{values: the partition}, as a client sees them."""
        pages = self.client.get_paginator("get_partitions").paginate(
            DatabaseName=database, TableName=table)
        return {tuple(p["Values"]): p
                for page in pages for p in page["Partitions"]}

    def stored(self, database, table, values):
        """The input of a partition as the server keeps it, to be changed."""
        tables = glue_backends[DEFAULT_ACCOUNT_ID][REGION]
        return tables.get_table(database, table).get_partition(
            list(values)).partition_input

    # ---- the door ----

    def refusal(self, operation, request, headers, body):
        """(code, message) or None."""
        access_key = headers.get("Authorization", "").partition(
            "Credential=")[2].partition("/")[0]
        if access_key in self.expired:
            return ("ExpiredTokenException",
                    "The security token included in the request is expired")
        fault = signature_fault(self.url + "/", "glue", headers, body,
                                self.keys)
        if fault:
            return CODES[fault[0]], fault[1]
        token = self.keys[access_key].token
        signed = headers["Authorization"].partition("SignedHeaders=")[2]
        if headers.get("x-amz-security-token") != token or (
                token and "x-amz-security-token" not in signed):
            return "UnrecognizedClientException", "the token is another"
        if headers.get("Content-Type") != "application/x-amz-json-1.1":
            return "UnknownOperationException", ""
        if operation in self.denied:
            return ("AccessDeniedException", "User is not authorized to "
                    f"perform: glue:{operation}")
        shape = self.model.operation_model(operation).input_shape
        wrong = ParamValidator().validate(request, shape).generate_report()
        wrong = wrong or "".join(too_long(request, shape))
        if self.bad_value and self.bad_value in json.dumps(request):
            wrong = "a value that nobody likes"
        return ("InvalidInputException", wrong) if wrong else None

    def answer(self, operation, headers, body):
        """(status, text) of one request."""
        request = json.loads(body)
        if "READER/" in headers.get("Authorization", ""):
            return self.pass_on(operation, body)
        if self.before:
            self.before(operation, request)
        with self.lock:
            self.calls.append((operation, request))
            fault = self.down or (
                self.faults.popleft() if self.faults else None)
        if isinstance(fault, int):
            return fault, b""
        if fault == "html":
            return 200, b"<html>welcome</html>"
        if fault == "cut":
            return None, b""
        fault = fault or self.refusal(operation, request, headers, body)
        if fault:
            return 400, json.dumps({"__type": "com.amazonaws.glue#" + fault[0],
                                    "Message": fault[1]}).encode()
        if operation == "BatchCreatePartition":
            return self.create_some(request)
        status, text = self.pass_on(operation, body)
        if operation == "BatchGetPartition" and status == 200:
            text = self.some_of(json.loads(text))
        return status, text

    def create_some(self, request):
        errors = []
        for one in list(request["PartitionInputList"]):
            code = self.partial.pop(tuple(one["Values"]), None)
            if code:
                request["PartitionInputList"].remove(one)
                errors.append({
                    "PartitionValues": one["Values"],
                    "ErrorDetail": {"ErrorCode": code,
                                    "ErrorMessage": "as ordered"}})
        status, text = self.pass_on("BatchCreatePartition",
                                    json.dumps(request).encode())
        if errors and status == 200:
            told = json.loads(text)
            told["Errors"] = told.get("Errors", []) + errors
            text = json.dumps(told).encode()
        return status, text

    def some_of(self, told):
        rest = told["Partitions"][self.at_once:]
        told["Partitions"] = told["Partitions"][:self.at_once]
        told["UnprocessedKeys"] = [{"Values": p["Values"]} for p in rest]
        return json.dumps(told).encode()

    def pass_on(self, operation, body):
        with self.lock:
            done = self.backend.post("/", data=body, headers={
                "X-Amz-Target": "AWSGlue." + operation,
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKID/20260101/"
                                 f"{REGION}/glue/aws4_request, "
                                 "SignedHeaders=host, Signature=00"})
        return done.status_code, done.data


def too_long(value, shape):
    """What is over a limit of the model that botocore leaves to the server."""
    most = shape.metadata.get("max")
    if most is not None and not isinstance(value, (int, float)) and \
            len(value) > most:
        yield f"{shape.name} is longer than {most}. "
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from too_long(one, shape.members[name])
    elif shape.type_name == "list":
        for one in value:
            yield from too_long(one, shape.member)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 65536
    disable_nagle_algorithm = True
    glue = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers.get("X-Amz-Target", "").partition(".")[2]
        status, text = self.glue.answer(operation, self.headers, body)
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass
