"""bin/manage replay: a session once more from its ticks, beside what it wrote."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sessions.replay import CannotReplay, replay
from strategies.runtime.sandbox import Sandbox, SandboxUnavailable

DIFFERS = 1
CANNOT = 2
SHOWN_DIFFERENCES = 20


class Command(BaseCommand):
    help = (
        "Re-run a session from the tick log or its tape and compare every row."
        " Exit status: 0 identical, 1 not, 2 it cannot be replayed."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("session", metavar="SESSION", help="the session's id")
        parser.add_argument("--all", action="store_true", help="show more than one difference")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with Sandbox() as sandbox:
                replayed = replay(options["session"], sandbox=sandbox)
        except (CannotReplay, SandboxUnavailable) as error:
            raise CommandError(f"cannot be replayed: {error}", returncode=CANNOT) from error
        if not replayed.differences:
            self.stdout.write(f"identical ({replayed.row_count} rows)")
            return
        shown = replayed.differences[: SHOWN_DIFFERENCES if options["all"] else 1]
        for difference in shown:
            self.stdout.write(str(difference))
        raise CommandError(f"{len(replayed.differences)} differences", returncode=DIFFERS)
