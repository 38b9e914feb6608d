"""Times at the edge: RFC 3339 UTC with Z and milliseconds; trading days are New York days."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")


def rfc3339(at: datetime) -> str:
    """`2026-05-07T14:30:01.000Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def rfc3339_or_none(at: datetime | None) -> str | None:
    return None if at is None else rfc3339(at)


@lru_cache(maxsize=8)  # one second of the market is the same for thousands of sessions
def from_ms(ms: int) -> datetime:
    """The UTC datetime of Unix milliseconds, exact."""
    return datetime.fromtimestamp(ms // 1000, UTC).replace(microsecond=ms % 1000 * 1000)


def to_ms(at: datetime) -> int:
    """Unix milliseconds, exact: microseconds below a millisecond are cut."""
    whole = at.astimezone(UTC).replace(microsecond=0)
    return int(whole.timestamp()) * 1000 + at.microsecond // 1000


def new_york_midnight_ms(day: date) -> int:
    return to_ms(datetime(day.year, day.month, day.day, tzinfo=NEW_YORK))
