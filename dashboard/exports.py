"""A bot's sessions as a file for a spreadsheet: the API's names and its plain decimals."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from io import StringIO

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


def sessions_csv(sessions: Iterable[BotSession]) -> str:
    """Oldest first, one line each below a heading; what is unknown is empty."""
    text = StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(session_object(session) for session in sessions)
    return text.getvalue()
