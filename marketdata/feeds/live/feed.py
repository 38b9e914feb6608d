"""A trading day as a live vendor sends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from random import Random
from typing import Any

from marketdata import calendar
from marketdata.feeds.live.book import QuoteBook
from marketdata.feeds.live.link import Link
from marketdata.feeds.live.tastytrade import Credentials, Tastytrade
from marketdata.feeds.live.vendor import Vendor
from marketdata.pacing import Wall
from marketdata.tape.model import OFFICIAL
from simengine.market import Tick

KIND = "live"


def _tastytrade() -> Vendor:
    return Tastytrade(Credentials.from_environment())


VENDORS: Mapping[str, Callable[[], Vendor]] = {"tastytrade": _tastytrade}


def source_of(vendor_name: str) -> str:
    return f"{KIND}:{vendor_name}"


def vendor_of(source: str) -> str:
    """The vendor's name in a source."""
    return source.removeprefix(f"{KIND}:")


class LiveFeed:
    """A base.Day whose ticks come when they come. Connected within `connected()` only."""

    def __init__(self, *, vendor: Vendor, trading_date: date, wall: Wall, rng: Random) -> None:
        """Raises ValueError for a day the exchange is closed on."""
        hours = calendar.hours(trading_date)
        if hours is None:
            raise ValueError(f"the exchange is closed on {trading_date}")
        self.trading_date = trading_date
        self.open_at, self.close_at = hours
        self.source = source_of(vendor.name)
        self.source_options: dict[str, Any] = {"kind": KIND, "vendor": vendor.name}
        self.book = QuoteBook()
        self._vendor = vendor
        self._link = Link(
            vendor=vendor,
            trading_date=trading_date,
            hours=hours,
            book=self.book,
            wall=wall,
            rng=rng,
        )

    @contextmanager
    def connected(self) -> Iterator[None]:
        self._link.start()
        try:
            yield
        finally:
            self._link.stop()
            self._vendor.close()

    @property
    def is_connected(self) -> bool:
        """Raises what ended the listener, if anything did."""
        self._link.check()
        return self._link.is_connected

    def take(self, at_ms: int, now_ms: int) -> Tick | None:
        """The tick of the second `at_ms` as things stand `now_ms`; None while the feed is silent.

        Its seq is always 1: whoever writes it down gives it its place.
        """
        return self.book.snapshot(at_ms, now_ms)

    def official_closes(self) -> dict[date, int]:
        """Final closing values (cents) the vendor gave since we connected, by trading date."""
        return dict(self.book.official_closes)

    def settlement(self) -> tuple[int, str] | None:
        """Only what the vendor calls final; never a guess."""
        cents = self.book.official_closes.get(self.trading_date)
        return None if cents is None else (cents, OFFICIAL)
