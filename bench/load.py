"""The API under load: `python -m bench.load [--sessions 1000 --rate 200 --streams 100]`.

The real stack with that many sessions running (as `python -m bench.live` has it), watched for
--seconds alone and for as long while it is read, --turns times by turns: a machine that is quicker
now and slower then does not favour one of them. Read means requests at fixed moments whatever the
answers do (an open loop, so waiting in line counts), mixed over the reads a dashboard and a client
make, and open streams of as many sessions. Prints the times of answers by route, and of ticks with
and without.

The clients are processes of their own on the same machine; what they use is shown. They give way to
the ticks, which on another machine they would not meet, and `web` gives way to them.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

from bench.live.figures import percentiles, summary, tick_to_committed_ms
from bench.live.measure import Watched, set_up_django, start_sessions, watch
from bench.live.system import Plan, System, SystemFailed
from bench.live.usage import cpu_seconds
from bench.machine import machine
from launcher.console import Refusal, progress
from launcher.paths import ROOT
from launcher.signals import Stopped, stoppable

PARTS = ("p50", "p95", "p99", "max")
LEAD_SECONDS = 5  # for the streams to connect
# Looking more often would take the processor from what is watched.
SPARINGLY = {"poll_seconds": 0.1, "sample_seconds": 5.0}
# What is read, of 100 requests. Routes of a session but for those that begin with "/".
MIX = {
    "/bots": 8,
    "/bots/{bot}": 8,
    "/bots/{bot}/summary": 8,
    "/market-data/status": 10,
    "/market-data/chain": 2,
    "": 14,
    "orders": 10,
    "positions": 14,
    "transactions": 5,
    "financials?since={since}": 10,
    "financials": 3,
    "decision-log": 4,
    "events": 4,
}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench.load",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--sessions", type=int, default=1000, metavar="N")
    add("--workers", type=int, default=1, metavar="N", help="worker-sessions processes (1)")
    add("--web", type=int, default=2, metavar="N", help="processes of the web server (2)")
    add("--rate", type=float, default=200, metavar="R", help="requests a second (200)")
    add("--streams", type=int, default=100, metavar="N", help="open streams (100)")
    add("--turns", type=int, default=3, metavar="N", help="alone and read, by turns (3)")
    add("--seconds", type=float, default=20, metavar="S", help="of each part of a turn (20)")
    add("--patience", type=float, metavar="S", help="for the warm-up (120 and 1 per 25 sessions)")
    add("--json", type=Path, metavar="FILE", help="write every figure there")
    return parser.parse_args()


@dataclass(frozen=True)
class Turn:
    """What was seen alone, what while it was read, and what the clients saw."""

    alone: Watched
    read: Watched
    clients: dict[str, Any]

    @property
    def answers_ms(self) -> dict[str, list[float]]:
        """By route."""
        found: dict[str, list[float]] = self.clients["requests"]["ms"]
        return found


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Without and with load. Raises SystemFailed or Refusal."""
    plan = Plan(
        workers=options.workers, web=options.web, capacity=-(-options.sessions // options.workers)
    )
    patience_seconds = options.patience or 120 + options.sessions / 25
    with Clients(options) as clients, System(plan) as system:
        set_up_django(system)
        from bench.live.fleet import Wanted  # noqa: PLC0415  it imports models

        warm_up_seconds = start_sessions(
            system, Wanted(options.sessions), patience_seconds=patience_seconds
        )
        turns = []
        for number in range(1, options.turns + 1):
            progress(f"  Turn {number} of {options.turns}: alone, then read …")
            turns.append(_turn(system, clients, options.seconds))
        return {
            "machine": machine(),
            "options": {**vars(options)},
            "warm_up_seconds": warm_up_seconds,
            **_figures(turns),
            "complaints": system.complaints(),
        }


def _turn(system: System, clients: Clients, seconds: float) -> Turn:
    alone = watch(system, seconds, **SPARINGLY)
    clients.begin(system, seconds)
    time.sleep(LEAD_SECONDS)
    read = watch(system, seconds, **SPARINGLY)
    return Turn(alone, read, clients.answers())


class Clients:
    """The processes that read; ended with the block, whatever happens."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._used_before: dict[str, float] = {}
        self._seconds = 0.0
        self._targets: list[dict[str, str]] = []

    def __enter__(self) -> Clients:
        for name in ("requests", "streams"):
            self._running[name] = subprocess.Popen(
                [sys.executable, "-m", "bench.readers"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                cwd=ROOT,
                start_new_session=True,
            )
        return self

    def __exit__(self, *_details: object) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def begin(self, system: System, seconds: float) -> None:
        """Tell them what to ask for, and of whom; they need LEAD_SECONDS besides."""
        options = self._options
        self._targets = self._targets or _targets()
        self._seconds = LEAD_SECONDS + seconds + 1
        self._used_before = self._used()
        asked = {
            "requests": {
                "rate": options.rate,
                "mix": MIX,
                "counted_after_seconds": LEAD_SECONDS,
            },
            "streams": {"streams": options.streams},
        }
        base = {
            "base_url": f"{system.base_url}/api",
            "targets": self._targets,
            "seconds": self._seconds,
        }
        for name, process in self._running.items():
            assert process.stdin is not None
            process.stdin.write(json.dumps({**base, **asked[name], "kind": name}) + "\n")
            process.stdin.flush()

    def answers(self) -> dict[str, Any]:
        """What they saw; waits for the last of it. Raises SystemFailed where one has ended."""
        used = self._used()
        found: dict[str, Any] = {}
        for name, process in self._running.items():
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise SystemFailed(f"the client of {name} ended (status {process.wait()})")
            found[name] = json.loads(line)
            spent = used[name] - self._used_before[name]
            found[name]["cpu_pct"] = round(100 * spent / self._seconds, 1)
        return found

    def _used(self) -> dict[str, float]:
        return cpu_seconds({name: process.pid for name, process in self._running.items()})


def _figures(turns: list[Turn]) -> dict[str, Any]:
    """Over all turns, and turn by turn."""
    alone = [summary(turn.alone) for turn in turns]
    read = [summary(turn.read) for turn in turns]
    routes: dict[str, list[float]] = defaultdict(list)
    for turn in turns:
        for route, values in turn.answers_ms.items():
            routes[route] += values
    return {
        "alone": _of_system([turn.alone for turn in turns], alone),
        "read": _of_system([turn.read for turn in turns], read),
        "answers": {
            **{route: _times(values) for route, values in sorted(routes.items())},
            "all": _times(list(chain.from_iterable(routes.values()))),
        },
        "clients": [
            {kind: {**seen, "ms": None} for kind, seen in turn.clients.items()} for turn in turns
        ],
        "turns": [
            {
                "alone": before,
                "read": meanwhile,
                "answers_ms": percentiles(chain.from_iterable(turn.answers_ms.values())),
            }
            for turn, before, meanwhile in zip(turns, alone, read, strict=True)
        ],
    }


def _of_system(parts: list[Watched], summaries: list[dict[str, Any]]) -> dict[str, Any]:
    names = {name for each in summaries for name in each["cpu_pct"]}
    return {
        "sessions": summaries[-1]["sessions"],
        "running": summaries[-1]["running"],
        "tick_to_committed_ms": _times(list(chain.from_iterable(map(tick_to_committed_ms, parts)))),
        "most_behind": max(each["behind"]["most"] for each in summaries),
        "cpu_pct": {
            name: round(fmean(each["cpu_pct"].get(name, 0.0) for each in summaries), 1)
            for name in sorted(names)
        },
    }


def _times(values: list[float]) -> dict[str, float]:
    return {"count": len(values), **percentiles(values)}


def _targets() -> list[dict[str, str]]:
    """Running sessions in any order, each with a token of its user."""
    from accounts.models import User  # noqa: PLC0415  after setup: these import models
    from accounts.services import create_token  # noqa: PLC0415
    from sessions.models import BotSession  # noqa: PLC0415

    targets = []
    for user in User.objects.order_by("date_joined"):
        token = create_token(user=user)
        rows = BotSession.objects.filter(bot__owner=user).values_list("bot_id", "pk")
        targets += [
            {"token": token, "bot": str(bot), "session": str(session)} for bot, session in rows
        ]
    random.Random(7).shuffle(targets)
    return targets


def text(found: dict[str, Any]) -> str:
    alone, read, options = found["alone"], found["read"], found["options"]
    lines = [
        ", ".join(f"{name} {value}" for name, value in found["machine"].items()),
        f"{read['running']} of {read['sessions']} sessions run; asked for "
        f"{options['rate']:g} requests a second, {options['streams']} streams; "
        f"{options['turns']} turns of {options['seconds']:g} s alone and as long read",
        "",
        f"{'ms':<44}{'count':>7}" + "".join(f"{part:>9}" for part in PARTS),
        _row("tick to committed, alone", alone["tick_to_committed_ms"]),
        _row("tick to committed, read", read["tick_to_committed_ms"]),
        *(_row(f"answer {route}", row) for route, row in found["answers"].items()),
        "",
        "p50 and p99 by turn: " + "; ".join(map(_turn_text, found["turns"])),
        f"ticks behind at most: {alone['most_behind']} alone, {read['most_behind']} read",
        *(_clients_text(clients) for clients in found["clients"]),
        f"processor, % of a core, alone: {alone['cpu_pct']}",
        f"processor, % of a core, read:  {read['cpu_pct']}",
    ]
    return "\n".join(lines)


def _row(name: str, row: dict[str, float]) -> str:
    return f"{name:<44}{row['count']:>7}" + "".join(f"{row.get(p, '-'):>9}" for p in PARTS)


def _turn_text(turn: dict[str, Any]) -> str:
    parts = {
        "alone": turn["alone"]["tick_to_committed_ms"],
        "read": turn["read"]["tick_to_committed_ms"],
        "answers": turn["answers_ms"],
    }
    return ", ".join(f"{name} {ms.get('p50')} {ms.get('p99')}" for name, ms in parts.items())


def _clients_text(clients: dict[str, Any]) -> str:
    requests, streams = clients["requests"], clients["streams"]
    return (
        f"clients: sent at most {requests['late_ms']} ms late, not answered with 200: "
        f"{requests['failed']}; {streams['open']} streams open, {streams['seconds']} seconds told, "
        f"{streams['gaps']} left out; {requests['cpu_pct']} and {streams['cpu_pct']} % of a core"
    )


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
    print(text(found))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1, default=str) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
