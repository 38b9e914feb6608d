"""The data of an event or a decision on one line for people: units from the names of the fields."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from common.money import hundredths
from common.times import NEW_YORK, from_ms
from dashboard.instruments import legs_of

MINUS = "−"
SEPARATOR = " · "
EPOCH_MS = 10**12  # above it a count of milliseconds is a time, below it a duration


def facts(data: Any) -> str:
    """{"order": 3, "new_cents": -85} -> "order 3 · new −0.85". Nothing known is left out."""
    if not isinstance(data, Mapping):
        return _plain(data)
    shown = [(name, value) for name, value in data.items() if value not in (None, "", [], {})]
    return SEPARATOR.join(_fact(name, value) for name, value in shown)


def _fact(name: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        for suffix, written in _UNITS.items():
            if name.endswith(suffix):
                return f"{_words(name.removesuffix(suffix))} {written(value)}"
    return f"{_words(name)} {_plain(value)}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}".replace("-", MINUS)
    if isinstance(value, list) and value and all(_is_leg(item) for item in value):
        return ", ".join(leg.text for leg in legs_of(value))
    return json.dumps(value, ensure_ascii=False)


def _is_leg(item: Any) -> bool:
    return isinstance(item, Mapping) and item.keys() == {"instrument", "quantity"}


def _half_cents(value: int) -> str:
    return f"{value / 200:.3f}".removesuffix("0").replace("-", MINUS)


def _cents(value: int) -> str:
    return hundredths(value).replace("-", MINUS)


def _ms(value: int) -> str:
    if value < EPOCH_MS:
        return f"{value / 1000:g} s"
    return from_ms(value).astimezone(NEW_YORK).strftime("%H:%M:%S")


def _seconds_of_day(value: int) -> str:
    return f"{value // 3600:02d}:{value // 60 % 60:02d}:{value % 60:02d}"


_UNITS = {
    "_half_cents": _half_cents,
    "_cents": _cents,
    "_bp": lambda value: f"{_cents(value)} %",
    "_at_seconds": _seconds_of_day,
    "_ms": _ms,
}
