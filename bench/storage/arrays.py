"""What PostgreSQL's own compression makes of points: of arrays in a row, and of encoded days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import psycopg

from bench.storage.encodings import Encoding
from bench.storage.lines import POINT_COLUMNS, Matrix

KINDS = {"int8[]": "bigint[]", "int4[] differences": "int[]", "int8 bytes": "bytea"}


def array_sizes(
    cursor: psycopg.Cursor, days: list[Matrix], chunk_sizes: Sequence[int]
) -> dict[str, dict[str, float]]:
    """Bytes a point of a row with one array a column, by kind, compression and points a row."""
    found: dict[str, dict[str, float]] = {}
    cursor.execute("SELECT enumvals FROM pg_settings WHERE name = 'default_toast_compression'")
    built_in = cursor.fetchone()
    assert built_in is not None
    for compression in built_in[0]:  # lz4 only where the server was built with it
        for name, kind in KINDS.items():
            sizes = {
                str(size): _bytes_per_point(cursor, days, size, name, kind, compression)
                for size in chunk_sizes
            }
            found[f"{name}, {compression}"] = sizes
    return found


def _bytes_per_point(
    cursor: psycopg.Cursor, days: list[Matrix], size: int, name: str, kind: str, compression: str
) -> float:
    columns = [f"c{number}" for number in range(POINT_COLUMNS)]
    cursor.execute("DROP TABLE IF EXISTS arrays")
    cursor.execute(
        "CREATE TABLE arrays (first bigint[],"
        + ", ".join(f"{column} {kind} COMPRESSION {compression}" for column in columns)
        + ")"
    )
    places = ", ".join(["%s"] * (1 + POINT_COLUMNS))
    chunks = [
        day[at : at + size] for day in days for at in range(0, len(day) - size + 1, max(size, 600))
    ]
    for chunk in chunks:
        cursor.execute(f"INSERT INTO arrays VALUES ({places})", _row(chunk, name))
    cursor.execute(
        "SELECT sum(coalesce(pg_column_size(a.first), 0) + "
        + " + ".join(f"pg_column_size(a.{column})" for column in columns)
        + ") FROM arrays AS a"
    )
    row = cursor.fetchone()
    assert row is not None
    return float(row[0]) / sum(map(len, chunks))


def _row(chunk: Matrix, name: str) -> list[object]:
    if name == "int8 bytes":
        return [None, *(np.ascontiguousarray(column).tobytes() for column in chunk.T)]
    if name == "int8[]":
        return [None, *(column.tolist() for column in chunk.T)]
    steps = np.diff(chunk, axis=0, prepend=chunk[:1])
    return [chunk[0].tolist(), *(column.tolist() for column in steps.T)]


def stored_days(
    cursor: psycopg.Cursor, days: list[Matrix], encodings: Mapping[str, Encoding]
) -> dict[str, dict[str, float]]:
    """Kilobytes that a whole day's chunk takes in its table: condor, spreads, idle."""
    cursor.execute("CREATE TEMPORARY TABLE stored (place int, points bytea)")
    found = {}
    for name, encoding in encodings.items():
        cursor.execute("TRUNCATE stored")
        for place, day in enumerate(days):
            cursor.execute("INSERT INTO stored VALUES (%s, %s)", [place, encoding.encode(day)])
        cursor.execute("SELECT pg_column_size(points) FROM stored ORDER BY place")
        sizes = [row[0] / 1e3 for row in cursor.fetchall()]
        found[name] = dict(zip(("condor", "spreads", "idle"), sizes, strict=True))
    return found
