"""Runs of tests/oracle/store_tool.c: one call of a store plugin, which it loads
as the engine does. And the fixtures that its tests share.
"""

import os
import pathlib
import re
import subprocess

import pytest

from proxy import HttpProxy
from secure import tls_server

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"
LIBS = ["-lrdkafka", "-lyaml", "-ljansson", "-lmicrohttpd", "-lcrypto",
        "-lxxhash", "-lisal", "-ldl", "-lm", "-pthread"]
OK, RETRY, REJECT, FATAL = range(4)
MIB = 1 << 20
SMALL_PARTS = ["multipart_threshold=5MiB", "part_size=5MiB"]


class Result:
    def __init__(self, done):
        self.status = done.returncode
        self.out = done.stdout
        self.err = done.stderr.decode()
        self.counters = {n: int(v) for n, v in
                         re.findall(r"^counter (\w+) (\d+)$", self.err, re.M)}

    def __repr__(self):
        return f"status {self.status}\n{self.err}"


@pytest.fixture(scope="session")
def tool(tmp_path_factory):
    path = tmp_path_factory.mktemp("tool") / "store_tool"
    subprocess.run(
        ["cc", "-std=c11", "-D_GNU_SOURCE", '-DSECOR_VERSION="0"',
         '-DSECOR_PREFIX="/usr/local"', f"-I{ROOT}/include", f"-I{ROOT}",
         "-o", path, ROOT / "tests/oracle/store_tool.c", BUILD / "core.a",
         *LIBS], check=True)
    return path


def clean_env(**more):
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return {**env, "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": "/nonexistent", **more}


class Store:
    """One configured store; its methods are runs of the tool."""

    def __init__(self, tool, name, options, env=None):
        self.argv = [tool, BUILD, name, *options]
        self.env = env or clean_env()

    def run(self, *command, options=()):
        return Result(subprocess.run(
            [*self.argv, *options, "--", *command], capture_output=True,
            env=self.env, timeout=170))

    def spawn(self, *command):
        return subprocess.Popen([*self.argv, "--", *command], env=self.env,
                                stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def keys(self, prefix="-", after="-", options=()):
        r = self.run("list", prefix, after, options=options)
        assert r.status == OK, r
        return [line.split("\t")[0] for line in r.out.decode().splitlines()]


def options_of(server, tree, *more, endpoint=None):
    return [f"bucket={tree.bucket}", "prefix=raw",
            f"endpoint={endpoint or server.endpoint}",
            f"access_key={server.access_key}",
            f"secret_key={server.secret_key}", "retry_delay=1ms", *more]


@pytest.fixture
def s3(tool, bucket):
    """Factory: s3(server, *options) gives (store, tree) on a new bucket."""
    def make(server, *more, endpoint=None):
        tree = bucket(server)
        return Store(tool, "s3", options_of(
            server, tree, *more, endpoint=endpoint)), tree
    return make


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small"
    path.write_bytes(b"one line\n")
    return path


@pytest.fixture
def big(tmp_path):
    path = tmp_path / "big"
    path.write_bytes(bytes(range(256)) * (11 * MIB // 256) + b"end")
    return path


def deep(*values):
    """A parameter set for versitygw, which may have to be built first."""
    return pytest.param(*values, marks=[pytest.mark.deep,
                                        pytest.mark.timeout(1200)])


@pytest.fixture(params=["rgw", "weed", deep("versity")])
def server(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def tls(rgw, tmp_path):
    """(proxy that ends TLS in front of RGW, its own CA file)"""
    context, pem = tls_server(tmp_path)
    hashes = []
    proxy = HttpProxy(rgw.port, before=lambda m, p, headers: hashes.append(
        headers.get("x-amz-content-sha256")), context=context)
    proxy.hashes = hashes
    yield proxy, pem
    proxy.close()
