"""bin/up --until-close: wait for the day to be settled, print one table, say how it went."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from common.money import usd
from marketdata import queries as market
from sessions import queries
from sessions.lifecycle import Status
from sessions.models import BotSession

POLL_SECONDS = 0.5


class Command(BaseCommand):
    help = "Wait until the day's sessions are settled; exit 1 if one of them failed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", type=float, default=None, help="seconds of patience")

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["timeout"] if options["timeout"] else None
        trading_date = None
        while trading_date is None or not queries.is_day_over(trading_date):
            # The day is the one that is on when we begin; the market may go on to the next.
            trading_date = trading_date or market.market_now().trading_date
            if deadline is not None and time.monotonic() > deadline:
                raise CommandError(f"the day is not over after {options['timeout']:g} seconds")
            time.sleep(POLL_SECONDS)
        sessions = queries.day_report(trading_date)
        settlement = market.settlement(trading_date)
        title = f"{trading_date}, settled at {usd(settlement[0]) if settlement else '-'}"
        Console(width=120).print(report(sessions, title))
        failed = [session for session in sessions if session.status == Status.FAILED]
        if failed:
            reasons = "; ".join(f"{row.bot.name}: {row.status_reason}" for row in failed)
            raise CommandError(f"{len(failed)} of {len(sessions)} sessions failed: {reasons}")


def report(sessions: list[BotSession], title: str) -> Table:
    table = Table(title=title)
    for name in ("bot", "session", "status"):
        table.add_column(name)
    for name in ("orders", "fills", "fees", "total P&L"):
        table.add_column(name, justify="right")
    for session in sessions:
        table.add_row(
            session.bot.name,
            str(session.pk),
            session.status,
            str(session.order_count),
            str(session.fill_count),
            usd(session.total_fees_cents or 0),
            usd(session.total_pl_cents or 0),
        )
    return table
