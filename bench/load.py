"""The API under load: `python -m bench.load [--sessions 1000 --rate 200 --streams 100]`.

The real stack with that many sessions running (as `python -m bench.live` has it), watched for
--seconds alone and again while it is read: requests at fixed moments whatever the answers do (an
open loop, so waiting in line counts), mixed over the reads a dashboard and a client make, and open
streams of as many sessions. Prints the times of answers by route, and of ticks with and without.

The clients are processes of their own on the same machine, before the system where the processor is
short, as if they had one to themselves; what they use is shown.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.live.figures import percentiles, summary
from bench.live.measure import set_up_django, start_sessions, watch
from bench.live.system import Plan, System, SystemFailed
from bench.live.usage import cpu_seconds
from bench.machine import machine
from launcher.console import Refusal, progress
from launcher.paths import ROOT
from launcher.signals import Stopped, stoppable

PARTS = ("p50", "p95", "p99", "max")
LESS_PRIORITY = 5
LEAD_SECONDS = 5  # for the clients to start and the streams to connect
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
    add("--seconds", type=float, default=30, metavar="S", help="of each of the two parts (30)")
    add("--patience", type=float, metavar="S", help="for the warm-up (120 and 1 per 25 sessions)")
    add("--json", type=Path, metavar="FILE", help="write every figure there")
    return parser.parse_args()


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Without and with load. Raises SystemFailed or Refusal."""
    found: dict[str, Any] = {"machine": machine(), "options": {**vars(options)}}
    plan = Plan(
        workers=options.workers, web=options.web, capacity=-(-options.sessions // options.workers)
    )
    patience_seconds = options.patience or 120 + options.sessions / 25
    with Clients(options) as clients, System(plan) as system:
        set_up_django(system)
        from bench.live.fleet import Wanted  # noqa: PLC0415  it imports models

        wanted = Wanted(options.sessions)
        found["warm_up_seconds"] = start_sessions(system, wanted, patience_seconds=patience_seconds)
        progress(f"  Watching for {options.seconds:g} s without readers …")
        found["alone"] = summary(watch(system, options.seconds))
        progress(f"  Watching for {options.seconds:g} s with readers …")
        clients.begin(system)
        time.sleep(LEAD_SECONDS)
        found["read"] = summary(watch(system, options.seconds))
        found |= clients.answers(options.seconds)
        found["complaints"] = system.complaints()
    return found


class Clients:
    """The processes that read; ended with the block, whatever happens. What this process starts
    after them has a lower priority than they have.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._running: dict[str, subprocess.Popen[str]] = {}

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
            _prefer(self._running[name].pid)
        os.nice(LESS_PRIORITY)
        return self

    def __exit__(self, *_details: object) -> None:
        for process in self._running.values():
            process.kill()
            process.wait()

    def begin(self, system: System) -> None:
        """Tell them what to ask for, and of whom."""
        options = self._options
        base = {"base_url": f"{system.base_url}/api", "targets": _targets()}
        asked = {
            "requests": {
                "rate": options.rate,
                "mix": MIX,
                "counted_after_seconds": LEAD_SECONDS,
            },
            "streams": {"streams": options.streams},
        }
        seconds = LEAD_SECONDS + options.seconds + 1
        for name, process in self._running.items():
            assert process.stdin is not None
            json.dump({**base, **asked[name], "kind": name, "seconds": seconds}, process.stdin)
            process.stdin.close()

    def answers(self, seconds: float) -> dict[str, Any]:
        """What the clients saw; waits for the last of it."""
        used = cpu_seconds({name: process.pid for name, process in self._running.items()})
        found: dict[str, Any] = {}
        for name, process in self._running.items():
            assert process.stdout is not None
            found[name] = json.loads(process.stdout.read())
            found[name]["cpu_pct"] = round(100 * used[name] / (seconds + LEAD_SECONDS), 1)
        by_route = found["requests"].pop("ms")
        everything = [ms for values in by_route.values() for ms in values]
        found["requests"]["all"] = {"count": len(everything), **percentiles(everything)}
        found["requests"]["routes"] = {
            route: {"count": len(values), **percentiles(values)}
            for route, values in sorted(by_route.items())
        }
        return found


def _prefer(pid: int) -> None:
    """Where Linux shares the processor between terminals' sessions first, priorities of processes
    count only within one; then this one's session gets its priority.
    """
    group = Path(f"/proc/{pid}/autogroup")
    if group.exists() and os.geteuid() == 0:
        group.write_text(str(-LESS_PRIORITY))


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
    alone, read = found["alone"], found["read"]
    requests, streams = found["requests"], found["streams"]
    lines = [
        ", ".join(f"{name} {value}" for name, value in found["machine"].items()),
        f"{read['running']} of {read['sessions']} sessions run; asked for "
        f"{found['options']['rate']:g} requests a second, {found['options']['streams']} streams",
        "",
        f"{'':<12}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'max ms':>9}{'behind':>8}",
    ]
    for name, part in (("alone", alone), ("read", read)):
        times = _times(part["tick_to_committed_ms"])
        lines.append(f"tick {name:<7}{times}{part['behind']['most']:>8}")
    lines += ["", f"{'route':<44}{'count':>7}" + "".join(f"{part:>9}" for part in PARTS)]
    for route, row in {**requests["routes"], "all": requests["all"]}.items():
        lines.append(
            f"{route:<44}{row['count']:>7}" + "".join(f"{row.get(p, '-'):>9}" for p in PARTS)
        )
    lines += [
        f"requests: late to send at most {requests['late_ms']} ms, not answered with 200: "
        f"{requests['failed']}; client {requests['cpu_pct']} % of a core",
        f"streams: {streams['open']} open, {streams['seconds']} seconds told, "
        f"{streams['gaps']} left out; client {streams['cpu_pct']} % of a core",
        f"processor, % of a core, alone: {alone['cpu_pct']}",
        f"processor, % of a core, read:  {read['cpu_pct']}",
    ]
    return "\n".join(lines)


def _times(row: dict[str, Any]) -> str:
    return "".join(f"{row.get(part, '-'):>9}" for part in PARTS)


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
