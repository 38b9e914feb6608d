"""Every drill: what is done, how often, and what must fail once its guard is switched off."""

from __future__ import annotations

from dataclasses import dataclass

from tests.drills import harms
from tests.drills.harms import Harm

SMALL_HOUSE = 10  # sessions of a usual act
FULL_HOUSE = 50


@dataclass(frozen=True, slots=True)
class Drill:
    name: str
    says: str
    harm: Harm
    count: int  # in bin/test
    nightly: int
    seconds_each: float  # about, to pace the market
    act: str  # drills of one act share a trading day
    guard: str  # what its control switches off (tests.drills.process)
    control_count: int
    sessions: int = SMALL_HOUSE


DRILLS = (
    Drill(
        "kill", "kill -9 of a worker at a random moment", harms.kill_worker,
        20, 1_000, 2.5, "workers", "transaction", 12,
    ),
    Drill(
        "freeze", "SIGSTOP past the lease, takeover, SIGCONT", harms.freeze_worker,
        10, 200, 3.5, "workers", "fence", 9,
    ),
    Drill(
        "hint", "the same hint twenty times in parallel", harms.repeat_hint,
        5, 100, 4.0, "workers", "lease", 2,
    ),
    Drill(
        "backend", "a worker's database connection terminated", harms.terminate_backends,
        50, 1_000, 0.6, "database", "reconnect", 10,
    ),
    Drill(
        "commit", "connection cut between COMMIT and its answer", harms.cut_commit,
        25, 500, 1.2, "database", "reading", 12,
    ),
    Drill(
        "postgres", "PostgreSQL restarted at once", harms.restart_postgres,
        3, 100, 3.0, "database", "reconnect", 1,
    ),
    Drill(
        "disk", "no room for the database", harms.fill_disk,
        1, 5, 6.0, "database", "reconnect", 1,
    ),
    Drill(
        "broker", "broker stopped, killed, emptied, frozen", harms.harm_broker,
        4, 50, 3.0, "around", "polling", 4,
    ),
    Drill(
        "market", "market process killed and restarted", harms.kill_market,
        4, 50, 4.0, "around", "resuming", 2,
    ),
    Drill(
        "watchers", "beat and watchers absent, and doubled", harms.lose_watchers,
        2, 20, 14.0, "around", "claiming", 1,
    ),
    Drill(
        "clock", "wall clock of a worker stepped by an hour", harms.step_clock,
        3, 50, 3.0, "feed", "own-time", 2,
    ),
    Drill(
        "feed", "feed frozen, repeated, reordered, jumping", harms.pass_a_bad_place,
        10, 100, 2.0, "feed", "validation", 8,
    ),
    Drill(
        "rolling", "rolling restart of all workers", harms.roll_workers,
        1, 20, 40.0, "rolling", "hand-over", 1, FULL_HOUSE,
    ),
    Drill(
        "transaction", "SIGSTOP inside a transaction", harms.freeze_in_transaction,
        2, 50, 6.0, "workers", "time-outs", 1,
    ),
    Drill(
        "copy", "SIGSTOP in the middle of a COPY", harms.freeze_in_copy,
        2, 50, 8.0, "workers", "cutting-off", 1,
    ),
)  # fmt: skip
BY_NAME = {drill.name: drill for drill in DRILLS}
ACTS = tuple(dict.fromkeys(drill.act for drill in DRILLS))
OF_THE_MARKET = frozenset({"resuming", "validation"})
