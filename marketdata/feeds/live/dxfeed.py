"""dxFeed's events as ours: option quotes, the two indices, the official close."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from marketdata.feeds.live.dxlink import DxEvent, DxLink
from marketdata.feeds.live.vendor import (
    SPX,
    VIX,
    Event,
    IndexValue,
    OfficialClose,
    OptionQuote,
)
from simengine.market import CALL, MISSING, PUT, Contract

EPOCH = date(1970, 1, 1)
FINAL = "FINAL"  # of dxFeed's kinds of closing prices the only one that changes no more
INDEX_SYMBOLS = {"SPX": SPX, "VIX": VIX}
Symbols = Mapping[Contract, str]


class DxFeedStream:
    """A vendor.Stream over dxLink. `symbols` are the streamer symbols of the day's contracts."""

    def __init__(self, link: DxLink, symbols: Symbols, *, about: str) -> None:
        self.about = about
        self.strikes_cents: Sequence[int] = sorted({strike for _, strike in symbols})
        self._link, self._symbols = link, symbols
        self._contracts = {symbol: contract for contract, symbol in symbols.items()}
        link.subscribe(add=[("Trade", symbol) for symbol in INDEX_SYMBOLS] + [("Summary", SPX)])

    @property
    def counts(self) -> Mapping[str, int]:
        return self._link.counts

    def subscribe(self, *, add: Collection[int], remove: Collection[int]) -> None:
        self._link.subscribe(add=self._quotes_of(add), remove=self._quotes_of(remove))

    def receive(self, timeout_seconds: float) -> list[Event]:
        received = self._link.receive(timeout_seconds)
        return [event for each in received for event in events_of(each, self._contracts)]

    def close(self) -> None:
        self._link.close()

    def _quotes_of(self, strikes: Collection[int]) -> list[tuple[str, str]]:
        contracts = (Contract(right, strike) for strike in strikes for right in (CALL, PUT))
        return [("Quote", self._symbols[each]) for each in contracts if each in self._symbols]


def events_of(event: DxEvent, contracts: Mapping[str, Contract]) -> Iterator[Event]:
    """What a dxFeed event tells us; nothing for a symbol or a value that is none of ours."""
    kind, values = event
    symbol = values.get("eventSymbol")
    if kind == "Quote" and isinstance(symbol, str) and symbol in contracts:
        yield OptionQuote(
            contracts[symbol],
            cents_of(values.get("bidPrice")),
            cents_of(values.get("askPrice")),
            max(_time_of(values.get("bidTime")), _time_of(values.get("askTime"))),
        )
    elif kind == "Trade" and symbol in INDEX_SYMBOLS:
        hundredths = _rounded(values.get("price"))
        if hundredths is not None:
            yield IndexValue(INDEX_SYMBOLS[symbol], hundredths, _time_of(values.get("time")))
    elif kind == "Summary" and symbol == SPX:
        yield from _closes(values)


def _closes(values: Mapping[str, Any]) -> Iterator[OfficialClose]:
    for day, price in (("dayId", "dayClosePrice"), ("prevDayId", "prevDayClosePrice")):
        cents = _rounded(values.get(price))
        number: Any = values.get(day)
        is_day = type(number) is int and 0 < number < 100_000
        if values.get(f"{price}Type") == FINAL and cents is not None and is_day:
            yield OfficialClose(EPOCH + timedelta(days=number), cents)


def cents_of(price: Any) -> int:
    """MISSING for what is no price in whole cents, such as "NaN"."""
    if type(price) is int:
        return price * 100 if price >= 0 else MISSING
    if not isinstance(price, Decimal) or not price.is_finite() or price < 0:
        return MISSING
    cents = price * 100
    return int(cents) if cents == cents.to_integral_value() else MISSING


def _rounded(value: Any) -> int | None:
    """An index value in hundredths, half to even; None for what is no value above 0."""
    if type(value) is int:
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or not 0 < value < 1_000_000:
        return None
    return round(value * 100)


def _time_of(value: Any) -> int:
    return value if type(value) is int and value > 0 else 0
