"""The profit at the close against the index, as a drawing: an SVG in a box of WIDTH by HEIGHT."""

from __future__ import annotations

from dataclasses import dataclass

from strategies.whatif import WhatIf

WIDTH = 640
HEIGHT = 220
MARGIN = 24


@dataclass(frozen=True, slots=True)
class Mark:
    """A level of the index with its place from the left."""

    x: float
    spot_cents: int


@dataclass(frozen=True, slots=True)
class Level:
    """A profit with its place from the top."""

    y: float
    profit_cents: int


@dataclass(frozen=True, slots=True)
class Payoff:
    """`line` are the "x,y" points of the profit; `zero_y` is where nothing is won or lost, `levels`
    are the most and the least in sight.
    """

    line: str
    zero_y: float
    spot: Mark
    strikes: list[Mark]
    breakevens: list[Mark]
    levels: list[Level]


def payoff(found: WhatIf, *, spot_cents: int) -> Payoff:
    """From beyond the lowest strike to beyond the highest, spot always in sight."""
    strikes = sorted({leg.strike_cents for leg in found.legs})
    low, high = min(strikes[0], spot_cents), max(strikes[-1], spot_cents)
    room = max((high - low) // 3, spot_cents // 200)
    low, high = low - room, high + room
    spots = sorted({low, *strikes, *found.breakevens_cents, spot_cents, high})
    spots = [spot for spot in spots if low <= spot <= high]
    profits = [found.profit_cents(spot) for spot in spots]
    top, bottom = max(0, *profits), min(0, *profits)
    scale = (HEIGHT - 2 * MARGIN) / ((top - bottom) or 1)

    def x(spot: int) -> float:
        return round(WIDTH * (spot - low) / (high - low), 1)

    def y(cents: int) -> float:
        return round(MARGIN + (top - cents) * scale, 1)

    return Payoff(
        line=" ".join(f"{x(s):g},{y(p):g}" for s, p in zip(spots, profits, strict=True)),
        zero_y=y(0),
        spot=Mark(x(spot_cents), spot_cents),
        strikes=[Mark(x(strike), strike) for strike in strikes],
        breakevens=[Mark(x(s), s) for s in found.breakevens_cents if low <= s <= high],
        levels=[Level(y(profit), profit) for profit in (max(profits), min(profits))],
    )
