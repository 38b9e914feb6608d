"""What the market process does to the database: announce a day, publish, keep time, close."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now

from common.times import from_ms, to_ms
from marketdata import ticklog, wakeups
from marketdata.feeds.base import DayFeed
from marketdata.feeds.rebuild import CannotRebuild, feed_of
from marketdata.models import MarketClock, MarketControl, MarketDay
from marketdata.tape.model import LAST_SPOT
from simengine.market import Tick


def announce_day(*, feed: DayFeed, now: datetime) -> MarketDay:
    """The day's row and its place in the log; the row as it is where the day is already there."""
    options = feed.source_options
    with transaction.atomic():
        day, is_new = MarketDay.objects.get_or_create(
            trading_date=feed.trading_date,
            defaults={
                "source": feed.source,
                "source_options": options,
                "open_at": feed.open_at,
                "close_at": feed.close_at,
                "announced_at": now,
                "tape_digest": options.get("digest", ""),
                "tape_path": options.get("path", ""),
            },
        )
        ticklog.create_partition(feed.trading_date)
        if is_new:
            _notify(day)
    return day


def publish(
    *,
    day: MarketDay,
    ticks: Sequence[Tick],
    market_ms: int,
    speed: float,
    now: datetime,
    steps_taken: int = 0,
) -> None:
    """Append ticks and move the clock, in one commit; without ticks it is a sign of life.

    `steps_taken` of the operator's steps are done with it.
    """
    with transaction.atomic():
        if steps_taken:
            left = Greatest(F("steps_left") - steps_taken, 0)
            MarketControl.objects.filter(pk=1).update(steps_left=left)
        ticklog.append(day.trading_date, ticks, now)
        keep_time(day=day, market_at=from_ms(market_ms), speed=speed)


def keep_time(*, day: MarketDay, market_at: datetime, speed: float) -> None:
    """Write the market clock. The heartbeat is the database's own time."""
    values = {
        "day": day,
        "feed": day.source,
        "speed": speed,
        "market_at": market_at,
        "heartbeat_at": Now(),
    }
    if not MarketClock.objects.filter(pk=1).update(**values):
        MarketClock.objects.create(pk=1, **values)


def steer(**wishes: Any) -> MarketControl:
    """Store what the operator wants of the market process: fields of MarketControl. It obeys at its
    next turn, within half a second.
    """
    control, _ = MarketControl.objects.update_or_create(pk=1, defaults=wishes)
    return control


def clock_of(*, day: MarketDay) -> int | None:
    """The market time (Unix ms) the clock stands at, if it is this day's clock."""
    clock = MarketClock.objects.filter(day=day).first()
    return None if clock is None else to_ms(clock.market_at)


def close_day(*, day: MarketDay, settlement: tuple[int, str] | None, now: datetime) -> MarketDay:
    """No further tick will come: status and settlement in one commit. Harmless twice.

    Without a value the day closes unsettled; nobody guesses one.
    """
    cents, source = settlement or (None, "")
    with transaction.atomic():
        closed = (
            MarketDay.objects.filter(pk=day.pk)
            .exclude(status=MarketDay.Status.CLOSED)
            .update(
                status=MarketDay.Status.CLOSED,
                settlement_cents=cents,
                settlement_source=source,
                closed_at=now,
            )
        )
        day.refresh_from_db()
        if closed:
            _notify(day)
    return day


def settlement_of(*, day: MarketDay, feed: DayFeed) -> tuple[int, str] | None:
    """The feed's official value, else the last spot that was published."""
    official = feed.settlement()
    if official is not None:
        return official
    last = ticklog.last_tick(day.trading_date)
    return None if last is None else (last.spot_cents, LAST_SPOT)


def close_abandoned_day(*, day: MarketDay, now: datetime) -> MarketDay:
    """Close an unfinished day that no feed will go on with, at its own source's settlement."""
    try:
        settlement = settlement_of(day=day, feed=feed_of(day))
    except CannotRebuild:
        remembered = day.source_options.get("settlement")
        settlement = None if remembered is None else (int(remembered[0]), str(remembered[1]))
    return close_day(day=day, settlement=settlement, now=now)


def _notify(day: MarketDay) -> None:
    trading_date, status = day.trading_date, day.status
    transaction.on_commit(lambda: wakeups.day_changed(trading_date, status))
