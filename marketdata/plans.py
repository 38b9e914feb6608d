"""Which day comes next: one recorded day, synthetic days without end, or today's, live."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Protocol

from common.times import NEW_YORK
from marketdata import calendar, queries, ticklog
from marketdata.feeds.base import DayFeed
from marketdata.feeds.live.feed import VENDORS, LiveFeed
from marketdata.feeds.live.feed import source_of as live_source
from marketdata.feeds.rebuild import feed_of
from marketdata.feeds.replay import RedatedFeed, ReplayFeed
from marketdata.feeds.scenarios import NORMAL, SCENARIOS
from marketdata.feeds.synthetic import (
    FIRST_CLOSE_CENTS,
    USUAL_VIX_HUNDREDTHS,
    SyntheticFeed,
    source_of,
)
from marketdata.liverun import WAITS_FOR_CLOSE
from marketdata.models import MarketDay
from marketdata.pacing import Wall
from marketdata.tape import load_tape
from marketdata.tape.parquet import read_tape
from marketdata.tape.store import keep

log = logging.getLogger(__name__)

ANNOUNCED_BEFORE = timedelta(minutes=15)


class Plan(Protocol):
    @property
    def source(self) -> str:
        """Of its days, as far as they have one in common."""
        ...

    def may_resume(self, day: MarketDay) -> bool:
        """Whether an unfinished day is ours to go on with."""
        ...

    def next_feed(self, now: datetime) -> DayFeed | LiveFeed | None:
        """The day to run, an unfinished one of ours first; None when there is no further day."""
        ...

    def may_begin_again(self, now: datetime) -> bool:
        """Asked while there is no further day: whether there is one by now."""
        ...

    def time_between_days(self, last: MarketDay | None, now: datetime) -> datetime | None:
        """What time it is on the market after its `last` day; None for a market without time."""
        ...


class TapePlan:
    """One recorded day: once, and as long as the operator wants it to loop, again on later dates.

    A date is run once, whatever comes: sessions settled on it. So each repetition is a day of its
    own, the next one on the exchange calendar that is as long as the tape's.
    """

    def __init__(self, feed: ReplayFeed) -> None:
        self.feed = feed

    @classmethod
    def for_file(cls, path: Path, tape_dir: Path) -> TapePlan:
        """Any tape file; one that is not packed is packed first, so that it can be resumed later.

        Snapshots of a vendor's file are held as its format wants. Raises TapeError.
        """
        if path.suffix == ".parquet":
            return cls(ReplayFeed(read_tape(path), path.resolve()))
        packed, tape = keep(load_tape(path, hold_seconds=None), tape_dir)
        return cls(ReplayFeed(tape, packed.resolve()))

    @property
    def source(self) -> str:
        return self.feed.source

    def may_resume(self, day: MarketDay) -> bool:
        return day.source == self.feed.source

    def may_begin_again(self, now: datetime) -> bool:
        return queries.control().is_looping

    def time_between_days(self, last: MarketDay | None, now: datetime) -> datetime | None:
        return None if last is None else last.close_at

    def next_feed(self, now: datetime) -> DayFeed | None:
        unfinished = MarketDay.objects.exclude(status=MarketDay.Status.CLOSED)
        begun = unfinished.filter(source=self.feed.source).order_by("trading_date").first()
        if begun is not None:
            return self.feed if begun.pk == self.feed.trading_date else feed_of(begun)
        day = MarketDay.objects.filter(pk=self.feed.trading_date).first()
        if day is None:
            return self.feed
        if self.may_begin_again(now):
            return self._again()
        if day.source == self.feed.source:
            log.info("the tape of %s has run to its close; the market stays closed", day.pk)
        else:
            log.warning(
                "%s is already recorded (%s): use --reset or another data directory to run it"
                " again; the market stays closed",
                day.pk,
                day.source,
            )
        return None

    def _again(self) -> DayFeed | None:
        last = MarketDay.objects.order_by("-trading_date").values_list("pk", flat=True)[0]
        try:
            return RedatedFeed.after(self.feed, last)
        except calendar.OutsideCalendar as exc:
            log.error("the market stays closed: %s", exc)
            return None


class SyntheticPlan:
    """Synthetic days of one seed and scenario, one after the other on the exchange calendar.

    The first is `start_date` (or the first trading day after it), by default today in New York;
    where days were run before, by whatever feed, the next trading day after the last of them. The
    scenario `half-day` takes days with an early close only.
    """

    def __init__(self, *, seed: int, start_date: date | None, scenario: str = NORMAL) -> None:
        self.seed = seed
        self.start_date = start_date
        self.scenario = scenario

    @property
    def source(self) -> str:
        return source_of(self.seed, self.scenario)

    def may_resume(self, day: MarketDay) -> bool:
        is_ours = day.source == self.source
        return is_ours and not MarketDay.objects.filter(pk__gt=day.pk).exists()

    def may_begin_again(self, now: datetime) -> bool:
        return False

    def time_between_days(self, last: MarketDay | None, now: datetime) -> datetime | None:
        return None if last is None else last.close_at

    def next_feed(self, now: datetime) -> DayFeed | None:
        last = MarketDay.objects.order_by("-trading_date").first()
        if last and last.status != MarketDay.Status.CLOSED and self.may_resume(last):
            return feed_of(last)
        try:
            trading_date = self._next_date(last, now)
        except calendar.OutsideCalendar as exc:
            log.error("the market stays closed: %s", exc)
            return None
        return SyntheticFeed(
            seed=self.seed,
            trading_date=trading_date,
            previous_close_cents=(last and last.settlement_cents) or FIRST_CLOSE_CENTS,
            previous_vix_hundredths=_last_vix(last) or USUAL_VIX_HUNDREDTHS,
            scenario=self.scenario,
        )

    def _next_date(self, last: MarketDay | None, now: datetime) -> date:
        start = self.start_date or now.astimezone(NEW_YORK).date()
        if last is not None and (self.start_date is None or start <= last.trading_date):
            start = last.trading_date + timedelta(days=1)
        if SCENARIOS[self.scenario].half_days:
            return calendar.early_close_from(start)
        return calendar.trading_day_from(start)


class LivePlan:
    """Every trading day as it comes, on the wall clock, from one vendor.

    A day is announced ANNOUNCED_BEFORE its open. After its close it stays ours until it is settled,
    for WAITS_FOR_CLOSE at most; what comes later comes with the next day's connection.
    """

    def __init__(self, vendor_name: str, wall: Wall) -> None:
        """Raises NotConfigured."""
        self._new_vendor, self._wall = VENDORS[vendor_name], wall
        self._new_vendor().close()  # are its credentials there?
        self.source = live_source(vendor_name)

    def may_resume(self, day: MarketDay) -> bool:
        return day.source == self.source and self._wall.now() < day.close_at + WAITS_FOR_CLOSE

    def next_feed(self, now: datetime) -> LiveFeed | None:
        trading_date = self._due(now)
        if trading_date is None:
            self._say_why_not(now)
            return None
        return LiveFeed(
            vendor=self._new_vendor(),
            trading_date=trading_date,
            wall=self._wall,
            rng=Random(),  # noqa: S311  only spreads the tries to connect
        )

    def may_begin_again(self, now: datetime) -> bool:
        return self._due(now) is not None

    def time_between_days(self, last: MarketDay | None, now: datetime) -> datetime | None:
        return now

    def _say_why_not(self, now: datetime) -> None:
        day = queries.day(now.astimezone(NEW_YORK).date())
        if day is not None and day.source != self.source:
            log.warning("%s is already recorded (%s): the market stays closed", day.pk, day.source)

    def _due(self, now: datetime) -> date | None:
        """Today, from its announcement to its close, then until it is settled."""
        today = now.astimezone(NEW_YORK).date()
        hours = calendar.hours(today)
        if hours is None or not hours[0] - ANNOUNCED_BEFORE <= now < hours[1] + WAITS_FOR_CLOSE:
            return None
        day = queries.day(today)
        if day is None:
            return today if now < hours[1] else None
        is_done = day.status == MarketDay.Status.CLOSED and day.settlement_cents is not None
        return None if is_done or day.source != self.source else today


def _last_vix(day: MarketDay | None) -> int | None:
    tick = None if day is None else ticklog.last_tick(day.trading_date)
    return None if tick is None else tick.vix_hundredths
