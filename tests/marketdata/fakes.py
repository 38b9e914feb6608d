"""A wall clock that runs as fast as the test, and a plan of a few ticks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from marketdata.feeds.replay import ReplayFeed
from marketdata.plans import TapePlan
from marketdata.tape.model import Tape, digest_of
from marketdata.tape.parquet import write_tape
from simengine.market import Tick
from tests.marketdata.factories import A_DAY, CLOSE_AT, OPEN_AT, WALL


class FakeWall:
    """`wait` takes no time; the work between two waits takes `work_seconds` by this clock. Stops
    when `stop_when`, asked at every wait, says so.
    """

    def __init__(
        self,
        stop_when: Callable[[], bool] = lambda: False,
        limit: int = 5_000,
        work_seconds: float = 0.0,
    ) -> None:
        self.seconds = 1_000.0
        self.work_seconds = work_seconds
        self.waits: list[float] = []
        self.is_stopping = False
        self._stop_when = stop_when
        self._limit = limit

    def now(self) -> datetime:
        return WALL + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.seconds += seconds + self.work_seconds
        if self._stop_when() or len(self.waits) >= self._limit:
            self.is_stopping = True


def tape_plan(tmp_path: Any, ticks: list[Tick], settlement_cents: int | None = None) -> TapePlan:
    tape = Tape(
        trading_date=A_DAY,
        open_at=OPEN_AT,
        close_at=CLOSE_AT,
        ticks=ticks,
        settlement_cents=settlement_cents,
        settlement_source="" if settlement_cents is None else "official",
        source="test",
        held_seconds=0,
        digest=digest_of(A_DAY, settlement_cents, 0, ticks),
    )
    path = tmp_path / "day.parquet"
    return TapePlan(ReplayFeed(write_tape(tape, path), path))
