"""A bot's settled days as a calendar: a column a week, a row a weekday."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bots.summary import Day

WEEKS_SHOWN = 26
SHADES = 4
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri")


@dataclass(frozen=True, slots=True)
class Cell:
    """A weekday. `shade` is 1 (little) to 4 (the largest day shown), 0 where nothing settled."""

    trading_date: date
    total_pl_cents: int | None = None
    shade: int = 0


@dataclass(frozen=True, slots=True)
class Heatmap:
    """`months` are the headings: a name above the first week that begins in the month, else ""."""

    months: list[str]
    rows: list[tuple[str, list[Cell]]]


def heatmap(days: Sequence[Day]) -> Heatmap | None:
    """The last 26 weeks up to the newest settled day; None without one. Days in date order."""
    if not days:
        return None
    last_monday = days[-1].trading_date - timedelta(days=days[-1].trading_date.weekday())
    mondays = [last_monday - timedelta(weeks=back) for back in reversed(range(WEEKS_SHOWN))]
    totals = {day.trading_date: day.total_pl_cents for day in days}
    shown = [abs(total) for day, total in totals.items() if day >= mondays[0]]
    largest = max(shown)
    rows = [
        (name, [_cell(monday + timedelta(days=row), totals, largest) for monday in mondays])
        for row, name in enumerate(WEEKDAYS)
    ]
    return Heatmap(months=_months(mondays), rows=rows)


def _cell(day: date, totals: dict[date, int], largest: int) -> Cell:
    total = totals.get(day)
    if total is None:
        return Cell(day)
    return Cell(day, total, shade=max(1, -(-SHADES * abs(total) // (largest or 1))))


def _months(mondays: Sequence[date]) -> list[str]:
    names = []
    for number, monday in enumerate(mondays):
        is_new = number == 0 or monday.month != mondays[number - 1].month
        names.append(monday.strftime("%b") if is_new else "")
    return names
