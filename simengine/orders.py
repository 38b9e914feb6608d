"""Orders and trades as the engine keeps them.

An order is for `units` packages of `legs`; its prices are per package and signed. A trade is a
filled opening order and lives until all of it is closed; exit rules belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

from simengine.market import MULTIPLIER, Contract
from simengine.packages import Package
from simengine.pricing import Leg, Legs

OPENING = "opening"
CLOSING = "closing"

LIMIT = "limit"
MARKET = "market"
STOP = "stop"


@dataclass(frozen=True, slots=True)
class ExitRules:
    """When the engine closes a trade by itself. Percentages in hundredths, of the entry price."""

    profit_target_bp: int | None = None
    stop_loss_bp: int | None = None
    exit_at_seconds: int | None = None  # New York second of the day


@dataclass(slots=True)
class Order:
    number: int
    kind: str
    type: str
    legs: Legs
    units: int
    limit_cents: int | None  # resting limit or stop trigger; None for a market order
    intended_cents: int  # limit: the chosen price or the quoted mid; stop: trigger; market: natural
    placed_at_ms: int
    trade_number: int | None = None  # the trade a closing order closes
    exit_rules: ExitRules = field(default_factory=ExitRules)
    name: str = ""
    reason: str = ""  # why a closing order was placed
    entry_number: int | None = None  # the scheduled entry it came from
    margin_cents: int = 0  # what an opening order reserves while it is pending
    # re-pricing
    peg_cents: int = 0
    highest_cents: int = 0  # an opening order's limit stays between these two
    lowest_cents: int = 0
    tolerance_half_cents: int = 0  # of an opening order: a raw mid moving no more is flat
    concession_cents: int = 0
    replaced_concession_cents: int = 0  # the concession the resting limit contains
    window_at_ms: int = 0  # since when the mid counts as flat; for an exit, the last nudge
    window_mid_half_cents: int = 0
    replaced_at_ms: int | None = None
    replace_count: int = 0
    is_opening: bool = field(init=False)
    package: Package = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.is_opening = self.kind == OPENING
        self.package = Package(self.legs)

    def contracts(self) -> dict[Contract, int]:
        """Signed contracts of the whole order, by contract."""
        return {leg.contract: leg.ratio * self.units for leg in self.legs}


@dataclass(slots=True)
class Trade:
    number: int
    order_number: int
    legs: Legs
    units: int
    entry_cents: int
    opened_at_ms: int
    exit_rules: ExitRules
    name: str = ""
    mid_half_cents: int | None = None  # last usable mid of the package
    quoted_seq: int = 0  # the tick of that mid
    closing_order: int | None = None
    package: Package = field(init=False, repr=False, compare=False)
    # The raw mids from which the percentages of the exit rules hold; None without such a rule, and
    # for a package that cost nothing, which has no percentage of its price.
    target_mid_half_cents: int | None = field(init=False, default=None, repr=False)
    stop_mid_half_cents: int | None = field(init=False, default=None, repr=False)

    def __post_init__(self) -> None:
        self.package = Package(self.legs)
        rules, entry_half_cents = self.exit_rules, 2 * self.entry_cents
        base_half_cents = abs(entry_half_cents)
        if base_half_cents and rules.profit_target_bp is not None:
            gain = -(-rules.profit_target_bp * base_half_cents // 10_000)  # rounded up
            self.target_mid_half_cents = entry_half_cents + gain
        if base_half_cents and rules.stop_loss_bp is not None:
            loss = -(-rules.stop_loss_bp * base_half_cents // 10_000)
            self.stop_mid_half_cents = entry_half_cents - loss

    def closing_legs(self) -> Legs:
        return tuple(Leg(leg.contract, -leg.ratio) for leg in self.legs)

    def profit_cents(self, mid_half_cents: int) -> int:
        """Before fees, on a mid of the package as held: what it is worth less what it cost."""
        return (mid_half_cents - 2 * self.entry_cents) * self.units * 50

    def base_cents(self) -> int:
        """The credit received or the debit paid, whole trade: what exit percentages refer to."""
        return abs(self.entry_cents) * self.units * MULTIPLIER


def package_of(contracts: list[tuple[Contract, int]]) -> tuple[Legs, int]:
    """Whole-order quantities as one package and the number of packages."""
    units = gcd(*(quantity for _, quantity in contracts))
    return tuple(Leg(contract, quantity // units) for contract, quantity in contracts), units
