"""Fixtures of the flow tests: real servers once a session, the rest per test.

A test asks for what it uses: kafka, rgw, weed (servers), topic, bucket, secor
(factories), tmp_path. All servers that the chosen tests ask for are started at
once, before the first test. RIG_KEEP=1 keeps the folders of the servers.
"""

import concurrent.futures
import itertools
import pathlib
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "rig"), str(HERE.parent / "chaos")]
import faults  # noqa: E402
import kafka as clients  # noqa: E402
import proof  # noqa: E402
from metastore import Metastore  # noqa: E402
from proxy import HttpProxy, KafkaProxy  # noqa: E402
from s3 import s3_client  # noqa: E402
from secor import Secor  # noqa: E402
from servers import Kafka, Rgw, SeaweedFS  # noqa: E402
from versity import Versity  # noqa: E402

KINDS = {"kafka": lambda: Kafka(proxied=KafkaProxy),
         "rgw": Rgw, "weed": SeaweedFS, "versity": Versity,
         "metastore": Metastore}
_started = {}
_numbers = itertools.count(1)


def pytest_collection_finish(session):
    if session.config.option.collectonly:
        return
    wanted = {n for item in session.items
              for n in getattr(item, "fixturenames", ()) if n in KINDS}
    if not wanted:
        return
    for n in wanted:
        _started[n] = KINDS[n]()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for done in [pool.submit(s.start) for s in _started.values()]:
            done.result()


def pytest_sessionfinish():
    for s in _started.values():
        s.close()


def _server(name):
    @pytest.fixture(scope="session", name=name)
    def fixture():
        if name not in _started:
            _started[name] = KINDS[name]()
            _started[name].start()
        return _started[name]
    return fixture


kafka = _server("kafka")
rgw = _server("rgw")
weed = _server("weed")
versity = _server("versity")
metastore = _server("metastore")


@pytest.fixture
def own_kafka():
    """A factory of brokers of the test's own, see servers.Kafka:
    own_kafka({property: value}, proxied=True, kind=SecureKafka)."""
    brokers = []

    def make(properties=None, proxied=False, kind=Kafka):
        brokers.append(kind(properties, proxied))
        return brokers[-1].start()
    yield make
    for b in brokers:
        b.close()


@pytest.fixture
def group():
    """A consumer group that no other test uses."""
    return f"group-{next(_numbers)}"


@pytest.fixture
def topic(kafka):
    """Factory: topic(partitions=1, config=None, name=None) creates one."""
    def make(partitions=1, config=None, name=None):
        name = name or f"topic-{next(_numbers)}"
        return clients.create_topic(kafka.address, name, partitions, config)
    return make


@pytest.fixture
def bucket():
    """Factory: bucket(server) creates one; an S3Tree of it."""
    def make(server, name=None):
        name = name or f"bucket-{next(_numbers)}"
        client = s3_client(server)
        client.create_bucket(Bucket=name)
        return proof.S3Tree(client, name)
    return make


@pytest.fixture
def http_proxy():
    """Factory: http_proxy(server, before=None, after=None), see HttpProxy."""
    made = []

    def make(server, before=None, after=None):
        made.append(HttpProxy(server.port, before, after))
        return made[-1]
    yield make
    for p in made:
        p.close()


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """(broker, folder): see faults.filled_tree. Read only; `copy` is for change."""
    yield from faults.filled_tree(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def copy(filled, tmp_path):
    """A copy of that tree of the test's own, a faults.Tree."""
    mine = tmp_path / "copy"
    shutil.copytree(filled[1], mine, symlinks=True)
    return faults.Tree(mine)


@pytest.fixture
def secor(tmp_path):
    """Factory: secor(config, env=None, name="secor") gives a Secor that has not
    been started. All of them are killed at the end of the test."""
    made = []

    def make(config, env=None, name="secor"):
        made.append(Secor(tmp_path / name, config, env, name))
        return made[-1]
    yield make
    for s in made:
        s.close()
