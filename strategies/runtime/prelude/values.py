"""What a program reads about its own trades and orders.

Money in dollars, `*_cents` the exact integers; a package's price is signed, a credit negative.
"""

from __future__ import annotations

from typing import Any

from strategies.runtime.prelude.quotes import points


class Trade:
    """An open trade.

    `profit` and `profit_pct` are measured on the mid, before fees; None while a leg has no usable
    quote. `profit_pct` is of the credit received or the debit paid.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        half = raw["mid_half_cents"]
        profit = raw["profit_cents"]
        self.number = raw["number"]
        self.name = raw["name"]
        self.legs = [[leg[0], points(leg[1]), leg[2]] for leg in raw["legs"]]
        self.units = raw["units"]
        self.entry_cents = raw["entry_cents"]
        self.entry = raw["entry_cents"] / 100
        self.mid_half_cents = half
        self.mid = None if half is None else half / 200
        self.profit_cents = profit
        self.profit = None if profit is None else profit / 100
        self.profit_pct = raw["profit_pct"]
        self.age_seconds = raw["age_seconds"]
        self.is_closing = raw["is_closing"]

    def __repr__(self) -> str:
        return f"trade {self.number}"


class ClosedTrade:
    """A trade of today that is closed. `profit` is before fees."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.number = raw["number"]
        self.name = raw["name"]
        self.profit_cents = raw["profit_cents"]
        self.profit = raw["profit_cents"] / 100
        self.closed_seconds_ago = raw["closed_seconds_ago"]
        self.reason = raw["reason"]

    def __repr__(self) -> str:
        return f"closed trade {self.number}"


class Order:
    """A pending order. `limit` is signed, None at the market; `trade` is the number it closes."""

    def __init__(self, raw: dict[str, Any]) -> None:
        limit = raw["limit_cents"]
        self.number = raw["number"]
        self.kind = raw["kind"]
        self.type = raw["type"]
        self.legs = [[leg[0], points(leg[1]), leg[2]] for leg in raw["legs"]]
        self.units = raw["units"]
        self.limit_cents = limit
        self.limit = None if limit is None else limit / 100
        self.age_seconds = raw["age_seconds"]
        self.trade = raw["trade"]

    def __repr__(self) -> str:
        return f"order {self.number}"


class Fill:
    """A fill. `price` is signed per package; `trade` is the number it opened or closed."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self.order = raw["order"]
        self.kind = raw["kind"]
        self.trade = raw["trade"]
        self.price_cents = raw["price_cents"]
        self.price = raw["price_cents"] / 100
        self.units = raw["units"]
        self.at_ms = raw["at_ms"]

    def __repr__(self) -> str:
        return f"fill of order {self.order}"


class Generator:
    """SplitMix64, in integers: the same seed gives the same numbers on every machine."""

    def __init__(self, seed: int) -> None:
        self.position = seed % 2**64

    def next_float(self) -> float:
        """The next number, at least 0 and below 1, from the upper 53 bits."""
        self.position = (self.position + 0x9E3779B97F4A7C15) % 2**64
        mixed = self.position
        mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB % 2**64
        mixed = mixed ^ (mixed >> 31)
        return (mixed >> 11) / 2**53
