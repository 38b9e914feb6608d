"""The market that the server trades on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal

from zerohour_client._calls import Call, StreamCall, many, one, path, query
from zerohour_client._shapes import decode
from zerohour_client.models import (
    Chain,
    MarketData,
    MarketLine,
    MarketStatus,
    OtherMarketEvent,
)

Series = Literal["spx", "vix", "expected_move"]


def get_status() -> Call[MarketStatus]:
    """Feed, market clock and trading day."""
    return Call("GET", "/market-data/status", one(MarketStatus))


def get_chain() -> Call[Chain]:
    """The latest chain."""
    return Call("GET", "/market-data/chain", one(Chain))


def list_history(
    trading_date: date | str,
    *,
    series: Sequence[Series] | None = None,
    interval: int | None = None,
) -> Call[list[MarketLine]]:
    """A recorded day, one row every `interval` seconds."""
    wanted = ",".join(series) if series is not None else None
    where = path("/market-data/historical/{}", trading_date)
    return Call("GET", where, many(MarketLine), query=query(series=wanted, interval=interval))


def stream_market(*, after: str | None = None) -> StreamCall[MarketData]:
    """Index values each market second, and the status when it changes; it does not end."""
    return StreamCall("/market-data/stream", _market_data, after=after)


def _market_data(event: str, raw: Any) -> MarketData:
    if event == "market":
        return decode(MarketLine, raw)
    if event == "status":
        return decode(MarketStatus, raw)
    return OtherMarketEvent(raw)
