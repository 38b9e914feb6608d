"""One contract's quote and the chain it comes from.

Strikes and prices are integer cents inside; what a program reads is points and dollars.
"""

from __future__ import annotations

import json
from typing import Any

COLUMNS = (
    "strikes_cents",
    "call_bid_cents",
    "call_ask_cents",
    "call_delta_e4",
    "put_bid_cents",
    "put_ask_cents",
    "put_delta_e4",
)


def points(cents: int) -> int | float:
    """Points of cents, whole where it is whole: 595000 -> 5950, 595050 -> 5950.5."""
    return cents // 100 if cents % 100 == 0 else cents / 100


def dollars(cents: int) -> str:
    """An amount as the API writes prices: 145 -> "1.45"."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def scaled(value: Any, factor: int, what: str) -> int:
    """`value` × `factor` as an integer. ValueError for no number, or one finer than 1 / factor."""
    if value is None or isinstance(value, bool):
        raise ValueError(f"{what} must be a number")
    exact = float(value) * factor
    if not abs(exact) < 1e15:
        raise ValueError(f"{what} must be a finite number")
    nearest = round(exact)
    if abs(exact - nearest) > 1e-6 * max(1, abs(nearest)):
        raise ValueError(f"{what} is finer than 1/{factor}: {value}")
    return nearest


class Quote:
    """A contract's market now. Money in dollars; `*_cents`, `delta_e4` are the exact integers.

    A missing side or delta is None. `is_two_sided` says both sides are there and not crossed.
    """

    def __init__(self, kind: str, strike_cents: int, bid: int, ask: int, delta: int) -> None:
        self.type = kind
        self.strike_cents = strike_cents
        self.strike = points(strike_cents)
        self.bid_cents = bid if bid >= 0 else None
        self.ask_cents = ask if ask >= 0 else None
        self.delta_e4 = delta if delta >= 0 else None
        self.is_two_sided = bid >= 0 and ask >= bid
        self.bid = bid / 100 if bid >= 0 else None
        self.ask = ask / 100 if ask >= 0 else None
        self.delta = delta / 10000 if delta >= 0 else None
        self.mid_half_cents = bid + ask if self.is_two_sided else None
        self.mid = (bid + ask) / 200 if self.is_two_sided else None

    def __repr__(self) -> str:
        return f"{self.type} {self.strike} {self.bid} x {self.ask}"


class Chain:
    """The tick's columns. As JSON text they are read only when a program asks for a quote."""

    def __init__(self, view: dict[str, Any]) -> None:
        self.spot_cents: int = view["spot_cents"]
        self.expected_move_cents: int | None = view["expected_move_cents"]
        columns = view
        if "chain" in view:
            columns = json.loads(view["chain"])
        self.strikes: list[int] = columns["strikes_cents"]
        self.columns = columns
        self.row_of = {strike: row for row, strike in enumerate(self.strikes)}

    def quote_at(self, kind: str, row: int) -> Quote:
        columns = self.columns
        return Quote(
            kind,
            self.strikes[row],
            columns[f"{kind}_bid_cents"][row],
            columns[f"{kind}_ask_cents"][row],
            columns[f"{kind}_delta_e4"][row],
        )

    def quote(self, kind: str, strike_cents: int) -> Quote | None:
        row = self.row_of.get(strike_cents)
        return None if row is None else self.quote_at(kind, row)
