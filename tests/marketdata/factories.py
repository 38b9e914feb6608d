"""Ticks, days and tapes for tests: small, exact, and explicit about what matters to the test."""

from __future__ import annotations

from datetime import UTC, date, datetime

from common.times import to_ms
from marketdata.models import MarketDay
from simengine.market import Tick, rows_of

A_DAY = date(2026, 5, 7)
OPEN_AT = datetime(2026, 5, 7, 13, 30, tzinfo=UTC)
CLOSE_AT = datetime(2026, 5, 7, 20, 0, tzinfo=UTC)
OPEN_MS = to_ms(OPEN_AT)
WALL = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def make_tick(seq: int = 1, **overrides) -> Tick:
    """Three strikes around 5950.25; one second after the open per seq."""
    strikes = overrides.pop("strikes_cents", [594500, 595000, 595500])
    at_ms = overrides.pop("at_ms", OPEN_MS + 1000 * (seq - 1))
    values = {
        "seq": seq,
        "at_ms": at_ms,
        "received_ms": at_ms,
        "spot_cents": 595025,
        "vix_hundredths": 1620,
        "expected_move_cents": 2150,
        "strikes_cents": strikes,
        "call_bid_cents": [1350, 1060, 800],
        "call_ask_cents": [1370, 1080, 820],
        "call_delta_e4": [5900, 5050, 4200],
        "put_bid_cents": [820, 1030, 1270],
        "put_ask_cents": [840, 1050, 1290],
        "put_delta_e4": [4100, 4950, 5800],
        "row_of_strike": rows_of(strikes),
    }
    return Tick(**{**values, **overrides})


def as_tuple(tick: Tick) -> tuple:
    """All values of a tick, comparable."""
    values = (getattr(tick, name) for name in Tick.__slots__)
    return tuple(list(value) if isinstance(value, memoryview) else value for value in values)


def make_day(**overrides) -> MarketDay:
    values = {
        "trading_date": A_DAY,
        "source": "tape:test",
        "open_at": OPEN_AT,
        "close_at": CLOSE_AT,
        "announced_at": WALL,
    }
    return MarketDay.objects.create(**{**values, **overrides})
