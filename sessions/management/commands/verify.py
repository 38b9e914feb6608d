"""bin/manage verify: recount sessions from their rows; exit 1 when something does not add up."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from rich.console import Console
from rich.table import Table

from sessions.integrity.report import Report
from sessions.integrity.verify import verify
from sessions.models import BotSession


class Command(BaseCommand):
    help = "Recompute every invariant of a session, of a day's sessions or of all, from the rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("session", nargs="?", type=UUID, help="the id of a session")
        which.add_argument("--all", action="store_true", help="every session there is")
        which.add_argument("--date", type=date.fromisoformat, help="the sessions of a trading day")
        parser.add_argument("--json", action="store_true", help="one JSON document a line")

    def handle(self, *args: Any, **options: Any) -> None:
        sessions = _chosen(options)
        broken = 0
        for pk in sessions.order_by("trading_date", "created_at", "pk").values_list(
            "pk", flat=True
        ):
            report = verify(pk)
            broken += not report.is_sound
            if options["json"]:
                self.stdout.write(json.dumps(report.as_json()))
            else:
                self._show(report, in_full=options["session"] is not None)
        if broken:
            raise CommandError(f"{broken} of {sessions.count()} sessions do not add up")

    def _show(self, report: Report, *, in_full: bool) -> None:
        if report.is_sound and not in_full:
            self.stdout.write(f"{report.session_id}  sound")
            return
        console = Console(width=160, highlight=False)
        with console.capture() as capture:
            console.print(_table(report))
        self.stdout.write(capture.get())


def _chosen(options: dict[str, Any]) -> QuerySet[BotSession]:
    sessions = BotSession.objects.all()
    if options["date"] is not None:
        return sessions.filter(trading_date=options["date"])
    if options["all"]:
        return sessions
    sessions = sessions.filter(pk=options["session"])
    if not sessions.exists():
        raise CommandError(f"there is no session {options['session']}", returncode=2)
    return sessions


def _table(report: Report) -> Table:
    table = Table(title=f"{report.session_id}  {'sound' if report.is_sound else 'BROKEN'}")
    for name in ("check", "what must hold", "rows", "first break"):
        table.add_column(name)
    for check in report.checks:
        found = check.first_break
        where = ""
        if found is not None:
            where = (
                f"{found.table} {found.id} {found.column}:"
                f" stored {found.stored}, expected {found.expected}"
            )
        table.add_row(check.name, check.says, str(check.rows_checked), where)
    return table
