"""The market process: runs days one after the other, each tick on time, and survives its own death.

Starting is resuming: what to do next is read from the database, so a crash, a lost connection and a
first start take the same way. A day itself is run by marketdata.dayrun.
"""

from __future__ import annotations

import logging
from pathlib import Path

from django.db import InterfaceError, InternalError, OperationalError, connection

from marketdata import queries, recorder, services
from marketdata.dayrun import HEARTBEAT_SECONDS, DayRun, Pace
from marketdata.feeds.base import DayFeed, Feed
from marketdata.feeds.live.feed import LiveFeed
from marketdata.liverun import LiveDayRun
from marketdata.lock import market_lock
from marketdata.models import MarketDay
from marketdata.pacing import Wall
from marketdata.plans import Plan
from marketdata.ticklog import LogConflict

log = logging.getLogger(__name__)

RECONNECT_AFTER_SECONDS = 1.0
LOST_DATABASE = (OperationalError, InterfaceError, InternalError)


class MarketProcess:
    def __init__(self, *, plan: Plan, pace: Pace, wall: Wall, tape_dir: Path) -> None:
        self.plan = plan
        self.pace = pace
        self.wall = wall
        self.tape_dir = tape_dir

    def run(self) -> None:
        """Until asked to stop. Raises AnotherMarket where this database has its market process."""
        while not self.wall.is_stopping:
            try:
                with market_lock(self.wall):
                    self._run_days()
            except (*LOST_DATABASE, LogConflict) as exc:
                log.warning("the market starts over in %g s: %s", RECONNECT_AFTER_SECONDS, exc)
                connection.close()
                self.wall.wait(RECONNECT_AFTER_SECONDS)

    def _run_days(self) -> None:
        control = queries.control()
        if control.is_paused or control.speed:
            log.warning("the operator's wish still holds: %s", control)
        self._close_abandoned()
        for day in recorder.unpacked_days():
            self._pack(day)
        while not self.wall.is_stopping:
            feed = self.plan.next_feed(self.wall.now())
            if feed is None:
                self._rest(None)
                return
            day = services.announce_day(feed=feed, now=self.wall.now())
            log.info("%s of %s: %s", day.source, day.trading_date, day.status)
            if self._run(day, feed):
                day = self._close(day, feed)
                self._pack(day)
                self._rest(self.pace.pause_seconds)

    def _run(self, day: MarketDay, feed: DayFeed | LiveFeed) -> bool:
        """What is left of the day. False where we were asked to stop before its end."""
        if isinstance(feed, LiveFeed):
            return LiveDayRun(day=day, feed=feed, wall=self.wall).run()
        return DayRun(day=day, feed=feed, pace=self.pace, wall=self.wall).run()

    def _close_abandoned(self) -> None:
        for day in MarketDay.objects.exclude(status=MarketDay.Status.CLOSED):
            if not self.plan.may_resume(day):
                closed = services.close_abandoned_day(day=day, now=self.wall.now())
                log.warning(
                    "%s of %s was left unfinished; settled at %s cents (%s)",
                    closed.source,
                    closed.trading_date,
                    closed.settlement_cents,
                    closed.settlement_source or "nothing known",
                )

    def _close(self, day: MarketDay, feed: Feed) -> MarketDay:
        day = services.close_day(day=day, settlement=feed.settlement(), now=self.wall.now())
        log.info(
            "%s closed after %d ticks, settled at %s cents (%s)",
            day.trading_date,
            day.last_seq,
            day.settlement_cents,
            day.settlement_source or "nothing known",
        )
        return day

    def _pack(self, day: MarketDay) -> None:
        if not day.tape_digest and day.last_seq and day.settlement_cents is not None:
            recorder.pack(day, self.tape_dir, self._beat)

    def _beat(self) -> bool:
        """A sign of life between two days. False once we are asked to stop."""
        day = queries.last_closed_day()
        market_at = self.plan.time_between_days(day, self.wall.now())
        if market_at is not None:
            services.keep_time(
                day=day, market_at=market_at, speed=self.pace.speed, feed=self.plan.source
            )
        return not self.wall.is_stopping

    def _rest(self, seconds: float | None) -> None:
        """Stay closed, with heartbeats, for that long, or until asked to stop or the plan
        has another day."""
        until = None if seconds is None else self.wall.monotonic() + seconds
        while self._beat() and (until is None or self.wall.monotonic() < until):
            if until is None and self.plan.may_begin_again(self.wall.now()):
                return
            self.wall.wait(HEARTBEAT_SECONDS)
