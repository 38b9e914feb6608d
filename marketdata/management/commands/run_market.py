"""`run_market`: the market process of this installation (docs/market-data.md)."""

from __future__ import annotations

import logging
import os
import signal
from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from marketdata.dayrun import Pace
from marketdata.feeds.scenarios import NORMAL, SCENARIOS
from marketdata.lock import AnotherMarket
from marketdata.market import MarketProcess
from marketdata.pacing import SystemWall
from marketdata.plans import Plan, SyntheticPlan, TapePlan
from marketdata.tape import TapeError

DEFAULT_SEED = 42


class Command(BaseCommand):
    help = "Run the market: publish a synthetic or recorded day tick by tick, then the next."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        env = os.environ
        parser.add_argument(
            "--speed",
            type=positive,
            default=env.get("ZEROHOUR_SPEED", "1"),
            help="market seconds per second (default: ZEROHOUR_SPEED or 1)",
        )
        parser.add_argument("--tape", type=Path, help="replay this recorded day")
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
        parser.add_argument(
            "--keep-days", type=_days, default=5, help="days whose ticks stay in the database"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self._run(_plan(options), options)
        except (AnotherMarket, TapeError) as exc:
            self.stderr.write(str(exc))
            raise SystemExit(2) from exc

    def _run(self, plan: Plan, options: dict[str, Any]) -> None:
        logging.getLogger("marketdata").setLevel(logging.INFO)
        wall = SystemWall()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: wall.stop())
        MarketProcess(
            plan=plan,
            pace=Pace(options["speed"], options["lead_seconds"], options["pause_seconds"]),
            wall=wall,
            tape_dir=settings.TAPE_DIR,
            keep_days=options["keep_days"],
        ).run()


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


def _days(text: str) -> int:
    if not text.isdecimal() or int(text) < 2:
        raise ArgumentTypeError(f"{text!r} is not a number of days from 2 on")
    return int(text)
