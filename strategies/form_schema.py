"""The form as JSON Schema (2020-12), made from the same bounds that check it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from strategies import form, form_legs
from strategies.fields import json_number

CLOCK = r"^(09:[3-5][0-9]|1[0-5]:[0-5][0-9])(:[0-5][0-9])?$"
DECIMAL = r"^-?[0-9]+(\.[0-9]+)?$"


def form_schema() -> dict[str, Any]:
    """What `strategies.form.normalise` accepts, but for the rules between fields."""
    return _object(
        {
            "legs": {
                "type": "array",
                "minItems": 1,
                "maxItems": form_legs.LEGS_LIMIT,
                "items": _leg(),
                "description": "Every sold leg is covered by bought legs of its type.",
            },
            "entry": _entry(),
            "exit": _exit(),
            "sizing": _sizing(),
        },
        required=["legs", "entry"],
    )


def _leg() -> dict[str, Any]:
    low, high = form_legs.QTY
    return _object(
        {
            "direction": {"enum": list(form_legs.DIRECTIONS)},
            "type": {"enum": list(form_legs.TYPES)},
            "qty": _whole(low, high, "Contracts of this leg in one package; 1 if left out."),
            "strike": _strike(),
        },
        required=["direction", "type", "strike"],
    )


def _strike() -> dict[str, Any]:
    return _object(
        {
            "method": {
                "enum": list(form_legs.METHODS),
                "description": (
                    "delta: nearest absolute delta. points_otm: points from spot, out of the money "
                    "positive. premium: nearest price, the ask of a bought leg, the bid of a sold "
                    "one. atm: nearest to spot, takes no value. em_multiple: spot plus or minus "
                    "value times the expected move. offset: value points from the strike of leg "
                    "number `from`."
                ),
            },
            "value": _number(Decimal(-1000), Decimal(1000), "What the method aims at."),
            "from": _whole(0, form_legs.LEGS_LIMIT - 1, "Only for offset: a leg's number, from 0."),
        },
        required=["method"],
    )


def _entry() -> dict[str, Any]:
    clock = {"type": "string", "pattern": CLOCK, "description": "New York HH:MM or HH:MM:SS."}
    low, high = form.ENTRIES
    return _object(
        {
            "times": {
                "type": "array",
                "minItems": 1,
                "maxItems": form.TIMES_LIMIT,
                "uniqueItems": True,
                "items": clock,
            },
            "time": {**clock, "description": "Short form of times with one time."},
            "weekdays": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"enum": list(form.WEEKDAYS)},
                "description": "Every weekday if left out.",
            },
            "order": {
                "enum": list(form.ORDERS),
                "description": "limit_mid, the default: a limit at the quoted mid, re-priced.",
            },
            "max_entries": _whole(low, high, "Entries a day that became a trade or still may."),
            "filters": _filters(),
        },
        required=[],
    )


def _filters() -> dict[str, Any]:
    low, high = form.COOLDOWN_MINUTES
    return _object(
        {
            "min_credit": _number(*form.AMOUNT[:2], "Dollars a unit's quoted mid must bring in."),
            "max_debit": _number(*form.AMOUNT[:2], "Dollars a unit's quoted mid may cost."),
            "vix_min": _number(*form.VIX[:2], "No entry below this VIX."),
            "vix_max": _number(*form.VIX[:2], "No entry above this VIX."),
            "spot_move_max_pct": _number(*form.SPOT_MOVE[:2], "Of spot, since the open."),
            "one_at_a_time": {
                "type": "boolean",
                "description": "No entry while a trade is open or being opened.",
            },
            "cooldown_after_loss_minutes": _whole(low, high, "After a trade closed at a loss."),
        },
        required=[],
    )


def _exit() -> dict[str, Any]:
    of_base = "Percent of the credit received or the debit paid, measured on the mid."
    return _object(
        {
            "profit_target_pct": _number(*form.PERCENT[:2], of_base),
            "stop_loss_pct": _number(*form.PERCENT[:2], of_base + " 200: a loss of twice it."),
            "trailing_stop_pct": _number(
                *form.PERCENT[:2], of_base + " Closes this far below the trade's best profit."
            ),
            "trailing_start_pct": _number(
                *form.PERCENT[:2], "The best profit from which trailing_stop_pct counts; needs it."
            ),
            "touch_short_strike": {
                "type": "boolean",
                "description": "Closes when spot reaches the strike of a sold leg.",
            },
            "time": {
                "type": "string",
                "pattern": CLOCK,
                "description": "Closes what is open; after the last entry time.",
            },
        },
        required=[],
    )


def _sizing() -> dict[str, Any]:
    low, high = form.CONTRACTS
    return {
        **_object(
            {
                "contracts": _whole(low, high, "Packages a trade; 1 if nothing is given."),
                "risk_pct": _number(
                    *form.RISK[:2],
                    "Percent of the session's opening balance that the defined risk may reach.",
                ),
            },
            required=[],
        ),
        "maxProperties": 1,
    }


def _object(properties: dict[str, Any], *, required: list[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
    }
    return {**schema, "required": required} if required else schema


def _whole(low: int, high: int, description: str) -> dict[str, Any]:
    return {"type": "integer", "minimum": low, "maximum": high, "description": description}


def _number(low: Decimal, high: Decimal, description: str) -> dict[str, Any]:
    """A JSON number or a plain decimal string."""
    number = {"type": "number", "minimum": json_number(low), "maximum": json_number(high)}
    return {
        "oneOf": [number, {"type": "string", "pattern": DECIMAL}],
        "description": description,
    }
