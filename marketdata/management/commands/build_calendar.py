"""Write the exchange calendar the market runs by (marketdata/data/xnys.json)."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from marketdata.calendar import CALENDAR_FILE


class Command(BaseCommand):
    help = "Rebuild the exchange calendar from the exchange_calendars package (calendar XNYS)."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--first-year", type=int, default=2019)
        parser.add_argument("--last-year", type=int, default=2035)
        parser.add_argument("--out", type=Path, default=CALENDAR_FILE)

    def handle(self, *args: Any, **options: Any) -> None:
        first, last = date(options["first_year"], 1, 1), date(options["last_year"], 12, 31)
        document = build(first, last)
        options["out"].write_text(json.dumps(document, indent=1) + "\n")
        self.stdout.write(
            f"{options['out']}: {first} to {last}, {len(document['closed_weekdays'])} closed"
            f" weekdays, {len(document['early_closes'])} early closes"
        )


def build(first: date, last: date) -> dict[str, Any]:
    import exchange_calendars  # seconds and 85 MB: only here  # noqa: PLC0415

    calendar = exchange_calendars.get_calendar("XNYS", start=first, end=last)
    sessions = {stamp.date() for stamp in calendar.sessions}
    every_day = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return {
        "source": f"exchange_calendars {exchange_calendars.__version__}, XNYS",
        "first": first.isoformat(),
        "last": last.isoformat(),
        "closed_weekdays": [
            day.isoformat() for day in every_day if day.weekday() < 5 and day not in sessions
        ],
        "early_closes": [stamp.date().isoformat() for stamp in calendar.early_closes],
    }
