"""`run_market`: the market process of this installation (docs/market-data.md)."""

from __future__ import annotations

import logging
import os
import signal
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from common import presence
from marketdata.dayrun import Pace
from marketdata.feeds.live.feed import VENDORS, source_of, vendor_of
from marketdata.feeds.live.vendor import NotConfigured
from marketdata.feeds.scenarios import NORMAL, SCENARIOS
from marketdata.lock import AnotherMarket
from marketdata.market import MarketProcess
from marketdata.pacing import SystemWall
from marketdata.plans import LivePlan, Plan, SyntheticPlan, TapePlan
from marketdata.tape import TapeError

DEFAULT_SEED = 42


class Command(BaseCommand):
    help = "Run the market: publish a synthetic, recorded or live day tick by tick, then the next."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        env = os.environ
        parser.add_argument(
            "--speed",
            type=positive,
            default=env.get("ZEROHOUR_SPEED", "1"),
            help="market seconds per second (default: ZEROHOUR_SPEED or 1)",
        )
        _add_feed_options(parser)
        parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="of the synthetic days")
        parser.add_argument(
            "--scenario",
            choices=sorted(SCENARIOS),
            default=NORMAL,
            metavar="NAME",
            help=f"kind of the synthetic days: {', '.join(SCENARIOS)}",
        )
        parser.add_argument("--start-date", type=date.fromisoformat, help="the first synthetic day")
        parser.add_argument(
            "--lead-seconds",
            type=positive,
            default=env.get("ZEROHOUR_LEAD_SECONDS", "5"),
            help="seconds between announcing a day and its open",
        )
        parser.add_argument(
            "--pause-seconds",
            type=positive,
            default=env.get("ZEROHOUR_PAUSE_SECONDS", "5"),
            help="seconds between a close and the next day",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(options)
        except (AnotherMarket, NotConfigured, TapeError) as exc:
            self.stderr.write(str(exc))
            raise SystemExit(2) from exc

    def _run(self, options: dict[str, Any]) -> None:
        logging.getLogger("marketdata").setLevel(logging.INFO)
        is_live = options["feed"] != "synthetic"
        if options["pretend_now"] is not None and not is_live:
            raise CommandError("--pretend-now is for a live feed; others bring their own clock")
        wall = SystemWall(options["pretend_now"])
        plan = LivePlan(vendor_of(options["feed"]), wall) if is_live else _plan(options)
        speed = 1.0 if is_live else options["speed"]
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: wall.stop())
        presence.announce("market")
        MarketProcess(
            plan=plan,
            pace=Pace(speed, options["lead_seconds"], options["pause_seconds"]),
            wall=wall,
            tape_dir=settings.TAPE_DIR,
        ).run()


def _add_feed_options(parser: ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--tape", type=Path, help="replay this recorded day")
    source.add_argument(
        "--feed",
        choices=["synthetic", *map(source_of, VENDORS)],
        default="synthetic",
        help="synthetic days, or a vendor's live quotes on the wall clock (docs/live-data.md)",
    )
    parser.add_argument(
        "--pretend-now",
        type=_moment,
        metavar="TIME",
        help="rehearse a live feed as if it were now this time, such as 2026-05-07T13:29:50Z",
    )


def _plan(options: dict[str, Any]) -> Plan:
    if options["tape"] is not None:
        return TapePlan.for_file(options["tape"], settings.TAPE_DIR)
    return SyntheticPlan(
        seed=options["seed"], start_date=options["start_date"], scenario=options["scenario"]
    )


def positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 100_000:
        raise ArgumentTypeError(f"{text!r} is not a number above 0")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    except ValueError:
        pass  # told below, as a time without a zone is
    raise ArgumentTypeError(f"{text!r} is not a time such as 2026-05-07T13:29:50Z")
