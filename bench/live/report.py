"""A run's figures as a person reads them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

ROWS_SHOWN = 20  # of the seconds; all of them are in the JSON


def text(found: dict[str, Any]) -> str:
    return "\n".join(_lines(found))


def _lines(found: dict[str, Any]) -> Iterator[str]:
    yield ", ".join(f"{name} {value}" for name, value in found["machine"].items())
    yield ", ".join(f"{name} {value}" for name, value in found["options"].items() if value)
    yield ""
    yield from _seconds(found["per_second"])
    yield ""
    took = found["warm_up_seconds"]
    yield "warm-up " + ("did not end: measured anyway" if took is None else f"{took:.0f} s")
    yield (
        f"{found['running']} of {found['sessions']} sessions run; {found['ticks']} ticks in "
        f"{found['seconds']} s; behind at most {found['behind']['most']}, at the end "
        f"{found['behind']['at_the_end']}"
    )
    yield f"tick to committed, ms: {_pairs(found['tick_to_committed_ms'])}"
    yield f"tick to seen, ms:      {_pairs(found['tick_to_seen_ms'])}"
    yield f"commits: {_pairs(found['commits'])}"
    yield f"processor, % of a core: {_pairs(found['cpu_pct'])}"
    yield f"processor, us a session-tick: {_pairs(found['us_per_session_tick'])}"
    if "idle" in found:
        yield f"idle sessions added: {_pairs(found['idle'])}"
    yield f"WAL: {_pairs(found['wal'])}"
    yield ""
    yield from _memory(found["memory_mb"])
    yield ""
    yield from _tables(found["tables"])
    if found["complaints"]:
        yield f"warnings and errors in the logs: {_pairs(found['complaints'])}"


def _seconds(rows: list[dict[str, Any]]) -> Iterator[str]:
    kinds = list(rows[0]["cpu_pct"]) if rows else []
    yield (
        f"{'s':>4}{'running':>9}{'ticks':>6}{'behind':>7}{'p50 ms':>8}{'p99 ms':>8}{'max ms':>8}"
        f"{'steps':>8}{'WAL kB':>8}" + "".join(f"{kind[:9]:>10}" for kind in kinds)
    )
    every = max(1, len(rows) // ROWS_SHOWN)
    for number, row in enumerate(rows, 1):
        if number % every == 0:
            latencies = "".join(f"{row['ms'].get(name, '-'):>8}" for name in ("p50", "p99", "max"))
            cpu = "".join(f"{row['cpu_pct'].get(kind, 0):>10}" for kind in kinds)
            yield (
                f"{number:>4}{row['running']:>9}{row['ticks']:>6}{row['most_behind']:>7}{latencies}"
                f"{row['session_ticks']:>8}{row['wal_kb']:>8.0f}{cpu}"
            )


def _memory(rows: dict[str, dict[str, float]]) -> Iterator[str]:
    yield f"{'memory, MB':<24}{'rss':>10}{'pss':>10}{'private':>10}"
    for name, sizes in rows.items():
        yield f"{name:<24}{sizes['rss']:>10}{sizes['pss']:>10}{sizes['private']:>10}"


def _tables(rows: dict[str, dict[str, float]]) -> Iterator[str]:
    yield (
        f"{'table':<36}{'bytes':>12}{'kB a session-day':>18}"
        f"{'inserted':>10}{'updated':>10}{'HOT':>10}"
    )
    for name, row in sorted(rows.items(), key=lambda pair: -pair[1]["bytes"]):
        yield (
            f"{name:<36}{row['bytes']:>12}{row['kb_per_session_day'] or 0:>18}"
            f"{row['inserted']:>10}{row['updated']:>10}{row['updated_in_place']:>10}"
        )


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
