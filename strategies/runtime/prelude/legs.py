"""Legs as the form writes them, and the package they make once their strikes are chosen.

A package's price is signed: what it costs, so a credit is negative (domain.md section 2). Its raw
mid is exact in half-cents; the quoted mid is that rounded to the price tick, a tie going against
the order.
"""

from __future__ import annotations

from typing import Any

from strategies.runtime.prelude.quotes import Chain, Quote, dollars
from strategies.runtime.prelude.strikes import choose

MULTIPLIER = 100
STRIKE_NAMES = ("strike", "delta", "points_otm", "premium", "em_multiple", "offset")


def sell(kind: str, qty: int = 1, **strike: Any) -> dict[str, Any]:
    """A sold leg: `sell("put", delta=0.30)`. Exactly one of strike, delta, points_otm, premium,
    atm=True, em_multiple, offset (with `leg`, the number of the leg it is counted from)."""
    return _leg("sell", kind, qty, strike)


def buy(kind: str, qty: int = 1, **strike: Any) -> dict[str, Any]:
    """A bought leg: `buy("put", offset=-25, leg=0)`. The same names as `sell`."""
    return _leg("buy", kind, qty, strike)


def _leg(direction: str, kind: str, qty: int, given: dict[str, Any]) -> dict[str, Any]:
    named = [name for name in given if name != "leg"]
    is_one = len(named) == 1 and (named[0] in STRIKE_NAMES or given.get("atm") is True)
    if not is_one or ("leg" in given and named[0] != "offset"):
        known = ", ".join(STRIKE_NAMES)
        raise ValueError(f"{direction}() takes exactly one of {known} (with leg), atm=True")
    strike = {"method": named[0]}
    if named[0] != "atm":
        strike["value"] = given[named[0]]
    if named[0] == "offset":
        strike["from"] = given.get("leg", 0)
    return {"direction": direction, "type": kind, "qty": qty, "strike": strike}


class Leg:
    """One chosen leg. `signed_qty` is negative when sold."""

    def __init__(self, direction: str, kind: str, qty: int, quote: Quote) -> None:
        self.direction = direction
        self.type = kind
        self.qty = qty
        self.signed_qty = qty if direction == "buy" else -qty
        self.quote = quote
        self.strike = quote.strike
        self.strike_cents = quote.strike_cents

    def __repr__(self) -> str:
        return f"{self.direction} {self.qty} {self.type} {self.strike}"


class Package:
    """Chosen legs and their price, or `found` False and the `reason`.

    Prices are of one unit, the legs' quantities without their common factor (`units`), as on an
    order: 2 × 2 legs are 2 units of 1 × 1. `mid_half_cents` (raw) and `natural_cents` are signed,
    a credit negative; `quoted_cents` is the quoted mid. `credit_cents` and `debit_cents` split it
    in two amounts of which one is 0; `credit` and `debit` are the same in dollars. `rows` are the
    chain rows looked at, per leg. `max_loss_cents` is what the whole package can lose at settlement
    if it fills at the natural price, the multiplier of 100 included, fees left out; None if
    unbounded.
    """

    def __init__(self, legs: list[Leg], reason: str, rows: list[Any]) -> None:
        self.legs = legs
        self.reason = reason
        self.rows = rows
        self.found = reason == ""
        self.units = common_factor([leg.qty for leg in legs]) if legs else 1
        self.mid_half_cents = 0
        self.natural_cents = 0
        for leg in legs:
            quantity = leg.signed_qty // self.units
            bid_cents = leg.quote.bid_cents or 0
            ask_cents = leg.quote.ask_cents or 0
            self.mid_half_cents += quantity * (bid_cents + ask_cents)
            self.natural_cents += quantity * (ask_cents if quantity > 0 else bid_cents)
        self.quoted_cents = quoted_cents(self.mid_half_cents, len(legs))
        self.credit_cents = max(0, -self.quoted_cents)
        self.debit_cents = max(0, self.quoted_cents)
        self.credit = self.credit_cents / 100
        self.debit = self.debit_cents / 100
        self.max_loss_cents = max_loss_cents(legs, self.natural_cents * self.units)

    def ratios(self) -> list[list[Any]]:
        """One unit's legs as the engine takes them: `[type, strike in cents, signed quantity]`."""
        return [[leg.type, leg.strike_cents, leg.signed_qty // self.units] for leg in self.legs]

    def explain(self) -> dict[str, Any]:
        """What was looked at and chosen, for `ctx.log`: rows are `[strike, bid, ask, delta]`."""
        told: dict[str, Any] = {"looked_at": self.rows}
        if not self.found:
            told["reason"] = self.reason
            return told
        told["legs"] = [f"{leg}" for leg in self.legs]
        told["mid"] = dollars(self.quoted_cents)
        told["natural"] = dollars(self.natural_cents)
        return told


def select(chain: Chain, specs: list[dict[str, Any]]) -> Package:
    """Choose every leg's strike. Two legs of a type may not end on one strike: nothing is found."""
    choices: list[Any] = [None] * len(specs)
    pending = list(range(len(specs)))
    while pending:
        ready = [number for number in pending if _is_ready(specs, choices, number)]
        if not ready:
            raise ValueError("the legs' offsets go round in a circle")
        for number in ready:
            spec = specs[number]
            anchor = _anchor_cents(choices, spec["strike"])
            choice = choose(chain, spec["direction"], spec["type"], spec["strike"], anchor)
            if choice.quote is None:
                reason = f"no strike found for leg {number}: {choice.reason}"
                return Package([], reason, [choice.rows])
            choices[number] = choice
        pending = [number for number in pending if number not in ready]
    return _package(specs, choices)


def _is_ready(specs: list[dict[str, Any]], choices: list[Any], number: int) -> bool:
    """Whether the leg's strike can be chosen: an `offset` waits for the leg it counts from."""
    strike = specs[number]["strike"]
    if strike["method"] != "offset":
        return True
    source = strike.get("from", 0)
    if source == number or source < 0 or source >= len(specs):
        raise ValueError(f"leg {number}: offset counts from leg {source}, which is no other leg")
    return choices[source] is not None


def _anchor_cents(choices: list[Any], strike: dict[str, Any]) -> int | None:
    if strike["method"] != "offset":
        return None
    anchor: int = choices[strike.get("from", 0)].quote.strike_cents
    return anchor


def _package(specs: list[dict[str, Any]], choices: list[Any]) -> Package:
    legs: list[Leg] = []
    taken: dict[str, int] = {}
    rows = [choice.rows for choice in choices]
    for number, spec in enumerate(specs):
        quote = choices[number].quote
        contract = f"{spec['type']} {quote.strike}"
        if contract in taken:
            shared = f"legs {taken[contract]} and {number} would share {contract}"
            return Package([], f"no strike found for leg {number}: {shared}", rows)
        taken[contract] = number
        legs.append(Leg(spec["direction"], spec["type"], spec["qty"], quote))
    return Package(legs, "", rows)


def normal_spec(leg: dict[str, Any]) -> dict[str, Any]:
    """A leg as `buy` and `sell` give it or as the form writes it; a bare strike is that strike."""
    strike = leg["strike"]
    if not isinstance(strike, dict):
        strike = {"method": "strike", "value": strike}
    return {
        "direction": leg["direction"],
        "type": leg["type"],
        "qty": leg.get("qty", 1),
        "strike": strike,
    }


def check_specs(specs: list[dict[str, Any]]) -> None:
    """ValueError naming the leg that is not one."""
    if len(specs) == 0 or len(specs) > 8:
        raise ValueError("a package has 1 to 8 legs")
    for number, spec in enumerate(specs):
        if spec["direction"] not in ("buy", "sell") or spec["type"] not in ("call", "put"):
            raise ValueError(f"leg {number}: buy or sell a call or a put")
        qty = spec["qty"]
        if isinstance(qty, bool) or not isinstance(qty, int) or qty < 1 or qty > 100:
            raise ValueError(f"leg {number}: qty must be a whole number from 1 to 100")


def common_factor(quantities: list[int]) -> int:
    """The greatest whole number that divides them all."""
    factor = 0
    for quantity in quantities:
        other = quantity
        while other:
            rest = factor % other
            factor = other
            other = rest
    return factor


def quoted_cents(mid_half_cents: int, leg_count: int) -> int:
    """The raw mid on the price grid, a tie going against the order: up, in signed prices."""
    tick = price_tick_cents(abs(mid_half_cents), leg_count)
    return (mid_half_cents + tick) // (2 * tick) * tick


def price_tick_cents(price_half_cents: int, leg_count: int) -> int:
    """Several legs 0.05; one leg 0.05 up to and including 3.00, 0.10 above."""
    return 10 if leg_count == 1 and price_half_cents > 600 else 5


def max_loss_cents(legs: list[Leg], price_cents: int) -> int | None:
    """The most one package bought at `price_cents` can lose at settlement; None if unbounded.

    The payoff is a straight line between strikes, so its least is at a strike or at a spot of zero,
    unless more calls are sold than bought.
    """
    if sum(leg.signed_qty for leg in legs if leg.type == "call") < 0:
        return None
    worst: int | None = None
    for spot in [0, *(leg.strike_cents for leg in legs)]:
        value = 0
        for leg in legs:
            above = spot - leg.strike_cents
            value += leg.signed_qty * max(0, above if leg.type == "call" else -above)
        worst = value if worst is None else min(worst, value)
    return max(0, (price_cents - (worst or 0)) * MULTIPLIER)
