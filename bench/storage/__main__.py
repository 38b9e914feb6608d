"""How the per-second line of a session is best stored.

`python -m bench.storage [--sessions 1000] [--ticks 300] [--day]`. On a PostgreSQL of its own each
layout takes the same points, a transaction a tick as a runner's commit is one. Figures a session
and day are scaled to 23,400 ticks. With --day one session's whole day is written and read too.
Then the encodings, in bytes a point, and what PostgreSQL's own compression makes of arrays that SQL
can read. Compare processor times: a wall clock hears other programs.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bench.engine import processor
from bench.storage.arrays import array_sizes, stored_days
from bench.storage.encodings import ENCODINGS, Encoding, cost
from bench.storage.layouts import LAYOUTS, Layout
from bench.storage.lines import TICKS_PER_DAY, Matrix, shared_out, simulated_days
from bench.storage.server import Server, server

READS = 20
TAIL_TICKS = 60
CHUNK_SIZES = (1, 15, 60, TICKS_PER_DAY)


def median_ms(work: Callable[[int], object]) -> float:
    taken = []
    for number in range(READS):
        started = time.perf_counter()
        work(number)
        taken.append(time.perf_counter() - started)
    return 1e3 * statistics.median(taken)


def size_bytes(db: Server, layout: Layout) -> tuple[int, int]:
    """Table and index of the points, with the progress rows' growth left out."""
    if layout.table is None:
        return 0, 0
    row = db.cursor.execute("SELECT pg_table_size('day'), pg_indexes_size('day')").fetchone()
    assert row is not None
    return int(row[0]), int(row[1])


def ingested(db: Server, kind: type[Layout], points: Matrix) -> tuple[Layout, dict[str, Any]]:
    ticks, sessions, _ = points.shape
    layout = kind(db.cursor, [uuid.uuid4() for _ in range(sessions)])
    layout.create()
    db.cursor.execute("CHECKPOINT")
    start = db.mark()
    for number in range(ticks):
        with db.connection.transaction():
            layout.tick(number + 1, points[number])
    spent = db.since(start)
    count = ticks * sessions
    table, index = size_bytes(db, layout)
    return layout, {
        "points_per_second": count / spent.wall,
        "client_us_per_point": 1e6 * spent.client_cpu / count,
        "server_us_per_point": 1e6 * spent.server_cpu / count,
        "wal_bytes_per_session_day": TICKS_PER_DAY * spent.wal_bytes / count,
        "table_bytes_per_session_day": TICKS_PER_DAY * table / count,
        "index_bytes_per_session_day": TICKS_PER_DAY * index / count,
    }


def measured(db: Server, kind: type[Layout], points: Matrix) -> dict[str, Any]:
    ticks, sessions, _ = points.shape
    layout, found = ingested(db, kind, points)
    if layout.table is None:
        return found
    if kind.name.startswith("a packed row a session and minute"):
        layout.settle()
    else:
        for number in (0, sessions - 1):
            if not np.array_equal(layout.read(number, 0), points[:, number]):
                raise AssertionError(f"{kind.name}: what is read is not what was written")
    after = ticks - TAIL_TICKS
    found["tail_read_ms"] = median_ms(lambda number: layout.read(number % sessions, after))
    with db.connection.transaction():
        start = db.mark()
        layout.settle()
        settled = db.since(start)
    found["settle_ms_per_session"] = 1e3 * settled.wall / sessions
    found |= removed(db, layout)
    return found


def removed(db: Server, layout: Layout) -> dict[str, Any]:
    """Deleting the day's rows, undone, against dropping its partition."""
    start = db.mark()
    with db.connection.transaction(force_rollback=True):
        db.cursor.execute(f"DELETE FROM {layout.table}")
        deleted = db.since(start)
    start = db.mark()
    db.cursor.execute("DROP TABLE day")
    dropped = db.since(start)
    db.cursor.execute(f"DROP TABLE {layout.table}")
    return {
        "delete_ms": 1e3 * deleted.wall,
        "delete_wal_bytes": deleted.wal_bytes,
        "drop_ms": 1e3 * dropped.wall,
        "drop_wal_bytes": dropped.wal_bytes,
    }


def day_read(db: Server, kind: type[Layout], day: Matrix, sessions: int) -> dict[str, Any]:
    """A whole day of one session: live, with all that has not been folded, and settled."""
    db.cursor.execute("SET synchronous_commit = off")  # only what is read is timed
    layout, _ = ingested(db, kind, np.repeat(day[:, None, :], sessions, axis=1))
    db.cursor.execute("RESET synchronous_commit")
    found = {"live_day_read_ms": median_ms(lambda _: layout.read(0, 0))}
    layout.settle()
    found["settled_day_read_ms"] = median_ms(lambda _: layout.read(0, 0))
    db.cursor.execute("VACUUM FULL day")
    size = db.cursor.execute("SELECT pg_total_relation_size('day')").fetchone()
    assert size is not None
    found["settled_bytes_per_session_day"] = int(size[0]) / sessions
    db.cursor.execute(f"DROP TABLE {layout.table}")
    return found


def all_encodings() -> dict[str, Encoding]:
    from sessions import financials  # noqa: PLC0415  after setup

    chosen = {"as sessions.financials has it": Encoding(financials.pack_matrix, financials.unpack)}
    return chosen | ENCODINGS


def show(title: str, rows: dict[str, dict[str, Any]]) -> None:
    print(f"\n{title}")
    for name, row in rows.items():
        print(f"  {name}")
        print("    " + ", ".join(f"{key} {value:,.2f}" for key, value in row.items()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=1000)
    parser.add_argument("--ticks", type=int, default=300)
    parser.add_argument("--only", help="layouts whose name contains this")
    parser.add_argument("--day", action="store_true", help="write and read whole days too")
    parser.add_argument("--json", type=Path, help="write the figures here")
    options = parser.parse_args()
    days = simulated_days()
    encodings = all_encodings()
    points = shared_out(days, options.sessions, options.ticks)
    kinds = [kind for kind in LAYOUTS if (options.only or "") in kind.name]
    found: dict[str, Any] = {"layouts": {}, "days": {}}
    with server() as db:
        version = str(db.connection.info.server_version // 10_000)
        for kind in kinds:
            found["layouts"][kind.name] = figures = measured(db, kind, points)
            print(f"{kind.name}: {json.dumps(figures)}", file=sys.stderr)
        for kind in kinds if options.day else []:
            if kind.table is not None:
                sessions = 256 if kind.table == "blocks" else 1
                found["days"][kind.name] = day_read(db, kind, days[1], sessions)
        found["arrays"] = array_sizes(db.cursor, days, CHUNK_SIZES[1:])
        found["stored_days_kb"] = stored_days(db.cursor, days, encodings)
    found["encodings"] = {
        name: {str(size): cost(encoding, days, size)._asdict() for size in CHUNK_SIZES}
        for name, encoding in encodings.items()
    }
    found["machine"] = f"{processor()}, Python {platform.python_version()}, PostgreSQL {version}"
    print(f"{found['machine']}: {options.sessions} sessions x {options.ticks} ticks")
    show("Layouts", found["layouts"])
    show("Whole days", found["days"])
    show("Arrays that SQL reads, bytes a point", found["arrays"])
    show("A day's chunk in its table, kB", found["stored_days_kb"])
    for name, sizes in found["encodings"].items():
        show(f"Encoded: {name}; points a chunk", sizes)
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
