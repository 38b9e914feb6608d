"""What is done to the market's tables: announce a day, publish, keep time, close, settle, steer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest, Now
from structlog.contextvars import bind_contextvars

from common.errors import Conflict
from common.times import from_ms, to_ms
from marketdata import queries, ticklog, wakeups
from marketdata.feeds.base import Feed
from marketdata.feeds.rebuild import CannotRebuild, feed_of
from marketdata.models import MarketClock, MarketControl, MarketDay
from simengine.market import Tick


class CannotSteer(Conflict):
    """A live market runs on the wall clock: it has no speed and cannot be paused or stepped."""

    code = "cannot_steer"


def announce_day(*, feed: Feed, now: datetime) -> MarketDay:
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
    _log_as_of(day, day.last_seq)
    return day


def publish(
    *,
    day: MarketDay,
    ticks: Sequence[Tick],
    market_ms: int,
    speed: float,
    now: datetime,
    steps_taken: int = 0,
    is_alive: bool = True,
) -> None:
    """Append ticks and move the clock, in one commit; without ticks it is a sign of life.

    `steps_taken` of the operator's steps are done with it. `is_alive`: see `keep_time`.
    """
    _log_as_of(day, ticks[-1].seq if ticks else day.last_seq)
    with transaction.atomic():
        if steps_taken:
            left = Greatest(F("steps_left") - steps_taken, 0)
            MarketControl.objects.filter(pk=1).update(steps_left=left)
        ticklog.append(day.trading_date, ticks, now)
        keep_time(day=day, market_at=from_ms(market_ms), speed=speed, is_alive=is_alive)


def keep_time(
    *,
    day: MarketDay | None,
    market_at: datetime,
    speed: float,
    feed: str = "",
    is_alive: bool = True,
) -> None:
    """Write the market clock. The heartbeat is the database's own time, and is left as it is where
    the feed is not alive. `feed` is the day's source unless there is no day.
    """
    values = {
        "day": day,
        "feed": feed if day is None else day.source,
        "speed": speed,
        "market_at": market_at,
    }
    heartbeat = {"heartbeat_at": Now()} if is_alive else {}
    if not MarketClock.objects.filter(pk=1).update(**values, **heartbeat):
        never = {"heartbeat_at": datetime(1970, 1, 1, tzinfo=UTC)}
        MarketClock.objects.create(pk=1, **values, **(heartbeat or never))


def steer(**wishes: Any) -> MarketControl:
    """Store what the operator wants of the market process: fields of MarketControl. It obeys at its
    next turn, within half a second. Raises CannotSteer while a live market runs.
    """
    now = queries.market_now()
    if now.is_live and now.is_healthy:
        raise CannotSteer(f"The market is {now.feed}: it runs on the wall clock.")
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


def settle_late(*, trading_date: date, cents: int, source: str) -> bool:
    """Give a closed day the settlement its feed had not yet at the close. False where it has one:
    sessions are settled on it, so only an operator changes it (marketdata.settlement).
    """
    with transaction.atomic():
        waiting = MarketDay.objects.filter(
            pk=trading_date, status=MarketDay.Status.CLOSED, settlement_cents=None
        )
        if not waiting.update(settlement_cents=cents, settlement_source=source):
            return False
        _notify(MarketDay.objects.get(pk=trading_date))
    return True


def close_abandoned_day(*, day: MarketDay, now: datetime) -> MarketDay:
    """Close an unfinished day that no feed will go on with, at its own source's settlement."""
    try:
        settlement = feed_of(day).settlement()
    except CannotRebuild:
        remembered = day.source_options.get("settlement")
        settlement = None if remembered is None else (int(remembered[0]), str(remembered[1]))
    return close_day(day=day, settlement=settlement, now=now)


def _notify(day: MarketDay) -> None:
    trading_date, status = day.trading_date, day.status
    transaction.on_commit(lambda: wakeups.day_changed(trading_date, status))


def _log_as_of(day: MarketDay, seq: int) -> None:
    """What every line this thread logs from now on carries."""
    bind_contextvars(trading_date=str(day.trading_date), tick_seq=seq)
