"""`bin/manage market`: steer the running market process (docs/market-data.md)."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand
from django.db.models import F

from common.times import rfc3339
from marketdata import queries, services
from marketdata.management.commands.run_market import positive

MAX_STEPS = 100_000


class Command(BaseCommand):
    help = "Pause, step, speed up or loop the market that runs on this database."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(
            dest="verb", required=True, metavar="status|pause|resume|step|speed|loop"
        )
        verbs.add_parser("status", help="what time it is there, and what was asked of it")
        verbs.add_parser("pause", help="stop market time")
        verbs.add_parser("resume", help="let it go on")
        stepping = verbs.add_parser("step", help="pause, and publish the next ticks at once")
        stepping.add_argument("ticks", type=_steps, nargs="?", default=1)
        speeding = verbs.add_parser("speed", help="market seconds per second, from now on")
        speeding.add_argument("speed", type=_speed, metavar="SPEED|default")
        looping = verbs.add_parser("loop", help="begin a tape again after its close")
        looping.add_argument("loop", choices=("on", "off"))

    def handle(self, *args: Any, **options: Any) -> None:
        match options["verb"]:
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
        alive = "" if now.is_healthy else ", but no market process gives a sign of life"
        self.stdout.write(f"{queries.control()}; {now.phase} at {rfc3339(now.at)}{alive}")


def _steps(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= MAX_STEPS:
        raise ArgumentTypeError(f"{text!r} is not a number of ticks from 1 to {MAX_STEPS}")
    return int(text)


def _speed(text: str) -> float | None:
    return None if text == "default" else positive(text)
