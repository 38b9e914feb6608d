"""What time it is on the market, and what its days came to. Every rule about "today" asks here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from common.errors import NotFound
from common.prepared import Prepared
from marketdata import ticklog
from marketdata.models import MarketClock, MarketControl, MarketDay
from simengine.market import Tick

Phase = Literal["pre_open", "open", "closed"]
HEARTBEAT_IS_OLD_AFTER = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class MarketNow:
    """The market as its process last wrote it down. `at` is market time, not ours."""

    day: MarketDay | None
    at: datetime
    phase: Phase
    # The market process gave a sign of life within 5 s, by the database's clock; one with a live
    # feed gives none while the feed is silent.
    is_healthy: bool
    speed: float  # market seconds per wall second
    feed: str

    @property
    def trading_date(self) -> date | None:
        return None if self.day is None else self.day.trading_date

    @property
    def last_tick_at(self) -> datetime | None:
        return None if self.day is None else self.day.last_tick_at

    @property
    def is_open(self) -> bool:
        return self.phase == "open"

    @property
    def is_live(self) -> bool:
        """Quotes of a vendor, on the wall clock."""
        return self.feed.startswith("live:")


def market_now() -> MarketNow:
    """One query. Where no market ever ran: no day, closed, unhealthy, and the wall clock's time."""
    clock = _clock().first()
    if clock is None:
        return MarketNow(None, timezone.now(), "closed", is_healthy=False, speed=1.0, feed="")
    return MarketNow(
        day=clock.day,
        at=clock.market_at,
        phase=phase_at(clock.day, clock.market_at),
        is_healthy=clock.is_fresh,  # type: ignore[attr-defined]  # the query's annotation
        speed=clock.speed,
        feed=clock.feed,
    )


@Prepared
def _clock() -> QuerySet[MarketClock]:
    is_fresh = Q(heartbeat_at__gt=Now() - HEARTBEAT_IS_OLD_AFTER)
    return MarketClock.objects.select_related("day").annotate(
        is_fresh=ExpressionWrapper(is_fresh, output_field=BooleanField())
    )


def control() -> MarketControl:
    """What the operator wants of the market process; nothing where nobody said anything."""
    return MarketControl.objects.filter(pk=1).first() or MarketControl()


def phase_at(day: MarketDay | None, at: datetime) -> Phase:
    """By the exchange's hours of that day: open from the opening second, closed from the closing
    one.
    """
    if day is None or day.status == MarketDay.Status.CLOSED or at >= day.close_at:
        return "closed"
    return "open" if at >= day.open_at else "pre_open"


def day(trading_date: date) -> MarketDay | None:
    return MarketDay.objects.filter(pk=trading_date).first()


def last_closed_day() -> MarketDay | None:
    """The day that closed last by the wall clock, whatever its date."""
    return MarketDay.objects.filter(closed_at__isnull=False).order_by("-closed_at").first()


def settlement(trading_date: date) -> tuple[int, str] | None:
    """(cents, source) the day settled at; None while there is no such value. Never a guess."""
    row = day(trading_date)
    if row is None or row.settlement_cents is None:
        return None
    return row.settlement_cents, row.settlement_source


class NoTicks(NotFound):
    """The market has not published anything yet."""


class NotRecorded(NotFound):
    """No such day ran here."""


def latest_tick() -> tuple[date, Tick]:
    """The newest tick there is, of the running day or the one before. Raises NoTicks."""
    days = MarketDay.objects.filter(last_seq__gt=0).order_by("-trading_date")
    for trading_date in days.values_list("trading_date", flat=True)[:2]:
        tick = ticklog.last_tick(trading_date)
        if tick is not None:
            return trading_date, tick
    raise NoTicks("The market has not published a tick yet; try again after the open.")


def recorded_day(trading_date: date) -> MarketDay:
    """A day with at least one tick. Raises NotRecorded."""
    found = day(trading_date)
    if found is None or not found.last_seq:
        raise NotRecorded(f"No ticks of {trading_date} are recorded here.")
    return found


def trouble() -> str | None:
    """For GET /ready: None while the market process gives signs of life."""
    now = market_now()
    if now.is_healthy:
        return None
    silent = f", or its feed {now.feed} is silent" if now.is_live else ""
    return f"the market process gives no sign of life{silent}"


def unsettled_days(*, source: str) -> list[date]:
    """Closed days of that source whose settlement nobody has given yet."""
    closed = MarketDay.objects.filter(status=MarketDay.Status.CLOSED, settlement_cents=None)
    return list(closed.filter(source=source).order_by("pk").values_list("pk", flat=True))
