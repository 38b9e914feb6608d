"""A strategy's backtests as its page shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from accounts.models import User
from backtests import queries
from backtests.models import Backtest
from backtests.queries import Report
from backtests.tapes import RecordedDay, recorded_days
from common.errors import Refusal
from common.times import new_york_midnight_ms
from dashboard.forms import backtest as backtest_forms
from dashboard.forms.base import Form
from strategies.models import StrategyLink

LISTED = 20  # the newest


@dataclass(frozen=True, slots=True)
class Backtests:
    """`live` is the one under way, maybe of another strategy: while it is, none can be started."""

    recorded: Sequence[RecordedDay]
    form: Form
    live: Backtest | None
    listed: Sequence[Backtest]
    report: Report | None


def backtests_of(
    user: User,
    link: StrategyLink,
    *,
    chosen: str,
    sent: QueryDict | None,
    refusal: Refusal | None,
) -> Backtests:
    """With the report of the `chosen` one (its id), else of the newest."""
    recorded = recorded_days()
    listed = list(queries.backtests_of(user, strategy_id=link.strategy_id)[:LISTED])
    shown = next((one for one in listed if str(one.pk) == chosen), listed[0] if listed else None)
    values = (
        backtest_forms.first_values(recorded) if sent is None else backtest_forms.sent_values(sent)
    )
    return Backtests(
        recorded=recorded,
        form=backtest_forms.backtest_form(user, recorded, values, refusal),
        live=queries.live_backtest(user),
        listed=listed,
        report=None if shown is None else queries.report(shown),
    )


def equity_line(report: Report) -> dict[str, Any]:
    """The balance after each day that ran, at that day's New York midnight."""
    ran = [day for day in report.days if day.final_nlv_cents is not None]
    return {
        "at": [new_york_midnight_ms(day.trading_date) // 1000 for day in ran],
        "closing_balance_cents": [day.final_nlv_cents for day in ran],
    }
