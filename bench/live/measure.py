"""Bring sessions up in a running system, watch them for a while, and say what that cost."""

from __future__ import annotations

import math
import os
import re
import time
import urllib.request
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import django

from bench.live.commits import POLL_SECONDS, Seen, Watcher
from bench.live.database import APPLICATION, Database, Progress
from bench.live.system import System
from bench.live.usage import cpu_seconds, memory, own_cpu_seconds
from launcher.console import progress, step

SETTLING_SECONDS = 5
CHOSEN_METRICS = re.compile(
    r"^(zerohour_(?:commit_seconds_(?:sum|count)|session_\w+_total)\S*) (\S+)$"
)


@dataclass
class Sample:
    """One moment of the run; processor seconds and bytes are since the start of the process."""

    at: float
    progress: Progress
    wal_bytes: int
    cpu: dict[str, float]


@dataclass
class Watched:
    """What was read while the sessions ran."""

    samples: list[Sample]
    seen: Seen
    connections_cpu: dict[str, float]  # seconds over the whole, by whom the connection serves
    sizes: dict[str, tuple[int, int]]  # before, after
    writes: dict[str, tuple[int, int, int]]
    metrics: dict[str, float]
    bench_cpu: float
    memory: dict[str, Any] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        return self.samples[-1].at - self.samples[0].at

    @property
    def session_ticks(self) -> int:
        first, last = self.samples[0].progress, self.samples[-1].progress
        return last.session_ticks - first.session_ticks


def set_up_django(system: System) -> None:
    """Let this process's models speak to the system's database."""
    os.environ.update(
        system.env, DJANGO_SETTINGS_MODULE="config.settings.base", PGAPPNAME=APPLICATION
    )
    django.setup()


def start_sessions(system: System, wanted: Any, *, patience_seconds: float) -> float | None:
    """Seed and wait until every session runs, holds and rests what it shall, and none is behind.

    Returns how many seconds that took; None where patience ended first.
    """
    from bench.live import fleet  # noqa: PLC0415  it imports models
    from marketdata import queries  # noqa: PLC0415

    database = Database(system.database_url)
    began = time.monotonic()
    try:
        while not queries.market_now().is_open:
            system.require_health()
            time.sleep(0.1)
        total = database.progress().sessions + wanted.sessions
        with step(f"Making {wanted.sessions} sessions"):
            entered_at = fleet.seed(wanted, speed=system.plan.speed)
        with step("Waiting until all run, hold and rest what they shall"):
            while time.monotonic() - began < patience_seconds:
                system.require_health()
                if queries.market_now().at >= entered_at and _all_run(database, total, system):
                    time.sleep(SETTLING_SECONDS)
                    return time.monotonic() - began
                time.sleep(1)
    finally:
        _tell(database)
        database.close()
    return None


def _all_run(database: Database, total: int, system: System) -> bool:
    now = database.progress()
    is_near = now.most_behind <= _ticks_in_flight(system.plan.speed)
    return now.running == total and is_near and not any(database.outstanding().values())


def _tell(database: Database) -> None:
    now = database.progress()
    progress(
        f"  {now.running} of {now.sessions} run, {now.most_behind} ticks behind at most, "
        f"missing {database.outstanding()}"
    )


def _ticks_in_flight(speed: float) -> int:
    """The market publishes every 0.2 s at the most often."""
    return 1 + math.ceil(speed * 0.4)


def watch(
    system: System,
    seconds: float,
    *,
    poll_seconds: float = POLL_SECONDS,
    sample_seconds: float = 1.0,
) -> Watched:
    """Looking more seldom takes less of the processor from what is watched: `poll_seconds` between
    looks for commits (see the watcher), `sample_seconds` between those at everything else.
    """
    database = Database(system.database_url)
    watcher = Watcher(system.database_url, poll_seconds=poll_seconds)
    connections: dict[str, float] = defaultdict(float)
    try:
        sizes, writes, metrics = database.sizes(), database.writes(), _scrape(system)
        bench_cpu = time.process_time()
        watcher.start()
        samples = [_sample(system, database)]
        own = _connections(database)
        while samples[-1].at - samples[0].at < seconds:
            due_at = samples[0].at + len(samples) * sample_seconds
            time.sleep(max(0.0, due_at - time.monotonic()))
            system.require_health()
            samples.append(_sample(system, database))
            before, own = own, _connections(database)
            for (name, pid), used in own.items():
                connections[name] += used - before.get((name, pid), used)
        seen = watcher.finish()
        bench_cpu = time.process_time() - bench_cpu
        after, written, counted = database.sizes(), database.writes(), _scrape(system)
    finally:
        database.close()
    return Watched(
        samples=samples,
        seen=seen,
        connections_cpu=dict(connections),
        sizes={name: (sizes.get(name, 0), size) for name, size in after.items()},
        writes={
            name: _difference(now, writes.get(name, (0, 0, 0))) for name, now in written.items()
        },
        metrics={name: value - metrics.get(name, 0.0) for name, value in counted.items()},
        bench_cpu=bench_cpu,
        memory=_memory(system),
    )


def _memory(system: System) -> dict[str, Any]:
    return {
        name: {"rss": each.rss, "pss": each.pss, "private": each.private}
        for name, each in memory(system.pids()).items()
    }


def worker_private_bytes(system: System) -> int:
    """What only the workers map, their sandboxes included."""
    found = memory(system.pids())
    return sum(found[name].private for name in system.workers())


def _difference(now: tuple[int, int, int], before: tuple[int, int, int]) -> tuple[int, int, int]:
    return now[0] - before[0], now[1] - before[1], now[2] - before[2]


def _sample(system: System, database: Database) -> Sample:
    return Sample(
        time.monotonic(), database.progress(), database.wal_bytes(), cpu_seconds(system.pids())
    )


def _connections(database: Database) -> dict[tuple[str, int], float]:
    return {
        (name, pid): own_cpu_seconds(pid)
        for name, pids in database.backends().items()
        for pid in pids
    }


def _scrape(system: System) -> dict[str, float]:
    """The counters of all processes of this host, as the web process sums them."""
    with urllib.request.urlopen(f"{system.base_url}/metrics", timeout=20) as response:
        text = response.read().decode()
    matches = filter(None, map(CHOSEN_METRICS.match, text.splitlines()))
    return {match[1]: float(match[2]) for match in matches}
