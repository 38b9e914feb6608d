"""Orders and trades as the engine keeps them.

An order is for `units` packages of `legs`; its prices are per package and signed. A trade is a
filled opening order and lives until all of it is closed; exit rules belong to it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

from simengine.market import CALL, MULTIPLIER, PUT, Contract
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
    trailing_stop_bp: int | None = None  # how far profit may fall back from its best
    trailing_start_bp: int | None = None  # the best profit that arms it; None: armed from the fill
    exit_on_touch: bool = False  # spot at or beyond the strike of a sold leg


NEVER = 10**12  # no gain in half-cents, spot in cents or time of day in milliseconds gets there


@dataclass(frozen=True, slots=True)
class ExitLevels:
    """Where a trade's exit rules hold: gains of one package in half-cents (its raw mid less its
    entry price), spots and a time; NEVER without the rule.

    A percentage that is no whole half-cent is rounded up, to the first mid that reaches it. A
    package that cost nothing has no percentage of its price.
    """

    target_half_cents: int
    stop_half_cents: int
    trail_half_cents: int  # a fall from the best gain
    trail_start_half_cents: int
    touch_falling_cents: int  # the highest strike of a sold put
    touch_rising_cents: int  # the lowest strike of a sold call
    due_ms: int  # of the New York day

    @classmethod
    def of(cls, rules: ExitRules, legs: Legs, entry_cents: int) -> ExitLevels:
        base_half_cents = 2 * abs(entry_cents)

        def share(bp: int | None) -> int:
            if bp is None or not base_half_cents:
                return NEVER
            return -(-bp * base_half_cents // 10_000)

        sold = [leg.contract for leg in legs if leg.ratio < 0] if rules.exit_on_touch else []
        puts = [contract.strike_cents for contract in sold if contract.right == PUT]
        calls = [contract.strike_cents for contract in sold if contract.right == CALL]
        return cls(
            target_half_cents=share(rules.profit_target_bp),
            stop_half_cents=-share(rules.stop_loss_bp),
            trail_half_cents=share(rules.trailing_stop_bp),
            trail_start_half_cents=share(rules.trailing_start_bp or 0),
            touch_falling_cents=max(puts, default=-NEVER),
            touch_rising_cents=min(calls, default=NEVER),
            due_ms=NEVER if rules.exit_at_seconds is None else 1000 * rules.exit_at_seconds,
        )


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
    best_gain_half_cents: int = 0  # of a trailing stop: the most its mid was above its entry price
    package: Package = field(init=False, repr=False, compare=False)
    exit_levels: ExitLevels = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.package = Package(self.legs)
        self.exit_levels = ExitLevels.of(self.exit_rules, self.legs, self.entry_cents)

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
