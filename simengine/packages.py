"""Packages on a tick: the raw mid, the natural price, and what each leg is booked at.

A package can trade only if every leg has a usable quote (domain.md section 2): both sides present
and not crossed. A bid of 0 is a present bid, except for a leg that is sold to open: a package that
gives away a worthless option finds a taker, nobody pays for a new one.
"""

from __future__ import annotations

from collections.abc import Mapping

from simengine.market import CALL, Tick
from simengine.pricing import Legs, PackageQuote


class Package:
    """Legs that remember their rows for as long as ticks come with the same strikes."""

    __slots__ = ("_layout", "_rows", "legs")

    def __init__(self, legs: Legs) -> None:
        self.legs = legs
        self._layout: Mapping[int, int] | None = None
        self._rows: list[tuple[bool, int, int]] | None = None  # (is a call, row, signed ratio)

    def quote(self, tick: Tick, *, opening: bool) -> PackageQuote | None:
        """Mid and natural price, or None when a leg has no usable quote."""
        if tick.row_of_strike is not self._layout:
            self._find_rows(tick)
        if self._rows is None:
            return None
        call_bids, call_asks = tick.call_bid_cents, tick.call_ask_cents
        put_bids, put_asks = tick.put_bid_cents, tick.put_ask_cents
        mid_half_cents = natural_cents = 0
        for is_call, row, ratio in self._rows:
            if is_call:
                bid_cents, ask_cents = call_bids[row], call_asks[row]
            else:
                bid_cents, ask_cents = put_bids[row], put_asks[row]
            if bid_cents < 0 or ask_cents < bid_cents:
                return None
            mid_half_cents += ratio * (bid_cents + ask_cents)
            if ratio > 0:
                natural_cents += ratio * ask_cents
            elif bid_cents or not opening:
                natural_cents += ratio * bid_cents
            else:
                return None
        return PackageQuote(mid_half_cents, natural_cents)

    def mid_half_cents(self, tick: Tick) -> int | None:
        """The mid alone, of a package as it is held: what marks and exit rules look at."""
        if tick.row_of_strike is not self._layout:
            self._find_rows(tick)
        if self._rows is None:
            return None
        call_bids, call_asks = tick.call_bid_cents, tick.call_ask_cents
        put_bids, put_asks = tick.put_bid_cents, tick.put_ask_cents
        mid_half_cents = 0
        for is_call, row, ratio in self._rows:
            if is_call:
                bid_cents, ask_cents = call_bids[row], call_asks[row]
            else:
                bid_cents, ask_cents = put_bids[row], put_asks[row]
            if not 0 <= bid_cents <= ask_cents:
                return None
            mid_half_cents += ratio * (bid_cents + ask_cents)
        return mid_half_cents

    def _find_rows(self, tick: Tick) -> None:
        """None where a leg's strike is not on the chain."""
        row_of_strike = self._layout = tick.row_of_strike
        self._rows = []
        for (right, strike_cents), ratio in self.legs:
            row = row_of_strike.get(strike_cents)
            if row is None:
                self._rows = None
                return
            self._rows.append((right == CALL, row, ratio))


def quote_package(legs: Legs, tick: Tick, *, opening: bool) -> PackageQuote | None:
    """The quote of legs that are looked at once. What is looked at every tick keeps a `Package`."""
    return Package(legs).quote(tick, opening=opening)


def leg_prices(legs: Legs, tick: Tick, fill_cents: int, quote: PackageQuote) -> list[int]:
    """What each leg is booked at, in cents per contract (with the ×100): together exactly the fill.

    Every leg starts at its mid. What the fill is off the raw mid is taken from leg after leg, the
    smallest ratio and then the dearest first, none beyond its own bid or ask. At the natural price
    that puts every leg at its far side.
    """
    quotes = [tick.quote(leg.contract) for leg in legs]
    prices = [50 * (quote.bid_cents + quote.ask_cents) for quote in quotes]
    rest = 100 * fill_cents - 50 * quote.mid_half_cents
    for index in sorted(range(len(legs)), key=lambda i: (abs(legs[i].ratio), -prices[i])):
        ratio = legs[index].ratio
        room = 50 * (quotes[index].ask_cents - quotes[index].bid_cents)
        wanted = abs(rest) // abs(ratio)
        move = min(wanted, room) if (rest > 0) == (ratio > 0) else -min(wanted, room)
        prices[index] += move
        rest -= move * ratio
    return _without_rest(legs, prices, rest) if rest else prices


def _without_rest(legs: Legs, prices: list[int], rest: int) -> list[int]:
    """Spread a rest that no single ratio divides (2:3 and the like) over several legs.

    The fewest steps of one cent that make the rest: ratios have no common factor, so they exist.
    The dearest leg may step down, and so may all that stay above zero whatever happens.
    """
    reach = 2 * max(abs(leg.ratio) for leg in legs)
    dear_enough = min(reach, max(prices))
    moves = [(index, 1) for index in range(len(legs))]
    moves += [(index, -1) for index, price in enumerate(prices) if price >= dear_enough]
    ways: dict[int, list[tuple[int, int]]] = {0: []}
    for made in (queue := [0]):
        for index, step in moves:
            reached = made + step * legs[index].ratio
            if abs(reached) <= reach and reached not in ways:
                ways[reached] = [*ways[made], (index, step)]
                queue.append(reached)
    for index, step in ways[rest]:
        prices[index] += step
    return prices
