"""One day on the market: each tick on time, at the speed and with the pauses the operator wants.

Market time is the feed's: it runs at `speed`, a hole of more than a minute is crossed in about a
second, and if we cannot keep up it waits for us. The operator's wishes (`manage.py market`) are
read at every turn, between two batches of ticks.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from common.times import to_ms
from marketdata import queries, services
from marketdata.feeds.base import DayFeed
from marketdata.models import MarketControl, MarketDay
from marketdata.pacing import MarketTime, Wall
from marketdata.validate import Validator
from simengine.market import Tick

log = logging.getLogger(__name__)

BATCH_SECONDS = 0.2  # of rest between two batches of ticks; what is further apart comes on time
HEARTBEAT_SECONDS = 0.4
MAX_BATCH_TICKS = 500


@dataclass(frozen=True, slots=True)
class Pace:
    speed: float  # market seconds per wall second
    lead_seconds: float  # wall seconds between the announcement of a day and its open
    pause_seconds: float  # wall seconds between a close and the next announcement


class DayRun:
    """Publishes what is left of a day."""

    def __init__(self, *, day: MarketDay, feed: DayFeed, pace: Pace, wall: Wall) -> None:
        self._day, self._pace, self._wall = day, pace, wall
        self._open_ms, self._close_ms = to_ms(day.open_at), to_ms(day.close_at)
        last_ms = None if day.last_tick_at is None else to_ms(day.last_tick_at)
        self._validator = Validator(
            open_ms=self._open_ms,
            close_ms=self._close_ms,
            last_seq=day.last_seq,
            last_at_ms=last_ms,
        )
        # A refused tick leaves the log shorter than the feed: skip by time what is there already.
        fresh = (t for t in feed.ticks(day.last_seq) if last_ms is None or t.at_ms > last_ms)
        self._ahead = _Ahead(self._validator.clean(fresh))
        lead_ms = round(pace.lead_seconds * pace.speed * 1000)
        # A day that goes on does so where its clock stood: market time never runs back.
        start_ms = max(last_ms or 0, services.clock_of(day=day) or self._open_ms - lead_ms)
        self._time = MarketTime(at_ms=start_ms, speed=pace.speed, wall=wall.monotonic())
        self._reached_ms = max(last_ms or 0, self._open_ms)
        self._shown_ms = start_ms  # the market time that was written down last
        self._published_at = wall.monotonic() - BATCH_SECONDS  # ticks, for the last time

    def run(self) -> bool:
        """Up to the close. False where we were asked to stop before it."""
        while not self._wall.is_stopping:
            control = queries.control()
            wall = self._wall.monotonic()
            self._time.set_speed(control.speed or self._pace.speed, wall)
            if control.is_paused:
                self._step(control)
                self._wall.wait(BATCH_SECONDS)
                continue
            self._time.resume(wall)
            if self._turn(wall):
                self._report()
                return True
        return False

    def _turn(self, wall: float) -> bool:
        """Publish what is due and wait for what comes. True once the close is reached."""
        if self._time.read(wall) >= self._open_ms:
            self._time.cross_hole(self._reached_ms, self._next_ms, wall)
        market_ms = min(self._time.read(wall), self._close_ms)
        ticks = self._ahead.take(market_ms, MAX_BATCH_TICKS)
        self._reached_ms = ticks[-1].at_ms if ticks else self._reached_ms
        is_behind = self._ahead.next_ms is not None and self._ahead.next_ms <= market_ms
        if is_behind:
            market_ms = self._reached_ms
            self._time.slip_to(market_ms, wall)
        self._publish(ticks, market_ms, self._time.speed)
        self._published_at = self._wall.monotonic() if ticks else self._published_at
        if self._ahead.next_ms is None and market_ms >= self._close_ms:
            return True
        if not is_behind:
            self._wall.wait(min(HEARTBEAT_SECONDS, self._next_batch_in(self._wall.monotonic())))
        return False

    def _next_batch_in(self, wall: float) -> float:
        """Seconds until the next tick is due and may be published."""
        until_due = self._time.seconds_until(self._next_ms, wall)
        return max(until_due, self._published_at + BATCH_SECONDS - wall, 0.0)

    def _step(self, control: MarketControl) -> None:
        """While paused: the ticks asked for, whenever they are due; else a sign of life."""
        ticks = self._ahead.take(self._close_ms, min(control.steps_left, MAX_BATCH_TICKS))
        if ticks:
            self._reached_ms = ticks[-1].at_ms
            self._shown_ms = max(self._shown_ms, self._reached_ms)
        self._time.pause(self._shown_ms)
        # At the end of the feed the steps that are left are forgotten.
        taken = control.steps_left if len(ticks) < MAX_BATCH_TICKS else len(ticks)
        self._publish(ticks, self._shown_ms, 0.0, steps_taken=taken)

    def _publish(
        self, ticks: list[Tick], market_ms: int, speed: float, *, steps_taken: int = 0
    ) -> None:
        services.publish(
            day=self._day,
            ticks=ticks,
            market_ms=market_ms,
            speed=speed,
            now=self._wall.now(),
            steps_taken=steps_taken,
        )
        self._shown_ms = market_ms

    @property
    def _next_ms(self) -> int:
        return self._close_ms if self._ahead.next_ms is None else self._ahead.next_ms

    def _report(self) -> None:
        for what, count in sorted(self._validator.counts.items()):
            log.warning("%s: %d times %s", self._day.trading_date, count, what)


class _Ahead:
    """The feed with a look at its next tick."""

    def __init__(self, ticks: Iterator[Tick]) -> None:
        self._ticks = ticks
        self._next = next(ticks, None)

    @property
    def next_ms(self) -> int | None:
        return None if self._next is None else self._next.at_ms

    def take(self, until_ms: int, limit: int) -> list[Tick]:
        taken: list[Tick] = []
        while self._next is not None and self._next.at_ms <= until_ms and len(taken) < limit:
            taken.append(self._next)
            self._next = next(self._ticks, None)
        return taken
