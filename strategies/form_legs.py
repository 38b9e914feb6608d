"""The legs of the form: how each chooses its strike, and that the whole has a defined risk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from strategies.fields import Fields, Problems, json_number

LEGS_LIMIT = 8
QTY = (1, 100)
DIRECTIONS = ("sell", "buy")
TYPES = ("put", "call")
# What `value` means, by method: lowest, highest, decimals. `atm` takes none.
METHODS: dict[str, tuple[Decimal, Decimal, int] | None] = {
    "delta": (Decimal("0.01"), Decimal("0.99"), 4),
    "points_otm": (Decimal(-1000), Decimal(1000), 2),
    "premium": (Decimal("0.01"), Decimal(1000), 2),
    "atm": None,
    "em_multiple": (Decimal(-5), Decimal(5), 4),
    "offset": (Decimal(-1000), Decimal(1000), 2),
}


def read_legs(raw: Any, problems: Problems) -> list[dict[str, Any]]:
    if not isinstance(raw, list) or not 1 <= len(raw) <= LEGS_LIMIT:
        problems.add("legs", f"must be a list of 1 to {LEGS_LIMIT} legs")
        return []
    before = len(problems.by_path)
    legs = [_leg(leg, f"legs[{number}]", problems) for number, leg in enumerate(raw)]
    if len(problems.by_path) == before:
        _check_offsets(legs, problems)
        _check_defined_risk(legs, problems)
    return legs


def _leg(raw: Any, path: str, problems: Problems) -> dict[str, Any]:
    known = ("direction", "type", "qty", "strike")
    fields = Fields(raw, path, known, problems, required=True)
    if not fields.is_object:
        return {}
    return {
        "direction": fields.choice("direction", DIRECTIONS),
        "type": fields.choice("type", TYPES),
        "qty": fields.whole("qty", *QTY) if fields.has("qty") else 1,
        "strike": _strike(fields.raw.get("strike"), f"{path}.strike", problems),
    }


def _strike(raw: Any, path: str, problems: Problems) -> dict[str, Any]:
    fields = Fields(raw, path, ("method", "value", "from"), problems, required=True)
    method = fields.choice("method", tuple(METHODS)) if fields.is_object else None
    if method is None:
        return {}
    strike: dict[str, Any] = {"method": method}
    bounds = METHODS[method]
    if bounds is None:
        if fields.has("value"):
            fields.refuse("value", "atm takes no value; points_otm and offset do")
    else:
        low, high, places = bounds
        value = fields.decimal("value", low, high, places=places)
        strike["value"] = None if value is None else _strike_number(method, value)
    if method == "offset":
        strike["from"] = fields.whole("from", 0, LEGS_LIMIT - 1)
    elif fields.has("from"):
        fields.refuse("from", "only an offset counts from another leg")
    return strike


def _strike_number(method: str, value: Decimal) -> int | float | str:
    """A premium is an amount and written as one; the rest are plain numbers."""
    return f"{value:.2f}" if method == "premium" else json_number(value)


def _check_offsets(legs: list[dict[str, Any]], problems: Problems) -> None:
    for number, leg in enumerate(legs):
        if leg["strike"]["method"] != "offset":
            continue
        path = f"legs[{number}].strike"
        source = leg["strike"]["from"]
        if source >= len(legs) or source == number:
            last = len(legs) - 1
            problems.add(f"{path}.from", f"must be the number of another leg, 0 to {last}")
        elif _goes_in_a_circle(legs, number):
            problems.add(f"{path}.from", "the offsets go round in a circle")
        elif leg["strike"]["value"] == 0 and legs[source]["type"] == leg["type"]:
            problems.add(f"{path}.value", f"0 would share the {leg['type']} strike of leg {source}")


def _goes_in_a_circle(legs: list[dict[str, Any]], start: int) -> bool:
    seen = set()
    number = start
    while number < len(legs) and legs[number]["strike"]["method"] == "offset":
        if number in seen:
            return True
        seen.add(number)
        number = legs[number]["strike"]["from"]
    return False


def _check_defined_risk(legs: list[dict[str, Any]], problems: Problems) -> None:
    """Every sold leg is covered by bought legs of its type (contract.md section 3)."""
    for kind in TYPES:
        of_kind = [(number, leg) for number, leg in enumerate(legs) if leg["type"] == kind]
        sold = sum(leg["qty"] for _, leg in of_kind if leg["direction"] == "sell")
        bought = sum(leg["qty"] for _, leg in of_kind if leg["direction"] == "buy")
        if sold > bought:
            first = next(number for number, leg in of_kind if leg["direction"] == "sell")
            problems.add(
                f"legs[{first}]",
                f"sold {kind}s must be covered by bought {kind}s of at least their quantity "
                f"(sold {sold}, bought {bought})",
            )
