"""Everything at once, at random: processes that join, end, die and stall at any
step, a broker whose connections break, a store that fails, delays and loses
answers. The seed is the test's number; what came of it does not depend on how
it went: each message is in one object."""

import os
import pathlib
import random
import signal
import subprocess
import threading
import time

import pytest
from flow import local_store, settings, verify, wait_done
from proof import assert_exactly_once, read_ids
from proxy import CUT
from secor import BINARY
from servers import free_ports
from test_groups import STEPS, member
from test_million import s3_store

import kafka as clients

SECONDS = float(os.environ.get("CHAOS_SECONDS", 40))
SEEDS = [int(s) for s in os.environ.get("CHAOS_SEEDS", "1 2").split()]


class Slot:
    """One process and what is done to it."""

    def __init__(self, process, rng):
        self.process, self.rng = process, rng
        self.until = 0.0  # a stopped one goes on then

    def stopped(self):
        stat = pathlib.Path(f"/proc/{self.process.process.pid}/stat")
        return stat.read_text().rsplit(")", 1)[1].split()[0] == "T"

    def start(self):
        env = {}
        if self.rng.random() < 0.6:
            env["SECOR_STOP_AT"] = (
                f"{self.rng.choice(STEPS)}:{self.rng.randint(1, 5)}")
        self.process.start(env=env)

    def act(self):
        p, what = self.process, self.rng.random()
        if not p.running():
            self.start()
        elif self.stopped():  # by us, or by itself at a step
            if not self.until:
                self.until = time.monotonic() + self.rng.uniform(0, 5)
            elif time.monotonic() > self.until:
                self.until = 0.0
                p.kill9() if what < 0.3 else p.cont()
        elif what < 0.1:
            p.kill9()
        elif what < 0.2:
            p.process.send(signal.SIGTERM)
        elif what < 0.35:
            p.pause()


def troubled_store(rng):
    """before and after of an HttpProxy that fails some puts."""
    def before(method, path, headers):
        what = rng.random()
        if method != "PUT" or what > 0.15:
            return None
        if what < 0.05:
            return 503, b""
        if what < 0.1:
            return CUT
        time.sleep(rng.uniform(0, 3))
        return None

    def after(method, path, status):
        return CUT if method == "PUT" and rng.random() < 0.05 else None
    return before, after


def trouble(broker, rng, over):
    while not over.wait(rng.uniform(0.5, 4)):
        what = rng.random()
        if what < 0.6:
            broker.proxy.cut()
        elif what < 0.8:
            broker.proxy.stall()
            over.wait(rng.uniform(0.5, 4))
            broker.proxy.go_on()
        else:
            broker.pause()
            over.wait(rng.uniform(0.5, 3))
            broker.cont()


def chaos_settings(broker, group, name, store):
    config = settings(broker.proxied_address, group, name, store,
                      parser={"use": "json", "time_field": "ts"},
                      batch={"max_age": "1s"},
                      http={"listen": f"127.0.0.1:{free_ports(1)[0]}"},
                      engine={"revoke_grace": "1s", "stop_timeout": "5s"})
    config["kafka"]["session_timeout"] = "1500ms"
    return config


@pytest.mark.deep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["local", "s3"])
@pytest.mark.parametrize("seed", SEEDS)
def test_chaos_loses_and_doubles_nothing(
        kind, seed, own_kafka, group, secor, rgw, bucket, http_proxy, tmp_path):
    rng = random.Random(seed)
    broker, name = own_kafka(proxied=True), "chaos"
    clients.create_topic(broker.address, name, 4)
    if kind == "local":
        store, tree = local_store(tmp_path / "data")
    else:
        tree = bucket(rgw)
        proxy = http_proxy(rgw, *troubled_store(random.Random(seed)))
        store = {**s3_store(rgw, tree), "endpoint": proxy.endpoint}
    config = chaos_settings(broker, group, name, store)
    first = member(secor, config, "p0")
    slots = [Slot(first, rng)] + [
        Slot(member(secor, config, f"p{n}", first.config), rng)
        for n in (1, 2)]
    count = int(SECONDS * 1000)
    producer = subprocess.Popen(
        [BINARY, "produce", "--brokers", broker.address, name, "--count",
         str(count), "--rate", "1000", "--late", "5%", "--size", "200"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    over = threading.Event()
    thread = threading.Thread(target=trouble, args=(
        broker, random.Random(seed + 1000), over))
    thread.start()
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        rng.choice(slots).act()
        time.sleep(rng.uniform(0.1, 0.8))
    over.set()
    thread.join()
    broker.cont()
    broker.proxy.go_on()
    assert producer.wait(120) == 0
    # one that was paused all the while goes on beside a new one
    for s in slots[1:]:
        s.process.cont()
    slots[0].process.close()
    slots[0].process.start()
    for s in slots[1:]:
        s.process.kill9()
    try:
        wait_done(broker.address, group, name, 4, 120)
    except AssertionError:
        print(slots[0].process.text()[-6000:])
        raise
    assert first.stop() == 0
    assert_exactly_once(range(count), read_ids(tree))
    verify(first)
