"""What the market process needs of a day, from wherever it comes: a feed. One trading day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Protocol

from simengine.market import Tick


class Feed(Protocol):
    """One trading day and what it settles at. Where its ticks are known beforehand it is a DayFeed,
    else marketdata.feeds.live.feed.LiveFeed.
    """

    @property
    def trading_date(self) -> date: ...

    @property
    def open_at(self) -> datetime: ...

    @property
    def close_at(self) -> datetime: ...

    @property
    def source(self) -> str:
        """Names the origin: "synthetic:42", "tape:ed18bc4ec55d", "live:tastytrade"."""
        ...

    @property
    def source_options(self) -> dict[str, Any]:
        """JSON; enough to make this very feed again (marketdata.feeds.rebuild), if it can be."""
        ...

    def settlement(self) -> tuple[int, str] | None:
        """(cents, source) the day settles at; None while nobody knows."""
        ...


class DayFeed(Feed, Protocol):
    """The same options give the same ticks, so the day can be resumed and run at any speed."""

    def ticks(self, after_seq: int) -> Iterator[Tick]:
        """The ticks after `after_seq` in order; a tick's seq is its place in the feed, from 1."""
        ...
