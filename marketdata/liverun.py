"""One live day: a tick every second on the second, as long as the feed has something to say.

Market time is the wall clock. A second that was not taken in time is not invented afterwards.
While the feed is silent there is no tick and, in trading hours, no sign of life, so nothing can be
started (contract.md section 5). After the close the day waits, closed and connected, for the
settlement value the vendor calls final; an operator may enter it instead. It is never guessed.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from common.times import to_ms
from marketdata import queries, services
from marketdata.feeds.live.feed import LiveFeed
from marketdata.models import MarketDay
from marketdata.pacing import Wall
from marketdata.tape.model import OFFICIAL
from marketdata.validate import Validator
from simengine.market import Tick

log = logging.getLogger(__name__)

TURN_SECONDS = 0.4  # between two signs of life
SECOND_MS = 1000
CLOSING_TICK_WITHIN_MS = 2_000
DOWN_AFTER = timedelta(seconds=4)  # without a tick in trading hours
WAITS_FOR_CLOSE = timedelta(hours=3)


class LiveDayRun:
    """Publishes a live day from now on."""

    def __init__(self, *, day: MarketDay, feed: LiveFeed, wall: Wall) -> None:
        self._day, self._feed, self._wall = day, feed, wall
        self._open_ms, self._close_ms = to_ms(day.open_at), to_ms(day.close_at)
        last_ms = None if day.last_tick_at is None else to_ms(day.last_tick_at)
        self._validator = Validator(
            open_ms=self._open_ms,
            close_ms=self._close_ms,
            last_seq=day.last_seq,
            last_at_ms=last_ms,
        )
        self._tried_ms = last_ms or 0  # the second tried last
        self._alive_at = max(wall.now(), day.open_at)
        self._known_closes: dict[date, int] = {}

    def run(self) -> bool:
        """To the close and its settlement. False where we were asked to stop before."""
        with self._feed.connected():
            while not self._wall.is_stopping:
                now = self._wall.now()
                if to_ms(now) >= self._close_ms and not self._may_still_tick(to_ms(now)):
                    return self._close()
                self._turn(now)
                self._wall.wait(min(TURN_SECONDS, _until_next_second(self._wall.now())))
        return False

    def _turn(self, now: datetime) -> None:
        tick = self._tick(to_ms(now))
        if tick is not None:
            self._alive_at = now
        services.publish(
            day=self._day,
            ticks=[] if tick is None else [tick],
            market_ms=min(to_ms(now), self._close_ms),
            speed=1.0,
            now=now,
            is_alive=self._is_alive(now),
        )
        self._settle_earlier_days()

    def _tick(self, now_ms: int) -> Tick | None:
        """That of the second that has just begun, unless it was tried before."""
        at_ms = now_ms // SECOND_MS * SECOND_MS
        at_ms = min(at_ms, self._close_ms)
        if at_ms < self._open_ms or at_ms <= self._tried_ms:
            return None
        self._tried_ms = at_ms
        tick = self._feed.take(at_ms, now_ms)
        return None if tick is None else self._validator.accept(tick)

    def _may_still_tick(self, now_ms: int) -> bool:
        is_late = now_ms >= self._close_ms + CLOSING_TICK_WITHIN_MS
        return self._tried_ms < self._close_ms and not is_late

    def _is_alive(self, now: datetime) -> bool:
        if now < self._day.open_at:
            return self._feed.is_connected
        return self._feed.is_connected and now - self._alive_at < DOWN_AFTER

    def _close(self) -> bool:
        """Closed at once; then until there is a settlement, at most WAITS_FOR_CLOSE."""
        for what, count in sorted((self._validator.counts + self._feed.book.counted()).items()):
            log.info("%s: %d times %s", self._day.trading_date, count, what)
        day = services.close_day(
            day=self._day, settlement=self._feed.settlement(), now=self._wall.now()
        )
        while not self._wall.is_stopping:
            day.refresh_from_db()
            now = self._wall.now()
            if day.settlement_cents is not None:
                return True
            if now >= day.close_at + WAITS_FOR_CLOSE:
                log.warning("%s: no official close yet; see docs/live-data.md", day.trading_date)
                return True
            self._settle_earlier_days()
            services.keep_time(day=day, market_at=now, speed=1.0, is_alive=self._feed.is_connected)
            self._wall.wait(TURN_SECONDS)
        return False

    def _settle_earlier_days(self) -> None:
        """What the vendor calls final settles whatever closed day waits for it, this one too."""
        closes = self._feed.official_closes()
        if closes == self._known_closes:
            return
        self._known_closes = closes
        for trading_date in queries.unsettled_days(source=self._feed.source):
            cents = closes.get(trading_date)
            if cents and services.settle_late(
                trading_date=trading_date, cents=cents, source=OFFICIAL
            ):
                log.info("%s settled late, at %d cents", trading_date, cents)


def _until_next_second(now: datetime) -> float:
    """A millisecond past it, so that the second has begun."""
    return 1.001 - now.microsecond / 1_000_000
