"""Who is there when the curtain rises: services, processes, bots; and one act after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any

import environ
import psycopg
from django.db import connection

from config.celery import app
from tests.drills.act import Act, NoDay, percentile_95
from tests.drills.catalogue import FULL_HOUSE, OF_THE_MARKET, SMALL_HOUSE, Drill
from tests.drills.day import Recorded, make_bots, record
from tests.drills.system import System
from tests.drills.verdict import Verdict
from tests.drills.watch import TRIGGERS
from tests.flows.api import Api

Tell = Callable[[str], None]
WORKERS = ("session-1", "session-2", "session-3", "session-4")
MAX_RECOVERY_P95_SECONDS = 10.0
# Two of the four can host everything.
ROOM = {SMALL_HOUSE: 5, FULL_HOUSE: 25}
KEPT_WORDS = 5  # differences that are told in full


@dataclass(frozen=True)
class Line:
    """One drill's line of the report."""

    drill: str
    count: int
    difference_count: int
    slowest_seconds: float
    p95_seconds: float
    seed: int
    sessions: int
    rows: int
    fills: int
    takeovers: int
    unowned_seconds: float
    words: tuple[str, ...]  # the first differences
    delays: tuple[str, ...]

    @property
    def has_passed(self) -> bool:
        is_quick = self.p95_seconds <= MAX_RECOVERY_P95_SECONDS and not self.delays
        return self.difference_count == 0 and is_quick

    def __str__(self) -> str:
        told = (
            f"{self.drill:<12}{self.count:>5} times {self.difference_count:>4} differences"
            f"   slowest recovery {self.slowest_seconds:5.2f} s (p95 {self.p95_seconds:5.2f} s)"
            f"   seed {self.seed}   [{self.sessions} sessions, {self.rows:,} rows,"
            f" {self.fills} fills, {self.takeovers} takeovers,"
            f" unowned at most {self.unowned_seconds:.1f} s]"
        )
        return "\n".join([told, *(f"    {word}" for word in (*self.words, *self.delays))])

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "has_passed": self.has_passed}


class Company:
    """A context: the system with everything on it, before its first day."""

    def __init__(
        self,
        *,
        seed: int,
        lease_seconds: float,
        minutes: int,
        guard_off: str,
        tell: Tell,
        logs: Path | None,
    ) -> None:
        self.seed = seed
        self.tell = tell
        self.minutes = minutes
        self.system = System(lease_seconds=lease_seconds, logs=logs)
        off = [f"without:{guard_off}"] if guard_off else []
        self._market_words = off if guard_off in OF_THE_MARKET else []
        self._worker_words = ["slow", "clock", *([] if guard_off in OF_THE_MARKET else off)]
        self._bots: dict[str, str] = {}
        self._room = 0

    def __enter__(self) -> Company:
        self.system.__enter__()
        try:
            self._set_up()
        except BaseException:
            self.system.stop()
            raise
        return self

    def __exit__(self, *_exception: object) -> None:
        self.system.stop()

    def _set_up(self) -> None:
        point_django_at(self.system)
        self.recorded: Recorded = record(self.system.data_dir.path, minutes=self.minutes)
        with psycopg.connect(self.system.postgres.url) as own:
            own.execute(TRIGGERS)
            own.execute(
                "INSERT INTO marketdata_marketcontrol (id, is_paused, steps_left, is_looping)"
                " VALUES (1, true, 0, true)"
            )
        self.system.start("web")
        self.system.start("default")
        self.system.start("beat")
        self._start_market(None)
        self.system.wait_for_web()
        self.api = Api.signed_up(self.system, "alice@example.com")

    def play(self, drills: Sequence[tuple[Drill, int]]) -> list[Line]:
        """One act: one day with these drills, each so many times."""
        sessions = max(drill.sessions for drill, _ in drills)
        bad = next(((self.seed, count) for drill, count in drills if drill.name == "feed"), None)
        act = self._act(sessions, bad)
        recoveries: dict[str, list[float]] = {drill.name: [] for drill, _ in drills}
        try:
            act.open()
            self.tell(f"{act.day}: {len(act.watch.sessions)} sessions run")
            self._harm(act, drills, recoveries)
        except NoDay as error:
            act.trouble.append(str(error))
        verdict = act.close()
        self.tell(f"{act.day}: judged")
        if not verdict.fill_count:
            verdict.differences.append("nothing was traded, so nothing was shown")
        return [
            self._line(drill, count, recoveries[drill.name], verdict, act)
            for drill, count in drills
        ]

    def _harm(
        self, act: Act, drills: Sequence[tuple[Drill, int]], recoveries: dict[str, list[float]]
    ) -> None:
        left = sum(drill.seconds_each * count for drill, count in drills)
        has_asked = False
        for drill, count in drills:
            for number in range(count):
                act.pace(drill.seconds_each, left)
                recoveries[drill.name].append(drill.harm(act, number))
                took = recoveries[drill.name][-1]
                self.tell(f"{drill.name} {number + 1}: {took:.2f} s, tick {act.log_seq}")
                left -= drill.seconds_each
            if not has_asked:
                act.ask()
                has_asked = True
        if act.log_seq >= len(self.recorded.tape.ticks):
            act.trouble.append("the day was over before the harm was")

    def _act(self, sessions: int, bad: tuple[int, int] | None) -> Act:
        system = self.system
        self._start_market(bad)
        room = ROOM[sessions]
        if room != self._room:
            for name in WORKERS:
                if name in system.running:
                    system.end(name)
                env = {
                    "DATABASE_URL": system.proxy.url(system.postgres.url),
                    "SESSIONS_PER_RUNNER": str(room),
                }
                system.start(name, *self._worker_words, **env)
            system.wait_ready(WORKERS)
            self._room = room
        wanted = sessions // 5
        if len(self._bots) < sessions:
            there = len(self._bots) // 5
            self._bots |= make_bots(self.api, self.minutes, copies=range(there, wanted))
        return Act(system, self.recorded, self.api, self._bots, Random(self.seed), bad)

    def _start_market(self, bad: tuple[int, int] | None) -> None:
        words = [*self._market_words, *([f"feed:{bad[0]}:{bad[1]}"] if bad else [])]
        running = self.system.running.get("market")
        if running is not None and list(running.options) == words:
            return
        if running is not None:
            self.system.end("market")
        self.system.start(
            "market",
            *words,
            ZEROHOUR_TAPE=str(self.recorded.path),
            ZEROHOUR_MARKET_OPTIONS="--lead-seconds 0.5 --pause-seconds 3",
        )

    def _line(
        self, drill: Drill, count: int, recoveries: list[float], verdict: Verdict, act: Act
    ) -> Line:
        return Line(
            drill=drill.name,
            count=len(recoveries),
            difference_count=len(verdict.differences) + (len(recoveries) < count),
            slowest_seconds=round(max(recoveries, default=0.0), 2),
            p95_seconds=round(percentile_95([one for one in recoveries if one]), 2),
            seed=self.seed,
            sessions=verdict.session_count,
            rows=verdict.row_count,
            fills=verdict.fill_count,
            takeovers=verdict.takeovers,
            unowned_seconds=round(act.watch.longest_unowned_seconds, 2),
            words=tuple(verdict.differences[:KEPT_WORDS]),
            delays=tuple(verdict.delays),
        )


def point_django_at(system: System) -> None:
    """Database and broker of this process are the system's."""
    connection.close()
    connection.settings_dict.update(environ.Env.db_url_config(system.postgres.url))
    app.conf.broker_url = system.broker.url
