"""Reading backtests. Ownership is the first filter; what is not yours does not exist."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models import QuerySet

from accounts.models import User
from backtests.models import Backtest, BacktestDay
from common.errors import NotFound
from sessions.days import DayResult, Summary, summary_of


@dataclass(frozen=True, slots=True)
class Report:
    """What a backtest came to so far; no summary before its first finished day."""

    backtest: Backtest
    days: list[BacktestDay]
    summary: Summary | None

    @property
    def win_rate_bp(self) -> int | None:
        """Hundredths of a percent of the days that ended above where they began."""
        return self.summary and self.summary.wins * 10_000 // self.summary.days


def backtests_of(user: User, *, strategy_id: str) -> QuerySet[Backtest]:
    """The user's own of one program, newest first."""
    return Backtest.objects.owned_by(user).filter(strategy=strategy_id).order_by("-created_at")


def backtest_of(user: User, backtest_id: UUID) -> Backtest:
    """Raises NotFound."""
    found = Backtest.objects.owned_by(user).filter(pk=backtest_id).first()
    if found is None:
        raise NotFound("You have no backtest with this id.")
    return found


def live_backtest(user: User) -> Backtest | None:
    """There is at most one."""
    return Backtest.objects.owned_by(user).live().first()


def report(backtest: Backtest) -> Report:
    days = list(backtest.days.exclude(outcome=BacktestDay.Outcome.WAITING))
    results = [result_of(day) for day in days if day.outcome == BacktestDay.Outcome.RAN]
    return Report(backtest, days, summary_of(results) if results else None)


def result_of(day: BacktestDay) -> DayResult:
    """A day that ran, as the command `simulate` has it."""
    return DayResult(
        tape=day.tape_path,
        trading_date=day.trading_date,
        status=day.status,
        status_reason=day.reason,
        order_count=day.order_count or 0,
        fill_count=day.fill_count or 0,
        fees_cents=day.fees_cents or 0,
        total_pl_cents=day.total_pl_cents or 0,
        final_nlv_cents=day.final_nlv_cents or 0,
        max_intraday_dd_cents=day.max_intraday_dd_cents or 0,
        settlement_cents=day.settlement_cents or 0,
        settlement_source=day.settlement_source,
        document=None,
    )
