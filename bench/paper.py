"""What more sessions than a machine can hold would need: `python -m bench.paper [LIVE.json …]`.

Takes the unit costs of the largest run that was not behind at its end, of the given files (written
by `python -m bench.live --json`), else of docs/performance/scale.json, and multiplies them. Nothing
of it is measured. Prints a table for docs/performance.md.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.scale import OUT

FLEETS = (10_000, 100_000, 1_000_000)
BUSY_SHARE = 0.6  # of a core, so that a burst of entries at 10:00 has room
HOST_CORES = 16
NEVER_LATE_TICKS = 2
TICKS_A_DAY = 23_400
DAY_SECONDS = 23_400


def main() -> int:
    found = _given(sys.argv[1:]) or _best(OUT / "scale.json")
    if found is None:
        print("no run to calculate from", file=sys.stderr)
        return 1
    print("\n".join(table(found)))
    return 0


def _given(paths: list[str]) -> dict[str, Any] | None:
    return _most([json.loads(Path(path).read_text()) for path in paths])


def _best(path: Path) -> dict[str, Any] | None:
    return _most(list(json.loads(path.read_text()).values())) if path.exists() else None


def _most(runs: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The run with the most sessions that kept up; a worker's own price falls with them."""
    kept_up = [run for run in runs if run["behind"]["at_the_end"] <= NEVER_LATE_TICKS]
    at_one = [run for run in kept_up or runs if run["options"]["speed"] == 1]
    return max(at_one, key=lambda run: run["sessions"], default=None)


def table(run: dict[str, Any]) -> Iterator[str]:
    costs, options = run["us_per_session_tick"], run["options"]
    yield (
        f"From {run['sessions']} sessions, {options['workers']} worker processes, "
        f"{options['quotes']} quotes: {costs['workers']} µs of worker and {costs['postgres']} µs "
        f"of PostgreSQL a session-tick; a core is used to {BUSY_SHARE:.0%}."
    )
    yield ""
    yield "| sessions | " + " | ".join(f"{fleet:,}" for fleet in FLEETS) + " |"
    yield "| --- |" + " --- |" * len(FLEETS)
    for title, values in _rows(run):
        yield f"| {title} | " + " | ".join(values) + " |"


def _rows(run: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    costs = run["us_per_session_tick"]
    worker_us, database_us = costs["workers"], costs["postgres"]
    yield "cores for workers", [f"{_cores(fleet, worker_us):,}" for fleet in FLEETS]
    yield (
        f"hosts of {HOST_CORES} cores for them",
        [f"{math.ceil(_cores(fleet, worker_us) / HOST_CORES):,}" for fleet in FLEETS],
    )
    yield "cores for PostgreSQL", [f"{_cores(fleet, database_us):,}" for fleet in FLEETS]
    yield "rows of sessions updated a second", [f"{fleet:,}" for fleet in FLEETS]
    wal_bytes = 1e3 * run["wal"]["kb_per_session_day"] / TICKS_A_DAY  # a session-tick
    yield "write-ahead log, MB/s", [f"{fleet * wal_bytes / 1e6:,.1f}" for fleet in FLEETS]
    yield (
        "write-ahead log a day, TB",
        [f"{fleet * wal_bytes * DAY_SECONDS / 1e12:,.2f}" for fleet in FLEETS],
    )
    yield "tables a day before the fold, GB", [f"{_stored_gb(run, each):,.0f}" for each in FLEETS]
    memory_kb = _memory_kb(run)
    yield (
        "memory of workers, GB",
        ["?" if memory_kb is None else f"{each * memory_kb / 1e6:,.1f}" for each in FLEETS],
    )
    yield "ticks read a second by workers, MB/s", [_fan_out(run, each) for each in FLEETS]


def _cores(fleet: int, microseconds: float) -> int:
    return math.ceil(fleet * microseconds / 1e6 / BUSY_SHARE)


def _stored_gb(run: dict[str, Any], fleet: int) -> float:
    """What the sessions' own tables grew by; the session rows themselves stay as they are."""
    growing = [
        row["kb_per_session_day"] or 0.0
        for name, row in run["tables"].items()
        if name.startswith("bot_sessions_") and name != "bot_sessions_botsession"
    ]
    return fleet * sum(growing) / 1e6


def _memory_kb(run: dict[str, Any]) -> float | None:
    """Of an idle session, where the run was made with --double."""
    idle: dict[str, Any] = run.get("idle", {})
    return idle.get("kb_per_session")


def _fan_out(run: dict[str, Any], fleet: int) -> str:
    """Every runner process reads every tick once, whatever it hosts."""
    tick_bytes = 14 * run["options"]["quotes"]  # a strike, and twice a bid, an ask, a delta: int32
    processes = _cores(fleet, run["us_per_session_tick"]["workers"])
    return f"{processes * tick_bytes / 1e6:,.2f}"


if __name__ == "__main__":
    sys.exit(main())
