"""Try a vendor without a market: what works, what comes and how late, line by line."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from statistics import median

from common.money import usd
from common.times import NEW_YORK, to_ms
from marketdata import calendar
from marketdata.feeds.live.book import QuoteBook
from marketdata.feeds.live.feed import VENDORS
from marketdata.feeds.live.strikes import around
from marketdata.feeds.live.vendor import (
    SPX,
    VIX,
    Event,
    NotConfigured,
    OptionQuote,
    Refused,
    Stream,
    VendorError,
)
from marketdata.pacing import Wall
from simengine.market import CALL, PUT, Contract

WORKS, POOR, FAILS = 0, 1, 2
MISSING_SHOWN = 8
LATE_MS = 2_000
INDEX_WITHIN_SECONDS = 10.0
Say = Callable[[str], object]


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Only the lines of the probe, not those of the libraries."""
    loggers = [logging.getLogger(name) for name in ("httpx", "marketdata")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def run(vendor_name: str, seconds: float, *, wall: Wall, say: Say) -> int:
    """The command's exit status: WORKS, POOR (connected, but data is missing or late), FAILS."""
    trading_date = _listed_day(wall.now())
    try:
        vendor = VENDORS[vendor_name]()
    except NotConfigured as exc:
        say(f"credentials  missing: {exc}")
        return FAILS
    say(f"credentials  set; trying {vendor_name} for {trading_date}")
    try:
        stream = vendor.open(trading_date)
        try:
            say(f"stream       {stream.about}")
            return _Probe(stream, wall, say).listen(seconds, trading_date)
        finally:
            stream.close()
    except Refused as exc:
        say(f"refused      {exc}")
        return FAILS
    except VendorError as exc:
        say(f"failed       {exc}")
        return FAILS
    finally:
        vendor.close()


def _listed_day(now: datetime) -> date:
    """Today, or the next trading day where the exchange is closed today or has closed already."""
    today = now.astimezone(NEW_YORK).date()
    hours = calendar.hours(today)
    return today if hours is not None and now < hours[1] else calendar.next_trading_day(today)


class _Probe:
    def __init__(self, stream: Stream, wall: Wall, say: Say) -> None:
        self._stream, self._wall, self._say = stream, wall, say
        self._book = QuoteBook()
        self._delays_ms: list[int] = []
        self._quotes = 0

    def listen(self, seconds: float, trading_date: date) -> int:
        strikes = self._stream.strikes_cents
        self._say(
            f"chain        {len(strikes)} strikes expire on {trading_date},"
            f" {usd(strikes[0])} to {usd(strikes[-1])}"
        )
        self._receive(INDEX_WITHIN_SECONDS, until=lambda: self._book.spot_cents is not None)
        spot = self._book.spot_cents
        if spot is None:
            self._say(f"index        no value of {SPX} within {INDEX_WITHIN_SECONDS:g} s")
            return POOR
        wanted = around(strikes, spot)
        self._stream.subscribe(add=wanted, remove=())
        self._receive(seconds, until=lambda: False)
        vix = self._book.index(VIX)
        shown = "no value" if vix is None else usd(vix)
        self._say(f"index        {SPX} {usd(self._book.spot_cents or spot)}, {VIX} {shown}")
        for day, cents in sorted(self._book.official_closes.items()):
            self._say(f"close        {day} {usd(cents)}, final")
        return self._judge(wanted, seconds, trading_date)

    def _receive(self, seconds: float, *, until: Callable[[], bool]) -> None:
        deadline = self._wall.monotonic() + seconds
        while not until() and (left := deadline - self._wall.monotonic()) > 0:
            events = self._stream.receive(min(left, 0.25))
            now_ms = to_ms(self._wall.now())
            self._book.apply(events, now_ms)
            for event in events:
                self._note(event, now_ms)

    def _note(self, event: Event, now_ms: int) -> None:
        if isinstance(event, OptionQuote):
            self._quotes += 1
            if event.at_ms:
                self._delays_ms.append(now_ms - event.at_ms)

    def _judge(self, wanted: set[int], seconds: float, trading_date: date) -> int:
        quoted = self._book.quoted()
        missing = sorted(
            strike
            for strike in wanted
            if not {Contract(CALL, strike), Contract(PUT, strike)} <= quoted
        )
        self._say(
            f"quotes       {self._quotes} in {seconds:g} s ({self._quotes / seconds:.0f} a second)"
            f" of {len(quoted)} contracts"
        )
        delay = self._say_delay()
        some = ", ".join(usd(strike) for strike in missing[:MISSING_SHOWN])
        more = " …" if len(missing) > MISSING_SHOWN else ""
        rest = f": {some}{more}" if missing else ""
        self._say(f"missing      {len(missing)} of {len(wanted)} strikes{rest}")
        if not self._is_trading(trading_date):
            self._say("verdict      connected; the exchange is closed now, so quotes prove little")
            return WORKS
        if len(missing) > len(wanted) // 2 or delay is None or delay > LATE_MS:
            self._say("verdict      connected, but quotes are missing or late")
            return POOR
        self._say("verdict      works")
        return WORKS

    def _say_delay(self) -> float | None:
        """The median, in ms; None where no quote carries a time."""
        if not self._delays_ms:
            self._say("delay        unknown: no quote carries a time")
            return None
        middle = median(self._delays_ms)
        self._say(f"delay        {middle:.0f} ms in the median, {max(self._delays_ms)} ms at most")
        return middle

    def _is_trading(self, trading_date: date) -> bool:
        hours = calendar.hours(trading_date)
        return hours is not None and hours[0] <= self._wall.now() < hours[1]
