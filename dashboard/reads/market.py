"""The market as the pages show it: the strip, and the chain around spot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from common.times import to_ms
from marketdata import queries, shapes
from marketdata.queries import MarketNow, NoTicks
from marketdata.sensitivities import Sensitivity, sensitivities
from simengine.market import Tick

STRIKES_EACH_SIDE = 20


@dataclass(frozen=True, slots=True)
class MarketStrip:
    now: MarketNow
    tick: Tick | None

    @property
    def tick_age(self) -> timedelta | None:
        """Market time since the last tick."""
        last = self.now.last_tick_at
        return None if last is None else max(timedelta(), self.now.at - last)

    @property
    def lag(self) -> timedelta | None:
        """How long the last tick was under way to us, in market time."""
        tick = self.tick
        return None if tick is None else timedelta(milliseconds=tick.received_ms - tick.at_ms)

    @property
    def phase_text(self) -> str:
        if not self.now.is_healthy:
            return "feed silent"
        return {"pre_open": "before the open", "open": "open", "closed": "closed"}[self.now.phase]


@dataclass(frozen=True, slots=True)
class ChainRow:
    """`is_expected`: within the expected move around spot."""

    strike: str
    is_nearest: bool
    is_expected: bool
    call: dict[str, Any]
    put: dict[str, Any]
    call_in_the_money: bool
    put_in_the_money: bool
    greeks: Sensitivity | None


@dataclass(frozen=True, slots=True)
class Chain:
    trading_date: date
    tick: Tick
    rows: list[ChainRow]


def market_strip() -> MarketStrip:
    latest = _latest()
    return MarketStrip(queries.market_now(), latest[1] if latest else None)


def chain() -> Chain | None:
    """The strikes around spot of the latest chain; None before the first tick there ever was."""
    latest = _latest()
    if latest is None:
        return None
    trading_date, tick = latest
    strikes = tick.strikes_cents
    nearest = min(range(len(strikes)), key=lambda row: abs(strikes[row] - tick.spot_cents))
    first = max(0, nearest - STRIKES_EACH_SIDE)
    day = queries.day(trading_date)
    left_ms = to_ms(day.close_at) - tick.at_ms if day else 0
    greeks = sensitivities(tick, left_ms / 1000)
    quotes = shapes.chain_object(trading_date.isoformat(), tick)["chain"]
    rows = [
        ChainRow(
            **quotes[row],
            is_nearest=row == nearest,
            is_expected=abs(strikes[row] - tick.spot_cents) <= (tick.expected_move_cents or -1),
            call_in_the_money=strikes[row] < tick.spot_cents,
            put_in_the_money=strikes[row] > tick.spot_cents,
            greeks=greeks[row],
        )
        for row in range(first, min(len(strikes), nearest + STRIKES_EACH_SIDE + 1))
    ]
    return Chain(trading_date, tick, rows)


def _latest() -> tuple[date, Tick] | None:
    try:
        return queries.latest_tick()
    except NoTicks:
        return None
