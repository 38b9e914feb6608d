"""The form: what a strategy may say without programming, checked and made canonical.

Contract.md section 3 names the fields. Two forms that mean the same have the same canonical form:
the short `entry.time` becomes `times`, defaults are written out, times are sorted, amounts have two
decimals. What is absent in the canonical form does not apply.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from strategies.fields import Fields, Problems, json_number, plain, read_clock, seconds_of
from strategies.form_legs import read_legs

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
ORDERS = ("limit_mid", "market")
TIMES_LIMIT = 50
# Bounds: lowest, highest, decimals.
AMOUNT = (Decimal("0.01"), Decimal(1000), 2)
PERCENT = (Decimal("0.01"), Decimal(10_000), 2)
VIX = (Decimal(0), Decimal(200), 2)
SPOT_MOVE = (Decimal("0.01"), Decimal(100), 2)
RISK = (Decimal("0.01"), Decimal(100), 2)
COOLDOWN_MINUTES = (1, 390)
ENTRIES = (1, 50)
CONTRACTS = (1, 1000)
PERCENT_EXITS = ("profit_target_pct", "stop_loss_pct", "trailing_stop_pct", "trailing_start_pct")
FILTERS = (
    "min_credit",
    "max_debit",
    "vix_min",
    "vix_max",
    "spot_move_max_pct",
    "one_at_a_time",
    "cooldown_after_loss_minutes",
)


class InvalidForm(Exception):
    """`problems` is `{path in the form: [why, …]}`."""

    def __init__(self, problems: dict[str, list[str]]) -> None:
        super().__init__(f"the form has problems at {', '.join(problems)}")
        self.problems = problems


def normalise(config: Any) -> dict[str, Any]:
    """The canonical form. Raises InvalidForm with every problem found."""
    problems = Problems()
    form = Fields(config, "", ("legs", "entry", "exit", "sizing"), problems, required=True)
    if not form.is_object:
        raise InvalidForm(problems.by_path)
    legs = read_legs(form.raw.get("legs"), problems)
    entry = _entry(form.raw.get("entry"), problems)
    exits = _exit(form.raw.get("exit"), legs, entry["times"], problems)
    sizing = _sizing(form.raw.get("sizing"), problems)
    if problems.by_path:
        raise InvalidForm(problems.by_path)
    return {"legs": legs, "entry": entry, "exit": exits, "sizing": sizing}


def _entry(raw: Any, problems: Problems) -> dict[str, Any]:
    known = ("times", "time", "weekdays", "order", "max_entries", "filters")
    fields = Fields(raw, "entry", known, problems, required=True)
    entry: dict[str, Any] = {
        "times": _times(fields) if fields.is_object else [],
        "weekdays": _weekdays(fields),
        "order": fields.choice("order", ORDERS, "limit_mid"),
    }
    if fields.has("max_entries"):
        entry["max_entries"] = fields.whole("max_entries", *ENTRIES)
    entry["filters"] = _filters(fields.raw.get("filters"), problems)
    return entry


def _times(fields: Fields) -> list[str]:
    if fields.has("time") and fields.has("times"):
        fields.refuse("time", "is the short form of times; give one of the two")
        return []
    if fields.has("time"):
        clock = fields.clock("time")
        return [clock] if clock else []
    raw = fields.raw.get("times")
    if not isinstance(raw, list) or not 1 <= len(raw) <= TIMES_LIMIT:
        fields.refuse("times", f"must be a list of 1 to {TIMES_LIMIT} New York times")
        return []
    found: list[str] = []
    for number, value in enumerate(raw):
        path = fields.at(f"times[{number}]")
        clock = read_clock(value, path, fields.problems)
        if clock in found:
            fields.problems.add(path, f"{clock} is listed twice")
        elif clock:
            found.append(clock)
    return sorted(found, key=seconds_of)


def _weekdays(fields: Fields) -> list[str]:
    raw = fields.raw.get("weekdays")
    if raw is None:
        return list(WEEKDAYS)
    is_list = isinstance(raw, list) and bool(raw)
    if not is_list or any(day not in WEEKDAYS for day in raw) or len(set(raw)) != len(raw):
        fields.refuse("weekdays", f"must be a list of {', '.join(WEEKDAYS)}, each once")
        return []
    return [day for day in WEEKDAYS if day in raw]


def _filters(raw: Any, problems: Problems) -> dict[str, Any]:
    fields = Fields(raw, "entry.filters", FILTERS, problems, required=False)
    readers: dict[str, Callable[[str], Any]] = {
        "min_credit": lambda name: _amount(fields, name),
        "max_debit": lambda name: _amount(fields, name),
        "vix_min": lambda name: _number(fields, name, VIX),
        "vix_max": lambda name: _number(fields, name, VIX),
        "spot_move_max_pct": lambda name: _number(fields, name, SPOT_MOVE),
        "one_at_a_time": fields.boolean,
        "cooldown_after_loss_minutes": lambda name: fields.whole(name, *COOLDOWN_MINUTES),
    }
    found = {name: readers[name](name) for name in FILTERS if fields.has(name)}
    if found.get("one_at_a_time") is False:
        found.pop("one_at_a_time")
    if fields.has("min_credit") and fields.has("max_debit"):
        fields.refuse("max_debit", "min_credit wants a credit and max_debit a debit; give one")
    low, high = found.get("vix_min"), found.get("vix_max")
    if low is not None and high is not None and low > high:
        fields.refuse("vix_min", f"must not be above vix_max ({high})")
    return found


def _exit(
    raw: Any, legs: list[dict[str, Any]], times: list[str], problems: Problems
) -> dict[str, Any]:
    known = (*PERCENT_EXITS, "touch_short_strike", "time")
    fields = Fields(raw, "exit", known, problems, required=False)
    found: dict[str, Any] = {
        name: _number(fields, name, PERCENT) for name in PERCENT_EXITS if fields.has(name)
    }
    if fields.has("trailing_start_pct") and not fields.has("trailing_stop_pct"):
        fields.refuse("trailing_start_pct", "needs trailing_stop_pct: it says when that begins")
    if fields.has("touch_short_strike") and fields.boolean("touch_short_strike"):
        found["touch_short_strike"] = True
        if legs and all(leg.get("direction") == "buy" for leg in legs):
            fields.refuse("touch_short_strike", "needs a sold leg")
    if fields.has("time"):
        found["time"] = fields.clock("time")
        last = times[-1] if times else None
        if found["time"] and last and seconds_of(found["time"]) <= seconds_of(last):
            fields.refuse("time", f"must be after the last entry time, {last}")
    return found


def _sizing(raw: Any, problems: Problems) -> dict[str, Any]:
    fields = Fields(raw, "sizing", ("contracts", "risk_pct"), problems, required=False)
    if fields.has("contracts") and fields.has("risk_pct"):
        fields.refuse("risk_pct", "give either contracts or risk_pct")
    if fields.has("risk_pct"):
        return {"risk_pct": _number(fields, "risk_pct", RISK)}
    if fields.has("contracts"):
        return {"contracts": fields.whole("contracts", *CONTRACTS)}
    return {"contracts": 1}


def _number(fields: Fields, name: str, bounds: tuple[Decimal, Decimal, int]) -> int | float | None:
    low, high, places = bounds
    value = fields.decimal(name, low, high, places=places)
    return None if value is None else json_number(value)


def _amount(fields: Fields, name: str) -> str | None:
    """Dollars per share, two decimals: "0.50"."""
    low, high, places = AMOUNT
    value = fields.decimal(name, low, high, places=places)
    return None if value is None else f"{value:.2f}"


def number_text(value: float | str) -> str:
    """A canonical number as program text."""
    return plain(Decimal(str(value)))
