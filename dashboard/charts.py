"""What the charts draw, as compact JSON: columns, times in Unix seconds, money in cents."""

from __future__ import annotations

from typing import Any

from bots.summary import Summary
from common.times import new_york_midnight_ms
from sessions import financials
from sessions.models import BotSession

SEQ = financials.COLUMNS.index("seq")
AT_MS = financials.COLUMNS.index("at_ms")
PROFIT_LOSS = financials.COLUMNS.index("profit_loss")


def profit_line(session: BotSession, *, after_seq: int = -1) -> dict[str, Any]:
    """The day's P&L by the second, after a tick: what a page that lost the stream catches up by."""
    matrix = financials.line(session, after_seq=after_seq)
    return {
        "at": (matrix[:, AT_MS] // 1000).tolist(),
        "profit_loss_cents": matrix[:, PROFIT_LOSS].tolist(),
        "last_seq": int(matrix[-1, SEQ]) if len(matrix) else after_seq,
    }


def equity_line(summary: Summary) -> dict[str, Any]:
    """The balance after each settled day, at that day's New York midnight."""
    days = [point.day for point in summary.sparkline]
    return {
        "at": [new_york_midnight_ms(day.trading_date) // 1000 for day in days],
        "closing_balance_cents": [day.closing_balance_cents for day in days],
    }
