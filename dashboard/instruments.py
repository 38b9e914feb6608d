"""Contracts and packages as traders say them: "put spread 5875/5900", "5950 C"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simengine.market import CALL, Contract, parse_symbol

SIDES = {"buy": 1, "sell": -1}


@dataclass(frozen=True, slots=True)
class LegView:
    """One leg; `quantity` is signed: bought positive."""

    contract: Contract
    quantity: int

    @property
    def text(self) -> str:
        return f"{self.quantity:+d} {contract_text(self.contract)}".replace("-", "−")


def contract_text(contract: Contract) -> str:
    return f"{_strike(contract)} {contract.right}"


def instrument_text(symbol: str) -> str:
    """ "SPXW  260507C05950000" -> "5950 C"."""
    return contract_text(parse_symbol(symbol)[1])


def legs_of(raw: Iterable[Mapping[str, Any]]) -> list[LegView]:
    """The legs of an order or trade row: quantities signed, or unsigned beside an action."""
    return [
        LegView(parse_symbol(leg["instrument"])[1], leg["quantity"] * _side(leg)) for leg in raw
    ]


def package_text(legs: Sequence[LegView]) -> str:
    """The structure and its strikes; what has no name of its own is "4 legs"."""
    by_strike = sorted((leg.contract for leg in legs), key=lambda item: item.strike_cents)
    return f"{_structure(legs)} {'/'.join(dict.fromkeys(map(_strike, by_strike)))}"


def _structure(legs: Sequence[LegView]) -> str:
    rights = sorted(leg.contract.right for leg in legs)
    word = "call" if rights[0] == CALL else "put"
    if len(legs) == 1:
        return f"{'long' if legs[0].quantity > 0 else 'short'} {word}"
    is_balanced = sum(leg.quantity for leg in legs) == 0
    if len(legs) == 2 and rights[0] == rights[1] and is_balanced:
        return f"{word} spread"
    if rights == ["C", "C", "P", "P"] and is_balanced:
        middle = sorted(leg.contract.strike_cents for leg in legs)[1:3]
        return "iron fly" if middle[0] == middle[1] else "iron condor"
    return f"{len(legs)} legs"


def _side(leg: Mapping[str, Any]) -> int:
    return SIDES[leg["action"].split()[0]] if "action" in leg else 1


def _strike(contract: Contract) -> str:
    whole, cents = divmod(contract.strike_cents, 100)
    return f"{whole}.{cents:02d}" if cents else str(whole)
