"""One seed, one schedule: everything that will be done to whom, and when.

Nothing here looks at a clock or at the system: the same seed gives the same
schedule for ever, so a failure is repeated by its seed, as far as processes
repeat themselves. Most strikes are aimed: they wait until somebody writes into
the store and hit that process. Blind ones find little.
"""

import dataclasses
import random

# What an aimed strike waits for: a put that begins, an object that has landed,
# a manifest that has landed.
SIGHTS = ("put", "object", "manifest")
STEPS = ("opened", "first-message", "sealed", "read-back", "plan-sent",
         "plan-acked", "put-begin", "put-done", "puts-done", "manifest-begin",
         "manifest-done", "final-sent", "final-acked", "recommit-sent",
         "recommit-acked", "replay-cut", "revoked")
WEIGHTS = {"kill": 22, "pause": 24, "step": 12, "term": 8, "add": 6,
           "remove": 4, "cut": 7, "stall": 4, "mute": 4, "roll": 4,
           "broker-kill": 1, "broker-pause": 1}
STORE_WEIGHTS = {"hold": 14, "refuse": 6, "break": 5, "forget": 6, "slow": 4}
STRIKES = 50  # more than there is time for


@dataclasses.dataclass(frozen=True)
class Strike:
    wait: str  # one of SIGHTS, or "time"
    skip: int  # so many sights pass before
    delay_ms: int  # and then so long
    act: str
    victim: str  # "writer": whom the sight shows, else "any"
    pick: int  # chooses among processes, steps, kinds
    for_ms: int  # how long it lasts, or until the process is started again
    count: int  # puts, or how often the step is passed

    def __str__(self):
        when = f"after {self.delay_ms} ms" if self.wait == "time" else (
            f"{self.wait} +{self.skip}, {self.delay_ms} ms later")
        return (f"{when}: {self.act} {self.victim} pick={self.pick} "
                f"for={self.for_ms} ms count={self.count}")


@dataclasses.dataclass(frozen=True)
class Schedule:
    seed: int
    store: str  # "local" or "s3"
    partitions: int
    processes: int
    messages: int
    rate: int
    session_ms: int
    age_ms: int
    batch: int  # messages, at most
    strikes: tuple

    def __str__(self):
        head = (f"seed {self.seed}: {self.messages} messages at {self.rate}/s "
                f"in {self.partitions} partitions, {self.processes} processes,"
                f" store {self.store}, session {self.session_ms} ms, batches "
                f"of {self.age_ms} ms or {self.batch}")
        return "\n".join([head] + [f"  {n:2} {s}"
                                   for n, s in enumerate(self.strikes)])


def _wait(rng):
    if rng.random() < 0.3:
        return "time", 0, rng.randint(50, 700)
    return (rng.choices(SIGHTS, (30, 45, 25))[0], rng.choice((0, 0, 0, 1, 2, 5)),
            rng.choice((0, 0, 0, 1, 3, 10, 30, 100)))


def _lasts(rng, act, session_ms):
    """Pauses and holds are mostly longer than the session."""
    if act in ("pause", "hold", "step"):
        return int(session_ms * rng.uniform(1.2, 2.5)
                   if rng.random() < 0.7 else rng.uniform(50, 900))
    if act in ("refuse", "break", "forget", "slow"):
        return rng.randint(500, 4000)
    return rng.randint(0, 1000)


def _strike(rng, weights, session_ms):
    wait, skip, delay_ms = _wait(rng)
    act = rng.choices(list(weights), weights.values())[0]
    aimed = wait != "time" and rng.random() < 0.85
    return Strike(wait, skip, delay_ms, act, "writer" if aimed else "any",
                  rng.randrange(1000), _lasts(rng, act, session_ms),
                  rng.randint(1, 5))


def make(seed, store=None, seconds=None, weights=None):
    """The schedule of a seed. The rest replaces what it says: the store, how
    long messages come, {act: weight} of some acts."""
    rng = random.Random(seed)
    kind = rng.choice(("local", "s3"))
    session_ms = rng.randint(1000, 1800)
    messages = rng.randint(2000, 4000)
    rate = int(messages / rng.uniform(9, 13))
    schedule = Schedule(
        seed, store or kind, rng.randint(3, 5), rng.randint(3, 4),
        int(seconds * rate) if seconds else messages, rate, session_ms,
        rng.randint(100, 700), rng.choice((30, 100, 100000)), ())
    weights = {**WEIGHTS, **(STORE_WEIGHTS if schedule.store == "s3" else {}),
               **(weights or {})}
    return dataclasses.replace(schedule, strikes=tuple(
        _strike(rng, weights, session_ms) for _ in range(STRIKES)))
