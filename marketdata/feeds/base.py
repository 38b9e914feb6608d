"""What the market process needs of a day: a feed. One trading day, from wherever it comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Protocol

from simengine.market import Tick


class DayFeed(Protocol):
    """One trading day. The same options give the same ticks, so a day can be resumed or settled."""

    @property
    def trading_date(self) -> date: ...

    @property
    def open_at(self) -> datetime: ...

    @property
    def close_at(self) -> datetime: ...

    @property
    def source(self) -> str:
        """Names the origin: "synthetic:42", "tape:ed18bc4ec55d"."""
        ...

    @property
    def source_options(self) -> dict[str, Any]:
        """JSON; enough to make this very feed again (marketdata.feeds.rebuild)."""
        ...

    def ticks(self, after_seq: int) -> Iterator[Tick]:
        """The ticks after `after_seq` in order; a tick's seq is its place in the feed, from 1."""
        ...

    def settlement(self) -> tuple[int, str] | None:
        """(cents, source) the day settles at, if the feed has one."""
        ...
