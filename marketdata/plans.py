"""Which day comes next: one recorded day, or synthetic days without end."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Protocol

from common.times import NEW_YORK
from marketdata import calendar, queries, ticklog
from marketdata.feeds.base import DayFeed
from marketdata.feeds.rebuild import feed_of
from marketdata.feeds.replay import RedatedFeed, ReplayFeed
from marketdata.feeds.scenarios import NORMAL, SCENARIOS
from marketdata.feeds.synthetic import (
    FIRST_CLOSE_CENTS,
    USUAL_VIX_HUNDREDTHS,
    SyntheticFeed,
    source_of,
)
from marketdata.models import MarketDay
from marketdata.tape import load_tape
from marketdata.tape.parquet import read_tape
from marketdata.tape.store import keep

log = logging.getLogger(__name__)


class Plan(Protocol):
    def may_resume(self, day: MarketDay) -> bool:
        """Whether an unfinished day is ours to go on with."""
        ...

    def next_feed(self, now: datetime) -> DayFeed | None:
        """The day to run, an unfinished one of ours first; None when there is no further day."""
        ...

    def may_begin_again(self) -> bool:
        """Asked while there is no further day."""
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

    def may_resume(self, day: MarketDay) -> bool:
        return day.source == self.feed.source

    def may_begin_again(self) -> bool:
        return queries.control().is_looping

    def next_feed(self, now: datetime) -> DayFeed | None:
        unfinished = MarketDay.objects.exclude(status=MarketDay.Status.CLOSED)
        begun = unfinished.filter(source=self.feed.source).order_by("trading_date").first()
        if begun is not None:
            return self.feed if begun.pk == self.feed.trading_date else feed_of(begun)
        day = MarketDay.objects.filter(pk=self.feed.trading_date).first()
        if day is None:
            return self.feed
        if self.may_begin_again():
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

    def may_resume(self, day: MarketDay) -> bool:
        is_ours = day.source == source_of(self.seed, self.scenario)
        return is_ours and not MarketDay.objects.filter(pk__gt=day.pk).exists()

    def may_begin_again(self) -> bool:
        return False

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


def _last_vix(day: MarketDay | None) -> int | None:
    tick = None if day is None else ticklog.last_tick(day.trading_date)
    return None if tick is None else tick.vix_hundredths
