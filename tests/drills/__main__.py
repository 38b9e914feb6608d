"""bin/drill: harm done to the real system while its sessions trade (docs/ownership.md).

Every drill ends in one line. `differences` are those of its whole trading day: rows that an
undisturbed run has otherwise, ticks that are not the tape's, writes under an old epoch, sessions
that were left without an owner or a settlement for too long.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")
import django

django.setup()

from launcher.signals import Stopped, stoppable  # noqa: E402
from tests.drills.catalogue import ACTS, BY_NAME, DRILLS, Drill  # noqa: E402  # after the set-up
from tests.drills.company import Company, Line  # noqa: E402
from tests.drills.day import MINUTES, WHOLE_DAY_MINUTES  # noqa: E402

IN_TEST_LEASE_SECONDS = 1.0
NIGHTLY_LEASE_SECONDS = 5.0  # what a real installation has
LONG_ACT_SECONDS = 600  # an act that lasts longer gets a whole day


def main(argv: Sequence[str]) -> int:
    options = parse(argv)
    if options.list:
        for drill in DRILLS:
            print(f"{drill.name:<12}{drill.count:>5} / {drill.nightly:<6}{drill.says}")
        return 0
    chosen = [BY_NAME[name] for name in options.names] or list(DRILLS)
    if options.controls:  # slowness alone shows nothing, nor does a day that never began
        lines = run_controls(chosen, options)
        return 0 if all(line.difference_count and line.count for line in lines) else 1
    return 0 if all(line.has_passed for line in run(chosen, options)) else 1


def parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/drill",
        description="Do harm to the real system while its sessions trade, and compare every row.",
    )
    add = parser.add_argument
    add("names", nargs="*", metavar="NAME", help="drills; all without one (see --list)")
    add("--count", type=int, help="how often each; else as often as in bin/test")
    add("--nightly", action="store_true", help="as often as in a night")
    add("--share", type=float, default=1.0, help="of those counts")
    add("--seed", type=int, default=7)
    add("--lease", type=float, help="LEASE_SECONDS of the runners (1; with --nightly 5)")
    add("--controls", action="store_true", help="each with its guard switched off: it must fail")
    add("--list", action="store_true", help="the drills with both counts")
    add("--verbose", action="store_true", help="every single harm as it is done")
    add("--logs", type=Path, help="leave the logs of every process in this folder")
    add("--report", type=Path, help="write the lines here as JSON, too")
    options = parser.parse_args(argv)
    if options.lease is None:
        options.lease = NIGHTLY_LEASE_SECONDS if options.nightly else IN_TEST_LEASE_SECONDS
    unknown = set(options.names) - set(BY_NAME)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known are {', '.join(BY_NAME)}")
    return options


def run(chosen: Sequence[Drill], options: argparse.Namespace) -> list[Line]:
    """Drills of one act share a day; all share one system, unless they last a night."""
    acts = [
        [(drill, count_of(drill, options)) for drill in chosen if drill.act == act] for act in ACTS
    ]
    acts = [act for act in acts if act]
    longest = max(sum(drill.seconds_each * count for drill, count in act) for act in acts)
    lines: list[Line] = []
    with Company(
        seed=options.seed,
        lease_seconds=options.lease,
        minutes=WHOLE_DAY_MINUTES if longest > LONG_ACT_SECONDS else MINUTES,
        guard_off="",
        tell=teller(options),
        logs=options.logs,
    ) as company:
        for act in acts:
            lines += show(company.play(act))
            keep(lines, options)
    return lines


def run_controls(chosen: Sequence[Drill], options: argparse.Namespace) -> list[Line]:
    """Each on a system of its own: what it breaks stays broken."""
    lines: list[Line] = []
    for drill in chosen:
        with Company(
            seed=options.seed,
            lease_seconds=options.lease,
            minutes=MINUTES,
            guard_off=drill.guard,
            tell=teller(options),
            logs=options.logs and options.logs / drill.name,
        ) as company:
            print(f"without {drill.guard}:")
            lines += show(company.play([(drill, options.count or drill.control_count)]))
            keep(lines, options)
    return lines


def teller(options: argparse.Namespace) -> Callable[[str], None]:
    def tell(words: str) -> None:
        if options.verbose:
            print(f"{time.strftime('%H:%M:%S')} {words}", file=sys.stderr, flush=True)

    return tell


def count_of(drill: Drill, options: argparse.Namespace) -> int:
    count = options.count or (drill.nightly if options.nightly else drill.count)
    return max(1, round(count * options.share))


def keep(lines: list[Line], options: argparse.Namespace) -> None:
    """The report so far: what was done is told even if a later act breaks down."""
    if options.report:
        options.report.write_text(json.dumps([line.as_json() for line in lines], indent=1))


def show(lines: list[Line]) -> list[Line]:
    for line in lines:
        print(line, flush=True)
    return lines


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    try:
        with stoppable():
            sys.exit(main(sys.argv[1:]))
    except Stopped as stopped:  # everything is ended and removed by now
        sys.exit(128 + stopped.signum)
