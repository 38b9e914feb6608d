"""The exchange calendar: trading days, half days and one-off closures of the New York exchange.

Read from `data/xnys.json`, which `manage.py build_calendar` writes from the exchange_calendars
package (calendar XNYS). The package itself costs seconds and 85 MB to import, so nothing at run
time does.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from common.times import NEW_YORK

CALENDAR_FILE = Path(__file__).parent / "data" / "xnys.json"
OPEN = time(9, 30)
CLOSE = time(16)
EARLY_CLOSE = time(13)


class OutsideCalendar(LookupError):
    """A date our calendar says nothing about; `manage.py build_calendar` extends it."""


class _Calendar:
    def __init__(self, raw: dict[str, Any]) -> None:
        self.first = date.fromisoformat(raw["first"])
        self.last = date.fromisoformat(raw["last"])
        self.closed = frozenset(date.fromisoformat(day) for day in raw["closed_weekdays"])
        self.early = frozenset(date.fromisoformat(day) for day in raw["early_closes"])


@cache
def _calendar() -> _Calendar:
    return _Calendar(json.loads(CALENDAR_FILE.read_text()))


def is_trading_day(day: date) -> bool:
    """Raises OutsideCalendar for a date before or after the calendar's years."""
    calendar = _calendar()
    if not calendar.first <= day <= calendar.last:
        raise OutsideCalendar(f"the calendar covers {calendar.first} to {calendar.last}, not {day}")
    return day.weekday() < 5 and day not in calendar.closed


def hours(day: date) -> tuple[datetime, datetime] | None:
    """(open, close) of the day in UTC; None where it does not trade. Raises OutsideCalendar."""
    if not is_trading_day(day):
        return None
    close = EARLY_CLOSE if day in _calendar().early else CLOSE
    return _utc(day, OPEN), _utc(day, close)


def next_trading_day(day: date) -> date:
    """The first trading day after `day`."""
    return trading_day_from(day + timedelta(days=1))


def trading_day_from(day: date) -> date:
    """`day` itself if the exchange trades, else the first trading day after it."""
    while not is_trading_day(day):
        day += timedelta(days=1)
    return day


def early_close_from(day: date) -> date:
    """`day` itself if the exchange closes early on it, else the first such day after it."""
    day = trading_day_from(day)
    while day not in _calendar().early:
        day = next_trading_day(day)
    return day


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, NEW_YORK).astimezone(UTC)
