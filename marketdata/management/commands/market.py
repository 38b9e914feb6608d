"""`bin/manage market`: steer the running market, settle a day, try a live vendor.

docs/market-data.md and docs/live-data.md say more.
"""

from __future__ import annotations

import getpass
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import F

from common.errors import Refusal
from common.money import parse_usd, usd
from common.times import rfc3339
from marketdata import queries, services, settlement
from marketdata.feeds.live import probe
from marketdata.feeds.live.feed import VENDORS
from marketdata.management.commands.run_market import positive
from marketdata.pacing import SystemWall

MAX_STEPS = 100_000


class Command(BaseCommand):
    help = "Steer the market that runs on this database, settle one of its days, or try a vendor."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(
            dest="verb",
            required=True,
            metavar="status|pause|resume|step|speed|loop|settle|probe",
        )
        verbs.add_parser("status", help="what time it is there, and what was asked of it")
        verbs.add_parser("pause", help="stop market time")
        verbs.add_parser("resume", help="let it go on")
        stepping = verbs.add_parser("step", help="pause, and publish the next ticks at once")
        stepping.add_argument("ticks", type=_steps, nargs="?", default=1, help="how many (1)")
        speeding = verbs.add_parser("speed", help="market seconds per second, from now on")
        speeding.add_argument("speed", type=_speed, metavar="SPEED|default")
        looping = verbs.add_parser("loop", help="begin a tape again after its close")
        looping.add_argument("loop", choices=("on", "off"))
        settling = verbs.add_parser(
            "settle", help="enter, or correct, what a closed day settled at"
        )
        settling.add_argument("date", type=date.fromisoformat, help="YYYY-MM-DD")
        settling.add_argument("value", type=_index_value, help="of the index, such as 5951.87")
        settling.add_argument("--reason", required=True, help="kept with the value")
        settling.add_argument(
            "--by", default=None, help="who says so (default: the user of this machine)"
        )
        probing = verbs.add_parser("probe", help="try a live vendor: login, chain, quotes, delay")
        probing.add_argument("vendor", choices=sorted(VENDORS))
        probing.add_argument("--seconds", type=positive, default=10.0, help="to listen (10)")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            match options["verb"]:
                case "settle":
                    self._settle(**options)
                case "probe":
                    self._probe(options["vendor"], options["seconds"])
                case verb:
                    self._steer(verb, options)
        except Refusal as refusal:
            raise CommandError(refusal.message) from refusal

    def _steer(self, verb: str, options: dict[str, Any]) -> None:
        match verb:
            case "pause":
                services.steer(is_paused=True)
            case "resume":
                services.steer(is_paused=False, steps_left=0)
            case "step":
                services.steer(is_paused=True)
                services.steer(steps_left=F("steps_left") + options["ticks"])
            case "speed":
                services.steer(speed=options["speed"])
            case "loop":
                services.steer(is_looping=options["loop"] == "on")
        now = queries.market_now()
        alive = "" if now.is_healthy else f", but {queries.trouble()}"
        wishes = now.feed if now.is_live else str(queries.control())
        self.stdout.write(f"{wishes}; {now.phase} at {rfc3339(now.at)}{alive}")

    def _settle(self, **options: Any) -> None:
        day = settlement.enter_settlement(
            trading_date=options["date"],
            settlement_cents=options["value"],
            reason=options["reason"],
            entered_by=options["by"] or getpass.getuser(),
        )
        value = usd(day.settlement_cents or 0)
        self.stdout.write(f"{day.trading_date} settled at {value} ({day.settlement_source})")

    def _probe(self, vendor_name: str, seconds: float) -> None:
        """Exit status 0: it works; 1: it answers, but poorly; 2: not configured, refused, away."""
        with probe.quiet_logs():
            status = probe.run(vendor_name, seconds, wall=SystemWall(), say=self.stdout.write)
        raise SystemExit(status)


def _steps(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MAX_STEPS:
        raise ArgumentTypeError(f"{text!r} is not a number of ticks from 1 to {MAX_STEPS}")
    return int(text)


def _index_value(text: str) -> int:
    try:
        return parse_usd(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} {error}") from None


def _speed(text: str) -> float | None:
    return None if text == "default" else positive(text)
