"""Lifetime performance over settled days (contract.md section 4). Pure arithmetic in integer cents.

A day wins with a total above 0 and loses below 0; a flat day is neither, but counts. Ratios are
rounded half away from zero: the win rate to hundredths of a percent, the average day to cents. Of
equal best or worst days the earliest is named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import NamedTuple


class Day(NamedTuple):
    """One settled session."""

    trading_date: date
    opening_balance_cents: int
    total_pl_cents: int

    @property
    def closing_balance_cents(self) -> int:
        return self.opening_balance_cents + self.total_pl_cents


class SparklinePoint(NamedTuple):
    day: Day
    cumulative_pl_cents: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Without a settled session the counts are 0 and the rest is None."""

    total_sessions: int = 0
    win_count: int = 0
    loss_count: int = 0
    win_rate_bp: int | None = None  # hundredths of a percent
    total_pl_cents: int | None = None
    best_day: Day | None = None
    worst_day: Day | None = None
    average_day_pl_cents: int | None = None
    sparkline: tuple[SparklinePoint, ...] = ()


def summarise(days: Sequence[Day]) -> Summary:
    """The roll-up of settled days, given in the order of their dates."""
    if not days:
        return Summary()
    results = [day.total_pl_cents for day in days]
    win_count = sum(result > 0 for result in results)
    return Summary(
        total_sessions=len(days),
        win_count=win_count,
        loss_count=sum(result < 0 for result in results),
        win_rate_bp=divided(win_count * 10_000, len(days)),
        total_pl_cents=sum(results),
        best_day=max(days, key=lambda day: day.total_pl_cents),
        worst_day=min(days, key=lambda day: day.total_pl_cents),
        average_day_pl_cents=divided(sum(results), len(days)),
        sparkline=tuple(map(SparklinePoint, days, accumulate(results))),
    )


def divided(amount: int, count: int) -> int:
    """`amount / count`, rounded half away from zero."""
    quotient = (2 * abs(amount) + count) // (2 * count)
    return quotient if amount >= 0 else -quotient
