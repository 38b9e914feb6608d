"""What a program hands to `ctx`, checked and made plain. ValueError says what was expected."""

from __future__ import annotations

import json
from typing import Any

from strategies.runtime.prelude.legs import Package, price_tick_cents
from strategies.runtime.prelude.quotes import dollars, scaled

DATA_LIMIT = 4096


def text(value: Any, limit: int) -> str:
    """`value` as text, cut with a marker that tells its length."""
    written = f"{value}"
    if len(written) <= limit:
        return written
    marker = f"… (cut, {len(written)} characters)"
    return written[: limit - len(marker)] + marker


def fitting(data: dict[str, Any]) -> dict[str, Any]:
    """`data` if its JSON fits, else what it was. TypeError for what JSON cannot say."""
    size = len(json.dumps(data))
    return data if size <= DATA_LIMIT else {"cut": f"data of {size} bytes; at most {DATA_LIMIT}"}


def whole(value: Any, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1 or value > 10000:
        raise ValueError(f"{what} must be a whole number from 1 to 10000, not {value}")
    return int(value)


def one_of(value: Any, known: tuple[str, ...], what: str) -> str:
    if value not in known:
        raise ValueError(f"{what} must be one of {', '.join(known)}, not {value}")
    return f"{value}"


def percent(value: Any, what: str) -> int | float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} must be a number of percent, not {value}")
    if not 0 < value <= 100000:
        raise ValueError(f"{what} must be above 0 and at most 100000 percent, not {value}")
    return float(value) if isinstance(value, float) else int(value)


def trailing_start(start: Any, stop: Any) -> int | float | None:
    """The profit at which the trailing stop begins; without one it trails from the fill on."""
    if start is not None and stop is None:
        raise ValueError("trailing_start_pct needs trailing_stop_pct")
    return percent(start, "trailing_start_pct")


def touch(value: Any, package: Package) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"exit_on_touch must be True or False, not {value}")
    if value and not any(leg.direction == "sell" for leg in package.legs):
        raise ValueError("exit_on_touch needs a sold leg")
    return value


def signed_limit(package: Package, limit: Any) -> int | None:
    """Signed cents of a positive limit: negative where the package's mid is a credit."""
    if limit is None:
        return None
    cents = scaled(limit, 100, "limit")
    if cents < 0:
        raise ValueError(
            f"limit must not be negative ({limit}): give the amount, the mid says which"
        )
    tick = price_tick_cents(2 * cents, len(package.legs))
    if cents % tick:
        raise ValueError(f"limit {dollars(cents)} is not a multiple of {dollars(tick)}")
    return -cents if package.mid_half_cents < 0 else cents


def seconds_of(clock: str) -> int:
    """The second of the day of "15:55" or "15:55:30"."""
    parts = clock.split(":")
    if len(parts) not in (2, 3) or not all(len(part) == 2 and part.isdigit() for part in parts):
        raise ValueError(f'a time is "HH:MM" or "HH:MM:SS", not {clock}')
    hours = int(parts[0])
    minutes = int(parts[1])
    seconds = int(parts[2]) if len(parts) == 3 else 0
    if hours > 23 or minutes > 59 or seconds > 59:
        raise ValueError(f"{clock} is no time of day")
    return hours * 3600 + minutes * 60 + seconds
