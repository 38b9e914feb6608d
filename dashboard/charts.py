"""What the charts draw, as compact JSON: columns, times in Unix seconds, money in cents.

The columns of a session's lines are written as steps: the first value, then each one's difference
to the one before. A whole day of seconds packs to a third so.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from bots.summary import Summary
from common.times import new_york_midnight_ms, to_ms
from marketdata import queries as market
from marketdata.lines import line_of
from sessions import financials
from sessions.models import BotSession

SEQ = financials.COLUMNS.index("seq")
AT_MS = financials.COLUMNS.index("at_ms")
MARK_OF_EVENT = {
    "trade_opened": "entry",
    "trade_closed": "exit",
    "repriced": "reprice",
    "daily_loss_reached": "halt",
    "budget_exceeded": "halt",
}
PROFIT_LOSS = financials.COLUMNS.index("profit_loss")


def profit_line(session: BotSession, *, after_seq: int = -1) -> dict[str, Any]:
    """The day's P&L by the second, after a tick: what a page that lost the stream catches up by."""
    matrix = financials.line(session, after_seq=after_seq)
    return {
        "at": _steps(matrix[:, AT_MS] // 1000),
        "profit_loss_cents": _steps(matrix[:, PROFIT_LOSS]),
        "last_seq": int(matrix[-1, SEQ]) if len(matrix) else after_seq,
    }


def spot_line(session: BotSession, *, after_at: int = 0) -> dict[str, Any]:
    """SPX over the session's own seconds, after a Unix second."""
    day = market.day(session.trading_date)
    first = session.started_at or session.created_at
    last = session.last_tick_at
    if day is None or last is None:
        return {"at": [], "spot_cents": []}
    from_ms, to = max(to_ms(first), (after_at + 1) * 1000), to_ms(last)
    rows = [row for row in line_of(day, 1) if from_ms <= row.at_ms <= to]
    return {
        "at": _steps([row.at_ms // 1000 for row in rows]),
        "spot_cents": _steps([row.spot_cents for row in rows]),
    }


def _steps(values: npt.ArrayLike) -> list[int]:
    steps: list[int] = np.diff(np.asarray(values, dtype="<i8"), prepend=0).tolist()
    return steps


def marks(session: BotSession) -> dict[str, Any]:
    """What is marked on the spot line: when trades opened and closed, re-prices, and halts."""
    rows = session.events.filter(kind__in=MARK_OF_EVENT).order_by("tick_seq", "index")
    return {
        "marks": [
            {"at": to_ms(at) // 1000, "kind": MARK_OF_EVENT[kind]}
            for at, kind in rows.values_list("at", "kind")
        ]
    }


def equity_line(summary: Summary) -> dict[str, Any]:
    """The balance after each settled day, at that day's New York midnight."""
    days = [point.day for point in summary.sparkline]
    return {
        "at": [new_york_midnight_ms(day.trading_date) // 1000 for day in days],
        "closing_balance_cents": [day.closing_balance_cents for day in days],
    }
