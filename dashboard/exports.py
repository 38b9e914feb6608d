"""Days as a file for a spreadsheet, a bot's or a backtest's: the API's names, plain decimals."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import Any

from backtests.models import BacktestDay
from common.money import usd_or_none
from sessions.models import BotSession
from sessions.shapes import session_object

COLUMNS = (
    "date",
    "status",
    "status_reason",
    "opening_balance",
    "total_pl",
    "realized_pl",
    "total_fees",
    "final_nlv",
    "max_intraday_dd",
    "max_intraday_dd_pct",
    "peak_nlv",
    "trough_nlv",
    "order_count",
    "fill_count",
    "error_count",
    "session_id",
)
BACKTEST_COLUMNS = (
    "date",
    "outcome",
    "status",
    "reason",
    "opening_balance",
    "total_pl",
    "total_fees",
    "final_nlv",
    "max_intraday_dd",
    "order_count",
    "fill_count",
    "settlement",
    "settlement_source",
    "tape_digest",
)


def sessions_csv(sessions: Iterable[BotSession]) -> str:
    """Oldest first, one line each below a heading; what is unknown is empty."""
    return _csv(COLUMNS, (session_object(session) for session in sessions))


def backtest_csv(days: Iterable[BacktestDay]) -> str:
    """In the order of the days, one line each below a heading; without a result it is empty."""
    return _csv(BACKTEST_COLUMNS, map(_backtest_row, days))


def _backtest_row(day: BacktestDay) -> dict[str, Any]:
    return {
        "date": day.trading_date.isoformat(),
        "outcome": day.outcome,
        "status": day.status,
        "reason": day.reason,
        "opening_balance": usd_or_none(day.opening_balance_cents),
        "total_pl": usd_or_none(day.total_pl_cents),
        "total_fees": usd_or_none(day.fees_cents),
        "final_nlv": usd_or_none(day.final_nlv_cents),
        "max_intraday_dd": usd_or_none(day.max_intraday_dd_cents),
        "order_count": day.order_count,
        "fill_count": day.fill_count,
        "settlement": usd_or_none(day.settlement_cents),
        "settlement_source": day.settlement_source,
        "tape_digest": day.tape_digest,
    }


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    text = StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
