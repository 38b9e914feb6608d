"""What a form would open on one tick, and what it would then be worth at the close.

The strikes are chosen by the very code a compiled program runs, the price is the engine's execution
price, the margin the engine's: nothing here is a second rule. Fees are left out. All amounts are of
the whole position, in cents with the multiplier of 100; a price is per package and signed, a credit
negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from simengine import pricing
from simengine.margin import margin_cents
from simengine.market import CALL, MULTIPLIER, PUT, Contract, Tick
from simengine.pricing import PackageQuote
from strategies.runtime.prelude.legs import Leg, Package, select
from strategies.runtime.prelude.quotes import Chain

MOST_CONTRACTS = 10_000  # the engine's limit for one order


class NothingToOpen(Exception):
    """No strike was found, or not one contract fits the risk; says which."""


@dataclass(frozen=True, slots=True)
class WhatIf:
    legs: list[Leg]
    contracts: int  # packages of `legs` as the form writes them
    quoted_cents: int  # the mid on the price grid
    price_cents: int  # what a fill would be at
    margin_cents: int
    max_loss_cents: int
    max_profit_cents: int | None  # None: without bound
    breakevens_cents: list[int]  # index levels, ascending

    def profit_cents(self, spot_cents: int) -> int:
        """At the close with the index there."""
        return _value(self.legs, spot_cents) * MULTIPLIER * self.contracts - self.cost_cents

    @property
    def cost_cents(self) -> int:
        """What the whole position costs; a credit is negative."""
        return self.price_cents * _units(self.legs) * MULTIPLIER * self.contracts


def what_if(
    config: Mapping[str, Any], tick: Tick, *, balance_cents: int, slippage_cents: int
) -> WhatIf:
    """`config` is canonical. Filters and times are not asked. Raises NothingToOpen."""
    package = select(Chain(_columns(tick)), config["legs"])
    if not package.found:
        raise NothingToOpen(package.reason)
    contracts = _contracts(config["sizing"], package, balance_cents)
    price_cents = _price_cents(package, config["entry"]["order"], slippage_cents)
    legs = package.legs
    cost_cents = price_cents * package.units
    values = [_value(legs, spot) for spot in [0, *(leg.strike_cents for leg in legs)]]
    scale = MULTIPLIER * contracts
    is_unbounded = sum(leg.signed_qty for leg in legs if leg.type == "call") > 0
    return WhatIf(
        legs=legs,
        contracts=contracts,
        quoted_cents=package.quoted_cents,
        price_cents=price_cents,
        margin_cents=margin_cents(_holdings(legs, contracts)),
        max_loss_cents=max(0, cost_cents - min(values)) * scale,
        max_profit_cents=None if is_unbounded else (max(values) - cost_cents) * scale,
        breakevens_cents=_breakevens(legs, cost_cents),
    )


def _columns(tick: Tick) -> dict[str, Any]:
    return {
        "spot_cents": tick.spot_cents,
        "expected_move_cents": tick.expected_move_cents,
        "strikes_cents": tick.strikes_cents,
        "call_bid_cents": tick.call_bid_cents,
        "call_ask_cents": tick.call_ask_cents,
        "call_delta_e4": tick.call_delta_e4,
        "put_bid_cents": tick.put_bid_cents,
        "put_ask_cents": tick.put_ask_cents,
        "put_delta_e4": tick.put_delta_e4,
    }


def _contracts(sizing: Mapping[str, Any], package: Package, balance_cents: int) -> int:
    if "contracts" in sizing:
        return int(sizing["contracts"])
    loss_cents = package.max_loss_cents
    assert loss_cents is not None, "a form's risk is defined"
    budget_cents = int(balance_cents * Decimal(str(sizing["risk_pct"])) / 100)
    most = MOST_CONTRACTS // sum(leg.qty for leg in package.legs)
    contracts = min(most, budget_cents // max(1, loss_cents))
    if not contracts:
        raise NothingToOpen(
            f"one package may lose ${loss_cents / 100:,.2f}, more than {sizing['risk_pct']} % of"
            f" ${balance_cents / 100:,.2f}"
        )
    return contracts


def _price_cents(package: Package, order: str, slippage_cents: int) -> int:
    if order == "market":
        return package.natural_cents
    quote = PackageQuote(package.mid_half_cents, package.natural_cents)
    legs = tuple(
        pricing.Leg(_contract(leg), leg.signed_qty // package.units) for leg in package.legs
    )
    return pricing.execution_cents(legs, quote, slippage_cents)


def _contract(leg: Leg) -> Contract:
    return Contract(CALL if leg.type == "call" else PUT, leg.strike_cents)


def _holdings(legs: Sequence[Leg], contracts: int) -> list[tuple[Contract, int]]:
    return [(_contract(leg), leg.signed_qty * contracts) for leg in legs]


def _units(legs: Sequence[Leg]) -> int:
    return Package(list(legs), "", []).units


def _value(legs: Sequence[Leg], spot_cents: int) -> int:
    """Of one package at settlement, in cents per share."""
    value = 0
    for leg in legs:
        above = spot_cents - leg.strike_cents
        value += leg.signed_qty * max(0, above if leg.type == "call" else -above)
    return value


def _breakevens(legs: Sequence[Leg], cost_cents: int) -> list[int]:
    """Where the profit crosses zero: the payoff is a straight line between strikes and beyond."""
    highest = max(leg.strike_cents for leg in legs)
    spots = sorted({0, *(leg.strike_cents for leg in legs), 2 * highest})
    profits = [_value(legs, spot) - cost_cents for spot in spots]
    found = []
    for number in range(1, len(spots)):
        before, after = profits[number - 1], profits[number]
        if (before < 0) != (after < 0):
            width = spots[number] - spots[number - 1]
            found.append(spots[number - 1] + width * abs(before) // (abs(before) + abs(after)))
    return found
