"""The price rules: ticks, the quoted mid, the execution price (domain.md section 2).

A package is one unit of a spread: legs with signed ratios (bought positive, sold negative). All
prices are signed from our side, per package: a debit is positive, a credit negative, so "worse for
us" is always up. A raw mid is exact in half-cents. Where a package stands on a tick is found by
`simengine.packages`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from simengine.market import Contract

FINE_TICK_CENTS = 5  # several legs always, one leg up to and including $3.00
COARSE_TICK_CENTS = 10  # one leg above
FINE_UP_TO_CENTS = 300


class Leg(NamedTuple):
    contract: Contract
    ratio: int  # signed: bought positive, sold negative


Legs = tuple[Leg, ...]


@dataclass(slots=True)
class PackageQuote:
    """Where one package stands on one tick."""

    mid_half_cents: int  # exact raw mid, in half-cents
    natural_cents: int  # every leg at the far side: the worst the market asks of us

    @property
    def near_cents(self) -> int:
        """Every leg at its own side, the best anybody could hope for: as far below the mid as the
        natural price is above it.
        """
        return self.mid_half_cents - self.natural_cents


def tick_cents(legs: Legs, price_cents: int) -> int:
    """The tick at a price: for one leg 5 cents up to and including $3.00, 10 above; else 5."""
    if len(legs) == 1 and abs(price_cents) > FINE_UP_TO_CENTS:
        return COARSE_TICK_CENTS
    return FINE_TICK_CENTS


def is_on_grid(legs: Legs, price_cents: int) -> bool:
    return price_cents % tick_cents(legs, price_cents) == 0


def down_to_grid(legs: Legs, price_cents: int) -> int:
    """The next price on the grid that is no worse for us."""
    return price_cents - price_cents % tick_cents(legs, price_cents)


def up_to_grid(legs: Legs, price_cents: int) -> int:
    """The next price on the grid toward the market maker."""
    return -down_to_grid(legs, -price_cents)


def quoted_mid_cents(legs: Legs, mid_half_cents: int) -> int:
    """The raw mid on the grid; a tie goes against the order: a higher debit, a lower credit."""
    tick = FINE_TICK_CENTS
    if len(legs) == 1 and abs(mid_half_cents) > 2 * FINE_UP_TO_CENTS:
        tick = COARSE_TICK_CENTS
    return (mid_half_cents + tick) // (2 * tick) * tick


def execution_cents(legs: Legs, quote: PackageQuote, slippage_cents: int) -> int:
    """What a limit or a triggered stop trades at: the quoted mid worsened by the slippage once,
    within the market.
    """
    mid_cents = quoted_mid_cents(legs, quote.mid_half_cents)
    return within_market_cents(mid_cents + slippage_cents, quote)


def within_market_cents(price_cents: int, quote: PackageQuote) -> int:
    """Never worse than the natural price. Never better than the market either: where quotes are
    finer than our tick, rounding the mid could otherwise promise more than anybody offers.
    """
    if price_cents >= quote.natural_cents:
        return quote.natural_cents
    return max(price_cents, quote.near_cents)
