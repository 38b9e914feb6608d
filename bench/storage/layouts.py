"""Where the points of a tick go: one class a layout, each with the same guarded update of a
progress row, as a runner's commit has it.

The tables of points are partitioned by trading date. `settle` leaves a layout as it is once its
sessions have settled.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import psycopg

from bench.storage.encodings import raw, unraw, unzlibbed, unzlibbed_deltas, zlibbed, zlibbed_deltas
from bench.storage.lines import DAY, POINT_COLUMNS, Matrix

AMOUNTS = ("nlv", "cash", "unrealized", "realized", "pl", "fees", "buying_power", "maintenance")
_MOVE = """
    UPDATE progress AS p SET last_seq = v.old_seq + 1, moved_at = clock_timestamp()
    FROM unnest(%s::uuid[], %s::int[]) AS v (id, old_seq)
    WHERE p.id = v.id AND p.last_seq = v.old_seq RETURNING p.id
"""


class Layout:
    """The progress row alone: what every other layout costs as well."""

    name = "the guarded update alone"
    table: str | None = None
    columns = ""
    key = ""
    progress_columns = ""

    def __init__(self, cursor: psycopg.Cursor, ids: Sequence[uuid.UUID]) -> None:
        self.cursor = cursor
        self.ids = list(ids)
        self.buffers: list[list[Any]] = [[] for _ in ids]

    def create(self) -> None:
        run = self.cursor.execute
        run("DROP TABLE IF EXISTS progress")
        run(
            "CREATE TABLE progress (id uuid PRIMARY KEY, last_seq int NOT NULL,"
            f" moved_at timestamptz{self.progress_columns}) WITH (fillfactor = 45)"
        )
        run("INSERT INTO progress SELECT unnest(%s::uuid[]), 0", [self.ids])
        if self.table:
            run(f"CREATE TABLE {self.table} ({self.columns}) PARTITION BY LIST (trading_date)")
            run(f"CREATE UNIQUE INDEX ON {self.table} ({self.key}, trading_date)")
            run(f"CREATE TABLE day PARTITION OF {self.table} FOR VALUES IN ('{DAY}')")

    def tick(self, seq: int, points: Matrix) -> None:
        self.move(seq)
        self.write(seq, points)

    def move(self, seq: int) -> None:
        self.cursor.execute(_MOVE, [self.ids, [seq - 1] * len(self.ids)])

    def write(self, seq: int, points: Matrix) -> None:
        pass

    def copy(self, columns: str, types: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        with self.cursor.copy(f"COPY {self.table} ({columns}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)

    def settle(self) -> None:
        """Points that wait in memory are written; what is folded at settlement is folded."""

    def read(self, number: int, after_seq: int) -> Matrix:
        raise NotImplementedError

    def _fetched(self, query: str, number: int, after_seq: int) -> list[Any]:
        return self.cursor.execute(query, [self.ids[number], after_seq]).fetchall()


class RowAPoint(Layout):
    name = "a row a point"
    table = "rows"
    columns = "session uuid, seq int, at_ms bigint, trading_date date, " + ", ".join(
        f"{name} bigint" for name in AMOUNTS
    )
    key = "session, seq"

    def write(self, seq: int, points: Matrix) -> None:
        names = "session, trading_date, seq, at_ms, " + ", ".join(AMOUNTS)
        rows = points.tolist()
        self.copy(
            names,
            ["uuid", "date", "int4", *["int8"] * 9],
            ([pk, DAY, *row] for pk, row in zip(self.ids, rows, strict=True)),
        )

    def read(self, number: int, after_seq: int) -> Matrix:
        query = (
            f"SELECT seq, at_ms, {', '.join(AMOUNTS)} FROM rows"
            f" WHERE session = %s AND seq > %s AND trading_date = '{DAY}' ORDER BY seq"
        )
        return np.array(self._fetched(query, number, after_seq), dtype="<i8")


class Chunks(Layout):
    """A packed row a session, every `every` ticks; sessions take turns, so no tick is heavier."""

    table = "chunks"
    columns = (
        "id bigint GENERATED ALWAYS AS IDENTITY, session uuid, first_seq int, last_seq int,"
        " trading_date date, points bytea"
    )
    key = "session, first_seq"
    every = 1
    is_folded = True
    pack, unpack = staticmethod(zlibbed), staticmethod(unzlibbed)

    def write(self, seq: int, points: Matrix) -> None:
        full = []
        for number, buffer in enumerate(self.buffers):
            buffer.append(points[number])
            if (seq + number) % self.every == 0:
                full.append(number)
        self._flush(full)

    def _flush(self, numbers: Iterable[int]) -> None:
        rows = []
        for number in numbers:
            matrix = np.array(self.buffers[number], dtype="<i8")
            first, last = int(matrix[0, 0]), int(matrix[-1, 0])
            rows.append((self.ids[number], first, last, DAY, self.pack(matrix)))
            self.buffers[number] = []
        self.copy(
            "session, first_seq, last_seq, trading_date, points",
            ["uuid", "int4", "int4", "date", "bytea"],
            rows,
        )

    def settle(self) -> None:
        self._flush([number for number, buffer in enumerate(self.buffers) if buffer])
        if not self.is_folded:
            return
        for number, pk in enumerate(self.ids):
            matrix = self.read(number, 0)
            self.cursor.execute("DELETE FROM chunks WHERE session = %s", [pk])
            self.cursor.execute(
                "INSERT INTO chunks (session, first_seq, last_seq, trading_date, points)"
                " VALUES (%s, %s, %s, %s, %s)",
                [pk, int(matrix[0, 0]), int(matrix[-1, 0]), DAY, self.pack(matrix)],
            )

    def read(self, number: int, after_seq: int) -> Matrix:
        query = (
            "SELECT points FROM chunks WHERE session = %s AND last_seq > %s"
            f" AND trading_date = '{DAY}' ORDER BY first_seq"
        )
        parts = [self.unpack(row[0]) for row in self._fetched(query, number, after_seq)]
        found = np.concatenate([*parts, *self._waiting(number)])
        return found[found[:, 0] > after_seq]

    def _waiting(self, number: int) -> list[Matrix]:
        return [np.empty((0, POINT_COLUMNS), dtype="<i8")]


class ChunkATick(Chunks):
    name = "a packed row a session and tick"


class ChunkAMinute(Chunks):
    name = "a packed row a session and minute, nothing between"
    every = 60
    pack, unpack = staticmethod(zlibbed_deltas), staticmethod(unzlibbed_deltas)
    is_folded = False


class Tail(Chunks):
    """The last points lie raw in the progress row; the oldest come out when `every` are there."""

    name = "a tail in the progress row, a packed row every 15 ticks"
    every = 15
    pack, unpack = staticmethod(zlibbed_deltas), staticmethod(unzlibbed_deltas)
    progress_columns = ", tail bytea NOT NULL DEFAULT ''"
    new_tail = "CASE WHEN v.is_full THEN ''::bytea ELSE p.tail END || v.point"

    def tick(self, seq: int, points: Matrix) -> None:
        full = [(seq - 1 + number) % self.every == 0 for number in range(len(self.ids))]
        self.cursor.execute(
            _MOVE.replace("clock_timestamp()", f"clock_timestamp(), tail = {self.new_tail}")
            .replace("%s::int[]", "%s::int[], %s::bytea[], %s::bool[]")
            .replace("old_seq)\n", "old_seq, point, is_full)\n"),
            [self.ids, [seq - 1] * len(self.ids), [raw(point) for point in points], full],
        )
        self._flush([number for number in np.flatnonzero(full) if self.buffers[number]])
        for buffer, point in zip(self.buffers, points, strict=True):
            buffer.append(point)

    def _waiting(self, number: int) -> list[Matrix]:
        rows = self._fetched("SELECT tail FROM progress WHERE id = %s AND %s >= 0", number, 0)
        return [self._in_order(unraw(rows[0][0]))]

    def _in_order(self, tail: Matrix) -> Matrix:
        return tail

    def settle(self) -> None:
        self.cursor.execute("UPDATE progress SET tail = ''")
        super().settle()


class TailNewestFirst(Tail):
    """What is old stands at the end of the tuple, where PostgreSQL's WAL leaves it out."""

    name = "the same, the newest point first"
    new_tail = "v.point || CASE WHEN v.is_full THEN ''::bytea ELSE p.tail END"

    def _in_order(self, tail: Matrix) -> Matrix:
        return tail[::-1]


class LongTail(Tail):
    name = "a tail, a packed row every 60 ticks"
    every = 60


class LongTailNewestFirst(TailNewestFirst):
    name = "every 60 ticks, the newest point first"
    every = 60


class Blocks(Layout):
    """One row for 256 sessions of a runner and tick; each minute one row instead of sixty."""

    name = "a packed row a 256 sessions and tick, folded a minute"
    table = "blocks"
    columns = "block int, first_seq int, last_seq int, trading_date date, points bytea"
    key = "block, first_seq"
    size = 256

    def write(self, seq: int, points: Matrix) -> None:
        blocks = [points[at : at + self.size] for at in range(0, len(points), self.size)]
        self._insert((n, seq, seq, DAY, zlibbed(block)) for n, block in enumerate(blocks))
        for buffer, block in zip(self.buffers, blocks, strict=False):
            buffer.append(block)
        if seq % 60 == 0:
            self._fold(len(blocks), seq)

    def _fold(self, blocks: int, seq: int) -> None:
        first = seq - len(self.buffers[0]) + 1
        self.cursor.execute("DELETE FROM blocks WHERE first_seq BETWEEN %s AND %s", [first, seq])
        rows = []
        for number in range(blocks):
            matrix = np.array(self.buffers[number]).transpose(1, 0, 2).reshape(-1, POINT_COLUMNS)
            rows.append((number, first, seq, DAY, zlibbed_deltas(matrix)))
            self.buffers[number] = []
        self._insert(rows)

    def _insert(self, rows: Iterable[Sequence[Any]]) -> None:
        columns = "block, first_seq, last_seq, trading_date, points"
        self.copy(columns, ["int4", "int4", "int4", "date", "bytea"], rows)

    def read(self, number: int, after_seq: int) -> Matrix:
        block, place = divmod(number, self.size)
        rows = self.cursor.execute(
            "SELECT first_seq = last_seq, points FROM blocks WHERE block = %s AND last_seq > %s"
            f" AND trading_date = '{DAY}' ORDER BY first_seq",
            [block, after_seq],
        ).fetchall()
        sessions = min(self.size, len(self.ids) - block * self.size)
        parts = []
        for is_tick, data in rows:
            matrix = unzlibbed(data) if is_tick else unzlibbed_deltas(data)
            parts.append(matrix.reshape(sessions, -1, POINT_COLUMNS)[place])
        found = np.concatenate(parts)
        return found[found[:, 0] > after_seq]


LAYOUTS: list[type[Layout]] = [
    Layout,
    RowAPoint,
    ChunkATick,
    Tail,
    TailNewestFirst,
    LongTail,
    LongTailNewestFirst,
    Blocks,
    ChunkAMinute,
]
