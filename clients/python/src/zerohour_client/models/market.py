"""The market that the server trades on. Times are market time, in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal


@dataclass(frozen=True)
class Settlement:
    value: Decimal
    source: Literal["official", "last_spot"]


@dataclass(frozen=True)
class MarketStatus:
    """`speed` is market seconds per second: 1 on a live feed."""

    feed: str | None
    trading_date: date | None
    phase: Literal["pre_open", "open", "closed"]
    is_open: bool
    is_healthy: bool
    market_time: datetime
    speed: Decimal
    open_at: datetime | None
    close_at: datetime | None
    last_tick_at: datetime | None
    last_tick_age_ms: int | None
    settlement: Settlement | None


@dataclass(frozen=True)
class Quote:
    """A side that is not there is None; `delta` is unsigned."""

    bid: Decimal | None
    ask: Decimal | None
    delta: Decimal | None


@dataclass(frozen=True)
class Strike:
    strike: Decimal
    call: Quote
    put: Quote


@dataclass(frozen=True)
class Chain:
    trading_date: date
    datetime: datetime
    seq: int
    spot: Decimal
    vix: Decimal | None
    expected_move: Decimal | None
    chain: tuple[Strike, ...]


@dataclass(frozen=True)
class MarketLine:
    """One second of the index values; a series that was not asked for is None."""

    datetime: datetime
    spx: Decimal | None = None
    vix: Decimal | None = None
    expected_move: Decimal | None = None


@dataclass(frozen=True)
class OtherMarketEvent:
    """An event of a newer server that this version does not know."""

    data: Any


MarketData = MarketStatus | MarketLine | OtherMarketEvent
