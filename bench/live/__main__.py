"""`python -m bench.live`: what N live sessions cost on this machine, on the real stack.

Starts PostgreSQL (durable settings), the broker, the synthetic market, web, workers and beat of its
own, makes the sessions (a third holds a condor, a third has two resting orders that are re-priced,
a third waits), and once all run measures for --seconds. Stop it with Ctrl-C: nothing is left.

Latency is from the commit of the tick's row to the commit of the session's step over it, by
PostgreSQL's own clock, for a sample of 100 sessions; "seen" adds the flush and up to 20 ms of poll.
Processor time is of /proc, ended children included; latencies only mean something on a machine that
does nothing else.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import Any

from bench.live import profiled, report
from bench.live.database import Database
from bench.live.figures import summary
from bench.live.measure import (
    set_up_django,
    start_sessions,
    watch,
    worker_private_bytes,
)
from bench.live.system import Plan, System, SystemFailed
from bench.machine import machine
from launcher.console import Refusal, progress
from launcher.signals import Stopped, stoppable

KINDS = ("holding", "working", "idle")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.live",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--sessions", type=int, default=1000, metavar="N")
    add("--seconds", type=float, default=60, metavar="S", help="measured, after the warm-up (60)")
    add("--workers", type=int, default=1, metavar="N", help="worker-sessions processes (1)")
    add("--quotes", type=int, default=400, metavar="N", help="strikes times two (400)")
    add("--speed", type=float, default=1, metavar="X", help="market seconds a second (1)")
    add("--size", type=int, default=1, metavar="N", help="packages a session holds or rests (1)")
    add("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="of sessions (all three)")
    add("--double", action="store_true", help="then as many idle sessions again: memory of each")
    add("--patience", type=float, metavar="S", help="for the warm-up (120 and 1 per 25 sessions)")
    add("--json", type=Path, metavar="FILE", help="write every figure there")
    add(
        "--profile",
        type=Path,
        metavar="FILE",
        help="cProfile of the first worker over the measured seconds (for pstats; FILE.txt is its"
        " text); calls cost more under it, so read shares, not seconds",
    )
    return parser.parse_args()


def plan_of(options: argparse.Namespace) -> Plan:
    total = options.sessions * (2 if options.double else 1)
    return Plan(
        workers=options.workers,
        quotes=options.quotes,
        speed=options.speed,
        capacity=math.ceil(total / options.workers),
        profile=options.profile,
    )


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """One run. Raises SystemFailed or Refusal."""
    found: dict[str, Any] = {"machine": machine(), "options": _shown(options)}
    patience_seconds = options.patience or 120 + options.sessions / 25
    with System(plan_of(options)) as system:
        set_up_django(system)
        from bench.live.fleet import Wanted  # noqa: PLC0415  it imports models

        wanted = Wanted(options.sessions, tuple(options.kinds), options.size)
        took = start_sessions(system, wanted, patience_seconds=patience_seconds)
        found["warm_up_seconds"] = took
        database = Database(system.database_url)
        found["machine"]["postgresql"] = database.version()
        database.close()
        progress(f"  Measuring for {options.seconds:g} s …")
        if options.profile:
            system.signal_worker(profiled.START)
        found |= summary(watch(system, options.seconds))
        if options.profile:
            system.signal_worker(profiled.STOP)
        if options.double:
            found["idle"] = _doubled(system, options, patience_seconds)
        found["complaints"] = system.complaints()
    return found


def _doubled(
    system: System, options: argparse.Namespace, patience_seconds: float
) -> dict[str, Any]:
    """As many idle sessions again, and what the workers' memory grew by."""
    from bench.live.fleet import IDLE, Wanted  # noqa: PLC0415  it imports models

    before = worker_private_bytes(system)
    wanted = Wanted(options.sessions, (IDLE,))
    took = start_sessions(system, wanted, patience_seconds=patience_seconds)
    grown = worker_private_bytes(system) - before
    return {
        "added": options.sessions,
        "warm_up_seconds": took,
        "kb_per_session": round(grown / options.sessions / 1e3, 1),
    }


def _shown(options: argparse.Namespace) -> dict[str, Any]:
    return {name: value for name, value in vars(options).items() if not isinstance(value, Path)}


def main() -> int:
    options = parse()
    with stoppable():
        try:
            found = measured(options)
        except Stopped as stopped:
            progress(f"Stopped ({stopped}).")
            return 128 + stopped.signum
        except (SystemFailed, Refusal) as failed:
            progress(str(failed))
            return 1
    print(report.text(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
