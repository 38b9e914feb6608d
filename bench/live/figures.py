"""The figures of a run, worked out from what was watched."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from bench.live.database import APPLICATION
from bench.live.measure import Sample, Watched

TICKS_A_DAY = 23_400


def percentiles(values: Iterable[float]) -> dict[str, float]:
    """p50, p95, p99 and max, to a tenth; empty where nothing was measured."""
    found = sorted(values)
    if not found:
        return {}
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    last = len(found) - 1
    chosen = {name: found[min(last, int(len(found) * part))] for name, part in shares.items()}
    return {name: round(value, 1) for name, value in {**chosen, "max": found[last]}.items()}


def summary(watched: Watched) -> dict[str, Any]:
    """All figures of a run, ready for JSON."""
    seen, ticks = watched.seen, sorted(watched.seen.ticks)
    first, last = watched.samples[0], watched.samples[-1]
    return {
        "seconds": round(watched.seconds, 1),
        "sessions": last.progress.sessions,
        "running": last.progress.running,
        "ticks": len(ticks),
        "session_ticks": watched.session_ticks,
        "behind": {
            "most": max(sample.progress.most_behind for sample in watched.samples),
            "at_the_end": last.progress.most_behind,
        },
        "tick_to_committed_ms": percentiles(tick_to_committed_ms(watched)),
        "tick_to_seen_ms": percentiles(
            ms for seq in ticks for ms in seen.latencies_ms(seq, seen.first_sight)
        ),
        "commits": _commits(watched),
        "cpu_pct": _cpu(watched),
        "us_per_session_tick": _unit_costs(watched),
        "memory_mb": {
            name: {kind: round(size / 1e6, 1) for kind, size in sizes.items()}
            for name, sizes in watched.memory.items()
        },
        "wal": _per_session_day(last.wal_bytes - first.wal_bytes, watched),
        "tables": {
            name: {**_per_session_day(after - before, watched), **_rows(watched.writes.get(name))}
            for name, (before, after) in sorted(watched.sizes.items())
            if after != before or any(watched.writes.get(name, ()))
        },
        "per_second": _per_second(watched),
    }


def tick_to_committed_ms(watched: Watched) -> list[float]:
    """Of every tick and every session of the sample."""
    seen = watched.seen
    return [ms for seq in sorted(seen.ticks) for ms in seen.latencies_ms(seq)]


def _commits(watched: Watched) -> dict[str, Any]:
    metrics = watched.metrics
    count = metrics.get("zerohour_commit_seconds_count", 0.0)
    rows = sum(inserted + updated for inserted, updated, _ in watched.writes.values())
    repriced = metrics.get('zerohour_session_events_total{kind="repriced"}', 0.0)
    return {
        "per_second": round(count / watched.seconds, 2),
        "session_ticks_each": _ratio(watched.session_ticks, count),
        "rows_each": _ratio(rows, count),
        "mean_ms": _ratio(1e3 * metrics.get("zerohour_commit_seconds_sum", 0.0), count),
        "repriced_per_second": round(repriced / watched.seconds, 1),
    }


def _ratio(amount: float, count: float) -> float | None:
    return round(amount / count, 2) if count else None


def _cpu(watched: Watched) -> dict[str, float]:
    """Percent of one core. "postgres" is without what the measurement itself asked it."""
    first, last = watched.samples[0].cpu, watched.samples[-1].cpu
    used = {name: last[name] - first[name] for name in last}
    ours = watched.connections_cpu.get(APPLICATION, 0.0)
    used["postgres"] -= ours
    used["bench and its queries"] = watched.bench_cpu + ours
    for name, seconds in sorted(watched.connections_cpu.items()):
        if name != APPLICATION and seconds > 0.005 * watched.seconds:
            used[f"postgres: {name}"] = seconds
    return {name: round(100 * seconds / watched.seconds, 1) for name, seconds in used.items()}


def _unit_costs(watched: Watched) -> dict[str, float | None]:
    """Processor time a session-tick, in microseconds."""
    cpu = _cpu(watched)
    kinds = {
        "workers": [name for name in cpu if name.startswith("worker-sessions")],
        "postgres": ["postgres"],
        "postgres for workers": [n for n in cpu if n.startswith("postgres: worker-sessions")],
        "all": [n for n in cpu if not n.startswith(("postgres: ", "bench"))],
    }
    micro = 1e4 * watched.seconds  # of a percent
    return {
        kind: _ratio(micro * sum(cpu[name] for name in names), watched.session_ticks)
        for kind, names in kinds.items()
    }


def _per_session_day(size: int, watched: Watched) -> dict[str, float | None]:
    return {
        "bytes": size,
        "kb_per_session_day": _ratio(size * TICKS_A_DAY / 1e3, watched.session_ticks),
    }


def _rows(writes: tuple[int, int, int] | None) -> dict[str, int]:
    inserted, updated, in_place = writes or (0, 0, 0)
    return {"inserted": inserted, "updated": updated, "updated_in_place": in_place}


def _per_second(watched: Watched) -> list[dict[str, Any]]:
    """One row a sample; its latencies are those of the ticks that came since the one before."""
    samples, seen = watched.samples, watched.seen
    offset = time.time() - time.monotonic()
    rows = []
    for before, now in pairwise(samples):
        ticks = [seq for seq, at in seen.ticks.items() if before.at <= at - offset < now.at]
        rows.append(
            _second(before, now, len(ticks))
            | {"ms": percentiles(ms for seq in ticks for ms in seen.latencies_ms(seq))}
        )
    return rows


def _second(before: Sample, now: Sample, ticks: int) -> dict[str, Any]:
    lasted = now.at - before.at
    done = now.progress.session_ticks - before.progress.session_ticks
    return {
        "running": now.progress.running,
        "ticks": ticks,
        "most_behind": now.progress.most_behind,
        "session_ticks": done,
        "wal_kb": round((now.wal_bytes - before.wal_bytes) / lasted / 1e3, 1),
        "cpu_pct": _together(before.cpu, now.cpu, lasted),
    }


def _together(before: dict[str, float], now: dict[str, float], lasted: float) -> dict[str, float]:
    """By kind of process."""
    used: dict[str, float] = defaultdict(float)
    for name, seconds in now.items():
        kind = "workers" if name.startswith("worker-sessions") else name
        used[kind] += 100 * (seconds - before.get(name, seconds)) / lasted
    return {kind: round(percent, 1) for kind, percent in used.items()}
