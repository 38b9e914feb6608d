"""The form of a strategy with a field for each thing it can say, from the API's config and back.

Fields are named by their paths in the config ("legs[0].strike.value"), so what the check says of a
path stands beside its field.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import QueryDict

from common.errors import Refusal
from dashboard.forms import base
from dashboard.forms.base import Field, Form, Group
from strategies.form import ORDERS, PERCENT_EXITS, WEEKDAYS
from strategies.form_legs import DIRECTIONS, LEGS_LIMIT, TYPES
from strategies.shapes import DESCRIPTION_LENGTH, NAME_LENGTH

LEGS = "legs"  # how many there are
ADD_LEG = "add-leg"
REMOVE_LEG = "remove-leg-"
BALANCE = "balance"
NEW_LEG = {"direction": "buy", "type": "put", "qty": 1, "strike": {"method": "delta", "value": 0.3}}

METHOD_LABELS = {
    "delta": "nearest delta",
    "points_otm": "points out of the money",
    "premium": "nearest price ($)",
    "atm": "at the money",
    "em_multiple": "× expected move",
    "offset": "points from another leg",
}
ORDER_LABELS = {"limit_mid": "limit at the mid, re-priced", "market": "market"}
WEEKDAY_LABELS = {day: day.capitalize() for day in WEEKDAYS}

# path: (label, hint)
FILTERS = {
    "min_credit": ("Credit at least ($)", "Per share, as quoted."),
    "max_debit": ("Debit at most ($)", "Per share, as quoted."),
    "vix_min": ("VIX at least", ""),
    "vix_max": ("VIX at most", ""),
    "spot_move_max_pct": ("Index moved at most (%)", "Since the session's first tick."),
    "cooldown_after_loss_minutes": ("Wait after a loss (minutes)", "1 to 390."),
}
EXITS = {
    "profit_target_pct": ("Profit target (%)", "Of the credit received or the debit paid."),
    "stop_loss_pct": ("Stop loss (%)", "Of the same; 200 is a loss of twice the credit."),
    "trailing_stop_pct": ("Trailing stop (%)", "Leaves when it gave back this much."),
    "trailing_start_pct": ("Trailing from a profit of (%)", "Empty: from the fill on."),
}
WHOLE = ("qty", "max_entries", "cooldown_after_loss_minutes", "contracts", "from")

Values = Mapping[str, Any]


def values_of(config: Mapping[str, Any], *, name: str = "", description: str = "") -> Values:
    """What the fields of a config are filled with."""
    entry, exits, sizing = config["entry"], config.get("exit", {}), config.get("sizing", {})
    filters = entry.get("filters", {})
    values = {
        "name": name,
        "description": description,
        BALANCE: "25000",
        LEGS: len(config["legs"]),
        "entry.times": ", ".join(entry.get("times") or [entry["time"]]),
        "entry.weekdays": list(entry.get("weekdays", WEEKDAYS)),
        "entry.order": entry.get("order", ORDERS[0]),
        "entry.max_entries": _text(entry.get("max_entries")),
        "entry.filters.one_at_a_time": bool(filters.get("one_at_a_time")),
        "exit.touch_short_strike": bool(exits.get("touch_short_strike")),
        "exit.time": exits.get("time", ""),
        **{f"entry.filters.{key}": _text(filters.get(key)) for key in FILTERS},
        **{f"exit.{key}": _text(exits.get(key)) for key in PERCENT_EXITS},
        **{f"sizing.{key}": _text(sizing.get(key)) for key in ("contracts", "risk_pct")},
    }
    for number, leg in enumerate(config["legs"]):
        values |= _leg_values(number, leg)
    return values


def sent_values(post: QueryDict) -> dict[str, Any]:
    """What was typed; a pressed "Add a leg" or "Remove" is done already."""
    values: dict[str, Any] = {name: base.text_of(post.get(name, "")) for name in post}
    for check in ("entry.filters.one_at_a_time", "exit.touch_short_strike"):
        values[check] = check in post
    values["entry.weekdays"] = post.getlist("entry.weekdays")
    count = post.get(LEGS, "")
    values[LEGS] = min(int(count), LEGS_LIMIT) if count.isascii() and count.isdigit() else 0
    action = post.get("action", "")
    if action == ADD_LEG and values[LEGS] < LEGS_LIMIT:
        values |= _leg_values(values[LEGS], NEW_LEG)
        values[LEGS] += 1
    elif action.startswith(REMOVE_LEG):
        _remove_leg(values, action.removeprefix(REMOVE_LEG))
    return values


def config_of(values: Values) -> dict[str, Any]:
    """The API's config of what was typed; empty fields are left out."""
    entry: dict[str, Any] = {
        "times": [
            part.strip() for part in values.get("entry.times", "").split(",") if part.strip()
        ],
        "weekdays": values["entry.weekdays"],
        "order": values.get("entry.order", ""),
        "filters": _given(values, "entry.filters", FILTERS),
        **_given(values, "entry", ("max_entries",)),
    }
    if values["entry.filters.one_at_a_time"]:
        entry["filters"]["one_at_a_time"] = True
    exits = _given(values, "exit", (*PERCENT_EXITS, "time"))
    if values["exit.touch_short_strike"]:
        exits["touch_short_strike"] = True
    return {
        "legs": [_leg(values, number) for number in range(values[LEGS])],
        "entry": entry,
        "exit": exits,
        "sizing": _given(values, "sizing", ("contracts", "risk_pct")),
    }


def builder_form(values: Values, refusal: Refusal | None = None) -> Form:
    legs = (_leg_group(values, number) for number in range(values[LEGS]))
    rest = (_entry(values), _filters(values), _exits(values), _sizing(values))
    form = Form((_identity(values), *legs, *rest))
    return form if refusal is None else form.refused(base.reasons_of(refusal))


def _leg_values(number: int, leg: Mapping[str, Any]) -> dict[str, Any]:
    path, strike = f"legs[{number}]", leg["strike"]
    return {
        f"{path}.direction": leg["direction"],
        f"{path}.type": leg["type"],
        f"{path}.qty": str(leg.get("qty", 1)),
        f"{path}.strike.method": strike["method"],
        f"{path}.strike.value": _text(strike.get("value")),
        f"{path}.strike.from": str(strike.get("from", 0)),
    }


def _leg(values: Values, number: int) -> dict[str, Any]:
    path = f"legs[{number}]"
    leg = _given(values, path, ("direction", "type", "qty"))
    method = values.get(f"{path}.strike.method", "")
    names = {"atm": ("method",), "offset": ("method", "value", "from")}
    leg["strike"] = _given(values, f"{path}.strike", names.get(method, ("method", "value")))
    return leg


def _remove_leg(values: dict[str, Any], number: str) -> None:
    """The legs after it move up, and offsets that counted from those with them."""
    if not (number.isascii() and number.isdigit()) or int(number) >= values[LEGS]:
        return
    removed = int(number)
    legs = [_leg_texts(values, leg) for leg in range(values[LEGS]) if leg != removed]
    values[LEGS] -= 1
    for position, leg in enumerate(legs):
        source = leg.get("strike.from", "")
        if source.isdigit() and int(source) > removed:
            leg["strike.from"] = str(int(source) - 1)
        values |= {f"legs[{position}].{name}": text for name, text in leg.items()}


def _leg_texts(values: Values, number: int) -> dict[str, str]:
    start = f"legs[{number}]."
    return {
        name.removeprefix(start): text for name, text in values.items() if name.startswith(start)
    }


def _given(values: Values, path: str, names: Any) -> dict[str, Any]:
    """What was typed into the fields below `path`, the empty ones left out."""
    typed = {name: str(values.get(f"{path}.{name}", "")).strip() for name in names}
    return {name: _number(name, text) for name, text in typed.items() if text}


def _number(name: str, text: str) -> Any:
    """Whole numbers as such; what is none stays as typed, for the check to name."""
    is_whole = name in WHOLE and text.isascii() and text.isdigit()
    return int(text) if is_whole else text


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _options(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(labels.items())


def _same(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((name, name) for name in names)


def _identity(values: Values) -> Group:
    name = Field("name", "Name", value=values["name"], is_required=True, max_length=NAME_LENGTH)
    about = Field(
        "description",
        "Description",
        base.LONG,
        values["description"],
        max_length=DESCRIPTION_LENGTH,
    )
    return Group("", (name, about))


def _leg_group(values: Values, number: int) -> Group:
    path = f"legs[{number}]"

    def field(name: str, label: str, kind: str = base.NUMBER, **more: Any) -> Field:
        full = f"{path}.{name}"
        return Field(full, label, kind, values.get(full, ""), **more)

    sources = tuple((str(n), f"leg {n}") for n in range(values[LEGS]) if n != number)
    fields = (
        field("direction", "Side", base.CHOICE, options=_same(DIRECTIONS)),
        field("qty", "Contracts"),
        field("type", "Type", base.CHOICE, options=_same(TYPES)),
        field("strike.method", "Strike", base.CHOICE, options=_options(METHOD_LABELS)),
        field("strike.value", "Value"),
        field("strike.from", "From", base.CHOICE, options=sources or (("0", "leg 0"),)),
    )
    actions = [(f"{REMOVE_LEG}{number}", f"Remove leg {number}")] if values[LEGS] > 1 else []
    if number == values[LEGS] - 1 < LEGS_LIMIT - 1:
        actions.append((ADD_LEG, "Add a leg"))
    return Group(f"Leg {number}", fields, is_compact=True, actions=tuple(actions))


def _entry(values: Values) -> Group:
    fields = (
        Field(
            "entry.times",
            "Times",
            value=values["entry.times"],
            hint="New York, comma between: 10:00, 12:30.",
            is_required=True,
        ),
        Field(
            "entry.order",
            "Order",
            base.CHOICE,
            values["entry.order"],
            options=_options(ORDER_LABELS),
        ),
        Field(
            "entry.max_entries",
            "Entries a day at most",
            base.NUMBER,
            values["entry.max_entries"],
            "Empty: every time.",
        ),
        Field(
            "entry.weekdays",
            "Days",
            base.CHOICES,
            values["entry.weekdays"],
            options=_options(WEEKDAY_LABELS),
        ),
    )
    return Group("Entry", fields, is_compact=True)


def _filters(values: Values) -> Group:
    fields = [
        Field(f"entry.filters.{name}", label, base.NUMBER, values[f"entry.filters.{name}"], hint)
        for name, (label, hint) in FILTERS.items()
    ]
    one = Field(
        "entry.filters.one_at_a_time",
        "One trade at a time",
        base.CHECK,
        values["entry.filters.one_at_a_time"],
    )
    note = "An entry that a filter turns away is skipped and says so."
    return Group("Only if", (*fields, one), note, is_compact=True)


def _exits(values: Values) -> Group:
    fields = [
        Field(f"exit.{name}", label, base.NUMBER, values[f"exit.{name}"], hint)
        for name, (label, hint) in EXITS.items()
    ]
    at = Field("exit.time", "Leave at", value=values["exit.time"], hint="New York, 15:55.")
    touch = Field(
        "exit.touch_short_strike",
        "Leave when the index touches a sold strike",
        base.CHECK,
        values["exit.touch_short_strike"],
    )
    note = "The first rule that holds closes the trade."
    return Group("Exit", (*fields, at, touch), note, is_compact=True)


def _sizing(values: Values) -> Group:
    fields = (
        Field(
            "sizing.contracts", "Packages", base.NUMBER, values["sizing.contracts"], "Either this"
        ),
        Field(
            "sizing.risk_pct",
            "or as many as risk at most (%)",
            base.NUMBER,
            values["sizing.risk_pct"],
            "Of the session's opening balance.",
        ),
        Field(
            BALANCE,
            "Account for the preview ($)",
            base.NUMBER,
            values[BALANCE],
            "Not saved.",
        ),
    )
    return Group("Size", fields, is_compact=True)
