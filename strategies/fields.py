"""Reading untrusted JSON field by field, collecting every problem under its path in the form."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")
_OPEN_SECONDS = 9 * 3600 + 30 * 60
_CLOSE_SECONDS = 16 * 3600


class Problems:
    """`{"legs[0].strike.value": ["must be …"]}`, in the order found."""

    def __init__(self) -> None:
        self.by_path: dict[str, list[str]] = {}

    def add(self, path: str, reason: str) -> None:
        self.by_path.setdefault(path, []).append(reason)


class Fields:
    """One JSON object of the form. Every reader returns None after noting a problem."""

    def __init__(
        self, raw: Any, path: str, known: Sequence[str], problems: Problems, *, required: bool
    ) -> None:
        self.path = path
        self.problems = problems
        self.is_object = isinstance(raw, dict)
        self.raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        if not self.is_object and (raw is not None or required):
            problems.add(path or "config", f"must be an object with {', '.join(known)}")
        for name in self.raw:
            if name not in known:
                self.refuse(str(name), f"unknown field; known are {', '.join(known)}")

    def at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def has(self, name: str) -> bool:
        """Given, and not null: null is the same as leaving it out."""
        return self.raw.get(name) is not None

    def refuse(self, name: str, reason: str) -> None:
        self.problems.add(self.at(name), reason)

    def choice(self, name: str, known: Sequence[str], default: str | None = None) -> str | None:
        value = self.raw.get(name, default)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or value not in known:
            self.refuse(name, f"must be one of {', '.join(known)}")
            return None
        return value

    def whole(self, name: str, low: int, high: int) -> int | None:
        value = self.decimal(name, Decimal(low), Decimal(high), places=0)
        return None if value is None else int(value)

    def decimal(self, name: str, low: Decimal, high: Decimal, *, places: int) -> Decimal | None:
        """A JSON number or decimal string from `low` to `high` with at most `places` decimals."""
        value = to_decimal(self.raw.get(name))
        kind = "a whole number" if places == 0 else "a number"
        if value is None or not low <= value <= high:
            self.refuse(name, f"must be {kind} from {plain(low)} to {plain(high)}")
            return None
        if value != round(value, places):
            fine = "be a whole number" if places == 0 else f"have at most {places} decimals"
            self.refuse(name, f"must {fine}")
            return None
        return value

    def boolean(self, name: str) -> bool | None:
        value = self.raw.get(name)
        if not isinstance(value, bool):
            self.refuse(name, "must be true or false")
            return None
        return value

    def clock(self, name: str) -> str | None:
        return read_clock(self.raw.get(name), self.at(name), self.problems)


def to_decimal(value: Any) -> Decimal | None:
    """The finite number a JSON value stands for, or None."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    text = str(value).strip()
    try:
        number = Decimal(text) if len(text) <= 40 else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def read_clock(value: Any, path: str, problems: Problems) -> str | None:
    """A New York time inside the session, canonical: seconds only where they are not 0."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        problems.add(path, 'must be a New York time "HH:MM" or "HH:MM:SS"')
        return None
    hours, minutes, seconds = match.groups()
    canonical = f"{hours}:{minutes}" if seconds in (None, "00") else f"{hours}:{minutes}:{seconds}"
    if not _OPEN_SECONDS <= seconds_of(canonical) < _CLOSE_SECONDS:
        problems.add(path, "must be from 09:30 to 15:59:59, inside the session")
        return None
    return canonical


def seconds_of(clock: str) -> int:
    """The second of the day of a valid "HH:MM" or "HH:MM:SS"."""
    hours, minutes, *rest = (int(part) for part in clock.split(":"))
    return hours * 3600 + minutes * 60 + (rest[0] if rest else 0)


def plain(value: Decimal) -> str:
    """No exponent, no trailing zeros: 0.30 -> "0.3", 25.0 -> "25"."""
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def json_number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
